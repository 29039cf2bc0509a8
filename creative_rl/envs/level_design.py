"""What all designs of levels share: how a map is seen and changed, and what changes are worth.

`H` rows and `W` columns of tiles, `K` kinds of tile; tile 0 is empty and tile 1 solid.
"""

import abc
import dataclasses
from typing import Any, ClassVar, Literal, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import Environment, check_number, check_whole
from creative_rl.ops.grid_search import MOST_COLUMNS
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.typing import Array, Key, PyTree, Term, Transition
from creative_rl.works.level import Level

EMPTY, SOLID = range(2)
ENDLESS = 1 << 20
"""An end of an interval that no measure reaches: the more the better, or, negative, the less."""
ONE, MORE = (1, 1), (ENDLESS, ENDLESS)
"""Intervals: exactly one, and the more the better."""
DUNGEON = ("empty", "solid", "player", "key", "door", "bat", "scorpion", "spider")
"""Kinds of tile of dungeons, and `DUNGEON_CHARACTERS` in text."""
DUNGEON_CHARACTERS = ".#@+>bcs"
_STEPS = ((0, -1), (0, 1), (-1, 0), (1, 0))  # of the turtle, row and column
_REPRESENTATIONS = ("narrow", "turtle", "wide")


class LevelState(flax.struct.PyTreeNode):
    """The map, the tile that may be changed, and what is measured of the map."""

    tiles: Array  # uint8[H, W]
    row: Array  # int32: of the tile that may be changed; 0 where any may
    column: Array  # int32
    changes: Array  # int32: tiles changed so far
    step: Array  # int32
    measures: dict[str, Array]  # int32 scalars by name
    measures_at_start: dict[str, Array]
    wanted: dict[str, Array]  # int32 scalars: of the controlled measures


class LevelParams(flax.struct.PyTreeNode):
    """Weights, and what is wanted: of all designs."""

    weights: dict[str, Array]
    intervals: dict[str, Array]  # int32[2]: what each measure should lie in
    max_changes: Array  # int32
    targets: dict[str, Array]  # int32[2]: what may be wanted of each controlled measure


def interval_gain(
    name: str, weight: float, problem: str, source: str = "PCGRL (arXiv 2001.09212)"
) -> Term:
    """A term for how much nearer a measure has come to `params.intervals[name]`, or to what is
    wanted of it where it is controlled.

    A step across the whole interval costs the sum of both distances, as in the released code; one
    across what is wanted pays the difference, as in PCGRL-jax.
    """

    def gain(seen: Transition) -> Array:
        old, new = seen.state.measures[name], seen.next_state.measures[name]
        if name in seen.state.wanted:
            wanted = seen.state.wanted[name]
            return (jnp.abs(wanted - old) - jnp.abs(wanted - new)).astype(jnp.float32)
        low, high = seen.params.intervals[name]
        far_old, far_new = (jnp.maximum(jnp.maximum(low - m, m - high), 0) for m in (old, new))
        crosses = ((old < low) & (new > high)) | ((old > high) & (new < low))
        worth = jnp.where(crosses, -far_old - far_new, far_old - far_new)
        return worth.astype(jnp.float32)

    return Term(name, gain, weight, f"{source}, released code, {problem}")


class _Edit(NamedTuple):
    """What an action does: a tile that is put somewhere, if one is, and the next place."""

    row: Array
    column: Array
    tile: Array
    is_put: Array
    next_row: Array
    next_column: Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class LevelDesign(Environment):
    """Base of the designs of levels, after PCGRL (Khalifa et al., arXiv 2001.09212).

    A map is drawn tile by tile, and the agent changes it. What it sees and does is up to the
    representation. `narrow`: a tile is given, uniformly in every step (or row by row, where it
    says so); it stays, or becomes one of the K kinds. `turtle`: the agent moves left, right, up or
    down by a tile, and at the edges not; or the tile under it becomes one of the K kinds. `wide`:
    any tile becomes any kind, numbered by row, column and kind. With the first two the map is seen
    centred: a square of twice the longer side, with the tile in question at row and column
    `side // 2`, and solid tiles around the map. Observations are pictures, 255 where a kind is and
    0 elsewhere; of two kinds, only the solid tiles are told.

    Measures may be controlled, after controllable PCGRL (Earle et al., arXiv 2105.02993) as
    PCGRL-jax has it: what is wanted of them is drawn for every episode, uniformly in
    `params.targets` (both ends included), and the reward is how much nearer they came. The
    observation is then a dict: `map`, the picture; `wanted`, as a share of `bounds`; and
    `direction`, 1 where the measure is too small, -1 where it is too large, 0 where it is reached.
    Such an episode does not end with success.

    Attributes:
      height: rows of the map, 2 to 32.
      width: columns, 2 to 32.
      representation: what the agent sees and does.
      change_share: tiles of the map that may be changed in an episode, 0 to 1; one at least.
      controls: the measures that are controlled, of those in `bounds`.
    """

    height: int
    width: int
    representation: Literal["narrow", "turtle", "wide"] = "narrow"
    change_share: float = 0.2
    controls: tuple[str, ...] = ()

    in_order: ClassVar[bool] = False
    """Whether `narrow` gives the tiles row by row."""
    names: ClassVar[tuple[str, ...]]
    """Of the tiles."""
    characters: ClassVar[str]
    """Of the tiles, in text."""

    def __post_init__(self):
        super().__post_init__()
        name = type(self).__name__
        check_whole(name, "height", self.height, 2, MOST_COLUMNS)
        check_whole(name, "width", self.width, 2, MOST_COLUMNS)
        check_number(name, "change_share", self.change_share, 0, 1)
        if self.representation not in _REPRESENTATIONS:
            raise ValueError(
                f"{name}: representation must be {', '.join(_REPRESENTATIONS[:2])} or "
                f"{_REPRESENTATIONS[2]}, got {self.representation!r}"
            )
        object.__setattr__(self, "controls", tuple(self.controls))
        if {*self.controls} - {*self.bounds} or len({*self.controls}) < len(self.controls):
            raise ValueError(
                f"{name}: controls must be some of {', '.join(self.bounds)}, each once, "
                f"got {self.controls!r}"
            )

    # What a subclass defines.

    @abc.abstractmethod
    def start_shares(self, key: Key, params: Any) -> Array:
        """float32[K]: how probable each kind is where a map starts, with the sum 1."""

    @abc.abstractmethod
    def measure(self, tiles: Array, is_asked: Array) -> dict[str, Array]:
        """What is measured of a map, int32 scalars by name; anything where nobody asks.

        Searches over a map that nobody asks about end at once, so that in a batch only the maps
        that changed cost time.
        """

    @abc.abstractmethod
    def is_success(self, state: LevelState, params: Any) -> Array:
        """bool scalar: the level is as good as the source asks."""

    @property
    @abc.abstractmethod
    def bounds(self) -> dict[str, int]:
        """The most that may be wanted of each measure that can be controlled; the least is 0."""

    # What they share.

    @property
    def longest_way(self) -> int:
        """What PCGRL-jax takes for the longest way on a map."""
        return -(-self.height * self.width // 2) + max(self.height, self.width)

    def shared_params(self, intervals: dict[str, tuple[int, int]]) -> dict[str, Any]:
        """The fields of `LevelParams` by default, with what is wanted of each measure."""
        return {
            "weights": self.default_weights,
            "intervals": _intervals_of(intervals),
            "max_changes": jnp.int32(self.max_changes),
            "targets": _intervals_of({name: (0, self.bounds[name]) for name in self.controls}),
        }

    @property
    def max_changes(self) -> int:
        """The default of `params.max_changes`."""
        return max(int(self.change_share * self.width * self.height), 1)

    @property
    def num_steps(self) -> int:
        """Most steps of an episode with the default params."""
        return self.max_changes * self.width * self.height

    @property
    def observation_space(self) -> Box | Dict:
        num = len(self.names)
        side = 2 * max(self.height, self.width)
        size = (self.height, self.width) if self.representation == "wide" else (side, side)
        picture = Box(0, 255, (*size, 1 if num == 2 else num), jnp.uint8)
        if not self.controls:
            return picture
        shape = (len(self.controls),)
        told = {"wanted": Box(0.0, 1.0, shape), "direction": Box(-1.0, 1.0, shape)}
        return Dict({"map": picture, **told})

    @property
    def action_space(self) -> Discrete:
        num = len(self.names)
        if self.representation == "wide":
            return Discrete(self.height * self.width * num)
        return Discrete(num + (1 if self.representation == "narrow" else len(_STEPS)))

    def initial_state(self, key: Key, params: Any) -> LevelState:
        key_shares, key_tiles, key_place, *key_wanted = jax.random.split(
            key, 3 + len(self.controls)
        )
        ends = jnp.cumsum(self.start_shares(key_shares, params))[:-1]
        drawn = jax.random.uniform(key_tiles, (self.height, self.width, 1), jnp.float32)
        tiles = (drawn >= ends[None, None]).sum(axis=2, dtype=jnp.uint8)
        row = column = jnp.int32(0)
        if self.representation == "turtle" or not (self.representation == "wide" or self.in_order):
            row, column = self._place(Discrete(self.height * self.width).sample(key_place))
        measures = self.measure(tiles, jnp.bool_(True))
        zero = jnp.int32(0)
        wanted = {}
        for name, key_one in zip(self.controls, key_wanted, strict=True):
            low, high = params.targets[name]
            wanted[name] = jax.random.randint(key_one, (), low, high + 1, jnp.int32)
        return LevelState(tiles, row, column, zero, zero, measures, measures, wanted)

    def next_state(self, key: Key, state: LevelState, action: Array, params: Any) -> LevelState:
        edit = self._edit(key, state, action)
        is_changed = edit.is_put & (state.tiles[edit.row, edit.column] != edit.tile)
        rows = jnp.arange(self.height, dtype=jnp.int32)[:, None] == edit.row
        columns = jnp.arange(self.width, dtype=jnp.int32)[None] == edit.column
        tiles = jnp.where(rows & columns & is_changed, edit.tile, state.tiles)
        measures = self.measure(tiles, is_changed)
        return state.replace(
            tiles=tiles,
            row=edit.next_row,
            column=edit.next_column,
            changes=state.changes + is_changed,
            step=state.step + 1,
            measures={
                name: jnp.where(is_changed, measures[name], old)
                for name, old in state.measures.items()
            },
        )

    def observe(self, state: LevelState, params: Any) -> PyTree:
        picture = self._picture(state)
        if not self.controls:
            return picture
        names = self.controls
        wanted, now = (
            jnp.stack([values[name] for name in names]) for values in (state.wanted, state.measures)
        )
        most = jnp.array([self.bounds[name] for name in names], jnp.float32)
        return {
            "map": picture,
            "wanted": jnp.clip(wanted.astype(jnp.float32) / most, 0.0, 1.0),
            "direction": jnp.sign(wanted - now).astype(jnp.float32),
        }

    def end(self, state: LevelState, params: Any) -> tuple[Array, Array]:
        is_spent = state.changes >= params.max_changes
        terminated = is_spent
        if not self.controls:  # and not before the first step
            terminated |= self.is_success(state, params) & (state.step > 0)
        return terminated, ~terminated & (state.step >= self.most_steps(params))

    def most_steps(self, params: Any) -> Array:
        """int32: steps after which an episode is truncated."""
        return params.max_changes * (self.height * self.width)

    def work(self, state: LevelState, params: Any) -> Level:
        """The map so far."""
        moves = jnp.zeros(0, jnp.int8)
        return Level(state.tiles, moves, jnp.int32(0), self.names, self.characters)

    def _picture(self, state: LevelState) -> Array:
        tiles = state.tiles
        if self.representation != "wide":
            margin = max(self.height, self.width)
            around = jnp.pad(tiles, margin, constant_values=SOLID)
            window = (2 * margin, 2 * margin)
            tiles = jax.lax.dynamic_slice(around, (state.row, state.column), window)
        if len(self.names) == 2:
            return tiles[..., None] * jnp.uint8(255)
        kinds = jnp.arange(len(self.names), dtype=jnp.uint8)
        return jnp.where(tiles[..., None] == kinds[None, None], jnp.uint8(255), jnp.uint8(0))

    def _place(self, number: Array) -> tuple[Array, Array]:
        return number // self.width, number % self.width

    def _edit(self, key: Key, state: LevelState, action: Array) -> _Edit:
        """An action out of range is the nearest one in it."""
        num = len(self.names)
        action = jnp.clip(action.astype(jnp.int32), 0, self.action_space.num - 1)
        row, column = state.row, state.column
        if self.representation == "wide":
            here = self._place(action // num)
            return _Edit(*here, _kind(action % num), jnp.bool_(True), row, column)
        if self.representation == "narrow":
            num_tiles = self.height * self.width
            in_order = (state.step + 1) % num_tiles
            after = self._place(in_order if self.in_order else Discrete(num_tiles).sample(key))
            return _Edit(row, column, _kind(action - 1), action > 0, *after)
        is_move = action < len(_STEPS)
        down, right = jnp.asarray(_STEPS, jnp.int32)[jnp.minimum(action, len(_STEPS) - 1)]
        after = (
            jnp.clip(row + jnp.where(is_move, down, 0), 0, self.height - 1),
            jnp.clip(column + jnp.where(is_move, right, 0), 0, self.width - 1),
        )
        return _Edit(row, column, _kind(action - len(_STEPS)), ~is_move, *after)


def _intervals_of(ends: dict[str, tuple[int, int]]) -> dict[str, Array]:
    """int32[2] by name."""
    return {name: jnp.array(pair, jnp.int32) for name, pair in ends.items()}


def count(tiles: Array, *kinds: int) -> Array:
    """int32 scalar: how many tiles are of one of the kinds."""
    return jnp.isin(tiles, jnp.asarray(kinds, jnp.uint8)).sum(dtype=jnp.int32)


def dungeon_counts(tiles: Array) -> dict[str, Array]:
    """int32 scalars: how many there are of what a dungeon needs."""
    return {
        "player": count(tiles, 2),
        "key": count(tiles, 3),
        "door": count(tiles, 4),
        "enemies": count(tiles, 5, 6, 7),
    }


def _kind(number: Array) -> Array:
    return number.astype(jnp.uint8)
