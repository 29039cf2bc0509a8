"""RL Tuner's nine reward terms on plain lists of codes, event by event.

Written from the definitions (Jaques et al., arXiv 1611.02796, section 4, and the figures of the
authors' release), with nothing in common with `creative_rl.ops.music_theory`: it keeps the whole
composition and looks back over it. It is the oracle of the tests and the plain baseline of the
benchmarks.
"""

import numpy as np

NOTE_OFF, HOLD, FIRST_PITCH, MIDDLE_C = 0, 1, 2, 14
BAR = 8
TERMS = (
    "key", "tonic", "repetition", "autocorrelation", "motif", "repeated_motif", "interval",
    "leap", "unique_extrema",
)  # fmt: skip

C_MAJOR = frozenset(
    (0, 1, 2, 4, 6, 7, 9, 11, 13, 14, 16, 18, 19, 21, 23, 25, 26, 28, 30, 31, 33, 35, 37)
)
C_CODES, E_CODES, G_CODES = (2, 14, 26), (6, 18, 30), (9, 21, 33)
INTERVALS = {2: 0.08, 4: 0.09, 5: 0.07, 7: 0.02, 9: 0.05, 11: -0.3}


class TheoryTwin:
    """One composition at a time.

    Attributes:
      length: events in a composition.
      event: the last event, the priming one after `reset`: what a policy observes.
      events: the composition so far, without the priming event.
    """

    def __init__(self, length: int = 32):
        self.length = length
        self.reset()

    def reset(self, prime: int = NOTE_OFF) -> None:
        """Start a composition after the event `prime`, which is not part of it."""
        self.event = prime
        self.events: list[int] = []
        self.leap_direction = 0
        self.leap_origin = 0
        self.since_leap = 0

    def step(self, action: int) -> dict[str, float]:
        """Add an event; the nine terms by name, in reward units."""
        action = int(action)
        before, after = self.events, [*self.events, action]
        pitches = _pitches_in_bar(after)
        previous = next((event for event in reversed(before) if event >= FIRST_PITCH), None)
        terms = {
            "key": 0.0 if action in C_MAJOR else -1.0,
            "tonic": self._tonic(action),
            "repetition": -100.0 if is_excessive(before, action) else 0.0,
            "autocorrelation": -3.0 * _autocorrelation_penalty(after),
            "motif": 3.0 + 0.3 * (pitches - 3) if pitches >= 3 else 0.0,
            "repeated_motif": 4.0 + (pitches - 3) if _is_repeated_motif(after) else 0.0,
            "interval": 5.0 * _interval(previous, action),
            "leap": 5.0 * self._leap(previous, action),
            "unique_extrema": 0.0,
        }
        if len(after) == self.length:
            terms["unique_extrema"] = 3.0 * has_unique_maximum(after) + 3.0 * has_unique_minimum(
                after
            )
        self.event, self.events = action, after
        return terms

    def _tonic(self, action: int) -> float:
        step, coda = len(self.events), self.length - 4
        if step in (0, coda):
            return 3.0 if action == MIDDLE_C else 0.0
        if step == coda + 1:
            return 3.0 if action == HOLD else 0.0
        if step > coda + 1:
            return 3.0 if action in (HOLD, NOTE_OFF) else 0.0
        return 0.0

    def _leap(self, previous: int | None, action: int) -> int:
        """+1 where `action` resolves the leap that waits, -1 where it doubles it, else 0."""
        if not self.events:
            return 0
        is_note = action >= FIRST_PITCH
        if not is_note or previous is None or abs(action - previous) < 7:
            self.since_leap += 1
            rising = self.leap_direction > 0 and action <= self.leap_origin
            falling = self.leap_direction < 0 and action >= self.leap_origin
            if is_note and (rising or falling):
                self.leap_direction = 0
                return 1
            return 0
        waited, self.since_leap = self.since_leap, 0
        direction = 1 if action > previous else -1
        if self.leap_direction == 0:
            self.leap_direction, self.leap_origin = direction, previous
            return 0
        if direction == self.leap_direction:
            return -1
        self.leap_direction = 0
        return 1 if waited > 6 else 0


def is_excessive(before: list[int], action: int) -> bool:
    """Whether `action` repeats too often what stands at the end of `before`."""
    same, waited = 0, False
    for event in reversed(before):
        if event == action:
            same += 1
        elif event < FIRST_PITCH:
            waited = True
        else:
            break
    if action == NOTE_OFF and same > 1:
        return True
    return same > (6 if waited else 4)


def autocorrelations(events: list[int]) -> list[tuple[int, int]] | None:
    """Biased autocorrelation of the codes at lags 1, 2 and 3, as (numerator, denominator).

    The deviations are multiplied by the number of events, which makes them whole: so the 0.15
    that the rule compares with is met exactly or not at all. None where the variance is zero.
    """
    codes = np.asarray(events, np.int64)
    deviations = len(codes) * codes - codes.sum()
    squares = int(deviations @ deviations)
    if squares == 0:
        return None
    return [(int(deviations[lag:] @ deviations[:-lag]), squares) for lag in (1, 2, 3)]


def _autocorrelation_penalty(events: list[int]) -> float:
    ratios = autocorrelations(events) or ()
    return sum(abs(top) / bottom for top, bottom in ratios if 100 * abs(top) > 15 * bottom)


def _pitches_in_bar(events: list[int]) -> int:
    """Distinct pitches in the last eight events; 0 where there are fewer events."""
    if len(events) < BAR:
        return 0
    return len({event for event in events[-BAR:] if event >= FIRST_PITCH})


def is_motif(events: list[int]) -> bool:
    """Whether the composition ends in a motif."""
    return _pitches_in_bar(events) >= 3


def _is_repeated_motif(events: list[int]) -> bool:
    if not is_motif(events):
        return False
    bar, earlier = events[-BAR:], events[:-BAR]
    return any(earlier[start : start + BAR] == bar for start in range(len(earlier) - BAR + 1))


def _interval(previous: int | None, action: int) -> float:
    if previous is None:
        return 0.0
    after_c, after_e, after_g = (previous in codes for codes in (C_CODES, E_CODES, G_CODES))
    if action == HOLD:
        return 0.3 if after_c or after_g else 0.075
    if action == NOTE_OFF:
        return 0.15 if after_c or after_g else 0.05
    semitones = abs(action - previous)
    if semitones == 7 and (after_c or after_g):
        return 0.1
    if semitones == 4 and (after_c or after_e):
        return 0.15
    return -1.0 if semitones > 12 else INTERVALS.get(semitones, 0.0)


def has_unique_maximum(events: list[int]) -> bool:
    """Whether the highest code, of all events, occurs once."""
    return events.count(max(events)) == 1


def has_unique_minimum(events: list[int]) -> bool:
    """Whether the lowest pitch occurs once."""
    pitches = [event for event in events if event >= FIRST_PITCH]
    return bool(pitches) and pitches.count(min(pitches)) == 1


def table_one(melodies: list[list[int]]) -> dict[str, float]:
    """The eleven metrics of RL Tuner's Table 1 over whole compositions, as fractions."""
    counts = dict.fromkeys(
        ("repeated", "off_key", "motif", "repeated_motif", "resolved", "doubled"), 0
    )
    coefficients: list[list[float]] = [[], [], []]
    for melody in melodies:
        twin = TheoryTwin(len(melody))
        for action in melody:
            terms = twin.step(action)
            counts["repeated"] += terms["repetition"] < 0
            counts["off_key"] += terms["key"] < 0
            counts["motif"] += terms["motif"] > 0
            counts["repeated_motif"] += terms["repeated_motif"] > 0
            counts["resolved"] += terms["leap"] > 0
            counts["doubled"] += terms["leap"] < 0
        for found, (top, bottom) in zip(coefficients, autocorrelations(melody) or (), strict=False):
            found.append(top / bottom)
    num_works = len(melodies)
    num_notes = sum(len(melody) for melody in melodies)
    num_leaps = counts["resolved"] + counts["doubled"]
    return {
        "notes_excessively_repeated": counts["repeated"] / num_notes,
        "autocorrelation_lag_1": float(np.mean(coefficients[0])) if coefficients[0] else 0.0,
        "autocorrelation_lag_2": float(np.mean(coefficients[1])) if coefficients[1] else 0.0,
        "autocorrelation_lag_3": float(np.mean(coefficients[2])) if coefficients[2] else 0.0,
        "notes_not_in_key": counts["off_key"] / num_notes,
        "starts_with_tonic": sum(melody[0] == MIDDLE_C for melody in melodies) / num_works,
        "leaps_resolved": counts["resolved"] / num_leaps if num_leaps else 0.0,
        "unique_max_note": sum(map(has_unique_maximum, melodies)) / num_works,
        "unique_min_note": sum(map(has_unique_minimum, melodies)) / num_works,
        "notes_in_motif": counts["motif"] / num_notes,
        "notes_in_repeated_motif": counts["repeated_motif"] / num_notes,
    }
