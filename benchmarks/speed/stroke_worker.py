"""Strokes in one process: ours on canvases of several numbers, the peers one by one, and a copy."""

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.speed import worker
from benchmarks.speed.settings import ARRAY, COPY, LONG, PILLOW, SHORT, SURFACE
from creative_rl.ops import raster
from creative_rl.typing import Array

SIZE = 64
WINDOW = 16
BANK = 16
"""Steps of strokes that are kept and drawn over and over."""
REACH = {SHORT: 8.0, LONG: SIZE}
"""Greatest distance between a stroke's ends along x or y, in pixels."""
RADII = {SHORT: (0.5, 2.0), LONG: (0.5, 3.0)}
"""In pixels. The longest and widest short stroke takes 14 of the window's 16 pixels."""
COPY_BYTES = 1 << 28


def strokes(task: str, num: int, seed: int = 0) -> np.ndarray:
    """Random grey strokes of one width and opacity each, float32[num, 11].

    The start is anywhere, the end within reach, the control point in the box around both.
    """
    generator = np.random.default_rng(seed)
    start = generator.random((num, 2))
    end = np.clip(start + REACH[task] / SIZE * generator.uniform(-1, 1, (num, 2)), 0, 1)
    control = start + (end - start) * generator.random((num, 2))
    radius = generator.uniform(*RADII[task], (num, 1)) / SIZE
    opacity, colour = generator.uniform(0.3, 1.0, (num, 1)), generator.random((num, 1))
    numbers = [start, control, end, radius, radius, opacity, opacity, colour]
    return np.concatenate(numbers, 1).astype(np.float32)


def painter(task: str) -> Callable[[Array, Array], Array]:
    return functools.partial(raster.paint, window=WINDOW if task == SHORT else None)


def compiled(task: str, num: int) -> tuple[dict[str, float], Any]:
    """Seconds of tracing and of compiling, and a function of canvases uint8[num, 64, 64, 1], which
    are donated, strokes float32[BANK, num, 11] and a number of rounds, for the canvases after all
    strokes of every round.
    """
    paint = jax.vmap(painter(task))

    def roll(canvases: Array, bank: Array, num_rounds: Array) -> Array:
        def step(canvases: Array, now: Array) -> tuple[Array, None]:
            return paint(canvases, now), None

        def one_round(_: Array, canvases: Array) -> Array:
            return jax.lax.scan(step, canvases, bank)[0]

        return jax.lax.fori_loop(0, num_rounds, one_round, canvases)

    shapes = (
        jax.ShapeDtypeStruct((num, SIZE, SIZE, 1), jnp.uint8),
        jax.ShapeDtypeStruct((BANK, num, 11), jnp.float32),
        jax.ShapeDtypeStruct((), jnp.int32),
    )
    run, seconds = worker.built(jax.jit(roll, donate_argnums=0), *shapes)
    return seconds, run


def compiled_unit(task: str, run: Any, num: int, seconds: float) -> worker.Unit:
    """Rounds of about `seconds`, each on the canvases that the last one left."""
    bank = jnp.asarray(strokes(task, BANK * num).reshape(BANK, num, 11))
    canvases = jnp.zeros((num, SIZE, SIZE, 1), jnp.uint8)

    def draw(num_rounds: int) -> None:
        nonlocal canvases
        canvases = jax.block_until_ready(run(canvases, bank, jnp.int32(num_rounds)))

    draw(1)
    num_rounds = worker.calibrated(draw, seconds)

    def unit(number: int) -> Mapping[str, Any]:
        draw(num_rounds)
        return {"steps": num_rounds * BANK * num}

    return unit


def skia_pen(pixels: np.ndarray | None = None) -> tuple[Any, Callable[[list[float]], None]]:
    """A grey surface (of its own pixels, or the given ones) and what draws a stroke on it."""
    import skia

    info = skia.ImageInfo.Make(SIZE, SIZE, skia.kGray_8_ColorType, skia.kOpaque_AlphaType)
    if pixels is None:
        surface = skia.Surface.MakeRaster(info)
    else:
        surface = skia.Surface.MakeRasterDirect(info, pixels)
    canvas = surface.getCanvas()
    pen = skia.Paint(
        AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeCap=skia.Paint.kRound_Cap
    )

    def draw(stroke: list[float]) -> None:
        x0, y0, x1, y1, x2, y2, radius, _, opacity, _, colour = stroke
        path = skia.Path()
        path.moveTo(x0 * SIZE, y0 * SIZE)
        path.quadTo(x1 * SIZE, y1 * SIZE, x2 * SIZE, y2 * SIZE)
        level = round(255 * colour)
        pen.setStrokeWidth(2 * SIZE * radius)
        pen.setColor(skia.Color(level, level, level, round(255 * opacity)))
        canvas.drawPath(path, pen)

    return surface, draw


def skia_surface() -> Callable[[list[float]], np.ndarray]:
    """Draws into a surface, which is read as an array after every stroke."""
    surface, draw = skia_pen()

    def step(stroke: list[float]) -> np.ndarray:
        draw(stroke)
        return surface.toarray()

    return step


def skia_array() -> Callable[[list[float]], np.ndarray]:
    """Draws straight into a NumPy array, of which every observation is a copy."""
    pixels = np.zeros((SIZE, SIZE), np.uint8)
    surface, draw = skia_pen(pixels)

    def step(stroke: list[float], surface: Any = surface) -> np.ndarray:
        draw(stroke)
        return pixels.copy()

    return step


def pillow() -> Callable[[list[float]], np.ndarray]:
    """A line of one pixel, without anti-aliasing, width or opacity, and the image as an array."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (SIZE, SIZE))
    pen = ImageDraw.Draw(image)

    def step(stroke: list[float]) -> np.ndarray:
        ends = [SIZE * stroke[k] for k in (0, 1, 4, 5)]
        pen.line(ends, fill=round(255 * stroke[10]))
        return np.asarray(image)

    return step


PEERS = {SURFACE: skia_surface, ARRAY: skia_array, PILLOW: pillow}


def peer_unit(name: str, task: str, seconds: float) -> worker.Unit:
    """Strokes one by one in a loop of Python, which gets them as numbers of Python."""
    step = PEERS[name]()
    bank = strokes(task, 1024).tolist()

    def draw(num_rounds: int) -> None:
        for _ in range(num_rounds):
            for stroke in bank:
                step(stroke)

    num_rounds = worker.calibrated(draw, seconds)

    def unit(number: int) -> Mapping[str, Any]:
        draw(num_rounds)
        return {"steps": num_rounds * len(bank)}

    return unit


def copy_unit() -> worker.Unit:
    """A large array is copied; its steps are bytes read and written."""
    source = np.ones(COPY_BYTES, np.uint8)
    target = np.empty_like(source)

    def unit(number: int) -> Mapping[str, Any]:
        np.copyto(target, source)
        return {"steps": 2 * COPY_BYTES}

    unit(0)
    return unit


def difference(task: str, num_strokes: int = 8, num: int = 64) -> float:
    """Mean difference, in levels of 255, of our pictures and skia's after the same strokes."""
    bank = strokes(task, num * num_strokes, seed=1).reshape(num_strokes, num, 11)
    canvases = jnp.zeros((num, SIZE, SIZE, 1), jnp.uint8)
    paint = jax.jit(jax.vmap(painter(task)))
    for now in jnp.asarray(bank):
        canvases = paint(canvases, now)
    theirs = []
    for column in range(num):
        step = skia_array()
        theirs.append([step(stroke) for stroke in bank[:, column].tolist()][-1])
    return float(np.abs(np.asarray(canvases[..., 0], int) - np.asarray(theirs, int)).mean())


def main(task: str, seconds: str, *widths: str) -> None:
    worker.own_the_output()
    units, builds = {}, {}
    for width in widths:
        builds[width], run = compiled(task, int(width))
        units[width] = compiled_unit(task, run, int(width), float(seconds))
    peak = worker.peak_mib()
    for name in PEERS:
        units[name] = peer_unit(name, task, float(seconds))
    units[COPY] = copy_unit()
    versions = worker.versions("skia-python", "pillow")
    about = {"builds": builds, "peak_mib": peak, "difference": difference(task)}
    worker.serve({**about, "device": worker.device(), "versions": versions}, units)


if __name__ == "__main__":
    main(*sys.argv[1:])
