"""Removing: rows taken out of a store by what they are, or by the files that they came from.

1. Read the files as an import does, if there are any.
2. Find the series and the source that are named among those of the store.
3. Take the rows out, or say which would go, with what else becomes of the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data.errors import DataError, UsageError, check_choice, did_you_mean
from data.facts.actions import ENDS, RENAME
from data.facts.symbols import parse_symbol
from data.importing.importer import FilesRead, Progress, read_files
from data.store.removal import Removal, Selection
from data.store.spans import Span, day_of
from data.store.store import Store
from data.store.tables import TABLES

# What is counted in units of a fund, which an action changes.
_PER_UNIT = ("bars", "units", "nav")
_SHOWN = 3


@dataclass(frozen=True)
class Stranded:
    """An action that goes while rows of its fund over its ex-day stay, in the tables named."""

    symbol: str
    kind: str
    ex_day: date
    tables: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} of {self.symbol} on {self.ex_day} ({', '.join(self.tables)})"


@dataclass(frozen=True)
class RemovalReport:
    """What a removal did, or would do: by table, what the files were, and what is wrong without the rows."""

    removal: Removal
    read: FilesRead | None
    stranded: tuple[Stranded, ...]


def remove_rows(
    store: Store,
    *,
    sources: Sequence[Path] = (),
    map_file: Path | str | None = None,
    tables: Sequence[str] = (),
    series: Sequence[str] = (),
    start: date | None = None,
    end: date | None = None,
    source: str | None = None,
    do: bool = True,
    remember: Callable[[Mapping[str, Any], Removal], Mapping[str, Any]] | None = None,
    progress: Progress | None = None,
) -> RemovalReport:
    """Take rows out of a store, all that is meant or nothing; without ``do`` only say which would go.

    What is given narrows the rows down. Of ``sources``, files as for ``import_files``, those rows are meant
    that an import of them would leave as they are. ``series`` are funds, indices, macro series and currency
    pairs; ``source`` is the text of that column, "" for rows that name none. ``remember`` is as in
    ``Store.remove``; a store that was fetched needs ``data.providers.recipe.after_removal``. Raises
    UsageError for words that cannot be, DataError if the store has no such series, source or row, and for
    files as ``import_files`` does.
    """
    for name in tables:
        check_choice("table", name, TABLES)
    if not (sources or tables or series or start or end) and source is None:
        raise UsageError(
            "say what to remove",
            hint="Name files, --tables, --symbols, --start, --end or --source. To be rid of all rows delete "
            f"the folder `{store.folder}`.",
        )
    if start and end and start > end:
        raise UsageError("`start` is after `end`", received=f"{start} and {end}", hint="Exchange the two.")
    if map_file and not sources:
        raise UsageError(
            "a map says how files are read, and no file is named",
            received=str(map_file),
            hint="Name the files, or leave out the map.",
        )
    if (start or end) and (undated := [name for name in tables if not day_of(TABLES[name])]):
        raise UsageError(
            f"the table `{undated[0]}` has no days",
            received=f"a period of it: {_period(start, end)}",
            hint="Leave out the table, or the period.",
        )
    chosen = Selection(
        tables=tuple(tables) or None,
        series=_named(store, tables, series) if series else None,
        start=start,
        end=end,
        source=source,
    )
    _check_source(store, chosen)
    read = read_files(sources, map_file=map_file, progress=progress, then=store.name) if sources else None
    if read is not None:
        chosen = Selection(**{**vars(chosen), "rows": read.rows})
    spans = {name: store.spans(name) for name in _PER_UNIT}
    removal = store.remove(chosen, remember) if do else store.would_remove(chosen)
    if not removal.rows:
        raise _nothing(store, chosen, read)
    return RemovalReport(removal, read, tuple(_stranded(removal, spans)))


def _named(store: Store, tables: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Return the series that words mean, as the store has them; DataError for one that it does not have."""
    on_file = {name for table in tables or store.tables for name in store.spans(table)}
    found = []
    for word in words:
        name = word
        if word not in on_file:
            try:
                name = parse_symbol(word)
            except UsageError:
                name = word
        if name not in on_file:
            where = f" in {', '.join(f'`{table}`' for table in tables)}" if tables else ""
            raise DataError(
                f"`{store.name}` has no rows of {name}{where}",
                received=word,
                limit="funds, indices, macro series and currency pairs of the store",
                hint=did_you_mean(name, sorted(on_file)),
            )
        found.append(name)
    return tuple(dict.fromkeys(found))


def _check_source(store: Store, chosen: Selection) -> None:
    """Raise DataError with close matches for a source that no row of the tables names."""
    names = [name for name in store.tables if chosen.concerns(TABLES[name])]
    known = sorted({text for name in names for text in store.sources(name)})
    if chosen.source and chosen.source not in known:
        raise DataError(
            f"no row of `{store.name}` names this source",
            received=chosen.source,
            limit=f"{len(known)} sources in {', '.join(names) or 'no table'}",
            hint=did_you_mean(chosen.source, known),
        )


def _nothing(store: Store, chosen: Selection, read: FilesRead | None) -> DataError:
    """Return the error that says that the store has no such row, and what it does have."""
    words = [] if read is None else [f"the rows of {_files(read)}"]
    words += [*(chosen.tables or ()), *(chosen.series or ())]
    words += [] if chosen.start is None and chosen.end is None else [_period(chosen.start, chosen.end)]
    words += [] if chosen.source is None else [f"source {chosen.source!r}"]
    there = [
        span
        for name in chosen.tables or store.tables
        for series, span in store.spans(name).items()
        if chosen.series is None or series in chosen.series
    ]
    first = min((span.first for span in there if span.first), default=None)
    last = max((span.last for span in there if span.last), default=None)
    return DataError(
        f"nothing to remove: `{store.name}` has no row that is all of this",
        received=", ".join(words),
        limit=f"such rows on file are of {first} to {last}"
        if first
        else f"tables on file: {', '.join(store.tables) or 'none'}",
        hint=f"See what there is: etflow data show --data {store.folder}. What ships with etflow is in no "
        "store.",
    )


def _files(read: FilesRead) -> str:
    names = list(dict.fromkeys(Path(each.file).name for each in read.imported))
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _period(start: date | None, end: date | None) -> str:
    return f"{start or 'the first day'} to {end or 'the last'}"


def _stranded(removal: Removal, spans: Mapping[str, Mapping[str, Span]]) -> Iterator[Stranded]:
    """Yield the actions that go while prices, units or NAV go on over them; ``spans`` are those before."""
    after = {**spans, **{each.table.name: each.spans for each in removal.tables}}
    for removed in removal.tables:
        for row in removed.keys.to_dict("records") if removed.table.name == "actions" else ():
            symbol, kind, ex_day = row["symbol"], row["kind"], row["ex_day"].date()
            tables = [name for name in _PER_UNIT if _goes_over(after[name].get(symbol), kind, ex_day)]
            if tables:
                yield Stranded(symbol, kind, ex_day, tuple(tables))


def _goes_over(span: Span | None, kind: str, ex_day: date) -> bool:
    """Whether a series is on both sides of an action, or before one that ends it."""
    if span is None or span.first is None or span.last is None:
        return False
    return span.first < ex_day and (span.last >= ex_day or kind in (RENAME, *ENDS))
