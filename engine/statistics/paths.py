"""The arithmetic of a path of equity: returns, growth by year, how far it is under water.

``levels`` are equity by session behind the capital before the first of them, so that a loss in the first
session counts.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from data.numeric.arithmetic import powers
from engine.statistics.estimate import NO_VARIATION, Floats

Growth = TypeVar("Growth", float, Floats)


def simple_returns(equity: Floats, capital: float) -> Floats:
    """Return the returns of equity (..., D), session on session, the first on the capital before it."""
    returns: Floats = np.empty(equity.shape)
    np.divide(equity[..., :1], capital, out=returns[..., :1])
    np.divide(equity[..., 1:], equity[..., :-1], out=returns[..., 1:])
    returns -= 1.0
    return returns


def compared(returns: Floats, benchmark: Floats) -> Floats:
    """Return ``returns``, (T,) or (T, N), on the sessions on which ``benchmark`` (T,) is known.

    A known return behind a gap is that of the whole gap, so ours are compounded over the same sessions. The
    first known one is of its own session.
    """
    rows = np.flatnonzero(~np.isnan(benchmark))
    if not len(rows):
        return returns[:0]
    if rows[-1] - rows[0] + 1 == len(rows):
        return returns[rows[0] : rows[-1] + 1]
    chosen: Floats = returns[rows]
    for place in (np.flatnonzero(np.diff(rows) > 1) + 1).tolist():
        over = 1.0 + returns[rows[place - 1] + 1 : rows[place] + 1]
        chosen[place] = np.multiply.reduce(over, axis=0) - 1.0
    return chosen


def in_excess(index: Floats, cash: Floats) -> Floats:
    """Return the known returns of (T,) less what ``cash`` (T,) yields, behind a gap in the whole of it."""
    excess: Floats = index.copy()
    excess[~np.isnan(index)] -= compared(cash, index)
    return excess


def observed(benchmark: Floats) -> float:
    """Return the known returns of (T,) over the sessions from the first to the last of them; 1 without gaps.

    Times sessions a year, it is the number of them in a year.
    """
    rows: NDArray[np.int64] = np.flatnonzero(~np.isnan(benchmark))
    return len(rows) / float(rows[-1] - rows[0] + 1) if len(rows) else 1.0


def levels_of(returns: Floats) -> Floats:
    """Return what one unit of money becomes, (D + 1,), from before the first of the returns (D,) on."""
    return np.concatenate(([1.0], np.cumprod(1.0 + returns)))


def annual_growth(growth: Growth, sessions: int, per_year: float) -> Growth:
    """Return the compound return a year of a growth, not below zero, over so many sessions."""
    exponent = per_year / sessions
    if isinstance(growth, np.ndarray):
        return powers(growth, exponent) - 1.0
    annual: Growth = growth**exponent - 1.0
    return annual


def underwater(levels: Floats) -> Floats:
    """Return the fall from the highest level so far, (D,), zero or less; an unknown level stays unknown."""
    fallen: Floats = levels / np.fmax.accumulate(levels) - 1.0
    return fallen


def falls(levels: Floats) -> list[tuple[int, int, int]]:
    """Return each fall from a peak as its rows in ``levels``: peak, trough, where the peak is reached again.

    The last is the number of levels where it is not. A fall within rounding is none; the peak is the last row
    before the fall, the trough the first of its lowest.
    """
    below = underwater(levels) < -NO_VARIATION
    edges = np.flatnonzero(np.diff(below, prepend=False, append=False)).tolist()
    return [
        (begin - 1, begin + int(np.argmin(levels[begin:end])), end)
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def largest_drawdown(returns: Floats) -> float:
    """Return the lowest ratio of wealth to its highest level so far, minus 1; wealth starts at 1."""
    if returns.ndim != 1:
        raise UsageError("returns are not one series", received=returns.shape, limit="one dimension")
    return float(np.min(underwater(levels_of(returns))))
