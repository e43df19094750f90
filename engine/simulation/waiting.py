"""The orders of a backtrader strategy that have not ended, and which of them a session reaches.

A session is walked through in four parts (``Waiting.session``): what the open reaches, what fills over the
whole session, what is reached in mid-session, and the close. ``docs/backtrader.md`` has the rules in full;
where in the session a price is reached, ``engine.kernel.reach`` says. What the books do with an order is up
to the broker, which is handed each order that is reached (``trade``) and each that ends otherwise (``end``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.facts.rules import RuleBook
from data.facts.symbols import exchange_or_none, market_of
from engine.kernel.fills import EXPIRED, GROUP, LOT, PARENT
from engine.kernel.reach import ALL_DAY, CLOSE, DURING, NEVER, OPEN, Reached, reach, reach_after
from engine.kernel.sizing import split_shares
from engine.simulation.books import Books
from engine.simulation.feeds import EPOCH, PRICES
from engine.simulation.working import Order, Working

NEVER_REACHED = Reached(NEVER, math.nan, False)
FILL_PART = {"open": OPEN, "vwap": ALL_DAY, "close": CLOSE}


class Waiting:
    """The orders of one strategy that are at the market, or wait until their parent has traded."""

    def __init__(
        self,
        books: Books,
        fill: str,
        trade: Callable[[Working, Reached], None],
        end: Callable[[Working, int], None],
    ) -> None:
        self._books = books
        self._part = FILL_PART[fill]
        self._trade, self._end = trade, end
        self._adjustment = books.panel.market.adjustment
        self._resale: dict[int, NDArray[np.bool_]] = {}
        self._held_back: list[Working] = []
        self._bought: dict[int, int] = {}
        self.orders: list[Working] = []

    # --- orders come and go

    def send(self, order: Working, transmit: bool) -> list[Working]:
        """Take an order; return what is at the market with it: nothing yet where it is not transmitted."""
        self._held_back.append(order)
        if not transmit:
            return []
        root = order.parent or order
        sent = [each for each in self._held_back if (each.parent or each) is root]
        self._held_back = [each for each in self._held_back if each not in sent]
        self.orders += sent
        return sent

    @property
    def every(self) -> tuple[Working, ...]:
        """All orders that have not ended, those that are not transmitted too."""
        return (*self.orders, *self._held_back)

    def of(self, order: Any) -> Working | None:
        """Return what is kept of an order of backtrader; None where it has ended."""
        return next((each for each in self.every if order is not None and each.order.ref == order.ref), None)

    def ended(self, ended: Working) -> None:
        """Forget an order, and end those that end with it."""
        for kept in (self.orders, self._held_back):
            if ended in kept:
                kept.remove(ended)
        for other in [*ended.group, *(ended.parent.legs if ended.parent else ())]:
            if other is not ended:
                self.end(other, GROUP)
        if not ended.filled:
            legs, ended.legs = ended.legs, []
            for leg in legs:
                self.end(leg, PARENT)
        for leg in ended.legs:
            # What the parent did not get, its legs need not give back.
            beyond = abs(leg.left + leg.filled) - abs(ended.filled)
            if beyond > 0 and leg.left:
                self._cut(leg, min(beyond, abs(leg.left)))
        self._close_bracket(ended)

    def end(self, order: Working, reason: int) -> None:
        """End an order that is still there."""
        if order.left and (order in self.orders or order in self._held_back):
            self._end(order, reason)

    def traded(self, order: Working, shares: int, reached: Reached) -> None:
        """Note a fill: what a parent got its legs may give back, what a leg gave back the other may not."""
        order.filled += shares
        if shares > 0:
            self._bought[order.column] = self._bought.get(order.column, 0) + shares
        if order.legs:
            order.open += abs(shares)
            if order.since < 0:
                order.since, order.part, order.price = self._books.row, reached.when, reached.price
        for other in list(order.group):
            if other is not order:
                self.end(other, GROUP)
        if order.parent is not None:
            order.parent.open -= abs(shares)
            self._close_bracket(order.parent)

    def resaleable(self, column: int) -> int:
        """Return the shares of a fund that may be sold now: under T+1 not what the session bought."""
        held: int = self._books.shares[column]
        bought = self._bought.get(column)
        return held if not bought or self._same_session(column) else max(held - bought, 0)

    def _same_session(self, column: int) -> bool:
        """Whether what the session bought of a fund can be sold in it (T+0)."""
        if column not in self._resale:
            panel = self._books.panel
            self._resale[column] = same_session_sales(panel.symbols[column], panel.days)
        return bool(self._resale[column][self._books.row])

    def _close_bracket(self, parent: Working) -> None:
        """End the legs of a parent that is done, once they have given back all that it got."""
        if parent.filled and not parent.open and parent not in self.orders:
            for leg in list(parent.legs):
                self.end(leg, GROUP)

    def _cut(self, leg: Working, shares: int) -> None:
        cut = shares if leg.left > 0 else -shares
        if cut == leg.left:
            self.end(leg, PARENT)
            return
        self._books.reject(leg.column, cut, PARENT)
        leg.left -= cut
        leg.resize()

    # --- a session

    def begin(self, events: Sequence[Any]) -> None:
        """Begin a session: sizes follow splits, as holdings do."""
        self._bought.clear()
        for event in events:
            if event.kind != "split":
                continue
            for each in self.every:
                if each.column == event.column and not split_shares(abs(each.left), event.ratio):
                    self.end(each, LOT)
                elif each.column == event.column:
                    each.split(event.ratio)

    def session(self) -> None:
        """Trade what the session reaches, in the order of its parts, and end what is no longer valid."""
        if not any(each.waits or each.parent or each.one_session for each in self.orders):
            if self._books.carried.opening:
                # Funds of two markets are for rotations alone, which send orders as they trade.
                for each in list(self.orders):
                    self._trade(each, self._reached(each))
            else:
                self._walk_all((self._part, CLOSE))
            return
        day = float(self._books.panel.days[self._books.row].astype(np.int64)) + EPOCH
        for each in [each for each in self.orders if each.good_until < day]:
            self.end(each, EXPIRED)
        live = [each for each in self.orders if self._is_live(each)]
        tried = self._walk_all((OPEN, ALL_DAY, DURING, CLOSE))
        for each in self.orders:
            if each.has_stop and (each in tried or self._reached(each).triggered):
                each.order.triggered = True
        for each in live:
            if each.left and each.trails:
                close = self._books.panel.market.mark[self._books.row, each.column]
                each.order.trailadjust(float(close * self._adjustment[self._books.row, each.column]))
        for each in [each for each in self.orders if each.good_until <= day or each.one_session]:
            self.end(each, EXPIRED)

    def _walk_all(self, parts: Sequence[int]) -> set[Working]:
        tried: set[Working] = set()
        for part in parts:
            for buys in (True, False) if part == DURING else (False, True):
                if self.orders:
                    tried.update(self._walk(part, buys))
        return tried

    def _walk(self, part: int, buys: bool) -> list[Working]:
        """Trade purchases or sales of a part of the session, those with a stop first; return them."""
        found = [(each, self._reached(each)) for each in self.orders if (each.left > 0) == buys]
        due = [(each, reached) for each, reached in found if reached.when == part]
        due.sort(key=lambda pair: self._turn(pair[0], part, buys))
        for each, reached in due:
            if each in self.orders and each.wanted:
                self._trade(each, reached)
        return [each for each, _ in due]

    def _turn(self, each: Working, part: int, buys: bool) -> tuple[int, bool, int]:
        fund = 0 if buys or part == DURING else each.column
        return fund, each.order.exectype == Order.Limit, each.number

    def _is_live(self, each: Working) -> bool:
        parent = each.parent
        return parent is None or (parent.open > 0 and parent.since < self._books.row)

    def _reached(self, each: Working) -> Reached:
        """Return where in the session an order is reached."""
        books, order = self._books, each.order
        row, column = books.row, each.column
        after = not self._is_live(each)
        if after and not self._follows_at_once(each):
            return NEVER_REACHED
        if order.exectype == Order.Market:
            return Reached(self._part, math.nan, True)
        market = books.panel.market
        if order.exectype == Order.Close:
            return Reached(CLOSE, float(market.close[row, column]), True)
        if not books.tradable(column):
            return Reached(OPEN, math.nan, False)  # to be told so
        sold_out = each.left < 0 and books.shares[column] and not self.resaleable(column)
        if sold_out or not market.traded[row, column]:
            return NEVER_REACHED
        stop, limit = each.prices(self._adjustment[row, column], market.tick[row, column])
        open_, high, low, close = (float(getattr(market, name)[row, column]) for name in PRICES)
        if after and each.parent is not None:
            whole = each.parent.part == OPEN
            follow = reach if whole else reach_after
            found = follow(
                each.left > 0, stop, limit, open_ if whole else each.parent.price, high, low, close
            )
            return found._replace(when=DURING) if found.when == OPEN else found
        return reach(each.left > 0, stop, limit, open_, high, low, close)

    def _follows_at_once(self, each: Working) -> bool:
        """Whether a leg sells in the session in which its parent bought, by mid-session and under T+0."""
        parent = each.parent
        return (
            parent is not None
            and parent.open > 0
            and parent.part in (OPEN, DURING)
            and each.left < 0
            and each.waits
            and self._same_session(each.column)
        )


def same_session_sales(symbol: str, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Return on which days a fund can be sold in the session in which it was bought (T+0).

    Not where no rule is on file: a made-up symbol, or a day that the rules do not know.
    """
    found = np.zeros(len(days), dtype=np.bool_)
    if exchange_or_none(symbol) is None:
        return found
    book = RuleBook.load(market_of(symbol))
    known = days[(days >= book.first_day) & (days <= book.known_through)]
    for spell in book.spells("resale", symbol, known):
        found[(days >= spell.first) & (days <= spell.last)] = spell.method == "same_session"
    return found
