"""Engraved music: every note, chord and name is in the picture; without verovio, one line."""

import sys
from xml.etree import ElementTree

import pytest
from works.melodies import melody
from works.scores import lines, score

from creative_rl import works
from creative_rl.works import engraving

SVG = "{http://www.w3.org/2000/svg}"


def groups(svg, kind):
    root = ElementTree.fromstring(svg)
    return [g for g in root.iter(f"{SVG}g") if kind in g.get("class", "").split()]


def words(group):
    return "".join(group.itertext()).split()


def test_every_note_chord_and_name_is_engraved():
    pytest.importorskip("verovio")
    original = lines(
        "C4 - E4 . G4 - - -", "C3 - - - - - - .", chords={0: 1, 4: 58}, names=("Up", "Low")
    )
    svg = engraving.encode_svg(original)
    assert len(groups(svg, "staff")) == 2
    # An eighth, an eighth, a quarter; a quarter tied to a dotted eighth.
    assert len(groups(svg, "note")) == 5 and len(groups(svg, "tie")) == 1
    assert [words(group) for group in groups(svg, "harm")] == [["C"], ["Am7"]]
    assert [words(group) for group in groups(svg, "label")] == [["Up"], ["Low"]]
    assert words(groups(svg, "tempo")[0])[-1] == "80"
    assert engraving.encode_svg(original) == svg


def test_the_picture_has_ink_where_a_program_draws_it():
    pytest.importorskip("verovio")
    resvg_py = pytest.importorskip("resvg_py")
    pictures = pytest.importorskip("PIL.Image")
    import io

    svg = engraving.encode_svg(melody([14, 1, 16, 1, 18, 1, 19, 1])).decode()
    data = bytes(resvg_py.svg_to_bytes(svg_string=svg, background="white"))
    image = pictures.open(io.BytesIO(data)).convert("L")
    root = ElementTree.fromstring(svg)
    assert image.size == (int(root.get("width")), int(root.get("height")))
    dark = sum(image.histogram()[:128]) / (image.width * image.height)
    assert 0.01 < dark < 0.2


def test_long_works_stand_on_one_picture():
    pytest.importorskip("verovio")
    one = engraving.encode_svg(score([[62] * 16] * 4)).decode()
    root = ElementTree.fromstring(engraving._stack([one, one]))
    first, second = root.findall(f"{SVG}svg")
    height = float(first.get("height"))
    assert (float(first.get("y")), float(second.get("y"))) == (0, height)
    assert float(root.get("height")) == 2 * height
    assert root.get("viewBox") == f"0 0 {first.get('width')} {root.get('height')}"


@pytest.mark.parametrize(
    "original", [melody([]), melody([0, 1]), score([[]] * 2), score([[14, 129]])]
)
def test_extremes_are_engraved(tmp_path, original):
    pytest.importorskip("verovio")
    path = works.save(original, tmp_path / "work.svg")
    assert ElementTree.parse(path).getroot().tag == f"{SVG}svg"


def test_without_verovio_it_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "verovio", None)
    with pytest.raises(ImportError, match=r"engraving needs verovio: pip install 'creative_rl"):
        works.save(melody([14]), tmp_path / "melody.svg")
    assert list(tmp_path.iterdir()) == []
