"""Train a learner: compiled chunks of updates, with logging and checkpoints beside them."""

import dataclasses
import logging
import os
import pathlib
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Literal

import jax
import jax.numpy as jnp

from creative_rl.experiment import checkpoint, compilation_cache, hosts, memory, records
from creative_rl.experiment.best import Scores
from creative_rl.experiment.chunks import Chunk, Pace, compiled_chunk
from creative_rl.experiment.devices import Placement, make_init, place, put
from creative_rl.experiment.interruption import Interruption
from creative_rl.experiment.lock import lock
from creative_rl.experiment.log import Logger, open_loggers
from creative_rl.experiment.profiling import Profile
from creative_rl.experiment.progress import Progress
from creative_rl.experiment.recorder import Metrics, NotFiniteError, Recorder
from creative_rl.experiment.sizes import whole_number
from creative_rl.typing import Key, Learner, PyTree, as_key

_log = logging.getLogger(__name__)

Status = Literal["completed", "finished", "interrupted"]


@dataclasses.dataclass(frozen=True)
class TrainResult:
    """What training led to.

    Attributes:
      state: the learner's, with a leading axis of seeds where there are several.
      metrics: of every update of this call, leaves [updates] or [updates, num_seeds].
      status: `completed` all updates, `finished` because the learner stopped by itself, or
        `interrupted` by a signal.
      num_updates: updates that the state has seen, those before this call included.
      signal: the signal's number where interrupted.
      num_seeds: how many learned side by side, with a leading axis on the state; None for one.
    """

    state: PyTree
    metrics: Metrics
    status: Status
    num_updates: int
    signal: int | None = None
    num_seeds: int | None = None

    def seed(self, index: int) -> PyTree:
        """The state of one of several seeds, for `act`, `rollout` and `generate`.

        Raises:
          ValueError: one seed was trained, or there is none of that index.
        """
        if self.num_seeds is None:
            raise ValueError("TrainResult.seed: one seed was trained; it is in `state`")
        index = whole_number("TrainResult.seed: index", index, 0, self.num_seeds - 1)
        return jax.tree.map(lambda leaf: leaf[index], self.state)


class DivergedError(RuntimeError):
    """A metric became infinite or NaN, or the state holds NaN.

    Where metrics have `diverged` (see `recorder`), only when all members did.

    Attributes:
      update: the update where it did, counted from 1.
      name: the metric, or where in the state.
      checkpoint: update of the newest checkpoint, from before; None where nothing is saved.
    """

    def __init__(self, update: int, name: str, checkpoint: int | None):
        kept = "nothing was saved" if checkpoint is None else f"checkpoint {checkpoint} is kept"
        super().__init__(
            f"training diverged: {name} is not finite in update {update}; {kept}; try a smaller "
            "learning_rate or max_grad_norm"
        )
        self.update, self.name, self.checkpoint = update, name, checkpoint


def train(
    learner: Learner,
    key: Key,
    num_updates: int,
    *,
    out: str | os.PathLike | None = None,
    num_seeds: int | None = None,
    state: PyTree | Callable[[Key], PyTree] = None,
    resume: bool = False,
    chunk_updates: int | None = None,
    checkpoint_seconds: float = 60.0,
    checkpoint_share: float = 0.02,
    keep_checkpoints: int = 3,
    loggers: Sequence[str] | None = None,
    progress: bool = True,
    check_memory: bool = True,
    profile: int | None = None,
    devices: int | None = None,
) -> TrainResult:
    """Train until there are `num_updates` updates.

    Compiled programs are kept in the user's cache folder (`compilation_cache.enable`).
    A run that is stopped and resumed gives the same bits as one that is not, whatever the chunks.
    Ctrl-C and SIGTERM finish the running chunk and save. A learner whose metrics have `finished`
    stops where that is true (for all seeds); from there on its updates must change nothing.

    Args:
      learner: what to train.
      key: for `learner.init`; keys of shape [num_seeds] train as many seeds in one program.
      num_updates: updates in the whole run.
      out: folder for `metrics.jsonl`, `checkpoints/` and other logs; None to keep nothing.
      num_seeds: split one key into this many.
      state: start from this, a copy of which is used, instead of `learner.init(key)`; or a function
        that makes it from the key, or from those of all seeds.
      resume: go on from the newest checkpoint in `out`, where there is one.
      chunk_updates: most updates in one compiled call; None for what takes about a second. It has
        no influence on results.
      checkpoint_seconds: time between checkpoints. The first and the last state are always saved.
        Training waits until the state is in the host's memory; it is written beside it.
      checkpoint_share: of the time, above 0 and at most 1, that this waiting may take: where saving
        is slow, checkpoints are rarer.
      keep_checkpoints: how many of the newest stay, and the best beside them (see `best`).
      loggers: besides `metrics.jsonl`: `tensorboard`, `wandb`; None for TensorBoard where it is
        installed.
      progress: show a bar on a terminal, or else a line every ten seconds.
      check_memory: refuse what by `memory.estimate` does not fit, before it is compiled.
      profile: trace so many updates into `profile/` of `out`, once the program is compiled (see
        `profiling`); it has no influence on results.
      devices: divide the state among so many (`devices.place`); None for one, or in a job of
        several processes (`hosts`) for all. A run may go on with another number.

    Raises:
      ValueError: no learner, a size that is no whole number of at least 1, a share out of range, an
        `out` that holds another run, a profile without `out`, a checkpoint that does not fit, a run
        that needs more memory than there is, or devices that there are not or that cannot share it
        equally.
      DivergedError: a metric is not finite; what was saved before stays.
      SaveError: a checkpoint could not be written, because the disk is full for instance; it is
        raised when the next one is due, or at the end. Those before it stay.
      RuntimeError: another process writes to `out`, or metrics could not be written.

    Example:
      >>> import creative_rl as crl
      >>> config = crl.PPOConfig(num_envs=4, num_steps=4)
      >>> learner = crl.learners.ppo(crl.make("melody-target-tutorial"), config)
      >>> result = train(learner, jax.random.key(0), 2, progress=False)
      >>> result.status, result.metrics["entropy"].shape
      ('completed', (2,))
    """
    if not isinstance(learner, Learner):
        raise ValueError(
            "train takes a learner, such as crl.learners.ppo(env, config) gives, "
            f"got {type(learner).__name__}"
        )
    num_updates = whole_number("train: num_updates", num_updates)
    if chunk_updates is not None:
        chunk_updates = whole_number("train: chunk_updates", chunk_updates)
    if profile is not None:
        profile = whole_number("train: profile", profile)
        if out is None:
            raise ValueError("train: profile is written into out, got out=None; choose a folder")
    if not 0 < checkpoint_share <= 1:
        raise ValueError(
            f"train: checkpoint_share must be above 0 and at most 1, got {checkpoint_share!r}"
        )
    compilation_cache.enable()
    key, num_seeds = as_key(key), _num_seeds(key, num_seeds)
    start_fn = state if callable(state) else None
    placement = place(learner, num_seeds, devices, start_fn)
    places = None if placement is None else placement.state
    if check_memory:
        num_copies = 0 if out is None else checkpoint.num_copies()
        memory.check(learner, num_seeds, start=start_fn, num_copies=num_copies, placement=placement)
    if num_seeds is not None and not key.ndim:
        key = jax.random.split(key, num_seeds)
    if placement is not None:
        key = put(key, placement.everywhere)
    init = jax.jit(make_init(learner, num_seeds, start_fn), out_shardings=places)
    with ExitStack() as stack:
        start, seconds, saver = 0, 0.0, None
        receivers: Sequence[Logger] = ()
        state = None if state is None or start_fn else _copied(state, places)
        if out is not None:
            out = pathlib.Path(out)
            hosts.by_first(lambda: _claim(out, stack))
            restored = _restore(out / "checkpoints", init, key, resume, placement)
            if restored is not None:
                state, start = restored
            kept = hosts.by_first(lambda: records.truncate(out / "metrics.jsonl", start)) or []
            seconds = kept[-1]["seconds"] if kept else 0.0
            scores = Scores(kept)
            saver = stack.enter_context(
                _Saver(
                    out / "checkpoints",
                    keep_checkpoints,
                    checkpoint_seconds,
                    checkpoint_share,
                    scores.score,
                )
            )
            opened = hosts.by_first(lambda: open_loggers(out, loggers, start))
            receivers = [*_open_all(stack, opened or ()), scores]
        is_shown = progress and hosts.is_first()
        builder = records.RecordBuilder(num_updates, learner.steps_per_update, start)
        shown = Progress(num_updates, start, learner.steps_per_update * (num_seeds or 1), is_shown)
        stack.callback(shown.close)
        recorder = Recorder(builder, receivers, shown, seconds)
        chunk = compiled_chunk(learner.update, num_seeds is not None, placement)
        traced = None
        if profile is not None and out is not None and hosts.is_first():
            traced = stack.enter_context(Profile(pathlib.Path(out, "profile"), profile))
        interruption = stack.enter_context(Interruption())
        state = init(key) if state is None else state
        pace = Pace(chunk_updates)
        one_by_one = placement is not None and placement.one_call_at_a_time
        result = _loop(
            state, chunk, num_updates, pace, recorder, saver, interruption, traced, one_by_one
        )
        return dataclasses.replace(result, num_seeds=num_seeds)


def _loop(
    state: PyTree,
    chunk: Chunk,
    num_updates: int,
    pace: Pace,
    recorder: Recorder,
    saver: "_Saver | None",
    interruption: Interruption,
    profile: Profile | None = None,
    one_by_one: bool = False,
) -> TrainResult:
    """Dispatch a chunk; look at the metrics of the one before while it runs, or `one_by_one`."""
    dispatched, pending, finished = recorder.num_done, None, False
    try:
        if saver is not None and saver.latest is None:
            saver.save(state, dispatched)
        while dispatched < num_updates and not finished:
            count = pace.next_count(dispatched, num_updates, recorder.window)
            if profile is not None:
                count = profile.before(state, count)
            is_due = saver is not None and saver.is_due()
            count, is_due, interruption.signal = hosts.decide(count, is_due, interruption.signal)
            if interruption.signal is not None:
                break
            state, metrics = chunk(state, jnp.int32(count))
            if profile is not None:
                profile.after(metrics, count)
            dispatched += count
            if pending is None:
                pace.begin()
            else:
                _take_in(pending, recorder, pace)
            pending = metrics, count
            due = saver if is_due else None
            if (
                due or one_by_one or "finished" in metrics
            ):  # sound metrics first, and before it is donated
                finished, pending = _take_in(pending, recorder, pace), None
            if due:
                recorder.flush()
                due.save(state, recorder.num_done, recorder.spares_members)
        if pending is not None:
            _take_in(pending, recorder, pace)
        recorder.flush()
        if saver is not None and saver.latest != recorder.num_done:
            saver.save(state, recorder.num_done, recorder.spares_members)
    except (NotFiniteError, checkpoint.NanStateError) as error:
        recorder.flush()
        update = error.update if isinstance(error, NotFiniteError) else recorder.num_done
        latest = None if saver is None else saver.settle()
        raise DivergedError(update, error.name, latest) from None
    status: Status = "completed" if recorder.num_done >= num_updates else "interrupted"
    if finished:
        status = "finished"
    signal = interruption.signal if status == "interrupted" else None
    return TrainResult(state, recorder.metrics(), status, recorder.num_done, signal)


def _take_in(pending: tuple[dict, int], recorder: Recorder, pace: Pace) -> bool:
    """Record a chunk's metrics, waiting for them; whether the learner has finished."""
    metrics, count = pending
    jax.block_until_ready(metrics)
    pace.end(count, len(next(iter(metrics.values()))))
    return recorder.add(metrics, count)


class _Saver:
    """Checkpoints at intervals of time, longer where saving is slow."""

    def __init__(
        self,
        folder: pathlib.Path,
        keep: int,
        seconds: float,
        share: float,
        score: Callable[[int], float | None],
    ):
        self._writer = checkpoint.CheckpointWriter(folder, keep, score)
        self._interval, self._share = seconds, share
        self._last_save = time.monotonic()

    @property
    def latest(self) -> int | None:
        return self._writer.latest

    def is_due(self) -> bool:
        """Whether it is time; not while one is being written, for which training would wait."""
        return time.monotonic() - self._last_save >= self._interval and not self._writer.is_busy

    def save(self, state: PyTree, update: int, spares_members: bool = False) -> None:
        start = time.monotonic()
        self._writer.save(state, update, spares_members)
        self._last_save = time.monotonic()
        self._interval = max(self._interval, (self._last_save - start) / self._share)

    def settle(self) -> int | None:
        """Wait for what is being written: update of the newest checkpoint that is whole."""
        try:
            self._writer.wait()
        except checkpoint.SaveError as error:
            _log.warning("%s", error)
        return self._writer.latest

    def __enter__(self) -> "_Saver":
        return self

    def __exit__(self, *error: Any) -> None:
        self._writer.__exit__(*error)


def _num_seeds(key: Key, num_seeds: int | None) -> int | None:
    """How many seeds train side by side; None for one alone. Allocates nothing."""
    if num_seeds is None:
        return key.shape[0] if as_key(key).ndim else None
    num_seeds = whole_number("train: num_seeds", num_seeds)
    check_keys("train", key, num_seeds)
    return num_seeds


def check_keys(who: str, key: Key, num_seeds: int) -> None:
    """Refuse what is neither one key nor one for every seed; `who` asks, for the message."""
    shape = as_key(key).shape
    if shape not in ((), (num_seeds,)):
        raise ValueError(f"{who}: {num_seeds} seeds need one key or {num_seeds}, got {shape}")


def _claim(out: pathlib.Path, stack: ExitStack) -> None:
    """Make the folder, and hold it for this process as long as the stack is open."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"train: cannot write to {out} ({error.strerror}); choose another out"
        ) from error
    stack.enter_context(lock(out))


def _copied(state: PyTree, places: PyTree) -> PyTree:
    """A copy that may be donated; on several devices, where they have it."""
    copied = checkpoint.copy(state)
    return copied if places is None else put(copied, places)


def _restore(
    folder: pathlib.Path,
    init: Callable[[Key], PyTree],
    key: Key,
    resume: bool,
    placement: Placement | None,
) -> tuple[PyTree, int] | None:
    """The newest readable state and its update; None where there is nothing to go on from."""
    if checkpoint.latest_update(folder) is None:
        return None
    if not resume:
        raise ValueError(
            f"train: {folder.parent} holds a run already; choose another out, or resume it"
        )
    template = jax.eval_shape(init, key)
    if placement is not None:
        template = placement.template(template)
    state, update = checkpoint.restore(folder, template)
    hosts.by_first(lambda: checkpoint.discard_after(folder, update))
    return state, update


def _open_all(stack: ExitStack, loggers: Sequence[Logger]) -> Sequence[Logger]:
    for logger in loggers:
        stack.callback(logger.close)
    return loggers
