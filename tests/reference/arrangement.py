"""Arrangements, slowly: lists, one slot after the other, written from the specs table."""

import math

import numpy as np
from reference.plain import Plain

PLAYERS = {  # program, compass, power in forte, brilliance, slots at a stretch
    "Flute": (73, 60, 96, 1, 0.5, 3), "Oboe": (68, 59, 86, 1, 0.6, 3),
    "Clarinet": (71, 50, 89, 1, 0.4, 3), "Bassoon": (70, 35, 69, 1, 0.2, 3),
    "Horn": (60, 41, 74, 2, 0.4, 2), "Trumpet": (56, 55, 82, 4, 1.0, 2),
    "Trombone": (57, 40, 70, 4, 0.8, 2), "Violin 1": (40, 55, 95, 2, 0.6, math.inf),
    "Violin 2": (40, 55, 95, 2, 0.6, math.inf), "Viola": (41, 48, 84, 2, 0.3, math.inf),
    "Cello": (42, 36, 76, 2, 0.4, math.inf),
}  # fmt: skip
VELOCITY = (33, 49, 64, 80, 96, 112)
FORTENESS = (0, 0, 1 / 3, 2 / 3, 1, 1)


class PlainArrangement(Plain):
    """`Arrangement` with its default params; `reset` draws a piece and what is wanted."""

    def __init__(self, env):
        params = env.default_params
        self.num_slots, self.num_phrases = env.num_slots, env.num_phrases
        self.names = env.players
        self.nums = env.action_space.nums
        self.num_actions = math.prod(self.nums)
        self.pieces = np.asarray(params.pieces).tolist()
        self.curves = np.asarray(params.curves, np.float64)
        self.variation = float(params.variation)
        self.weights = {term.name: term.weight for term in env.terms}
        self.rng = np.random.default_rng(0)

    def reset(self):
        stretch, shift = self.rng.uniform(-self.variation, self.variation, 2)
        curve = self.curves[self.rng.integers(len(self.curves))]
        wanted = np.clip(0.5 + (1 + stretch) * (curve - 0.5) + shift, 0, 1)
        return self.begin(int(self.rng.integers(len(self.pieces))), wanted.tolist())

    def start(self, state):
        return self.begin(int(state.piece), np.asarray(state.wanted).tolist())

    def begin(self, piece, wanted):
        self.piece, self.wanted = self.pieces[piece], wanted
        self.made = []  # of every slot: phrase, seats, mark
        return self.observation()

    def choice(self, action):
        """The action of a number, the last entry fastest; others are as they are."""
        if not isinstance(action, int):
            return list(action)
        entries = []
        for num in reversed(self.nums):
            action, entry = divmod(action, num)
            entries.append(entry)
        return entries[::-1]

    def player(self, seat):
        return PLAYERS[self.names[seat - 1]]

    def stretch(self, seat):
        """Slots that a player has played up to now without a break."""
        num = 0
        for _, seats, _ in reversed(self.made):
            if seat not in seats:
                break
            num += 1
        return num

    def in_a_row(self):
        phrases = [phrase for phrase, _, _ in self.made]
        num = 0
        while num < len(phrases) and phrases[-1 - num] == phrases[-1]:
            num += 1
        return num

    def last_seats(self, phrase):
        return next((seats for made, seats, _ in reversed(self.made) if made == phrase), None)

    def observation(self):
        num = len(self.made)
        phrases = [phrase for phrase, _, _ in self.made]
        ranges = []
        for phrase in self.piece:
            for voice in phrase:
                notes = [code - 2 for code in voice if code >= 2] or [0]
                ranges.append([min(notes), max(notes)])
        phrase, seats, mark = self.made[-1] if self.made else (-1, [0] * 4, -1)
        last = [self.last_seats(number) or [0] * 4 for number in range(self.num_phrases)]
        every = range(1, len(self.names) + 1)
        return {
            "wanted": np.array([*self.wanted[num:], *[0] * num], np.float32),
            "ranges": np.array(ranges, np.float32).reshape(self.num_phrases, 4, 2) / 127,
            "before": np.array([phrase + 1, *seats, mark + 1]),
            "heard": np.array([phrases.count(p) for p in range(self.num_phrases)]) / self.num_slots,
            "last": np.array(last).ravel(),
            "in_a_row": np.float32(self.in_a_row() / self.num_slots),
            "played": np.array([self.stretch(seat) for seat in every]) / self.num_slots,
            "time": np.float32(num / self.num_slots),
        }

    def step(self, action):
        phrase, *players, mark = self.choice(action)
        seats, taken = [], []
        for voice, player in enumerate(players):
            taken.append(player > 0 and player in players[:voice])
            has_notes = any(code >= 2 for code in self.piece[phrase][voice])
            seats.append(player if has_notes and not taken[-1] else 0)
        self.terms = self.paid(phrase, seats, mark, taken)
        reward = sum(self.weights[name] * value for name, value in self.terms.items())
        return self.observation(), reward, len(self.made) == self.num_slots

    def paid(self, phrase, seats, mark, taken):
        """The terms of a slot, which is then made."""
        before = self.made[-1] if self.made else None
        heard = {made for made, _, _ in self.made}
        wanted = self.wanted[len(self.made)]
        is_same = self.last_seats(phrase) == seats
        self.made.append((phrase, seats, mark))
        contrast = 0.0
        if before:
            num = sum(a != b for a, b in zip(before[1], seats, strict=True)) + (before[2] != mark)
            contrast = {0: 0.0, 4: 0.5, 5: 0.0}.get(num, 1.0)
        form = 0.0
        if phrase not in heard:
            form = 1.0 if all(other in heard for other in range(phrase)) else -1.0
        form -= self.in_a_row() > 2
        is_end = len(self.made) == self.num_slots
        if is_end and phrase == self.num_phrases - 1 and len(heard | {phrase}) == self.num_phrases:
            form += 2
        return {
            "energy": 1 - 2 * self.distance(seats, mark, wanted),
            "balance": self.balance(seats, mark),
            "outline": -1.0 if any(seats[1:3]) and not seats[3] else 0.0,
            "contrast": contrast,
            "variation": -1.0 if is_same else 0.0,
            "playability": -sum(self.faults(phrase, seats, taken)) / 4,
            "form": form,
        }

    def distance(self, seats, mark, wanted):
        brilliance = [self.player(seat)[4] for seat in seats if seat]
        if not brilliance:
            return wanted
        num = len(brilliance)
        away = [abs(part - wanted) for part in (mark / 5, num / 4, sum(brilliance) / num)]
        return 0.4 * away[0] + 0.4 * away[1] + 0.2 * away[2]

    def balance(self, seats, mark):
        loud = [self.player(seat)[3] ** FORTENESS[mark] if seat else 0.0 for seat in seats]
        return loud[0] / max(loud) if any(loud) else 0.0

    def faults(self, phrase, seats, taken):
        for voice, seat in enumerate(seats):
            if taken[voice]:
                yield 1.0
            elif seat:
                _, low, high, *_, endurance = self.player(seat)
                notes = [code - 2 for code in self.piece[phrase][voice] if code >= 2]
                outside = sum(not low <= note <= high for note in notes) / len(notes)
                yield 1.0 if self.stretch(seat) > endurance else outside

    def score(self):
        """Program, events and velocities of every player, in the slots so far."""
        rows = []
        for seat, name in enumerate(self.names, start=1):
            events, velocities = [], []
            for phrase, seats, mark in self.made:
                num = len(self.piece[phrase][0])
                voice = seats.index(seat) if seat in seats else None
                events += [0] * num if voice is None else self.piece[phrase][voice]
                velocities += [VELOCITY[mark]] * num
            rows.append((PLAYERS[name][0], events, velocities))
        return rows
