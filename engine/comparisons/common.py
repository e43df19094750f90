"""What several runs have in common: sessions, returns from one of these to the next, weights.

A return is from one common session to the next, compounded over the sessions in between that another run
lacks; the first is from the session before it. Unknown in part is unknown (NaN).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.result import Floats, Result
from engine.statistics.estimate import NO_VARIATION
from engine.statistics.paths import compared

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class Common:
    """Sessions that all runs have, and series on them by name, in order of the runs.

    ``returns`` are also those of the benchmark and of equal weight of the first run, where they are known;
    ``weights`` are shares of equity over the union of the symbols, cash last, of the runs only.
    """

    days: Days
    returns: Mapping[str, Floats]
    weights: Mapping[str, Floats]


def common_of(results: Sequence[Result], names: Sequence[str]) -> Common:
    """Return what results have in common, by the name of each."""
    days = common_days(results)
    symbols = sorted({symbol for result in results for symbol in result.symbols})
    returns: dict[str, Floats] = {}
    weights: dict[str, Floats] = {}
    for name, result in zip(names, results, strict=True):
        returns[name] = between(result.returns, result.days, days)
        of_run = np.zeros((len(days), len(symbols) + 1))
        columns = [symbols.index(symbol) for symbol in result.symbols]
        of_run[:, columns] = result.held_weights[np.searchsorted(result.days, days)]
        of_run[:, -1] = 1.0 - of_run.sum(axis=1)
        weights[name] = of_run
    first = results[0]
    for name, series in (
        ("benchmark", first.benchmark_return),
        ("equal weight", first.equal_weight_return),
    ):
        found = _with_gaps(series, first.days, days)
        if not np.isnan(found).all():
            returns[name] = found
    return Common(days, returns, weights)


def paired(results: Sequence[Result]) -> tuple[Days, Floats, Floats]:
    """Return the common sessions, the runs' returns (T, N) and those of the first run's benchmark (T,).

    The benchmark's are NaN where it has no level, and of the whole gap behind one.
    """
    days = common_days(results)
    columns = [between(result.returns, result.days, days) for result in results]
    first = results[0]
    return days, np.column_stack(columns), _with_gaps(first.benchmark_return, first.days, days)


def _with_gaps(returns: Floats, own: Days, days: Days) -> Floats:
    """Return the compounded return up to each of ``days`` from the last one before it that is known."""
    known = ~np.isnan(returns)
    places = np.isin(days, own[known])
    found = np.full(len(days), np.nan)
    found[places] = between(returns[known], own[known], days[places])
    return found


def common_days(results: Sequence[Result]) -> Days:
    """Return the sessions that all results have."""
    days = results[0].days
    for result in results[1:]:
        days = np.intersect1d(days, result.days)
    return days


def between(returns: Floats, own: Days, days: Days) -> Floats:
    """Return the compounded return up to each of ``days`` from the one before it, of returns on ``own``."""
    rows = np.searchsorted(own, days)
    starts = [*rows[:1], *(rows[:-1] + 1)]
    compounded = [
        math.prod((1.0 + returns[start:end]).tolist()) - 1.0
        for start, end in zip(starts, rows + 1, strict=True)
    ]
    return np.array(compounded, dtype=np.float64)


def correlation(one: Floats, other: Floats) -> float:
    """Return Pearson's correlation over the sessions where both are known; NaN where one does not vary.

    Over a gap of one of them both are those of the gap.
    """
    known = np.where(np.isnan(one) | np.isnan(other), np.nan, 0.0)
    one, other = (compared(np.nan_to_num(each, nan=0.0), known) for each in (one, other))
    if len(one) < 2 or min(np.std(one), np.std(other)) < NO_VARIATION:
        return math.nan
    return float(np.corrcoef(one, other)[0, 1])


def overlap(one: Floats, other: Floats) -> float:
    """Return the share of equity that two runs have in the same place, mean over sessions."""
    return float(np.minimum(one, other).sum(axis=1).mean())
