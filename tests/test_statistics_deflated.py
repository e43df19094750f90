"""Deflated Sharpe ratio, effective number of trials, minimum backtest length: published numbers and scipy."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from data.errors import UsageError
from engine.statistics.deflated import (
    deflated_sharpe,
    effective_trials,
    expected_maximum,
    minimum_backtest_length,
)
from engine.statistics.sharpe import Moments, moments, probabilistic_sharpe

SELECTED = Moments(1250, 2.5 / math.sqrt(250.0), -3.0, 10.0)


def test_expected_maximum():
    assert expected_maximum(10) == pytest.approx(1.5745983013, abs=1e-10)
    assert expected_maximum(100) == pytest.approx(2.5306028932, abs=1e-10)
    # from five trials on by the formula: (1-γ) Φ⁻¹(4/5) + γ Φ⁻¹(1 - 1/(5e))
    five = 0.4227843351 * stats.norm.ppf(0.8) + 0.5772156649 * stats.norm.isf(0.2 / math.e)
    assert expected_maximum(5) == pytest.approx(five, abs=1e-9)


@pytest.mark.parametrize("trials", [1, 1.5, 2, 2.27, 3, 4, 4.9])
def test_few_trials_have_the_exact_maximum(trials):
    def integrand(x):
        return x * trials * stats.norm.pdf(x) * stats.norm.cdf(x) ** (trials - 1.0)

    assert expected_maximum(trials) == pytest.approx(integrate.quad(integrand, -12, 12)[0], abs=1e-9)


def test_two_and_three_trials_in_closed_form():
    assert expected_maximum(1) == 0.0
    assert expected_maximum(2) == pytest.approx(1.0 / math.sqrt(math.pi), abs=1e-12)
    assert expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi), abs=1e-12)


@given(st.floats(1.0, 1e9), st.floats(1.001, 3.0))
def test_more_trials_expect_more(trials, factor):
    assert expected_maximum(trials * factor) > expected_maximum(trials)


def spread_out(spread, trials):
    """Ratios on both sides of zero with this standard deviation (ddof 1)."""
    return spread * math.sqrt((trials - 1) / trials) * (-1.0) ** np.arange(trials)


def test_deflated_sharpe_as_published():
    found = deflated_sharpe(SELECTED, spread_out(math.sqrt(0.5 / 250.0), 100))
    assert found.benchmark == pytest.approx(0.1131720019, abs=1e-10)
    assert found.value == pytest.approx(0.9003968344, abs=1e-10)


def test_trials_are_counted_raw_and_their_spread_has_ddof_1():
    ratios = np.random.default_rng(3).normal(0.0, 0.03, 80)
    found = deflated_sharpe(SELECTED, ratios)
    assert found.trials == 80
    assert found.spread == pytest.approx(np.std(ratios, ddof=1))
    assert found.value == pytest.approx(
        probabilistic_sharpe(SELECTED, np.std(ratios, ddof=1) * expected_maximum(80)).value
    )
    # failed trials were looked at too
    failed = deflated_sharpe(SELECTED, [*ratios, math.nan, math.nan])
    assert (failed.trials, failed.spread) == (82, found.spread)
    assert failed.value < found.value
    assert deflated_sharpe(SELECTED, ratios, trials=500).value < failed.value


def test_one_trial_is_not_deflated():
    found = deflated_sharpe(SELECTED, [SELECTED.sharpe])
    assert found.value == probabilistic_sharpe(SELECTED).value
    assert (found.benchmark, found.spread, found.trials, found.note) == (0.0, 0.0, 1.0, None)


def test_equal_trials_deflate_nothing_and_say_so():
    found = deflated_sharpe(SELECTED, [0.1] * 20)
    assert found.value == probabilistic_sharpe(SELECTED).value
    assert found.note == "the trials have equal Sharpe ratios: nothing is deflated"
    assert deflated_sharpe(SELECTED, [0.1] * 2).note == found.note
    assert deflated_sharpe(SELECTED, [0.1, 0.12]).note == "too few trials for a reliable spread"
    assert deflated_sharpe(SELECTED, [0.1, 0.12, 0.1, 0.08, 0.1]).note is None


def test_wrong_use_is_refused():
    for empty in ([], [math.nan, math.nan]):
        with pytest.raises(UsageError, match="no trial"):
            deflated_sharpe(SELECTED, empty)
    with pytest.raises(UsageError, match=r"^a Sharpe ratio of a trial is not per period"):
        deflated_sharpe(SELECTED, [0.1, 1.4])
    with pytest.raises(UsageError, match=r"^the number of trials is too small"):
        expected_maximum(0.5)
    for endless in (
        lambda: deflated_sharpe(SELECTED, [0.1, 0.2], math.inf),
        lambda: expected_maximum(math.inf),
    ):
        with pytest.raises(UsageError, match="number of trials is too large; received inf"):
            endless()


def test_ratios_above_one_are_annual_from_sixty_observations_on():
    ups_and_downs = [0.01, -0.01, 0.02] * 20
    with pytest.raises(UsageError, match="not per period"):
        deflated_sharpe(moments(ups_and_downs), [0.1, 1.4])
    # of two trials the larger is expected at 1/√π of their spread, 1.3/√2
    found = deflated_sharpe(moments(ups_and_downs[:59]), [0.1, 1.4])
    assert found.benchmark == pytest.approx(1.3 / math.sqrt(2.0 * math.pi), rel=1e-12)


def test_a_ratio_given_by_hand_that_may_be_annual_is_told_beside_the_trials():
    annual = (
        "the Sharpe ratio 0.31 is taken per period, which is 4.9 a year of 252 sessions: "
        "divide an annual figure by the square root of the periods per year"
    )
    few = "too few trials for a reliable spread"
    for ratio, trials, note in ((0.31, 6, annual), (0.31, 2, f"{few}; {annual}"), (0.3, 6, None)):
        assert deflated_sharpe(Moments(252, ratio), spread_out(0.01, trials)).note == note
    # of 0.02 and 0.01 in turn the ratio is 3, and measured
    measured = moments([0.02, 0.01] * 30)
    assert deflated_sharpe(measured, spread_out(0.01, 6)).note is None


def test_short_data_are_undefined_not_refused():
    short = moments([0.010, 0.011, 0.012])
    found = deflated_sharpe(short, [9.0, -3.0, 0.5])
    assert found.reason is not None or 0.0 <= found.value <= 1.0
    constant = deflated_sharpe(moments([0.01] * 100), [0.1, 0.2])
    assert (math.isnan(constant.value), constant.reason) == (True, "returns do not vary")
    wide = deflated_sharpe(SELECTED, spread_out(0.9, 10))
    assert math.isnan(wide.value)
    assert wide.reason == "the expected maximum exceeds one per period: trials are too short"
    assert (wide.benchmark, wide.spread, wide.trials) == pytest.approx((0.9 * 1.5745983013, 0.9, 10))


def with_correlation(wanted):
    """Return (8, N) returns whose correlations are exactly ``wanted``, N up to 7."""
    signs = np.array([[1.0]])
    for _ in range(3):
        signs = np.block([[signs, signs], [signs, -signs]])  # columns of +1 and -1, orthogonal
    return signs[:, 1 : len(wanted) + 1] @ np.linalg.cholesky(np.asarray(wanted)).T


def test_effective_trials():
    found = effective_trials(with_correlation([[1.0, 0.8, 0.1], [0.8, 1.0, 0.2], [0.1, 0.2, 1.0]]))
    assert found.average_correlation == pytest.approx(2.2666666667, abs=1e-10)
    assert found.effective_rank == pytest.approx(2.3134923532, abs=5e-9)  # to nine digits
    assert found.participation == pytest.approx(2.0547945205, abs=5e-9)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_independent_trials_count_fully_and_equal_trials_once(count):
    apart = with_correlation(np.eye(count))
    for returns, expected in ((apart, count), (np.repeat(apart[:, :1], count, axis=1), 1)):
        found = effective_trials(returns)
        assert found.average_correlation == pytest.approx(expected)
        assert found.effective_rank == pytest.approx(expected)
        assert found.participation == pytest.approx(expected)


def test_effective_trials_of_returns_leave_out_what_does_not_vary():
    returns = np.random.default_rng(4).normal(0.0, 0.01, (200, 4))
    found = effective_trials(np.column_stack([returns, np.full(200, 0.001)]))
    assert found == effective_trials(returns)
    assert found.trials == 4
    gap = returns.copy()
    gap[5, 2] = np.nan
    assert effective_trials(gap) == effective_trials(np.delete(returns, 5, axis=0))


def test_three_rows_are_enough_for_effective_trials():
    found = effective_trials([[-1.0, 1.0], [0.0, -2.0], [1.0, 1.0]])  # uncorrelated
    figures = (found.average_correlation, found.effective_rank, found.participation)
    assert figures == pytest.approx((2.0, 2.0, 2.0))
    assert (found.trials, found.reason) == (2, None)


def test_effective_trials_of_nothing():
    for returns, reason in (
        (np.zeros((50, 3)), "no trial varies"),
        (np.zeros((3, 3)), "no trial varies"),
        (np.ones((2, 3)), "it takes at least three rows"),
    ):
        found = dataclasses.astuple(effective_trials(returns))
        np.testing.assert_equal(found, (math.nan, math.nan, math.nan, 0, reason))
    with pytest.raises(UsageError, match=r"^returns of trials are not a table"):
        effective_trials([0.1, 0.2, 0.3])


def test_minimum_backtest_length_as_published():
    assert minimum_backtest_length(45) == pytest.approx(4.9980870044, abs=1e-10)
    assert minimum_backtest_length(45, 2.0) == pytest.approx(4.9980870044 / 4.0, abs=1e-10)
    assert minimum_backtest_length(1) == 0.0
    with pytest.raises(UsageError, match="positive"):
        minimum_backtest_length(45, 0.0)


@pytest.mark.parametrize(("years", "trials"), [(0, 1), (2, 7), (3, 13), (5, 45), (10, 724)])
def test_trials_that_a_history_allows(years, trials):
    assert minimum_backtest_length(trials) <= years < minimum_backtest_length(trials + 1)


@given(st.integers(2, 10**6), st.floats(0.2, 3.0))
def test_length_is_below_its_bound(trials, ratio):
    assert minimum_backtest_length(trials, ratio) < 2.0 * math.log(trials) / ratio**2
