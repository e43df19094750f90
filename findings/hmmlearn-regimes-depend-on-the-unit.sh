#!/bin/sh
# hmmlearn finds the crises of a year in returns in percent, and a third of them in the same returns in fractions.
#
# hmmlearn 0.3.3, GaussianHMM with two states, as market regimes are looked for. EM maximises a likelihood, which knows no
# unit. But 0.01 (`covars_prior`, documented as a parameter of the prior of the covariances) is added to the sum of
# squared deviations of each state. Of returns in percent that is nothing. In fractions it is a session of 10 %, as much
# as a year of 250 sessions at 0.63 %: a small state is as wide as the prior makes it, so that two of them explain the
# returns hardly better than one.
#
# Ten funds, drawn, of 250 sessions: 180 calm ones at 0.8 % a day, two crises of 40 and 30 at 2 %. Best of three starts:
#
#                                      in percent   in fractions   in fractions, covars_prior=0
#   sessions of crisis that were found     94 %         31 %            94 %
#   calm sessions called a crisis           1 %          0 %             1 %
#   deviation of the calm state            0.78 %       1.21 %          0.78 %
#   deviation of the crisis                1.98 %       3.40 %          1.97 %
#
# All say that they converged. Give returns in percent, or covars_prior=0. Fails if any of this changes. Needs Python
# 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  hmmlearn==0.3.3 scikit-learn==1.7.2 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import logging

import numpy as np
from hmmlearn.hmm import GaussianHMM

logging.disable(logging.WARNING)                             # of steps of EM that made it worse by a hair
crisis = np.zeros(250, bool)
crisis[80:120] = crisis[180:210] = True


def regimes(returns, **prior):
    """Return the deviations of both states and which sessions are in the wilder one, of the best of three fits."""
    column = returns[:, None]
    fits = [GaussianHMM(2, n_iter=300, random_state=seed, **prior).fit(column) for seed in range(3)]
    best = max(fits, key=lambda fit: fit.score(column))
    assert best.monitor_.converged
    deviations = np.sqrt(best.covars_.ravel())
    return deviations.min(), deviations.max(), best.predict(column) == deviations.argmax()


table = {}
for seed in range(10):
    returns = np.random.default_rng(seed).normal(0.0, np.where(crisis, 0.02, 0.008))
    for name, unit, prior in (("percent", 100, {}), ("fractions", 1, {}), ("without prior", 1, {"covars_prior": 0.0})):
        calm, wild, found = regimes(returns * unit, **prior)
        shares = found[crisis].mean(), found[~crisis].mean()
        table.setdefault(name, []).append((*shares, 100 * calm / unit, 100 * wild / unit))
share = {}
for name, rows in table.items():
    found, false = np.mean(rows, axis=0)[:2]
    calm, wild = np.median(rows, axis=0)[2:]
    print(f"{name:14} crises found {found:.0%}, calm ones called a crisis {false:.0%}, "
          f"deviations {calm:.2f} % and {wild:.2f} %")
    share[name] = found
assert share["percent"] > 0.85 and share["fractions"] < 0.5, share
assert abs(share["without prior"] - share["percent"]) < 0.05, share

# by hand: one state, no transitions to speak of. The deviation is that of the sum of squares with 0.01 added to it
returns = np.random.default_rng(3).normal(0.0, 0.003, 250)
squares = ((returns - returns.mean()) ** 2).sum()
one = np.sqrt(GaussianHMM(1).fit(returns[:, None]).covars_.item())
print(f"one state, a deviation of {np.sqrt(squares / 250):.3%} is estimated at {one:.3%}")
assert abs(one - np.sqrt((squares + 0.01) / 250)) < 1e-9 and one > 2 * returns.std()
PYTHON
