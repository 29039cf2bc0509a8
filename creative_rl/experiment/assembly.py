"""From a spec to the environment and the learner.

What a run takes from outside (a corpus, a prior) is read once, by `preparation`, and lives in the
learner's state from then on; `build` without it makes the same shapes, which is all that a
checkpoint needs, so that a run is whole when corpus and prior are gone.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import registry
from creative_rl.envs.writing import Writing
from creative_rl.experiment.spec import RunSpec
from creative_rl.learners import requirements
from creative_rl.learners.likelihood import sequence_model
from creative_rl.ops.events import NUM_EVENTS
from creative_rl.registry import unknown_name
from creative_rl.stores.sequences import Sequences, smallest_integers
from creative_rl.typing import Key, Learner, PyTree
from creative_rl.wrappers import LikelihoodReward


def check(spec: RunSpec) -> None:
    """Raise ValueError where environment or learner refuse their sizes, before anything is read."""
    env = registry.make(spec.environment, **spec.env_overrides)
    entry = registry.learner_entry(spec.learner)
    if spec.corpus is None:
        registry.load(entry.target)(env, spec.config, _params(env, spec))
    elif entry.needs_corpus:
        requirements.num_actions(spec.learner, env)
        requirements.never_resets(spec.learner, env)
        requirements.fixed_horizon(spec.learner, env)


def build(spec: RunSpec, materials: PyTree = None) -> tuple[Any, Learner]:
    """The environment (with the prior's reward around it, where there is one) and the learner.

    Args:
      spec: with a corpus or a prior, as `preparation.prepare` returned it.
      materials: from there too, the corpus's sequences or the prior's variables; None for stand-ins
        of the same shapes, to go on from a checkpoint.

    Raises:
      ValueError: a field of environment or learner is unknown or out of range.
    """
    env = registry.make(spec.environment, **spec.env_overrides)
    entry = registry.learner_entry(spec.learner)
    factory = registry.load(entry.target)
    if spec.corpus is not None:
        sequences = _stand_in_sequences(env, spec) if materials is None else materials
        if entry.needs_corpus:
            return env, factory(env, spec.config, sequences)
        return env, factory(env, spec.config, _params(env, spec), _looks(env, sequences))
    params = _params(env, spec)
    if spec.prior is None:
        return env, factory(env, spec.config, params)
    if spec.prior_config is None:
        raise ValueError(f"the config of the prior {spec.prior} is not known; prepare the spec")
    # In G-learning the prior is in the policy, not in the reward.
    is_g = getattr(spec.config, "target", None) == "g"
    env = LikelihoodReward(env, sequence_model(env, spec.prior_config), observe_prior=is_g)
    variables = env.default_params.variables if materials is None else materials
    params = env.init_params(params, variables, 0.0 if is_g else spec.prior_weight)
    return env, factory(env, spec.config, params=params, prior_variables=variables)


def seed_keys(spec: RunSpec) -> Key:
    """The key of `seed`, or [num_seeds] keys: row i is the key of a single run with `seed + i`."""
    if spec.num_seeds is None:
        return jax.random.key(spec.seed)
    return jax.vmap(jax.random.key)(np.arange(spec.num_seeds, dtype=np.uint32) + spec.seed)


def _params(env: Any, spec: RunSpec) -> PyTree:
    """The environment's defaults, with the spec's weights of reward terms."""
    params = env.default_params
    for name in spec.weights:
        if name not in params.weights:
            known = sorted(params.weights)
            raise ValueError(f"{spec.environment}: {unknown_name('reward term', name, known)}")
    chosen = {name: jnp.float32(weight) for name, weight in spec.weights.items()}
    return params.replace(weights={**params.weights, **chosen}) if chosen else params


def _looks(env: Any, sequences: Sequences) -> np.ndarray:
    """uint8[M, ...]: the sequences' events as piano rolls, or as texts look, in the form of
    `env.appearance`."""
    if isinstance(env, Writing):
        return np.asarray(env.looks(np.asarray(sequences.train)[:, 1:]))
    num_actions = getattr(env.action_space, "num", None)
    if num_actions != NUM_EVENTS:
        raise ValueError(
            f"a corpus has {NUM_EVENTS} events, which must be the environment's actions, such as "
            f"those of melody-theory; got {env.action_space}"
        )
    events = np.asarray(sequences.train)[:, 1:]  # the first is what an episode starts from
    rolls = events[..., None] == np.arange(env.action_space.num)
    return (255 * rolls[..., None]).astype(np.uint8)


def _stand_in_sequences(env: Any, spec: RunSpec) -> Sequences:
    if spec.corpus_sizes is None:
        raise ValueError(f"the sizes of the corpus {spec.corpus} are not known; prepare the spec")
    num_train, num_held_out, length = spec.corpus_sizes
    kind = smallest_integers(requirements.num_actions(spec.learner, env))
    return Sequences(jnp.zeros((num_train, length), kind), jnp.zeros((num_held_out, length), kind))
