"""What a run assumed: its manifest, setting by setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from data.facts.rules import METHODS, OF_CLOSING_PRICES, RuleBook, Spell
from data.facts.symbols import exchange_or_none, market_of
from engine.report.html import Safe, join, table, tag
from engine.result import Result
from engine.results.settings import flat, note_on

OF_DATA = {
    "data",
    "universe",
    "symbols",
    "start",
    "end",
    "benchmark",
    "availability",
    "lags",
    "allow",
    "allowed",
    "files",
    "notice",
    "sessions_per_year",
}
OF_EXECUTION = {"engine", "fill", "cash", "reserve", "currency", "costs"}


def settings(result: Result) -> Iterator[tuple[str, str]]:
    """Return the settings of a manifest, nested names joined by dots; warnings of the data are none."""
    manifest = dict(result.manifest)
    manifest.pop("data_warnings", None)
    spec = manifest.pop("spec", {})
    return flat({**spec, **manifest, "sessions_per_year": result.sessions_per_year})


def set_to(parameters: Mapping[str, Any]) -> str:
    """Return parameters in one line, each as ``settings`` writes it."""
    return ", ".join(f"{name}={text}" for name, text in flat(parameters))


def closing_prices(result: Result) -> Iterator[tuple[str, str]]:
    """Return by exchange how the closing prices came about that orders traded at; nothing for other fills."""
    if result.manifest.get("spec", {}).get("fill") != "close":
        return
    funds = {exchange_or_none(symbol): symbol for symbol in result.symbols}
    for exchange, symbol in sorted((name, each) for name, each in funds.items() if name is not None):
        book = RuleBook.load(market_of(symbol))
        known = result.days[result.days <= book.known_through]
        for kind in OF_CLOSING_PRICES:
            spells = book.spells(kind, symbol, known)
            if any(spell.method for spell in spells):
                yield f"fill.{kind}.{exchange}", "; ".join(_spell(kind, spell) for spell in spells)


def assumptions(result: Result) -> Safe:
    """Return the settings of a run, by what they concern."""
    groups: dict[str, list[tuple[object, ...]]] = {"Run": [], "Market and data": [], "Execution": []}
    for name, text in (*settings(result), *closing_prices(result)):
        top = name.partition(".")[0]
        group = "Market and data" if top in OF_DATA else "Execution" if top in OF_EXECUTION else "Run"
        note = tag("small", note_on(name)) if note_on(name) else ""
        groups[group].append((name, join(text, note)))
    tables = [
        tag("div", table((title, ""), rows, text_columns=2, class_="wrap"))
        for title, rows in groups.items()
        if rows
    ]
    return tag("div", *tables, class_="columns")


def _spell(kind: str, spell: Spell) -> str:
    method = METHODS[kind][spell.method] if spell.method else "none on file"
    return f"{method}, {spell.first} to {spell.last}"
