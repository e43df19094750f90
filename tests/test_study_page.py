"""The page of a search: its numbers, its escaping, its bytes, and what a browser makes of it."""

from __future__ import annotations

import html
import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.cli.present_tune import print_study
from engine.record.journal import Journal
from engine.report.study_page import write_study_page
from engine.tuning.holdout import Opened
from engine.tuning.landscape import Landscape, landscape
from engine.tuning.objective import Trial
from engine.tuning.outcome import Outcome
from engine.tuning.study import Study, leaderboard_of
from engine.verdict.evidence import Evidence, TrialLog, WalkForwardOutcome, Window
from engine.verdict.text import document
from engine.verdict.thresholds import Resamples
from engine.verdict.verdict import Report, report
from tests.helpers.browser import opened
from tests.helpers.tuning import goal_of_words, search_in, space_of


def study_of(
    out: Path, *words: str, method: str = "grid", objectives: tuple[str, ...] = (), **more: Any
) -> Study:
    goal = goal_of_words(*objectives, constraints=more.pop("constraints", ()))
    path, _ = search_in(out, space_of(*words), goal, method, more.pop("trials", None), **more)
    return Study.load(path)


def found_in(study: Study) -> Landscape:
    return landscape(study, space_of(*study.header["space"], where=study.header["where"]))


def page_of(study: Study, judged: Report | None = None, holdout: Opened | None = None) -> str:
    path = study.folder / "study.html"
    write_study_page(study, found_in(study), path, judged, holdout=holdout)
    return path.read_text(encoding="utf-8")


def without_scripts(page: str) -> str:
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def block_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script[^>]*id="study-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def peak(sets: Any) -> list[Outcome]:
    """A bowl with its best at lookback 10, top 3; the second parameter explains a quarter of the variance."""
    return [Outcome({"sharpe_ratio": 2 - abs(s["lookback"] - 10) / 4 - abs(s["top"] - 3) / 4}) for s in sets]


# --- Numbers ----------------------------------------------------------------------------------------------
def test_what_came_out_stands_on_the_page(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=5:12", "top=1,2,3")
    page = without_scripts(page_of(study))
    best = study.best
    assert best is not None
    assert f"{best.outcome.metrics['sharpe_ratio']:.3f}" in page
    assert f"trial {best.number}" in page
    assert study.header["study_id"] in page
    assert "SYNTHETIC" in page
    # A lookback of 7 fails, with a reason in Chinese; of each number of funds one.
    assert "seven" in page
    assert "七" in page
    assert page.count("<table") >= 4


def test_the_neighbourhood_of_the_best_stands_on_the_page(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=8:12", "top=1,2,3,4", "rebalance=5,weekly", evaluator=peak)
    page = without_scripts(page_of(study))
    # Four steps, of lookback and of top, each 1.75 where the best is 2; choices without order have none.
    assert page.count("1 step</") == 4
    assert "Plateau." in page
    assert "The median of the neighbours is 1.750, 88% of the best; the worst is 1.750. Rule" in page


def test_a_lonely_best_is_called_an_isolated_peak(tmp_path: Path) -> None:
    def lonely(sets: Any) -> list[Outcome]:
        return [Outcome({"sharpe_ratio": 2.0 if s["lookback"] == 10 else 0.5}) for s in sets]

    page = page_of(study_of(tmp_path, "lookback=8:12", evaluator=lonely))
    assert "Isolated peak" in without_scripts(page)


def test_importance_is_the_share_of_variance_that_a_main_effect_explains(tmp_path: Path) -> None:
    def additive(sets: Any) -> list[Outcome]:
        return [Outcome({"sharpe_ratio": 2.0 * s["lookback"] + 1.0 * s["top"]}) for s in sets]

    study = study_of(tmp_path, "lookback=1:3", "top=1,2,3", "cap=0.1:1:0.1", evaluator=additive)
    found = found_in(study).importance[0]
    assert found is not None
    # Variances of 2x and of x over the same three values are as 4 to 1.
    assert [*found.shares, found.rest] == pytest.approx([0.8, 0.2, 0.0, 0.0])


def test_a_cell_of_a_heat_map_is_the_median_and_the_best_of_its_trials(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=8:10", "top=2,3", "cap=0.5,1", evaluator=peak)
    ((first, *_),) = found_in(study).maps
    # lookback across: 8, 9, 10; top up: 2, 3; best and median over cap, two trials a cell
    assert (first.columns, first.rows, first.best) == (("8", "9", "10"), ("2", "3"), (2, 1))
    assert first.cells == (
        *((0, 0, 1.25, 1.25, 2), (0, 1, 1.5, 1.5, 2)),
        *((1, 0, 1.5, 1.5, 2), (1, 1, 1.75, 1.75, 2)),
        *((2, 0, 1.75, 1.75, 2), (2, 1, 2.0, 2.0, 2)),
    )


def test_several_objectives_have_a_front(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=3:6", "top=0:4", objectives=("sharpe_ratio", "-turnover"))
    page = page_of(study)
    assert "Pareto" in without_scripts(page)
    on_front = {row[0] for row in block_of(page)["rows"] if row[4]}
    assert on_front == {trial.number for trial in study.pareto}


@pytest.mark.parametrize(
    "words", [("lookback=3:12",), ("cap=0.1:1", "lookback=3:30"), ("rebalance=5,weekly", "top=1,2")]
)
def test_any_kind_of_space_has_a_page(tmp_path: Path, words: tuple[str, ...]) -> None:
    method = "random" if "cap=0.1:1" in words else "grid"
    study = study_of(tmp_path, *words, method=method, trials=30 if method == "random" else None)
    data = block_of(page_of(study))
    assert [axis["name"] for axis in data["axes"]] == [word.partition("=")[0] for word in words]
    assert len(data["rows"]) == len(study.ranked) - sum(
        trial.outcome.metrics["sharpe_ratio"] is None for trial in study.ranked
    )


def test_every_line_of_the_charts_is_a_trial_of_the_study(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=3:12", "top=1,2", "cap=0.1:1", method="random", trials=40)
    for number, (lookback, top, cap), (sharpe,), *_ in block_of(page_of(study))["rows"]:
        trial = study.trials[number]
        assert lookback == trial.parameters["lookback"]
        assert top == trial.parameters["top"] - 1  # a choice is drawn by its place
        assert cap == pytest.approx(trial.parameters["cap"], rel=1e-6)
        assert sharpe == pytest.approx(trial.outcome.metrics["sharpe_ratio"], rel=1e-6)


def test_what_is_embedded_is_shipped_with_its_licences(root: Path) -> None:
    vendor = root / "engine" / "report" / "vendor"
    assert {path.name for path in vendor.iterdir()} == {
        *("echarts.min.js", "LICENSE.echarts", "NOTICE.echarts", "LICENSE.d3", "LICENSE.zrender")
    }
    engine = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"][
        "engine"
    ]
    for path in (
        *vendor.iterdir(),
        vendor.parent / "study.js",
        vendor.parent / "study_tools.js",
        vendor.parent / "study.css",
    ):
        name = path.relative_to(root / "engine")
        assert any(name.match(pattern) for pattern in engine), name
    assert "graft engine/report/vendor" in (root / "MANIFEST.in").read_text().splitlines()


def test_a_study_without_a_single_good_trial_has_a_page(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=3:5", evaluator=lambda sets: [Outcome(failure="no")] * len(sets))
    assert "No trial" in without_scripts(page_of(study))


# --- Bytes ------------------------------------------------------------------------------------------------
def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=3:9", "top=1,2")
    assert page_of(study) == page_of(Study.load(study.folder))


def test_names_and_reasons_cannot_break_out(tmp_path: Path) -> None:
    evil = '</script><script>alert("x")</script>'

    def evaluator(sets: Any) -> list[Outcome]:
        return [Outcome(failure=evil) if s["lookback"] == 3 else Outcome({"sharpe_ratio": 1.0}) for s in sets]

    study = study_of(tmp_path, "lookback=3:5", evaluator=evaluator, strategy="<img src=x>.py:Mine")
    page = page_of(study)
    assert evil not in page
    assert "<img" not in without_scripts(page)
    assert "</script" not in json.dumps(block_of(page))


def test_nothing_comes_from_the_network(tmp_path: Path) -> None:
    page = without_scripts(page_of(study_of(tmp_path, "lookback=3:9")))
    assert not re.search(r'(?:src|href)="(?!#)', page)


def test_ten_thousand_trials_are_thinned_out_and_the_page_stays_small(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=3:9")
    rng = np.random.default_rng(1)
    many = tuple(
        Trial(number, {"lookback": 3 + number % 7}, Outcome({"sharpe_ratio": float(value)}))
        for number, value in enumerate(rng.normal(size=10_000))
    )
    page = page_of(Study(study.folder, study.header, many))
    assert len(page) < 4_000_000
    assert len(block_of(page)["rows"]) == 1000


def judgement(*windows: Window, withheld: bool = False) -> Report:
    """What is said of 900 sessions of three sets without skill, the second of them chosen."""
    noise = np.random.default_rng(5).normal(0.0, 0.01, (900, 3))
    walk = WalkForwardOutcome(np.full(4, 0.01), np.array([0.1, 0.05]), windows)
    return report(
        Evidence(
            noise,
            np.full(900, 0.001),
            1,
            250.0,
            TrialLog(3, 3),
            days=np.datetime64("2020-01-01") + np.arange(900),
            walk_forward=walk,
            parameters={"lookback": 7, "mode": "<fast>"},
            unknown=("the record: it cannot be read",) if withheld else (),
        ),
        resamples=Resamples(superiority=50, difference=50, interval=50, paths=50),
    )


WINDOWS = (
    Window(0, 99, 896, 897, {"lookback": 3}, 0.1),
    Window(2, 101, 898, 899, {"lookback": 7}, float("nan")),
)


def test_the_page_begins_with_the_judgement_why_and_what_was_chosen(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=3:9")
    page = page_of(study)
    assert '<section id="verdict"' not in page
    assert '<b class="word not-judged">not judged</b>' in page
    told = judgement(*WINDOWS)
    page = page_of(study, told)
    header = page[page.index("<header>") : page.index("</header>")]
    places = [
        header.index(each)
        for each in (
            f'<b class="word {told.verdict.word}">',
            html.escape(told.verdict.reasons[0]),
            "lookback=7, mode=&lt;fast&gt;",
            'class="cards"',
        )
    ]
    assert places == sorted(places)
    assert '<section id="verdict"' in page
    # Abbreviations that the reasons use are spelled out, and no others.
    said = " ".join(told.verdict.reasons)
    for short, long in (
        ("SPA", "superior predictive"),
        ("DSR", "deflated Sharpe"),
        ("PBO", "backtest overfit"),
    ):
        assert (short in said) == (long in header), short
    assert "SPA" in said


def test_out_of_sample_is_one_account_from_the_first_test_on(tmp_path: Path) -> None:
    told = judgement(*WINDOWS)
    page = page_of(study_of(tmp_path, "lookback=3:9"), told)
    found = re.search(r'<script type="application/json" id="charts-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    (chart,) = json.loads(found[1])["charts"]
    outside, chosen, benchmark = chart["panels"][0]["series"]
    assert outside["name"] == f"out of sample  {1.01**4 - 1:+.1%}"
    assert outside["values"][894:] == [None, None, 1.01, 1.0201, 1.0303, 1.0406]
    assert benchmark["values"][896] == 1.001
    assert chosen["values"][896] == pytest.approx(1.0 + told.evidence.returns[896, 1], abs=1e-5)
    # 0.1 a session is 1.58 a year of 250
    assert "2022-06-15 to 2022-06-16" in re.sub(r"</?span[^>]*>", "", page)
    assert '<td class="text set">lookback=3</td><td>1.58</td><td>1.58</td>' in page
    assert '<td class="text set">lookback=7</td><td>0.79</td><td>n/a</td>' in page
    assert document(told)["windows"][1] == {
        "train_first": "2020-01-03",
        "train_last": "2020-04-11",
        "first": "2022-06-17",
        "last": "2022-06-18",
        "parameters": {"lookback": 7},
        "in_sample": pytest.approx(0.05 * 250**0.5),
        "out_of_sample": None,
    }


def test_a_window_says_what_all_name_first_and_the_rest_below_it(tmp_path: Path) -> None:
    more = Window(2, 101, 898, 899, {"cap": 0.5, "lookback": 7, "top": 3}, 0.1)
    page = page_of(study_of(tmp_path, "lookback=3:9"), judgement(WINDOWS[0], more))
    assert '<td class="text set">lookback=3</td>' in page
    assert '<td class="text set">lookback=7<small>cap=0.5, top=3</small></td>' in page


def test_sets_of_all_windows_name_their_parameters_in_one_order(tmp_path: Path) -> None:
    turned = [
        replace(WINDOWS[0], parameters=given)
        for given in ({"top": 2, "lookback": 3}, {"lookback": 7, "top": 1})
    ]
    page = page_of(study_of(tmp_path, "lookback=3:9"), judgement(*turned))
    assert re.findall(r'<td class="text set">(.*?)</td>', page) == ["lookback=3, top=2", "lookback=7, top=1"]


def test_of_what_is_withheld_the_page_shows_neither_set_nor_curve(tmp_path: Path) -> None:
    told = judgement(*WINDOWS, withheld=True)
    study = study_of(tmp_path, "lookback=3:9")
    page = without_scripts(page_of(study, told))
    assert '<b class="word withheld">withheld</b>' in page
    assert "mode=" not in page
    assert "out-of-sample" not in page
    assert document(told)["windows"] == []
    # Whether it is a plateau is a block of the judgement; what the best reached is no headline without one.
    for shown in ('id="neighbourhood"', "of the best, trial"):
        assert shown not in page
        assert shown in page_of(study, judgement(*WINDOWS))


def test_at_the_terminal_a_search_says_what_came_out_of_its_hold_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = study_of(tmp_path, "lookback=3:9")
    header = {**study.header, "holdout": {"start": "2025-03-03", "end": "2025-08-20"}}
    made = {"cum_returns_final": -0.0312, "annual_return": None, "sharpe_ratio": None}
    found = Opened("2025-09-01T10:00:00", 4, "2025-03-03", "2025-08-20", "run-1", made)
    came_out = "opened on 2025-09-01: total return -3.12%, Sharpe ratio n/a"
    for line, said in ((None, "shut"), (vars(found), came_out)):
        if line:
            with Journal(study.folder / "study.jsonl") as journal:
                journal.append([{"holdout": line}])
        print_study(study.folder, header, leaderboard_of(study.folder, study.header, 3))
        assert f"kept   hold-out from 2025-03-03 to 2025-08-20, {said}\n" in capsys.readouterr().out


def test_a_page_says_that_a_hold_out_is_shut_and_what_came_out_once_it_was_opened(tmp_path: Path) -> None:
    study = study_of(tmp_path, "lookback=3:9")
    assert "hold-out" not in without_scripts(page_of(study))
    kept = replace(study, header={**study.header, "holdout": {"start": "2025-03-03", "end": None}})
    assert "hold-out from" in page_of(kept)
    assert ">2025-03-03</span> on, shut" in page_of(kept)
    made = {"cum_returns_final": 0.1234, "annual_return": None, "sharpe_ratio": 0.5}
    made |= {"max_drawdown": -0.2, "turnover": 3.0}
    found = Opened("2025-09-01T10:00:00", 4, "2025-03-03", "2025-08-20", "run-1", made, ("a look",))
    page = page_of(kept, holdout=found)
    said = "total return 12.34%, Sharpe ratio 0.50; seen before, it confirms nothing"
    assert f">2025-09-01</span>: {said} · study" in page
    for cells in (("Total return", "12.34%"), ("Annual return (by sessions)", "n/a"), ("Trial", "4")):
        assert f'<td class="text">{cells[0]}</td><td>{cells[1]}</td>' in page
    assert '<td class="text">Turnover, one way</td><td>3.00 times a year</td>' in page
    assert "<b>Seen before</b>: it confirms nothing.</p>" in page
    assert page.index("12.34%") < page.index(
        "<p>What had looked (1)</p><ul><li>a look</li></ul>"
    )  # what came out first
    fresh = page_of(kept, holdout=replace(found, seen=()))
    assert "Nobody had looked" in fresh
    assert ": total return 12.34%, Sharpe ratio 0.50 · study" in fresh
    many = ("2025-08-01T09:30:12+00:00 run ShareInflow 2025-03-03 to 2025-07-31 1 set", *["a look"] * 5)
    page = page_of(kept, holdout=replace(found, at="2025-09-01T10:00:12+08:00", seen=many))
    assert "<td>2025-09-01 10:00 +08:00</td>" in page
    assert "<details><summary>What had looked (6)</summary>" in page
    assert ">2025-08-01</span> 09:30 +00:00 run ShareInflow" in page


# --- In a browser -----------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("width", [480, 1400])
@pytest.mark.parametrize(
    ("words", "objectives", "method"),
    [
        (("lookback=3:20", "top=1,2,3", "threshold=0:1:0.25"), (), "grid"),
        (("lookback=3:20", "top=0:4"), ("sharpe_ratio", "-turnover"), "grid"),
        (("lookback=3:40", "cap=0.1:1", "rebalance=5,weekly"), (), "tpe"),
        (("lookback=3:20",), (), "grid"),
    ],
)
def test_a_browser_draws_every_chart_and_reports_no_error(
    tmp_path: Path, width: int, words: tuple[str, ...], objectives: tuple[str, ...], method: str
) -> None:
    study = study_of(
        tmp_path, *words, objectives=objectives, method=method, trials=60 if method == "tpe" else None
    )
    page_of(study)
    with opened(study.folder / "study.html", width) as (page, said):
        page.wait_for_timeout(200)
        assert said == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        charts = page.locator(".chart svg").all()
        assert charts
        assert all(each.bounding_box()["height"] > 50 for each in charts)
