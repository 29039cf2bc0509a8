"""What is special to directed scenes; the terms against the plain loop, and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.animation import PlainDirectedScene

from creative_rl import works
from creative_rl.corpora.stories import rhythms, stories
from creative_rl.envs.animation import DirectedScene
from creative_rl.ops.staging import EASINGS
from creative_rl.works.animation import on_host

ENV = DirectedScene()
PARAMS = ENV.default_params
NUM, STEPS, SIZE = 64, ENV.num_steps, ENV.frames_per_step
STAY, EAST, FAR_EAST, FAR_WEST = 0, 1, 9, 13
EVEN, IN_AND_OUT, AT_ONCE = (EASINGS.index(name) for name in
                             ("even", "slow in and out", "at once"))  # fmt: skip
STILL = [STAY, EVEN, 1]


@pytest.fixture(scope="module")
def player():
    """Compiled once: the start, timesteps [B, H], and the work after each step."""

    def episode(key, sequence, params):
        key_reset, key_step = jax.random.split(key)
        start, _ = ENV.reset(key_reset, params)

        def step(state, action):
            state, timestep = ENV.step(key_step, state, action, params)
            return state, (timestep, ENV.work(state, params))

        return start, *jax.lax.scan(step, start, sequence)[1]

    compiled = jax.jit(jax.vmap(episode, (0, 0, None)))

    def play(actions, params=PARAMS, seed=0):
        actions = np.concatenate([actions, np.zeros((NUM - len(actions), STEPS, 8), int)])
        keys = jax.random.split(jax.random.key(seed), NUM)
        return jax.tree.map(np.asarray, compiled(keys, jnp.asarray(actions, jnp.int32), params))

    return play


def choices(seed):
    """Random actions; in half of the episodes few cuts, in a quarter short moves."""
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, ENV.action_space.nums, (NUM, STEPS, 8))
    rare = rng.random((NUM, STEPS)) < 0.8
    rare[NUM // 2 :] = False
    actions[rare, -1] = 0
    actions[: NUM // 4, :, (0, 3)] %= 9
    return actions


@pytest.fixture(scope="module")
def played(player):
    actions = choices(0)
    return actions, *player(actions)


def test_every_term_observation_and_frame_is_the_plain_loop_s(played):
    actions, start, timesteps, films = played
    plain = PlainDirectedScene(ENV)
    seen = {term.name: [] for term in ENV.terms}
    for episode in range(NUM):
        plain.start(jax.tree.map(lambda leaf, e=episode: leaf[e], start))
        for step, action in enumerate(actions[episode].tolist()):
            observation, reward, is_over = plain.step(action)
            where = (episode, step)
            for name, value in observation.items():
                found = timesteps.observation[name][where]
                np.testing.assert_allclose(found, value, atol=1e-5, err_msg=name)
            for name, value in plain.terms.items():
                found = timesteps.info["reward_terms"][name][where]
                assert found == pytest.approx(value, abs=2e-5), (name, where)
                seen[name].append(value)
            assert timesteps.reward[where] == pytest.approx(reward, abs=1e-4)
            assert is_over == timesteps.terminated[where] == (step == STEPS - 1)
        poses = np.array([sprites for sprites, _, _ in plain.frames[3:]])
        np.testing.assert_allclose(films.poses[episode, -1], poses, atol=1e-4)
        cameras = np.array([camera for _, camera, _ in plain.frames[3:]])
        np.testing.assert_allclose(films.cameras[episode, -1][:, [0, 2]], cameras, atol=1e-5)
        assert films.scenes[episode, -1].tolist() == [scene for *_, scene in plain.frames[3:]]
    assert {min(seen["cutting"]), max(seen["cutting"])} == {-1, 0}
    for name in ("story", "rhythm", "smoothness", "composition", "size", "framing"):
        assert len({round(value, 3) for value in seen[name]}) > 20, name
    assert len({round(value, 3) for value in seen["identity"]}) > 3


def test_standing_still_by_hand(player):
    """All rest in the middle of the first scene: nothing is wrong but the rhythm."""
    still = [[*STILL * 2, 0, 0]] * STEPS
    start, timesteps, films = player([still])
    terms = {name: value[0] for name, value in timesteps.info["reward_terms"].items()}
    for name in ("smoothness", "identity", "cutting", "size", "framing"):
        assert terms[name].tolist() == [0] * STEPS, name
    is_beat = np.isin(np.arange(1, STEPS + 1), np.asarray(PARAMS.stories.when)[0])
    assert not terms["composition"][~is_beat].any()
    wanted = np.asarray(PARAMS.rhythms)[start.rhythm[0]]
    np.testing.assert_allclose(terms["rhythm"], 1 - 2 * wanted, atol=1e-6)
    assert (films.poses[0, -1, :, :, 0] == start.start_x[0]).all()
    assert (films.poses[0, -1, :, :, 3] == 0).all()


def test_a_long_way_by_hand(player):
    """One sprite goes 0.3 to the right in six even frames, then again at once."""
    moves = [[FAR_EAST, EVEN, 1, *STILL, 0, 0], [FAR_WEST, AT_ONCE, 1, *STILL, 0, 0],
             [FAR_EAST, AT_ONCE, 1, *STILL, 0, 2], [EAST, IN_AND_OUT, 2, *STILL, 0, 0],
             [STAY, AT_ONCE, 2, *STILL, 0, 0], [*STILL * 2, 0, 2], [*STILL * 2, 0, 1],
             [*STILL * 2, 0, 0]]  # fmt: skip
    params = PARAMS.replace(rhythms=jnp.zeros_like(PARAMS.rhythms))
    _, timesteps, films = player([moves], params)
    terms = {name: value[0] for name, value in timesteps.info["reward_terms"].items()}
    # Half of the energy, from one sprite of two; none for what a cut puts elsewhere.
    np.testing.assert_allclose(terms["rhythm"][:3], [0, 0, 1], atol=1e-5)
    # Two third differences of 0.05 in six frames; one sprite of two.
    assert terms["smoothness"][0] == pytest.approx(-((0.05**2 / 3) ** 0.5) / 0.06 / 2, abs=1e-5)
    # The move at once is three times the most; growth at once is twice too fast, or more.
    np.testing.assert_allclose(terms["identity"][:5], [0, -0.5, 0, 0, -0.5], atol=1e-5)
    assert terms["cutting"].tolist() == [0, 0, 0, 0, 0, -1, -1, 0]  # a jump cut, and a short shot
    x = films.poses[0, -1, :, 0, 0]
    np.testing.assert_allclose(np.diff(x[: SIZE + 1]), [0.05] * 5 + [-0.3], atol=1e-6)
    radius = films.poses[0, -1, :, 0, 2]
    # One sprite of two grows once, then again, and stays so.
    once = -np.log(1.25) / np.log(2.5) / 2
    np.testing.assert_allclose(terms["size"], [0, 0, 0, once, *[2 * once] * 4], atol=1e-5)
    assert radius[23] == pytest.approx(0.125) and radius[24] == pytest.approx(0.15625)
    assert films.scenes[0, -1].tolist() == [0] * 12 + [1] * 24 + [0] * 12
    rounds = 0.3 / (180 / 320) / (2 * np.pi * 0.1)
    assert films.poses[0, -1, 5, 0, 3] == pytest.approx(rounds, abs=1e-5)


def test_a_story_is_paid_at_its_beats(player):
    """The sprite is put where it is wanted: all that a beat pays, and nothing elsewhere."""
    start, *_ = player(choices(0))
    beats = PARAMS.stories
    who = np.zeros_like(beats.who)
    x = np.asarray(start.start_x)[0, 0] + np.zeros_like(beats.x)
    y = np.asarray(start.start_y)[0, 0] - 0.25 + np.zeros_like(beats.y)
    scene = np.tile(np.array([0, 1, 0, 0], np.int32), (len(who), 1))
    told = beats._replace(who=jnp.asarray(who), x=jnp.asarray(x), y=jnp.asarray(y),
                          scene=jnp.asarray(scene))  # fmt: skip
    _, timesteps, _ = player([[[*STILL * 2, 0, 0]] * STEPS], PARAMS.replace(stories=told))
    paid = timesteps.info["reward_terms"]["story"][0]
    np.testing.assert_allclose(paid, [0, 0.5, 0, 0, 0, 0.5, 0, 0.5], atol=1e-5)
    # The same, the less the further the sprite is from the nearest of the four points.
    place = np.array([start.start_x[0, 0], start.start_y[0, 0]])
    away = np.hypot(*(np.abs(np.abs(place - 0.5) - 1 / 6)))
    framed = timesteps.info["reward_terms"]["composition"][0]
    np.testing.assert_allclose(framed, paid * (1 - away / np.hypot(1 / 3, 1 / 3)), atol=1e-5)
    assert timesteps.observation["beats"][0, 1].tolist() == [1, 2, 1, 1]
    assert timesteps.observation["beats"][0, -1].tolist() == [0] * 4


def test_works_are_films_at_every_step(played, tmp_path):
    _, _, _, films = played
    for step in (0, STEPS - 1):
        film = on_host(jax.tree.map(lambda leaf, t=step: leaf[3, t], films))
        assert film.length == (step + 1) * SIZE and not film.poses[(step + 1) * SIZE :].any()
        back = works.load(works.save(film, tmp_path / "film.json"))
        jax.tree.map(np.testing.assert_array_equal, film, back)
        assert set(works.suffixes(film)) == {".gif", ".mp4", ".png", ".json"}


def test_stories_are_in_reach_of_the_rules():
    told = stories(200, 9, 4, 3, 3, seed=1)
    assert told.when[0].tolist() == [2, 4, 6, 9] and (told.scene[:, 0] == 0).all()
    assert set(told.who.ravel()) == set(told.scene.ravel()) == {0, 1, 2}
    changes = (np.diff(told.scene, axis=1) != 0).mean()
    assert 0.4 < changes < 0.6
    assert told.x.min() > 0.14 and told.x.max() < 0.86 and 0.29 < told.y.min() < told.y.max() < 0.76
    curves = rhythms(7)
    assert curves.shape == (6, 7) and curves.min() >= 0 and curves.max() <= 1
    assert (stories(9, 8, 2, 1, 1, seed=0).scene == 0).all()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_sprites": 5}, r"DirectedScene: num_sprites must be a whole number in 1\.\.4, got 5"),
        ({"frames_per_step": 2}, r"frames_per_step must be a whole number in 3\.\.24, got 2"),
        ({"num_beats": 9}, r"num_beats must be a whole number in 1\.\.8, got 9"),
        ({"width": 321}, r"width must be even, as films are, got 321"),
    ],
)
def test_bad_sizes_are_refused_in_one_line(keywords, message):
    with pytest.raises(ValueError, match=message):
        DirectedScene(**keywords)


def test_params_of_other_sizes_are_refused(key):
    params = PARAMS.replace(rhythms=PARAMS.rhythms[:, :3])
    with pytest.raises(ValueError, match=r"rhythms \['C', 8\], .* got \[\[64, 4\]\], \[6, 3\]"):
        ENV.reset(key, params)
