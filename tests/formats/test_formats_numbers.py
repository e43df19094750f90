"""Numbers, days, units of measure and headers as people write them.

Each small input is written here, and what must come out of it is worked out by hand.
"""

from __future__ import annotations

import pandas as pd
import pytest

from data.errors import DataError
from data.importing.headers import Headers, Unit, split_header
from data.store.cells import read_days, read_numbers
from tests.helpers.formats import csv, units

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
