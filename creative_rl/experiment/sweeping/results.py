"""What came of a trial: `trials/<id>/result.json` in a sweep's folder. Imports no JAX."""

import json
import os
import pathlib
from typing import Any

RESULT = "result.json"


def read_result(out: str | os.PathLike, id: str) -> dict[str, Any] | None:
    """What came of a trial; None where it has not ended.

    Args:
      out: folder of the sweep.
      id: of the trial.

    Raises:
      ValueError: the file is damaged; the message names it.
    """
    path = pathlib.Path(out, "trials", id, RESULT)
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict) or not {"status", "history"} <= found.keys():
            raise ValueError("it must hold an object with status and history")
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"cannot read {path} ({error}); remove it") from error
    return found
