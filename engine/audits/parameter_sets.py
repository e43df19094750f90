"""Parameter sets to audit with: the one that was asked for, and some drawn within the fields' bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from data.errors import EtflowError
from engine.kernel.targets import LATER_FIELDS
from engine.strategy.adapter import Adapter
from engine.strategy.loader import parameters_of

ATTEMPTS = 20
# Whole numbers without choices are mostly windows: short ones leave more sessions with a score to compare.
LARGEST = 60


def parameter_sets(strategy: Adapter, count: int, rng: np.random.Generator) -> list[Adapter]:
    """Return ``strategy`` and up to ``count`` others of its class with drawn parameters.

    A number is drawn between its bounds, but not beyond 60 or twice what it is now; one of the choices where
    there are any; whatever has neither stays. Sets that the strategy refuses are drawn again.
    """
    found = [strategy]
    for _ in range(ATTEMPTS * count):
        if len(found) > count:
            break
        try:
            drawn = strategy.with_parameters(_drawn(strategy, rng))
        except EtflowError:
            continue
        if drawn not in found:
            found.append(drawn)
    return found


def called(strategy: Adapter) -> str:
    """Return the class of a strategy and what is set of its parameters, as a person would type it."""
    defaults = {each.name: each.default for each in parameters_of(strategy.written)}
    values = strategy.parameters
    own = ", ".join(f"{name}={value}" for name, value in values.items() if value != defaults[name])
    return f"{strategy.name}({own})"


def _drawn(strategy: Adapter, rng: np.random.Generator) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    values = strategy.fields
    for each in parameters_of(strategy.written):
        if each.name in LATER_FIELDS:
            continue  # no score depends on whose turn it is, nor on what is held beside
        now = values[each.name]
        if isinstance(now, bool):
            drawn[each.name] = bool(rng.random() < 0.5)
        elif each.choices and (each.low is None or rng.random() < 0.3):
            drawn[each.name] = each.choices[int(rng.integers(len(each.choices)))]
        elif each.low is not None and each.high is not None and isinstance(now, int | float | str):
            number = now if isinstance(now, int | float) else 5
            highest = min(each.high, max(LARGEST, 2 * abs(number)) if isinstance(number, int) else each.high)
            if isinstance(number, int):
                drawn[each.name] = int(rng.integers(int(each.low), int(highest) + 1))
            else:
                drawn[each.name] = float(rng.uniform(each.low, highest))
    return drawn
