#!/bin/sh
# The t-value of alpha, in the statistics that RQAlpha uses, exists only where the benchmark stood still on some day.
#
# rqrisk 1.0.13. `alpha_t_value` and `alpha_p_value` answer NaN `if all(benchmark)`, which in Python says that no return is
# zero; that all are NaN is what the lines around it ask. Nothing is said of it.
#
# One strategy of 726 sessions, drawn, against an index of four decimals, which never closes where it did the day before,
# and against the ETF on it, whose close is on a tick of 0.001 and sometimes does:
#
#   benchmark                                        days without change    t-value    p-value
#   index                                                     0               NaN        NaN      (by hand 2.01)
#   index, one of its 726 returns set to zero                 1               2.09      0.037
#   ETF on the index, at 0.9 yuan                            23               2.01      0.045
#
# so that alpha is significant, or unknown, according to what one holds the strategy against. Regress by hand. Fails if any
# of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  rqrisk==1.0.13 statsmodels==0.15.0 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math

import numpy as np
from rqrisk import Risk

draw = np.random.default_rng(2)
index = 3000 * np.exp(np.concatenate([[0.0], np.cumsum(draw.normal(0.0002, 0.012, 726))]))
index = np.round(index, 4)
etf = np.round(index * 0.9 / 3000, 3)
market, fund = np.diff(index) / index[:-1], np.diff(etf) / etf[:-1]
one_zero = market.copy()
one_zero[300] = 0.0
strategy = 0.0012 + 0.9 * market + draw.normal(0.0, 0.008, 726)


def by_hand(ours, theirs):
    """Return the t-value of the constant of a regression on one variable, by its textbook formula."""
    centred = theirs - theirs.mean()
    slope = (centred * ours).sum() / (centred**2).sum()
    constant = ours.mean() - slope * theirs.mean()
    errors = ours - constant - slope * theirs
    variance = (errors**2).sum() / (len(ours) - 2)
    return constant / math.sqrt(variance * (1 / len(ours) + theirs.mean() ** 2 / (centred**2).sum()))


for name, benchmark, zeros in (("index", market, 0), ("index, one zero", one_zero, 1), ("ETF", fund, None)):
    risk, right = Risk(strategy, benchmark, 0.02), by_hand(strategy, benchmark)
    still = int((benchmark == 0).sum())
    print(f"{name:16} days without change {still:3}, t {risk.alpha_t_value:.2f}, p {risk.alpha_p_value:.4f}, "
          f"by hand t {right:.2f}")
    assert zeros is None or still == zeros
    if still:
        assert abs(risk.alpha_t_value - right) < 1e-6
    else:
        assert math.isnan(risk.alpha_t_value) and math.isnan(risk.alpha_p_value) and right > 2
PYTHON
