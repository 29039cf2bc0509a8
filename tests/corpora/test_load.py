import logging
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from midi_files import scale, track, write

from creative_rl import corpora
from creative_rl.corpora import midi_folder

MINOR = (0, 2, 3, 5, 7, 8, 11, 12)


@pytest.fixture
def folder(tmp_path):
    """Twelve tunes of white notes, a copy of one, and a broken file."""
    place = tmp_path / "midi"
    for i in range(12):
        pitches = np.random.default_rng(i).choice([60, 62, 64, 65, 67, 69, 71, 72], 24)
        notes = [(j, j + 1, int(pitch)) for j, pitch in enumerate(pitches)]
        write(place / f"tune {i:02}.mid", track(*notes))
    (place / "copy.mid").write_bytes((place / "tune 00.mid").read_bytes())
    (place / "broken.mid").write_bytes(b"MThd")
    return place


def test_a_folder_of_midi_files(folder, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        corpus = corpora.load(folder, cache_dir=tmp_path / "cache", held_out=0.2, transpose=False)
    names = {*corpus.train_names, *corpus.held_out_names}
    assert names == {"copy.mid", *(f"tune {i:02}.mid" for i in range(1, 12))}
    assert not set(corpus.train_names) & set(corpus.held_out_names)
    assert dict(corpus.skipped)["tune 00.mid"] == "it is the same, event by event, as copy.mid"
    assert "broken.mid" in dict(corpus.skipped)["broken.mid"]
    assert "2 of 14 pieces skipped" in caplog.text and "broken.mid" in caplog.text
    for part in (corpus.sequences.train, corpus.sequences.held_out):
        assert part.dtype == np.uint8 and part.shape[1] == 33 and len(part)
        assert (np.asarray(part)[:, 0] >= 2).all() and part.max() < 38
    assert corpus.source == str(folder) and "12 pieces" not in repr(corpus)


def test_loading_twice_reads_the_files_once_and_again_when_they_change(
    folder, tmp_path, monkeypatch
):
    cache = tmp_path / "cache"
    first = corpora.load(folder, cache_dir=cache)
    reads = []
    real = midi_folder.read
    monkeypatch.setattr(midi_folder, "read", lambda *a: reads.append(a) or real(*a))
    again = corpora.load(str(folder), cache_dir=cache)
    assert not reads
    np.testing.assert_array_equal(first.sequences.train, again.sequences.train)
    np.testing.assert_array_equal(first.sequences.held_out, again.sequences.held_out)
    assert first.skipped == again.skipped
    write(folder / "new.mid", track(*scale(60), *[(20 + i, 21 + i, 72) for i in range(12)]))
    more = corpora.load(folder, cache_dir=cache)
    assert len(reads) == 15
    assert set(first.held_out_names) == set(more.held_out_names) - {"new.mid"}
    assert len(list(cache.iterdir())) == 1


def test_d_major_lands_on_c_major_and_a_minor_stays(tmp_path):
    write(tmp_path / "d.mid", track(*scale(62)))
    write(tmp_path / "a.mid", track(*scale(57, MINOR)))
    corpus = corpora.load(tmp_path, cache_dir=tmp_path / "cache", held_out=0)
    assert corpus.train_names == ("a.mid", "d.mid")
    # Fifteen quarters and a rest: windows from the bars at 0, 16 and 32, of either piece.
    assert corpus.sequences.train.shape == (6, 33)
    a_minor, d_major = np.asarray(corpus.sequences.train)[[0, 3]]
    # One note a quarter: codes at every fourth event, 14 is middle C.
    assert d_major[::4].tolist() == [14, 16, 18, 19, 21, 23, 25, 26, 25]
    assert a_minor[::4].tolist() == [11, 13, 14, 16, 18, 19, 22, 23, 22]
    assert (a_minor[1::4] == 1).all() and (d_major[1::4] == 1).all()
    # The pieces whole, up to the event past the last bar line: where their windows come from.
    assert [piece.shape for piece in corpus.train_pieces] == [(65,), (65,)]
    windows = np.split(np.asarray(corpus.sequences.train), 2)
    for piece, rows in zip(corpus.train_pieces, windows, strict=True):
        cuts = [piece[start : start + 33] for start in (0, 16, 32)]
        np.testing.assert_array_equal(cuts, rows)
    kept = corpora.load(tmp_path, cache_dir=tmp_path / "cache", held_out=0, transpose=False)
    assert np.asarray(kept.sequences.train)[3, ::4].tolist() == [16, 18, 20, 21, 23, 25, 27, 28, 27]


def test_the_split_depends_on_the_seed_only(folder, tmp_path):
    def held_out(**changes):
        return corpora.load(
            folder, cache_dir=tmp_path / "c", held_out=0.3, **changes
        ).held_out_names

    assert held_out() == held_out() == held_out(length=16)
    assert len({held_out(seed=seed) for seed in range(5)}) > 1


def test_a_spoilt_cache_is_rebuilt(folder, tmp_path, caplog):
    cache = tmp_path / "cache"
    first = corpora.load(folder, cache_dir=cache)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:-40])
    again = corpora.load(folder, cache_dir=cache)
    assert "building it again" in caplog.text
    np.testing.assert_array_equal(first.sequences.train, again.sequences.train)


def test_a_cache_folder_that_cannot_be_made_is_a_logged_line(folder, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    corpus = corpora.load(folder, cache_dir=tmp_path / "file")
    assert len(corpus.train_names) and "cannot keep tunes" in caplog.text


@pytest.mark.parametrize("source", ["ryans", "no/such/folder", pathlib.Path("nowhere")])
def test_an_unknown_source_names_the_known_ones(source, tmp_path):
    with pytest.raises(ValueError, match="no such directory") as caught:
        corpora.load(source, cache_dir=tmp_path)
    line = str(caught.value)
    assert str(source) in line and "\n" not in line
    for name in ("default", "ryans-mammoth", "bach-sopranos"):
        assert name in line


def test_pieces_that_nobody_can_mend_are_no_warning(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        for source in ("default", str(tmp_path), tmp_path):
            corpora.corpus._log_skipped(source, [("a.mid", "it is empty")], 1)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "WARNING"]


def test_a_near_name_is_offered(tmp_path):
    with pytest.raises(ValueError, match=r"no such directory \(did you mean bach-sopranos\?\)"):
        corpora.load("bach-soprano", cache_dir=tmp_path)


def test_what_cannot_be_used_is_one_line_with_a_remedy(tmp_path, monkeypatch):
    cache, empty = tmp_path / "cache", tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match=r"no \.mid or \.midi file in .*put some there"):
        corpora.load(empty, cache_dir=cache)
    file = write(empty / "short.mid", track((0, 1, 60)))
    with pytest.raises(ValueError, match="that is a file"):
        corpora.load(file, cache_dir=cache)
    with pytest.raises(ValueError, match=r"none of its 1 pieces is usable at length 32 \(short"):
        corpora.load(empty, cache_dir=cache)
    with pytest.raises(
        ValueError, match=r"usable pieces \(1\) are one; add other tunes .*held_out=0"
    ):
        corpora.load(empty, cache_dir=cache, length=4)
    assert corpora.load(empty, cache_dir=cache, length=4, held_out=0).sequences.train.tolist() == [
        [14, 1, 1, 1, 0]
    ]

    def locked(*_, onerror):
        onerror(PermissionError(13, "Permission denied"))
        yield

    monkeypatch.setattr("os.walk", locked)
    with pytest.raises(ValueError, match=r"cannot read .*Permission denied.*may read"):
        corpora.load(empty, cache_dir=cache)


@pytest.mark.parametrize("bad", [{"length": 0}, {"held_out": 1.0}, {"held_out": -0.1}])
def test_arguments_out_of_range(bad, tmp_path):
    with pytest.raises(ValueError, match=next(iter(bad))):
        corpora.load(tmp_path, **bad)


def test_importing_needs_neither_music21_nor_mido():
    code = "import sys, creative_rl.corpora; print({'music21', 'mido', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"music21", "mido"} & set(done.stdout.replace("'", " ").split())
