#!/bin/sh
# A drawdown of five A-share sessions lasts eleven days in pyfolio's table, and a loss in the first session is in none.
#
# pyfolio-reloaded 0.10.1 (with empyrical-reloaded 0.7.1, pandas 3.1.1), asked for the drawdowns of one unit of
# money in Shanghai around the Spring Festival of 2024 (closed from 9 to 18 February), by session:
#
# - "Duration" counts Mondays to Fridays between peak and recovery, with no calendar: from 7 to 21 February there
#   are five sessions, both ends included, and the table says eleven. It grows by every holiday, so that drawdowns
#   of the same length are longer in February and October than in July, and no setting changes it;
# - equity begins at the close of the first session. A loss of 10 % on the very first session, the deepest of the
#   series, is in no row of the table, while max_drawdown of the same library, on the same returns, has it.
#
# Fails if any of this changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pyfolio-reloaded==0.10.1 empyrical-reloaded==0.7.1 pandas==3.1.1 exchange_calendars==4.13.2
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import empyrical
import exchange_calendars
import pandas as pd
from pyfolio.timeseries import gen_drawdown_table

shanghai = exchange_calendars.get_calendar("XSHG", start="2024-02-01", end="2024-02-29")
sessions = shanghai.sessions_in_range("2024-02-05", "2024-02-23")
returns = pd.Series(0.0, index=sessions)
returns.loc["2024-02-05"] = -0.10  # the first session
returns.loc["2024-02-08"] = -0.02
returns.loc["2024-02-21"] = 0.03  # above the level of 7 February
(row,) = gen_drawdown_table(returns, top=1).itertuples(index=False)
peak, recovery, days = row[1], row[3], row[4]
true = len(shanghai.sessions_in_range(peak, recovery))
deepest = float(empyrical.max_drawdown(returns))
print(f"{peak:%Y-%m-%d} to {recovery:%Y-%m-%d}: {days} days in the table, {true} sessions; depth {row[0]:.2f} %")
print(f"max_drawdown {100 * deepest:.2f} %")
assert (f"{peak:%Y-%m-%d}", f"{recovery:%Y-%m-%d}") == ("2024-02-07", "2024-02-21"), row
assert (days, true) == (11, 5), (days, true)
assert round(row[0], 6) == 2.0 and round(deepest, 6) == -0.118, (row, deepest)
PYTHON
