"""Bach's chorales as tokens: quarter-note frames of four voices, a split by tune, and baselines.

A frame is what sounds in soprano, alto, tenor and bass at the beginning of a quarter note: a MIDI
pitch, or -1 for a rest. Frames in which nobody sings (bars filled up, interludes) are left out.
Pieces are in C major or A minor. Shapes: F frames of a piece.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from creative_rl.corpora import cache, chorale_parts, split, windows

NUM_VOICES = len(chorale_parts.VOICES)
START = 0
"""The token before the first."""
WINDOW = 24
"""Frames of what is learned from, six bars of 4/4; shorter pieces are left out."""
_PHRASE = 16
"""Eighths in common, and one, that make two pieces versions of one tune."""
_TEST, _VALIDATION = 0.2, 0.2
"""Shares of the tunes; those of the usual split are 77 and 76 of 382 pieces."""

Piece = np.ndarray
"""int[F, 4]"""


class Chorales(NamedTuple):
    """All pieces, and for each the first name among the versions of its tune."""

    pieces: Mapping[str, Piece]
    families: Mapping[str, str]


class Split(NamedTuple):
    """Pieces, no tune in two of the parts."""

    train: Sequence[Piece]
    validation: Sequence[Piece]
    test: Sequence[Piece]


class Alphabet(NamedTuple):
    """Every voice has tokens of its own, for a rest and its range, so that a token tells its voice.

    Attributes:
      lowest: pitch of each voice.
      sizes: codes of each voice: 0 for a rest, `1 + pitch - lowest` for a pitch.
    """

    lowest: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def num_tokens(self) -> int:
        return 1 + sum(self.sizes)

    def codes(self, piece: Piece) -> np.ndarray:
        """int[F, 4]"""
        return np.where(piece < 0, 0, 1 + piece - np.array(self.lowest))

    def tokens(self, piece: Piece) -> np.ndarray:
        """uint8[4 F], frame by frame from the soprano down."""
        offsets = 1 + np.cumsum((0, *self.sizes[:-1]))
        return (self.codes(piece) + offsets).astype(np.uint8).ravel()


def load() -> Chorales:
    """All chorales of music21 that are long enough, without copies.

    Raises:
      ImportError: music21 is not installed.
    """
    found, _ = chorale_parts.load(cache.default_folder())
    pieces, phrases, seen = {}, {}, set()
    for chorale in found:
        begin = chorale.starts[0] % chorale_parts.FRAMES_PER_QUARTER  # on the beat
        piece = sung(chorale.sounding[:, begin :: chorale_parts.FRAMES_PER_QUARTER].T)
        if len(piece) >= WINDOW and piece.tobytes() not in seen:
            seen.add(piece.tobytes())
            pieces[chorale.name] = piece
            phrases[chorale.name] = windows.cut(chorale.parts[0], chorale.starts, _PHRASE)
    return Chorales(pieces, split.families(phrases))


def sung(piece: Piece) -> Piece:
    """Without the frames in which nobody sings."""
    return piece[(piece >= 0).any(axis=1)]


def alphabet(pieces: Sequence[Piece]) -> Alphabet:
    """Of the ranges that the voices have in all the pieces."""
    frames = np.concatenate(pieces)
    lowest = np.where(frames < 0, 127, frames).min(axis=0)
    sizes = frames.max(axis=0) - lowest + 2
    return Alphabet(tuple(lowest.tolist()), tuple(sizes.tolist()))


def split_by_tune(chorales: Chorales, seed: int) -> Split:
    """A random split, the same on every machine."""
    parts: tuple[list[Piece], ...] = ([], [], [])
    for name, piece in chorales.pieces.items():
        number = split.draw(chorales.families[name], seed)
        parts[2 if number < _TEST else 1 if number < _TEST + _VALIDATION else 0].append(piece)
    return Split(*parts)


def draw_windows(tokens: Sequence[np.ndarray], num: int, seed: int) -> np.ndarray:
    """uint8[num, 4 WINDOW + 1]: windows from anywhere, each with the token before it. A piece is
    drawn as often as it has windows."""
    generator = np.random.default_rng(seed)
    length = NUM_VOICES * WINDOW
    rows = [np.concatenate([[START], piece]).astype(np.uint8) for piece in tokens]
    places = [
        (row, NUM_VOICES * frame)
        for row in rows
        for frame in range((len(row) - 1 - length) // NUM_VOICES + 1)
    ]
    chosen = [places[i] for i in generator.integers(0, len(places), num)]
    return np.stack([row[begin : begin + length + 1] for row, begin in chosen])


def unigram(parts: Split, letters: Alphabet) -> float:
    """Nats a frame of each voice by itself; one is added to every count."""
    return sum(
        _nats(np.zeros((1, size)), voice, lambda codes: np.zeros_like(codes))
        for size, voice in _voices(parts, letters)
    )


def bigram(parts: Split, letters: Alphabet) -> float:
    """Nats a frame of each voice given its own code in the frame before; the first frame of a
    piece has a row of its own. One is added to every count."""

    def before(codes: np.ndarray) -> np.ndarray:
        return np.concatenate([[-1], codes[:-1]])

    return sum(
        _nats(np.zeros((size + 1, size)), voice, before) for size, voice in _voices(parts, letters)
    )


def _voices(parts: Split, letters: Alphabet) -> list:
    """For every voice its number of codes, and its codes in pieces to count and to test."""
    counted, tested = (
        [letters.codes(piece) for piece in pieces] for pieces in (parts.train, parts.test)
    )
    return [
        (size, ([piece[:, v] for piece in counted], [piece[:, v] for piece in tested]))
        for v, size in enumerate(letters.sizes)
    ]


def _nats(counts: np.ndarray, voice: tuple, context) -> float:
    """Mean nats of the tested codes, each given the row that `context` says."""
    counted, tested = voice
    for codes in counted:
        np.add.at(counts, (context(codes), codes), 1)
    log_probs = np.log((counts + 1) / (counts + 1).sum(axis=1, keepdims=True))
    total = sum(log_probs[context(codes), codes].sum() for codes in tested)
    return float(-total / sum(map(len, tested)))
