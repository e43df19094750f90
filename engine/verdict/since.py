"""Sessions that came after the first judgement: new evidence, on what that judgement chose.

A set that is chosen with the new sessions in sight is fitted to them. What can be tested on them is the set
that was chosen before, alone, without any search: against the benchmark and equal weight, the harder of which
counts, and its Sharpe ratio against zero. Who judges as sessions come in has several chances, so that the
p-value is multiplied by how often such sessions were judged (Bonferroni). The word of the first judgement
stays beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.statistics.estimate import Floats
from engine.statistics.paths import compared
from engine.statistics.sharpe import moments, probabilistic_sharpe
from engine.statistics.superiority import superiority
from engine.verdict.evidence import Evidence, Since
from engine.verdict.reasons import block_length
from engine.verdict.thresholds import Resamples, Thresholds

DRAWS = 1_000


@dataclass(frozen=True)
class NewSessions:
    """What sessions after the first judgement say.

    ``sharpe`` is annual, ``p_value`` that of superior predictive ability, ``probabilistic`` the probability
    of a true Sharpe ratio above zero; None where undefined. ``word`` is None where they are too few, or the
    set cannot be run again.
    """

    first: str
    last: str
    sessions: int
    parameters: Mapping[str, Any]
    sharpe: float | None
    p_value: float | None
    probabilistic: float | None
    word: Literal["supported", "unproven", "rejected"] | None
    reason: str


def new_sessions(evidence: Evidence, lines: Thresholds, resamples: Resamples) -> NewSessions | None:
    """Return what sessions after the first judgement say; None where there are none."""
    since = evidence.since
    if since is None:
        return None
    if since.returns is None or since.sessions < lines.observations:
        reason = since.reason or f"{since.sessions} sessions, fewer than {lines.observations}"
        return _unjudged(since, reason)
    of = moments(since.returns)
    probable = probabilistic_sharpe(of).value
    draws = resamples.superiority or DRAWS
    worse = max(
        (
            _superior(since.returns, index, evidence.seed, draws)
            for index in (since.benchmark, since.equal_weight)
        ),
        key=lambda p: math.inf if math.isnan(p) else p,
    )
    p = min(worse * since.looks, 1.0)
    sharpe = of.sharpe * math.sqrt(evidence.sessions_per_year)
    long_enough = since.sessions >= lines.years * evidence.sessions_per_year
    word: Literal["supported", "unproven", "rejected"] = "unproven"
    if p <= lines.superiority and probable >= lines.deflated:
        word = "supported"
    elif (long_enough and p > lines.rejected_superiority) or sharpe <= lines.rejected_sharpe:
        word = "rejected"
    said = f"SPA p {_text(p)}" + (f" (times {since.looks} looks)" if since.looks > 1 else "")
    return NewSessions(
        since.first,
        since.last,
        since.sessions,
        since.parameters,
        _known(sharpe),
        _known(p),
        _known(probable),
        word,
        f"Sharpe ratio {_text(sharpe)}, {said}, PSR {_text(probable)}",
    )


def _unjudged(since: Since, reason: str) -> NewSessions:
    return NewSessions(
        since.first, since.last, since.sessions, since.parameters, None, None, None, None, reason
    )


def _superior(returns: Floats, index: Floats, seed: int, draws: int) -> float:
    apart = compared(returns, index) - index[np.isfinite(index)]
    block = block_length(apart)
    if block.reason is not None:
        return math.nan
    return superiority(apart[:, np.newaxis], block=block.value, seed=seed, resamples=draws).p_value


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _text(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "n/a"
