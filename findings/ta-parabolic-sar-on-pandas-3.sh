#!/bin/sh
# Under pandas 3 the parabolic SAR of ta is another indicator, as soon as prices have dates.
#
# ta 0.11.0 (its newest release, of 2023, which takes any pandas) has a bare `self._psar[i] = high2` in one branch of
# PSARIndicator, i being the number of the row. Until pandas 2 that was a place, with a warning. In pandas 3.1.1 an
# integer is a label: the value goes into a new row at the end, labelled 6 or 71, and the row that was meant keeps a
# level that must not be, from which the next one is computed. No error, and the warning (issue 339) is no more.
#
# The same prices of twenty funds, drawn, of 500 sessions each, with 0, 1, 2, ... and with dates as their index:
#
# - with numbers, psar() is what a plain loop over the rule gives, to the last bit, in every session;
# - with dates psar() has 503 to 518 rows for 500 sessions. Made a column of the prices it is aligned, and the added
#   rows are gone; of its levels 887 of 10,000 are not those of the rule, by up to 3.0 %. In 43 sessions it is on the
#   other side: a stop that was not hit has sold, or the other way round.
#
# Reset the index before the call. Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ta==0.11.0 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W error - <<'PYTHON'
import numpy as np
import pandas as pd
from ta.trend import PSARIndicator

SESSIONS, FUNDS = 500, 20


def bars(seed):
    draw = np.random.default_rng(seed)
    close = 1.5 * np.exp(np.cumsum(draw.normal(0.0, 0.02, SESSIONS)))
    high = close * (1.0 + np.abs(draw.normal(0.0, 0.01, SESSIONS)))
    low = close * (1.0 - np.abs(draw.normal(0.0, 0.01, SESSIONS)))
    return high, low, close


def by_the_rule(high, low, close, step=0.02, most=0.20):
    """Wilder's rule, as ta words it: above neither of the two lows before while up, below neither high while down."""
    sar, ups, up, pace, top, bottom = close.tolist(), [False] * SESSIONS, True, step, high[0], low[0]
    for day in range(2, SESSIONS):
        before = sar[day - 1]
        level = before + pace * (top - before) if up else before - pace * (before - bottom)
        if up and low[day] < level:
            level, up, pace, bottom = top, False, step, low[day]
        elif not up and high[day] > level:
            level, up, pace, top = bottom, True, step, high[day]
        elif up:
            if high[day] > top:
                top, pace = high[day], min(pace + step, most)
            level = low[day - 2] if low[day - 2] < level else min(level, low[day - 1])
        else:
            if low[day] < bottom:
                bottom, pace = low[day], min(pace + step, most)
            level = high[day - 2] if high[day - 2] > level else max(level, high[day - 1])
        sar[day], ups[day] = level, up
    return np.array(sar), np.array(ups)


def of_ta(columns, index):
    indicator = PSARIndicator(*(pd.Series(values, index) for values in columns))
    frame = pd.DataFrame({"close": columns[2]}, index)
    frame["sar"], frame["up"] = indicator.psar(), indicator.psar_up()
    return len(indicator.psar()), frame["sar"].to_numpy(float), frame["up"].notna().to_numpy()


rows, wrong, away, sides = [], 0, 0.0, 0
for seed in range(FUNDS):
    columns = bars(seed)
    rule, up = by_the_rule(*columns)
    count, sar, is_up = of_ta(columns, pd.RangeIndex(SESSIONS))
    assert count == SESSIONS and np.array_equal(sar, rule) and np.array_equal(is_up, up), seed
    count, sar, is_up = of_ta(columns, pd.bdate_range("2024-01-02", periods=SESSIONS))
    rows.append(count)
    wrong += int((sar != rule).sum())
    sides += int((is_up != up).sum())
    away = max(away, float(np.abs(sar / rule - 1.0)[is_up == up].max()))
print(f"with numbers: {SESSIONS} rows, all as by the rule")
print(f"with dates: {min(rows)} to {max(rows)} rows, {wrong} levels of {FUNDS * SESSIONS} wrong, "
      f"by up to {away:.1%}; on the other side in {sides} sessions")
assert (min(rows), max(rows), wrong, sides) == (503, 518, 887, 43), (rows, wrong, sides)
PYTHON
