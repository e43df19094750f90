#!/bin/sh
# On a fund at 0.60 yuan half of MyTT's MACD crossings are on the wrong day, or are none at all.
#
# MyTT 2.9.3, the formulas of TongDaXin for Python. MACD, BOLL, TRIX and others return their lines rounded to three decimals.
# For a share at 40 yuan that is nothing; for a fund at 0.60 it is the tick, and the two lines of MACD are less than
# that apart. CROSS then compares rounded numbers. A comment beside a helper in the source is all that is said of it.
#
# Forty funds of 1,000 sessions, drawn, with a deviation of 1.7 % a day and prices on the tick of 0.001, at four levels.
# Crossings of the two lines, up and down, by the same averages as they are, and by MyTT:
#
#   price   crossings   missed   false   sessions on the wrong side   histogram of zero
#    0.60        3318     1695    1853              5.9 %                     6.1 %
#    1.00        3340     1164    1208              3.5 %                     3.8 %
#    3.00        3332      432     433              1.2 %                     1.3 %
#   40.00        3332       41      40              0.1 %                     0.2 %
#
# At 0.60 the close is on the other side of the upper band of Bollinger in 166 sessions. The same prices times a million,
# which moves no crossing, give the right ones, to the last. Multiply prices before the call, or use EMA and MA, which do
# not round. Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check MyTT==2.9.3 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W error - <<'PYTHON'
import numpy as np
import pandas as pd
from MyTT import BOLL, CROSS, MACD


def crossings(fast, slow):
    return CROSS(fast, slow) | CROSS(slow, fast)


def by_hand(close):
    """Return DIF and DEA as TongDaXin writes them: EMA(12) - EMA(26), and its EMA(9)."""
    prices = pd.Series(close)
    dif = prices.ewm(span=12, adjust=False).mean() - prices.ewm(span=26, adjust=False).mean()
    return dif.to_numpy(), dif.ewm(span=9, adjust=False).mean().to_numpy()


# in small: sixty sessions up by a tick, sixty down. The lines cross as it begins and as it turns, and not between
close = np.array([*range(600, 660), *range(658, 598, -1)]) / 1000
dif, dea = by_hand(close)
right, rounded = np.flatnonzero(crossings(dif, dea)), np.flatnonzero(crossings(*MACD(close)[:2]))
print(f"up and down by a tick: crossings in sessions {right} by hand, {rounded} in MyTT")
assert list(right) == [1, 60], right
assert len(rounded) > 2, rounded

draw = np.random.default_rng(7)
funds = [np.exp(np.cumsum(draw.normal(0.0, 0.017, 1000))) for _ in range(40)]
missed_share = []
for level in (0.6, 1.0, 3.0, 40.0):
    counts, wrong, zero, bands = np.zeros(3, int), 0.0, 0.0, 0
    for fund in funds:
        close = np.round(level * fund / np.exp(np.log(fund).mean()), 3)
        dif, dea = by_hand(close)
        mine, theirs = crossings(dif, dea), MACD(close)
        seen = crossings(theirs[0], theirs[1])
        large = MACD(close * 1e6)
        assert np.array_equal(mine, crossings(large[0], large[1])), "scaled up, MyTT is right"
        assert np.array_equal(theirs[0], np.round(dif, 3)), "what it returns is the right line, rounded"
        counts += mine.sum(), (mine & ~seen).sum(), (seen & ~mine).sum()
        wrong += ((dif > dea) != (theirs[0] > theirs[1])).mean() / 40
        zero += (theirs[2] == 0).mean() / 40
        upper = pd.Series(close).rolling(20).mean() + 2 * pd.Series(close).rolling(20).std(ddof=0)
        bands += ((close > upper.to_numpy()) != (close > BOLL(close)[0])).sum()
    print(f"{level:6.2f}: {counts[0]} crossings, {counts[1]} missed, {counts[2]} false, "
          f"{wrong:.1%} on the wrong side, histogram zero {zero:.1%}; other side of the upper band {bands}")
    missed_share.append(counts[1] / counts[0])
assert missed_share[0] > 0.45 and missed_share[3] < 0.02, missed_share
assert missed_share == sorted(missed_share, reverse=True)
PYTHON
