"""Frames of sprites, slowly: every pixel by its 8 x 8 subpixels, which lie in polygons or not."""

import math

import numpy as np

SUBPIXELS = 8
HORIZON, HILLS = 0.72, 0.05


def _corners(name):
    """Of a shape in the unit circle, y down; the disc has as many as it needs."""

    def ray(turn, radius=1.0):
        return radius * math.sin(2 * math.pi * turn), -radius * math.cos(2 * math.pi * turn)

    if name == "square":
        return [ray((2 * n + 1) / 8) for n in range(4)]
    if name == "triangle":
        return [ray(n / 3) for n in range(3)]
    if name == "star":
        return [ray(n / 10, 1.0 if n % 2 == 0 else 0.45) for n in range(10)]
    if name == "cross":
        far, near = 0.96, 0.28
        quarter = [(near, -far), (near, -near), (far, -near)]
        turned = quarter[:]
        for _ in range(3):
            quarter = [(-y, x) for x, y in quarter]
            turned += quarter
        return turned
    return [ray(n / 400) for n in range(400)]


def _inside(corners, x, y):
    """Whether points are in a polygon: an odd number of edges to their right."""
    odd = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y0 == y1:
            continue
        crosses = (y0 <= y) != (y1 <= y)
        odd ^= crosses & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return odd


def covers(name, x, y):
    """bool of points about a shape of radius 1 at the origin."""
    if name == "ring":
        return covers("disc", x, y) & ~covers("disc", 2 * x, 2 * y)
    return _inside(_corners(name), x, y)


def frame(sprites, camera, scene, sky, ground, height, width):
    """float64[height, width, 3] in 0..255; sprites are (name, colour, x, y, radius, turn)."""
    steps = (np.arange(SUBPIXELS) + 0.5) / SUBPIXELS
    down = (np.arange(height)[:, None] + steps).reshape(-1, 1)
    right = (np.arange(width)[:, None] + steps).reshape(1, -1)
    camera_x, camera_y, zoom = camera
    x = (right / width - 0.5) / zoom + camera_x
    y = (down / height - 0.5) / zoom + camera_y
    hills = HORIZON + HILLS * np.sin(2 * np.pi * (1.5 * x + 0.37 * scene))
    picture = np.where((y > hills)[..., None], np.array(ground), np.array(sky)).astype(float)
    side = min(height, width)
    for name, colour, place_x, place_y, radius, turn in sprites:
        across, along = (x - place_x) * width / side, (y - place_y) * height / side
        cos, sin = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
        u, v = (cos * across + sin * along) / radius, (cos * along - sin * across) / radius
        picture[covers(name, u, v)] = colour
    shape = (height, SUBPIXELS, width, SUBPIXELS, 3)
    return 255 * picture.reshape(shape).mean(axis=(1, 3))
