"""The archive of a run is what plain Python finds when it plays the elites again."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case
from reference.level import EMPTY, SOLID, PlainBinaryLevel, longest_path

import creative_rl as crl
from creative_rl.configs import MAPElitesConfig
from creative_rl.envs.level import BinaryLevel
from creative_rl.envs.melody import TargetMelody
from creative_rl.experiment.rollouts import rollout
from creative_rl.learners import elite_works, map_elites
from creative_rl.learners.map_elites import _allowed
from creative_rl.metrics.descriptors import DESCRIPTORS
from creative_rl.spaces import Box
from creative_rl.wrappers import AutoReset

CASE = Case(small=MAPElitesConfig(batch_size=8, cells=(4, 3)))

TUTORIAL = crl.make("melody-target-tutorial")
LEVEL = BinaryLevel(height=5, width=6, representation="wide", change_share=0.5)
SMALL = MAPElitesConfig(batch_size=32, num_steps=12, cells=(6, 5), mutation_rate=0.15)


@functools.partial(jax.jit, static_argnums=(0, 2))
def run(env, config, num_updates, key):
    learner = map_elites(env, config)
    return jax.lax.scan(lambda s, _: learner.update(s), learner.init(key), length=num_updates)


def trained(env, config, num_updates=12, seed=0):
    """The learner's last state, and the metrics of all updates."""
    return run(env, config, num_updates, jax.random.key(seed))


def filled(state):
    return np.flatnonzero(state.archive.is_filled)


def test_elites_of_levels_are_worth_what_plain_python_finds():
    state, metrics = trained(LEVEL, SMALL)
    archive, start = state.archive, state.start_state.env
    assert len(filled(state)) > 8
    works = elite_works(LEVEL, state, jnp.asarray(filled(state)))
    for number, cell in enumerate(filled(state)):
        twin = PlainBinaryLevel(LEVEL)
        twin.start(start)
        total = 0.0
        for action in np.asarray(archive.solutions[cell]).tolist():
            _, reward, is_over = twin.step(action)
            total += reward
            if is_over:
                break
        assert total == archive.fitness[cell]
        walls = np.mean(np.array(twin.tiles) == SOLID)
        far = longest_path(twin.tiles, (EMPTY,))
        np.testing.assert_allclose(archive.descriptors[cell], [far, walls], rtol=1e-6)
        assert np.asarray(works.tiles[number]).tolist() == twin.tiles
        place = min(int(far / (3 * 6 + 2) * 6), 5), min(int(walls * 5), 4)
        assert np.ravel_multi_index(place, (6, 5)) == cell
    assert metrics["maximum"][-1] == archive.fitness.max()
    np.testing.assert_allclose(metrics["coverage"][-1], len(filled(state)) / 30, rtol=1e-6)


def test_an_archive_only_grows_better():
    trained(LEVEL, SMALL)
    num_programs = run._cache_size()
    state, metrics = trained(LEVEL, dataclasses.replace(SMALL, fitness_floor=-200.0), seed=1)
    assert run._cache_size() == num_programs  # a number compiles nothing
    for name in ("qd_score", "coverage", "maximum"):
        assert (np.diff(metrics[name]) >= 0).all()
    assert metrics["qd_score"][-1] > 1.2 * metrics["qd_score"][0]
    assert (np.asarray(metrics["num_added"]) <= 30).all() and metrics["num_added"][0] > 0
    assert metrics["qd_score"][-1] == pytest.approx(
        float((state.archive.fitness[filled(state)] + 200.0).sum())
    )


def test_the_same_happens_to_a_solution_whenever_it_is_tried():
    """Places of the narrow form are drawn in every step, by what all episodes share."""
    env = dataclasses.replace(LEVEL, representation="narrow")
    state, _ = trained(env, SMALL, 6)
    works = elite_works(env, state, jnp.asarray(filled(state)))
    for column, name in enumerate(("path_length", "wall_share")):
        again = jax.vmap(DESCRIPTORS[type(works)][name].fn)(works)
        np.testing.assert_array_equal(again, state.archive.descriptors[filled(state), column])


def test_the_target_melody_is_found_and_played():
    config = MAPElitesConfig(batch_size=64, cells=(4, 4), mutation_rate=0.2)
    learner = map_elites(TUTORIAL, config)
    state, metrics = trained(TUTORIAL, config, 25)
    assert metrics["maximum"][-1] == 5.0
    assert (metrics["episode_length"] == 5).all() and (metrics["num_episodes"] == 64).all()
    np.testing.assert_allclose(metrics["fitness_mean"], metrics["episode_return"], rtol=1e-6)
    episodes = rollout(TUTORIAL, state.env_params, learner, state, jax.random.key(3), 64)
    fitness = np.asarray(state.archive.fitness)[filled(state)].tolist()
    assert set(episodes.episode_return.tolist()) == set(fitness)
    works = learner.generate(state, jax.random.key(4), 64)
    elites = np.asarray(elite_works(TUTORIAL, state, jnp.asarray(filled(state))).events)
    for events in (works.events, episodes.works.events):
        assert {*map(tuple, np.asarray(events).tolist())} <= {*map(tuple, elites.tolist())}


def test_without_mutation_and_crossover_nothing_is_new():
    still = dataclasses.replace(SMALL, mutation_rate=1e-30, crossover_rate=0.0, random_updates=2)
    _, metrics = trained(LEVEL, still)
    assert (metrics["num_added"][:2] > 0).all() and not metrics["num_added"][2:].any()
    _, metrics = trained(LEVEL, dataclasses.replace(still, crossover_rate=1.0))
    assert metrics["num_added"][2:].any()


def test_sums_of_reward_terms_are_descriptors():
    config = MAPElitesConfig(
        batch_size=16, cells=(5, 2), descriptors="term_target_match:-0.5:4.5, pitch_span:0:3"
    )
    state, _ = trained(TUTORIAL, config, 3)
    fitness, descriptors = (
        np.asarray(leaf) for leaf in (state.archive.fitness, state.archive.descriptors)
    )
    cells = filled(state)
    np.testing.assert_array_equal(descriptors[cells, 0], fitness[cells])  # of weight 1
    assert (np.clip(descriptors[cells, 0] + 0.5, 0, 4) // 1 == cells // 2).all()


# Masks and boxes.


class NoSecondNote(TargetMelody):
    """Note 1 is not allowed at even steps, notes 1 and 3 not at odd ones."""

    def action_mask(self, state, params):
        allowed = jnp.array([[True, False, True, True], [True, False, True, False]])
        return allowed[state.step % 2]


def test_forbidden_actions_are_read_as_the_next_that_are_allowed():
    mask = jnp.array([False, True, False, True, False])
    read = [int(_allowed(jnp.int32(action), mask)) for action in range(5)]
    assert read == [1, 1, 3, 3, 1]
    env = NoSecondNote(length=4, num_pitches=4, num_phases=4, target=(1, 2, 3, 0))
    config = MAPElitesConfig(batch_size=64, cells=(4, 4))
    learner = map_elites(env, config)
    state, metrics = trained(env, config, 20)
    assert metrics["maximum"][-1] == 3.0
    episodes = rollout(env, state.env_params, learner, state, jax.random.key(1), 32)
    notes = np.asarray(episodes.works.events)[:, :4] - 14
    assert not (notes == 1).any() and not (notes[:, 1::2] == 3).any()


def test_boxes_are_played_inside_their_bounds():
    env = crl.make("drawing-pixels", height=4, width=4)
    learner = map_elites(env, MAPElitesConfig(batch_size=8, cells=(3, 3)))
    state = learner.init(jax.random.key(0))
    assert isinstance(env.action_space, Box) and state.archive.solutions.shape == (9, 1, 4, 4, 1)
    state, _ = jax.jit(learner.update)(state)
    works = elite_works(env, state, jnp.asarray(filled(state)))
    expected = np.round(255 * np.asarray(state.archive.solutions)[filled(state), 0])
    np.testing.assert_allclose(np.asarray(works.pixels, np.float32), expected, atol=1)


@pytest.mark.parametrize(
    ("env", "config", "message"),
    [
        (LEVEL, MAPElitesConfig(), "map_elites plays whole episodes, and this .* set num_steps"),
        (AutoReset(TUTORIAL), MAPElitesConfig(), "give it one without AutoReset"),
        (TUTORIAL, MAPElitesConfig(descriptors=3), "MAPElitesConfig: descriptors must be text"),
        (TUTORIAL, MAPElitesConfig(mutation_rate=0.0), "mutation_rate must be greater than 0"),
        (
            TUTORIAL,
            MAPElitesConfig(descriptors="wall_share,note_share"),
            "unknown descriptor 'wall_share'; known: note_share, pitch_span, term_target_match",
        ),
        (
            TUTORIAL,
            MAPElitesConfig(descriptors="note_share"),
            "descriptors must be as many as cells has numbers, 2, got 1",
        ),
        (
            TUTORIAL,
            MAPElitesConfig(descriptors="note_share,term_target_match"),
            "term_target_match needs a range of its sum over an episode, such as term_",
        ),
        (
            TUTORIAL,
            MAPElitesConfig(descriptors="note_share:1:0,pitch_span"),
            "NAME or NAME:LOW:HIGH with LOW below HIGH, got 'note_share:1:0'",
        ),
        (
            TUTORIAL,
            MAPElitesConfig(cells=(2**11, 2**10)),
            "cells in all must be at most limit = 1048576, got 2097152",
        ),
        (crl.make("grid-path"), MAPElitesConfig(num_steps=4), r"2, got 0; known: term_"),
    ],
)
def test_refusals_are_one_line(env, config, message):
    with pytest.raises(ValueError, match=message) as refused:
        map_elites(env, config)
    assert "\n" not in str(refused.value)
