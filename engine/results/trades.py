"""What was held and why: executions in today's shares, holdings from flat to flat, and round trips.

1. Share counts jump where a fund splits or is liquidated; the jump is what fills do not explain (``_jumps``).
2. Executions are restated in the shares of the last session, so that they add up across splits
   (``executions``); a liquidation becomes a sale at the last mark, a merge too, and a purchase of the
   successor for what that brings, less the cash for a fraction.
3. Executions of one fund from flat to flat are a holding, with the score and flow it was entered on
   (``holdings``).
4. Matched first in, first out, executions are round trips, as pyfolio defines them (``round_trips``).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.result import Floats, Result

FLAT = 1e-6  # shares below this are rounding of restated splits


@dataclass(frozen=True)
class Execution:
    """A fill, or the end of a fund, in shares and prices of the run's last session.

    ``row`` is the session's row in ``Result.days``; ``shares`` is signed; ``charges`` are commission and fee
    in money (slippage is in the price).
    """

    row: int
    symbol: str
    shares: float
    price: float
    charges: float


@dataclass(frozen=True)
class Holding:
    """One fund from the first purchase until nothing is left.

    Attributes
    ----------
    symbol : str
    entry, exit : int
        Rows of ``Result.days``; ``exit`` is None while it is still held.
    sessions : int
        Sessions at whose close it was held.
    weight, score, flow : float
        Of the decision that led to the first purchase (``decision``); NaN where there was none.
    price_return : float
        From the first purchase's price to the last sale's (or the last mark), split-adjusted, no dividends.
    profit : float
        Money, after commission, fees and slippage.
    stop : str
        The parameter of the stop that sold it, as ``stop_loss``; empty where a decision did, or nothing yet.
    decision : int, optional
        Its row in ``Result.decision_days``.
    """

    symbol: str
    entry: int
    exit: int | None
    sessions: int
    weight: float
    score: float
    flow: float
    price_return: float
    profit: float
    stop: str = ""
    decision: int | None = None


def _traded(result: Result) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows, columns and signed shares of the fills."""
    rows = np.searchsorted(result.days, result.fills["day"].to_numpy().astype(result.days.dtype))
    column = {symbol: index for index, symbol in enumerate(result.symbols)}
    columns = np.array([column[symbol] for symbol in result.fills["symbol"]], dtype=np.int64)
    return rows, columns, result.fills["shares"].to_numpy(np.int64)


def _merged(result: Result) -> list[tuple[int, int, int, int, float]]:
    """Row, column of the fund and of its successor, shares received and cash of each merge."""
    columns = {symbol: index for index, symbol in enumerate(result.symbols)}
    rows = np.searchsorted(result.days, result.merges["day"].to_numpy().astype(result.days.dtype))
    of = {name: result.merges[name].tolist() for name in ("symbol", "successor", "received", "cash")}
    return [
        (int(row), columns[symbol], columns[successor], received, cash)
        for row, symbol, successor, received, cash in zip(rows, *of.values(), strict=True)
    ]


def _jumps(result: Result) -> Floats:
    """Shares after corporate actions over shares before, (D, S): 1 without any, 0 for the end of a fund."""
    traded = np.zeros_like(result.shares)
    rows, columns, shares = _traded(result)
    np.add.at(traded, (rows, columns), shares)
    for row, _, into, received, _ in _merged(result):
        traded[row, into] += received
    before = np.vstack([np.zeros((1, len(result.symbols)), dtype=np.int64), result.shares[:-1]])
    after = result.shares - traded
    jumps: Floats = np.divide(after, before, out=np.ones(after.shape), where=(before > 0) & (after != before))
    return jumps


def executions(result: Result) -> list[Execution]:
    """Return all executions in the order of time, then as executed; liquidations come first in a session."""
    jumps = _jumps(result)
    ended = jumps == 0.0
    kept = np.where(ended, 1.0, jumps)
    restate = np.cumprod(kept[::-1], axis=0)[::-1] / kept  # of later sessions only
    found: list[Execution] = []
    for row, column in np.argwhere(ended):
        scale = restate[row - 1, column]
        held, mark = result.shares[row - 1, column], result.mark[row - 1, column]
        symbol = result.symbols[column]
        found.append(Execution(int(row), symbol, float(-held * scale), float(mark / scale), 0.0))
    for row, column, into, received, cash in _merged(result):
        if received:
            count = float(received * restate[row, into])
            brought = result.shares[row - 1, column] * result.mark[row - 1, column] - cash
            found.append(Execution(row, result.symbols[into], count, float(brought / count), 0.0))
    rows, columns, shares = _traded(result)
    prices = result.fills["price"].to_numpy(np.float64)
    charges = result.fills[["commission", "fee"]].to_numpy(np.float64).sum(axis=1)
    for row, column, count, price, charge in zip(rows, columns, shares, prices, charges, strict=True):
        scale = restate[row, column]
        symbol = result.symbols[column]
        found.append(Execution(int(row), symbol, float(count * scale), float(price / scale), float(charge)))
    return sorted(found, key=lambda execution: execution.row)


def holdings(result: Result) -> list[Holding]:
    """Return all holdings in the order of their entry, then of their symbol."""
    decision = {day: index for index, day in enumerate(result.decision_days)}
    found: list[Holding] = []
    by_symbol: dict[str, list[Execution]] = {}
    for execution in executions(result):
        by_symbol.setdefault(execution.symbol, []).append(execution)
    for symbol, of_symbol in sorted(by_symbol.items()):
        column = result.symbols.index(symbol)
        position, current = 0.0, []
        for execution in of_symbol:
            current.append(execution)
            position += execution.shares
            if abs(position) < FLAT:
                found.append(_holding(result, column, current, decision, ended=True))
                position, current = 0.0, []
        if current:
            found.append(_holding(result, column, current, decision, ended=False))
    return sorted(found, key=lambda holding: (holding.entry, holding.symbol))


def _holding(
    result: Result,
    column: int,
    parts: list[Execution],
    decision: dict[np.datetime64, int],
    *,
    ended: bool,
) -> Holding:
    first, last = parts[0], parts[-1]
    end = last.row if ended else len(result.days)
    last_mark = float(result.mark[-1, column])
    left = 0.0 if ended else float(result.shares[-1, column]) * last_mark
    index = _decision(result, column, first.row, decision)
    weight, score, flow = (
        (np.nan, np.nan, np.nan)
        if index is None
        else (
            result.weights[index, column],
            result.scores[index, column],
            result.decision_flows[index, column],
        )
    )
    return Holding(
        symbol=first.symbol,
        entry=first.row,
        exit=last.row if ended else None,
        sessions=int((result.shares[first.row : end, column] > 0).sum()),
        weight=float(weight),
        score=float(score),
        flow=float(flow),
        price_return=(last.price if ended else last_mark) / first.price - 1.0,
        profit=left - sum(part.shares * part.price + part.charges for part in parts),
        stop=_stop(result, first.symbol, first.row, last.row) if ended else "",
        decision=index,
    )


def _decision(result: Result, column: int, row: int, decision: dict[np.datetime64, int]) -> int | None:
    """Return the decision that led to a purchase: that of its session, or of the one before if it waited.

    A purchase waits for one session (over two markets); the decision for it is the one that wants the fund,
    as another sleeve may have decided since.
    """
    today = decision.get(result.days[row])
    before = decision.get(result.days[row - 1]) if row else None
    for index in (today, before):
        if index is not None and result.weights[index, column] > 0.0:
            return index
    return today


def _stop(result: Result, symbol: str, entry: int, sold: int) -> str:
    """Return the stop that was seen last between two rows, if no decision came between it and the sale."""
    exits = result.exits
    if not len(exits):
        return ""
    days = result.days[[entry, sold]].astype("datetime64[us]")
    seen = exits[(exits["symbol"] == symbol) & (exits["day"] > days[0]) & (exits["day"] <= days[1])]
    if not len(seen):
        return ""
    at, decided = np.datetime64(seen["day"].iloc[-1], "D"), result.decision_days
    later = ((decided > at) & (decided <= result.days[sold])).any()
    return "" if later else str(seen["reason"].iloc[-1])


@dataclass(frozen=True)
class Contribution:
    """What a group of holdings brought: how many there were, with a profit, and the money after all costs."""

    name: str
    funds: int
    holdings: int
    won: int
    profit: float


def by_family(result: Result, held: list[Holding]) -> list[Contribution]:
    """Return what the funds of each index family brought, the largest first; "other" where not known."""
    families = {} if result.context is None else result.context.families
    grouped: dict[str, list[Holding]] = {}
    for each in held:
        grouped.setdefault(families.get(each.symbol, "other"), []).append(each)
    found = [
        Contribution(
            name,
            len({each.symbol for each in mine}),
            len(mine),
            sum(each.profit > 0.0 for each in mine),
            sum(each.profit for each in mine),
        )
        for name, mine in grouped.items()
    ]
    return sorted(found, key=lambda each: (-each.profit, each.name))


def round_trips(result: Result) -> pd.DataFrame:
    """Return round trips as pyfolio's ``extract_round_trips`` does, one row for each sale.

    Columns are pnl (money, before commission), open_dt, close_dt, duration, long, rt_returns (of the money
    paid in), returns (of equity before the session) and symbol. What is still held is closed at the last
    mark, one second after the last session. pyfolio matches share by share, which takes 46 s for 1,300 fills
    of ETFs at one yuan; this matches lot by lot. It also restates shares for splits, which pyfolio does not.
    """
    days = pd.DatetimeIndex(result.days).tz_localize("UTC").as_unit("ns")
    before = np.concatenate(([result.initial_cash], result.equity[:-1]))
    last = len(result.days) - 1
    closing = [
        Execution(last, symbol, -float(result.shares[last, column]), float(result.mark[last, column]), 0.0)
        for column, symbol in enumerate(result.symbols)
        if result.shares[last, column] > 0
    ]
    trades = executions(result)
    rows: list[dict[str, object]] = []
    lots: dict[str, deque[tuple[float, float, int]]] = {}
    for number, trade in enumerate([*trades, *closing]):
        stack = lots.setdefault(trade.symbol, deque())
        if trade.shares > 0.0:
            stack.append((trade.shares, trade.price, trade.row))
            continue
        to_sell, paid, opened = -trade.shares, 0.0, stack[0][2]
        while to_sell > FLAT and stack:
            shares, price, row = stack.popleft()
            used = min(shares, to_sell)
            paid += used * price
            to_sell -= used
            if shares - used > FLAT:
                stack.appendleft((shares - used, price, row))
        pnl = -trade.shares * trade.price - paid
        after = pd.Timedelta(seconds=int(number >= len(trades)))
        rows.append(
            {
                "pnl": pnl,
                "open_dt": days[opened],
                "close_dt": days[trade.row] + after,
                "long": True,
                "rt_returns": pnl / paid,
                "symbol": trade.symbol,
                "returns": pnl / before[trade.row],
            }
        )
    columns = ["pnl", "open_dt", "close_dt", "long", "rt_returns", "symbol", "returns"]
    table = pd.DataFrame(rows, columns=columns)
    table["duration"] = table["close_dt"] - table["open_dt"]
    return table.sort_values(["symbol", "close_dt"], kind="stable", ignore_index=True)
