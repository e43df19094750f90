"""A study opened again: the same data, strategy and versions, or a refusal that names the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.errors import UsageError, did_you_mean
from engine.kernel.targets import ROTATION_FIELDS
from engine.pipeline import OpenMarket, Watch, open_market
from engine.results.runs import last_of
from engine.spec import Spec
from engine.strategy.loader import parameters_of, strategy_class
from engine.strategy.trusted import require_trust
from engine.tuning.dependencies import files_of
from engine.tuning.evaluate import Evaluator
from engine.tuning.phases import OverPhases
from engine.tuning.space import Space
from engine.tuning.study import Plan, Study, differences, find_study, studies_in, study_header


@dataclass(frozen=True)
class Reopened:
    """A study, and what it takes to run its sets again."""

    study: Study
    spec: Spec
    space: Space
    market: OpenMarket
    evaluate: Evaluator


def reopen(
    word: str,
    out: Path,
    strategies: Mapping[str, type[Any]],
    watch: Watch,
    data: str | None = None,
    *,
    allow: Sequence[str] = (),
    trust: bool = False,
) -> Reopened:
    """Return the study that ``word``, as ``last``, names under ``out``; ``data`` says where its data are now.

    ``allow``: checks of them that may fail besides those that it was made with. ``trust``: a strategy's file
    that this user has never named may be run. UsageError names what has changed: data, strategy, version of
    this program.
    """
    folder = find_study(word, out) or last_of(word, studies_in(out))
    if folder is None:
        names = [each.name for each in studies_in(out)]
        raise UsageError(f"there is no study `{word}` in {out}", hint=did_you_mean(word, names))
    study = Study.load(folder)
    header = study.header
    spec = Spec.from_document(header["spec"], origin=f"{folder}/study.jsonl")
    require_trust(spec.strategy, strategies, f"the study {folder}", trust=trust)
    spec = spec.with_(data=data) if data else spec
    space = space_of(header, spec, strategies)
    allowing = spec.with_(allow=(*spec.allow, *allow))
    market = open_market(allowing, watch)
    plan = Plan(header["method"], header["trials"], header["batch"], header.get("phases"))
    over = OverPhases.of(plan.phases, study.goal)
    evaluate = Evaluator(spec, strategies, market, space, study.goal.metrics, phases=over)
    now = study_header(spec, space, study.goal, plan, market.panel, files_of(spec, space, strategies))
    kept = {name: value for name, value in header.items() if name in now}
    other = differences(kept, now)
    if other:
        raise UsageError(
            f"the study {folder} was made from something else: {'; '.join(other)}",
            hint="Restore what it was made from, or search again.",
        )
    return Reopened(study, allowing, space, market, evaluate)


def space_of(header: Mapping[str, Any], spec: Spec, strategies: Mapping[str, type[Any]]) -> Space:
    """Return the space that a study searched."""
    fields = parameters_of(strategy_class(spec.strategy, strategies))
    space = Space.from_words(
        header["space"], header["where"], fields, fixed={}, given=(), fastest=ROTATION_FIELDS
    )
    values = {field.name: field.default for field in fields} | dict(spec.parameters)
    return replace(space, fixed={name: v for name, v in values.items() if name not in space.names})
