"""Results as people see them: what was run, and the table of its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.synthetic import SYNTHETIC_NOTICE
from data.words import NOT_AVAILABLE, count, number
from engine.cli.app import App
from engine.cli.output import money, paint, percent, say, table

if TYPE_CHECKING:
    from engine import Result, Run, Unit


def run_heading(result: Result) -> str:
    """Return what was run, on which data, over which days, and what happened: two or three lines."""
    happened = (
        f"{count(len(result.symbols), 'fund')}, {count(len(result.decision_days), 'decision')}, "
        f"{count(len(result.fills), 'fill')}, {count(len(result.rejections), 'rejection')}"
    )
    return _heading(result.name, result, happened)


def comparison_heading(results: Sequence[Result]) -> str:
    """Return how many runs are compared, on which data, over which days."""
    return _heading(count(len(results), "run"), results[0], count(len(results[0].symbols), "fund"))


def _heading(title: str, result: Result, rest: str) -> str:
    lines = [
        paint(f"{title} on {result.manifest['data']['name']}", bold=True),
        f"{result.days[0]} to {result.days[-1]}: {count(len(result.days), 'session')}, {rest}",
        f"benchmark: {result.benchmark}",
    ]
    if result.benchmark_remark:
        lines.append(paint(result.benchmark_remark, fg="yellow"))
    if result.synthetic:
        lines.append(paint(SYNTHETIC_NOTICE, fg="yellow"))
    return "\n".join(lines)


def print_result(app: App, run: Run) -> None:
    """Print what was run and its metrics; with ``-v`` also why some of them are undefined."""
    from engine import label_of

    say(run_heading(run))
    say()
    say(metric_table([(str(run.manifest["strategy"]), run)]))
    if app.verbose:
        for name, why in run.metrics.reasons.items():
            say(f"{label_of(name)}: {why}")


def metric_table(columns: Sequence[tuple[str, Run]]) -> str:
    """Return the metrics of some runs side by side, then benchmark and equal weight, with their units.

    ``columns`` are heading and run. The alternatives are those of the first run.
    """
    from engine import ALTERNATIVES, OF_RUN

    _, first = columns[0]
    rows = []
    for name, each in OF_RUN.items():
        shown = [_shown(run.metrics[name], each.unit) for _, run in columns]
        others = (first.metrics.values.get(prefix + name) for prefix in ALTERNATIVES)
        beside = [_shown(value, each.unit, absent="") for value in others]
        rows.append((each.label, *shown, *beside, _unit(each.unit, first)))
    header = ("", *(heading for heading, _ in columns), *ALTERNATIVES.values(), "  unit")
    return table(rows, header, left_too=(len(header) - 1,))


def currency_of(symbols: Sequence[str]) -> str:
    """Return the currency that the funds trade in."""
    from data.facts.symbols import market_of

    return "USD" if all(market_of(symbol) == "us_etf" for symbol in symbols) else "CNY"


def _shown(value: float | None, unit: Unit, absent: str = NOT_AVAILABLE) -> str:
    from engine import is_percent

    if value is None:
        return absent
    if is_percent(unit):
        return percent(value).removesuffix(" %")
    return money(value) if unit == "money" else number(value)


def _unit(unit: Unit, result: Result) -> str:
    words = {"ratio": "", "money": currency_of(result.symbols)}
    return "  " + words.get(unit, unit.replace("percent", "%"))
