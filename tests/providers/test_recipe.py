"""What a store remembers of fetches: recipes that join, gaps that close; and what must be published."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from data.facts.universe import funds_of
from data.providers.joining import Gap
from data.providers.published import Published
from data.providers.recipe import Memory, Recipe, read_memory, write_memory

RECIPE = Recipe(("tushare",), ("bars",), ("159363.SZ",), (), date(2025, 1, 2), {"bars": date(2025, 8, 20)})


def day(number: int) -> date:
    return date(2025, 8, number)


def gap(*series: str, first: int, last: int) -> Gap:
    return Gap("bars", series, day(first), day(last))


def test_what_is_written_is_read_back():
    memory = Memory((RECIPE, replace(RECIPE, indices=("930713",))), (gap("159363.SZ", first=1, last=5),))
    assert read_memory(write_memory(memory)) == memory
    assert read_memory({}) == Memory()


def test_the_same_fetch_with_other_funds_joins_and_goes_back_to_where_both_have_been():
    further = replace(RECIPE, symbols=("588790.SH",), start=date(2024, 1, 2), through={"bars": day(8)})
    (joined,) = Memory((RECIPE,)).with_recipe(further).recipes
    assert joined.symbols == ("159363.SZ", "588790.SH")
    assert (joined.start, joined.through) == (date(2024, 1, 2), {"bars": day(8)})


def test_the_same_fetch_with_all_funds_goes_on():
    wider = replace(RECIPE, symbols=("159363.SZ", "588790.SH"), through={"bars": day(22)})
    (joined,) = Memory((RECIPE,)).with_recipe(wider).recipes
    assert joined.through == {"bars": day(22)}


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, providers=("akshare",)),
        replace(RECIPE, tables=("nav",)),
        replace(RECIPE, indices=("000300",)),
    ],
)
def test_another_fetch_is_a_recipe_of_its_own(other):
    assert Memory((RECIPE,)).with_recipe(other).recipes == (RECIPE, other)


def test_a_gap_closes_for_the_series_and_days_that_were_asked_for():
    memory = Memory(gaps=(gap("A", "B", first=4, last=8),))
    # Not all of its days; then all of them of A; then of B, of which the 8th fails again.
    assert memory.with_gaps([gap("A", first=5, last=8)], []).gaps == memory.gaps
    memory = memory.with_gaps([gap("A", first=1, last=9)], [])
    assert memory.gaps == (gap("B", first=4, last=8),)
    failed = replace(gap("B", first=8, last=8), why="503")
    assert memory.with_gaps([gap("B", first=4, last=8)], [failed]).gaps == (gap("B", first=8, last=8),)
    assert memory.with_gaps([replace(gap("B", first=4, last=8), table="nav")], []).gaps == memory.gaps


@pytest.mark.parametrize(
    ("table", "fund", "clock", "last"),
    [
        # Usable at the next open, which has its data at 09:15.
        ("bars", "159363.SZ", "2025-08-20 20:00", 19),
        ("bars", "159363.SZ", "2025-08-21 09:14", 19),
        ("bars", "159363.SZ", "2025-08-21 09:15", 20),
        # Monday's open uses Friday.
        ("margin", "159363.SZ", "2025-08-24 12:00", 21),
        ("margin", "159363.SZ", "2025-08-25 10:00", 22),
        # Overseas funds three sessions later.
        ("nav", "513100.SH", "2025-08-25 10:00", 20),
    ],
)
def test_what_must_be_published_follows_the_lags(table, fund, clock, last):
    now = datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    sessions = Published("cn_etf", now, {}).sessions(table, fund, day(18), date(2025, 8, 29))
    assert sessions[-1] == day(last)


def test_nothing_is_published_of_a_fund_that_is_not_listed():
    now = datetime(2026, 1, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
    published = Published("cn_etf", now, funds_of(["159246.SZ"]))  # listed on 2025-07-10
    assert published.sessions("bars", "159246.SZ", date(2025, 7, 8), date(2025, 7, 11)) == [
        date(2025, 7, 10),
        date(2025, 7, 11),
    ]


def test_sessions_are_counted_across_holidays():
    published = Published("cn_etf", datetime(2026, 1, 15, tzinfo=ZoneInfo("Asia/Shanghai")), {})
    # National Day closes the market from 2025-10-01 to 10-08.
    assert published.first_of(5, date(2025, 10, 10)) == date(2025, 9, 26)
    assert published.first_of(5, date(2025, 10, 12)) == date(2025, 9, 26)
    assert published.between(date(2025, 9, 30), date(2025, 10, 10)) == 2
    assert published.between(date(2025, 10, 10), date(2025, 10, 10)) == 0
