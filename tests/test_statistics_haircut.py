"""Haircut of a Sharpe ratio: the paper's p-values, the worked example, the definition of each adjustment."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from data.errors import UsageError
from engine.statistics.haircut import adjusted_p_values, sharpe_haircut, sharpe_p_values

PAPER = [0.005, 0.009, 0.0128, 0.0135, 0.045, 0.06]
MONTHLY = 1.0 / math.sqrt(12.0)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("bonferroni", [0.03, 0.054, 0.0768, 0.081, 0.27, 0.36]),
        ("holm", [0.03, 0.045, 0.0512, 0.0512, 0.09, 0.09]),
        ("bhy", [0.0496, 0.0496, 0.0496, 0.0496, 0.06, 0.06]),
        ("fdr_by", [0.0496125, 0.0496125, 0.0496125, 0.0496125, 0.1323, 0.147]),
    ],
)
def test_six_p_values_of_the_paper(method, expected):
    np.testing.assert_allclose(adjusted_p_values(PAPER, method), expected, atol=2e-5)
    order = [3, 0, 5, 1, 4, 2]
    shuffled = adjusted_p_values(np.array(PAPER)[order], method)
    np.testing.assert_allclose(shuffled, np.array(expected)[order], atol=2e-5)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_printed_bhy_is_its_recursion(p_values):
    ordered = sorted(p_values)
    count = len(ordered)
    penalty = sum(1.0 / rank for rank in range(1, count + 1))
    adjusted = [ordered[-1]]
    for rank in range(count - 1, 0, -1):
        adjusted.insert(0, min(adjusted[0], count * penalty / rank * ordered[rank - 1]))
    np.testing.assert_allclose(sorted(adjusted_p_values(p_values, "bhy")), adjusted, rtol=1e-12)


def test_worked_example():
    found = sharpe_haircut(MONTHLY, 120, 12, autocorrelation=0.1, trials=100, method="bonferroni")
    assert found.annual == pytest.approx(0.9122454608, abs=1e-10)
    assert found.p_value == pytest.approx(0.0046512300, abs=1e-10)
    assert found.adjusted_p_value == pytest.approx(0.465, abs=5e-4)
    assert found.annual_after == pytest.approx(0.2317308863, abs=1e-10)
    assert found.haircut == pytest.approx(0.746, abs=5e-4)
    assert found.t_statistic == pytest.approx(0.9122454608 * math.sqrt(10.0), abs=1e-9)
    assert (found.method, found.reason) == ("bonferroni", None)
    ratios, memory = np.array([MONTHLY, math.nan, 0.0, MONTHLY, MONTHLY]), np.array([0.1, 0.1, 0.1, 1.0, 0.0])
    *several, free = sharpe_p_values(ratios, 120, 12, memory)
    np.testing.assert_array_equal(several, [found.p_value, math.nan, 1.0, math.nan])
    assert free == pytest.approx(2.0 * stats.t.sf(math.sqrt(10.0), 119), rel=1e-9)


@pytest.mark.parametrize("method", ["holm", "bhy", "fdr_by"])
def test_others_are_our_own_trials(method):
    others = [0.001, 0.2, 0.5, 0.03]
    found = sharpe_haircut(MONTHLY, 120, 12, other_p_values=others, method=method)
    own = 2.0 * stats.t.sf(math.sqrt(10.0), 119)
    assert found.p_value == pytest.approx(own, rel=1e-9)
    assert found.adjusted_p_value == pytest.approx(adjusted_p_values([own, *others], method)[0])
    assert found.annual_after * math.sqrt(10.0) == pytest.approx(
        stats.t.isf(found.adjusted_p_value / 2.0, 119), rel=1e-9
    )


def test_one_test_has_no_haircut():
    for method in ("holm", "bhy", "fdr_by", "bonferroni"):
        assert sharpe_haircut(MONTHLY, 120, 12, method=method).haircut == pytest.approx(0.0, abs=1e-9)


def test_an_adjusted_p_of_one_leaves_nothing():
    found = sharpe_haircut(0.05, 60, 12, trials=1000, method="bonferroni")
    assert (found.adjusted_p_value, found.annual_after, found.haircut) == (1.0, 0.0, 1.0)


def test_a_ratio_beyond_any_doubt_stays():
    found = sharpe_haircut(0.99, 5000, 252.0, trials=10, method="bonferroni")
    assert math.isfinite(found.haircut)
    assert found.haircut == pytest.approx(0.0, abs=0.01)


def test_three_years_are_enough():
    found = sharpe_haircut(0.5, 3, 1.0)
    assert (found.annual, found.t_statistic) == pytest.approx((0.5, 0.5 * math.sqrt(3.0)))
    # Student's law of two degrees of freedom has a distribution function in closed form
    assert found.p_value == pytest.approx(1.0 - found.t_statistic / math.sqrt(2.0 + found.t_statistic**2))


@pytest.mark.parametrize(
    ("sharpe", "rows", "autocorrelation", "reason"),
    [
        (0.1, 2, 0.0, "it takes at least three returns"),
        (math.nan, 120, 0.0, "the Sharpe ratio is undefined"),
        (0.1, 120, 1.0, "the autocorrelation is not between -1 and 1"),
    ],
)
def test_not_applicable(sharpe, rows, autocorrelation, reason):
    found = dataclasses.astuple(sharpe_haircut(sharpe, rows, 12, autocorrelation=autocorrelation))
    np.testing.assert_equal(found, (*[math.nan] * 6, "holm", reason))


@pytest.mark.parametrize("sharpe", [0.0, -0.1])
def test_a_loss_has_a_p_value_but_nothing_to_lose(sharpe):
    found = sharpe_haircut(sharpe, 120, 12, method="bhy")
    assert found.annual == pytest.approx(sharpe * math.sqrt(12.0))
    assert found.t_statistic == pytest.approx(sharpe * math.sqrt(120.0))
    assert found.p_value == pytest.approx(2.0 * stats.t.sf(abs(sharpe) * math.sqrt(120.0), 119), rel=1e-9)
    left = (found.adjusted_p_value, found.annual_after, found.haircut)
    np.testing.assert_equal(left, (math.nan, math.nan, math.nan))
    assert (found.method, found.reason) == ("bhy", "the Sharpe ratio is not positive")


def test_wrong_use_is_refused():
    with pytest.raises(UsageError, match=r"^the Sharpe ratio is not per period"):
        sharpe_haircut(1.5, 120, 12)
    with pytest.raises(UsageError, match=r"^the number of periods per year is too small"):
        sharpe_haircut(0.5, 120, 0.5)
    with pytest.raises(UsageError, match="not enough for holm"):
        sharpe_haircut(0.1, 120, 12, trials=10)
    with pytest.raises(UsageError, match=r"^the number of trials is too small"):
        sharpe_haircut(0.1, 120, 12, trials=0, method="bonferroni")
    with pytest.raises(UsageError, match="Did you mean"):
        adjusted_p_values(PAPER, "hollm")
    for wrong in ([], [0.1, 1.2], [math.nan]):
        with pytest.raises(UsageError, match="p-values"):
            adjusted_p_values(wrong, "holm")
