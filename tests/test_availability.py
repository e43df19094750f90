"""Publication lags: what may be used at which open, in the normal and in the strict setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError, UsageError
from data.facts.availability import load_availability
from data.facts.calendars import calendar_for
from data.facts.dated import Row, Scope, stretches
from data.panel.grids import facts_of
from data.store.tables import TABLES

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


class OfNav:
    """A source that has NAV of two funds, and nothing else."""

    def __init__(self, symbols: Sequence[str], days: Sequence[str]) -> None:
        keys = pd.MultiIndex.from_product([symbols, pd.to_datetime(list(days))], names=["symbol", "day"])
        rows = keys.to_frame(index=False)
        self._nav = TABLES["nav"].validate(rows.assign(nav=np.arange(1.0, len(rows) + 1)))

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a table."""
        rows = self._nav if table == "nav" else TABLES[table].empty()
        return rows if symbols is None else rows[rows[TABLES[table].key[0]].isin(symbols)]


def test_a_lag_that_changes_holds_from_its_day_on_for_its_funds_alone() -> None:
    symbols, days = ("159363.SZ", "515980.SH"), [f"2025-08-{day}" for day in (18, 19, 20, 21, 22)]
    usual = Row(Scope("default"), np.datetime64("1990-01-01"), "", {"normal": 1})
    # The exchange of the first fund publishes two sessions later from the Wednesday on.
    later = Row(Scope("exchange", ("SZSE",)), np.datetime64("2025-08-20"), "", {"normal": 3})
    published = load_availability()
    published = replace(published, rows={**published.rows, "nav": (usual, later)})
    sessions = np.array(days, dtype="datetime64[D]")
    facts = facts_of(OfNav(symbols, days), symbols, sessions, ("cn_etf",), published)
    assert facts.grids["nav"].usable_from.T.tolist() == [[1, 2, 5, 6, 7], [1, 2, 3, 4, 5]]
    # Three sessions of the same lag are one stretch; a row that begins after the data is none.
    begins, counts = stretches([usual, later, replace(later, start=np.datetime64("2026-01-01"))], sessions)
    assert (begins.tolist(), counts.tolist()) == ([0, 2], [2, 3])


def test_a_row_of_a_day_that_is_no_session_is_of_none() -> None:
    """Before the first session, on one that is left out, and after the last one, which has no row."""
    source = OfNav(["159363.SZ"], [f"2025-08-{day}" for day in (15, 18, 19, 20, 21, 25)])
    sessions = np.array([f"2025-08-{day}" for day in (18, 19, 21, 22)], dtype="datetime64[D]")
    facts = facts_of(source, ("159363.SZ",), sessions, ("cn_etf",), load_availability())
    np.testing.assert_array_equal(facts.grids["nav"].measure[:, 0], [2.0, 3.0, 5.0, np.nan])
