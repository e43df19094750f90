"""The user's calendar file: notices added to it and taken out again, whole or not at all.

A notice becomes one row of the form that ``data/facts/calendars.toml`` describes. It is added if it goes on
where the recorded days end, and agrees with those that it shares with them. Every change is written beside
the file, read back as a calendar, and only then takes its place; remarks in the file stay where they are.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from data.errors import UsageError
from data.facts.calendars import Calendar, Span, market_names, own_file
from data.facts.chinese_notice import HOLIDAYS
from data.facts.dated import read_toml, tables
from data.facts.notice import Notice
from data.facts.own_files import replace_file

_ONE_DAY = timedelta(days=1)
_SHOWN = 5
# A whole year closes at least this part of the weekdays that the recorded year with fewest of them closed.
_WHOLE_YEAR = 0.75
_YEARS = 20
_HEADER = re.compile(r"^\s*\[\[\s*sessions\s*\]\]")


@dataclass(frozen=True)
class Added:
    """What became of a notice: ``rows`` are the days that now come from it, none if all of it was known.

    ``changed`` are days that were recorded as sessions and are closed now, or the other way round.
    """

    path: Path
    market: str
    rows: tuple[Span, ...]
    changed: tuple[date, ...]
    last_day: date


def add_notice(
    notice: Notice,
    market: str,
    *,
    through: date | None = None,
    source: str | None = None,
    replace: bool = False,
    besides: bool = False,
) -> Added:
    """Add a notice to the user's calendar file, which is created if needed.

    Parameters
    ----------
    through
        Last day that the notice is about, if it does not cover its whole year.
    source
        Who says so; what the notice says, or the name of its file, if None.
    replace
        Let it replace what is recorded for its days where they differ.
    besides
        Its days are closed besides those recorded, as on a day of mourning; nothing else changes.

    UsageError if the days leave a gap, contradict what is recorded, or cannot be those of a whole year.
    """
    path = own_file()
    calendar = Calendar(market, path if path.is_file() else None)
    said = source or notice.source
    if besides:
        changed = tuple(day for day in notice.closed if _open(calendar, day))
        rows = tuple(Span(first, last, 0, 0, said) for first, last in _runs(changed))
        return _write(path, market, [(row, list(_weekdays(row.first, row.last))) for row in rows], changed)
    last = through or notice.last
    closed = [day for day in notice.closed if day <= last]
    if not notice.first <= last or len(closed) < len(notice.closed):
        raise UsageError(
            "the notice closes days after the one that it is said to go through",
            received=f"{notice.closed[-1]}",
            limit=f"through {last}",
        )
    if notice.first - _ONE_DAY > calendar.last_day:
        raise UsageError(
            f"the notice leaves a gap: sessions of {market} are recorded through {calendar.last_day}",
            received=f"{notice.first} to {last}",
            hint=f"Import the notice of {calendar.last_day.year + 1} first.",
        )
    if through is None:
        _check_whole_year(notice, calendar)
    differing = _differing(closed, date(notice.year, 1, 1), min(last, calendar.last_day), calendar)
    if last <= calendar.last_day and not differing and notice.first.year == notice.year:
        return Added(path, market, (), (), calendar.last_day)
    if differing and not replace:
        raise UsageError(
            f"the notice contradicts what is recorded for {market}",
            received=", ".join(_told(day, calendar) for day in differing[:_SHOWN])
            + (f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""),
            hint="If the notice is right: --replace. If its days come on top of those recorded: --besides.",
        )
    before = [day for day in closed if day.year < notice.year and _open(calendar, day)]
    return _write(path, market, [(Span(notice.first, last, 0, 0, said), closed)], (*before, *differing))


def remove_row(number: int) -> tuple[Path, str]:
    """Take a row out of the user's calendar file; return the file and the text that was taken out."""
    path = own_file()
    count = len(tables(read_toml(path).get("sessions", []), str(path))) if path.is_file() else 0
    if not 1 <= number <= count:
        raise UsageError(
            f"{path} has no such row",
            received=number,
            limit=f"1 to {count}" if count else "it has none",
            hint="`etflow data calendar` lists them.",
        )
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    heads = [place for place, line in enumerate(lines) if _HEADER.match(line)]
    if len(heads) != count:
        raise UsageError(f"{path} is not written with [[sessions]]", hint="Take the row out by hand.")
    first, end = heads[number - 1], (*heads[number:], len(lines))[0]
    while end < len(lines) and lines[end - 1].lstrip()[:1] in ("", "#"):
        end -= 1  # a remark above the row that follows
    replace_file(path, "".join(lines[:first] + lines[end:]), _check)
    return path, "".join(lines[first:end]).strip()


def _open(calendar: Calendar, day: date) -> bool:
    """Tell whether a day is a session now; UsageError past the recorded days."""
    if day > calendar.last_day:
        raise UsageError(
            f"sessions of {calendar.market} are recorded through {calendar.last_day}",
            received=day,
            hint="Import the notice of the whole year first.",
        )
    return calendar.is_session(day)


def _check_whole_year(notice: Notice, calendar: Calendar) -> None:
    missing = [name for name in HOLIDAYS if notice.names is not None and name not in notice.names]
    fewest = _fewest_closed(calendar, notice.year)
    if missing or len(notice.closed) < _WHOLE_YEAR * fewest:
        raise UsageError(
            f"the notice does not look like that of the whole year {notice.year}",
            received=f"without {', '.join(missing)}" if missing else f"{len(notice.closed)} closed weekdays",
            limit=f"{fewest} or more in recorded years",
            hint="If it ends earlier, say so: --through DAY. If its days come on top of those recorded: "
            "--besides.",
        )


def _fewest_closed(calendar: Calendar, year: int) -> int:
    """Return the closed weekdays of the recorded year, of the 20 before, that has fewest of them."""
    last = calendar.last_day.year if calendar.last_day == date(calendar.last_day.year, 12, 31) else year - 1
    years = range(min(year, last) - _YEARS, min(year - 1, last) + 1)
    spans = [(date(each, 1, 1), date(each, 12, 31)) for each in years]
    return min(len(list(_weekdays(*span))) - len(calendar.sessions(*span)) for span in spans)


def _differing(closed: list[date], first: date, last: date, calendar: Calendar) -> tuple[date, ...]:
    """Return the weekdays of a period that the notice closes and the calendar does not, and vice versa."""
    if first > last:
        return ()
    opened = set(calendar.sessions(first, last).tolist())
    return tuple(day for day in _weekdays(first, last) if (day in closed) == (day in opened))


def _told(day: date, calendar: Calendar) -> str:
    return f"{day} is recorded as {'a session' if calendar.is_session(day) else 'closed'}"


def _weekdays(first: date, last: date) -> list[date]:
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


def _runs(days: tuple[date, ...]) -> list[tuple[date, date]]:
    """Return the stretches of days that follow each other, first and last day of each."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and runs[-1][1] + _ONE_DAY == day:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _write(path: Path, market: str, rows: list[tuple[Span, list[date]]], changed: tuple[date, ...]) -> Added:
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    known = len(tables(read_toml(path).get("sessions", []), str(path))) if before else 0
    text = "\n".join([before.rstrip(), *(_row(market, span, closed) for span, closed in rows)]).lstrip()
    if rows:
        replace_file(path, text, _check)
    calendar = Calendar(market, path if path.is_file() else None)
    added = tuple(span for span in calendar.spans if span.number is not None and span.number > known)
    return Added(path, market, added, changed, calendar.last_day)


def _row(market: str, span: Span, closed: list[date]) -> str:
    days = "".join(f"    {day},\n" for day in closed)
    return (
        f"\n[[sessions]]\nmarket = {json.dumps(market)}\nfrom = {span.first}\nthrough = {span.last}\n"
        f"closed = [\n{days}]\nsource = {json.dumps(span.source, ensure_ascii=False)}\n"
    )


def _check(path: Path) -> None:
    for market in market_names():
        Calendar(market, path)
