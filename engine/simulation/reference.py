"""The reference engine: backtrader drives the sessions; it defines what is correct.

The only module that knows backtrader. Per session *d*, in the order in which backtrader calls:

1. ``RotationStrategy.next_open`` opens the session on the broker (corporate actions, receivables), asks for
   the target weights decided before the open, and sends the orders (``Books.orders_for``);
2. ``SessionBroker.next`` fills or rejects them at the fill point of *d*, sells first, and closes the session
   (``Books.trade``, ``Books.close_session``);
3. ``next`` of a user's own ``backtrader.Strategy`` sees the bar of *d*; what it orders trades on *d* + 1.

What of backtrader is not used, and why (each reproduced, see ``docs/decisions.md``): its broker (rejects
whole orders for a gap, fills halted funds, knows no splits, no lots), its PandasData (most of its running
time), its PyFolio analyzer (keeps the last fund only), its plots (break every later figure of the process).
"""

from __future__ import annotations

import array
import collections
from typing import Any

import backtrader as bt
import numpy as np

from data.errors import StrategyError
from data.panel.panel import Panel
from engine.simulation.books import Books
from engine.simulation.decisions import Decide, Log
from engine.simulation.ledger import Ledger
from engine.spec import Conditions

# backtrader counts days from 0001-01-01 as 1; numpy from 1970-01-01 as 0.
EPOCH = 719163


class PanelFeed(bt.feed.DataBase):  # type: ignore[misc]
    """One fund of a panel as a backtrader feed: whole columns at once, on every session of the run.

    Halted sessions repeat the mark with volume 0; before its listing a fund is NaN.
    """

    params = (("columns", ()), ("dataname", None))

    def preload(self) -> None:
        """Put the columns into the lines; row by row, as feeds usually do, is most of backtrader's time."""
        for alias, values in self.p.columns:
            line = getattr(self.lines, alias)
            line.array = array.array("d")
            line.array.frombytes(values.tobytes())
        self.home()

    def _tick_nullify(self) -> None:
        """Leave out ticks, which only live feeds and backtrader's own broker use."""

    def _tick_fill(self, force: bool = False) -> None:
        """Leave out ticks."""


class SessionBroker(bt.BrokerBase):  # type: ignore[misc]
    """A broker that keeps our books: whole lots, price limits, halts, splits, expiring orders, long only."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self.books = books
        self.startingcash = books.cash  # backtrader's writers ask for it
        self._orders: list[Any] = []
        self._notifications: collections.deque[Any] = collections.deque()
        self._columns: dict[Any, int] = {}
        self._positions: dict[Any, Any] = {}
        self._opened = False

    def start(self) -> None:
        """Learn which feed is which column of the panel."""
        super().start()
        self._columns = {data: column for column, data in enumerate(self.cerebro.datas)}
        self._positions = {data: bt.Position() for data in self.cerebro.datas}

    def open_session(self) -> None:
        """Open the next session once: corporate actions, then receivables that are due."""
        if self._opened:
            return
        self._opened = True
        for event in self.books.open_session():
            data = self.cerebro.datas[event.column]
            position, held = self._positions[data], self.books.shares[event.column]
            price = position.price / event.ratio if event.kind == "split" and held else position.price
            position.set(held, price if held else 0.0)

    def next(self) -> None:
        """Trade what was ordered, sells first, and close the session."""
        self.open_session()
        orders, self._orders = self._orders, []
        sells = [order for order in orders if not order.isbuy()]
        sells.sort(key=lambda order: self._columns[order.data])
        for order in sells + [order for order in orders if order.isbuy()]:
            self._execute(order)
        self.books.close_session()
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
            order.cancel()
            self._notify(order)

    def getcash(self) -> float:
        """Return cash."""
        return self.books.cash

    def getvalue(self, datas: Any = None) -> float:
        """Return equity, or the value of the positions in ``datas``, at the marks of the session."""
        if datas is None:
            return self.books.equity if self.books.row >= self.books.first else self.books.cash
        market, row = self.books.panel.market, self.books.row
        columns = [self._columns[data] for data in datas]
        return float(sum(self.books.shares[column] * market.mark[row, column] for column in columns))

    def getposition(self, data: Any) -> Any:
        """Return the position in a fund."""
        return self._positions[data]

    def get_notification(self) -> Any:
        """Return the next message to a strategy, or None."""
        return self._notifications.popleft() if self._notifications else None

    def _order(self, kind: Any, owner: Any, data: Any, size: float, options: dict[str, Any]) -> Any:
        exectype = options.get("exectype")
        if exectype not in (None, bt.Order.Market):
            raise StrategyError(
                "the broker takes market orders only",
                received=bt.Order.ExecTypes[exectype],
                hint="Decide at the close and send a market order: it trades on the next session.",
            )
        order = kind(owner=owner, data=data, size=abs(size), exectype=bt.Order.Market)
        order.addcomminfo(self.getcommissioninfo(data))
        return order

    def _execute(self, order: Any) -> None:
        """Trade one order as the books allow; it is completed, or what is left of it is gone."""
        column = self._columns[order.data]
        size = self._permitted(column, int(order.created.size))
        shares, price, costs = self.books.trade(column, size) if size else (0, 0.0, 0.0)
        if not shares:
            order.reject(self)
            self._notify(order)
            return
        position = self._positions[order.data]
        before = position.price
        size_after, price_after, opened, closed = position.update(shares, price)
        order.execute(
            order.data.datetime[0],
            shares,
            price,
            closed,
            abs(closed) * before,
            costs if closed else 0.0,
            opened,
            opened * price,
            costs if opened else 0.0,
            0.0,
            -closed * (price - before),
            size_after,
            price_after,
        )
        if shares == order.created.size:
            order.completed()
        else:
            order.partial()
        self._notify(order)

    def _permitted(self, column: int, size: int) -> int:
        """Return whole lots of a buy, and of a sale no more than is held, for orders of any strategy."""
        lot = int(self.books.panel.market.lot[self.books.row, column])
        if size > 0:
            return size // lot * lot
        held = self.books.shares[column]
        return -held if -size >= held else -(-size // lot * lot)

    def _notify(self, order: Any) -> None:
        self._notifications.append(order.clone())


class RotationStrategy(bt.Strategy):  # type: ignore[misc]
    """Sends the orders of the decided target weights before each open."""

    params = (("decide", None), ("log", None))

    def next_open(self) -> None:
        """Open the session, ask for a decision, send its orders."""
        broker = self.broker
        broker.open_session()
        books = broker.books
        decision = self.p.decide(books)
        if decision is None:
            return
        self.p.log.add(books.row, decision)
        for column, order in books.orders_for(decision.weights, decision.rank):
            data = self.datas[column]
            if order > 0:
                self.buy(data=data, size=order)
            else:
                self.sell(data=data, size=-order)

    # backtrader calls these instead while it thinks that indicators still warm up.
    prenext_open = next_open
    nextstart_open = next_open

    def next(self) -> None:
        """Do nothing at the close."""


def simulate_reference(panel: Panel, decide: Decide, first: int, last: int, conditions: Conditions) -> Ledger:
    """Return the ledger of the sessions ``first`` to ``last``; the module tells the order of events."""
    log = Log()
    books = _run(panel, first, last, conditions, RotationStrategy, {"decide": decide, "log": log})
    return books.ledger(log.targets(len(panel.symbols)))


def simulate_backtrader(
    panel: Panel,
    strategy: type[Any],
    parameters: dict[str, Any],
    first: int,
    last: int,
    conditions: Conditions,
) -> Ledger:
    """Run a plain ``backtrader.Strategy`` on our broker and data; it decides at the close, for the day after.

    Feeds are named by symbol. Only market orders; an order lives for one session.
    """
    books = _run(panel, first, last, conditions, strategy, parameters)
    return books.ledger(Log().targets(len(panel.symbols)))


def _run(
    panel: Panel,
    first: int,
    last: int,
    conditions: Conditions,
    strategy: type[Any],
    parameters: dict[str, Any],
) -> Books:
    books = Books(panel, first, last, conditions)
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    broker = SessionBroker(books)
    broker.cerebro = cerebro
    cerebro.broker = broker
    span = slice(first, last + 1)
    market = panel.market
    day_numbers = panel.days[span].astype(np.int64).astype(np.float64) + EPOCH
    nothing = np.zeros(len(day_numbers))
    for column, symbol in enumerate(panel.symbols):
        mark, traded = market.mark[span, column], market.traded[span, column]
        prices = [
            (name, np.where(traded, getattr(market, name)[span, column], mark))
            for name in ("open", "high", "low", "close")
        ]
        columns = (
            ("datetime", day_numbers),
            *prices,
            ("volume", market.volume[span, column]),
            ("openinterest", nothing),
        )
        cerebro.adddata(PanelFeed(columns=columns), name=symbol)
    cerebro.addstrategy(strategy, **parameters)
    cerebro.run()
    if books.row != last:
        raise RuntimeError(f"backtrader stopped at session {books.row} of {last}")
    return books
