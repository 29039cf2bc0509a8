"""Real pieces against the printed score, and against music21's own reading."""

import numpy as np
import pytest

from creative_rl import corpora
from creative_rl.corpora import chorales, fiddle_tunes, music21_folder, sources
from creative_rl.corpora.keys import shift_from_notes
from creative_rl.corpora.score import Unusable
from creative_rl.ops.music_theory import C_MAJOR_CODES
from creative_rl.works.spans import Span

pytest.importorskip("music21")


def tune(name):
    source, stem = name.split("/")
    module, suffixes = sources._MODULES[source]
    (path,) = [p for p in music21_folder.files(module.FOLDER, suffixes) if p.stem == stem]
    return module.read(path, name), path


def codes(text):
    """`A4:4` is a note of four steps; the events are `2 + p` and holds."""
    events = []
    for word in text.split():
        pitch, steps = word.split(":")
        step = 12 * (int(pitch[-1]) + 1) + " C D EF G A B".index(pitch[0]) - 1
        step += pitch.count("#") - pitch.count("b")
        events += [2 + step] + [1] * (int(steps) - 1)
    return events


# First bars, written by hand from the scores.
SCORES = {
    # 6/8 in E minor with an upbeat of an eighth: F | E2F G2A | B2^A B^cd |
    "ryans-mammoth/LanigansBallJig": (
        "F#4:2  E4:4 F#4:2 G4:4 A4:2  B4:4 A#4:2 B4:2 C#5:2 D5:2",
        2,
        5,
    ),
    # 2/4 in sixteenths, D major: A2AB AFED | B2BA B2d2 |
    "ryans-mammoth/WindThatShakesTheBarleyReel": (
        "A4:2 A4:1 B4:1 A4:1 F#4:1 E4:1 D4:1  B4:2 B4:1 A4:1 B4:2 D5:2",
        0,
        10,
    ),
    # The upbeat of two quarters and dotted eighths, D major: FG | A>FA>d B>GB>d |
    "ryans-mammoth/MinstrelsFancyClog": (
        "F#4:2 G4:2  A4:3 F#4:1 A4:3 D5:1 B4:3 G4:1 B4:3 D5:1",
        4,
        10,
    ),
    # B flat major, quarters: D E F F | E D
    "bach-sopranos/bwv360": ("D5:4 Eb5:4 F5:4 F5:4  Eb5:4 D5:4", 0, 2),
    # F sharp minor, upbeat of two eighths.
    "bach-sopranos/bwv66.6": ("C#5:2 B4:2  A4:4 B4:4 C#5:4 E5:4", 4, 3),
}


@pytest.mark.parametrize("name", SCORES)
def test_the_first_bars_are_the_score_s(name):
    text, first_bar, shift = SCORES[name]
    found, _ = tune(name)
    expected = codes(text)
    assert found.events[: len(expected)].tolist() == expected
    assert found.starts[0] == first_bar and found.shift == shift


def test_triplets_land_on_the_grid():
    # Bar 4 of the clog: (3efe (3dcB A2 F G, triplets of eighths: 1, 2 and 1 sixteenths.
    found, _ = tune("ryans-mammoth/MinstrelsFancyClog")
    assert found.events[4 + 48 : 4 + 60].tolist() == codes("E5:1 F#5:2 E5:1  D5:1 C#5:2 B4:1  A4:4")


def test_a_second_ending_follows_the_bar_before_the_first(tmp_path):
    path = tmp_path / "x.abc"
    path.write_text("X:1\nT:x\nM:4/4\nL:1/4\nK:C\n|: CDEF |1 G4 :|2 A4 |]\n")
    assert fiddle_tunes.read(path, "x").events.tolist() == [*codes("C4:4 D4:4 E4:4 F4:4 A4:16"), 0]


def test_graces_chords_and_rests_of_abc(tmp_path):
    path = tmp_path / "x.abc"
    path.write_text("X:1\nT:x\nM:4/4\nL:1/4\nK:G\n{A}B [DGF] z G- | G4 |]\n")
    assert fiddle_tunes.read(path, "x").events.tolist() == [
        *codes("B4:4 G4:4"), 0, 1, 1, 1, *codes("G4:20"), 0,
    ]  # fmt: skip


def test_pieces_that_cannot_be_read_say_why(tmp_path):
    path = tmp_path / "x.abc"
    path.write_text("X:1\nT:x\nM:4/4\nL:1/4\nK:C\nCDEF|\nK:D\nDEFG|]\n")
    with pytest.raises(Unusable, match="2 key signatures"):
        fiddle_tunes.read(path, "x")
    for suffix in (".mxl", ".xml"):
        broken = tmp_path / f"broken{suffix}"
        broken.write_bytes(b"PK no music")
        with pytest.raises(Unusable, match="not MusicXML"):
            chorales.read(broken, "x")


@pytest.mark.parametrize(
    "name",
    [
        "ryans-mammoth/LanigansBallJig",
        "ryans-mammoth/DuncanDavidsonStrathspey",
        "bach-sopranos/bwv66.6",
        "bach-sopranos/bwv1.6",
        "bach-sopranos/bwv7.7",
    ],
)
def test_music21_reads_the_same_notes(name):
    from music21 import converter

    found, path = tune(name)
    score = converter.parseFile(path, forceSource=True, storePickle=False)
    parts = [p for p in score.parts if "Soprano" in (p.partName or "")] or score.parts
    line = parts[0].flatten().stripTies()
    notes = [n for n in line.notes if not n.duration.isGrace and "Symbol" not in type(n).__name__]
    expected = [
        (round(4 * n.offset), round(4 * n.quarterLength), n.pitches[-1].midi) for n in notes
    ]
    starts = np.flatnonzero(found.events >= 2)
    ends = [
        int(next(t for t in range(s + 1, len(found.events)) if found.events[t] != 1))
        for s in starts
    ]
    ours = [
        (int(s), e - int(s), int(found.events[s]) - 2) for s, e in zip(starts, ends, strict=True)
    ]
    assert ours == expected


def test_a_missing_music21_names_the_extra(monkeypatch, tmp_path):
    import importlib.metadata

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ImportError, match=r"pip install 'creative_rl\[data\]'"):
        corpora.load("bach-sopranos", cache_dir=tmp_path)


@pytest.fixture(scope="module")
def read_once(tmp_path_factory):
    """A cache that is empty at first: the chorales are read once for both tests."""
    return tmp_path_factory.mktemp("corpora")


def test_the_chorales_are_musical(read_once):
    corpus = corpora.load("bach-sopranos", cache_dir=read_once)
    check_music(corpus, pieces=390, windows=4000)


def test_the_default_corpus_is_musical(read_once):
    corpus = corpora.load(cache_dir=read_once)
    check_music(corpus, pieces=1350, windows=13_000)
    # Krumhansl and Schmuckler's key, from the notes, is mostly the signature's.
    found = sources.tunes_of("default", read_once).tunes
    agree = [shift_from_notes(spans(tune)) == tune.shift for tune in found]
    assert np.mean(agree) > 0.8


def check_music(corpus, pieces, windows):
    parts = [np.asarray(part) for part in (corpus.sequences.train, corpus.sequences.held_out)]
    events = np.concatenate(parts)
    assert len(corpus.train_names) + len(corpus.held_out_names) > pieces and len(events) > windows
    assert np.isin(events, C_MAJOR_CODES).mean() > 0.95
    assert np.isin(events[events >= 2], C_MAJOR_CODES).mean() > 0.95
    # Melodies move by step: most intervals are at most a whole tone, few beyond an octave.
    intervals = np.concatenate([np.abs(np.diff(row[row >= 2].astype(int))) for row in events])
    assert (intervals <= 2).mean() > 0.5 and (intervals > 12).mean() < 0.01
    seen = {row.tobytes() for row in parts[0]}
    assert not any(row.tobytes() in seen for row in parts[1])


def spans(tune):
    starts = np.flatnonzero(tune.events >= 2)
    ends = [*starts[1:], len(tune.events)]
    return [
        Span(int(s), int(e), int(tune.events[s]) - 2) for s, e in zip(starts, ends, strict=True)
    ]
