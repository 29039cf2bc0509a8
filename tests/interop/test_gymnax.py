"""Our environments as gymnax environments, driven by gymnax itself and by rejax."""

import copy
import pickle

import jax
import jax.numpy as jnp
import pytest

import creative_rl as crl
from creative_rl.interop import to_gymnax
from creative_rl.wrappers import AutoReset, EpisodeLog, FlattenActions

gymnax = pytest.importorskip("gymnax")
LogWrapper = pytest.importorskip("gymnax.wrappers").LogWrapper
# Importing rejax imports TensorFlow Probability, which names an old alias of JAX's.
pytestmark = pytest.mark.filterwarnings("ignore:jax.core.pytype_aval_mappings:DeprecationWarning")


def play(face, key, actions, params=None):
    """Everything that `step` returned, as a list; the observation of `reset` first."""
    observation, state = face.reset(key, params)
    steps = []
    for index, action in enumerate(actions):
        out = face.step(jax.random.fold_in(key, index), state, action, params)
        state = out[1]
        steps.append(out)
    return observation, steps


def test_six_values_a_step_and_a_cut_episode_stays_cut(stream, key):
    face = to_gymnax(stream)
    start, steps = play(face, key, [2, 1, 0, 2, 1])
    rewards = [float(out[2]) for out in steps]
    assert rewards == [2.0, 1.0, 0.0, 2.0, 1.0]
    assert [bool(out[3]) for out in steps] == [False] * 5  # terminated
    assert [bool(out[4]) for out in steps] == [False, False, False, True, False]  # truncated
    ending = steps[3]
    assert bool(ending[5]["truncated"]) and not ending[5]["terminated"]
    assert float(ending[5]["discount"]) == 1.0  # only termination cuts the bootstrap
    assert ending[5]["final_observation"].tolist() == [float(start[0]), 4.0]
    assert float(ending[0][1]) == 0.0 and float(ending[0][0]) != float(start[0])  # a new episode
    assert steps[4][0].tolist() == [float(ending[0][0]), 1.0]
    assert float(ending[5]["reward_terms"]["action"]) == 2.0
    assert ending[5]["action_mask"].tolist() == [True, True, False]  # of the new episode
    assert steps[4][5]["action_mask"].tolist() == [True, True, True]


def test_termination_is_told_from_truncation(key):
    _, steps = play(to_gymnax(crl.make("melody-target", length=2)), key, [0, 1])
    *_, terminated, truncated, info = steps[1]
    assert bool(terminated) and not truncated
    assert bool(info["terminated"]) and not info["truncated"] and float(info["discount"]) == 0.0


def test_five_values_for_older_trainers_with_the_same_info(stream, key):
    _, six = play(to_gymnax(stream), key, [0, 1, 2, 0])
    _, five = play(to_gymnax(stream, legacy=True), key, [0, 1, 2, 0])
    for new, old in zip(six, five, strict=True):
        assert len(new) == 6 and len(old) == 5
        assert bool(old[3]) == bool(new[3] | new[4])
        assert new[0].tolist() == old[0].tolist() and float(new[2]) == float(old[2])
        assert jax.tree.map(jnp.shape, new[5]) == jax.tree.map(jnp.shape, old[4])
        assert bool(old[4]["truncated"]) == bool(new[4])


def test_the_core_is_there_below_the_reset(stream, key):
    face, old = to_gymnax(stream), to_gymnax(stream, legacy=True)
    observation, state = face.reset_env(key)
    for _ in range(4):
        before = state
        observation, state, reward, terminated, info = face.step_env(key, state, 1)
    assert float(observation[1]) == 4.0 and int(state.time) == 4 and float(reward) == 1.0
    assert not terminated and not face.is_terminated(state) and bool(face.is_truncated(state))
    assert bool(old.step_env(key, before, 1)[3])  # `done` of gymnax 0.x folds the time limit in
    assert "final_observation" not in info and int(face.work(state)) == 4


def test_raw_and_typed_keys_give_the_same_episode(stream):
    face = to_gymnax(stream)
    raw, typed = jax.random.PRNGKey(7), jax.random.key(7)
    assert face.reset(raw)[0].tolist() == face.reset(typed)[0].tolist()
    _, state = face.reset(raw)
    results = [
        face.step(key, state.replace(time=jnp.int32(9)), 0)[0].tolist() for key in (raw, typed)
    ]
    assert results[0] == results[1]


def test_the_time_limit_in_the_params_is_obeyed(key):
    face = to_gymnax("melody-target")
    assert face.default_params.max_steps_in_episode == 16
    _, steps = play(face, key, [0] * 6, face.default_params.replace(max_steps_in_episode=3))
    assert [bool(out[4]) for out in steps] == [False, False, True, False, False, True]
    assert not any(bool(out[3]) for out in steps)
    # The limit at the horizon, where the environment ends by itself, adds nothing.
    _, steps = play(face, key, [0] * 16)
    assert bool(steps[15][3]) and not steps[15][4]


def test_params_can_be_vmapped_whole_and_in_part(stream, key):
    face = to_gymnax(stream)
    _, state = face.reset(key)
    params = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), face.default_params)
    params = params.replace(max_steps_in_episode=jnp.asarray([1, 5]))
    params = params.replace(env=params.env.replace(weights={"action": jnp.asarray([1.0, 3.0])}))
    step = jax.vmap(face.step, (None, None, None, 0))
    _, _, reward, _, truncated, _ = step(key, state, 2, params)
    assert reward.tolist() == [2.0, 6.0] and truncated.tolist() == [True, False]
    axes = jax.tree.map(lambda _: None, face.default_params).replace(
        env=jax.tree.map(lambda _: 0, face.default_params.env)
    )
    params = params.replace(max_steps_in_episode=5)
    rewards = jax.vmap(face.step, (None, None, None, axes))(key, state, 2, params)[2]
    assert rewards.tolist() == [2.0, 6.0]


def test_equal_environments_make_equal_faces_and_one_compilation(stream, key):
    face = to_gymnax(stream)
    again = to_gymnax(type(stream)())
    assert face == again and hash(face) == hash(again)
    assert face != to_gymnax(type(stream)(length=5)) and face != to_gymnax(stream, legacy=True)
    heavier = stream.default_params.replace(weights={"action": jnp.float32(2)})
    assert to_gymnax(stream, heavier) == to_gymnax(stream, jax.tree.map(jnp.copy, heavier))
    assert to_gymnax(stream, heavier) != face  # or a compiled default of one would serve the other
    traces = []

    def rollout(face, key):
        traces.append(face)
        return face.step(key, face.reset(key)[1], 1)[2]

    rollout = jax.jit(rollout, static_argnums=0)
    assert float(rollout(face, key)) == float(rollout(again, key)) == 1.0
    assert float(rollout(to_gymnax(stream, heavier), key)) == 2.0
    assert len(traces) == 2


@pytest.mark.parametrize("legacy", [False, True])
def test_copies_and_pickles_are_equal_and_work(legacy, key):
    face = to_gymnax("melody-theory", legacy=legacy)
    for twin in (copy.copy(face), copy.deepcopy(face), pickle.loads(pickle.dumps(face))):
        assert twin == face and hash(twin) == hash(face)
        assert len(twin.step(key, twin.reset(key)[1], 5)) == (5 if legacy else 6)


def test_spaces_are_gymnaxs_own_and_hold_what_is_observed(nested, stream, key):
    known = gymnax.environments.spaces
    face = to_gymnax(stream)
    params = face.default_params
    assert isinstance(face.action_space(params), known.Discrete) and face.num_actions == 3
    box = face.observation_space(params)
    assert isinstance(box, known.Box) and (box.low, box.high, box.shape) == (0.0, 64.0, (2,))
    face = to_gymnax(FlattenActions(nested))
    assert face.num_actions == 6 and face.action_space(params).n == 6
    space = face.observation_space(params)
    observation, state = face.reset(key)
    for _ in range(3):
        observation, state, *_ = face.step(key, state, 5)
        for name, part in space.spaces.items():
            assert observation[name].dtype == part.dtype and bool(part.contains(observation[name]))
    assert isinstance(space.spaces["notes"], known.Box) and space.spaces["notes"].shape == (2,)
    assert [space.spaces["notes"].low.tolist(), space.spaces["notes"].high.tolist()] == [
        [0, 0],
        [2, 4],
    ]
    theirs = known.gymnax_space_to_gym_space(space)
    assert theirs["notes"].contains(jnp.asarray(observation["notes"]).__array__())


def test_what_cannot_be_handed_over_is_refused(nested, stream):
    with pytest.raises(ValueError, match="wrap it in FlattenActions"):
        to_gymnax(nested)
    with pytest.raises(ValueError, match="inside AutoReset"):
        to_gymnax(EpisodeLog(AutoReset(stream)))
    with pytest.raises(ValueError, match=r"face\.default_params\.replace\(env=params\)"):
        to_gymnax(stream).reset(jax.random.key(0), stream.default_params)
    with pytest.raises(ValueError, match="did you mean melody-target"):
        to_gymnax("melody-targe")


def test_gymnax_log_wrapper_counts_our_episodes(stream, key):
    face = LogWrapper(to_gymnax(stream))
    _, state = face.reset(key, face.default_params)
    for index in range(9):
        _, state, _, _, _, info = face.step(jax.random.fold_in(key, index), state, 2)
        ended = index in (3, 7)
        assert bool(info["returned_episode"]) == ended
        assert bool(info["returned_episode_valid"]) == (index >= 3)
        if ended:
            assert float(info["returned_episode_returns"]) == 8.0
            assert int(info["returned_episode_lengths"]) == 4


def test_gymnax_makes_what_is_registered_with_it(key, monkeypatch):
    monkeypatch.setattr(gymnax.registration, "_registry", dict(gymnax.registration._registry))
    monkeypatch.setattr(gymnax.registration, "registered_envs", [])
    gymnax.register(
        "creative/melody-target", lambda **kw: to_gymnax(crl.make("melody-target", **kw))
    )
    face, params = gymnax.make("creative/melody-target", length=3)
    assert params.max_steps_in_episode == 3 and face.name == "TargetMelody-v1"
    assert len(face.step(key, face.reset(key, params)[1], 0, params)) == 6


@pytest.mark.parametrize("name", ["PPO", "DQN"])
def test_rejax_learns_a_melody_through_the_five_values(name, key):
    rejax = pytest.importorskip("rejax")
    face = to_gymnax("melody-target-tutorial", legacy=True)
    budget = {
        "PPO": {"num_envs": 16, "num_steps": 20, "num_minibatches": 4, "num_epochs": 4},
        "DQN": {"num_envs": 4, "buffer_size": 4096, "fill_buffer": 400, "batch_size": 64},
    }[name]
    algorithm = getattr(rejax, name).create(
        env=face,
        env_params=face.default_params,
        total_timesteps=9_600,
        eval_freq=3_200,
        learning_rate=3e-3,
        **budget,
    )
    with jax.numpy_rank_promotion("allow"):
        _, (lengths, returns) = jax.jit(algorithm.train)(key)
    returns = returns.mean(axis=1)  # of 128 episodes, at each evaluation
    assert (lengths == 5).all()
    # Random play earns 5 / 4; the best is 5.
    assert float(returns[0]) < 3.5 and float(returns[-1]) > 4.5, returns
