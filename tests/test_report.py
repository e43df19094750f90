"""The tear sheet, also on paper; what it takes from a result; pyfolio put right."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.errors import UsageError
from data.words import number, percent
from engine.kernel.fills import (
    CASH,
    HALTED,
    LIMIT_DOWN,
    LIMIT_UP,
    NOT_LISTED,
    PARTICIPATION,
    REASON_NAMES,
    REASONS,
)
from engine.metrics import compute_metrics
from engine.metrics.declared import OF_RUN
from engine.report import paper
from engine.report.assumptions import assumptions, closing_prices, set_to
from engine.report.canvas import whole_numbers
from engine.report.charts import Chart, Panel, Series, block, script
from engine.report.html import escape, tag
from engine.report.paper import print_page
from engine.report.pyfolio_figures import interesting_times, pyfolio_pictures
from engine.report.pyfolio_inputs import Inputs, corrected
from engine.report.pyfolio_panels import exact_ticks
from engine.report.pyfolio_shorter import OF_SCIPY, Beta, aggregate_returns, rolling_beta
from engine.report.pyfolio_tables import pyfolio_tables
from engine.report.run_charts import _exposure, fund_charts, run_charts
from engine.report.sections import data_warnings, in_unit
from engine.report.still import still, ticks
from engine.report.tearsheet import write_tearsheet
from engine.report.trading_sections import rejected
from engine.result import EXIT_COLUMNS, MERGE_COLUMNS, Context, Result, as_frame
from engine.results.curves import exposure, fund_curves
from engine.results.settings import note_on
from engine.results.trades import holdings
from tests.helpers.browser import browser
from tests.helpers.pages import Page, without_scripts
from tests.helpers.results import MANIFEST, from_returns, one_fund, rejections, rotation, sessions

OURS = (
    "equity",
    "funds",
    "summary",
    "rotation",
    "rejections",
    "costs",
    "drawdowns",
    "assumptions",
    "reproduce",
)
SECTIONS = (*OURS, "pyfolio")


def written(result: Result, folder: Path, *, pyfolio: bool = True) -> str:
    path = folder / "tearsheet.html"
    write_tearsheet(result, compute_metrics(result), path, pyfolio=pyfolio)
    return path.read_text(encoding="utf-8")


def without_library(text: str) -> str:
    return text.replace(script("vendor/echarts.min.js"), "")


def drawn(text: str) -> dict[str, Any]:
    """What the charts of a page draw, by name, each with its axis."""
    found = re.search(r'<script type="application/json" id="charts-data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    return {each["name"]: {**each, "axis": data["axes"][each["axis"]]} for each in data["charts"]}


@pytest.fixture(scope="module")
def result() -> Result:
    return rotation()


@pytest.fixture(scope="module")
def text(result, tmp_path_factory) -> str:
    return written(result, tmp_path_factory.mktemp("sheet"))


@pytest.fixture(scope="module")
def page(text) -> Page:
    return Page(text)


# What a tear sheet shows


def test_the_page_needs_nothing_from_the_network(text, page):
    assert re.search(r"https?:|//[a-z]|@import|url\((?!#)", without_scripts(text)) is None
    assert {name for name, _ in page.elements} & {"link", "iframe", "object", "embed"} == set()
    assert all("src" not in attributes for name, attributes in page.elements if name == "script")
    assert re.search(r"fetch\(|XMLHttpRequest|importScripts|WebSocket", without_library(text)) is None
    for name, attributes in page.elements:
        for key in ("src", "href"):
            assert (attributes.get(key) or "#").startswith(("#", "data:image/png;base64,")), name


def test_the_page_is_well_formed_and_its_ids_are_unique(page):
    assert page.open == []
    sections = [name for name in page.ids() if name in SECTIONS]
    assert sections == list(SECTIONS)
    links = [attributes["href"][1:] for name, attributes in page.elements if name == "a"]
    assert links == list(SECTIONS)


def test_made_up_data_are_marked_on_top_and_in_every_figure(text):
    assert text.index("SYNTHETIC: this market is made up") < text.index("<h1>")
    figures = re.findall(r"<svg.*?</svg>", without_scripts(text), flags=re.DOTALL)
    assert len(figures) > 25
    assert all(figure.count("SYNTHETIC DATA") == 2 for figure in figures)


def test_the_band_of_phases_is_around_the_line_of_equity(result: Result) -> None:
    band = np.array([result.equity * 0.9, result.equity * 1.1])
    chart = run_charts(replace(result, phase_band=band), [])[0]
    text = still(chart, synthetic=True) + chart.caption
    low, high = band[:, -1] / result.initial_cash - 1
    assert f"all phases of its cycle  {low:+.1%} to {high:+.1%}" in text
    assert "on all phases of its cycle" in text


def test_random_rotations_are_a_band_of_their_own(result: Result) -> None:
    band = np.array([result.equity * 0.8, result.equity * 1.2])
    told = Context(names={}, families={}, luck_beaten=0.625)
    chart = run_charts(replace(result, luck_band=band, context=told), [])[0]
    text = still(chart, synthetic=True) + chart.caption
    low, high = band[:, -1] / result.initial_cash - 1
    assert f"random rotations, 90%  {low:+.1%} to {high:+.1%}" in text
    assert "62.5% of them ended below the run" in text


def test_merges_and_sales_by_a_stop_are_marked_on_the_charts_of_funds(result: Result) -> None:
    sale = result.fills[result.fills["shares"] < 0].iloc[0]
    other = next(symbol for symbol in result.fills["symbol"] if symbol != sale["symbol"])
    merged = (result.days[60], sale["symbol"], 1000, other, 500, 0.0)
    marked = replace(
        result,
        exits=as_frame([(sale["day"], sale["symbol"], "stop_loss")], EXIT_COLUMNS),
        merges=as_frame([merged], MERGE_COLUMNS),
    )
    found = {each.symbol: each for each in fund_curves(marked)}
    row = int(np.searchsorted(result.days, np.datetime64(sale["day"], "D")))
    assert [at for at, _ in found[sale["symbol"]].stopped] == [row]
    assert found[sale["symbol"]].merges == ((60, f"into {other}"),)
    assert found[other].merges == ((60, f"from {sale['symbol']}"),)
    assert found[other].stopped == ()
    charts = {chart.name: chart for chart in fund_charts(marked, [])}
    text = still(charts[f"fund-{sale['symbol']}"], synthetic=False)
    assert "sold by a stop" in text
    assert f"into {other}" in text


def test_exposure_is_by_theme_from_when_it_was_known_and_by_family_before(result: Result) -> None:
    held = result.held_weights
    one, other = (int(column) for column in np.argsort(-held.sum(axis=0))[:2])
    day = result.days[100]
    told = Context(
        names={},
        families={result.symbols[one]: "STAR_AI"},
        themes={
            result.symbols[one]: (
                (str(day), {"chips": 0.25, "other": 0.75}),
                (str(result.days[150]), {"chips": 1.0}),
            )
        },
    )
    found = exposure(replace(result, context=told))
    np.testing.assert_allclose(found["STAR_AI"], np.where(result.days < day, held[:, one], 0.0))
    chips = np.repeat([0.0, 0.25, 1.0], [100, 50, len(result.days) - 150])
    np.testing.assert_allclose(found["chips"], chips * held[:, one])
    np.testing.assert_allclose(sum(found.values()), held.sum(axis=1))
    assert held[:, other].any()  # neither theme nor family: what is left of the total
    assert exposure(replace(result, context=Context(names={}, families={}))) == {}


def test_the_summary_shows_the_metrics(result, page):
    metrics = compute_metrics(result)
    shown = {row[0]: row[2] for row in page.rows if len(row) > 2}
    for name, each in OF_RUN.items():
        if name != "calendar_annual_return":
            assert shown[each.label] == in_unit(metrics[name], each.unit), name
    compared = next(row for row in page.rows if row[0] == "Sharpe ratio")
    assert compared[3:] == [
        in_unit(metrics["benchmark_sharpe_ratio"], "ratio"),
        in_unit(metrics["equal_weight_sharpe_ratio"], "ratio"),
    ]


def test_equal_weight_stands_once_where_it_is_the_benchmark(result, tmp_path):
    manifest = {**result.manifest, "benchmark": "equal_weight"}
    alone = replace(result, benchmark_return=result.equal_weight_return, manifest=manifest)
    heads = [row for row in Page(written(alone, tmp_path, pyfolio=False)).rows if "Equal weight" in row]
    assert len(heads) == 4  # summary, months and years, trailing returns, best and worst days
    assert [row.count("Equal weight") for row in heads] == [1] * 4
    assert not any("Benchmark" in row for row in heads)


@pytest.mark.slow
def test_pyfolios_table_does_not_contradict_the_summary(result):
    metrics = compute_metrics(result)
    statistics = pyfolio_tables(result, Inputs.of(result))["performance"]["run"]
    for theirs, ours in {
        "Annual return": "annual_return",
        "Cumulative returns": "cum_returns_final",
        "Annual volatility": "annual_volatility",
        "Sharpe ratio": "sharpe_ratio",
        "Calmar ratio": "calmar_ratio",
        "Stability": "stability_of_timeseries",
        "Max drawdown": "max_drawdown",
        "Omega ratio": "omega_ratio",
        "Sortino ratio": "sortino_ratio",
        "Skew": "skew",
        "Kurtosis": "kurtosis",
        "Tail ratio": "tail_ratio",
        "Alpha": "alpha",
        "Beta": "beta",
        "Gross leverage": "exposure",
    }.items():
        assert statistics[theirs] == pytest.approx(metrics[ours], rel=1e-9), theirs


def test_a_benchmark_with_gaps_is_named_and_pyfolio_compares_over_them_as_we_do(result, tmp_path):
    theirs = result.benchmark_return.copy()
    theirs[40:43], theirs[120:] = np.nan, np.nan
    known = {"text": "The benchmark 930713 is known on some sessions."}
    gap = replace(result, benchmark_return=theirs, manifest=result.manifest | {"benchmark_known": known})
    metrics = compute_metrics(gap)
    statistics = pyfolio_tables(gap, Inputs.of(gap))["performance"]["run"]
    for theirs, ours in {"Alpha": "alpha", "Beta": "beta"}.items():
        assert statistics[theirs] == pytest.approx(metrics[ours], rel=1e-9), theirs
    write_tearsheet(gap, metrics, tmp_path / "gap.html")
    assert known["text"] in (tmp_path / "gap.html").read_text(encoding="utf-8")


def test_purchases_are_listed_with_the_reason(result, page):
    held = holdings(result)
    listed = [row for row in page.rows if len(row) == 9 and row[1] in result.symbols]
    assert len(listed) == len(held)
    last = held[-1]
    assert listed[0] == [
        str(result.days[last.entry]),
        last.symbol,
        "still held" if last.exit is None else str(result.days[last.exit]),
        percent(last.weight, 1),
        number(last.score, 4),
        percent(last.flow),
        str(last.sessions),
        percent(last.price_return),
        number(last.profit, 0),
    ]


def test_labels_of_ranges_leave_room_for_each_other():
    for axis, most in ((range(40), 10), ([f"{low}-{low + 7}" for low in range(1, 297, 8)], 7)):
        rows, labels = ticks(Chart("", "", "", np.array([str(each) for each in axis]), ()))
        assert len(labels) == len(rows) <= most
        assert len(labels) > most // 2


def test_ticks_of_percent_are_exact_and_those_of_counts_whole():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.set(xlim=(-2.5, 7.5), ylim=(0.0, 1.2))
    exact_ticks(axes)
    assert [axes.xaxis.get_major_formatter()(level) for level in (-2.5, 0.0, 5.0)] == ["-2.5%", "0%", "5%"]
    whole_numbers(axes)
    assert [level for level in axes.get_yticks() if 0.0 <= level <= 1.2] == [0.0, 1.0]


def test_exposure_to_one_family_is_named_where_no_legend_names_it():
    result = one_fund([2.0, 2.0], [0, 500], (1, 500, 2.0, 0.0))
    half = np.array([0.0, 0.5])
    (one,) = _exposure(result, {"930713": half}).panels
    (two,) = _exposure(result, {"930713": half, "931071": half}).panels
    assert one.title == "Exposure to 930713, of equity at the close"
    assert two.title == "Exposure to index families, of equity at the close"


def test_a_note_on_a_cost_of_a_market_is_on_no_other_setting():
    assert note_on("costs.us.commission_min").endswith("of funds of US, in their currency")
    assert note_on("data.filled.capex") == ""


def test_rejections_are_counted_and_valued_at_the_close():
    result = one_fund([2.0, 2.0, 2.5, 2.5], [0, 500, 500, 500], (1, 500, 2.0, 5.0))
    refused = rejections(
        (result.days[2], "159363.SZ", 100, "limit_up"),
        (result.days[3], "159363.SZ", -300, "halted"),
        (result.days[3], "159363.SZ", 100, "halted"),
    )
    costs = Context(names={}, families={}, rejection_costs={"halted": 0.00126, "limit_up": None})
    shown = rejected(replace(result, rejections=refused, context=costs))
    rows = {row[0]: row for row in Page(shown).rows}
    halted, limit_up = (rows[f"{name}{REASONS[name]}"] for name in ("halted", "limit_up"))
    assert halted[1:5] == ["2", "1", "1", "1,000"]
    assert limit_up[1:5] == ["1", "1", "0", "250"]
    assert (halted[-1], limit_up[-1]) == ("12.6", "n/a")


def test_what_is_carried_over_is_said_over_two_markets_alone(text, tmp_path):
    arrays = {"shares": np.zeros((40, 2), dtype=np.int64), "mark": np.ones((40, 2))}
    decided = dict.fromkeys(("weights", "scores", "decision_flows"), np.zeros((0, 2)))
    both = from_returns(np.zeros(40), symbols=("159363.SZ", "BOTZ.US"), **arrays, **decided)
    said = "nothing is carried over but purchases in Shanghai that wait for New York"
    assert said in written(both, tmp_path, pyfolio=False)
    assert "nothing is carried over. Value" in text


def test_reasons_of_rejections_are_worded_as_in_the_guide(root):
    guide = (root / "docs" / "user-guide.md").read_text(encoding="utf-8")
    for name, words in REASONS.items():
        assert f"| `{name}` | {words} |\n" in guide
    # numbers of the kernel, in the order of the names
    assert [REASON_NAMES[number] for number in (HALTED, LIMIT_UP, LIMIT_DOWN)] == list(REASONS)[:3]
    assert [REASON_NAMES[number] for number in (PARTICIPATION, CASH, NOT_LISTED)] == list(REASONS)[3:6]


def test_a_run_at_the_close_says_how_closing_prices_came_about():
    days = np.array(["2026-07-02", "2026-07-03", "2026-07-06", "2026-07-07"], dtype="datetime64[D]")
    spec = {**MANIFEST["spec"], "fill": "close"}
    result = from_returns([0.01, -0.02, 0.01, 0.0], days=days, symbols=("515980.SH",))
    assert dict(closing_prices(result)) == {}  # it fills at the open
    at_close = replace(result, manifest={**result.manifest, "spec": spec})
    assert dict(closing_prices(at_close)) == {
        "fill.closing_price.SSE": "volume-weighted price of the last minute, the last trade included, "
        "2026-07-02 to 2026-07-03; call auction from 14:57 to 15:00, 2026-07-06 to 2026-07-07",
        "fill.after_hours.SSE": "none on file, 2026-07-02 to 2026-07-03; "
        "trading at the closing price from 15:05 to 15:30, 2026-07-06 to 2026-07-07",
    }
    assert "call auction from 14:57 to 15:00" in assumptions(at_close)


def test_assumptions_are_the_settings_of_the_manifest(page):
    rows = {row[0]: row[1] for row in page.rows if len(row) == 2}
    assert rows["costs.commission_rate"].startswith("0.00025")
    assert rows["cash"] == "1,000,000"
    assert rows["fill"].startswith("open")
    assert rows["allow"].startswith("stale-series")
    assert rows["data.fingerprint"] == "0123"
    assert rows["parameters.top"] == "2"


def test_funds_that_never_had_a_score_are_told_from_those_that_had_one():
    known = replace(rotation(40, 2, 1), scores=np.array([[0.1, np.nan]]))
    assert known.scored_remark == "1 of them with a score"
    assert replace(known, scores=np.array([[0.1, np.nan], [np.nan, 0.2]])).scored_remark == ""
    assert replace(known, scores=np.full((1, 2), np.nan)).scored_remark == ""  # no strategy with scores


def test_warnings_of_the_data_are_no_setting():
    warned = one_fund([2.0, 2.2, 2.0], [2500, 2500, 2500], (0, 2500, 2.0, 0.0))
    warned = replace(warned, manifest={**warned.manifest, "data_warnings": ["ends-early: 159363.SZ"]})
    assert "ends-early" not in assumptions(warned)


def test_parameters_in_a_line_are_written_as_in_the_assumptions():
    said = {"top": 3, "cap": 1.0, "threshold": None, "excess": False, "otherwise": "cash"}
    assert set_to(said) == "top=3, cap=1, threshold=none, excess=no, otherwise=cash"


def test_what_does_not_apply_is_left_out_and_said(text):
    assert "Transaction times: daily bars have no time of day." in text
    assert "Interesting times: the market is made up." in text
    assert "Transaction time distribution" not in text


def test_markup_in_names_is_escaped(tmp_path):
    manifest = from_returns([0.0]).manifest
    hostile = "<script>alert('x')</script>&\""
    result = from_returns([0.01, -0.02, 0.01], manifest={**manifest, "strategy": hostile})
    text = written(result, tmp_path)
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert "\\u003cscript\\u003ealert" in text
    assert Page(text).open == []


def test_a_page_that_cannot_be_written_leaves_nothing(result, tmp_path):
    with pytest.raises(OSError, match="No such file"):
        write_tearsheet(from_returns([0.01, 0.02]), compute_metrics(result), tmp_path / "none" / "sheet.html")
    (tmp_path / "sheet.html").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_tearsheet(from_returns([0.01, 0.02]), compute_metrics(result), tmp_path / "sheet.html")
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]


DEGENERATE = {
    "one session": from_returns([0.01]),
    "nothing bought": from_returns([0.0] * 30),
    "one purchase on the first day": one_fund([2.0, 1.9], [1000, 1000], (0, 1000, 2.0, 5.0)),
    "a benchmark with gaps": from_returns([0.01, -0.01] * 20, [np.nan, 0.01, 0.02, -0.01] * 10),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", DEGENERATE)
def test_a_result_with_little_in_it_still_makes_a_page(case, tmp_path):
    page = Page(written(DEGENERATE[case], tmp_path))
    assert [name for name in page.ids() if name in SECTIONS if name != "funds"] == [
        name for name in SECTIONS if name != "funds"
    ]
    assert not any(
        "nan" in cell.lower() or "inf" in cell.lower().split() for row in page.rows for cell in row
    )


def test_numbers_for_people():
    assert percent(0.12345) == "12.35%"
    assert percent(-0.00001) == "0.00%"
    assert percent(None) == percent(float("nan")) == "n/a"
    assert number(1234567.891) == "1,234,567.89"
    assert tag("td", "a<b", None, class_="x") == '<td class="x">a&lt;bn/a</td>'
    assert escape(tag("b", "<")) == "<b>&lt;</b>"


# Charts


def test_a_page_without_pyfolio_has_none_of_it_and_loads_no_plotting_library(result, tmp_path, root):
    text = written(result, tmp_path, pyfolio=False)
    assert [name for name in Page(text).ids() if name in SECTIONS] == list(OURS)
    assert len(text.encode()) < 3e6
    code = (
        "import sys, pathlib\n"
        "from engine.metrics import compute_metrics\n"
        "from engine.report.tearsheet import write_tearsheet\n"
        "from tests.helpers.results import from_returns\n"
        "result = from_returns([0.01, -0.02] * 40)\n"
        "write_tearsheet(result, compute_metrics(result), pathlib.Path(sys.argv[1]))\n"
        "print({'matplotlib', 'pyfolio', 'seaborn', 'statsmodels'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "sheet.html")]
    assert subprocess.run(words, cwd=root, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_charts_draw_the_numbers_of_the_result(tmp_path):
    # 10,000 becomes 10,500 and 9,975: 5 % up, then 5 % down, with 1,000 shares of one fund
    result = one_fund([2.0, 2.5, 1.975], [1000, 1000, 1000], (0, 1000, 2.0, 0.0))
    result = replace(result, benchmark_return=np.array([0.0, 0.1, np.nan]))
    equity = drawn(written(result, tmp_path, pyfolio=False))["equity"]
    assert equity["axis"] == [str(day) for day in result.days]
    panels = {panel["title"]: panel for panel in equity["panels"]}
    growth = {each["name"]: each["values"] for each in panels["Growth of one unit of money"]["series"]}
    assert growth == {"handmade  -0.3%": [1.0, 1.05, 0.9975], "benchmark 930713  +10.0%": [1.0, 1.1, 1.1]}
    assert panels["Drawdown"]["series"][0]["values"] == [0.0, 0.0, -0.05]
    (ribbon,) = panels["Weights at the close"]["series"]
    assert ribbon["labels"] == ["159363.SZ"]
    assert ribbon["runs"] == [
        [0, 0, [0.2, 0.238095, 0.197995]]
    ]  # 2,000 / 10,000, 2,500 / 10,500, 1,975 / 9,975


def test_a_fund_has_its_splits_halts_and_names_where_they_are_known(tmp_path):
    # two for one before the third session, on which all is sold; on the second it stands still
    result = one_fund([2.0, 2.0, 1.1], [1000, 1000, 0], (0, 1000, 2.0, 0.0), (2, -2000, 1.1, 0.0))
    days = [str(day) for day in result.days]
    context = Context(
        names={"159363.SZ": "A & B"},
        families={"159363.SZ": "CHINEXT_AI"},
        splits=((days[2], "159363.SZ", 2.0),),
        halts=((days[1], days[1], "159363.SZ"),),
        renames=((days[1], "159363.SZ", "159000.SZ"),),
        judged="rejected",
        judged_by="study one, 2023-01-03 to 2023-12-29",
    )
    text = written(replace(result, context=context), tmp_path, pyfolio=False)
    chart = drawn(text)["fund-159363.SZ"]
    series = {each["name"]: each for each in chart["panels"][0]["series"]}
    assert series["close"]["values"] == [1.0, 1.0, 1.1]  # in shares of the last session
    assert (series["bought"]["at"], series["bought"]["values"]) == ([0], [1.0])
    assert (series["sold"]["at"], series["sold"]["values"]) == ([2], [1.1])
    assert (series["split"]["at"], series["split"]["labels"]) == ([2], ["split 1:2"])
    assert (series["renamed"]["at"], series["renamed"]["labels"]) == ([1], ["until here 159000.SZ"])
    assert (series["halted"]["at"], series["halted"]["low"]) == ([1], [1.0])
    assert "159363.SZ<small>A &amp; B</small>" in text
    header = text[text.index("<header>") : text.index("</header>")]
    assert '<b class="word rejected">rejected</b>' in header
    assert "study one, 2023-01-03 to 2023-12-29" in header


def test_the_verdict_comes_before_every_number(text):
    header = text[text.index("<header>") : text.index("</header>")]
    assert header.index("not judged") < header.index('class="cards"')
    assert "CI" in header


def test_the_mark_of_a_made_up_market_lies_below_the_axis():
    values = np.linspace(0.0, 1.0, 5)
    for title in ("", "Sessions"):
        chart = Chart("x", "X", "", np.arange(5.0), (Panel("X", (Series("x", "line", "run", values),)),))
        picture = still(replace(chart, axis_title=title), synthetic=True)
        (mark,) = re.findall(r'y="([\d.]+)" class="mark"', picture)
        labels = [float(each) for each in re.findall(r'y="([\d.]+)" class="middle"', picture)]
        assert float(mark) >= max(labels) + 12  # a line of its small type
        assert f'0 {float(mark) + 2:g}"' in picture  # within the picture


def test_a_still_picture_says_its_numbers_to_who_cannot_see_it():
    result = one_fund([2.0, 2.5, 1.975], [1000, 1000, 1000], (0, 1000, 2.0, 0.0))
    picture = still(run_charts(result, holdings(result))[0], synthetic=False)
    assert 'role="img"' in picture
    assert "Drawdown, handmade: 0.0% to -5.0%, lowest -5.0%, highest 0.0%." in picture


def test_a_long_line_keeps_what_is_lowest_and_highest():
    values = np.zeros(5000)
    values[1234], values[4321] = -1.0, 2.0
    chart = Chart("x", "x", "", sessions(5000), (Panel("p", (Series("s", "line", "run", values),)),))
    path = re.search(r'<path d="(M[^"]*L[^"]*)"', still(chart, synthetic=False))
    assert path is not None
    heights = [float(point.split(" ")[1]) for point in path[1][1:].split("L")]
    assert len(heights) < 2000
    assert min(heights) < np.median(heights) < max(heights)


def test_numbers_of_charts_are_short_and_unknown_ones_are_none():
    values = np.array([1.0 / 3.0, 0.0, np.nan, 123456789.0, -2e-7])
    chart = Chart("x", "x", "", sessions(5), (Panel("p", (Series("s", "line", "run", values),)),))
    assert drawn(block([chart], synthetic=False))["x"]["panels"][0]["series"][0]["values"] == [
        0.333333,
        0.0,
        None,
        123457000.0,
        -2e-7,
    ]


def test_rolling_beta_equals_that_of_pyfolio(result):
    inputs = Inputs.of(result)
    assert inputs.benchmark is not None
    with corrected(243.0):
        import pyfolio.timeseries
    expected = pyfolio.timeseries.rolling_beta(inputs.returns, inputs.benchmark, 60)
    ours = rolling_beta(inputs.returns, inputs.benchmark, 60)
    assert ours.notna().sum() == expected.notna().sum() == len(ours) - 60
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


def test_what_takes_pyfolio_long_is_the_same_by_the_shorter_way(result):
    import empyrical
    import scipy.stats

    returns = Inputs.of(result).returns
    assert OF_SCIPY["skew"](returns) == pytest.approx(scipy.stats.skew(returns), rel=1e-9)
    assert OF_SCIPY["kurtosis"](returns) == pytest.approx(scipy.stats.kurtosis(returns), rel=1e-9)
    stability = empyrical.stability_of_timeseries(returns)
    assert OF_SCIPY["stability_of_timeseries"](returns) == pytest.approx(stability, rel=1e-9)
    for none in (0.0 * returns, returns.iloc[:1]):
        assert np.isnan([of(none) for of in OF_SCIPY.values()]).all()
    lost = returns.where(np.arange(len(returns)) != 3, -1.0)
    assert np.isnan(OF_SCIPY["stability_of_timeseries"](lost))
    for wins, losses in ((1, 1), (1, 7), (346, 120)):
        theirs, ours = scipy.stats.beta(wins, losses), Beta(wins, losses)
        shares = np.linspace(0.0, 1.0, 500)
        np.testing.assert_allclose(ours.pdf(shares), theirs.pdf(shares), rtol=1e-9, atol=1e-9)
        for share in (0.001, 0.025, 0.975, 0.999):
            assert ours.ppf(share) == pytest.approx(theirs.ppf(share), abs=1e-6)
    days = pd.date_range("2019-12-27", "2021-01-05", tz="UTC")  # a week of two years, one of 53 weeks
    returns = pd.Series(np.where(np.arange(len(days)) % 3, 0.01, -0.02), days)
    for each in ("weekly", "monthly", "yearly"):
        expected = empyrical.aggregate_returns(returns, each)
        pd.testing.assert_series_equal(
            aggregate_returns(returns, each), expected, check_names=False, check_index_type=False, rtol=1e-12
        )


@pytest.mark.slow
def test_a_second_page_has_the_same_bytes_and_leaves_nothing_behind(result, text, tmp_path, capfd):
    import matplotlib as mpl

    with corrected(243.0):
        import empyrical.periods
        import matplotlib.pyplot as plt
        import pyfolio.timeseries
    before = dict(mpl.rcParams), np.random.get_state()[1].tolist(), pyfolio.timeseries.rolling_beta  # noqa: NPY002
    assert written(result, tmp_path) == text
    after = dict(mpl.rcParams), np.random.get_state()[1].tolist(), pyfolio.timeseries.rolling_beta  # noqa: NPY002
    assert after == before
    assert plt.get_fignums() == []
    assert empyrical.periods.ANNUALIZATION_FACTORS["daily"] == 252
    assert pyfolio.timeseries.APPROX_BDAYS_PER_YEAR == 252
    assert capfd.readouterr() == ("", "")


def test_drawdowns_of_pyfolio_start_from_the_initial_capital():
    result = one_fund([1.8, 1.9, 1.7, 2.2], [1000] * 4, (0, 1000, 2.0, 0.0))
    table = pyfolio_tables(result, Inputs.of(result))["drawdowns"]
    assert table.loc[0, "Net drawdown in %"] == pytest.approx(3.0)  # 1,000 shares at 1.7 instead of 2.0
    assert table.loc[0, "Peak date"] == pd.Timestamp(result.days[0]) - pd.Timedelta(days=1)


def test_evenly_spaced_days_do_not_blank_a_panel(result):
    from matplotlib.dates import date2num
    from matplotlib.figure import Figure

    days = pd.bdate_range("2023-01-02", periods=len(result.days)).to_numpy().astype("datetime64[D]")
    row = np.searchsorted(result.days, result.fills["day"].to_numpy().astype("datetime64[D]"))
    even = replace(
        result,
        days=days,
        fills=result.fills.assign(day=days[row].astype("datetime64[us]")),
        rejections=rejections(),
    )
    pictures, _ = pyfolio_pictures(even, Inputs.of(even))
    for name in ("pyfolio_exposure", "pyfolio_total_holdings", "pyfolio_rolling_beta_to_930713"):
        figure = Figure()
        with corrected(243.0):
            next(picture for picture in pictures if picture.name == name).draw(figure)
        low, high = figure.axes[0].get_xlim()
        assert low <= date2num(days[len(days) * 3 // 4]) <= high, name
        assert high - low < 400, name


def test_a_fund_that_was_never_held_is_none_of_the_largest_holdings(result):
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

    beside = replace(
        result,
        symbols=(*result.symbols, "159999.SZ"),
        shares=np.column_stack([result.shares, np.zeros(len(result.days), dtype=np.int64)]),
        mark=np.column_stack([result.mark, np.ones(len(result.days))]),
    )
    pictures, _ = pyfolio_pictures(beside, Inputs.of(beside))
    figure = Figure()
    with corrected(243.0):
        next(each for each in pictures if each.name == "pyfolio_ten_largest_holdings").draw(figure)
    named = {text.get_text() for legend in figure.findobj(Legend) for text in legend.get_texts()}
    assert named == {name for column, name in enumerate(result.symbols) if result.shares[:, column].any()}


def test_interesting_times_are_those_that_a_real_run_covers():
    days = np.arange("2024-09-02", "2025-03-10", dtype="datetime64[D]")
    result = from_returns(np.full(len(days), 0.001), np.full(len(days), 0.002), days=days)
    with corrected(243.0):
        periods = interesting_times(Inputs.of(result))
    assert list(periods) == ["Policy rally, autumn 2024", "DeepSeek, early 2025"]
    rally = periods["Policy rally, autumn 2024"]
    assert (str(rally.index[0].date()), str(rally.index[-1].date())) == ("2024-09-24", "2024-10-31")
    assert rally["benchmark"].to_numpy() == pytest.approx(0.002)


def test_fewer_than_five_round_trips_are_left_out_and_said():
    result = one_fund([2.0, 2.1, 2.2], [100, 100, 0], (0, 100, 2.0, 5.0), (2, -100, 2.2, 5.0))
    pictures, left_out = pyfolio_pictures(result, Inputs.of(result))
    assert "Round trips: fewer than 5." in left_out
    assert not any("round_trips" in picture.name for picture in pictures)


# Paper, size, other processes, and a real browser


def test_paper_without_a_browser_says_what_helps(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(paper, "BROWSERS", ("chromium",))
    monkeypatch.delenv(paper.VARIABLE, raising=False)
    with pytest.raises(UsageError, match=r"no browser.*name one in ETFLOW_BROWSER"):
        print_page(tmp_path / "tearsheet.html", ["pdf"])
    monkeypatch.setenv(paper.VARIABLE, "netscape")
    with pytest.raises(UsageError, match="ETFLOW_BROWSER=netscape"):
        print_page(tmp_path / "tearsheet.html", ["png"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_a_browser_that_prints_nothing_leaves_nothing(kind, tmp_path, monkeypatch):
    page, silent = tmp_path / "tearsheet.html", tmp_path / "silent"
    page.write_text("<body></body>")
    silent.write_text("#!/bin/sh\nexit 3\n")
    silent.chmod(0o755)
    monkeypatch.setenv(paper.VARIABLE, str(silent))
    with pytest.raises(UsageError, match="silent cannot print the page: it "):
        print_page(page, [kind])
    assert sorted(tmp_path.iterdir()) == [silent, page]


@pytest.mark.slow
def test_paper_has_the_whole_page_and_the_same_bytes_again(result, tmp_path):
    browser()
    write_tearsheet(result, compute_metrics(result), tmp_path / "tearsheet.html")
    first = {path.name: path.read_bytes() for path in print_page(tmp_path / "tearsheet.html", ["png", "pdf"])}
    assert list(first) == ["tearsheet.pdf", "tearsheet.png"]
    document, picture = first.values()
    assert document.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", document)) >= 5
    assert b"D:20000101000000" in document
    assert picture.startswith(b"\x89PNG")
    width, height = (int.from_bytes(picture[place : place + 4], "big") for place in (16, 20))
    assert width > 800
    assert height > 4 * width
    again = {path.name: path.read_bytes() for path in print_page(tmp_path / "tearsheet.html", ["pdf", "png"])}
    assert again == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tearsheet.html", *first]


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(root, tmp_path):
    script = (
        "import hashlib, pathlib, sys\n"
        "from engine.metrics import compute_metrics\n"
        "from engine.report.tearsheet import write_tearsheet\n"
        "from tests.helpers.results import rotation\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "write_tearsheet(rotation(), compute_metrics(rotation()), path, pyfolio=True)\n"
        "print(hashlib.sha256(path.read_bytes()).hexdigest())\n"
        "print({'scipy.stats', 'scipy.special', 'scipy.cluster'} & set(sys.modules))\n"  # half a second
    )
    text = written(rotation(), tmp_path)
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "again.html")],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin", "MPLBACKEND": "TkAgg"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [hashlib.sha256(text.encode()).hexdigest(), "set()"]


@pytest.mark.slow
def test_five_years_of_twenty_funds_fit_into_five_megabytes(tmp_path):
    result = rotation(1215, 20, 4)
    write_tearsheet(result, compute_metrics(result), tmp_path / "sheet.html")
    assert (tmp_path / "sheet.html").stat().st_size < 5e6


def test_a_day_of_a_warning_about_the_data_is_never_on_two_lines():
    assert '<span class="day">2026-01-08</span>' in data_warnings(["159363.SZ ends 2026-01-08"])
