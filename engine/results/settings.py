"""Settings of a run in words: nested names joined by dots, values as people read them, what each means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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


def note_on(name: str) -> str:
    """Return what a setting means; nothing for one that explains itself."""
    group, _, rest = name.partition(".")
    market, _, cost = rest.partition(".")
    if group == "costs" and cost:
        return f"{NOTES.get(f'{group}.{cost}', '')}; of funds of {market.upper()}, in their currency"
    return NOTES.get(name, "")


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield settings and their values in words, nested names joined by dots."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{name}.")
        else:
            yield name, worded(value)


def worded(value: Any) -> str:
    """Return a value of a setting in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={text}" for name, text in flat(value)) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.10g}"
    return "none" if value is None else str(value)
