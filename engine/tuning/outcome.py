"""What became of one parameter set: its metrics, or why it has none."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """Metrics by name (None: undefined), or ``failure``, the reason why the set could not be run."""

    metrics: Mapping[str, float | None] = field(default_factory=dict)
    failure: str | None = None


# Sets in, outcomes out, in the same order; never raises for a set that fails.
Evaluate = Callable[[Sequence[Parameters]], list[Outcome]]


@runtime_checkable
class InParts(Protocol):
    """An ``Evaluate`` with workers to feed: it takes many sets at once, and decides on chunks itself."""

    def __call__(self, sets: Sequence[Parameters], /) -> list[Outcome]:
        """Return the outcome of each set, in their order."""

    def parts(self, sets: Sequence[Parameters]) -> Generator[list[Outcome]]:
        """Yield the outcomes of ``sets`` in their order, some at a time, as soon as they are there."""
