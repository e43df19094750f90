#!/bin/sh
# A search whose parameter does nothing is overfitted with probability 1 in one package, and with probability 0 in another.
#
# PBO is the share of choices in sample that are not above the median out of sample. What is at the median counts in
# ffn 1.4.1 (`calc_prob_backtest_overfitting`, logit <= 0) and does not in purgedcv 0.1.11
# (`probability_of_backtest_overfitting`, logit < 0). Both draw the line as their documentation has it; between them:
#
#                                                                    ffn   purgedcv
#   nine levels of a stop that was never reached, all runs alike    1.00       0.00
#   three sets without skill, mean of 60 searches                   0.65       0.27
#   five                                                            0.65       0.43
#   nine                                                            0.59       0.47
#   ten                                                             0.47       0.47
#
# Where the number of sets is odd one of them is the median, and where they trade alike all are. With "reject above one
# half", the usual line, the package decides whether such a search passes. Of ten sets that differ each search has the same
# probability in both. Take an even number of sets, and look at sets that trade alike by themselves. Fails if
# any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  ffn==1.4.1 purgedcv==0.1.11 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pandas as pd
from ffn import calc_prob_backtest_overfitting
from purgedcv import probability_of_backtest_overfitting

DAYS, BLOCKS, SEARCHES = 480, 8, 60
draw = np.random.default_rng(0)


def both(returns):
    ffn = float(calc_prob_backtest_overfitting(pd.DataFrame(returns), n_blocks=BLOCKS))
    return ffn, float(probability_of_backtest_overfitting(returns.T, n_splits=BLOCKS).pbo)


copies = both(np.repeat(draw.normal(0.0005, 0.01, (DAYS, 1)), 9, axis=1))
print("nine copies of one run:", copies)
assert copies == (1.0, 0.0), copies
means = {}
for sets in (3, 5, 9, 10):
    found = [both(draw.normal(0.0, 0.01, (DAYS, sets))) for _ in range(SEARCHES)]
    means[sets] = [round(sum(each) / SEARCHES, 3) for each in zip(*found, strict=True)]
    print(f"{sets} sets without skill, mean of {SEARCHES} searches:", means[sets])
    alike = all(abs(one - other) < 1e-12 for one, other in found)
    assert alike == (sets == 10), found
assert means[3][0] > 0.6 and means[3][1] < 0.4, means
assert means[5][0] > 0.6 and means[5][1] < 0.46, means
PYTHON
