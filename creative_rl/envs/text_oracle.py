"""Write tokens that an LSTM of random weights thinks likely: SeqGAN's synthetic benchmark."""

import dataclasses
import functools
from typing import ClassVar

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.corpora.oracle_file import read_oracle
from creative_rl.environment import check_whole
from creative_rl.envs.writing import Writing
from creative_rl.ops import token_lstm
from creative_rl.ops.token_lstm import TokenLSTM
from creative_rl.rewards import text as rewards
from creative_rl.stores.sequences import Sequences, with_start
from creative_rl.typing import Array, Key, Term
from creative_rl.works.vocabulary import Vocabulary, numbered
from creative_rl.works.writing import Text


class OracleTextState(flax.struct.PyTreeNode):
    """The text so far, and what the oracle thinks of it."""

    tokens: Array  # int32[L]
    step: Array  # int32
    memory: token_lstm.Memory  # float32[H] twice: the oracle's, from before the last token
    log_prob: Array  # float32: of the last token


class OracleTextParams(flax.struct.PyTreeNode):
    """Weights of the reward terms and the oracle."""

    weights: dict[str, Array]
    oracle: TokenLSTM


@dataclasses.dataclass(frozen=True, kw_only=True)
class OracleText(Writing):
    """SeqGAN's synthetic benchmark: tokens are worth what an oracle gives them.

    The oracle is an LSTM with weights drawn from N(0, 1), so that everything about its language is
    known: likelihoods, samples, entropy. A return divided by -`length` is NLL_oracle.

    | | |
    |---|---|
    | id | `text-oracle` |
    | version | 1 |
    | observation | Discrete(num_tokens), the last token (0 at reset) |
    | action | Discrete(num_tokens), the next token |
    | reward terms | `oracle` (1.0): log p of the token given those before it, in nats |
    | horizon | `length` = 20 steps |
    | termination | after `length` steps |

    Source: Yu et al., SeqGAN (AAAI 2017), arXiv 1609.05473, section 4, and its released code.

    Deviations: the reward is the oracle's, where SeqGAN's generator is paid by a discriminator (the
    learner `seqgan`); the oracle is a fresh one unless a file is given.

    Attributes:
      length: tokens in a text, 1 to 1024.
      observe_step: observations are a dict of the last `token` and the `step`.
      num_tokens: of the vocabulary, 2 to 65536.
      embedding_size: of the oracle, 1 to 1024.
      memory_size: of the oracle, 1 to 1024.
      oracle_seed: of its weights.
      oracle: a file of weights of these sizes, as SeqGAN's save/target_params.pkl; None for fresh
        ones.
    """

    length: int = 20
    num_tokens: int = 5000
    embedding_size: int = 32
    memory_size: int = 32
    oracle_seed: int = 0
    oracle: str | None = None
    terms: tuple[Term, ...] = (rewards.ORACLE,)
    num_examples: ClassVar[int] = 1000

    def __post_init__(self):
        super().__post_init__()
        check_whole("OracleText", "num_tokens", self.num_tokens, 2, 1 << 16)
        check_whole("OracleText", "embedding_size", self.embedding_size, 1, 1024)
        check_whole("OracleText", "memory_size", self.memory_size, 1, 1024)
        check_whole("OracleText", "oracle_seed", self.oracle_seed, 0, 2**31 - 1)

    @property
    def letters(self) -> Vocabulary:
        return numbered(self.num_tokens)

    @property
    def default_params(self) -> OracleTextParams:
        sizes = self.num_tokens, self.embedding_size, self.memory_size
        if self.oracle is None:
            return self.with_oracle(token_lstm.normal(jax.random.key(self.oracle_seed), *sizes))
        oracle = read_oracle(self.oracle)
        found = (*oracle.embedding.shape, oracle.recurrent.shape[0])
        if found != sizes:
            raise ValueError(
                f"OracleText: num_tokens, embedding_size and memory_size must be the oracle's, "
                f"{', '.join(map(str, found))} in {self.oracle}, got {', '.join(map(str, sizes))}"
            )
        return self.with_oracle(oracle)

    def with_oracle(self, oracle: TokenLSTM) -> OracleTextParams:
        """Params with weights of your own, such as `token_lstm.normal` draws."""
        return OracleTextParams(self.default_weights, oracle)

    def initial_state(self, key: Key, params: OracleTextParams) -> OracleTextState:
        return OracleTextState(
            tokens=jnp.zeros(self.length, jnp.int32),
            step=jnp.int32(0),
            memory=token_lstm.init_memory(params.oracle),
            log_prob=jnp.float32(0),
        )

    def next_state(
        self, key: Key, state: OracleTextState, action: Array, params: OracleTextParams
    ) -> OracleTextState:
        token, tokens = self.written(state, action)
        memory, logits = token_lstm.step(params.oracle, state.memory, self.last_token(state))
        log_prob = logits[token] - jax.nn.logsumexp(logits)
        return OracleTextState(tokens, state.step + 1, memory, log_prob)

    def work(self, state: OracleTextState, params: OracleTextParams) -> Text:
        return Text(tokens=state.tokens, length=state.step, vocabulary=self.letters)

    def examples(self, params: OracleTextParams) -> Array:
        """Of `num_examples` texts that the oracle writes."""
        drawn = token_lstm.sample(
            params.oracle, jax.random.key(0), self.num_examples, self.length, self.start
        )
        return self.looks(drawn)

    def sequences(
        self, key: Key, params: OracleTextParams, num_train: int = 10_000, num_held_out: int = 1000
    ) -> Sequences:
        """Texts that the oracle writes, to learn from."""
        parts = []
        for part_key, num in zip(jax.random.split(key), (num_train, num_held_out), strict=True):
            tokens = _sample(params.oracle, part_key, num, self.length, self.start)
            parts.append(jnp.asarray(with_start(tokens, self.start, self.num_tokens)))
        return Sequences(*parts)


_sample = functools.partial(jax.jit, static_argnums=(2, 3, 4))(token_lstm.sample)
