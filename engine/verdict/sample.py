"""The evidence as the statistics use it: no trial that failed, no session that is unknown, in excess of cash.

Trials that failed (no return at all) leave first, though they still count as trials, and then every session
on which a return is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from engine.statistics.estimate import Floats, Integers
from engine.statistics.paths import in_excess
from engine.statistics.sharpe import sharpe_ratios
from engine.verdict.duplicates import kinds
from engine.verdict.evidence import Evidence


@dataclass(frozen=True)
class Sample:
    """The evidence on common sessions, failed trials left out; columns are renumbered.

    Attributes
    ----------
    returns : (T, n) array without NaN
    benchmark : (T,) array, NaN where unknown
    equal_weight : (T,) array, NaN where unknown, or None
    selected : int
    default : int or None
        None also if it failed.
    neighbours : tuple of int
        Without those that failed.
    days : (T,) array or None
    ratios : (n,) array
        Sharpe ratio per session; NaN for a trial that does not vary.
    failed, dropped : int
        Trials, and sessions, that were left out.
    cash : (T,) array or None
        What idle cash yields, which is taken off all returns here; None: nothing.
    """

    returns: Floats
    benchmark: Floats
    selected: int
    default: int | None
    neighbours: tuple[int, ...]
    days: NDArray[np.datetime64] | None
    ratios: Floats
    failed: int
    dropped: int
    equal_weight: Floats | None = None
    cash: Floats | None = None

    @cached_property
    def kinds(self) -> dict[float, Integers]:
        """Columns by level of correlation, one of each kind (``engine.verdict.duplicates``)."""
        return kinds(self.returns, self.ratios)

    @property
    def chosen(self) -> Floats:
        """Returns (T,) of the selected trial, in excess of cash."""
        return self.returns[:, self.selected]

    @property
    def account(self) -> Floats:
        """Returns (T,) of the selected trial as its account made them."""
        return self.chosen if self.cash is None else self.chosen + self.cash


def sample_of(evidence: Evidence) -> Sample:
    """Return the evidence without failed trials and without sessions on which any other trial is unknown.

    UsageError if the selected trial failed.
    """
    known = np.isfinite(evidence.returns)
    live = np.asarray(known.any(axis=0))
    if not live[evidence.selected]:
        raise UsageError(
            "the selected trial has no return",
            received=f"trial {evidence.selected}",
            hint="Select a trial that ran.",
        )
    rows = np.asarray(known[:, live].all(axis=1))
    place = np.cumsum(live) - 1
    values = evidence.returns
    if not (live.all() and rows.all()):
        values = values[np.ix_(rows, live)]
    values = np.asarray(values, dtype=np.float64)
    benchmark = np.full(len(evidence.returns), np.nan) if evidence.benchmark is None else evidence.benchmark
    benchmark = np.asarray(benchmark, dtype=np.float64)[rows]
    equal_weight = None if evidence.equal_weight is None else evidence.equal_weight[rows]
    cash = None if evidence.cash is None else evidence.cash[rows]
    if cash is not None:
        values, benchmark = values - cash[:, np.newaxis], in_excess(benchmark, cash)
        equal_weight = None if equal_weight is None else in_excess(equal_weight, cash)
    default = evidence.default
    return Sample(
        returns=values,
        benchmark=benchmark,
        selected=int(place[evidence.selected]),
        default=int(place[default]) if default is not None and live[default] else None,
        neighbours=tuple(int(place[column]) for column in evidence.neighbours if live[column]),
        days=None if evidence.days is None else evidence.days[rows],
        ratios=sharpe_ratios(values),
        failed=int(np.count_nonzero(~live)),
        dropped=int(np.count_nonzero(~rows)),
        equal_weight=equal_weight,
        cash=cash,
    )
