#!/bin/sh
# Of returns in fractions instead of percent statsforecast's GARCH expects a tomorrow two to four times as wild as it is.
#
# statsforecast 2.1.1. GARCH(1,1) is fitted by SLSQP from 0.1 for each coefficient. The variance of a fund that moves by
# 1.7 % a day is 0.0003, so that the search begins hundreds of times too high, and mostly stops where it first lands. No
# warning and no scaling; the message of the solver, kept in model_ and not shown, is "Optimization terminated successfully"
# of most of them. The optimum of a likelihood does not depend on the unit; the way there does.
#
# Sixty funds, drawn from a GARCH(1,1) of 0.07 and 0.90 with t-distributed shocks, 1.7 % a day in the long run:
#
#                                              500 sessions   1,000   1,500
#   fits of fractions that missed the optimum       49           46      33      of 60
#     of them "terminated successfully"             39           36      29
#     deviation of tomorrow by the true one        2.6 x        4.3 x   2.1 x    (median; the largest 15 x)
#   fits of percent, by the same call                1            0       5      of 60
#
# Who divides by that forecast, to hold a volatility, holds a quarter of what he should, of one fund and not of the next.
# arch 8.0.0 warns of such a scale. Multiply by 100, and hold the likelihood against that of a constant variance. Fails
# if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsforecast==2.1.1 arch==8.0.0 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
"$folder/venv/bin/python" -W error - <<'PYTHON'
import math
import warnings

import numpy as np
from arch import arch_model
from arch.utility.exceptions import DataScaleWarning
from statsforecast.models import GARCH

CONSTANT, SHOCK, LASTING = 0.017**2 * 0.03, 0.07, 0.90       # a variance of 0.017 ** 2 in the long run


def fund(seed, sessions):
    """Return daily returns of a GARCH(1,1), and the true deviation of the session after them."""
    draw, variance, returns = np.random.default_rng(seed), 0.017**2, []
    for _ in range(sessions + 300):
        returns.append(draw.standard_t(5) * math.sqrt(0.6 * variance))
        variance = CONSTANT + SHOCK * returns[-1] ** 2 + LASTING * variance
    return np.array(returns[300:]), math.sqrt(variance)


def likelihood(returns, coefficients):
    """Return the log-likelihood of a GARCH(1,1) by its definition, begun at the variance of the sample."""
    constant, shock, lasting = coefficients
    variance, total = returns.var(), 0.0
    for before, now in zip(returns[:-1], returns[1:] - returns.mean(), strict=True):
        variance = constant + shock * before**2 + lasting * variance
        total -= 0.5 * (math.log(2 * math.pi * variance) + now**2 / variance)
    return total


for sessions in (500, 1000, 1500):
    missed, praised, ratios, of_percent = 0, 0, [], 0
    for seed in range(60):
        returns, true = fund(seed, sessions)
        fraction, percent = GARCH(1, 1).fit(returns), GARCH(1, 1).fit(100 * returns)
        ours = likelihood(returns, fraction.model_["coeff"])
        theirs = likelihood(returns, percent.model_["coeff"] / [1e4, 1, 1])
        known = likelihood(returns, (CONSTANT, SHOCK, LASTING))
        of_percent += theirs < known - 3
        if ours < theirs - 3:                                # in twenty times less likely a model
            missed += 1
            praised += fraction.model_["message"] == "Optimization terminated successfully"
            ratios.append(math.sqrt(fraction.predict(1)["sigma2"][0]) / true)
    print(f"{sessions} sessions: {missed} of 60 missed, {praised} of them terminated successfully, "
          f"forecast by truth: median {np.median(ratios):.1f}, largest {max(ratios):.0f}; percent missed {of_percent}")
    assert missed > 20 and praised > 0.6 * missed and np.median(ratios) > 1.5 and of_percent < 8

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    arch_model(fund(0, 1000)[0]).fit(disp="off")
assert any(issubclass(warning.category, DataScaleWarning) for warning in said), said
PYTHON
