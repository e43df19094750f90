"""Neighbours of a parameter set: the same ones for the judgement and for the page, and what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import run_backtest
from engine.tuning.neighbours import Neighbourhood, neighbourhood, neighbours_of
from engine.tuning.outcome import Outcome, Parameters
from engine.tuning.space import Space
from engine.tuning.study import Study
from tests.helpers.tuning import goal_of_words, search_in, space_of


def next_to(space: Space, parameters: Parameters) -> list[Parameters]:
    return [each.parameters for each in neighbours_of(space, parameters)]


def test_neighbours_are_one_step_away_in_one_ordered_dimension() -> None:
    found = neighbours_of(
        space_of("lookback=3:9:3", "top=1,2", "weighting=equal,score"),
        {"lookback": 6, "top": 2, "weighting": "score"},
    )
    assert [each.step for each in found] == ["lookback −1 step", "lookback +1 step", "top −1 step"]
    assert [each.parameters for each in found] == [
        {"lookback": 3, "top": 2, "weighting": "score"},
        {"lookback": 9, "top": 2, "weighting": "score"},
        {"lookback": 6, "top": 1, "weighting": "score"},
    ]


def test_neighbours_obey_the_conditions_and_stay_within_an_interval() -> None:
    tied = space_of("lookback=3:9:3", "top=1,2", where=("lookback <= 3 * top",))
    assert next_to(tied, {"lookback": 6, "top": 2}) == [{"lookback": 3, "top": 2}]
    free = next_to(space_of("margin_weight=0:2", "cap=0.01:1:log"), {"margin_weight": 0.0, "cap": 0.1})
    assert [each["margin_weight"] for each in free] == pytest.approx([0.1, 0.0, 0.0])
    assert [each["cap"] for each in free] == pytest.approx([0.1, 0.1 / 10**0.1, 0.1 * 10**0.1])


def around(
    out: Path, words: Sequence[str], levels: dict[int, float], *, judged: bool = False, **more: Any
) -> Neighbourhood:
    """Search the lookbacks of ``levels`` that a condition leaves; all of them can be run for a judgement."""

    def evaluate(sets: Sequence[Parameters]) -> list[Outcome]:
        return [Outcome({more.get("metric", "sharpe_ratio"): levels[each["lookback"]]}) for each in sets]

    goal = goal_of_words(more.get("metric", "sharpe_ratio"))
    method, trials = ("random", more["trials"]) if "trials" in more else ("grid", None)
    path, _ = search_in(out, space_of(*words), goal, method, trials, evaluator=evaluate)
    study = Study.load(path)
    # A study of draws as far as it got: only the trials that a case names.
    kept = tuple(trial for trial in study.trials if trial.parameters["lookback"] in more.get("tried", levels))
    study = Study(study.folder, study.header, kept)
    found = neighbourhood(study, space_of(*words), evaluate if judged else None)
    assert found is not None
    return found


LEVELS = {8: 0.5, 9: 1.5, 10: 2.0, 11: 1.0, 12: 0.2}


def test_a_plateau_is_the_median_of_the_neighbours_over_the_best(tmp_path: Path) -> None:
    # Beside 10 lie 9 and 11: the median of 1.5 and 1 is 1.25, of 2 that is 62.5 %.
    found = around(tmp_path, ["lookback=8:12"], LEVELS)
    assert (found.known, found.median, found.worst, found.share) == (2, 1.25, 1.0, 0.625)
    assert found.word == "isolated peak"
    higher = around(tmp_path / "higher", ["lookback=8:12"], LEVELS | {11: 1.4})
    assert (higher.median, higher.word) == (pytest.approx(1.45), "plateau")


def test_what_was_not_tried_is_run_for_the_judgement_and_unknown_without(tmp_path: Path) -> None:
    words, tried = ["lookback=8:12"], (8, 10, 11)
    without = around(tmp_path / "without", words, LEVELS, tried=tried)
    assert [(each.number, each.outcome is None) for each in without.places] == [(None, True), (3, False)]
    assert (without.known, without.median, without.share) == (1, 1.0, 0.5)
    judged = around(tmp_path / "judged", words, LEVELS, tried=tried, judged=True)
    assert [each.number for each in judged.places] == [None, 3]
    assert (judged.known, judged.median, judged.share) == (2, 1.25, 0.625)


@pytest.mark.parametrize(
    ("metric", "levels", "share", "word", "reason"),
    [
        # A share of a negative Sharpe ratio has no meaning; of drawdowns, negative by nature, it has.
        ("sharpe_ratio", {4: -0.2, 5: -0.1}, None, "unknown", "the best is not above zero"),
        ("max_drawdown", {4: -0.2, 5: -0.1}, 0.5, "isolated peak", ""),
        ("max_drawdown", {4: -0.1, 5: -0.08}, 0.8, "plateau", ""),
        ("turnover", {4: 4.0, 5: 3.0}, 0.75, "plateau", ""),
        ("sharpe_ratio", {4: 0.01, 5: 0.09}, None, "unknown", "the Sharpe ratio of the best is below 0.1"),
        ("annual_return", {4: 0.01, 5: 0.09}, 1.0 / 9.0, "isolated peak", ""),
        ("sharpe_ratio", {4: -0.2, 5: 1.0}, None, "isolated peak", ""),
        ("sharpe_ratio", {5: 1.0}, None, "unknown", "the best has no neighbours"),
    ],
)
def test_a_share_of_the_best_has_a_meaning_or_none(
    tmp_path: Path, metric: str, levels: dict[int, float], share: float | None, word: str, reason: str
) -> None:
    found = around(tmp_path, [f"lookback={min(levels)}:{max(levels)}"], levels, metric=metric)
    assert found.share == (None if share is None else pytest.approx(share))
    assert (found.word, found.reason) == (word, reason)


def test_nothing_is_known_where_no_neighbour_was_tried(tmp_path: Path) -> None:
    found = around(tmp_path, ["lookback=8:12"], LEVELS, tried=(8, 10))
    assert (found.known, found.word) == (0, "unknown")
    assert found.reason == "none of its neighbours was tried"


@pytest.mark.slow
def test_the_verdict_and_the_neighbourhood_on_a_page_are_of_the_same_sets(tmp_path: Path) -> None:
    # Draws over an interval: no neighbour of the best is a trial.
    words = (
        *("tune", "momentum", "--param", "lookback=20,40", "--param", "cap=0.2:1", "--method", "random"),
        *("--trials", "6", "--splits", "none", "--start", "2022-01-04", "--end", "2025-06-30", "--quiet"),
    )
    program = Path(run_backtest.__file__)
    done = subprocess.run(
        [sys.executable, str(program), *words], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / done.stdout.strip()
    verdict = json.loads((folder / "verdict.json").read_text())["blocks"]["plateau"]
    page = re.sub(r"<[^>]+>", "|", (folder / "study.html").read_text())
    assert verdict["neighbours"] >= 2
    assert page.count("no trial|") == verdict["neighbours"]
    assert f"The median of the neighbours is {verdict['neighbours_median']:.3f}" in page
    assert f"the worst is {verdict['neighbours_worst']:.3f}." in page
