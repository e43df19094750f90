"""What a brief says of the cycle: capital expenditure, whether macro, meso and micro agree, theme drift.

The definitions are those of the strategies ``resonance`` and ``optical_tilt``, whose classes the caller hands
over, because nothing of the engine imports strategies. They see the known face of a panel, at the open of the
session after the day: what was published by then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.errors import DataError
from data.facts.capex import SERIES
from data.facts.symbols import market_of
from data.facts.universe import Fund, universe
from data.filled import Filled
from data.panel.known import Known
from data.panel.panel import Panel
from data.source import spans_of
from data.words import count
from engine.briefs.peers import UNKNOWN_INDEX
from engine.briefs.series import Found, Sessions, Sheet
from engine.orders.next_open import next_panel

if TYPE_CHECKING:
    from data.source import DataSource

Strategies = Mapping[str, type[Any]]

# Lines that strategies define, and that have no value without them.
DEFINED_BY_STRATEGIES = (
    *("theme_weight_drifted", "capex_growth", "macro", "family_return", "meso", "flow_score", "micro"),
    "resonance",
)
NO_STRATEGIES = "the strategies that define it were not handed over: `strategies=STRATEGIES`"


def add_drift(sheet: Sheet, panel: Panel, fund: Fund, theme: str, index: str, strategies: Strategies) -> None:
    """Add the theme's weight in the fund's index, drifted to the day by an index of the theme."""
    found = _drifted(panel, fund, theme, index, strategies)
    sheet.add("theme_weight_drifted", found, by=f" by {index}" if index else "")


def _drifted(panel: Panel, fund: Fund, theme: str, index: str, strategies: Strategies) -> Found:
    if fund.index is None:
        return Found(None, UNKNOWN_INDEX)
    if not index:
        return Found(None, "no index was named that stands for the theme")
    if "optical_tilt" not in strategies:
        return Found(None, NO_STRATEGIES)
    if index not in panel.known.index_codes:
        known = ", ".join(panel.known.index_codes) or "none"
        reason = f"no levels of the index {index} on file; there are {known}"
        return Found(None, reason, lacks="index_bars", whose=(index,))
    tilt = strategies["optical_tilt"](theme=theme, theme_index=index)
    weight, drift = (each[-1] for each in tilt.exposure(panel.known, fund.index))
    if math.isnan(weight):
        return Found(None, "no weights of the theme in its index that are recent enough")
    if math.isnan(drift):
        reason = f"a level of {index} or {fund.index} is missing on the day or on that of the weights"
        return Found(None, reason, lacks="index_bars", whose=(index, fund.index))
    return Found(min(float(weight * drift), 1.0), note=f"{weight:.2%} as published, times {drift:.4f}")


def add_cycle(
    sheet: Sheet,
    source: DataSource,
    panel: Panel,
    fund: Fund,
    sessions: Sessions,
    strategies: Strategies,
) -> None:
    """Add capital expenditure, and whether macro, meso and micro agree, each with what it goes by."""
    series, day = _field(strategies, "series") or SERIES, sessions.days[-1]
    sheet.add("capex", _latest(source, series, panel.known, day))
    if "resonance" not in strategies:
        undefined = dict.fromkeys(("macro", "meso", "micro"), Found(None, NO_STRATEGIES))
        _add_conditions(sheet, undefined, undefined, dict.fromkeys(undefined, ""))
        return
    resonance = strategies["resonance"]()
    symbols = _compared(source, fund, day)
    known = next_panel(source, symbols, day).known
    column = symbols.index(fund.symbol)
    before = {"macro": resonance.growth_lookback, "meso": resonance.strength_lookback}
    reasons = {
        "macro": f"no value of `{series}` is known {before['macro']} sessions before",
        "meso": "its index family has no return over so many sessions",
    }
    nothing = {
        **{name: _too_short(known, sessions, before[name], why) for name, why in reasons.items()},
        "micro": _no_score(known, column, resonance.z_window + resonance.lookback, sessions),
    }
    try:
        conditions = resonance.conditions(known)
    except DataError as error:
        nothing["macro"] = Found(None, error.what)
        conditions = replace(resonance, series="").conditions(known)
    values, holds = {}, {}
    for name, none in nothing.items():
        value = _last(conditions[name].value, column) if name in conditions else math.nan
        held = bool(_last(conditions[name].holds, column)) if math.isfinite(value) else None
        values[name], holds[name] = replace(none, value=value), replace(none, value=held)
    holds["meso"] = replace(holds["meso"], note=_of_funds(known, conditions["meso"].value[-1], column))
    if holds["micro"].value is not None:
        values["micro"] = replace(values["micro"], note=_behind(known, column))
    spans = {
        "macro": f" over {resonance.growth_lookback} sessions",
        "meso": f" over {resonance.strength_lookback} sessions",
        "micro": "",
    }
    _add_conditions(sheet, values, holds, spans)


def _add_conditions(
    sheet: Sheet, values: Mapping[str, Found], holds: Mapping[str, Found], spans: Mapping[str, str]
) -> None:
    lines = {"macro": "capex_growth", "meso": "family_return", "micro": "flow_score"}
    for name, value in lines.items():
        sheet.add(value, values[name], over=spans[name])
        sheet.add(name, holds[name])
    lacking = [name for name in lines if holds[name].value is None]
    agree = None if lacking else all(holds[name].value for name in lines)
    sheet.add("resonance", Found(agree, f"{', '.join(lacking)} cannot be told"))


def _of_funds(known: Known, strength: np.ndarray[Any, Any], column: int) -> str:
    """Say of how many funds the mean is; where they are of one family, that it is that family's own."""
    some = np.flatnonzero(np.isfinite(strength))
    family = known.families[column]
    alone = all(each == column or (family and known.families[each] == family) for each in some)
    return f"of {count(len(some), 'fund')}{', all of its family: it could not be less' if alone else ''}"


def _too_short(known: Known, sessions: Sessions, n: int, reason: str) -> Found:
    """Return why nothing is known ``n`` sessions before: for want of bars, if the fund had listed by then."""
    short = sessions.listed is not None and len(known.days) <= n
    return sessions.begins_late(reason, n) if short else Found(None, reason)


def _no_score(known: Known, column: int, needed: int, span: Sessions) -> Found:
    """Return why a fund has no flow score, if it has none: one takes so many unit counts."""
    # The count of a session stands in the row after it, and the last row is of a session that is to come.
    counted = int(np.isfinite(known.units[-needed:, column]).sum())
    sessions = int(known.listed[:-1, column].sum())
    if not known.listed[-1, column]:
        return Found(None, f"no score: it is not listed any more on {known.days[-1]}")
    if counted == needed:
        return Found(None, f"no score: a flow, margin or NAV of the {needed} sessions lacks or does not vary")
    if counted == sessions:
        reason = f"no score: {sessions} of the {needed} sessions that it takes are on file"
        return span.begins_late(reason, needed, "unit count", "NAV", "margin balance")
    reason = f"no score: {counted} of the {needed} unit counts that it takes are known"
    return Found(None, reason, lacks="units")


def _behind(known: Known, column: int) -> str:
    """Say which of flows and margin are known of an earlier session than the last, and of which."""
    rows = {name: int(known.session_of(name)[-1, column]) for name in ("flow", "margin")}
    told = [f"{name} {known.days[row]}" for name, row in rows.items() if 0 <= row < len(known.days) - 2]
    return f"latest known: {', '.join(told)}" if told else ""


def _latest(source: DataSource, series: str, known: Known, day: date) -> Found:
    """Return the latest value of a macro series public by the next open, and of which period it is."""
    try:
        value = float(known.macro(series)[-1])
    except DataError as error:
        return Found(None, error.what)
    filled = Filled.of(source)
    rows = filled.read("macro")
    same = rows[
        (rows["series"] == series) & (rows["value"] == value) & (rows["known_at"] <= pd.Timestamp(day))
    ]
    if same.empty:
        return Found(value, f"no value of the macro series `{series}` was public by then")
    row = same.sort_values("period", kind="stable").to_dict("records")[-1]
    shipped = "; in millions of dollars, as etflow ships it" if "capex" in filled.used else ""
    note = f"of {row['period']:%Y-%m-%d}, published on {row['known_at']:%Y-%m-%d}{shipped}"
    return Found(value, note=note)


def _compared(source: DataSource, fund: Fund, day: date) -> list[str]:
    """Return the funds on file that meso compares: the AI funds, or all of the fund's market."""
    spans = spans_of(source, "bars")
    begun = {symbol for symbol, span in spans.items() if span.first is not None and span.first <= day}
    ai = set(universe("ai_cn"))
    market = market_of(fund.symbol)
    chosen = begun & ai if fund.symbol in ai else {each for each in begun if market_of(each) == market}
    return sorted(chosen | {fund.symbol})


def _field(strategies: Strategies, name: str) -> str:
    return str(getattr(strategies["resonance"](), name)) if "resonance" in strategies else ""


def _last(values: np.ndarray[Any, Any], column: int) -> float:
    """Return the last row of (D, S), or of (D, 1), for a fund."""
    return float(values[-1, column if values.shape[1] > 1 else 0])
