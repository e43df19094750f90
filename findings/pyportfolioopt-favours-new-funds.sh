#!/bin/sh
# The newest fund gets half of a minimum-variance portfolio in PyPortfolioOpt, because it did not exist before.
#
# PyPortfolioOpt 1.6.0 takes prices with gaps, and `sample_cov` uses of each pair of funds what both have. Its shrinkage
# estimators, CovarianceShrinkage(prices).ledoit_wolf() and .oracle_approximating(), put 0 where a return is missing:
# before its listing a fund is one that never moves. No warning, and no word in the documentation of either.
#
# Six funds, independent, with the same true volatility of 32 % a year, 500 sessions; the sixth was listed 60
# sessions ago. Its volatility and its weight in the portfolio of least variance, a sixth being right:
#
#   sample_cov            30.6 %   20.4 %        (shrunk_covariance, which starts there, 30.8 % and 19.4 %)
#   ledoit_wolf           13.2 %   53.5 %
#   oracle_approximating  13.3 %   53.3 %
#
# The younger the fund, the more: its variance is that of its own sessions times their share of all. A universe of
# thematic ETFs gets a new one every month. Give it prices of one common period, or funds that have them. Fails if
# any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pyportfolioopt==1.6.0 pandas==3.1.1 numpy==2.4.6 scikit-learn==1.9.1 packaging==26.3  # it does not ask for the last
"$folder/venv/bin/python" -W error::UserWarning - <<'PYTHON'
import numpy as np
import pandas as pd
from pypfopt import CovarianceShrinkage, EfficientFrontier
from pypfopt.risk_models import sample_cov

SESSIONS, YOUNG = 500, 60
draw = np.random.default_rng(0)
days = pd.bdate_range("2024-01-02", periods=SESSIONS)
prices = pd.DataFrame({f"51500{k}": np.exp(draw.normal(0.0, 0.02, SESSIONS).cumsum()) for k in range(6)}, days)
prices.iloc[: SESSIONS - YOUNG, 5] = np.nan
shrinkage = CovarianceShrinkage(prices)
matrices = {
    "sample_cov": sample_cov(prices),
    "shrunk_covariance": shrinkage.shrunk_covariance(),
    "ledoit_wolf": shrinkage.ledoit_wolf(),
    "oracle_approximating": shrinkage.oracle_approximating(),
}
found = {}
for name, covariance in matrices.items():
    frontier = EfficientFrontier(None, covariance)
    frontier.min_volatility()
    weight = frontier.clean_weights()["515005"]
    found[name] = round(100.0 * float(np.sqrt(covariance.iloc[5, 5])), 1), round(100.0 * weight, 1)
    least = np.linalg.solve(covariance.to_numpy(), np.ones(6))  # none is short here, so that this is the answer
    assert abs(least[5] / least.sum() - weight) < 1e-3, (name, least)
    print(f"{name:21} volatility {found[name][0]} %, weight {found[name][1]} %")

returns = prices.pct_change().dropna(how="all")
filled = returns.fillna(0.0)
print(f"returns with 0 before the listing: volatility {100.0 * filled['515005'].std() * 252**0.5:.1f} %")
assert returns["515005"].count() == YOUNG - 1
assert found == {
    "sample_cov": (30.6, 20.4),
    "shrunk_covariance": (30.8, 19.4),
    "ledoit_wolf": (13.2, 53.5),
    "oracle_approximating": (13.3, 53.3),
}, found
PYTHON
