"""Named reward terms for directed scenes.

The terms read a transition whose states carry `step` (steps that are over), `track` (the frames of
the last step and three before them: `ops.direction.Track`), `scene`, `shot` (steps since the last
cut, that of the cut among them), `is_cut` (whether the last step began with one), `story` and
`rhythm` (which of the params'), and whose params carry `stories` (of `corpora.stories`), `rhythms`
(float32[C, H]) and the limits `most_jerk`, `most_move`, `most_growth` and `least_shot`.
"""

import math

import jax.numpy as jnp

from creative_rl.ops import staging
from creative_rl.ops.direction import BEFORE, LONG, RADII
from creative_rl.typing import Array, Term, Transition

_REACH = 0.5  # how far from its place a beat pays nothing


def _told(seen: Transition) -> Array:
    """float32[M]: of every beat that is due 1 with its sprite in its place, falling to 0 half a
    picture away; 0 in another scene, and of all other beats."""
    after, stories = seen.next_state, seen.params.stories
    beats = [leaf[after.story] for leaf in stories]
    when, who, scene, x, y = beats
    is_due = (when == after.step) & (scene == after.scene)
    away = jnp.hypot(after.track.x[-1, who] - x, after.track.y[-1, who] - y)
    return jnp.where(is_due, jnp.clip(1.0 - away / _REACH, 0.0, 1.0), 0.0)


def _story(seen: Transition) -> Array:
    """0..1: how well the beat of this step is told; 0 in steps without one."""
    return _told(seen).sum()


def _rhythm(seen: Transition) -> Array:
    """1 where the sprites move as much as is wanted, -1 for the opposite.

    Their mean way over the step, as a share of the longest, against the curve; at a cut the way
    begins after it.
    """
    after = seen.next_state
    start = jnp.where(after.is_cut, BEFORE, BEFORE - 1)
    frames = jnp.arange(after.track.x.shape[0], dtype=jnp.int32)
    first = jnp.maximum(frames, start)  # what is before counts as standing still
    way = staging.path_length(after.track.x[first], after.track.y[first]).mean()
    wanted = seen.params.rhythms[after.rhythm, seen.state.step]
    return 1.0 - 2.0 * jnp.abs(jnp.minimum(way / LONG, 1.0) - wanted)


def _smoothness(seen: Transition) -> Array:
    """-1..0: minus the jerk of the sprites on the screen over the most, their mean."""
    after = seen.next_state
    size = after.track.x.shape[0] - BEFORE
    counts = ~after.is_cut | (jnp.arange(size, dtype=jnp.int32) >= BEFORE)
    jerk = staging.jerk(after.track.screen_x, after.track.screen_y, counts)
    return -jnp.minimum(jerk / seen.params.most_jerk, 1.0).mean()


def _identity(seen: Transition) -> Array:
    """-1..0: minus the share of sprites that jumped or changed their size at once, but at cuts."""
    after, params = seen.next_state, seen.params
    x, y, radius = (
        leaf[BEFORE - 1 :] for leaf in (after.track.x, after.track.y, after.track.radius)
    )
    counts = ~after.is_cut | (jnp.arange(x.shape[0] - 1, dtype=jnp.int32) > 0)
    fault = staging.identity_fault(x, y, radius, params.most_move, params.most_growth, counts)
    return -fault.mean()


def _cutting(seen: Transition) -> Array:
    """-1 for a cut from a shot that is too short, or to the scene that it was in already."""
    before, after = seen.state, seen.next_state
    is_early = before.shot < seen.params.least_shot
    is_bad = after.is_cut & (is_early | (before.scene == after.scene))
    return -is_bad.astype(jnp.float32)


def _composition(seen: Transition) -> Array:
    """0..1: how well a beat is told, times how near its sprite is to a point of the thirds in the
    last frame. Of pictures that tell nothing none is paid, so standing still in a good one is not.
    """
    after = seen.next_state
    who = seen.params.stories.who[after.story]
    near = staging.thirds(after.track.screen_x[-1, who], after.track.screen_y[-1, who])
    return (_told(seen) * near).sum()


def _size(seen: Transition) -> Array:
    """-1..0: minus how far the sprites' sizes are from those at first, as logarithms, over the most
    that they can grow, their mean: who has grown pays until the size is the old one again."""
    radius = seen.next_state.track.radius[-1]
    return -jnp.abs(jnp.log(radius / RADII[1])).mean() / math.log(RADII[2] / RADII[1])


def _framing(seen: Transition) -> Array:
    """-1..0: minus the share of the sprites that is out of the picture, over the step's frames."""
    track = seen.next_state.track
    radius = track.radius * track.zoom[:, None]
    away = staging.outside(
        track.screen_x, track.screen_y, radius * track.half_x, radius * track.half_y
    )
    return -away[BEFORE:].mean()


STORY = Term("story", _story, 2.0, source="a rule of ours: the beats of params.stories")
RHYTHM = Term("rhythm", _rhythm, 0.5, source="a rule of ours: the curves of corpora.stories")
SMOOTHNESS = Term(
    "smoothness", _smoothness, 0.5, source="Flash and Hogan, J. Neuroscience 5 (1985): jerk"
)
IDENTITY = Term("identity", _identity, source="a rule of ours: ops.staging.identity_fault")
CUTTING = Term(
    "cutting",
    _cutting,
    source="Dmytryk, On Film Editing (1984): no cut without a reason; jump cuts, Bordwell and "
    "Thompson, Film Art (1979); a rule made from them",
)
COMPOSITION = Term(
    "composition", _composition, source="rule of thirds (Smith 1797): ops.staging.thirds"
)
SIZE = Term("size", _size, 0.5, source="a rule of ours: who is the same stays as large")
FRAMING = Term("framing", _framing, source="a rule of ours: what is out of the picture is not seen")

DIRECTION = (STORY, RHYTHM, SMOOTHNESS, IDENTITY, CUTTING, COMPOSITION, SIZE, FRAMING)
