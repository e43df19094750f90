"""What the charts of a study's page draw, as one JSON block that cannot break out of its element.

Of many trials only some are drawn one by one: the best, the Pareto front, and a fixed sample of the others,
evenly spaced through the ranking, so that the same study always shows the same.
"""

from __future__ import annotations

from typing import Any

from engine.metrics.declared import label_of, unit_of
from engine.tuning.axes import Axis, text_of
from engine.tuning.landscape import HeatMap, Landscape, Profile, scored
from engine.tuning.methods import WITH_OPTUNA
from engine.tuning.objective import Trial
from engine.tuning.study import Study

BEST, SAMPLE = 500, 500  # trials drawn one by one
FRONT = 1500  # of the Pareto front, at most
POINTS = 2000  # of the history
DIGITS = 7


def drawn(study: Study) -> list[Trial]:
    """Return the trials that are drawn one by one, best first."""
    usable = [trial for trial in study.ranked if study.goal.values(trial.outcome) is not None]
    first = leading(study)
    others = usable[first:]
    if len(others) > SAMPLE:
        others = [others[index * len(others) // SAMPLE] for index in range(SAMPLE)]
    return usable[:first] + others


def leading(study: Study) -> int:
    """Return how many of the best trials are all drawn: of a Pareto front, all unless it is vast."""
    front = len(study.pareto) if len(study.goal.objectives) > 1 else 0
    return max(BEST, min(front, FRONT))


def chart_data(study: Study, found: Landscape, *, history: bool) -> dict[str, Any]:
    """Return everything that the charts draw."""
    goal, axes = study.goal, found.axes
    front = {trial.number for trial in study.pareto}
    rows = [
        [
            trial.number,
            [_place(axis, trial) for axis in axes],
            [_short(value) for value in goal.values(trial.outcome) or ()],
            int(goal.obeys(trial.outcome)),
            int(trial.number in front),
        ]
        for trial in drawn(study)
    ]
    return {
        "synthetic": bool(study.header["data"]["synthetic"]),
        "axes": [_axis(axis) for axis in axes],
        "objectives": [
            {
                "label": label_of(each.metric),
                "unit": unit_of(each.metric),
                "whole": unit_of(each.metric) == "count",
                "maximize": each.maximize,
            }
            for each in goal.objectives
        ],
        "constrained": bool(goal.constraints),
        "maps": [[_map(each) for each in of_objective] for of_objective in found.maps],
        "profiles": [_profile(each) for each in found.profiles],
        "rows": rows,
        "history": _history(study) if history else None,
    }


def learns(study: Study) -> bool:
    """Return whether the search let earlier trials decide on later ones."""
    return study.header["method"] in WITH_OPTUNA


def _axis(axis: Axis) -> dict[str, Any]:
    # Numbers evenly apart are a scale; everything else has its values one by one.
    scale = axis.kind != "choices" and (axis.kind == "interval" or len(axis.values) > 1)
    low, high = (axis.low, axis.high) if axis.kind == "interval" else (0.0, 0.0)
    if axis.kind == "steps":
        low, high = axis.values[0], axis.values[-1]
    return {
        "name": axis.name,
        "scale": scale,
        "log": axis.log,
        "low": low,
        "high": high,
        "whole": all(isinstance(value, int) for value in axis.values) and axis.kind == "steps",
        "names": [] if scale else [text_of(value) for value in axis.values],
    }


def _place(axis: Axis, trial: Trial) -> float:
    value = trial.parameters[axis.name]
    if axis.kind == "choices" or len(axis.values) == 1:
        return int(axis.position(value))
    return _short(value)


def _map(found: HeatMap) -> dict[str, Any]:
    return {
        "x": found.across,
        "y": found.up,
        "columns": found.columns,
        "rows": found.rows,
        "cells": [[x, y, _short(best), _short(median), count] for x, y, best, median, count in found.cells],
        "best": found.best,
    }


def _profile(found: Profile) -> dict[str, Any]:
    return {
        "names": found.names,
        "cells": [[x, _short(best), _short(median), count] for x, _, best, median, count in found.cells],
    }


def _history(study: Study) -> dict[str, Any]:
    """Return the first objective by trial, thinned out evenly, and where the best so far changed."""
    objective = study.goal.objectives[0]
    best: list[list[float]] = []
    so_far: float | None = None
    trials = scored(study, objective)
    for trial in trials:
        value = trial.outcome.metrics[objective.metric]
        if value is None or not study.goal.feasible(trial.outcome):
            continue
        if so_far is None or (value > so_far if objective.maximize else value < so_far):
            so_far = value
            best.append([trial.number, _short(value)])
    if best:
        best.append([len(study.trials) - 1, best[-1][1]])
    step = max(1, -(-len(trials) // POINTS))
    points = [
        [
            trial.number,
            _short(trial.outcome.metrics[objective.metric]),
            int(study.goal.feasible(trial.outcome)),
        ]
        for trial in trials[::step]
    ]
    return {"points": points, "best": best, "step": step}


def _short(value: float | None) -> float:
    """Return a number with as many digits as a chart can show."""
    return 0.0 if value is None else float(f"{value:.{DIGITS}g}")
