"""Tickers in the names of files: those of American funds, of others, and of none."""

from __future__ import annotations

import pytest

from data.errors import DataError
from tests.helpers.maps import rows

PLAIN = "43.4,43.52,42.71,43.3,690100"
OF_THEIR_NAMES = {
    "bloomberg": ("Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME", f"2025-08-20,{PLAIN}"),
    "eodhd": ("Date,Open,High,Low,Close,Adjusted_close,Volume", "2025-08-20,43.4,43.52,42.71,43.3,43,690100"),
    "alphavantage": (
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
        "2025-08-20,43.4,43.52,42.71,43.3,43,690100,0.0,1.0",
    ),
    "openbb": ("date,open,high,low,close,volume,dividend", f"2025-08-20,{PLAIN},0.0"),
    "tiingo": (
        "date,close,high,low,open,volume,adjClose,divCash,splitFactor",
        "2025-08-20,43.3,43.52,42.71,43.4,690100,43,0.0,1.0",
    ),
    "yfinance": ("Date,Open,High,Low,Close,Adj Close,Volume", "2025-08-20,43.4,43.52,42.71,43.3,43,690100"),
    "nasdaq": ("Date,Close/Last,Volume,Open,High,Low", "08/20/2025,$43.3,690100,$43.4,$43.52,$42.71"),
}
LISTED_ELSEWHERE = {
    "bloomberg": ["VUSA LN Equity", "AIQ MM Equity"],
    "eodhd": ["VUSA.LSE", "AIQ.MX"],
    "alphavantage": ["TSCO.LON", "TSCO LN Equity"],
    "openbb": ["VUSA.L"],
    "tiingo": ["VUSA.L"],
    "yfinance": ["VUSA.L", "EXSA.DE"],
    "nasdaq": ["VUSA.L"],
}


@pytest.mark.parametrize(
    ("vendor", "name"), [(vendor, name) for vendor, names in LISTED_ELSEWHERE.items() for name in names]
)
def test_a_listing_elsewhere_in_a_files_name_is_no_american_fund(take, vendor, name):
    with pytest.raises(DataError, match=rf"is not a symbol of a fund; received '{name.split(' E')[0]}'"):
        take(f"{name}.csv", *OF_THEIR_NAMES[vendor])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("VUSA_LN", "LN is the mark of an exchange of another country"),
        ("VUSA_L", "L is the mark"),
        ("VUSA-LON_2025", "LON is the mark"),
        ("XAIX_GY", "GY is the mark"),
        ("VUSA.l", "L is the mark"),
        ("LSE_VUSA", "LSE and VUSA may both be tickers"),
        ("AMEX_AIQ, 1D", "AMEX and AIQ may both be tickers"),
        ("BRK-B", "BRK and B may both be tickers, or one security"),
        ("SPY_QQQ", "SPY and QQQ may both be tickers"),
        ("ETF_BOTZ", "ETF is a word, unless it is written ETF.US"),
        ("NAV", "NAV is a word, unless it is written NAV.US"),
    ],
)
def test_a_ticker_in_a_files_name_that_is_none_or_of_another_security(take, name, why):
    with pytest.raises(DataError, match=rf"not clearly that of a fund; received {name}: {why}"):
        take(f"{name}.csv", *OF_THEIR_NAMES["yfinance"])


def test_a_ticker_that_is_a_word_is_believed_with_its_mark(take, store):
    take("FLOW.US.csv", *OF_THEIR_NAMES["yfinance"])
    assert [each["symbol"] for each in rows(store, "bars")] == ["FLOW.US"]


@pytest.mark.parametrize("name", ["3191.HK", "2854.T", "0050.TW", "005930.KS"])
def test_a_code_of_another_country_in_a_files_name_is_said_to_be_one(take, name):
    with pytest.raises(DataError, match="a listing in another country: only funds of Shanghai, Shenzhen and"):
        take(f"{name}.csv", *OF_THEIR_NAMES["yfinance"])


def test_a_code_of_seoul_in_a_files_name_is_none_of_shenzhen(take, store):
    bars = ("date,open,high,low,close,volume,amount", "2025-08-20,9.7,9.8,9.6,9.75,1000,9700")
    with pytest.raises(DataError, match=r"152100\.KS: KS is the mark of an exchange of another country"):
        take("152100.KS.csv", *bars)
    take("159363.XSHE.csv", *bars)
    assert rows(store, "bars")[0]["symbol"] == "159363.SZ"


@pytest.mark.parametrize("others", ["159363_161725", "159363_160105", "515980 180101", "161725_159363"])
def test_a_second_fund_in_a_files_name_is_no_time_of_day(take, store, others):
    bars = ("date,open,high,low,close,volume,amount", "2025-08-20,9.7,9.8,9.6,9.75,1000,9700")
    with pytest.raises(DataError, match="the name of the file holds several codes, and the rows none"):
        take(f"{others}.csv", *bars)
    take("161725_153000.csv", *bars)
    assert rows(store, "bars")[0]["symbol"] == "161725.SZ"


@pytest.mark.parametrize(
    "name",
    [
        *("AIQ_US", "AIQ-UQ", "AIQ_NAV", "AIQ ETF Stock Price", "AIQ_max", "AIQ_D"),
        *("AIQ_SPLITS", "AIQ_SHARES", "AIQ-SPLIT", "AIQ_TIINGO", "AIQ_STOOQ", "AIQ_CLOSE"),
    ],
)
def test_words_beside_a_ticker_that_say_something_of_the_data(take, store, name):
    take(f"{name}.csv", *OF_THEIR_NAMES["yfinance"])
    assert [each["symbol"] for each in rows(store, "bars")] == ["AIQ.US"]


@pytest.mark.parametrize("vendor", OF_THEIR_NAMES)
def test_the_ticker_of_an_american_fund_in_a_files_name(take, store, vendor):
    names = ["AIQ US Equity"] if vendor == "bloomberg" else ["AIQ.US", "AIQ_2025-08-20", "AIQ.daily"]
    for name in ["AIQ", *names]:
        take(f"{name}.csv", *OF_THEIR_NAMES[vendor])
    assert [(each["symbol"], each["close"]) for each in rows(store, "bars")] == [("AIQ.US", 43.3)]
