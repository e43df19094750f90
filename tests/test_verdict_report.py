"""The report from end to end: searches whose truth is known, too little to judge, text and JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from string import Formatter

import numpy as np
import pytest

from engine.verdict.evidence import CombinatorialOutcome, Evidence, TrialLog, WalkForwardOutcome
from engine.verdict.text import LINES, TITLES, document, render
from engine.verdict.thresholds import Resamples, Thresholds
from engine.verdict.verdict import report

FEW = Resamples(superiority=200, difference=20, interval=30, paths=20)
ROWS = 1300


def search(seed=0, rows=ROWS, sharpes=(0.0,) * 10, correlation=0.3, **more):
    """Normal returns with true annual ratios, the best in sample selected; cash is the benchmark."""
    random = np.random.default_rng(seed)
    shared = math.sqrt(correlation) * random.standard_normal((rows, 1))
    own = math.sqrt(1.0 - correlation) * random.standard_normal((rows, len(sharpes)))
    returns = 0.01 * (shared + own + np.array(sharpes) / math.sqrt(252.0))
    given = {
        "returns": returns,
        "benchmark": np.zeros(rows),
        "selected": int(np.argmax(returns.mean(axis=0) / returns.std(axis=0))),
        "sessions_per_year": 252.0,
        "log": TrialLog(len(sharpes), len(sharpes)),
        "benchmark_name": "cash",
    }
    return Evidence(**(given | more))


def full(seed=0, **more):
    """A search with everything on record."""
    given = search(seed, sharpes=(2.5, *np.linspace(0.0, 1.5, 9)), **more)
    random = np.random.default_rng(99)
    return dataclasses.replace(
        given,
        default=3,
        neighbours=(1, 2),
        days=np.datetime64("2018-01-01") + np.arange(ROWS),
        walk_forward=WalkForwardOutcome(0.001 + 0.01 * random.standard_normal(600), np.array([0.1, 0.15])),
        combinatorial=CombinatorialOutcome(0.001 + 0.01 * random.standard_normal((5, 700)), 5, 10),
        turnover=6.25,
        cost_share=0.125,
        parameters={"lookback": 20, "top": 3},
        header={"strategy": "flow_blend", "costs": "0.01%"},
        exclusions=("2018-02: no flows",),
    )


@pytest.fixture(scope="module")
def of_full():
    return report(full(), resamples=FEW)


@pytest.mark.parametrize("seed", range(6))
def test_pure_noise_is_not_supported(seed):
    found = report(search(seed), resamples=FEW)
    assert found.verdict.word in ("unproven", "rejected")
    assert "luck" in {each.name for each in found.warned.warnings}


@pytest.mark.parametrize("seed", range(3))
def test_one_strong_strategy_is_supported(seed):
    found = report(search(seed, sharpes=(3.5, *(0.0,) * 19)), resamples=FEW)
    assert found.verdict.word == "supported", found.verdict
    assert found.evidence.selected == 0
    assert found.blocks.skill.selected_survives


def test_equally_good_strategies_are_supported_though_the_choice_is_chance():
    found = report(search(1, sharpes=(2.5,) * 10, correlation=0.8), resamples=FEW)
    assert found.blocks.selection.interchangeable
    assert found.blocks.selection.overfitting > 0.2
    assert found.verdict.word == "supported", found.verdict


def test_a_loss_out_of_sample_rejects_a_strong_search():
    given = search(0, sharpes=(3.0, *(0.0,) * 9))
    loss = WalkForwardOutcome(-given.returns[:500, 0], np.array([0.1]))
    found = report(dataclasses.replace(given, walk_forward=loss), resamples=FEW)
    assert found.verdict.word == "rejected"
    assert "out of sample" in found.verdict.reasons[0]


def test_more_trials_on_record_take_the_support_away():
    given = search(0, sharpes=(3.0, *(0.0,) * 9))
    more = dataclasses.replace(given, log=TrialLog(100_000, 10, 99_990))
    found = report(more, resamples=FEW)
    assert found.verdict.word == "unproven"
    assert {"luck", "length"} <= {each.name for each in found.warned.warnings}


STRONG = (3.0, *(0.0,) * 9)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (search(rows=59, sharpes=STRONG), "59 sessions, fewer than 60"),
        (search(rows=755, sharpes=STRONG), "755 sessions are 3.00 years, fewer than 3"),
        (search(sharpes=STRONG, log=TrialLog(0, 0)), "no trial is on record"),
        (search(sharpes=STRONG, log=TrialLog(9, 9)), "9 trials on record, fewer than the 10"),
        (
            search(sharpes=STRONG, log=TrialLog(10, 10, grid_size=12)),
            "10 trials on record, fewer than the 12",
        ),
    ],
)
def test_too_little_to_judge(given, reason):
    found = report(given, resamples=FEW)
    assert found.verdict.word == "withheld"
    assert any(reason in each for each in found.verdict.reasons), found.verdict.reasons


def test_a_history_of_fewer_than_four_blocks_is_not_judged():
    given = search(sharpes=STRONG)
    benchmark = np.full(ROWS, np.nan)  # known on 22 sessions, from which the selected trial departs slowly
    benchmark[-22:] = given.returns[-22:, given.selected] - 0.001 * np.sin(0.3 * np.arange(22))
    found = report(dataclasses.replace(given, benchmark=benchmark), resamples=FEW)
    assert found.verdict.word == "withheld"
    assert "22 sessions with a benchmark in blocks of 8, fewer than 4 blocks" in found.verdict.reasons[0]


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 31])
def test_hardly_any_history_is_an_answer_not_an_exception(rows):
    given = dataclasses.replace(
        search(rows=40), returns=np.zeros((rows, 3)) + 0.01, benchmark=np.zeros(rows), selected=0
    )
    if rows == 0:
        given = dataclasses.replace(search(rows=3), selected=0)
        returns = given.returns.copy()
        returns[0, 1] = returns[1, 2] = returns[2, 3] = np.nan
        given = dataclasses.replace(given, returns=returns)
    found = report(given, resamples=FEW)
    assert found.verdict.word == "withheld"
    json.dumps(document(found), allow_nan=False)
    render(found)


def test_one_trial_alone_is_judged_without_a_selection():
    found = report(search(2, sharpes=(3.0,)), resamples=FEW)
    assert found.verdict.word == "supported", found.verdict
    assert any("nothing was selected" in each for each in found.verdict.reasons)
    assert ("selection", "there is one trial only: nothing was selected") in found.warned.unchecked


def test_a_trial_that_is_too_good_is_named_and_nothing_raised():
    given = search(sharpes=STRONG)
    returns = given.returns.copy()
    returns[:, 4] = 0.001 + 0.0001 * np.sin(np.arange(ROWS))
    found = report(dataclasses.replace(given, returns=returns), resamples=FEW)
    assert "look-ahead" in {each.name for each in found.warned.warnings}
    assert found.verdict.word == "unproven"
    assert any("DSR is undefined" in each for each in found.verdict.reasons)


def test_the_same_evidence_gives_the_same_page(of_full):
    again = report(full(), resamples=FEW)
    assert render(again) == render(of_full)
    assert document(again) == document(of_full)
    other = report(dataclasses.replace(full(), seed=1), resamples=FEW)
    assert other.blocks.selected.in_sample_low != of_full.blocks.selected.in_sample_low


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*path, number))
    else:
        yield path, value


def test_the_document_goes_through_json_unchanged(of_full):
    for found in (of_full, report(search(rows=59), resamples=FEW)):
        whole = document(found)
        assert json.loads(json.dumps(whole, allow_nan=False)) == whole
        for block, content in whole["blocks"].items():
            for field, value in content.items():
                if value is None:
                    assert content["reasons"][field], (block, field)


def test_every_number_of_the_document_is_on_the_page(of_full):
    text, whole = render(of_full), document(of_full)
    parts = text.split("\n\n")
    sections = {block: next(part for part in parts if part.startswith(TITLES[block])) for block in TITLES}
    for block, content in whole["blocks"].items():
        shown = {
            name: style for _, line in LINES[block] for _, name, style, _ in Formatter().parse(line) if name
        }
        for field, value in content.items():
            if field in ("reasons", "parameters"):
                continue
            assert field in shown, f"{block}.{field} is on no line"
            if isinstance(value, bool):
                value = "yes" if value else "no"
            elif isinstance(value, list):
                value = "; ".join(value)
            elif value is None:
                value = "n/a"
            assert format(value, shown[field] if value != "n/a" else "") in sections[block], (block, field)
    for words in ("lookback", "20", "flow_blend", "0.01%", "2018-02: no flows", "10 (this study 10"):
        assert words in text


def test_the_page_says_the_verdict_first_and_every_warning(of_full):
    noise = report(search(), resamples=FEW)
    for found in (of_full, noise):
        text = render(found)
        assert text.startswith(f"Verdict: {found.verdict.word}\n")
        assert text.count("\nWARNING  ") == len(found.warned.warnings)
        for each in found.warned.warnings:
            assert f"WARNING  {each.text} ({each.detail})\n" in text
        for reason in found.verdict.reasons:
            assert reason in text
        assert "\x1b" not in text
        assert "nan" not in text
        assert "inf" not in text.replace("inference", "").replace("information", "")
    assert noise.warned.warnings


def test_what_is_undefined_is_shown_with_its_reason():
    text = render(report(search(), resamples=FEW))
    assert "Sharpe ratio out of sample  n/a [walk-forward splits were not run]\n" in text
    assert "not checked: peak (the selected trial has no neighbours)\n" in text


def test_parameters_of_any_kind_go_through_json():
    odd = {"threshold": -math.inf, "top": np.int64(3), "symbols": ("a", "b"), "cap": None, "on": True}
    found = report(dataclasses.replace(search(), parameters=odd), resamples=FEW)
    shown = json.loads(json.dumps(document(found), allow_nan=False))["blocks"]["selected"]["parameters"]
    assert shown == {"threshold": "-inf", "top": 3, "symbols": ["a", "b"], "cap": None, "on": True}
    assert "threshold" in render(found)


def test_thresholds_are_in_the_document(of_full):
    assert document(of_full)["thresholds"] == dataclasses.asdict(Thresholds())
