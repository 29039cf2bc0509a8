"""Sculptures: closed surfaces in GLB and STL, read back here by hand; pictures; what is refused."""

import io
import json
import re
import struct
import sys

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from creative_rl import works
from creative_rl.experiment.report import write_report
from creative_rl.works import Sculpture
from creative_rl.works.sculpture_mesh import mesh
from creative_rl.works.sculpture_picture import NUM_FRAMES


def sculpture(voxels, **fields):
    return Sculpture(np.asarray(voxels, np.uint8), np.int32(1), **fields)


def grid(*full, size=(3, 3, 3)):
    """A grid with these voxels of material 1."""
    voxels = np.zeros(size, np.uint8)
    voxels[tuple(np.array(full).T)] = 1
    return voxels


TABLE = np.zeros((4, 4, 3), np.uint8)
TABLE[:, :, 2] = 2
TABLE[::3, ::3, :2] = 1
TOUCHING = grid((0, 0, 0), (1, 1, 0), (0, 0, 1), (2, 2, 1))
"""Two columns along one edge, and a corner at a corner."""
RING = np.ones((2, 2, 3), np.uint8)
"""Two columns that touch along an edge between two L-shaped floors."""
RING[0, 1, :] = RING[1, 0, 1] = 0


@st.composite
def sculptures(draw):
    size = draw(st.tuples(*[st.integers(1, 4)] * 3))
    levels = draw(st.lists(st.integers(0, 3), min_size=int(np.prod(size)), max_size=64))
    voxels = np.array(levels[: int(np.prod(size))], np.uint8).reshape(size)
    return sculpture(voxels, target=voxels[::-1] if draw(st.booleans()) else None)


def assert_same(left, right):
    assert left.colours == right.colours
    for name in ("voxels", "length", "target"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert left.voxels.dtype == right.voxels.dtype and left.length.dtype == right.length.dtype


def volume(corners):
    """What triangles float[M, 3, 3] enclose, by the divergence theorem."""
    return np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6


def assert_closed(triangles):
    """Every edge is passed once in each direction: by two triangles, on either side."""
    ends = np.concatenate([triangles[:, [k, (k + 1) % 3]] for k in range(3)])
    edges, counts = np.unique(ends, axis=0, return_counts=True)
    assert (counts == 1).all()
    assert {*map(tuple, edges.tolist())} == {*map(tuple, edges[:, ::-1].tolist())}


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(sculptures())
def test_the_mesh_is_closed_and_encloses_the_voxels(work):
    made = mesh(work.voxels)
    assert_closed(made.triangles)
    assert volume(made.vertices[made.triangles]) == pytest.approx((work.voxels > 0).sum())
    # And every material has the area of its voxels' outer faces.
    corners = made.vertices[made.triangles]
    sides = corners[:, 1:] - corners[:, :1]
    areas = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2
    solid = np.pad(work.voxels > 0, 1)
    outer = sum((~np.roll(solid, step, axis)).astype(int) for step in (1, -1) for axis in range(3))
    for material in range(1, 4):
        expected = outer[1:-1, 1:-1, 1:-1][work.voxels == material].sum()
        assert areas[made.materials == material].sum() == pytest.approx(expected)


def test_a_cube_and_its_corners():
    made = mesh(np.ones((1, 1, 1), np.uint8))
    assert len(made.vertices) == 8 and len(made.triangles) == 12
    made = mesh(np.ones((5, 5, 5), np.uint8))  # nothing inside: 6 * 25 squares, merged corners
    assert len(made.triangles) == 300 and len(made.vertices) == 152


def test_what_touches_along_an_edge_is_parted():
    made = mesh(TOUCHING)
    assert_closed(made.triangles)
    # The columns have their own copies of the edge's two corners, and of the upper one's.
    places = {tuple(place) for place in made.vertices.tolist()}
    assert len(made.vertices) == 12 + 8 + 8 and len(places) == len(made.vertices) - 2 - 1


def test_what_is_joined_around_both_ends_of_an_edge_has_middles():
    made = mesh(RING)
    assert_closed(made.triangles)
    halves = made.vertices[(made.vertices % 1 == 0.5).sum(axis=1) == 1]
    assert len(halves) == 2 and (halves[0] == halves[1]).all()
    assert volume(made.vertices[made.triangles]) == pytest.approx((RING > 0).sum())


def read_stl(data):
    """Normals float32[M, 3] and corners float32[M, 3, 3] of a binary STL file."""
    (num,) = struct.unpack_from("<I", data, 80)
    assert len(data) == 84 + 50 * num and not data.startswith(b"solid")
    rows = np.frombuffer(data[84:], np.uint8).reshape(num, 50)
    numbers = rows[:, :48].copy().view("<f4").reshape(num, 4, 3)
    assert not rows[:, 48:].any()
    return numbers[:, 0], numbers[:, 1:]


def read_glb(data):
    """The document, vertices, and triangles by material, of a GLB file."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data)) and length % 4 == 0
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and size % 4 == 0
    document = json.loads(data[20 : 20 + size])
    if length == 20 + size:
        return document, None, {}
    num_bytes, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0" and num_bytes == document["buffers"][0]["byteLength"]
    binary = data[28 + size :]

    def array(number):
        accessor = document["accessors"][number]
        view = document["bufferViews"][accessor["bufferView"]]
        block = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        types = {5126: "<f4", 5125: "<u4"}
        values = np.frombuffer(block, types[accessor["componentType"]])
        width = {"VEC3": 3, "SCALAR": 1}[accessor["type"]]
        assert values.size == accessor["count"] * width
        return values.reshape(-1, 3)

    (made,) = document["meshes"]
    parts = made["primitives"]
    assert {part["attributes"]["POSITION"] for part in parts} == {0}
    return document, array(0), {part["material"]: array(part["indices"]) for part in parts}


def test_stl_is_closed_and_z_is_up(tmp_path):
    data = works.save(sculpture(TABLE), tmp_path / "table.stl").read_bytes()
    normals, corners = read_stl(data)
    assert volume(corners) == pytest.approx((TABLE > 0).sum())
    sides = corners[:, 1:] - corners[:, :1]
    np.testing.assert_allclose(np.cross(sides[:, 0], sides[:, 1]), normals, atol=1e-6)
    assert corners.reshape(-1, 3).min(0).tolist() == [-2, -2, 0]
    assert corners.reshape(-1, 3).max(0).tolist() == [2, 2, 3]
    places = {place: n for n, place in enumerate({*map(tuple, corners.reshape(-1, 3).tolist())})}
    numbers = np.array([places[tuple(p)] for p in corners.reshape(-1, 3).tolist()]).reshape(-1, 3)
    assert_closed(numbers)  # by places alone, as printers' programs read it


def test_glb_is_closed_with_y_up_and_a_material_a_colour(tmp_path):
    work = sculpture(TABLE, colours=((255, 0, 0), (0, 188, 255)))
    document, vertices, parts = read_glb(works.save(work, tmp_path / "table.glb").read_bytes())
    assert document["asset"]["version"] == "2.0"
    assert_closed(np.concatenate(list(parts.values())))
    accessor = document["accessors"][0]
    assert accessor["min"] == vertices.min(0).tolist() == [-2, 0, -2]
    assert accessor["max"] == vertices.max(0).tolist() == [2, 3, 2]
    whole = vertices[np.concatenate(list(parts.values()))]
    assert volume(whole) == pytest.approx((TABLE > 0).sum())
    colours = [m["pbrMetallicRoughness"]["baseColorFactor"] for m in document["materials"]]
    np.testing.assert_allclose(colours, [[1, 0, 0, 1], [0, 0.502886, 1, 1]], atol=1e-5)
    assert vertices[parts[1]][:, :, 1].min() == 2  # the table's top is of the second


def test_nothing_is_a_file_too(tmp_path):
    nothing = sculpture(np.zeros((2, 2, 2)))
    document, _, parts = read_glb(works.save(nothing, tmp_path / "none.glb").read_bytes())
    assert document["scenes"] == [{}] and not parts
    assert len(read_stl(works.save(nothing, tmp_path / "none.stl").read_bytes())[1]) == 0
    assert works.text(nothing) == "no voxels, in 2 x 2 x 2"
    assert works.save(nothing, tmp_path / "none.png").stat().st_size > 0


@hypothesis.settings(deadline=None, max_examples=30)
@hypothesis.given(sculptures())
def test_json_comes_back_the_same(tmp_path_factory, original):
    path = tmp_path_factory.mktemp("json") / "sculpture.json"
    assert_same(works.load(works.save(original, path)), original)


def test_the_picture_shows_what_is_in_front(tmp_path):
    voxels = np.zeros((3, 3, 3), np.uint8)
    voxels[:, 1] = 1  # a wall, and one before it that hides its front
    voxels[:, 0] = 2
    path = works.save(sculpture(voxels, colours=((255, 0, 0), (0, 0, 255))), tmp_path / "a.png")
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    is_red = (pixels[..., 0] > 100) & (pixels[..., 2] < 50)
    is_blue = (pixels[..., 2] > 100) & (pixels[..., 0] < 50)
    assert is_blue.sum() > 2 * is_red.sum() > 0  # only its top and its side are seen
    assert np.argwhere(is_red)[:, 0].mean() < np.argwhere(is_blue)[:, 0].mean()
    _, counts = np.unique(pixels[is_blue], axis=0, return_counts=True)
    assert (counts > 5000).sum() == 3  # top, front and side


def test_the_turntable_turns_once(tmp_path):
    path = works.save(sculpture(grid((2, 0, 0))), tmp_path / "a.gif")
    centres = []
    with Image.open(path) as image:
        assert image.n_frames == NUM_FRAMES and image.info["loop"] == 0
        for number in range(NUM_FRAMES):
            image.seek(number)
            pixels = np.asarray(image.convert("RGB")).astype(int)
            centres.append(np.argwhere(pixels[..., 0] - pixels[..., 2] > 60).mean(axis=0))
    down, right = np.array(centres).T
    assert len({round(x) for x in right}) > 12
    # Half a turn later it is on the other side, and what was in front is at the back.
    middle = (right + np.roll(right, NUM_FRAMES // 2)) / 2
    np.testing.assert_allclose(middle, 160, atol=4)
    assert abs(np.argmax(down) - np.argmin(down)) == NUM_FRAMES // 2


def test_it_shows_itself_and_a_batch_its_first_eight(monkeypatch):
    work = sculpture(grid((0, 0, 0)), target=grid((1, 0, 0)))
    assert re.findall(r"data:(image/\w+)", work._repr_html_()) == ["image/gif", "image/png"]
    monkeypatch.setitem(sys.modules, "PIL", None)
    batch = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (5, 2, *leaf.shape)), work)
    page = batch._repr_html_()
    assert page.count("<pre>1 voxel of 1 material, in 3 x 3 x 3</pre>") == 8 and "2 more" in page
    assert work.replace(length=np.int32(-1))._repr_html_().startswith("<pre>Sculpture(")


def test_the_report_shows_it_turning(tmp_path):
    (tmp_path / "works").mkdir()
    (tmp_path / "config.json").write_text("{}")
    work = sculpture(grid((0, 0, 0)))
    files = {suffix[1:]: f"one{suffix}" for suffix in works.suffixes(work)}
    assert list(files) == ["png", "gif", "glb", "stl", "json"]
    for name in files.values():
        works.save(work, tmp_path / "works" / name)
    entry = {"title": "best", "group": "best", "work": "Sculpture", "files": files, "scores": {}}
    (tmp_path / "works" / "index.json").write_text(json.dumps([entry]))
    page = write_report(tmp_path).read_text()
    assert re.search(r'<div class="pictures sculpture">\s*<div><img src="data:image/gif', page)
    for name in ("one.png", "one.glb", "one.stl", "one.json"):
        assert f'download="{name}"' in page
    assert "data:model/gltf-binary;base64," in page
    assert io.BytesIO((tmp_path / "works/one.glb").read_bytes()).read(4) == b"glTF"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"voxels": np.zeros((2, 2, 2, 2), np.uint8)}, r"a batch .* works\.unbatch first"),
        ({"length": np.zeros(2, np.int32)}, r"a batch .* works\.unbatch first"),
        ({"length": np.int32(-1)}, "length must be a whole number of steps, got -1"),
        ({"voxels": np.zeros((2, 2, 2), np.int32)}, "voxels must be uint8, got int32"),
        ({"voxels": np.zeros((2, 0, 2), np.uint8)}, r"sides in 1\.\.128, got \[2, 0, 2\]"),
        ({"voxels": np.full((3, 3, 3), 9, np.uint8)}, r"voxels must be in 0\.\.8, .* got 9"),
        ({"target": np.zeros((2, 2, 2), np.uint8)}, r"target must be like voxels, \[3, 3, 3\]"),
        ({"colours": ((1, 2),)}, "colours must be triples"),
        ({"colours": ()}, "colours must be triples"),
        ({"colours": ((1, 2, 256),)}, r"at most 255 triples of 0\.\.255"),
        ({"colours": ((1, 2, 0.5),)}, "colours must be triples"),
    ],
)
def test_what_is_no_sculpture_leaves_what_was_there(tmp_path, change, line):
    original = sculpture(grid((0, 0, 0)))
    path = works.save(original, tmp_path / "sculpture.json")
    for suffix in (".json", ".stl", ".glb"):
        with pytest.raises(ValueError, match=line) as caught:
            works.save(original.replace(**change), tmp_path / f"sculpture{suffix}")
        assert "\n" not in str(caught.value)
    assert_same(works.load(path), original)
    assert list(tmp_path.iterdir()) == [path]
