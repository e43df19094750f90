"""What a page says of a run at its head and in its summary, and how to make the run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from data.words import count, number, percent
from engine.metrics import Metrics
from engine.metrics.declared import METRICS, alternatives_to, in_group
from engine.metrics.intervals import CONFIDENCE, Interval
from engine.metrics.metric import TITLES, Group, Metric, Unit, is_percent
from engine.report.html import Safe, join, table, tag, unbroken
from engine.result import Result

Days = NDArray[np.datetime64]

SHOWN_WARNINGS = 3  # warnings about the data shown before the rest is folded away
REPEATED = 0.002  # annual returns by sessions and by calendar that differ by more are both shown

CARDS = ("cum_returns_final", "annual_return", "sharpe_ratio", "max_drawdown", "turnover", "cost_share")
BELOW: tuple[Group, ...] = ("shape", "benchmark", "trading")  # tables of the run alone


def in_unit(value: float | None, unit: Unit) -> str:
    """Return the value of a metric as the number that its unit asks for, without the unit."""
    if is_percent(unit):
        return number(None if value is None else value * 100.0)
    return number(value, 0 if unit in ("money", "count") else 2)


def unit_name(unit: Unit, money: str) -> str:
    """Return the unit of a metric for people."""
    return {
        "percent": "%",
        "percent a year": "% a year",
        "ratio": "",
        "times a year": "times a year",
        "money": money,
        "count": "",
    }[unit]


def over(days: Days) -> tuple[str, str]:
    """Return the period of some sessions and their number, as the line below a title begins."""
    return f"{days[0]} to {days[-1]}", count(len(days), "session")


def facts(result: Result) -> list[str]:
    """Return what was run on what, as the facts of the line below the title."""
    manifest = result.manifest
    known = [
        *over(result.days),
        count(len(result.symbols), "fund"),
        result.scored_remark,
        f"benchmark {result.benchmark}",
        f"run {result.name}" if result.name != manifest["strategy"] else "",
        f"data {manifest['data'].get('name', 'unnamed')}",
    ]
    return [each for each in known if each]


def data_warnings(said: Sequence[str]) -> Safe:
    """Return what there is to know of the data before a page is believed; nothing where there is nothing."""
    if not said:
        return Safe("")
    shown, rest = said[:SHOWN_WARNINGS], said[SHOWN_WARNINGS:]
    parts = [tag("ul", *(tag("li", unbroken(text)) for text in shown))]
    if rest:
        parts.append(
            tag(
                "details",
                tag("summary", count(len(rest), "more warning")),
                tag("ul", *(tag("li", unbroken(text)) for text in rest)),
            )
        )
    title = count(len(said), "warning") + " about the data"
    return tag("div", tag("b", title), *parts, class_="caution", role="note")


def not_available(why: Iterable[tuple[str, str | None]], unit: str = "") -> Safe:
    """Return why numbers are not there, each reason once with the names that it holds for; nothing for none.

    ``why`` is (name, reason), the reason None where there is a number; ``unit`` follows the names.
    """
    found: dict[str, dict[str, None]] = {}
    for name, reason in why:
        if reason is not None:
            found.setdefault(reason, {})[name] = None
    said = (f"{reason} ({', '.join(names)}{unit})" for reason, names in found.items())
    return tag("p", f"Not available: {'; '.join(said)}.", class_="note") if found else Safe("")


def cards(result: Result, metrics: Metrics, intervals: Mapping[str, Interval | None]) -> Safe:
    """Return the headline numbers, with those of the benchmark and of equal weight below.

    ``intervals`` are those of metrics by name, None where one is not known.
    """
    made = []
    for name in CARDS:
        metric = METRICS[name]
        label = (metric.short or metric.label) + (f", {result.currency}" if metric.unit == "money" else "")
        others = [
            tag("small", tag("i", word.lower()), _on_card(metrics[prefix + name], metric.unit))
            for prefix, word in alternatives_to(result).items()
            if metrics.values.get(prefix + name) is not None
        ]
        interval = intervals.get(name)
        if interval is not None:
            low, high = (_on_card(end, metric.unit) for end in interval)
            others.insert(0, tag("small", tag("i", f"{CONFIDENCE:.0%} CI"), f"{low} to {high}"))
        value = tag("b", _on_card(metrics[name], metric.unit))
        made.append(tag("div", tag("span", label), value, *others, class_="card"))
    return tag("div", *made, class_="cards")


def _on_card(value: float | None, unit: Unit) -> str:
    """Return a value with its sign, where the unit has one."""
    if is_percent(unit):
        return percent(value)
    return in_unit(value, unit) + (" ×" if unit == "times a year" and value is not None else "")


def summary(result: Result, metrics: Metrics) -> Safe:
    """Return the tables of all metrics, why some are missing, and what to know about annual figures."""
    money, beside = result.currency, alternatives_to(result)

    def rows(shown: Iterable[Metric], prefixes: Iterable[str]) -> list[tuple[str, ...]]:
        return [
            (
                each.label,
                unit_name(each.unit, money),
                *(in_unit(metrics[prefix + each.name], each.unit) for prefix in prefixes),
            )
            for each in shown
        ]

    compared = table(
        (TITLES["alternatives"], "Unit", "Run", *beside.values()),
        rows(in_group("alternatives"), ("", *beside)),
        text_columns=2,
    )
    others = [
        tag(
            "div",
            table((TITLES[group], "Unit", "Run"), rows(_shown(group, metrics), ("",)), text_columns=2),
        )
        for group in BELOW
    ]
    notes = [
        f"{count(len(result.days), 'session')}, annualised on {result.sessions_per_year:g} sessions a year, "
        "the exchange's real count. Net of all costs; the risk-free rate is zero."
    ]
    if len(result.days) < result.sessions_per_year / 4:
        notes.append("The run is shorter than three months: its annual figures are extrapolations.")
    why: dict[str, list[str]] = {}
    for name, reason in metrics.reasons.items():
        if name in METRICS:
            why.setdefault(reason, []).append(METRICS[name].label)
    if why:
        told = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in why.items())
        notes.append(f"Not available: {told}.")
    return join(
        compared, tag("div", *others, class_="columns"), *(tag("p", note, class_="note") for note in notes)
    )


def _shown(group: Group, metrics: Metrics) -> list[Metric]:
    """Return the metrics of a group, and first those that repeat another one with another number."""

    def differs(each: Metric) -> bool:
        one, other = metrics[each.name], metrics[each.repeats]
        return one is not None and other is not None and abs(one - other) > REPEATED

    again = [each for each in METRICS.values() if each.group == group and each.repeats and differs(each)]
    return again + in_group(group)


def reproduction(result: Result) -> Safe:
    """Return how somebody else gets the same numbers."""
    manifest = result.manifest
    versions = manifest.get("versions", {})
    rows = [
        ("Command", tag("td", tag("code", f"etflow runs reproduce {result.name}"), class_="text")),
        (
            "Data",
            f"{manifest['data'].get('name', 'unnamed')}, fingerprint {manifest['data'].get('fingerprint')}",
        ),
    ]
    if versions:
        rows.append(("Versions", ", ".join(f"{name} {version}" for name, version in versions.items())))
    note = tag(
        "p",
        "It runs the manifest of the results folder again, on the same data, and compares every file. The "
        "numbers of this page are in that folder as CSV and JSON.",
        class_="note",
    )
    return join(table(("", ""), rows, text_columns=2, class_="wrap"), note)
