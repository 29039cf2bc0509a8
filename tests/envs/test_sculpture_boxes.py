"""The primitive editor: its boxes, masks, rewards and expert, by hand and against plain Python."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.sculpture_boxes import PlainBoxSculpture

import creative_rl as crl
from creative_rl.corpora.solids import modelling_solids
from creative_rl.envs.sculpture_boxes import BoxSculpture
from creative_rl.learners.requirements import has_rule
from creative_rl.ops import boxes as modelling

ENV = BoxSculpture(sees_target=True, num_steps=60)
STEP = jax.jit(ENV.step)
GREEDY = jax.jit(ENV.rule_action)


@jax.jit
def expert_episodes(keys, params):
    """60 steps of the expert, side by side: actions, rewards and last states."""

    def episode(key):
        def step(carry, key):
            state, timestep = carry
            action = ENV.rule_action(timestep.observation)
            state, timestep = ENV.transition(key, state, action, params)
            allowed = carry[1].action_mask[action]
            return (state, timestep), (action, timestep.reward, allowed)

        (state, _), played = jax.lax.scan(
            step, ENV.reset(key, params), jax.random.split(key, ENV.num_steps)
        )
        return state, *played

    return jax.vmap(episode)(keys)


def test_it_begins_as_27_cubes():
    boxes = np.asarray(modelling.first_boxes())
    assert boxes[0].tolist() == [2, 2, 2, 6, 6, 6] and boxes[1].tolist() == [2, 2, 6, 6, 6, 10]
    assert boxes[26].tolist() == [10, 10, 10, 14, 14, 14] and len(boxes) == 27
    state, _ = ENV.reset(jax.random.key(0), ENV.default_params)
    voxels = np.asarray(ENV.work(state, ENV.default_params).voxels)
    assert (voxels > 0).sum() == 12**3 and (voxels[2:14, 2:14, 2:14] > 0).all()
    assert voxels[2, 2, 2] == 1 and voxels[2, 2, 6] == 2 and voxels[13, 13, 13] == 26 % 8 + 1


def test_actions_and_masks_by_hand():
    state, timestep = ENV.reset(jax.random.key(0), ENV.default_params)
    mask = np.asarray(timestep.action_mask).reshape(27, 7, 4)
    assert mask[0].all() and not mask[1:].any()
    state = state.replace(
        boxes=state.boxes.at[1].set(jnp.array([2, 0, 15, 3, 6, 16])), step=jnp.int32(28)
    )
    mask = np.asarray(ENV.action_mask(state, ENV.default_params)).reshape(27, 7, 4)
    assert not np.delete(mask, 1, axis=0).any()
    # Amounts are 1, 2, -2, -1; corners stay in 0 .. 16 and may meet.
    assert mask[1].tolist() == [
        [True, False, True, True], [True, True, False, False], [True, False, True, True],
        [True, True, False, True], [True, True, True, True], [False, False, False, True],
        [True] * 4,
    ]  # fmt: skip
    moved = modelling.edited(state.boxes, jnp.int32(28 + 4 * 4 + 2))
    assert moved[1].tolist() == [2, 0, 15, 3, 4, 16] and (moved[0] == state.boxes[0]).all()
    deleted = modelling.edited(state.boxes, jnp.int32(28 + 24 + 3))
    assert deleted[1].tolist() == [2, 0, 15, 2, 0, 15]
    mask = ENV.action_mask(state.replace(boxes=deleted), ENV.default_params).reshape(27, 7, 4)
    assert not mask[1, 6].any()


def test_rewards_by_hand():
    target = np.zeros((1, 16, 16, 16), bool)
    target[:, 2:8, 2:6, 2:6] = True
    params = ENV.params_of(target)
    state, _ = ENV.reset(jax.random.key(0), params)
    state, timestep = STEP(jax.random.key(0), state, jnp.int32(3 * 4 + 1), params)  # 6 to 8
    terms = timestep.info["reward_terms"]
    assert float(terms["iou"]) == pytest.approx(96 / 12**3, rel=1e-5)
    # The first is it; of the nine others that stand at 6, one holds 32 of its cells.
    assert float(terms["local"]) == pytest.approx((1 + 32 / 128) / 27, rel=1e-5)
    assert float(terms["parsimony"]) == 0
    state, timestep = STEP(jax.random.key(0), state, jnp.int32(28 + 24), params)  # delete the 2nd
    terms = timestep.info["reward_terms"]
    assert float(terms["iou"]) == pytest.approx(96 / (12**3 - 64) - 96 / 12**3, rel=1e-4)
    assert float(terms["local"]) == pytest.approx((1 + 32 / 128) * (1 / 26 - 1 / 27), rel=1e-4)
    assert float(terms["parsimony"]) == 1
    reward = float(terms["iou"]) + 0.1 * float(terms["local"]) + 0.01
    assert float(timestep.reward) == pytest.approx(reward, rel=1e-5)
    same, timestep = STEP(jax.random.key(0), state, jnp.int32(0), params)  # not its turn
    assert (same.boxes == state.boxes).all() and float(timestep.reward) == pytest.approx(0)


def test_the_expert_is_greedy_and_earns_what_plain_python_says():
    params = ENV.default_params
    states, actions, rewards, allowed = expert_episodes(
        jax.random.split(jax.random.key(3), 16), params
    )
    assert np.asarray(allowed).all()
    plain = PlainBoxSculpture(ENV)
    for number in range(2):
        plain.reset()
        plain.target = int(states.target[number])
        for step, action in enumerate(np.asarray(actions[number]).tolist()):
            best = plain.value(plain.changed(plain.greedy_action()))
            assert plain.value(plain.changed(action)) == pytest.approx(best, abs=1e-6)
            assert step > 30 or action % 28 < 24  # no deleting in the first half
            reward = plain.step(action)[1]
            np.testing.assert_allclose(rewards[number, step], reward, atol=1e-5)
    worth = np.asarray(rewards).sum(1)
    np.testing.assert_allclose(worth, states.fit.worth, atol=1e-5)
    assert np.asarray(states.fit.iou).mean() > 0.3 and np.asarray(states.fit.deleted).min() > 2


def test_a_rule_needs_the_target():
    blind = crl.make("sculpture-boxes")
    assert blind.horizon == 300 and "target" not in dict(blind.observation_space.items())
    assert blind.action_space.num == 756
    with pytest.raises(ValueError, match="dqn: BoxSculpture: its rule reads the target"):
        has_rule("dqn", blind)
    has_rule("dqn", ENV)


def test_the_target_is_seen_and_kept():
    params = ENV.default_params
    state, timestep = ENV.reset(jax.random.key(5), params)
    target = modelling_solids()[int(state.target)]
    np.testing.assert_array_equal(timestep.observation["target"], target)
    np.testing.assert_array_equal(ENV.work(state, params).target, target)


@pytest.mark.parametrize("shape", [(16, 16, 16), (2, 8, 8, 8)])
def test_bad_targets_are_refused(shape):
    with pytest.raises(ValueError, match=r"BoxSculpture: targets must be bool\[M, 16, 16, 16\]"):
        ENV.params_of(np.zeros(shape, bool))


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match=r"num_steps must be a whole number in 1\.\.4096, got 0"):
        BoxSculpture(num_steps=0)


@pytest.mark.parametrize(
    ("solids", "got"),
    [(np.zeros((0, 16, 16, 16), bool), "none"), (np.zeros((2, 16, 16, 16), bool), "number 0")],
)
def test_targets_that_mean_nothing_are_refused(solids, got):
    with pytest.raises(ValueError, match=f"at least one solid of some voxels, got .*{got}"):
        crl.make("sculpture-boxes").params_of(solids)
    with pytest.raises(ValueError, match=f"at least one solid of some voxels, got .*{got}"):
        crl.make("sculpture-copy", size=16).params_of(solids)
