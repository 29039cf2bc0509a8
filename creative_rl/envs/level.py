"""Design levels: a labyrinth with long ways, and a dungeon with a key and a door."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from creative_rl.envs.level_design import (
    DUNGEON,
    DUNGEON_CHARACTERS,
    EMPTY,
    ENDLESS,
    MORE,
    ONE,
    SOLID,
    LevelDesign,
    LevelParams,
    LevelState,
    dungeon_counts,
    interval_gain,
)
from creative_rl.ops.grid_search import count_regions, distances, regions_and_path
from creative_rl.typing import Array, Key, Term


class BinaryLevelParams(LevelParams):
    """Weights, what is wanted, and what maps start from."""

    path_gain: Array  # int32: success asks for so much more than the path at the start
    empty_range: Array  # float32[2]: the share of empty tiles is uniform between them


class ZeldaLevelParams(LevelParams):
    """Weights, what is wanted, and what maps start from."""

    path_length: Array  # int32: least, for success
    shares: Array  # float32[K]: how probable each kind is where a map starts


BINARY_TERMS = (
    interval_gain("regions", 5.0, "binary"),
    interval_gain("path_length", 1.0, "binary"),
)
ZELDA_TERMS = tuple(
    interval_gain(name, weight, "zelda")
    for name, weight in (
        ("player", 3.0),
        ("key", 3.0),
        ("door", 3.0),
        ("regions", 5.0),
        ("enemies", 1.0),
        ("nearest_enemy", 2.0),
        ("path_length", 1.0),
    )
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryLevel(LevelDesign):
    """A labyrinth of empty and solid tiles, all of it connected, with a long way through it.

    | | |
    |---|---|
    | id | `level-binary-narrow`, `level-binary-turtle`, `level-binary-wide`; and \
`level-binary-targets`, narrow, with `path_length` controlled and all tiles to change |
    | version | 1 |
    | observation | Box(0, 255, (28, 28, 1), uint8), see `LevelDesign`; wide (14, 14, 1); with \
targets a dict of it, `wanted` and `direction` |
    | action | Discrete(3), turtle Discrete(6), wide Discrete(392) |
    | reward terms | how much nearer to its interval each measure came: `regions` (5.0) to 1; \
`path_length` (1.0), the longer the better |
    | horizon | none: episodes end early |
    | termination | with one region and a path 20 longer than at the start, or after 39 changes; \
truncated after 39 x 196 steps |

    The path's length is the one of `ops.grid_search.regions_and_path`. Maps start with each tile
    empty with a probability that is uniform in 0 .. 1 for every map.

    Source: Khalifa et al., arXiv 2001.09212, and its released code, `binary`.

    Deviations: the first map of the released environment has the probability 0.5.
    """

    height: int = 14
    width: int = 14
    terms: tuple[Term, ...] = BINARY_TERMS
    names: ClassVar[tuple[str, ...]] = ("empty", "solid")
    characters: ClassVar[str] = ".#"

    @property
    def default_params(self) -> BinaryLevelParams:
        return BinaryLevelParams(
            **self.shared_params({"regions": ONE, "path_length": MORE}),
            path_gain=jnp.int32(20),
            empty_range=jnp.array([0.0, 1.0], jnp.float32),
        )

    @property
    def bounds(self) -> dict[str, int]:
        return {
            "regions": -(-self.height * self.width // 2),
            "path_length": self.longest_way,
        }

    def start_shares(self, key: Key, params: BinaryLevelParams) -> Array:
        low, high = params.empty_range
        empty = low + (high - low) * jax.random.uniform(key, (), jnp.float32)
        return jnp.stack([empty, 1 - empty])

    def measure(self, tiles: Array, is_asked: Array) -> dict[str, Array]:
        regions, path = regions_and_path((tiles == EMPTY) & is_asked)
        return {"regions": regions, "path_length": path}

    def is_success(self, state: LevelState, params: BinaryLevelParams) -> Array:
        now, before = state.measures, state.measures_at_start
        gain = now["path_length"] - before["path_length"]
        return (now["regions"] == 1) & (gain >= params.path_gain)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ZeldaLevel(LevelDesign):
    """A dungeon: a player who has to take a key to a door, past enemies that are not too near.

    | | |
    |---|---|
    | id | `level-zelda-narrow`, `level-zelda-turtle`, `level-zelda-wide` |
    | version | 1 |
    | observation | Box(0, 255, (22, 22, 8), uint8), see `LevelDesign`; wide (7, 11, 8) |
    | action | Discrete(9), turtle Discrete(12), wide Discrete(616) |
    | reward terms | how much nearer to its interval each measure came: `player`, `key`, `door` \
(3.0) to 1; `regions` (5.0) to 1; `enemies` (1.0) to 2 .. 5; `nearest_enemy` (2.0) to 4 or more; \
`path_length` (1.0), the longer the better |
    | horizon | none: episodes end early |
    | termination | with the nearest enemy at 4 or more and a path of 16 or more, or after 15 \
changes; truncated after 15 x 77 steps |

    Kinds are empty, solid, player, key, door, bat, scorpion and spider. Regions are those of all
    but solid tiles and doors. With one player and one region `nearest_enemy` is the length of
    the way to the nearest enemy that neither key nor door blocks, or the number of tiles where
    there is none; without an enemy, and otherwise, it is 0. With one key and one door too,
    `path_length` is the length of the way from the player to the key and on to the door, which
    adds -1 where it cannot be reached; otherwise it is 0. Success does not ask for the number of
    enemies.

    Source: Khalifa et al., arXiv 2001.09212, and its released code, `zelda`.
    """

    height: int = 7
    width: int = 11
    terms: tuple[Term, ...] = ZELDA_TERMS
    names: ClassVar[tuple[str, ...]] = DUNGEON
    characters: ClassVar[str] = DUNGEON_CHARACTERS

    @property
    def default_params(self) -> ZeldaLevelParams:
        ends = {"player": ONE, "key": ONE, "door": ONE, "regions": ONE, "enemies": (2, 5)}
        return ZeldaLevelParams(
            **self.shared_params({**ends, "nearest_enemy": (4, ENDLESS), "path_length": MORE}),
            path_length=jnp.int32(16),
            shares=jnp.array([0.58, 0.3, *[0.02] * 6], jnp.float32),
        )

    @property
    def bounds(self) -> dict[str, int]:
        num = self.height * self.width
        counted = dict.fromkeys(("player", "key", "door", "regions", "enemies"), num)
        ways = {"nearest_enemy": self.longest_way, "path_length": 2 * self.longest_way}
        return {**counted, **ways}

    def start_shares(self, key: Key, params: ZeldaLevelParams) -> Array:
        return params.shares

    def measure(self, tiles: Array, is_asked: Array) -> dict[str, Array]:
        is_open = (tiles != SOLID) & is_asked
        player, key, door = (tiles == kind for kind in (2, 3, 4))
        enemies = tiles >= 5
        nums = {
            **dungeon_counts(tiles),
            "regions": count_regions(is_open & ~door),
        }
        is_one = (nums["player"] == 1) & (nums["regions"] == 1) & is_asked
        has_way = is_one & (nums["key"] == 1) & (nums["door"] == 1)
        ways = distances(
            jnp.stack([is_open & ~key & ~door, is_open & ~door, is_open]),
            jnp.stack([player & is_one, player & has_way, key & has_way]),
            jnp.stack([enemies, key, door]),
        )
        near = jnp.where(ways[0] < 0, self.height * self.width, ways[0])
        return {
            **nums,
            "nearest_enemy": jnp.where(is_one & (nums["enemies"] > 0), near, 0),
            "path_length": jnp.where(has_way, ways[1] + ways[2], 0),
        }

    def is_success(self, state: LevelState, params: ZeldaLevelParams) -> Array:
        now, least = state.measures, params.intervals["nearest_enemy"][0]
        return (now["nearest_enemy"] >= least) & (now["path_length"] >= params.path_length)
