"""Difference of two Sharpe ratios: pencil series, the authors' data, a plain bootstrap, what is undefined."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from data.errors import UsageError
from engine.statistics.difference import (
    sharpe_difference,
    sharpe_difference_bootstrap,
    sharpe_difference_bootstraps,
)

T = np.arange(240)
FIRST = 0.004 + 0.03 * np.sin(1.7 * T) + 0.01 * np.cos(0.31 * T)
SECOND = 0.002 + 0.02 * np.sin(1.7 * T + 0.4) + 0.015 * np.sin(0.9 * T)


def test_worked_example():
    found = sharpe_difference(FIRST, SECOND)
    assert found.first == pytest.approx(0.1752082817, abs=1e-10)
    assert found.second == pytest.approx(0.1190236809, abs=1e-10)
    assert found.value == pytest.approx(0.0561846008, abs=1e-10)
    assert found.standard_error == pytest.approx(0.0623322358, abs=1e-10)
    assert found.bandwidth == pytest.approx(4.6113041614, abs=1e-9)
    assert found.p_value == pytest.approx(0.3673899773, abs=1e-9)
    assert found.prewhitened_standard_error == pytest.approx(0.0653820925, abs=1e-10)
    assert found.prewhitened_p_value == pytest.approx(0.3901601030, abs=1e-9)
    assert (found.observations, found.reason, found.note) == (240, None, None)


def funds(root):
    path = root.parent / "shared" / "methods_data" / "lw2008_mutual.csv"
    if not path.is_file():
        pytest.skip("the authors' data are not here")
    return np.loadtxt(path, delimiter=",", skiprows=1).T


def test_mutual_funds_of_the_authors(root):
    found = sharpe_difference(*funds(root))
    assert (found.first, found.second) == pytest.approx((0.107, 0.011), abs=5e-4)
    assert found.standard_error == pytest.approx(0.0525534985, abs=1e-10)
    assert found.p_value == pytest.approx(0.0657, abs=5e-5)
    assert found.prewhitened_standard_error == pytest.approx(0.0533775317, abs=1e-10)
    assert found.prewhitened_p_value == pytest.approx(0.0700, abs=5e-5)


def test_bootstrap_of_the_authors_data_is_near_the_published_value(root):
    # Ledoit and Wolf (2008), table 4: 0.092 with the calibrated block
    found = [sharpe_difference_bootstrap(*funds(root), block=b, seed=1).value for b in (1, 5)]
    assert found == pytest.approx([0.092, 0.092], abs=0.02)


def plain_bootstrap(first, second, block, seed, resamples):
    """Redo the bootstrap row by row, as the paper prints it, with the same draws.

    A resample in which a series does not vary has no standard error, and is dropped.
    """
    rows, blocks = len(first), len(first) // block
    starts = np.random.default_rng(seed).integers(0, rows, size=(resamples, blocks))
    known = sharpe_difference(first, second)
    distance = abs(known.value) / known.prewhitened_standard_error
    as_large = used = 0
    for drawn in starts:
        picked = (drawn[:, np.newaxis] + np.arange(block)).ravel() % rows
        r1, r2 = first[picked], second[picked]
        if min(r1.std(), r2.std()) == 0.0:
            continue
        used += 1
        m1, m2, g1, g2 = r1.mean(), r2.mean(), np.mean(r1**2), np.mean(r2**2)
        v1, v2 = (g1 - m1**2) ** 1.5, (g2 - m2**2) ** 1.5
        gradient = np.array([g1 / v1, -g2 / v2, -0.5 * m1 / v1, 0.5 * m2 / v2])
        y = np.column_stack([r1 - m1, r2 - m2, r1**2 - g1, r2**2 - g2])
        psi = np.zeros((4, 4))
        for j in range(blocks):
            zeta = y[j * block : (j + 1) * block].sum(axis=0) / math.sqrt(block)
            psi += np.outer(zeta, zeta) / blocks
        error = math.sqrt(gradient @ psi @ gradient / rows)
        delta = m1 / r1.std(ddof=1) - m2 / r2.std(ddof=1)
        as_large += abs(delta - known.value) / error >= distance
    return (1.0 + as_large) / (used + 1.0)


@pytest.mark.parametrize("block", [1, 7])
def test_bootstrap_against_the_plain_one(block):
    random = np.random.default_rng(5)
    first, second = random.normal(0.002, 0.01, 100), random.normal(0.0, 0.02, 100)
    expected = plain_bootstrap(first, second, block, seed=3, resamples=300)
    found = sharpe_difference_bootstrap(first, second, block=block, seed=3, resamples=300)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert 0.01 < expected < 0.9


def test_pairs_that_share_their_draws_have_the_p_values_that_they_have_alone():
    random = np.random.default_rng(8)
    ours, other, short = random.normal(0.002, 0.01, 90), random.normal(0.001, 0.01, 90), np.ones(70)
    gap = np.where(np.arange(90) < 20, np.nan, other)
    pairs = [(ours, other), (ours, gap), (other, ours), (ours, ours), (short, ours[:70]), (gap, ours)]
    together = sharpe_difference_bootstraps(pairs, block=5, seed=4, resamples=200)
    alone = [sharpe_difference_bootstrap(*pair, block=5, seed=4, resamples=200) for pair in pairs]
    np.testing.assert_equal([each.value for each in together], [each.value for each in alone])
    assert [each.reason for each in together] == [each.reason for each in alone]
    assert together[0].value == together[2].value != together[1].value
    assert (together[3].value, together[4].reason) == (1.0, "a series does not vary")


def test_resamples_in_which_one_series_is_flat_are_dropped():
    random = np.random.default_rng(5)
    first, second = np.zeros(24), random.normal(-0.005, 0.02, 24)
    first[[3, 11]] = 0.03, 0.04
    expected = plain_bootstrap(first, second, 6, seed=3, resamples=300)
    found = sharpe_difference_bootstrap(first, second, block=6, seed=3, resamples=300)
    assert found.value == pytest.approx(expected, abs=1e-12)
    # a block meets one of the two rows from 12 of 24 starts: none of four does with probability 1/16
    starts = np.random.default_rng(3).integers(0, 24, size=(300, 4))
    meets = ((3 - starts) % 24 < 6) | ((11 - starts) % 24 < 6)
    assert np.mean(~meets.any(axis=1)) == pytest.approx(1.0 / 16.0, abs=0.03)


def test_gradient_is_the_derivative():
    from engine.statistics.difference import _gradient

    def difference(v):
        return v[0] / math.sqrt(v[2] - v[0] ** 2) - v[1] / math.sqrt(v[3] - v[1] ** 2)

    v = np.array([0.01, -0.02, 0.0009, 0.0016])
    expected = [(difference(v + h) - difference(v - h)) / 2e-7 for h in 1e-7 * np.eye(4)]
    found = _gradient(v[:2], v[2:], v[2:] - v[:2] ** 2)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_swapping_the_series_changes_the_sign_only():
    there, back = sharpe_difference(FIRST, SECOND), sharpe_difference(SECOND, FIRST)
    assert back.value == -there.value
    assert back.p_value == pytest.approx(there.p_value, rel=1e-9)
    assert back.prewhitened_p_value == pytest.approx(there.prewhitened_p_value, rel=1e-9)


def test_proportional_series_do_not_differ():
    random = np.random.default_rng(2).normal(0.001, 0.01, 200)
    found = sharpe_difference(random, 3.0 * random)
    assert found.value == pytest.approx(0.0, abs=1e-12)
    assert found.p_value == found.prewhitened_p_value == 1.0
    assert sharpe_difference_bootstrap(random, random, block=5, seed=1, resamples=20).value == 1.0
    assert sharpe_difference_bootstrap(random, 3.0 * random, block=5, seed=1, resamples=20).value == 1.0


def test_a_large_difference_is_found():
    random = np.random.default_rng(2)
    first, second = random.normal(0.01, 0.01, 300), random.normal(0.0, 0.01, 300)
    assert sharpe_difference(first, second).p_value < 1e-6
    assert sharpe_difference_bootstrap(first, second, block=3, seed=1, resamples=199).value == 1.0 / 200.0
    assert sharpe_difference_bootstrap(first, second, block=3, seed=1).value == 1.0 / 5000.0


def test_series_that_rise_and_fall_together_have_no_error():
    # Standardised returns are 1 and -1, so that each ratio is moved by its mean alone: alike in both.
    moves = np.array([1.0, -1.0] * 30) / 64.0
    found = sharpe_difference(moves + 1.0 / 512.0, moves)
    assert found.value == pytest.approx(64.0 / 512.0 * math.sqrt(59.0 / 60.0), rel=1e-12)
    assert (found.standard_error, found.reason) == (0.0, "the standard error of the difference vanishes")
    assert math.isnan(found.p_value)
    # nor does a resample in blocks of a rise and a fall, or of a fall and a rise
    drawn = sharpe_difference_bootstrap(moves + 1.0 / 512.0, moves, block=2, seed=1)
    assert (math.isnan(drawn.value), drawn.reason) == (True, found.reason)


def test_an_error_of_parts_that_cancel_each_other_out_is_none():
    # A series and three times as much: whatever moves one ratio moves the other, but for rounding.
    from engine.statistics.difference import _distances

    x = np.random.default_rng(3).normal(0.1, 1.0, (40, 50))
    sums = np.stack([x, 3.0 * x, x**2, (3.0 * x) ** 2], axis=1)
    covariances = np.array([np.cov(each, bias=True) for each in sums])
    assert np.isnan(_distances(sums.mean(axis=2), covariances, 1, 50, 0.1)).all()
    sums[:, 1], sums[:, 3] = x + 0.01 * x[::-1], (x + 0.01 * x[::-1]) ** 2
    covariances = np.array([np.cov(each, bias=True) for each in sums])
    assert np.isfinite(_distances(sums.mean(axis=2), covariances, 1, 50, 0.1)).all()


def test_a_trend_or_a_seesaw_has_the_bandwidth_of_the_largest_slope():
    # All moments have a slope of 1 or more, or of -1, which is taken as ρ = 0.97 or -0.97: then the α of
    # Andrews is 4ρ²/(1-ρ)⁴ whatever their variances, and the bandwidth 2.6614 (α T)^(1/5).
    steps = np.arange(40)
    for rho, series in ((0.97, 0.0001 * steps), (-0.97, 0.01 * (-1.0) ** steps)):
        bandwidth = 2.6614 * (4.0 * rho**2 / (1.0 - rho) ** 4 * 40) ** 0.2
        found = sharpe_difference(series + 0.01, series + 0.02)
        assert found.bandwidth == pytest.approx(bandwidth, rel=1e-9)


def test_short_or_constant_series_are_undefined():
    short = dataclasses.astuple(sharpe_difference(FIRST[:9], SECOND[:9]))
    np.testing.assert_equal(short, (*[math.nan] * 8, 9, "it takes at least 10 rows", None))
    assert sharpe_difference(FIRST[:10], SECOND[:10]).reason is None
    flat = sharpe_difference(FIRST, np.full(240, 0.001))
    assert (math.isnan(flat.value), flat.reason) == (True, "a series does not vary")
    assert sharpe_difference(FIRST[:29], SECOND[:29]).note == "fewer than 30 rows"
    assert sharpe_difference(FIRST[:30], SECOND[:30]).note is None
    blocks = sharpe_difference_bootstrap(FIRST[:39], SECOND[:39], block=10, seed=1)
    assert "fewer than 4 blocks" in blocks.reason
    assert sharpe_difference_bootstrap([], [], block=1, seed=1).reason is not None


def test_nan_rows_are_dropped_in_pairs():
    gap, full = np.insert(FIRST, 9, np.nan), np.insert(SECOND, 9, 0.5)
    assert sharpe_difference(gap, full) == sharpe_difference(FIRST, SECOND)
    other_gap = np.insert(np.insert(SECOND, 9, 0.5), 30, np.nan)
    both = sharpe_difference(np.insert(gap, 30, 0.1), other_gap)
    assert both == sharpe_difference(FIRST, SECOND)


def test_the_seed_decides():
    first, again, other = (
        sharpe_difference_bootstrap(FIRST, SECOND, block=2, seed=seed, resamples=999) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_wrong_use_is_refused():
    with pytest.raises(UsageError, match=r"^the block length is too small"):
        sharpe_difference_bootstrap(FIRST, SECOND, block=0, seed=1)
    with pytest.raises(UsageError, match="seed"):
        sharpe_difference_bootstrap(FIRST, SECOND, block=1, seed="1")
    with pytest.raises(UsageError, match="same rows"):
        sharpe_difference(FIRST, SECOND[1:])
