"""Several for one: policies that act together, and judges that pay together. Mean and variance.

Run `python -m benchmarks.tables.ensembles [--quick]`. The task is `accompaniment-chord` on songs of
four bars, 32 eighth notes: each chord is chosen before its melody note is heard.

Policies: seeds of one learner are trained side by side, and every four of them make a group, which
plays as a `mixture` and as a `product` of their policies (`learners.ensemble`, equal weights); all
play the same episodes. A row is of the groups: the return of a work; its deviation over works of
one policy; its deviation from policy to policy, of the members among all members; and beside them
`gain`, the return less the mean of the group's own members, and `variance`, that from policy to
policy as a share of the members'. `best member` is the one of each group that did best in these
very episodes, so that what it gains is flattered by luck. An ensemble has cost four trainings.

Judges: discriminators learn to tell 64 songs with their chords from chords by chance to the same
melodies, and then stay as they are; PPO is paid by nothing but what they say
(`wrappers.AdversarialReward`): one judge, or four with equal shares. It finds out what they take
for a song (Coste et al., arXiv 2310.02743, measure such overoptimisation of language models). What
came of it is told by what was held out: `fresh judge` is the probability that a judge gives the
works who has learned, when the policy was finished, from others of its works and from other songs
(0.5 where they cannot be told apart); `harmony` is the share of frames whose melody note is in the
chord, which nobody was paid for; both are of works to melodies that were not among the examples.
`own judges` is what those who paid thought in the end.

Figures are means over groups, or over seeds of the policies that were paid by judges, with 95
percent intervals; those of deviations and variances are the bootstrap's. Sizes were chosen on four
groups, and four seeds, of other keys. Those runs showed policies that draw to lose a little of
the mean where policies that take the best gain, and judges that go on learning (four steps an
update) to leave PPO without a signal where there are four, which is why these do not.
"""

import dataclasses
import functools
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables.acting import episode
from benchmarks.tables.seeds import Measures, over_seeds
from creative_rl.configs import DQNConfig, PPOConfig
from creative_rl.corpora import chord_labels
from creative_rl.corpora.songs import FRAMES_PER_BAR, songs
from creative_rl.envs.accompaniment import Accompaniment
from creative_rl.experiment import compilation_cache, rollout, train
from creative_rl.learners import dqn, ppo
from creative_rl.learners.demonstrating import demonstrate
from creative_rl.learners.ensemble import ensemble, of_members
from creative_rl.networks import PictureEncoder
from creative_rl.rewards import judge
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep
from creative_rl.wrappers import AdversarialReward

ENV = Accompaniment(num_frames=32, window=2)
NUM_GROUPS, QUICK_GROUPS = 8, 2
NUM_MEMBERS = 4
NUM_WORKS, QUICK_WORKS = 256, 32
POOLINGS = ("mixture", "product")
MEMBER, BEST = "a member", "best member"


class Recipe(NamedTuple):
    """How the members of a population are trained."""

    learner: Learner
    num_updates: int


DQN_UPDATES, PPO_UPDATES, QUICK_UPDATES = 300, 60, 10
DQN = DQNConfig(
    num_envs=16,
    num_steps=8,
    num_epochs=4,
    replay_size=8192,
    hidden_sizes=(64, 64),
    learning_rate=1e-3,
    gamma=0.9,
    target_interval=25,
    epsilon_steps=19_200,
)
PPO = PPOConfig(
    num_envs=16, num_steps=32, hidden_sizes=(64, 64), learning_rate=3e-3, gamma=1.0
)  # fmt: skip

NUM_SEEDS, QUICK_SEEDS = 8, 2
JUDGED_UPDATES, QUICK_JUDGED = 60, 2
NUM_CHANCE = 256
NUM_EXAMPLES, NUM_HELD_OUT, QUICK_HELD_OUT = 64, 512, 32
JUDGE_STEPS, FRESH_STEPS = 100, 300
WEIGHT = 10.0
NETWORK = PictureEncoder(1, "mlp", (64,))
JUDGED = PPOConfig(
    num_envs=32,
    num_steps=32,
    hidden_sizes=(64, 64),
    learning_rate=2e-3,
    gamma=1.0,
    entropy_coef=0.02,
)
ONE, SEVERAL = "ppo, one judge", f"ppo, mean of {NUM_MEMBERS} judges"
JUDGES: Mapping[str, int] = {ONE: 1, SEVERAL: NUM_MEMBERS}


class Played(NamedTuple):
    """Returns of the same episodes."""

    members: np.ndarray  # float[G, M, N]
    ensembles: dict[str, np.ndarray]  # float[G, N] each, by how they were pooled


def population(recipe: Recipe, num_groups: int, num_works: int, key: Key) -> Played:
    """Train the members of all groups in one program; play each alone, and every group as one."""
    trained = train(
        recipe.learner,
        key,
        num_updates=recipe.num_updates,
        num_seeds=num_groups * NUM_MEMBERS,
        progress=False,
    ).state

    def returns(learner: Learner, states: Sequence[PyTree]) -> np.ndarray:
        params, episodes = ENV.default_params, jax.random.key(1)
        return np.stack(
            [
                rollout(ENV, params, learner, state, episodes, num_works).episode_return
                for state in states
            ]
        )

    def part(rows: Any) -> PyTree:
        return jax.tree.map(lambda leaf: leaf[rows], trained)

    numbers = np.arange(num_groups * NUM_MEMBERS).reshape(num_groups, NUM_MEMBERS)
    groups = [of_members(part(rows)) for rows in numbers]
    alone = returns(recipe.learner, [part(number) for number in numbers.ravel()])
    return Played(
        alone.reshape(num_groups, NUM_MEMBERS, num_works),
        {
            pooling: returns(ensemble(ENV, recipe.learner, NUM_MEMBERS, pooling), groups)
            for pooling in POOLINGS
        },
    )


def policy_rows(name: str, played: Played) -> list[Row]:
    """Of the members, and of every way to be one; see above."""
    members = played.members.mean(axis=2)  # [G, M]
    best = members.argmax(axis=1)
    of_best = played.members[np.arange(len(best)), best]
    made = _rows_of(f"{name}: {MEMBER}", played.members)
    for kind, returns in {BEST: of_best, **played.ensembles}.items():
        means = returns.mean(axis=1)
        made += _rows_of(f"{name}: {kind}", returns[:, None])
        made.append(over_seeds(f"{name}: {kind}", "gain", (means - members.mean(axis=1)).tolist()))
        share = functools.partial(_share_of_variance, means, members)
        made.append(bootstrapped(f"{name}: {kind}", "variance", share, len(means)))
    return made


def _rows_of(name: str, returns: np.ndarray) -> list[Row]:
    """The return and its deviations, of policies in groups, float[G, P, N]."""
    means = returns.mean(axis=2)

    def deviation(groups: np.ndarray) -> float:
        return float(means[groups].std(ddof=1))

    return [
        over_seeds(name, "return", means.mean(axis=1).tolist()),
        over_seeds(name, "deviation over works", returns.std(axis=2).mean(axis=1).tolist()),
        bootstrapped(name, "deviation over policies", deviation, len(means)),
    ]


def _share_of_variance(means: np.ndarray, members: np.ndarray, groups: np.ndarray) -> float:
    return float(means[groups].var(ddof=1) / members[groups].var(ddof=1))


def bootstrapped(
    name: str, metric: str, statistic: Callable[[np.ndarray], float], num_groups: int
) -> Row:
    """A row of a statistic of the groups that are named by number, int[num_groups].

    Draws of one group again and again, which have no variance, are left out.
    """
    generator = np.random.default_rng(0)
    draws = generator.integers(num_groups, size=(2000, num_groups))
    draws = draws[(draws != draws[:, :1]).any(axis=1)]
    low, high = np.percentile([statistic(groups) for groups in draws], (2.5, 97.5))
    value = statistic(np.arange(num_groups))
    return Row(name, metric, value, float(low), float(high), num_groups)


@dataclasses.dataclass(frozen=True)
class FixedJudges(AdversarialReward):
    """Judges that have learned, and do not go on."""

    def update_params(self, params: PyTree, timesteps: Timestep) -> PyTree:
        return params


class Songs(NamedTuple):
    """Songs that are known: their melodies, and how they look with their chords."""

    melodies: Array  # uint8[N, T]
    pictures: Array  # uint8[N, T, 24, 1]


def known_songs(num: int, seed: int) -> Songs:
    """Songs with the chords that they were made from."""
    made = songs(num, ENV.num_frames, seed)
    melodies = jnp.asarray(made.melodies)
    return Songs(melodies, pictures_of(melodies, chord_labels.as_changes(made.chords)))


def by_chance(melodies: Array, num: int, key: Key) -> Array:
    """uint8[num, T, 24, 1]: melodies in turn, with uniform actions."""
    actions = jax.random.randint(key, (num, ENV.num_frames), 0, ENV.action_space.num)
    return pictures_of(melodies[jnp.arange(num) % len(melodies)], actions)


def pictures_of(melodies: Array, actions: Array | np.ndarray) -> Array:
    """How it looks to play these actions int[N, T] to these melodies uint8[N, T]."""
    params = jax.vmap(to_one)(melodies)
    _, states = demonstrate(ENV, params, jnp.asarray(actions, jnp.int32), jax.random.key(0))
    return jax.jit(jax.vmap(_picture))(states, params)


def to_one(melody: Array) -> PyTree:
    """The environment's params with one melody."""
    bars = jnp.full(1, FRAMES_PER_BAR, jnp.int32)
    return ENV.default_params.replace(melodies=melody[None], bars=bars)


def _picture(state: PyTree, params: PyTree) -> Array:
    return (ENV.appearance(state, params) * 255).astype(jnp.uint8)


def judged(
    num_judges: int, examples: Songs, held_out: Songs, num_seeds: int, num_updates: int, key: Key
) -> list[Measures]:
    """Train the seeds side by side, each paid by judges of its own; what is to be said of each."""
    env = FixedJudges(ENV, NETWORK, num_judges=num_judges)
    key_chance, key_judges, key_train, key_measure = jax.random.split(key, 4)
    chance = by_chance(examples.melodies, NUM_CHANCE, key_chance)
    rules = ENV.default_params
    unpaid = rules.replace(weights=jax.tree.map(jnp.zeros_like, rules.weights))

    def paid_by(key: Key) -> PyTree:
        """The environment's params with judges that have learned."""
        params = env.init_params(key, unpaid, examples.pictures, WEIGHT)
        counts = jnp.ones(len(chance), jnp.bool_)

        def learn(fresh: judge.Judge) -> judge.Judge:
            return judge.learn(NETWORK, fresh, examples.pictures, chance, counts, JUDGE_STEPS)

        return params.replace(judge=jax.vmap(learn)(params.judge))

    payers = jax.jit(jax.vmap(paid_by))(jax.random.split(key_judges, num_seeds))
    learner = ppo(env, JUDGED, jax.tree.map(lambda leaf: leaf[0], payers))

    def start(keys: Key) -> PyTree:
        return jax.vmap(lambda key, params: ppo(env, JUDGED, params).init(key))(keys, payers)

    result = train(
        learner,
        jax.random.split(key_train, num_seeds),
        num_updates=num_updates,
        state=start,
        progress=False,
    )
    own = result.metrics["episode_return"][-10:].mean(axis=0) / WEIGHT
    measure = jax.jit(jax.vmap(functools.partial(measured, learner, held_out)))
    found = jax.device_get(measure(result.state, jax.random.split(key_measure, num_seeds)))
    return [
        {"own judges": float(own[i]), **{name: float(column[i]) for name, column in found.items()}}
        for i in range(num_seeds)
    ]


def measured(learner: Learner, held_out: Songs, state: PyTree, key: Key) -> dict[str, Array]:
    """A work to each melody that was held out: what a fresh judge says, and the harmony."""
    key_play, key_judge = jax.random.split(key)

    def played(melody: Array, key: Key) -> tuple[Array, Array]:
        params = to_one(melody)
        env_state, (_, terms) = episode(ENV, params, learner, state, key)
        return _picture(env_state, params), terms["note_in_chord"].mean()

    keys = jax.random.split(key_play, len(held_out.melodies))
    pictures, in_chord = jax.vmap(played)(held_out.melodies, keys)
    told = fresh_judge(held_out.pictures, pictures, key_judge)
    return {"fresh judge": told, "harmony": in_chord.mean()}


def fresh_judge(real: Array, made: Array, key: Key) -> Array:
    """The mean probability of being real that a judge gives to the second half of what was made,
    uint8[N, H, W, C], who has learned from the first halves."""
    half = len(made) // 2
    fresh = judge.init(NETWORK, key, made.shape[1:])
    counts = jnp.ones(half, jnp.bool_)
    fresh = judge.learn(NETWORK, fresh, real[:half], made[:half], counts, FRESH_STEPS)
    return judge.likelihood(NETWORK, fresh, made[half:] / jnp.float32(255)).mean()


def judged_rows(found: Mapping[str, Sequence[Measures]]) -> list[Row]:
    """Every measure's mean over seeds, and the deviation of what the fresh judge says."""
    made = []
    for name, seeds in found.items():
        made += [
            over_seeds(name, metric, [measures[metric] for measures in seeds])
            for metric in seeds[0]
        ]
        told = np.array([measures["fresh judge"] for measures in seeds])
        made.append(
            bootstrapped(
                name,
                "fresh judge, deviation",
                lambda seeds, told=told: float(told[seeds].std(ddof=1)),
                len(told),
            )
        )
    return made


def goals(found: Sequence[Row]) -> list[Goal]:
    """Ensembles gain in the mean and lose in variance, with 95 percent confidence; several judges
    bring nearer to what was held out than one does, and vary less."""
    by_name = {(row.name, row.metric): row for row in found}
    asked = []
    for name in dict.fromkeys(row.name.partition(":")[0] for row in found if ":" in row.name):
        for pooling in POOLINGS:
            gain, share = (by_name[f"{name}: {pooling}", what] for what in ("gain", "variance"))
            asked += [
                Goal(f"{name}: gain in return of a {pooling}, low end", 0.0, gain.low),
                Goal(f"{name}: variance of a {pooling}, high end", 1.0, share.high, at_most=True),
            ]
    for metric, high, low in (
        ("fresh judge", SEVERAL, ONE),
        ("fresh judge, deviation", ONE, SEVERAL),
    ):
        above, below = by_name[high, metric], by_name[low, metric]
        what = f"{metric}: gap between the intervals, {high} above {low}"
        gap = None if above.low is None or below.high is None else above.low - below.high
        asked.append(Goal(what, 0.0, gap))
    return asked


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    compilation_cache.enable()
    quick = options.quick
    recipes = {"dqn": Recipe(dqn(ENV, DQN), QUICK_UPDATES if quick else DQN_UPDATES)}
    if not quick:
        recipes["ppo"] = Recipe(ppo(ENV, PPO), PPO_UPDATES)
    table = []
    for name, recipe in recipes.items():
        begin = time.perf_counter()
        sizes = (QUICK_GROUPS, QUICK_WORKS) if quick else (NUM_GROUPS, NUM_WORKS)
        table += policy_rows(name, population(recipe, *sizes, jax.random.key(0)))
        print(f"{name}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    examples = known_songs(NUM_EXAMPLES, seed=0)
    held_out = known_songs(QUICK_HELD_OUT if quick else NUM_HELD_OUT, seed=1)
    seeds, num_updates = (QUICK_SEEDS, QUICK_JUDGED) if quick else (NUM_SEEDS, JUDGED_UPDATES)
    found = {}
    for name, num_judges in JUDGES.items():
        begin = time.perf_counter()
        found[name] = judged(num_judges, examples, held_out, seeds, num_updates, jax.random.key(2))
        print(f"{name}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    table += judged_rows(found)
    session.finish(table, goals(table), worker.device())


if __name__ == "__main__":
    main()
