"""The theme of listed companies, each from a day on: ``themes.csv``, and a table of the user's like it.

A company has its theme from the day of the source that says so, not from when its business began: what was
not on paper then could not be traded on. ``optical`` are makers of optical modules, and of devices and chips
for them. The table is short on purpose; who needs more extends it.

The user's table lies in the state folder, or where ETFLOW_THEMES points. A company that is in it has the
themes that it says there, and none of ours; an empty theme takes a company out from its day on.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from data.errors import UsageError, check_choice
from data.facts.dated import FACTS
from data.facts.own_files import own_file_if_any
from data.parsing import read_bounded

VARIABLE, OWN = "ETFLOW_THEMES", "themes.csv"
COLUMNS = ("code", "name", "theme", "from_day", "source")
_NEEDED = ("code", "theme", "from_day")


@dataclass(frozen=True)
class Tag:
    """The theme of one company from a day on; ``theme`` is empty where it has none any more.

    ``code`` is bare, as constituents are written (300308). ``source`` holds tags of ``sources.csv``; in the
    user's table it is what the user wrote.
    """

    code: str
    name: str
    theme: str
    start: date
    source: str
    own: bool = False


@lru_cache(maxsize=1)
def shipped_tags() -> tuple[Tag, ...]:
    """Return the table that ships with etflow."""
    return tuple(_read(FACTS / "themes.csv", own=False))


def known_tags() -> tuple[Tag, ...]:
    """Return all tags that count, by theme, day and code; UsageError if the user's table cannot be read."""
    path = own_file_if_any(VARIABLE, OWN)
    own = tuple(_read(path, own=True)) if path else ()
    theirs = {tag.code for tag in own}
    kept = (*own, *(tag for tag in shipped_tags() if tag.code not in theirs))
    return tuple(sorted(kept, key=lambda tag: (tag.theme, tag.start, tag.code)))


def themes_on(day: date, tags: Iterable[Tag]) -> Mapping[str, str]:
    """Return the theme of each company on a day, by code."""
    latest: dict[str, Tag] = {}
    for tag in sorted(tags, key=lambda tag: tag.start):
        if tag.start <= day:
            latest[tag.code] = tag
    return {code: tag.theme for code, tag in latest.items() if tag.theme}


def _read(path: Path, *, own: bool) -> Iterator[Tag]:
    try:
        text = read_bounded(path).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        what = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else what
        raise UsageError(f"cannot read {path}", received=what, hint="Check the file.") from None
    rows = csv.DictReader(text.splitlines())
    header = rows.fieldnames or ()
    for name in header:
        check_choice("column", name, COLUMNS, str(path))
    lacking = [name for name in _NEEDED if name not in header]
    if lacking:
        raise UsageError(
            f"{path} lacks {', '.join(lacking)}", received=",".join(header), limit=",".join(COLUMNS)
        )
    seen: set[tuple[str, date]] = set()
    for row in rows:
        tag = _tag(row, f"{path}, line {rows.line_num}", own=own)
        if (tag.code, tag.start) in seen:
            raise UsageError(f"{path}, line {rows.line_num}: {tag.code} has two themes from {tag.start} on")
        seen.add((tag.code, tag.start))
        yield tag


def _tag(row: Mapping[str, str | None], where: str, *, own: bool) -> Tag:
    code, theme, day, name, source = (
        (row.get(column) or "").strip() for column in ("code", "theme", "from_day", "name", "source")
    )
    # Spreadsheets take leading zeros away, and 988 would match no constituent.
    if not code or "." in code or (code.isdigit() and len(code) < 5):
        raise UsageError(
            f"{where}: `code` is not a bare code", received=code or "nothing", limit="300308, 000988"
        )
    try:
        start = date.fromisoformat(day)
    except ValueError:
        raise UsageError(f"{where}: `from_day` is not a date", received=day, limit="2025-08-06") from None
    return Tag(code, name, theme, start, source, own)
