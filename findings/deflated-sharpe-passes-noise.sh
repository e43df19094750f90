#!/bin/sh
# Given the annual Sharpe ratio that it asks for, deflated-sharpe finds skill in every search over noise.
#
# deflated-sharpe 0.1.0 documents `observed_sr` of deflated_sharpe_ratio as "Observed (annualized) Sharpe ratio" and
# `num_obs` as the number of observations, and begins with the example of a ratio of 2.0, the best of 1,000 trials in
# 252 days. The formula is one of ratios per observation; nothing divides by the root of 252:
#
# - its own example, which luck alone would give (the best of 1,000 without skill has 3.3 on the average): p = 0.0000;
# - the best of 1,000 strategies without skill, in 200 such searches: all 200 are significant at 5 %. With the
#   ratio per day instead none is;
# - min_backtest_length(1.5, 500), "if your backtest is shorter, no strategy can pass": 14 observations. With the
#   ratio per day it is 2,326, nine years.
#
# Divide before the call, against its documentation. Fails if any of this changes. Needs Python 3.11 or later with
# venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check deflated-sharpe==0.1.0 numpy==2.4.6
"$folder/venv/bin/python" -W error - <<'PYTHON'
import inspect

import numpy as np
from deflated_sharpe import deflated_sharpe_ratio, min_backtest_length

DAYS, TRIALS, SEARCHES = 252, 1000, 200
YEAR = DAYS**0.5
assert "Observed (annualized) Sharpe ratio" in inspect.getdoc(deflated_sharpe_ratio)
draw = np.random.default_rng(0)
best = []
for _ in range(SEARCHES):
    returns = draw.normal(0.0, 0.01, (TRIALS, DAYS))
    best.append(float((returns.mean(axis=1) / returns.std(axis=1, ddof=1)).max()))
mean = YEAR * sum(best) / SEARCHES
annual = sum(deflated_sharpe_ratio(YEAR * ratio, TRIALS, DAYS)[1] < 0.05 for ratio in best)
daily = sum(deflated_sharpe_ratio(ratio, TRIALS, DAYS)[1] < 0.05 for ratio in best)
example, its_daily = deflated_sharpe_ratio(2.0, TRIALS, DAYS), deflated_sharpe_ratio(2.0 / YEAR, TRIALS, DAYS)
print(f"the best annual ratio of {TRIALS} strategies without skill: {mean:.2f} on the average of {SEARCHES} searches")
print(f"the example of a ratio of 2.0: p = {example[1]:.4f} as documented, {its_daily[1]:.4f} per day")
print(f"searches over noise with a significant winner: {annual} as documented, {daily} per day")
lengths = min_backtest_length(1.5, 500), min_backtest_length(1.5 / YEAR, 500)
print(f"least length: {lengths[0]} observations as documented, {lengths[1]} per day")
assert 3.1 < mean < 3.4 and example[1] == 0.0 and its_daily[1] > 0.8, (mean, example, its_daily)
assert annual == SEARCHES and daily < 10, (annual, daily)
assert lengths[0] < 30 and lengths[1] > 2000, lengths
PYTHON
