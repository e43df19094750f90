#!/bin/sh
# In backtrader `close[-5]` on the first bar is the fifth from the END of the data: a price of the future.
#
# backtrader 1.9.78.123: `LineBuffer.__getitem__` is `self.array[self.idx + ago]`. With `preload` (the default) the array
# holds all bars from the start, so that a negative place is Python's, counted from the end. No error, no NaN. The
# documentation says that negative numbers reach into the past, and that `next` waits for indicators; a strategy without
# indicators is called from the first bar on. Bar by bar (`preload=False, runonce=False`) the same expression is an
# IndexError, or, a few bars later, another bar of the past than the one that is meant.
#
# Fails if a later version answers otherwise. Needs Python 3.11 to 3.13 with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check backtrader==1.9.78.123
"$folder/venv/bin/python" - <<'PYTHON'
import datetime

import backtrader as bt


class Bars(bt.feeds.DataBase):
    def start(self):
        super().start()
        self.left = iter(range(1, 101))

    def _load(self):
        day = next(self.left, None)
        if day is None:
            return False
        self.lines.datetime[0] = bt.date2num(datetime.datetime(2024, 1, 1) + datetime.timedelta(days=day))
        self.lines.close[0] = float(day)
        return True


class FiveBack(bt.Strategy):
    def next(self):
        if len(self) == 1:
            seen.append(self.data.close[-5])


def first_bar(**options):
    cerebro = bt.Cerebro(stdstats=False, **options)
    cerebro.adddata(Bars())
    cerebro.addstrategy(FiveBack)
    cerebro.run()


seen = []
first_bar()
print(f"closes are 1, 2, ..., 100; close[-5] on the first bar is {seen[0]}")
assert seen == [96.0], seen
try:
    first_bar(preload=False, runonce=False)
except IndexError as error:
    print(f"bar by bar: IndexError, {error}")
else:
    raise AssertionError(seen)
PYTHON
