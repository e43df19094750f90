#!/bin/sh
# The rolling deviation of a fund that stands still is zero in pandas 2.3.3, and not always in pandas 3.1.1.
#
# Two hundred funds trade for 40 sessions and are halted for 30: their returns are zero, their assets constant. The
# deviation of the last 20 sessions is that of 20 equal numbers. How often it is not zero, of 200:
#
#                          returns   assets of 2.8 billion
#   pandas 2.3.3                 0         0
#   pandas 3.1.1                14        68
#   bottleneck 1.6.0           100       100
#   numbagg 0.9.6              200       178       (NaN in 96 and 131 of them)
#   polars 2.1.0                 0         0
#
# pandas 1.5 to 2.3 knew a window of equal values; 3.1.1 keeps what is left of subtracting the sessions before: up to 7e-10 for
# returns. Who weights funds by the inverse of their volatility, and drops infinite ones as he had to, puts the
# whole portfolio into the halted fund. Compute windows afresh, or drop funds by what they traded.
#
# Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/funds.py" <<'PYTHON'
import numpy as np


def funds():
    for seed in range(200):
        draw = np.random.default_rng(seed)
        returns = np.concatenate([draw.normal(0.0, 0.02, 40).round(6), np.zeros(30)])
        assets = np.concatenate([2.8e9 + 1e7 * draw.standard_normal(40).cumsum(), np.full(30, 2.831e9)]).round(2)
        yield returns, assets


def not_zero(deviation):
    """Count, of returns and of assets, how often the last deviation is not zero."""
    last = np.array([[deviation(returns)[-1], deviation(assets)[-1]] for returns, assets in funds()])
    return (last != 0.0).sum(axis=0).tolist(), last
PYTHON
for version in 2.3.3 3.1.1; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check pandas==$version numpy==2.4.6
done
"$folder/3.1.1/bin/pip" install --quiet --disable-pip-version-check bottleneck==1.6.0 numbagg==0.9.6 polars==2.1.0
cd "$folder"
for version in 2.3.3 3.1.1; do
  "$folder/$version/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pandas as pd

from funds import not_zero

counts, last = not_zero(lambda values: pd.Series(values).rolling(20).std().to_numpy())
print("pandas", pd.__version__, counts)
assert counts == {"2.3.3": [0, 0], "3.1.1": [14, 68]}[pd.__version__], counts
if pd.__version__ == "3.1.1":
    left = last[:, 0].max()
    weights = 1.0 / np.array([0.01, 0.02, left])  # two funds that trade, and one that is halted
    share = weights[2] / weights.sum()
    print(f"left of returns: {left:.1e}; share of the halted fund by inverse volatility {share:.4%}")
    assert 5e-10 < left < 7e-10 and share > 0.9999, (left, share)
PYTHON
done
"$folder/3.1.1/bin/python" -W ignore - <<'PYTHON'
import bottleneck
import numbagg
import numpy as np
import polars

from funds import not_zero

found, unknown = {}, {}
for name, deviation in {
    "bottleneck": lambda values: bottleneck.move_std(values, 20, ddof=1),
    "numbagg": lambda values: numbagg.move_std(values, window=20),
    "polars": lambda values: polars.Series(values).rolling_std(20).to_numpy(),
}.items():
    found[name], last = not_zero(deviation)
    unknown[name] = np.isnan(last).sum(axis=0).tolist()
    print(name, found[name], "NaN:", unknown[name])
assert found == {"bottleneck": [100, 100], "numbagg": [200, 178], "polars": [0, 0]}, found
assert unknown == {"bottleneck": [0, 0], "numbagg": [96, 131], "polars": [0, 0]}, unknown
PYTHON
