#!/bin/sh
# A period that begins with its fall has no drawdown in vectorbt, or a smaller one, wherever returns are what is given.
#
# vectorbt 1.2.0, the accessor of returns (`returns.vbt.returns`), as it is used for periods of a backtest, or for returns
# that come from elsewhere. The highest level so far begins after the first return, so that what the first return loses
# is never below anything:
#
# - -10 % on the first day, then +0.1 % a day: max_drawdown() is 0.0, calmar_ratio() NaN, and stats() of the same returns
#   have a total of -4.5 % and no drawdown. empyrical 0.7.1 and quantstats 0.0.86 say -10 %, as by hand;
# - of 200 quarters of walk-forward, drawn, the drawdown of 18 is too small, by up to 2.9 points;
# - a fall of one day is in 9 of the windows of rolling_max_drawdown(10), of the ten that hold it.
#
# Portfolio.max_drawdown() knows the money that was there before, and is right. Put a return of 0 before the first. Fails
# if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  vectorbt==1.2.0 empyrical-reloaded==0.7.1 quantstats==0.0.86 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import empyrical
import numpy as np
import pandas as pd
import quantstats
import vectorbt  # noqa: F401


def by_hand(returns):
    equity, top, deepest = 1.0, 1.0, 0.0
    for value in returns:
        equity *= 1.0 + value
        top = max(top, equity)
        deepest = min(deepest, equity / top - 1.0)
    return deepest


days = pd.bdate_range("2024-01-01", periods=60)
falls = pd.Series(0.001, days)
falls.iloc[0] = -0.10
accessor = falls.vbt.returns(freq="D")
stats = accessor.stats()
others = empyrical.max_drawdown(falls), quantstats.stats.max_drawdown(falls)
print(f"by hand {by_hand(falls):.3f}, empyrical and quantstats {others[0]:.3f} {others[1]:.3f}, "
      f"vectorbt {accessor.max_drawdown():.3f}, its Calmar ratio {accessor.calmar_ratio()}")
print(stats[["Total Return [%]", "Max Drawdown [%]"]].to_dict())
assert accessor.max_drawdown() == 0.0 and np.isnan(accessor.calmar_ratio())
assert round(stats["Total Return [%]"], 1) == -4.5 and np.isnan(stats["Max Drawdown [%]"])
assert all(abs(value - by_hand(falls)) < 1e-12 for value in (*others, -0.1))
before = pd.concat([pd.Series(0.0, [pd.Timestamp("2023-12-29")]), falls])
assert abs(before.vbt.returns(freq="D").max_drawdown() + 0.1) < 1e-12

draw = np.random.default_rng(0)
short = []
for _ in range(200):
    quarter = pd.Series(draw.normal(0.0005, 0.015, 60), days)
    short.append(quarter.vbt.returns(freq="D").max_drawdown() - by_hand(quarter))
number, most = sum(value > 1e-9 for value in short), max(short)
print(f"quarters whose drawdown is too small: {number} of 200, by up to {100.0 * most:.1f} points")
assert (number, round(100.0 * most, 1)) == (18, 2.9), (number, most)

within = pd.Series(0.001, days)
within.iloc[30] = -0.10
rolling = within.vbt.returns(freq="D").rolling_max_drawdown(10)
windows = int((rolling < -0.05).sum()), int((empyrical.roll_max_drawdown(within, 10) < -0.05).sum())
print(f"windows of ten days with the fall of one day: {windows[0]} by vectorbt, {windows[1]} by empyrical")
assert windows == (9, 10), windows
PYTHON
