"""The picture of a score: every note at its place, in its voice's colour, paler where quiet."""

import io

import pytest
from PIL import Image, ImageColor
from works.scores import lines, score

from creative_rl.ops.harmony import chord_code
from creative_rl.ops.orchestration import ENSEMBLES
from creative_rl.works import pillow, roll_paper, score_roll, voices


def frame_of(original):
    pitches = [note.pitch for notes in voices.notes_of(original) for note in notes]
    above = score_roll._ROW_OF_TEXT if voices.chords_of(original) else 0
    return roll_paper.frame_of(pitches, int(original.length), above)


def colour_at(image, frame, step, pitch):
    x, y = frame.x(step), frame.y(pitch) + 5.5
    return image.getpixel((round(x * pillow.PIXELS), round(y * pillow.PIXELS)))


@pytest.mark.parametrize("chords", [None, {0: 1, 4: 20}])
def test_every_note_and_nothing_else_is_coloured(chords):
    loud = [[127] * 8, [30] * 8]
    original = lines("C5 - E5 . G4 - - -", "C3 - - - . - D3 -", velocities=loud, chords=chords)
    image, frame = score_roll.draw(original), frame_of(original)
    sounding = {
        (step, note.pitch): (voice, note.velocity)
        for voice, notes in enumerate(voices.notes_of(original))
        for note in notes
        for step in range(note.start, note.end)
    }
    for step in range(8):
        for pitch in range(frame.lowest, frame.highest + 1):
            colour = colour_at(image, frame, step + 0.5, pitch)
            if (step, pitch) in sounding:
                voice, velocity = sounding[step, pitch]
                fill = score_roll.shade(score_roll.VOICE_COLOURS[voice][0], velocity)
                assert colour == ImageColor.getrgb(fill)
            else:
                assert max(colour) - min(colour) < 12  # the paper is grey


def test_quiet_is_pale():
    assert score_roll.shade("#102030", 127) == "#102030"
    assert sum(ImageColor.getrgb(score_roll.shade("#102030", 1))) > sum((0x10, 0x20, 0x30)) + 400


def test_no_two_players_of_the_orchestra_look_alike():
    num_players = len(ENSEMBLES["orchestra"])
    colours = [score_roll.voice_colour(voice) for voice in range(num_players)]
    assert len({fill for fill, _ in colours}) == len({edge for _, edge in colours}) == num_players


def test_chord_symbols_make_room_and_stay_inside_it():
    line = "C4 - - - - - - -"
    plain = score_roll.draw(lines(line))
    image = score_roll.draw(lines(line, chords={0: chord_code("Am7"), 1: chord_code("Bbm7")}))
    assert image.height == plain.height + score_roll._ROW_OF_TEXT * pillow.PIXELS
    frame = frame_of(lines(line, chords={0: 1}))
    top = image.crop((0, 0, image.width, round((frame.top - 13) * pillow.PIXELS)))
    left = round(frame.x(1) * pillow.PIXELS)
    assert top.crop((left, 0, top.width, top.height)).convert("L").getextrema()[0] < 200
    assert top.crop((0, 0, left, top.height)).convert("L").getextrema()[0] == 255  # no room


def test_the_legend_goes_on_below_where_the_names_are_many():
    names = tuple(f"A long name {number}" for number in range(10))
    entries = score_roll._legend(names, 240)
    assert [entry.name for entry in entries] == list(names)
    assert entries[0].y == 0 < entries[-1].y
    assert all(entry.x < 240 for entry in entries)


@pytest.mark.parametrize(
    "original", [score([[]]), score([[0, 1]] * 20), score([[2, 129] * 100]), score([[2, 3]])]
)
def test_extremes_draw(original):
    image = Image.open(io.BytesIO(score_roll.encode_png(original)))
    assert image.format == "PNG"
    assert image.width <= 2 * 1300
