"""The run directory: what was run, how it went and what came out. Imports no JAX to read one.

config.json     the resolved spec and its hash, versions, git commit, device
metrics.jsonl   one record a line (see `records`)
tensorboard/    events, where tensorboardX is installed
checkpoints/    whole states
profile/        a trace of some updates, where one was asked for
works/          what the learner made, and index.json
evaluation.json measures with their uncertainty, from `creative-rl evaluate`
report.html     one self-contained page
"""

import dataclasses
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
from typing import Any

from creative_rl.atomic import write_json
from creative_rl.experiment.spec import RunSpec

FORMAT = 1
"""Changes when older directories can no longer be read."""

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "orbax-checkpoint")
_FIELDS = ("format", "spec", "hash", "environment", "versions")
_REMEDY = "put a copy back, or start a new run"


@dataclasses.dataclass(frozen=True)
class Run:
    """A run directory; `Run.create` makes one and `Run.open` reads one.

    Attributes:
      path: the directory.
      config: what `config.json` says.
    """

    path: pathlib.Path
    config: dict[str, Any]

    @classmethod
    def create(
        cls, spec: RunSpec, environment_version: int, out: str | os.PathLike | None = None
    ) -> "Run":
        """Make the directory, whole or not at all.

        Args:
          spec: what will be run.
          environment_version: the environment's, so that a later one is not taken for it.
          out: where; None for `runs/<environment>-<learner>-<time>-<hash>`.

        Raises:
          ValueError: `out` exists and is not an empty directory, or cannot be written.
        """
        path = pathlib.Path(out) if out is not None else default_path(spec)
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            is_run = (path / "config.json").is_file()
            way_on = f", or go on with it: creative-rl resume {path}" if is_run else ""
            raise ValueError(f"{path} exists already; choose another --out{way_on}")
        config = describe(spec, environment_version)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = pathlib.Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        except OSError as error:
            raise ValueError(
                f"cannot make a run directory in {path.parent} ({error.strerror}); choose "
                "another --out"
            ) from error
        try:
            beside.chmod(0o755)
            write_json(beside / "config.json", config)
            os.rename(beside, path)  # refuses a directory that has been filled meanwhile
        except OSError as error:
            shutil.rmtree(beside, ignore_errors=True)
            raise ValueError(
                f"cannot make the run directory {path} ({error.strerror}); choose another --out"
            ) from error
        return cls(path, config)

    @classmethod
    def open(cls, path: str | os.PathLike) -> "Run":
        """Read a run directory.

        Raises:
          ValueError: it does not exist, is not a run, or is of another format.
        """
        path = pathlib.Path(path)
        if not path.exists():
            raise ValueError(f"there is no run {path}; start one with: creative-rl train")
        if not (path / "config.json").is_file():
            raise ValueError(
                f"{path} is not a run directory: it has no config.json; crl.train(out=...) keeps "
                "checkpoints and metrics only, crl.experiment.start(RunSpec(...), out) makes a run"
            )
        try:
            config = json.loads((path / "config.json").read_text(encoding="utf-8"))
            if not isinstance(config, dict):
                raise ValueError("it must hold an object")
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}/config.json cannot be read ({error}); {_REMEDY}") from error
        found = config.get("format", FORMAT)
        if found != FORMAT:
            raise ValueError(
                f"{path} is a run of format {found}, this creative_rl reads format {FORMAT}; use "
                f"creative_rl {config.get('versions', {}).get('creative_rl', 'of its time')}"
            )
        missing = [name for name in _FIELDS if name not in config]
        if missing:
            raise ValueError(f"{path}/config.json lacks {', '.join(missing)}; {_REMEDY}")
        return cls(path, config)

    @property
    def spec(self) -> RunSpec:
        """What was run. Raises ValueError where config.json does not say it rightly."""
        try:
            spec = RunSpec.from_dict(self.config["spec"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path}/config.json: {error}") from error
        if spec.hash != self.config.get("hash"):
            raise ValueError(
                f"{self.path}/config.json was edited: its spec is not the one it was run with; "
                "put it back, or start a new run"
            )
        return spec

    @property
    def checkpoints(self) -> pathlib.Path:
        return self.path / "checkpoints"

    @property
    def status(self) -> dict[str, Any]:
        """How the last process ended: `status` and `num_updates`; empty where it was killed."""
        path = self.path / "status.json"
        try:
            status = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            if not isinstance(status, dict):
                raise ValueError("it must hold an object")
        except ValueError as error:
            raise ValueError(f"{path} cannot be read ({error}); remove it") from error
        return status

    @property
    def works(self) -> pathlib.Path:
        return self.path / "works"

    def check_environment(self, version: int) -> None:
        """Raise ValueError where the environment has changed since the run was made."""
        recorded = self.config["environment"]
        if recorded["version"] != version:
            raise ValueError(
                f"{self.path} was made with version {recorded['version']} of {recorded['id']}, "
                f"this is version {version}; use creative_rl "
                f"{self.config['versions']['creative_rl']} or train again"
            )

    def extended(self, num_updates: int) -> "Run":
        """The same run with another number of updates, in config.json too."""
        spec = dataclasses.replace(self.spec, num_updates=num_updates)
        config = {**self.config, "spec": spec.to_dict(), "hash": spec.hash}
        write_json(self.path / "config.json", config)
        return Run(self.path, config)


def default_path(spec: RunSpec) -> pathlib.Path:
    """`runs/<environment>-<learner>-<date-time>-<short hash>`."""
    name = re.sub(r"[^\w.-]+", "_", f"{spec.environment}-{spec.learner}")
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return pathlib.Path("runs") / f"{name}-{now}-{spec.hash[:6]}"


def describe(spec: RunSpec, environment_version: int) -> dict[str, Any]:
    """What config.json holds: enough to run it again and to know what it ran on."""
    import jax

    return {
        "format": FORMAT,
        "spec": spec.to_dict(),
        "hash": spec.hash,
        "environment": {"id": spec.environment, "version": environment_version},
        "versions": versions(),
        "commit": git_commit(),
        "device": jax.devices()[0].device_kind,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def versions() -> dict[str, str]:
    """Versions of Python, this package and what it computes with."""
    from importlib import metadata

    import creative_rl

    found = {"python": platform.python_version(), "creative_rl": creative_rl.__version__}
    for package in _PACKAGES:
        found[package] = metadata.version(package)
    return found


def git_commit() -> str | None:
    """The commit of the package's own checkout (`-dirty` where edited), None where it is none."""
    root = pathlib.Path(__file__).parents[2]
    if not (root / ".git").exists():  # an installed copy inside somebody's repository is not ours
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
