"""Our environments as stoa environments, under stoa's own wrappers, as Stoix stacks them."""

import copy
import pickle
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl import interop
from creative_rl.environment import Environment
from creative_rl.interop import to_stoa
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.testing import probes
from creative_rl.wrappers import AutoReset, EpisodeLog

stoa = pytest.importorskip("stoa")
VmapWrapper = pytest.importorskip("stoa.core_wrappers.vmap").VmapWrapper
CachedAutoResetWrapper = pytest.importorskip("stoa.core_wrappers.auto_reset").CachedAutoResetWrapper

FIRST, MID, TERMINATED, TRUNCATED = range(4)


def stack(face, reset=stoa.AutoResetWrapper):
    """What Stoix puts around a training environment, below its `vmap`."""
    return stoa.RecordEpisodeMetrics(reset(face, next_obs_in_extras=True))


def play(face, key, actions, env_params=None):
    """The timesteps of `reset` and of every step, and the last state."""
    state, timestep = face.reset(key, env_params)
    step = jax.jit(lambda state, action: face.step(state, action, env_params))
    timesteps = [timestep]
    for action in actions:
        state, timestep = step(state, jnp.asarray(action))
        timesteps.append(timestep)
    return timesteps, state


@pytest.mark.parametrize("reset", [stoa.AutoResetWrapper, CachedAutoResetWrapper])
def test_a_cut_episode_arrives_cut_with_its_last_observation(stream, key, reset):
    timesteps, _ = play(stack(to_stoa(stream), reset), key, [2, 1, 0, 2, 1])
    types = [int(timestep.step_type) for timestep in timesteps]
    assert types == [FIRST, MID, MID, MID, TRUNCATED, MID]
    assert [float(timestep.discount) for timestep in timesteps] == [1.0] * 6
    assert [float(timestep.reward) for timestep in timesteps] == [0.0, 2.0, 1.0, 0.0, 2.0, 1.0]
    start, ending = timesteps[0].observation, timesteps[4]
    assert ending.extras["next_obs"].tolist() == [float(start[0]), 4.0]
    assert float(ending.observation[1]) == 0.0
    if reset is stoa.AutoResetWrapper:  # the cached one starts every episode alike
        assert float(ending.observation[0]) != float(start[0])
    assert timesteps[5].observation.tolist() == [float(ending.observation[0]), 1.0]
    assert float(ending.extras["reward_terms"]["action"]) == 2.0
    metrics = ending.extras["episode_metrics"]
    assert float(metrics["episode_return"]) == 5.0 and int(metrics["episode_length"]) == 4
    assert bool(metrics["is_terminal_step"]) and bool(ending.truncated())


def test_only_termination_has_the_discount_zero(key):
    face = to_stoa(crl.make("melody-target", length=3))
    timesteps, _ = play(stack(face), key, [0, 1, 2, 0])
    assert [int(t.step_type) for t in timesteps] == [FIRST, MID, MID, TERMINATED, MID]
    assert [float(t.discount) for t in timesteps] == [1.0, 1.0, 1.0, 0.0, 1.0]


def test_an_end_of_both_kinds_is_a_termination(stream, key):
    class Both(type(stream)):
        def end(self, state, params):
            return state.step >= 2, state.step >= 2

    timesteps, _ = play(to_stoa(Both()), key, [0, 0])
    assert int(timesteps[2].step_type) == TERMINATED and float(timesteps[2].discount) == 0.0


def test_below_the_reset_an_ended_episode_stays(stream, key):
    timesteps, state = play(to_stoa(stream), key, [2] * 6)
    assert [int(t.step_type) for t in timesteps[3:]] == [MID, TRUNCATED, TRUNCATED, TRUNCATED]
    assert [float(t.reward) for t in timesteps[4:]] == [2.0, 0.0, 0.0]
    assert int(state.base_env_state.step) == 4


def test_a_limit_of_stoas_own_cuts_too(key):
    face = stoa.EpisodeStepLimitWrapper(to_stoa("melody-target"), 2)
    timesteps, _ = play(stoa.AddRNGKey(face), key, [0, 0])
    assert int(timesteps[2].step_type) == TRUNCATED and float(timesteps[2].discount) == 1.0


def test_batches_under_stoas_wrappers_are_our_own_episodes(stream):
    """A scanned, vmapped rollout through four ends, against our core with the same keys."""
    num_envs, num_steps = 3, 10
    face = to_stoa(EpisodeLog(stream))
    envs = VmapWrapper(stack(face), num_envs)
    key, params = jax.random.key(7), face.env_params
    actions = jax.random.randint(jax.random.key(1), (num_steps, num_envs), 0, 3)

    @jax.jit
    def theirs(key):
        state, start = envs.reset(key)

        def step(state, action):
            return envs.step(state, action)

        return start, jax.lax.scan(step, state, actions)[1]

    start, steps = theirs(key)
    step = jax.jit(face.env.step)
    for index, rng_key in enumerate(jax.random.split(key, num_envs)):
        key_reset, rng_key = jax.random.split(rng_key)
        state, timestep = face.env.reset(key_reset, params)
        assert start.observation[index].tolist() == timestep.observation.tolist()
        for time in range(num_steps):
            key_step, rng_key = jax.random.split(rng_key)
            state, timestep = step(key_step, state, actions[time, index], params)
            got = jax.tree.map(lambda leaf, at=(time, index): leaf[at], steps)
            assert got.extras["next_obs"].tolist() == timestep.observation.tolist()
            assert float(got.reward) == float(timestep.reward)
            assert bool(got.last()) == bool(timestep.ended)
            for name in ("reward_terms", "episode"):
                jax.tree.map(np.testing.assert_array_equal, got.extras[name], timestep.info[name])
            if timestep.ended:  # stoa's AutoResetWrapper takes the first half of the state's key
                key_reset, rng_key = jax.random.split(jax.random.split(rng_key)[0])
                state, timestep = face.env.reset(key_reset, params)
            assert got.observation.tolist() == timestep.observation.tolist()


def test_a_stoix_style_learner_bootstraps_through_truncation(key):
    """Actor-critic as Stoix writes it: `discount` and `next_obs` are all it knows of ends.

    Reward 1 for action 1 for ever, cut every 4 steps: the value is 1 / (1 - gamma) = 4, and
    1 / (1 - 3/4 gamma) = 16/7 for a learner that takes a cut for an end.
    """

    class Press(probes.TruncationProbe):
        @property
        def observation_space(self):
            return Box(0.0, 4.0)

        def observe(self, state, params):
            return state.step.astype(jnp.float32)

    press = Press(terms=probes.ActionProbe().terms)
    envs = VmapWrapper(stack(to_stoa(press)), 16)

    def loss(params, batch):
        action, reward, discount = batch  # one value for all observations
        target = reward + 0.75 * discount * jax.lax.stop_gradient(params["value"])
        error = target - params["value"]
        log_probs = jax.nn.log_softmax(params["logits"])[action]
        return (0.5 * error**2 - 0.1 * jax.lax.stop_gradient(error) * log_probs).mean()

    def update(carry, key):
        params, state, observation = carry
        action = jax.random.categorical(key, params["logits"], shape=(16,))
        state, timestep = envs.step(state, action)
        next_obs = timestep.extras["next_obs"]
        batch = (action, timestep.reward, timestep.discount)
        gradients = jax.grad(loss)(params, batch)
        params = jax.tree.map(lambda leaf, g: leaf - 0.5 * g, params, gradients)
        went_on = (next_obs == observation + 1).all()
        return (params, state, timestep.observation), (went_on, timestep.truncated())

    @jax.jit
    def train(key_reset, key_updates):
        params = {"logits": jnp.zeros(2, jnp.float32), "value": jnp.float32(0)}
        state, timestep = envs.reset(key_reset)
        carry = (params, state, timestep.observation)
        return jax.lax.scan(update, carry, jax.random.split(key_updates, 600))

    (params, *_), (went_on, truncated) = train(*jax.random.split(key))
    assert bool(went_on.all())  # also over the ends: next_obs 4 after 3, never 0
    assert int(truncated.sum()) == 600 // 4 * 16
    assert float(jax.nn.softmax(params["logits"])[1]) > 0.95
    assert abs(float(params["value"]) - 4.0) < 0.2


def test_reset_and_step_show_the_same_structure(stream, nested, key):
    for face in (to_stoa(stream), stack(to_stoa(EpisodeLog(stream))), to_stoa(nested)):
        start = jax.eval_shape(face.reset, key)
        after = jax.eval_shape(face.step, start[0], face.action_space().sample(key))
        described = [
            jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), tree)
            for tree in (start, after)
        ]
        assert described[0] == described[1]
        assert start[1].step_type.dtype == jnp.int8 and start[1].discount.dtype == jnp.float32


def test_the_mask_follows_the_observation_inside_the_reset(stream, key):
    face = stack(stoa.AddActionMaskWrapper(to_stoa(stream), obs_key="agent_view"))
    timesteps, _ = play(face, key, [0] * 5)
    for timestep in timesteps:
        odd = int(timestep.observation["agent_view"][1]) % 2 == 1
        assert timestep.observation["action_mask"].tolist() == [True, True, odd]
        assert timestep.observation["action_mask"].dtype == jnp.bool_
    assert face.observation_space().spaces["action_mask"].shape == (3,)
    # Without that wrapper the mask is in the extras: the ended episode's, after its last step.
    timesteps, _ = play(to_stoa(stream), key, [0, 0])
    assert [t.extras["action_mask"].tolist()[2] for t in timesteps] == [False, True, False]
    assert "action_mask" not in play(to_stoa("melody-target"), key, [0])[0][1].extras


def test_params_of_a_call_and_params_of_the_face(stream, key):
    heavier = stream.default_params.replace(weights={"action": jnp.float32(3)})
    called, _ = play(to_stoa(stream), key, [2], heavier)
    assert float(called[1].reward) == 6.0
    # Stoa's reset takes no params: those of the face are the same in every episode.
    timesteps, _ = play(stack(to_stoa(stream, heavier)), key, [2] * 6)
    assert [float(t.reward) for t in timesteps[1:]] == [6.0] * 6
    many = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf]), heavier)
    envs = VmapWrapper(to_stoa(stream), 2, vectorize_over_env_params=True)
    state, _ = envs.reset(key, many)
    assert envs.step(state, jnp.asarray([1, 1]), many)[1].reward.tolist() == [3.0, 6.0]


def test_spaces_are_stoas_own_and_hold_what_is_shown(stream, nested, key):
    face = to_stoa(stream)
    actions, box = face.action_space(), face.observation_space()
    assert isinstance(actions, stoa.DiscreteSpace)
    assert actions.num_values == 3 and actions.dtype == jnp.int32
    assert isinstance(box, stoa.BoundedArraySpace) and box.dtype == jnp.float32
    assert (box.shape, float(box.minimum), float(box.maximum)) == ((2,), 0.0, 64.0)
    discounts = face.discount_space()
    assert (float(discounts.minimum), float(discounts.maximum)) == (0.0, 1.0)
    for env in (stream, nested):
        face = to_stoa(env)
        spaces = face.environment_space()
        action = spaces.actions.sample(key)
        for timestep in play(face, key, [action] * 3)[0]:
            assert bool(spaces.contains(timestep, action))
            assert timestep.reward.dtype == spaces.rewards.dtype
            assert timestep.discount.dtype == spaces.discounts.dtype
            described = jax.tree.map(lambda leaf: leaf.dtype, timestep.observation)
            wanted = spaces.observations.dtype or {
                name: part.dtype for name, part in spaces.observations.spaces.items()
            }
            assert described == wanted
    parts = spaces.observations.spaces
    assert isinstance(spaces.actions, stoa.MultiDiscreteSpace)
    assert spaces.actions.num_values.tolist() == [2, 3]
    assert isinstance(parts["notes"], stoa.MultiDiscreteSpace) and parts["phase"].num_values == 8
    assert (parts["board"].dtype, int(parts["board"].maximum)) == (jnp.uint8, 255)


def test_unbounded_boxes_and_bounds_on_one_side(stream):
    class Open(type(stream)):
        observation_space = Box(-float("inf"), float("inf"), (2,))

    class HalfOpen(type(stream)):
        observation_space = Box(0.0, float("inf"), (2,))

    assert type(to_stoa(Open()).observation_space()) is stoa.ArraySpace
    half = to_stoa(HalfOpen()).observation_space()
    assert (float(half.minimum), float(half.maximum)) == (0.0, np.inf)


def test_the_state_space_names_every_array_of_the_state(key):
    face = to_stoa(EpisodeLog(crl.make("melody-theory")))
    space = face.state_space()
    state, _ = face.reset(jax.random.key_data(key))
    leaves = jax.tree.leaves(state)
    found = sorted((str(part.shape), str(part.dtype)) for part in space.spaces.values())
    assert found == sorted((str(leaf.shape), str(leaf.dtype)) for leaf in leaves)
    assert space.spaces["rng_key"].shape == (2,)
    assert space.spaces["base_env_state/episode_length"].dtype == jnp.int32


def test_spaces_can_be_asked_for_while_jax_is_tracing(stream, key):
    face = to_stoa(stream)

    @jax.jit
    def sampled(key):
        spaces = to_stoa(stream).environment_space()
        assert spaces.observations.shape == face.observation_space().shape
        assert list(spaces.state.spaces) == list(face.state_space().spaces)
        return spaces.actions.sample(key)

    assert 0 <= int(sampled(key)) < 3


def test_raw_and_typed_keys_give_the_same_episode(stream):
    raw, typed = jax.random.PRNGKey(7), jax.random.key(7)
    episodes = [play(stack(to_stoa(stream)), key, [1] * 6) for key in (raw, typed)]
    shown = [[t.observation.tolist() for t in timesteps] for timesteps, _ in episodes]
    assert shown[0] == shown[1]
    assert episodes[0][1].rng_key.dtype == jnp.uint32  # of the kind that was given


def test_equal_environments_make_equal_faces_and_one_compilation(stream, key):
    face, again = to_stoa(stream), to_stoa(type(stream)())
    assert face == again and hash(face) == hash(again) and bool(face)
    assert face != to_stoa(type(stream)(length=5)) and face != stream
    heavier = stream.default_params.replace(weights={"action": jnp.float32(2)})
    assert to_stoa(stream, heavier) == to_stoa(stream, jax.tree.map(jnp.copy, heavier))
    assert to_stoa(stream, heavier) != face
    traces = []

    def rollout(face, key):
        traces.append(face)
        return face.step(face.reset(key)[0], 1)[1].reward

    rollout = jax.jit(rollout, static_argnums=0)
    assert float(rollout(face, key)) == float(rollout(again, key)) == 1.0
    assert float(rollout(to_stoa(stream, heavier), key)) == 2.0
    assert len(traces) == 2


def test_copies_and_pickles_are_equal_and_work(key):
    face = to_stoa("melody-theory")
    for twin in (copy.copy(face), copy.deepcopy(face), pickle.loads(pickle.dumps(face))):
        assert twin == face and hash(twin) == hash(face)
        assert int(play(twin, key, [5])[0][1].step_type) == MID
    wrapped = copy.deepcopy(stack(face))
    assert isinstance(wrapped, stoa.RecordEpisodeMetrics) and wrapped.unwrapped == face


def test_the_work_is_there_below_stoas_wrappers(key):
    face = stack(to_stoa(crl.make("melody-theory", length=12)))
    _, state = play(face, key, [14, 21])
    work = face.work(state)
    assert int(work.length) == 2 and work.events.tolist()[:3] == [14, 21, 0]


class NamedActions(Environment):
    action_space = Dict({"a": Discrete(2)})
    observation_space = Discrete(2)
    default_params = initial_state = next_state = observe = end = work = None


def test_what_cannot_be_handed_over_is_refused(stream):
    words = "^stoa's AutoResetWrapper does the resets: .* inside AutoReset, got "
    with pytest.raises(ValueError, match=words + "AutoReset$"):
        to_stoa(AutoReset(stream))
    with pytest.raises(ValueError, match=words + "EpisodeLog around AutoReset$"):
        to_stoa(EpisodeLog(AutoReset(stream)))
    with pytest.raises(ValueError, match="did you mean melody-target"):
        to_stoa("melody-targe")
    with pytest.raises(ValueError, match="Discrete, MultiDiscrete or Box actions, got Dict"):
        to_stoa(NamedActions())


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "stoa", None)
    monkeypatch.delitem(sys.modules, "creative_rl.interop.stoa", raising=False)
    with pytest.raises(ImportError, match=r"needs stoa: pip install 'creative_rl\[stoa\]'"):
        _ = interop.to_stoa
