"""Blocks 1, 5 and 6 by hand: what each number is made of, and the reason of each that is undefined."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from engine.statistics.bootstrap import drawdown_paths, sharpe_interval
from engine.statistics.sharpe import standard_error_robust
from engine.verdict.evidence import WalkForwardOutcome
from engine.verdict.reasons import Collected, block_length
from engine.verdict.returns import assumptions, largest_month, plateau, selected
from engine.verdict.sample import sample_of
from tests.helpers.evidence import FEW, UNIT, YEAR, evidence, levels, random_returns

NOT_RUN = "walk-forward splits were not run"


def block_1(returns, **more):
    given = evidence(returns, **more)
    return selected(given, sample_of(given), FEW)


def block_5(returns, **more):
    given = evidence(returns, **more)
    return plateau(given, sample_of(given))


def block_6(returns, **more):
    given = evidence(returns, **more)
    return assumptions(given, sample_of(given))


def test_a_number_is_scaled_or_has_its_reason():
    why = Collected()
    assert why.number("known", 2.0, "unused", 3.0) == 6.0
    assert math.isnan(why.number("given", math.nan, "a reason"))
    assert math.isnan(why.number("endless", math.inf))
    assert math.isnan(why.number("estimate", block_length(np.empty(0)), "another reason"))
    assert why == {"given": "a reason", "endless": "undefined", "estimate": "there is no return"}


def test_errors_intervals_and_paths_in_and_out_of_sample_are_annual():
    inside, outside = random_returns(columns=1), random_returns(rows=200, columns=1, seed=5)[:, 0]
    found = block_1(
        inside,
        walk_forward=WalkForwardOutcome(np.append(outside, math.nan), np.array([0.1, math.nan, 0.3])),
        parameters={"top": 2},
        turnover=3.5,
        cost_share=0.25,
        seed=7,
    )
    assert (found.sessions, found.out_of_sample_sessions, found.years) == (300, 200, 300 / 252)
    assert found.training == pytest.approx(0.2 * YEAR)
    assert (dict(found.parameters), found.turnover, found.cost_share) == ({"top": 2}, 3.5, 0.25)
    for name, values in (("in_sample", inside[:, 0]), ("out_of_sample", outside)):
        ratio = values.mean() / values.std(ddof=1)
        assert getattr(found, name) == pytest.approx(ratio * YEAR)
        error = standard_error_robust(values).value
        assert getattr(found, f"{name}_error") == pytest.approx(error * YEAR)
        low, high = sharpe_interval(values, block=block_length(values).value, seed=7, resamples=50).bca
        ends = (getattr(found, f"{name}_low"), getattr(found, f"{name}_high"))
        assert ends == pytest.approx((low * YEAR, high * YEAR))
        if name == "out_of_sample":
            assert found.out_over_in == pytest.approx(ratio / 0.2)
    assert found.block == block_length(inside[:, 0]).value
    paths = drawdown_paths(inside[:, 0], block=found.block, seed=7, resamples=20, shares=(0.05,))
    assert found.drawdown_path == paths.quantiles[0.05]
    assert found.reasons == {}


def test_reasons_of_a_history_too_short_for_blocks():
    found = block_1(levels(6))
    short = "it takes at least 11 rows to choose a block length"
    assert found.reasons == {
        "in_sample_low": "the block length is undefined",
        "in_sample_high": "the block length is undefined",
        **dict.fromkeys(
            ("out_of_sample", "out_of_sample_error", "out_of_sample_low", "out_of_sample_high"), NOT_RUN
        ),
        "training": NOT_RUN,
        "out_over_in": NOT_RUN,
        "drawdown_path": "the block length is undefined",
        "turnover": "not given",
        "cost_share": "not given, or costs leave nothing of the profit before them",
        "block": short,
    }
    assert found.out_of_sample_sessions == 0


def test_an_interval_without_a_correction_says_why():
    values = np.zeros((44, 1))
    values[3] = 0.01
    found = block_1(values)
    # a resample has the only gain not at all, which is no ratio, once, as the history has it, or more often
    assert found.reasons["in_sample_low"] == "all resamples are on one side of the statistic"
    assert found.reasons["in_sample_high"] == found.reasons["in_sample_low"]


def test_windows_without_a_ratio_have_no_training():
    found = block_1(levels(6), walk_forward=WalkForwardOutcome(levels(2)[:, 0], np.array([math.nan])))
    assert found.reasons["training"] == "no window has a Sharpe ratio"
    assert found.reasons["out_over_in"] == "no window has a Sharpe ratio"
    ends = {found.reasons[f"out_of_sample_{end}"] for end in ("low", "high")}
    assert ends == {"the block length is undefined"}
    # a test without variation is undefined, and so is what is left of the training
    found = block_1(levels(6), walk_forward=WalkForwardOutcome(np.full(4, 0.01), np.array([0.1])))
    assert found.reasons["out_of_sample"] == found.reasons["out_over_in"] == "returns do not vary"
    # a training ratio of zero has nothing to be kept of
    found = block_1(levels(6), walk_forward=WalkForwardOutcome(levels(2)[:, 0], np.array([0.0])))
    assert found.reasons["out_over_in"] == "the Sharpe ratio in training is not positive"


def test_what_a_single_session_and_a_total_loss_leave():
    one = block_1(np.array([[0.1]]))
    assert one.reasons["volatility"] == "it takes at least two sessions"
    assert one.growth == pytest.approx(1.1**252 - 1.0)
    two = block_1(np.array([[0.1], [-0.2]]))
    assert two.volatility == pytest.approx(0.3 / math.sqrt(2.0) * YEAR)
    assert two.growth == pytest.approx(0.88**126 - 1.0)
    lost = block_1(np.array([[0.1], [-1.0], [0.1]]))
    assert lost.reasons["growth"] == "all was lost"
    assert lost.drawdown == -1.0


def test_a_history_without_a_session_or_a_change_has_no_ratio():
    # the two trials were never known on the same session
    nothing = block_1(np.array([[0.1, math.nan], [math.nan, 0.1]]))
    assert (nothing.sessions, nothing.years) == (0, 0.0)
    assert math.isnan(nothing.growth)
    assert nothing.reasons["in_sample"] == "it takes at least three returns"
    flat = block_1(np.full((60, 1), 0.01))
    for name in ("in_sample", "in_sample_error", "in_sample_low", "in_sample_high", "block"):
        assert math.isnan(getattr(flat, name))
    assert flat.reasons["in_sample"] == flat.reasons["in_sample_error"] == "returns do not vary"


def test_a_share_of_the_neighbours_needs_a_profit():
    # 0.4 and 0.2 units are ratios of 0.35 and 0.17
    assert block_5(levels(0.4, 0.2), neighbours=(1,)).neighbours_share == pytest.approx(0.5)
    found = block_5(levels(0, -1), neighbours=(1,))
    assert found.reasons["neighbours_share"] == "the Sharpe ratio of the selected trial is not positive"
    assert found.neighbours_worst == pytest.approx(-UNIT * YEAR)
    # a mean of nothing is no profit either
    found = block_5(levels(4, 0), neighbours=(1,))
    assert found.reasons["neighbours_share"] == "the neighbours' median is not above zero"


def test_reasons_of_a_plateau():
    alone = block_5(levels(4, 3))
    lonely = "the selected trial has no neighbours"
    names = ("neighbours_median", "neighbours_worst", "neighbours_share")
    assert alone.reasons == {
        **dict.fromkeys(names, lonely),
        "default_rank": "the default parameters are not among the trials",
        "beating": "there is no benchmark",
    }
    assert (alone.neighbours, alone.default_rank, alone.ranked) == (0, 0, 2)
    still = np.column_stack([levels(4)[:, 0], np.zeros(4)])
    found = block_5(still, neighbours=(1,), default=1)
    assert {found.reasons[name] for name in names} == {"no neighbour has a Sharpe ratio"}
    assert found.reasons["default_rank"] == "the default parameters have no Sharpe ratio"
    assert (found.neighbours, found.default_rank, found.ranked) == (0, 0, 1)


def test_moments_of_a_swing():
    # deviations of 1, -1, 1, -1: no skewness, the smallest kurtosis, -3 of 4 in the first autocorrelation
    found = block_6(10.0 * levels(0.5), exclusions=("one fund",))
    assert (found.skewness, found.kurtosis, found.autocorrelation) == pytest.approx((0.0, 1.0, -0.75))
    assert found.autocorrelation_bound == 1.0
    # Lo's factor is the root of q / (1 + 2ρ/(1-ρ) (1 - 1/(q(1-ρ)))), as ρ to the power of 252 is nothing
    inflation = 1.0 - 1.5 / 1.75 * (1.0 - 1.0 / (252.0 * 1.75))
    assert found.corrected == pytest.approx(0.5 * UNIT * math.sqrt(252.0 / inflation))
    assert (found.exclusions, found.reasons) == (("one fund",), {})


def test_returns_that_do_not_vary_have_no_moments():
    found = block_6(np.full((30, 1), -0.01))
    names = ("autocorrelation", "corrected", "skewness", "kurtosis")
    expected = dict.fromkeys(names, "returns do not vary") | {
        "largest_month": "the profit is below 1%, or below that of the best month"
    }
    assert found.reasons == expected
    assert all(math.isnan(getattr(found, name)) for name in expected)
    assert block_6(np.array([[0.01]])).autocorrelation_bound == 2.0


def test_months_without_a_calendar_are_twelfths_of_a_year():
    # of 252 sessions 21: wealth 1.1, then 1.21 on the last of the first month, then 1.21 * 1.05
    returns = np.zeros((42, 1))
    returns[[0, 20, 30], 0] = 0.1, 0.1, 0.05
    assert block_6(returns).largest_month == pytest.approx(0.21 / (1.21 * 1.05 - 1.0))
    given = dataclasses.replace(evidence(np.array([[0.1], [0.1]])), sessions_per_year=12.0)
    assert assumptions(given, sample_of(given)).largest_month == pytest.approx(0.11 / 0.21)


def test_the_best_month_may_be_the_last_one_of_several_sessions():
    returns, months = np.array([0.1, 0.1, 0.2, 0.2]), np.array([0, 0, 1, 1])
    profit = 1.21 * 1.44 - 1.0
    assert largest_month(returns, months) == pytest.approx((profit - 0.21) / profit)
    assert math.isnan(largest_month(np.zeros(2), np.array([0, 1])))
