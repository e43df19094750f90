"""Answers of vendors: where the rows are, of which day and in which prices.

Each small input is written here, and what must come out of it is worked out by hand.
"""

from __future__ import annotations

import json
import re
from io import BytesIO

import pandas as pd
import pytest

from data.errors import DataError
from tests.helpers.formats import AUGUST_20, TDX, csv, units

RECORD = {"symbol": "159363", "day": "2025-08-20", "units": 3_970_000_000}


@pytest.mark.parametrize(
    "answer",
    [
        [RECORD],
        {"code": 0, "message": "ok", "data": {"total": 1, "rows": [RECORD]}},
        {"columns": list(RECORD), "index": [0], "data": [list(RECORD.values())]},
        {"data": {"fields": list(RECORD), "items": [list(RECORD.values())]}},
        {name: [value] for name, value in RECORD.items()},
        {name: {"0": value} for name, value in RECORD.items()},
        {"symbol": "159363", "history": [{"day": "2025-08-20", "units": 3_970_000_000}]},
        {"data": [{"symbol": "159363", "history": [{"day": "2025-08-20", "units": 3_970_000_000}]}]},
        {"code": 0, "data": {"159363": [{"day": "2025-08-20", "units": 3_970_000_000}]}},
        {"data": {"159363": {"2025-08-20": {"units": 3_970_000_000}}}},
        {"data": {"diff": {"0": RECORD}}},
        {"data": json.dumps([RECORD])},
        {name: {"7": value} for name, value in RECORD.items()},
        [list(RECORD), list(RECORD.values())],
        [{"symbol": "159363", "values": {"day": "2025-08-20", "units": {"raw": 3.97e9, "fmt": "3.97B"}}}],
        {"schema": {"fields": [{"name": name} for name in RECORD]}, "data": [RECORD]},
    ],
)
def test_a_table_is_found_wherever_an_answer_has_it(take, store, answer):
    take("a.json", json.dumps(answer))
    assert units(store) == AUGUST_20


@pytest.mark.parametrize("form", ["{};", "callback123({});", "var data = {};"])
def test_answers_that_a_page_would_run_are_read(take, store, form):
    text = json.dumps([RECORD])
    if form != "{};":
        text = form.replace("{}", text)
    take("a.json", text)
    assert units(store) == AUGUST_20


def test_a_record_a_line(take, store):
    take("a.jsonl", json.dumps(RECORD) + "\n" + json.dumps(RECORD | {"day": "2025-08-21"}) + "\n")
    assert len(units(store)) == 2


def test_counts_by_day_and_code(take, store):
    answer = {"updated": "x", "history": {"2025-08-19": {"515980": 4.3e9}, "2025-08-20": {"159363": 3.97e9}}}
    take("a.json", json.dumps(answer), named="wide-units")
    assert units(store) == [*AUGUST_20, ("515980.SH", "2025-08-19", 4_300_000_000.0)]


def test_a_map_says_which_of_several_tables_it_is_and_what_its_values_are(take, store):
    answer = {"prices": [["2025-08-20", 0.729]], "shares": [["2025-08-20", 3_970_000_000]]}
    toml = 'table = "units"\nconstants = {symbol = "159363.SZ"}\nheader = ["day", "units"]\nrows = "shares"\n'
    take("a.json", json.dumps(answer), map=toml)
    assert units(store) == AUGUST_20
    with pytest.raises(DataError, match=r"`a.json` has no `history`; received prices, shares"):
        take("a.json", json.dumps(answer), map=toml.replace('"shares"', '"history"'))


def test_several_tables_deep_in_an_answer_are_named_from_the_top(take, store):
    answer = {"code": 0, "data": {"before": [RECORD | {"units": 20_000}], "now": [RECORD]}}
    with pytest.raises(DataError, match=r'holds several tables; received before, now.*rows = "data.before"'):
        take("a.json", json.dumps(answer))
    take("a.json", json.dumps(answer), map='based_on = "tidy-units"\nrows = "data.now"\n')
    assert units(store) == AUGUST_20


def test_what_a_vendor_calls_adjusted_within_a_record_keeps_that_name(take):
    # Prices of an inner object are not taken for those of the record.
    prices = {"open": 1, "high": 1, "low": 1, "close": 1}
    record = {"symbol": "159363", "day": "2025-08-20", "volume": 100, "adjusted": prices}
    with pytest.raises(DataError, match=r"received symbol, day, volume, adjusted\.open"):
        take("a.json", json.dumps([record]))


def test_alpha_vantage_numbers_its_names_and_has_the_ticker_apart(take, store):
    bar = {"1. open": "30", "2. high": "30.3", "3. low": "29.8", "4. close": "30.15", "5. volume": "1000000"}
    answer = {
        "Meta Data": {
            "1. Information": "Daily Prices",
            "2. Symbol": "BOTZ",
            "3. Last Refreshed": "2025-08-20",
        },
        "Time Series (Daily)": {"2025-08-20": bar, "2025-08-19": bar},
    }
    assert take("query.json", json.dumps(answer)).imported[0].map == "alphavantage"
    bars = store.read("bars")
    assert bars["symbol"].tolist() == ["BOTZ.US"] * 2
    assert bars["close"].tolist() == [30.15, 30.15]


@pytest.mark.parametrize(
    "series",
    ["Weekly Adjusted Time Series", "Weekly Time Series", "Monthly Time Series", "Time Series (60min)"],
)
def test_what_alpha_vantage_sums_up_is_not_daily(take, series):
    bar = {"1. open": "30", "2. high": "30.3", "3. low": "29.8", "4. close": "30.15", "6. volume": "1000000"}
    bar |= {"7. dividend amount": "0.12"}
    meta = {"1. Information": "Prices", "2. Symbol": "BOTZ", "3. Last Refreshed": "2025-08-22"}
    answer = {"Meta Data": meta, series: {"2025-08-15": bar, "2025-08-22": bar}}
    with pytest.raises(DataError, match=rf"Time Series \(there is {re.escape(series)}\)"):
        take("query.json", json.dumps(answer))


BARS_OF = "datetime,open,high,low,close,volume,amount"
BAR_OF = "0.73,0.74,0.72,0.735,398000000,290000000"


@pytest.mark.parametrize("time", ["16:00", "16:00:00", "16:00:00.000000"])
def test_midnight_in_shanghai_without_its_zone_is_refused(take, store, time):
    # What pandas writes of 1755619200000 with unit="ms": it is the 20th in Shanghai.
    days = f"2025-08-18 {time},{BAR_OF}", f"2025-08-19 {time},{BAR_OF}"
    with pytest.raises(DataError, match=r"`day` in row 1 is 16:00 without an offset; received 2025-08-18"):
        take("sz159363.csv", csv(BARS_OF, *days))
    assert not store.tables
    take("sz159363.csv", csv(BARS_OF, f"2025-08-19 16:00:00+00:00,{BAR_OF}"))
    assert store.read("bars")["day"].dt.day.tolist() == [20]


def test_midnights_without_their_zone_in_parquet_are_refused(take):
    frame = pd.DataFrame(
        {"symbol": ["159363"], "day": pd.to_datetime([1755619200000], unit="ms"), "nav": [0.7]}
    )
    content = BytesIO()
    frame.to_parquet(content)
    with pytest.raises(DataError, match="is 16:00 without an offset; received 2025-08-19 16:00:00"):
        take("nav.parquet", content.getvalue())


def test_the_close_in_new_york_or_shanghai_is_on_its_day(take, store):
    take("us.csv", csv("symbol,day,nav", "BOTZ,2025-08-20 16:00:00,30.1"))
    take("cn.csv", csv("symbol,day,nav", "159363,2025-08-20 15:00:00,0.7"))
    assert store.read("nav")["day"].dt.day.tolist() == [20, 20]


def test_days_that_pandas_wrote_without_a_name_are_days(take, store):
    rows = (",open,close,high,low,volume,money", "2025-08-20,0.73,0.735,0.74,0.72,398000000,290000000")
    assert take("159363.XSHE.csv", csv(*rows)).imported[0].map == "joinquant-bars"
    frame = pd.DataFrame({"units": [3.97e9], "symbol": ["159363"]}, index=pd.to_datetime(["2025-08-20"]))
    content = BytesIO()
    frame.to_parquet(content)
    take("u.parquet", content.getvalue())
    assert units(store) == AUGUST_20
    # Numbers of rows are no days.
    with pytest.raises(DataError, match=r"received \(no name\), units"):
        take("u.csv", csv(",units", "0,3970000000"))


def test_closes_alone_and_rows_without_a_header_are_refused_in_words(take):
    with pytest.raises(DataError, match="Closes alone are no bars"):
        take("AIQ.csv", csv("date,close", "2025-08-20,43.3"))
    with pytest.raises(DataError, match=r"The first row is no header: name the map `tdx`"):
        take("159363.csv", csv(*TDX))


def test_the_shenzhen_exchange_answers_with_labels_and_its_day(take, store):
    report = {
        "metadata": {
            "cols": {"code": "基金代码", "day": "上市日期", "size": "当前规模<br>(份)", "firm": "基金管理人"},
            "subname": "2025-08-20",
        },
        "data": [{"code": "<u>159363</u>", "day": "2024-12-16", "size": "3,970,000,000", "firm": "华宝"}],
        "error": None,
    }
    take("ShowReport.json", json.dumps([report]))
    assert units(store) == AUGUST_20


def test_the_chart_of_yahoo_is_brought_back_to_what_was_traded(take, store):
    # 6 and 7 March 2024, 9:30 in New York; a split 1:3 on the 7th.
    quote = {
        "open": [100, 101],
        "high": [102, 103],
        "low": [99, 100],
        "close": [101, 102],
        "volume": [300, 400],
    }
    result = {
        "meta": {"symbol": "SOXX", "exchangeTimezoneName": "America/New_York"},
        "timestamp": [1709735400, 1709821800],
        "events": {"splits": {"1709821800": {"date": 1709821800, "numerator": 3, "denominator": 1}}},
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": [100.5, 101.5]}]},
    }
    take("SOXX.json", json.dumps({"chart": {"result": [result], "error": None}}))
    bars = store.read("bars")
    assert list(zip(bars["day"].dt.day, bars["close"], bars["volume"], strict=True)) == [
        (6, 303.0, 100.0),
        (7, 102.0, 400.0),
    ]
    assert store.read("actions")["ratio"].tolist() == [3.0]
