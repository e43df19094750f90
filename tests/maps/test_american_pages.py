"""Bars of American pages, with splits, dividends and exchange rates."""

from __future__ import annotations

import json

import pytest

from data.errors import DataError
from tests.helpers.maps import rows


@pytest.mark.parametrize(
    ("name", "lines", "source"),
    [
        (
            "AIQ.csv",
            ("Date,Close/Last,Volume,Open,High,Low", "08/20/2025,$43.30,690100,$43.40,$43.52,$42.71"),
            "nasdaq, split-adjusted",
        ),
        (
            "x.txt",
            (
                "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
                "AIQ.US,D,20250820,000000,43.40,43.52,42.71,43.30,690100,0",
            ),
            "stooq",
        ),
        # Midnight in New York of 20 August is 04:00 in UTC.
        (
            "2025-08-20.csv",
            (
                "ticker,volume,open,close,high,low,window_start,transactions",
                "AIQ,690100,43.40,43.30,43.52,42.71,1755662400000000000,129",
                "BRK.A,10,700000,700000,700000,700000,1755662400000000000,9",
            ),
            "polygon",
        ),
        (
            "AIQ.json",
            (
                '{"ticker": "AIQ", "adjusted": true, "status": "OK", "results": [{"v": 690100, "vw": 43.1,',
                '"o": 43.4, "c": 43.3, "h": 43.52, "l": 42.71, "t": 1755662400000, "n": 129}]}',
            ),
            "polygon, split-adjusted",
        ),
        (
            "AIQ ETF Stock Price History.csv",
            (
                '"Date","Price","Open","High","Low","Vol.","Change %"',
                '"Aug 20, 2025","43.30","43.40","43.52","42.71","0.6901M","-0.23%"',
            ),
            "investing.com, split-adjusted",
        ),
        (
            "AIQ US Equity.csv",
            (
                "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME",
                "08/20/2025,43.40,43.52,42.71,43.30,690100",
            ),
            "bloomberg",
        ),
        (
            "bdh.csv",
            (
                ",AIQ US Equity,,,,,BOTZ US Equity,,,,",
                "Dates" + 2 * ",PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME",
                "2025-08-20,43.40,43.52,42.71,43.30,690100,,,,,",
            ),
            "bloomberg",
        ),
        (
            "AIQ.US.csv",
            (
                "Date,Open,High,Low,Close,Adjusted_close,Volume",
                "2025-08-20,43.40,43.52,42.71,43.30,43.1,690100",
            ),
            "eodhd",
        ),
        (
            "a.csv",
            (
                "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
                "AIQ,2025-08-20 04:00:00+00:00,43.40,43.52,42.71,43.30,690100.0,1200.0,43.1",
            ),
            "alpaca",
        ),
        (
            "a.json",
            (
                '{"symbol": "AIQ", "historical": [{"date": "2025-08-20", "open": 43.4, "high": 43.52,',
                '"low": 42.71, "close": 43.3, "adjClose": 43.1, "volume": 690100, "changeOverTime": 0.0}]}',
            ),
            "fmp, split-adjusted",
        ),
    ],
)
def test_american_bars_of_other_pages(take, store, name, lines, source):
    take(name, *lines)
    assert rows(store, "bars") == [
        {
            "symbol": "AIQ.US",
            "day": "2025-08-20",
            "open": 43.4,
            "high": 43.52,
            "low": 42.71,
            "close": 43.3,
            "volume": 690_100.0,
            "source": source,
        }
    ]


@pytest.mark.parametrize("header", ["observation_date,DEXCHUS", "DATE,DEXCHUS"])
def test_dollars_of_the_federal_reserve_bank_of_st_louis(take, store, header):
    # Holidays are empty cells since 2025, and dots before.
    report = take("DEXCHUS.csv", header, "2025-01-08,7.3316", "2025-01-09,", "2025-01-10,.")
    assert report.imported[0].map == "fred-dexchus"
    assert rows(store, "fx") == [
        {"pair": "USDCNY", "day": "2025-01-08", "rate": 7.3316, "source": "FRED DEXCHUS"}
    ]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (
            "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
            "{},43.4,43.52,42.71,43.3,14.4,690100,{},{}",
        ),
        (
            "ticker,date,open,high,low,close,volume,ex-dividend,split_ratio,adj_close",
            "AIQ,{},43.4,43.52,42.71,43.3,690100,{},{},14.4",
        ),
    ],
)
def test_bars_as_traded_with_splits_and_dividends_beside_them(take, store, header, row):
    take(
        "AIQ.csv", header, row.format("2025-08-20", "0.0000", "1.0"), row.format("2025-08-21", "0.12", "3.0")
    )
    assert [(each["day"], each["close"]) for each in rows(store, "bars")] == [
        ("2025-08-20", 43.3),
        ("2025-08-21", 43.3),
    ]
    dividend, split = rows(store, "actions")
    assert (dividend["kind"], dividend["ex_day"], dividend["cash"]) == ("dividend", "2025-08-21", 0.12)
    assert (split["kind"], split["ex_day"], split["ratio"]) == ("split", "2025-08-21", 3.0)


def test_an_adjusted_series_of_alpha_vantage_keeps_its_splits_and_dividends(take, store):
    names = (
        "open",
        "high",
        "low",
        "close",
        "adjusted close",
        "volume",
        "dividend amount",
        "split coefficient",
    )
    cells = {"2025-08-21": (43.4, 43.52, 42.71, 43.3, 14.4, 9, 0.12, 3.0)}
    cells |= {"2025-08-20": (43.4, 43.52, 42.71, 43.3, 14.4, 9, 0.0, 1.0)}
    days = {
        day: {
            f"{place}. {name}": str(cell)
            for place, (name, cell) in enumerate(zip(names, each, strict=True), 1)
        }
        for day, each in cells.items()
    }
    meta = {"2. Symbol": "AIQ", "3. Last Refreshed": "2025-08-21"}
    take("answer.json", json.dumps({"Meta Data": meta, "Time Series (Daily)": days}))
    assert [each["close"] for each in rows(store, "bars")] == [43.3, 43.3]
    assert [(each["kind"], each["ex_day"]) for each in rows(store, "actions")] == [
        ("dividend", "2025-08-21"),
        ("split", "2025-08-21"),
    ]


def test_a_nav_that_is_announced_again_was_known_the_first_time(take, store):
    header = "ts_code,ann_date,nav_date,unit_nav,net_asset"
    take(
        "nav.csv",
        header,
        "159363.SZ,20250822,20250820,0.7291,2894527000",
        "159363.SZ,20250821,20250820,0.7291,",
        "159363.SZ,20250822,20250821,0.7301,",
    )
    announced = [(0.7291, "2025-08-21"), (0.7301, "2025-08-22")]
    assert [(row["nav"], row["known_at"]) for row in rows(store, "nav")] == announced
    take("later.csv", header, "159363.SZ,20250823,20250821,0.7301,")
    assert [(row["nav"], row["known_at"]) for row in rows(store, "nav")] == announced
    with pytest.raises(DataError, match=r"more than once .* with different values"):
        take(
            "other.csv", header, "159363.SZ,20250821,20250820,0.7291,", "159363.SZ,20250822,20250820,0.7391,"
        )


def test_bars_of_openbb_are_brought_back_to_what_was_traded(take, store):
    take(
        "SOXX.csv",
        "date,open,high,low,close,volume,dividend,split_ratio",
        "2024-03-06,220,221,219,220,3000000,0.0,0.0",
        "2024-03-07,222,223,221,222,3000000,0.15,3.0",
    )
    # A split 3:1: before it a share cost three times as much, and a third as many were traded.
    assert [(each["close"], each["volume"]) for each in rows(store, "bars")] == [(660.0, 1e6), (222.0, 3e6)]
    assert [(each["kind"], each.get("cash"), each.get("ratio")) for each in rows(store, "actions")] == [
        ("dividend", 0.15, None),
        ("split", None, 3.0),
    ]


def test_bars_of_openbb_with_adjusted_prices_beside_them_are_as_traded(take, store):
    adjusted = "adj_open,adj_high,adj_low,adj_close,adj_volume"
    report = take(
        "BOTZ.csv",
        f"date,open,high,low,close,volume,{adjusted},split_ratio,dividend",
        "2025-08-19,940,950,930,944.1,1000,94,95,93,94.41,10000,1.0,0.0",
        "2025-08-20,94,95,93,94.5,10000,94,95,93,94.5,10000,10.0,0.12",
        "2025-08-21,94,95,93,94.6,10000,94,95,93,94.6,10000,1.0,0.0",
    )
    assert report.imported[0].map == "openbb-as-traded"
    assert [(each["close"], each["volume"]) for each in rows(store, "bars")] == [
        (944.1, 1e3),
        (94.5, 1e4),
        (94.6, 1e4),
    ]
    assert [(each["ex_day"], each.get("cash"), each.get("ratio")) for each in rows(store, "actions")] == [
        ("2025-08-20", 0.12, None),
        ("2025-08-20", None, 10.0),
    ]
