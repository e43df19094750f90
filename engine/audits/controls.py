"""Controls: other strategies of the catalogue that rotate just like the one that is audited."""

from __future__ import annotations

from typing import Any

from data.errors import EtflowError
from engine.audits.audited import Audited
from engine.kernel.targets import LATER_FIELDS
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import ScoreAdapter, adapt

SHARED = ("top", "rebalance", "cap", "hysteresis", "weighting")


def momentum_control(audited: Audited) -> Adapter | None:
    """Return the catalogue's ``momentum`` with the same rotation; the window too, where the strategy has one.

    None where there is no such control: no rotation, no ``momentum``, or parameters that it refuses.
    """
    lookback = audited.strategy.fields.get("lookback")
    return _control(audited, "momentum", {"lookback": lookback} if isinstance(lookback, int) else {})


def random_control(audited: Audited, seed: int) -> Adapter | None:
    """Return the catalogue's ``random`` with the same rotation and a seed of its own; None if there is none.

    Threshold and weighting by score mean nothing to lots: it holds equal weights, or by volatility.
    """
    return _control(audited, "random", {"seed": seed}, by_score="equal")


def _control(audited: Audited, name: str, own: dict[str, Any], by_score: str = "score") -> Adapter | None:
    made = audited.catalogue.get(name)
    if made is None or not isinstance(audited.strategy, ScoreAdapter):
        return None
    rotation = audited.strategy.rotation
    shared = {each: getattr(rotation, each) for each in SHARED}
    shared |= {each: getattr(rotation, each) for each in LATER_FIELDS if hasattr(rotation, each)}
    if shared["weighting"] == "score":
        shared["weighting"] = by_score
    try:
        return adapt(made(**(shared | own)))
    except EtflowError:
        return None
