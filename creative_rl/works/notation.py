"""Music as text: `C4 - - D4 . .` is a long C, a short D, silence; a score has a line a voice."""

import re

import numpy as np

from creative_rl.ops import harmony
from creative_rl.ops.events import HOLD, LOWEST_CODE, LOWEST_PITCH, NOTE_OFF
from creative_rl.works import voices
from creative_rl.works.melody import Melody
from creative_rl.works.score import Score
from creative_rl.works.spans import HIGHEST_PITCH, on_host

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_PITCH = re.compile(r"([A-G]#?)(-?\d{1,2})")


def text(work: Melody | Score) -> str:
    """One token a step: a pitch, `-` for a hold, `.` for a note-off; `|` between bars of 4/4.

    A score has a line for the chord symbols, if there are any, and one for every voice, each
    after its name; steps stand below one another. Loudness and instruments are not said.

    Example:
      >>> text(parse("C4 - - D#5 . ."))
      'C4 - - D#5 . .'
    """
    if isinstance(work, Score):
        return _score_text(voices.on_host(work))
    melody = on_host(work)
    tokens = [_token(code, LOWEST_PITCH) for code in melody.events[: int(melody.length)].tolist()]
    return _line(tokens, melody.steps_per_quarter)


def latest(work: Melody | Score, num: int) -> str:
    """The last `num` steps: a token a step, or of a score the chord symbol, if one stands there,
    and a token a voice, with `;` between steps.

    >>> latest(parse("C4 - D#5 -"), 2)
    'D#5 -'
    """
    if isinstance(work, Melody):
        melody = on_host(work)
        length = int(melody.length)
        codes = melody.events[length - num : length].tolist()
        return " ".join(_token(code, LOWEST_PITCH) for code in codes)
    score = voices.on_host(work)
    length = int(score.length)
    steps = []
    for step in range(length - num, length):
        symbol = harmony.symbol(int(score.chords[step]))
        tokens = [_token(code, voices.LOWEST_PITCH) for code in score.events[:, step].tolist()]
        steps.append(" ".join([*filter(None, [symbol]), *tokens]))
    return "; ".join(steps)


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


def _line(tokens: list[str], steps_per_quarter: int) -> str:
    bar = 4 * steps_per_quarter
    bars = (tokens[start : start + bar] for start in range(0, len(tokens), bar))
    return " | ".join(" ".join(tokens) for tokens in bars)


def _score_text(score: Score) -> str:
    length = int(score.length)
    titles = list(voices.voice_names(score))
    lines = [
        [_token(code, voices.LOWEST_PITCH) for code in codes]
        for codes in score.events[:, :length].tolist()
    ]
    if score.chords[:length].any():
        titles.insert(0, "Chords")
        lines.insert(0, [harmony.symbol(code) or "-" for code in score.chords[:length].tolist()])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    margin = max(map(len, titles))
    return "\n".join(
        f"{title + ':':{margin + 1}} "
        + _line(
            [f"{token:{width}}" for token, width in zip(line, widths, strict=True)],
            score.steps_per_quarter,
        ).rstrip()
        for title, line in zip(titles, lines, strict=True)
    )


def _token(code: int, lowest_pitch: int) -> str:
    if code == NOTE_OFF:
        return "."
    return "-" if code == HOLD else pitch_name(code - LOWEST_CODE + lowest_pitch)


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
