"""Sound: the pitches are right by the spectrum, silence is silent, borders do not click."""

import io
import wave

import numpy as np
import pytest
from works.melodies import melody
from works.scores import lines

from creative_rl.works import synthesizer
from creative_rl.works.notation import parse


def fundamental(sound, near):
    """Hertz of the strongest partial within a minor third of `near`, by a parabola over bins."""
    size = 1 << 18
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), size))
    hertz = np.fft.rfftfreq(size, 1 / synthesizer.SAMPLE_RATE)
    spectrum[(hertz < near / 1.19) | (hertz > near * 1.19)] = 0
    peak = spectrum.argmax()
    left, middle, right = np.log(spectrum[peak - 1 : peak + 2])
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return (peak + shift) * synthesizer.SAMPLE_RATE / size


def cents(hertz, other):
    return 1200 * np.log2(hertz / other)


@pytest.mark.parametrize("code", range(2, 38))
def test_each_note_sounds_at_its_pitch(code):
    sound = synthesizer.render(melody([code, 1, 1, 1]))
    expected = 440 * 2 ** ((code + 46 - 69) / 12)
    assert abs(cents(fundamental(sound, expected), expected)) < 2
    spectrum = np.abs(np.fft.rfft(sound))
    strongest = np.fft.rfftfreq(sound.size, 1 / synthesizer.SAMPLE_RATE)[spectrum.argmax()]
    assert abs(cents(strongest, expected)) < 50  # the first harmonic is what one hears


def test_notes_sound_in_their_time():
    sound = synthesizer.render(parse("C4 - - - . - - - A5 - - -", tempo=60.0))
    rate = synthesizer.SAMPLE_RATE
    assert abs(cents(fundamental(sound[:rate], 261.63), 261.626)) < 3
    assert abs(cents(fundamental(sound[2 * rate :], 880.0), 880.0)) < 3
    released = sound[round(1.001 * rate + synthesizer.RELEASE * rate) : 2 * rate]
    assert np.abs(released).max() == 0


def test_silence_is_silent_and_empty_is_short():
    assert np.abs(synthesizer.render(melody([0, 1, 1, 0]))).max() == 0
    assert synthesizer.render(melody([])).size == round(0.12 * synthesizer.SAMPLE_RATE)


def test_peak_type_and_length():
    sound = synthesizer.render(melody([14, 16, 18, 1], tempo=60.0), 8_000)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() == pytest.approx(0.9)
    assert sound.size == round(1.12 * 8_000)


def test_partials_above_half_the_rate_are_left_out():
    # 4,000 Hz would hold a fundamental of 2,000 at most; C7 has 2,093 and would fold to 1,907.
    assert np.abs(synthesizer.render(parse("C7 - - -"), 4_000)).max() == 0


@pytest.mark.parametrize("line", ["C3 - . - D3 - D3 - E3 -", "C3 D3 E3 F3 G3 . A3 .", "C3 - - -"])
def test_nothing_clicks(line):
    """Samples differ by no more than the steepest partials allow, at borders as elsewhere."""
    sound = synthesizer.render(parse(line, tempo=100.0)).astype(np.float64)
    # Curvature shows a click most sharply: a jump of .01 gives .01, these low partials far less.
    top = 2 * np.pi * 6 * 220.0 / synthesizer.SAMPLE_RATE
    assert np.abs(np.diff(sound)).max() < 0.9 * top
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size))) ** 2
    hertz = np.fft.rfftfreq(sound.size, 1 / synthesizer.SAMPLE_RATE)
    assert spectrum[hertz > 4_000].sum() < 1e-8 * spectrum.sum()
    assert abs(sound[0]) < 1e-4 and abs(sound[-1]) < 1e-4


def test_the_click_test_can_fail():
    sound = synthesizer.render(parse("C3 - - -")).astype(np.float64)
    sound[sound.size // 2 :] = 0  # cut, with no release
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size))) ** 2
    hertz = np.fft.rfftfreq(sound.size, 1 / synthesizer.SAMPLE_RATE)
    assert spectrum[hertz > 4_000].sum() > 1e-7 * spectrum.sum()


def test_wav_is_what_was_rendered():
    original = melody([14, 1, 21, 0])
    with wave.open(io.BytesIO(synthesizer.encode_wav(original))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_allclose(samples / 32767, synthesizer.render(original), atol=0.51 / 32767)


def loudness(sound, pitch):
    """Strength of the partial within a quarter tone of a MIDI pitch."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), 1 << 18))
    hertz = np.fft.rfftfreq(1 << 18, 1 / synthesizer.SAMPLE_RATE)
    near = np.abs(12 * np.log2(np.maximum(hertz, 1) / 440) + 69 - pitch) < 0.5
    return spectrum[near].max()


def test_the_fundamental_of_every_voice_is_there_and_nothing_clips():
    voices = {72: "C5 - - -", 64: "E4 - - -", 55: "G3 - - -", 51: "D#3 - - -"}
    score = lines(*voices.values())
    sound = synthesizer.render(score)
    assert np.abs(sound).max() == pytest.approx(0.9)
    for pitch, line in voices.items():
        expected = synthesizer.frequency(pitch)
        assert abs(cents(fundamental(sound, expected), expected)) < 4
        others = synthesizer.render(lines(*(set(voices.values()) - {line})))
        assert loudness(sound, pitch) > 5 * loudness(others, pitch)
    samples = np.frombuffer(synthesizer.encode_wav(score)[44:], "<i2")
    assert np.abs(samples).max() == round(0.9 * 32767)


def test_twice_the_velocity_is_four_times_as_loud():
    same = lines("C4 - - -", "A4 - - -", velocities=60)
    quiet = lines("C4 - - -", "A4 - - -", velocities=[[120] * 4, [60] * 4])
    ratio = [
        loudness(synthesizer.render(s), 60) / loudness(synthesizer.render(s), 69)
        for s in (same, quiet)
    ]
    assert ratio[1] / ratio[0] == pytest.approx(4.0, rel=1e-3)


def test_a_melody_sounds_as_the_score_of_its_one_voice():
    line = "C4 - E4 . G4"
    score = lines(line, velocities=30, tempo=100.0)
    np.testing.assert_allclose(
        synthesizer.render(parse(line)), synthesizer.render(score), atol=1e-6
    )


def test_refusals():
    with pytest.raises(ValueError, match="at most 3600 seconds"):
        synthesizer.render(melody([14] * 10, tempo=0.01))
    with pytest.raises(ValueError, match="sample_rate"):
        synthesizer.render(melody([14]), 0)
