"""Commands that train, or tell what training would need."""

from typing import TYPE_CHECKING

from creative_rl.commands.running import prepare_jax, print_columns, run_parser
from creative_rl.experiment import device_flags, train_arguments
from creative_rl.experiment.flags import number, whole
from creative_rl.experiment.parser import Parser, as_usage, at_least, between
from creative_rl.experiment.run import Run

if TYPE_CHECKING:
    from creative_rl.experiment.training import TrainResult


def train(argv: list[str]) -> int:
    """train a learner in an environment"""
    asked = train_arguments.parse(argv)
    prepare_jax(where=asked.where)
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


def plan(argv: list[str]) -> int:
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
    prepare_jax(where=asked.where)
    from creative_rl.experiment import assembly, planning

    as_usage(assembly.check, asked.spec)
    planned = planning.plan(
        asked.spec,
        given=asked.given,
        available=None if gibibytes is None else int(gibibytes * 2**30),
        measure_compile=asked.others["compile"],
        devices=asked.where.devices,
    )
    print_columns(planned.rows())
    planned.check()
    return 0


def resume(argv: list[str]) -> int:
    """go on with a run that was stopped, or with more steps"""
    parser = run_parser("resume", resume.__doc__)
    parser.add_argument("--steps", type=whole, metavar="N", help="a new total of steps")
    parser.add_argument("--log", metavar="NAMES", help="as for train")
    device_flags.add_to(parser)
    arguments = parser.parse_all(argv)
    where = device_flags.read(vars(arguments))
    at_least("--steps", arguments.steps)
    loggers = train_arguments.parse_loggers(arguments.log)
    prepare_jax(arguments.run, where)
    from creative_rl.experiment import session

    run, result = session.resume(
        arguments.run, total_steps=arguments.steps, loggers=loggers, devices=where.devices
    )
    if result is None:
        if where.is_first:
            print(f"{run.path} is done; --steps N with more than before goes on")
        return 0
    return _tell_end(run, result, where)


def sweep(argv: list[str]) -> int:
    """train all trials of a sweep's file"""
    from creative_rl.experiment.sweeping import arguments

    asked = arguments.parse_sweep(argv)
    prepare_jax()
    from creative_rl.experiment.sweeping import driver

    return driver.main(asked)


def demo(argv: list[str]) -> int:
    """RL Tuner end to end: a prior of real tunes, tuned by rules of music theory"""
    parser = Parser("demo", demo.__doc__)
    parser.add_argument("--out", metavar="DIR", help="default runs/demo-TIME")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="default 0")
    arguments = parser.parse_all(argv)
    prepare_jax()
    from creative_rl.experiment import demo as story

    return story.main(arguments.out, arguments.seed)


def _tell_end(run: Run, result: "TrainResult", where: device_flags.Where) -> int:
    if not where.is_first:
        return 0 if result.signal is None else 128 + result.signal
    print(f"{result.status} after {result.num_updates} updates: {run.path}")
    if result.signal is not None:
        print(f"go on with: creative-rl resume {run.path}")
        return 128 + result.signal
    print(f"next: creative-rl create {run.path} --num 8; creative-rl report {run.path}")
    return 0
