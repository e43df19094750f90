"""``record``: what was ever looked at on some data, by anything, under any name of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.load import load_panel
from data.source import DEMO, DataSource
from engine.commands.looks import body_of_panel
from engine.record.lines import Forgotten, Judgement, Line, Look, Seal, document
from engine.record.record import Record
from engine.record.seals import period_of


@dataclass(frozen=True)
class Recorded:
    """The lines of a record that are of some data, oldest first.

    ``sets`` are the distinct parameter sets looked at, by strategy; ``forgotten`` are the lines that the user
    deleted; ``damaged`` those that nobody can read, or that are missing.
    """

    name: str
    lines: tuple[Line, ...]
    sets: dict[str, int]
    forgotten: int
    damaged: int
    places: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the document that ``record export`` prints."""
        return {
            "data": self.name,
            "places": list(self.places),
            "sets": self.sets,
            "forgotten": self.forgotten,
            "damaged": self.damaged,
            "lines": [{"kind": type(line).__name__.lower(), **document(line)} for line in self.lines],
        }


def recorded(source: DataSource) -> Recorded:
    """Return what is on record of the data of a source: of these, and of any that share months with them."""
    record = Record(getattr(source, "folder", None))
    contents = record.read()
    lines = tuple(contents.of(body_of_panel(load_panel(source))))
    seen: dict[str, set[str]] = {}
    for line in lines:
        if isinstance(line, Look):
            own = seen.setdefault(line.strategy, set())
            own |= {repr(sorted(each.items())) for each in line.sets}
    return Recorded(
        source.name,
        lines,
        {name: len(sets) for name, sets in sorted(seen.items())},
        sum(line.lines for line in lines if isinstance(line, Forgotten)),
        contents.damaged,
        tuple(str(place) for place in record.places),
    )


def lines_lost(data: str) -> int:
    """Return how many lines of the record of ``demo``, or of a store, are lost: whole in no place."""
    record = Record(None if data == DEMO else Path(data))
    return 0 if record.whole else record.read().damaged


def forget(source: DataSource) -> int:
    """Delete the record of the data of a source, and return of how many lines; that is itself on record."""
    return Record(getattr(source, "folder", None)).forget(body_of_panel(load_panel(source)))


def describe(line: Line) -> tuple[str, str, str, str, str]:
    """Return a line as the cells of a table: when, what, strategy, period, and what came of it."""
    period = f"{line.first} to {line.last}"
    if isinstance(line, Look):
        best = line.best.get("sharpe_ratio")
        came = f"{len(line.sets)} set{'' if len(line.sets) == 1 else 's'}"
        came += f", {line.planned} more begun and not ended" if line.planned else ""
        return (
            line.at,
            line.command,
            line.strategy,
            period,
            came + (f", Sharpe {best:.2f}" if best is not None else ""),
        )
    if isinstance(line, Judgement):
        asked = f"splits {line.splits}, against {line.benchmark}, seed {line.seed}"
        return line.at, "judged", line.strategy, period, f"{line.word} ({line.study}; {asked})"
    if isinstance(line, Seal):
        by = "by" if line.kind == "broken" else "hold-out of"
        return line.at, line.kind, "", period_of(line), f"{by} {line.study}"
    return line.at, "forgotten", "", "", f"{line.lines} lines"
