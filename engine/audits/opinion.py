"""What an audit says: passed, failed, or a number that informs, each with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Opinion:
    """The answer of one audit.

    ``passed`` is None for an audit that informs and has no gate, or that could not judge; ``details`` are
    plain values and arrays for a table or JSON, NaN where a number is undefined.
    """

    name: str
    passed: bool | None
    sentence: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether a gate was missed."""
        return self.passed is False
