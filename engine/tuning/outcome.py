"""What became of one parameter set: its metrics, or why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """Metrics by name (None: undefined), or ``failure``, the reason why the set could not be run."""

    metrics: Mapping[str, float | None] = field(default_factory=dict)
    failure: str | None = None


# Sets in, outcomes out, in the same order; never raises for a set that fails.
Evaluate = Callable[[Sequence[Parameters]], list[Outcome]]
