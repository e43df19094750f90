"""How long a search would take, and its judgement, from a small trial of both that leaves no trace.

1. Of the first sets of the search a few pay for what is loaded and compiled, the next are timed. With them
   runs a second value of each parameter: sets in tranches or with stops take machine code of their own.
2. These are judged as a study of their own, with as many resamples as the whole search would get.
3. What each further set costs a judgement is the difference to the judgement of several times as many sets,
   where these are run in a moment. Otherwise it is left out: then the search itself takes far longer.
4. A search whose paths are not kept has its sets run once more for the judgement.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from engine.tuning.columns import most_used
from engine.tuning.judge import SplitSizes, judge_study
from engine.tuning.objective import Trial
from engine.tuning.outcome import Outcome, Parameters
from engine.tuning.samplers import make_sampler
from engine.tuning.study import Study
from engine.tuning.tune import clean
from engine.verdict.duplicates import MOST as COMPARED
from engine.verdict.skill import resamples_for
from engine.verdict.thresholds import Resamples

if TYPE_CHECKING:
    from engine.commands.tune import Search

FIRST, SAMPLE, MANY = 4, 64, 576
A_MOMENT = 1.0  # seconds that many sets may take
A_SET = 4_000  # bytes of parameters, metrics and texts


@dataclass(frozen=True)
class SearchTime:
    """Seconds of a search, and of its judgement; None for one that is not asked for, or that cannot be.

    ``memory`` are the bytes that the whole search takes beyond the trial.
    """

    search: float
    judgement: float | None = None
    memory: int = 0

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.search + (self.judgement or 0.0)


def estimate(
    search: Search, *, verdict: bool = True, splits: str = "both", sizes: SplitSizes | None = None
) -> SearchTime | None:
    """Return how long a search would take; None where there is no set to time.

    Nothing is put on record, and nothing written.
    """
    wanted = search.order.sets or 0
    judged = min(wanted, most_used(search.evaluate))
    sessions = search.evaluate.last - search.evaluate.first + 1
    # All returns are on the disk but those that are held against each other.
    memory = A_SET * wanted + 8 * sessions * min(judged, COMPARED)
    sets = _first_sets(search)
    first, rest = sets[:FIRST], sets[FIRST : FIRST + SAMPLE] or sets[:FIRST]
    if not rest:
        return None
    others = _of_other_values(sets)
    outcomes = search.evaluate([*first, *others])[: len(first)]
    started = time.perf_counter()
    found = search.evaluate(rest)
    each = (time.perf_counter() - started) / len(rest)
    if not verdict:
        return SearchTime(each * wanted)
    outcomes += found if len(sets) > FIRST else []
    judge = partial(_judging, search, splits, sizes)
    some, more = sets[: len(outcomes)], sets[len(outcomes) :]
    few = judge(some, outcomes)
    if few is None:
        return SearchTime(each * wanted)
    kept = _are_paths_kept(search, wanted)
    if not more or each * len(more) > A_MOMENT:
        run_again = 0.0 if kept else each * max(judged - len(some), 0)
        return SearchTime(each * wanted, few + run_again, memory)
    again = judge(some, outcomes) or 0.0  # with all that is loaded
    started = time.perf_counter()
    outcomes += search.evaluate(more)
    each = (time.perf_counter() - started) / len(more)
    many = judge(sets, outcomes) or 0.0
    # Where the paths of a search are at hand when it is judged, they were run once more here alone.
    a_set = max((many - again) / len(more) - (each if kept else 0.0), 0.0)
    return SearchTime(each * wanted, few + a_set * (judged - len(some)), memory)


def _are_paths_kept(search: Search, wanted: int) -> bool:
    """Return whether the paths of a search of so many sets are at hand when it is judged."""
    evaluate = search.evaluate
    here = search.executor.kind == "local"
    return here and evaluate.phases is None and wanted <= most_used(evaluate)


def _first_sets(search: Search) -> list[Parameters]:
    """Return the first sets of a search; those that it learns to propose are drawn at random after them."""
    order = search.order
    wanted = min(order.sets or 0, MANY)
    sets = order.sampler().propose()[:wanted]
    drawn = make_sampler("random", order.space, order.goal, seed=order.spec.seed)
    while len(sets) < wanted and (batch := drawn.propose()):
        sets += [each for each in batch if each not in sets]
    return sets[:wanted]


def _of_other_values(sets: Sequence[Parameters]) -> list[Parameters]:
    """Return the first set with another value than the first set has, for each parameter."""
    found = (next((each for each in sets if each[name] != sets[0][name]), None) for name in sets[0])
    return [each for each in found if each is not None]


def _judging(
    search: Search,
    splits: str,
    sizes: SplitSizes | None,
    sets: Sequence[Parameters],
    outcomes: Sequence[Outcome],
) -> float | None:
    """Return the seconds that it takes to judge a study of these sets; None where none of them ran."""
    evaluate, order = search.evaluate, search.order
    trials = [Trial(*each) for each in zip(count(), sets, map(clean, outcomes), strict=False)]
    study = Study(Path(), search.header, tuple(trials))
    if not study.ranked:
        return None
    judged = min(order.sets or 0, most_used(evaluate))
    resamples = Resamples(superiority=resamples_for(evaluate.last - evaluate.first + 1, judged))
    started = time.perf_counter()
    judge_study(study, evaluate, order.space, splits=splits, sizes=sizes, resamples=resamples)
    return time.perf_counter() - started
