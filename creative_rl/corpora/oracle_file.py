"""SeqGAN's oracle from the file that comes with its code: a pickle of arrays, and no more."""

import io
import os
import pathlib
import pickle
from typing import Any

import jax.numpy as jnp
import numpy as np

from creative_rl.ops.token_lstm import TokenLSTM

_NUM_ARRAYS = 15


def _encode(text: str, encoding: str) -> bytes:
    """How old protocols write bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"its bytes are in {encoding!r}, where latin1 is expected")
    return text.encode("latin1")


# What NumPy itself calls to make an array again, wherever its versions keep that function.
_RECONSTRUCT = np.zeros(0).__reduce__()[0]
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
}


class _Arrays(pickle.Unpickler):
    """Makes arrays and lists; anything else in a pickle is refused, and nothing of it is run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, where only arrays may be")
        return _ALLOWED[module, name]


def read_oracle(path: str | os.PathLike) -> TokenLSTM:
    """The weights in a file such as SeqGAN's `save/target_params.pkl`, of Python 2 or 3.

    Fifteen arrays: embeddings [V, E]; weights from the embedding [E, H], from the memory [H, H] and
    biases [H] of the gates input, forget, output and candidate; head [H, V] and its bias [V].

    Raises:
      ValueError: it is no such file; the line names file and reason. Only arrays are made of it.
      FileNotFoundError: there is no such file.
    """
    try:
        arrays = _Arrays(io.BytesIO(pathlib.Path(path).read_bytes()), encoding="latin1").load()
        return _as_oracle(arrays)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} is no pickle of SeqGAN's oracle: {reason}") from error


def _as_oracle(arrays: Any) -> TokenLSTM:
    is_list = isinstance(arrays, list) and all(isinstance(one, np.ndarray) for one in arrays)
    if not is_list or len(arrays) != _NUM_ARRAYS:
        found = f"{len(arrays)} things" if isinstance(arrays, list) else type(arrays).__name__
        raise ValueError(f"it must be a list of {_NUM_ARRAYS} arrays, got {found}")
    embedding, *gates, head, head_bias = arrays
    if embedding.ndim != 2 or head.ndim != 2:
        raise ValueError("the first array and the last but one must be matrices")
    (num_tokens, embedding_size), memory_size = embedding.shape, head.shape[0]
    shapes = [
        (num_tokens, embedding_size),
        *4 * [(embedding_size, memory_size), (memory_size, memory_size), (memory_size,)],
        (memory_size, num_tokens),
        (num_tokens,),
    ]
    for number, (array, shape) in enumerate(zip(arrays, shapes, strict=True), start=1):
        is_fine = array.dtype.kind == "f" and array.shape == shape and np.isfinite(array).all()
        if not is_fine:
            raise ValueError(
                f"array {number} must be finite numbers {list(shape)}, got "
                f"{array.dtype}{list(array.shape)}"
            )
    inputs, recurrent, bias = (np.concatenate(gates[i::3], axis=-1) for i in range(3))
    weights = (embedding, inputs, recurrent, bias, head, head_bias)
    return TokenLSTM(*(jnp.asarray(array, jnp.float32) for array in weights))
