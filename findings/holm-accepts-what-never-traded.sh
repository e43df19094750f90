#!/bin/sh
# A strategy that never traded passes Holm's test in statsmodels; by the other tests it is out, or all are.
#
# statsmodels 0.15.0, `multipletests`. The p-value of a strategy whose returns are all zero is NaN (0 / 0). Four
# others have p-values of 0.001 to 0.010; five are tested at 5 %. The documentation does not speak of NaN, and
# there are four answers, none of which warns:
#
# - holm and holm-sidak reject the hypothesis of no skill for the strategy that never traded too, with an adjusted
#   p-value of NaN. Two such strategies alone both pass. With one honest failure among the others it does not;
# - fdr_bh, fdr_by, the two-stage ones and simes-hochberg flag the four, and make NaN of all five adjusted p-values:
#   who reads the flags has four discoveries, who compares the values with 0.05 has none (that is known, issue 2899);
# - hommel makes NaN of all and flags none;
# - bonferroni and sidak leave it out, and count it among the tests.
#
# scipy 1.17.1 (false_discovery_control) refuses NaN. Drop undefined p-values, and say how many there were. Fails if any
# of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 scipy==1.17.1 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from scipy.stats import false_discovery_control, ttest_1samp
from statsmodels.stats.multitest import multipletests

never = float(ttest_1samp(np.zeros(250), 0.0).pvalue)
p_values = [0.001, 0.004, 0.006, 0.010, never]
assert np.isnan(never)
ALL, NONE, FOUR = [True] * 5, [False] * 5, [True] * 4 + [False]
EXPECTED = {  # flags; how many of the adjusted p-values are numbers
    "holm": (ALL, 4),
    "holm-sidak": (ALL, 4),
    "fdr_bh": (FOUR, 0),
    "fdr_by": (FOUR, 0),
    "fdr_tsbh": (FOUR, 0),
    "fdr_tsbky": (FOUR, 0),
    "simes-hochberg": (FOUR, 0),
    "hommel": (NONE, 0),
    "bonferroni": (FOUR, 4),
    "sidak": (FOUR, 4),
}
for method, (flags, numbers) in EXPECTED.items():
    rejected, adjusted = multipletests(p_values, alpha=0.05, method=method)[:2]
    print(f"{method:14} {rejected.tolist()} {adjusted.round(3).tolist()}")
    assert rejected.tolist() == flags and int(np.isfinite(adjusted).sum()) == numbers, method
    assert multipletests(p_values[:4], alpha=0.05, method=method)[0].all(), method  # without it all is well

by_hand = [min(1.0, max((5 - place) * p_values[place] for place in range(last + 1))) for last in range(4)]
assert np.allclose(multipletests(p_values, method="holm")[1][:4], by_hand), by_hand  # five tests, not four
assert multipletests([never, never], method="holm")[0].all()
assert not multipletests([0.001, 0.3, never], method="holm")[0][2]
try:
    false_discovery_control(p_values)
except ValueError as error:
    print("scipy:", error)
else:
    raise AssertionError("scipy takes NaN")
PYTHON
