#!/bin/sh
# One holiday in three years takes ffn's deflated Sharpe ratio from 0.97 to 0, for every strategy there is.
#
# ffn 1.4.1, `calc_deflated_sharpe_ratio(returns, ratios)`, the annual ratios of all trials given as it asks for by default.
# They are brought to the day by the root of the frequency of the returns, "inferred if not provided". Returns of all
# weekdays are daily, 252; of sessions with one weekday missing, as every exchange has them, no frequency is inferred.
# calc_sharpe then says so and stops. The deflated ratio divides by 1: the hurdle is annual, the ratio that must
# pass it is daily, and nothing passes.
#
# The best of 20 trials of 970 weekdays, with an annual ratio of 2.29:
#
#   all weekdays                           0.969
#   without 12 February 2024               2e-290
#   without it, nperiods=252               0.969
#
# In the same way `to_excess_returns(returns, 0.02)` takes 2 % a year from each return on weekdays, and 2 % from each
# return, a day, without that one. Give nperiods always. Fails if any of this changes. Needs Python 3.11 or later with
# venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ffn==1.4.1 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pandas as pd
from ffn import calc_deflated_sharpe_ratio, calc_sharpe, to_excess_returns

weekdays = pd.bdate_range("2022-01-04", periods=970)
trials = pd.DataFrame(np.random.default_rng(0).normal(0.0, 0.012, (970, 20)), weekdays)
trials[0] += 0.0016
sessions = trials.drop(pd.Timestamp("2024-02-12"))


def deflated(returns, **options):
    ratios = [calc_sharpe(returns[trial], nperiods=252) for trial in returns]
    best = int(np.argmax(ratios))
    return round(float(ratios[best]), 2), float(calc_deflated_sharpe_ratio(returns[best], ratios, **options))


found = {
    "all weekdays": deflated(trials),
    "one weekday missing": deflated(sessions),
    "one missing, nperiods=252": deflated(sessions, nperiods=252),
}
taken = [float((to_excess_returns(each[0], 0.02) - each[0]).mean()) for each in (trials, sessions)]
try:
    said = str(calc_sharpe(sessions[0]))
except ValueError as error:
    said = str(error)
for case, (ratio, probability) in found.items():
    print(f"{case}: annual Sharpe ratio {ratio}, deflated {probability:.3g}")
print("calc_sharpe of the sessions:", said)
print(f"2 % a year taken from each return: {taken[0]:.6f} on weekdays, {taken[1]:.6f} with one missing")
assert said.startswith("Cannot infer return frequency"), said
assert [ratio for ratio, _ in found.values()] == [2.29, 2.29, 2.29], found
assert [round(p, 3) for _, p in found.values()] == [0.969, 0.0, 0.969], found
assert found["one weekday missing"][1] < 1e-100, found
assert abs(taken[0] + 0.02 / 252) < 1e-5 and abs(taken[1] + 0.02) < 1e-12, taken
PYTHON
