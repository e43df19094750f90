"""The broker of the reference engine: it keeps our books behind backtrader's interface.

Not used of backtrader's own broker: it rejects whole orders for a gap, fills halted funds, knows no splits
and no lots (each reproduced, see ``docs/decisions.md``).

A strategy of the user's own sends market orders, which live for one session. Whatever of an order does not
trade is a rejection with its reason, so that shares ordered = filled + rejected; a fraction of a share counts
as one. Sizes are shares, money is money; prices that it is shown, of fills and positions too, are adjusted as
its feeds are.
"""

from __future__ import annotations

import collections
import math
from typing import Any

import backtrader as bt

from data.errors import StrategyError
from engine.kernel.fills import CANCELLED, ENDED, LOT, NOT_HELD, NOT_LISTED
from engine.simulation.books import Books


class ShareCommission(bt.CommInfoBase):  # type: ignore[misc]
    """How many shares of one fund an amount of money buys, at a price that is adjusted as its feed is."""

    params = (("percabs", True), ("fund", None))

    def getsize(self, price: float, cash: float) -> int:
        """Return whole shares; none, which is written down, of a fund without a price."""
        size: int = self.p.fund(price, cash)
        return size


class SessionBroker(bt.BrokerBase):  # type: ignore[misc]
    """A broker that keeps our books: whole lots, price limits, halts, splits, expiring orders, long only."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self._books = books
        self.startingcash = books.cash  # backtrader's writers ask for it
        self._orders: list[Any] = []
        self._notifications: collections.deque[Any] = collections.deque()
        self._columns: dict[Any, int] = {}
        self._commissions: dict[Any, ShareCommission] = {}
        self._adjustment = books.panel.market.adjustment
        self.positions: dict[Any, Any] = {}
        self._opened = False

    def start(self) -> None:
        """Learn which feed is which column of the panel."""
        super().start()
        datas = self.cerebro.datas
        self._columns = {data: column for column, data in enumerate(datas)}
        self._commissions = {data: ShareCommission(fund=self._sizing(data)) for data in datas}
        self.positions = {data: bt.Position() for data in datas}

    def stop(self) -> None:
        """Write down what was ordered at the close of the last session."""
        for order in self._orders:
            self._books.reject(self._columns[order.data], _shares(order), ENDED)
        super().stop()

    def open_session(self) -> None:
        """Open the next session once: corporate actions, then receivables that are due."""
        if self._opened:
            return
        self._opened = True
        for event in self._books.open_session():
            position, held = (
                self.positions[self.cerebro.datas[event.column]],
                self._books.shares[event.column],
            )
            # Adjusted prices stay what they are when a fund splits.
            position.set(held, position.price if held else 0.0)
            if event.kind == "merge":
                self._join(event.into)

    def _join(self, column: int) -> None:
        """Let a position have the shares that a merge brought, as if bought at the reference price."""
        books, position = self._books, self.positions[self.cerebro.datas[column]]
        held = books.shares[column]
        joined = held - position.size
        if joined > 0:
            reference = books.panel.market.reference[books.row, column]
            paid = float(reference * self._adjustment[books.row, column])
            position.set(held, (position.size * position.price + joined * paid) / held)

    def next(self) -> None:
        """Trade what was ordered, sells first, and close the session."""
        self.open_session()
        orders, self._orders = self._orders, []
        sells = [order for order in orders if not order.isbuy()]
        sells.sort(key=lambda order: self._columns[order.data])
        for order in sells + [order for order in orders if order.isbuy()]:
            self._execute(order)
        self._books.close_session()
        self._opened = False

    def buy(self, owner: Any, data: Any, size: float, **options: Any) -> Any:
        """Take a market order to buy, good for one session."""
        return self.submit(self._order(bt.order.BuyOrder, owner, data, size, options))

    def sell(self, owner: Any, data: Any, size: float, **options: Any) -> Any:
        """Take a market order to sell, good for one session."""
        return self.submit(self._order(bt.order.SellOrder, owner, data, size, options))

    def submit(self, order: Any) -> Any:
        """Put an order into the queue of the session."""
        order.submit(self)
        order.accept(self)
        self._orders.append(order)
        return order

    def cancel(self, order: Any) -> None:
        """Take an order out of the queue."""
        if order in self._orders:
            self._orders.remove(order)
            self._books.reject(self._columns[order.data], _shares(order), CANCELLED)
            order.cancel()
            self._notify(order)

    def getcash(self) -> float:
        """Return cash."""
        return self._books.cash

    def getvalue(self, datas: Any = None) -> float:
        """Return equity, or the value of the positions in ``datas``, at the marks of the session."""
        books = self._books
        if datas is None:
            return books.equity if books.row >= books.first else books.cash
        columns = [self._columns[data] for data in datas if books.shares[self._columns[data]]]
        return float(sum(books.shares[each] * books.panel.market.mark[books.row, each] for each in columns))

    def getposition(self, data: Any) -> Any:
        """Return the position in a fund: shares, and the adjusted price that was paid for them."""
        return self.positions[data]

    def getcommissioninfo(self, data: Any) -> Any:
        """Return what knows how many shares of a fund an amount of money buys."""
        return self._commissions[data]

    def get_notification(self) -> Any:
        """Return the next message to a strategy, or None."""
        return self._notifications.popleft() if self._notifications else None

    def _sizing(self, data: Any) -> Any:
        def size(price: float, cash: float) -> int:
            books, column = self._books, self._columns[data]
            # What a share costs; without the rounding of a product that is divided again.
            adjusted, raw = data.close[0], data.raw_close[0]
            cost = raw if price == adjusted else price * (raw / adjusted)
            if not cost > 0.0:
                books.reject(column, 0, NOT_LISTED)
                return 0
            return int(cash // cost)

        return size

    def _order(self, kind: Any, owner: Any, data: Any, size: float, options: dict[str, Any]) -> Any:
        exectype = options.get("exectype")
        if exectype not in (None, bt.Order.Market):
            raise StrategyError(
                "the broker takes market orders only",
                received=bt.Order.ExecTypes[exectype],
                hint="Decide at the close and send a market order: it trades on the next session.",
            )
        if not math.isfinite(size):
            raise StrategyError(
                f"an order for {data._name} has no size",
                received=size,
                hint="A fund that is not listed yet has no price to divide by.",
            )
        order = kind(owner=owner, data=data, size=abs(size), exectype=bt.Order.Market)
        order.addcomminfo(self.getcommissioninfo(data))
        return order

    def _execute(self, order: Any) -> None:
        """Trade one order as the books allow; what is left of it is written down, and gone."""
        column, books = self._columns[order.data], self._books
        ordered = _shares(order)
        size = self._permitted(column, ordered)
        shares, price, costs = books.trade(column, size) if size else (0, 0.0, 0.0)
        if not shares:
            order.reject(self)
            self._notify(order)
            return
        adjustment = float(self._adjustment[books.row, column])
        position = self.positions[order.data]
        before = position.price
        size_after, price_after, opened, closed = position.update(shares, price * adjustment)
        order.execute(
            order.data.datetime[0],
            shares,
            price * adjustment,
            closed,
            abs(closed) * before / adjustment,
            costs if closed else 0.0,
            opened,
            opened * price,
            costs if opened else 0.0,
            0.0,
            -closed * (price - before / adjustment),
            size_after,
            price_after,
        )
        if shares == ordered:
            order.completed()
            self._notify(order)
            return
        order.partial()
        self._notify(order)
        order.cancel()
        self._notify(order)

    def _permitted(self, column: int, size: int) -> int:
        """Return what of an order is whole lots, or all that is held; the rest is written down."""
        books = self._books
        if not books.tradable[column]:
            books.reject(column, size, NOT_LISTED)
            return 0
        held, lot = books.shares[column], books.lot[column]
        if size < -held:
            books.reject(column, size + held, NOT_HELD)
            size = -held
        if size != -held and size % lot:
            rest = size - int(size / lot) * lot
            books.reject(column, rest, LOT)
            size -= rest
        return size

    def _notify(self, order: Any) -> None:
        self._notifications.append(order.clone())


def _shares(order: Any) -> int:
    """Return the shares of an order, signed; a fraction of one counts as one."""
    size = float(order.created.size)
    return math.ceil(size) if size > 0 else math.floor(size)
