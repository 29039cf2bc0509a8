"""Levels walked in the terminal, lines from a list: the rules, what is said, what is refused."""

import builtins
import json

import numpy as np
import pytest

from creative_rl import cli, works
from creative_rl.experiment import RunSpec, level_play, start
from creative_rl.experiment.level_rules import Board, Walked
from creative_rl.works import Level

SOKOBAN = ("empty", "solid", "player", "crate", "target"), "-#@$."
ZELDA = ("empty", "solid", "player", "key", "door", "bat", "scorpion", "spider"), ".#@+>bcs"


def level(kind, rows, moves=()):
    characters = kind[1]
    tiles = np.array([[characters.index(c) for c in row] for row in rows], np.uint8)
    return Level(tiles, np.array(moves, np.int8), np.array(len(moves), np.int32), *kind)


PUZZLE = level(SOKOBAN, ["@----", "-$-#-", "--.--"], [1, 2])
DUNGEON = level(ZELDA, ["@.+#.", "##..>", "b####"])


class Script:
    """Lines to type, then the end of input; what was shown."""

    def __init__(self, *lines, ending=EOFError):
        self.lines, self.ending, self.shown = iter(lines), ending, []

    def read(self, prompt):
        for line in self.lines:
            return line
        raise self.ending

    def play(self, path, **keywords):
        return level_play.play(path, read=self.read, write=self.shown.append, **keywords)


@pytest.fixture
def puzzle(tmp_path):
    return works.save(PUZZLE, tmp_path / "puzzle.txt")


@pytest.fixture
def dungeon(tmp_path):
    return works.save(DUNGEON, tmp_path / "dungeon.json")


def test_a_crate_is_pushed_onto_its_target(puzzle):
    script = Script("d", "s", "undo", "a", "s", "dd")
    played = script.play(puzzle)
    assert played == ("open", "dasd")  # the wall stops the last
    rows = [line.strip() for line in script.shown]
    assert rows[-5:-2] == ["-----", "-@$#-", "--.--"]
    script = Script("DS", "sa", "wd", "sdd")
    assert script.play(puzzle) == ("open", "dswds")  # nothing follows what is blocked


def test_crates_are_pushed_and_the_puzzle_is_won(tmp_path):
    path = works.save(level(SOKOBAN, ["@$-.", "----"], [1, 1]), tmp_path / "one.txt")
    script = Script("solution", "dd", "w")
    assert script.play(path) == ("won", "dd")
    assert "from the start: dd" in script.shown
    assert script.shown[-3:] == ["  --@*", "  ----", "won after 2 moves"]


def test_what_blocks_a_crate_and_the_player():
    board = Board(level(SOKOBAN, ["@$$-", "$-..", "-.--"]))
    assert board.moved(board.start, 1) is board.start  # two crates in a row
    down = board.moved(board.start, 2)
    assert down.crates == {(0, 1), (0, 2), (2, 0)} and down.player == (1, 0)
    assert board.moved(down, 2) is down  # the edge is behind the crate
    assert board.moved(board.start, 0) is board.start and down.outcome == "open"


def test_a_player_stands_on_targets_and_walls_stop_a_line(tmp_path):
    path = works.save(level(SOKOBAN, ["@.#-", "--$-"]), tmp_path / "one.txt")
    script = Script("dds", "solution", "restart", "quit", "s")
    assert script.play(path) == ("open", "")
    assert "  -+#-" in script.shown and "no solution is known" in script.shown
    assert script.shown[-1] == "left after 0 moves"


def test_the_key_opens_the_door(dungeon):
    early = level(ZELDA, ["@>.", "+..", "..."])
    board = Board(early)
    assert board.moved(board.start, 1) is board.start
    with_key = board.moved(board.start, 2)
    assert with_key.has_key and not with_key.keys
    script = Script("dds", "dd")
    assert script.play(dungeon) == ("won", "ddsdd")
    assert "  you have the key" in script.shown and script.shown[-1] == "won after 5 moves"


def test_enemies_wander_and_meeting_one_is_the_end(tmp_path):
    board = Board(level(ZELDA, ["@b+", "..>"]))
    assert board.moved(board.start, 1).outcome == "lost"
    open_field = level(ZELDA, ["@....+>", *["......."] * 4, "b.....s"])
    board, places = Board(open_field), set()
    now, generator = board.start, np.random.default_rng(0)
    for _ in range(40):
        before, now = dict(now.enemies), dict(board.wandered(now, generator).enemies)
        assert sorted(now.values()) == ["bat", "spider"] and (0, 5) not in now and (0, 6) not in now
        for name in ("bat", "spider"):
            (old,), (new,) = ([p for p, n in at.items() if n == name] for at in (before, now))
            assert abs(old[0] - new[0]) + abs(old[1] - new[1]) <= 1
        places |= now.keys()
        now = Walked((0, 0), frozenset(), board.start.keys, tuple(now.items()))
    assert len(places) > 10
    path = works.save(open_field, tmp_path / "field.txt")
    ways = []
    for seed in (0, 0, 1):
        script = Script("dsdsd")
        script.play(path, seed=seed)
        ways.append(script.shown)
    assert ways[0] == ways[1] != ways[2]


@pytest.mark.parametrize("ending", [EOFError, KeyboardInterrupt])
def test_what_is_not_understood_is_told_and_who_leaves_may(puzzle, ending):
    script = Script("", "dance", "x", ending=ending)
    assert script.play(puzzle) == ("open", "")
    assert script.shown.count(level_play.HELP) == 4 and script.shown[-1] == "left after 0 moves"


def test_what_cannot_be_played_is_one_clear_line(tmp_path):
    for number, (rows, kind, line) in enumerate(
        [
            (["--"], SOKOBAN, "one player, this one has 0"),
            (["@@$."], SOKOBAN, "one player, this one has 2"),
            (["@$--"], SOKOBAN, "as many crates as targets, this one has 1 and 0"),
            (["@+.."], ZELDA, "or a key and a door; this one has 1 keys and 0 doors"),
        ]
    ):
        path = works.save(level(kind, rows), tmp_path / f"{number}.json")
        with pytest.raises(ValueError, match=rf"play: .*{number}\.json: a level to play .*{line}"):
            Script().play(path)
    verse = tmp_path / "verse.txt"
    verse.write_text("A line")
    with pytest.raises(ValueError, match=r"play: .*verse\.txt is a Text, not a level"):
        Script().play(verse)
    with pytest.raises(ValueError, match=r"verse\.txt is a file; a name chooses among"):
        Script().play(verse, name="best-00")
    with pytest.raises(FileNotFoundError):
        Script().play(tmp_path / "nothing.txt")


def test_works_of_a_run(tmp_path):
    spec = RunSpec("melody-target-tutorial", "q_learning", num_updates=1)
    run = start(spec, tmp_path / "run", progress=False, loggers=[])[0]
    with pytest.raises(ValueError, match=r"play: .*run has no works yet; make some: creative-rl"):
        Script().play(run.path)
    run.works.mkdir(exist_ok=True)
    names = {"best-00": level(SOKOBAN, ["--"]), "best-01": PUZZLE}
    index = [{"name": name, "files": {"json": f"{name}.json"}} for name in names]
    for name, made in names.items():
        works.save(made, run.works / f"{name}.json")
    (run.works / "index.json").write_text(json.dumps(index))
    assert Script("sd").play(run.path) == ("open", "sd")  # the first that can be
    assert Script("sd").play(run.path, name="best-01") == ("open", "sd")
    with pytest.raises(ValueError, match=r"has no work 'best-02'; it has best-00, best-01"):
        Script().play(run.path, name="best-02")
    (run.works / "index.json").write_text(json.dumps(index[:1]))
    with pytest.raises(ValueError, match=r"none of the works can be played; the first: .*player"):
        Script().play(run.path)
    for damaged in ("[", "[{}]", "[1]"):
        (run.works / "index.json").write_text(damaged)
        with pytest.raises(ValueError, match=r"index\.json is damaged; make it anew: creative-rl"):
            Script().play(run.path)
    (run.works / "index.json").write_text("[]")
    with pytest.raises(ValueError, match=r"has no works; make some"):
        Script().play(run.path)


def test_from_the_command_line(puzzle, monkeypatch, capsys):
    lines = iter(["sd", "q"])
    monkeypatch.setattr(builtins, "input", lambda prompt: next(lines))
    assert cli.main(["play", str(puzzle)]) == 0
    assert capsys.readouterr().out.endswith("left after 2 moves\n")
    assert cli.main(["play", str(puzzle), "--seed", "-1"]) == 2
    assert cli.main(["play", str(puzzle), "--work", "best-00"]) == 1
    assert "error: play: " in capsys.readouterr().err
