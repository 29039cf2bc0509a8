"""Songs made by a rule: melodies in C major, each over chords that it was made from.

They need nothing but a seed. A song is in frames of an eighth note, 4/4, and made by half bars:

- The chord of the first half bar is C, of the last two G and C. In between, each follows from the
  one before, uniformly among: C to F, G, Am or Dm; Dm to G; Em to Am or F; F to C, G or Dm; G to C
  or Am; Am to Dm, F, G or Em.
- The rhythm of each is uniform among 4; 2 2; 3 1; 2 1 1; 1 1 2; 1 1 1 1 eighths, of the last one 4.
- The first note of each is a tone of its chord: of the two that are nearest to the note before,
  either one. The others move a step up or down on the white keys, turning back at the ends.
- Pitches are the white keys from C4 to G5, MIDI 60 to 79. The last note is the nearest C.

Where four voices are asked for, the song is the soprano. The others strike the chord on every half
bar: the bass its root between D2 and C#3, MIDI 38 to 49, the alto and the tenor the next tones of
the chord below the soprano's lowest note of the half bar. So no voices cross.
"""

import functools
from typing import NamedTuple

import numpy as np

from creative_rl.ops.events import HOLD, LOWEST_CODE
from creative_rl.ops.harmony import INTERVALS

FRAMES_PER_BAR = 8
FRAMES_PER_QUARTER = 2
_HALF = FRAMES_PER_BAR // 2
_BASS_BELOW = 50
_KEYS = np.array([60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79])
_C, _DM, _EM, _F, _G, _AM = 1, 1 + 12 + 2, 1 + 12 + 4, 1 + 5, 1 + 7, 1 + 12 + 9
_NEXT = {
    _C: (_F, _G, _AM, _DM),
    _DM: (_G,),
    _EM: (_AM, _F),
    _F: (_C, _G, _DM),
    _G: (_C, _AM),
    _AM: (_DM, _F, _G, _EM),
}
_RHYTHMS = ((4,), (2, 2), (3, 1), (2, 1, 1), (1, 1, 2), (1, 1, 1, 1))


class Songs(NamedTuple):
    """Melodies and their chords, at every frame."""

    melodies: np.ndarray
    """uint8[M, T]: 0 note-off, 1 hold, `2 + p` the MIDI pitch p"""
    chords: np.ndarray
    """uint8[M, T]: codes of `ops.harmony`"""


@functools.lru_cache(maxsize=16)
def songs(num: int, length: int, seed: int) -> Songs:
    """`num` songs of `length` frames, always the same for the same numbers; read only.

    Args:
      num: at least 1.
      length: frames, at least 1; a last half bar may be cut.
      seed: of NumPy's generator.

    Example:
      >>> songs(32, 64, 0).melodies.shape
      (32, 64)
    """
    generator = np.random.default_rng(seed)
    made = [_song(generator, -(-length // _HALF)) for _ in range(num)]
    arrays = [np.array(rows, np.uint8)[:, :length] for rows in zip(*made, strict=True)]
    for array in arrays:
        array.flags.writeable = False
    return Songs(*arrays)


@functools.lru_cache(maxsize=16)
def four_parts(num: int, length: int, seed: int) -> np.ndarray:
    """The songs in four voices: uint8[num, 4, length], soprano, alto, tenor, bass; read only.

    Args:
      num, length, seed: as of `songs`, whose melodies are the sopranos.

    Example:
      >>> four_parts(1, 64, 0)[0, :, -4:].tolist()  # C major
      [[74, 1, 1, 1], [69, 1, 1, 1], [66, 1, 1, 1], [50, 1, 1, 1]]
    """
    made = songs(num, length, seed)
    parts = np.full((num, 4, length), HOLD, np.uint8)
    parts[:, 0] = made.melodies
    for song, melody in enumerate(made.melodies):
        for frame in range(0, length, _HALF):
            notes = melody[frame : frame + _HALF]
            tones = _tones(int(made.chords[song, frame]))
            alto = _next_below(tones, int(notes[notes >= LOWEST_CODE].min()) - LOWEST_CODE)
            bass = _next_below(tones[:1], _BASS_BELOW)
            struck = (alto, _next_below(tones, alto), bass)
            parts[song, 1:, frame] = [LOWEST_CODE + pitch for pitch in struck]
    parts.flags.writeable = False
    return parts


def _next_below(tones: list[int], pitch: int) -> int:
    """The highest pitch of these pitch classes that is below another."""
    return next(below for below in range(pitch - 1, -1, -1) if below % 12 in tones)


def _song(generator: np.random.Generator, num_halves: int) -> tuple[list[int], list[int]]:
    """The events and the chord of every frame."""
    events: list[int] = []
    chords = _progression(generator, num_halves)
    key = int(generator.integers(len(_KEYS)))
    for half, chord in enumerate(chords):
        is_last = half == num_halves - 1
        rhythm = _RHYTHMS[0 if is_last else generator.integers(len(_RHYTHMS))]
        for place, frames in enumerate(rhythm):
            if place == 0:
                key = _nearest(
                    _tones(chord)[:1] if is_last else _tones(chord), key, generator, is_last
                )
            else:
                key = _stepped(key, generator)
            events += [LOWEST_CODE + int(_KEYS[key])] + [HOLD] * (frames - 1)
    return events, [chord for chord in chords for _ in range(_HALF)]


def _progression(generator: np.random.Generator, num_halves: int) -> list[int]:
    chords = [_C]
    while len(chords) < num_halves:
        following = _NEXT[chords[-1]]
        chords.append(following[generator.integers(len(following))])
    return [*chords[:-2], *(_G, _C)[-num_halves:]]


def _tones(chord: int) -> list[int]:
    """Pitch classes, the root first."""
    quality, root = divmod(chord - 1, 12)
    return [(root + interval) % 12 for interval in INTERVALS[quality]]


def _nearest(tones: list[int], key: int, generator: np.random.Generator, closest: bool) -> int:
    """The key of one of the two that are nearest with these pitch classes, or of the nearest."""
    keys = [i for i, pitch in enumerate(_KEYS) if pitch % 12 in tones]
    keys.sort(key=lambda other: (abs(other - key), other))
    return keys[0 if closest else generator.integers(2)]


def _stepped(key: int, generator: np.random.Generator) -> int:
    step = int(2 * generator.integers(2) - 1)
    return key + step if 0 <= key + step < len(_KEYS) else key - step
