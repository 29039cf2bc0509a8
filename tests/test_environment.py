"""The base class, on an environment small enough to work out by hand."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp
import pytest

import creative_rl as crl
from creative_rl.environment import Environment
from creative_rl.spaces import Discrete
from creative_rl.testing import check_environment
from creative_rl.typing import Array, Term


class PotState(flax.struct.PyTreeNode):
    coins: Array  # int32


class Counted(flax.struct.PyTreeNode):
    step: Array  # int32


class PotParams(flax.struct.PyTreeNode):
    weights: dict[str, Array]


GAIN = Term("gain", lambda seen: (seen.next_state.coins - seen.state.coins).astype(jnp.float32))
GREED = Term("greed", lambda seen: seen.action.astype(jnp.float32), weight=-0.5)


@dataclasses.dataclass(frozen=True)
class Pot(Environment):
    """Put 0, 1 or 2 coins into a pot; terminated when it is full, truncated at exactly `cut`."""

    capacity: int = 5
    cut: int = -1
    terms: tuple[Term, ...] = (GAIN, GREED)

    @property
    def observation_space(self):
        return Discrete(self.capacity + 1)

    @property
    def action_space(self):
        return Discrete(3)

    @property
    def default_params(self):
        return PotParams(self.default_weights)

    def initial_state(self, key, params):
        return PotState(jnp.int32(0))

    def next_state(self, key, state, action, params):
        return PotState(jnp.clip(state.coins + action, 0, self.capacity))

    def observe(self, state, params):
        return state.coins

    def end(self, state, params):
        return state.coins == self.capacity, state.coins == self.cut

    def action_mask(self, state, params):
        return jnp.arange(3, dtype=jnp.int32) <= self.capacity - state.coins

    def work(self, state, params):
        return {"coins": state.coins}


def play(env, actions, key, params=None):
    params = env.default_params if params is None else params
    state, timestep = env.reset(key, params)
    timesteps = [timestep]
    for action in actions:
        state, timestep = env.step(key, state, jnp.int32(action), params)
        timesteps.append(timestep)
    return state, timesteps


def test_the_pot_keeps_the_contract():
    check_environment(Pot())
    check_environment(Pot(cut=3))


def test_reset_shows_a_start_without_reward(key):
    _, (timestep,) = play(Pot(), [], key)
    assert (int(timestep.observation), float(timestep.reward)) == (0, 0.0)
    assert not timestep.ended
    assert timestep.info == {"reward_terms": {"gain": 0.0, "greed": 0.0}}
    assert timestep.action_mask.tolist() == [True, True, True]


def test_the_reward_is_the_weighted_sum_and_terms_are_shown_before_their_weights(key):
    env = Pot()
    _, timesteps = play(env, [2, 1, 0], key)
    assert [float(t.reward) for t in timesteps] == [0.0, 1.0, 0.5, 0.0]  # gain - greed / 2
    assert [float(t.info["reward_terms"]["gain"]) for t in timesteps] == [0.0, 2.0, 1.0, 0.0]
    assert [float(t.info["reward_terms"]["greed"]) for t in timesteps] == [0.0, 2.0, 1.0, 0.0]
    params = PotParams({"gain": jnp.float32(10), "greed": jnp.float32(1)})
    _, timesteps = play(env, [2, 1, 0], key, params)
    assert [float(t.reward) for t in timesteps] == [0.0, 22.0, 11.0, 0.0]


def test_terminal_states_absorb_but_transitions_do_not(key):
    env = Pot(terms=(Term("one", lambda seen: jnp.ones_like(seen.action, jnp.float32)),))
    state, timesteps = play(env, [2, 2, 2, 1], key)
    assert [bool(t.terminated) for t in timesteps] == [False, False, False, True, True]
    assert [float(t.reward) for t in timesteps] == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert float(timesteps[-1].info["reward_terms"]["one"]) == 0.0
    assert int(state.coins) == 5
    assert timesteps[-1].action_mask.tolist() == [True, False, False]
    _, raw = env.transition(key, state, jnp.int32(0), env.default_params)
    assert float(raw.reward) == 1.0


@pytest.mark.parametrize(
    ("env", "action", "words"),
    [
        (Pot(), [1, 2], r"Pot: an action of Discrete\(3\) has the shape \(\), got \(2,\); give"),
        (
            crl.make("recommendation-interest"),
            0,
            r"of MultiDiscrete\(\(10,\) \* 3\) has the shape \(3,\), got \(\); give one such",
        ),
        (crl.make("recommendation-interest"), [1, 2], r"the shape \(3,\), got \(2,\)"),
    ],
)
@pytest.mark.parametrize("method", ["step", "transition"])
def test_an_action_of_another_shape_is_one_line(env, action, words, method, key):
    params = env.default_params
    state, _ = jax.eval_shape(env.reset, key, params)
    act = lambda state: getattr(env, method)(key, state, action, params)  # noqa: E731
    with pytest.raises(ValueError, match=words) as error:
        jax.eval_shape(act, state)
    assert "\n" not in str(error.value)


def test_truncation_absorbs_and_is_told_apart(key):
    _, timesteps = play(Pot(cut=2), [2, 1], key)
    assert [bool(t.truncated) for t in timesteps] == [False, True, True]
    assert not any(bool(t.terminated) for t in timesteps)
    assert [int(t.observation) for t in timesteps] == [0, 2, 2]


def test_a_term_can_be_left_out_or_reweighted(key):
    env = Pot(terms=(dataclasses.replace(GREED, weight=3.0),))
    assert {name: float(w) for name, w in env.default_weights.items()} == {"greed": 3.0}
    _, timesteps = play(env, [2], key)
    assert float(timesteps[-1].reward) == 6.0


def test_without_terms_the_reward_is_zero(key):
    _, timesteps = play(Pot(terms=()), [2], key)
    assert float(timesteps[-1].reward) == 0.0 and timesteps[-1].reward.dtype == jnp.float32


@dataclasses.dataclass(frozen=True)
class Timed(Pot):
    """A pot with the end of the base class."""

    end = Environment.end

    @property
    def horizon(self):
        return 2


def test_without_an_end_of_its_own_an_environment_ends_at_its_horizon():
    for step, is_over in ((0, False), (1, False), (2, True), (3, True)):
        terminated, truncated = Timed().end(Counted(jnp.int32(step)), None)
        assert (bool(terminated), bool(truncated)) == (is_over, False)
        assert terminated.dtype == truncated.dtype == jnp.bool_


def test_neither_an_end_nor_what_it_could_be_told_from_is_refused():
    for env, state in ((Timed(), PotState(jnp.int32(0))), (Pot(), Counted(jnp.int32(0)))):
        message = f"{type(env).__name__}: define end, or a horizon and a state with the field step"
        with pytest.raises(ValueError, match=message):
            Environment.end(env, state, None)


@pytest.mark.parametrize(
    ("weights", "got"), [({"gain": 1.0}, "gain"), ({"gain": 1.0, "gred": 1.0}, "gain, gred")]
)
def test_weights_of_other_names_than_the_terms_are_refused(weights, got, key):
    state, _ = Pot().reset(key, PotParams(weights))
    message = f"Pot: params.weights must have one number for .* term, gain, greed; got {got}$"
    with pytest.raises(ValueError, match=message):
        Pot().transition(key, state, jnp.int32(1), PotParams(weights))


def test_terms_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"Pot: reward terms must have distinct names, got \['gai"):
        Pot(terms=(GAIN, GAIN))


def test_raw_keys_are_accepted():
    env = Pot()
    raw = jax.random.key_data(jax.random.key(0))
    state, _ = env.reset(raw, env.default_params)
    state, _ = env.step(raw, state, jnp.int32(1), env.default_params)
    assert int(state.coins) == 1


def test_an_environment_without_rules_cannot_be_built():
    with pytest.raises(TypeError, match="abstract"):
        Environment()
