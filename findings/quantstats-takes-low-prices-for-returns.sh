#!/bin/sh
# A fund that trades below one yuan has no drawdown, and a Sharpe ratio of hundreds, in quantstats.
#
# quantstats 0.0.86 (pandas 3.1.1) takes prices or returns in the same functions, and tells them apart by size:
#
# - where it needs prices, a series whose highest value is below 1 is taken for returns. Most A-share ETFs trade
#   between 0.5 and 2 yuan. Of a fund that falls from 0.90 to 0.72, by a fifth, max_drawdown is 0 and the ulcer
#   index too; of the same prices times two, both are right;
# - where it needs returns, prices count as such only if the highest is above 1: below, 0.85 is a day of +85 %, and
#   the Sharpe ratio of the fund, which lost money, is above a hundred;
# - the other way round, returns of which none is negative and one is above 1 (the day of a split that nobody
#   recorded, in a month without a loss) are taken for prices: volatility comes out a thousand times as large.
#
# No option says what a series is; pass returns where nothing is above 100 %. Fails if any of this changes. Needs Python
# 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check quantstats==0.0.86 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pandas as pd
from quantstats import stats

days = pd.bdate_range("2024-01-02", periods=121)
rise = np.linspace(0.85, 0.90, 41)
fund = pd.Series(np.concatenate([rise, np.linspace(0.90, 0.72, 81)[1:]]).round(3), days)
fall = float((fund / fund.cummax() - 1.0).min())
own = fund.pct_change().dropna()
sharpe = float(own.mean() / own.std() * 252**0.5)

print(f"the fund: from 0.90 to 0.72, {fall:.1%}; Sharpe ratio {sharpe:.2f}")
low = stats.max_drawdown(fund), stats.ulcer_index(fund), stats.sharpe(fund)
high = stats.max_drawdown(2.0 * fund), stats.ulcer_index(2.0 * fund), stats.sharpe(2.0 * fund)
print(f"its prices:        drawdown {low[0]:.1%}, ulcer index {low[1]:.3f}, Sharpe ratio {low[2]:.2f}")
print(f"its prices, twice: drawdown {high[0]:.1%}, ulcer index {high[1]:.3f}, Sharpe ratio {high[2]:.2f}")
assert round(fall, 3) == -0.2 and sharpe < -5.0, (fall, sharpe)
assert low[0] == 0.0 and low[1] == 0.0 and low[2] > 100.0, low
assert round(high[0], 3) == -0.2 and high[1] > 0.05 and abs(high[2] - sharpe) < 0.01, high

month = pd.Series(0.001, days[:21])
month.iloc[10] = 1.2  # one for 2.2 that nobody recorded
true, said = float(month.std() * 252**0.5), float(stats.volatility(month))
print(f"a month with a day of +120 %: volatility {true:.1f} by hand, {said:.0f} said")
assert said > 100.0 * true, (said, true)
PYTHON
