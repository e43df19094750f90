"""What lies one step from a parameter set, and whether the best trial of a study stands on a plateau.

A neighbour differs in one dimension of ordered values, by one step, and obeys the conditions of the space; a
step of an interval is a twentieth of it, and choices without order have none. The judgement of a study
(``engine.tuning.judge``) and its page both speak of these sets and of no others, tried or not: the judgement
runs what was not tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.metrics.declared import METRICS
from engine.tuning.dimensions import Dimension, Interval
from engine.tuning.objective import Objective
from engine.tuning.outcome import Evaluate, Outcome, Parameters
from engine.tuning.space import Space
from engine.tuning.study import Study
from engine.tuning.tune import clean
from engine.verdict.thresholds import Thresholds

# The rule of "isolated peak", here as in the judgement: the median of the neighbours is below this share.
# Of a Sharpe ratio next to zero nothing is a share there either.
LINES = Thresholds()
PLATEAU = LINES.neighbours
SHARPE = "sharpe_ratio"
STEP_OF_INTERVAL = 0.05
# A share beyond this says that what it is of is close to zero.
LARGEST_SHARE = 10.0


@dataclass(frozen=True)
class Neighbour:
    """A set next to another one, and the step that leads there."""

    step: str
    parameters: Parameters


@dataclass(frozen=True)
class Place:
    """A neighbour of the best: the number of its trial, if it is one, and its outcome, if it was run."""

    neighbour: Neighbour
    number: int | None
    outcome: Outcome | None


@dataclass(frozen=True)
class Neighbourhood:
    """What lies around the best trial, by the first objective.

    Attributes
    ----------
    places : tuple of Place
    known : int
        How many of them have the objective.
    median, worst : float or None
        Of these; None where there is none.
    share : float or None
        The median over the best (``relative``).
    word : {"plateau", "isolated peak", "unknown"}
    reason : str
        Why it is unknown.
    """

    places: tuple[Place, ...]
    known: int
    median: float | None
    worst: float | None
    share: float | None
    word: Literal["plateau", "isolated peak", "unknown"]
    reason: str = ""


def neighbours_of(space: Space, parameters: Parameters) -> list[Neighbour]:
    """Return the neighbours of a set, dimension by dimension, the step down before the step up."""
    return [
        Neighbour(f"{dimension.name} {sign}1 step", other)
        for dimension in space.dimensions
        for sign, value in _next_to(dimension, parameters[dimension.name])
        if space.allows(other := {**parameters, dimension.name: value})
    ]


def _next_to(dimension: Dimension, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(dimension, Interval):
        here = dimension.share(value)
        for sign, share in (("−", here - STEP_OF_INTERVAL), ("+", here + STEP_OF_INTERVAL)):
            if 0.0 <= share <= 1.0:
                yield sign, dimension.at(share)
    elif dimension.ordered:
        values = [dimension.value(index) for index in range(dimension.count)]
        place = values.index(value)
        for sign, index in (("−", place - 1), ("+", place + 1)):
            if 0 <= index < len(values):
                yield sign, values[index]


def neighbourhood(study: Study, space: Space, evaluate: Evaluate | None = None) -> Neighbourhood | None:
    """Return what lies around the best trial; None where there is no best.

    Neighbours that are no trials are run by ``evaluate``; without it nothing is known of them.
    """
    best = study.best
    if best is None:
        return None
    around = neighbours_of(space, best.parameters)
    trials = {tuple(trial.parameters[name] for name in space.names): trial for trial in study.trials}
    found = [trials.get(tuple(each.parameters[name] for name in space.names)) for each in around]
    missing = [each.parameters for each, trial in zip(around, found, strict=True) if trial is None]
    beside = iter([] if evaluate is None or not missing else map(clean, evaluate(missing)))
    places = tuple(
        Place(each, None, next(beside, None)) if trial is None else Place(each, trial.number, trial.outcome)
        for each, trial in zip(around, found, strict=True)
    )
    return _judged(places, best.outcome, study.goal.objectives[0])


def _judged(places: tuple[Place, ...], best: Outcome, objective: Objective) -> Neighbourhood:
    top = best.metrics[objective.metric]
    outcomes = [place.outcome for place in places if place.outcome is not None]
    level = [value for each in outcomes if (value := each.metrics.get(objective.metric)) is not None]
    if not level or top is None:
        reason = (
            "the best has no neighbours"
            if not places
            else "none of its neighbours has the objective"
            if outcomes
            else "none of its neighbours was tried"
        )
        return Neighbourhood(places, 0, None, None, None, "unknown", reason)
    median, worst = float(np.median(level)), min(level) if objective.maximize else max(level)
    known = len(level)
    if _loses(top, objective):
        return Neighbourhood(places, known, median, worst, None, "unknown", "the best is not above zero")
    if objective.metric == SHARPE and top < LINES.least_sharpe:
        reason = f"the Sharpe ratio of the best is below {LINES.least_sharpe:g}"
        return Neighbourhood(places, known, median, worst, None, "unknown", reason)
    share = relative(median, top, objective)
    # From a positive best to a median of the other sign is further down than any share.
    further = median < top if objective.maximize else median > top
    alone = further if share is None else share < PLATEAU
    return Neighbourhood(places, known, median, worst, share, "isolated peak" if alone else "plateau")


def relative(value: float, best: float, objective: Objective) -> float | None:
    """Return how good a value is beside the best: 1 is as good, less is worse.

    None for unequal signs, where the best is a loss, and beyond ``LARGEST_SHARE``: such shares mean nothing.
    """
    if _loses(best, objective):
        return None
    if value * best <= 0.0:
        return 1.0 if value == best else None
    share = value / best if (best > 0.0) == objective.maximize else best / value
    return share if share <= LARGEST_SHARE else None


def _loses(best: float, objective: Objective) -> bool:
    """Return whether the best is a loss of a metric that is none by nature, as a negative Sharpe ratio is."""
    natural = objective.metric in METRICS and METRICS[objective.metric].loss
    return objective.maximize and not natural and best <= 0.0
