"""The broker of the reference engine: it keeps our books behind backtrader's interface.

Not used of backtrader's own broker: it rejects whole orders for a gap, fills halted funds, knows no splits
and no lots (each reproduced, see ``docs/decisions.md``).

A strategy of the user's own sends orders at the market, and such with a limit or a stop, which wait
(``engine.simulation.waiting``). Whatever of an order does not trade in the end is a rejection with its
reason, so that shares ordered = filled + rejected. Sizes are shares, money is money; prices that it is shown
and that its orders name, of fills and positions too, are adjusted as its feeds are.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Mapping
from typing import Any

import backtrader as bt

from data.errors import StrategyError
from engine.kernel.fills import CANCELLED, CASH, ENDED, EXPIRED, LOT, NOT_HELD, NOT_LISTED, PARENT, RESALE
from engine.kernel.reach import Reached
from engine.simulation.books import Books, Place, Traded
from engine.simulation.waiting import Waiting
from engine.simulation.working import Working, price_lacking

# What a strategy may say of an order besides its size; what else it says is kept as ``info``.
SAID = ("exectype", "price", "valid", "tradeid", "oco", "trailamount", "trailpercent", "parent")
NOTHING = Traded(0, math.nan, 0.0, 0, 0)


class ShareCommission(bt.CommInfoBase):  # type: ignore[misc]
    """How many shares of one fund an amount of money buys, at a price that is adjusted as its feed is."""

    params = (("percabs", True), ("fund", None))

    def getsize(self, price: float, cash: float) -> int:
        """Return whole shares; none, which is written down, of a fund without a price."""
        size: int = self.p.fund(price, cash)
        return size


def _of_the_run(name: str, option: str) -> Any:
    """Return a method that refuses to change what an option of the run says."""

    def refused(*_given: Any, **_named: Any) -> None:
        raise StrategyError(f"a strategy cannot change its broker: it calls `{name}`", hint=f"Use {option}.")

    return refused


class OneLot(bt.Sizer):  # type: ignore[misc]
    """The size of an order of which none is given: a lot of the fund, the least that trades."""

    def _getsizing(self, comminfo: Any, cash: float, data: Any, isbuy: bool) -> int:
        lot: int = self.broker.lot_of(data)
        return lot


class SessionBroker(bt.BrokerBase):  # type: ignore[misc]
    """A broker that keeps our books: whole lots, price limits, halts, splits, orders that wait, long only.

    ``fill`` is the point of the session at which market orders trade. ``feeds`` are those of the funds that
    are ordered, by column. ``tells``: the strategy is told what becomes of its orders; ours does not ask.
    """

    def __init__(self, books: Books, fill: str, feeds: Mapping[int, Any], *, tells: bool = True) -> None:
        super().__init__()
        self._books, self._feeds = books, feeds
        self.startingcash = books.cash  # backtrader's writers ask for it
        self._waiting = Waiting(books, fill, self._trade, self._end)
        self._tells = tells
        self._number = 0
        self._notifications: collections.deque[Any] = collections.deque()
        self._commissions: dict[Any, ShareCommission] = {}
        self._adjustment = books.panel.market.adjustment
        self.positions: dict[Any, Any] = collections.defaultdict(bt.Position)
        self._opened = False

    def stop(self) -> None:
        """Write down what still waits."""
        for each in self._waiting.every:
            self._books.reject(each.column, each.left, ENDED)
        super().stop()

    def open_session(self) -> None:
        """Open the next session once: corporate actions, then receivables that are due."""
        if self._opened:
            return
        self._opened = True
        events = self._books.open_session()
        self._waiting.begin(events)
        for event in events:
            if event.column not in self._feeds:
                continue  # nobody has ordered it yet
            position, held = self._position(event.column), self._books.shares[event.column]
            # Adjusted prices stay what they are when a fund splits.
            position.set(held, position.price if held else 0.0)
            if event.kind == "merge":
                self._join(event.into)

    def _join(self, column: int) -> None:
        """Let a position have the shares that a merge brought, as if bought at the reference price."""
        books, position = self._books, self._position(column)
        held = books.shares[column]
        joined = held - position.size
        if joined > 0:
            reference = books.panel.market.reference[books.row, column]
            paid = float(reference * self._adjustment[books.row, column])
            position.set(held, (position.size * position.price + joined * paid) / held)

    def _position(self, column: int) -> Any:
        return self.positions[self._feeds[column]]

    def next(self) -> None:
        """Trade what the session reaches of what was ordered, and close the session."""
        self.open_session()
        self._waiting.session()
        self._books.close_session()
        self._opened = False

    def buy(self, owner: Any, data: Any, size: float, **options: Any) -> Any:
        """Take an order to buy."""
        return self._take(bt.order.BuyOrder, owner, data, size, options)

    def sell(self, owner: Any, data: Any, size: float, **options: Any) -> Any:
        """Take an order to sell."""
        return self._take(bt.order.SellOrder, owner, data, size, options)

    def cancel(self, order: Any) -> None:
        """Take an order back, and those that hang on it."""
        working = self._waiting.of(order)
        if working is not None:
            self._waiting.end(working, CANCELLED)

    def get_orders_open(self, safe: bool = False) -> list[Any]:
        """Return the orders that wait, of a parent that has not traded too; ``safe``: copies of them."""
        orders = [each.order for each in self._waiting.orders]
        return [order.clone() for order in orders] if safe else orders

    def getcash(self) -> float:
        """Return cash."""
        return self._books.cash

    def getvalue(self, datas: Any = None) -> float:
        """Return equity, or the value of the positions in ``datas``, at the marks of the session."""
        books = self._books
        if datas is None:
            return books.equity if books.row >= books.first else books.cash
        columns = [data.p.column for data in datas if books.shares[data.p.column]]
        return float(sum(books.shares[each] * books.panel.market.mark[books.row, each] for each in columns))

    # backtrader has both names for them.
    get_cash, get_value = getcash, getvalue

    setcash, set_cash, add_cash = (
        _of_the_run(name, "--cash") for name in ("setcash", "set_cash", "add_cash")
    )
    setcommission = _of_the_run("setcommission", "--cost commission_rate=0.0001 and its like")
    addcommissioninfo = _of_the_run("addcommissioninfo", "--cost commission_rate=0.0001 and its like")
    set_slippage_perc = _of_the_run("set_slippage_perc", "--cost slippage_rate=0.001")
    set_slippage_fixed = _of_the_run("set_slippage_fixed", "--cost slippage_rate=0.001")
    set_filler = _of_the_run("set_filler", "--cost participation_rate=0.1")

    def getposition(self, data: Any) -> Any:
        """Return the position in a fund: shares, and the adjusted price that was paid for them."""
        return self.positions[data]

    def lot_of(self, data: Any) -> int:
        """Return how many shares of a fund are a lot in the session."""
        return self._books.lot(data.p.column)

    def getcommissioninfo(self, data: Any) -> Any:
        """Return what knows how many shares of a fund an amount of money buys."""
        if data not in self._commissions:
            self._commissions[data] = ShareCommission(fund=self._sizing(data))
        return self._commissions[data]

    def get_notification(self) -> Any:
        """Return the next message to a strategy, or None."""
        return self._notifications.popleft() if self._notifications else None

    def _sizing(self, data: Any) -> Any:
        def size(price: float, cash: float) -> int:
            books, column = self._books, data.p.column
            # What a share costs; without the rounding of a product that is divided again.
            adjusted, raw = data.close[0], data.raw_close[0]
            cost = raw if price == adjusted else price * (raw / adjusted)
            if not cost > 0.0:
                books.reject(column, 0, NOT_LISTED)
                return 0
            return int(cash // cost)

        return size

    def _take(self, kind: Any, owner: Any, data: Any, size: float, options: dict[str, Any]) -> Any:
        if not math.isfinite(size):
            raise StrategyError(
                f"an order for {data._name} has no size",
                received=size,
                hint="A fund that is not listed yet has no price to divide by.",
            )
        said = {name: options.pop(name, None) for name in SAID}
        limit, transmit = options.pop("plimit", None), options.pop("transmit", True)
        order = kind(owner=owner, data=data, size=abs(size), pricelimit=limit, transmit=transmit, **said)
        order.addcomminfo(self.getcommissioninfo(data))
        order.addinfo(**options)
        self._number += 1
        working = Working.sent(order, data.p.column, self._number, said["valid"])
        parent = self._waiting.of(said["parent"])
        working.join(parent, self._waiting.of(said["oco"]))
        if price_lacking(order) and data.close[0] == data.close[0]:
            raise StrategyError(
                f"a {working.kind} order for {data._name} has no price",
                received=f"price={said['price']}, plimit={limit}",
                limit="above 0",
            )
        sent = self._waiting.send(working, transmit)
        for each in sent:
            each.order.submit(self)
            self._notify(each.order)
        for each in sent:
            each.order.accept(self)
            self._notify(each.order)
        if price_lacking(order):
            self._waiting.end(working, NOT_LISTED)
        elif said["parent"] is not None and parent is None:
            self._waiting.end(working, PARENT)
        return order

    def _end(self, each: Working, reason: int) -> None:
        """End an order that did not trade, or not as a whole; what is left of it is written down."""
        self._books.reject(each.column, each.left, reason)
        each.left = 0
        if reason in (NOT_LISTED, LOT):
            each.order.reject(self)
        else:
            each.order.cancel()
        if reason == EXPIRED:
            each.order.status = each.order.Expired
        self._notify(each.order)
        self._waiting.ended(each)

    def _trade(self, each: Working, reached: Reached) -> None:
        """Trade an order where it is reached, as the books allow; what may trade later is kept."""
        wanted, order = each.wanted, each.order
        size, later = self._permitted(each, wanted)
        traded = self._books.trade(each.column, size, self._place(each, reached)) if size else NOTHING
        each.left += later + traded.left - wanted
        if traded.shares:
            self._book(each, traded)
            self._notify(order)
        if not each.left and order.status != order.Completed:
            if traded.shares:
                order.cancel()
            elif traded.reason == CASH:
                order.margin()
            else:
                order.reject(self)
            self._notify(order)
        if traded.shares:
            self._waiting.traded(each, traded.shares, reached)
        if not each.left:
            self._waiting.ended(each)

    def _place(self, each: Working, reached: Reached) -> Place | None:
        """Return where an order trades; None: at the fill point, as market orders do."""
        if reached.price != reached.price:
            return None
        row, column = self._books.row, each.column
        tick = self._books.panel.market.tick[row, column]
        _, limit = each.prices(self._adjustment[row, column], tick)
        return Place(reached.price, limit, each.waits)

    def _book(self, each: Working, traded: Traded) -> None:
        """Let position and order of backtrader say what traded, at adjusted prices."""
        order, shares, price = each.order, traded.shares, traded.price
        adjustment = float(self._adjustment[self._books.row, each.column])
        position = self.positions[order.data]
        before = position.price
        size_after, price_after, opened, closed = position.update(shares, price * adjustment)
        order.execute(
            order.data.datetime[0],
            shares,
            price * adjustment,
            closed,
            abs(closed) * before / adjustment,
            traded.costs if closed else 0.0,
            opened,
            opened * price,
            traded.costs if opened else 0.0,
            0.0,
            -closed * (price - before / adjustment),
            size_after,
            price_after,
        )

    def _permitted(self, each: Working, size: int) -> tuple[int, int]:
        """Return what of an order may trade now, and what later; the rest is written down.

        Tradable are whole lots, or all that is held; under T+1 nothing that was bought in the session.
        """
        books, column = self._books, each.column
        if not books.tradable(column):
            books.reject(column, size, NOT_LISTED)
            return 0, 0
        held, lot = books.shares[column], books.lot(column)
        if size < -held:
            books.reject(column, size + held, NOT_HELD)
            size = -held
        if size != -held and size % lot:
            rest = size - int(size / lot) * lot
            books.reject(column, rest, LOT)
            size -= rest
        now = -self._waiting.resaleable(column)
        if size >= now:
            return size, 0
        now = int(now / lot) * lot
        if not each.waits:
            books.reject(column, size - now, RESALE)
            return now, 0
        return now, size - now

    def _notify(self, order: Any) -> None:
        if self._tells:
            self._notifications.append(order.clone())
