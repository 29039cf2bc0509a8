"""The picture shows each note at its place, in its colour."""

import io

import pytest
from PIL import Image, ImageColor
from works.melodies import melody

from creative_rl.works import piano_roll, pillow, roll_paper
from creative_rl.works.notation import parse
from creative_rl.works.spans import spans_of


def frame_of(spans, length):
    return roll_paper.frame_of((span.pitch for span in spans), length)


def colour_at(image, frame, step, pitch):
    x, y = frame.x(step), frame.y(pitch) + 5.5
    return image.getpixel((round(x * pillow.PIXELS), round(y * pillow.PIXELS)))


def test_every_note_and_nothing_else_is_coloured():
    original = parse("C4 - E4 . G4 - - - C5 . . -")
    image = piano_roll.draw(original)
    frame = frame_of(spans_of(original), 12)
    sounding = {0: 60, 1: 60, 2: 64, 4: 67, 5: 67, 6: 67, 7: 67, 8: 72}
    for step in range(12):
        for pitch in range(frame.lowest, frame.highest + 1):
            colour = colour_at(image, frame, step + 0.5, pitch)
            if sounding.get(step) == pitch:
                assert colour == ImageColor.getrgb(piano_roll.COLOURS[pitch % 12][0])
            else:
                assert max(colour) - min(colour) < 12  # the paper is grey


def test_repeated_notes_stay_apart():
    twice, once = piano_roll.draw(parse("C4 C4")), piano_roll.draw(parse("C4 -"))
    frame = frame_of(spans_of(parse("C4 C4")), 2)
    colour = colour_at(twice, frame, 0.5, 60)
    assert colour_at(once, frame, 1.0, 60) == colour
    assert colour_at(twice, frame, 1.0, 60) != colour


def test_pitch_range_fits_the_notes_with_a_margin():
    frame = frame_of(spans_of(parse("C3 B5")), 2)
    assert (frame.lowest, frame.highest) == (46, 85)
    narrow = frame_of(spans_of(parse("C4")), 1)
    assert narrow.highest - narrow.lowest + 1 == 14
    assert narrow.lowest < 58 and narrow.highest > 62


@pytest.mark.parametrize("codes", [[], [0, 1], [81] * 3, [2, 81] * 300])
def test_extremes_draw(codes):
    image = Image.open(io.BytesIO(piano_roll.encode_png(melody(codes))))
    assert image.format == "PNG"
    assert image.width <= 2 * 1300
