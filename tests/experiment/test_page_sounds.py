"""Sounds of a report: which are lighter, which lie beside it, and that nothing is lost to hear."""

import io
import json
import pathlib
import re
import wave

import numpy as np
import pytest

from creative_rl.experiment.page_sounds import LONG_SECONDS, MOST_BYTES, Sounds, lighter
from creative_rl.experiment.report import write_report

RATE = 22_050


def wav(samples, rate=RATE, channels=1, width=2):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def tone(hertz, seconds=LONG_SECONDS + 1, rate=RATE):
    times = np.arange(int(seconds * rate)) / rate
    return np.round(20_000 * np.sin(2 * np.pi * hertz * times)).astype("<i2")


def read(data):
    with wave.open(io.BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return file.getframerate(), samples.astype(np.float64)


@pytest.mark.parametrize(("hertz", "least", "most"), [(440, 0.99, 1.01), (4000, 0.9, 1.1)])
def test_what_half_the_rate_holds_stays(hertz, least, most):
    samples = tone(hertz)
    rate, found = read(lighter(wav(samples)))
    assert rate == RATE // 2 and len(found) == -(-len(samples) // 2)
    inner = slice(200, -200)  # the filter has neither past nor future at the ends
    assert least < np.std(found[inner]) / np.std(samples) < most
    np.testing.assert_allclose(found[inner], samples[::2][inner], atol=2500 if hertz > 1000 else 50)


def test_what_it_does_not_hold_is_no_other_tone():
    _, found = read(lighter(wav(tone(8000))))  # it would sound as one of 3025 Hz
    assert np.std(found[200:-200]) < 30


@pytest.mark.parametrize(
    "data",
    [
        wav(tone(440, LONG_SECONDS)),
        wav(tone(440), channels=2),
        wav(tone(440), width=1),
        wav(tone(440))[:30],
        b"",
        b"wav",
    ],
)
def test_short_ones_and_those_of_other_forms_are_left_alone(data):
    assert lighter(data) == data


def test_the_first_ones_have_their_place():
    short, long = wav(tone(440, 1)), wav(tone(440, 30))
    sounds = Sounds(most_bytes=len(lighter(long)) + len(short))
    assert sounds.fitted(long) == lighter(long)
    assert sounds.fitted(long) is None  # but there is room for less
    assert sounds.fitted(short) == short
    assert sounds.fitted(short) is None and sounds.left == 0


def test_a_page_of_long_music_is_light_and_says_where_the_rest_is(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "works").mkdir()
    sound, index = wav(tone(440, 48)), []
    for number in range(12):
        group, name = ("best" if number < 4 else "sample"), f"one & {number:02d}.wav"
        (tmp_path / "works" / name).write_bytes(sound)
        index.append({"name": name, "group": group, "work": "Score", "files": {"wav": name}})
    (tmp_path / "works/index.json").write_text(json.dumps(index))
    page = write_report(tmp_path).read_text()
    assert len(page) < 1.4 * MOST_BYTES + 50_000 < 12 * len(sound) / 3
    assert page.count("<audio") == 4 and page.count("At half its rate; the whole sound is") == 4
    assert page.count("Too much for this page; its sound is") == 8
    links = re.findall(r'<a href="([^"]*)">([^<]*)</a>, beside the page', page)
    assert links[11] == ("works/one%20%26%2011.wav", "works/one &amp; 11.wav")
    assert page.rindex("<audio") < page.index("Samples")
    assert all(pathlib.PurePath(href).parts[0] == "works" for href, _ in links)


def test_short_music_is_whole_in_the_page(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "works").mkdir()
    (tmp_path / "works/one.wav").write_bytes(wav(tone(440, 1)))
    (tmp_path / "works/index.json").write_text(json.dumps([{"files": {"wav": "one.wav"}}]))
    page = write_report(tmp_path).read_text()
    assert page.count("<audio") == 1 and "beside the page" not in page
