"""The `creative-rl` command. Nothing that needs JAX is imported before it is asked for."""

import argparse
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from creative_rl import registry
from creative_rl.experiment import device_flags, train_arguments
from creative_rl.experiment.flags import number, whole
from creative_rl.experiment.paint_settings import BOUNDS, PaintSettings
from creative_rl.experiment.parser import Parser, UsageError, as_usage, at_least, between
from creative_rl.experiment.run import Run
from creative_rl.experiment.sizes import LARGEST_SEED
from creative_rl.registry import unknown_name

if TYPE_CHECKING:
    from creative_rl.experiment.training import TrainResult


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
        _print_columns((name, entry.summary) for name, entry in table.items())
    return 0


def _train(argv: list[str]) -> int:
    """train a learner in an environment"""
    asked = train_arguments.parse(argv)
    _prepare_jax(where=asked.where)
    from creative_rl.experiment import assembly, session

    as_usage(assembly.check, asked.spec)
    run, result = session.start(
        asked.spec,
        asked.out,
        total_steps=asked.total_steps,
        given=asked.given,
        loggers=asked.loggers,
        profile=asked.profile,
        devices=asked.where.devices,
    )
    return _tell_end(run, result, asked.where)


def _plan(argv: list[str]) -> int:
    """what a run would need: memory, compile time, how wide it may be"""
    parser = Parser(
        "plan",
        "Tell what `train` with the same flags would need; nothing is trained.",
        epilog=train_arguments.EPILOG,
    )
    add = parser.add_argument
    add("--memory", type=number, metavar="GIB", help="plan for a device that has so much free")
    add("--compile", action="store_true", help="compile the program, to measure what it takes")
    asked = train_arguments.parse(argv, parser)
    gibibytes = asked.others["memory"]
    between("--memory", gibibytes, 0, 2**20)
    _prepare_jax(where=asked.where)
    from creative_rl.experiment import assembly, planning

    as_usage(assembly.check, asked.spec)
    planned = planning.plan(
        asked.spec,
        given=asked.given,
        available=None if gibibytes is None else int(gibibytes * 2**30),
        measure_compile=asked.others["compile"],
        devices=asked.where.devices,
    )
    _print_columns(planned.rows())
    planned.check()
    return 0


def _resume(argv: list[str]) -> int:
    """go on with a run that was stopped, or with more steps"""
    parser = _run_parser("resume", _resume.__doc__)
    parser.add_argument("--steps", type=whole, metavar="N", help="a new total of steps")
    parser.add_argument("--log", metavar="NAMES", help="as for train")
    device_flags.add_to(parser)
    arguments = parser.parse_all(argv)
    where = device_flags.read(vars(arguments))
    at_least("--steps", arguments.steps)
    loggers = train_arguments.parse_loggers(arguments.log)
    _prepare_jax(arguments.run, where)
    from creative_rl.experiment import session

    run, result = session.resume(
        arguments.run, total_steps=arguments.steps, loggers=loggers, devices=where.devices
    )
    if result is None:
        if where.is_first:
            print(f"{run.path} is done; --steps N with more than before goes on")
        return 0
    return _tell_end(run, result, where)


def _create(argv: list[str]) -> int:
    """write works of a run as files"""
    parser = _run_parser("create", _create.__doc__)
    add = parser.add_argument
    add("--num", type=whole, default=8, metavar="N", help="a fair sample (default %(default)s)")
    add("--best", type=whole, metavar="N", help="and the best of 256 (default at most 4)")
    add("--seed", type=whole, default=0, metavar="N", help="another gives other works (default 0)")
    _add_checkpoint(parser)
    arguments = parser.parse_all(argv)
    at_least("--num", arguments.num)
    at_least("--best", arguments.best, 0)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    _prepare_jax(arguments.run)
    from creative_rl.experiment import creation

    index = creation.create(
        arguments.run,
        arguments.num,
        num_best=arguments.best,
        seed=arguments.seed,
        checkpoint=arguments.checkpoint,
    )
    _print_columns((work["name"], f"return {work['scores']['return']:g}") for work in index)
    print(f"{len(index)} works in {arguments.run}/works; next: creative-rl report {arguments.run}")
    return 0


def _evaluate(argv: list[str]) -> int:
    """measure a run, with confidence intervals"""
    parser = _run_parser("evaluate", _evaluate.__doc__)
    add = parser.add_argument
    add("--num", type=whole, default=1024, metavar="N", help="episodes (default %(default)s)")
    add("--seed", type=whole, default=0, metavar="N", help="of the episodes (default 0)")
    _add_checkpoint(parser)
    arguments = parser.parse_all(argv)
    at_least("--num", arguments.num)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    _prepare_jax(arguments.run)
    from creative_rl.experiment import evaluation

    found = evaluation.evaluate(
        arguments.run, arguments.num, arguments.seed, checkpoint=arguments.checkpoint
    )
    print(evaluation.as_text(found.rows, found.notes))
    return 0


def _report(argv: list[str]) -> int:
    """write a run's report.html"""
    run = Run.open(_run_parser("report", _report.__doc__).parse_all(argv).run)
    from creative_rl.experiment.report import write_report

    print(write_report(run.path))
    return 0


def _sweep(argv: list[str]) -> int:
    """train all trials of a sweep's file"""
    from creative_rl.experiment.sweeping import arguments

    asked = arguments.parse_sweep(argv)
    _prepare_jax()
    from creative_rl.experiment.sweeping import driver

    return driver.main(asked)


def _compare(argv: list[str]) -> int:
    """compare runs and sweeps over tasks and seeds"""
    from creative_rl.experiment.sweeping import arguments

    asked = arguments.parse_compare(argv)
    from creative_rl.experiment import comparison, comparison_picture

    if asked.out is not None:
        as_usage(comparison_picture.check_suffix, asked.out)
    found = comparison.compare(asked.runs, asked.metric, asked.direction)
    print(found.markdown())
    if asked.out is not None:
        print(f"\n{comparison_picture.write(found, asked.out)}")
    return 0


def _paint(argv: list[str]) -> int:
    """paint a picture with brush strokes"""
    parser = Parser("paint", _paint.__doc__)
    parser.add_argument("picture", metavar="PICTURE", help="an image file")
    add = parser.add_argument
    add(
        "--out",
        metavar="FILE",
        help=".svg .png .json, or its making as .gif .mp4 (default PICTURE-painted.svg)",
    )
    add("--strokes", type=whole, default=200, metavar="N", help="at most (default %(default)s)")
    add(
        "--size",
        type=whole,
        default=256,
        metavar="N",
        help="pixels of the longer side, at most (default %(default)s)",
    )
    add(
        "--background",
        type=number,
        metavar="X",
        help="grey of the empty canvas, 0 (black) to 1 (default the picture's mean)",
    )
    add("--run", metavar="RUN", help="a trained painter in place of the search: a run directory")
    add("--no-refine", action="store_true", help="leave the strokes as they were first painted")
    add("--curve", metavar="FILE", help="write the errors on the way as .json")
    add("--seed", type=whole, default=0, metavar="N", help="another painting (default 0)")
    arguments = parser.parse_all(argv)
    _check_painting(arguments)
    _prepare_jax(arguments.run)
    from creative_rl.experiment import painting_files

    settings = PaintSettings(
        num_strokes=arguments.strokes,
        size=arguments.size,
        background=arguments.background,
        refine=not arguments.no_refine,
        seed=arguments.seed,
    )
    as_usage(painting_files.check_out, arguments.picture, arguments.out, arguments.curve)
    painted = painting_files.paint_file(
        arguments.picture,
        arguments.out,
        settings,
        run=arguments.run,
        curve=arguments.curve,
        progress=True,
    )
    print(painting_files.describe(painted))
    print(painted.path)
    signal_came = painted.painting.signal
    return 0 if signal_came is None else 128 + signal_came


def _check_painting(arguments: argparse.Namespace) -> None:
    """Refuse before JAX is imported what can be."""
    between("--strokes", arguments.strokes, *BOUNDS["num_strokes"])
    between("--size", arguments.size, *BOUNDS["size"])
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    between("--background", arguments.background, 0, 1)
    if arguments.run is not None and arguments.background is not None:
        raise UsageError("--background: a run paints on the one that it was trained on")


def _perform(argv: list[str]) -> int:
    """make music event by event, against a clock"""
    parser = _run_parser("perform", _perform.__doc__)
    add = parser.add_argument
    add("--works", type=whole, default=1, metavar="N", help="pieces (default %(default)s)")
    add("--tempo", type=number, metavar="X", help="quarter notes a minute (default the works')")
    add("--seed", type=whole, default=0, metavar="N", help="another gives other works (default 0)")
    _add_checkpoint(parser)
    add("--out", metavar="DIR", help="keep the pieces there as MIDI files")
    arguments = parser.parse_all(argv)
    at_least("--works", arguments.works)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    between("--tempo", arguments.tempo, 1, 1000)
    _prepare_jax(arguments.run)
    from creative_rl.experiment import performance

    performed = performance.perform(
        arguments.run,
        arguments.works,
        tempo=arguments.tempo,
        seed=arguments.seed,
        checkpoint=arguments.checkpoint,
        out=arguments.out,
        listen=lambda token: print(token, end=" ", flush=True),
    )
    print(f"\n{performance.describe(performed)}")
    return 0


def _chat(argv: list[str]) -> int:
    """book by dialogue: you are the user, a run is the agent"""
    parser = _run_parser("chat", _chat.__doc__)
    add = parser.add_argument
    add("--seed", type=whole, default=0, metavar="N", help="another goal (default 0)")
    add("--out", metavar="FILE", help="keep the conversation as .txt or .json")
    arguments = parser.parse_all(argv)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    _prepare_jax(arguments.run)
    from creative_rl.experiment import chat

    chat.chat(arguments.run, seed=arguments.seed, out=arguments.out, read=input)
    return 0


def _demo(argv: list[str]) -> int:
    """RL Tuner end to end: a prior of real tunes, tuned by rules of music theory"""
    parser = Parser("demo", _demo.__doc__)
    parser.add_argument("--out", metavar="DIR", help="default runs/demo-TIME")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="default 0")
    arguments = parser.parse_all(argv)
    _prepare_jax()
    from creative_rl.experiment import demo

    return demo.main(arguments.out, arguments.seed)


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "list": _list,
    "plan": _plan,
    "train": _train,
    "resume": _resume,
    "create": _create,
    "evaluate": _evaluate,
    "report": _report,
    "sweep": _sweep,
    "compare": _compare,
    "paint": _paint,
    "perform": _perform,
    "chat": _chat,
    "demo": _demo,
}


def _run_parser(name: str, description: str | None) -> Parser:
    parser = Parser(name, description)
    parser.add_argument("run", metavar="RUN", help="run directory")
    return parser


def _add_checkpoint(parser: Parser) -> None:
    parser.add_argument(
        "--checkpoint", type=_checkpoint, default="latest", metavar="WHICH",
        help="best, latest or the update of one (default latest)",
    )  # fmt: skip


def _checkpoint(text: str) -> str | int:
    if text in ("best", "latest"):
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"must be best, latest or an update, got {text!r}")


def _prepare_jax(run: str | None = None, where: device_flags.Where | None = None) -> None:
    """Load JAX with its cache and devices; what is no run directory is refused before."""
    if run is not None:
        Run.open(run)
    from creative_rl.experiment import compilation_cache

    compilation_cache.enable()
    if where is not None:
        where.join()


def _tell_end(run: Run, result: "TrainResult", where: device_flags.Where) -> int:
    if not where.is_first:
        return 0 if result.signal is None else 128 + result.signal
    print(f"{result.status} after {result.num_updates} updates: {run.path}")
    if result.signal is not None:
        print(f"go on with: creative-rl resume {run.path}")
        return 128 + result.signal
    print(f"next: creative-rl create {run.path} --num 8; creative-rl report {run.path}")
    return 0


def _print_columns(rows: Iterable[tuple[str, str]]) -> None:
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"  {name:<{width}}  {text}")


if __name__ == "__main__":
    sys.exit(main())
