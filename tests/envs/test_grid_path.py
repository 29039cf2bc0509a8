"""What is special to the grid: its moves, its two ends, and the walk that comes out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.play import play

import creative_rl as crl
from creative_rl.envs.grid_path import DOWN, LEFT, RIGHT, UP, GridPath
from creative_rl.testing import check_environment
from creative_rl.works.walk import on_host
from creative_rl.wrappers import EpisodeLog

SHORTEST = [RIGHT, DOWN] * 4


def test_spaces_and_numbers_of_states():
    env = GridPath(size=3)
    assert env.num_states == 9 and env.horizon is None
    numbers = [int(env.state_index(jnp.array([r, c]))) for r in range(3) for c in range(3)]
    assert numbers == list(range(9))


class NumbersTooHigh(GridPath):
    def state_index(self, observation):
        return super().state_index(observation) + 1


class NumbersBelowZero(GridPath):
    def state_index(self, observation):
        return super().state_index(observation) - 1


class NumbersOfAnotherType(GridPath):
    def state_index(self, observation):
        return super().state_index(observation).astype(jnp.uint8)


class HalfAState(GridPath):
    num_states = 2.5


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (NumbersTooHigh, r"state_index must give numbers in 0\.\.3, but gave 1 to 4"),
        (NumbersBelowZero, r"state_index must give numbers in 0\.\.3, but gave -1 to 2"),
        (NumbersOfAnotherType, r"state_index must give an int32 scalar, but .* is uint8\[\]"),
        (HalfAState, r"num_states must be None or a whole number of at least 1, but is 2\.5"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_suite_sees_wrong_numbers_of_states(broken, message):
    check_environment(GridPath(size=2, num_steps=20), num_steps=22)
    with pytest.raises(AssertionError, match=message):
        check_environment(broken(size=2, num_steps=20), num_steps=22)


def test_an_environment_without_numbers_says_so():
    with pytest.raises(ValueError, match="VarietyMelody does not number its observations"):
        crl.make("melody-variety").state_index(jnp.zeros(16, jnp.int32))


def test_wrappers_pass_the_numbers_on():
    wrapped = EpisodeLog(GridPath(size=3))
    assert wrapped.num_states == 9 and int(wrapped.state_index(jnp.array([2, 1]))) == 7
    assert EpisodeLog(crl.make("melody-variety")).num_states is None


def test_moves_by_hand_and_the_edges_hold():
    actions = [UP, LEFT, RIGHT, RIGHT, RIGHT, DOWN, LEFT, UP, DOWN]
    env = GridPath(size=3)
    timesteps, _ = play(env, env.default_params, [actions])
    places = [(0, 0), (0, 0), (0, 1), (0, 2), (0, 2), (1, 2), (1, 1), (0, 1), (1, 1)]
    assert timesteps.observation[0].tolist() == [list(place) for place in places]


def test_the_shortest_way_earns_a_fifth_and_the_last_step_costs_too():
    env = crl.make("grid-path")
    timesteps, _ = play(env, env.default_params, [SHORTEST])
    np.testing.assert_allclose(timesteps.reward[0], [-0.1] * 7 + [0.9], rtol=1e-6)
    assert timesteps.reward.sum() == pytest.approx(0.2)
    terms = timesteps.info["reward_terms"]
    assert terms["step_cost"][0].tolist() == [1] * 8
    assert terms["goal"][0].tolist() == [0] * 7 + [1]
    assert timesteps.terminated[0].tolist() == [False] * 7 + [True]
    assert not timesteps.truncated.any()


def test_the_time_limit_truncates_but_never_the_goal():
    late, arrived = [UP] * 8, SHORTEST
    env = GridPath(num_steps=8)
    timesteps, works = play(env, env.default_params, [late, arrived])
    assert timesteps.truncated[:, -1].tolist() == [True, False]
    assert timesteps.terminated[:, -1].tolist() == [False, True]
    assert not timesteps.ended[:, :-1].any()
    assert works.length[:, -1].tolist() == [8, 8]


def test_the_goal_is_data():
    env = GridPath(size=3)
    params = env.default_params.replace(goal=jnp.array([0, 1], jnp.int32))
    timesteps, works = play(env, params, [[RIGHT, RIGHT]])
    assert timesteps.terminated[0].tolist() == [True, True]
    np.testing.assert_allclose(timesteps.reward[0], [0.9, 0.0], rtol=1e-6)
    assert works.goal[0, -1].tolist() == [0, 1]


@pytest.mark.parametrize("sizes", [{}, {"size": 2, "num_steps": 1}, {"size": 7, "num_steps": 40}])
def test_the_work_is_where_the_walker_was(sizes):
    env = GridPath(**sizes)
    actions = np.random.default_rng(0).integers(0, 4, (4, env.num_steps + 2))
    timesteps, works = play(env, env.default_params, actions)
    for episode in range(4):
        for time in range(actions.shape[1]):
            walk = on_host(jax.tree.map(lambda leaf, e=episode, t=time: leaf[e, t], works))
            ends = np.flatnonzero(timesteps.ended[episode])
            steps = min(time, *ends[:1]) + 1 if ends.size else time + 1
            assert walk.length == steps and walk.size == env.size
            assert walk.cells[0].tolist() == [0, 0]
            np.testing.assert_array_equal(
                walk.cells[1 : steps + 1], timesteps.observation[episode, :steps]
            )
            assert not walk.cells[steps + 1 :].any()


def test_numbers_beyond_the_moves_go_as_the_work_says(key):
    env = GridPath(size=3)
    params = env.default_params
    state, _ = env.reset(key, params)
    for action in (5, -2, 1003):  # right, down, left
        state, timestep = env.step(key, state, jnp.int32(action), params)
        work = env.work(state, params)
        np.testing.assert_array_equal(work.cells[work.length], timestep.observation)
    assert work.cells[:4].tolist() == [[0, 0], [0, 1], [1, 1], [1, 0]]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"size": 1}, r"GridPath: size must be a whole number in 2\.\.64, got 1"),
        ({"size": 65}, r"size must be .* got 65"),
        ({"size": 5.0}, r"size must be .* got 5\.0"),
        ({"num_steps": 0}, r"num_steps must be a whole number in 1\.\.1024, got 0"),
        ({"num_steps": 2000}, r"num_steps must be .* got 2000"),
    ],
)
def test_bad_sizes_are_refused_in_one_line(keywords, message):
    with pytest.raises(ValueError, match=message):
        GridPath(**keywords)
