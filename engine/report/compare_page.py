"""The comparison of several runs: one HTML file that needs nothing else.

Order: growth and drawdowns overlaid; table of metrics with benchmark and equal weight; significance of the
differences, where it was computed (``engine.report.significance_section``); correlations of returns; overlap
of weights; where the runs differ in what they assume. Everything is of the sessions that all runs have. Where
their periods differ, a table of its own has what each made over its own, which stands alone; where they have
no session in common, that is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.words import count, number
from engine.comparisons.common import (
    AT_NO_COST,
    Common,
    alternatives_of,
    begin_within,
    common_of,
    correlation,
    differ,
    overlap,
    together,
)
from engine.metrics import Metrics, compute_metrics
from engine.metrics.declared import METRICS
from engine.report import charts, html, sections, statements
from engine.report.assumptions import settings
from engine.report.charts import Chart, Panel, Series
from engine.report.html import Safe, join, section, shaded, table, tag
from engine.report.significance_section import significance_section
from engine.result import Floats, Result
from engine.results.curves import drawdown, growth
from engine.results.settings import note_on

if TYPE_CHECKING:
    from engine.comparisons.significance import Significance

# Colours of runs: those of the benchmark and of equal weight are none of them.
RUNS = ("s1", "s3", "s4", "s5", "s6", "s7")


def write_comparison(
    results: Sequence[Result],
    metrics: Sequence[Metrics],
    path: Path,
    significance: Significance | None = None,
    data_warnings: Sequence[str] = (),
) -> None:
    """Write the comparison of results to ``path``, whole or not at all.

    ``metrics`` has those of each result, over its own sessions, in the same order; without ``significance``
    the page says nothing of it; ``data_warnings`` stand first. OSError if the file cannot be written.
    """
    names = _names(results)
    common = common_of(results, names)
    html.write(path, _page(results, metrics, names, common, significance, data_warnings))


def _names(results: Sequence[Result]) -> list[str]:
    """Strategies, or run ids where two runs are of one strategy; numbered where these are equal too."""
    strategies = [str(result.manifest["strategy"]) for result in results]
    names = strategies if len(set(strategies)) == len(results) else [result.name for result in results]
    return [
        f"{name} ({number})" if names.count(name) > 1 else name for number, name in enumerate(names, start=1)
    ]


def _page(
    results: Sequence[Result],
    metrics: Sequence[Metrics],
    names: Sequence[str],
    common: Common,
    significance: Significance | None,
    data_warnings: Sequence[str],
) -> str:
    made_up = [name for name, result in zip(names, results, strict=True) if result.synthetic]
    who = "all runs are on" if len(made_up) == len(names) else f"{', '.join(made_up)} ran on"
    parts = []
    drawn = [_curves(common)] if len(common.days) > 1 else []
    for chart in drawn:
        figure = charts.figure(chart, synthetic=bool(made_up))
        parts.append(("growth", "Growth", section("Growth and drawdown", figure, id_="growth")))
    if len(common.days):
        both = together(results)
        of_both = metrics if not differ(results) else [compute_metrics(result) for result in both]
        table_of_both = _metrics_table(both, of_both, names)
        lead = " ".join(filter(None, (_benchmarks(results, names), begin_within(results, names))))
        parts.append(("metrics", "Metrics", section("Metrics", table_of_both, id_="metrics", lead=lead)))
    if differ(results):
        parts.append(
            (
                "alone",
                "Own periods",
                section(
                    "Each run over its own period",
                    _alone_table(results, metrics, names),
                    id_="alone",
                    lead="These numbers stand alone: they are of different sessions, and do not compare.",
                ),
            )
        )
    if significance is not None:
        parts.append(("significance", "Significance", significance_section(significance, names)))
    if len(common.days) > 1:
        parts += [
            (
                "correlations",
                "Correlations",
                section(
                    "Correlations of returns",
                    _matrix(common.returns, correlation),
                    id_="correlations",
                    lead="Pearson's, of returns by session; sessions where one is unknown are left out.",
                ),
            ),
            (
                "overlap",
                "Overlap",
                section(
                    "Overlap of weights",
                    _matrix(common.weights, overlap),
                    id_="overlap",
                    lead="Share of equity that two runs have in the same place, a fund or cash, mean over "
                    "sessions: 1 is the same portfolio throughout, 0 is never anything in common.",
                ),
            ),
        ]
    parts.append(
        (
            "assumptions",
            "Differences",
            section("Where the runs differ", _differences(results, names), id_="assumptions"),
        )
    )
    word, said = statements.of_comparison(significance, names, results[0].benchmark)
    header = html.heading(
        "Comparison",
        "Comparison of " + ", ".join(names),
        _about(results, common),
        sections.data_warnings(data_warnings),
        word=word,
        said=said,
    )
    banner = html.made_up(f"{who} a made-up market") if made_up else None
    scripts = charts.scripts(drawn, synthetic=bool(made_up))
    return html.page("Comparison of " + ", ".join(names), header, parts, banner=banner, scripts=scripts)


def _about(results: Sequence[Result], common: Common) -> Safe:
    data = " and ".join(dict.fromkeys(str(result.manifest["data"].get("name")) for result in results))
    if not len(common.days):
        said = "The runs have no session in common: what each made over its own period does not compare."
        return join(html.subtitle(f"data {data}"), tag("p", said, class_="note"))
    period, sessions = sections.over(common.days)
    same = not differ(results)
    funds = sorted({len(result.symbols) for result in results})
    about = html.subtitle(
        period,
        sessions if same else f"{sessions} in common",
        f"{funds[0]} to {count(funds[-1], 'fund')}" if len(funds) > 1 else count(funds[0], "fund"),
        f"data {data}",
    )
    said = "The runs cover different periods: everything is of the common one, but for what stands alone."
    return about if same else join(about, tag("p", said, class_="note"))


def _benchmarks(results: Sequence[Result], names: Sequence[str]) -> str:
    """Return in words what each run is held against."""
    said = [result.benchmark for result in results]
    if len(set(said)) == 1:
        return f"Benchmark: {said[0]}. Equal weight is at no cost."
    each = "; ".join(f"{name}: {benchmark}" for name, benchmark in zip(names, said, strict=True))
    return f"Benchmarks, each run against its own: {each}. Equal weight is at no cost."


def _alone_table(results: Sequence[Result], metrics: Sequence[Metrics], names: Sequence[str]) -> Safe:
    """Return what each run made over its own period."""
    rows: list[tuple[object, ...]] = [
        ("First session", "", *(result.days[0] for result in results)),
        ("Last session", "", *(result.days[-1] for result in results)),
        ("Benchmark", "", *(result.benchmark for result in results)),
    ]
    for each in METRICS.values():
        if each.group == "alternatives":
            shown = (sections.in_unit(of_run[each.name], each.unit) for of_run in metrics)
            rows.append((each.label, sections.unit_name(each.unit, ""), *shown))
    return table(("", "Unit", *names), rows, text_columns=2, class_="compact")


def _metrics_table(results: Sequence[Result], metrics: Sequence[Metrics], names: Sequence[str]) -> Safe:
    """Return one column a run, then what they are held against."""
    money = results[0].currency
    alternatives = [
        (title, metrics[place], prefix)
        for title, place, prefix in alternatives_of(results, names)
        if metrics[place].values.get(prefix + "cum_returns_final") is not None
    ]
    rows: list[tuple[object, ...]] = [
        ("First session", "", *(result.days[0] for result in results), *[""] * len(alternatives)),
        ("Last session", "", *(result.days[-1] for result in results), *[""] * len(alternatives)),
    ]
    for name, each in METRICS.items():
        if each.repeats:
            continue
        values = (
            [each.function(result) for result in results]
            if each.group == "counts"
            else [of_run[name] for of_run in metrics]
        )
        others = (
            sections.in_unit(of_run[prefix + name], each.unit) if each.group == "alternatives" else ""
            for _, of_run, prefix in alternatives
        )
        ours = (sections.in_unit(value, each.unit) for value in values)
        rows.append((each.label, sections.unit_name(each.unit, money), *ours, *others))
    return table(
        ("", "Unit", *names, *(title for title, _, _ in alternatives)), rows, text_columns=2, class_="compact"
    )


def _curves(common: Common) -> Chart:
    colours = {"benchmark": "benchmark", AT_NO_COST: "equal"}
    runs = [name for name in common.returns if name not in colours]
    for index, name in enumerate(runs):
        colours[name] = RUNS[index % len(RUNS)]
    curves = {name: growth(returns) for name, returns in common.returns.items()}
    above = [
        Series(f"{name}  {curve[-1] - 1.0:+.1%}", "line", colours[name], curve)
        for name, curve in curves.items()
    ]
    below = [
        Series(name, "line", colours[name], drawdown(common.returns[name]))
        for name in runs
        if name in common.weights
    ]
    return Chart(
        "comparison",
        "Growth and drawdown of the runs",
        "Runs are net of all costs. All start at one before the first common session.",
        common.days,
        (
            Panel("Growth of one unit of money", tuple(above), "number", 280, log=True),
            Panel("Drawdown", tuple(below), height=130),
        ),
        wide=True,
        zoom=True,
    )


def _matrix(series: Mapping[str, Floats], measure: Callable[[Floats, Floats], float]) -> Safe:
    """Return a heat map of a measure of each pair."""
    rows = [
        (
            name,
            *(
                shaded(value, number(value), full=1.0, scale="plain")
                for value in (measure(one, other) for other in series.values())
            ),
        )
        for name, one in series.items()
    ]
    return table(("", *series), rows, class_="heat")


def _differences(results: Sequence[Result], names: Sequence[str]) -> Safe:
    """Return the settings that are not the same in all runs."""
    of_runs = [dict(settings(result)) for result in results]
    found = dict.fromkeys(key for of_run in of_runs for key in of_run)
    groups = list(dict.fromkeys(key.partition(".")[0] for key in found))
    keys = sorted(found, key=lambda key: groups.index(key.partition(".")[0]))
    rows = [
        (_setting(key), *(of_run.get(key, "") for of_run in of_runs))
        for key in keys
        if len({of_run.get(key) for of_run in of_runs}) > 1
    ]
    if not rows:
        return tag("p", "In nothing that the manifests record.")
    return table(("Setting", *names), rows, text_columns=len(names) + 1, class_="settings")


def _setting(name: str) -> Safe:
    """Return a setting with what it means below it."""
    note = note_on(name)
    return join(name, tag("small", note)) if note else join(name)
