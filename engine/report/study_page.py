"""The page of a parameter search: one HTML file that needs nothing else.

Order: the verdict, why, and what was chosen; what to beware of; the walk-forward; the blocks of the verdict;
ranked trials; the neighbourhood of
the best; heat maps of pairs; importance; all parameters at once; the Pareto front; how the search went;
failures; what was searched. Numbers are those of ``engine.tuning.landscape``. Tables and sentences are in the
page itself (``study_tables``); the charts are drawn by ``study.js`` with Apache ECharts (``vendor/``,
embedded) from one JSON block (``study_data``). The same study, with the same number of trials on record
beside it, gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from data.words import count
from engine.metrics.declared import label_of
from engine.report import charts, html, sections
from engine.report import study_tables as tables
from engine.report.charts import Chart
from engine.report.holdout_section import holdout_section
from engine.report.html import Safe, join, json_block, section, tag
from engine.report.study_data import chart_data, drawn, leading, learns
from engine.report.verdict_section import stitched_chart, verdict_head, verdict_section, window_table
from engine.tuning.axes import Axis
from engine.tuning.holdout import KEY, Opened, told
from engine.tuning.landscape import BINS, CELLS, Landscape, scored
from engine.tuning.neighbours import Neighbourhood
from engine.tuning.study import Study
from engine.verdict.verdict import Report

STUDY_PAGE = "study.html"
FEW_TRIALS = 10  # for each searched parameter; below it shares and maps say little

Part = tuple[str, str, Safe]


def write_study_page(
    study: Study,
    found: Landscape,
    path: Path,
    judged: Report | None = None,
    on_record: int | None = None,
    holdout: Opened | None = None,
    data_warnings: Sequence[str] = (),
) -> None:
    """Write the page of a study to ``path``, whole or not at all; OSError if it cannot be written.

    ``judged`` is its judgement, with which the page begins, None where there is none; ``on_record`` is how
    many sets of the strategy were ever looked at on these data, None where that was not asked; ``holdout``
    is what came out of its hold-out, None while that is shut; ``data_warnings`` stand before warnings.
    """
    html.write(path, _page(study, found, judged, on_record, holdout, data_warnings))


def _page(
    study: Study,
    found: Landscape,
    judged: Report | None,
    on_record: int | None,
    holdout: Opened | None,
    data_warnings: Sequence[str],
) -> str:
    synthetic = bool(study.header["data"]["synthetic"])
    stitched = stitched_chart(judged)
    drawn_by_kit = [] if stitched is None else [stitched]
    scripts = join(
        json_block(chart_data(study, found, history=learns(study)), "study-data"),
        charts.library(),
        Safe(f"<script>{charts.script('study_tools.js')}{charts.script('study.js')}</script>"),
        charts.block(drawn_by_kit, synthetic=synthetic),
    )
    return html.page(
        f"{study.header['study_id']} study",
        _header(study, found, judged, on_record, holdout, data_warnings),
        list(_parts(study, found, judged, stitched, holdout)),
        banner=html.made_up() if synthetic else None,
        scripts=scripts,
    )


def _withheld(judged: Report | None) -> bool:
    """Return whether a judgement, and with it what is a part of it, is not to be shown."""
    return judged is not None and judged.verdict.word == "withheld"


def _header(
    study: Study,
    found: Landscape,
    judged: Report | None,
    on_record: int | None,
    holdout: Opened | None,
    data_warnings: Sequence[str],
) -> Safe:
    header = study.header
    data = header["data"]
    first, last = header.get("period") or (data["first_day"], data["last_day"])
    about = html.subtitle(
        f"{first} to {last}",
        count(len(data["symbols"]), "fund"),
        f"{header['method']}, seed {header['seed']}",
        told(header.get(KEY), holdout),
        f"study {header['study_id']}",
        f"data {data['name']}",
    )
    sought = "; ".join(
        f"{label_of(each.metric)}, {'maximised' if each.maximize else 'minimised'}"
        for each in study.goal.objectives
    )
    under = f"; where {' and '.join(header['constraints'])}" if header["constraints"] else ""
    around = None if _withheld(judged) else found.around
    warned = [tag("li", text) for text in _warnings(study, found.axes, around)]
    return join(
        tag("style", Safe(charts.script("study.css"))),
        verdict_head(judged, f"Search over {header['strategy']}"),
        about,
        tag("p", f"Sought: {sought}{under}.", class_="sought"),
        tables.cards(study, on_record, best=not _withheld(judged)),
        sections.data_warnings(data_warnings),
        tag("ul", *warned, class_="warnings") if warned else Safe(""),
        tag("noscript", tag("p", "The charts need JavaScript; tables and sentences do not.", class_="note")),
    )


def _warnings(study: Study, axes: Sequence[Axis], around: Neighbourhood | None) -> Iterator[str]:
    """Yield what a reader must know before he believes the best trial."""
    if study.alike:
        yield f"{study.alike}."
    if around is not None and around.word == "isolated peak":
        yield "Isolated peak: the neighbours of the best are much worse than it."
    best = study.best
    if best is None:
        yield "No trial has all objectives and meets all constraints."
    else:
        for axis in axes:
            end = _end(axis, best.parameters[axis.name])
            if end is not None:
                yield (
                    f"The best is at the {end} end of {axis.name} "
                    f"({axis.text(best.parameters[axis.name])}): better ones may lie beyond."
                )
    if study.failures:
        of_all = f"of {count(len(study.trials), 'trial')} failed; tables and charts leave them out."
        yield f"{len(study.failures):,} {of_all}"
    if study.trials and len(study.trials) < FEW_TRIALS * len(axes):
        yield (
            f"{count(len(study.trials), 'trial')} over {count(len(axes), 'parameter')} are few: "
            "importance and maps are rough."
        )
    if len(study.trials) > 1:
        yield (
            f"The best of {count(len(study.trials), 'trial')} looks better than it is: part of its "
            "lead is luck that the search picked."
        )


def _end(axis: Axis, value: object) -> str | None:
    """Return at which end of its range a value is, if at one."""
    if axis.kind == "interval":
        low, high = axis.ends
        share = (axis.position(value) - low) / (high - low)
        return "lower" if share < 0.02 else "upper" if share > 0.98 else None
    if not axis.ordered or len(axis.values) < 3:
        return None
    place = int(axis.position(value))
    return "lower" if place == 0 else "upper" if place == len(axis.values) - 1 else None


def _parts(
    study: Study, found: Landscape, judged: Report | None, stitched: Chart | None, holdout: Opened | None
) -> Iterator[Part]:
    # Whether it is a plateau is a block of the judgement, and withheld with it.
    goal, axes, around = study.goal, found.axes, None if _withheld(judged) else found.around
    first = label_of(goal.objectives[0].metric)
    if judged is not None and stitched is not None:
        body = join(
            charts.figure(stitched, synthetic=bool(study.header["data"]["synthetic"])), window_table(judged)
        )
        yield "out-of-sample", "Out of sample", section("Out of sample", body, id_="out-of-sample")
    if holdout is not None:
        yield "holdout", "Hold-out", holdout_section(holdout)
    if judged is not None:
        yield "verdict", "Verdict", section("Verdict", verdict_section(judged), id_="verdict")
    if study.ranked:
        yield "ranked", "Ranked", _ranked(study, axes)
    if around is not None:
        where = tables.neighbour_lead(study, axes, around)
        body = join(tables.plateau_sentence(study, around), tables.neighbour_table(study, axes, around))
        yield (
            "neighbourhood",
            "Neighbourhood",
            section("Neighbourhood of the best", body, id_="neighbourhood", lead=where),
        )
    if any(scored(study, each) for each in goal.objectives):
        yield from _charts(study, found, first)
    if study.failures:
        body = tables.failure_table(study)
        yield "failures", "Failures", section("Trials that failed", body, id_="failures")
    yield "searched", "Search", section("What was searched", tables.searched(study), id_="searched")


def _ranked(study: Study, axes: Sequence[Axis]) -> Safe:
    several = len(study.goal.objectives) > 1
    lead = f"The best {min(tables.ROWS, len(study.ranked))} of {count(len(study.ranked), 'trial')}"
    lead += ", the Pareto front first, then by the first objective." if several else "."
    lead += " Trials that miss a constraint come last." if study.goal.constraints else ""
    body = tables.trial_table(study, axes, study.ranked[: tables.ROWS])
    return section("Ranked trials", body, id_="ranked", lead=lead)


def _charts(study: Study, found: Landscape, first: str) -> Iterator[Part]:
    goal, axes = study.goal, found.axes
    feasible = " Only trials within constraints count." if goal.constraints else ""
    if len(axes) > 1:
        lead = (
            "Each cell is what the trials in it reached, whatever their other parameters: the median, or the "
            f"best.{feasible} A plateau is an area of one colour; a cell that stands out alone is a peak. "
            f"A box marks the best trial; blank is where none was. Ranges without steps are cut into {BINS} "
            f"bins, long ones into at most {CELLS}."
        )
        chart = tag("div", id="maps", class_="charts")
        yield "maps", "Heat maps", section("Pairs of parameters", chart, id_="heat-maps", lead=lead)
    else:
        chart = tag("div", id="profile", class_="charts")
        lead = f"What the trials reached at each value.{feasible}"
        yield (
            "maps",
            "By value",
            section(f"{axes[0].name}, value by value", chart, id_="heat-maps", lead=lead),
        )
    if len(axes) > 1:
        lead = (
            "Share of the objective's variance over the trials that a parameter explains by itself (main "
            "effects of a functional analysis of variance, fitted to the trials on record). A small share: "
            "its value hardly matters, or only together with others. It says what moves the result, not what "
            "makes it good."
        )
        body = tables.importance_table(axes, list(zip(goal.objectives, found.importance, strict=True)))
        yield "importance", "Importance", section("What matters", body, id_="importance", lead=lead)
    total, lines = sum(goal.values(each.outcome) is not None for each in study.trials), len(drawn(study))
    some = (
        f"Of {total:,} trials the best {leading(study)} are drawn, and {lines - leading(study)} of the "
        "others, at even distances in the ranking."
        if total > lines
        else f"All {count(total, 'trial')} are drawn."
    )
    lead = (
        f"One line is one trial, coloured by {first}; better is up on the axes of objectives. Drag "
        f"along an axis to keep only the lines that pass there; click on it to let go. {some}"
    )
    chart = tag("div", id="parallel-chart", class_="charts")
    yield "parallel", "All parameters", section("All parameters at once", chart, id_="parallel", lead=lead)
    if len(goal.objectives) > 1:
        size = len(study.pareto)
        lead = f"{count(size, 'trial')} that no other beats in one objective without losing in another."
        body = join(
            tag("div", id="front-chart", class_="charts"),
            tables.trial_table(study, axes, study.pareto[: tables.ROWS], front=True),
            tag("p", f"The first {tables.ROWS} of {size}.", class_="note")
            if size > tables.ROWS
            else Safe(""),
        )
        yield "front", "Pareto front", section("Pareto front", body, id_="front", lead=lead)
    if learns(study):
        lead = (
            f"{first} of each trial in the order tried, and the best so far among feasible ones. A line that "
            "still rises at the end asks for more trials."
        )
        chart = tag("div", id="history-chart", class_="charts")
        yield "history", "History", section("How the search went", chart, id_="history", lead=lead)
