"""Directed scenes, slowly: lists of frames, one sprite after the other, from the specs table."""

import itertools
import math

import numpy as np
from reference.plain import Plain

SHORT, LONG, GROWTH, PAN = 0.1, 0.3, 1.25, 0.15
LEAST_RADIUS, FIRST_RADIUS, MOST_RADIUS = 0.06, 0.1, 0.25
CAMERA = {"hold": (0, 0), "left": (-1, 0), "right": (1, 0), "in": (0, 1), "out": (0, -1)}
TIMINGS = (
    lambda t: t,
    lambda t: t * t,
    lambda t: t * (2 - t),
    lambda t: 10 * t**3 - 15 * t**4 + 6 * t**5,
    lambda t: 1.0,
)


def clip(value, low=0.0, high=1.0):
    return min(max(value, low), high)


def thirds(x, y):
    """Nearness of a place in the picture to the nearest of four points."""
    points = [(a, b) for a in (1 / 3, 2 / 3) for b in (1 / 3, 2 / 3)]
    away = min(math.hypot(x - a, y - b) for a, b in points)
    return clip(1 - away / math.hypot(1 / 3, 1 / 3))


def outside(x, y, half_x, half_y):
    """Share of a rectangle that is out of the unit square."""
    seen = 1.0
    for middle, half in ((x, half_x), (y, half_y)):
        inside = max(0.0, min(middle + half, 1) - max(middle - half, 0))
        if half > 0.5:  # larger than the picture: what hangs over on one side counts
            inside = 2 * half - clip(abs(middle - 0.5) + half - 0.5, 0, 2 * half)
        seen *= inside / (2 * half)
    return 1 - seen


class PlainDirectedScene(Plain):
    """`DirectedScene` with its default params; `reset` draws a story, a curve and the places."""

    def __init__(self, env):
        params = env.default_params
        self.size, self.num_steps = env.frames_per_step, env.num_steps
        self.num_sprites, self.num_scenes = env.num_sprites, env.num_scenes
        self.nums = env.action_space.nums
        self.num_actions = math.prod(self.nums)
        side = min(env.height, env.width)
        self.half_x, self.half_y = side / env.width, side / env.height
        columns = [np.asarray(leaf).tolist() for leaf in params.stories]
        self.stories = [list(zip(*rows, strict=True)) for rows in zip(*columns, strict=True)]
        self.curves = np.asarray(params.rhythms).tolist()
        self.weights = {term.name: term.weight for term in env.terms}
        self.limits = [float(x) for x in (params.most_jerk, params.most_move, params.most_growth)]
        self.least_shot = int(params.least_shot)
        self.rng = np.random.default_rng(0)

    def reset(self):
        places = [
            ((n + 1) / (self.num_sprites + 1) + self.rng.uniform(-0.08, 0.08),
             0.6 + self.rng.uniform(-0.08, 0.08))
            for n in range(self.num_sprites)
        ]  # fmt: skip
        story = self.stories[self.rng.integers(len(self.stories))]
        return self.begin(story, self.curves[self.rng.integers(len(self.curves))], places)

    def start(self, state):
        x, y = np.asarray(state.start_x).tolist(), np.asarray(state.start_y).tolist()
        story, curve = self.stories[int(state.story)], self.curves[int(state.rhythm)]
        return self.begin(story, curve, list(zip(x, y, strict=True)))

    def begin(self, story, curve, places):
        self.story, self.curve = story, curve
        # Of every frame: sprites (x, y, radius, turn), camera (x, zoom), scene.
        still = ([(x, y, FIRST_RADIUS, 0.0) for x, y in places], (0.5, 1.0), 0)
        self.frames = [still] * 3
        self.step_number = self.shot = 0
        return self.observation()

    def choice(self, action):
        """The action of a number, the last entry fastest; others as they are."""
        if not isinstance(action, int):
            return list(action)
        entries = []
        for num in reversed(self.nums):
            action, entry = divmod(action, num)
            entries.append(entry)
        return entries[::-1]

    def observation(self):
        last, num = self.frames[-3:], self.step_number
        ahead = [beat for beat in self.story if beat[0] > num][:2]
        beats = [number for _, who, scene, *_ in ahead for number in (who + 1, scene + 1)]
        marks = [[x, y, (when - num) / self.num_steps] for when, _, _, x, y in ahead]
        return {
            "places": np.array([[pose[:2] for pose in sprites] for sprites, _, _ in last]),
            "sizes": np.array([pose[2] / MOST_RADIUS for pose in last[-1][0]]),
            "cameras": np.array([(x, zoom / 2) for _, (x, zoom), _ in last]),
            "scene": np.int32(last[-1][2]),
            "shot": np.float32(self.shot / self.num_steps),
            "beats": np.array(beats + [0] * (4 - len(beats))),
            "marks": np.array(marks + [[0.0] * 3] * (2 - len(marks))),
            "wanted": np.array(self.curve[num:] + [0.0] * num),
            "time": np.float32(num / self.num_steps),
        }

    def step(self, action):
        *choices, camera, cut = self.choice(action)
        sprites, (camera_x, zoom), scene = self.frames[-1]
        tracks = [self.track(pose, choices[3 * n : 3 * n + 3]) for n, pose in enumerate(sprites)]
        if cut:
            camera_x, zoom = 0.5, 1.0
        pan, nearer = list(CAMERA.values())[camera]
        new_x = clip(camera_x + PAN * pan, 0.2, 0.8)
        new_zoom = clip(zoom * GROWTH**nearer, 0.8, 2.0)
        timing = TIMINGS[4 if cut else 3]
        is_early, is_same = self.shot < self.least_shot, cut - 1 == scene
        for frame in range(self.size):
            done = timing((frame + 1) / self.size)
            seen_by = (camera_x + (new_x - camera_x) * done, zoom * (new_zoom / zoom) ** done)
            who = [track[frame] for track in tracks]
            self.frames.append((who, seen_by, cut - 1 if cut else scene))
        self.step_number += 1
        self.shot = 1 if cut else self.shot + 1
        self.terms = self.paid(bool(cut), cut > 0 and (is_early or is_same))
        reward = sum(self.weights[name] * value for name, value in self.terms.items())
        return self.observation(), reward, self.step_number == self.num_steps

    def track(self, pose, choice):
        """Where a sprite is in the step's frames."""
        x, y, radius, turn = pose
        move, easing, size = choice
        length = 0 if move == 0 else SHORT if move <= 8 else LONG
        angle = (move - 1) % 8 * math.pi / 4
        way_x = clip(x + length * math.cos(angle)) - x
        way_y = clip(y + length * math.sin(angle)) - y
        new = clip(radius * GROWTH ** (size - 1), LEAST_RADIUS, MOST_RADIUS)
        rounds = way_x / self.half_x / (2 * math.pi * radius)
        poses = []
        for frame in range(self.size):
            done = TIMINGS[easing]((frame + 1) / self.size)
            poses.append(
                (x + way_x * done, y + way_y * done, radius * (new / radius) ** done,
                 turn + rounds * done)
            )  # fmt: skip
        return poses

    def on_screen(self, frame):
        """Of every sprite the middle and half the sides, as shares of the picture."""
        sprites, (camera_x, zoom), _ = frame
        return [
            (0.5 + (x - camera_x) * zoom, 0.5 + (y - 0.5) * zoom,
             radius * zoom * self.half_x, radius * zoom * self.half_y)
            for x, y, radius, _ in sprites
        ]  # fmt: skip

    def paid(self, is_cut, is_bad):
        most_jerk, most_move, most_growth = self.limits
        every, size = range(self.num_sprites), self.size
        new, scene = self.frames[-size:], self.frames[-1][2]
        shot = new if is_cut else self.frames[-size - 1 :]  # what moves are measured in
        whole = new if is_cut else self.frames[-size - 3 :]  # and third differences
        ways, jerks, faults = [], [], []
        for n in every:
            poses = [frame[0][n] for frame in shot]
            way = fault = 0.0
            for (x0, y0, r0, _), (x1, y1, r1, _) in itertools.pairwise(poses):
                move, growth = math.hypot(x1 - x0, y1 - y0), abs(math.log(r1 / r0))
                way += move
                fault = max(fault, clip(max(move / most_move, growth / most_growth) - 1))
            seen = [self.on_screen(frame)[n][:2] for frame in whole]
            third = np.diff(np.array(seen), n=3, axis=0)
            jerks.append(min(math.sqrt((third**2).sum() / size) / most_jerk, 1.0))
            ways.append(way)
            faults.append(fault)
        story = composition = 0.0
        for when, who, where, x, y in self.story:
            if when == self.step_number and where == scene:
                pose = new[-1][0][who]
                told = clip(1 - math.hypot(pose[0] - x, pose[1] - y) / 0.5)
                story += told
                composition += told * thirds(*self.on_screen(new[-1])[who][:2])
        grown = [abs(math.log(radius / FIRST_RADIUS)) for _, _, radius, _ in new[-1][0]]
        energy = min(np.mean(ways) / LONG, 1.0)
        return {
            "story": story,
            "rhythm": 1 - 2 * abs(energy - self.curve[self.step_number - 1]),
            "smoothness": -np.mean(jerks),
            "identity": -np.mean(faults),
            "cutting": -float(is_bad),
            "composition": composition,
            "size": -np.mean(grown) / math.log(MOST_RADIUS / FIRST_RADIUS),
            "framing": -np.mean([outside(*box) for frame in new for box in self.on_screen(frame)]),
        }
