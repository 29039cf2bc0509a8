"""From a spec to the environment and the learner, and from a run directory to its state.

What a run takes from outside (a corpus, a prior) is read once, by `prepare`, and lives in the
learner's state from then on; `build` without it makes the same shapes, which is all that a
checkpoint needs, so that a run is whole when corpus and prior are gone.
"""

import dataclasses
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import registry
from creative_rl.configs import LikelihoodConfig
from creative_rl.experiment import checkpoint
from creative_rl.experiment.run import Run
from creative_rl.experiment.spec import RunSpec
from creative_rl.learners.likelihood import sequence_model
from creative_rl.ops.events import NUM_EVENTS
from creative_rl.registry import unknown_name
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Key, Learner, PyTree
from creative_rl.wrappers import LikelihoodReward

if TYPE_CHECKING:
    from creative_rl.corpora import Corpus

_MEMORY_FIELDS = ("recurrent", "memory_size", "num_layers", "num_heads", "context")


class Materials(NamedTuple):
    """What a new run takes from outside."""

    sequences: Sequences | None = None
    prior_variables: PyTree = None


class OpenRun(NamedTuple):
    """A run directory with what it was made of."""

    run: Run
    env: Any
    learner: Learner


def check(spec: RunSpec) -> None:
    """Raise ValueError where environment or learner refuse their sizes, before anything is read."""
    env = registry.make(spec.environment, **spec.env_overrides)
    if spec.corpus is None:
        params = _params(env, spec)
        registry.load(registry.learner_entry(spec.learner).target)(env, spec.config, params)


def prepare(spec: RunSpec, given: Iterable[str] = ()) -> tuple[RunSpec, Materials]:
    """Read the corpus or the prior, and note in the spec what later needs to know of them.

    Args:
      spec: what is to be run.
      given: fields of the learner's config that somebody chose, so that a prior must not differ.

    Raises:
      ValueError: the corpus or the prior cannot be read or does not fit.
    """
    if spec.corpus is not None:
        sequences = _load_sequences(spec)
        num_train, length = sequences.train.shape
        sizes = (num_train, sequences.held_out.shape[0], length)
        return dataclasses.replace(spec, corpus_sizes=sizes), Materials(sequences=sequences)
    if spec.prior is not None:
        prior_config, variables = load_prior(spec.prior, spec)
        config = _with_memory_of(prior_config, spec.config, given)
        spec = dataclasses.replace(spec, config=config, prior_config=prior_config)
        return spec, Materials(prior_variables=variables)
    return spec, Materials()


def build(spec: RunSpec, materials: Materials | None = None) -> tuple[Any, Learner]:
    """The environment (with the prior's reward around it, where there is one) and the learner.

    Args:
      spec: with a corpus or a prior, as `prepare` returned it.
      materials: from `prepare`; None for stand-ins of the same shapes, to go on from a checkpoint.

    Raises:
      ValueError: a field of environment or learner is unknown or out of range.
    """
    env = registry.make(spec.environment, **spec.env_overrides)
    factory = registry.load(registry.learner_entry(spec.learner).target)
    if spec.corpus is not None:
        sequences: PyTree = materials.sequences if materials else _stand_in_sequences(spec)
        if spec.learner == "dqn_gan":
            return env, factory(env, spec.config, _params(env, spec), _looks(env, sequences))
        return env, factory(env, spec.config, sequences)
    params = _params(env, spec)
    if spec.prior is None:
        return env, factory(env, spec.config, params)
    if spec.prior_config is None:
        raise ValueError(f"the config of the prior {spec.prior} is not known; prepare the spec")
    # In G-learning the prior is in the policy, not in the reward.
    is_g = getattr(spec.config, "target", None) == "g"
    env = LikelihoodReward(env, sequence_model(env, spec.prior_config), observe_prior=is_g)
    variables = materials.prior_variables if materials else env.default_params.variables
    params = env.init_params(params, variables, 0.0 if is_g else spec.prior_weight)
    return env, factory(env, spec.config, params=params, prior_variables=variables)


def seed_keys(spec: RunSpec) -> Key:
    """The key of `seed`, or [num_seeds] keys: row i is the key of a single run with `seed + i`."""
    if spec.num_seeds is None:
        return jax.random.key(spec.seed)
    return jax.vmap(jax.random.key)(np.arange(spec.num_seeds, dtype=np.uint32) + spec.seed)


def open_run(path: str | os.PathLike) -> OpenRun:
    """Read a run directory and build what it was made of.

    Raises:
      ValueError: it is no run that this version of environment and package can go on with.
    """
    run = Run.open(path)
    try:
        env, learner = build(run.spec)
    except FileNotFoundError as error:
        raise ValueError(
            f"{path}: what it was trained on must lie where it was: {error}"
        ) from error
    run.check_environment(env.version)
    return OpenRun(run, env, learner)


def load_states(opened: OpenRun) -> PyTree:
    """The newest checkpoint's state, always with a leading axis of seeds.

    Raises:
      ValueError: there is no checkpoint that can be read.
    """
    run, _, learner = opened
    keys = seed_keys(run.spec)
    init = learner.init if run.spec.num_seeds is None else jax.vmap(learner.init)
    state, _ = checkpoint.restore(run.checkpoints, jax.eval_shape(init, keys))
    return state if run.spec.num_seeds is not None else jax.tree.map(lambda leaf: leaf[None], state)


def seed_state(states: PyTree, index: int) -> PyTree:
    """One seed's state."""
    return jax.tree.map(lambda leaf: leaf[index], states)


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


def _params(env: Any, spec: RunSpec) -> PyTree:
    """The environment's defaults, with the spec's weights of reward terms."""
    params = env.default_params
    for name in spec.weights:
        if name not in params.weights:
            known = sorted(params.weights)
            raise ValueError(f"{spec.environment}: {unknown_name('reward term', name, known)}")
    chosen = {name: jnp.float32(weight) for name, weight in spec.weights.items()}
    return params.replace(weights={**params.weights, **chosen}) if chosen else params


def _with_memory_of(prior: LikelihoodConfig, config: Any, given: Iterable[str]) -> Any:
    """The policy's config with the prior's memory, whose variables it starts from."""
    defaults = type(config)()
    names = [field.name for field in dataclasses.fields(config) if field.name in _MEMORY_FIELDS]
    if prior.recurrent == "transformer" and "context" not in names:
        raise ValueError(
            "the prior's memory is a transformer's, which the replay of dqn does not keep; train a "
            "prior with recurrent='lstm' or 'gru', or take ppo"
        )
    wanted = {name: getattr(prior, name) for name in names}
    for name, value in wanted.items():
        chosen = getattr(config, name)
        is_chosen = name in given or chosen != getattr(defaults, name)
        if is_chosen and chosen != value:
            raise ValueError(
                f"{name} is {value!r} in the prior, which the policy starts from, got {chosen!r}; "
                f"leave {name} out"
            )
    return dataclasses.replace(config, **wanted)


def load_corpus(spec: RunSpec) -> "Corpus":
    """The corpus that a spec names, in windows of its environment's horizon.

    Raises:
      ValueError: it cannot be read, or there is no horizon.
      ImportError: it needs a library that is not installed.
    """
    from creative_rl import corpora

    env = registry.make(spec.environment, **spec.env_overrides)
    if env.horizon is None:
        raise ValueError(f"a corpus is cut to the horizon, but {spec.environment} has none")
    return corpora.load(str(spec.corpus), length=env.horizon)


def _load_sequences(spec: RunSpec) -> Sequences:
    return load_corpus(spec).sequences


def _looks(env: Any, sequences: Sequences) -> np.ndarray:
    """uint8[M, T, A, 1]: the sequences' events as piano rolls, in the form of `env.appearance`."""
    num_actions = getattr(env.action_space, "num", None)
    if num_actions != NUM_EVENTS:
        raise ValueError(
            f"a corpus has {NUM_EVENTS} events, which must be the environment's actions, such as "
            f"those of melody-theory; got {env.action_space}"
        )
    events = np.asarray(sequences.train)[:, 1:]  # the first is what an episode starts from
    rolls = events[..., None] == np.arange(env.action_space.num)
    return (255 * rolls[..., None]).astype(np.uint8)


def _stand_in_sequences(spec: RunSpec) -> Sequences:
    if spec.corpus_sizes is None:
        raise ValueError(f"the sizes of the corpus {spec.corpus} are not known; prepare the spec")
    num_train, num_held_out, length = spec.corpus_sizes
    return Sequences(
        jnp.zeros((num_train, length), jnp.uint8), jnp.zeros((num_held_out, length), jnp.uint8)
    )
