"""Rows of a halt, rows without a value, and bars that are not daily.

Each small input is written here, and what must come out of it is worked out by hand.
"""

from __future__ import annotations

import pytest

from data.errors import DataError
from tests.helpers.formats import AUGUST_20, csv, units

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
