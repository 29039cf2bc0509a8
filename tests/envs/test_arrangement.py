"""What is special to arrangements; terms by hand are in tests/rewards, instruments in tests/ops."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.arrangement import PlainArrangement

import creative_rl as crl
from creative_rl import corpora, metrics, works
from creative_rl.corpora.occasions import OCCASIONS
from creative_rl.envs.arrangement import Arrangement
from creative_rl.ops.orchestration import INSTRUMENTS, energy

ENV = Arrangement(num_slots=6, num_phrases=3, phrase_frames=8)
PARAMS = ENV.default_params
NUM = 96
SEATS = {name: 1 + number for number, name in enumerate(INSTRUMENTS)}


def choices(seed):
    """Random actions, many of them in order, with seats that are kept, doubled or left empty."""
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, ENV.action_space.nums, (NUM, ENV.num_slots, 6))
    half = NUM // 2
    actions[:half, :, 0] = np.arange(6) // 2
    actions[: half // 2, 1::2, 1:5] = actions[: half // 2, ::2, 1:5]
    actions[rng.random((NUM, 6)) < 0.1, 2] = 0
    actions[half : half + 12] = actions[half : half + 12, :1]  # the same in every slot
    return actions


@pytest.fixture(scope="module")
def player():
    """Compiled once: timesteps [B, H], the start and end states, and the work after each slot."""

    def episode(key, sequence, params):
        key_reset, key_step = jax.random.split(key)
        start, first = ENV.reset(key_reset, params)

        def step(state, action):
            state, timestep = ENV.step(key_step, state, action, params)
            return state, (timestep, ENV.work(state, params))

        end, (timesteps, scores) = jax.lax.scan(step, start, sequence)
        return start, first, end, timesteps, scores

    compiled = jax.jit(jax.vmap(episode, (0, 0, None)))

    def play(actions, params=PARAMS, seed=0):
        keys = jax.random.split(jax.random.key(seed), len(actions))
        return jax.tree.map(np.asarray, compiled(keys, jnp.asarray(actions, jnp.int32), params))

    return play


@pytest.fixture(scope="module")
def played(player):
    """Actions, and what became of them; in one piece a voice is silent for a phrase."""
    pieces = PARAMS.pieces.at[0, 1, 2].set(0)
    actions = choices(0)
    return actions, PARAMS.replace(pieces=pieces), player(actions, PARAMS.replace(pieces=pieces))


def test_every_term_and_observation_is_the_plain_loop_s(played):
    actions, params, (start, first, _, timesteps, scores) = played
    plain = PlainArrangement(ENV)
    plain.pieces = np.asarray(params.pieces).tolist()
    seen = {term.name: set() for term in ENV.terms}

    def same(found, expected, where):
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][where], value, atol=1e-6, err_msg=name)

    for episode in range(NUM):
        wanted = start.wanted[episode].tolist()
        same(first.observation, plain.begin(int(start.piece[episode]), wanted), episode)
        for slot, action in enumerate(actions[episode].tolist()):
            observation, reward, is_over = plain.step(action)
            where = (episode, slot)
            same(timesteps.observation, observation, where)
            same(timesteps.info["reward_terms"], plain.terms, where)
            assert timesteps.reward[where] == pytest.approx(reward, abs=1e-4)
            assert is_over == timesteps.terminated[where] == (slot == ENV.num_slots - 1)
            for name, value in plain.terms.items():
                seen[name].add(round(value, 2))
        rows = plain.score()
        assert scores.programs[episode, -1].tolist() == [program for program, *_ in rows]
        assert scores.events[episode, -1].tolist() == [events for _, events, _ in rows]
        assert scores.velocities[episode, -1].tolist() == [loudness for *_, loudness in rows]
    assert seen["form"] == {-1, 0, 1, 2, 3} and seen["contrast"] == {0, 0.5, 1}, seen
    assert seen["variation"] == seen["outline"] == {-1, 0}
    assert min(len(seen[name]) for name in ("energy", "balance", "playability")) > 5


def test_pieces_and_occasions_are_drawn_and_curves_vary(player):
    start = player(np.zeros((NUM, 6, 6), int), seed=7)[0]
    assert len(set(start.piece.tolist())) > 30 and start.piece.max() < 64
    curves = np.asarray(PARAMS.curves)
    away = np.abs(start.wanted[:, None] - curves).max(axis=2)
    assert set(away.argmin(axis=1).tolist()) == set(range(len(OCCASIONS)))
    assert 0.02 < away.min(axis=1).max() <= 0.1 + 0.1 * 0.5
    exact = player(np.zeros((NUM, 6, 6), int), PARAMS.replace(variation=jnp.float32(0)))[0]
    assert np.abs(exact.wanted[:, None] - curves).max(axis=2).min(axis=1).max() < 1e-6


def test_a_work_is_a_full_score_that_files_give_back(played, tmp_path):
    _, _, (_, _, _, _, scores) = played
    score = works.unbatch(jax.tree.map(lambda leaf: leaf[:, 3], scores))[0]
    assert score.length == 4 * 8 and not score.events[:, 32:].any()
    assert score.names == ENV.players == tuple(INSTRUMENTS)
    for suffix in (".mid", ".json"):
        back = works.load(works.save(score, tmp_path / f"work{suffix}"))
        assert back.names == score.names
        for name in ("events", "velocities", "programs", "length"):
            np.testing.assert_array_equal(getattr(back, name), getattr(score, name))
    assert {".wav", ".png", ".musicxml"} <= set(works.suffixes(score))
    page = works.save(score, tmp_path / "work.musicxml").read_text()
    assert page.count("<part-name>") == 11 and "<instrument-name>Oboe</instrument-name>" in page


def test_nothing_goes_on_from_the_slot_before(player):
    """A piece of the user's may begin with a hold: that is silence, not the last slot's note."""
    held = PARAMS.replace(pieces=PARAMS.pieces.at[..., 0].set(1))
    actions = np.broadcast_to([0, SEATS["Violin 1"], 0, 0, SEATS["Cello"], 2], (NUM, 6, 6))
    events = player(actions, held)[4].events[0, -1]
    assert (events[:, ::8] == 0).all() and (events[10, 1:8] == 1).any()


def sensible(wanted, num_phrases):
    """AABBCC with as many voices, as loud, as there is energy, by strings and winds in turn."""
    strings = ("Violin 1", "Violin 2", "Viola", "Cello")
    winds = ("Trumpet", "Clarinet", "Horn", "Bassoon")
    actions, num = [], len(wanted)
    for slot, much in enumerate(wanted):
        four = [SEATS[name] for name in (winds if slot % 2 else strings)]
        num_voices = int(np.clip(round(4 * much), 1, 4))
        kept = {1: (0,), 2: (0, 3), 3: (0, 2, 3), 4: (0, 1, 2, 3)}[num_voices]
        seats = [seat if voice in kept else 0 for voice, seat in enumerate(four)]
        actions.append([slot * num_phrases // num, *seats, round(5 * much)])
    return actions


def test_no_constant_arrangement_comes_near_a_sensible_one(player):
    start = player(choices(0))[0]
    best = player([sensible(wanted, 3) for wanted in start.wanted.tolist()])[3]
    constant = np.repeat(choices(3)[:, :1], 6, axis=1)
    rules = np.array(
        [[0, SEATS[top], 0, 0, SEATS[bass], mark]
         for top in ("Violin 1", "Flute") for bass in ("Cello", "Bassoon") for mark in range(6)]
        + [[2, SEATS["Violin 1"], SEATS["Violin 2"], SEATS["Viola"], SEATS["Cello"], m]
           for m in range(6)]
    )  # fmt: skip
    constant[: len(rules)] = rules[:, None]
    constant[-1] = 0
    returns = [player(actions)[3].reward.sum(axis=1) for actions in (constant, choices(5))]
    sensible_returns = best.reward.sum(axis=1)
    assert sensible_returns.mean() > 17
    assert sensible_returns.min() > max(returns[0].max(), returns[1].max()) + 1
    terms = best.info["reward_terms"]
    assert (terms["form"].sum(axis=1) == 5).all() and (terms["variation"] == 0).all()
    assert terms["playability"].mean() > -0.02


def test_the_metrics_tell_what_the_environment_pays_for(player):
    start, _, _, timesteps, scores = player(choices(5))
    whole = jax.tree.map(lambda leaf: leaf[:, -1], scores)
    found = metrics.energies(whole, ENV.num_slots)
    seen = timesteps.observation["before"]
    of_batch = jax.vmap(jax.vmap(energy, (0, 0, None)), (0, 0, None))
    told = of_batch(seen[..., 1:5], seen[..., 5] - 1, PARAMS.orchestra.brilliance)
    np.testing.assert_allclose(found, told, atol=1e-5)
    paid = timesteps.info["reward_terms"]["energy"]
    assert (paid <= 1 - 2 * np.abs(found - start.wanted) + 1e-5).all()
    in_compass = metrics.playable_share(whole)
    assert in_compass.min() < 0.8 and in_compass.max() == 1
    by_chance = metrics.energy_correlation(whole, start.wanted)
    assert abs(by_chance.mean()) < 0.2 and by_chance.std() > 0.2


def test_chorales_are_windows_whose_bars_fill_phrases(monkeypatch):
    parts = np.ones((4, 4, 24), np.uint8)
    parts[..., ::6] = 2 + 60 + np.arange(4)[:, None, None]
    windows = [
        types.SimpleNamespace(parts=parts[rows], bars=np.array(bars))
        for rows, bars in ((slice(3), [8, 6, 4]), (slice(3, 4), [6]))
    ]
    asked = []
    both = types.SimpleNamespace(train=windows[0], held_out=windows[1])
    monkeypatch.setattr(corpora, "load_chorales", lambda **f: asked.append(f) or both)
    sizes = {"num_phrases": 3, "phrase_frames": 8}
    pieces = np.asarray(crl.make("arrangement", corpus="chorales", **sizes).default_params.pieces)
    assert pieces.shape == (2, 3, 4, 8) and (pieces[..., 0] >= 62).all()
    assert pieces[:, 1, 0].tolist() == [[62 + i, 1, 1, 1, 62 + i, 1, 1, 1] for i in (0, 2)]
    with pytest.raises(ValueError, match=r"Arrangement: no chorale's bars fill phrase_frames = 8"):
        crl.make("arrangement", corpus="chorales-held-out", **sizes).default_params  # noqa: B018
    assert asked == [{"length": 24}] * 2


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"num_slots": 1}, r"num_slots must be a whole number in 2\.\.64, got 1"),
        ({"phrase_frames": 2.5}, r"phrase_frames must be a whole number in 4\.\.64, got 2\.5"),
        ({"num_phrases": 9}, "num_phrases must be at most num_slots = 8, .* got 9"),
        ({"ensemble": "band"}, "ensemble must be one of orchestra, winds, strings, got 'band'"),
        ({"corpus": "jazz"}, "corpus must be one of songs, chorales, chorales-held-out, got 'jazz"),
    ],
)
def test_fields_out_of_range_are_one_clear_line(fields, line):
    with pytest.raises(ValueError, match=f"Arrangement: {line}") as caught:
        crl.make("arrangement", **fields)
    assert "\n" not in str(caught.value)


def test_params_that_do_not_fit_are_one_clear_line():
    strings = crl.make("arrangement", ensemble="strings").default_params.orchestra
    for wrong in (
        {"pieces": PARAMS.pieces[:, :2]}, {"pieces": PARAMS.pieces[:0]},
        {"curves": PARAMS.curves[:, :4]}, {"orchestra": strings},
        {"orchestra": PARAMS.orchestra.replace(lowest=strings.lowest)},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"must be \['P', 3, 4, 8\], .*\['C', 6\] .* \[11\]"):
            ENV.reset(jax.random.key(0), PARAMS.replace(**wrong))
