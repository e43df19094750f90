"""Yesterday held against the engine: what it would have earned, and why the account earned something else.

From the same holdings, on the data as they are on file now, the difference at the close is taken apart by
exchanging one thing at a time, in this order:

1. *cut*: what could be sent (``engine.orders.tickets``), instead of the orders of a backtest;
2. *late_data*: the orders that were sent, instead of those of today's data: something was not on file yet
   that evening, or was revised since;
3. *not_filled*: of these orders the shares that traded, instead of those that the engine fills;
4. *by_hand*: with what traded beyond them, or without an order of ours (one that has no id);
5. *price*: at the prices that were paid, instead of the engine's;
6. *cost*: at the commission and fees that were charged.

Shares that the engine does not trade are valued at the price at which it would. Sums are of exact fractions,
so that the causes add up to the whole, fund by fund. Prices and costs of fills are in the currency of the
fund, as a broker says them; in an account of another one they count at the rate of the session, as the
engine's do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

from data.days import parse_day
from data.errors import DataError, UsageError, did_you_mean
from data.panel.panel import Panel
from engine.kernel.fills import REASONS
from engine.orders.doubtful import Doubtful, doubtful
from engine.orders.formats import Row
from engine.orders.next_open import Signal, decide_next
from engine.orders.tickets import BAND, place_of, tickets_of
from engine.simulation.books import Books
from engine.simulation.standing import Past, Standing
from engine.spec import Conditions
from engine.strategy.adapter import Adapter

CAUSES: Mapping[str, str] = {
    "cut": "what cash, limit prices and usual volume let be sent",
    "late_data": "orders of the evening against those of today's data",
    "not_filled": "orders that traded less than the engine's, or more",
    "by_hand": "trades without an order of ours, or beyond it",
    "price": "prices paid against the engine's",
    "cost": "commission and fees charged against the engine's",
}
BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Trade:
    """Shares of one fund that traded in one direction, signed, at a price, with what they cost."""

    shares: int
    price: float
    costs: float


Trades = Mapping[tuple[int, bool], Trade]


@dataclass(frozen=True)
class FundDifference:
    """One fund: what the engine trades, what was sent and what traded, and basis points by cause.

    Prices are in the currency of the fund.
    Shares are net; prices None where nothing traded. ``refused`` says why the engine did not trade all of it.
    """

    symbol: str
    engine_shares: int
    engine_price: float | None
    sent: int
    filled: int
    price: float | None
    refused: tuple[str, ...]
    causes: Mapping[str, float]


@dataclass(frozen=True)
class Reconciliation:
    """The session of ``day``: what the account earned less than the engine, or more, in basis points.

    ``whole`` is of ``equity``, that before the open, and the sum of ``causes``; ``money`` is the same in the
    currency of the account. ``assumed`` are funds whose costs the fills do not say, taken as the engine's,
    ``doubtful`` fills that the session cannot have given; they count as they stand.
    """

    day: date
    equity: float
    whole: float
    money: float
    causes: Mapping[str, float]
    funds: tuple[FundDifference, ...]
    assumed: tuple[str, ...]
    doubtful: tuple[Doubtful, ...] = ()


def day_of_orders(orders: Sequence[Row]) -> date | None:
    """Return the session for which orders were written; None where no id or day says. UsageError for two."""
    days = {day for row in orders if (day := row.day or parse_day((row.id or "").partition("-")[0]))}
    if len(days) > 1:
        raise UsageError(
            "the orders are of more than one session",
            received=", ".join(map(str, sorted(days))),
            hint="Give a file of one evening.",
        )
    return next(iter(days), None)


def reconcile(
    strategy: Adapter,
    panel: Panel,
    conditions: Conditions,
    standing: Standing,
    orders: Sequence[Row],
    fills: Sequence[Row],
    *,
    past: Past = (),
    band: float = BAND,
) -> Reconciliation:
    """Return why the fills of the last session of ``panel`` earned something else than the engine.

    ``standing`` is that of the account at the close before, ``past`` its sessions until then.
    UsageError for rows of funds that the panel does not have, or of another day; DataError for a fund that
    has no price.
    """
    day: date = panel.days[-1].item()
    for row in (*orders, *fills):
        _require(row, panel, day)
    signal = decide_next(strategy, panel, conditions, standing=standing, past=past)
    made = _Session(panel, conditions, standing)
    tickets = tickets_of(signal, panel, conditions.costs, band).sent
    ours = [(row.symbol, row.shares) for row in orders if row.id is not None]
    engine = made.traded([(line.symbol, line.order_shares) for line in signal.orders])
    actual = _together(fills, panel)
    within = _within(actual, ours, panel)
    by_hand = made.priced({key: trade.shares for key, trade in actual.items()}, actual)
    steps = [
        engine,
        made.traded([(ticket.symbol, ticket.shares) for ticket in tickets]),
        made.traded(ours),
        made.priced(within, actual),
        by_hand,
        {key: Trade(each.shares, each.price, by_hand[key].costs) for key, each in actual.items()},
        {
            key: each if math.isfinite(each.costs) else Trade(each.shares, each.price, by_hand[key].costs)
            for key, each in actual.items()
        },
    ]
    found = _difference(signal, panel, steps, ours, actual, made.refused or {})
    return replace(found, doubtful=doubtful(fills, panel))


class _Session:
    """The engine's books at the open of the last session, from which orders can be tried again and again."""

    def __init__(self, panel: Panel, conditions: Conditions, standing: Standing) -> None:
        self._panel, self._conditions, self._standing = panel, conditions, standing
        self.refused: dict[str, list[str]] | None = None
        self._books = self._opened()

    def _opened(self) -> Books:
        row = len(self._panel.days) - 1
        books = Books(self._panel, row, row, self._conditions)
        self._standing.put(books)
        books.open_session()
        return books

    def traded(self, orders: Sequence[tuple[str, int]]) -> Trades:
        """Return what the engine trades of orders, market by market as they open on a day.

        The first time, what it refuses is kept.
        """
        books = self._opened()
        found: dict[tuple[int, bool], Trade] = {}
        for symbol, order in sorted(orders, key=lambda each: place_of(each[0])):
            column = self._panel.symbols.index(symbol)
            order = max(order, -books.shares[column])  # nothing is sold short
            if not order or not books.tradable(column):
                continue
            traded = books.trade(column, order)
            if traded.shares:
                key, new = (column, traded.shares > 0), Trade(traded.shares, traded.price, traded.costs)
                found[key] = _added(found[key], new) if key in found else new
        if self.refused is None:
            self.refused = {}
            for _, symbol, shares, reason in books.diary.rejections:
                done = "bought" if shares > 0 else "sold"
                text = f"{abs(shares):,} shares not {done}: {REASONS[reason]}"
                self.refused.setdefault(symbol, []).append(text)
        return found

    def priced(self, shares: Mapping[tuple[int, bool], int], actual: Trades) -> Trades:
        """Return shares at the engine's prices and costs; at those paid where it has no price."""
        found = {}
        for (column, buys), count in shares.items():
            filled = self._books.priced(column, count)
            known = math.isfinite(filled.price)
            price = filled.price if known else actual[column, buys].price
            costs = filled.commission + filled.fee if known else actual[column, buys].costs
            found[column, buys] = Trade(count, price, costs if math.isfinite(costs) else 0.0)
        return found


def _added(one: Trade, other: Trade) -> Trade:
    """Return two trades of a fund as one, at their average price."""
    shares = one.shares + other.shares
    price = (one.shares * one.price + other.shares * other.price) / shares
    return Trade(shares, price, one.costs + other.costs)


def _together(fills: Sequence[Row], panel: Panel) -> Trades:
    """Return fills by fund and direction, at their average price; costs NaN where a fill does not say.

    Money is in the currency of the account.
    """
    worth = panel.market.money[-1].tolist()
    found: dict[tuple[int, bool], list[Row]] = {}
    for row in fills:
        if row.shares:
            found.setdefault((panel.symbols.index(row.symbol), row.shares > 0), []).append(row)
    trades = {}
    for key, rows in found.items():
        shares = sum(row.shares for row in rows)
        paid = math.fsum(row.shares * (row.price or 0.0) for row in rows)
        costs = math.fsum(math.nan if row.costs is None else row.costs for row in rows)
        trades[key] = Trade(shares, paid / shares * worth[key[0]], costs * worth[key[0]])
    return trades


def _within(actual: Trades, ours: Sequence[tuple[str, int]], panel: Panel) -> dict[tuple[int, bool], int]:
    """Return what of the trades orders of ours asked for."""
    asked: dict[tuple[int, bool], int] = {}
    for symbol, order in ours:
        key = panel.symbols.index(symbol), order > 0
        asked[key] = asked.get(key, 0) + order
    return {
        key: (min if key[1] else max)(trade.shares, asked[key])
        for key, trade in actual.items()
        if key in asked
    }


def _difference(
    signal: Signal,
    panel: Panel,
    steps: Sequence[Trades],
    ours: Sequence[tuple[str, int]],
    actual: Trades,
    refused: Mapping[str, Sequence[str]],
) -> Reconciliation:
    equity = Fraction(signal.equity)
    mark, worth = panel.market.mark[-1].tolist(), panel.market.money[-1].tolist()
    concerned = sorted(
        {column for step in steps for column, _ in step} | {panel.symbols.index(each) for each, _ in ours}
    )
    whole: dict[str, Fraction] = dict.fromkeys(CAUSES, Fraction(0))
    funds = []
    for column in sorted(concerned):
        earned = [_earned(step, column, mark[column], panel) for step in steps]
        parts = {
            cause: (after - before) / equity * BASIS_POINTS
            for cause, (before, after) in zip(CAUSES, pairwise(earned), strict=True)
        }
        for cause, part in parts.items():
            whole[cause] += part
        symbol = panel.symbols[column]
        funds.append(
            FundDifference(
                symbol,
                *_net(steps[0], column, worth[column]),
                sum(shares for name, shares in ours if name == symbol),
                *_net(actual, column, worth[column]),
                tuple(refused.get(symbol, ())),
                {cause: float(part) for cause, part in parts.items()},
            )
        )
    total = sum(whole.values(), Fraction(0))
    return Reconciliation(
        signal.day,
        signal.equity,
        float(total),
        float(total * equity / BASIS_POINTS),
        {cause: float(part) for cause, part in whole.items()},
        tuple(funds),
        tuple(
            panel.symbols[column] for (column, _), trade in actual.items() if not math.isfinite(trade.costs)
        ),
    )


def _earned(trades: Trades, column: int, mark: float, panel: Panel) -> Fraction:
    """Return what the trades in a fund have earned by the close, exactly."""
    total = Fraction(0)
    for buys in (False, True):
        trade = trades.get((column, buys))
        if trade is None:
            continue
        if not math.isfinite(mark):
            raise DataError(
                f"{panel.symbols[column]} traded, and has no price on {panel.days[-1]}",
                hint="Import its bars.",
            )
        total += trade.shares * (Fraction(mark) - Fraction(trade.price)) - Fraction(trade.costs)
    return total


def _net(trades: Trades, column: int, worth: float) -> tuple[int, float | None]:
    """Return the net shares of a fund that traded, and the price if all went in one direction.

    The price is in the currency of the fund, which is ``worth`` so much.
    """
    mine = [trade for (each, _), trade in trades.items() if each == column]
    return sum(trade.shares for trade in mine), mine[0].price / worth if len(mine) == 1 else None


def _require(row: Row, panel: Panel, day: date) -> None:
    if row.symbol not in panel.symbols:
        raise UsageError(
            f"{row.where}: {row.symbol} is not among the funds of the run",
            hint=f"{did_you_mean(row.symbol, panel.symbols)} Add funds with --symbols or --universe.",
        )
    if row.day is not None and row.day != day:
        raise UsageError(
            f"{row.where}: another session", received=row.day, limit=f"{day}, that of the orders"
        )
