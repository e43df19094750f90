"""Which parameter sets have the same scores, so that each score is computed once.

Strategies of one class whose values agree on every field that ``scores`` reads have equal scores. Which
fields it reads is seen while it runs (``traced_scores``), so that nothing has to be declared: usually all of
a strategy's own fields and none of the shared ones of a rotation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from data.numeric.keys import key_of
from data.panel.panel import Panel
from engine.kernel.targets import ROTATION_FIELDS
from engine.strategy.adapter import Adapter, Floats
from engine.strategy.adapters import ScoreAdapter

_LOG = "_fields_read"


def by_own_fields(strategies: Sequence[Adapter]) -> list[list[int]]:
    """Return the places of strategies of one class that agree on all fields that are not the rotation's.

    Groups that agree on more of the first fields are neighbours.
    """
    names = [name for name in strategies[0].fields if name not in ROTATION_FIELDS]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, strategy in enumerate(strategies):
        groups.setdefault(key_of(strategy.read(names)), []).append(place)
    return [groups[key] for key in sorted(groups, key=repr)]


def traced_scores(strategy: ScoreAdapter, panel: Panel) -> tuple[Floats, tuple[str, ...]]:
    """Return the scores of a strategy on a panel, and which shared fields of a rotation they depend on."""
    values: dict[str, Any] | None = getattr(strategy.strategy, "__dict__", None)
    if values is None:  # a class with slots has no room for a trace
        return strategy.values_on(panel), tuple(
            name for name in ROTATION_FIELDS if hasattr(strategy.strategy, name)
        )
    kind: type[Any] = _traced(strategy.written)  # type: ignore[arg-type]
    tracer = object.__new__(kind)
    tracer.__dict__.update(values)
    read: set[str] = set()
    tracer.__dict__[_LOG] = read
    scores = ScoreAdapter(tracer).values_on(panel)
    return scores, tuple(name for name in ROTATION_FIELDS if name in read)


def by_values(strategies: Sequence[Adapter], places: Sequence[int], names: Sequence[str]) -> list[list[int]]:
    """Return ``places`` by the values that the strategies there have in the fields ``names``."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place in places:
        groups.setdefault(key_of(strategies[place].read(names)), []).append(place)
    return list(groups.values())


@cache
def _traced(kind: type[Any]) -> type[Any]:
    """Return a subclass that notes which attributes of an instance are read."""

    def note(self: Any, name: str) -> Any:
        log = object.__getattribute__(self, "__dict__").get(_LOG)
        if log is not None:
            log.add(name)
        return object.__getattribute__(self, name)

    return type(kind.__name__, (kind,), {"__getattribute__": note, "__module__": kind.__module__})
