"""The libraries that ours is compared with, as arguments of a command line."""

import argparse

OURS, PUREJAXRL, REJAX, SB3 = "creative_rl", "purejaxrl", "rejax", "sb3"
PEERS = (PUREJAXRL, REJAX, SB3)


def add_argument(parser: argparse.ArgumentParser) -> None:
    """`--peer NAME[=PLACE]`, several times: pairs of name and place (or None) in `peer`."""
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        type=_peer,
        metavar="NAME[=PLACE]",
        help=f"also train {', '.join(PEERS)}; may be given several times",
    )


def _peer(text: str) -> tuple[str, str | None]:
    name, _, place = text.partition("=")
    if name not in PEERS:
        raise argparse.ArgumentTypeError(f"peers are {', '.join(PEERS)}; got {name!r}")
    if name == PUREJAXRL and not place:
        raise argparse.ArgumentTypeError("purejaxrl needs its checkout: purejaxrl=PATH")
    return name, place or None
