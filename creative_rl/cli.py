"""The `creative-rl` command. Nothing that needs JAX is imported before it is asked for."""

import argparse
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from creative_rl import registry
from creative_rl.commands import playing, showing, training
from creative_rl.commands.running import print_columns
from creative_rl.experiment.parser import Parser, UsageError
from creative_rl.registry import unknown_name


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
      The exit code: 0; 2 for a command line that cannot be, 1 for what goes wrong later; and 128
      plus the signal's number for a run that was stopped by one (and is saved).
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    is_debug = bool(os.environ.get("CREATIVE_RL_DEBUG")) or "--debug" in argv
    try:
        with _warnings_as_lines():
            return _dispatch([argument for argument in argv if argument != "--debug"])
    except SystemExit as leaving:  # --help and --version
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        return _fail("interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if is_debug:
            raise
        is_worded = isinstance(error, (ValueError, RuntimeError, ImportError, OSError))
        name = "" if is_worded and str(error) else f"{type(error).__name__}: "
        return _fail(f"{name}{error}", 2 if isinstance(error, UsageError) else 1)


@contextlib.contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """What the package warns of as lines of this command, while it runs."""
    log, handler = logging.getLogger("creative_rl"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("creative-rl: warning: %(message)s"))
    handler.setLevel(logging.WARNING)
    propagated, log.propagate = log.propagate, False
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = propagated


def _fail(message: str, code: int) -> int:
    print(f"creative-rl: error: {' '.join(message.split())}", file=sys.stderr)
    return code


def _dispatch(argv: list[str]) -> int:
    import creative_rl

    commands = "\n".join(f"  {name:<10}{command.__doc__}" for name, command in _COMMANDS.items())
    parser = Parser(
        "",
        "Creative reinforcement learning: train learners, and open what they make.",
        epilog=f"commands (each with a --help of its own):\n{commands}\n\n"
        "--debug, anywhere, shows where an error came from.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=creative_rl.__version__)
    parser.add_argument("command", nargs="?", metavar="COMMAND", help=", ".join(_COMMANDS))
    name = parser.parse_all(argv[:1]).command
    if name is None:
        parser.error("the following arguments are required: COMMAND")
    if name not in _COMMANDS:
        raise UsageError(unknown_name("command", name, list(_COMMANDS)))
    return _COMMANDS[name](argv[1:])


def _list(argv: list[str]) -> int:
    """environments and learners"""
    Parser("list", _list.__doc__).parse_all(argv)
    for title, table in (("environments", registry.ENVIRONMENTS), ("learners", registry.LEARNERS)):
        print(title)
        print_columns((name, entry.summary) for name, entry in table.items())
    return 0


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "list": _list,
    "plan": training.plan,
    "train": training.train,
    "resume": training.resume,
    "create": showing.create,
    "evaluate": showing.evaluate,
    "report": showing.report,
    "sweep": training.sweep,
    "compare": showing.compare,
    "paint": playing.paint,
    "perform": playing.perform,
    "chat": playing.chat,
    "play": playing.play,
    "demo": training.demo,
}


if __name__ == "__main__":
    sys.exit(main())
