"""The tables of a source, some funds at a time: all of a large store would fill the memory.

1. One part has everything that is not about funds: indices, whole markets, macro series.
2. Each of the others has some of the funds, and nothing else.
3. What is about all of them at once goes over an outline: the rows of bars, units and index levels with few
   of their columns, names as numbers, and the last row of each series of other tables.

All of them know the funds and the sessions of the whole source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import DATED, load_launches, market_for
from data.facts.symbols import MARKET_CODES
from data.facts.universe import Fund, funds_of
from data.source import Readable, Span, renamed, spans_of
from data.store.tables import TABLES

# Funds whose rows are in memory at a time.
BLOCK = 50
# What an outline has of tables in which all rows of all funds count.
_OUTLINED = {
    "bars": ("symbol", "day", "high", "low", "close", "volume", "source"),
    "units": ("symbol", "day", "units"),
    "index_bars": ("index", "day", "close"),
}


class Parts:
    """The parts of a source, one after the other, and the outline of those that were gone through."""

    def __init__(self, source: Readable, symbols: Sequence[str] | None = None) -> None:
        self._source: Readable = renamed(source)
        self._symbols = symbols
        self._spans = {name: self._spans_of(name) for name in TABLES}
        of_funds = [name for name, table in TABLES.items() if table.key[0] == "symbol" and name != "funds"]
        named = {series for name in of_funds for series in self._spans[name]}
        self._names = sorted(named - set(MARKET_CODES))
        self._funds = funds_of(self._names, self._source.read("funds", symbols))
        self._launches = load_launches()
        self._periods = _periods(self._spans, self._funds)
        self._actions = self._source.read("actions", symbols)
        self._seen: dict[str, list[dict[str, NDArray[Any]]]] = {name: [] for name in DATED}
        self._texts: dict[str, dict[str, int]] = {name: {"": 0} for name in ("source", *DATED.values())}
        # In order, so that most of what is read comes in the order of its numbers.
        symbols_in_order = sorted({"", *named, *MARKET_CODES})
        self._texts["symbol"] = {name: number for number, name in enumerate(symbols_in_order)}

    def __iter__(self) -> Iterator[Inputs]:
        """Yield what is not about funds, and then some of the funds at a time."""
        for first in range(-BLOCK, len(self._names), BLOCK):
            block = self._names[first : first + BLOCK] if first >= 0 else []
            part = self._inputs({name: self._read(name, block) for name in TABLES})
            for name, key in DATED.items():
                self._outline(name, key, part)
            yield part

    def outline(self, findings: Iterable[Finding]) -> Inputs:
        """Return the outline of all parts, with the series in which something was found."""
        tables = {name: table.empty() for name, table in TABLES.items()} | {"actions": self._actions}
        for name, seen in self._seen.items():
            if seen:
                tables[name] = pd.DataFrame({column: self._column(column, seen) for column in seen[0]})
        found: dict[str, set[str]] = {}
        for each in findings:
            found.setdefault(each.check, set()).add(each.symbol)
        return replace(self._inputs(tables), found=found)

    def _inputs(self, tables: Mapping[str, pd.DataFrame]) -> Inputs:
        return Inputs(tables, self._funds, self._launches, self._periods)

    def _spans_of(self, name: str) -> Mapping[str, Span]:
        spans = spans_of(self._source, name)
        if self._symbols is None or TABLES[name].key[0] != "symbol":
            return spans
        wanted = {*self._symbols, *(MARKET_CODES if TABLES[name].markets is not None else ())}
        return {series: span for series, span in spans.items() if series in wanted}

    def _read(self, name: str, block: Sequence[str]) -> pd.DataFrame:
        table = TABLES[name]
        if table.key[0] != "symbol":
            return table.empty() if block else self._source.read(name)
        wanted = [each for each in block or MARKET_CODES if each in self._spans[name]]
        return self._source.read(name, wanted) if wanted else table.empty()

    def _outline(self, name: str, key: str, part: Inputs) -> None:
        rows, stretches = part.tables[name], part.stretches(name)
        if not stretches:
            return
        counts = [stop - start for start, stop in stretches.values()]
        if name not in _OUTLINED:
            rows, counts = rows.iloc[np.cumsum(counts) - 1], [1] * len(counts)
        given = self._texts[key]
        numbers = np.array([given.setdefault(series, len(given)) for series in stretches], dtype=np.int32)
        columns = [column for column in _OUTLINED.get(name, (key, "day")) if column != key]
        seen = {key: np.repeat(numbers, counts)}
        self._seen[name].append(seen | {column: self._numbers(column, rows[column]) for column in columns})

    def _numbers(self, column: str, values: pd.Series) -> NDArray[Any]:
        """Return a column as numbers: of texts, those that they have been given."""
        if column not in self._texts:
            return values.to_numpy(copy=True)  # a view would keep all columns of the part
        codes, names = pd.factorize(values)
        given = self._texts[column]
        numbers = [given.setdefault(str(name), len(given)) for name in names]
        # What is missing has the code -1.
        return np.array([*numbers, given[""]], dtype=np.int32)[codes]

    def _column(self, column: str, seen: Sequence[Mapping[str, NDArray[Any]]]) -> Any:
        values = np.concatenate([each[column] for each in seen])
        if column not in self._texts:
            return values
        texts = pd.Index(list(self._texts[column]), dtype="str")
        coded = pd.Categorical.from_codes(values, categories=texts)
        return coded if texts.is_monotonic_increasing else coded.reorder_categories(sorted(texts))


def _periods(
    spans: Mapping[str, Mapping[str, Span]], funds: Mapping[str, Fund]
) -> dict[str, tuple[date, date]]:
    """Return the first and the last day of all dated rows of each market."""
    found: dict[str, tuple[date, date]] = {}
    for name in DATED:
        for series, span in spans[name].items():
            if span.first is not None and span.last is not None:
                market = market_for(series, funds)
                first, last = found.get(market, (span.first, span.last))
                found[market] = min(first, span.first), max(last, span.last)
    return found
