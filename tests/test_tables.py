"""Tables: what may come in, how it is typed, and what is refused, row and column named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError, UsageError
from data.store.cells import read_days, read_numbers
from data.store.tables import TABLES, table

BARS = TABLES["bars"]


def bars(**changed: list[object]) -> pd.DataFrame:
    """Two bars of one fund, with columns replaced or added."""
    rows = {
        "symbol": ["159363.SZ", "159363.SZ"],
        "day": ["2025-08-19", "2025-08-20"],
        "open": ["0.711", "0.700"],
        "high": ["0.719", "0.731"],
        "low": ["0.698", "0.690"],
        "close": ["0.704", "0.729"],
        "volume": ["412000000", "523000000"],
    }
    return pd.DataFrame({**rows, **changed})


def test_rows_come_out_typed_and_sorted_by_key():
    valid = BARS.validate(bars().iloc[::-1])
    assert valid["day"].tolist() == [pd.Timestamp("2025-08-19"), pd.Timestamp("2025-08-20")]
    assert valid["close"].tolist() == [0.704, 0.729]
    assert valid["day"].dtype == "datetime64[us]"
    assert valid["volume"].dtype == "float64"
    assert list(valid.columns) == list(BARS.names)


def test_optional_columns_that_are_absent_come_out_missing():
    valid = BARS.validate(bars())
    assert valid[["amount", "pre_close", "source", "known_at"]].isna().all().all()


def test_unknown_columns_are_dropped():
    assert "name" not in BARS.validate(bars(name=["x", "y"])).columns


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2025-08-20", "2025-08-20"),
        ("20250820", "2025-08-20"),
        (20250820, "2025-08-20"),
        (20250820.0, "2025-08-20"),
        ("2025/8/20", "2025-08-20"),
        ("2025/8/2 15:00:00", "2025-08-02"),
        ("2025.08.20", "2025-08-20"),
        ("45889", "2025-08-20"),
        (45889.625, "2025-08-20"),
        ("2025-08-20 00:00:00-04:00", "2025-08-20"),
        ("2025-08-20 04:00:00+00:00", "2025-08-20"),
        (1755648000000, "2025-08-20"),
        (pd.Timestamp("2025-08-20 04:00", tz="UTC"), "2025-08-20"),
    ],
)
def test_a_day_is_read_in_every_usual_way(written, day):
    valid = BARS.validate(bars(day=["2025-08-01", written]))
    assert pd.Timestamp(day) in valid["day"].tolist()


@pytest.mark.parametrize(
    "written",
    [
        "2025-13-01",
        "20251301",
        "2025-02-30",
        "8/20/2025",
        "2025-08",
        "250820",
        "soon",
        "1985-01-01",
        "2025-08-19T16:00:00Z",
        "1755619200000",
    ],
)
def test_what_is_no_day_is_refused(written):
    with pytest.raises(DataError, match=r"`day` of table `bars` is not a date in row 2.*2025/8/20"):
        BARS.validate(bars(day=["2025-08-19", written]))


def test_a_time_with_an_offset_is_refused_because_its_market_is_unknown():
    with pytest.raises(DataError, match=r"`known_at` .* not a time in row 1.*without an offset"):
        BARS.validate(bars(known_at=["2025-08-20 01:30:00+00:00", "2025-08-21 09:00"]))


def test_a_time_keeps_its_hour():
    valid = BARS.validate(bars(known_at=["2025-08-19 21:30", "2025-08-20 21:30:15"]))
    assert valid["known_at"].tolist() == [
        pd.Timestamp("2025-08-19 21:30"),
        pd.Timestamp("2025-08-20 21:30:15"),
    ]


@pytest.mark.parametrize("text", ["", "-", "--", "nan", "None", "NULL"])
def test_an_empty_cell_of_an_optional_column_is_missing(text):
    assert np.isnan(BARS.validate(bars(amount=["2", text]))["amount"].iloc[1])


def test_thousands_separators_are_read():
    assert BARS.validate(bars(volume=["412,000,000", "5"]))["volume"].iloc[0] == 412_000_000.0


@pytest.mark.parametrize("value", ["soon", "1.2兆", "inf", "-inf", "1e999", "12%", "30,15"])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(DataError, match=r"`close` of table `bars` is not a finite number in row 2; received"):
        BARS.validate(bars(close=["0.704", value]))


def test_a_column_of_dates_is_not_read_as_numbers():
    with pytest.raises(DataError, match=r"`volume` .* not a finite number in row 1"):
        BARS.validate(bars(volume=pd.to_datetime(["2025-08-19", "2025-08-20"]).tolist()))


def test_a_missing_price_is_refused():
    with pytest.raises(DataError, match=r"`close` of table `bars` is empty in row 1; received 1 empty of 2"):
        BARS.validate(bars(close=[float("nan"), 0.729]))


@pytest.mark.parametrize("price", ["0", "-0.704"])
def test_a_price_that_is_not_positive_is_refused(price):
    with pytest.raises(DataError, match=rf"`close` .* must be positive in row 1; received {price}"):
        BARS.validate(bars(close=[price, "0.729"]))


def test_negative_volume_is_refused_and_none_is_fine():
    assert BARS.validate(bars(volume=[0, 1]))["volume"].iloc[0] == 0.0
    with pytest.raises(DataError, match=r"`volume` .* must be nonnegative in row 2; received -1"):
        BARS.validate(bars(volume=[0, -1]))


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("close", [0.704, np.inf], "not a finite number in row 2"),
        ("close", [-np.inf, 0.729], "not a finite number in row 1"),
        ("close", [0.704, 0.0], "must be positive in row 2"),
        ("close", [np.nan, 0.729], "is empty in row 1"),
        ("volume", [1.0, -1.0], "must be nonnegative in row 2"),
        ("day", pd.to_datetime(["2025-08-19", "1989-12-29"]), "not a date in row 2"),
        ("day", pd.to_datetime(["2025-08-19", "2100-01-02"]), "not a date in row 2"),
        ("day", pd.to_datetime(["2025-08-19", None]), "is empty in row 2"),
    ],
)
def test_what_is_typed_already_is_looked_at_too(column, values, said):
    with pytest.raises(DataError, match=rf"`{column}` of table `bars` .*{said}"):
        BARS.validate(bars(**{column: values}))


def test_numbers_and_days_that_are_typed_may_lack_a_value_and_have_a_time():
    times = pd.to_datetime(["2025-08-19 15:00", "2025-08-20 00:00"]).astype("datetime64[us]")
    valid = BARS.validate(bars(day=times, amount=[np.nan, 5.0]))
    assert valid["day"].tolist() == [pd.Timestamp("2025-08-19"), pd.Timestamp("2025-08-20")]
    assert valid["amount"].isna().tolist() == [True, False]


def test_a_level_above_its_high_is_refused_although_there_is_no_low():
    rows = pd.DataFrame({"index": ["930713"], "day": ["2025-08-20"], "close": [1010.0], "high": [1009.0]})
    with pytest.raises(
        DataError, match=r"row 1 does not lie within its high and low; received high 1009, close"
    ):
        TABLES["index_bars"].validate(rows)


def test_high_below_low_is_refused():
    with pytest.raises(DataError, match=r"row 2 does not lie within its high and low.*some vendors write"):
        BARS.validate(bars(high=["0.719", "0.69"], low=["0.698", "0.731"]))


def test_a_day_twice_with_other_values_is_refused():
    with pytest.raises(DataError, match=r"159363.SZ, 2025-08-20 comes more than once .* 2 such rows"):
        BARS.validate(bars(day=["2025-08-20", "2025-08-20"]))


def test_a_row_twice_counts_once():
    once = bars().iloc[:1]
    assert len(BARS.validate(pd.concat([once, once]))) == 1


def test_a_missing_column_is_refused_and_the_columns_found_are_named():
    with pytest.raises(DataError, match=r"needs the column `close`; received symbol, day, open"):
        BARS.validate(bars().drop(columns="close"))


def test_rows_that_were_left_out_before_do_not_shift_the_count():
    frame = bars(close=["0.704", "bad"])
    frame.index = pd.Index([3, 7])
    with pytest.raises(DataError, match="in row 8;"):
        BARS.validate(frame)


def test_an_action_of_unknown_kind_is_refused():
    frame = pd.DataFrame({"symbol": ["159363.SZ"], "kind": ["splits"], "ex_day": ["2025-07-21"]})
    with pytest.raises(DataError, match=r"unknown `kind`.*'splits' in row 1.*Did you mean `split`"):
        TABLES["actions"].validate(frame)


def test_an_unknown_table_names_close_ones():
    with pytest.raises(UsageError, match=r"unknown table `bar`\. Did you mean `bars`"):
        table("bar")


def test_an_empty_frame_has_the_types_of_the_table():
    empty = BARS.empty()
    assert list(empty.columns) == list(BARS.names)
    assert len(BARS.validate(empty)) == 0


def test_columns_are_read_whole_with_a_mask_of_what_is_wrong():
    days, wrong = read_days(pd.Series(["19/08/2025", "2025-08-20", None]), written_as="%d/%m/%Y")
    assert days.iloc[0] == pd.Timestamp("2025-08-19")
    assert wrong.tolist() == [False, True, False]
    numbers, wrong = read_numbers(pd.Series(["1,000", "x", "-"]))
    assert numbers.iloc[0] == 1000.0
    assert wrong.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("kind", "given", "lacks"),
    [
        ("split", {"cash": 0.1}, "ratio"),
        ("dividend", {"ratio": 2.0}, "cash"),
        ("merge", {"ratio": 0.25}, "successor"),
        ("merge", {"successor": "159020.SZ"}, "ratio"),
        ("rename", {"ratio": 1.0}, "successor"),
        ("liquidation", {}, "cash"),
    ],
)
def test_an_action_without_what_it_is_about_is_refused(kind, given, lacks):
    whole = {"symbol": "159019.SZ", "kind": "dividend", "ex_day": "2025-03-19", "cash": 0.1}
    lacking = {"symbol": "159019.SZ", "kind": kind, "ex_day": "2025-03-20", **given}
    message = f"the {kind} in row 2 of `actions` needs `{lacks}`; received none in 1 of"
    with pytest.raises(DataError, match=message):
        TABLES["actions"].validate(pd.DataFrame([whole, lacking]))
