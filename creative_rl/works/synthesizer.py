"""A small additive synthesiser: melodies and scores as sound, with numpy alone.

A note is a sum of harmonics that die away, the higher the faster, as on a struck string. It
fades in and out along half a cosine, so nothing clicks where notes meet.
"""

import io
import wave

import numpy as np

from creative_rl.works.melody import Melody
from creative_rl.works.score import Score
from creative_rl.works.voices import VoiceNote, as_score, notes_of

SAMPLE_RATE = 22_050
PEAK = 0.9
ATTACK = 0.004  # seconds to full strength
RELEASE = 0.12  # seconds from a note's end to silence
MAX_SECONDS = 3600.0

_HARMONICS = np.array([1.0, 0.45, 0.28, 0.12, 0.07, 0.04])
_DECAY = 1.6  # of middle C's first harmonic, in 1/s; an octave up it is 1.5 times as fast


def render(work: Melody | Score, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """One work as mono sound: float32[samples] in -0.9..0.9, with its peak at 0.9.

    Voices are added; a note's amplitude goes with the square of its velocity, so 127 is 12 dB
    above 64. All instruments sound as the same struck string. It lasts as long as the steps and
    the last release. A work without notes is silent, and so are partials at half the sample rate
    and above, which it cannot hold.

    Raises:
      ValueError: the work is a batch, out of range, or lasts more than an hour.

    Example:
      >>> from creative_rl.works.notation import parse
      >>> render(parse("A4 - - -", tempo=60.0)).size / SAMPLE_RATE
      1.12
    """
    if not 1_000 <= sample_rate <= 384_000:
        raise ValueError(f"render: sample_rate must be in 1000..384000, got {sample_rate}")
    score = as_score(work)
    step = 60.0 / score.tempo / score.steps_per_quarter  # seconds
    seconds = int(score.length) * step + RELEASE
    if seconds > MAX_SECONDS:
        raise ValueError(f"render: at most {MAX_SECONDS:.0f} seconds, this one has {seconds:.0f}")
    sound = np.zeros(round(seconds * sample_rate))
    for voice in notes_of(score):
        for note in voice:
            _add(sound, note, step, sample_rate)
    peak = np.abs(sound).max(initial=0.0)
    if peak > 0:
        sound *= PEAK / peak
    return sound.astype(np.float32)


def encode_wav(work: Melody | Score) -> bytes:
    """One work as the bytes of a WAV file: mono, 16 bits; raises as `render` does."""
    samples = np.round(render(work) * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def frequency(pitch: float) -> float:
    """Hertz of a MIDI pitch in equal temperament, A4 = 69 at 440."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def _add(sound: np.ndarray, note: VoiceNote, step: float, sample_rate: int) -> None:
    first = round(note.start * step * sample_rate)
    tone = _tone(note.pitch, (note.end - note.start) * step, sample_rate)[: sound.size - first]
    sound[first : first + tone.size] += (note.velocity / 127) ** 2 * tone


def _tone(pitch: int, seconds: float, sample_rate: int) -> np.ndarray:
    """A note held for `seconds`, and its release: float64[samples]."""
    times = np.arange(round((seconds + RELEASE) * sample_rate)) / sample_rate
    decay = _DECAY * 1.5 ** ((pitch - 60) / 12)
    tone = np.zeros_like(times)
    for number, strength in enumerate(_HARMONICS, start=1):
        hertz = number * frequency(pitch)
        if hertz < sample_rate / 2:
            fading = np.exp(-decay * (1 + 0.6 * (number - 1)) * times)
            tone += strength * fading * np.sin(2 * np.pi * hertz * times)
    fade_in = np.clip(times / ATTACK, 0.0, 1.0)
    fade_out = np.clip((seconds + RELEASE - times) / RELEASE, 0.0, 1.0)
    return tone * _half_cosine(fade_in) * _half_cosine(fade_out)


def _half_cosine(x: np.ndarray) -> np.ndarray:
    """0 to 1 for x from 0 to 1, level at both ends."""
    return 0.5 - 0.5 * np.cos(np.pi * x)
