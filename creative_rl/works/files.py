"""Works to files and back: one table says which work has which formats."""

import os
import pathlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from creative_rl.atomic import write_bytes
from creative_rl.typing import PyTree
from creative_rl.works import (
    animation,
    animation_film,
    canvas,
    canvas_film,
    canvas_picture,
    canvas_svg,
    clip,
    clip_film,
    dialogue,
    dialogue_file,
    engraving,
    level,
    level_picture,
    midi,
    midi_score,
    music_xml,
    notation,
    piano_roll,
    score_roll,
    sculpture,
    sculpture_picture,
    sculpture_solid,
    slate,
    slate_card,
    spans,
    synthesizer,
    voices,
    walk,
    walk_map,
    writing,
)
from creative_rl.works.animation import Animation
from creative_rl.works.canvas import Canvas
from creative_rl.works.clip import Clip
from creative_rl.works.dialogue import Dialogue
from creative_rl.works.json_file import encode_json, read_json
from creative_rl.works.level import Level
from creative_rl.works.melody import Melody
from creative_rl.works.score import Score
from creative_rl.works.sculpture import Sculpture
from creative_rl.works.slate import Slate
from creative_rl.works.walk import Walk
from creative_rl.works.writing import Text


class Format(NamedTuple):
    """How a work becomes the bytes of a file, and for some, a file a work."""

    encode: Callable[[PyTree], bytes]
    read: Callable[[pathlib.Path], PyTree] | None = None
    suits: Callable[[PyTree], bool] | None = None
    """Whether a work of the kind can be written so; None where all can."""


class Kind(NamedTuple):
    """A type of work: its check, which gives one work with numpy leaves, its text, its formats."""

    check: Callable[[PyTree], PyTree]
    text: Callable[[PyTree], str]
    formats: Mapping[str, Format]


def _read_json(path: pathlib.Path) -> PyTree:
    work = read_json(path, {work_type.__name__: work_type for work_type in KINDS})
    try:
        return KINDS[type(work)].check(work)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _read_text(path: pathlib.Path) -> PyTree:
    with path.open("rb") as file:
        start = file.read(max(map(len, _TITLED)))
    for title, read in _TITLED.items():
        if start.startswith(title.encode()):
            return read(path)
    found = writing.read_txt(path)
    for work_type, is_text in _TOLD.items():
        if is_text(writing.text(found)):
            raise ValueError(
                f"{path} is the text of a {work_type.__name__}, which does not hold all of it; "
                "save the work as .json and load that"
            )
    return found


def _read_png(path: pathlib.Path) -> PyTree:
    found = level_picture.read_png(path)
    return canvas_picture.read_png(path) if found is None else found


_TITLED = {dialogue_file.TITLE: dialogue_file.read_text, level.TITLE: level.read_text}
"""What texts start with that are not read as such, and how they are read."""
_TOLD: Mapping[type, Callable[[str], bool]] = {Slate: slate.is_text, Walk: walk.is_text}
"""Works whose texts are for people alone, and what tells such a text."""


KINDS: dict[type, Kind] = {
    Melody: Kind(
        check=spans.on_host,
        text=notation.text,
        formats={
            ".mid": Format(midi.encode_melody, midi_score.read_midi),
            ".wav": Format(synthesizer.encode_wav),
            ".png": Format(piano_roll.encode_png),
            ".musicxml": Format(music_xml.encode_musicxml),
            ".svg": Format(engraving.encode_svg),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Score: Kind(
        check=voices.on_host,
        text=notation.text,
        formats={
            ".mid": Format(midi_score.encode_score, midi_score.read_midi, midi_score.fits),
            ".wav": Format(synthesizer.encode_wav),
            ".png": Format(score_roll.encode_png),
            ".musicxml": Format(music_xml.encode_musicxml, suits=music_xml.fits),
            ".svg": Format(engraving.encode_svg, suits=music_xml.fits),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Walk: Kind(
        check=walk.on_host,
        text=walk.text,
        formats={
            ".png": Format(walk_map.encode_png),
            ".txt": Format(walk.encode_text),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Level: Kind(
        check=level.on_host,
        text=level.text,
        formats={
            ".png": Format(level_picture.encode_png, _read_png),
            ".txt": Format(level.encode_text, _read_text),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Slate: Kind(
        check=slate.on_host,
        text=slate.text,
        formats={
            ".svg": Format(slate_card.encode_svg),
            ".txt": Format(slate.encode_text),
            ".mid": Format(slate_card.encode_midi, suits=slate_card.is_music),
            ".wav": Format(slate_card.encode_wav, suits=slate_card.is_music),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Canvas: Kind(
        check=canvas.on_host,
        text=canvas.summary,
        formats={
            ".png": Format(canvas_picture.encode_png, _read_png),
            ".svg": Format(canvas_svg.encode_svg),
            ".gif": Format(canvas_film.encode_gif, suits=canvas_film.is_painted),
            ".mp4": Format(canvas_film.encode_mp4, suits=canvas_film.is_painted),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Sculpture: Kind(
        check=sculpture.on_host,
        text=sculpture.summary,
        formats={
            ".png": Format(sculpture_picture.encode_png),
            ".gif": Format(sculpture_picture.encode_gif),
            ".glb": Format(sculpture_solid.encode_glb),
            ".stl": Format(sculpture_solid.encode_stl),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Animation: Kind(
        check=animation.on_host,
        text=animation.summary,
        formats={
            ".gif": Format(animation_film.encode_gif, suits=animation.has_frames),
            ".mp4": Format(animation_film.encode_mp4, suits=animation.has_frames),
            ".png": Format(animation_film.encode_png, suits=animation.has_frames),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Clip: Kind(
        check=clip.on_host,
        text=clip.summary,
        formats={
            ".gif": Format(clip_film.encode_gif, suits=clip.has_frames),
            ".mp4": Format(clip_film.encode_mp4, suits=clip.has_frames),
            ".png": Format(clip_film.encode_png, suits=clip.has_frames),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Dialogue: Kind(
        check=dialogue.on_host,
        text=dialogue_file.text,
        formats={
            ".txt": Format(dialogue_file.encode_text, _read_text),
            ".json": Format(encode_json, _read_json),
        },
    ),
    Text: Kind(
        check=writing.on_host,
        text=writing.text,
        formats={
            ".txt": Format(writing.encode_txt, _read_text),
            ".json": Format(writing.encode_json, _read_json),
        },
    ),
}


def suffixes(work: PyTree) -> list[str]:
    """The suffixes of the files that this one work can be written as.

    Raises:
      ValueError: it is no work, is a batch (see `unbatch`), or a field is out of range.

    Example:
      >>> import numpy as np
      >>> suffixes(Melody(events=np.array([14, 1], np.int32), length=np.int32(2)))
      ['.mid', '.wav', '.png', '.musicxml', '.svg', '.json']
    """
    kind = _kind(work)
    work = kind.check(work)
    return [
        suffix for suffix, form in kind.formats.items() if form.suits is None or form.suits(work)
    ]


def save(work: PyTree, path: str | os.PathLike) -> pathlib.Path:
    """Write one work; the suffix of `path` says how. What stood there is replaced at the end.

    A `Melody` and a `Score` have .mid, .wav, .png (piano roll), .musicxml, .svg (engraved) and
    .json; a `Walk` and a `Level` .png, .txt and .json; a `Slate` .svg, .txt, .json and, of music,
    .mid and .wav (what was chosen); a `Dialogue` and a `Text` .txt and .json; a `Canvas` .png,
    .svg, .json and, of strokes, .gif and .mp4 (the making); a `Sculpture` .png, .gif (turning),
    .glb, .stl and .json; an `Animation` and a `Clip` .gif, .mp4, .png (a sheet of frames)
    and .json. See `suffixes`.

    Raises:
      ValueError: no such format for this work, or the work is a batch (see `unbatch`).
      FileNotFoundError: the folder does not exist.
      ImportError: a package that the format needs is not installed.
    """
    path = pathlib.Path(path)
    kind = _kind(work)
    if path.suffix.lower() not in kind.formats:
        raise ValueError(
            f"a {type(work).__name__} is written as {', '.join(kind.formats)}, "
            f"got the file name {path.name!r}"
        )
    return write_bytes(path, kind.formats[path.suffix.lower()].encode(kind.check(work)))


def load(path: str | os.PathLike) -> PyTree:
    """Read a work, with numpy leaves, from .json, .mid, .png or .txt.

    What `save` wrote to the first two comes back the same; of other MIDI files the highest notes
    make a melody, and `midi_score.read_score` reads all of their voices. A .png gives the `Level`
    that it was made of, else a `Canvas` of its pixels, without strokes; a .txt a `Dialogue` or a
    `Level` where it is one, else a `Text` of its characters. The text of a `Slate` or a `Walk`
    does not hold all of it and is refused.

    Raises:
      ValueError: no format that is read, a text that does not hold its work, or the file is
        damaged; the line names file and reason.
      FileNotFoundError: there is no such file.
      ImportError: a package that the format needs is not installed.
    """
    path = pathlib.Path(path)
    readers = {
        suffix: form.read
        for kind in KINDS.values()
        for suffix, form in kind.formats.items()
        if form.read is not None
    }
    if path.suffix.lower() not in readers:
        raise ValueError(f"works are read from {', '.join(readers)}, got {path.name!r}")
    return readers[path.suffix.lower()](path)


def text(work: PyTree) -> str:
    """A work in characters: music a token a step (see `notation.text`), a walk and a level as
    their grids, a session a line a slate, a canvas, a sculpture, an animation or a clip as one line
    about it, a dialogue as the conversation, a text as it reads.

    Raises:
      ValueError: it is no work, is a batch (see `unbatch`), or a field is out of range.

    Example:
      >>> import numpy as np
      >>> text(Melody(events=np.array([14, 1, 0], np.int32), length=np.int32(3)))
      'C4 - .'
    """
    kind = _kind(work)
    return kind.text(kind.check(work))


def _kind(work: PyTree) -> Kind:
    if type(work) not in KINDS:
        known = ", ".join(work_type.__name__ for work_type in KINDS)
        raise ValueError(f"works are {known}, got a {type(work).__name__}")
    return KINDS[type(work)]
