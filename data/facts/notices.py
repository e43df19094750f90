"""Notices of days without trading, as exchanges write them and as people note them down, in three forms.

1. The Chinese exchanges' own text, for instance ``1月1日（星期五）至1月3日（星期日）休市，1月4日起照常开市``:
   every date must be followed by what is said of it (closed, a weekend, open again), every weekday and every
   day of opening must agree with the rest.
2. A list, one day or range a line, plain or as CSV: ``2027-02-05 to 2027-02-11, Spring Festival``.
3. TOML: ``closed = [2027-01-01, [2027-02-05, 2027-02-11]]``, and ``year``, ``market``, ``source`` if need be.

Saturdays and Sundays never are sessions and are left out. A line or date that cannot be understood is a
UsageError: nothing is passed over, because a holiday passed over would become a session.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from data.errors import UsageError, check_choice
from data.facts.dated import only
from data.facts.symbols import MARKETS

_ONE_DAY = timedelta(days=1)
_BY_HAND = "Write the days into a list, one day or range a line: 2027-02-05 to 2027-02-11."

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

_ISO = re.compile(r"(?<!\d)(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})(?!\d)")
_RANGE = re.compile(r"\bto\b|\bthrough\b|\.\.|至|到|~|–|—|\s-\s", re.IGNORECASE)
_RANGE_HEADERS = re.compile(r"from|start|begin|开始|起", re.IGNORECASE)


@dataclass(frozen=True)
class Notice:
    """The weekdays without trading from ``first`` through ``last``; ``market`` and ``source`` if it says so.

    ``closed`` is in order, without Saturdays and Sundays; days of the year before ``first.year`` are in it
    where a holiday begins there. ``names`` are the holidays that it names, for a notice in Chinese.
    """

    first: date
    last: date
    closed: tuple[date, ...]
    source: str
    market: str | None = None
    names: tuple[str, ...] | None = None

    @property
    def year(self) -> int:
        """The year that it is about."""
        return self.last.year


def read_notice(path: Path, year: int | None = None) -> Notice:
    """Return the notice in a file; ``year`` where it does not say so itself, or to insist on one.

    UsageError if the file cannot be read, or says something that cannot be understood or cannot be true.
    """
    text = _text_of(path)
    if path.suffix.lower() == ".toml":
        return _from_toml(text, path, year)
    if re.search(r"\d\s*月\s*\d{1,2}\s*日", unicodedata.normalize("NFKC", text)):
        return _from_chinese(text, path, year)
    return _from_list(text, path, year)


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}", received=error.strerror, hint="Check the path.") from None
    if raw.startswith((b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or b"<html" in raw[:2000].lower():
        raise UsageError(
            f"{path} is not plain text",
            received=path.suffix or "no suffix",
            limit="text, CSV or TOML",
            hint="Copy the words of the notice into a text file.",
        )
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError(f"{path} is not text", limit="UTF-8 or GB18030", hint="Save it as UTF-8.")


# ---- the exchanges' own words -----------------------------------------------------------------------------


def _from_chinese(text: str, path: Path, year: int | None) -> Notice:
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
            weekends += [day for first, end in spans for day in _days(first, end)]
        elif _CLOSED.match(rest):
            closed |= {day for first, end in spans for day in _days(first, end)}
            last = spans[-1][1]
        elif _OPEN_AGAIN.match(rest) and len(spans) == 1:
            opened.append((last, spans[0][0]))
        elif spans[0][0].year == year or "年" not in said:
            raise UsageError(
                f"{path}: it is not clear what is said of {said}",
                received=plain[max(0, match.start() - 6) : match.end() + 12],
                limit="休市, 为周末休市, 起照常开市",
                hint=_BY_HAND,
            )
    if not closed:
        raise UsageError(f"{path}: no day is said to be closed (休市)", hint=_BY_HAND)
    _check_weekends(weekends, path)
    _check_openings(opened, closed | set(weekends), path)
    names = tuple(name for name in HOLIDAYS if name in plain)
    return _notice(year, closed, _title(text) or path.name, path, names=names, before=True, market="cn_etf")


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
            f"{path}: a range ends before it begins", received=f"{first} to {last}", hint=_BY_HAND
        )
    return first, last


def _said(groups: Sequence[str | None], year: int, month: int | None, path: Path) -> date:
    said_year, said_month, said_day, weekday = groups
    number = int(said_month) if said_month else month
    if number is None:
        raise UsageError(f"{path}: a day without its month", received=f"{said_day}日", hint=_BY_HAND)
    day = _date(int(said_year or year), number, int(said_day or 0), path)
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


# ---- lists ------------------------------------------------------------------------------------------------


def _from_list(text: str, path: Path, year: int | None) -> Notice:
    closed: set[date] = set()
    ranges = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = unicodedata.normalize("NFKC", raw).partition("#")[0].strip()
        if not line:
            continue
        days = [_date(int(y), int(m), int(d), path, number) for y, _, m, d in _ISO.findall(line)]
        if not days and not closed and not ranges:
            ranges = bool(_RANGE_HEADERS.search(line))  # a header: two dates a line are a range
        elif len(days) == 1:
            closed.add(days[0])
        elif len(days) == 2 and (ranges or _RANGE.search(_ISO.sub(" ", line))):
            if days[1] < days[0]:
                raise UsageError(
                    f"{path}, line {number}: a range ends before it begins",
                    received=f"{days[0]} to {days[1]}",
                    hint="Swap the days.",
                )
            closed.update(_days(*days))
        else:
            raise UsageError(
                f"{path}, line {number} is neither a day nor a range",
                received=raw.strip(),
                limit="2027-01-01, or 2027-02-05 to 2027-02-11",
                hint="Write one day or one range a line; what follows # is a remark.",
            )
    if not closed:
        raise UsageError(f"{path} names no day", hint=_BY_HAND)
    return _notice(year, closed, path.name, path)


# ---- TOML -------------------------------------------------------------------------------------------------


def _from_toml(text: str, path: Path, year: int | None) -> Notice:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{path} is not a TOML file", received=str(error), hint="Correct the line that is named."
        ) from None
    only(raw, ("year", "market", "closed", "source"), str(path))
    given = raw.get("closed")
    if not isinstance(given, list) or not given:
        raise UsageError(
            f"{path}: `closed` is not a list of days",
            received=given,
            limit="closed = [2027-01-01, [2027-02-05, 2027-02-11]]",
        )
    closed = {day for each in given for day in _toml_days(each, path)}
    market, said = raw.get("market"), raw.get("year")
    if market is not None:
        check_choice("market", market, MARKETS, str(path))
    if said is not None and (not isinstance(said, int) or (year or said) != said):
        raise UsageError(f"{path}: `year` is another one", received=said, limit=year, hint="Leave it out.")
    return _notice(year or said, closed, str(raw.get("source") or path.name), path, market=market)


def _toml_days(given: Any, path: Path) -> Iterator[date]:
    pair = given if isinstance(given, list) else [given, given]
    if len(pair) != 2 or any(type(each) is not date for each in pair) or pair[1] < pair[0]:
        raise UsageError(
            f"{path}: `closed` has what is neither a day nor a range",
            received=given,
            limit="2027-01-01, or [2027-02-05, 2027-02-11], not in quotes",
        )
    yield from _days(pair[0], pair[1])


# ---- all of them ------------------------------------------------------------------------------------------


def _notice(
    year: int | None,
    closed: set[date],
    source: str,
    path: Path,
    *,
    market: str | None = None,
    names: tuple[str, ...] | None = None,
    before: bool = False,
) -> Notice:
    """Put a notice together; ``before``: it may close days of the December before its year."""
    years = {day.year for day in closed}
    if year is None and len(years) != 1:
        raise UsageError(
            f"{path}: its days are of more than one year",
            received=", ".join(map(str, sorted(years))),
            hint="Import the years one by one, or say which one is meant: --year 2027.",
        )
    year = year or years.pop()
    earliest = date(year - 1, 12, 1) if before else date(year, 1, 1)
    outside = sorted(day for day in closed if not earliest <= day <= date(year, 12, 31))
    if outside:
        raise UsageError(
            f"{path}: a day lies outside the year {year}",
            received=", ".join(map(str, outside[:5])),
            hint="Leave it out, or say the right year with --year.",
        )
    weekdays = tuple(sorted(day for day in closed if day.weekday() < 5))
    first = min([date(year, 1, 1), *weekdays])
    return Notice(first, date(year, 12, 31), weekdays, source, market, names)


def _date(year: int, month: int, day: int, path: Path, line: int | None = None) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        where = path if line is None else f"{path}, line {line}"
        raise UsageError(f"{where}: there is no such day", received=f"{year}-{month}-{day}") from None


def _days(first: date, last: date) -> Iterator[date]:
    yield from (first + timedelta(days=offset) for offset in range((last - first).days + 1))
