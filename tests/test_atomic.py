"""Files appear whole or not at all."""

import json
import os
import threading

import pytest

from creative_rl.atomic import data_uri, write_bytes, write_json


def test_json_comes_back_and_a_failed_write_leaves_what_was_there(tmp_path):
    path = write_json(tmp_path / "a.json", {"b": [1, None, "ö"]})
    before = path.read_bytes()
    assert json.loads(before) == {"b": [1, None, "ö"]} and before.endswith(b"}\n")
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(path, {"b": object()})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_files_are_as_readable_as_others(tmp_path):
    path, other = write_bytes(tmp_path / "a", b"a"), tmp_path / "b"
    other.write_bytes(b"b")
    assert path.stat().st_mode == other.stat().st_mode


def test_a_missing_folder_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*none; create it first"):
        write_bytes(tmp_path / "none" / "a", b"")
    assert not list(tmp_path.iterdir())


def test_writers_at_the_same_time_do_not_meet(tmp_path, monkeypatch):
    """Each has written beside the file before any of them moves its own there."""
    path, replace, together = tmp_path / "a", os.replace, threading.Barrier(4, timeout=20)

    def late(*names):
        together.wait()
        replace(*names)

    monkeypatch.setattr(os, "replace", late)
    writers = [threading.Thread(target=write_bytes, args=(path, bytes([i]) * 9)) for i in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_bytes() in [bytes([i]) * 9 for i in range(4)]
    assert list(tmp_path.iterdir()) == [path]


def test_data_stands_in_a_page():
    assert data_uri("text/plain", b"hi") == "data:text/plain;base64,aGk="
