"""What a new run takes from outside: the corpus that it learns from, or the prior that it tunes."""

import dataclasses
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from creative_rl import registry
from creative_rl.configs import LikelihoodConfig, shared
from creative_rl.corpora.texts import TextCorpus
from creative_rl.envs.text import FreeText
from creative_rl.envs.text_oracle import OracleText
from creative_rl.experiment.opening import load_states, open_run, seed_state
from creative_rl.experiment.spec import RunSpec
from creative_rl.networks import Model
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import PyTree

if TYPE_CHECKING:
    from creative_rl.corpora import Corpus


class Written(NamedTuple):
    """What an environment gives to learn from by itself; it has no pieces with names."""

    sequences: Sequences
    train_names: tuple[str, ...] = ()
    train_pieces: tuple[np.ndarray, ...] = ()


def prepare(spec: RunSpec, given: Iterable[str] = ()) -> tuple[RunSpec, PyTree]:
    """Read the corpus or the prior, and note in the spec what later needs to know of them.

    Their paths are made absolute, so that the run finds them from everywhere.

    Args:
      spec: what is to be run.
      given: fields of the learner's config that somebody chose, so that a prior must not differ.

    Returns:
      The spec, and what `build` makes it of: the corpus's sequences, the prior's variables of its
      best seed, or None.

    Raises:
      ValueError: the corpus or the prior cannot be read or does not fit.
    """
    if spec.corpus is not None:
        spec = dataclasses.replace(spec, corpus=_absolute(spec.corpus))
        corpus = load_corpus(spec)
        if isinstance(corpus, TextCorpus):
            spec = _with_tokens(spec, corpus.vocabulary.pieces, corpus.vocabulary.end)
        sequences = corpus.sequences
        num_train, length = sequences.train.shape
        sizes = (num_train, sequences.held_out.shape[0], length)
        return dataclasses.replace(spec, corpus_sizes=sizes), sequences
    if (prior := spec.prior) is not None:
        spec = _with_tokens_of(prior, spec)
        prior_config, variables = load_prior(prior, spec)
        config = _with_memory_of(prior_config, spec.config, given)
        path = os.path.abspath(prior)
        spec = dataclasses.replace(spec, config=config, prior=path, prior_config=prior_config)
        return spec, variables
    return spec, None


def _absolute(corpus: str) -> str:
    """Where a folder is; the name of a corpus stays."""
    from creative_rl.corpora.sources import NAMES

    is_folder = corpus not in NAMES and os.path.exists(corpus)
    return os.path.abspath(corpus) if is_folder else corpus


def load_corpus(spec: RunSpec) -> "Corpus | TextCorpus | Written":
    """The corpus that a spec names, in windows of its environment's horizon.

    For environments that write it is one of text; `text-oracle` has its own, which its oracle
    writes.

    Raises:
      ValueError: it cannot be read, or there is no horizon.
      ImportError: it needs a library that is not installed.
    """
    from creative_rl import corpora

    env = registry.make(spec.environment, **spec.env_overrides)
    if env.horizon is None:
        raise ValueError(f"a corpus is cut to the horizon, but {spec.environment} has none")
    if isinstance(env, OracleText):
        if spec.corpus != "default":
            raise ValueError(
                f"{spec.environment} is learned from what its oracle writes; leave --corpus out, "
                f"got {spec.corpus}"
            )
        return Written(env.sequences(jax.random.key(spec.seed), env.default_params))
    if isinstance(env, FreeText):
        return corpora.load_text(
            str(spec.corpus), length=env.length, num_subwords=env.num_subwords, ends=env.ends
        )
    return corpora.load(str(spec.corpus), length=env.horizon)


def load_prior(path: str, spec: RunSpec) -> tuple[LikelihoodConfig, PyTree]:
    """Config and best variables of a likelihood run, of its best seed.

    Raises:
      ValueError: it is another kind of run, or of another environment than `spec`'s.
    """
    opened = open_run(path)
    prior = opened.run.spec
    if prior.learner != "likelihood":
        raise ValueError(
            f"the prior {path} is a run of {prior.learner}; it must be one of likelihood"
        )
    if (prior.environment, prior.env_overrides) != (spec.environment, spec.env_overrides):
        raise ValueError(
            f"the prior {path} models {prior.environment} {dict(prior.env_overrides)}, but the run "
            f"is of {spec.environment} {dict(spec.env_overrides)}; they must be the same"
        )
    states = load_states(opened)
    best = int(np.argmin(states.best_nll))
    return prior.config, seed_state(states.best_variables, best)


def _with_tokens(spec: RunSpec, pieces: tuple[str, ...], end: int | None) -> RunSpec:
    """The spec of an environment that writes with these tokens; it adds the end itself."""
    if end is not None:
        pieces = pieces[:end] + pieces[end + 1 :]
    overrides = {**spec.env_overrides, "vocabulary": pieces}
    return dataclasses.replace(spec, env_overrides=overrides)


def _with_tokens_of(prior: str, spec: RunSpec) -> RunSpec:
    """The spec with the tokens of a prior that wrote with those of a corpus."""
    overrides = open_run(prior).run.spec.env_overrides
    theirs = {name: overrides[name] for name in _TOKENS if name in overrides}
    return dataclasses.replace(spec, env_overrides={**theirs, **spec.env_overrides})


_TOKENS = ("vocabulary", "num_subwords", "ends")
"""Fields of an environment that its corpus decides, or decides on."""


def _with_memory_of(prior: LikelihoodConfig, config: Any, given: Iterable[str]) -> Any:
    """The policy's config with the prior's memory, whose variables it starts from."""
    defaults = type(config)()
    fields = shared(prior, Model)
    wanted = {name: value for name, value in fields.items() if hasattr(config, name)}
    if prior.recurrent == "transformer" and "context" not in wanted:
        raise ValueError(
            "the prior's memory is a transformer's, which the replay of dqn does not keep; train a "
            "prior with recurrent='lstm' or 'gru', or take ppo"
        )
    for name, value in wanted.items():
        chosen = getattr(config, name)
        is_chosen = name in given or chosen != getattr(defaults, name)
        if is_chosen and chosen != value:
            raise ValueError(
                f"{name} is {value!r} in the prior, which the policy starts from, got {chosen!r}; "
                f"leave {name} out"
            )
    return dataclasses.replace(config, **wanted)
