"""Melodies as a line of text: `C4 - - D4 . .` is a long C, a short D, and silence."""

import re

import numpy as np

from creative_rl.works.melody import Melody
from creative_rl.works.spans import (
    HIGHEST_PITCH,
    HOLD,
    LOWEST_CODE,
    LOWEST_PITCH,
    NOTE_OFF,
    on_host,
)

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_PITCH = re.compile(r"([A-G]#?)(-?\d{1,2})")


def text(melody: Melody) -> str:
    """One token a step: a pitch, `-` for a hold, `.` for a note-off; `|` between bars of 4/4.

    Example:
      >>> text(parse("C4 - - D#5 . ."))
      'C4 - - D#5 . .'
    """
    melody = on_host(melody)
    tokens = [_token(code) for code in melody.events[: int(melody.length)].tolist()]
    bar = 4 * melody.steps_per_quarter
    bars = (tokens[start : start + bar] for start in range(0, len(tokens), bar))
    return " | ".join(" ".join(tokens) for tokens in bars)


def parse(line: str, tempo: float = 100.0, steps_per_quarter: int = 4) -> Melody:
    """The melody that `text` wrote, with numpy leaves; bar lines mean nothing.

    Raises:
      ValueError: a token is none of `C4`, `-`, `.`, `|`, or its pitch is out of range.
    """
    codes = [_code(token) for token in line.split() if token != "|"]
    length = np.array(len(codes), np.int32)
    return on_host(Melody(np.array(codes, np.int32), length, tempo, steps_per_quarter))


def pitch_name(pitch: int) -> str:
    """Scientific pitch notation, with sharps.

    >>> pitch_name(60), pitch_name(70)
    ('C4', 'A#4')
    """
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _token(code: int) -> str:
    if code == NOTE_OFF:
        return "."
    return "-" if code == HOLD else pitch_name(code - LOWEST_CODE + LOWEST_PITCH)


def _code(token: str) -> int:
    if token in ("-", "."):
        return HOLD if token == "-" else NOTE_OFF
    match = _PITCH.fullmatch(token)
    if match is None:
        raise ValueError(f"a melody's text is pitches such as C4 or F#5, '-', '.', got {token!r}")
    pitch = 12 * (int(match[2]) + 1) + _NAMES.index(match[1]) if match[1] in _NAMES else -1
    if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        raise ValueError(
            f"a melody's pitches are {pitch_name(LOWEST_PITCH)} to {pitch_name(HIGHEST_PITCH)} "
            f"with the sharps C#, D#, F#, G#, A#, got {token!r}"
        )
    return pitch - LOWEST_PITCH + LOWEST_CODE
