"""The sounds of a report: long ones are lighter in the page, and what is too much lies beside it.

WAV files are most of a page of music: a minute is 2.6 MB, and in a page a third more. Imports no
JAX.
"""

import io
import wave

import numpy as np

LONG_SECONDS = 20.0
"""Sounds above are in the page at half their rate."""
MOST_BYTES = 5 * 2**20
"""Of sounds in one page; the others are files beside it."""
_TAPS = 127
"""Of the filter that takes away what half the rate cannot hold."""


class Sounds:
    """Which sounds stand in a page, the first ones first.

    Attributes:
      left: bytes that the page may still hold.
    """

    def __init__(self, most_bytes: int = MOST_BYTES):
        self.left = most_bytes

    def fitted(self, wav: bytes) -> bytes | None:
        """What stands in the page for a WAV file; None where there is no room for it."""
        light = lighter(wav)
        if len(light) > self.left:
            return None
        self.left -= len(light)
        return light


def lighter(wav: bytes) -> bytes:
    """A long WAV file of one channel and 16 bits at half its rate; any other as it is.

    What is above a quarter of its rate is filtered out by a sinc under a Blackman window (Smith,
    "The Scientist and Engineer's Guide to Digital Signal Processing", chapter 16).
    """
    try:
        with wave.open(io.BytesIO(wav)) as file:
            form = (file.getnchannels(), file.getsampwidth())
            rate, num = file.getframerate(), file.getnframes()
            if form != (1, 2) or num <= LONG_SECONDS * rate:
                return wav
            samples = np.frombuffer(file.readframes(num), "<i2")
    except (wave.Error, EOFError, ValueError):  # damaged, or not of plain numbers
        return wav
    filtered = np.convolve(samples.astype(np.float32), _half_band(), mode="same")[::2]
    halved = np.clip(np.round(filtered), -32768, 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate // 2)
        file.writeframes(halved.tobytes())
    return buffer.getvalue()


def _half_band() -> np.ndarray:
    """float32[taps] that add up to 1: lets through what is below a quarter of the rate."""
    places = np.arange(_TAPS) - _TAPS // 2
    # A little below the quarter, so that the filter's slope ends there.
    weights = np.sinc(0.45 * places) * np.blackman(_TAPS)
    return (weights / weights.sum()).astype(np.float32)
