"""Answers of the checks, kept: the same tables have the same findings, and a run asks each time.

An answer lies in the user's cache folder under a digest of all that it depends on: the tables by that of
their source, the funds asked for, the code of the checks with the facts that they hold data against, and the
user's own calendar. What cannot be read, or is damaged, is found out again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data.atomic import keep_answer, kept_answer
from data.checks.finding import Finding
from data.facts import calendars
from data.facts.dated import FACTS
from data.facts.own_files import own_file_if_any
from data.folders import cache_folder

# Answers of so many bodies of data and choices of funds; the oldest go.
_MOST = 200
_LIBRARIES = ("pandas", "numpy", "exchange_calendars")


def place_of(source: object, symbols: Sequence[str] | None) -> Path | None:
    """Return where the answer about some funds of a source is kept; None for a source without a digest."""
    digest, folder = getattr(source, "digest", None), cache_folder()
    if folder is None or digest is None:
        return None
    own = own_file_if_any(calendars.VARIABLE, calendars.OWN)
    try:
        calendar = own.read_bytes() if own is not None else b""
    except OSError:
        return None
    asked = None if symbols is None else sorted(set(symbols))
    written = json.dumps([digest, asked, _version()]).encode()
    return folder / "checks" / f"{hashlib.sha256(written + calendar).hexdigest()[:32]}.json"


def load(place: Path) -> tuple[Finding, ...] | None:
    """Return the findings that are kept there; None if there are none, or they are damaged."""
    body = kept_answer(place)
    try:
        rows: list[dict[str, Any]] = json.loads(body or b"")
    except ValueError:
        return None
    with suppress(OSError):
        place.touch()
    days = ("first", "last")
    return tuple(Finding(**{**row, **{day: date.fromisoformat(row[day]) for day in days}}) for row in rows)


def save(place: Path, findings: Sequence[Finding]) -> None:
    """Keep findings; without a folder that can be written do nothing."""
    body = json.dumps([asdict(each) for each in findings], default=str, ensure_ascii=False).encode()
    keep_answer(place, body)
    with suppress(OSError):
        kept = sorted(place.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-_MOST]:
            path.unlink()


@cache
def _version() -> str:
    """Return a digest of the checks, of what they are made of, and of the facts that ship."""
    room = Path(__file__).parent
    rooms = [room, *(room.parent / name for name in ("facts", "panel", "store"))]
    sources = [path for each in rooms for path in each.glob("*.py")]
    facts = [path for path in FACTS.rglob("*") if path.suffix in (".csv", ".toml")]
    digest = hashlib.sha256(" ".join(map(version, _LIBRARIES)).encode())
    for path in sorted({*sources, *facts}):
        digest.update(path.read_bytes())
    return digest.hexdigest()
