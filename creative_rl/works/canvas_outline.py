"""The outline of a stroke: what a round brush covers along a curve, as the data of an SVG path.

A round brush of radius r(t) that moves along B(t) covers a union of discs. Where the brush does not
turn too sharply for its size, the union's border is the discs' envelope: two curves that touch the
disc at t at the angle arccos(-r' / |B'|) to either side of the direction of travel. There an
outline consists of pieces of cubic curves fitted to the envelope, with arcs as round ends.

In sharp bends (a quadratic curve can fold back on itself) the inner envelope runs backwards, and
filled outlines show holes and horns. There the outline consists of overlapping capsules (convex
hulls of two discs), dense enough to look curved.

All pieces run the same way around, and each covers what it covers with positive winding numbers, so
that the fill rule `nonzero` gives their union, without holes.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_TOLERANCE = 2e-4
"""How far an outline may be off, as a share of the longer side: a twentieth of a pixel in 256."""
_LEAST_SPEED = 0.15
"""How slowly, as a share of the curve's own pace, an envelope may run and still be followed."""
_INSIDE = np.linspace(0.0, 1.0, 9)[1:-1]  # where a fit is checked, in its span
_MOST_HALVINGS = 7
_WIDEST_HALVES = 5.0  # radians: of 6.28 in a circle


class Brush(NamedTuple):
    """A stroke in pixels: the way of a disc of changing radius, in float64."""

    points: np.ndarray
    """[3, 2]: start, control point and end of a quadratic Bezier curve"""
    radii: np.ndarray
    """[2]: at start and end"""

    def place(self, t: np.ndarray) -> np.ndarray:
        """B(t), [N, 2]."""
        start, control, end = self.points
        s = 1.0 - t[:, None]
        return s * s * start + 2.0 * s * t[:, None] * control + t[:, None] ** 2 * end

    def velocity(self, t: np.ndarray) -> np.ndarray:
        """B'(t), [N, 2]."""
        return 2.0 * (self.points[1] - self.points[0]) + self.acceleration() * t[:, None]

    def acceleration(self) -> np.ndarray:
        """B'', [2]: the same all along."""
        start, control, end = self.points
        return 2.0 * (start - 2.0 * control + end)

    def tip(self) -> float:
        """The time at which the curve is slowest and bends most: its parabola's vertex."""
        bend = self.acceleration()
        return float(2.0 * (self.points[0] - self.points[1]) @ bend / max(bend @ bend, 1e-12))

    def radius(self, t: np.ndarray) -> np.ndarray:
        """r(t), [N]."""
        return self.radii[0] + (self.radii[1] - self.radii[0]) * t


class _Span(NamedTuple):
    """A part of a curve, by its parameter."""

    start: float
    end: float
    is_smooth: bool
    """whether cubic curves follow the brush's envelope; otherwise it is so short that a straight
    piece does"""


def outline(brush: Brush, longer_side: float) -> str:
    """What the brush covers, as the `d` attribute of a path to be filled by the rule `nonzero`.

    Args:
      brush: in pixels.
      longer_side: of the canvas, in pixels, which the precision is relative to.
    """
    tolerance = _TOLERANCE * longer_side
    if np.ptp(brush.points, axis=0).max() < tolerance:
        return _disc(brush.points[0], brush.radii.max())
    pieces = []
    spans = _spans(brush, tolerance, 0.0, 1.0, _MOST_HALVINGS)
    for is_smooth, group in itertools.groupby(spans, lambda span: span.is_smooth):
        if is_smooth:
            pieces.append(_ribbon(brush, list(group)))
        else:
            pieces += [_capsule(brush, span) for span in group]
    return "".join(pieces)


# How a curve is divided.


def _spans(brush: Brush, tolerance: float, start: float, end: float, halvings: int) -> list[_Span]:
    """A curve's times from `start` to `end`, halved until every span is good enough."""
    if _can_follow(brush, tolerance, start, end):
        return [_Span(start, end, True)]
    bulge = np.linalg.norm(brush.acceleration()) * (end - start) ** 2 / 8.0
    if bulge < tolerance or halvings == 0:
        return [_Span(start, end, False)]
    middle = (start + end) / 2.0
    return [
        *_spans(brush, tolerance, start, middle, halvings - 1),
        *_spans(brush, tolerance, middle, end, halvings - 1),
    ]


def _can_follow(brush: Brush, tolerance: float, start: float, end: float) -> bool:
    """Whether both envelopes run forwards from `start` to `end` and cubic curves fit them."""
    tip = brush.tip()
    checked = [tip] if start < tip < end else []
    t = np.array([start, *(start + (end - start) * _INSIDE), *checked, end])
    envelope = _envelope(brush, t)
    if envelope is None:
        return False
    share = ((t - start) / (end - start))[:, None]
    for touched, derivative in zip(*envelope, strict=True):
        a, b, c, d = _cubic(touched[[0, -1]], derivative[[0, -1]], end - start)
        rest = 1.0 - share
        fitted = rest**3 * a + 3 * rest**2 * share * b + 3 * rest * share**2 * c + share**3 * d
        if np.abs(fitted - touched).max() > tolerance:
            return False
    return True


def _envelope(brush: Brush, t: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Where the discs at `t` touch their envelope to the right and to the left, and how it moves.

    Returns:
      Points and their derivatives by t, float64[2, N, 2] each, or None where an envelope runs
      backwards or slowly anywhere in `t`.
    """
    velocity, acceleration = brush.velocity(t), brush.acceleration()
    speed = np.linalg.norm(velocity, axis=1)
    growth = brush.radii[1] - brush.radii[0]
    if speed.min() < 1e-9 or abs(growth) > (1.0 - _LEAST_SPEED) * speed.min():
        return None
    place, radius = brush.place(t), brush.radius(t)
    heading = np.arctan2(velocity[:, 1], velocity[:, 0])
    turning = (velocity @ np.array([acceleration[1], -acceleration[0]])) / speed**2
    lean = np.arccos(-growth / speed)  # from the heading to where the disc touches
    leaning = -growth * (velocity @ acceleration) / speed**3 / np.sin(lean)
    touched, derivative = [], []
    for side in (1.0, -1.0):
        angle = heading + side * lean
        pace = speed * np.sin(lean) - side * radius * (turning + side * leaning)
        if (pace < _LEAST_SPEED * speed).any():
            return None
        outward = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        forward = side * np.stack([outward[:, 1], -outward[:, 0]], axis=1)
        touched.append(place + radius[:, None] * outward)
        derivative.append(pace[:, None] * forward)
    return np.stack(touched), np.stack(derivative)


def _cubic(points: np.ndarray, derivatives: np.ndarray, duration: float) -> list[np.ndarray]:
    """Corners of the cubic Bezier curve between two points with these derivatives there."""
    (start, end), (leaving, arriving) = points, derivatives * duration / 3.0
    return [start, start + leaving, end - arriving, end]


# Pieces of paths. All run clockwise, as one sees them.


def _ribbon(brush: Brush, spans: Sequence[_Span]) -> str:
    """Successive spans that can be followed: out on the left, back on the right, round ends."""
    t = np.array([spans[0].start, *(span.end for span in spans)])
    envelope = _envelope(brush, t)
    assert envelope is not None, "the spans were found to be followable"
    (right, left), (right_derivative, left_derivative) = envelope
    place, radius = brush.place(t), brush.radius(t)
    last = len(t) - 1
    path = [f"M{_pair(left[0])}"]
    for k in range(last):
        path.append(
            _curve_to(*_cubic(left[k : k + 2], left_derivative[k : k + 2], t[k + 1] - t[k])[1:])
        )
    path.append(_arc(place[last], radius[last], left[last], right[last]))
    for k in reversed(range(last)):
        corners = _cubic(right[k : k + 2], right_derivative[k : k + 2], t[k + 1] - t[k])
        path.append(_curve_to(*corners[2::-1]))
    path.append(_arc(place[0], radius[0], right[0], left[0]))
    return "".join([*path, "Z"])


def _capsule(brush: Brush, span: _Span) -> str:
    """The convex hull of the discs at a span's ends; a disc where one holds the other."""
    t = np.array([span.start, span.end])
    (a, b), (r_a, r_b) = brush.place(t), brush.radius(t)
    distance = float(np.linalg.norm(b - a))
    if distance <= abs(r_b - r_a) + 1e-9:
        return _disc(a, r_a) if r_a > r_b else _disc(b, r_b)
    heading = math.atan2(b[1] - a[1], b[0] - a[0])
    lean = math.acos((r_a - r_b) / distance)
    right, left = (_unit(heading + lean), _unit(heading - lean))
    path = [
        f"M{_pair(a + r_a * left)}L{_pair(b + r_b * left)}",
        _arc(b, r_b, b + r_b * left, b + r_b * right),
        f"L{_pair(a + r_a * right)}",
        _arc(a, r_a, a + r_a * right, a + r_a * left),
    ]
    return "".join([*path, "Z"])


def _disc(centre: np.ndarray, radius: float) -> str:
    edge = centre - np.array([radius, 0.0])
    return f"M{_pair(edge)}{_arc(centre, radius, edge, edge)}Z"


def _arc(centre: np.ndarray, radius: float, start: np.ndarray, end: np.ndarray) -> str:
    """Clockwise from `start` to `end`, all around where they are one; in halves or thirds.

    Each is less than half a circle, so that the small arc is always meant; and clearly less: the
    centre of half a circle is lost to the rounding of its ends.
    """
    if radius <= 0.0:
        return ""
    first = math.atan2(*(start - centre)[::-1])
    extent = (math.atan2(*(end - centre)[::-1]) - first) % math.tau or math.tau
    num = 2 if extent < _WIDEST_HALVES else 3
    places = [centre + radius * _unit(first + extent * k / num) for k in range(1, num)]
    form = f"A{_number(radius)} {_number(radius)} 0 0 1 "
    return "".join(form + _pair(place) for place in (*places, end))


def _curve_to(*corners: np.ndarray) -> str:
    return f"C{' '.join(map(_pair, corners))}"


def _unit(angle: float) -> np.ndarray:
    return np.array([math.cos(angle), math.sin(angle)])


def _pair(point: np.ndarray) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{round(float(value), 4) + 0.0:g}"
