#!/bin/sh
# Which loop of a grid is the outer one decides how many trials purgedcv counts, and whether the best of them has skill.
#
# purgedcv 0.1.11: the deflated Sharpe ratio asks for the number of independent trials, and `effective_n_trials(ratios)`
# answers it, "for a correlated search", by the autocorrelation of the ratios in the order of the runs. It is
# documented as a heuristic that takes the order for that of the sampler. A grid has no such order: neighbours in the
# inner loop stand beside each other, neighbours in the outer loop do not.
#
# A rotation among 30 funds without any skill in it, drawn, 30 lookbacks times 10 numbers of funds held, in 40 markets:
#
# - the same 300 ratios, by lookback first or by number first, are 26 or 73 trials in the median, and in one market
#   4 or 57;
# - there the best run has skill with probability 0.85 or 0.36, by nothing but the order of two loops; counted
#   as 300 trials 0.16;
# - 1,000 independent trials of noise are 970; the same ones sorted by their result, as a table of results is, are 3.
#
# Count trials by what they did (clusters of their returns), which knows no order. Fails if any of this changes. Needs
# Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  purgedcv==0.1.11 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from statistics import median

import numpy as np
from purgedcv import deflated_sharpe_ratio, effective_n_trials

DAYS, FUNDS, MARKETS, LONGEST = 1250, 30, 40, 125
LOOKBACKS, HELD = range(5, LONGEST, 4), range(1, 11)


def runs(market):
    returns = np.random.default_rng(market).normal(0.0, 0.015, (DAYS, FUNDS))
    level = np.cumsum(returns, axis=0)
    found = {}
    for lookback in LOOKBACKS:
        momentum = level[LONGEST - 1 : -1] - level[LONGEST - 1 - lookback : -1 - lookback]
        ranking = np.argsort(-momentum, axis=1, kind="stable")
        for held in HELD:
            found[lookback, held] = np.take_along_axis(returns[LONGEST:], ranking[:, :held], 1).mean(axis=1)
    return found


def ratio(returns):
    return float(returns.mean() / returns.std(ddof=1))


counts, skills = [], []
for market in range(MARKETS):
    found = runs(market)
    ratios = {key: ratio(returns) for key, returns in found.items()}
    best, spread = found[max(ratios, key=ratios.get)], float(np.var(list(ratios.values()), ddof=1))
    by_lookback = [ratios[lookback, held] for lookback in LOOKBACKS for held in HELD]
    by_number = [ratios[lookback, held] for held in HELD for lookback in LOOKBACKS]
    count = [effective_n_trials(np.array(each)) for each in (by_lookback, by_number)]
    counts.append(count)
    skills.append([round(deflated_sharpe_ratio(best, n, spread), 2) for n in (*count, len(ratios))])
medians = [median(each) for each in zip(*counts, strict=True)]
widest = max(range(MARKETS), key=lambda market: abs(skills[market][0] - skills[market][1]))
noise = np.random.default_rng(0).normal(0.0, 0.01, (1000, 1250))
noise = noise.mean(axis=1) / noise.std(axis=1, ddof=1)
unsorted, by_result = effective_n_trials(noise), effective_n_trials(np.sort(noise)[::-1])
print(f"trials counted in {len(ratios)}, median of {MARKETS} markets: by lookback, by number first: {medians}")
print(f"market {widest}: {counts[widest]} trials; probability of skill, and of {len(ratios)} trials: {skills[widest]}")
print(f"1,000 trials of noise: {unsorted}; sorted by result: {by_result}")
assert medians[1] > 2 * medians[0], medians
assert counts[widest] == [4, 57] and skills[widest] == [0.85, 0.36, 0.16], (counts[widest], skills[widest])
assert unsorted > 800 and by_result == 3, (unsorted, by_result)
PYTHON
