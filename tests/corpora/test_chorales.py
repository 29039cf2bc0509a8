"""Chorales in four parts: the grid, the chords and the windows by hand, and against music21."""

import numpy as np
import pytest

import creative_rl as crl
from creative_rl import corpora, metrics
from creative_rl.corpora import chorale_parts, chord_labels, music21_folder
from creative_rl.corpora.chord_labels import label
from creative_rl.corpora.score import Unusable
from creative_rl.corpora.tunes import Tune
from creative_rl.works.score import Score

C, DM, EM, F, G, G7, AM, BDIM = 1, 15, 17, 6, 8, 44, 22, 36

# A piece for four parts as MusicXML; `B` and `b` are two bars of 2/4 of one part.
SCORE = """<score-partwise><part-list>{names}</part-list>{parts}</score-partwise>"""
NAME = """<score-part id="{0}"><part-name>{0}</part-name></score-part>"""
PART = """<part id="{name}"><measure><attributes><divisions>4</divisions>
<key><fifths>{fifths}</fifths></key><time><beats>2</beats><beat-type>4</beat-type></time>
</attributes>{first}</measure><measure>{second}</measure></part>"""
NOTE = """<note><pitch><step>{}</step><octave>{}</octave></pitch><duration>{}</duration></note>"""
REST = """<note><rest/><duration>{}</duration></note>"""


def notes(text):
    """`C5:4` is a note of four sixteenths, `-:4` a rest."""
    words = [word.split(":") for word in text.split()]
    return "".join(
        REST.format(steps) if name == "-" else NOTE.format(name[0], name[1], steps)
        for name, steps in words
    )


def write(path, *, fifths=(0, 0, 0, 0), names=("Soprano", "Alto", "Tenor", "Bass"), bass="C3:8"):
    bars = [("C5:4 D5:4", "E5:8"), ("G4:8", "G4:8"), ("E4:8", "-:4 E4:4"), (bass, "C3:8")]
    parts = [
        PART.format(name=name, fifths=sharps, first=notes(first), second=notes(second))
        for name, sharps, (first, second) in zip(names, fifths, bars, strict=False)
    ]
    text = SCORE.format(names="".join(NAME.format(n) for n in names), parts="".join(parts))
    path.write_text(text)
    return path


def test_a_score_becomes_events_on_eighths(tmp_path):
    tunes = chorale_parts.read(write(tmp_path / "a.xml"), "a")
    assert [tune.events.tolist() for tune in tunes] == [
        [74, 1, 76, 1, 78, 1, 1, 1, 0], [69, 1, 1, 1, 69, 1, 1, 1, 0],
        [66, 1, 1, 1, 0, 1, 66, 1, 0], [50, 1, 1, 1, 50, 1, 1, 1, 0],
    ]  # fmt: skip
    piece = chorale_parts.chorale_of(tunes)
    assert piece.bar == 4 and piece.starts.tolist() == [0, 4]
    assert piece.sounding[2].tolist() == [64, 64, 64, 64, -1, -1, 64, 64, -1]
    # D passes over C, E, G; at the end nothing sounds and C stays.
    assert piece.chords.tolist() == [C] * 9


def test_sixteenths_between_the_frames_pass_or_come_late(tmp_path):
    def bass(text):
        return chorale_parts.read(write(tmp_path / "a.xml", bass=text), "a")[3].events[:4].tolist()

    assert bass("C3:3 D3:1 E3:4") == [50, 1, 54, 1]  # D is over before the next eighth
    assert bass("C3:1 D3:7") == [50, 52, 1, 1]  # D comes half a frame late
    assert bass("C3:1 -:3 C3:4") == [50, 0, 50, 1]
    assert bass("-:2 C3:2 C3:4") == [1, 50, 50, 1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"names": ("Soprano", "Alto", "Tenor")}, "0 parts called bass"),
        ({"names": ("Soprano", "Alto", "Tenor", "Tenor 2")}, "2 parts called tenor"),
        ({"fifths": (0, 0, 0, 1)}, "2 key signatures"),
        ({"bass": "C3:4"}, "differ in length"),
    ],
)
def test_pieces_that_are_no_four_parts_say_why(changes, reason, tmp_path):
    with pytest.raises(Unusable, match=reason):
        chorale_parts.read(write(tmp_path / "a.xml", **changes), "a")


@pytest.mark.parametrize(("fifths", "shift"), [(0, 0), (2, -2), (-3, -3), (6, 6), (1, 5), (-1, -5)])
def test_all_voices_move_by_one_interval(fifths, shift, tmp_path):
    tunes = chorale_parts.read(write(tmp_path / "a.xml", fifths=(fifths,) * 4), "a")
    piece = chorale_parts.chorale_of(tunes)
    assert piece.sounding[:, 0].tolist() == [72 + shift, 67 + shift, 64 + shift, 48 + shift]


@pytest.mark.parametrize(
    ("pitches", "chord"),
    [
        ((72, 67, 64, 48), C),
        ((72, 67, 64, 52), C),  # first inversion
        ((77, 74, 71, 55), G7),
        ((72, 69, 64, 57), AM),
        ((72, 69, 64, 48), AM),  # 2 for each voice, and no tone missing, against C6
        ((72, 64, 60, 48), C),  # no fifth: C with its root, not Am
        ((77, 74, 71, 50), BDIM),
        ((72, -1, -1, 48), C),  # -2 for two missing tones, 1 for the root
        ((-1, -1, -1, -1), 0),
    ],
)
def test_chords_by_hand(pitches, chord):
    assert label(np.array([pitches])).tolist() == [chord]


def test_chords_pass_when_two_voices_are_strange_and_stay_in_silence():
    c, cluster, silence = (72, 67, 64, 48), (73, 63, 62, 48), (-1,) * 4
    assert label(np.array([c, cluster, silence, (77, 74, 71, 55)])).tolist() == [C, C, C, G7]
    # C and E alone: 4 - 1 for C and for Am, and 1 more for the one that was there.
    two = (64, 60, -1, -1)
    assert label(np.array([two, (72, 69, 64, 57), two])).tolist() == [C, AM, AM]


def test_windows_start_anew_and_are_self_contained():
    def voice(*events):
        return Tune("a", np.array(events, np.uint8), np.array([0, 4, 8], np.int32), 0)

    tunes = [
        voice(74, 1, 1, 1, 76, 1, 1, 1, 74, 1, 1, 1, 0),
        voice(69, 1, 1, 1, 1, 1, 1, 1, 69, 1, 1, 1, 0),
        voice(66, 1, 0, 1, 1, 1, 66, 1, 66, 1, 1, 1, 0),
        voice(32, 1, 1, 1, 121, 1, 1, 1, 50, 0, 50, 1, 0),
    ]
    windows = corpora.chorale_windows._windows([chorale_parts.chorale_of(tunes)], 4)
    assert windows.names == ("a",) * 3 and windows.bars.tolist() == [4, 4, 4]
    assert windows.parts[1].tolist() == [
        [76, 1, 1, 1], [69, 1, 1, 1], [0, 1, 66, 1], [121, 1, 1, 1],
    ]  # fmt: skip
    # MIDI 30 is an octave too low, 119 too high by four; then C3 is 2 + 12.
    assert windows.bass_actions.tolist() == [[8, 1, 1, 1], [37, 1, 1, 1], [14, 0, 14, 1]]


def test_changes_are_where_the_chord_is_another():
    chords = np.array([[C, C, G, G], [G, C, C, G]], np.uint8)
    changes = chord_labels.as_changes(chords)
    assert changes.tolist() == [[C, 0, G, 0], [G, C, 0, G]]
    assert chords.tolist() == [[C, C, G, G], [G, C, C, G]]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"length": 0}, "length must be at least 1"),
        ({"held_out": 1.0}, r"share of tunes in \[0, 1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, line):
    with pytest.raises(ValueError, match=line):
        corpora.load_chorales(**arguments)


# The real pieces, a third of them: reading all takes three times as long.


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    pytest.importorskip("music21")
    folder = tmp_path_factory.mktemp("cache")
    paths = music21_folder.files("bach", (".mxl", ".xml"))
    some = [path for i, path in enumerate(paths) if i % 3 == 0 or path.stem == "bwv66.6"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(music21_folder, "files", lambda folder, suffixes: some)
        chorale_parts.load(folder)
    return folder


@pytest.fixture(scope="module")
def chorales(cache):
    return corpora.load_chorales(cache_dir=cache)


@pytest.mark.parametrize("name", ["bwv66.6", "bwv7.7"])
def test_music21_reads_the_same_four_voices(name):
    pytest.importorskip("music21")
    from music21 import converter

    files = music21_folder.files("bach", (".mxl", ".xml"))
    path = next(path for path in files if path.stem == name)
    tunes = chorale_parts.read(path, name)
    piece = chorale_parts.chorale_of(tunes)
    score = converter.parseFile(path, forceSource=True, storePickle=False)
    shift = (tunes[0].shift + 5) % 12 - 5
    for voice, sounding in zip(chorale_parts.VOICES, piece.sounding, strict=True):
        part = next(part for part in score.parts if part.partName.lower().startswith(voice))
        expected = np.full(len(sounding), -1)
        for note in part.flatten().notes:
            first, last = np.ceil([2 * note.offset, 2 * (note.offset + note.quarterLength)])
            expected[int(first) : int(last)] = note.pitch.midi + shift
        np.testing.assert_array_equal(sounding, expected)
    onsets = sum(not n.tie or n.tie.type == "start" for n in part.flatten().notes)
    assert (piece.parts[3] >= 2).sum() == onsets  # the bass has no sixteenths in these two


def test_the_first_chords_of_a_chorale(cache, chorales):
    pieces, _ = chorale_parts.load(cache)
    piece = next(piece for piece in pieces if piece.name == "chorales/bwv66.6")
    # F sharp minor as A minor: an upbeat of two eighths, then quarters.
    found = [piece.chords[frame] for frame in (0, 1, 2, 4, 6, 8, 10)]
    assert found == [C, G, AM, G, C, G, C]


def test_the_chorales_are_split_and_musical(chorales):
    train, held_out = chorales.train, chorales.held_out
    assert len(chorales.train_names) + len(chorales.held_out_names) > 125
    assert len(train) > 200 and len(held_out) > 15 and len(train) == len(train.names)
    assert tuple(dict.fromkeys(train.names)) == chorales.train_names
    assert not set(train.names) & set(held_out.names)
    assert repr(chorales).startswith(f"ChoraleCorpus({len(chorales.train_names)} pieces, ")
    for windows in (train, held_out):
        assert windows.parts.shape == (len(windows), 4, 64) and windows.parts.dtype == np.uint8
        assert windows.chords.shape == (len(windows), 64) and windows.chords.dtype == np.uint8
        assert windows.chord_actions.dtype == windows.bass_actions.dtype == np.uint8
        assert (windows.melodies[:, 0] >= 2).all() and set(windows.bars.tolist()) <= {6, 8, 12, 16}
        assert windows.chords.max() <= 60 and windows.bass_actions.max() <= 37
        # A soprano's note is in its chord by construction, but for what passes.
        assert metrics.note_in_chord_ratio(windows.scores) > 0.9
        white = [0, 2, 4, 5, 7, 9, 11]
        pitches = windows.melodies[windows.melodies >= 2].astype(int) - 2
        assert np.isin(pitches % 12, white).mean() > 0.9
    assert isinstance(train.scores, Score) and train.scores.names == chorale_parts.VOICES
    phrases = {row[at : at + 17].tobytes() for row in train.melodies for at in (0, 8, 16, 32)}
    shared = [row[at : at + 17].tobytes() in phrases for row in held_out.melodies for at in (0, 16)]
    assert np.mean(shared) < 0.02


def test_the_cache_is_read_and_the_split_depends_on_the_seed_only(cache, chorales, monkeypatch):
    monkeypatch.setattr(chorale_parts, "read", None)
    again = corpora.load_chorales(cache_dir=cache)
    np.testing.assert_array_equal(again.train.parts, chorales.train.parts)
    assert again.skipped == chorales.skipped
    other = corpora.load_chorales(cache_dir=cache, seed=1)
    assert other.held_out_names != chorales.held_out_names
    with pytest.raises(ValueError, match=r"none of 13\d pieces has a window of 4000 frames"):
        corpora.load_chorales(length=4000, cache_dir=cache)


def test_accompaniments_take_the_chorales(cache, chorales, monkeypatch, tmp_path):
    (tmp_path / "creative_rl").mkdir()
    (tmp_path / "creative_rl" / "corpora").symlink_to(cache)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for corpus, windows in (("chorales", chorales.train), ("chorales-held-out", chorales.held_out)):
        params = crl.make("accompaniment-chord", corpus=corpus).default_params
        np.testing.assert_array_equal(params.melodies, windows.melodies, strict=True)
        np.testing.assert_array_equal(params.bars, windows.bars, strict=True)
