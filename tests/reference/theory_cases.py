"""Hand-computed values of RL Tuner's nine terms, in reward units.

Codes: 0 rest, 1 hold, 14 middle C, a semitone a code: 2 C3, 7 F3, 9 G3, 14 C4, 16 D4, 18 E4,
19 F4, 21 G4, 23 A4, 25 B4, 26 C5, 28 D5.
"""

from typing import NamedTuple


class Case(NamedTuple):
    """What the term pays at the last of `events`."""

    name: str
    events: list[int]
    value: float


_BEFORE_CODA = [14, 16, 18, 19] * 7  # steps 0..27
_BAR = [14, 16, 18, 14, 16, 18, 14, 16]
_LONG_BAR = [14, 16, 18, 19, 21, 23, 25, 26]

KEY = [
    Case("the tonic", [14], 0),
    Case("C sharp", [15], -1),
    Case("B flat in the lowest octave", [12], -1),
    Case("highest B", [37], 0),
    Case("highest B flat", [36], -1),
    Case("rest", [0], 0),
    Case("hold", [1], 0),
    Case("only the newest counts", [15, 14], 0),
]

TONIC = [
    Case("middle C first", [14], 3),
    Case("another C first", [26], 0),
    Case("hold first", [1], 0),
    Case("middle C second", [16, 14], 0),
    Case("step 27, middle C", [*_BEFORE_CODA[:27], 14], 0),
    Case("step 28, middle C", [*_BEFORE_CODA, 14], 3),
    Case("step 28, hold", [*_BEFORE_CODA, 1], 0),
    Case("step 28, rest", [*_BEFORE_CODA, 0], 0),
    Case("step 29, hold", [*_BEFORE_CODA, 14, 1], 3),
    Case("step 29, hold after a wrong note", [*_BEFORE_CODA, 23, 1], 3),
    Case("step 29, rest", [*_BEFORE_CODA, 14, 0], 0),
    Case("step 29, middle C", [*_BEFORE_CODA, 14, 14], 0),
    Case("step 30, hold", [*_BEFORE_CODA, 14, 1, 1], 3),
    Case("step 30, rest", [*_BEFORE_CODA, 14, 1, 0], 3),
    Case("step 30, middle C", [*_BEFORE_CODA, 14, 1, 14], 0),
    Case("step 31, hold", [*_BEFORE_CODA, 14, 1, 1, 1], 3),
    Case("step 31, rest", [*_BEFORE_CODA, 14, 1, 1, 0], 3),
    Case("step 31, middle C", [*_BEFORE_CODA, 14, 1, 1, 14], 0),
]

REPETITION = [
    Case("fifth note", [16] * 5, 0),
    Case("sixth note", [16] * 6, -100),
    Case("sixth note after another", [14] + [16] * 6, -100),
    Case("another note in between", [16] * 5 + [18, 16], 0),
    Case("two notes in turn", [16, 18] * 12, 0),
    Case("sixth note, the last after a hold", [16] * 5 + [1, 16], 0),
    Case("seventh note, one hold between", [16, 1] + [16] * 6, 0),
    Case("eighth note, one hold between", [16, 1] + [16] * 7, -100),
    Case("seventh note, one rest between", [16, 0] + [16] * 6, 0),
    Case("eighth note, one rest between", [16, 0] + [16] * 7, -100),
    Case("seventh note, a hold before the first", [14, 1] + [16] * 7, 0),
    Case("eighth note, a hold before the first", [14, 1] + [16] * 8, -100),
    Case("seventh note, the composition opens with a hold", [1] + [16] * 7, 0),
    Case("eighth note, the composition opens with a hold", [1] + [16] * 8, -100),
    Case("sixth note, the hold is beyond another note", [1, 14] + [16] * 6, -100),
    Case("sixth note, a gap between others is forgotten", [14, 1, 14] + [16] * 6, -100),
    Case("fifth hold", [16] + [1] * 5, 0),
    Case("sixth hold", [16] + [1] * 6, -100),
    Case("sixth hold, no note yet", [1] * 6, -100),
    Case("holds on both sides of a note", [1] * 5 + [16] + [1] * 5, 0),
    Case("seventh hold, a rest between", [16, 1, 1, 1, 0, 1, 1, 1, 1], 0),
    Case("eighth hold, a rest between", [16, 1, 1, 1, 0, 1, 1, 1, 1, 1], -100),
    Case("second rest", [16, 0, 0], 0),
    Case("third rest", [16, 0, 0, 0], -100),
    Case("third rest, no note yet", [0, 0, 0], -100),
    Case("third rest, holds between", [16, 0, 1, 0, 1, 0], -100),
    Case("third rest, a note between", [0, 0, 16, 0, 0], 0),
]

AUTOCORRELATION = [
    Case("one event", [14], 0),
    Case("no variance", [14] * 5, 0),
    Case("no variance, holds", [1] * 5, 0),
    Case("two different events: -.5 at lag 1", [14, 16], -1.5),
    Case("however far apart", [2, 37], -1.5),
    Case("a hold is a code", [14, 1], -1.5),
    Case("rest and hold differ", [0, 1], -1.5),
    Case("deviations -2 -2 4: -1/6, -1/3", [14, 14, 17], -1.5),
    Case("deviations -1 1 -1 1: -3/4, 2/4, -1/4", [14, 16, 14, 16], -4.5),
    Case("exactly .15 and -.15 are not counted, -.5 is", [2, 3, 5, 4], -1.5),
    Case("-.05, -.1 and exactly -.15", [2, 2, 2, 2, 3], 0),
    Case("deviations -5 1 1 1 1 1: -1/30, -2/30, -3/30", [2, 8, 8, 8, 8, 8], 0),
    Case("deviations -3 3 -1 1: -13/20, 6/20, -3/20", [14, 20, 16, 18], -2.85),
]

MOTIF = [
    Case("seven events", _BAR[:7], 0),
    Case("eight events of three pitches", _BAR, 3),
    Case("two pitches", [14, 16] * 4, 0),
    Case("four pitches", [14, 16, 18, 19] * 2, 3.3),
    Case("eight pitches", _LONG_BAR, 4.5),
    Case("three pitches and holds", [14, 16, 18, 1, 1, 1, 1, 1], 3),
    Case("holds and rests are no pitches", [14, 16, 1, 0, 14, 1, 0, 1], 0),
    Case("octaves are distinct", [2, 14, 26, 2, 14, 26, 2, 14], 3),
    Case("pitches 32 codes apart are distinct", [2, 34, 4, 36, 2, 34, 4, 36], 3.3),
    Case("the third pitch has left the bar", [21] + [14, 16] * 4, 0),
    Case("the third pitch is about to leave", [21, 14, 16, 14, 16, 14, 16, 14], 3),
]

REPEATED_MOTIF = [
    Case("eight events", _BAR, 0),
    Case("fifteen events", [*_BAR, *_BAR[:7]], 0),
    Case("sixteen events", _BAR * 2, 4),
    Case("eight pitches", _LONG_BAR * 2, 9),
    Case("four pitches, overlapping only", [14, 16, 18, 19] * 3, 0),
    Case("four pitches, whole", [14, 16, 18, 19] * 4, 5),
    Case("two pitches are no motif", [14, 16] * 8, 0),
    Case("events between", [*_BAR, 21, 23, *_BAR], 4),
    Case("the first bar, from the last one", _BAR + [21, 23, 25, 26] * 4 + _BAR, 4),
    Case("first event differs", [*_BAR, 21, *_BAR[1:]], 0),
    Case("last event differs", [*_BAR, *_BAR[:7], 21], 0),
    Case("fourth event differs", [*_BAR, *_BAR[:3], 21, *_BAR[4:]], 0),
    Case("holds and rests repeated", [14, 16, 18, 1, 1, 0, 1, 14] * 2, 4),
    Case("a rest for a hold", [14, 16, 18, 1, 1, 0, 1, 14, 14, 16, 18, 1, 1, 1, 1, 14], 0),
    Case("rests before the start are not events", [14, 16, 18, 21, 23] + [0] * 5 + [14, 16, 18], 0),
]

INTERVAL = [
    Case("first event", [14], 0),
    Case("hold before any note", [1, 1], 0),
    Case("rest before any note", [0, 1, 0], 0),
    Case("first note after a hold", [1, 14], 0),
    Case("hold after C", [14, 1], 1.5),
    Case("hold after hold after C", [14, 1, 1], 1.5),
    Case("rest after C", [14, 0], 0.75),
    Case("hold after low C", [2, 1], 1.5),
    Case("hold after G", [21, 1], 1.5),
    Case("rest after high G", [33, 0], 0.75),
    Case("hold after E", [18, 1], 0.375),
    Case("rest after E", [18, 0], 0.25),
    Case("0 semitones", [14, 14], 0),
    Case("1", [14, 15], 0),
    Case("2", [14, 16], 0.4),
    Case("2 down", [14, 12], 0.4),
    Case("2 across hold and rest", [14, 1, 0, 16], 0.4),
    Case("3", [14, 17], 0),
    Case("4 from C", [14, 18], 0.75),
    Case("4 from C down to A flat", [14, 10], 0.75),
    Case("4 from E up to G sharp", [18, 22], 0.75),
    Case("4 from E down to C", [18, 14], 0.75),
    Case("4 from high C", [26, 30], 0.75),
    Case("4 from D", [16, 20], 0.45),
    Case("4 from G", [21, 25], 0.45),
    Case("5", [14, 19], 0.35),
    Case("5 down", [19, 14], 0.35),
    Case("6", [14, 20], 0),
    Case("7 from C", [14, 21], 0.5),
    Case("7 from C down to F", [14, 7], 0.5),
    Case("7 from G", [21, 28], 0.5),
    Case("7 from G down to C", [21, 14], 0.5),
    Case("7 from D", [16, 23], 0.1),
    Case("7 from E", [18, 25], 0.1),
    Case("8", [14, 22], 0),
    Case("9", [14, 23], 0.25),
    Case("10", [14, 24], 0),
    Case("11", [14, 25], -1.5),
    Case("12", [14, 26], 0),
    Case("13", [14, 27], -5),
    Case("13 down", [27, 14], -5),
    Case("35", [2, 37], -5),
]

LEAP = [
    Case("a leap opens", [14, 21], 0),
    Case("6 semitones are no leap", [14, 20, 26, 32], 0),
    Case("doubled up", [14, 21, 28], -5),
    Case("doubled down", [28, 21, 14], -5),
    Case("doubled, fifths that are not in key", [16, 23, 30], -5),
    Case("doubled, an octave and more", [14, 26, 37], -5),
    Case("doubled across hold and rest", [14, 1, 0, 21, 0, 1, 28], -5),
    Case("doubled twice", [2, 9, 16, 23], -5),
    Case("the first note after a hold is no leap", [1, 21, 28], 0),
    Case("nor hides the next", [1, 21, 28, 35], -5),
    Case("never resolved", [14, 21] + [19, 21] * 15, 0),
    Case("opposite at once", [14, 21, 14], 0),
    Case("opposite after 6 notes", [14, 21, 19, 21, 19, 21, 19, 21, 14], 0),
    Case("opposite after 7 notes", [14, 21, 19, 21, 19, 21, 19, 20, 21, 14], 5),
    Case("opposite after 6 holds", [14, 21, 1, 1, 1, 1, 1, 1, 14], 0),
    Case("opposite after 7 holds and rests", [14, 21, 1, 1, 1, 0, 1, 0, 1, 14], 5),
    Case("opposite up after 7", [21, 14, 16, 14, 16, 14, 16, 15, 14, 21], 5),
    Case("opposite that stays beyond the origin", [14, 28, 1, 1, 1, 1, 1, 1, 1, 21], 5),
    Case("a cancelled leap is not resolved later", [14, 21, 14, 16, 14], 0),
    Case("cancelling opens no leap", [14, 21, 14, 16, 18, 20, 21], 0),
    Case("nor does resolving", [14, 21] + [1] * 7 + [14, 16, 18, 20, 21], 0),
    Case("a new leap opens after a cancelled one", [14, 21, 14, 7, 2, 7], 0),
    Case("and is resolved", [14, 21, 14, 7, 9, 11, 14], 5),
    Case("back to the origin, no wait", [14, 21, 15, 14], 5),
    Case("back past the origin", [14, 21, 16, 12], 5),
    Case("back past the origin in one step", [15, 22, 16, 10], 5),
    Case("not yet back", [14, 21, 16, 15], 0),
    Case("up to the origin", [21, 14, 18, 21], 5),
    Case("up past the origin", [21, 14, 18, 23], 5),
    Case("not yet up", [21, 14, 18, 20], 0),
    Case("a hold at the origin is no resolution", [14, 21, 15, 1], 0),
    Case("a rest is no resolution", [14, 21, 15, 0], 0),
    Case("paid once", [14, 21, 15, 14, 12], 0),
    Case("doubled keeps the first origin", [14, 21, 28, 26, 24, 22, 20, 18], 0),
    Case("and is resolved there", [14, 21, 28, 26, 24, 22, 20, 18, 16, 14], 5),
    Case("doubling starts the wait again", [14, 21, 1, 1, 1, 28, 1, 1, 1, 1, 21], 0),
    Case("and it is over after 7", [14, 21, 1, 1, 1, 28] + [1] * 7 + [21], 5),
    Case("after a resolution all starts again", [14, 21, 15, 14, 21, 28], -5),
]

_TURNS = [14, 16] * 14
UNIQUE_EXTREMA = [
    Case("both unique", [*_TURNS, 14, 16, 2, 37], 6),
    Case("both unique, one step early", [*_TURNS, 14, 2, 37], 0),
    Case("both unique, first and second", [2, 37, 14, 16, *_TURNS], 6),
    Case("highest twice", [*_TURNS, 14, 37, 2, 37], 3),
    Case("lowest twice", [*_TURNS, 2, 16, 2, 37], 3),
    Case("neither", [*_TURNS, 2, 37, 2, 37], 0),
    Case("an earlier highest is forgotten", [*_TURNS, 30, 30, 2, 31], 6),
    Case("an earlier lowest is forgotten", [*_TURNS, 5, 5, 2, 31], 6),
    Case("holds and rests are below no pitch", [*_TURNS, 0, 1, 2, 37], 6),
    Case("one note", [1] * 31 + [14], 6),
    Case("one note many times", [14] * 32, 0),
    Case("no note: one hold is the highest code", [0] * 31 + [1], 3),
    Case("no note: one rest is not", [1] * 31 + [0], 0),
]

CASES = {
    "key": KEY,
    "tonic": TONIC,
    "repetition": REPETITION,
    "autocorrelation": AUTOCORRELATION,
    "motif": MOTIF,
    "repeated_motif": REPEATED_MOTIF,
    "interval": INTERVAL,
    "leap": LEAP,
    "unique_extrema": UNIQUE_EXTREMA,
}
