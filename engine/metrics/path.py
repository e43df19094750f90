"""A path of equity and what it is held against: all that a metric may look at, but for those of trading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.result import Floats, Result
from engine.statistics.paths import compared, levels_of, observed, simple_returns


@dataclass(frozen=True)
class Path:
    """D sessions of a path.

    Attributes
    ----------
    levels : (D + 1,), equity at the close of each session, behind the capital before the first
    returns : (D,), simple, session on session, net of all costs; the first is on the capital
    benchmark : (D,), returns of the benchmark; NaN where it has none, never filled; behind a gap, of the gap
    per_year : sessions a year of the exchange
    days : (D,), or None where the sessions were picked out of a history and are no calendar
    missing : why there is no session, where there is none
    """

    levels: Floats
    returns: Floats
    benchmark: Floats
    per_year: float
    days: NDArray[np.datetime64] | None = None
    missing: str = "there is no session"

    @classmethod
    def of_equity(
        cls,
        equity: Floats,
        capital: float,
        benchmark: Floats,
        per_year: float,
        days: NDArray[np.datetime64] | None = None,
    ) -> Path:
        """Return the path of equity (D,) from ``capital`` on."""
        levels = np.concatenate(([capital], equity))
        return cls(levels, simple_returns(equity, capital), benchmark, per_year, days)

    @classmethod
    def of_result(cls, result: Result) -> Path:
        """Return the path of a run."""
        return cls.of_equity(
            result.equity,
            result.initial_cash,
            result.benchmark_return,
            result.sessions_per_year,
            result.days,
        )

    @classmethod
    def of_returns(
        cls,
        returns: Floats,
        per_year: float,
        benchmark: Floats | None = None,
        missing: str = "there is no session",
    ) -> Path:
        """Return the path of one unit of money that made these returns (D,)."""
        if benchmark is None:
            benchmark = np.full(len(returns), np.nan)
        return cls(levels_of(returns), returns, benchmark, per_year, missing=missing)

    @cached_property
    def pair(self) -> tuple[Floats, Floats]:
        """Our returns and the benchmark's, of the sessions where both are known; both over gaps of its."""
        known = ~np.isnan(self.benchmark)
        return compared(self.returns, self.benchmark), self.benchmark[known]

    @cached_property
    def pairs_per_year(self) -> float:
        """How many of these are in a year: sessions a year, less where the benchmark has gaps."""
        return self.per_year * observed(self.benchmark)
