"""Frames as the bytes of a moving picture: GIF and MP4."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from creative_rl.works.canvas_picture import as_image
from creative_rl.works.pillow import pillow


def gif(frames: np.ndarray, milliseconds: Sequence[int], num_sampled: int = 5) -> bytes:
    """An animated GIF, which plays over and over; equal frames in a row become one.

    Args:
      frames: uint8[F, H, W, C], grey where C is 1.
      milliseconds: how long each is shown; the format counts in hundredths of a second.
      num_sampled: frames that the palette of 256 colours is made from, and the last once more.

    Raises:
      ImportError: Pillow is not installed.
    """
    images = [as_image(frame) for frame in frames]
    if images[0].mode == "RGB":
        sampled = frames[[*np.linspace(0, len(frames) - 1, num_sampled, dtype=int), -1]]
        images = quantised(images, np.concatenate(sampled[:, ::2, ::2], axis=0))
    return encoded(images, milliseconds)


def quantised(images: Sequence[Any], montage: np.ndarray) -> list[Any]:
    """Pillow's pictures in the 256 colours of a montage of some of them, uint8[H, W, 3]."""
    # Median cuts, then k-means: without that, mean errors are a third larger.
    palette = as_image(montage).quantize(256, method=pillow().Quantize.MEDIANCUT, kmeans=1)
    # One palette for all, and no dither, so that what stays in a picture stays as it is.
    return [image.quantize(palette=palette, dither=0) for image in images]


def encoded(images: Sequence[Any], milliseconds: Sequence[int]) -> bytes:
    """Pillow's pictures as an animated GIF, which plays over and over."""
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=list(milliseconds),
        loop=0,
        optimize=False,
    )
    return buffer.getvalue()


def milliseconds(num_frames: int, rate: int) -> list[int]:
    """How long each frame is shown at `rate` frames a second, in whole hundredths of a second, so
    that all together are right.

    >>> milliseconds(3, 12)
    [80, 90, 80]
    """
    ends = np.rint(np.arange(num_frames + 1) * 100 / rate).astype(int)
    return (10 * np.diff(ends)).tolist()


def mp4(frames: Iterable[np.ndarray], height: int, width: int, rate: int) -> bytes:
    """An MP4 file (H.264).

    Args:
      frames: uint8[height, width, 3] each.
      height: in pixels, even.
      width: in pixels, even.
      rate: frames a second.

    Raises:
      ImportError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError("writing MP4 needs PyAV: pip install 'creative_rl[video]'") from error
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = height, width
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "16", "preset": "veryfast", "tune": "animation"}
        for pixels in frames:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()
