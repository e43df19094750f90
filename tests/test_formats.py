"""Formats that people have: pages, workbooks and answers as exchanges, vendors and spreadsheets write them.

Each small input is written here, and what must come out of it is worked out by hand.
"""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from data.errors import DataError, EtflowError
from data.importing import ImportReport, import_files
from data.importing.contents import MOST_BYTES, check_size
from data.importing.headers import Headers, Unit, split_header
from data.store.cells import read_days, read_numbers
from data.store.store import Store
from tests.helpers.workbooks import Day, far_cell, margin_xls, xlsx


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    """Write a file and import it: ``take(name, content, map=toml, named="map")``."""

    def _take(name: str, content: str | bytes, map: str = "", named: str | None = None) -> ImportReport:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if map:
            (tmp_path / "my.toml").write_text(map, encoding="utf-8")
        return import_files([path], store, map_file=tmp_path / "my.toml" if map else named)

    return _take


def csv(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def units(store: Store) -> list[tuple[str, str, float]]:
    frame = store.read("units")
    return list(zip(frame["symbol"], frame["day"].dt.strftime("%Y-%m-%d"), frame["units"], strict=True))


AUGUST_20 = [("159363.SZ", "2025-08-20", 3_970_000_000.0)]

# Numbers and days


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,234", 1234.0),
        ("12,345,678.9", 12_345_678.9),
        ("-1,234.5", -1234.5),
        ("1 234 567", 1_234_567.0),
        ("1'234", 1234.0),
        ("¥1,234.50", 1234.5),
        ("12.3亿", 1_230_000_000.0),
        ("397,000万份", 3_970_000_000.0),
        ("2.13万亿元", 2_130_000_000_000.0),
        ("5230手", 523_000.0),
        ("523.4M", 523_400_000.0),
        ("１２．５", 12.5),
        ("−5", -5.0),
        ('="159363"', 159_363.0),
        ("'5", 5.0),
        ("1\u00a0234\u00a0567", 1_234_567.0),
        ("１，２３４", 1234.0),
        ("3.97 億份", 397_000_000.0),
        ("12.3亿美元", 1_230_000_000.0),
        ("12.50 USD", 12.5),
        ("52.3mn", 52_300_000.0),
        ("1.2bn", 1_200_000_000.0),
        ("2E3\u200b", 2000.0),
    ],
)
def test_a_number_is_read_as_it_is_meant(cell, number):
    numbers, wrong = read_numbers(pd.Series([cell, "1"], dtype=object))
    assert (numbers.tolist(), wrong.tolist()) == ([number, 1.0], [False, False])


@pytest.mark.parametrize(
    "cell", ["N/A", "#N/A", "--", "—", "--.--", "停牌", "休市", "不适用", "Halted", "null", ""]
)
def test_a_cell_that_says_that_there_is_no_value_is_empty(cell):
    numbers, wrong = read_numbers(pd.Series([cell], dtype=object))
    assert (numbers.isna().tolist(), wrong.tolist()) == ([True], [False])


@pytest.mark.parametrize(
    "cell", ["30,15", "1,23", "0,998", "1234,567", "12,34,567", "1.234,5", "1,234,", "1 23", "12M%", "15.89%"]
)
def test_what_groups_no_thousands_is_no_number(cell):
    assert read_numbers(pd.Series([cell], dtype=object))[1].tolist() == [True]


@pytest.mark.parametrize(
    ("cell", "number"),
    [("30,15", 30.15), ("1.234,5", 1234.5), ("1.234", 1234.0), ("0,998", 0.998), ("1.234.567", 1_234_567.0)],
)
def test_where_the_comma_is_the_decimal_mark_the_point_groups_thousands(cell, number):
    numbers, wrong = read_numbers(pd.Series([cell], dtype=object), ",")
    assert (numbers.tolist(), wrong.tolist()) == ([number], [False])


@pytest.mark.parametrize("cell", ["30.15", "1,234.5", "12.3亿", "1.23"])
def test_a_decimal_point_is_refused_where_the_comma_is_the_mark(cell):
    assert read_numbers(pd.Series([cell], dtype=object), ",")[1].tolist() == [True]


def test_truth_is_no_number():
    assert read_numbers(pd.Series([True, 1], dtype=object))[1].tolist() == [True, False]


@pytest.mark.parametrize(
    "cell",
    [
        "2025年8月20日",
        "2025年08月20日 15:00",
        "２０２５-08-20",
        "2025-08-20,三",
        "2025/08/20(周三)",
        "Aug 20, 2025",
        "20-Aug-2025",
        "Aug 20 2025",
        "Wed, 20 Aug 2025",
        "2025年8月20号",
        "45889",
        "2025\u200b-08-20",
        '="20250820"',
    ],
)
def test_a_day_is_read_as_it_is_meant(cell):
    days, wrong = read_days(pd.Series([cell], dtype=object))
    assert (days.tolist(), wrong.tolist()) == ([pd.Timestamp("2025-08-20")], [False])


@pytest.mark.parametrize("cell", ["8/20/2025", "2025-08", "2025年13月1日", "20 8 2025", "1755696600"])
def test_a_day_that_could_be_another_is_refused(cell):
    assert read_days(pd.Series([cell], dtype=object))[1].tolist() == [True]


def test_days_of_a_spreadsheet_with_times_in_them_stand_beside_others():
    # 45890 is 2025-08-21; a part of a day that no microsecond has ended in a traceback
    days, wrong = read_days(pd.Series(["2025-08-20", "45890.7", "45891.123456789"]))
    assert days.astype("str").tolist() == ["2025-08-20", "2025-08-21", "2025-08-22"]
    assert not wrong.any()


@pytest.mark.parametrize(
    ("symbol", "cell", "day"),
    [
        # Midnight, and the close at 15:00, of 20 August in Shanghai.
        ("159363.SZ", "2025-08-19 16:00:00+00:00", "2025-08-20"),
        ("159363.SZ", "2025-08-20T07:00:00Z", "2025-08-20"),
        ("159363.SZ", "1755619200", "2025-08-20"),
        ("159363.SZ", "1755619200000", "2025-08-20"),
        # Midnight and 16:00 in New York, in summer and in winter.
        ("BOTZ.US", "2025-08-20 04:00:00+00:00", "2025-08-20"),
        ("BOTZ.US", "1755720000", "2025-08-20"),
        ("BOTZ.US", "1736917200000000000", "2025-01-15"),
        # Midnight in UTC is how a day without a time is written.
        ("BOTZ.US", "2025-08-20T00:00:00.000Z", "2025-08-20"),
        ("159363.SZ", "1755648000000", "2025-08-20"),
        # Midnight with another offset is the day that is written.
        ("159363.SZ", "2025-08-20T00:00:00+08:00", "2025-08-20"),
        ("159363.SZ", "2025-08-20T00:00:00+02:00", "2025-08-20"),
        ("BOTZ.US", "2025-08-20 00:00:00-04:00", "2025-08-20"),
        # Midnight of Shanghai in New York and in London, and New York's close in Shanghai.
        ("159363.SZ", "2025-08-19 12:00:00-04:00", "2025-08-20"),
        ("159363.SZ", "2025-08-19T17:00:00.000+01:00", "2025-08-20"),
        ("BOTZ.US", "2025-08-21 04:00:00+0800", "2025-08-20"),
        # 20:00 in New York is midnight of the next day in UTC, and is of its own day.
        ("BOTZ.US", "2025-08-19 20:00:00-04:00", "2025-08-19"),
    ],
)
def test_a_time_in_utc_is_of_the_day_that_it_was_in_the_market(take, store, symbol, cell, day):
    take("units.csv", csv("symbol,day,units", f"{symbol},{cell},3970000000"))
    assert units(store) == [(symbol, day, 3_970_000_000.0)]


def test_a_decimal_comma_is_refused_until_a_map_says_so(take, store):
    rows = csv(
        "symbol;day;open;high;low;close;volume",
        "BOTZ.US;2024-01-02;29,98;30,20;29,90;30,15;1000000",
        "BOTZ.US;2024-01-03;30,10;30,25;30,00;30,05;1.250.000",
    )
    with pytest.raises(DataError, match=r"`open` in row 1 has a comma .*'29,98'.*decimal = \",\""):
        take("bars.csv", rows)
    with pytest.raises(DataError, match=r"`units` in row 1 has points that are not a thousands separator"):
        take("u.csv", csv("symbol;day;units", "159363;2025-08-20;3.970.000.000"))
    take("bars.csv", rows, map='based_on = "tidy-bars"\ndecimal = ","')
    assert store.read("bars")["close"].tolist() == [30.15, 30.05]
    assert store.read("bars")["volume"].tolist() == [1_000_000.0, 1_250_000.0]


@pytest.mark.parametrize(
    "lines",
    [
        ("index;day;close", "000300;2025-08-20;3,871"),
        ("symbol;day;balance", "159363;2025-08-20;234,567"),
        ("symbol;kind;ex_day;ratio", "159363;split;2025-08-20;1,500"),
    ],
)
def test_one_comma_where_semicolons_separate_may_be_the_decimal_mark(take, store, lines):
    with pytest.raises(
        DataError, match=r"in row 1 has a comma that may be the decimal mark.*leave the comma out"
    ):
        take("a.csv", csv(*lines))


def test_commas_group_thousands_where_another_number_shows_it(take, store):
    rows = (
        "symbol;day;balance;bought",
        "159363;2025-08-20;234,567;12",
        "159363;2025-08-21;234,567,890;1,234",
    )
    take("a.csv", csv(*rows))
    assert store.read("margin")["balance"].tolist() == [234_567.0, 234_567_890.0]


def test_a_ratio_of_a_thousand_and_more_is_a_decimal_comma(take):
    with pytest.raises(DataError, match=r"`ratio` in row 1 has a comma that is not a thousands separator"):
        take("a.csv", csv("symbol,kind,ex_day,ratio", '159363,split,2025-08-20,"1,500"'))


@pytest.mark.parametrize(
    ("header", "cell", "expected"),
    [
        ("份额(万份)", "397000", 3.97e9),
        ("份额（亿份）", "39.7", 3.97e9),
        ("份额(份)", '"3,970,000,000"', 3.97e9),
        ("份额", "39.7亿份", 3.97e9),
        # The magnitude of the cell counts, and not that of the header besides.
        ("份额(万份)", "39.7亿", 3.97e9),
    ],
)
def test_the_unit_of_measure_stands_in_the_header_or_in_the_cell(take, store, header, cell, expected):
    report = take("units.csv", csv(f"日期,代码,{header}", f"2025-08-20,159363,{cell}"))
    assert report.imported[0].map == "chinese-units"
    assert units(store) == [("159363.SZ", "2025-08-20", expected)]


def test_a_magnitude_in_a_column_of_lots_leaves_the_lots(take, store):
    header = "日期,开盘,收盘,最高,最低,成交量,成交额,振幅,换手率"
    take("159363.csv", csv(header, "2025-08-20,0.700,0.729,0.731,0.690,523万,3.718亿,5.82,13.17"))
    assert store.read("bars")[["volume", "amount"]].to_numpy().tolist() == [[523_000_000.0, 371_800_000.0]]


def test_a_percentage_is_a_fraction_whatever_the_map_scales_by(take, store):
    rows = csv(
        "日期,指数代码,成分券代码,权重", "2025-07-31,930713,300308,15.89%", "2025-07-31,930713,1,84.11"
    )
    take("w.csv", rows)
    assert store.read("index_weights")["weight"].tolist() == [0.8411, 0.1589]


def test_units_of_measure_that_nothing_says_are_asked_for(take):
    with pytest.raises(DataError, match="`chinese-units` lacks a unit of measure in the header 份额"):
        take("a.csv", csv("日期,代码,份额", "2025-08-20,159363,397000"))
    with pytest.raises(DataError, match=r"nothing says in which unit of measure `units` in row 2 is"):
        take("a.csv", csv("日期,代码,份额", "2025-08-20,159363,39亿份", "2025-08-21,159363,397000"))


def test_a_magnitude_in_cell_and_header_that_could_both_count_is_refused(take):
    with pytest.raises(
        DataError, match=r"`units` in row 1 names a magnitude, and so does its column.*39.7万"
    ):
        take("a.csv", csv("日期,代码,份额(万份)", "2025-08-20,159363,39.7万"))


def test_a_header_of_another_kind_is_no_count(take):
    toml = 'table = "units"\ncolumns = {symbol = "代码", day = "日期", units = "规模"}'
    with pytest.raises(
        DataError, match=r"`units` is a count, and its header says something else; received 规模"
    ):
        take("a.csv", csv("日期,代码,规模(亿元)", "2025-08-20,159363,28.9"), map=toml)


# Headers


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("日期Date", "日期", None),
        ("指数代码 Index Code", "指数代码", None),
        ("权重(%)weight", "权重", Unit("percent", "fraction")),
        ("融资余额(元)", "融资余额", Unit("yuan", "money")),
        ("份额（万份）", "份额", Unit("10^4", "count")),
        ("成交量(万股|份)", "成交量", Unit("10^4", "count")),
        ("成交量（万手）Volume(M Shares)", "成交量", Unit("10^4 lots", "count")),
        ("收盘Close(元)", "收盘", Unit("yuan", "money")),
        ("指数中文全称Index Chinese Name(Full)", "指数中文全称", None),
        ("market value($)", "market value", Unit("dollars", "money")),
        ("收盘(前复权)", "收盘(前复权)", None),
        ("份额万份", "份额", Unit("10^4", "count")),
        ("份额/万份", "份额", Unit("10^4", "count")),
        ("融资余额_元", "融资余额", Unit("yuan", "money")),
        ("份额【万份】", "份额", Unit("10^4", "count")),
        ("份额(10,000 份)", "份额", Unit("10^4", "count")),
        ("流通份额（亿）", "流通份额", Unit("10^8", "any")),
        ("收盘价(分)", "收盘价", Unit("cents", "money")),
        ("基金份额", "基金份额", None),
        ("total_shares", "total_shares", None),
        ("Adj Close", "Adj Close", None),
        ("ETF代码", "ETF代码", None),
    ],
)
def test_a_header_is_taken_apart(header, name, unit):
    assert split_header(header) == (name, unit)


def test_a_name_as_written_wins_and_two_that_could_be_one_are_named():
    headers = Headers(["成交额", "成交额(万元)", "份额(份)", "份额(万份)"])
    assert headers.column("成交额") == "成交额"
    assert headers.several == {"份额": ("份额(份)", "份额(万份)")}


def test_two_columns_that_could_be_one_of_ours_are_refused(take):
    with pytest.raises(DataError, match=r"two columns could be `units`; received 份额\(份\), 份额\(万份\)"):
        take("a.csv", csv("日期,代码,份额(份),份额(万份)", "2025-08-20,159363,3970000000,397000"))


# Pages: titles, footers, headers of several rows

TDX = (
    "2025/08/19,0.711,0.719,0.698,0.704,412000000,291500000.00",
    "2025/08/20,0.700,0.731,0.690,0.729,523000000,371800000.00",
)
TDX_HEADER = "日期,开盘,最高,最低,收盘,成交量,成交额"


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


# Matrices

MATRIX = csv("日期,159363.SZ,515980.SH", "2025-08-19,3861000000,", "2025-08-20,3970000000,4300000000")


def test_a_matrix_of_days_and_funds_is_asked_what_it_holds(take, store):
    with pytest.raises(DataError, match=r"matrix of funds and days, and does not say of what.*`wide-units`"):
        take("u.csv", MATRIX)
    take("u.csv", MATRIX, named="wide-units")
    assert units(store) == [
        ("159363.SZ", "2025-08-19", 3_861_000_000.0),
        *AUGUST_20,
        ("515980.SH", "2025-08-20", 4_300_000_000.0),
    ]


def test_a_matrix_may_lie_on_its_side_and_be_in_another_unit_of_measure(take, store):
    toml = 'table = "units"\nwide = "units"\ncolumns = {symbol = "代码"}\nmeasures = {units = "10^4"}'
    for first, second in (("2025-08-19", "2025-08-20"), ("20250819", "20250820")):
        take("u.csv", csv(f"代码,名称,{first},{second}", "159363,AI,,397000"), map=toml)
    assert units(store) == AUGUST_20


def test_sums_beside_a_matrix_are_no_fund(take, store):
    report = take("u.csv", csv("date,BOTZ,Total", "2025-08-20,80000000,80000000"), named="wide-units")
    assert units(store) == [("BOTZ.US", "2025-08-20", 80_000_000.0)]
    assert report.imported[0].unused == ("Total",)


@pytest.mark.parametrize(
    "rows",
    [
        # As pandas writes it without a name of the index, or with the name of the columns in the corner.
        (",159363,515980", "2025-08-20,3970000000,--"),
        ("code,159363,515980", "2025-08-20,3970000000,"),
        ("日期,159363 创业板AI,人工智能(515980)", "2025年8月20日,39.7亿,停牌"),
        ("日期,159363(万份),515980(万份)", "20250820,397000,"),
        ("代码,2025年8月20日,2025年8月21日", "159363,3970000000,"),
        ("代码,45889,45890", "159363,3970000000,"),
    ],
)
def test_a_matrix_with_odd_corners_and_headers(take, store, rows):
    take("u.csv", csv(*rows), named="wide-units")
    assert units(store) == AUGUST_20


def test_a_matrix_of_several_units_of_measure_is_refused(take):
    with pytest.raises(DataError, match=r"its headers name several units of measure; received 日期, 159363"):
        take("u.csv", csv("日期,159363(万份),515980(份)", "20250820,397000,1"), named="wide-units")


def test_codes_above_chinese_fields_become_rows(take, store):
    codes, fields = "日期,159363,159363,515980,515980", "日期,份额(万份),净值,份额(万份),净值"
    take("u.csv", csv(codes, fields, "2025-08-20,397000,0.73,,"))
    assert units(store) == AUGUST_20


def test_what_is_no_matrix_is_refused(take):
    with pytest.raises(DataError, match="is not a matrix of days and funds; received day, 名称"):
        take("u.csv", csv("day,名称", "2025-08-20,AI"), named="wide-units")


# Halts

BARS = "symbol,day,open,high,low,close,volume,amount"


@pytest.mark.parametrize(
    "halt",
    [
        "0,0,0,0.704,0,0",
        ",,,,,",
        "--,--,--,--,--,--",
        "停牌,停牌,停牌,停牌,0,0",
        "0.704,0.704,0.704,0.704,,",
    ],
)
def test_a_row_without_volume_and_prices_is_a_halt(take, store, halt):
    bar = "0.7,0.731,0.69,0.729,523000000,371800000"
    rows = (f"159363,2025-08-{day},{cells}" for day, cells in ((19, bar), (20, halt), (21, bar)))
    report = take("bars.csv", csv(BARS, *rows))
    assert report.imported[0].notes == ("without volume and prices, and left out as halts: 1 row",)
    assert store.read("bars")["day"].dt.day.tolist() == [19, 21]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0,0,0,0.704,523,0", "`open` .* must be positive in row 1"),
        ("0.7,,,0.704,0,0", "`high` of table `bars` is empty in row 1"),
        ("0.7,0.731,0.69,0.729,,", "`volume` of table `bars` is empty in row 1"),
    ],
)
def test_a_row_with_volume_or_with_some_prices_is_no_halt(take, row, message):
    whole = "159363,2025-08-21,0.7,0.731,0.69,0.729,523000000,371800000"
    with pytest.raises(DataError, match=message):
        take("bars.csv", csv(BARS, f"159363,2025-08-20,{row}", whole))


@pytest.mark.parametrize("empty", ["", "0", "--", "停牌", "N/A"])
def test_a_count_without_a_value_is_left_out_and_told(take, store, empty):
    rows = csv("symbol,day,units", "159363,2025-08-20,3970000000", f"159363,2025-08-21,{empty}")
    assert take("u.csv", rows).imported[0].notes == ("without a value, and left out: 1 row",)
    assert units(store) == AUGUST_20
    with pytest.raises(DataError, match="`units` of table `units`"):
        take("u.csv", csv("symbol,day,units", f"159363,2025-08-21,{empty}"))


def test_an_index_without_a_level_is_left_out_and_told(take, store):
    rows = csv("index,day,close", "930713,2025-08-20,3871.5", "930713,2025-08-21,--", "930713,2025-08-22,0")
    assert take("i.csv", rows).imported[0].notes == ("without a value, and left out: 2 rows",)
    assert store.read("index_bars")["close"].tolist() == [3871.5]


def test_a_balance_of_zero_is_a_balance(take, store):
    take("m.csv", csv("symbol,day,balance", "159363,2025-08-20,0", "159363,2025-08-21,"))
    assert store.read("margin")["balance"].tolist() == [0.0]


def test_a_file_without_volume_at_all_is_refused(take):
    with pytest.raises(DataError, match="`volume` of table `bars` is empty"):
        take(
            "bars.csv",
            csv(BARS, "159363,2025-08-20,0.7,0.7,0.7,0.7,,", "159363,2025-08-21,0.7,0.7,0.7,0.7,,"),
        )


def test_bars_of_minutes_are_refused_with_words_about_that(take):
    rows = (f"159363,2025-08-20 09:3{minute}:00,0.7,0.7{minute},0.7,0.7,100,70" for minute in (1, 2))
    with pytest.raises(DataError, match="the bars are not daily; received several times of the day"):
        take("bars.csv", csv(BARS, *rows))
    # 09:31 and 09:32 in Shanghai, in seconds since 1970.
    rows = (f"159363,{second},0.7,0.71,0.7,0.7,{second % 1000},70" for second in (1755653460, 1755653520))
    with pytest.raises(DataError, match=r"not daily; received .* such as 09:31:00, 09:32:00"):
        take("bars.csv", csv(BARS, *rows))
    # Two minutes in which the same was traded are no row that is there twice.
    rows = [f"159363,2025-08-20 09:3{minute}:00,0.7,0.7,0.7,0.7,100,70" for minute in (1, 2)]
    with pytest.raises(DataError, match=r"not daily; received .* such as 09:31:00, 09:32:00"):
        take("bars.csv", csv(BARS, *rows))
    again = ["159363,2025-08-20 15:00:00,0.7,0.7,0.7,0.7,100,70"] * 2
    other = "159363,2025-08-21 15:30:00,0.7,0.7,0.7,0.7,100,70"
    assert take("bars.csv", csv(BARS, *again, other)).imported[0].rows == 2


# Workbooks

LIST = ["基金代码", "基金简称", "基金类别", "投资类别", "上市日期", "当前规模(份)", "基金管理人"]


@pytest.mark.parametrize("name", ["list_20250820.xlsx", "list_20250820.csv"])
@pytest.mark.parametrize("code", ["159363", 159363])
def test_a_workbook_is_known_by_its_bytes(take, store, name, code):
    rows = [LIST, [code, "创AI", "ETF", "股票基金", Day(45642), "3,970,000,000", "华宝基金"]]
    report = take(name, xlsx({"基金列表": rows}))
    assert report.imported[0].map == "szse-funds"
    assert units(store) == AUGUST_20


def test_a_workbook_with_title_days_and_source_below(take, store):
    rows = [
        ["份额数据"],
        ["单位：万份"],
        [],
        ["日期", "代码", "份额"],
        [Day(45889), "159363.SZ", 397000],
        [],
        ["数据来源：Wind"],
    ]
    take("wind.xlsx", xlsx({"Sheet1": rows}))
    assert units(store) == AUGUST_20


def test_sheets_that_no_map_knows_are_passed_over(take, store):
    rows = [["symbol", "day", "units"], ["159363", "20250820", 3970000000]]
    report = take("book.xlsx", xlsx({"about": [["who", "what"], ["a", "b"]], "empty": [], "units": rows}))
    assert [each.rows for each in report.imported] == [1]
    assert report.imported[0].notes == ("passed over `book.xlsx`, sheet `about`: no map knows what is in it",)
    assert units(store) == AUGUST_20
    with pytest.raises(DataError, match=r"no ready map knows the columns of `other.xlsx`, sheet `about`"):
        take("other.xlsx", xlsx({"about": [["who", "what"], ["a", "b"]]}))


def test_an_old_workbook_of_the_shanghai_exchange(take, store):
    take("rzrqjygk20250820.xls", margin_xls())
    (row,) = store.read("margin").to_dict("records")
    assert (row["symbol"], row["day"]) == ("515980.SH", pd.Timestamp("2025-08-20"))
    assert (row["balance"], row["bought"], row["repaid"]) == (234_567_890.0, 12_345_678.0, 1_000_000.0)


def test_text_under_the_name_of_a_workbook_is_text(take, store):
    rows = csv("159363 AI 日线 不复权", TDX_HEADER, *TDX).replace(",", "\t")
    take("159363.xls", rows.encode("gbk"))
    assert store.read("bars")["close"].tolist() == [0.704, 0.729]


def _archive(**parts: str) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_read(take, monkeypatch):
    monkeypatch.setattr("data.importing.workbooks.MOST_CELLS", 2_000)
    refusal = r"would fill the memory; received a sheet of 99 rows and 26 columns; limit: 2,000 cells"
    with pytest.raises(DataError, match=refusal):
        take("b.xlsx", far_cell())


@pytest.mark.parametrize("far", [b"Z00000099", b"AAAA9"])
def test_a_place_of_any_length_counts_for_the_memory(take, monkeypatch, far):
    monkeypatch.setattr("data.importing.workbooks.MOST_CELLS", 2_000)
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(far_cell())) as archive, zipfile.ZipFile(made, "w") as written:
        for name in archive.namelist():
            written.writestr(name, archive.read(name).replace(b"Z99", far))
    with pytest.raises(DataError, match="would fill the memory"):
        take("b.xlsx", made.getvalue())


BROKEN = {
    "half a workbook": ("b.xlsx", xlsx({"a": [["x"]]})[:400], "not a whole workbook"),
    "half an old one": ("b.xls", margin_xls()[:2000], "not a whole workbook"),
    "an archive": ("b.csv", _archive(readme="x"), "is no workbook; received an archive that holds readme"),
    "a web page": ("b.xls", b"<html><table></table></html>", "is no table that is read; received a web page"),
    "a PDF": ("b.csv", b"%PDF-1.7", "is no table that is read; received a PDF"),
    "no word": (
        "b.csv",
        csv("9" * 200_000 + ",a", "1,2"),
        "rows of different lengths; received field larger",
    ),
    "too many columns": (
        "b.csv",
        csv(",".join(f"a{n}" for n in range(20_001))[:130_000] + "," * 20_001, "1"),
        "too many columns|names a column twice|different lengths",
    ),
    "deep JSON": ("b.json", b"[" * 100_000, "is not JSON; received lists within lists"),
    "deep objects": ("b.json", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "lists within lists"),
    "thousands of digits": (
        "b.json",
        b'[{"a": ' + b"9" * 5000 + b"}]",
        "is not JSON; received a number of 5,000 digits",
    ),
    "hundreds of digits": (
        "b.json",
        b'[{"symbol": "159363", "day": "2025-08-20", "units": ' + b"9" * 400 + b"}]",
        "`units` .* not a finite number",
    ),
    "null for a list": ("b.json", b'{"fields": null, "items": null}', "`fields` is no list; received null"),
    "null for klines": ("b.json", b'{"data": {"klines": null}}', "`klines` is no list; received null"),
    "null for a line": ("b.json", b'{"data": {"klines": [null]}}', "a kline has 0 fields; received null"),
    "empty lines": ("b.csv", b"\n\n\na", "nothing to import; .*it has no rows"),
    "short row": (
        "b.json",
        b'{"fields": ["symbol", "day", "units"], "items": [["159363", "2025-08-20"]]}',
        r"row 1 of `items` does not have the cells that `fields` names; .*limit: 3 cells",
    ),
    "null for a chart": (
        "b.json",
        b'{"chart": {"result": [{"meta": null, "indicators": {"quote": [null]}}]}}',
        "no whole answer of Yahoo",
    ),
    "two tables": (
        "b.json",
        b'{"a": [{"x": 1}], "b": [{"y": 1}]}',
        r"holds several tables; received a, b\. .*rows = \"a\"",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_refused_in_words(take, store, case):
    name, content, message = BROKEN[case]
    with pytest.raises(EtflowError, match=message) as refused:
        take(name, content)
    assert refused.value.exit_code == 3
    assert not store.folder.exists()


def test_a_file_that_unpacks_to_a_hundred_times_its_size_is_refused(take, monkeypatch):
    monkeypatch.setattr("data.importing.contents._UNSUSPICIOUS", 1 << 20)
    content = gzip.compress(b"159363,2025-08-20,3970000000\n" * 100_000, 9)
    with pytest.raises(
        DataError, match=r"would fill the memory; received .* limit: 50 times the packed size"
    ):
        take("packed.csv.gz", content)


def test_large_files_that_are_packed_as_tables_are_may_be_read():
    check_size(2 << 30, 100 << 20, "a.csv.gz")
    with pytest.raises(DataError, match="would fill the memory"):
        check_size(MOST_BYTES + 1, MOST_BYTES, "a.csv.gz")


# Answers

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
