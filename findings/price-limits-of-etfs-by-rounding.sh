#!/bin/sh
# No library that rounds prices finds the price limits of A-share ETFs, and which ones it misses depends on the library.
#
# Shanghai and Shenzhen take the close before times 0.9 and 1.1, round it half up to the tick, which is 0.001 for an ETF,
# and let nothing trade beyond. A backtest does `(0.9 * close).round(3)`. Of the 9,900 closes from 0.100 to 9.999, how
# many get another limit than the exchange's:
#
#                                                                  upper  lower
#   numpy 2.4.6, pandas 3.1.1, polars 2.1.0, pyarrow 26.0.1          257    429
#   Python's round() and f"{price:.3f}"                              125    362
#   duckdb 2.0.1, round() of a DOUBLE                                122    358
#   polars, pyarrow told to round half up; floor(1000 x + 0.5)         3     60
#   Decimal, rounded half up; whole numbers of ticks                   0      0
#
# All are one tick too low, after closes that end in 5: of those, a tenth of all, the first line misses two in five at
# the lower limit. Two causes add up, half to even and 0.9 x 0.505 in binary, so that mending one leaves the other.
# After 0.505 the exchange stops at 0.455; numpy says 0.454, at which nothing can trade: `close <= limit` is false on
# the day on which there are no buyers, and the backtest sells. Fails if any of this changes. Needs Python 3.11 or
# later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  numpy==2.4.6 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1 duckdb==2.0.1
"$folder/venv/bin/python" -W error - <<'PYTHON'
from decimal import ROUND_HALF_UP, Decimal

import duckdb
import numpy as np
import pandas as pd
import polars
import pyarrow
import pyarrow.compute

ticks = np.arange(100, 10_000)
UPPER, LOWER = (11 * ticks + 5) // 10, (9 * ticks + 5) // 10  # half up, in whole numbers


def by_decimal(factor):
    limits = (Decimal(int(tick)) / 1000 * Decimal(factor) for tick in ticks)
    return [int(1000 * limit.quantize(Decimal("0.001"), ROUND_HALF_UP)) for limit in limits]


assert by_decimal("1.1") == UPPER.tolist() and by_decimal("0.9") == LOWER.tolist()


def by_duckdb(prices):
    table = pyarrow.table({"place": ticks, "price": prices})
    with duckdb.connect() as connection:
        connection.register("prices", table)
        rows = connection.sql("SELECT round(price, 3) FROM prices ORDER BY place").fetchall()
    return [row[0] for row in rows]


ROUNDED = {
    "numpy": lambda prices: np.round(prices, 3),
    "pandas": lambda prices: pd.Series(prices).round(3),
    "polars": lambda prices: polars.Series(prices).round(3),
    "pyarrow": lambda prices: pyarrow.compute.round(pyarrow.array(prices), 3),
    "Python's round": lambda prices: [round(float(price), 3) for price in prices],
    "f-string": lambda prices: [float(f"{price:.3f}") for price in prices],
    "duckdb": by_duckdb,
    "polars, half up": lambda prices: polars.Series(prices).round(3, mode="half_away_from_zero"),
    "pyarrow, half up": lambda prices: pyarrow.compute.round(pyarrow.array(prices), 3, round_mode="half_up"),
    "floor": lambda prices: np.floor(1000 * prices + 0.5) / 1000,
}
closes, found = ticks / 1000, {}
for name, rounded in ROUNDED.items():
    off = []
    for factor, limits in ((1.1, UPPER), (0.9, LOWER)):
        away = np.rint(1000 * np.asarray(rounded(factor * closes), float)).astype(int) - limits
        assert set(away) <= {-1, 0} and (ticks[away != 0] % 10 == 5).all(), name
        off.append(int((away != 0).sum()))
    found[name] = tuple(off)
    print(f"{name:17} upper {off[0]}, lower {off[1]} of {len(ticks)} closes")
half_to_even, exact, half_up = (257, 429), (125, 362), (3, 60)
assert list(found.values()) == [half_to_even] * 4 + [exact] * 2 + [(122, 358)] + [half_up] * 3, found
after = np.flatnonzero(ticks == 505)[0]
assert (UPPER[after], LOWER[after]) == (556, 455) and float(np.round(0.9 * 0.505, 3)) == 0.454
PYTHON
