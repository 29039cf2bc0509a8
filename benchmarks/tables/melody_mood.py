"""Does a melody follow the mood that it was given? Targets never trained on, and what came of them.

Run `python -m benchmarks.tables.melody_mood [--quick]`. PPO learns `melody-mood` on its 64 targets
of valence and arousal, and then composes to 256 others of the same square, one melody each. Both
feelings are told by the environment's declared rule (`ops.affect`), so the table says that the
policy is conditioned and not that anybody would feel it. Rows, of each feeling: Pearson's
correlation of what was asked and what came, and the mean distance between them (-1 to 1 is 2);
beside them the same policy with a target that is always the middle of the square, which is what
ignoring the target leads to. The picture shows where it cannot follow: arousal stays above -0.15,
because the rules that are paid beside it (motifs; no hold more than a few times in a row) forbid
melodies of long notes. Means over seeds with 95 percent intervals; the picture is of
the first seed.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import charts
from benchmarks.tables.seeds import over_seeds
from creative_rl.configs import PPOConfig
from creative_rl.envs.melody_mood import MoodMelody, mood_targets
from creative_rl.experiment import compilation_cache, train
from creative_rl.learners import ppo
from creative_rl.learners.composing import compose
from creative_rl.ops import affect
from creative_rl.typing import Array, Key, PyTree

NUM_SEEDS, QUICK_SEEDS = 5, 2
NUM_UPDATES, QUICK_UPDATES = 300, 20
FIRST_HELD_OUT, NUM_HELD_OUT = 65, 256
FEELINGS = ("valence", "arousal")
FOLLOWS, IGNORES = "ppo", "ppo, told nothing"
LEAST_CORRELATION = 0.9
CONFIG = PPOConfig(
    num_envs=128, num_steps=32, hidden_sizes=(128, 128), learning_rate=2e-3, gamma=1.0
)


@jax.jit
def felt(events: Array) -> Array:
    """Valence and arousal, float32[N, 2], of melodies int[N, T]."""

    def one(events: Array) -> Array:
        def step(stats: affect.AffectStats, event: Array) -> tuple[affect.AffectStats, None]:
            return affect.update_affect(stats, event), None

        stats, _ = jax.lax.scan(step, affect.init_affect(), events)
        return jnp.stack([affect.valence(stats), affect.arousal(stats)])

    return jax.vmap(one)(events)


def followed(num_seeds: int, num_updates: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The held-out targets [N, 2], and what every seed's melodies are, float[seeds, N, 2]."""
    env = MoodMelody()
    learner = ppo(env, CONFIG)
    result = train(
        learner, jax.random.key(0), num_updates=num_updates, num_seeds=num_seeds, progress=False
    )
    targets = mood_targets(NUM_HELD_OUT, first=FIRST_HELD_OUT)

    def composed(state: PyTree, target: Array, key: Key) -> Array:
        """What a melody to one target is."""
        params = env.default_params.replace(targets=target[None])
        act = functools.partial(learner.act, state)
        return felt(compose(env, params, act, learner.init_memory, key, 1).events)[0]

    each = jax.jit(jax.vmap(jax.vmap(composed, (None, 0, 0)), (0, None, None)))
    keys = jax.random.split(jax.random.key(1), NUM_HELD_OUT)
    return targets, {
        FOLLOWS: np.asarray(each(result.state, jnp.asarray(targets), keys)),
        IGNORES: np.asarray(each(result.state, jnp.zeros_like(targets), keys)),
    }


def rows(targets: np.ndarray, found: dict[str, np.ndarray]) -> list[Row]:
    """Of every policy and feeling the correlation and the distance; see above."""
    made = []
    for name, seeds in found.items():
        for column, feeling in enumerate(FEELINGS):
            asked, came = targets[:, column], seeds[..., column]
            measures = {
                f"{feeling}: correlation": [correlation(asked, one) for one in came],
                f"{feeling}: distance": np.abs(came - asked).mean(axis=1).tolist(),
            }
            made += [over_seeds(name, metric, values) for metric, values in measures.items()]
    return made


def correlation(asked: np.ndarray, came: np.ndarray) -> float:
    """Pearson's; 0 where nothing varies.

    >>> correlation(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])).__round__(6)
    1.0
    """
    if came.std() == 0 or asked.std() == 0:
        return 0.0
    return float(np.corrcoef(asked, came)[0, 1])


def goals(found: Sequence[Row]) -> list[Goal]:
    """Both feelings follow."""
    value = {(row.name, row.metric): row.value for row in found}
    return [
        Goal(
            f"{feeling} on held-out targets, correlation",
            LEAST_CORRELATION,
            value[FOLLOWS, f"{feeling}: correlation"],
        )
        for feeling in FEELINGS
    ]


def picture(targets: np.ndarray, came: np.ndarray) -> bytes:
    """A PNG file: what came against what was asked, a panel a feeling."""
    figure = charts.chart(7, 3.4)
    for column, feeling in enumerate(FEELINGS):
        axis = figure.add_subplot(1, 2, column + 1)
        axis.plot([-1, 1], [-1, 1], color="0.7", linewidth=1, zorder=0)
        axis.scatter(targets[:, column], came[:, column], s=9, alpha=0.7, linewidths=0)
        axis.set(title=feeling, xlabel="asked", ylabel="composed", xlim=(-1, 1), ylim=(-1, 1))
        axis.set_aspect("equal")
    return charts.encode(figure)


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    compilation_cache.enable()
    num_seeds = QUICK_SEEDS if options.quick else NUM_SEEDS
    targets, found = followed(num_seeds, QUICK_UPDATES if options.quick else NUM_UPDATES)
    table = rows(targets, found)
    session.finish(table, goals(table), worker.device())
    session.picture(lambda: picture(targets, found[FOLLOWS][0]))


if __name__ == "__main__":
    main()
