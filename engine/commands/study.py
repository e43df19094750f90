"""What ``tune`` and ``validate`` do with a study: judge it, draw its page, make its documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.atomic import whole_file
from data.synthetic import notice_of
from engine.commands.job import Job
from engine.commands.looks import body_of_panel, record_of
from engine.pipeline import OpenMarket
from engine.record import lines
from engine.record.record import new_id, now
from engine.results.documents import plain, write_json
from engine.results.runs import writing
from engine.strategy.adapter import Adapter
from engine.tuning.earlier import earlier, question_of
from engine.tuning.evaluate import Evaluator
from engine.tuning.families import family_of
from engine.tuning.holdout import KEY, Opened, opened
from engine.tuning.inputs import named_files
from engine.tuning.judge import SplitSizes, judge_study
from engine.tuning.landscape import landscape
from engine.tuning.objective import Goal, Leaderboard, Trial
from engine.tuning.on_record import OnRecord, on_record
from engine.tuning.space import Space
from engine.tuning.study import Study
from engine.verdict.text import document, render
from engine.verdict.verdict import Report, with_before

VERDICT = "verdict.json"


@dataclass(frozen=True)
class Judgement:
    """A study, what is to be believed of it, and its hold-out if that was opened."""

    study: Study
    report: Report
    holdout: Opened | None
    evaluate: Evaluator
    space: Space

    def document(self) -> dict[str, Any]:
        """Return the document that ``validate --json`` prints; ``holdout`` is None while it is shut."""
        return judgement_document(self.report, self.holdout)

    def save(self) -> Path:
        """Write the study's page, with the judgement in it, and return it."""
        return write_page(self.study, self.evaluate, self.space, self.report)


def judge(
    study: Study,
    evaluate: Evaluator,
    space: Space,
    *,
    splits: str = "both",
    sizes: SplitSizes | None = None,
    catalogue: Mapping[str, type[Any]] | None = None,
    announce: Callable[[str], object] = lambda _step: None,
) -> Report:
    """Return the judgement of a study, which is put on record and written to ``verdict.json`` beside it.

    ``catalogue`` are strategies by name, among which other versions of the strategy may be.
    """
    report = judge_study(
        study,
        evaluate,
        space,
        splits=splits,
        sizes=sizes,
        known=known_of(
            evaluate.market,
            evaluate.base,
            *_period(evaluate),
            ({**space.fixed, **each.parameters} for each in study.trials),
        ),
        catalogue=catalogue,
        announce=announce,
    )
    sizes = sizes or SplitSizes()
    with record_of(evaluate.market).judging():
        # Whoever was judging at the same time has his word on record by now, or waits for this one.
        report = _with_others(study, evaluate, report, sizes.words(splits))
        _note(study, evaluate, space, report, splits, sizes)
    with writing(study.folder), whole_file(study.folder / VERDICT) as path:
        write_json(plain(document(report)), path)
    return report


def known_of(
    market: OpenMarket,
    strategy: Adapter,
    first: object,
    last: object,
    sets: Iterable[Mapping[str, Any]] = (),
) -> OnRecord:
    """Return what is on record of a strategy, tried with ``sets``, from the day ``first`` to ``last``."""
    record, family = record_of(market), family_of(strategy, sets)
    return on_record(record.read(), body_of_panel(market.panel), first, last, family, record.refusing())


def _with_others(study: Study, evaluate: Evaluator, report: Report, splits: str) -> Report:
    """Return a report that knows every judgement on record, as it is now."""
    family, body = family_of(evaluate.base), body_of_panel(evaluate.market.panel)
    lines_now = record_of(evaluate.market).read(lines.Judgement).of(body, *_period(evaluate))
    judged = [each for each in lines_now if isinstance(each, lines.Judgement) and family.has(each)]
    before = earlier(judged, question_of(study, evaluate, splits))
    return report if before == report.evidence.before else with_before(report, before)


def _period(evaluate: Evaluator) -> tuple[object, object]:
    return evaluate.day(evaluate.first), evaluate.day(evaluate.last)


def _note(
    study: Study, evaluate: Evaluator, space: Space, report: Report, splits: str, sizes: SplitSizes
) -> None:
    """Put on record what was judged, with what, and what came out."""
    family, body = family_of(evaluate.base), body_of_panel(evaluate.market.panel)
    parameters = {**space.fixed, **report.evidence.parameters}
    line = lines.Judgement(
        judgement=new_id(),
        at=now(),
        strategy=family.name,
        body=body.name,
        word=report.verdict.word,
        source=family.source,
        shape=family.shape,
        path=evaluate.spec.strategy if ".py" in evaluate.spec.strategy else "",
        parameters=parameters,
        files=named_files(evaluate.base, parameters.values()),
        **question_of(study, evaluate, sizes.words(splits)),
    )
    record_of(evaluate.market).note(line, body)


def judgement_text(report: Report) -> str:
    """Return a judgement as plain text."""
    return render(report)


def judgement_document(report: Report, holdout: Opened | None) -> dict[str, Any]:
    """Return the document of a judgement; ``holdout`` is None while it is shut."""
    return {**document(report), "holdout": None if holdout is None else dict(vars(holdout))}


def write_page(study: Study, evaluate: Evaluator, space: Space, report: Report | None) -> Path:
    """Write ``study.html``, with the judgement in it if there is one, and return it.

    What the judgement ran beside the trials is known to the page.
    """
    from engine.report.study_page import STUDY_PAGE, write_study_page

    found = landscape(study, space, None if report is None else evaluate)
    on_record = None if report is None else report.evidence.log.total
    page = study.folder / STUDY_PAGE
    warned = Job(evaluate.spec, evaluate.base, evaluate.market).data_warnings(*_period(evaluate))
    with writing(study.folder):
        write_study_page(study, found, page, report, on_record, opened(study.folder), warned)
    return page


def study_document(
    folder: Path,
    header: Mapping[str, Any],
    leaderboard: Leaderboard,
    sets: int | None,
    on_record: int | None = None,
) -> dict[str, Any]:
    """Return the document that ``tune --json`` and ``runs show --json`` print; undefined numbers are None.

    ``on_record`` is how many sets of the strategy were looked at on these data; None: the data are not open.
    """
    found = {
        "study_id": header["study_id"],
        "folder": str(folder),
        "strategy": header["strategy"],
        "parameters": header["parameters"],
        "method": header["method"],
        "sampler": header.get("sampler", {}),
        "seed": header["seed"],
        "space": header["space"],
        "where": header["where"],
        "objectives": header["objectives"],
        "constraints": header["constraints"],
        "data": header["data"],
        "counts": {
            "sets": sets,
            "trials": leaderboard.trials,
            "failures": leaderboard.failures,
            "feasible": leaderboard.feasible,
            "on_record": on_record,
        },
        "best": _trial(leaderboard.best, leaderboard.goal) if leaderboard.best is not None else None,
        "ranked": [_trial(trial, leaderboard.goal) for trial in leaderboard.ranked],
        "front": [trial.number for trial in leaderboard.front],
        "holdout": _holdout(folder, header),
    }
    over = {"phases": header["phases"]} if "phases" in header else {}
    return found | over | notice_of(header["data"]["synthetic"])


def _holdout(folder: Path, header: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the period that a search kept shut, with what came out once it was ``opened``; None: none."""
    if not header.get(KEY):
        return None
    found = opened(folder)
    return {**header[KEY], "opened": None if found is None else dict(vars(found))}


def _trial(trial: Trial, goal: Goal) -> dict[str, Any]:
    return {
        "number": trial.number,
        "parameters": dict(trial.parameters),
        "metrics": dict(trial.outcome.metrics),
        "feasible": goal.feasible(trial.outcome),
    }
