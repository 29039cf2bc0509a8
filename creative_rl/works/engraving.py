"""Melodies and scores as engraved music: SVG, through verovio, which reads our MusicXML."""

import re
from typing import Any
from xml.etree import ElementTree

from creative_rl.works.melody import Melody
from creative_rl.works.music_xml import encode_musicxml
from creative_rl.works.score import Score

_OPTIONS = {
    "pageWidth": 2100,
    "pageHeight": 60_000,  # the most that verovio takes; unused height is cut off
    "adjustPageHeight": True,
    "adjustPageWidth": True,
    "scale": 40,
    "header": "none",
    "footer": "none",
    "svgViewBox": True,
    "xmlIdSeed": 1,  # equal works give equal files
}
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"


def encode_svg(work: Melody | Score) -> bytes:
    """One work as the bytes of an SVG file: all systems below one another, on no background.

    The music's signs are outlines, those inside of words letters of a font that the file brings.

    Raises:
      ValueError: as `encode_musicxml` does.
      ImportError: verovio is not installed.
    """
    verovio = _import_verovio()
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(_OPTIONS)
    if not toolkit.loadData(encode_musicxml(work).decode()):
        raise ValueError(f"verovio cannot engrave this {type(work).__name__}: {toolkit.getLog()}")
    pages = [_sized(toolkit.renderToSVG(number + 1)) for number in range(toolkit.getPageCount())]
    return (pages[0] if len(pages) == 1 else _stack(pages)).encode()


def _import_verovio() -> Any:
    try:
        import verovio
    except ImportError as error:
        raise ImportError("engraving needs verovio: pip install 'creative_rl[media]'") from error
    return verovio


def _sized(page: str) -> str:
    """A page that says its size in pixels too, which not every program takes from the view box."""
    return re.sub(
        r'viewBox="0 0 (\S+) (\S+)"', r'width="\1" height="\2" viewBox="0 0 \1 \2"', page, count=1
    )


def _stack(pages: list[str]) -> str:
    """Pages as one picture, from top to bottom."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    whole = ElementTree.Element(f"{{{_SVG}}}svg", version="1.1")
    width = height = 0.0
    for page in map(ElementTree.fromstring, pages):
        page.set("y", f"{height:g}")
        whole.append(page)
        width = max(width, float(page.attrib["width"]))
        height += float(page.attrib["height"])
    size = {"width": f"{width:g}", "height": f"{height:g}", "viewBox": f"0 0 {width:g} {height:g}"}
    whole.attrib.update(size)
    return ElementTree.tostring(whole, "unicode")
