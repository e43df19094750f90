"""Results as people see them: what was run, and the table of its metrics."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from data.synthetic import SYNTHETIC_NOTICE, marked
from data.words import NOT_AVAILABLE, count, number, percent
from engine.cli.app import App
from engine.cli.output import paint, say, sparkline, table

EQUITY = "equity      "
LEAST_BARS, MOST_BARS = 8, 60
DIGITS, MOST_DIGITS = 2, 17  # after the point: at most what tells any two floats near one apart

if TYPE_CHECKING:
    from engine import Comparison, Result, Run, RunDifference, Unit


def run_heading(result: Result) -> str:
    """Return what was run, on which data, over which days, and what happened: two or three lines."""
    happened = (
        count(len(result.symbols), "fund"),
        result.scored_remark,
        count(len(result.decision_days), "decision"),
        count(len(result.fills), "fill"),
        count(len(result.rejections), "rejection"),
    )
    return _heading(result.name, {result.name: result}, ", ".join(filter(None, happened)))


def comparison_heading(compared: Comparison) -> str:
    """Return how many runs are compared, on which data, over which days, against which benchmarks."""
    results = compared.together
    funds = {len(result.symbols) for result in results.values()}
    rest = f"{min(funds)} to {max(funds)} funds" if len(funds) > 1 else count(min(funds), "fund")
    return _heading(count(len(results), "run"), results, rest + (" in common" if compared.differ else ""))


def _heading(title: str, results: Mapping[str, Result], rest: str) -> str:
    """Return the lines above a table of ``results`` by name, of the sessions of the first."""
    result, *_ = results.values()
    data = ", ".join(dict.fromkeys(str(each.manifest["data"]["name"]) for each in results.values()))
    lines = [
        paint(f"{title} on {data}", bold=True),
        f"{result.days[0]} to {result.days[-1]}: {count(len(result.days), 'session')}, {rest}",
    ]
    if any(each.synthetic for each in results.values()):
        lines.append(paint(SYNTHETIC_NOTICE, fg="yellow"))
    lines += [result.account_remark] if result.account_remark else []
    benchmarks = {name: each.benchmark for name, each in results.items()}
    if len(set(benchmarks.values())) == 1:
        lines.append(f"benchmark: {result.benchmark}")
    else:
        lines += [f"benchmark of {name}: {benchmark}" for name, benchmark in benchmarks.items()]
    remarks = dict.fromkeys(each.benchmark_remark for each in results.values())
    lines += [paint(remark, fg="yellow") for remark in remarks if remark]
    return "\n".join(lines)


def print_result(app: App, run: Run) -> None:
    """Print what was run and its metrics; with ``-v`` also why some of them are undefined."""
    from engine import label_of

    say(run_heading(run))
    say()
    say(metric_table([(str(run.manifest["strategy"]), run)]))
    say()
    say(equity_line(run))
    if app.verbose:
        for name, why in run.metrics.reasons.items():
            say(f"{label_of(name)}: {why}")


def equity_line(run: Run) -> str:
    """Return equity over time in one line of the terminal: bars, then its first and its last value."""
    ends = f"{number(run.initial_cash, 0)} to {number(run.equity[-1], 0)} {run.currency}"
    room = shutil.get_terminal_size().columns - len(EQUITY) - len(ends) - 2
    bars = (
        sparkline([run.initial_cash, *run.equity.tolist()], min(room, MOST_BARS))
        if room >= LEAST_BARS
        else ""
    )
    return f"{EQUITY}{bars}  {ends}" if bars else f"{EQUITY}{ends}"


def metric_table(columns: Sequence[tuple[str, Run]]) -> str:
    """Return the metrics of some runs side by side, then what they are held against, with their units.

    ``columns`` are heading and run.
    """
    from engine import OF_RUN, alternatives_of

    _, first = columns[0]
    alternatives = alternatives_of([run for _, run in columns], [heading for heading, _ in columns])
    rows = []
    for name, each in OF_RUN.items():
        shown = [_shown(run.metrics[name], each.unit) for _, run in columns]
        others = (columns[place][1].metrics.values.get(prefix + name) for _, place, prefix in alternatives)
        beside = [_shown(value, each.unit, absent="") for value in others]
        rows.append((each.label, *shown, *beside, _unit(each.unit, first.currency)))
    header = ("", *(heading for heading, _ in columns), *(title for title, _, _ in alternatives), "  unit")
    return table(rows, header, left_too=(len(header) - 1,))


def difference_table(found: RunDifference) -> str:
    """Return the metrics in which two runs differ, as ``runs show`` calls them, with their units."""
    from engine import label_of, unit_of

    currency = " or ".join(dict.fromkeys(found.currencies))
    rows = [
        (label_of(name), *_apart(values, unit_of(name)), _unit(unit_of(name), currency))
        for name, *values in found.metrics_once
    ]
    return table(rows, ("", *found.names, "  unit"), left_too=(3,))


def alone_table(results: Mapping[str, Run]) -> str:
    """Return what each run made over its own period, which does not compare with that of another."""
    from engine import ALTERNATIVES, label_of, unit_of

    prefix = next(iter(ALTERNATIVES))
    names = [name.removeprefix(prefix) for name in _first(results).metrics.values if name.startswith(prefix)]
    rows = [
        ("First session", *(str(run.days[0]) for run in results.values()), ""),
        ("Last session", *(str(run.days[-1]) for run in results.values()), ""),
        *(
            (
                label_of(name),
                *(_shown(run.metrics[name], unit_of(name)) for run in results.values()),
                _unit(unit_of(name), _first(results).currency),
            )
            for name in names
        ),
    ]
    header = ("Over its own period, standing alone", *results, "  unit")
    return table(rows, header, left_too=(len(header) - 1,))


def runs_table(found: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> str:
    """Return a list of runs as a table: parameters and settings, over which days, and these metrics."""
    from engine import OF_RUN, unit_of

    labels = (OF_RUN[name].short or OF_RUN[name].label for name in metrics)
    header = ("run", "data", "set", "first", "last", *labels)
    rows = [
        (
            each["run_id"],
            marked(each["data"], each["synthetic"]),
            " ".join(f"{name}={value}" for name, value in {**each["set"], **each["settings"]}.items()),
            str(each["first_day"] or ""),
            str(each["last_day"] or ""),
            *(_with_percent(each[name], unit_of(name)) for name in metrics),
        )
        for each in found
    ]
    return table(rows, header, left=5)


def _with_percent(value: float | None, unit: Unit) -> str:
    from engine import is_percent

    return percent(value) if is_percent(unit) else _shown(value, unit)


def _first(results: Mapping[str, Run]) -> Run:
    return next(iter(results.values()))


def _apart(values: Sequence[Any], unit: Unit) -> tuple[str, ...]:
    """Return two values that differ with as many digits as tell them apart, at least two."""
    shown: tuple[str, ...] = ()
    for digits in range(DIGITS, MOST_DIGITS + 1):
        shown = tuple(each if isinstance(each, str) else _shown(each, unit, digits=digits) for each in values)
        if len(set(shown)) > 1:
            break
    return shown


def _shown(value: float | None, unit: Unit, absent: str = NOT_AVAILABLE, *, digits: int = DIGITS) -> str:
    from engine import is_percent

    if value is None:
        return absent
    return number(value * 100 if is_percent(unit) else value, digits)


def _unit(unit: Unit, currency: str) -> str:
    words = {"ratio": "", "money": currency}
    return "  " + words.get(unit, unit.replace("percent", "%"))
