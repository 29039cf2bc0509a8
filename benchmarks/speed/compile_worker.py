"""Training's programs, one after the other: traced, walked and compiled; worker of `compile_time`.

On one core and without a cache, see there.
"""

import functools
import sys
import time
from collections.abc import Mapping
from typing import Any

import jax

from benchmarks.speed import worker
from creative_rl import configs
from creative_rl.experiment import RunSpec, compile_time, memory
from creative_rl.experiment.assembly import build
from creative_rl.experiment.liveness import peak_bytes
from creative_rl.experiment.preparation import prepare

_SMALL = {"height": 16, "width": 16}
SPECS = {
    "q_learning": RunSpec("grid-path", "q_learning"),
    "ppo": RunSpec("melody-theory", "ppo"),
    "ppo, lstm": RunSpec("melody-theory", "ppo", configs.PPOConfig(recurrent="lstm")),
    "dqn": RunSpec("melody-theory", "dqn"),
    "dqn, gru": RunSpec("melody-theory", "dqn", configs.DQNConfig(recurrent="gru")),
    "dqn, large replay": RunSpec("grid-path", "dqn", configs.DQNConfig(replay_size=1_000_000)),
    "a2c": RunSpec("chords", "a2c"),
    "reinforce": RunSpec("melody-variety", "reinforce"),
    "sac": RunSpec("drawing-copy", "sac", env_overrides=_SMALL),
    "slateq": RunSpec("recommendation-interest", "slateq"),
    "apg": RunSpec("drawing-pixels", "apg", env_overrides={**_SMALL, "differentiable": True}),
    "spiral": RunSpec("drawing-style", "spiral", env_overrides=_SMALL),
    "dqn_gan": RunSpec("drawing-style", "dqn_gan", env_overrides=_SMALL),
    "gan": RunSpec("drawing-pixels", "gan", env_overrides=_SMALL),
    "video_gan": RunSpec("animation-pixels", "video_gan", env_overrides=_SMALL),
    "dagger": RunSpec("sculpture-boxes", "dagger", env_overrides={"sees_target": True}),
    "map_elites": RunSpec("melody-theory", "map_elites"),
    "vae": RunSpec("drawing-pixels", "vae", env_overrides=_SMALL),
    "likelihood": RunSpec("text-oracle", "likelihood", corpus="default"),
    "seqgan": RunSpec("text-oracle", "seqgan", corpus="default"),
    "music_vae": RunSpec("melody-theory", "music_vae", corpus="ryans-mammoth"),
}
"""One for every learner, and some more: defaults, but for canvases that are quickly traced."""
QUICK = ("q_learning",)


def measure(spec: RunSpec) -> Mapping[str, Any]:
    """What is foretold of the program that trains a run, and what compiling it finds."""
    spec, materials = prepare(spec)
    learner = build(spec, materials)[1]
    begin = time.process_time()
    traced = memory.traced_chunk(learner)
    traced_at = time.process_time()
    donated = [argument.donated for argument in jax.tree.leaves(traced.args_info)]
    num_bytes = peak_bytes(traced.jaxpr, donated)
    walked_at = time.process_time()
    compiled = compile_time.compile_it(traced)
    return {
        "equations": compile_time.num_equations(traced.jaxpr),
        "foretold_seconds": compile_time.estimate(traced.jaxpr),
        "foretold_bytes": num_bytes,
        "xla_bytes": compiled.num_bytes,
        "trace_seconds": traced_at - begin,
        "walk_seconds": walked_at - traced_at,
        "compile_seconds": time.process_time() - walked_at,
    }


def main(size: str) -> None:
    worker.own_the_output()
    names = QUICK if size == "quick" else tuple(SPECS)
    units = {name: functools.partial(_unit, name) for name in names}
    worker.serve({"device": worker.device()}, units)


def _unit(name: str, number: int) -> Mapping[str, Any]:
    return measure(SPECS[name])


if __name__ == "__main__":
    main(*sys.argv[1:])
