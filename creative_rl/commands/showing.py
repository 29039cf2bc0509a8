"""Commands that write, measure and compare what runs came to."""

from creative_rl.commands.running import add_checkpoint, prepare_jax, print_columns, run_parser
from creative_rl.experiment.flags import whole
from creative_rl.experiment.parser import as_usage, at_least, between
from creative_rl.experiment.run import Run
from creative_rl.experiment.sizes import LARGEST_SEED


def create(argv: list[str]) -> int:
    """write works of a run as files"""
    parser = run_parser("create", create.__doc__)
    add = parser.add_argument
    add("--num", type=whole, default=8, metavar="N", help="a fair sample (default %(default)s)")
    add("--best", type=whole, metavar="N", help="and the best of 256 (default at most 4)")
    add("--seed", type=whole, default=0, metavar="N", help="another gives other works (default 0)")
    add_checkpoint(parser)
    arguments = parser.parse_all(argv)
    at_least("--num", arguments.num)
    at_least("--best", arguments.best, 0)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    prepare_jax(arguments.run)
    from creative_rl.experiment import creation

    index = creation.create(
        arguments.run,
        arguments.num,
        num_best=arguments.best,
        seed=arguments.seed,
        checkpoint=arguments.checkpoint,
    )
    print_columns((work["name"], f"return {work['scores']['return']:g}") for work in index)
    print(f"{len(index)} works in {arguments.run}/works; next: creative-rl report {arguments.run}")
    return 0


def evaluate(argv: list[str]) -> int:
    """measure a run, with confidence intervals"""
    parser = run_parser("evaluate", evaluate.__doc__)
    add = parser.add_argument
    add("--num", type=whole, default=1024, metavar="N", help="episodes (default %(default)s)")
    add("--seed", type=whole, default=0, metavar="N", help="of the episodes (default 0)")
    add_checkpoint(parser)
    arguments = parser.parse_all(argv)
    at_least("--num", arguments.num)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    prepare_jax(arguments.run)
    from creative_rl.experiment import evaluation

    found = evaluation.evaluate(
        arguments.run, arguments.num, arguments.seed, checkpoint=arguments.checkpoint
    )
    print(evaluation.as_text(found.rows, found.notes))
    return 0


def report(argv: list[str]) -> int:
    """write a run's report.html"""
    run = Run.open(run_parser("report", report.__doc__).parse_all(argv).run)
    from creative_rl.experiment.report import write_report

    print(write_report(run.path))
    return 0


def compare(argv: list[str]) -> int:
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
