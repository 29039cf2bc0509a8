"""Levels as PNG files, in which the level itself travels along, and back."""

import io
import pathlib
from typing import Any

from creative_rl.works import pillow
from creative_rl.works.json_file import decode_json, encode_json
from creative_rl.works.level import Level, on_host
from creative_rl.works.level_tiles import Pen, draw_tile

_KEY = "creative_rl level"
"""Of the text in the file that is the level in JSON."""
_SIDE = 16  # of a tile, in points, less where there are many
_WIDEST = 1024  # of the map, in points


def draw(level: Level) -> Any:
    """One level as a `PIL.Image.Image`, tile beside tile.

    Raises:
      ValueError: the level is a batch, or a field is out of range.
      ImportError: Pillow is not installed.
    """
    level = on_host(level)
    height, width = level.tiles.shape
    side = min(_SIDE, _WIDEST // max(height, width))

    def draw_all(drawing: Any, scale: int) -> None:
        for row, tiles in enumerate(level.tiles.tolist()):
            for column, tile in enumerate(tiles):
                pen = Pen(drawing, column * side * scale, row * side * scale, side * scale)
                draw_tile(pen, level.names[tile], level.characters[tile])

    return pillow.on_paper(width * side, height * side, draw_all)


def encode_png(level: Level) -> bytes:
    """One level's picture as the bytes of a PNG file; raises as `draw` does."""
    return pillow.png(draw(level), {_KEY: encode_json(on_host(level)).decode()})


def read_png(path: pathlib.Path) -> Level | None:
    """The level that a picture was made of; None where it is another picture.

    Raises:
      ValueError: the file says that it has a level, and has none.
      FileNotFoundError: there is no such file.
      ImportError: Pillow is not installed.
    """
    module, data = pillow.pillow(), path.read_bytes()
    try:
        with module.open(io.BytesIO(data), formats=("PNG",)) as image:
            written = image.info.get(_KEY)
    except (OSError, SyntaxError, ValueError, module.DecompressionBombError):
        return None
    if not isinstance(written, str):
        return None
    try:
        return on_host(decode_json(written.encode(), {"Level": Level}))
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} has no level in it, as it says: {error}") from error
