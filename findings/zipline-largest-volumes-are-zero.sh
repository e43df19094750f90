#!/bin/sh
# On the busiest day of an A-share ETF its volume is zero in zipline, and an order waits for a quieter day.
#
# zipline-reloaded 3.2.1 (pandas 2.3.3; it does not take pandas 3) keeps volumes in 32 bits without a sign. What is
# above 4,294,967,295 becomes 0 at the ingest, with one warning for all of it (known: issue 1572 of zipline, of 2016). Units
# of Chinese ETFs cost about a yuan: 588000 was above on a hundred sessions from August 2023 to April 2025, with 22.6
# billion units on 8 October 2024, and 159915 and 512880 on some too.
#
# A fund that trades 4 billion units a day, and 21 billion on that one, from a folder of CSV (`csvdir`), in Shanghai:
#
# - its volume of that day is 0, its price is there;
# - an order for 1,000 units, sent on the session before, is filled on the session after, at another price: in the most
#   liquid session of all there was nothing to trade with;
# - whatever waits for a volume above its mean sees a fund that nobody traded.
#
# Fails if any of this changes. Needs Python 3.11 to 3.13 with venv, and a package index.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  zipline-reloaded==3.2.1 pandas==2.3.3 numpy==2.4.6 exchange_calendars==4.13.2
mkdir -p "$folder/csv/daily"
export ZIPLINE_ROOT="$folder/root" FOLDER="$folder/csv"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import os
import warnings

import exchange_calendars
import pandas as pd
from zipline import run_algorithm
from zipline.api import order, set_commission, set_slippage, symbol
from zipline.data.bundles import ingest, load, register
from zipline.data.bundles.csvdir import csvdir_equities
from zipline.finance.commission import PerTrade
from zipline.finance.slippage import VolumeShareSlippage

BEFORE, BUSIEST, AFTER = (pd.Timestamp(day) for day in ("2024-09-30", "2024-10-08", "2024-10-09"))
shanghai = exchange_calendars.get_calendar("XSHG", start="2024-01-02", end="2024-12-31")
sessions = shanghai.sessions_in_range("2024-09-02", "2024-10-31")
bars = pd.DataFrame({"close": 1.0, "volume": 4_000_000_000, "dividend": 0.0, "split": 1.0}, sessions)
bars.loc[AFTER:, "close"] = 1.05
bars.loc[BUSIEST, "volume"] = 21_000_000_000
bars = bars.assign(open=bars["close"], high=bars["close"], low=bars["close"]).rename_axis("date")
bars.to_csv(f"{os.environ['FOLDER']}/daily/588000.csv")
source = csvdir_equities(["daily"], os.environ["FOLDER"])
register("funds", source, calendar_name="XSHG", start_session=sessions[0], end_session=sessions[-1])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    ingest("funds", show_progress=False)
said = [str(each.message).splitlines()[0] for each in caught if "uint32" in str(each.message)]
bundle = load("funds")
reader, fund = bundle.equity_daily_bar_reader, bundle.asset_finder.lookup_symbol("588000", None)
volumes = {f"{day:%m-%d}": int(reader.get_value(fund.sid, day, "volume")) for day in (BEFORE, BUSIEST, AFTER)}
price = float(reader.get_value(fund.sid, BUSIEST, "close"))


def initialize(context):
    set_commission(PerTrade(0.0))
    set_slippage(VolumeShareSlippage(volume_limit=0.025, price_impact=0.0))


def handle_data(context, data):
    if data.current_dt.date() == BEFORE.date():
        order(symbol("588000"), 1000)


table = run_algorithm(
    start=sessions[0],
    end=sessions[-1],
    initialize=initialize,
    handle_data=handle_data,
    capital_base=10_000.0,
    bundle="funds",
    trading_calendar=reader.trading_calendar,
    benchmark_returns=pd.Series(0.0, sessions),
)
fills = [(f"{row['dt']:%m-%d}", row["amount"], row["price"]) for day in table["transactions"] for row in day]
print("said at the ingest:", said)
print("volumes read back:", volumes, "close of 10-08:", price)
print("an order sent on 09-30 was filled:", fills)
assert len(said) == 1, said
assert volumes == {"09-30": 4_000_000_000, "10-08": 0, "10-09": 4_000_000_000} and price == 1.0, volumes
assert fills == [("10-09", 1000, 1.05)], fills
PYTHON
