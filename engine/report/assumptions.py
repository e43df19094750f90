"""What a run assumed: its manifest, setting by setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from data.facts.rules import METHODS, OF_CLOSING_PRICES, RuleBook, Spell
from data.facts.symbols import exchange_or_none, market_of
from engine.report.html import Safe, join, table, tag
from engine.result import Result

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

NOTES: Mapping[str, str] = {
    "costs.commission_rate": "of an order's value",
    "costs.commission_min": "at least, per order",
    "costs.commission_tick": "commission is rounded to this",
    "costs.slippage_rate": "of the price, against us, on each side",
    "costs.participation_rate": "of the session's volume at most; 0: no cap",
    "costs.impact": "coefficient of the square-root law; 0: none",
    "costs.cash_rate": "a year on idle cash",
    "costs.fx_fee_rate": "of an order in a fund of another currency, for changing money",
    "reserve": "of equity, that target weights leave in cash",
    "fill": "price point of the session at which orders trade",
    "availability": "when data count as published",
    "lags": "sessions added to that by the user",
    "allow": "failed data checks that the user let pass",
}


def settings(result: Result) -> Iterator[tuple[str, str]]:
    """Return the settings of a manifest, nested names joined by dots; warnings of the data are none."""
    manifest = dict(result.manifest)
    manifest.pop("data_warnings", None)
    spec = manifest.pop("spec", {})
    return _lines({**spec, **manifest, "sessions_per_year": result.sessions_per_year})


def set_to(parameters: Mapping[str, Any]) -> str:
    """Return parameters in one line, each as ``settings`` writes it."""
    return ", ".join(f"{name}={text}" for name, text in _lines(parameters))


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


def note_on(name: str) -> str:
    """Return what a setting means; nothing for one that explains itself."""
    group, _, rest = name.partition(".")
    market, _, cost = rest.partition(".")
    if group == "costs" and cost:
        return f"{NOTES.get(f'{group}.{cost}', '')}; of funds of {market.upper()}, in their currency"
    return NOTES.get(name, "")


def _spell(kind: str, spell: Spell) -> str:
    method = METHODS[kind][spell.method] if spell.method else "none on file"
    return f"{method}, {spell.first} to {spell.last}"


def _lines(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _lines(value, f"{name}.")
        elif isinstance(value, Mapping | list | tuple):
            yield name, ", ".join(map(str, value)) or "none"
        elif isinstance(value, bool):
            yield name, "yes" if value else "no"
        elif isinstance(value, float):
            yield name, f"{value:,.10g}"
        else:
            yield name, "none" if value is None else str(value)
