"""Curves of a result that pages draw: growth, drawdown, flow, prices across splits, turnover, costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.result import Floats, Result
from engine.statistics.paths import underwater

Days = NDArray[np.datetime64]

OTHER = "other"
"""What has no theme, and no index family."""


def growth(returns: Floats) -> Floats:
    """Return the growth of one unit of money, (D,); NaN before the first known return, flat across gaps."""
    known = ~np.isnan(returns)
    curve = np.cumprod(1.0 + np.where(known, returns, 0.0))
    return np.where(np.maximum.accumulate(known), curve, np.nan)


def drawdown(returns: Floats) -> Floats:
    """Return the fall from the highest growth so far, the initial capital included, (D,)."""
    return underwater(np.concatenate(([1.0], growth(returns))))[1:]


def chosen_flow(result: Result) -> Floats:
    """Return the flow that each decision bought into, (K,): of 20 sessions over AUM, weighted by the targets.

    Funds whose flow is not known are left out; NaN where that leaves nothing.
    """
    known = ~np.isnan(result.decision_flows)
    weights = np.where(known, result.weights, 0.0)
    flows = np.where(known, result.decision_flows, 0.0)
    total = weights.sum(axis=1)
    mean: Floats = np.divide(
        (weights * flows).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0.0
    )
    return mean


def basis(result: Result) -> Floats:
    """Return shares of the last session for one share, (D, S): the product of the splits that came later."""
    factor = np.ones(result.mark.shape)
    column = {symbol: index for index, symbol in enumerate(result.symbols)}
    for day, symbol, ratio in () if result.context is None else result.context.splits:
        factor[result.days < np.datetime64(day, "D"), column[symbol]] *= ratio
    return factor


@dataclass(frozen=True)
class FundCurve:
    """One fund over the run, prices in shares of the last session.

    Attributes
    ----------
    symbol : str
    price : (D,), the mark; NaN while not listed
    flow : (D,), of 20 sessions over AUM on the sessions of decisions; NaN on others and where not known
    bought, sold : rows with a purchase or a sale, and the price of it
    splits : rows and ratios
    halts : first and last rows
    stopped : rows of sales, and their prices, that a stop made and no decision
    merges : rows on which a holding became one of another fund, or came of one, and which, in words
    renames : rows from which on the fund has its symbol, and the one before
    """

    symbol: str
    price: Floats
    flow: Floats
    bought: tuple[tuple[int, float], ...]
    sold: tuple[tuple[int, float], ...]
    splits: tuple[tuple[int, float], ...]
    halts: tuple[tuple[int, int], ...]
    stopped: tuple[tuple[int, float], ...] = ()
    merges: tuple[tuple[int, str], ...] = ()
    renames: tuple[tuple[int, str], ...] = ()


def fund_curves(result: Result) -> list[FundCurve]:
    """Return the curves of the funds that were traded, in symbol order."""
    factor = basis(result)
    context = result.context
    rows = np.searchsorted(result.days, result.fills["day"].to_numpy().astype(result.days.dtype))
    symbols = result.fills["symbol"].to_numpy().astype(str)
    shares = result.fills["shares"].to_numpy(np.int64)
    prices = result.fills["price"].to_numpy(np.float64)
    decided = np.searchsorted(result.days, result.decision_days)
    stops: dict[str, list[int]] = {}
    exits = np.searchsorted(result.days, result.exits["day"].to_numpy().astype(result.days.dtype))
    for row, symbol in zip(exits.tolist(), result.exits["symbol"], strict=True):
        stops.setdefault(symbol, []).append(row)

    def row_of(day: str) -> int:
        return int(np.searchsorted(result.days, np.datetime64(day, "D")))

    found = []
    for column, symbol in enumerate(result.symbols):
        mine = symbols == symbol
        if not mine.any():
            continue
        flow = np.full(len(result.days), np.nan)
        flow[decided] = result.decision_flows[:, column]

        def traded(side: NDArray[np.bool_], at: int = column) -> tuple[tuple[int, float], ...]:
            return tuple(
                (int(row), float(price / factor[row, at]))
                for row, price in zip(rows[side], prices[side], strict=True)
            )

        found.append(
            FundCurve(
                symbol,
                result.mark[:, column] / factor[:, column],
                flow,
                traded(mine & (shares > 0)),
                traded(mine & (shares < 0)),
                tuple((row_of(day), ratio) for day, of, ratio in context.splits if of == symbol)
                if context
                else (),
                tuple((row_of(first), row_of(last)) for first, last, of in context.halts if of == symbol)
                if context
                else (),
                traded(mine & (shares < 0) & np.isin(rows, stops.get(symbol, []))),
                _merges(result, symbol),
                tuple((row_of(day), old) for day, of, old in context.renames if of == symbol)
                if context
                else (),
            )
        )
    return found


def _merges(result: Result, symbol: str) -> tuple[tuple[int, str], ...]:
    """Return where a holding of ``symbol`` became one of its successor, or came of one."""
    days = result.merges["day"].to_numpy().astype(result.days.dtype)
    rows = np.searchsorted(result.days, days).tolist()
    found = []
    for row, old, new in zip(rows, result.merges["symbol"], result.merges["successor"], strict=True):
        if symbol == old:
            found.append((row, f"into {new}"))
        elif symbol == new:
            found.append((row, f"from {old}"))
    return tuple(found)


def exposure(result: Result) -> dict[str, Floats]:
    """Return what of equity was in each theme at the close, the largest on the mean first, each (D,).

    A fund whose index has dated weights counts by the themes of its constituents, as they could be known; any
    other counts whole, as its index family. Empty where neither is known of anything that was held.
    """
    context, weights = result.context, result.held_weights
    parts: dict[str, Floats] = {}
    if context is None:
        return parts

    def add(name: str, amount: Floats, rows: slice = slice(None)) -> None:
        parts.setdefault(name, np.zeros(len(result.days)))[rows] += amount[rows]

    for column in np.flatnonzero((weights > 0.0).any(axis=0)).tolist():
        symbol, held = result.symbols[column], weights[:, column]
        files = context.themes.get(symbol, ())
        family = context.families.get(symbol, OTHER)
        starts = [int(np.searchsorted(result.days, np.datetime64(day, "D"))) for day, _ in files]
        add(family, held, slice(0, starts[0] if starts else None))
        for (_, shares), first, after in zip(files, starts, [*starts[1:], len(result.days)], strict=False):
            for theme, share in shares.items():
                add(theme, held * share, slice(first, after))
    found = {name: curve for name, curve in parts.items() if curve.any()}
    if set(found) <= {OTHER}:
        return {}
    return {name: found[name] for name in sorted(found, key=lambda name: (-found[name].sum(), name))}


@dataclass(frozen=True)
class Months:
    """The calendar months of a run: ``names``, (M,), and the place of each session among them, (D,)."""

    names: Days
    place: NDArray[np.intp]

    @classmethod
    def of(cls, result: Result) -> Months:
        """Return the months of a result."""
        names, place = np.unique(result.days.astype("datetime64[M]"), return_inverse=True)
        return cls(names, place)

    def places(self, days: Days) -> NDArray[np.intp]:
        """Return the place of the month of each day."""
        return np.searchsorted(self.names, days.astype("datetime64[M]"))


def turnover_by_month(result: Result, months: Months) -> Floats:
    """Return half of all purchases and sales over the month's mean equity, (M,)."""
    place = months.places(result.fills["day"].to_numpy())
    traded = np.bincount(place, result.fills["notional"].to_numpy(np.float64), len(months.names))
    mean: Floats = np.bincount(months.place, result.equity) / np.bincount(months.place)
    return 0.5 * traded / mean


def costs_so_far(result: Result) -> dict[str, Floats]:
    """Return what was paid up to each session, over the initial capital, by kind that cost anything, (D,)."""
    rows = np.searchsorted(result.days, result.fills["day"].to_numpy().astype(result.days.dtype))
    paid = {}
    for kind in ("slippage", "commission", "fee"):
        amounts = result.fills[kind].to_numpy(np.float64)
        curve = np.cumsum(np.bincount(rows, amounts, len(result.days)))
        if curve[-1] > 0.0:
            paid[kind] = curve / result.initial_cash
    return paid


def rejections_by_month(result: Result, months: Months) -> dict[str, Floats]:
    """Return the orders that did not trade by reason, the most frequent first, each by month, (M,)."""
    place = months.places(result.rejections["day"].to_numpy())
    reasons = result.rejections["reason"].to_numpy().astype(str)
    names, counts = np.unique(reasons, return_counts=True)
    return {
        str(name): np.bincount(place[reasons == name], minlength=len(months.names)).astype(np.float64)
        for name in names[np.argsort(-counts, kind="stable")]
    }
