"""Names to objects: imported when they are asked for, refused in one line with the near ones."""

import dataclasses
import difflib
import importlib
import re
from collections.abc import Callable
from typing import Any

from creative_rl.registry.entries import LearnerEntry
from creative_rl.registry.environments import ENVIRONMENTS
from creative_rl.registry.learners import LEARNERS

_registered: dict[str, Callable[..., Any]] = {}


def make(id: str, **overrides: Any) -> Any:
    """Build the environment `id`, with its constructor's keywords overridden.

    Args:
      id: a registered name, or `"their_package.module:Class"`.
      **overrides: static fields of the environment (sizes, horizons, reward terms).

    Raises:
      ValueError: the id is unknown, or a keyword is not a field or out of range.

    Example:
      >>> make("melody-variety", length=8).horizon
      8
    """
    keywords: dict[str, Any] = {}
    if id in _registered:
        factory = _registered[id]
    elif id in ENVIRONMENTS:
        factory = load(ENVIRONMENTS[id].target)
        keywords.update(ENVIRONMENTS[id].keywords)
    elif ":" in id:
        factory = load(id)
    else:
        raise ValueError(unknown_environment(id))
    keywords.update(overrides)
    if dataclasses.is_dataclass(factory):
        fields = [field.name for field in dataclasses.fields(factory) if field.init]
        for name in keywords:
            if name not in fields:
                raise ValueError(f"{id}: {unknown_name('field', name, fields)}")
    return factory(**keywords)


def register(id: str, factory: Callable[..., Any]) -> None:
    """Add an environment of your own under `id`; an id is never replaced."""
    if not id or ":" in id:
        raise ValueError(f"environment id must be non-empty and without ':', got {id!r}")
    if id in ENVIRONMENTS or id in _registered:
        raise ValueError(f"environment id {id!r} is registered already; choose another")
    _registered[id] = factory


def environment_ids() -> list[str]:
    """All ids that `make` knows."""
    return sorted({*ENVIRONMENTS, *_registered})


def unknown_environment(id: str) -> str:
    """One sentence that refuses an id; where it is like gymnax's, it says how those come."""
    is_gymnax = re.search(r"-(v\d+|bsuite|misc|MinAtar)$", id)
    hint = "; gymnax environments come by crl.interop.from_gymnax(...)" if is_gymnax else ""
    return unknown_name("environment", id, environment_ids()) + hint


def learner_entry(name: str) -> LearnerEntry:
    """The table's row for a learner, or a `ValueError` with the near matches."""
    if name not in LEARNERS:
        raise ValueError(unknown_name("learner", name, sorted(LEARNERS)))
    return LEARNERS[name]


def learners_with(fact: str, last: str = "and") -> str:
    """The learners whose row says so, as words.

    >>> learners_with("takes_prior", "or")
    'ppo or dqn'
    """
    *names, final = (name for name, entry in LEARNERS.items() if getattr(entry, fact))
    return f"{', '.join(names)} {last} {final}" if names else final


def load(target: str) -> Any:
    """Import the object that `"package.module:name"` names."""
    module_name, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        form = "write it as 'package.module:name'"
        raise ValueError(f"cannot load {target!r} ({error}); {form}") from error


def unknown_name(what: str, name: str, known: list[str]) -> str:
    """One sentence that refuses a name and offers the near ones."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    return f"unknown {what} {name!r}; {hint}"
