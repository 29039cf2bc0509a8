"""SlateQ's table: what recommenders earn of RecSim's users, and how good what they chose was.

Run `python -m benchmarks.tables.slateq [--quick] [--seeds N]`. The environment is
`recommendation-interest`; every policy learns from 300,000 steps, as published, and then plays
5,000 users that it has not met. `return` is the mean of the minutes that a user watches; `quality`
the mean quality of what was chosen, over all choices of all users. Rows:

- random, and myopic: the slate with the highest interests;
- SARSA-TS to QL-OT-OS, the published variants: SARSA or Q-learning with the slate optimiser of
  its target (TT, GT, OT: top-k, greedy, optimal) and the one that serves (TS, GS, OS), where
  choosing nothing is worth nothing, as in RecSim's released agents;
- slateq, SARSA and Q-learning: ours, where choosing nothing has a learned value of its own, and
  rewards are hardly discounted;
- ppo: PPO whose actions are preferences for the topics, of which `wrappers.RankedSlates` makes the
  slate; it is paid in fiftieths of a minute. Chosen among two such settings and the 120 slates by
  number; in all three 300,000 steps leave it near myopic users, far from what it would need;
- privileged: heuristics that know the topics' mean qualities, which no learner is told.

What differs from the paper: the network, the learning rate and the replay are ours in all rows;
the simulator follows its released source, and the authors' own may differ from that. An episode has
at most 320 steps, which few sessions come near.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import creative_rl as crl
from benchmarks import record
from benchmarks.record import Goal, Row, changed_fields
from benchmarks.speed import worker
from benchmarks.tables.seeds import Measures, in_turn, measured_rows, seeds_argument
from creative_rl.configs import PPOConfig, SlateQConfig
from creative_rl.experiment import compilation_cache, rollout, train
from creative_rl.learners import ppo, slateq
from creative_rl.typing import Array, Learner, PyTree
from creative_rl.wrappers import RankedSlates

ENV = crl.make("recommendation-interest")
NUM_SEEDS, QUICK_SEEDS = 3, 2
NUM_STEPS, QUICK_STEPS = 300_000, 256
NUM_USERS, QUICK_USERS = 5_000, 16
MOST_STEPS, QUICK_MOST = 320, 32
"""Of a session that is measured; at half a minute a step and more few come near."""
SOURCE = "Ie et al., SlateQ (arXiv 1905.12767), the table of strategies"
PUBLISHED: Mapping[str, Measures] = {
    "random": {"return": 159.2, "quality": -0.5929},
    "myopic": {"return": 166.3, "quality": -0.5428},
    "SARSA-TS": {"return": 168.4, "quality": -0.4908},
    "SARSA-GS": {"return": 172.1, "quality": -0.3876},
    "QL-TT-TS": {"return": 168.4, "quality": -0.4931},
    "QL-GT-GS": {"return": 172.9, "quality": -0.3772},
    "QL-OT-TS": {"return": 169.0, "quality": -0.4905},
    "QL-OT-GS": {"return": 173.8, "quality": -0.3408},
    "QL-OT-OS": {"return": 174.6, "quality": -0.3056},
}
OURS, OUR_SARSA, PPO = "slateq, Q-learning", "slateq, SARSA", "ppo"
NEAR = 1.0
"""Percent between our random and myopic users and the published ones."""

BASE = SlateQConfig(
    num_envs=32,
    num_steps=4,
    num_epochs=2,
    target_interval=1,
    target_tau=0.05,
    epsilon_steps=100_000,
)


_METHODS = {"T": "top", "G": "greedy", "O": "optimal"}


def published_variant(name: str) -> SlateQConfig:
    """The settings of a row of the paper, by its name there.

    >>> config = published_variant("QL-GT-GS")
    >>> config.target, config.serve, config.nothing
    ('greedy', 'greedy', 'zero')
    """
    parts = name.split("-")
    target = "sarsa" if parts[0] == "SARSA" else _METHODS[parts[1][0]]
    serve = _METHODS[parts[-1][0]]
    return dataclasses.replace(BASE, target=target, serve=serve, nothing="zero")


LEARNERS: Mapping[str, SlateQConfig | PPOConfig] = {
    **{name: published_variant(name) for name in PUBLISHED if "-" in name},
    OUR_SARSA: dataclasses.replace(BASE, target="sarsa", gamma=0.998),
    OURS: dataclasses.replace(BASE, gamma=0.998),
    PPO: PPOConfig(
        num_envs=128,
        num_steps=32,
        num_epochs=4,
        num_minibatches=8,
        clip_value_loss=False,
        learning_rate=2e-3,
        gamma=0.995,
        gae_lambda=0.1,
        entropy_coef=0.0,
    ),
}
MINUTE = 0.02
"""What PPO is paid for a minute, so that values are of the size of one."""
QUICK_LEARNERS = ("QL-TT-TS", OURS)


class Ranking(NamedTuple):
    """A policy that ranks candidates by a rule.

    Attributes:
      score: of interests and mean qualities of the candidates, [m], and of uniform numbers.
      source: what it is.
    """

    score: Callable[[Array, Array, Array], Array]
    source: str


RULES: Mapping[str, Ranking] = {
    "random": Ranking(lambda interest, quality, uniform: uniform, "uniform slates"),
    "myopic": Ranking(lambda interest, quality, uniform: interest, "the highest interests"),
    "privileged: (interest + 1) exp(0.3 quality)": Ranking(
        lambda interest, quality, uniform: (interest + 1.0) * jnp.exp(0.3 * quality),
        "knows the topics' mean qualities",
    ),
    "privileged: quality": Ranking(
        lambda interest, quality, uniform: quality, "knows the topics' mean qualities"
    ),
}


def ranking(rule: Ranking) -> Learner:
    """A learner that acts by a rule, and never learns."""

    def act(state: PyTree, key: Any, timestep: Any, memory: PyTree) -> tuple[Array, PyTree]:
        told = ENV.candidates(timestep.observation, state)
        qualities = state.topic_qualities[timestep.observation["candidates"]]
        uniform = jax.random.uniform(key, told.scores.shape)
        score = rule.score(told.scores - 1.0, qualities, uniform)
        return jax.lax.top_k(score, ENV.slate_size)[1].astype(jnp.int32), memory

    return Learner(lambda key: (), lambda state: (state, {}), act, tuple, 1)


def measured(env: Any, learner: Learner, state: PyTree, seed: int, quick: bool) -> Measures:
    """Of users that the policy has not met."""
    num, most = (QUICK_USERS, QUICK_MOST) if quick else (NUM_USERS, MOST_STEPS)
    key = jax.random.fold_in(jax.random.key(1), seed)
    played = rollout(env, ENV.default_params, learner, state, key, num, max_steps=most)
    clicks = float(played.reward_terms["clicks"].sum())
    return {
        "return": float(np.mean(played.episode_return)),
        "quality": float(played.reward_terms["quality"].sum()) / max(clicks, 1.0),
    }


def by_rule(name: str, num_seeds: int, quick: bool) -> list[Measures]:
    """Of other users every time."""
    learner, params = ranking(RULES[name]), ENV.default_params
    return [measured(ENV, learner, params, seed, quick) for seed in range(num_seeds)]


def learned(name: str, num_seeds: int, quick: bool) -> list[Measures]:
    """Train a row's seeds side by side, and measure them."""
    config = LEARNERS[name]
    is_ppo = isinstance(config, PPOConfig)
    env = RankedSlates(ENV) if is_ppo else ENV
    learner = ppo(env, config, _scaled()) if is_ppo else slateq(env, config)
    num_updates = -(-(QUICK_STEPS if quick else NUM_STEPS) // learner.steps_per_update)
    result = train(learner, jax.random.key(0), num_updates, num_seeds=num_seeds, progress=False)
    return [measured(env, learner, result.seed(i), i, quick) for i in range(num_seeds)]


def _scaled() -> PyTree:
    """Params that pay in fiftieths."""
    params = ENV.default_params
    return params.replace(weights={**params.weights, "watched": jnp.float32(MINUTE)})


def goals(found: Sequence[Row], seconds: float | None) -> list[Goal]:
    """The simulator is the published one; ours earns more than the best published strategy."""
    value = {(row.name, row.metric): row.value for row in found}
    asked = [
        Goal(
            f"{name}: percent between its return and the published one",
            NEAR,
            100 * abs(value[name, "return"] / PUBLISHED[name]["return"] - 1),
            at_most=True,
        )
        for name in ("random", "myopic")
    ]
    best = PUBLISHED["QL-OT-OS"]
    return [
        Goal(f"{OURS}: return, against the published QL-OT-OS", best["return"],
             value[OURS, "return"]),
        Goal(f"{OURS}: quality, against the published QL-OT-OS", best["quality"],
             value[OURS, "quality"]),
        Goal(f"{OURS}: return, stretch", 250.0, value[OURS, "return"]),
        *asked,
        Goal("the whole table, s", 1200, seconds, at_most=True),
    ]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv, seeds_argument(NUM_SEEDS))
    began = time.perf_counter()
    compilation_cache.enable()
    quick = options.quick
    num_seeds = min(options.seeds, QUICK_SEEDS) if quick else options.seeds
    steps = {name: functools.partial(by_rule, name, num_seeds, quick) for name in RULES}
    names = QUICK_LEARNERS if quick else LEARNERS
    steps |= {name: functools.partial(learned, name, num_seeds, quick) for name in names}
    found = in_turn(steps)
    sources = {name: rule.source for name, rule in RULES.items()}
    sources |= {name: str(changed_fields(config)) for name, config in LEARNERS.items()}
    table = measured_rows(found, sources, PUBLISHED, SOURCE)
    seconds = None if quick else time.perf_counter() - began
    session.finish(table, goals(table, seconds), worker.device())


if __name__ == "__main__":
    main()
