"""What is left of a policy's return when its observations are perturbed to mislead it?

Run `python -m benchmarks.tables.robustness [--quick]`. PPO learns `melody-mood` three times:

- `plain`, as it is;
- `noise`: every observation moved by a uniform draw up to the radius of training;
- `robust`: with the loss against the worst perturbation up to that radius (`robust_steps` of
  `creative_rl.learners.ppo`: SA-PPO, Zhang et al., arXiv 2003.08938).

Then all are attacked: every observation of an episode is moved by up to a radius in every feature,
by projected gradient in three ways (`creative_rl.experiment.robustness`), and what is reported is
the least of the three mean returns at this radius or a smaller one. It bounds the worst case from
above: no attack is proven to be the best.

A radius is in the unit of the feature: of the mood that is wanted and of the one that is reached
-1 .. 1, of the time 0 .. 1, of the last event an entry of its one-hot, 0 .. 1.

The goal is measured at a radius of 0.1. That is half of the spacing of the 64 moods that are
trained on, so it blurs what is wanted a little and hides nothing; a one-hot entry could move by
0.5 before the event could be mistaken. Training has the same radius. Means over seeds with 95
percent intervals, seeds side by side in one program; settings were chosen on other seeds.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import charts
from benchmarks.tables.seeds import interval, over_seeds
from creative_rl.configs import PPOConfig
from creative_rl.envs.melody_mood import MoodMelody
from creative_rl.experiment import compilation_cache, train
from creative_rl.experiment.robustness import ATTACKS, attacked_returns
from creative_rl.learners import ppo
from creative_rl.networks import feature_space, features
from creative_rl.spaces import Box
from creative_rl.typing import Array, Key, PyTree, Timestep, as_key
from creative_rl.wrappers import Wrapper

NUM_SEEDS, QUICK_SEEDS = 3, 2
NUM_UPDATES, QUICK_UPDATES = 250, 4
NUM_EPISODES, QUICK_EPISODES = 256, 16
RADII, QUICK_RADII = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3), (0.0, 0.1)
RADIUS = 0.1
"""Of training, and of the goal."""
PLAIN, NOISE, ROBUST = "plain", "noise", "robust"
LEAST_RATIO, LEAST_CLEAN = 1.5, 0.95
CONFIG = PPOConfig(
    num_envs=128, num_steps=32, hidden_sizes=(128, 128), learning_rate=2e-3, gamma=1.0
)
ROBUST_FIELDS: Mapping[str, Any] = dict(robust_steps=1, robust_coef=0.03, robust_radius=RADIUS)
Curves = dict[str, np.ndarray]
"""Of every attack the mean returns, float[seeds, radii]."""


@dataclasses.dataclass(frozen=True)
class NoisyFeatures(Wrapper):
    """Observations as features, each moved by a uniform draw.

    Attributes:
      radius: the most that a feature moves.
    """

    radius: float

    @property
    def observation_space(self) -> Box:
        return feature_space(self.env.observation_space)

    def observe(self, state: PyTree, params: PyTree) -> Array:
        """Without noise: what `reset` and `transition` move."""
        return features(self.env.observation_space, self.env.observe(state, params))

    def reset(self, key: Key, params: PyTree) -> tuple[PyTree, Timestep]:
        key_reset, key_noise = jax.random.split(as_key(key))
        state, timestep = self.env.reset(key_reset, params)
        return state, self._moved(key_noise, timestep)

    def transition(
        self, key: Key, state: PyTree, action: Array, params: PyTree
    ) -> tuple[PyTree, Timestep]:
        key_step, key_noise = jax.random.split(as_key(key))
        state, timestep = self.env.transition(key_step, state, action, params)
        return state, self._moved(key_noise, timestep)

    def _moved(self, key: Key, timestep: Timestep) -> Timestep:
        seen = features(self.env.observation_space, timestep.observation)
        noise = jax.random.uniform(key, seen.shape, seen.dtype, -self.radius, self.radius)
        return timestep.replace(observation=seen + noise)


def learned(name: str, num_seeds: int, num_updates: int) -> PyTree:
    """The variables of every seed's networks, leaves [seeds, ...]."""
    env, config = MoodMelody(), CONFIG
    if name == ROBUST:
        config = dataclasses.replace(config, **ROBUST_FIELDS)
    learner = ppo(NoisyFeatures(env, RADIUS) if name == NOISE else env, config)
    result = train(
        learner, jax.random.key(0), num_updates=num_updates, num_seeds=num_seeds, progress=False
    )
    return result.state.variables


def curves(policies: Mapping[str, PyTree], radii: Sequence[float], num: int) -> dict[str, Curves]:
    """What every policy reaches under every attack; one program an attack."""
    env, key = MoodMelody(), jax.random.key(1)
    found: dict[str, Curves] = {name: {} for name in policies}
    for attack in ATTACKS:

        def mean_return(variables: PyTree, radius: Array, attack: str = attack) -> Array:
            return attacked_returns(
                env, env.default_params, CONFIG, variables, key, num, attack=attack, radius=radius
            ).mean()

        each = jax.jit(jax.vmap(mean_return, (0, None)))
        for name, variables in policies.items():
            means = [each(variables, jnp.float32(radius)) for radius in radii]
            found[name][attack] = np.stack([np.asarray(mean) for mean in means], axis=1)
    return found


def worst(found: Curves) -> np.ndarray:
    """float[seeds, radii]: of each seed under the attack that does most, at this radius or less."""
    return np.minimum.accumulate(np.min(list(found.values()), axis=0), axis=1)


def rows(found: Mapping[str, Curves], radii: Sequence[float]) -> list[Row]:
    """A policy's worst return at every radius, and what each attack alone does."""
    made = []
    for name, policy in found.items():
        for number, radius in enumerate(radii):
            made.append(over_seeds(name, f"radius {radius:g}", worst(policy)[:, number]))
    place = list(radii).index(RADIUS)
    for name, policy in found.items():
        for attack, returns in policy.items():
            alone = f"{name}, {attack.replace('_', ' ')} alone"
            made.append(over_seeds(alone, f"radius {RADIUS:g}", returns[:, place]))
    return made


def goals(found: Mapping[str, Curves], radii: Sequence[float]) -> list[Goal]:
    """Far better under attack, and hardly worse without; ratios of means over seeds."""
    means = {name: worst(policy).mean(axis=0) for name, policy in found.items()}
    place = list(radii).index(RADIUS)
    return [
        Goal(
            f"worst return at radius {RADIUS:g}, robust to plain (to 1 where plain has less)",
            LEAST_RATIO,
            ratio(means[ROBUST][place], means[PLAIN][place]),
        ),
        Goal("return without attack, robust to plain", LEAST_CLEAN,
             ratio(means[ROBUST][0], means[PLAIN][0])),
    ]  # fmt: skip


def ratio(value: float, reference: float) -> float:
    """Of two returns; a reference below 1 counts as 1, so that the figure never flatters.

    >>> ratio(3.0, 2.0), ratio(3.0, -5.0)
    (1.5, 3.0)
    """
    return float(value / max(reference, 1.0))


def picture(found: Mapping[str, Curves], radii: Sequence[float]) -> bytes:
    """A PNG file: worst returns against the radius, intervals shaded."""
    figure = charts.chart(5.2, 3.4)
    axis = figure.add_subplot()
    for name, policy in found.items():
        returns = worst(policy)
        low, high = np.array([interval(column) for column in returns.T]).T
        (line,) = axis.plot(radii, returns.mean(axis=0), marker="o", markersize=3, label=name)
        axis.fill_between(radii, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    axis.axvline(RADIUS, color="0.7", linewidth=1, zorder=0)
    axis.set(xlabel="radius of the attack", ylabel="worst return")
    axis.legend(frameon=False)
    return charts.encode(figure)


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    compilation_cache.enable()
    num_seeds, num_updates, num_episodes, radii = (
        (QUICK_SEEDS, QUICK_UPDATES, QUICK_EPISODES, QUICK_RADII)
        if options.quick
        else (NUM_SEEDS, NUM_UPDATES, NUM_EPISODES, RADII)
    )
    names = (PLAIN, NOISE, ROBUST)
    policies = {name: learned(name, num_seeds, num_updates) for name in names}
    found = curves(policies, radii, num_episodes)
    session.finish(rows(found, radii), goals(found, radii), worker.device())
    session.picture(lambda: picture(found, radii))


if __name__ == "__main__":
    main()
