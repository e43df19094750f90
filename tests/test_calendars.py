"""Sessions: counts that the exchanges published, the horizon, and rows that extend or correct it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError, UsageError
from data.facts import calendars
from data.facts.calendars import Calendar, Span, calendar_for

Writer = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _no_file_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETFLOW_CALENDAR", raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def write_rows(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_rows


JANUARY = """
[[sessions]]
market = "cn_etf"
from = 2027-01-01
through = 2027-01-31
closed = [2027-01-01]
source = "made up for this test"
"""


def count(calendar: Calendar, year: int) -> int:
    return len(calendar.sessions(date(year, 1, 1), date(year, 12, 31)))


def days(calendar: Calendar, first: str, last: str) -> list[str]:
    return calendar.sessions(date.fromisoformat(first), date.fromisoformat(last)).astype(str).tolist()


def test_shanghai_has_242_242_243_242_sessions_from_2023_to_2026() -> None:
    calendar = calendar_for("cn_etf")
    assert [count(calendar, year) for year in (2023, 2024, 2025, 2026)] == [242, 242, 243, 242]


def test_new_york_has_252_250_251_sessions_from_2024_to_2026() -> None:
    calendar = calendar_for("us_etf")
    assert [count(calendar, year) for year in (2024, 2025, 2026)] == [252, 250, 251]


def test_the_month_to_2025_08_20_has_23_sessions() -> None:
    sessions = calendar_for("cn_etf").sessions(date(2025, 7, 21), date(2025, 8, 20))
    assert len(sessions) == 23
    assert (str(sessions[0]), str(sessions[-1])) == ("2025-07-21", "2025-08-20")
    assert sessions.dtype == np.dtype("datetime64[D]")


def test_the_national_holiday_of_2025_closes_eight_days() -> None:
    assert days(calendar_for("cn_etf"), "2025-09-29", "2025-10-10") == [
        "2025-09-29",
        "2025-09-30",
        "2025-10-09",
        "2025-10-10",
    ]


def test_the_day_of_mourning_and_the_holidays_of_2027_in_new_york() -> None:
    calendar = calendar_for("us_etf")
    assert not calendar.is_session(date(2025, 1, 9))
    # The exchange announced these ten for 2027; 2027-01-01 is a Friday.
    holidays = "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24"
    assert [calendar.is_session(date.fromisoformat(f"2027-{day}")) for day in holidays.split()] == [
        False
    ] * 10
    assert count(calendar, 2027) == 261 - 10


def test_sessions_include_both_ends_and_may_be_none() -> None:
    calendar = calendar_for("cn_etf")
    assert days(calendar, "2025-08-15", "2025-08-18") == ["2025-08-15", "2025-08-18"]
    assert days(calendar, "2025-08-16", "2025-08-17") == []
    assert days(calendar, "2025-08-18", "2025-08-18") == ["2025-08-18"]


def test_is_session() -> None:
    calendar = calendar_for("cn_etf")
    asked = [date(2025, 8, 15), date(2025, 8, 16), date(2025, 10, 1), date(2026, 12, 31)]
    assert [calendar.is_session(day) for day in asked] == [True, False, False, True]


def test_sessions_cannot_be_written_to() -> None:
    sessions = calendar_for("cn_etf").sessions(date(2025, 8, 1), date(2025, 8, 20))
    with pytest.raises(ValueError, match="read-only"):
        sessions[0] = np.datetime64("2025-08-02")


def test_a_start_after_the_end_is_refused() -> None:
    with pytest.raises(UsageError, match="2025-08-20 to 2025-08-19"):
        calendar_for("cn_etf").sessions(date(2025, 8, 20), date(2025, 8, 19))


def test_beyond_the_horizon_the_error_says_the_day_and_what_to_do() -> None:
    calendar = calendar_for("cn_etf")
    assert (calendar.first_day, calendar.last_day) == (date(1991, 1, 1), date(2026, 12, 31))
    with pytest.raises(DataError, match=r"through 2026-12-31; received 2027-01-15\. .*data calendar import"):
        calendar.sessions(date(2026, 12, 1), date(2027, 1, 15))
    with pytest.raises(DataError, match="through 2026-12-31"):
        calendar.is_session(date(2027, 1, 1))
    with pytest.raises(DataError, match="from 1991-01-01 on"):
        calendar.sessions(date(1990, 12, 19), date(1991, 1, 31))


def test_the_american_horizon_does_not_move_with_the_clock() -> None:
    assert calendar_for("us_etf").last_day == date(2027, 12, 31)


def test_an_unknown_market_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="cn_etf"):
        calendar_for("cn_eft")


# ---- sessions a year --------------------------------------------------------------------------------------


def test_sessions_per_year_is_the_mean_of_the_years_touched() -> None:
    calendar = calendar_for("cn_etf")
    assert calendar.sessions_per_year(date(2025, 3, 3), date(2025, 8, 20)) == 243
    assert calendar.sessions_per_year(date(2024, 12, 31), date(2025, 1, 2)) == (242 + 243) / 2
    assert calendar.sessions_per_year(date(2023, 1, 1), date(2026, 12, 31)) == (242 + 242 + 243 + 242) / 4


def test_a_year_that_is_recorded_in_part_does_not_count(write: Writer) -> None:
    calendar = Calendar("cn_etf", write(JANUARY))
    assert calendar.sessions_per_year(date(2026, 6, 1), date(2027, 1, 31)) == 242
    assert calendar.sessions_per_year(date(2027, 1, 4), date(2027, 1, 31)) == 242


# ---- rows of one's own ------------------------------------------------------------------------------------


def test_rows_extend_the_horizon(write: Writer) -> None:
    calendar = Calendar("cn_etf", write(JANUARY))
    assert calendar.last_day == date(2027, 1, 31)
    assert days(calendar, "2026-12-30", "2027-01-05") == [
        "2026-12-30",
        "2026-12-31",
        "2027-01-04",
        "2027-01-05",
    ]
    with pytest.raises(DataError, match="through 2027-01-31"):
        calendar.is_session(date(2027, 2, 1))


def test_the_file_in_the_environment_is_used(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETFLOW_CALENDAR", str(write(JANUARY)))
    assert calendar_for("cn_etf").is_session(date(2027, 1, 4))
    assert calendar_for("us_etf").last_day == date(2027, 12, 31)
    monkeypatch.delenv("ETFLOW_CALENDAR")
    assert calendar_for("cn_etf").last_day == date(2026, 12, 31)


def test_a_row_corrects_recorded_days(write: Writer) -> None:
    row = JANUARY.replace("2027-01-01\n", "2025-09-29\n").replace("2027-01-31", "2025-10-01")
    calendar = Calendar("cn_etf", write(row.replace("[2027-01-01]", "[2025-09-30]")))
    # 09-29 stays, 09-30 is closed now, 10-01 is a weekday that the row does not close.
    assert days(calendar, "2025-09-29", "2025-10-08") == ["2025-09-29", "2025-10-01"]
    assert calendar.last_day == date(2026, 12, 31)


def test_a_row_may_close_its_last_day(write: Writer) -> None:
    row = JANUARY.replace("2027-01-01\n", "2026-12-30\n").replace("2027-01-31", "2026-12-30")
    calendar = Calendar("cn_etf", write(row.replace("[2027-01-01]", "[2026-12-30]")))
    assert days(calendar, "2026-12-29", "2026-12-31") == ["2026-12-29", "2026-12-31"]


def test_later_rows_go_on_from_earlier_ones(write: Writer) -> None:
    february = JANUARY.replace("2027-01-01\n", "2027-02-01\n").replace("2027-01-31", "2027-02-28")
    both = write(JANUARY + february.replace("[2027-01-01]", "[]"))
    assert len(days(Calendar("cn_etf", both), "2027-02-01", "2027-02-28")) == 20


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("from = 2027-01-01", "from = 2027-01-04", "do not join"),
        ("through = 2027-01-31", "through = 2026-01-31", "do not join"),
        ("closed = [2027-01-01]", "closed = [2027-02-01]", "outside the row"),
        ("closed = [2027-01-01]", "", "`closed` is not a list"),
        ("closed = [2027-01-01]", "closed = ['2027-01-01']", "not a date"),
        ("through = 2027-01-31", "", "`through` is not a date"),
        ('source = "made up for this test"', "", "`source` is missing"),
        ('market = "cn_etf"', 'market = "cn"', "unknown market `cn`"),
        ("closed", "shut", "unknown name `shut`"),
        ("[[sessions]]", "[[session]]", "unknown name `session`"),
        ("[[sessions]]", "[sessions]", "not a list of rows"),
        ("from = ", "from ", "not a TOML file"),
    ],
)
def test_wrong_rows_are_refused(write: Writer, old: str, new: str, message: str) -> None:
    path = write(JANUARY.replace(old, new))
    with pytest.raises(UsageError, match=message) as raised:
        Calendar("cn_etf", path)
    assert "mine.toml" in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.toml"):
        Calendar("cn_etf", tmp_path / "absent.toml")


def test_importing_the_module_does_not_import_exchange_calendars(root: Path) -> None:
    code = "import sys, data.facts.calendars, data.facts.rules; print('exchange_calendars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_the_library_answered_is_kept_and_asked_again_if_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETFLOW_CACHE", str(tmp_path))
    asked = []
    ask = calendars._ask_the_library
    monkeypatch.setattr(calendars, "_ask_the_library", lambda facts: asked.append(1) or ask(facts))

    def whole() -> tuple[list[str], list[Span]]:
        calendars._recorded.cache_clear()
        calendar = Calendar("cn_etf")
        days = calendar.sessions(calendar.first_day, calendar.last_day)
        return days.astype(str).tolist(), calendar.spans

    first = whole()
    assert (whole(), len(asked)) == (first, 1)
    (place,) = (tmp_path / "calendars").iterdir()
    place.write_bytes(place.read_bytes().replace(b"2026", b"2027"))
    assert (whole(), len(asked)) == (first, 2)
    assert (whole(), len(asked)) == (first, 2)
