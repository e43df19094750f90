"""The six blocks on evidence small enough for a pencil: ratios that are whole multiples of one unit."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from data.errors import UsageError
from engine.statistics.haircut import sharpe_haircut
from engine.statistics.sharpe import moments
from engine.verdict.evidence import CombinatorialOutcome, TrialLog, WalkForwardOutcome
from engine.verdict.reasons import block_length
from engine.verdict.returns import assumptions, largest_month, plateau, selected
from engine.verdict.sample import sample_of
from engine.verdict.selection import blocks_for, luck, selection
from engine.verdict.skill import resamples_for, skill
from engine.verdict.verdict import report
from tests.helpers.evidence import FEW, LINES, SWING, UNIT, YEAR, evidence, levels, random_returns


def whole(table):
    """All of a table, as an array."""
    return table.columns(np.arange(table.shape[1]))


def swinging(*sharpes):
    """Trials with such annual Sharpe ratios, over four sessions."""
    return 0.001 * np.column_stack([SWING + each / YEAR / UNIT for each in sharpes])


@pytest.mark.parametrize(
    ("chosen", "neighbour", "share", "reason"),
    [
        (1.0, 0.7, 0.7, None),
        (1.0, -3.81, math.nan, "the neighbours' median is not above zero"),
        (0.099, 0.7, math.nan, "the Sharpe ratio of the selected trial is below 0.1"),
        (0.101, 0.202, 2.0, None),
        (-0.2, 0.7, math.nan, "the Sharpe ratio of the selected trial is not positive"),
    ],
)
def test_no_share_is_told_of_next_to_nothing(chosen, neighbour, share, reason):
    given = evidence(swinging(chosen, neighbour), neighbours=(1,))
    found = plateau(given, sample_of(given))
    assert found.neighbours_share == pytest.approx(share, nan_ok=True)
    assert found.reasons.get("neighbours_share") == reason


@pytest.mark.parametrize(("sharpe", "years"), [(0.5, True), (0.15, True), (0.13, False), (0.01, False)])
def test_a_track_record_that_nobody_lives_to_see_is_not_told(sharpe, years):
    # Over 400 sessions the deviation is 1.0013 instead of that of four, 1.1547, and the ratios 1.153 times as
    # large: (1.645 / 0.173)² are 90 years, (1.645 / 0.150)² 120.
    rows = np.tile(swinging(sharpe, 0.0), (100, 1))
    found = report(evidence(rows), resamples=FEW).blocks.luck
    assert math.isfinite(found.track_record_years) == years
    if not years:
        why = "more than 100 years: the Sharpe ratio is too close to zero"
        assert found.reasons["track_record_years"] == why


def test_over_a_gap_of_the_benchmark_trials_are_compounded():
    returns = random_returns(columns=3)
    benchmark = returns[:, 0].copy()
    benchmark[50:52], benchmark[52] = np.nan, np.prod(1.0 + returns[50:53, 0]) - 1.0
    benchmark[250:] = np.nan
    found = report(evidence(returns, benchmark=benchmark), resamples=FEW).blocks
    assert found.skill.benchmark_difference == pytest.approx(0.0, abs=1e-9)
    assert found.skill.sessions == 248
    own = np.r_[returns[:50, 0], benchmark[52], returns[53:250, 0]]
    ratio = own.mean() / own.std(ddof=1) * math.sqrt(252.0 * 248 / 250)
    assert found.skill.benchmark_sharpe == pytest.approx(ratio)


def test_failed_trials_leave_then_sessions_with_a_gap():
    returns = levels(4, 3, 2, 1)
    returns[:, 1] = np.nan
    returns[2, 3] = np.nan
    benchmark = np.array([0.0, 0.001, 0.002, 0.003])
    found = sample_of(evidence(returns, 2, benchmark=benchmark, neighbours=(1, 3), default=1))
    np.testing.assert_array_equal(whole(found.returns), returns[[0, 1, 3]][:, [0, 2, 3]])
    np.testing.assert_array_equal(found.benchmark, [0.0, 0.001, 0.003])
    assert (found.selected, found.default, found.neighbours) == (1, None, (2,))
    assert (found.failed, found.dropped) == (1, 1)
    np.testing.assert_array_equal(found.chosen, returns[[0, 1, 3], 2])


def test_a_failed_trial_alone_leaves_and_so_does_a_gap_alone():
    benchmark, equal = np.array([0.0, 0.001, 0.002, 0.003]), np.array([0.004, 0.005, 0.006, 0.007])
    failed, gap = levels(4, 3, 2), levels(4, 3, 2)
    failed[:, 1], gap[2, 1] = np.nan, np.nan
    found = sample_of(evidence(failed, 2, benchmark=benchmark, equal_weight=equal))
    np.testing.assert_array_equal(whole(found.returns), failed[:, [0, 2]])
    np.testing.assert_array_equal(found.equal_weight, equal)
    assert (found.selected, found.failed, found.dropped) == (1, 1, 0)
    found = sample_of(evidence(gap, 2, benchmark=benchmark, equal_weight=equal))
    np.testing.assert_array_equal(whole(found.returns), gap[[0, 1, 3]])
    np.testing.assert_array_equal(found.benchmark, [0.0, 0.001, 0.003])
    np.testing.assert_array_equal(found.equal_weight, [0.004, 0.005, 0.007])
    assert (found.selected, found.failed, found.dropped) == (2, 0, 1)


def test_cash_is_taken_off_a_return_behind_a_gap_for_the_whole_gap():
    benchmark = np.array([0.001, np.nan, np.nan, 0.009])  # the last is the return of three sessions
    cash = np.array([0.0001, 0.0002, 0.0003, 0.0004])
    found = sample_of(evidence(levels(4, 3), benchmark=benchmark, equal_weight=benchmark, cash=cash))
    of_three = 1.0002 * 1.0003 * 1.0004 - 1.0
    expected = [0.0009, np.nan, np.nan, 0.009 - of_three]
    np.testing.assert_allclose(found.benchmark, expected, atol=1e-15)
    np.testing.assert_allclose(found.equal_weight, expected, atol=1e-15)
    np.testing.assert_allclose(whole(found.returns), levels(4, 3) - cash[:, None], atol=1e-15)
    np.testing.assert_allclose(found.account, levels(4)[:, 0], atol=1e-15)
    np.testing.assert_array_equal(found.cash, cash)


def test_a_selected_trial_without_returns_is_refused():
    returns = levels(1, 2)
    returns[:, 0] = np.nan
    with pytest.raises(UsageError, match="the selected trial has no return"):
        sample_of(evidence(returns))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"returns": np.zeros(4)}, "not a table"),
        ({"benchmark": np.zeros(3)}, "^the benchmark and the trials do not have the same rows"),
        ({"equal_weight": np.zeros(5)}, "^equal weight and the trials do not have the same rows"),
        ({"days": np.zeros(3, "datetime64[D]")}, "^days and the trials do not have the same rows"),
        ({"cash": np.zeros(3)}, "^interest on cash and the trials do not have the same rows"),
        ({"selected": 2}, "no such trial"),
        ({"default": -1}, "no such trial"),
        ({"neighbours": (0, 5)}, "no such trial"),
        ({"sessions_per_year": 0.9}, "^the number of sessions per year"),
        ({"rebalance": 0}, "^sessions between decisions"),
        ({"seed": -1}, "seed"),
    ],
)
def test_evidence_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(evidence(levels(1, 2)), **changes)


def test_a_session_may_be_a_year():
    assert dataclasses.replace(evidence(levels(1, 2)), sessions_per_year=1.0).sessions_per_year == 1.0


def test_a_log_of_less_than_nothing_is_refused():
    with pytest.raises(UsageError, match="number of trials"):
        TrialLog(total=-1, study=0)


def test_plateau():
    given = evidence(levels(4, 3, 1, 2, 0), neighbours=(1, 2), default=3, benchmark=np.full(4, 0.002))
    found = plateau(given, sample_of(given))
    assert found.neighbours == 2
    assert found.neighbours_median == pytest.approx(2.0 * UNIT * YEAR)
    assert found.neighbours_worst == pytest.approx(1.0 * UNIT * YEAR)
    assert found.neighbours_share == pytest.approx(0.5)
    # 4 and 3 are better than 2; of 4, 3, 1, 2, 0 two are above 2
    assert (found.default_rank, found.ranked) == (3, 5)
    assert found.beating == pytest.approx(0.4)
    assert found.reasons == {}


def test_a_plateau_without_neighbours_default_or_benchmark():
    given = evidence(levels(4, 3))
    found = plateau(given, sample_of(given))
    assert math.isnan(found.neighbours_median)
    assert set(found.reasons) == {
        "neighbours_median",
        "neighbours_worst",
        "neighbours_share",
        "default_rank",
        "beating",
    }


def test_a_peak_of_losses_has_no_share():
    given = evidence(levels(-1, -2), neighbours=(1,))
    found = plateau(given, sample_of(given))
    assert found.neighbours_median == pytest.approx(-2.0 * UNIT * YEAR)
    assert found.reasons["neighbours_share"] == "the Sharpe ratio of the selected trial is not positive"


def test_selected_in_and_out_of_sample():
    outcome = WalkForwardOutcome(returns=levels(2)[:, 0], in_sample=np.array([3.0 * UNIT, 5.0 * UNIT]))
    given = evidence(levels(6), walk_forward=outcome, turnover=3.5)
    found = selected(given, sample_of(given), FEW)
    assert found.in_sample == pytest.approx(6.0 * UNIT * YEAR)
    assert found.out_of_sample == pytest.approx(2.0 * UNIT * YEAR)
    assert found.training == pytest.approx(4.0 * UNIT * YEAR)
    assert found.out_over_in == pytest.approx(0.5)
    assert found.out_of_sample_sessions == 4
    assert found.volatility == pytest.approx(0.001 / UNIT * YEAR)
    assert found.growth == pytest.approx((1.007 * 1.005 * 1.007 * 1.005) ** 63.0 - 1.0)
    assert found.drawdown == 0.0
    assert found.turnover == 3.5
    assert found.reasons["cost_share"] == "not given, or costs leave nothing of the profit before them"
    assert "rows to choose a block length" in found.reasons["block"]


def test_without_splits_out_of_sample_is_undefined():
    given = evidence(levels(6))
    found = selected(given, sample_of(given), FEW)
    names = {name for name, why in found.reasons.items() if why == "walk-forward splits were not run"}
    assert names == {
        "out_of_sample",
        "out_of_sample_error",
        "out_of_sample_low",
        "out_of_sample_high",
        "training",
        "out_over_in",
    }


def test_a_training_that_lost_has_no_ratio_to_keep():
    outcome = WalkForwardOutcome(returns=levels(2)[:, 0], in_sample=np.array([-0.1]))
    given = evidence(levels(6), walk_forward=outcome)
    found = selected(given, sample_of(given), FEW)
    assert found.reasons["out_over_in"] == "the Sharpe ratio in training is not positive"


def test_deflation_by_all_trials_on_record():
    given = evidence(levels(0.6, 0.4, 0.2), total=10)
    found = luck(given, sample_of(given), LINES)
    # 0.6, 0.4, 0.2 units have a standard deviation of 0.2; the bracket of ten trials is in the paper
    assert found.spread == pytest.approx(0.2 * UNIT * YEAR)
    assert found.expected_maximum == pytest.approx(1.5745983013 * 0.2 * UNIT * YEAR)
    assert found.backtest_years == pytest.approx(1.5745983013**2)
    assert found.trials == 10
    assert found.largest == pytest.approx(0.6 * UNIT)
    assert found.years == pytest.approx(4.0 / 252.0)


def test_a_ratio_above_one_a_session_is_not_deflated():
    given = evidence(levels(6, 4, 2))
    found = luck(given, sample_of(given), LINES)
    assert found.reasons["deflated"] == "a trial has a Sharpe ratio above 1 per session in size"
    assert found.reasons["haircut_sharpe"] == found.reasons["deflated"]
    assert math.isnan(found.expected_maximum)


def test_the_effective_number_is_of_all_trials():
    apart = 0.01 * np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    given = evidence(apart, total=10)
    assert luck(given, sample_of(given), LINES).effective == pytest.approx(10.0)
    given = evidence(apart[:, [0, 0]], total=10)
    assert luck(given, sample_of(given), LINES).effective == pytest.approx(1.0)


def test_trials_that_were_not_measured_count_in_the_haircut():
    returns = random_returns(columns=1) + 0.001
    noise = np.random.default_rng(1).normal(0.0, 0.01, 300)
    both = np.column_stack([returns, noise - noise.mean()])
    given = evidence(both, total=100)
    of = moments(returns[:, 0])
    alone = sharpe_haircut(
        of.sharpe, 300, 252.0, autocorrelation=of.autocorrelation, trials=100, method="bonferroni"
    )
    assert 0.0 < alone.annual_after < alone.annual
    assert luck(given, sample_of(given), LINES).haircut_sharpe == pytest.approx(alone.annual_after)


def test_one_trial_here_of_many_on_record_has_no_spread_to_deflate_by():
    given = evidence(random_returns(columns=1), total=500)
    found = luck(given, sample_of(given), LINES)
    assert "spread of the trials is unknown" in found.reasons["deflated"]
    assert math.isnan(found.deflated)


def test_a_single_trial_on_record_is_not_deflated():
    given = evidence(random_returns(columns=1))
    found = luck(given, sample_of(given), LINES)
    assert found.deflated == found.probabilistic
    assert found.backtest_years == 0.0


def test_selection_needs_two_trials():
    given = evidence(random_returns(columns=1), benchmark=np.zeros(300))
    sample = sample_of(given)
    found = selection(given, sample, LINES, skill(given, sample, LINES, FEW))
    assert found.reasons["overfitting"] == "there is one trial only: nothing was selected"
    assert not found.interchangeable


def test_paths_of_combinatorial_splits():
    paths = levels(-1, 1, 2, 3, 4).T
    given = evidence(random_returns(columns=2), combinatorial=CombinatorialOutcome(paths, 3, 7))
    sample = sample_of(given)
    found = selection(given, sample, LINES, skill(given, sample, LINES, FEW))
    assert found.paths == 5
    assert found.path_median == pytest.approx(2.0 * UNIT * YEAR)
    # linear between the first two and the last two: -1 + 0.2 * 2, 3 + 0.8 * 1
    assert found.path_low == pytest.approx(-0.6 * UNIT * YEAR)
    assert found.path_high == pytest.approx(3.8 * UNIT * YEAR)
    assert found.path_loss == pytest.approx(0.2)
    assert (found.purged_size, found.embargo_size) == (3, 7)


@pytest.mark.parametrize(
    ("rows", "rebalance", "blocks"),
    [(2520, 1, 16), (1250, 5, 16), (756, 21, 12), (756, 126, 6), (100, 1, 2), (130, 1, 2)],
)
def test_a_block_spans_a_quarter_and_a_rebalance_cycle(rows, rebalance, blocks):
    assert blocks_for(rows, 252.0, rebalance) == blocks


def test_a_trial_that_does_not_vary_is_not_ranked_but_counts():
    returns = random_returns()
    returns[:, 3] = 0.0
    found = report(evidence(returns, benchmark=np.zeros(300)), resamples=FEW)
    assert found.blocks.selection.excluded == 1
    assert found.blocks.skill.tested == 11
    assert found.blocks.plateau.ranked == 11
    assert found.blocks.luck.trials == 12
    assert "trials not ranked because they do not vary in some half: 1" in found.notes
    assert "trials not tested because they never differ from the benchmark: 1" in found.notes


def test_sessions_without_a_benchmark_leave_its_tests_only():
    returns = random_returns()
    benchmark = np.zeros(300)
    benchmark[:50] = np.nan
    given = evidence(returns, benchmark=benchmark)
    found = skill(given, sample_of(given), LINES, FEW)
    later = evidence(returns[50:], benchmark=benchmark[50:])
    assert found.sessions == 250
    assert found.spa == skill(later, sample_of(later), LINES, FEW).spa
    assert selected(given, sample_of(given), FEW).sessions == 300


def test_without_a_benchmark_there_is_no_test_of_skill():
    given = evidence(random_returns())
    found = skill(given, sample_of(given), LINES, FEW)
    assert math.isnan(found.spa)
    assert {found.reasons[name] for name in ("spa", "spa_lower", "benchmark_p")} == {"there is no benchmark"}


def test_resamples_are_what_a_few_seconds_afford():
    assert resamples_for(1250, 1000) == 2000
    assert resamples_for(2520, 48) == 10_000
    assert resamples_for(2520, 20_000) == 1000
    assert resamples_for(0, 5) == 10_000


def test_default_parameters_are_compared_if_they_are_another_trial():
    returns = random_returns()
    same = evidence(returns, default=0)
    found = skill(same, sample_of(same), LINES, FEW)
    assert found.reasons["default_p"] == "the default parameters were selected"
    other = evidence(returns, default=1)
    found = skill(other, sample_of(other), LINES, FEW)
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    assert found.default_difference == pytest.approx((ratios[0] - ratios[1]) * YEAR)
    assert 0.0 < found.default_p <= 1.0


def test_the_best_month_over_the_whole_profit():
    # wealth 1.1, 1.045 | 1.1495: months gain 0.045 and 0.1045 of 0.1495
    returns, months = np.array([0.1, -0.05, 0.1]), np.array([0, 0, 1])
    assert largest_month(returns, months) == pytest.approx(0.1045 / 0.1495)
    assert math.isnan(largest_month(-returns, months))
    assert math.isnan(largest_month(np.empty(0), np.empty(0, dtype=np.int64)))


def test_months_are_those_of_the_calendar_where_days_are_known():
    returns = np.array([[0.1], [0.1], [0.0], [0.05]])
    days = np.array(["2024-01-30", "2024-01-31", "2024-02-01", "2024-02-02"], dtype="datetime64[D]")
    given = evidence(returns, days=days)
    total = 1.1 * 1.1 * 1.05 - 1.0
    assert assumptions(given, sample_of(given)).largest_month == pytest.approx(0.21 / total)
    # a twelfth of 252 sessions is longer than four
    given = evidence(returns)
    assert assumptions(given, sample_of(given)).largest_month == pytest.approx(1.0)


def test_the_corrected_ratio_follows_the_autocorrelation():
    noise = np.random.default_rng(3).normal(0.0, 0.01, 2001)
    given = evidence((0.001 + noise[1:] + 0.9 * noise[:-1])[:, np.newaxis])
    sample = sample_of(given)
    found = assumptions(given, sample)
    assert found.autocorrelation > found.autocorrelation_bound == pytest.approx(2.0 / math.sqrt(2000.0))
    assert found.corrected < sample.ratios[0] * YEAR


def test_a_trial_that_was_in_cash_for_long_has_a_block_length_or_a_reason():
    returns = random_returns(columns=3)
    returns[:280] = 0.0
    found = report(evidence(returns, benchmark=np.zeros(300)), resamples=FEW)
    assert math.isnan(found.blocks.selected.block) == ("block" in found.blocks.selected.reasons)
    for values in (np.repeat([0.01, 0.0], [1, 19]), np.sin(0.02 * np.arange(8))):
        block = block_length(values)
        assert math.isnan(block.value) == (block.reason is not None)
