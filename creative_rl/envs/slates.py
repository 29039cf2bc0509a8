"""From what an environment recorded of a session to the work that it is."""

import jax.numpy as jnp

from creative_rl.stores.session import Session
from creative_rl.typing import Array
from creative_rl.works.slate import Slate


def slate_of(
    session: Session, length: Array, *, names: tuple[str, ...], unit: str, trait: str
) -> Slate:
    """The slates so far, of items that are no music.

    Args:
      session: what was recorded.
      length: int32, steps so far.
      names: of the items by their numbers; empty for none.
      unit: of the amounts.
      trait: what the number about a chosen item tells.
    """
    return Slate(
        items=session.slates[:, :-1],
        choices=session.slates[:, -1],
        amounts=session.marks[:, 0],
        traits=session.marks[:, 1],
        music=jnp.zeros((session.slates.shape[0], 0), jnp.int32),
        length=length,
        names=names,
        unit=unit,
        trait=trait,
    )
