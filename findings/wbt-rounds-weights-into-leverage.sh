#!/bin/sh
# A portfolio of 199 funds, a 199th in each, runs on twice its money in czsc's backtest; one of 201 holds nothing.
#
# wbt 0.9.2 (Rust, the WeightBacktest that czsc 1.0 brings) rounds each weight to two decimals by default, half away from
# zero, and does not look at their sum again. `digits` says so; that the rest is not cash, but leverage, nothing does:
#
#   equal weights of      sum after rounding   return a year, with digits=2 and 6   volatility
#    30 funds                    0.90                  12.4 %    13.7 %             17.4 %   19.4 %
#    40                          1.20                  15.9 %    13.2 %             23.4 %   19.5 %
#    66                          1.32                  17.2 %    13.0 %             25.6 %   19.4 %
#    70                          0.70                   9.1 %    13.0 %             13.5 %   19.3 %
#   199                          1.99                  23.4 %    11.7 %             38.7 %   19.5 %
#   201                          0                      0.0 %    11.8 %              0.0 %   19.5 %
#
# The Sharpe ratio is the same in all its digits, since return and risk grow alike, and 多头占比, the share of time long,
# stays at 1, so that nothing but the return is odd. A rotation that holds as many funds as pass a filter changes its leverage from
# day to day. Set digits=6. Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  wbt==0.9.2 numpy==2.4.6 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import pandas as pd
from wbt import WeightBacktest

DAYS = pd.bdate_range("2023-01-02", periods=500)


def run(funds, **options):
    draw = np.random.default_rng(0)
    shape = (len(DAYS), funds)
    returns = draw.normal(0.0008, 0.012, (len(DAYS), 1)) + draw.normal(0.0, 0.01, shape)
    table = pd.DataFrame(
        {
            "dt": np.repeat(DAYS, funds),
            "symbol": np.tile([f"{each:06d}" for each in range(funds)], len(DAYS)),
            "weight": 1.0 / funds,
            "price": np.cumprod(1.0 + returns, axis=0).ravel(),
        }
    )
    stats = WeightBacktest(table, fee_rate=0.0, weight_type="cs", **options).stats
    return [float(stats[name]) for name in ("年化收益", "年化波动率", "夏普比率", "多头占比")]


for funds, total in ((30, 0.9), (40, 1.2), (66, 1.32), (70, 0.7), (199, 1.99), (201, 0.0)):
    rounded, exact = run(funds), run(funds, digits=6)
    print(f"{funds} funds: return, volatility, Sharpe ratio, share long: {rounded}; with digits=6: {exact}")
    for one, other in zip(rounded[:2], exact[:2], strict=True):
        assert abs(one - total * other) < 0.001, (funds, rounded, exact)
    assert total == 0.0 or (rounded[2] == exact[2] and rounded[3] == 1.0), (funds, rounded, exact)
PYTHON
