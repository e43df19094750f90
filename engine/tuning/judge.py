"""From a study to its judgement: returns of all that was looked at, splits, and what else is on record.

1. The returns of the trials, and of every other set of the strategy on record, are computed again from their
   parameters (``engine.tuning.columns``); of very many an even sample is used, and the page says so.
2. Walk-forward and combinatorial splits choose among all of these by the study's first objective, where
   returns alone determine it, else by Sharpe ratio (``engine.tuning.out_of_sample``).
3. What was judged before on these sessions stands beside it, and what sessions that came since say of the set
   that was chosen then.
4. ``engine.verdict`` makes the page of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, EtflowError, UsageError
from data.synthetic import SYNTHETIC
from engine.metrics.declared import OF_PATH
from engine.simulation.alternatives import EQUAL_WEIGHT, benchmark_return, equal_weight_return
from engine.statistics.sharpe import sharpe_ratio, sharpe_ratios
from engine.statistics.splits import CombinatorialPurged
from engine.tuning.columns import columns_of
from engine.tuning.earlier import earlier, question_of, since_first
from engine.tuning.evaluate import Evaluator
from engine.tuning.methods import WITH_OPTUNA
from engine.tuning.objective import Trial
from engine.tuning.on_record import OnRecord
from engine.tuning.out_of_sample import (
    SHARPE,
    Walk,
    combinatorial,
    default_walk_forward,
    horizon_of,
    require_scores,
    walk_forward,
)
from engine.tuning.outcome import Parameters
from engine.tuning.phases import MEANING
from engine.tuning.space import Space
from engine.tuning.study import Study
from engine.verdict.evidence import CombinatorialOutcome, Evidence, WalkForwardOutcome, Window
from engine.verdict.table import Table
from engine.verdict.thresholds import Resamples
from engine.verdict.verdict import Report, report

Floats = NDArray[np.float64]

FOLDS, TEST_FOLDS = 10, 2

Announce = Callable[[str], object]


@dataclass(frozen=True)
class SplitSizes:
    """Sizes of splits in sessions, and the number of folds; None: as the length of the history suggests."""

    train_size: int | None = None
    test_size: int | None = None
    folds: int | None = None
    purged_size: int | None = None
    embargo_size: int | None = None

    @property
    def given(self) -> bool:
        """Whether any of them was asked for."""
        return any(value is not None for value in vars(self).values())

    def words(self, splits: str) -> str:
        """Return how it is split, as the record says it."""
        return ", ".join(
            [splits, *(f"{name} {each}" for name, each in vars(self).items() if each is not None)]
        )


def judge_study(
    study: Study,
    evaluate: Evaluator,
    space: Space,
    *,
    splits: str = "both",
    sizes: SplitSizes | None = None,
    known: OnRecord | None = None,
    catalogue: Mapping[str, type[Any]] | None = None,
    resamples: Resamples | None = None,
    announce: Announce = lambda _step: None,
) -> Report:
    """Return the judgement of a finished study, or of one that was interrupted, as far as it is.

    ``known`` is what the record says of the strategy on these sessions; ``catalogue`` are strategies by name,
    among which other versions of it may be. UsageError where no trial ran, and for ``sizes`` that do not fit;
    sizes that are left to themselves and do not fit are named on the page.
    """
    sizes = sizes or SplitSizes()
    best = study.best or (study.ranked[0] if study.ranked else None)
    if best is None:
        raise UsageError(
            "there is nothing to judge: no trial of the study ran",
            received=study.folder,
            limit="one trial at least",
        )
    announce("returns of all trials")
    known = known or OnRecord()
    columns = columns_of(study, best, evaluate, space, known, catalogue or {})
    sets, returns = columns.sets, columns.returns
    candidates = returns.first(len(sets))
    panel = evaluate.market.panel
    span = slice(evaluate.first, evaluate.last + 1)
    equal_weight = equal_weight_return(panel, evaluate.conditions, evaluate.first, evaluate.last)
    benchmark = benchmark_return(panel, evaluate.conditions, evaluate.first, evaluate.last)
    walk, paths = None, None
    exclusions = [*columns.exclusions]
    if study.header["method"] in WITH_OPTUNA and splits != "none":
        exclusions.append(
            "the search learned from all sessions; out of sample is the choice among the sets that it found"
        )
    if len(study.trials) == 1:
        exclusions.append("the study has one trial: nothing was chosen, so that no choice is tested")
    if evaluate.phases is not None:
        exclusions.append(f"{MEANING[evaluate.phases.how]}; out of sample the chosen set runs on phase 0")
    metric, smaller = _metric(study)
    horizon = horizon_of(_rebalances(evaluate, sets))
    if splits in ("both", "walkforward"):
        announce("walk-forward")
        walk, why = _tried(
            lambda: _walk(evaluate, sets, candidates, benchmark, horizon, metric, smaller, sizes), sizes
        )
        exclusions += [f"no walk-forward: {why}"] if why else []
    if splits in ("both", "cpcv"):
        announce("combinatorial splits")
        paths, why = _tried(
            lambda: _paths(evaluate, sets, candidates, benchmark, horizon, metric, smaller, sizes), sizes
        )
        exclusions += [f"no combinatorial splits: {why}"] if why else []
    announce("statistics")
    grid = study.header["method"] == "grid" and space.exact
    named = evaluate.conditions.benchmark not in (None, EQUAL_WEIGHT)
    return report(
        Evidence(
            returns=returns,
            benchmark=benchmark,
            selected=columns.best,
            sessions_per_year=evaluate.per_year,
            log=replace(columns.log, grid_size=(space.size or 0) if grid else 0),
            default=columns.default,
            neighbours=columns.neighbours,
            days=panel.days[span],
            rebalance=max(horizon - 1, 1),
            walk_forward=walk,
            combinatorial=paths,
            turnover=_number(best, "turnover"),
            cost_share=_number(best, "cost_share"),
            parameters=dict(best.parameters),
            header=_header(study, evaluate),
            exclusions=tuple(exclusions),
            benchmark_name=evaluate.conditions.benchmark or "equal weight",
            seed=int(study.header["seed"]),
            equal_weight=equal_weight if named else None,
            unknown=columns.unknown,
            before=earlier(known.judgements, question_of(study, evaluate, sizes.words(splits))),
            cash=evaluate.cash_returns,
            failed=len(study.failures),
            since=since_first(known, evaluate, catalogue or {}, benchmark, equal_weight),
        ),
        resamples=resamples,
    )


def _rebalances(evaluate: Evaluator, sets: Sequence[Parameters]) -> list[int | str | None]:
    """Return how often each set decides, of those that can be made."""
    found = []
    for each in sets:
        try:
            found.append(evaluate.strategy(each).rebalance)
        except EtflowError:
            continue
    return found


def _metric(study: Study) -> tuple[str, bool]:
    first = study.goal.objectives[0]
    return (first.metric, not first.maximize) if first.metric in OF_PATH else (SHARPE, False)


def _tried(compute: Callable[[], Any], sizes: SplitSizes) -> tuple[Any, str | None]:
    """Return what is computed, or None and why it is not possible, unless that was asked for."""
    try:
        return compute(), None
    except (UsageError, DataError) as error:
        if sizes.given:
            raise
        return None, " ".join(str(error).split())


def _walk(
    evaluate: Evaluator,
    sets: Sequence[Parameters],
    returns: Table,
    benchmark: Floats,
    horizon: int,
    metric: str,
    smaller: bool,
    sizes: SplitSizes,
) -> WalkForwardOutcome:
    require_scores(evaluate, sets[0])
    purged = horizon if sizes.purged_size is None else sizes.purged_size
    windows = default_walk_forward(len(returns), evaluate.per_year, purged)
    if sizes.train_size is not None:
        windows = replace(windows, train_size=sizes.train_size)
    if sizes.test_size is not None:
        windows = replace(windows, test_size=sizes.test_size)
    walk = walk_forward(evaluate, sets, returns, benchmark, windows, metric, smaller=smaller)
    earned, in_sample = walk.returns, walk.in_sample
    if (cash := evaluate.cash_returns) is not None:
        earned = earned - cash[walk.first : walk.first + len(earned)]
        in_sample = np.array(
            [
                sharpe_ratios((returns.column(column) - cash)[split.train, np.newaxis])[0]
                for split, column in zip(walk.splits, walk.chosen, strict=True)
            ]
        )
    return WalkForwardOutcome(earned, in_sample, _windows(walk, earned, sets))


def _windows(walk: Walk, earned: Floats, sets: Sequence[Parameters]) -> tuple[Window, ...]:
    """Return the windows of a walk, with the sets that were chosen and what they earned on the test."""
    found = []
    for split, chosen in zip(walk.splits, walk.chosen, strict=True):
        first, last = int(split.tests[0][0]), int(split.tests[0][-1])
        made = sharpe_ratio(earned[first - walk.first : last - walk.first + 1]).value
        train = (int(split.train[0]), int(split.train[-1]))
        found.append(Window(*train, first, last, dict(sets[chosen]), made))
    return tuple(found)


def _paths(
    evaluate: Evaluator,
    sets: Sequence[Parameters],
    returns: Table,
    benchmark: Floats,
    horizon: int,
    metric: str,
    smaller: bool,
    sizes: SplitSizes,
) -> CombinatorialOutcome:
    require_scores(evaluate, sets[0])
    purged = horizon if sizes.purged_size is None else sizes.purged_size
    embargo = max(horizon - 1, 1) if sizes.embargo_size is None else sizes.embargo_size
    # Fewer folds where ten would be too short for what is purged.
    folds = sizes.folds or min(FOLDS, len(returns) // (purged + embargo + 2))
    splits = CombinatorialPurged(folds, TEST_FOLDS, purged, embargo)
    paths = combinatorial(evaluate, sets, returns, benchmark, splits, metric, smaller=smaller)
    cash = evaluate.cash_returns
    return CombinatorialOutcome(paths if cash is None else paths - cash, purged, embargo)


def _number(trial: Trial, name: str) -> float:
    value = trial.outcome.metrics.get(name)
    return math.nan if value is None else value


def _header(study: Study, evaluate: Evaluator) -> dict[str, str]:
    header = study.header
    data = header["data"]
    made_up = f", {SYNTHETIC}" if data["synthetic"] else ""
    costs = ", ".join(f"{name} {value:g}" for name, value in vars(evaluate.conditions.costs).items() if value)
    yields = evaluate.conditions.costs.cash_rate
    excess = {"ratios and tests": "in excess of what cash yields"} if yields else {}
    return {
        "study": str(header["study_id"]),
        "strategy": str(header["strategy"]),
        "data": f"{data['name']}{made_up}, {len(data['symbols'])} funds",
        "sessions": f"{evaluate.day(evaluate.first)} to {evaluate.day(evaluate.last)}",
        "costs": costs or "none",
        "reserve": f"{evaluate.conditions.reserve:g}",
        **excess,
        "search space": "; ".join([*header["space"], *header["where"]]),
        "selection rule": ", ".join([*header["objectives"], *header["constraints"]])
        + (f", the {header['phases']} over phases" if "phases" in header else ""),
        "version": str(header["versions"]["etflow"]),
    }
