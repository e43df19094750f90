"""The books of one account: what corporate actions, fills and interest do to cash and shares.

One session, in order; every engine that keeps one account at a time does exactly this:

1. ``open_session``: corporate actions of the session, then receivables that are due;
2. ``orders_for``: target weights become orders, sized with the reference prices and the equity at them;
3. ``trade``: each order is filled, cut or rejected (``engine.kernel.fills``), sells first;
4. ``close_session``: interest on the cash held overnight, marks, equity.

What did not trade is a rejection and expires, but for purchases over two markets that wait for money
(``engine.simulation.carried``). In tranches the books of the sleeves are kept beside the account's
(``engine.simulation.tranches``): ``orders_for`` says whose session it is.

A session costs what is held and ordered, whatever number of funds there is.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence
from typing import NamedTuple

from data.facts.actions import ENDS, Event
from data.panel.panel import Panel
from engine.kernel.costs import interest
from engine.kernel.fills import (
    CASH,
    NOT_LISTED,
    PARTICIPATION,
    TRADES,
    Filled,
    Quote,
    blocked,
    charge,
    fill_order,
    most_shares,
    slippage_of,
    terms_of,
)
from engine.kernel.sizing import fraction_left, investable, size_order, split_shares
from engine.kernel.targets import ALL
from engine.simulation.board import Board, Columns
from engine.simulation.carried import CarriedOver
from engine.simulation.diary import Diary
from engine.simulation.ledger import InvariantError, total_equity
from engine.simulation.sleeves import whole_sale
from engine.simulation.tape import nights_before, opening_of
from engine.simulation.tranches import Tranches
from engine.spec import Conditions


class Place(NamedTuple):
    """Where an order trades that does not trade at the fill point, and its own limit price, NaN for none.

    ``waits``: what the market or the volume of the session leave of it is not rejected, but handed back.
    """

    price: float
    limit: float
    waits: bool


class Traded(NamedTuple):
    """What became of an order: its fill, the shares that may trade later, and why the others did not."""

    shares: int
    price: float
    costs: float
    left: int
    reason: int


class Books:
    """Cash, receivables and shares of one account; ``diary`` has what happened to them."""

    def __init__(self, panel: Panel, first: int, last: int, conditions: Conditions) -> None:
        costs, fill = conditions.costs, conditions.fill
        market = panel.market
        self.panel = panel
        self.first = first
        self.row = first - 1
        self.cash = float(conditions.cash)
        self.shares = [0] * len(panel.symbols)
        # Money that is owed: the row of payment, the amount, and the action that it is of.
        self.due: list[tuple[int, float, Event]] = []
        self._tranches = Tranches(len(panel.symbols), len(market.events))
        self.carried = CarriedOver(opening_of(panel).tolist())
        self._reserve = conditions.reserve
        self._cash_rate = costs.cash_rate
        self._whole_session = fill == "vwap"
        self._terms = terms_of(costs)
        span = slice(first, last + 1)
        self._board = Board(panel, span, conditions)
        self._events: dict[int, list[Event]] = {}
        for event in market.events:
            self._events.setdefault(event.row, []).append(event)
        self._nights = nights_before(panel.days[span]).tolist()
        self._overnight = 0.0
        self._taken: dict[int, int] = {}
        self.diary = Diary(panel, first, last)

    @property
    def shares(self) -> list[int]:
        """Shares of each fund; ``hold`` changes those of one."""
        return self._shares

    @shares.setter
    def shares(self, shares: list[int]) -> None:
        self._shares = shares
        self.holding = [column for column, held in enumerate(shares) if held]

    def hold(self, column: int, shares: int) -> None:
        """Hold so many shares of a fund; ``holding`` has the columns of those that are held, in order."""
        before, self._shares[column] = self._shares[column], shares
        if shares and not before:
            insort(self.holding, column)
        elif before and not shares:
            self.holding.remove(column)

    def lot(self, column: int) -> int:
        """Return the shares to a lot of a fund in the session."""
        return self._board.lot(column, self.session)

    def tradable(self, column: int) -> bool:
        """Return whether a fund can be ordered in the session: it is listed, and has a reference price."""
        return self._board.tradable(column, self.session)

    @property
    def session(self) -> int:
        """Number of the session within the run, from 0."""
        return self.row - self.first

    @property
    def receivable(self) -> float:
        """Money announced and not paid yet."""
        total = 0.0
        for _, amount, _ in self.due:
            total += amount
        return total

    @property
    def equity(self) -> float:
        """Equity at the marks of the session."""
        return self._equity_at(self._board.mark)

    def _equity_at(self, prices: Columns) -> float:
        session, holding = self.session, self.holding
        shares, price = [self._shares[each] for each in holding], [prices[each][session] for each in holding]
        return total_equity(self.cash, self.receivable, shares, price)

    def open_session(self) -> tuple[Event, ...]:
        """Step to the next session: its corporate actions, then what is due. Return the actions."""
        self._overnight = self.cash
        self._taken.clear()
        self._tranches.begin()
        self.row += 1
        events = tuple(self._events.get(self.row, ()))
        self.carried.begin(events)
        for event in events:
            held = self.shares[event.column]
            if not held:
                continue
            if event.kind == "split":
                self.hold(event.column, split_shares(held, event.ratio))
                self._tranches.split(event.column, event.ratio)
                continue
            each = event.cash
            amount = held * each
            if event.kind == "merge":
                amount = fraction_left(held, event.ratio) * each
                each = amount / held
                self.hold(event.into, self.shares[event.into] + split_shares(held, event.ratio))
                self._tranches.merge(event.column, event.into, event.ratio)
            ends = event.kind in ENDS
            if ends:
                self.hold(event.column, 0)
            self.diary.pay(self.session, "paid_out" if ends else "dividend", amount)
            place = -1 if event.pay_row <= self.row else len(self.due)
            self._tranches.pay(event.column, each, place, ends=ends)
            if event.pay_row <= self.row:
                self.cash += amount
            else:
                self.due.append((event.pay_row, amount, event))
        waiting: list[tuple[int, float, Event]] = []
        for place, (pay_row, amount, event) in enumerate(self.due):
            if pay_row <= self.row:
                self.cash += amount
                self._tranches.collect(place)
            else:
                self._tranches.move(place, len(waiting))
                waiting.append((pay_row, amount, event))
        self.due = waiting
        return events

    def orders_for(
        self, weights: list[float], rank: list[int], tranches: int = 1, sleeve: int = ALL
    ) -> list[tuple[int, int]]:
        """Return (column, signed shares): sells in symbol order, then buys in the order of ``rank``.

        They are those of one of so many sleeves, or of ``ALL``, which share the account from the close on.
        What trades until then is on its books.
        """
        session = self.session
        self._tranches.decide(tranches, sleeve)
        if sleeve == ALL:
            equity = self._equity_at(self._board.reference)
            mine, holding = self.shares, self.holding
        else:
            reference = self.panel.market.reference[self.row].tolist()
            equity = self._tranches.equity(sleeve, self.holding, reference, len(self.due))
            mine = self._tranches.shares(sleeve)
            holding = [column for column, held in enumerate(mine) if held]
        wanted = [column for column, weight in enumerate(weights) if weight]
        equity = investable(equity, _sum_of(weights, rank, wanted), self._reserve)
        orders: dict[int, int] = {}
        for column in sorted({*wanted, *holding}):
            weight, held = weights[column], mine[column]
            if not self.tradable(column):
                # What is held of a fund that is no longer listed waits for its liquidation.
                if weight > 0.0:
                    self.reject(column, 0, NOT_LISTED)
                continue
            price = self._board.reference[column][session]
            order = size_order(weight, equity, price, held, self._lot(column))
            if sleeve != ALL:
                order = whole_sale(order, held, self.shares[column], self._lot(column))
            if order:
                orders[column] = order
        sells = [(column, order) for column, order in orders.items() if order < 0]
        buys = [(column, orders[column]) for column in rank if orders.get(column, 0) > 0]
        return sells + buys

    def exits_for(self, exits: list[int]) -> list[tuple[int, int]]:
        """Return (column, signed shares) that sell all that is held of the funds that ``exits`` name."""
        return [
            (column, -self.shares[column])
            for column in self.holding
            if exits[column] and self.tradable(column)
        ]

    def with_waiting(
        self, orders: list[tuple[int, int]], *, anew: bool, exits: Sequence[int] = ()
    ) -> list[tuple[int, int]]:
        """Return the orders of the session as they trade, after those that waited for it (``CarriedOver``).

        ``anew``: it was decided what the account, or the sleeve, shall hold. ``exits`` are funds that a stop
        puts out.
        """
        return self.carried.first_of(
            orders,
            lambda column: bool(exits and exits[column]) or not self.tradable(column),
            self.lot,
            sleeve=self._tranches.sleeve if anew else None,
        )

    def trade(self, column: int, order: int, place: Place | None = None) -> Traded:
        """Fill ``order`` as far as the market and cash allow, at the fill point or at a ``place`` of its own.

        All orders for a fund together get what one may have of the session's volume.
        """
        session = self.session
        quote = self._quote(column)
        if place is not None:
            quote = quote._replace(base=place.price)
        waits = place is not None and place.waits
        reason = blocked(order, quote, self._whole_session and place is None)
        if reason:
            if not waits:
                self.reject(column, order, reason)
            return Traded(0, quote.base, 0.0, order if waits else 0, reason)
        if place is not None and place.limit == place.limit:
            # A fill is never worse than the order's own limit.
            quote = quote._replace(
                limit_up=min(quote.limit_up, place.limit) if order > 0 else quote.limit_up,
                limit_down=max(quote.limit_down, place.limit) if order < 0 else quote.limit_down,
            )
        beyond = self._beyond_volume(column, order, quote)
        whose = self.carried.sleeve_of(column, self._tranches.sleeve)
        filled = fill_order(order - beyond, quote, self._terms, self._tranches.at_hand(whose, self.cash))
        beyond += filled.over_participation
        if beyond and not waits:
            self.reject(column, beyond, PARTICIPATION)
        if filled.over_cash:
            self.reject(column, filled.over_cash, CASH)
            divides = self._tranches.together > 1
            self.carried.cut(column, filled.over_cash, self._tranches.sleeve, divides=divides)
        if filled.shares:
            self.cash = self._tranches.settle(whose, column, self.cash, filled)
            self.hold(column, self.shares[column] + filled.shares)
            self._taken[column] = self._taken.get(column, 0) + abs(filled.shares)
            reference = self._board.reference[column][session]
            self.diary.fill(session, column, filled, slippage_of(filled, quote), reference)
        costs = filled.commission + filled.fee
        reason = CASH if filled.over_cash else TRADES
        return Traded(filled.shares, filled.price, costs, beyond if waits else 0, reason)

    def priced(self, column: int, order: int) -> Filled:
        """Return the fill of a whole order, whatever the market and cash allow; nothing trades.

        Without a price where the fund does not trade.
        """
        quote = self._quote(column)
        if not quote.volume > 0.0:
            return Filled(order, math.nan, math.nan, math.nan, math.nan, 0.0, 0, 0)
        return charge(order, quote, self._terms, 0.0)

    def close_session(self) -> None:
        """Credit interest for the nights before, mark, and write the session down."""
        session = self.session
        if self._cash_rate > 0.0:
            earned = interest(self._overnight, self._cash_rate, self._nights[session])
            self.diary.pay(session, "interest", earned)
            self.cash += earned
            self._tranches.earn(self._cash_rate, self._nights[session])
        if self._tranches.divides:
            lots, due = self.panel.market.lot[self.row].tolist(), [amount for _, amount, _ in self.due]
            self._tranches.divide(self.cash, self.shares, lots, due)
        receivable, equity = self.receivable, self.equity
        self._tranches.require(self.cash, self.shares, len(self.due), receivable, equity)
        held = [self.shares[column] for column in self.holding]
        self.diary.close(session, self.cash, receivable, equity, self.holding, held)
        if self.cash < 0.0 or min(held, default=0) < 0:
            raise InvariantError(f"cash {self.cash} or shares {self.shares} below zero")

    def _beyond_volume(self, column: int, order: int, quote: Quote) -> int:
        """Return what of an order is too much beside what earlier ones took of the volume, signed."""
        taken = self._taken.get(column)
        if not taken or not self._terms.participation_rate > 0.0:
            return 0
        room = max(most_shares(quote, self._terms) - taken, 0) // quote.lot * quote.lot
        return order - max(min(order, room), -room)

    def _lot(self, column: int) -> int:
        """Shares that are traded at a time: where all sleeves trade as one, whole lots of each."""
        lot = self.lot(column)
        return lot if self.carried.tried(column) else lot * self._tranches.together

    def _quote(self, column: int) -> Quote:
        return self._board.quote(column, self.session, self._lot(column))

    def reject(self, column: int, shares: int, reason: int) -> None:
        """Write down that shares, signed, of an order did not trade in the session, and why."""
        self.diary.reject(self.session, column, shares, reason)


def _sum_of(weights: list[float], rank: list[int], wanted: list[int]) -> float:
    """Return the sum of the weights that are ``wanted``, in buying order, then of what is only reduced."""
    total = 0.0
    for column in rank:
        total += weights[column]
    if len(wanted) > len(rank):
        ranked = set(rank)
        for column in wanted:
            if column not in ranked:
                total += weights[column]
    return total
