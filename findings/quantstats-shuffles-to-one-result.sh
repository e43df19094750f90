#!/bin/sh
# All simulated paths of quantstats end at the same value: a goal is reached with probability 1, or with 0.
#
# quantstats 0.0.86 (pandas 3.1.1), `montecarlo` and its like, documented as "a distribution of possible Sharpe ratio
# outcomes" and so on, shuffle the returns, without replacement. A product knows no order. Of a strategy of four years that
# makes 12.2 % a year at a volatility of 19.3 %, from the 5th to the 95th of a hundred paths, beside a bootstrap by hand:
#
#                                            montecarlo            bootstrap
#   return a year (montecarlo_cagr)      12.2 % to 12.2 %     -3.0 % to 29.5 %
#   Sharpe ratio (montecarlo_sharpe)       0.67 to 0.71        -0.06 to 1.42
#   probability of a gain of 50 %              1                   0.56
#   probability of a gain of 60 %              0                   0.51
#
# What moves the Sharpe ratio is the first return of each path, which is lost when levels are made returns again.
# Only drawdowns are simulated. Draw with replacement, in blocks, for an interval. Fails if any of this changes. Needs
# Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  quantstats==0.0.86 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pandas as pd
from quantstats.stats import montecarlo, montecarlo_cagr, montecarlo_sharpe

DAYS, PATHS, YEARS = 1008, 500, 4.0
draw = np.random.default_rng(4)
noise = draw.normal(0.0, 0.012, DAYS)
returns = pd.Series(noise - noise.mean() + 0.00053, pd.bdate_range("2022-01-04", periods=DAYS))


def between(values):
    return [round(float(np.quantile(values, share)), 3) for share in (0.05, 0.95)]


def told(stats):
    return [round(float(stats[name]), 3) for name in ("percentile_5", "percentile_95")]


paths = draw.choice(returns.to_numpy(), (PATHS, DAYS))
ends = np.prod(1.0 + paths, axis=1)
hand = {
    "CAGR": between(ends ** (1.0 / YEARS) - 1.0),
    "Sharpe": between(paths.mean(axis=1) / paths.std(axis=1, ddof=1) * 252**0.5),
    "goals": [round(float((ends >= 1.0 + goal).mean()), 2) for goal in (0.5, 0.6)],
}
theirs = {
    "CAGR": told(montecarlo_cagr(returns, sims=PATHS, seed=1)),
    "Sharpe": told(montecarlo_sharpe(returns, sims=PATHS, seed=1)),
    "goals": [float(montecarlo(returns, sims=PATHS, goal=goal, seed=1).goal_probability) for goal in (0.5, 0.6)],
}
total = float((1.0 + returns).prod() - 1.0)
print(f"the strategy: {total:.3f} in all, {(1 + total) ** (1 / YEARS) - 1:.3f} a year, {returns.std() * 252**0.5:.3f}")
print("quantstats:", theirs)
print("bootstrap by hand:", hand)
assert round(total, 3) == 0.583, total
assert theirs["CAGR"] == [0.122, 0.122] and theirs["goals"] == [1.0, 0.0], theirs
assert theirs["Sharpe"][1] - theirs["Sharpe"][0] < 0.1 and hand["Sharpe"][1] - hand["Sharpe"][0] > 1.0, (theirs, hand)
assert hand["CAGR"][1] - hand["CAGR"][0] > 0.25 and all(0.4 < each < 0.7 for each in hand["goals"]), hand
PYTHON
