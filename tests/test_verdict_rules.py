"""Warnings and verdict words on blocks written by hand: each rule fires beyond its line, and not on it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from engine.verdict.blocks import Assumptions, Blocks, Luck, Plateau, Selected, Selection, Skill
from engine.verdict.evidence import Evidence, TrialLog
from engine.verdict.thresholds import Thresholds
from engine.verdict.verdict import judge
from engine.verdict.warnings import RULES, warned

NAN = math.nan
LINES = Thresholds()


def evidence(total=10, grid_size=0, columns=4):
    return Evidence(
        returns=np.zeros((5, columns)),
        benchmark=None,
        selected=0,
        sessions_per_year=252.0,
        log=TrialLog(total, total, grid_size=grid_size),
    )


def good(**changes):
    """Blocks of which every number is fine, but for the changes, as ``block__field=value``."""
    blocks = Blocks(
        selected=Selected(
            parameters={},
            sessions=2520,
            years=10.0,
            in_sample=1.5,
            in_sample_error=0.3,
            in_sample_low=0.9,
            in_sample_high=2.1,
            out_of_sample=1.0,
            out_of_sample_error=0.4,
            out_of_sample_low=0.2,
            out_of_sample_high=1.8,
            out_of_sample_sessions=1000,
            training=1.6,
            out_over_in=0.625,
            growth=0.2,
            volatility=0.15,
            drawdown=-0.1,
            drawdown_path=-0.3,
            turnover=4.0,
            cost_share=0.05,
            block=5.0,
            reasons={},
        ),
        skill=Skill(
            benchmark="index",
            spa=0.01,
            spa_lower=0.01,
            spa_upper=0.02,
            block=5.0,
            resamples=1000,
            sessions=2520,
            tested=10,
            survivors=3,
            selected_survives=True,
            benchmark_sharpe=0.5,
            benchmark_difference=1.0,
            benchmark_p=0.01,
            benchmark_p_robust=0.01,
            default_difference=0.2,
            default_p=0.3,
            default_p_robust=0.3,
            reasons={},
        ),
        luck=Luck(
            trials=10,
            probabilistic=0.99,
            probabilistic_robust=0.99,
            spread=0.3,
            expected_maximum=0.5,
            deflated=0.97,
            effective=4.0,
            effective_rank=3.0,
            effective_participation=2.0,
            deflated_effective=0.98,
            haircut_sharpe=1.1,
            haircut=0.2,
            track_record_years=2.0,
            backtest_years=2.5,
            years=10.0,
            largest=0.1,
            reasons={},
        ),
        selection=Selection(
            overfitting=0.1,
            loss=0.05,
            blocks=16,
            combinations=12870,
            slope=0.2,
            slope_fit=0.3,
            excluded=0,
            interchangeable=False,
            paths=5,
            path_median=1.0,
            path_low=0.5,
            path_high=1.5,
            path_loss=0.0,
            purged_size=5,
            embargo_size=5,
            reasons={},
        ),
        plateau=Plateau(
            neighbours=4,
            neighbours_median=1.2,
            neighbours_worst=0.9,
            neighbours_share=0.8,
            default_rank=5,
            ranked=10,
            beating=0.7,
            reasons={},
        ),
        assumptions=Assumptions(
            autocorrelation=0.01,
            autocorrelation_bound=0.04,
            corrected=1.5,
            skewness=-0.2,
            kurtosis=4.0,
            largest_month=0.1,
            exclusions=(),
            reasons={},
        ),
    )
    for name, value in changes.items():
        block, field = name.split("__")
        changed = {field: value}
        if isinstance(value, float) and math.isnan(value):
            changed["reasons"] = {**getattr(blocks, block).reasons, field: f"no {field}"}
        blocks = dataclasses.replace(
            blocks, **{block: dataclasses.replace(getattr(blocks, block), **changed)}
        )
    return blocks


def fired(blocks, of=None):
    return {each.name: each for each in warned(of or evidence(), blocks, LINES).warnings}


def test_nothing_fires_on_good_blocks():
    found = warned(evidence(), good(), LINES)
    assert found.warnings == ()
    assert found.unchecked == ()


@pytest.mark.parametrize(
    ("name", "on_the_line", "beyond", "text"),
    [
        (
            "luck",
            {"luck__deflated": 0.95},
            {"luck__deflated": 0.9499},
            "Not distinguishable from the best of 10 lucky trials.",
        ),
        (
            "skill",
            {"skill__spa": 0.05},
            {"skill__spa": 0.0501},
            "No configuration beats the benchmark after allowing for the search.",
        ),
        (
            "length",
            {"luck__years": 2.5},
            {"luck__years": 2.49},
            "10 trials on this history are expected to produce SR ≥ 1 without skill.",
        ),
        (
            "selection",
            {"selection__overfitting": 0.5},
            {"selection__overfitting": 0.51},
            "Choosing by in-sample rank did not help.",
        ),
        (
            "selection",
            {"selection__overfitting": 0.21, "selection__loss": 0.3},
            {"selection__overfitting": 0.21, "selection__loss": 0.31},
            "Choosing by in-sample rank did not help.",
        ),
        (
            "selection",
            {"selection__overfitting": 0.2, "selection__loss": 0.9},
            {"selection__overfitting": 0.6, "selection__interchangeable": True},
            "Choosing by in-sample rank did not help. "
            "Configurations are interchangeable; choose by cost and simplicity.",
        ),
        (
            "degradation",
            {"selected__out_over_in": 0.5},
            {"selected__out_over_in": 0.49},
            "Performance degrades out of sample.",
        ),
        (
            "degradation",
            {"selection__slope": -1.0, "selection__slope_fit": 0.99},  # says nothing
            {"selected__out_over_in": -0.1, "selection__slope": 1.0},
            "Performance degrades out of sample.",
        ),
        ("peak", {"plateau__neighbours_share": 0.7}, {"plateau__neighbours_share": 0.69}, "Isolated peak."),
        (
            "peak",
            {"plateau__neighbours_share": 0.7},
            {"plateau__neighbours_share": NAN, "plateau__neighbours_median": -0.2},
            "Isolated peak.",
        ),
        (
            "autocorrelation",
            {"assumptions__autocorrelation": 0.04},
            {
                "assumptions__autocorrelation": 0.041,
                "assumptions__corrected": NAN,
                "selected__in_sample": -0.5,
            },
            "√f annualisation overstates SR in size.",
        ),
        (
            "luck",
            {"luck__deflated": 0.95},
            {"luck__deflated": 0.9, "luck__trials": 1},
            "Not distinguishable from luck.",
        ),
        (
            "autocorrelation",
            {"assumptions__autocorrelation": 0.04},
            {"assumptions__autocorrelation": 0.041},
            "√f annualisation overstates SR; see corrected value.",
        ),
        (
            "autocorrelation",
            {"assumptions__autocorrelation": -0.04},
            {"assumptions__autocorrelation": -0.041},
            "√f annualisation understates SR; see corrected value.",
        ),
        ("short", {"skill__sessions": 756}, {"skill__sessions": 755}, "Too short for inference."),
        ("short", {"selected__sessions": 756}, {"selected__sessions": 755}, "Too short for inference."),
        # four blocks of 630 are 2520
        ("short", {"selected__block": 630.0}, {"selected__block": 631.0}, "Too short for inference."),
        ("short", {"skill__block": 630.0}, {"skill__block": 631.0}, "Too short for inference."),
        (
            "look-ahead",
            {"luck__largest": 1.0},
            {"luck__largest": 1.01},
            "Check for look-ahead; none of these tests detects it.",
        ),
        (
            "look-ahead",
            {"luck__deflated": 0.9994, "selected__in_sample": 3.1},
            {"luck__deflated": 0.9995, "selected__in_sample": 3.1},
            "Check for look-ahead; none of these tests detects it.",
        ),
        (
            "look-ahead",
            {"luck__deflated": 1.0, "selected__in_sample": 3.0},
            {"luck__deflated": NAN, "luck__largest": 1.2, "selected__in_sample": 3.1},
            "Check for look-ahead; none of these tests detects it.",
        ),
    ],
)
def test_each_warning_fires_beyond_its_line(name, on_the_line, beyond, text):
    assert name not in fired(good(**on_the_line))
    assert set(fired(good(**beyond))) == {name}
    assert fired(good(**beyond))[name].text == text


@pytest.mark.parametrize(
    ("given", "fires"),
    [
        ({"total": 0}, True),
        ({"total": 3, "columns": 4}, True),
        ({"total": 4, "columns": 4}, False),
        ({"total": 11, "grid_size": 12}, True),
        ({"total": 12, "grid_size": 12}, False),
    ],
)
def test_trials_that_are_not_recorded(given, fires):
    found = fired(good(), evidence(**given))
    assert set(found) == ({"log"} if fires else set())
    if fires:
        assert found["log"].text == "Deflation impossible: trials not recorded."
    assert (judge(evidence(**given), good(), LINES).word == "withheld") is fires


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("luck", "luck__deflated"),
        ("skill", "skill__spa"),
        ("selection", "selection__overfitting"),
        ("degradation", "selected__out_over_in"),
        ("peak", "plateau__neighbours_share"),
        ("autocorrelation", "assumptions__autocorrelation"),
        ("look-ahead", "selected__in_sample"),
    ],
)
def test_what_is_undefined_is_named_not_passed_over(name, field):
    found = warned(evidence(), good(**{field: NAN}), LINES)
    assert found.warnings == ()
    assert dict(found.unchecked) == {name: f"no {field.split('__')[1]}"}


def test_every_row_of_the_table_is_a_rule():
    assert len(RULES) == 11


@pytest.mark.parametrize(
    ("changes", "word", "reason"),
    [
        ({}, "supported", "SPA p 0.0100 is at most 0.05."),
        ({}, "supported", "DSR 0.9700 is at least 0.95."),
        ({}, "supported", "PBO 0.100 is at most 0.2."),
        ({}, "supported", "10.00 years are at least the 2.50 that 10 trials need."),
        (
            {"skill__spa": 0.05, "luck__deflated": 0.95, "selection__overfitting": 0.2},
            "supported",
            "PBO 0.200",
        ),
        ({"luck__backtest_years": 10.0}, "supported", "10.00 years are at least the 10.00"),
        ({"selected__out_of_sample": NAN}, "supported", "Out of sample nothing is known: no out_of_sample."),
        (
            {"selection__overfitting": 0.6, "selection__interchangeable": True},
            "supported",
            "PBO 0.600 is above 0.2. The trials are interchangeable: 3 of 10 beat index.",
        ),
        (
            {"luck__trials": 1, "selection__overfitting": NAN},
            "supported",
            "nothing was selected from one trial",
        ),
        ({"skill__spa": 0.0501}, "unproven", "SPA p 0.0501 is above 0.05."),
        ({"skill__spa": 0.2}, "unproven", "SPA p 0.2000 is above 0.05."),
        ({"skill__spa": NAN}, "unproven", "SPA p is undefined: no spa."),
        ({"luck__deflated": 0.9499}, "unproven", "DSR 0.9499 is below 0.95."),
        ({"luck__deflated": NAN}, "unproven", "DSR is undefined: no deflated."),
        ({"selection__overfitting": 0.21}, "unproven", "PBO 0.210 is above 0.2."),
        ({"selection__overfitting": NAN}, "unproven", "PBO is undefined: no overfitting."),
        ({"luck__backtest_years": 10.01}, "unproven", "10.00 years are below the 10.01 that 10 trials need."),
        ({"skill__spa": 0.2001}, "rejected", "SPA p 0.2001 is above 0.2"),
        (
            {"selected__out_of_sample": 0.0},
            "rejected",
            "The Sharpe ratio out of sample, 0.00, is not above 0.",
        ),
        ({"selected__sessions": 59}, "withheld", "59 sessions, fewer than 60"),
        ({"selected__sessions": 750}, "withheld", "750 sessions are 2.98 years, fewer than 3"),
        (
            {"skill__block": 631.0},
            "withheld",
            "2520 sessions with a benchmark in blocks of 631, fewer",
        ),
        # too little to judge comes before a rejection
        ({"selected__sessions": 750, "skill__spa": 0.9}, "withheld", "2.98 years"),
    ],
)
def test_the_verdict_and_its_reasons(changes, word, reason):
    found = judge(evidence(), good(**changes), LINES)
    assert found.word == word
    assert any(reason in each for each in found.reasons), found.reasons


def test_sixty_sessions_are_enough_where_they_are_long():
    yearly = dataclasses.replace(evidence(), sessions_per_year=12.0)
    assert fired(good(selected__sessions=60, skill__sessions=60), yearly) == {}
    assert set(fired(good(selected__sessions=59, skill__sessions=60), yearly)) == {"short"}
    assert set(fired(good(selected__sessions=60, skill__sessions=59), yearly)) == {"short"}
    assert fired(good(selected__sessions=60, skill__sessions=0), yearly) == {}


def test_thresholds_are_settings():
    strict = dataclasses.replace(LINES, superiority=0.001)
    assert judge(evidence(), good(), strict).word == "unproven"
    assert [each.name for each in warned(evidence(), good(), strict).warnings] == ["skill"]
