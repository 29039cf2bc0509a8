"""The configs of all learners: frozen dataclasses that are also pytrees.

A field marked `static()` changes shapes or control flow, so it is part of the compiled program;
any other field is a number and may be a tracer, so that `jax.vmap` runs over it. This module
imports no JAX: command lines read it before anything is compiled. The marks are those that
`jax.tree_util.register_dataclass` understands; each learner's module registers its own config.
"""

from creative_rl.configs.evolution import *  # noqa: F403
from creative_rl.configs.fields import *  # noqa: F403
from creative_rl.configs.generative import *  # noqa: F403
from creative_rl.configs.reinforcement import *  # noqa: F403
from creative_rl.configs.rules import validate as validate
