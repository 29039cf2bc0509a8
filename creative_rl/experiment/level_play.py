"""A person walks a level in the terminal, line by line."""

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from creative_rl import works
from creative_rl.experiment.level_rules import Board, Walked
from creative_rl.experiment.run import Run
from creative_rl.works import Level

_KEYS = "wdsa"  # as the moves of a level: up, right, down, left
HELP = (
    "w up, a left, s down, d right, several in a line; undo, restart, solution, quit "
    "(or u, r, q), then Enter"
)


class Played(NamedTuple):
    """How a game ended."""

    outcome: str
    """open (left before the end), won or lost"""
    moves: str
    """of the player, in the letters of w a s d, without those taken back"""


def play(
    path: str | os.PathLike,
    *,
    name: str | None = None,
    seed: int = 0,
    read: Callable[[str], str] = input,
    write: Callable[[str], Any] = print,
) -> Played:
    """Walk a level of Sokoban or of a dungeon (see `level_rules.Board`) until it is won or lost.

    Args:
      path: a level's file, or a run directory whose works are levels.
      name: of the work in the run, such as `best-00`; the first that can be played where None.
      seed: another one gives other ways of the enemies.
      read: gives the next line after a prompt; `EOFError` and `KeyboardInterrupt` leave.
      write: shows a line.

    Raises:
      ValueError: there is no such level, or it cannot be played.
      FileNotFoundError: there is no such file.
    """
    try:
        board = _opened(pathlib.Path(path), name)
    except ValueError as error:
        raise ValueError(f"play: {error}") from error
    game = _Game(board, np.random.default_rng(seed), write)
    try:
        game.talk(read)
    except (EOFError, KeyboardInterrupt):
        write("")
    now = game.history[-1][0]
    ending = {"won": "won", "lost": "lost: an enemy was there", "open": "left"}[now.outcome]
    write(f"{ending} after {now.moves} move{'s' * (now.moves != 1)}")
    return Played(now.outcome, "".join(key for _, key in game.history[1:]))


class _Game:
    """A game as it stands, with what came before."""

    def __init__(self, board: Board, generator: np.random.Generator, write: Callable[[str], Any]):
        self.board, self.generator, self.write = board, generator, write
        self.history: list[tuple[Walked, str]] = [(board.start, "")]

    def talk(self, read: Callable[[str], str]) -> None:
        self.write(HELP)
        self._show()
        while self.history[-1][0].outcome == "open":
            line = read("move: ").strip().lower()
            if line in ("quit", "q"):
                return
            self._answer(line)

    def _answer(self, line: str) -> None:
        if line in ("undo", "u"):
            del self.history[max(len(self.history) - 1, 1) :]
        elif line in ("restart", "r"):
            del self.history[1:]
        elif line == "solution":
            self.write(self._solution())
            return
        elif line and not {*line} - {*_KEYS}:
            self._walk(line)
        else:
            self.write(HELP)
            return
        self._show()

    def _walk(self, keys: str) -> None:
        for key in keys:
            now = self.history[-1][0]
            after = self.board.moved(now, _KEYS.index(key))
            if now.outcome != "open" or after is now:
                return  # what was meant to follow a blocked move would be another way
            self.history.append((self.board.wandered(after, self.generator), key))

    def _solution(self) -> str:
        level = self.board.level
        if not level.length:
            return "no solution is known"
        moves = level.moves[: int(level.length)].tolist()
        return f"from the start: {''.join(_KEYS[move] for move in moves)}"

    def _show(self) -> None:
        now = self.history[-1][0]
        for row in self.board.rows(now):
            self.write(f"  {row}")
        if now.has_key:
            self.write("  you have the key")


def _opened(path: pathlib.Path, name: str | None) -> Board:
    """The level of a file, or of a run: that of a name, or the first that can be played."""
    if not path.is_dir():
        if name is not None:
            raise ValueError(f"{path} is a file; a name chooses among the works of a run")
        return _board(path)
    folder = Run.open(path).works
    index = folder / "index.json"
    if not index.exists():
        raise ValueError(f"{path} has no works yet; make some: creative-rl create {path}")
    try:
        files = {entry["name"]: entry["files"] for entry in json.loads(index.read_text("utf-8"))}
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{index} is damaged; make it anew: creative-rl create {path}") from error
    if not files:
        raise ValueError(f"{path} has no works; make some: creative-rl create {path}")
    if name is not None:
        if name not in files:
            raise ValueError(f"{path} has no work {name!r}; it has {', '.join(files)}")
        return _board(folder / files[name]["json"])
    reasons = []
    for entry in files.values():
        try:
            return _board(folder / entry["json"])
        except ValueError as error:
            reasons.append(error)
    raise ValueError(f"none of the works can be played; the first: {reasons[0]}")


def _board(path: pathlib.Path) -> Board:
    level = works.load(path)
    if not isinstance(level, Level):
        raise ValueError(f"{path} is a {type(level).__name__}, not a level")
    try:
        return Board(level)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
