"""Sculptures as files of closed surfaces: GLB for scenes and the web, STL for printers."""

import json
import struct
from typing import Any

import numpy as np

from creative_rl.works.sculpture import Sculpture, on_host
from creative_rl.works.sculpture_mesh import Mesh, mesh

_TO_GLTF = np.array(((1, 0, 0), (0, 0, 1), (0, -1, 0)), np.float32)
"""From z up to y up, as glTF wants it: (x, y, z) becomes (x, z, -y)."""
_FLOAT, _UNSIGNED = 5126, 5125  # glTF's numbers for types
_VERTICES, _INDICES = 34962, 34963  # and for what a buffer holds


def surface(sculpture: Sculpture) -> Mesh:
    """One sculpture's closed surface, a voxel 1 long, about the middle of the grid's ground.

    Raises:
      ValueError: it is a batch, or a field is out of range.
    """
    voxels = np.asarray(on_host(sculpture).voxels)
    made = mesh(voxels)
    middle = np.array((voxels.shape[0] / 2, voxels.shape[1] / 2, 0), np.float32)
    return made._replace(vertices=made.vertices - middle)


def encode_stl(sculpture: Sculpture) -> bytes:
    """One sculpture as the bytes of a binary STL file, z up, without its colours.

    STL has no units; printers' programs take a voxel for a millimetre.

    Raises:
      ValueError: as `surface` does.
    """
    made = surface(sculpture)
    corners = made.vertices[made.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    form = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")])
    rows = np.zeros(len(corners), form)
    rows["normal"], rows["corners"] = normals, corners
    header = b"creative_rl: a sculpture of voxels".ljust(80)
    return header + struct.pack("<I", len(rows)) + rows.tobytes()


def encode_glb(sculpture: Sculpture) -> bytes:
    """One sculpture as the bytes of a GLB file (glTF 2.0), y up, a voxel a metre.

    All colours share their vertices; each has its triangles and a material. No normals are
    written: by glTF's rule faces are then flat.

    Raises:
      ValueError: as `surface` does.
    """
    sculpture = on_host(sculpture)
    made = surface(sculpture)
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "creative_rl"},
        "scene": 0,
        "scenes": [{}],
    }
    if not len(made.triangles):
        return _glb(document, b"")
    vertices = np.ascontiguousarray(made.vertices @ _TO_GLTF.T, "<f4")
    used = np.unique(made.materials)
    parts = [made.triangles[made.materials == material].astype("<u4") for material in used]
    blocks = [vertices.tobytes(), *(part.tobytes() for part in parts)]
    starts = np.cumsum([0, *map(len, blocks)]).tolist()
    document |= {
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "sculpture"}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 0}, "indices": 1 + n, "material": n}
                    for n in range(len(used))
                ]
            }
        ],
        "materials": [_material(sculpture.colours[k - 1], int(k)) for k in used.tolist()],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": _FLOAT,
                "count": len(vertices),
                "type": "VEC3",
                "min": vertices.min(axis=0).tolist(),
                "max": vertices.max(axis=0).tolist(),
            },
            *(
                {
                    "bufferView": 1 + n,
                    "componentType": _UNSIGNED,
                    "count": part.size,
                    "type": "SCALAR",
                }
                for n, part in enumerate(parts)
            ),
        ],
        "bufferViews": [
            {
                "buffer": 0,
                "byteOffset": start,
                "byteLength": len(block),
                "target": _INDICES if n else _VERTICES,
            }
            for n, (start, block) in enumerate(zip(starts, blocks, strict=False))
        ],
        "buffers": [{"byteLength": starts[-1]}],
    }
    return _glb(document, b"".join(blocks))


def _material(colour: tuple[int, int, int], number: int) -> dict[str, Any]:
    """glTF's colours are linear, ours in sRGB."""
    levels = np.array(colour) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return {
        "name": f"material {number}",
        "pbrMetallicRoughness": {
            "baseColorFactor": [*np.round(linear, 6).tolist(), 1.0],
            "metallicFactor": 0.0,
            "roughnessFactor": 0.9,
        },
    }


def _glb(document: dict[str, Any], data: bytes) -> bytes:
    """The container: a header, the document padded with spaces, and the data where there is any."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if data:
        data += bytes(-len(data) % 4)
        chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
