"""Studies as people and scripts see them: the space, the ranked table, the JSON document, the bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DataError
from engine.cli.app import App
from engine.cli.output import (
    NOT_AVAILABLE,
    count,
    money,
    paint,
    percent,
    print_json,
    ratio,
    say,
    table,
    warn,
)

if TYPE_CHECKING:
    from engine.strategy.loader import Parameter
    from engine.tuning.objective import Board, Goal, Trial
    from engine.tuning.space import Space
    from engine.tuning.study import Plan
    from engine.tuning.tune import State

# Beside objectives and constraints, where a study has them.
ALSO_SHOWN = ("sharpe_ratio", "annual_return", "max_drawdown")
MINUTE = 60


def study_document(folder: Path, header: Mapping[str, Any], board: Board, sets: int | None) -> dict[str, Any]:
    """Return the document that ``tune --json`` and ``runs show --json`` print; undefined numbers are None."""
    from engine.tuning.trial_log import trials_on_record

    document = {
        "study_id": header["study_id"],
        "folder": str(folder),
        "strategy": header["strategy"],
        "parameters": header["parameters"],
        "method": header["method"],
        "seed": header["seed"],
        "space": header["space"],
        "where": header["where"],
        "objectives": header["objectives"],
        "constraints": header["constraints"],
        "data": header["data"],
        "counts": {
            "sets": sets,
            "trials": board.trials,
            "failures": board.failures,
            "feasible": board.feasible,
            "on_record": trials_on_record(folder.parent, header["data"]["name"]),
        },
        "best": _trial(board.best, board.goal) if board.best is not None else None,
        "ranked": [_trial(trial, board.goal) for trial in board.ranked],
        "front": [trial.number for trial in board.front],
    }
    if header["data"]["synthetic"]:
        from engine.pipeline import SYNTHETIC_NOTICE

        document["notice"] = SYNTHETIC_NOTICE
    return document


def _trial(trial: Trial, goal: Goal) -> dict[str, Any]:
    return {
        "number": trial.number,
        "parameters": dict(trial.parameters),
        "metrics": dict(trial.outcome.metrics),
        "feasible": goal.feasible(trial.outcome),
    }


def print_study(folder: Path, header: Mapping[str, Any], board: Board) -> None:
    """Print what was searched, on which data, what came out, and the ranked table."""
    data = header["data"]
    say(paint(f"{header['study_id']} on {data['name']}", bold=True))
    say(
        f"{' to '.join(_period(header))}: {count(board.trials, 'trial')} by {header['method']}, "
        f"{count(board.failures, 'failure')}, {count(board.feasible)} feasible"
    )
    if data["synthetic"]:
        from engine.pipeline import SYNTHETIC_NOTICE

        say(paint(SYNTHETIC_NOTICE, fg="yellow"))
    say("sought: " + ", ".join(header["objectives"]) + _under(header["constraints"]))
    say()
    if board.ranked:
        say(trial_table(board.ranked, board))
        say()
    say(f"study  {folder}")


def _period(header: Mapping[str, Any]) -> Sequence[str]:
    """Return the first and last session that all trials ran over; of the data where a study has none."""
    data = header["data"]
    period: Sequence[str] = header.get("period", (data["first_day"], data["last_day"]))
    return period


def _under(constraints: Sequence[str]) -> str:
    return f" where {' and '.join(constraints)}" if constraints else ""


def trial_table(trials: Sequence[Trial], board: Board) -> str:
    """Return trials as a table: number, parameters, objectives, constrained metrics, a few others."""
    goal = board.goal
    names = list(trials[0].parameters)
    constrained = sorted({name for each in goal.constraints for name in each.names})
    metrics = list(dict.fromkeys([*(each.metric for each in goal.objectives), *constrained, *ALSO_SHOWN]))
    metrics = [name for name in metrics if any(name in trial.outcome.metrics for trial in trials)]
    rows = []
    for trial in trials:
        row = [str(trial.number), *(_word(trial.parameters[name]) for name in names)]
        row += [_shown(name, trial.outcome.metrics.get(name)) for name in metrics]
        row += ["" if goal.feasible(trial.outcome) else "misses"] if goal.constraints else []
        row += ["front" if trial in board.front else ""] if len(goal.objectives) > 1 else []
        rows.append(row)
    header = ["trial", *names, *metrics]
    header += ["constraints"] if goal.constraints else []
    header += ["Pareto"] if len(goal.objectives) > 1 else []
    return table(rows, header, left=0)


def print_estimate(
    space: Space, fields: Sequence[Parameter], plan: Plan, sets: int, seconds: float | None, *, as_json: bool
) -> None:
    """Print the space as it was understood, how many sets it has, and what searching it would take."""
    defaults = {field.name: field.default for field in fields}
    memory = peak_memory()
    if as_json:
        print_json(
            {
                "method": plan.method,
                "space": [
                    {
                        "name": each.name,
                        "values": str(each).partition("=")[2],
                        "count": each.count,
                        "default": defaults[each.name],
                    }
                    for each in space.dimensions
                ],
                "where": [str(each) for each in space.conditions],
                "counts": {"sets": space.size, "exact": space.exact, "trials": sets},
                "seconds": seconds,
                "memory_bytes": memory,
            }
        )
        return
    rows = [
        (
            each.name,
            str(each).partition("=")[2],
            "any number" if each.count is None else count(each.count),
            _word(defaults[each.name]),
        )
        for each in space.dimensions
    ]
    say(table(rows, ("parameter", "values", "count", "default"), left=2))
    say()
    for condition in space.conditions:
        say(f"where   {condition}")
    beyond = "" if space.exact or space.size is None else " before conditions"
    say(f"sets    {'without end' if space.size is None else count(space.size)}{beyond}")
    say(f"trials  {count(sets)} by {plan.method}")
    say(f"time    {NOT_AVAILABLE if seconds is None else duration(seconds)}, from a sample")
    say(f"memory  {NOT_AVAILABLE if memory is None else f'{memory / 1e6:,.0f} MB'}, whatever their number")


def peak_memory() -> int | None:
    """Return the most memory that this process has held, in bytes; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def bar_text(state: State, total: int | None, goal: Goal) -> str:
    """Return what stands behind the progress bar: rate, best so far, remaining time."""
    words = [f"{state.rate:,.0f}/s"] if state.evaluated else []
    values = goal.values(state.best.outcome) if state.best is not None else None
    if values is not None:
        words.append(f"best {_shown(goal.objectives[0].metric, values[0])}")
    if total is not None and state.rate > 0:
        words.append(f"{duration((total - state.done) / state.rate)} left,")
    return " ".join(words)


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * MINUTE * MINUTE:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / MINUTE / MINUTE:.1f} h"


def warn_of_study(app: App, board: Board, plan: Plan, space: Space) -> None:
    """Warn of trials that failed, of constraints that none meets, of a search that ended early."""
    if board.first_failure is not None:
        first = board.first_failure
        words = ", ".join(f"{name}={_word(value)}" for name, value in first.parameters.items())
        reason = " ".join((first.outcome.failure or "").split())
        warn(app, f"{board.failures} of {board.trials} trials failed, the first: {words}: {reason}")
    if not board.feasible and board.failures < board.trials:
        warn(app, "no trial has all objectives and meets all constraints")
    if plan.trials is not None and board.trials < plan.trials:
        last = space.exact and board.trials == space.size
        why = "the space has no more sets" if last else f"{plan.method} proposes no further sets"
        warn(app, f"the search ended after {count(board.trials, 'trial')}: {why}")


def listed_studies(app: App, out: Path) -> Iterator[dict[str, Any]]:
    """Yield the studies under ``out`` as rows of ``runs list``: with the metrics of the best trial."""
    from engine.tuning.study import board_of, read_header, studies_in

    for folder in studies_in(out):
        try:
            header = read_header(folder)
            if header is None:
                continue
            board = board_of(folder, header, 1)
        except DataError as error:
            warn(app, str(error))
            continue
        best = board.best.outcome.metrics if board.best is not None else {}
        yield {
            "run_id": folder.name,
            "kind": "study",
            "folder": str(folder),
            "strategy": header["strategy"],
            "data": header["data"]["name"],
            "synthetic": header["data"]["synthetic"],
            "trials": board.trials,
            **{name: best.get(name) for name in ("annual_return", "sharpe_ratio", "max_drawdown")},
        }


def show_study(folder: Path, *, as_json: bool, rows: int = 10) -> None:
    """Print a study as ``tune`` does when it has finished."""
    from engine.tuning.study import board_of, read_header

    header = read_header(folder)
    if header is None:
        raise DataError(f"the study in {folder} has no header", hint="Begin it again with tune --resume.")
    board = board_of(folder, header, rows)
    if as_json:
        print_json({**study_document(folder, header, board, None), "spec": header["spec"]})
    else:
        print_study(folder, header, board)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _shown(name: str, value: float | None) -> str:
    from engine.metrics import ALTERNATIVES, LABELS

    plain = name
    for prefix in ALTERNATIVES:
        plain = plain.removeprefix(prefix)
    unit = LABELS.get(plain, ("", "ratio"))[1]
    if unit.startswith("percent"):
        return percent(value)
    return money(value) if unit == "money" else ratio(value, 4)
