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
from engine.verdict.table import Table

Known = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """The evidence on common sessions, failed trials left out; columns are renumbered.

    Attributes
    ----------
    returns : (T, n) table without NaN
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

    returns: Table
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

    @cached_property
    def chosen(self) -> Floats:
        """Returns (T,) of the selected trial, in excess of cash."""
        return self.returns.column(self.selected)

    @property
    def account(self) -> Floats:
        """Returns (T,) of the selected trial as its account made them."""
        return self.chosen if self.cash is None else self.chosen + self.cash


def sample_of(evidence: Evidence) -> Sample:
    """Return the evidence without failed trials and without sessions on which any other trial is unknown.

    UsageError if the selected trial failed.
    """
    table = Table.of(evidence.returns)
    live = np.concatenate([np.isfinite(some).any(axis=0) for _, some in table.blocks()])
    if not live[evidence.selected]:
        raise UsageError(
            "the selected trial has no return",
            received=f"trial {evidence.selected}",
            hint="Select a trial that ran.",
        )
    rows = np.ones(len(table), dtype=np.bool_)
    for begin, some in table.blocks():
        rows &= np.isfinite(some[:, live[begin : begin + some.shape[1]]]).all(axis=1)
    place = np.cumsum(live) - 1
    benchmark = np.full(len(table), np.nan) if evidence.benchmark is None else evidence.benchmark
    benchmark = np.asarray(benchmark, dtype=np.float64)[rows]
    equal_weight = None if evidence.equal_weight is None else evidence.equal_weight[rows]
    cash = None if evidence.cash is None else evidence.cash[rows]
    if cash is not None:
        benchmark = in_excess(benchmark, cash)
        equal_weight = None if equal_weight is None else in_excess(equal_weight, cash)
    if not (live.all() and rows.all() and cash is None):
        table = Table.filled(
            int(rows.sum()), int(live.sum()), (_known(each, rows, live, cash) for each in table.blocks())
        )
    default = evidence.default
    return Sample(
        returns=table,
        benchmark=benchmark,
        selected=int(place[evidence.selected]),
        default=int(place[default]) if default is not None and live[default] else None,
        neighbours=tuple(int(place[column]) for column in evidence.neighbours if live[column]),
        days=None if evidence.days is None else evidence.days[rows],
        ratios=np.concatenate([sharpe_ratios(some) for _, some in table.blocks()]),
        failed=int(np.count_nonzero(~live)),
        dropped=int(np.count_nonzero(~rows)),
        equal_weight=equal_weight,
        cash=cash,
    )


def _known(block: tuple[int, Floats], rows: Known, live: Known, cash: Floats | None) -> Floats:
    """Return the columns of a block that are live, on the rows that are known, in excess of cash."""
    begin, some = block
    values = some[np.ix_(rows, live[begin : begin + some.shape[1]])]
    return values if cash is None else values - cash[:, np.newaxis]
