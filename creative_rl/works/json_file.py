"""Works as JSON: every field, to the last bit, and readable by eye."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from creative_rl.typing import PyTree

_NUMERIC = "biuf"  # kinds of arrays that JSON numbers hold exactly


def encode_json(work: PyTree) -> bytes:
    """A work whose fields are numpy arrays or plain values, as the bytes of a JSON file.

    Arrays are nested lists; their types and shapes stand under `arrays`.
    """
    fields = {field.name: getattr(work, field.name) for field in dataclasses.fields(work)}
    arrays = {
        name: {"dtype": value.dtype.name, "shape": list(value.shape)}
        for name, value in fields.items()
        if isinstance(value, np.ndarray)
    }
    for name in arrays:
        fields[name] = fields[name].tolist()
    document = {"work": type(work).__name__, **fields, "arrays": arrays}
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in document.items())
    return ("{\n  " + ",\n  ".join(lines) + "\n}\n").encode()


def read_json(path: str | os.PathLike, types: Mapping[str, type]) -> PyTree:
    """The work in a file that `encode_json` wrote, with numpy leaves.

    Args:
      path: the file.
      types: the classes of works that it may hold, by name.

    Raises:
      ValueError: the file is not such a work; the line names file and reason.
      FileNotFoundError: there is no such file.
    """
    try:
        return decode_json(pathlib.Path(path).read_bytes(), types)
    except ValueError as error:
        raise ValueError(f"{path} is not a work in JSON: {error}") from error


def decode_json(data: bytes, types: Mapping[str, type]) -> PyTree:
    """As `read_json`, from the bytes of a file."""
    try:
        document = json.loads(data)
        if not isinstance(document, dict) or document.get("work") not in types:
            raise ValueError(f'"work" must be one of {", ".join(types)}')
        work_type = types[document.pop("work")]
        arrays = document.pop("arrays")
        names = sorted(field.name for field in dataclasses.fields(work_type))
        if sorted(document) != names:
            raise ValueError(f"its fields must be {names}, got {sorted(document)}")
        for name, form in arrays.items():
            document[name] = _array(name, document[name], form)
        return work_type(**document)
    except KeyError as error:
        raise ValueError(f"{error} is missing") from error
    except (TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _array(name: str, values: Any, form: Mapping[str, Any]) -> np.ndarray:
    dtype = np.dtype(form["dtype"])
    if dtype.kind not in _NUMERIC:
        raise ValueError(f"{name}: arrays hold numbers, got {dtype}")
    array = np.array(values, dtype).reshape(form["shape"])
    plain = np.array(values).reshape(form["shape"])
    if not np.array_equal(array, plain, equal_nan=dtype.kind == "f" and plain.dtype.kind == "f"):
        raise ValueError(f"{name}: its values are no {dtype}")
    return array
