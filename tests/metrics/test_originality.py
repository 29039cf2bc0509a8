"""Originality: small cases by hand, a slow twin, and what must not change anything."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import intervals as twin
from reference.tunes import TUNES, events

from creative_rl.metrics import originality_report
from creative_rl.metrics.originality import OriginalityReport
from creative_rl.works import Melody
from creative_rl.works.notation import parse

JOY = events(TUNES["Ode to Joy (Beethoven)"])
CORPUS = {name: events(tune) for name, tune in TUNES.items()}


def works(melodies, lengths=None) -> Melody:
    """A batch from lists of events, filled to one length with what must mean nothing."""
    lengths = [len(melody) for melody in melodies] if lengths is None else lengths
    most = max(map(len, melodies))
    padded = [[*melody, *[14, 16] * most][:most] for melody in melodies]
    return Melody(events=np.array(padded, np.int32), length=np.array(lengths, np.int32))


def codes(line):
    return parse(line).events.tolist()


def test_a_match_by_hand():
    """A rest, a longer note and another key do not hide it; a note struck again is an interval."""
    piece = codes("A4 - - - | E4 - E4 - F4 - G4 - | G4 F4 E4 D4")
    work = codes("C4 . - G4 | - - - G4 A#4 C5 - - | - - C5 - G4 - D#4 -")
    # Piece: -5 0 +1 +2 0 -2 -1 -2; work: +7 0 +3 +2 0 -5 -4. In common: +2 0, and 0 alone.
    found = originality_report(works([work]), [piece], ["tune"], n=2)
    (match,) = found.nearest
    assert (match.piece, match.length) == ("tune", 2)
    assert found.longest_match.tolist() == [2] and found.num_ngrams.tolist() == [6]
    assert found.share.tolist() == [1 / 6] == [found.share_of_all]
    # In the work from A#4, step 8, to the second C5, step 14; in the piece from F4 to G4.
    assert tuple(match.work_place) == (8, 14) and match.work_place.bars == (1, 1)
    assert tuple(match.piece_place) == (8, 12) and match.piece_place.bars == (1, 1)


def test_bars_count_from_one_in_sixteen_steps():
    line = " - ".join(["C4", "D4", "G4", "F4", "A4"] + ["."] * 14)
    piece = [14, 1, 1, 1] * 9 + codes(line)
    found = originality_report(works([codes("C4 D4 G4 F4 A4")]), [piece])
    (match,) = found.nearest
    # Eight times the same note before it: the run starts from the C at step 36, in bar 3.
    assert tuple(match.piece_place) == (36, 44) and match.piece_place.bars == (3, 3)
    assert originality_report(works([piece]), [piece]).nearest[0].work_place.bars == (1, 3)


def test_the_nearest_has_the_longest_match_then_the_larger_share_then_the_first_name():
    work = codes("C4 D4 E4 F4 G4 C5 A4")  # +2 +2 +1 +2 +5 -3
    pieces = {
        "b two": codes("D4 E4 F#4 . G4"),  # a match of 3, all of its two 2-grams
        "a one": codes("C4 D4 E4 F4 A4"),  # the same
        "c more": codes("C4 D4 E4 F4 A4 E5 C5 . C4 F4 D4"),  # 3 as well, and the 2-gram +5 -3
        "0 none": codes("C4 F#4 C4"),
    }
    names, rows = list(pieces), list(pieces.values())
    found = originality_report(works([work]), rows, names, n=2)
    assert (found.nearest[0].piece, found.longest_of_all) == ("c more", 3)
    without = originality_report(works([work]), rows[:2], names[:2], n=2)
    assert without.nearest[0].piece == "a one"
    (match,) = originality_report(works([work]), [*rows, work], [*names, "z itself"], n=2).nearest
    assert (match.piece, match.length) == ("z itself", 6)


def test_what_has_no_intervals_has_nothing_in_common():
    melodies = [[0, 1, 1, 1], [14, 1, 0, 1], [14, 14, 1, 1]]
    found = originality_report(works(melodies), [JOY])
    assert found.longest_match.tolist() == [0, 0, 1] and found.share.tolist() == [0, 0, 0]
    assert found.nearest[:2] == (None, None) and found.nearest[2].length == 1
    assert found.num_ngrams.tolist() == [0, 0, 0] and found.share_of_all == 0.0
    assert found.nearest_work == 2
    nothing = originality_report(works([JOY]), [[1, 1], [14]])
    assert nothing.longest_of_all == 0 and nothing.nearest == (None,)


def test_the_nearest_work_has_the_longest_match_and_of_several_the_largest_share():
    shares, none = np.array([1.0, 0.2, 0.4, 0.4]), (None,) * 4
    found = OriginalityReport(np.array([2, 5, 5, 5]), shares, np.full(4, 10), none, 4)
    assert found.nearest_work == 2


def test_the_batch_counts_every_ngram_once_and_names_its_nearest_work():
    strange = [14, 25, 14, 26, 15, 27, 14, 26, 15]  # eight intervals, none as in the tune
    found = originality_report(works([strange, JOY[:16], JOY]), [JOY], n=2)
    assert found.num_ngrams.tolist() == [7, 2, 28]
    assert found.share.tolist() == [0, 1, 1] and found.share_of_all == 30 / 37
    assert found.nearest_work == 2 and found.longest_of_all == 29


melodies_ = st.lists(
    st.lists(st.sampled_from([0, 1, 14, 15, 16, 19]), min_size=1, max_size=24),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(melodies_, melodies_, st.integers(2, 5))
def test_it_is_what_the_slow_twin_finds(melodies, corpus, n):
    names = [f"p{(7 * i) % 10}" for i in range(len(corpus))]
    found = originality_report(works(melodies), corpus, names, n=n)
    pieces = dict(zip(names, corpus, strict=True))
    for i, melody in enumerate(melodies):
        longest, share, nearest = twin.originality(melody, pieces, n)
        assert (found.longest_match[i], found.share[i]) == (longest, pytest.approx(share))
        match = found.nearest[i]
        assert nearest == (
            match and (match.piece, tuple(match.work_place), tuple(match.piece_place))
        )


@settings(max_examples=30, deadline=None)
@given(melodies_, st.integers(-12, 24), st.randoms(use_true_random=False))
def test_neither_key_nor_order_change_anything(melodies, semitones, random):
    names, pieces = list(CORPUS), list(CORPUS.values())
    found = originality_report(works(melodies), pieces, names)
    moved = [[code + semitones if code >= 2 else code for code in melody] for melody in melodies]
    order = random.sample(range(len(melodies)), len(melodies))
    shuffled = random.sample(range(len(pieces)), len(pieces))
    again = originality_report(
        works([moved[i] for i in order]),
        [pieces[i] for i in shuffled],
        [names[i] for i in shuffled],
    )
    assert again.longest_match.tolist() == found.longest_match[order].tolist()
    assert again.share.tolist() == found.share[order].tolist()
    assert again.nearest == tuple(found.nearest[i] for i in order)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(CORPUS)), st.integers(0, 60), st.integers(0, 11))
def test_a_part_of_a_piece_is_all_in_it(name, start, semitones):
    part = CORPUS[name][start : start + 48]
    moved = [code + semitones if code >= 2 else code for code in part]
    found = originality_report(works([moved]), list(CORPUS.values()), list(CORPUS))
    num_intervals = len(twin.intervals_of(part))
    assert found.share[0] == (num_intervals >= 4) and found.longest_match[0] == num_intervals
    if num_intervals >= 8:  # which are in one of the five tunes only
        match = found.nearest[0]
        assert match.piece == name
        assert match.piece_place.last - match.piece_place.first == (
            match.work_place.last - match.work_place.first
        )


def test_windows_of_a_corpus_are_pieces_too():
    windows = np.array([JOY[i : i + 33] for i in range(0, 90, 16)], np.uint8)
    for pieces in (windows, jnp.asarray(windows), list(windows)):
        found = originality_report(works([JOY[:32]]), pieces)
        assert found.nearest[0].piece == "piece 1" and found.longest_match.tolist() == [7]


def test_a_large_batch_in_small_chunks_is_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    batch = works(rng.choice([0, 1, 1, 14, 15, 16, 18], (60, 24)).tolist())
    pieces = rng.choice([1, 14, 15, 16, 18], (40, 30)).astype(np.uint8)
    whole = originality_report(batch, pieces)
    monkeypatch.setattr("creative_rl.metrics.originality._CHUNK", 100)
    assert originality_report(batch, pieces).nearest == whole.nearest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"melodies": Melody(events=np.zeros(4, int), length=np.array(4))},
            r"\[N, T\].* got \[4\]",
        ),
        ({"corpus": []}, "at least one piece, .* got 0 pieces and 0 names"),
        ({"names": ["a", "b"]}, "with one name each, got 1 pieces and 2 names"),
        ({"n": 1}, "n must be 2 to 8 intervals in an n-gram, got 1"),
        ({"n": 9}, "n must be 2 to 8 .* got 9"),
        ({"corpus": [[14, 82]]}, r"codes in 0\.\.81, got 14\.\.82"),
        ({"corpus": [[[14]]]}, r"integer events \[L\], got int64 and the shape \[1, 1\]"),
        ({"corpus": [[0.5]]}, r"integer events \[L\], got float64"),
    ],
)
def test_what_it_refuses_in_one_line(changes, message):
    asked = {"melodies": works([[14, 16]]), "corpus": [JOY], **changes}
    with pytest.raises(ValueError, match=f"originality_report: .*{message}") as refused:
        originality_report(**asked)
    assert "\n" not in str(refused.value)
