"""Design levels by going over the map a few times: a maze with a door, and a dungeon."""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

from creative_rl.environment import check_whole
from creative_rl.envs.level_design import (
    DUNGEON,
    DUNGEON_CHARACTERS,
    ENDLESS,
    MORE,
    ONE,
    SOLID,
    LevelDesign,
    LevelParams,
    LevelState,
    count,
    dungeon_counts,
    interval_gain,
)
from creative_rl.ops.grid_search import count_regions, distances
from creative_rl.typing import Array, Key, Term


class ScannedLevelParams(LevelParams):
    """Weights, what is wanted, and what maps start from."""

    shares: Array  # float32[K]: how probable each kind is where a map starts


MAZE_TERMS = tuple(
    interval_gain(name, 1.0, "maze", "PCGRL-jax")
    for name in ("player", "door", "regions", "path_length")
)
DUNGEON_TERMS = tuple(
    interval_gain(name, weight, "dungeon", "PCGRL-jax")
    for name, weight in (
        ("player", 3.0),
        ("key", 3.0),
        ("door", 3.0),
        ("regions", 5.0),
        ("enemies", 3.0),
        ("nearest_enemy", 2.0),
        ("path_length", 1.0),
    )
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScannedLevel(LevelDesign):
    """Base of the problems of PCGRL-jax: changes without end, for a number of steps.

    Attributes:
      height: rows of the map, 2 to 32.
      width: columns, 2 to 32.
      representation: what the agent sees and does; in `narrow` tiles are given row by row.
      change_share: how many steps of an episode may change a tile, 0 to 1; one at least.
      controls: the measures that are controlled, of those in `bounds`.
      num_scans: steps of an episode, in tiles of the map; twice as many for a turtle.
    """

    height: int = 16
    width: int = 16
    change_share: float = 1.0
    num_scans: int = 3

    in_order: ClassVar[bool] = True
    start_probabilities: ClassVar[tuple[float, ...]]

    def __post_init__(self):
        super().__post_init__()
        check_whole(type(self).__name__, "num_scans", self.num_scans, 1, 1000)

    @property
    def max_changes(self) -> int:
        """The default of `params.max_changes`."""
        return max(int(self.change_share * self.num_steps), 1)

    @property
    def num_steps(self) -> int:
        scans = self.num_scans * (2 if self.representation == "turtle" else 1)
        return scans * self.height * self.width

    def most_steps(self, params: ScannedLevelParams) -> Array:
        return jnp.int32(self.num_steps)

    def start_shares(self, key: Key, params: ScannedLevelParams) -> Array:
        return params.shares

    def is_success(self, state: LevelState, params: ScannedLevelParams) -> Array:
        """Never: the source ends no episode early."""
        return jnp.bool_(False)

    def params_of(self, intervals: dict[str, tuple[int, int]]) -> ScannedLevelParams:
        """The default params with what is wanted of each measure."""
        return ScannedLevelParams(
            **self.shared_params(intervals),
            shares=jnp.array(self.start_probabilities, jnp.float32),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class MazeLevel(ScannedLevel):
    """A maze: one player, one door, all of it connected, and a long way between them.

    | | |
    |---|---|
    | id | `level-maze` |
    | version | 1 |
    | observation | Box(0, 255, (32, 32, 4), uint8), see `LevelDesign`; wide (16, 16, 4) |
    | action | Discrete(5), turtle Discrete(8), wide Discrete(1024) |
    | reward terms | how much nearer to its interval each measure came: `player`, `door`, \
`regions` (1.0) to 1; `path_length` (1.0), the longer the better |
    | horizon | none: `params.max_changes` may end an episode early |
    | termination | after `params.max_changes` changes, as many as steps by default; truncated \
after 3 x 256 steps, a turtle's after 6 x 256 |

    Kinds are empty, solid, player and door. With one player, one door and one region
    `path_length` is the length of the way between them, otherwise 0.

    Source: PCGRL-jax (Earle et al., arXiv 2408.12525), released code, `maze`.

    Deviations: the source's `narrow` has no action that leaves the tile as it is, and shows the
    tile that was set last, not the one that is next; its maps have a border of a kind of its own,
    here of solid tiles; a step across an interval costs both distances, see `interval_gain`.
    """

    terms: tuple[Term, ...] = MAZE_TERMS
    names: ClassVar[tuple[str, ...]] = ("empty", "solid", "player", "door")
    characters: ClassVar[str] = ".#@>"
    start_probabilities: ClassVar[tuple[float, ...]] = (0.48, 0.48, 0.02, 0.02)

    @property
    def default_params(self) -> ScannedLevelParams:
        ones = dict.fromkeys(("player", "door", "regions"), ONE)
        return self.params_of({**ones, "path_length": MORE})

    @property
    def bounds(self) -> dict[str, int]:
        counted = dict.fromkeys(("player", "door", "regions"), self.height * self.width)
        return {**counted, "path_length": self.longest_way}

    def measure(self, tiles: Array, is_asked: Array) -> dict[str, Array]:
        is_open = (tiles != SOLID) & is_asked
        nums = {"player": count(tiles, 2), "door": count(tiles, 3)}
        nums["regions"] = count_regions(is_open)
        has_way = (nums["player"] == 1) & (nums["door"] == 1) & (nums["regions"] == 1)
        (way,) = distances(*(part[None] for part in (is_open & has_way, tiles == 2, tiles == 3)))
        return {**nums, "path_length": jnp.where(has_way, way, 0)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DungeonLevel(ScannedLevel):
    """PCGRL-jax's dungeon: a key, a door and enemies, by other rules than `ZeldaLevel`.

    | | |
    |---|---|
    | id | `level-dungeon` |
    | version | 1 |
    | observation | Box(0, 255, (32, 32, 8), uint8), see `LevelDesign`; wide (16, 16, 8) |
    | action | Discrete(9), turtle Discrete(12), wide Discrete(2048) |
    | reward terms | how much nearer to its interval each measure came: `player`, `key`, `door` \
(3.0) to 1; `regions` (5.0) to 1; `enemies` (3.0) to 1 .. 6; `nearest_enemy` (2.0) to 2 or more; \
`path_length` (1.0), the longer the better |
    | horizon | none: `params.max_changes` may end an episode early |
    | termination | after `params.max_changes` changes, as many as steps by default; truncated \
after 3 x 256 steps, a turtle's after 6 x 256 |

    Kinds are empty, solid, player, key, door, bat, scorpion and spider. Regions are those of empty
    tiles and keys. With one player, one key, one door, one region and 2 to 5 enemies,
    `nearest_enemy` is the length of the way to the nearest enemy, and `path_length` that of the way
    to the key and on to the door, over empty tiles and keys; a way that there is not counts 0, and
    so do all where the map is not so.

    Source: PCGRL-jax (Earle et al., arXiv 2408.12525), released code, `dungeon`.

    Deviations: those of `MazeLevel`; ways that start at the player are a step shorter in the
    source, and one that there is not counts what its search covered; enemies beyond 1 .. 6 cost a
    whole each, there a half for the first.
    """

    terms: tuple[Term, ...] = DUNGEON_TERMS
    names: ClassVar[tuple[str, ...]] = DUNGEON
    characters: ClassVar[str] = DUNGEON_CHARACTERS
    start_probabilities: ClassVar[tuple[float, ...]] = (0.58, 0.3, *[0.02] * 6)

    @property
    def default_params(self) -> ScannedLevelParams:
        ones = dict.fromkeys(("player", "key", "door", "regions"), ONE)
        ways = {"nearest_enemy": (2, ENDLESS), "path_length": MORE}
        return self.params_of({**ones, "enemies": (1, 6), **ways})

    @property
    def bounds(self) -> dict[str, int]:
        counted = ("player", "key", "door", "regions", "enemies")
        ways = {"nearest_enemy": self.longest_way, "path_length": 2 * self.longest_way}
        return {**dict.fromkeys(counted, self.height * self.width), **ways}

    def measure(self, tiles: Array, is_asked: Array) -> dict[str, Array]:
        floor = ((tiles == 0) | (tiles == 3)) & is_asked
        player, key, door = (tiles == kind for kind in (2, 3, 4))
        enemies = tiles >= 5
        nums = {
            **dungeon_counts(tiles),
            "regions": count_regions(floor),
        }
        is_one = [nums[name] == 1 for name in ("player", "key", "door", "regions")]
        is_whole = jnp.stack(is_one).all() & (nums["enemies"] >= 2) & (nums["enemies"] <= 5)
        asked = is_whole & is_asked
        starts = jnp.stack([player, player, key]) & asked
        goals = jnp.stack([enemies, key, door])
        ways = distances(floor[None] | starts | goals & asked, starts, goals)
        near, to_key, to_door = jnp.maximum(ways, 0)
        return {
            **nums,
            "nearest_enemy": jnp.where(is_whole, near, 0),
            "path_length": jnp.where(is_whole, to_key + to_door, 0),
        }
