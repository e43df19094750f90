#!/bin/sh
# Where every fund has lost money, Riskfolio's portfolio of the largest Sharpe ratio is made of rounding errors.
#
# Riskfolio-Lib 7.4.0, `Portfolio.optimization(obj="Sharpe")`, long only. Where all expected returns are negative no
# portfolio has a positive ratio, and skfolio 1.12.2 says so and stops, as Riskfolio did once (issue 97, of 2022). Now it
# maximises the return with a risk of at most 1 and scales the result to 100 %. Of negative returns the best one is that
# of holding nothing: the weights are zero but for the tolerance of the solver. Divided by their sum they are a
# portfolio, fully invested, without a message.
#
# Six funds of 500 sessions, independent, of one deviation, with mean returns of -0.03 % to -0.08 % a day, a to f. The
# ratio nearest to zero is that of a alone, -0.020. Weights in percent:
#
#                                      a    b    c    d    e    f     ratio
#   Clarabel, variance                73   20    5    1    1    0    -0.030
#   Clarabel, largest drawdown        11    7   29   24   15   14    -0.082
#     of the same returns in percent  18   45   10   24    1    2    -0.056
#   SCS, variance                      7   12   35   17   24    5    -0.077
#     of the same returns in percent  11   11   16    3   17   42    -0.081
#
# If one fund has a mean between nothing and that of cash, there is "no solution", rightly, and None. A rotation that takes
# its weights from the last quarter meets this in every bear market. Hold cash where no mean is above that of cash. Fails
# if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  riskfolio-lib==7.4.0 skfolio==1.12.2 clarabel==0.11.1 scs==3.3.1 cvxpy==1.9.3 \
  numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pandas as pd
import riskfolio
from skfolio.optimization import MeanRisk, ObjectiveFunction

draw = np.random.default_rng(4)
returns = pd.DataFrame(draw.normal(0.0, 0.015, (500, 6)), columns=list("abcdef"))
returns = (returns - returns.mean()) / returns.std() * 0.015 - (0.0003 + 0.0001 * np.arange(6))
means, covariance = returns.mean().to_numpy(), returns.cov().to_numpy()
assert np.allclose(means, [-0.0003, -0.0004, -0.0005, -0.0006, -0.0007, -0.0008])


def ratio(weights):
    return weights @ means / np.sqrt(weights @ covariance @ weights)


def portfolio(solver, risk, unit=1, rf=0.0, of=returns):
    model = riskfolio.Portfolio(returns=of * unit)
    model.solvers = [solver]
    model.assets_stats(method_mu="hist", method_cov="hist")
    return model.optimization(model="Classic", rm=risk, obj="Sharpe", rf=rf)


every = draw.dirichlet(np.full(6, 0.3), 200_000)
best = max(np.einsum("ij,j->i", every, means) / np.sqrt(np.einsum("ij,jk,ik->i", every, covariance, every)))
alone = ratio(np.eye(6)[0])
print(f"ratio of a alone {alone:.3f}, best of 200,000 drawn portfolios {best:.3f}")
assert abs(alone - -0.0003 / 0.015) < 1e-9 and best < alone + 1e-6

found = {}
for solver, risk, unit in (
    ("CLARABEL", "MV", 1), ("CLARABEL", "MDD", 1), ("CLARABEL", "MDD", 100), ("SCS", "MV", 1), ("SCS", "MV", 100)
):
    weights = portfolio(solver, risk, unit)["weights"].to_numpy()
    found[solver, risk, unit] = weights
    print(f"{solver:9} {risk:4} x {unit:3}: {np.round(100 * weights)} ratio {ratio(weights):.3f}")
    assert abs(weights.sum() - 1) < 1e-9 and (weights >= 0).all() and ratio(weights) < alone - 0.005
assert max(abs(found["CLARABEL", "MDD", 1] - found["CLARABEL", "MDD", 100])) > 0.1
assert max(abs(found["CLARABEL", "MV", 1] - found["SCS", "MV", 1])) > 0.1

better = returns.assign(a=returns["a"] + 0.0004)              # a mean of +0.01 %, below cash at 0.02 %
assert portfolio("CLARABEL", "MV", rf=0.0002, of=better) is None
try:
    MeanRisk(objective_function=ObjectiveFunction.MAXIMIZE_RATIO).fit(returns)
except ValueError as error:
    print(f"skfolio: {str(error)[:100]} ...")
else:
    raise SystemExit("skfolio answers too")
PYTHON
