"""Design levels of Sokoban that can be solved, by long solutions."""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

from creative_rl.environment import check_whole
from creative_rl.envs.level_design import (
    ENDLESS,
    MORE,
    ONE,
    SOLID,
    LevelDesign,
    LevelParams,
    LevelState,
    count,
    interval_gain,
)
from creative_rl.ops import sokoban
from creative_rl.ops.grid_search import count_regions
from creative_rl.typing import Array, Key, Term
from creative_rl.works.level import Level

PLAYER, CRATE, TARGET = 2, 3, 4


class SokobanLevelParams(LevelParams):
    """Weights, what is wanted, and what maps start from."""

    solution_length: Array  # int32: least, for success
    shares: Array  # float32[K]: how probable each kind is where a map starts


SOKOBAN_TERMS = tuple(
    interval_gain(name, weight, "sokoban")
    for name, weight in (
        ("player", 3.0),
        ("crate", 2.0),
        ("target", 2.0),
        ("regions", 5.0),
        ("ratio", 2.0),
        ("solution_length", 1.0),
    )
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SokobanLevel(LevelDesign):
    """A puzzle: a player who has to push every crate onto a target, in many moves.

    | | |
    |---|---|
    | id | `level-sokoban-narrow`, `level-sokoban-turtle`, `level-sokoban-wide` |
    | version | 1 |
    | observation | Box(0, 255, (10, 10, 5), uint8), see `LevelDesign`; wide (5, 5, 5) |
    | action | Discrete(6), turtle Discrete(9), wide Discrete(125) |
    | reward terms | how much nearer to its interval each measure came: `player` (3.0) to 1; \
`crate`, `target` (2.0) to 1 .. 3; `regions` (5.0) to 1; `ratio` (2.0), the difference of crates \
and targets, the smaller the better; `solution_length` (1.0), the longer the better |
    | horizon | none: episodes end early |
    | termination | with a solution of 18 moves or more, or after 5 changes; truncated after \
5 x 25 steps |

    Kinds are empty, solid, player, crate and target. With one player, one region, and as many
    targets as crates, `solution_length` is the number of moves, walks and pushes, of a shortest
    solution; otherwise, and where there is none, it is 0.

    Source: Khalifa et al., arXiv 2001.09212, and its released code, `sokoban`.

    Deviations: the search (`ops.sokoban`) has no budget of 5,000 states, so it solves what the
    source gives up on, and its solutions are the shortest also where the source's second search
    finds another; levels of more than three crates count as not solvable, where the source tries;
    the term `dist-win`, whose weight is 0, is left out.

    Attributes:
      height: rows of the map, 2 to 16, at most 32 tiles in all.
      width: columns, 2 to 16.
      representation: what the agent sees and does.
      change_share: tiles of the map that may be changed in an episode, 0 to 1; one at least.
      controls: the measures that are controlled, of those in `bounds`.
    """

    height: int = 5
    width: int = 5
    terms: tuple[Term, ...] = SOKOBAN_TERMS
    names: ClassVar[tuple[str, ...]] = ("empty", "solid", "player", "crate", "target")
    characters: ClassVar[str] = "-#@$."

    def __post_init__(self):
        super().__post_init__()
        why = f" (the solver's boards have at most {sokoban.MOST_TILES} tiles)"
        check_whole("SokobanLevel", "height * width", self.height * self.width, 4, 32, why)

    @property
    def default_params(self) -> SokobanLevelParams:
        ends = {"player": ONE, "crate": (1, 3), "target": (1, 3), "regions": ONE}
        ends |= {"ratio": (-ENDLESS, -ENDLESS), "solution_length": MORE}
        return SokobanLevelParams(
            **self.shared_params(ends),
            solution_length=jnp.int32(18),
            shares=jnp.array([0.45, 0.4, 0.05, 0.05, 0.05], jnp.float32),
        )

    @property
    def bounds(self) -> dict[str, int]:
        counted = dict.fromkeys(("player", "crate", "target", "regions"), self.height * self.width)
        return {**counted, "solution_length": sokoban.MOST_MOVES}

    def start_shares(self, key: Key, params: SokobanLevelParams) -> Array:
        return params.shares

    def measure(self, tiles: Array, is_asked: Array) -> dict[str, Array]:
        nums = {name: count(tiles, self.names.index(name)) for name in self.names[2:]}
        nums["regions"] = count_regions((tiles != SOLID) & is_asked)
        length = sokoban.solution_length(_board(tiles), is_asked & _is_playable(nums))
        ratio = jnp.abs(nums["crate"] - nums["target"])
        return {**nums, "ratio": ratio, "solution_length": length}

    def is_success(self, state: LevelState, params: SokobanLevelParams) -> Array:
        return state.measures["solution_length"] >= params.solution_length

    def work(self, state: LevelState, params: SokobanLevelParams) -> Level:
        """The map so far, with a shortest solution where there is one."""
        moves, length = sokoban.solution(_board(state.tiles), _is_playable(state.measures))
        return Level(state.tiles, moves, length, self.names, self.characters)


def _is_playable(measures: dict[str, Array]) -> Array:
    """Whether the source asks its solver about a level."""
    is_whole = (measures["player"] == 1) & (measures["regions"] == 1)
    return is_whole & (measures["crate"] == measures["target"]) & (measures["crate"] > 0)


def _board(tiles: Array) -> sokoban.Board:
    return sokoban.Board(*(tiles == kind for kind in (SOLID, PLAYER, CRATE, TARGET)))
