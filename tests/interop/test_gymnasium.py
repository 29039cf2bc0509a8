"""Our environments as gymnasium environments, under gymnasium's own checker and wrappers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.envs.melody import VarietyMelody
from creative_rl.interop import to_gymnasium, to_gymnasium_vector
from creative_rl.spaces import Dict, Discrete
from creative_rl.wrappers import AutoReset

gymnasium = pytest.importorskip("gymnasium")
check_env = pytest.importorskip("gymnasium.utils.env_checker").check_env
vector_wrappers = pytest.importorskip("gymnasium.wrappers.vector")
pytestmark = pytest.mark.filterwarnings(  # advice about ranges, not a breach of the interface
    "ignore:.*For Box action spaces, we recommend:UserWarning",
    "ignore:.*A Box .* space (minimum|maximum) value is -?infinity:UserWarning",
)


@pytest.mark.parametrize("name", crl.environment_ids())
def test_gymnasium_finds_no_fault(name):
    check_env(to_gymnasium(name), skip_render_check=True)


def test_gymnasium_finds_no_fault_with_nested_spaces(nested):
    env = to_gymnasium(nested)
    check_env(env, skip_render_check=True)
    assert isinstance(env.observation_space["notes"], gymnasium.spaces.MultiDiscrete)
    observation, _ = env.reset(seed=0)
    assert observation["board"].dtype == np.uint8 and isinstance(observation["phase"], np.int64)


def test_one_episode_ends_by_truncation_and_stays(stream):
    env = to_gymnasium(stream)
    observation, info = env.reset(seed=3)
    assert info == {"reward_terms": {"action": 0.0}, "action_mask": pytest.approx([1, 1, 0])}
    start = observation[0]
    for step in range(1, 5):
        observation, reward, terminated, truncated, info = env.step(np.int64(2))
        assert observation.tolist() == [start, step] and reward == 2.0
        assert terminated is False and truncated is (step == 4)
        assert info["reward_terms"] == {"action": 2.0}
        assert info["action_mask"].tolist() == [True, True, step % 2 == 1]
    assert env.work() == 4
    observation, reward, _, truncated, _ = env.step(2)
    assert observation.tolist() == [start, 4] and reward == 0.0 and truncated is True


def test_seeds_repeat_and_go_on(stream):
    env = to_gymnasium(stream)
    first = [env.reset(seed=5)[0][0], env.reset()[0][0], env.reset()[0][0]]
    assert first == [env.reset(seed=5)[0][0], env.reset()[0][0], env.reset()[0][0]]
    assert len(set(first)) == 3
    assert to_gymnasium(stream).reset()[0][0] != to_gymnasium(stream).reset()[0][0]
    envs = to_gymnasium_vector(stream, 3)
    batch = envs.reset(seed=5)[0]
    assert len(set(batch[:, 0].tolist())) == 3
    assert np.array_equal(batch, envs.reset(seed=5)[0])
    assert not np.array_equal(batch, envs.reset()[0])
    # One seed each: as the single environment with that seed.
    assert envs.reset(seed=[5, 6, None])[0][0, 0] == first[0]
    with pytest.raises(ValueError, match="3, one each; got 2"):
        envs.reset(seed=[1, 2])


def test_a_batch_resets_in_the_step_that_ends_and_keeps_the_end(stream):
    envs = to_gymnasium_vector(stream, 3)
    assert envs.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.SAME_STEP
    starts, info = envs.reset(seed=0)
    assert starts in envs.observation_space and info["_action_mask"].all()
    for _ in range(3):
        observations, rewards, _, truncated, info = envs.step(np.array([0, 1, 2]))
        assert not truncated.any() and "final_obs" not in info
    observations, rewards, terminated, truncated, info = envs.step(np.array([0, 1, 2]))
    assert rewards.dtype == np.float64 and rewards.tolist() == [0.0, 1.0, 2.0]
    assert truncated.all() and not terminated.any()
    assert observations[:, 1].tolist() == [0.0] * 3 and (observations[:, 0] != starts[:, 0]).all()
    assert info["final_obs"].dtype == object and info["_final_obs"].tolist() == [True] * 3
    for index in range(3):
        assert info["final_obs"][index].tolist() == [starts[index, 0], 4.0]
        assert info["final_obs"][index] in envs.single_observation_space
    assert info["final_info"]["reward_terms"]["action"].tolist() == [0.0, 1.0, 2.0]
    assert info["action_mask"].tolist() == [[True, True, False]] * 3  # of the new episodes


def test_only_ended_episodes_have_an_end(stream):
    """Environments out of step: the mask tells which ended."""
    envs = to_gymnasium_vector(stream, 2)
    envs.reset(seed=0)
    ahead = envs._states.step.at[0].add(2)  # the first is two steps ahead
    envs._states = envs._states.replace(step=ahead)
    ends = []
    for _ in range(4):
        _, _, _, truncated, info = envs.step([1, 1])
        ends.append(truncated.tolist())
        if truncated.any():
            assert info["_final_obs"].tolist() == truncated.tolist()
            assert [one is None for one in info["final_obs"]] == (~truncated).tolist()
    assert ends == [[False, False], [True, False], [False, False], [False, True]]


def test_what_is_handed_out_is_the_consumers_own(nested, stream):
    def writable(tree):
        arrays = [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, np.ndarray)]
        assert arrays and all(leaf.flags.writeable and leaf.base is None for leaf in arrays)
        assert not any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(tree))

    for env, action in ((nested, [1, 2]), (stream, 1)):
        envs = to_gymnasium_vector(env, 2)
        writable(envs.reset(seed=0))
        for _ in range(4):
            writable(envs.step([action, action]))
        single = to_gymnasium(env)
        writable(single.reset(seed=0))
        writable(single.step(action))
    observations, *_ = envs.step([1, 1])
    observations[:] = -1.0  # does not reach the environments
    assert envs.step([1, 1])[0][:, 1].tolist() == [2.0, 2.0]


def test_gymnasium_wrappers_count_our_episodes(nested):
    """As they count gymnasium's own batch of our single environments."""
    same_step = gymnasium.vector.AutoresetMode.SAME_STEP
    makers = [lambda: to_gymnasium(nested)] * 2
    theirs = gymnasium.vector.SyncVectorEnv(makers, autoreset_mode=same_step)
    counted = []
    for batch in (to_gymnasium_vector(nested, 2), theirs):
        envs = vector_wrappers.RecordEpisodeStatistics(batch)
        envs.reset(seed=0)
        for step in range(1, 9):
            observations, rewards, *_, info = envs.step(np.array([[1, 2], [0, 1]]))
            assert observations in envs.observation_space and rewards.tolist() == [3.0, 1.0]
            assert ("episode" in info) == (step % 4 == 0)
            if step % 4 == 0:
                final = [one["phase"].item() for one in info["final_obs"]]
                counted.append(
                    [info["episode"]["r"].tolist(), info["episode"]["l"].tolist(), final]
                )
    assert counted[0] == [[12.0, 4.0], [4, 4], [4, 4]]
    # gymnasium 1.3 misses the first step of later episodes in this mode, of its own batch too.
    assert counted[:2] == counted[2:]


def test_infos_can_be_told_apart(nested):
    listed = vector_wrappers.DictInfoToList(to_gymnasium_vector(nested, 2))
    listed.reset(seed=0)
    *_, infos = listed.step(np.array([[1, 2], [0, 1]]))
    assert [info["reward_terms"]["action"] for info in infos] == [3.0, 1.0]


def test_single_and_batch_play_the_same_melody():
    env, envs = to_gymnasium("melody-theory"), to_gymnasium_vector("melody-theory", 2)
    seeds = [11, 12]
    batch, _ = envs.reset(seed=seeds)
    rewards = np.stack([envs.step([event, event])[1] for event in range(2, 34)])
    for index, seed in enumerate(seeds):
        assert env.reset(seed=seed)[0] == batch[index]
        assert [env.step(event)[1] for event in range(2, 34)] == pytest.approx(rewards[:, index])
    assert env.work().events.tolist() == list(range(2, 34))


def test_params_reach_the_rewards(stream):
    params = stream.default_params.replace(weights={"action": jnp.float32(3)})
    env, envs = to_gymnasium(stream, params), to_gymnasium_vector(stream, 2, params)
    env.reset(seed=0), envs.reset(seed=0)
    assert env.step(2)[1] == 6.0 and envs.step([1, 2])[1].tolist() == [3.0, 6.0]


class Both(VarietyMelody):
    """Takes actions of several parts."""

    @property
    def action_space(self):
        return Dict({"pitch": Discrete(12), "length": Discrete(4)})


def test_what_is_out_of_order_is_refused(stream):
    for env in (to_gymnasium(stream), to_gymnasium_vector(stream, 2)):
        with pytest.raises(gymnasium.error.ResetNeeded, match=r"call reset\(\) before step"):
            env.step(0)
    env = to_gymnasium_vector(stream, 2)
    with pytest.raises(ValueError, match="without autoreset"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.reset()
    with pytest.raises(ValueError, match=r"the shape \(2,\), got \(3,\)"):
        env.step([0, 0, 0])
    with pytest.raises(ValueError, match="num_envs must be at least 1, got 0"):
        to_gymnasium_vector(stream, 0)
    both = Both()
    for build in (to_gymnasium, lambda env: to_gymnasium_vector(env, 2)):
        with pytest.raises(ValueError, match="an action must be one array for gymnasium"):
            build(both)
    with pytest.raises(ValueError, match=r"a face resets by itself: .* got AutoReset$"):
        to_gymnasium(AutoReset(stream))
