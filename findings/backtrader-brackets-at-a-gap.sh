#!/bin/sh
# A bracket in backtrader takes the loss where the session opened beyond its profit target.
#
# backtrader 1.9.78.123, `buy_bracket` on daily bars, bought at 100, legs at 95 (stop) and 105 (limit). The next
# session opens at 106 and falls to 94 before it closes at 96. The first price of the day is above the limit, so
# that a resting order to sell at 105 or better has traded, at 106, before anything else can: a gain. backtrader
# looks at the legs in the order in which they were sent, finds that the stop was touched, sells at 95 and
# cancels the limit: a loss. With the limit sent alone the same bar sells at 106, so that it is not the price that
# is in doubt. Where a bar touches both legs from within, nobody can tell which came first, and taking the stop is
# the careful answer; a gap at the open leaves no such doubt. Backtests of brackets across nights lose what they
# won on such days.
#
# Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check backtrader==1.9.78.123 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import backtrader as bt
import pandas as pd

rows = {
    "2024-01-02": (100.0, 100.0, 100.0, 100.0),
    "2024-01-03": (100.0, 101.0, 99.0, 100.0),  # bought at the open
    "2024-01-04": (106.0, 107.0, 94.0, 96.0),  # the gap
    "2024-01-05": (96.0, 97.0, 95.5, 96.0),
}
frame = pd.DataFrame(rows.values(), index=pd.to_datetime(list(rows)), columns=["open", "high", "low", "close"])
frame = frame.assign(volume=1e6, openinterest=0)


class Legs(bt.Strategy):
    params = (("bracket", True),)

    def __init__(self):
        self.sold = []

    def next(self):
        if len(self) > 1:
            return
        if self.p.bracket:
            self.buy_bracket(size=1, exectype=bt.Order.Market, stopprice=95.0, limitprice=105.0)
        else:
            entry = self.buy(size=1, exectype=bt.Order.Market, transmit=False)
            self.sell(size=1, exectype=bt.Order.Limit, price=105.0, parent=entry)

    def notify_order(self, order):
        if order.status == order.Completed and not order.isbuy():
            self.sold.append((f"{self.data.datetime.date(0)}", order.getordername(), order.executed.price))


def sold(bracket):
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(Legs, bracket=bracket)
    (strategy,) = cerebro.run()
    return strategy.sold


print("bracket:    ", sold(True))
print("limit alone:", sold(False))
assert sold(True) == [("2024-01-04", "Stop", 95.0)], sold(True)
assert sold(False) == [("2024-01-04", "Limit", 106.0)], sold(False)
PYTHON
