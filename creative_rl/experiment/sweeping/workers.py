"""Where groups train: in this process, in processes beside it, or as tasks on Ray.

A worker that is killed begins again where its group's newest checkpoint is, at most `RETRIES`
times; then its trials are told as failed, and the others go on.
"""

import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax

from creative_rl.atomic import write_json
from creative_rl.experiment.interruption import Interruption
from creative_rl.experiment.sweeping import training
from creative_rl.experiment.sweeping.groups import Group, Job

RETRIES = 3
Tell = Callable[[Group], None]
"""Told of every group that has ended."""
Worker = Callable[[list[Group], Tell], int | None]
"""Trains groups; the number of the signal that stopped it, or None."""

_MOST_MAPS = 20_000


def here(groups: list[Group], tell: Tell) -> int | None:
    """One group after another in this process."""
    while groups:
        group = groups.pop(0)  # its program goes with it
        signal = training.run(group.job, group.built, progress=sys.stderr.isatty())
        if signal is not None:
            return signal
        tell(group)
        _forget_programs()
    return None


def processes(num: int) -> Worker:
    """`num` groups at a time, each in a process of its own."""

    def work(groups: list[Group], tell: Tell) -> int | None:
        waiting = [(group, RETRIES) for group in groups]
        running: list[tuple[Group, int, subprocess.Popen]] = []
        with Interruption() as interruption:
            while waiting or running:
                if interruption.signal is not None:
                    _stop([process for _, _, process in running])
                    return interruption.signal
                while waiting and len(running) < num:
                    group, retries = waiting.pop(0)
                    running.append((group, retries, _spawn(group.job)))
                time.sleep(0.05)
                for entry in [entry for entry in running if entry[2].poll() is not None]:
                    running.remove(entry)
                    group, retries, process = entry
                    if process.returncode == 0:
                        tell(group)
                    elif retries:
                        waiting.append((group, retries - 1))
                    else:
                        training.end_all(group.job, "failed", _last_words(group.job, process))
                        tell(group)
        return None

    return work


def on_ray(address: str) -> Worker:
    """Groups as Ray tasks; every node sees the sweep's folder under the same path.

    Args:
      address: of a cluster; `auto` for the one that Ray knows of, or else one of this machine.

    Raises:
      ImportError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ImportError("--ray needs Ray: pip install 'creative_rl[ray]'") from error

    def work(groups: list[Group], tell: Tell) -> int | None:
        is_ours = not ray.is_initialized()
        if is_ours:
            options: dict[str, Any] = {"address": address}
            if address == "auto":
                options = {"include_dashboard": False}
            ray.init(log_to_driver=False, **options)
        try:
            num_gpus = 1 if ray.cluster_resources().get("GPU") else 0
            task = ray.remote(max_retries=RETRIES, num_cpus=1, num_gpus=num_gpus)(_train_job)
            waiting = {task.remote(group.job.to_dict()): group for group in groups}
            while waiting:
                (done,), _ = ray.wait(list(waiting), num_returns=1)
                group = waiting.pop(done)
                try:
                    ray.get(done)
                except ray.exceptions.RayError as error:
                    words = str(error).strip().splitlines()[0][:300]
                    training.end_all(group.job, "failed", f"Ray: {words}")
                tell(group)
        finally:
            if is_ours:
                ray.shutdown()
        return None

    return work


def _train_job(values: dict[str, Any]) -> None:
    """On a Ray worker: a group; where the node asks it to stop, Ray starts it again elsewhere."""
    signal = training.run(Job.from_dict(values))
    if signal is not None:
        os._exit(128 + signal)


def _spawn(job: Job) -> subprocess.Popen:
    folder = pathlib.Path(job.out, "groups")
    folder.mkdir(parents=True, exist_ok=True)
    path = write_json(folder / f"{job.id}.json", job.to_dict())
    with (folder / f"{job.id}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "creative_rl.experiment.sweeping.worker", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is the driver's, which then asks for an end
        )


def _stop(running: Sequence[subprocess.Popen]) -> None:
    """Ask for an end, at which each saves its group."""
    for process in running:
        process.terminate()
    for process in running:
        process.wait()


def _last_words(job: Job, process: subprocess.Popen) -> str:
    log = pathlib.Path(job.out, "groups", f"{job.id}.log").read_text(errors="replace")
    words = log.strip().splitlines()[-1:] or ["it said nothing"]
    return (
        f"its process ended {RETRIES + 1} times, last with {process.returncode}: {words[0][:300]}"
    )


def _forget_programs() -> None:
    """A compiled program holds memory maps, of which Linux lets a process have 65,530."""
    maps = pathlib.Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > _MOST_MAPS:
        jax.clear_caches()
