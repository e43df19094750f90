"""Two answers of a strategy, cell by cell: the first that differs, with its day, its fund and both values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.strategy.causality import alike

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mismatch:
    """The first cell that changed, by day, then by fund; NaN is a fund without a score."""

    day: str
    symbol: str
    whole: float
    altered: float

    @property
    def size(self) -> float:
        """How much it changed; NaN where it came or went."""
        return abs(self.altered - self.whole)

    def details(self, before: str, after: str) -> dict[str, Any]:
        """Return it as plain values, the two numbers under the names ``before`` and ``after``."""
        return {
            "day": self.day,
            "symbol": self.symbol,
            before: self.whole,
            after: self.altered,
            "size": self.size,
        }


def first_mismatch(
    whole: Floats,
    altered: Floats,
    days: NDArray[np.datetime64],
    symbols: Sequence[str],
    *,
    exact: bool = False,
) -> Mismatch | None:
    """Return the first cell of ``altered`` (D, S) that is not that of ``whole``; None where all agree.

    They agree up to rounding (``engine.strategy.causality.alike``), or to the last bit if ``exact``.
    Of another shape everything differs; the numbers then are those of rows.
    """
    if altered.shape != whole.shape:
        return Mismatch(str(days[0]), "all funds", float(len(whole)), float(len(altered)))
    rows, columns = np.nonzero(~alike(altered, whole, exact=exact))
    if not len(rows):
        return None
    row, column = int(rows[0]), int(columns[0])
    return Mismatch(str(days[row]), symbols[column], float(whole[row, column]), float(altered[row, column]))
