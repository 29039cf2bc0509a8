"""Commands in which somebody takes part: a picture to paint, a piece in time, a talk, a game."""

import argparse

from creative_rl.commands.running import add_checkpoint, prepare_jax, run_parser
from creative_rl.experiment.flags import number, whole
from creative_rl.experiment.paint_settings import BOUNDS, PaintSettings
from creative_rl.experiment.parser import Parser, UsageError, as_usage, at_least, between
from creative_rl.experiment.sizes import LARGEST_SEED


def paint(argv: list[str]) -> int:
    """paint a picture with brush strokes"""
    parser = Parser("paint", paint.__doc__)
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
    prepare_jax(arguments.run)
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


def perform(argv: list[str]) -> int:
    """make music event by event, against a clock"""
    parser = run_parser("perform", perform.__doc__)
    add = parser.add_argument
    add("--works", type=whole, default=1, metavar="N", help="pieces (default %(default)s)")
    add("--tempo", type=number, metavar="X", help="quarter notes a minute (default the works')")
    add("--seed", type=whole, default=0, metavar="N", help="another gives other works (default 0)")
    add_checkpoint(parser)
    add("--out", metavar="DIR", help="keep the pieces there as MIDI files")
    arguments = parser.parse_all(argv)
    at_least("--works", arguments.works)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    between("--tempo", arguments.tempo, 1, 1000)
    prepare_jax(arguments.run)
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


def chat(argv: list[str]) -> int:
    """book by dialogue: you are the user, a run is the agent"""
    parser = run_parser("chat", chat.__doc__)
    add = parser.add_argument
    add("--seed", type=whole, default=0, metavar="N", help="another goal (default 0)")
    add("--out", metavar="FILE", help="keep the conversation as .txt or .json")
    arguments = parser.parse_all(argv)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    prepare_jax(arguments.run)
    from creative_rl.experiment import chat as talk

    talk.chat(arguments.run, seed=arguments.seed, out=arguments.out, read=input)
    return 0


def play(argv: list[str]) -> int:
    """walk a level of Sokoban or a dungeon"""
    parser = Parser("play", play.__doc__)
    add = parser.add_argument
    add("level", metavar="LEVEL", help="a level's .txt, .json or .png, or a run directory")
    add("--work", metavar="NAME", help="of a run: which of its works (default the first to play)")
    add("--seed", type=whole, default=0, metavar="N", help="other ways of enemies (default 0)")
    arguments = parser.parse_all(argv)
    between("--seed", arguments.seed, 0, LARGEST_SEED)
    from creative_rl.experiment import level_play

    level_play.play(arguments.level, name=arguments.work, seed=arguments.seed, read=input)
    return 0
