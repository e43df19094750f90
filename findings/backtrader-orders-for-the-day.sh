#!/bin/sh
# Of three ways to say "for the day" in backtrader, one never expires, and on daily bars the others never trade.
#
# backtrader 1.9.78.123. `Strategy.buy` documents `valid=Order.DAY`, `valid=0` and `valid=timedelta()` as one and
# the same: an order for the day. With daily bars, a limit order sent at the close of the first bar of a fund that
# falls by one a bar:
#
# - at 39, which the very next bar trades at: with Order.DAY and timedelta() it expires on that bar, unfilled;
#   only `valid=0` buys;
# - at 30, which is traded ten bars later: with Order.DAY and timedelta() it expires on the next bar, as it
#   should; with `valid=0` it is alive after two weeks and buys, as one without an end does.
#
# So a backtest on daily bars of orders for the day has no fills, or orders that are good until cancelled,
# according to how the same thing is written; neither is said. `timedelta(3)` does what it says in both cases.
# Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check backtrader==1.9.78.123 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from datetime import timedelta

import backtrader as bt
import pandas as pd

days = pd.bdate_range("2024-01-01", periods=30)
prices = [40.0 - row for row in range(30)]
frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), prices), index=days)
frame = frame.assign(volume=1e6, openinterest=0)


class OneOrder(bt.Strategy):
    params = (("price", 0.0), ("valid", None))

    def __init__(self):
        self.became = []

    def next(self):
        if len(self) == 1:
            self.buy(size=1, exectype=bt.Order.Limit, price=self.p.price, valid=self.p.valid)

    def notify_order(self, order):
        if order.status in (order.Completed, order.Expired):
            self.became.append(f"{order.getstatusname()} on bar {len(self)}")


def became(price, valid):
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(OneOrder, price=price, valid=valid)
    (strategy,) = cerebro.run()
    (answer,) = strategy.became
    return answer


for name, valid, expected in (
    ("Order.DAY", bt.Order.DAY, ("Expired on bar 2", "Expired on bar 2")),
    ("timedelta()", timedelta(), ("Expired on bar 2", "Expired on bar 2")),
    ("0", 0, ("Completed on bar 2", "Completed on bar 11")),
    ("None", None, ("Completed on bar 2", "Completed on bar 11")),
    ("timedelta(3)", timedelta(3), ("Completed on bar 2", "Expired on bar 5")),
):
    found = became(39.0, valid), became(30.0, valid)
    print(f"valid={name}: a limit that the next bar trades at: {found[0]}; one ten bars away: {found[1]}")
    assert found == expected, (name, found)
PYTHON
