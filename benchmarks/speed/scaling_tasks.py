"""What `scaling` measures, and the terms of its laws. Imports nothing heavy."""

import dataclasses
from collections.abc import Callable, Mapping

ENVIRONMENTS = ("melody-theory", "accompaniment-chord", "grid-path", "drawing-digits")
QUICK_ENVIRONMENT = "grid-path"
WIDTHS = tuple(64 * 2**power for power in range(9))
"""64 to 16,384 environments."""
CANVAS_ENVIRONMENT, CANVAS_WIDTH = "drawing-copy", 64
CANVASES = (16, 32, 64, 128)
"""Heights, and widths, of a canvas in pixels."""
PPO, DQN, PAINT = "ppo", "dqn", "ppo-drawing"
COPY, TRIAD, PRODUCT = "copy", "triad", "product"
"""Units beside all others: a copy by NumPy, `x + 1` by XLA, and products of matrices."""
UPDATE_ENVIRONMENT = "melody-target"


@dataclasses.dataclass(frozen=True)
class Update:
    """Sizes of a learner's update.

    Attributes:
      learner: `PPO`, `DQN` or `PAINT`, which is PPO on a canvas.
      num_envs: environments side by side.
      num_steps: steps of each.
      hidden_size: width of both hidden layers.
      batch_size: of a gradient step of DQN.
      canvas: pixels of a side, of `PAINT`.
    """

    learner: str
    num_envs: int
    num_steps: int
    hidden_size: int
    batch_size: int = 0
    canvas: int = 0

    @property
    def key(self) -> str:
        """Its name in one word: a unit of the worker."""
        sizes = {
            "N": self.num_envs, "T": self.num_steps, "width": self.hidden_size,
            "batch": self.batch_size, "canvas": self.canvas,
        }  # fmt: skip
        return ",".join([self.learner, *(f"{name}={size}" for name, size in sizes.items() if size)])

    @property
    def steps(self) -> int:
        """Environment steps of an update."""
        return self.num_envs * self.num_steps


PPO_GRADIENTS = 16
"""Gradient steps of an update of PPO: 4 epochs of 4 minibatches, its defaults."""


def operations(task: Update, parameters: float) -> float:
    """Floating-point operations in an update's products of matrices, two for a multiplication.

    PPO: forward 2 for each parameter to act on a step, and in each of 4 epochs forward 2 and
    backward 4. DQN: 2 to act; for each sample of the batch the next values of both networks, then
    forward and backward of one, 2 + 2 + 2 + 4.
    """
    if task.learner == DQN:
        return (2 * task.steps + 10 * task.batch_size) * parameters
    return (2 + 4 * 6) * task.steps * parameters


_PPO, _DQN = Update(PPO, 128, 32, 64), Update(DQN, 16, 1, 64, batch_size=128)
_change = dataclasses.replace
FITTED: Mapping[str, tuple[Update, ...]] = {
    PPO: (
        _PPO,
        *(_change(_PPO, num_envs=n) for n in (32, 512)),
        *(_change(_PPO, num_steps=t) for t in (8, 128)),
        *(_change(_PPO, hidden_size=w) for w in (32, 128, 256)),
        Update(PPO, 32, 8, 256),
    ),
    DQN: (
        _DQN,
        *(_change(_DQN, num_envs=n) for n in (64, 256)),
        *(_change(_DQN, batch_size=b) for b in (32, 512)),
        *(_change(_DQN, hidden_size=w) for w in (128, 256, 512)),
        _change(_DQN, batch_size=32, hidden_size=512),
    ),
    PAINT: tuple(Update(PAINT, 16, 10, 64, canvas=side) for side in (16, 32, 64)),
}
"""One size at a time is changed from the first; and in the last two or more, since no number of
points on such a cross could tell a term in steps times parameters from the sum of both."""
FORETOLD: Mapping[str, tuple[Update, ...]] = {
    PPO: (Update(PPO, 512, 8, 256), Update(PPO, 32, 128, 128)),
    DQN: (Update(DQN, 64, 1, 256, batch_size=512), Update(DQN, 256, 1, 128, batch_size=32)),
    PAINT: (),
}
"""Several sizes are changed at once: the law, which was not fitted to them, must foretell them."""

Terms = Mapping[str, Callable[[Update, float], float]]
UPDATE, STEP, SAMPLE = "an update", "an environment step", "a sample"
OPERATION, PARAMETER, PIXEL = "an operation", "a parameter", "an environment step and pixel"
"""What the seconds of a law's coefficients are for."""
_ALL: Terms = {
    UPDATE: lambda task, parameters: 1.0,
    STEP: lambda task, parameters: task.steps,
    SAMPLE: lambda task, parameters: task.batch_size,
    OPERATION: operations,
    PARAMETER: lambda task, parameters: parameters,
    PIXEL: lambda task, parameters: task.steps * task.canvas**2,
}
TERMS: Mapping[str, Terms] = {
    learner: {name: _ALL[name] for name in names}
    for learner, names in {
        PPO: (UPDATE, STEP, OPERATION, PARAMETER),
        DQN: (UPDATE, STEP, SAMPLE, OPERATION, PARAMETER),
        PAINT: (STEP, PIXEL),
    }.items()
}
"""The terms of each learner's law."""


def updates(learner: str, quick: bool) -> tuple[Update, ...]:
    """What is measured of a learner; quick ones are the first two."""
    return FITTED[learner][:2] if quick else (*FITTED[learner], *FORETOLD[learner])
