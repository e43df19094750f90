"""Notices of days without trading, as exchanges write them and as people note them down, in three forms.

1. The Chinese exchanges' own text (``data.facts.chinese_notice``).
2. A list, one day or range a line, plain or as CSV: ``2027-02-05 to 2027-02-11, Spring Festival``.
3. TOML: ``closed = [2027-01-01, [2027-02-05, 2027-02-11]]``, and ``year``, ``market``, ``source`` if need be.

Saturdays and Sundays never are sessions and are left out. A line or date that cannot be understood is a
UsageError: nothing is passed over, because a holiday passed over would become a session.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from data.errors import UsageError, check_choice
from data.facts.chinese_notice import from_chinese
from data.facts.dated import only
from data.facts.notice import BY_HAND, Notice, date_of, days_of, make_notice
from data.facts.symbols import MARKETS
from data.parsing import parse_toml, read_bounded

_ISO = re.compile(r"(?<!\d)(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})(?!\d)")
_RANGE = re.compile(r"\bto\b|\bthrough\b|\.\.|至|到|~|–|—|\s-\s", re.IGNORECASE)
_RANGE_HEADERS = re.compile(r"from|start|begin|开始|起", re.IGNORECASE)


def read_notice(path: Path, year: int | None = None) -> Notice:
    """Return the notice in a file; ``year`` where it does not say so itself, or to insist on one.

    UsageError if the file cannot be read, or says something that cannot be understood or cannot be true.
    """
    text = _text_of(path)
    if path.suffix.lower() == ".toml":
        return _from_toml(text, path, year)
    if re.search(r"\d\s*月\s*\d{1,2}\s*日", unicodedata.normalize("NFKC", text)):
        return from_chinese(text, path, year)
    return _from_list(text, path, year)


def _text_of(path: Path) -> str:
    try:
        raw = read_bounded(path)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot read {path}", received=what, hint="Check the path.") from None
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


# ---- lists ------------------------------------------------------------------------------------------------


def _from_list(text: str, path: Path, year: int | None) -> Notice:
    closed: set[date] = set()
    ranges = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = unicodedata.normalize("NFKC", raw).partition("#")[0].strip()
        if not line:
            continue
        days = [date_of(int(y), int(m), int(d), path, number) for y, _, m, d in _ISO.findall(line)]
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
            closed.update(days_of(*days))
        else:
            raise UsageError(
                f"{path}, line {number} is neither a day nor a range",
                received=raw.strip(),
                limit="2027-01-01, or 2027-02-05 to 2027-02-11",
                hint="Write one day or one range a line; what follows # is a remark.",
            )
    if not closed:
        raise UsageError(f"{path} names no day", hint=BY_HAND)
    return make_notice(year, closed, path.name, path)


# ---- TOML -------------------------------------------------------------------------------------------------


def _from_toml(text: str, path: Path, year: int | None) -> Notice:
    try:
        raw = parse_toml(text)
    except ValueError as error:
        raise UsageError(
            f"{path} is not a TOML file",
            received=str(error).partition(";")[0],
            hint="Correct the line that is named.",
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
    return make_notice(year or said, closed, str(raw.get("source") or path.name), path, market=market)


def _toml_days(given: Any, path: Path) -> Iterator[date]:
    pair = given if isinstance(given, list) else [given, given]
    if len(pair) != 2 or any(type(each) is not date for each in pair) or pair[1] < pair[0]:
        raise UsageError(
            f"{path}: `closed` has what is neither a day nor a range",
            received=given,
            limit="2027-01-01, or [2027-02-05, 2027-02-11], not in quotes",
        )
    yield from days_of(pair[0], pair[1])
