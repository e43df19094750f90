#!/bin/sh
# After one missing price TA-Lib calls a rising fund oversold for ever: its RSI is 0, not NaN, to the end of the data.
#
# TA-Lib 0.8.2 (the wrapper, with its C library 0.8.1), a fund that rises for 300 sessions, one of which, the 51st,
# has no price (a halt, on the calendar of the others). From that session on, to the last:
#
# - SMA, EMA, STDDEV and most others are NaN, as its documentation warns, and as everybody sees;
# - RSI and CMO, PLUS_DI, MINUS_DI and ULTOSC are 0.0, a value of their range, 249 sessions later too, and ADX stays
#   where it was. An RSI of 0 is below every threshold at which one buys, and nothing can be lower: ranked from the
#   most oversold, the fund is first on every day that follows. CORREL of the fund with itself is 0.0 as well.
#
# A check for NaN finds only the first kind. Prices that are missing before the first one are skipped, rightly. Drop
# missing prices before the call, fund by fund. Fails if any of this changes. Needs Python 3.11 or later with venv, and
# a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ta-lib==0.8.2 numpy==2.4.6
"$folder/venv/bin/python" -W error - <<'PYTHON'
import numpy as np
import talib

SESSIONS, HALT = 300, 50
draw = np.random.default_rng(1)
whole = 1.2 * np.exp(np.cumsum(draw.normal(0.002, 0.01, SESSIONS)))
gap = whole.copy()
gap[HALT] = np.nan


def indicators(close):
    bars = close * 1.01, close * 0.99, close
    return {
        "SMA": talib.SMA(close, 14),
        "EMA": talib.EMA(close, 14),
        "STDDEV": talib.STDDEV(close, 14),
        "RSI": talib.RSI(close, 14),
        "CMO": talib.CMO(close, 14),
        "PLUS_DI": talib.PLUS_DI(*bars, 14),
        "MINUS_DI": talib.MINUS_DI(*bars, 14),
        "ULTOSC": talib.ULTOSC(*bars),
        "CORREL": talib.CORREL(close, close, 14),
        "ADX": talib.ADX(*bars, 14),
    }


def rsi_by_hand(close, sessions=14):
    moves = np.diff(close)
    up, down = moves.clip(min=0.0)[:sessions].mean(), (-moves).clip(min=0.0)[:sessions].mean()
    for move in moves[sessions:]:
        up = (up * (sessions - 1) + max(move, 0.0)) / sessions
        down = (down * (sessions - 1) + max(-move, 0.0)) / sessions
    return 100.0 * up / (up + down)


print(f"RSI of the last session by hand, without the halt {rsi_by_hand(whole):.1f}, "
      f"over the sessions with a price {rsi_by_hand(np.delete(gap, HALT)):.1f}")
right, said = indicators(whole), indicators(gap)
for name, values in said.items():
    after = values[HALT + 14 :]
    print(f"{name:9} last {right[name][-1]:8.3f} without the halt, {after[-1]:8.3f} with it")
    if name in ("SMA", "EMA", "STDDEV"):
        assert np.isnan(after).all(), name
    elif name == "ADX":
        assert after[-1] == after[0] != right[name][-1], name
    else:
        assert (after == 0.0).all() and right[name][-1] > 0.9, (name, after[-1], right[name][-1])
assert abs(right["RSI"][-1] - rsi_by_hand(whole)) < 1e-9 and right["RSI"][-1] > 60.0
late = np.concatenate([np.full(HALT, np.nan), whole[HALT:]])
assert abs(talib.RSI(late, 14)[-1] - rsi_by_hand(whole[HALT:])) < 1e-9
PYTHON
