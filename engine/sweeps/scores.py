"""Which parameter sets have the same scores, so that each score is computed once.

Strategies of one class whose values agree on every field that ``scores`` reads have equal scores. Which
fields it reads is seen while it runs (``traced_scores``), so that nothing has to be declared: usually all of
a strategy's own fields and none of the shared ones of a rotation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache
from typing import Any

from engine.kernel.rotation import ROTATION_FIELDS

_LOG = "_fields_read"


def by_own_fields(strategies: Sequence[Any]) -> list[list[int]]:
    """Return the places of strategies of one class that agree on all fields that are not the rotation's.

    Groups that agree on more of the first fields are neighbours.
    """
    names = [field.name for field in dataclasses.fields(strategies[0]) if field.name not in ROTATION_FIELDS]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, strategy in enumerate(strategies):
        values = strategy.__dict__ if hasattr(strategy, "__dict__") else _values(strategy, names)
        groups.setdefault(tuple([_hashable(values[name]) for name in names]), []).append(place)
    return [groups[key] for key in sorted(groups, key=repr)]


def traced_scores(strategy: Any, known: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the scores of a strategy, and which shared fields of a rotation they depend on."""
    if not hasattr(strategy, "__dict__"):
        return strategy.scores(known), ROTATION_FIELDS
    kind: type[Any] = _traced(type(strategy))  # type: ignore[arg-type]
    tracer = object.__new__(kind)
    tracer.__dict__.update(strategy.__dict__)
    read: set[str] = set()
    tracer.__dict__[_LOG] = read
    scores = tracer.scores(known)
    return scores, tuple(name for name in ROTATION_FIELDS if name in read)


def by_values(strategies: Sequence[Any], places: Sequence[int], names: Sequence[str]) -> list[list[int]]:
    """Return ``places`` by the values that the strategies there have in the fields ``names``."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place in places:
        groups.setdefault(tuple(_hashable(getattr(strategies[place], name)) for name in names), []).append(
            place
        )
    return list(groups.values())


def _hashable(value: Any) -> Any:
    """Return a value, or its text where it is a list or the like, of which no group can be named."""
    return value if value.__hash__ is not None else repr(value)


@cache
def _traced(kind: type[Any]) -> type[Any]:
    """Return a subclass that notes which attributes of an instance are read."""

    def note(self: Any, name: str) -> Any:
        log = object.__getattribute__(self, "__dict__").get(_LOG)
        if log is not None:
            log.add(name)
        return object.__getattribute__(self, name)

    return type(kind.__name__, (kind,), {"__getattribute__": note, "__module__": kind.__module__})


def _values(strategy: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(strategy, name) for name in names}
