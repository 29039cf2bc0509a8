"""What a run needs, told before it is begun: memory by its parts, width that fits, compile time."""

import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping

from creative_rl.experiment import checkpoint, compile_time, memory
from creative_rl.experiment.assembly import build
from creative_rl.experiment.compile_time import Compiled, num_equations
from creative_rl.experiment.devices import Placement, place
from creative_rl.experiment.memory import shown
from creative_rl.experiment.preparation import prepare
from creative_rl.experiment.spec import RunSpec
from creative_rl.experiment.widths import largest_width
from creative_rl.typing import Learner

WIDTHS = ("num_envs", "batch_size")
"""Fields of a config that say how much is done side by side; the first that there is counts."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run needs.

    Attributes:
      parts: bytes on the device when it is fullest, by `memory.PARTS`.
      available: bytes that there are; None where that is not known.
      width_name: the field of the config that says how wide the run is, of `WIDTHS`.
      width: its value.
      largest: its largest value that fits and that the learner takes; 0 where none does, None
        where the available bytes are not known.
      num_equations: of the traced program.
      compile_seconds: how long it takes to compile, as `compile_time.estimate` tells.
      compiled: what compiling it found; None where it was not compiled.
      is_learners: whether it is the learner that bounds `largest`, and not the memory.
    """

    parts: Mapping[str, int]
    available: int | None
    width_name: str
    width: int
    largest: int | None
    num_equations: int
    compile_seconds: float
    compiled: Compiled | None = None
    is_learners: bool = False

    @property
    def total(self) -> int:
        """Bytes of all parts; where it was compiled, XLA's own and the copies'."""
        if self.compiled is not None:
            return self.compiled.num_bytes + self.parts[memory.COPIES]
        return sum(self.parts.values())

    @property
    def fits(self) -> bool:
        """Whether there is as much; where that is not known, all fits."""
        return self.available is None or self.total <= self.available

    def check(self) -> None:
        """Refuse what does not fit.

        Raises:
          ValueError: by how much it does not, and what would fit.
        """
        if self.available is None or self.fits:
            return
        advice = f"{self.width_name} {self.largest:,} would fit"
        if not self.largest:
            part = max(self.parts, key=self.parts.__getitem__)
            advice = f"most of it is {part} ({shown(self.parts[part])})"
        raise ValueError(
            f"memory: training needs about {shown(self.total)}, but {shown(self.available)} are "
            f"free, which is {shown(self.total - self.available)} too little; {advice}"
        )

    def rows(self) -> list[tuple[str, str]]:
        """What there is to say, as names and texts."""
        rows = [(name, shown(size)) for name, size in self.parts.items() if size]
        by = "about" if self.compiled is None else "by XLA"
        rows.append(("in all", f"{by} {shown(self.total)}"))
        if self.available is not None:
            share = f"{100 * self.total / max(self.available, 1):.3g} %"
            rows.append(("free", f"{shown(self.available)}, of which the run takes {share}"))
            bound = ", the most that the learner takes" if self.is_learners else ""
            text = f"{self.largest:,}{bound}; asked: {self.width:,}"
            rows.append((f"largest {self.width_name}", text))
        size = f"{self.num_equations:,} equations"
        if self.compiled is None:
            rows.append(("compile time", f"about {self.compile_seconds:.0f} s, by {size}"))
        else:
            rows.append(("compile time", f"{self.compiled.seconds:.1f} s, measured; {size}"))
        return rows


def plan(
    spec: RunSpec,
    *,
    given: Iterable[str] = (),
    available: int | None = None,
    measure_compile: bool = False,
    devices: int | None = None,
) -> Plan:
    """Tell what `start(spec)` would need. Nothing is allocated, and unless asked nothing compiled.

    Args:
      spec: what is to be run; its corpus or prior is read.
      given: fields of the config that must be taken as they are (see `prepare`).
      available: bytes that there are; None for those that are free on this device.
      measure_compile: compile the program, to measure what else is estimated.
      devices: as for `train`; bytes are those of one of them.

    Raises:
      ValueError: as from `prepare`, `build` and `devices.place`. What does not fit is refused by
        `Plan.check`.

    Example:
      >>> import creative_rl as crl
      >>> config = crl.DQNConfig(num_envs=32, replay_size=1_000_000)
      >>> found = plan(RunSpec("melody-target", "dqn", config), available=2**30)
      >>> found.fits, found.width_name, found.parts["replay"] // 10**6
      (True, 'num_envs', 33)
    """
    spec, materials = prepare(spec, given)
    name = next(name for name in WIDTHS if hasattr(spec.config, name))
    width = getattr(spec.config, name)
    available = memory.available_bytes() if available is None else available

    @functools.cache  # so that nothing is traced twice
    def learner_of(width: int) -> Learner:
        config = dataclasses.replace(spec.config, **{name: width})
        return build(dataclasses.replace(spec, config=config), materials)[1]

    @functools.cache
    def placement_of(width: int) -> Placement | None:
        return place(learner_of(width), spec.num_seeds, devices)

    def accepts(width: int) -> bool:
        try:
            placement_of(width)
        except ValueError:
            return False
        return True

    def parts(width: int) -> dict[str, int]:
        return memory.parts(
            learner_of(width),
            spec.num_seeds,
            num_copies=checkpoint.num_copies(),
            placement=placement_of(width),
        )

    def need(width: int) -> int:
        return sum(parts(width).values())

    placement = placement_of(width)
    traced = memory.traced_chunk(learner_of(width), spec.num_seeds, placement=placement)
    found = Plan(
        parts=parts(width),
        available=available,
        width_name=name,
        width=width,
        largest=None,
        num_equations=num_equations(traced.jaxpr),
        compile_seconds=compile_time.estimate(traced.jaxpr),
        compiled=compile_time.compile_it(traced) if measure_compile else None,
    )
    if available is None:
        return found
    limit = available * need(width) // found.total  # as much off as here, where it was compiled
    step = math.lcm(_step(spec.config, width), 1 if placement is None else placement.num_env)
    largest = largest_width(need, width, step, limit, accepts)
    is_learners = largest >= width and not accepts(largest + step)
    return dataclasses.replace(found, largest=largest, is_learners=is_learners)


def _step(config: object, width: int) -> int:
    """Widths are multiples of this: minibatches must come out even."""
    num_minibatches = getattr(config, "num_minibatches", 1)
    return num_minibatches if width % num_minibatches == 0 else width
