#!/bin/sh
# One strategy with leverage hides the skill of all others from arch's SPA and StepM, studentized or not.
#
# arch 8.0.0: SPA and StepM take `studentize` (True unless told otherwise) and `nested`, and say "studentization: asymptotic"
# of themselves. The statistic is the largest mean difference all the same, nowhere divided by its deviation: that is
# White's reality check, which Hansen's SPA was written to replace. Only the recentring looks at variances.
#
# Twenty strategies of 750 days, nineteen without skill, one with an annual Sharpe ratio of 2.3, against cash; 40 such
# searches, at 5 %:
#
# - SPA finds the skill in 38 of 40, StepM names that strategy in 38;
# - with one of the nineteen at four times the size, which does not make it better: in 8, and 8;
# - divided by their deviation, as Hansen writes it, from the same draws: in 37, with leverage and without;
# - studentize=True, studentize=False and nested=True give the same p-values to the last bit.
#
# Scale every strategy to one volatility before the call, or divide by hand. Fails if any of this changes. Needs Python
# 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  arch==8.0.0 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 statsmodels==0.15.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from arch.bootstrap import SPA, StationaryBootstrap, StepM

DAYS, STRATEGIES, SEARCHES, LEVERAGE, DRAWS, BLOCK = 750, 20, 40, 4.0, 500, 10
SKILL = 2.3 / 252**0.5 * 0.01
cash = np.zeros(DAYS)


def arch_says(returns, **options):
    test = SPA(cash, -returns, block_size=BLOCK, reps=DRAWS, seed=1, **options)
    test.compute()
    return test.pvalues.to_numpy().tolist()


def by_hand(returns):
    draws = StationaryBootstrap(BLOCK, returns, seed=1).bootstrap(DRAWS)
    means = np.array([given[0].mean(axis=0) for given, _ in draws])
    deviation = means.std(axis=0)
    largest = ((means - returns.mean(axis=0)) / deviation).max(axis=1)
    return float((largest > (returns.mean(axis=0) / deviation).max()).mean())


found = {sized: {"SPA": 0, "StepM": 0, "divided": 0} for sized in ("alike", "one levered")}
for search in range(SEARCHES):
    alike = np.random.default_rng(search).normal(0.0, 0.01, (DAYS, STRATEGIES))
    alike[:, 0] += SKILL
    levered = alike.copy()
    levered[:, 1] *= LEVERAGE
    for sized, returns in (("alike", alike), ("one levered", levered)):
        values = arch_says(returns)
        if search < 5:
            assert values == arch_says(returns, studentize=False) == arch_says(returns, nested=True), values
        steps = StepM(cash, -returns, size=0.05, block_size=BLOCK, reps=DRAWS, seed=1)
        steps.compute()
        found[sized]["SPA"] += values[1] < 0.05
        found[sized]["StepM"] += 0 in steps.superior_models
        found[sized]["divided"] += by_hand(returns) < 0.05
assert "asymptotic" in str(SPA(cash, -alike)), str(SPA(cash, -alike))
for sized, counts in found.items():
    print(f"{sized}: of {SEARCHES} searches, skill found in", counts)
assert min(found["alike"].values()) > 34, found
assert max(found["one levered"]["SPA"], found["one levered"]["StepM"]) < 14, found
assert found["one levered"]["divided"] == found["alike"]["divided"], found
PYTHON
