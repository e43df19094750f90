"""What the trials of a study say about its space: importance, heat maps, the neighbourhood of the best.

**Importance.** An additive model ``y = mean + f1(x1) + f2(x2) + …``, each ``f`` free in every value (or bin)
of its parameter, is fitted by least squares to the trials that have the objective. The share of a parameter
is the variance of its ``f`` over the trials, over the sum of these variances and that of the rest. On a
complete grid these are exactly the main effects of the functional analysis of variance (Hooker 2007; Hutter,
Hoos and Leyton-Brown 2014); the joint fit keeps a search that learns, which tries parameters together, from
crediting one with the effect of the other.

The neighbourhood of the best is that of ``engine.tuning.neighbours``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from engine.tuning.axes import Axis, Floats, axes_of
from engine.tuning.neighbours import Neighbourhood, neighbourhood
from engine.tuning.objective import Objective, Trial
from engine.tuning.outcome import Evaluate
from engine.tuning.space import Space
from engine.tuning.study import Study

CELLS = 24  # of an axis of a heat map, at most
BINS = 10  # of an interval
PER_LEVEL = 5  # trials that each free number of the additive model should have

Cell = tuple[int, int, float, float, int]


@dataclass(frozen=True)
class Landscape:
    """All of it. By objective: of several dimensions importance and maps, of a single one profiles."""

    axes: tuple[Axis, ...]
    importance: tuple[Importance | None, ...]
    maps: tuple[tuple[HeatMap, ...], ...]
    profiles: tuple[Profile, ...]
    around: Neighbourhood | None


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of an objective: of each parameter, in their order, and of the rest."""

    shares: tuple[float, ...]
    rest: float


@dataclass(frozen=True)
class HeatMap:
    """One objective over two dimensions: cells as (column, row, best, median, trials); that of the best."""

    across: int
    up: int
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[Cell, ...]
    best: tuple[int, int] | None


@dataclass(frozen=True)
class Profile:
    """One objective over the only dimension: the cells of a heat map with a single row."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...]


def landscape(study: Study, space: Space, evaluate: Evaluate | None = None) -> Landscape:
    """Return what the trials of a study say about the space that it searched.

    ``evaluate`` runs the neighbours of the best that are no trials; without it nothing is known of them.
    """
    axes, objectives = axes_of(space), study.goal.objectives
    alone = axes[0] if len(axes) == 1 else None
    return Landscape(
        axes,
        () if alone else tuple(importance(axes, scored(study, each), each) for each in objectives),
        tuple(tuple(heat_maps(axes, study, each)) for each in objectives),
        tuple(profile(alone, study, each) for each in objectives) if alone else (),
        neighbourhood(study, space, evaluate),
    )


def scored(study: Study, objective: Objective) -> list[Trial]:
    """Return the trials that have an objective, constraints met or not, in their order."""
    return [
        trial
        for trial in study.trials
        if trial.outcome.failure is None and trial.outcome.metrics.get(objective.metric) is not None
    ]


def values_of(trials: Sequence[Trial], metric: str) -> Floats:
    """Return a metric of trials that have it."""
    return np.array([trial.outcome.metrics[metric] for trial in trials], dtype=np.float64)


def importance(axes: Sequence[Axis], trials: Sequence[Trial], objective: Objective) -> Importance | None:
    """Return how much of an objective's variance each parameter explains; None where nothing varies."""
    level = values_of(trials, objective.metric)
    if len(level) < 3 or np.ptp(level) <= 1e-12 * max(1.0, float(np.abs(level).max())):
        return None
    sets = math.prod(len(axis.values) for axis in axes)  # 0 where there is an interval
    # On a complete grid every value counts by itself; draws need enough trials for each.
    complete = sets == len(level)
    most = sets if complete else max(2, len(level) // (PER_LEVEL * len(axes)))
    columns: list[Floats] = [np.ones((len(level), 1))]
    for axis in axes:
        cell, names = axis.cells(axis.positions(trials), min(most, BINS) if axis.kind == "interval" else most)
        columns.append(np.eye(len(names))[cell])
    design = np.hstack(columns)
    weights = np.linalg.lstsq(design, level - level.mean(), rcond=None)[0]
    parts, start = [], 1
    for column in columns[1:]:
        parts.append(float(np.var(column @ weights[start : start + column.shape[1]])))
        start += column.shape[1]
    rest = float(np.var(level - level.mean() - design @ weights))
    total = sum(parts) + rest
    return Importance(tuple(part / total for part in parts), rest / total)


def heat_maps(axes: Sequence[Axis], study: Study, objective: Objective) -> list[HeatMap]:
    """Return a heat map for every pair of dimensions, over the feasible trials.

    Each cell has the best and the median of the objective over all other dimensions, and its trials.
    """
    trials = [trial for trial in scored(study, objective) if study.goal.obeys(trial.outcome)]
    level = values_of(trials, objective.metric)
    placed = []
    for axis in axes:
        most = BINS if axis.kind == "interval" else CELLS
        placed.append(axis.cells(axis.positions(trials), most))
    row_of = {trial.number: row for row, trial in enumerate(trials)}
    best = row_of.get(study.best.number) if study.best is not None else None
    maps = []
    for one, two in combinations(range(len(axes)), 2):
        # The longer axis runs across, where there is more room.
        across, up = (one, two) if len(placed[one][1]) >= len(placed[two][1]) else (two, one)
        (x, columns), (y, rows) = placed[across], placed[up]
        maps.append(
            HeatMap(
                across,
                up,
                columns,
                rows,
                _cells(x * len(rows) + y, len(rows), level, maximize=objective.maximize),
                None if best is None else (int(x[best]), int(y[best])),
            )
        )
    return maps


def _cells(
    key: np.ndarray[tuple[int], np.dtype[np.intp]], rows: int, level: Floats, *, maximize: bool
) -> tuple[Cell, ...]:
    order = np.argsort(key, kind="stable")
    keys, starts = np.unique(key[order], return_index=True)
    groups = np.split(level[order], starts[1:]) if len(keys) else []
    return tuple(
        (
            int(each // rows),
            int(each % rows),
            float(group.max() if maximize else group.min()),
            float(np.median(group)),
            len(group),
        )
        for each, group in zip(keys, groups, strict=True)
    )


def profile(axis: Axis, study: Study, objective: Objective) -> Profile:
    """Return an objective over one dimension alone, over the feasible trials."""
    trials = [trial for trial in scored(study, objective) if study.goal.obeys(trial.outcome)]
    cell, names = axis.cells(axis.positions(trials), 3 * CELLS if axis.kind != "interval" else 2 * BINS)
    level = values_of(trials, objective.metric)
    return Profile(names, _cells(cell, 1, level, maximize=objective.maximize))
