"""What was judged before: the words, and what the set chosen first did on sessions that came since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.record.lines import Judgement
from engine.simulation.alternatives import EQUAL_WEIGHT
from engine.statistics.paths import in_excess, simple_returns
from engine.tuning.columns import again
from engine.tuning.evaluate import Evaluator
from engine.tuning.families import family_of
from engine.tuning.on_record import OnRecord, Seen, key_of_set
from engine.tuning.study import Study
from engine.verdict.evidence import Earlier, Since
from engine.verdict.verdict import HARDNESS

Floats = NDArray[np.float64]


def question_of(study: Study, evaluate: Evaluator, splits: str) -> dict[str, Any]:
    """Return what is asked: of which study, split how, against what, by which seed, on which days."""
    return {
        "study": str(study.header["study_id"]),
        "splits": splits,
        "benchmark": evaluate.conditions.benchmark or EQUAL_WEIGHT,
        "seed": int(study.header["seed"]),
        "first": str(evaluate.day(evaluate.first)),
        "last": str(evaluate.day(evaluate.last)),
    }


def earlier(judgements: Sequence[Judgement], question: Mapping[str, Any]) -> tuple[Earlier, ...]:
    """Return judgements as the page shows them, oldest first, each question with each answer once.

    Those that differ in their last sessions alone are one, with how often that was.
    """
    found: dict[tuple[Any, ...], Earlier] = {}
    for each in judgements:
        asked = {name: getattr(each, name) for name in question}
        key = (*asked.values(), each.word)
        found.setdefault(key, Earlier(each.at, word=each.word, again=asked == question, **asked))
    alike: dict[tuple[Any, ...], Earlier] = {}
    for one in found.values():
        words = (one.study, one.word, one.splits, one.benchmark, one.seed, one.first, one.again)
        before = alike.get(words)
        alike[words] = (
            one
            if before is None
            else replace(before, times=before.times + 1, until=one.at, last=max(before.last, one.last))
        )
    return tuple(alike.values())


def since_first(
    known: OnRecord,
    evaluate: Evaluator,
    catalogue: Mapping[str, type[Any]],
    benchmark: Floats,
    equal_weight: Floats,
) -> Since | None:
    """Return what the first judgement's choice did on later sessions; None where there are none.

    A judgement that was withheld is not the first, and what was looked at before it is not later. All are in
    excess of what cash yields.
    ``benchmark`` and ``equal_weight`` are (T,), of the study.
    """
    bound = [each for each in known.judgements if each.word in HARDNESS]
    if not bound:
        return None
    first = bound[0]
    days = evaluate.market.panel.days[evaluate.first : evaluate.last + 1]
    new = np.flatnonzero(days > np.datetime64(known.seen_until, "D"))
    if not len(new):
        return None
    before = {each.last for each in bound[1:] if each.last > known.seen_until}
    path = _path(first, evaluate, catalogue)
    yields = evaluate.cash_returns
    cash = np.zeros(len(days)) if yields is None else yields
    ran = path is not None and bool(np.isfinite(path).all())
    return Since(
        first=str(days[new[0]]),
        last=str(days[-1]),
        sessions=len(new),
        parameters=dict(first.parameters),
        returns=(simple_returns(path, evaluate.conditions.cash) - cash)[new]
        if path is not None and ran
        else None,
        benchmark=in_excess(benchmark, cash)[new],
        equal_weight=in_excess(equal_weight, cash)[new],
        looks=len(before | {str(days[-1])}),
        reason=None if ran else "what was chosen cannot be run again",
    )


def _path(first: Judgement, evaluate: Evaluator, catalogue: Mapping[str, type[Any]]) -> Floats | None:
    """Return the equity (T,) of what the first judgement chose; None where it cannot be run again."""
    if not first.parameters:
        return None
    key = key_of_set(first.source, first.strategy, first.parameters, first.files)
    seen = Seen(key, first.strategy, first.source, first.path, first.parameters, first.files)
    found = again([seen], evaluate.base, family_of(evaluate.base), catalogue)
    return evaluate.paths_of([*found.values()])[0] if found else None
