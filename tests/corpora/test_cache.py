import logging
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.corpora import cache
from creative_rl.corpora.cache import TuneSet
from creative_rl.corpora.tunes import Tune


def make(*lengths):
    tunes = [
        Tune(f"tune {i}", np.full(n, 62 + i, np.uint8), np.arange(0, n, 2, np.int32), i % 12)
        for i, n in enumerate(lengths)
    ]
    return TuneSet(tunes, [("bad", "it has no notes")])


def same(one, other):
    assert one.skipped == other.skipped
    assert [(t.name, t.shift) for t in one.tunes] == [(t.name, t.shift) for t in other.tunes]
    for a, b in zip(one.tunes, other.tunes, strict=True):
        np.testing.assert_array_equal(a.events, b.events, strict=True)
        np.testing.assert_array_equal(a.starts, b.starts, strict=True)


def refuse():
    raise AssertionError("the cache was there")


@pytest.mark.parametrize("tunes", [make(5, 9, 1), make(4), TuneSet([], [("a", "b")]), make()])
def test_packed_tunes_come_back(tunes):
    same(cache.unpack(cache.pack(tunes, "k"), "k"), tunes)


def test_built_once_and_for_one_key(tmp_path):
    path = tmp_path / "new" / "tunes.npz"
    same(cache.cached(path, "one", lambda: make(5, 9)), make(5, 9))
    same(cache.cached(path, "one", refuse), make(5, 9))
    same(cache.cached(path, "two", lambda: make(3)), make(3))
    same(cache.cached(path, "two", refuse), make(3))
    assert os.listdir(path.parent) == ["tunes.npz"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"something else altogether",
        lambda data: data[:200] + bytes(100) + data[300:],
    ],
)
def test_a_damaged_file_is_replaced_with_a_logged_line(spoil, tmp_path, caplog):
    path = tmp_path / "tunes.npz"
    path.write_bytes(spoil(cache.pack(make(5, 9), "k")))
    with caplog.at_level(logging.WARNING):
        same(cache.cached(path, "k", lambda: make(3)), make(3))
    assert len(caplog.records) == 1 and str(path) in caplog.text
    same(cache.cached(path, "k", refuse), make(3))


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_no_damage_is_taken_for_tunes_or_crashes(data):
    tunes = make(5, 9)
    packed = bytearray(cache.pack(tunes, "k"))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = cache.unpack(bytes(packed), "k")
    except (cache.Damaged, cache.Stale):
        return
    same(found, tunes)  # zip's checksums leave only damage that changes no array


def foreign(**changes):
    import io

    with np.load(io.BytesIO(cache.pack(make(5, 9), "k"))) as file:
        arrays = {**dict(file), **changes}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "changes",
    [
        {"events_offsets": np.array([0, 5, 15])},
        {"events_offsets": np.array([0, 15, 14])},
        {"starts": np.array([0, 2, 4, 0, 2, 4, 6, 99], np.int32)},
        {"events": np.zeros(14, np.uint8)},
        {"events": np.zeros(14, np.int64)},
        {"events": np.full(14, 255, np.uint8)},
        {"shifts": np.array([0, 12], np.int8)},
        {"names": np.array(["one"])},
        {"skipped": np.array("text")},
    ],
)
def test_a_well_formed_file_with_other_contents_is_damaged(changes):
    cache.unpack(foreign(), "k")
    with pytest.raises(cache.Damaged):
        cache.unpack(foreign(**changes), "k")


def test_a_write_that_fails_leaves_the_old_file_and_gives_the_tunes(tmp_path, caplog, monkeypatch):
    path = tmp_path / "tunes.npz"
    cache.cached(path, "old", lambda: make(5))
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with caplog.at_level(logging.WARNING):
        same(cache.cached(path, "new", lambda: make(3)), make(3))
    assert "No space left" in caplog.text
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["tunes.npz"]


def test_the_user_s_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.default_folder() == tmp_path / "creative_rl" / "corpora"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.default_folder() == tmp_path / ".cache" / "creative_rl" / "corpora"
