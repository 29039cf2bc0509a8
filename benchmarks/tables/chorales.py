"""Negative log-likelihood of Bach's chorales: GRU, LSTM and Transformer of one size.

Run `python -m benchmarks.tables.chorales [--quick]`. A frame of a quarter note is four tokens, from
the soprano down, and a network predicts each from all before it; what they sum to is an exact
likelihood of the frame. Every seed draws a split of the tunes into three parts, 60 to 20 to 20 as
usual, and first weights: networks learn from windows of the first part with the learner
`likelihood`, stop by the second, and are measured on whole pieces of the third. Baselines are
counted in the same splits. A row is the mean over seeds with its 95 percent interval. Settings were
chosen on a split that is not among these.

The published figures, of Chung et al. (arXiv 1412.3555, table 2), stand beside for orientation
only: they are of another edition and split of the chorales, and of networks that predict the
pitches of a frame, from the frames before, as independent of each other. Bai et al. (arXiv
1803.01271) report 8.10 for a convolutional network under that protocol.
"""

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from benchmarks.record import Goal, Row
from benchmarks.speed import worker
from benchmarks.tables import chorale_frames
from benchmarks.tables.chorale_frames import NUM_VOICES, START, WINDOW, Alphabet, Split
from benchmarks.tables.seeds import over_seeds
from creative_rl.configs import LikelihoodConfig
from creative_rl.experiment import compilation_cache, train
from creative_rl.learners import likelihood
from creative_rl.learners.likelihood import sequence_model
from creative_rl.networks import last_memory, repeat_memory
from creative_rl.ops import distributions
from creative_rl.spaces import Discrete
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Array, PyTree

NUM_SEEDS, QUICK_SEEDS = 3, 1
NUM_UPDATES, QUICK_UPDATES = 30, 1
NUM_WINDOWS, NUM_VALIDATION = 2048, 256
LENGTH = NUM_VOICES * WINDOW
TEST_BATCH = 16
METRIC = "nats a frame, held out"

_SHARED = LikelihoodConfig(batch_size=32, num_steps=20, patience=4, max_grad_norm=1.0)
MODELS: Mapping[str, LikelihoodConfig] = {
    "GRU": dataclasses.replace(_SHARED, recurrent="gru", memory_size=160, learning_rate=3e-3),
    "LSTM": dataclasses.replace(_SHARED, recurrent="lstm", memory_size=136, learning_rate=3e-3),
    "Transformer": dataclasses.replace(
        _SHARED,
        recurrent="transformer",
        memory_size=64,
        num_layers=3,
        num_heads=4,
        context=LENGTH,
        learning_rate=2e-3,
    ),
}
BASELINES = {"unigram": chorale_frames.unigram, "bigram": chorale_frames.bigram}
PUBLISHED = {"GRU": 8.54, "LSTM": 8.67}
_SOURCE = "published: arXiv 1412.3555, table 2, other split and protocol"


@dataclasses.dataclass(frozen=True)
class Tokens:
    """What the learner asks of an environment: the last token is observed, the next one chosen."""

    num: int
    horizon: None = None

    @property
    def observation_space(self) -> Discrete:
        return Discrete(self.num)

    @property
    def action_space(self) -> Discrete:
        return Discrete(self.num)


class Network:
    """One of `MODELS`, in programs that serve every seed."""

    def __init__(self, config: LikelihoodConfig, num_tokens: int):
        self._env, self._config = Tokens(num_tokens), config
        self._model = sequence_model(self._env, config)
        self._init = jax.jit(lambda key, windows: self._learner(windows).init(key))
        self._score = jax.jit(self._score_chunk)
        # What it learns from is in its state: the update is of whatever windows `init` was given.
        shapes = (NUM_WINDOWS, NUM_VALIDATION)
        nothing = Sequences(*(np.zeros((num, LENGTH + 1), np.uint8) for num in shapes))
        self._any = self._learner(nothing)

    def _learner(self, windows: Sequences):
        return likelihood(self._env, self._config, windows)

    def train(self, seed: int, windows: Sequences, num_updates: int) -> PyTree:
        """The learner's state after `num_updates`, or once it has finished."""
        key = jax.random.key(seed)
        start = self._init(key, windows)
        return train(self._any, key, num_updates, state=start, progress=False).state

    def num_weights(self, state: PyTree) -> int:
        return sum(leaf.size for leaf in jax.tree.leaves(state.variables))

    def nats_a_frame(self, variables: PyTree, pieces: Sequence[np.ndarray]) -> float:
        """The mean over all frames of whole pieces, each uint8[4 F]."""
        pieces = sorted(pieces, key=len)
        total = 0.0
        for begin in range(0, len(pieces), TEST_BATCH):
            batch = pieces[begin : begin + TEST_BATCH]
            num_chunks = -(-len(batch[-1]) // LENGTH)
            rows = np.full((1 + num_chunks * LENGTH, TEST_BATCH), START, np.int32)
            for column, piece in enumerate(batch):
                rows[1 : 1 + len(piece), column] = piece
            memory = repeat_memory(self._model.init_memory(), TEST_BATCH)
            for chunk in range(num_chunks):
                steps = rows[chunk * LENGTH : (chunk + 1) * LENGTH + 1]
                memory, nats = self._score(variables, memory, steps)
                total += float(nats)
        return total * NUM_VOICES / sum(map(len, pieces))

    def _score_chunk(self, variables: PyTree, memory: PyTree, steps: Array) -> tuple[PyTree, Array]:
        """The memory after int32[T + 1, B] tokens, and the nats of all but the first; no piece
        holds the token of the start, which fills what is behind its end."""
        no_starts = jnp.zeros(steps[1:].shape, jnp.bool_)
        logits, memories = self._model.apply(
            variables, steps[:-1], no_starts, memory, method="unroll"
        )
        log_probs = distributions.categorical_log_prob(logits, steps[1:])
        return last_memory(memories), -jnp.where(steps[1:] == START, 0.0, log_probs).sum()


def as_sequences(parts: Split, letters: Alphabet, seed: int) -> Sequences:
    """Windows to learn from and to stop by."""
    train, validation = (
        chorale_frames.draw_windows([letters.tokens(piece) for piece in pieces], num, seed)
        for pieces, num in ((parts.train, NUM_WINDOWS), (parts.validation, NUM_VALIDATION))
    )
    return Sequences(train, validation)


def learned(
    name: str, splits: Sequence[Split], letters: Alphabet, num_updates: int
) -> tuple[list[float], str]:
    """What a network reaches in every split, and how large it is."""
    network, found, num_weights = Network(MODELS[name], letters.num_tokens), [], 0
    for seed, parts in enumerate(splits):
        begin = time.perf_counter()
        state = network.train(seed, as_sequences(parts, letters, seed), num_updates)
        test = [letters.tokens(piece) for piece in parts.test]
        found.append(network.nats_a_frame(state.best_variables, test))
        num_weights = network.num_weights(state)
        seconds, done = time.perf_counter() - begin, int(state.num_updates)
        print(
            f"{name}, split {seed}: {found[-1]:.3f} after {done} updates ({seconds:.0f} s)",
            file=sys.stderr,
        )
    return found, f"{num_weights} weights"


def rows(found: Mapping[str, Sequence[float]], sources: Mapping[str, str]) -> list[Row]:
    """Means over splits."""
    made = []
    for name, values in found.items():
        parts = [sources[name], *([_SOURCE] if name in PUBLISHED else [])]
        made.append(over_seeds(name, METRIC, values, PUBLISHED.get(name), "; ".join(parts)))
    return made


def goals(table: Sequence[Row]) -> list[Goal]:
    """Of every network: to know more than each voice's last pitch."""
    values = {row.name: row.value for row in table}
    what = "{}: nats a frame, below a bigram's"
    return [
        Goal(what.format(name), values["bigram"], values[name], at_most=True) for name in MODELS
    ]


def main(argv: Sequence[str] | None = None) -> None:
    options, session = record.start(__doc__, __spec__, argv)
    compilation_cache.enable()
    chorales = chorale_frames.load()
    letters = chorale_frames.alphabet(list(chorales.pieces.values()))
    num_seeds = QUICK_SEEDS if options.quick else NUM_SEEDS
    num_updates = QUICK_UPDATES if options.quick else NUM_UPDATES
    splits = [chorale_frames.split_by_tune(chorales, seed) for seed in range(num_seeds)]
    found, sources = {}, dict.fromkeys(BASELINES, "counts plus one, of each voice by itself")
    for name, measure in BASELINES.items():
        found[name] = [measure(parts, letters) for parts in splits]
    for name in MODELS:
        found[name], sources[name] = learned(name, splits, letters, num_updates)
    table = rows(found, sources)
    session.finish(table, goals(table), worker.device(), record.versions(["music21"]))


if __name__ == "__main__":
    main()
