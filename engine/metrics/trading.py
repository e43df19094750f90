"""Metrics of the fills, costs and holdings of a run, and why one of them may be undefined."""

from __future__ import annotations

import numpy as np

from engine.result import Result


def always(_result: Result) -> None:
    """Return that there is always a number."""
    return


def absent(result: Result) -> str | None:
    """Return why a run has nothing to measure: it has no session."""
    return None if len(result.equity) else "there is no session"


def no_profit(result: Result) -> str | None:
    """Return why costs are no share of a profit: there is none, or none is left of it."""
    if why := absent(result):
        return why
    if not _gross(result) > 0.0:
        return "there is no profit before costs"
    return (
        None if _gross(result) > costs(result) else "costs are as large as the profit before them, or larger"
    )


def exposure(result: Result) -> float:
    """Return the mean share of equity in funds."""
    invested = result.values.sum(axis=1)
    return float(np.mean(invested / result.equity))


def turnover(result: Result) -> float:
    """Return half of what was traded over mean equity, a year."""
    years = len(result.equity) / result.sessions_per_year
    return 0.5 * float(result.fills["notional"].sum()) / float(result.equity.mean()) / years


def costs(result: Result) -> float:
    """Return commission, fees and slippage in money."""
    return float(result.fills[["commission", "fee", "slippage"]].to_numpy(np.float64).sum())


def cost_share(result: Result) -> float:
    """Return costs over the profit before them."""
    return costs(result) / _gross(result)


def fills(result: Result) -> float:
    """Return the number of fills."""
    return float(len(result.fills))


def rejections(result: Result) -> float:
    """Return the number of orders, or parts of them, that did not trade."""
    return float(len(result.rejections))


def _gross(result: Result) -> float:
    return float(result.equity[-1]) - result.initial_cash + costs(result)
