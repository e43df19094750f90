"""The workload on plain backtrader: its own broker, commission and slippage, target shares sent as orders.

Signal and decisions come from ``definition.Signals``, in numpy; feeds, loop and orders are backtrader's.
Its broker refuses an order that cash does not cover, where the definition cuts it: numbers are approximate.

``python -m benchmarks.peer_backtrader FILE.npz`` is the cold start: imports, one file, one run, one line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import backtrader as bt
import numpy as np

from benchmarks.definition import (
    CASH,
    COMMISSION,
    COMMISSION_MIN,
    FIRST_DECISION,
    LOT,
    SINGLE,
    SLIPPAGE,
    Floats,
    Set,
    Signals,
    performance,
)

if TYPE_CHECKING:
    from benchmarks.workload import Workload

# A feed of one fund: days and bars by name, from the first decision on.
Feed = Callable[[Any, Mapping[str, Floats]], Any]


class PlainRotation(bt.Strategy):  # type: ignore[misc]
    """Target weights through backtrader's own orders, by number of bar, decided at its close."""

    params = (("targets", None),)

    def __init__(self) -> None:
        self.equity: list[float] = []
        self.traded = 0.0

    def notify_order(self, order: Any) -> None:
        """Add up what was traded."""
        if order.status == order.Completed:
            self.traded += abs(order.executed.size) * order.executed.price

    def next(self) -> None:
        """Size at the close, sells first, for the next open."""
        value = self.broker.getvalue()
        self.equity.append(value)
        weights = self.p.targets.get(len(self))
        if weights is None:
            return
        orders = []
        for data, weight in zip(self.datas, weights, strict=True):
            held = self.getposition(data).size
            order = weight * value / data.close[0] - held
            orders.append((data, int(order / LOT) * LOT))
        for data, order in orders:
            if order < 0:
                self.sell(data=data, size=-order)
        for data, order in orders:
            if order > 0:
                self.buy(data=data, size=order)


class PlainCommission(bt.CommInfoBase):  # type: ignore[misc]
    """A rate with a minimum."""

    params = (("percabs", True), ("stocklike", True), ("commtype", bt.CommInfoBase.COMM_PERC))

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
        return max(COMMISSION_MIN, abs(size) * price * COMMISSION)


def pandas_feed(days: Any, bars: Mapping[str, Floats]) -> Any:
    """Return a fund as ``PandasData``, as backtrader's manual does it."""
    import pandas as pd

    return bt.feeds.PandasData(dataname=pd.DataFrame(dict(bars), index=pd.DatetimeIndex(days)))


def array_feed(days: Any, bars: Mapping[str, Floats]) -> Any:
    """Return a fund as the feed that our reference engine uses: whole columns at once."""
    from engine.simulation.feeds import EPOCH, WholeFeed

    numbers = days.astype(np.int64).astype(np.float64) + EPOCH
    return WholeFeed(columns=(("datetime", numbers), *bars.items(), ("openinterest", np.zeros(len(days)))))


def run(data: Any, targets: Mapping[int, Sequence[float]], feed: Feed) -> PlainRotation:
    """Run target weights by number of bar, from 1, on bars from the first decision on."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(CASH)
    cerebro.broker.addcommissioninfo(PlainCommission())
    cerebro.broker.set_slippage_perc(SLIPPAGE, slip_open=True)
    span = slice(FIRST_DECISION, None)
    for column in range(data.close.shape[1]):
        bars = {
            name: np.ascontiguousarray(getattr(data, name)[span, column])
            for name in ("open", "high", "low", "close", "volume")
        }
        cerebro.adddata(feed(data.days[span], bars), name=str(column))
    cerebro.addstrategy(PlainRotation, targets=targets)
    done: PlainRotation = cerebro.run()[0]
    return done


def one(data: Workload, each: Set, feed: Feed) -> tuple[Floats, float]:
    """Return metrics (1, 4) and final equity of one set."""
    targets = {}
    for session, columns, taken in zip(*Signals(data, each.top).chosen(each), strict=True):
        weights = np.zeros(data.close.shape[1])
        weights[columns[taken]] = 1.0 / each.top
        targets[int(session) - FIRST_DECISION + 1] = weights.tolist()
    done = run(data, targets, feed)
    equity = np.array(done.equity)
    return performance(equity[:, None], np.array([done.traded])), float(equity[-1])


def main() -> None:
    with np.load(sys.argv[1]) as file:
        data: Any = SimpleNamespace(**file)
    metrics, _ = one(data, SINGLE, pandas_feed)
    print(*metrics[0])


if __name__ == "__main__":
    main()
