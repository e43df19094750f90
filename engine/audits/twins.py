"""Twins: other strategies of the catalogue that rotate just like the one that is audited."""

from __future__ import annotations

import dataclasses
from typing import Any

from data.errors import EtflowError
from engine.audits.case import Case

SHARED = ("top", "rebalance", "cap", "hysteresis")


def momentum_twin(case: Case) -> Any | None:
    """Return the catalogue's ``momentum`` with the same rotation; the window too, where the strategy has one.

    None where there is no such twin: no rotation, no ``momentum``, or parameters that it refuses.
    """
    lookback = getattr(case.strategy, "lookback", None)
    return _twin(case, "momentum", {"lookback": lookback} if isinstance(lookback, int) else {})


def random_twin(case: Case, seed: int) -> Any | None:
    """Return the catalogue's ``random`` with the same rotation and a seed of its own; None if there is none.

    Threshold and weighting by score mean nothing to lots: it holds equal weights, or by volatility.
    """
    by_score = getattr(case.strategy, "weighting", "equal") == "score"
    return _twin(case, "random", {"seed": seed} | ({"weighting": "equal"} if by_score else {}))


def _twin(case: Case, name: str, own: dict[str, Any]) -> Any | None:
    made = case.catalogue.get(name)
    if made is None or not hasattr(case.strategy, "scores") or not dataclasses.is_dataclass(made):
        return None
    shared = {
        each: getattr(case.strategy, each) for each in (*SHARED, "weighting") if hasattr(case.strategy, each)
    }
    try:
        return made(**(shared | own))
    except EtflowError:
        return None
