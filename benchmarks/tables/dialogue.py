"""Booking by dialogue: a rule, DQN, cold and warm-started, A2C and PPO, at three error rates.

Run `python -m benchmarks.tables.dialogue [--quick] [--seeds N]`. The task is `dialogue`, at error
rates of 0, .15 and .30 for values and intents alike. Rows, at each of them:

- rule: the environment's own (`ops.booking_agent.rule_action`), which a person wrote;
- dqn: from nothing;
- dqn, warm start: the first dialogues are the rule's, as in TC-Bot;
- a2c, ppo: from nothing.

Measured are the share of successes, the reward of a dialogue and its turns, of both together, over
4,096 dialogues a seed, played as the learner acts after training: DQN the best action, A2C and PPO
draws. Seeds train side by side in one program, with rewards in units of a success, which changes no
policy's worth; those of the rule differ in what was drawn. Every goal of a user can be reached, so
the upper bound of successes is 1 where nothing is misheard. The settings were found on seeds of
their own.

Beside them stands what TC-Bot says of itself (Li et al., arXiv 1703.01008, and its released
checkpoint): of its goals .9765 can be reached, and its checkpoint of a warm-started DQN is called
.98. Its knowledge base, its goals and 29 slots are not ours, so these are a reference only.
"""

import dataclasses
import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables.seeds import Measures, in_turn, measured_rows, seeds_argument
from creative_rl import registry
from creative_rl.configs import A2CConfig, DQNConfig, PPOConfig
from creative_rl.envs.dialogue import BookingDialogue
from creative_rl.experiment import compilation_cache, rollout, train
from creative_rl.learners import rule_policy
from creative_rl.typing import Learner, PyTree

NUM_SEEDS, QUICK_SEEDS = 3, 2
NUM_DIALOGUES, QUICK_DIALOGUES = 4096, 64
RATES, QUICK_RATES = (0.0, 0.15, 0.3), (0.3,)
ENV = BookingDialogue()
SOURCE = "TC-Bot's goals that can be reached, and its checkpoint; other goals and slots"
PUBLISHED: Mapping[str, Measures] = {
    "rule, error 0": {"success": 0.9765},
    "dqn, warm start, error 0": {"success": 0.98},
}
"""Of the rule the bound, which nobody is above."""


class Recipe(NamedTuple):
    """A learner, its config and how many updates it takes."""

    learner: str
    config: Any
    num_updates: int


_DQN = DQNConfig(
    num_envs=32,
    num_steps=4,
    num_epochs=4,
    batch_size=128,
    replay_size=40_960,
    hidden_sizes=(128, 128),
    learning_rate=1e-3,
    gamma=0.97,
    learning_starts=2_048,
    target_interval=50,
    epsilon_end=0.02,
    epsilon_steps=60_000,
)
RECIPES: Mapping[str, Recipe] = {
    "dqn": Recipe("dqn", _DQN, 6_000),
    "dqn, warm start": Recipe(
        "dqn",
        dataclasses.replace(
            _DQN, warm_start_steps=20_480, epsilon_start=0.1, epsilon_steps=100_000
        ),
        6_000,
    ),
    "a2c": Recipe(
        "a2c",
        A2CConfig(
            num_envs=128,
            num_steps=16,
            hidden_sizes=(128, 128),
            learning_rate=7e-4,
            gae_lambda=0.95,
            entropy_coef=0.005,
            normalize_advantages=True,
            decay_updates=1_200,
        ),
        1_200,
    ),
    "ppo": Recipe(
        "ppo",
        PPOConfig(
            num_envs=128,
            num_steps=32,
            hidden_sizes=(128, 128),
            learning_rate=1e-3,
            entropy_coef=0.003,
            decay_updates=300,
        ),
        300,
    ),
}
QUICK_UPDATES = 4


def params_of(rate: float, scale: float = 1.0) -> PyTree:
    """The environment's params with an error rate, rewards times `scale`."""
    params, rate_ = ENV.default_params, jnp.float32(rate)
    weights = {name: weight * jnp.float32(scale) for name, weight in params.weights.items()}
    return params.replace(weights=weights, slot_error=rate_, intent_error=rate_)


def measured(learner: Learner, state: PyTree, rate: float, key: jax.Array, num: int) -> Measures:
    """Of `num` dialogues."""
    played = rollout(ENV, params_of(rate), learner, state, key, num, max_steps=ENV.num_steps)
    return {
        "success": float(played.reward_terms["success"].mean()),
        "reward": float(played.episode_return.mean()),
        "turns": float(2 * played.episode_length.mean()),
    }


def learned(
    recipe: Recipe, rate: float, num_seeds: int, num: int, key: jax.Array
) -> list[Measures]:
    """Train the seeds of a row side by side, and measure each."""
    factory = registry.load(registry.learner_entry(recipe.learner).target)
    learner = factory(ENV, recipe.config, params=params_of(rate, 1.0 / (2 * ENV.max_turn)))
    keys = jax.random.split(key, num_seeds)
    result = train(learner, keys, num_updates=recipe.num_updates, progress=False)
    return [
        measured(learner, result.seed(index), rate, jax.random.key(1), num)
        for index in range(num_seeds)
    ]


def ruled(rate: float, num_seeds: int, num: int) -> list[Measures]:
    """The rule, which draws other dialogues for every seed."""
    learner = rule_policy(ENV)
    keys = jax.random.split(jax.random.key(1), num_seeds)
    return [measured(learner, (), rate, key, num) for key in keys]


def named(name: str, rate: float) -> str:
    """A row's name."""
    return f"{name}, error {rate:g}"


def rows(found: Mapping[str, Sequence[Measures]], recipes: Mapping[str, Recipe]) -> list[Row]:
    """A row for every measure of every policy at every rate."""
    sources = {
        name: f"{recipe.learner}, {record.changed_fields(recipe.config)}, "
        f"{recipe.num_updates} updates"
        for name in found
        for kind, recipe in recipes.items()
        if name.startswith(f"{kind}, error")
    }
    return measured_rows(found, sources, PUBLISHED, SOURCE)


def goals(found: Sequence[Row], seconds: float | None) -> list[Goal]:
    """Successes of the warm start where all is heard; and nobody below the rule at .30."""
    success = {row.name: row.value for row in found if row.metric == "success"}
    warm, noisiest = named("dqn, warm start", RATES[0]), RATES[-1]
    rule = success.get(named("rule", noisiest))
    asked = [Goal(f"{warm}: success", 0.98, success.get(warm))]
    for name in RECIPES:
        mine = success.get(named(name, noisiest))
        gap = None if mine is None or rule is None else mine - rule
        asked.append(Goal(f"{named(name, noisiest)}: success minus the rule's", 0.0, gap))
    return [*asked, Goal("the whole table, s", 1200, seconds, at_most=True)]


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv, seeds_argument(NUM_SEEDS))
    began = time.perf_counter()
    compilation_cache.enable()
    quick = options.quick
    num_seeds = min(options.seeds, QUICK_SEEDS) if quick else options.seeds
    num = QUICK_DIALOGUES if quick else NUM_DIALOGUES
    recipes = {
        name: recipe._replace(num_updates=QUICK_UPDATES) if quick else recipe
        for name, recipe in RECIPES.items()
    }
    steps = {}
    for rate in QUICK_RATES if quick else RATES:
        steps[named("rule", rate)] = functools.partial(ruled, rate, num_seeds, num)
        for name, recipe in recipes.items():
            steps[named(name, rate)] = functools.partial(
                learned, recipe, rate, num_seeds, num, jax.random.key(2)
            )
    table = rows(in_turn(steps), recipes)
    seconds = None if quick else time.perf_counter() - began
    session.finish(table, goals(table, seconds), worker.device())


if __name__ == "__main__":
    main()
