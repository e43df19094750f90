"""Haircut of a Sharpe ratio: the paper's p-values, the worked example, the definition of each adjustment."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from data.errors import UsageError
from engine.statistics.haircut import adjusted_p_values, sharpe_haircut, sharpe_p_value

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
    assert sharpe_p_value(MONTHLY, 120, 12, 0.1) == found.p_value


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


@pytest.mark.parametrize(
    ("sharpe", "rows", "reason"),
    [
        (-0.1, 120, "the Sharpe ratio is not positive"),
        (0.0, 120, "the Sharpe ratio is not positive"),
        (0.1, 2, "it takes at least three returns"),
        (math.nan, 120, "the Sharpe ratio is undefined"),
    ],
)
def test_not_applicable(sharpe, rows, reason):
    found = sharpe_haircut(sharpe, rows, 12)
    assert math.isnan(found.haircut)
    assert found.reason == reason


def test_wrong_use_is_refused():
    with pytest.raises(UsageError, match="not per period"):
        sharpe_haircut(1.5, 120, 12)
    with pytest.raises(UsageError, match="not enough for holm"):
        sharpe_haircut(0.1, 120, 12, trials=10)
    with pytest.raises(UsageError, match="number of trials"):
        sharpe_haircut(0.1, 120, 12, trials=0, method="bonferroni")
    with pytest.raises(UsageError, match="Did you mean"):
        adjusted_p_values(PAPER, "hollm")
    for wrong in ([], [0.1, 1.2], [math.nan]):
        with pytest.raises(UsageError, match="p-values"):
            adjusted_p_values(wrong, "holm")
