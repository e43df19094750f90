"""Luck band: what rotating alike among funds drawn by lot would have earned, many times over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engine.audits.audited import (
    Audited,
    annual_return,
    returns_of,
    returns_of_strategies,
    sharpe,
    targets_of,
)
from engine.audits.controls import random_control
from engine.audits.opinion import Opinion
from engine.audits.placebo import standing

NAME = "luck_band"
DRAWS = 1000


def luck_band(audited: Audited) -> Opinion:
    """Return where the strategy stands among random choices with the same rotation, on the same sessions.

    ``details``: ``draws``; ``sharpe_ratio`` and ``annual_return``, each with the strategy's ``value``, the 5,
    50 and 95 % ``quantiles``, ``rank`` and ``p_value``.
    """
    count = DRAWS if audited.draws is None else audited.draws
    first, last = audited.first(), audited.last
    per_year = audited.per_year(first)
    controls = [random_control(audited, seed) for seed in range(count)]
    found = [each for each in controls if each is not None]
    if not found:
        return Opinion(NAME, None, "There is no random choice that rotates like this strategy.", {"draws": 0})
    real = returns_of(
        audited,
        [targets_of(audited.strategy, audited.panel, first, last, fill=audited.conditions.fill)],
        first,
    )
    drawn = returns_of_strategies(audited, found, first)
    details = {
        name: {"value": float(measure(real, per_year)[0])}
        | standing(float(measure(real, per_year)[0]), measure(drawn, per_year))
        for name, measure in (("sharpe_ratio", sharpe), ("annual_return", annual_return))
    }
    if found[0].fields["top"] == 0:
        sentence = "With top=0 all funds that qualify are held, which leaves nothing to choice nor luck."
    else:
        sentence = sentence_on(details["sharpe_ratio"])
    return Opinion(NAME, None, sentence, {"draws": len(found)} | details)


def sentence_on(ratio: Mapping[str, Any]) -> str:
    """Return where a Sharpe ratio stands among those of random choices, in words."""
    if not math.isfinite(ratio["value"]):
        return "The strategy's returns do not vary, so there is no Sharpe ratio to rank."
    if ratio["of"] < 2:
        return "No random choice has a Sharpe ratio to rank against."
    low, middle, high = ratio["quantiles"]
    return (
        f"Sharpe ratio {ratio['value']:.2f} is rank {ratio['rank']:,} of {ratio['of']:,} against random "
        f"choices, 90% of which lie between {low:.2f} and {high:.2f} (median {middle:.2f})."
    )
