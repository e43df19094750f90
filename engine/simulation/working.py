"""One order of a backtrader strategy, from the session in which it is sent to the one in which it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import backtrader as bt

from data.errors import StrategyError
from data.numeric.arithmetic import round_down, round_up
from engine.kernel.reach import NEVER
from engine.kernel.sizing import split_shares

Order = bt.Order
# The kinds of order that there are, and which of their prices is a stop, which a limit.
ONE_SESSION = (Order.Market, Order.Close)
STOPS = (Order.Stop, Order.StopLimit, Order.StopTrail, Order.StopTrailLimit)
LIMITS = (Order.StopLimit, Order.StopTrailLimit)
TRAILS = (Order.StopTrail, Order.StopTrailLimit)
KINDS = (*ONE_SESSION, Order.Limit, *STOPS)


@dataclass(eq=False)
class Working:
    """An order that has been sent: ``left`` are shares, signed, that may still trade, ``filled`` that did.

    ``good_until`` is the last day on which it is valid, counted as backtrader does; infinity: no bound.
    ``one_session``: it ends with the next session. ``parent`` is the order that it hangs on, ``group`` are
    the orders of which one cancels the others, itself among them.
    """

    order: Any
    column: int
    number: int
    left: int
    good_until: float = math.inf
    one_session: bool = False
    parent: Working | None = None
    legs: list[Working] = field(default_factory=list)
    group: list[Working] = field(default_factory=list)
    filled: int = 0
    # Of a parent: shares that its legs may still trade; row, part of the session and price of its first fill.
    open: int = 0
    since: int = -1
    part: int = NEVER
    price: float = math.nan

    @classmethod
    def sent(cls, order: Any, column: int, number: int, valid: Any) -> Working:
        """Return an order of backtrader as it is kept; ``valid`` is what the strategy said of it.

        A fraction of a share counts as one. StrategyError for a kind of order that there is not, and for one
        without a price.
        """
        _require_kind(order)
        size = float(order.created.size)
        one_session = valid is not None and not valid  # Order.DAY, 0: backtrader's words for a day
        return cls(
            order=order,
            column=column,
            number=number,
            left=math.ceil(size) if size > 0 else math.floor(size),
            good_until=math.inf if valid is None or one_session else math.floor(float(order.valid)),
            one_session=one_session,
        )

    def join(self, parent: Working | None, other: Working | None) -> None:
        """Let the order hang on ``parent``, and end with ``other`` and those that do so already."""
        if parent is not None:
            self.parent = parent
            parent.legs.append(self)
        if other is not None:
            other.group = other.group or [other]
            self.group = other.group
            self.group.append(self)

    @property
    def kind(self) -> str:
        """What backtrader calls it."""
        name: str = self.order.getordername()
        return name

    @property
    def waits(self) -> bool:
        """Whether it is kept until its price is reached; others have one session."""
        return self.order.exectype not in ONE_SESSION

    @property
    def has_stop(self) -> bool:
        """Whether it has a stop that has not triggered yet."""
        return self.order.exectype in STOPS and not self.order.triggered

    @property
    def trails(self) -> bool:
        """Whether its stop follows the closing price."""
        return self.order.exectype in TRAILS and self.has_stop

    @property
    def wanted(self) -> int:
        """Shares, signed, at the market: of a leg no more than its parent got and no leg gave back."""
        if self.parent is None:
            return self.left
        return max(min(self.left, self.parent.open), -self.parent.open)

    def prices(self, adjustment: float, tick: float) -> tuple[float, float]:
        """Return stop and limit as the exchange counts them, on ticks, NaN for none.

        A limit is rounded to what is no worse than was asked for, a stop to where it triggers no earlier.
        """
        created, buys = self.order.created, self.left > 0
        limit = math.nan
        if self.order.exectype == Order.Limit:
            limit = created.price
        elif self.order.exectype in LIMITS:
            limit = created.pricelimit
        stop = created.price if self.has_stop else math.nan
        outer, inner = (round_up, round_down) if buys else (round_down, round_up)
        return outer(stop / adjustment, tick), inner(limit / adjustment, tick)

    def split(self, ratio: float) -> None:
        """Let its shares follow a split, as holdings do."""
        for name in ("left", "filled", "open"):
            shares = getattr(self, name)
            after = split_shares(abs(shares), ratio)
            setattr(self, name, after if shares > 0 else -after)
        self.resize()

    def resize(self) -> None:
        """Let backtrader's own object say how many shares are left."""
        self.order.size = self.order.created.size = self.left + self.filled
        self.order.executed.remsize = self.left


def _require_kind(order: Any) -> None:
    kind = order.exectype
    names = Order.ExecTypes
    if kind not in KINDS:
        raise StrategyError(
            "an order is of a kind that is not supported",
            received=names[kind] if isinstance(kind, int) and 0 <= kind < len(names) else repr(kind),
            limit=", ".join(names[each] for each in KINDS),
            hint="Send one of these, or decide at the close and send a market order.",
        )


def price_lacking(order: Any) -> bool:
    """Whether an order has not the price that its kind needs: above zero, and a number."""
    prices = [order.created.price] if order.exectype not in ONE_SESSION else []
    prices += [order.created.pricelimit] if order.exectype in LIMITS else []
    return not all(0.0 < price < math.inf for price in prices)
