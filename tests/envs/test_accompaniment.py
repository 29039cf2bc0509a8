"""What is special to the accompaniments; the terms by hand are in tests/rewards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.accompaniment import PlainAccompaniment, observed_code
from reference.accompaniment_mood import PlainMoodAccompaniment
from reference.play import play

import creative_rl as crl
from creative_rl import metrics
from creative_rl.corpora.songs import songs
from creative_rl.envs.accompaniment import Accompaniment
from creative_rl.envs.accompaniment_mood import MoodAccompaniment

T = 16  # frames; small programs compile quickly
CHORD = Accompaniment(num_frames=T, window=4)
VOICE = Accompaniment(part="voice", num_frames=T, window=4)
MOOD = MoodAccompaniment(num_frames=T)
C, G7, AM = 1, 44, 22


def lively(env, num):
    """Random actions, but going on is likely, some go on for long, and half end on the tonic."""
    rng = np.random.default_rng(0)
    actions = rng.integers(0, env.action_space.num, (num, env.num_frames))
    actions[rng.random(actions.shape) < 0.4] = 1 if env == VOICE else 0
    actions[: num // 4, 3:] = 1 if env == VOICE else 0  # long ones
    actions[: num // 2, -1] = 1 + 60 if env == MOOD else 2 if env == VOICE else C
    return actions


def play_with(env, actions):
    """The work at every frame of an episode with these actions, among `lively` ones."""
    batch = lively(env, 64)  # the same shape for all: one compilation
    batch[0] = actions
    _, works = play(env, env.default_params, batch)
    return [jax.tree.map(lambda leaf, t=t: np.asarray(leaf[0, t]), works) for t in range(T)]


TWINS = [(CHORD, PlainAccompaniment), (VOICE, PlainAccompaniment), (MOOD, PlainMoodAccompaniment)]


@pytest.mark.parametrize(("env", "twin"), TWINS, ids=["chord", "voice", "mood"])
def test_every_term_is_the_plain_loop_s(env, twin):
    actions = lively(env, 64)
    timesteps, _ = play(env, env.default_params, actions)
    terms = {name: np.asarray(paid) for name, paid in timesteps.info["reward_terms"].items()}
    keys = jax.random.split(jax.random.key(0), len(actions))
    starts = jax.vmap(lambda key: env.reset(jax.random.split(key)[0], env.default_params)[0])(keys)
    plain, seen = twin(env), {term.name: set() for term in env.terms}
    for episode, sequence in enumerate(actions.tolist()):
        plain.reset()
        for drawn in ("melody", "curve"):
            if hasattr(starts, drawn):
                setattr(plain, drawn, int(getattr(starts, drawn)[episode]))
        for frame, action in enumerate(sequence):
            plain.step(action)
            for name, value in plain.terms.items():
                found = float(terms[name][episode, frame])
                assert found == pytest.approx(value, abs=1e-5), (name, episode, frame)
                seen[name].add(round(value, 3))
    assert all(len(values) >= 2 for values in seen.values()), seen


# Online.


@pytest.mark.parametrize("env", [CHORD, VOICE], ids=["chord", "voice"])
def test_the_melody_of_a_frame_is_seen_only_after_its_action(env):
    """Melodies that part at frame 5 look the same until action 5 is taken."""
    melodies = np.full((2, T), 1, np.uint8)
    melodies[:, 0], melodies[0, 5], melodies[1, 5] = 62, 64, 67
    params = env.default_params.replace(melodies=melodies, bars=jnp.array([8, 8], jnp.int32))
    observations = []
    for melody in range(2):
        state, timestep = env.reset(jax.random.key(0), params)
        state = state.replace(melody=jnp.int32(melody))
        observations.append([env.observe(state, params)])
        for frame in range(6):
            state, timestep = env.step(jax.random.key(0), state, jnp.int32(3 + frame), params)
            observations[-1].append(timestep.observation)
    for frame in range(6):  # what actions 0 .. 5 are chosen from
        jax.tree.map(np.testing.assert_array_equal, observations[0][frame], observations[1][frame])
    assert observations[0][5]["melody"].tolist() == [1, 1, 1, 1]
    assert [seen[6]["melody"].tolist() for seen in observations] == [[1, 1, 1, 16], [1, 1, 1, 19]]


def test_observations_tell_the_last_events_the_beat_and_the_time():
    params = VOICE.default_params.replace(
        melodies=jnp.array([[62, 1, 0, 35, 129, 2, 1, 1] * 2], jnp.uint8),
        bars=jnp.array([6], jnp.int32),
    )
    state, timestep = VOICE.reset(jax.random.key(0), params)
    assert timestep.observation["melody"].tolist() == [0, 0, 0, 0]
    step = jax.jit(VOICE.step)
    for action in (10, 1, 0, 12, 1, 37, 2):
        state, timestep = step(jax.random.key(0), state, jnp.int32(action), params)
    seen = timestep.observation
    # MIDI 33, 127 and 0 are seen as 57, 79 and 48.
    assert seen["melody"].tolist() == [11, 33, 2, 1] == [observed_code(e) for e in (35, 129, 2, 1)]
    assert seen["actions"].tolist() == [12, 1, 37, 2] and seen["sounding"] == 2
    assert seen["beat"] == 1 and seen["time"] == np.float32(7 / 16)


@pytest.mark.parametrize("env", [CHORD, VOICE, MOOD], ids=["chord", "voice", "mood"])
def test_params_hold_any_melodies_or_curves_that_are_long_enough(env):
    field = "valence" if env == MOOD else "melodies"
    params = env.default_params
    long = jnp.tile(getattr(params, field)[:1], (1, 2))
    more = {"arousal": long} if env == MOOD else {"bars": jnp.array([8], jnp.int32)}
    _, timestep = env.reset(jax.random.key(0), params.replace(**{field: long}, **more))
    assert float(timestep.observation["time"]) == 0
    with pytest.raises(ValueError, match=rf"params.{field} .* least num_frames = 16") as caught:
        env.reset(jax.random.key(0), params.replace(**{field: getattr(params, field)[:, :8]}))
    assert "\n" not in str(caught.value)


# Works.


def test_a_work_of_chords_is_the_melody_symbols_and_voices():
    work = play_with(CHORD, [0, C, 0, C, 0, G7, 0, 0, AM] + [0] * 7)[9]
    assert work.length == 10 and work.chords.tolist() == [0, C, 0, 0, 0, G7, 0, 0, AM] + [0] * 7
    assert work.names == ("melody", "seventh", "fifth", "third", "root")
    assert work.events[0, :10].tolist() in songs(64, T, 0).melodies[:, :10].tolist()
    assert work.events[1:, :10].tolist() == [
        [1, 0, 1, 0, 1, 67, 1, 1, 0, 1],  # F4 in G7 only
        [1, 57, 1, 57, 1, 64, 1, 1, 66, 1],  # G3, D4, E4
        [1, 54, 1, 54, 1, 61, 1, 1, 62, 1],  # E3, B3, C4
        [1, 50, 1, 50, 1, 57, 1, 1, 59, 1],  # C3, G3, A3
    ]
    assert (work.events[:, 10:] == 0).all() and work.steps_per_quarter == 2
    assert work.velocities[:, 0].tolist() == [90, 60, 60, 60, 60]


def test_a_work_of_a_voice_is_two_voices():
    work = play_with(VOICE, [2, 1, 0, 37] + [1] * 12)[-1]
    assert work.names == ("melody", "voice") and work.length == T
    assert work.events[1].tolist() == [38, 1, 0, 73] + [1] * 12  # MIDI 36 and 71
    assert not work.chords.any()


def test_a_work_of_a_mood_has_chords_in_their_registers():
    work = play_with(MOOD, [C, 0, 60 + C, 120 + AM] + [0] * 12)[-1]
    assert work.chords.tolist() == [C, 0, 0, AM] + [0] * 12
    assert work.events[3].tolist() == [38, 1, 50, 71] + [1] * 12  # roots: MIDI 36, 48, 69


# What a discriminator sees.


@pytest.mark.parametrize("env", [CHORD, VOICE], ids=["chord", "voice"])
def test_the_appearance_has_the_pitch_classes_that_sound(env):
    """At every frame, against the voices of the work, in a plain loop."""
    params, key = env.default_params, jax.random.key(0)
    state, _ = env.reset(key, params)
    step, look = (
        jax.jit(env.step),
        jax.jit(lambda state: (env.appearance(state, params), env.work(state, params))),
    )
    for action in lively(env, 4)[-1].tolist():
        state, _ = step(key, state, jnp.int32(action), params)
        seen, work = look(state)
        expected = np.zeros((T, 24, 1), np.float32)
        for voice, events in enumerate(work.events):
            sounding = 0
            for frame, event in enumerate(events[: int(work.length)].tolist()):
                sounding = sounding if event == 1 else event
                if sounding >= 2:
                    expected[frame, (sounding - 2) % 12 + 12 * (voice > 0)] = 1
        np.testing.assert_array_equal(seen, expected)
    assert seen.shape == (T, 24, 1) and seen.dtype == jnp.float32
    assert expected[:, :12].any() and expected[:, 12:].any()


# What pays.


def test_the_chords_of_the_songs_pay_more_than_going_on_or_chance():
    """Known chords, which an online player cannot know, are a ceiling of harmony."""
    env = Accompaniment(num_frames=32)
    melodies, chords = songs(64, 32, 0)
    params = env.default_params
    np.testing.assert_array_equal(params.melodies, melodies)
    actions = chords.astype(np.int32)
    keys = jax.random.split(jax.random.key(1), len(melodies))

    @jax.jit
    @jax.vmap
    def returned(key, melody, sequence):
        state = env.reset(key, params)[0].replace(melody=melody)

        def step(state, action):
            state, timestep = env.transition(key, state, action, params)
            return state, timestep.reward

        state, paid = jax.lax.scan(step, state, sequence)
        return paid.sum(), env.work(state, params)

    which = jnp.arange(len(melodies), dtype=jnp.int32)
    rng = np.random.default_rng(0)
    players = {
        "known": actions,
        "held": np.full_like(actions, 0) + (np.arange(32) == 0) * C,
        "random": rng.integers(0, 61, actions.shape),
    }
    found = {
        name: returned(keys, which, jnp.asarray(played, jnp.int32))
        for name, played in players.items()
    }
    means = {name: float(pay.mean()) for name, (pay, _) in found.items()}
    ratios = {name: metrics.note_in_chord_ratio(works) for name, (_, works) in found.items()}
    assert means["known"] > 20 > means["random"] > 0 > means["held"]
    assert ratios["known"] > 0.65 > ratios["held"] > ratios["random"]
    variety = {name: metrics.chord_vendi_score(works) for name, (_, works) in found.items()}
    assert variety["held"] == pytest.approx(1) and 2 < variety["known"] < variety["random"]


# Construction.


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"part": "drums"}, "part must be one of chord, voice, got 'drums'"),
        (
            {"corpus": "jazz"},
            "corpus must be one of songs, chorales, chorales-held-out, got 'jazz'",
        ),
        ({"num_frames": 7}, r"num_frames must be a whole number in 8\.\.512, got 7"),
        ({"window": 65}, r"window must be a whole number in 1\.\.64 \(num_frames\), got 65"),
    ],
)
def test_fields_out_of_range_are_one_clear_line(fields, line):
    with pytest.raises(ValueError, match=line) as caught:
        crl.make("accompaniment-chord", **fields)
    assert "\n" not in str(caught.value)
    if "num_frames" in fields:
        with pytest.raises(ValueError, match=f"MoodAccompaniment: {line}"):
            crl.make("accompaniment-mood", **fields)


def test_the_parts_have_their_terms():
    chord, voice = crl.make("accompaniment-chord"), crl.make("accompaniment-voice")
    assert {term.name for term in chord.terms} == {
        "note_in_chord", "voice_leading", "repetition", "cadence",
    }  # fmt: skip
    assert {term.name for term in voice.terms} == {
        "consonance", "voice_leading", "range", "repetition", "cadence",
    }  # fmt: skip
