"""SeqGAN's synthetic benchmark: likelihood at every temperature, SeqGAN and PPO, against one judge.

Run `python -m benchmarks.tables.seqgan [--quick] [--seeds NUM] [--oracle FILE]`. Every seed draws
an oracle, an LSTM with weights from N(0, 1), and 10,000 texts of 20 tokens out of 5,000 that it
writes; `--oracle` takes the weights of SeqGAN's code (save/target_params.pkl) for all seeds.

`nll_oracle` is what the oracle thinks of a model's texts, `nll_test` what a model thinks of texts
of the oracle that it has not seen, both in nats a token; `normalised` is 0 for the oracle's own
texts (`floor`) and 1 for uniform tokens. NLL_oracle alone is gamed by a low temperature, and one
text, said again and again, scores below the floor. So the rows of likelihood at temperatures below
1 are the frontier that anything else is to be held against, in `nll_test`, self-BLEU (3-grams) and
the share of unique texts, which stand beside it. `below the frontier` says how much lower a row's
nll_oracle is than the frontier's at the same nll_test; only what is positive is a win.

`likelihood` is SeqGAN's generator after its pre-training and an epoch more; `SeqGAN` goes on with a
smaller discriminator, fewer samples and some likelihood steps in every round, less than an epoch;
`PPO` tunes the first for a discriminator's opinion (`AdversarialReward`) and its likelihood (KL
control), without the oracle. The published figures are of the released oracle and of longer
training.
"""

import argparse
import dataclasses
import functools
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import charts, seqgan_models
from benchmarks.tables.seeds import Measures, measured_rows, seeds_argument
from benchmarks.tables.seqgan_models import Bounds
from creative_rl.configs import LikelihoodConfig, PPOConfig, SeqGANConfig
from creative_rl.envs.text_oracle import OracleText, OracleTextParams
from creative_rl.experiment import compilation_cache, train
from creative_rl.learners import ppo, seqgan, sequence_model
from creative_rl.ops import token_lstm
from creative_rl.ops.token_lstm import TokenLSTM
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Array
from creative_rl.wrappers import AdversarialReward, LikelihoodReward

NUM_SEEDS = 3
TEMPERATURES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
SOURCE = "published: Yu et al., arXiv 1609.05473, on the released oracle"
PUBLISHED = {
    "random": {"nll_oracle": 10.310},
    "likelihood": {"nll_oracle": 9.038},
    "SeqGAN": {"nll_oracle": 8.736},
}


@dataclasses.dataclass(frozen=True)
class Size:
    """How large everything is.

    Attributes:
      env: the environment.
      config: of SeqGAN, whose first `pretrain_updates` make the likelihood model.
      num_rounds: adversarial updates.
      tuner: of PPO.
      num_tunings: its updates.
      num_train: texts to learn from.
      num_test: texts that no model sees, and as many of each model's own.
    """

    env: OracleText
    config: SeqGANConfig
    num_rounds: int
    tuner: PPOConfig
    num_tunings: int
    num_train: int
    num_test: int


FULL = Size(
    env=OracleText(),
    config=SeqGANConfig(
        num_rollouts=8,
        num_likelihood_steps=2,
        num_discriminator_rounds=1,
        num_discriminator_epochs=1,
        num_samples=1280,
        windows=(1, 2, 3, 4, 5),
        filters=(50, 50, 50, 50, 50),
        baseline=True,
        pretrain_updates=8,
        discriminator_pretrain_updates=20,
        policy_learning_rate=5e-3,
        discriminator_learning_rate=1e-3,
    ),
    num_rounds=60,
    tuner=PPOConfig(
        num_envs=64,
        num_steps=20,
        num_epochs=2,
        num_minibatches=4,
        recurrent="lstm",
        memory_size=32,
        learning_rate=1e-3,
        entropy_coef=0.0,
        entropy_reward_coef=0.05,
        gamma=1.0,
    ),
    num_tunings=80,
    num_train=10_000,
    num_test=2000,
)
QUICK = dataclasses.replace(
    FULL,
    env=OracleText(num_tokens=40, length=5, embedding_size=4, memory_size=4),
    config=dataclasses.replace(
        FULL.config, num_rollouts=2, num_samples=64, memory_size=4, embedding_size=4,
        windows=(1, 2), filters=(4, 4), pretrain_updates=1, discriminator_pretrain_updates=1,
    ),
    num_rounds=1,
    tuner=dataclasses.replace(FULL.tuner, num_envs=8, num_steps=5, memory_size=4),
    num_tunings=1,
    num_train=128,
    num_test=64,
)  # fmt: skip
KL_WEIGHT = 0.05
"""Of the likelihood beside a discriminator whose opinion of a text is at most 1; the policy's
entropy has the same, so that both make KL control."""


class Task(NamedTuple):
    """One seed's oracle, and the texts that it wrote."""

    params: OracleTextParams
    limits: Bounds
    sequences: Sequences
    test: Array  # int32[N, T]


def make_task(size: Size, seed: int, oracle: TokenLSTM | None) -> Task:
    """Of a fresh oracle, unless there is one."""
    env = size.env
    keys = jax.random.split(jax.random.key(seed), 3)
    if oracle is None:
        sizes = env.num_tokens, env.embedding_size, env.memory_size
        oracle = token_lstm.normal(keys[0], *sizes)
    params = env.with_oracle(oracle)
    sequences = env.sequences(keys[1], params, size.num_train, size.num_test)
    limits = seqgan_models.bounds(oracle, keys[2], size.num_test, env.length)
    return Task(params, limits, sequences, jnp.asarray(sequences.held_out[:, 1:], jnp.int32))


def generators(size: Size, task: Task, seed: int) -> tuple[TokenLSTM, TokenLSTM, dict[str, float]]:
    """The likelihood model, SeqGAN's generator, and what became of its reward.

    The first has an epoch more than the pre-training of the second, which has fewer likelihood
    steps than that in all of its rounds: what the second is better by, it has not from them.
    """
    learner, key = seqgan(size.env, size.config, task.sequences), jax.random.key(seed)
    first = size.config.pretrain_updates
    rest = size.config.discriminator_pretrain_updates + size.num_rounds
    start = learner.init(key)
    if first > 1:
        start = train(learner, key, num_updates=first - 1, progress=False).state
    # All three calls run one program; the count of updates is what says the phase.
    model = train(learner, key, num_updates=1, state=start, progress=False).state.generator
    skipped = start.replace(num_updates=jnp.int32(first))
    after = train(learner, key, num_updates=rest, state=skipped, progress=False)
    told = {name: float(values[-1]) for name, values in after.metrics.items()}
    return model, after.state.generator, told


def tuned(size: Size, task: Task, model: TokenLSTM, seed: int) -> TokenLSTM:
    """The model after PPO, paid by a discriminator and held to itself."""
    env = size.env
    network = sequence_model(
        env, LikelihoodConfig(recurrent="lstm", memory_size=size.tuner.memory_size)
    )
    prior = seqgan_models.to_policy(model)
    judged = AdversarialReward(LikelihoodReward(env, network))
    # The oracle has no say.
    unpaid = task.params.replace(weights={"oracle": jnp.float32(0)})
    inner = judged.env.init_params(unpaid, prior, KL_WEIGHT)
    examples = env.looks(np.asarray(task.sequences.train)[:2000, 1:])
    params = judged.init_params(jax.random.key(seed), inner, examples)
    learner = ppo(judged, size.tuner, params=params, prior_variables=prior)
    result = train(learner, jax.random.key(seed), num_updates=size.num_tunings, progress=False)
    return seqgan_models.from_policy(result.state.variables["actor"])


def measures(size: Size, task: Task, seed: int) -> dict[str, Measures]:
    """All rows of one seed."""
    oracle, key = task.params.oracle, jax.random.key(100 + seed)
    measure = functools.partial(
        seqgan_models.at_temperature,
        oracle=oracle, limits=task.limits, test=task.test, key=key, num=size.num_test,
    )  # fmt: skip
    shape = task.test.shape
    uniform = jax.random.randint(key, shape, 0, oracle.num_tokens, jnp.int32)
    log_tokens = float(np.log(oracle.num_tokens))
    found = {"random": seqgan_models.measured(oracle, task.limits, uniform, log_tokens)}
    begin = time.perf_counter()
    model, adversarial, told = generators(size, task, seed)
    for temperature in TEMPERATURES:
        found[name_of(temperature)] = measure(model, temperature=temperature)
    found["SeqGAN"] = measure(adversarial)
    print(f"seed {seed}, SeqGAN: {told} ({time.perf_counter() - begin:.0f} s)", file=sys.stderr)
    begin = time.perf_counter()
    found["PPO"] = measure(tuned(size, task, model, seed))
    print(f"seed {seed}, PPO ({time.perf_counter() - begin:.0f} s)", file=sys.stderr)
    for name in ("SeqGAN", "PPO"):
        found[name]["below the frontier"] = margin(found, name)
    return found


def name_of(temperature: float) -> str:
    """Of a row of likelihood."""
    return "likelihood" if temperature == 1.0 else f"likelihood, temperature {temperature:g}"


def margin(found: Mapping[str, Measures], name: str) -> float:
    """How much lower a row's NLL_oracle is than the frontier's at its NLL_test, or a lower one."""
    points = np.array([
        [found[name_of(t)][metric] for metric in ("nll_test", "nll_oracle")] for t in TEMPERATURES
    ])  # fmt: skip
    along = np.linspace(0, len(points) - 1, 50 * len(points))
    line = np.stack([np.interp(along, range(len(points)), column) for column in points.T], axis=1)
    allowed = line[:, 0] <= found[name]["nll_test"]
    # A row of a lower NLL_test than all of the frontier is held against the lowest of it.
    allowed |= line[:, 0] == line[:, 0].min()
    return float(line[allowed, 1].min() - found[name]["nll_oracle"])


def rows(found: Mapping[str, Sequence[Measures]], limits: Sequence[Bounds]) -> list[Row]:
    """Means over seeds, the limits first."""
    ends = {
        "floor": [{"nll_oracle": limit.floor} for limit in limits],
        "uniform": [{"nll_oracle": limit.uniform} for limit in limits],
    }
    sources = dict.fromkeys(ends, "the oracle's own texts, and uniform tokens")
    return measured_rows({**ends, **found}, sources, PUBLISHED, SOURCE)


def goals(table: Sequence[Row], seconds: float | None) -> list[Goal]:
    """What was asked of SeqGAN; nothing was measured of it where the sizes are `QUICK`."""
    value = {(row.name, row.metric): row.value for row in table}
    published = "SeqGAN: nll_oracle at temperature 1, against the published"
    likely = "SeqGAN: nll_test minus that of likelihood"
    stretch = "SeqGAN: nll_oracle below the frontier at equal nll_test, stretch"
    lost = value["SeqGAN", "nll_test"] - value["likelihood", "nll_test"]
    asked = [
        Goal(published, 8.736, value["SeqGAN", "nll_oracle"], at_most=True),
        Goal(likely, 0.0, lost, at_most=True),
        Goal(stretch, 0.0, value["SeqGAN", "below the frontier"]),
    ]
    if seconds is None:
        asked = [dataclasses.replace(goal, value=None) for goal in asked]
    return [*asked, Goal("the whole table, s", 1500, seconds, at_most=True)]


def draw(found: Mapping[str, Sequence[Measures]], limits: Sequence[Bounds]) -> bytes:
    """NLL_oracle against NLL_test: the frontier, what is held against it, and the floor."""
    figure = charts.chart(6.4, 4.2)
    axis = figure.add_subplot()

    def place(name: str) -> tuple[float, float]:
        x, y = (np.mean([seed[m] for seed in found[name]]) for m in ("nll_test", "nll_oracle"))
        return float(x), float(y)

    line = np.array([place(name_of(temperature)) for temperature in TEMPERATURES])
    axis.plot(*line.T, "o-", color="#6a7183", markersize=4, label="likelihood, by temperature")
    for temperature, (x, y) in zip(TEMPERATURES, line, strict=True):
        axis.annotate(f"{temperature:g}", (x, y), (6, 3), textcoords="offset points", fontsize=8)
    for name, color, mark in (("SeqGAN", "#4a5fd0", "s"), ("PPO", "#c2571a", "^")):
        axis.plot(*place(name), mark, color=color, markersize=8, label=f"{name}, temperature 1")
    floor = float(np.mean([limit.floor for limit in limits]))
    axis.axhline(floor, color="#2e8b57", linewidth=1, linestyle="--", label="the oracle's own")
    axis.set_xlabel("NLL_test: what the model thinks of new texts of the oracle")
    axis.set_ylabel("NLL_oracle: what the oracle thinks of its texts")
    axis.legend(frameon=False, fontsize=8)
    return charts.encode(figure)


def _add_oracle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--oracle", metavar="FILE", help="SeqGAN's save/target_params.pkl")


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv, seeds_argument(NUM_SEEDS), _add_oracle)
    began = time.perf_counter()
    compilation_cache.enable()
    size, num_seeds = (QUICK, 1) if options.quick else (FULL, options.seeds)
    oracle = None
    if options.oracle is not None and not options.quick:
        oracle = dataclasses.replace(size.env, oracle=options.oracle).default_params.oracle
    found: dict[str, list[Measures]] = {}
    limits = []
    for seed in range(num_seeds):
        task = make_task(size, seed, oracle)
        limits.append(task.limits)
        for name, values in measures(size, task, seed).items():
            found.setdefault(name, []).append(values)
    table = rows(found, limits)
    session.picture(lambda: draw(found, limits))
    seconds = None if options.quick else time.perf_counter() - began
    session.finish(table, goals(table, seconds), worker.device())


if __name__ == "__main__":
    main()
