"""Tables below a title, above a footer, and under headers of several rows.

Each small input is written here, and what must come out of it is worked out by hand.
"""

from __future__ import annotations

from io import BytesIO

import pandas as pd
import pytest

from data.errors import DataError
from tests.helpers.formats import AUGUST_20, TDX, TDX_HEADER, csv, units
from tests.helpers.workbooks import xlsx


@pytest.mark.parametrize(
    "lines",
    [
        (TDX_HEADER, *TDX, "数据来源:通达信"),
        ("", TDX_HEADER, *TDX, "", "#数据来源:通达信"),
        (TDX_HEADER.replace(",", "\t"), *(line.replace(",", "\t") for line in TDX), "#数据来源:通达信"),
        # The header is separated by tabs and spaces, whatever the rows are.
        (
            "      日期\t    开盘\t    最高\t    最低\t    收盘\t    成交量\t    成交额",
            *TDX,
            "数据来源:通达信",
        ),
        (TDX_HEADER.replace(",", " "), *(line.replace(",", " ") for line in TDX), "数据来源:通达信"),
    ],
)
def test_the_export_of_a_terminal_is_read_between_title_and_footer(take, store, lines):
    report = take("SZ#159363.txt", csv("159363 创业板人工智能ETF 日线 不复权", *lines).encode("gbk"))
    assert (report.imported[0].map, report.imported[0].notes) == ("tdx-export", ())
    bars = store.read("bars")
    assert bars["close"].tolist() == [0.704, 0.729]
    assert bars["volume"].tolist() == [412_000_000.0, 523_000_000.0]
    assert bars["symbol"].unique().tolist() == ["159363.SZ"]


@pytest.mark.parametrize(("word", "source"), [("前复权", "tdx, qfq"), ("后复权", "tdx, hfq")])
def test_what_the_title_calls_adjusted_does_not_pass_as_traded(take, store, word, source):
    report = take("x.txt", csv(f"159363 AI 日线 {word}", TDX_HEADER, *TDX))
    assert "adjusted" in report.imported[0].notes[0]
    assert store.read("bars")["source"].unique().tolist() == [source]


def test_minute_bars_of_a_terminal_are_refused(take):
    rows = csv("159363 AI 5分钟线 不复权", TDX_HEADER, TDX[0])
    with pytest.raises(
        DataError, match=r"looks like an export of TongDaXin: export daily bars that are not adj"
    ):
        take("x.txt", rows)


def test_a_unit_of_measure_above_the_table_counts(take, store):
    take("a.csv", csv("基金份额统计,,", "单位：万份,,", "统计日期,基金代码,份额", "2025-08-20,159363,397000"))
    assert units(store) == AUGUST_20


def test_units_of_measure_above_a_table_are_those_of_columns_without_one(take, store):
    header = "日期,基金代码,开盘价,最高价,最低价,收盘价,成交量,成交额"
    row = "2025-08-20,{},0.7,0.731,0.69,0.729,{},{}"
    take("a.csv", csv("单位：万元、万份,,,,,,,", header, row.format("159363", "52300", "37180")))
    named = header.replace("成交额", "成交额(元)").replace("成交量", "成交量(股)")
    take("b.csv", csv("单位：万元,,,,,,,", named, row.format("515980", "523000000", "371800000")))
    bars = store.read("bars")
    # never twice, and never that of prices
    assert bars["volume"].tolist() == [523_000_000.0] * 2
    assert bars["amount"].tolist() == [371_800_000.0] * 2
    assert bars["close"].tolist() == [0.729] * 2


def test_a_unit_of_measure_above_a_table_comes_before_that_of_the_map(take, store):
    take("159363.csv", csv("单位：亿元,,", "净值日期,单位净值,资产净值", "2025-08-20,0.729,28.94"))
    nav = store.read("nav")
    assert (nav["nav"].tolist(), nav["net_assets"].tolist()) == ([0.729], [2_894_000_000.0])
    header = "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率"
    row = "2025-08-20,0.7,0.729,0.731,0.69,5230000,37180.0,1,1,1,1"
    take("159381.csv", csv("单位：万元,,,,,,,,,,", header, row))
    bars = store.read("bars")
    assert (bars["volume"].tolist(), bars["amount"].tolist()) == ([523_000_000.0], [371_800_000.0])


def test_a_magnitude_above_a_table_is_that_of_no_level_and_two_units_are_of_neither(take, store):
    take("levels.csv", csv("单位：亿,,,", "index,day,close,amount", "000300,2025-08-20,4271.4,9021.5"))
    levels = store.read("index_bars")
    assert (levels["close"].tolist(), levels["amount"].tolist()) == ([4271.4], [902_150_000_000.0])
    for unit in ("元/份", "万元/万份", "%"):
        with pytest.raises(DataError, match="`chinese-units` lacks a unit of measure in the header 份额"):
            take("u.csv", csv(f"单位：{unit},,", "日期,基金代码,份额", "2025-08-20,159363,397000"))


def test_files_that_were_put_behind_each_other_bring_their_headers(take, store):
    header = "symbol,day,units"
    take("u.csv", csv(header, "159363,2025-08-20,3970000000", header, "159363,2025-08-21,3980000000"))
    assert len(units(store)) == 2


def test_a_row_of_a_fund_without_values_is_no_footer(take):
    with pytest.raises(DataError, match="`day` of table `units` is empty in row 2"):
        take("u.csv", csv("symbol,day,units", "AIQ.US,2025-08-20,3970000000", "BOTZ.US,,"))


YAHOO = ["Price,Close,High,Low,Open,Volume", "Ticker,BOTZ,BOTZ,BOTZ,BOTZ,BOTZ", "Date,,,,,"]


def test_of_merged_cells_the_lower_name_counts(take, store):
    upper, lower = "日期,证券代码,融资,,融券,", ",,融资买入额(元),融资余额(元),融券卖出量,融券余量"
    rows = (upper, lower, '2025-08-20,159363,"12,345,678","234,567,890",0,0')
    take("m.csv", csv("融资融券交易明细,,,,,", *rows))
    margin = store.read("margin")[["symbol", "balance", "bought"]]
    assert margin.to_numpy().tolist() == [["159363.SZ", 234_567_890.0, 12_345_678.0]]
    take(
        "m.xlsx",
        xlsx(
            {"s": [upper.split(","), lower.split(","), ["2025-08-20", "159363", 12345678, 234567890, 0, 0]]}
        ),
    )


@pytest.mark.parametrize(
    "footer",
    [
        "合计,,3970000000",
        "Total,,3970000000",
        "注：数据仅供参考,,",
        "Source: exchange, Aug 20",
        "合计,,3970000000\n\n数据来源：交易所,,",
    ],
)
def test_sums_and_remarks_below_a_table_are_no_rows(take, store, footer):
    take("u.csv", csv("symbol,day,units", "159363,2025-08-20,3970000000", footer))
    assert units(store) == AUGUST_20


def test_yahoo_downloads_with_three_header_rows_are_adjusted_bars(take, store):
    report = take("BOTZ.csv", csv(*YAHOO, "2025-08-20,30.15,30.3,29.8,30,1000000"))
    assert report.imported[0].map == "yfinance-download"
    assert "forward-adjusted" in report.imported[0].notes[0]
    (bar,) = store.read("bars").to_dict("records")
    assert (bar["symbol"], bar["open"], bar["close"], bar["source"]) == ("BOTZ.US", 30.0, 30.15, "yahoo, qfq")


@pytest.mark.parametrize(
    "header",
    [
        ("Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume", "Ticker" + ",BOTZ,AIQ" * 5),
        ("Price,Close,,High,,Low,,Open,,Volume,", "Ticker" + ",BOTZ,AIQ" * 5),
        (",Close,Close.1,High,High.1,Low,Low.1,Open,Open.1,Volume,Volume.1", "" + ",BOTZ,AIQ" * 5),
    ],
)
def test_several_tickers_side_by_side_become_rows(take, store, header):
    # AIQ has no bar on the second day.
    rows = ("2025-08-20,2,4,3,5,1,3,2,4,1000,2000", "2025-08-21,2,,3,,1,,2,,1000,")
    take("p.csv", csv(*header, "Date" + "," * 10, *rows))
    bars = store.read("bars")
    assert list(zip(bars["symbol"], bars["close"], bars["high"], bars["volume"], strict=True)) == [
        ("AIQ.US", 4.0, 5.0, 2000.0),
        ("BOTZ.US", 2.0, 3.0, 1000.0),
        ("BOTZ.US", 2.0, 3.0, 1000.0),
    ]


@pytest.mark.parametrize("form", ["{0}_BOTZ", "BOTZ {0}", "\"('{0}', 'BOTZ')\""])
def test_levels_that_were_joined_are_taken_apart(take, store, form):
    fields = map(form.format, ("Close", "High", "Low", "Open", "Volume"))
    first = "\"('Date', '')\"" if "(" in form else "Date"
    take("p.csv", csv(",".join((first, *fields)), "2025-08-20,30.15,30.3,29.8,30,1000000"))
    bar = store.read("bars").iloc[0]
    assert (bar["symbol"], bar["open"], bar["close"], bar["source"]) == ("BOTZ.US", 30.0, 30.15, "yahoo, qfq")


def test_tickers_over_fields_with_unadjusted_prices(take, store):
    fields = "Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits"
    rows = (
        "2025-08-19,10,12,9,11,11,3000,0,0" + ",40,41,39,40,40,500,0.2,0",
        "2025-08-20,11,12,10,11,11,3000,0,3" + ",40,41,39,40,40,500,0,0",
    )
    head = ("Ticker" + ",AIQ" * 8 + ",BOTZ" * 8, f"Price,{fields},{fields}", "Date" + "," * 16)
    take("p.csv", csv(*head, *rows))
    bars = store.read("bars")
    # AIQ split 1:3 on 20 August; BOTZ did not.
    assert list(zip(bars["symbol"], bars["close"], bars["volume"], strict=True)) == [
        ("AIQ.US", 33.0, 1000.0),
        ("AIQ.US", 11.0, 3000.0),
        ("BOTZ.US", 40.0, 500.0),
        ("BOTZ.US", 40.0, 500.0),
    ]
    actions = store.read("actions")
    assert list(zip(actions["symbol"], actions["kind"], strict=True)) == [
        ("AIQ.US", "split"),
        ("BOTZ.US", "dividend"),
    ]


def test_flat_yahoo_downloads_are_known_by_the_order_of_their_columns(take, store):
    take("BOTZ.csv", csv("Date,Close,High,Low,Open,Volume", "2025-08-20,30.15,30.3,29.8,30,1000000"))
    assert store.read("bars")["source"].tolist() == ["yahoo, qfq"]


def test_headers_that_anybody_could_have_written_are_refused_with_the_maps_to_name(take):
    rows = csv("Date,Open,High,Low,Close,Volume", "2025-08-20,30,30.3,29.8,30.15,1000000")
    with pytest.raises(
        DataError, match=r"headers do not say whether prices are adjusted.*`yfinance-download`"
    ):
        take("BOTZ.csv", rows)


def test_pairs_as_columns_of_parquet_are_read(take, store):
    frame = pd.DataFrame([[2.0, 3.0, 1.0, 2.0, 1000]], columns=["Close", "High", "Low", "Open", "Volume"])
    frame.columns = pd.MultiIndex.from_product([frame.columns, ["AIQ"]], names=["Price", "Ticker"])
    frame.index = pd.DatetimeIndex(["2025-08-20"], name="Date")
    content = BytesIO()
    frame.to_parquet(content)
    take("p.parquet", content.getvalue())
    assert store.read("bars")["close"].tolist() == [2.0]
