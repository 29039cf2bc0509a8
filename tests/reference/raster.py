"""A stroke's true coverage, slowly: every pixel by its 8 x 8 subpixels, the curve by 200 points."""

import numpy as np

SUBPIXELS = 8
CURVE_POINTS = 200


def coverage(stroke, height, width):
    """Alpha of a stroke on every pixel, float64[height, width].

    A subpixel is covered if it lies in the disc around one of the curve's points; its opacity is
    that of the disc for which `distance**2 - radius**2` is least.
    """
    x0, y0, x1, y1, x2, y2, r0, r2, w0, w2 = np.asarray(stroke, np.float64)[:10]
    t = np.linspace(0.0, 1.0, CURVE_POINTS)
    x = ((1 - t) ** 2 * x0 + 2 * t * (1 - t) * x1 + t**2 * x2) * width
    y = ((1 - t) ** 2 * y0 + 2 * t * (1 - t) * y1 + t**2 * y2) * height
    radius = (r0 + t * (r2 - r0)) * max(height, width)
    opacity = w0 + t * (w2 - w0)

    columns = (np.arange(width * SUBPIXELS) + 0.5) / SUBPIXELS
    alpha = np.zeros((height, width))
    for row in range(height):
        rows = row + (np.arange(SUBPIXELS) + 0.5) / SUBPIXELS
        power = (columns[None, :, None] - x) ** 2 + (rows[:, None, None] - y) ** 2 - radius**2
        deepest = power.argmin(-1)
        inside = power.min(-1) < 0
        values = np.where(inside, opacity[deepest], 0.0)
        alpha[row] = values.reshape(SUBPIXELS, width, SUBPIXELS).mean((0, 2))
    return alpha


def paint(canvas, stroke):
    """uint8[H, W, C] after a stroke."""
    height, width, _ = canvas.shape
    alpha = coverage(stroke, height, width)[..., None]
    colour = 255.0 * np.asarray(stroke, np.float64)[10:]
    return np.round(canvas * (1 - alpha) + colour * alpha).astype(np.uint8)
