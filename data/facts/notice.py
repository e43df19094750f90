"""A notice of days without trading, checked: its days are of one year, or of the December before.

Whatever form it was written in (``data.facts.notices``), it is put together here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from data.errors import UsageError

BY_HAND = "Write the days into a list, one day or range a line: 2027-02-05 to 2027-02-11."

_LONGEST = 366


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


def make_notice(
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
    if not date.min.year < year <= date.max.year:
        raise UsageError(f"{path}: there is no such year", received=year)
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


def date_of(year: int, month: int, day: int, path: Path, line: int | None = None) -> date:
    """Return the calendar day; UsageError, naming the file and the line, if there is none."""
    try:
        return date(year, month, day)
    except ValueError:
        where = path if line is None else f"{path}, line {line}"
        raise UsageError(f"{where}: there is no such day", received=f"{year}-{month}-{day}") from None


def days_of(first: date, last: date) -> Iterator[date]:
    """Yield the days of a range, both ends included; UsageError for one that no notice can have."""
    if (last - first).days > _LONGEST:
        raise UsageError("a range of more than a year", received=f"{first} to {last}", hint=BY_HAND)
    yield from (first + timedelta(days=offset) for offset in range((last - first).days + 1))
