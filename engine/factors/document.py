"""The diagnostics of a score in JSON's own types, and the id that its folder is called by.

Undefined numbers are None, and beside each group of numbers stands the reason; nothing is rounded.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.factors.diagnose import Diagnostics
from engine.factors.section import Horizon
from engine.results.runs import ID_DIGITS, stem_of
from engine.statistics.estimate import Estimate
from engine.statistics.factor import MeanSummary


def factor_id(strategy: str, fingerprint: str, found: Diagnostics) -> str:
    """Return the id of diagnostics: the strategy's name and eight digits of a hash of all that determines it.

    ``fingerprint`` is that of the panel. The scores stand for the strategy's code and its parameters.
    """
    digest = hashlib.sha256(np.ascontiguousarray(found.scores).tobytes())
    lengths = [each.sessions for each in found.horizons]
    digest.update(repr((fingerprint, str(found.days[0]), str(found.days[-1]), lengths, found.fill)).encode())
    return f"factor-{stem_of(strategy)}-{digest.hexdigest()[:ID_DIGITS]}"


def factor_document(found: Diagnostics) -> dict[str, Any]:
    """Return everything but the series by session; numbers are fractions, not percent."""
    return {
        "first_day": str(found.days[0]),
        "last_day": str(found.days[-1]),
        "sessions": len(found.days),
        "fill": found.fill,
        "returns": returns_in_words(found.fill),
        "quantiles": found.quantiles,
        "funds": {
            "scored": found.scored,
            "listed": found.listed,
            "all": len(found.symbols),
            "by_family": dict(found.families),
        },
        "coverage": {
            "mean": _number(float(np.nanmean(found.coverage))) if np.isfinite(found.coverage).any() else None,
            "lowest": _number(float(np.nanmin(found.coverage)))
            if np.isfinite(found.coverage).any()
            else None,
            "by_year": {str(year): _number(share) for year, share in found.coverage_by_year.items()},
        },
        "main_horizon": found.main.sessions,
        "horizons": [_horizon(each) for each in found.horizons],
        "warnings": list(found.warnings),
    }


def returns_in_words(fill: str, what: str = "score") -> str:
    """Return from where to where the returns after a score, or something else, go."""
    point = "VWAP" if fill == "vwap" else fill
    return (
        f"from the {point} of the session that the {what} is for to the {point} h sessions later, splits and "
        "dividends included"
    )


def _horizon(each: Horizon) -> dict[str, Any]:
    return {
        "sessions": each.sessions,
        "funds": _number(each.funds.value),
        "ic": _summary(each.ic),
        "decay": {"after": each.decay_after} | _summary(each.decay),
        "quantile_returns": [_number(float(value)) for value in each.quantile_means],
        "spread": _summary(each.spread),
        "rank_weighted": _summary(each.rank_weighted),
        "autocorrelation": _estimate(each.autocorrelation),
        "turnover": {"bottom": _estimate(each.turnover_bottom), "top": _estimate(each.turnover_top)},
        "by_year": _summaries(each.by_year),
        "by_family": _summaries(each.by_family),
        "between_families": _summary(each.between_families),
    }


def _summaries(summaries: Mapping[Any, MeanSummary]) -> dict[str, Any]:
    return {str(key): _summary(summary) for key, summary in summaries.items()}


def _summary(summary: MeanSummary) -> dict[str, Any]:
    robust = summary.robust_t_statistic
    return {
        "mean": _number(summary.mean),
        "deviation": _number(summary.deviation),
        "icir": _number(summary.ratio),
        "hit_rate": _number(summary.hit_rate),
        "t_newey_west": _number(robust.value),
        "t_iid": _number(summary.t_statistic),
        "lags": summary.lags,
        "dates": summary.dates,
        "reason": summary.reason or robust.reason,
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {"value": _number(estimate.value), "reason": estimate.reason}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
