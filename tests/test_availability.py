"""Publication lags: what may be used at which open, in the normal and in the strict setting."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from data.errors import DataError, UsageError
from data.facts.availability import load_availability
from data.facts.calendars import calendar_for

DAY = date(2025, 8, 15)

# Table, symbol, normal, strict.
LAGS = [
    ("bars", "159363.SZ", 1, 1),
    ("bars", "BOTZ.US", 1, 1),
    ("index_bars", "970070", 1, 1),
    ("units", "159363.SZ", 1, 1),
    ("units", "515980.SH", 1, 2),
    ("units", "BOTZ.US", 2, 2),
    ("nav", "159363.SZ", 1, 1),
    ("nav", "513310.SH", 3, 3),
    ("nav", "159941.SZ", 3, 3),
    ("nav", "BOTZ.US", 1, 2),
    ("margin", "159363.SZ", 1, 2),
    ("margin", "515980.SH", 1, 2),
    ("margin", "CN", 1, 2),
    ("margin", "US", 21, 25),
    ("index_weights", "970070", 5, 5),
]


def first_use(table: str, symbol: str, day: date, name: str) -> str:
    """Return the first session whose open may use the datum of session ``day``."""
    sessions = calendar_for("cn_etf").sessions(day, day + timedelta(days=30))
    return str(sessions[load_availability(name).lag(table, symbol, day)])


@pytest.mark.parametrize(("table", "symbol", "normal", "strict"), LAGS)
def test_lags(table: str, symbol: str, normal: int, strict: int) -> None:
    assert load_availability().lag(table, symbol, DAY) == normal
    assert load_availability("normal").lag(table, symbol, DAY) == normal
    assert load_availability("strict").lag(table, symbol, DAY) == strict


def test_strict_is_never_earlier_and_nothing_is_known_on_its_own_day() -> None:
    assert all(1 <= normal <= strict for _, _, normal, strict in LAGS)


def test_fridays_margin_is_usable_at_mondays_open_or_a_session_later() -> None:
    assert DAY.weekday() == 4
    assert first_use("margin", "159363.SZ", DAY, "normal") == "2025-08-18"
    assert first_use("margin", "159363.SZ", DAY, "strict") == "2025-08-19"


def test_the_last_session_before_the_holiday_is_usable_after_it() -> None:
    assert first_use("units", "159363.SZ", date(2025, 9, 30), "normal") == "2025-10-09"
    assert first_use("units", "515980.SH", date(2025, 9, 30), "strict") == "2025-10-10"


def test_month_end_weights_are_usable_five_sessions_later() -> None:
    # 2025-07-31 is a Thursday: 08-01, 04, 05, 06, 07.
    assert first_use("index_weights", "970070", date(2025, 7, 31), "normal") == "2025-08-07"


def test_lags_of_many_days_are_those_of_each() -> None:
    availability = load_availability("strict")
    days = np.array(["2020-01-02", "2024-05-28", "2025-08-15"], dtype="datetime64[D]")
    assert availability.lags("margin", "US", days).tolist() == [25, 25, 25]
    assert availability.lags("bars", "159363.SZ", days[:0]).tolist() == []


def test_shifts_move_a_table_and_leave_the_others() -> None:
    moved = load_availability("normal", {"margin": 1, "units": 2})
    assert moved.lag("margin", "159363.SZ", DAY) == 2
    assert moved.lag("margin", "US", DAY) == 22
    assert moved.lag("units", "BOTZ.US", DAY) == 4
    assert moved.lag("bars", "159363.SZ", DAY) == 1
    assert load_availability().lag("margin", "159363.SZ", DAY) == 1
    assert dict(moved.shifts) == {"margin": 1, "units": 2}


def test_a_shift_may_shorten_a_lag_but_not_below_one_session() -> None:
    assert load_availability("normal", {"index_weights": -4}).lag("index_weights", "970070", DAY) == 1
    with pytest.raises(UsageError, match="limit: -4 or more"):
        load_availability("normal", {"index_weights": -5})
    with pytest.raises(UsageError, match="before they are published"):
        load_availability("normal", {"bars": -1})
    assert load_availability("strict", {"margin": -1}).lag("margin", "159363.SZ", DAY) == 1


@pytest.mark.parametrize("shift", [1.0, True, "1"])
def test_a_shift_is_a_whole_number(shift: object) -> None:
    with pytest.raises(UsageError, match="whole number"):
        load_availability("normal", {"margin": shift})  # type: ignore[dict-item]


def test_unknown_names_are_answered_with_close_matches() -> None:
    with pytest.raises(UsageError, match="strict"):
        load_availability("strickt")
    with pytest.raises(UsageError, match="Did you mean `margin`"):
        load_availability("normal", {"margins": 1})
    with pytest.raises(UsageError, match="index_bars"):
        load_availability().lag("index_bar", "970070", DAY)


def test_macro_rows_must_say_when_they_were_known() -> None:
    with pytest.raises(DataError, match="known_at"):
        load_availability().lag("macro", "capex", DAY)


def test_before_the_first_row_there_is_no_lag() -> None:
    with pytest.raises(DataError, match="1989-12-31"):
        load_availability().lag("bars", "159363.SZ", date(1989, 12, 31))
    assert load_availability().lag("bars", "159363.SZ", date(1990, 1, 1)) == 1


def test_cutoffs_and_expiry() -> None:
    availability = load_availability()
    assert (availability.cutoff("cn_etf"), availability.cutoff("us_etf")) == ("09:15", "09:30")
    assert availability.stale_after == 10
    with pytest.raises(UsageError, match="cn_etf"):
        availability.cutoff("cn")


def test_every_table_with_a_day_has_a_lag() -> None:
    from data.store.tables import TABLES

    lagged = set(load_availability().rows)
    assert lagged == set(TABLES) - {"actions", "funds"}
