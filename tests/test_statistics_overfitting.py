"""Probability of backtest overfitting: the worked example, a plain second implementation, and invariances."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from data.errors import UsageError
from engine.statistics.overfitting import overfitting

EXAMPLE = (
    np.array(
        [
            [0, 2, 2, -2],
            [11, -1, 5, -1],
            [0, 12, -5, 4],
            [0, 5, 7, -2],
            [5, 5, 0, -7],
            [4, -8, 10, 9],
            [9, -9, 12, 12],
            [3, 9, 7, 8],
        ]
    )
    / 1000.0
)


def sharpe(rows):
    return rows.mean(axis=0) / rows.std(axis=0, ddof=1)


def by_hand(returns, blocks):
    """Return (choice, logit, in sample, out of sample) of every choice, from the definition."""
    parts = np.array_split(returns[len(returns) % blocks :], blocks)
    rows = []
    for inside in combinations(range(blocks), blocks // 2):
        seen = sharpe(np.concatenate([parts[b] for b in inside]))
        unseen = sharpe(np.concatenate([parts[b] for b in range(blocks) if b not in inside]))
        best = int(np.argmax(seen))
        share = stats.rankdata(unseen)[best] / (returns.shape[1] + 1.0)
        rows.append((best, math.log(share / (1.0 - share)), seen[best], unseen[best]))
    return np.array(rows)


def trials(rows=103, columns=7, seed=1):
    return np.random.default_rng(seed).normal(0.0003, 0.01, (rows, columns))


def test_worked_example():
    found = overfitting(EXAMPLE, blocks=4)
    assert found.chosen.tolist() == [1, 0, 2, 0, 3, 0]
    low, middle = -1.38629436, 0.40546511
    np.testing.assert_allclose(found.logits, [low, -middle, middle, middle, -middle, middle], atol=1e-8)
    assert found.probability == 0.5
    assert found.probability_of_loss == pytest.approx(1.0 / 3.0)
    assert found.slope.value == pytest.approx(0.1118484656, abs=1e-10)
    assert found.in_sample.mean() == pytest.approx(1.2045378559, abs=1e-10)
    assert found.out_of_sample.mean() == pytest.approx(0.4420084709, abs=1e-10)


@pytest.mark.parametrize("blocks", [2, 6, 10])
def test_against_the_definition(blocks):
    returns = trials()
    expected = by_hand(returns, blocks)
    found = overfitting(returns, blocks)
    assert found.chosen.tolist() == expected[:, 0].tolist()
    np.testing.assert_allclose(found.logits, expected[:, 1], atol=1e-12)
    np.testing.assert_allclose(found.in_sample, expected[:, 2], atol=1e-12)
    np.testing.assert_allclose(found.out_of_sample, expected[:, 3], atol=1e-12)
    assert found.dropped == len(returns) % blocks
    if blocks > 2:
        line = stats.linregress(expected[:, 2], expected[:, 3])
        assert found.slope.value == pytest.approx(line.slope, rel=1e-9)
        assert found.r_squared.value == pytest.approx(line.rvalue**2, rel=1e-9)


def test_sharpe_from_block_sums_is_that_of_the_rows():
    # each far from zero, in its own place: sums of squares alone would lose ten digits
    returns = trials() + np.linspace(-600.0, 900.0, 7)
    found, expected = overfitting(returns, 6), by_hand(returns, 6)
    np.testing.assert_allclose(found.out_of_sample, expected[:, 3], rtol=1e-9)
    assert found.chosen.tolist() == expected[:, 0].tolist()


@settings(max_examples=25)
@given(st.permutations(range(7)), st.integers(0, 1000))
def test_order_of_the_trials_does_not_matter(order, seed):
    returns = trials(seed=seed)
    first, second = overfitting(returns, 6), overfitting(returns[:, order], 6)
    assert second.probability == first.probability
    np.testing.assert_array_equal(first.logits, second.logits)
    np.testing.assert_array_equal(np.array(order)[second.chosen], first.chosen)


def test_equal_trials_share_their_rank_and_the_first_is_chosen():
    returns = trials(columns=5)[:, [0, 1, 2, 3, 4, 3, 1, 1]]
    expected = by_hand(returns, 6)
    found = overfitting(returns, 6)
    assert found.chosen.tolist() == expected[:, 0].tolist()
    assert 3 in found.chosen
    np.testing.assert_allclose(found.logits, expected[:, 1], atol=1e-12)


def test_a_trial_that_is_always_best_is_never_overfit():
    returns = trials()
    returns[:, 3] += 0.05
    found = overfitting(returns, 10)
    assert (found.probability, found.probability_of_loss) == (0.0, 0.0)
    assert set(found.chosen.tolist()) == {3}


def test_a_rank_at_the_median_counts_as_overfit():
    # three trials whose order in one half is the opposite of that in the other, and a middle one is chosen
    calm = np.array([1.0, -1.0, 1.0, -1.0]) * 0.01
    halves = [
        np.column_stack([calm + m for m in means]) for means in ((0.03, 0.02, 0.01), (0.02, 0.03, 0.01))
    ]
    found = overfitting(np.concatenate(halves), 2)
    np.testing.assert_allclose(found.logits, [0.0, 0.0], atol=1e-15)
    assert found.probability == 1.0


def test_a_ratio_of_zero_is_no_loss():
    # the best of a half has a mean of 1/4 there, and none in the other
    calm = np.array([1.0, -1.0, 1.0, -1.0]) / 16.0
    returns = np.concatenate([np.column_stack([calm + 0.25, calm]), np.column_stack([calm, calm + 0.25])])
    found = overfitting(returns, 2)
    assert found.out_of_sample.tolist() == [0.0, 0.0]
    assert found.probability_of_loss == 0.0


def test_a_line_needs_ratios_that_vary():
    calm = np.array([1.0, -1.0, 1.0, -1.0]) * 0.01

    def line(*means):
        found = overfitting(np.concatenate([np.column_stack([calm + m for m in half]) for half in means]), 2)
        return found.slope, found.r_squared

    for found in line((0.03, 0.01), (0.03, 0.01)):
        assert (math.isnan(found.value), found.reason) == (True, "the metric in sample does not vary")
    # chosen at 0.03 and at 0.02, and at 0.01 out of sample both times
    slope, r_squared = line((0.03, 0.01), (0.01, 0.02))
    assert (slope.value, slope.reason) == (pytest.approx(0.0, abs=1e-9), None)
    assert math.isnan(r_squared.value)
    assert r_squared.reason == "the metric out of sample does not vary"


def test_many_trials_in_chunks_are_the_same_as_few():
    # half of C(12, 6) = 924 choices are measured, 262144 / 700 = 374 at a time
    returns = trials(rows=64, columns=700, seed=2)
    expected = by_hand(returns, 12)
    found = overfitting(returns, 12)
    assert found.chosen.tolist() == expected[:, 0].tolist()
    np.testing.assert_allclose(found.logits, expected[:, 1], atol=1e-12)


def test_a_column_constant_in_a_half_is_excluded():
    returns = trials(rows=60)
    returns[:30, 2] = 0.001
    found = overfitting(returns, 4)
    assert found.excluded == (2,)
    assert 2 not in found.chosen
    np.testing.assert_array_equal(found.logits, overfitting(np.delete(returns, 2, axis=1), 4).logits)
    # constant in two blocks, but at different levels: it varies in every half
    steps = trials(rows=60)
    steps[:15, 2], steps[15:30, 2] = 0.0, 0.001
    assert overfitting(steps, 4).excluded == ()


def assert_undefined(found, blocks, excluded, reason):
    for name in ("logits", "chosen", "in_sample", "out_of_sample"):
        assert getattr(found, name).shape == (0,)
    assert math.isnan(found.probability)
    assert math.isnan(found.probability_of_loss)
    for each in (found.slope, found.r_squared):
        assert (math.isnan(each.value), each.reason) == (True, reason)
    assert (found.blocks, found.excluded, found.dropped, found.reason) == (blocks, excluded, 0, reason)


def test_nothing_left_to_choose_from_is_undefined():
    returns = np.zeros((60, 3))
    returns[:, 0] = trials(rows=60)[:, 0]
    assert_undefined(overfitting(returns, 4), 4, (1, 2), "fewer than two trials vary in every half")
    short = overfitting(trials(rows=31))
    assert_undefined(short, 16, (), "fewer than two rows a block: 31 rows in 16 blocks")


def test_trials_that_are_all_the_same_are_no_choice():
    # as a search over a stop that is never reached: the first of equals is in the middle each time, and would
    # count as overfitted each time
    returns = np.repeat(trials(columns=1), 9, axis=1)
    reason = "all trials have the same returns: there was nothing to choose"
    assert_undefined(overfitting(returns, 4), 4, (), reason)
    returns[5, 8] += 1e-6
    assert overfitting(returns, 4).reason is None


def test_the_fewest_trials_and_the_most_blocks():
    found = overfitting(trials(rows=40, columns=2), 20)
    assert (found.blocks, len(found.logits)) == (20, 184_756)
    np.testing.assert_allclose(np.abs(found.logits), math.log(2.0))  # of two, first or second: ω = 1/3 or 2/3


def test_nan_rows_and_the_oldest_rows_are_dropped():
    returns = trials(rows=62)
    gap = np.insert(returns, 40, np.nan, axis=0)
    np.testing.assert_array_equal(overfitting(gap, 6).logits, overfitting(returns[2:], 6).logits)
    assert overfitting(gap, 6).dropped == 2


@pytest.mark.parametrize("blocks", [3, 0, -2, 22])
def test_wrong_numbers_of_blocks(blocks):
    with pytest.raises(UsageError, match="blocks"):
        overfitting(trials(), blocks)


def test_one_trial_is_no_choice():
    with pytest.raises(UsageError, match="too few trials"):
        overfitting(trials(columns=1), 4)
    with pytest.raises(UsageError, match=r"^returns of trials are not a table"):
        overfitting(trials()[:, 0], 4)
