"""Bars and counts of units as AKShare, efinance, Tushare and the exchanges have them."""

from __future__ import annotations

import pytest

from data.errors import DataError
from data.importing import import_files
from tests.helpers.maps import BAR, UNITS, rows


def test_east_money_bars_of_akshare(take, store):
    report = take(
        "159363.csv",
        "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        "2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.0,5.82,3.55,0.025,13.17",
    )
    assert report.imported[0].map == "eastmoney-daily"
    assert report.imported[0].unused == ("涨跌幅", "涨跌额")
    assert rows(store, "bars") == [BAR | {"source": "eastmoney"}]


def test_east_money_bars_of_efinance_with_the_code_in_a_column(take, store):
    take(
        "anything.csv",
        "股票名称,股票代码,日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        "创业板人工智能ETF华宝,159363,2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.0,5.82,3.55,0.025,13.17",
    )
    assert rows(store, "bars") == [BAR | {"source": "eastmoney"}]


def test_east_money_bars_with_mixed_names(take, store):
    take(
        "etf_159363_daily.csv",
        "datetime,open,close,high,low,volume,成交额,振幅,涨跌幅,涨跌额,换手率",
        "2025-08-20,0.700,0.729,0.731,0.690,5230000,371800000.0,5.82,3.55,0.025,13.17",
    )
    assert rows(store, "bars") == [BAR | {"source": "eastmoney"}]


def test_east_money_bars_of_an_index_are_known_by_the_code_in_the_name(take, store):
    lines = (
        "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        "2025-08-20,4200,4271.4,4280,4190.5,211000000,567000000000.0,1.5,1.1,48,0.9",
    )
    assert take("sh000300.csv", *lines).imported[0].map == "eastmoney-index"
    assert rows(store, "index_bars")[0] == {
        "index": "000300",
        "day": "2025-08-20",
        "open": 4200.0,
        "high": 4280.0,
        "low": 4190.5,
        "close": 4271.4,
        "amount": 5.67e11,
        "source": "eastmoney",
    }
    with pytest.raises(DataError, match="`eastmoney-daily` lacks a file name that holds the symbol"):
        take("bars.csv", *lines)


def test_tushare_fund_daily(take, store):
    take(
        "fund_daily.csv",
        "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount",
        "159363.SZ,20250820,0.700,0.731,0.690,0.729,0.704,0.025,3.5511,5230000.00,371800.000",
    )
    assert rows(store, "bars") == [BAR | {"pre_close": 0.704, "source": "tushare"}]


def test_tushare_index_daily_is_told_from_fund_daily_by_its_codes(take, store):
    header = "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount"
    take("a.csv", header, "930713.CSI,20250820,4263.62,4200,4270,4190,4210,53,1.2,100,567000000.0")
    take("b.csv", header, "399006.SZ,20250820,2607.65,2600,2620,2590,2601,6,0.2,100,1.5")
    assert [(row["index"], row["close"], row["amount"]) for row in rows(store, "index_bars")] == [
        ("399006", 2607.65, 1500.0),
        ("930713", 4263.62, 5.67e11),
    ]


def test_tushare_adjustment_factors_are_refused_with_the_reason(take):
    with pytest.raises(DataError, match=r"nothing to import.*factors are not split ratios"):
        take("fund_adj.csv", "ts_code,trade_date,adj_factor", "512480.SH,20260423,1.964")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ("ts_code,trade_date,fd_share", "159363.SZ,20250820,397000.00"),
            UNITS | {"source": "tushare"},
        ),
        (
            (
                "trade_date,ts_code,etf_name,total_share,total_size",
                "20250820,159363.SZ,AI,397000.00,289452.70",
            ),
            UNITS | {"source": "tushare"},
        ),
        (
            ("日期,基金代码,基金简称,基金份额", "2025-08-20,159363,创业板人工智能ETF华宝,3970000000"),
            UNITS | {"source": "SZSE"},
        ),
        (
            (
                "序号,基金代码,基金简称,ETF类型,统计日期,基金份额",
                "1,588790,科创智能,单市场ETF,2025-08-20,7012384000.0",
            ),
            {"symbol": "588790.SH", "day": "2025-08-20", "units": 7_012_384_000.0, "source": "SSE"},
        ),
    ],
)
def test_fund_units(take, store, lines, expected):
    take("units.csv", *lines)
    assert rows(store, "units") == [expected]


def test_open_funds_of_tushare_are_left_out(take, store):
    take(
        "s.csv", "ts_code,trade_date,fd_share", "159363.SZ,20250820,397000.00", "000171.OF,20250820,423419.3"
    )
    take(
        "n.csv",
        "ts_code,ann_date,nav_date,unit_nav",
        "159363.OF,20250821,20250820,0.7291",
        "519674.OF,20250821,20250820,9.9",
    )
    assert rows(store, "units") == [UNITS | {"source": "tushare"}]
    assert [(row["symbol"], row["nav"]) for row in rows(store, "nav")] == [("159363.SZ", 0.7291)]


# Of the funds of managers, codes of those that are not traded, and of those that only may be.
OPEN = ["161601", "161725", "150001", "180001", "519674", "530001", "550001", "560002", "580001", "000171"]
BOTH = {"159363": "SZ", "510300": "SH", "520830": "SH", "562500": "SH", "588790": "SH"}


@pytest.mark.parametrize(
    ("header", "row", "table"),
    [
        ("ts_code,ann_date,nav_date,unit_nav", "{}.OF,20250821,20250820,0.7291", "nav"),
        ("ts_code,trade_date,fd_share", "{}.OF,20250820,397000.00", "units"),
    ],
)
def test_of_the_funds_with_of_those_that_are_surely_traded_are_taken(take, store, header, row, table):
    report = take("of.csv", header, *(row.format(code) for code in (*OPEN, *BOTH)))
    assert report.imported[0].left_out == len(OPEN)
    assert [each["symbol"] for each in rows(store, table)] == [
        f"{code}.{exchange}" for code, exchange in BOTH.items()
    ]


@pytest.mark.parametrize("code", OPEN)
def test_a_fund_that_may_not_be_traded_is_refused_elsewhere(take, code):
    with pytest.raises(DataError, match=r"`symbol` in row 1 is"):
        take("of.csv", "symbol,day,nav", f"{code}.OF,2025-08-20,0.7291")


@pytest.mark.parametrize("name", ["navhist-us-en-xlk.csv", "XLK.csv"])
def test_the_history_of_a_fund_of_state_street_with_the_ticker_above_it(take, store, name):
    report = take(
        name,
        "Fund Name:,The Technology Select Sector SPDR Fund,,",
        "Ticker Symbol:,XLK,,",
        ",,,",
        "Date,NAV,Shares Outstanding,Total Net Assets",
        "20-Aug-2025,250.12,300000000,75036000000",
        "19-Aug-2025,251.00,299500000,75174500000",
        ",,,",
        "Past performance is not a guarantee of future results.,,,",
    )
    assert {each.map for each in report.imported} == {"spdr-navhist"}
    assert [(row["symbol"], row["day"], row["units"]) for row in rows(store, "units")] == [
        ("XLK.US", "2025-08-19", 299_500_000.0),
        ("XLK.US", "2025-08-20", 300_000_000.0),
    ]
    found = [(row["nav"], row["net_assets"]) for row in rows(store, "nav")]
    assert found == [(251.0, 75_174_500_000.0), (250.12, 75_036_000_000.0)]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("159363_qfq.csv", "eastmoney, qfq"),
        ("159363后复权.csv", "eastmoney, hfq"),
        ("159363_2025.csv", "eastmoney"),
    ],
)
def test_prices_that_the_name_of_their_file_calls_adjusted(tmp_path, store, name, source):
    header = "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率"
    # Another file with the same header, so that both could be read at once.
    for code in (name, "515980.csv"):
        (tmp_path / code).write_text(
            f"{header}\n2025-08-20,0.7,0.729,0.731,0.69,5230000,371800000,5,3.55,0.025,13\n"
        )
    import_files([tmp_path], store)
    assert [(row["symbol"], row["source"]) for row in rows(store, "bars")] == [
        ("159363.SZ", source),
        ("515980.SH", "eastmoney"),
    ]


@pytest.mark.parametrize(
    ("header", "row", "source"),
    [
        (
            "ts_code,trade_date,open,high,low,close,pre_close,vol,amount",
            "159363.SZ,20250820,0.7,0.731,0.69,0.729,0.704,5230000,371800",
            "tushare, qfq",
        ),
        (
            "symbol,day,open,high,low,close,volume",
            "159363,2025-08-20,0.7,0.731,0.69,0.729,523000000",
            "imported, qfq",
        ),
        (
            "symbol,day,open,high,low,close,volume,source",
            '159363,2025-08-20,0.7,0.731,0.69,0.729,523000000,"eastmoney, qfq"',
            "eastmoney, qfq",
        ),
        (
            "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,涨跌额,涨跌幅,成交量,成交金额",
            "2025-08-20,'159363,创AI,0.729,0.731,0.69,0.7,0.704,0.025,3.55,523000000,371800000",
            "netease, qfq",
        ),
    ],
)
def test_a_name_that_calls_prices_adjusted_counts_also_where_the_vendor_has_others(
    take, store, header, row, source
):
    report = take("159363_qfq.csv", header, row)
    assert [each["source"] for each in rows(store, "bars")] == [source]
    assert any("prices are forward-adjusted" in note for note in report.imported[0].notes)
