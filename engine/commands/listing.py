"""``runs list``: runs and studies under a folder, filtered by conditions, sorted by what they achieved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from data.errors import EtflowError, UsageError, did_you_mean
from data.expression import parse_condition
from engine.kernel.costs import Costs
from engine.metrics.declared import METRICS, OF_RUN
from engine.results.loading import period_of, read_manifest, read_metrics
from engine.results.runs import runs_in
from engine.spec import Spec
from engine.tuning.study import leaderboard_of, read_header, studies_in

LISTED_METRICS = ("annual_return", "sharpe_ratio", "max_drawdown")
"""Metrics of each run that a list of runs has unless others are asked for."""

DAYS = ("first_day", "last_day")
CONDITIONS = ("universe", "cash", "benchmark", "fill", "reserve", "currency")
FACTS = ("run_id", "kind", "strategy", "data", "synthetic", *DAYS, "trials")
"""What a condition may name of a run besides its metrics, its parameters and its CONDITIONS."""


def list_runs(
    out: str | Path = "results",
    *,
    metrics: Sequence[str] = LISTED_METRICS,
    where: Sequence[str] = (),
    sort: str | None = None,
    limit: int | None = None,
    complain: Callable[[str], object] = lambda _text: None,
) -> list[dict[str, Any]]:
    """Return the runs under ``out``, the last one at the end, then the studies with their best trials.

    Parameters
    ----------
    metrics : names of metrics that each has
    where : conditions over FACTS, metrics and parameters, all of which must hold; what a run does not have
        meets no comparison of size
    sort : a metric, which puts the best first; a fact or parameter, the smallest; with a minus before it the
        other way round. What does not have it comes last
    limit : how many; the first of a sorted list, else the last
    complain : is told what is damaged, which is left out

    UsageError for unknown names.
    """
    for name in metrics:
        if name not in OF_RUN:
            raise UsageError(f"there is no metric `{name}`", hint=did_you_mean(name, OF_RUN))
    found = [*_runs(Path(out), complain), *_studies(Path(out), complain)]
    known = list(dict.fromkeys((*FACTS, *OF_RUN, *(name for _, values in found for name in values))))
    conditions = [
        parse_condition(text, known, "--where", "sharpe_ratio > 0.5 and top == 3") for text in where
    ]
    absent = dict.fromkeys(known)
    found = [
        each for each in found if all(condition.holds({**absent, **each[1]}) for condition in conditions)
    ]
    if sort is not None:
        found = _sorted(found, sort, known)
    if limit is not None:
        found = found[:limit] if sort is not None else found[max(len(found) - limit, 0) :]
    return [{**row, **{name: values.get(name) for name in metrics}} for row, values in found]


# What is listed of a run, and everything of it that can be asked for by name.
Listed = tuple[dict[str, Any], Mapping[str, Any]]


def _runs(out: Path, complain: Callable[[str], object]) -> Iterator[Listed]:
    for folder in runs_in(out):
        try:
            manifest, metrics, days = read_manifest(folder), read_metrics(folder), period_of(folder)
        except (EtflowError, OSError) as error:
            complain(str(error))
            continue
        row = {
            "run_id": folder.name,
            "kind": "run",
            "folder": str(folder),
            "strategy": manifest["strategy"],
            "set": manifest["spec"].get("parameters") or {},
            "settings": _settings(manifest["spec"]),
            **_of_data(manifest["data"]),
            **dict(zip(DAYS, days, strict=True)),
        }
        asked = {name: manifest["spec"].get(name) for name in CONDITIONS}
        yield row, {**asked, **manifest["parameters"], **metrics.values, **row}


def _studies(out: Path, complain: Callable[[str], object]) -> Iterator[Listed]:
    for folder in studies_in(out):
        try:
            header = read_header(folder)
            if header is None:
                continue
            leaderboard = leaderboard_of(folder, header, 1)
        except (EtflowError, OSError) as error:
            complain(str(error))
            continue
        best = leaderboard.best
        chosen = dict(best.parameters) if best is not None else {}
        row = {
            "run_id": folder.name,
            "kind": "study",
            "folder": str(folder),
            "strategy": header["strategy"],
            "set": chosen,
            "settings": {},
            **_of_data(header["data"]),
            **dict(zip(DAYS, header.get("period") or (None, None), strict=False)),
            "trials": leaderboard.trials,
        }
        yield row, {**chosen, **(best.outcome.metrics if best is not None else {}), **row}


def _settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run that are not the usual ones: costs by name, of ``symbols`` how many."""
    usual = {each.name: each.default for each in fields(Spec)}
    found = {
        name: len(value) if name == "symbols" else value
        for name in ("symbols", *CONDITIONS, "availability", "lags")
        if (value := spec.get(name)) not in (None, [], {}, usual[name])
    }
    free = Costs().to_dict()
    return found | {
        name: value for name, value in (spec.get("costs") or {}).items() if value != free.get(name)
    }


def _of_data(block: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": block["name"], "synthetic": block["synthetic"]}


def _sorted(found: Sequence[Listed], sort: str, known: Sequence[str]) -> list[Listed]:
    name = sort.removeprefix("-")
    if name not in known:
        raise UsageError(f"--sort names nothing that a run has: `{name}`", hint=did_you_mean(name, known))
    metric = METRICS.get(name)
    largest_first = (metric is not None and metric.better == "larger") != sort.startswith("-")

    def has(each: Listed) -> bool:
        value = each[1].get(name)
        return value is not None and value == value

    def key(each: Listed) -> tuple[bool, Any]:
        value = each[1][name]
        return (False, value) if isinstance(value, int | float) else (True, str(value))

    with_it = sorted((each for each in found if has(each)), key=key, reverse=largest_first)
    return [*with_it, *(each for each in found if not has(each))]
