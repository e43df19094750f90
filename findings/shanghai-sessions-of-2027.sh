#!/bin/sh
# Two names of one exchange in one package give 246 and 261 sessions for 2027, and neither warns.
#
# pandas_market_calendars 5.5.0 (with exchange_calendars 4.13.2, pandas 3.1.1), asked in November 2026, before the
# Shanghai exchange has published its holidays of 2027:
#
# - get_calendar("SSE") answers 246 sessions: lunar holidays are computed, the days that the State Council moves
#   each year are not known and not mentioned;
# - get_calendar("XSHG"), a mirror of exchange_calendars, answers 261: every weekday, New Year's Day included;
# - exchange_calendars itself, which is what is mirrored, refuses to make the calendar beyond 2026, since the
#   holidays "are only recorded to the year 2026".
#
# From 2014 to 2026 Shanghai has had 242 to 245 sessions a year. The refusal is the right answer; whoever changes from one of these
# doors to another gets up to 15 sessions a year that do not exist.
#
# Fails if any of the three answers changes. Needs Python 3.11 or later with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  pandas_market_calendars==5.5.0 exchange_calendars==4.13.2 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import exchange_calendars
import pandas_market_calendars

year = ("2027-01-01", "2027-12-31")
counts = {name: len(pandas_market_calendars.get_calendar(name).valid_days(*year)) for name in ("SSE", "XSHG")}
try:
    exchange_calendars.get_calendar("XSHG", end=year[1])
    refusal = "none"
except ValueError as error:
    refusal = str(error)
print(f"pandas_market_calendars: {counts}")
print(f"exchange_calendars: {refusal}")
assert counts == {"SSE": 246, "XSHG": 261}, counts
assert "only recorded to the year 2026" in refusal, refusal
PYTHON
