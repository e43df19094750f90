"""An event study in JSON's own types, and the id that its folder is called by.

Undefined numbers are None, and beside them stands the reason; nothing is rounded.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from engine.events.others import ALTERNATIVES
from engine.events.study import EventStudy, Measure
from engine.factors.document import returns_in_words
from engine.results.runs import ID_DIGITS
from engine.statistics.events import QUANTILES, EventMean


def event_id(fingerprint: str, found: EventStudy) -> str:
    """Return the id of a study: ``event-`` and eight digits of a hash of events, data, horizons and fill."""
    digest = hashlib.sha256(np.packbits(found.happened).tobytes())
    said = (fingerprint, str(found.days[0]), str(found.days[-1]), found.horizons, found.fill)
    digest.update(repr(said).encode())
    return f"event-{digest.hexdigest()[:ID_DIGITS]}"


def event_document(found: EventStudy) -> dict[str, Any]:
    """Return everything, the events themselves too; numbers are fractions, not percent."""
    rows, columns = np.nonzero(found.happened)
    return {
        "first_day": str(found.days[0]),
        "last_day": str(found.days[-1]),
        "sessions": len(found.days),
        "fill": found.fill,
        "returns": returns_in_words(found.fill, "event"),
        "events": found.events,
        "sessions_with_events": len(np.unique(rows)),
        "funds_with_events": len(np.unique(columns)),
        "told": _number(found.told),
        "shared": dict(found.shared),
        "could_not_be_bought": found.blocked,
        "by_family": dict(found.families),
        "horizons": [
            {
                "sessions": each,
                "raw": _mean(found.raw[each]),
                "abnormal": {name: _measure(found.at(each, name)) for name in ALTERNATIVES},
            }
            for each in found.horizons
        ],
        "fan": {
            "sessions": found.fan_sessions.tolist(),
            "columns": ["mean", *(f"quantile_{share:g}" for share in QUANTILES)],
            **{
                name: [[_number(v) for v in row] for row in table.tolist()]
                for name, table in found.fan.items()
            },
        },
        "dates": [
            {"day": str(found.days[row]), "symbol": found.symbols[column]}
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        ],
        "warnings": list(found.warnings),
    }


def _measure(each: Measure) -> dict[str, Any]:
    return {
        **_mean(each.abnormal),
        "calendar_time": {
            "mean_a_session": _number(each.calendar.value),
            "t": _number(each.calendar_t.value),
            "sessions": each.calendar_sessions,
            "reason": each.calendar.reason or each.calendar_t.reason,
        },
        "placebo": {
            "mean": _number(each.placebo.mean.value),
            "p": _number(each.placebo.p.value),
            "other_dates": each.placebo.moves,
            "reason": each.placebo.p.reason,
        },
        "by_year": {str(year): _mean(mean) for year, mean in each.by_year.items()},
        "by_family": {name: _mean(mean) for name, mean in each.by_family.items()},
    }


def _mean(mean: EventMean) -> dict[str, Any]:
    return {
        "mean": _number(mean.mean),
        "t": _number(mean.t_statistic.value),
        "median": _number(mean.median),
        "hit_rate": _number(mean.hit_rate),
        "quantiles": [_number(value) for value in mean.quantiles.tolist()],
        "events": mean.events,
        "sessions": mean.sessions,
        "reason": mean.t_statistic.reason,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
