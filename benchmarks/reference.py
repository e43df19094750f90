"""The reference engine against plain backtrader: the same decisions on the same feeds.

``python -m benchmarks.reference`` prints medians of both and their ratio, which is what counts on a noisy
machine. Plain backtrader sends the same target shares to its own broker, with its own commission and slippage
and none of the rules of the market; it fills a little differently, and is no oracle.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from benchmarks.workload import CASH, COSTS, FIRST_DECISION, make_workload
from data.panel import Panel
from engine.kernel.rotation import Targets, decision_rows, target_weights
from engine.reference import EPOCH, PanelFeed
from engine.simulate import simulate
from strategies.flow_blend import FlowBlend

FIRST = FIRST_DECISION + 1


class PlainRotation(bt.Strategy):  # type: ignore[misc]
    """Target weights through backtrader's own orders, decided at the close before."""

    params = (("targets", None), ("lot", 100))

    def next(self) -> None:
        """Size at the close, sells first, for the next open."""
        weights = self.p.targets.get(len(self))
        if weights is None:
            return
        value = self.broker.getvalue()
        orders = []
        for data, weight in zip(self.datas, weights, strict=True):
            held = self.getposition(data).size
            order = weight * value / data.close[0] - held
            orders.append((data, int(order / self.p.lot) * self.p.lot))
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
        return max(COSTS.commission_min, abs(size) * price * COSTS.commission_rate)


def plain_backtrader(panel: Panel, targets: Targets, *, pandas_feeds: bool) -> float:
    """Run the targets on backtrader's own broker and return the final value."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(CASH)
    cerebro.broker.addcommissioninfo(PlainCommission())
    cerebro.broker.set_slippage_perc(COSTS.slippage_rate, slip_open=True)
    span = slice(FIRST - 1, None)
    for column, symbol in enumerate(panel.symbols):
        bars = {
            name: getattr(panel.market, name)[span, column]
            for name in ("open", "high", "low", "close", "volume")
        }
        cerebro.adddata(
            _pandas(panel, bars, span) if pandas_feeds else _arrays(panel, bars, span), name=symbol
        )
    # Decided before the open of a session: known at the close of the one before, the bar of that number.
    weights = {
        int(row) - FIRST + 1: line.tolist()
        for row, line in zip(targets.decisions, targets.weights, strict=True)
    }
    cerebro.addstrategy(PlainRotation, targets=weights)
    cerebro.run()
    return float(cerebro.broker.getvalue())


def _arrays(panel: Panel, bars: dict[str, Any], span: slice) -> Any:
    days = panel.days[span].astype(np.int64).astype(np.float64) + EPOCH
    columns = (("datetime", days), *bars.items(), ("openinterest", np.zeros(len(days))))
    return PanelFeed(columns=columns)


def _pandas(panel: Panel, bars: dict[str, Any], span: slice) -> Any:
    return bt.feeds.PandasData(dataname=pd.DataFrame(bars, index=pd.DatetimeIndex(panel.days[span])))


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure in turns, so that noise falls on all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    panel = make_workload("S").panel()
    strategy = FlowBlend(
        z_window=60, lookback=5, margin_weight=0.5, valuation="close", threshold=0.5, rebalance=5, top=5
    )
    known = panel.known
    decisions = decision_rows(5, panel.days, FIRST, len(panel.days) - 1)
    targets = target_weights(
        strategy.scores(known), strategy, decisions, known.listed, known.adjusted_close, panel.symbols
    )
    tasks: dict[str, Callable[[], object]] = {
        "etflow, reference engine": lambda: simulate(panel, targets, first=FIRST, cash=CASH, costs=COSTS),
        "backtrader, same feeds": lambda: plain_backtrader(panel, targets, pandas_feeds=False),
        "backtrader, PandasData": lambda: plain_backtrader(panel, targets, pandas_feeds=True),
    }
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeat):
        for name, work in tasks.items():
            taken[name].append(seconds(work))
    ours = statistics.median(taken["etflow, reference engine"])
    print(f"S: {len(panel.symbols)} funds, {len(panel.days) - FIRST} sessions; median of {repeat}")
    for name, each in taken.items():
        median = statistics.median(each)
        print(f"{name:26} {median:7.3f} s   ours / this {ours / median:5.2f}")


if __name__ == "__main__":
    main()
