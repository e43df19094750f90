"""Studies as people see them: the space, the ranked table, the bar."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.synthetic import SYNTHETIC_NOTICE
from data.words import NOT_AVAILABLE, count, number, percent
from engine.cli.app import App
from engine.cli.output import money, paint, print_json, say, table, warn

if TYPE_CHECKING:
    from engine import Goal, Leaderboard, Order, Search, SearchTime, State, Study, Trial

# Beside objectives and constraints, where a study has them.
ALSO_SHOWN = ("sharpe_ratio", "annual_return", "max_drawdown")
MINUTE = 60


def print_study(folder: Path, header: Mapping[str, Any], leaderboard: Leaderboard) -> None:
    """Print what was searched, on which data, what came out, and the ranked table."""
    from engine import holdout_text

    data = header["data"]
    say(paint(f"{header['study_id']} on {data['name']}", bold=True))
    say(
        f"{' to '.join(_period(header))}: {count(leaderboard.trials, 'trial')} by {header['method']}, "
        f"{count(leaderboard.failures, 'failure')}, {count(leaderboard.feasible)} feasible"
    )
    if data["synthetic"]:
        say(paint(SYNTHETIC_NOTICE, fg="yellow"))
    over = f", the {header['phases']} over the phases of each set" if "phases" in header else ""
    say("sought: " + ", ".join(header["objectives"]) + _under(header["constraints"]) + over)
    say()
    if leaderboard.ranked:
        say(trial_table(leaderboard.ranked, leaderboard))
        say()
    say(f"study  {folder}")
    if kept := holdout_text(folder, header):
        say(f"kept   {kept}")


def _period(header: Mapping[str, Any]) -> Sequence[str]:
    """Return the first and last session that all trials ran over; of the data where a study has none."""
    data = header["data"]
    period: Sequence[str] = header.get("period") or (data["first_day"], data["last_day"])
    return period


def _under(constraints: Sequence[str]) -> str:
    return f" where {' and '.join(constraints)}" if constraints else ""


def trial_table(trials: Sequence[Trial], leaderboard: Leaderboard) -> str:
    """Return trials as a table: number, parameters, objectives, constrained metrics, a few others."""
    goal = leaderboard.goal
    names = list(trials[0].parameters)
    metrics = list(dict.fromkeys([*goal.metrics, *ALSO_SHOWN]))
    metrics = [name for name in metrics if any(name in trial.outcome.metrics for trial in trials)]
    rows = []
    for trial in trials:
        row = [str(trial.number), *(_word(trial.parameters[name]) for name in names)]
        row += [_shown(name, trial.outcome.metrics.get(name)) for name in metrics]
        row += ["" if goal.feasible(trial.outcome) else "misses"] if goal.constraints else []
        row += ["front" if trial in leaderboard.front else ""] if len(goal.objectives) > 1 else []
        rows.append(row)
    header = ["trial", *names, *metrics]
    header += ["constraints"] if goal.constraints else []
    header += ["Pareto"] if len(goal.objectives) > 1 else []
    return table(rows, header, left=0)


def borne_text(search: Search, on_record: int) -> str:
    """Return how many sets the history bears, and how many are on record."""
    years, borne = search.borne
    beyond = "; beyond, nothing is supported" if on_record > borne else ""
    return f"{count(on_record)} on record; {years:.2f} years of history bear {count(borne)} (MinBTL){beyond}"


def print_estimate(order: Order, search: Search, found: SearchTime | None, *, as_json: bool) -> None:
    """Print the space as it was understood, how many sets it has, and what searching it would take."""
    space, plan, sets = order.space, order.plan, order.sets or 0
    defaults = {field.name: field.default for field in order.fields}
    memory = peak_memory()
    if memory is not None and found is not None:
        memory += found.memory
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
                "counts": {
                    "sets": space.size,
                    "exact": space.exact,
                    "trials": sets,
                    "on_record": search.on_record,
                    "history_bears": search.borne[1],
                },
                "seconds": None if found is None else found.seconds,
                "seconds_of_search": None if found is None else found.search,
                "seconds_of_judgement": None if found is None else found.judgement,
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
    say(f"record  {borne_text(search, search.on_record)}")
    say(f"time    {NOT_AVAILABLE if found is None else time_text(found)}")
    say(f"memory  {NOT_AVAILABLE if memory is None else f'{memory / 1e6:,.0f} MB'}")


def time_text(found: SearchTime) -> str:
    """Return in words how long a search would take, and of what that is made."""
    if found.judgement is None:
        return f"{duration(found.search)} without a judgement, from a small trial"
    parts = f"{duration(found.search)} to search, {duration(found.judgement)} to judge"
    return f"{duration(found.seconds)}: {parts}, from a small trial of both"


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


def warn_of_study(app: App, leaderboard: Leaderboard, order: Order, study: Study) -> None:
    """Warn of trials that failed or came to the same, and of a search that ended early."""
    space, plan = order.space, order.plan
    if space.size == 1 and space.exact:
        warn(app, "the space has one set: nothing is chosen; give --param several values to search among")
    if leaderboard.first_failure is not None:
        first = leaderboard.first_failure
        words = ", ".join(f"{name}={_word(value)}" for name, value in first.parameters.items())
        reason = " ".join((first.outcome.failure or "").split())
        warn(
            app, f"{leaderboard.failures} of {leaderboard.trials} trials failed, the first: {words}: {reason}"
        )
    if study.alike:
        warn(app, study.alike)
    if plan.trials is not None and leaderboard.trials < plan.trials:
        last = space.exact and leaderboard.trials == space.size
        why = "the space has no more sets" if last else f"{plan.method} proposes no further sets"
        warn(app, f"the search ended after {count(leaderboard.trials, 'trial')}: {why}")


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _shown(name: str, value: float | None) -> str:
    from engine import is_percent, unit_of

    unit = unit_of(name)
    if is_percent(unit):
        return percent(value)
    return money(value) if unit == "money" else number(value, 4)
