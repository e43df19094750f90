"""Notices in the Chinese exchanges' own words: ``1月1日（星期五）至1月3日（星期日）休市，1月4日起照常开市``.

Every date must be followed by what is said of it (closed, a weekend, open again), every weekday and every day
of opening must agree with the rest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from data.errors import UsageError
from data.facts.notice import BY_HAND, Notice, date_of, days_of, make_notice

_ONE_DAY = timedelta(days=1)

# The names that a notice of a whole year has, in simplified and traditional characters.
HOLIDAYS = ("元旦", "春节", "清明", "劳动节", "端午", "中秋", "国庆")
_SIMPLE = str.maketrans("節勞動國慶開週為復", "节劳动国庆开周为复")

_WEEKDAYS = {name: number for number, name in enumerate("一二三四五六日")} | {"天": 6}
_DATE = r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日(?:\((?:星期|周)([一二三四五六日天])\))?"
_SPAN = rf"{_DATE}(?:[至到~\-–—―]+{_DATE})?"
_SPANS = re.compile(rf"{_SPAN}(?:[、,和及]{_SPAN})*")
_WEEKEND = re.compile(r"为?周末休市")
_CLOSED = re.compile(r"(?:全天)?(?:放假)?休市")
_OPEN_AGAIN = re.compile(r"起?(?:照常|正常|恢复)(?:开市|交易)")
_YEAR = re.compile(r"(\d{4})年(?:部分|全年)?(?:节假日)?(?:放假和)?休市")


def from_chinese(text: str, path: Path, year: int | None) -> Notice:
    """Return the notice that an exchange wrote; ``year`` where it does not say it, or to insist on one."""
    plain = "".join(unicodedata.normalize("NFKC", text).translate(_SIMPLE).split())
    year = year or _year_said(plain, path)
    closed: set[date] = set()
    weekends: list[date] = []
    opened: list[tuple[date, date]] = []
    last = date.min
    for match in _SPANS.finditer(plain):
        rest, said = plain[match.end() :], match.group()
        spans = [_span(each.groups(), year, path) for each in re.finditer(_SPAN, said)]
        if _WEEKEND.match(rest):
            weekends += [day for first, end in spans for day in days_of(first, end)]
        elif _CLOSED.match(rest):
            closed |= {day for first, end in spans for day in days_of(first, end)}
            last = spans[-1][1]
        elif _OPEN_AGAIN.match(rest) and len(spans) == 1:
            opened.append((last, spans[0][0]))
        elif spans[0][0].year == year or "年" not in said:
            raise UsageError(
                f"{path}: it is not clear what is said of {said}",
                received=plain[max(0, match.start() - 6) : match.end() + 12],
                limit="休市, 为周末休市, 起照常开市",
                hint=BY_HAND,
            )
    if not closed:
        raise UsageError(f"{path}: no day is said to be closed (休市)", hint=BY_HAND)
    _check_weekends(weekends, path)
    _check_openings(opened, closed | set(weekends), path)
    names = tuple(name for name in HOLIDAYS if name in plain)
    source = _title(text) or path.name
    return make_notice(year, closed, source, path, names=names, before=True, market="cn_etf")


def _year_said(plain: str, path: Path) -> int:
    found = {int(each) for each in _YEAR.findall(plain)}
    found = found or {int(each) for each in re.findall(r"(\d{4})年(?!\d{1,2}月)", plain)}
    if len(found) != 1:
        raise UsageError(
            f"{path}: it does not say which year it is about",
            received=", ".join(map(str, sorted(found))) or None,
            hint="Name it: --year 2027.",
        )
    return found.pop()


def _span(groups: Sequence[str | None], year: int, path: Path) -> tuple[date, date]:
    """Return the first and the last day of ``1月1日(星期五)至1月3日(星期日)``; one day is both."""
    first = _said(groups[:4], year, None, path)
    if groups[6] is None:
        return first, first
    last = _said(groups[4:], year, first.month, path)
    if last < first:
        raise UsageError(
            f"{path}: a range ends before it begins", received=f"{first} to {last}", hint=BY_HAND
        )
    return first, last


def _said(groups: Sequence[str | None], year: int, month: int | None, path: Path) -> date:
    said_year, said_month, said_day, weekday = groups
    number = int(said_month) if said_month else month
    if number is None:
        raise UsageError(f"{path}: a day without its month", received=f"{said_day}日", hint=BY_HAND)
    day = date_of(int(said_year or year), number, int(said_day or 0), path)
    if weekday and day.weekday() != _WEEKDAYS[weekday]:
        raise UsageError(
            f"{path}: {day} is a {day:%A}",
            received=f"星期{weekday}",
            hint="Check the year (--year), or correct the day.",
        )
    return day


def _check_weekends(days: list[date], path: Path) -> None:
    for day in days:
        if day.weekday() < 5:
            raise UsageError(
                f"{path}: {day} is called a weekend and is a {day:%A}",
                hint="Check the year (--year), or correct the day.",
            )


def _check_openings(opened: list[tuple[date, date]], closed: set[date], path: Path) -> None:
    """Check that trading resumes on the first weekday after a closure that is not closed itself."""
    for last, day in opened:
        expected = last + _ONE_DAY
        while last > date.min and (expected.weekday() >= 5 or expected in closed):
            expected += _ONE_DAY
        if day != expected:
            raise UsageError(
                f"{path}: trading is said to resume on {day}",
                limit=f"{expected}, the first weekday after the closed days that is not closed",
                hint="Check the days before it.",
            )


def _title(text: str) -> str | None:
    for line in map(str.strip, text.splitlines()):
        if len(line) < 60 and "休市" in line and ("通知" in line or "公告" in line):
            return line
    return None
