"""Bootstrap intervals and drawdown paths: the worked example, arch's intervals, seeds, what is refused."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap, optimal_block_length
from scipy import stats

from data.errors import UsageError
from engine.statistics import resampling
from engine.statistics.bootstrap import (
    drawdown_paths,
    interval_of,
    sharpe_difference_interval,
    sharpe_interval,
    statistic_interval,
)
from engine.statistics.paths import compared, largest_drawdown, observed
from engine.statistics.resampling import optimal_block, stationary_draws


def returns(rows=120, seed=7):
    return np.random.default_rng(seed).standard_t(5, rows) * 0.01 + 0.001


def sharpe(values):
    values = np.asarray(values).ravel()
    return float(values.mean() / values.std(ddof=1))


def of_each(statistic):
    """Return a statistic of many resamples out of one of a single one."""
    return lambda drawn: np.array([statistic(rows) for rows in drawn])


def test_worked_example():
    x = np.array([0.01, -0.02, 0.03, 0.0, -0.01, 0.02])
    draws = [
        [0, 1, 2, 3, 4, 5],
        [3, 4, 5, 0, 1, 2],
        [2, 3, 4, 2, 3, 4],
        [5, 0, 1, 5, 0, 1],
        [1, 2, 3, 4, 5, 0],
    ]
    resampled = np.array([sharpe(x[rows]) for rows in draws])
    expected = [0.2672612419, 0.2672612419, 0.3580574370, 0.1790287185, 0.2672612419]
    np.testing.assert_allclose(resampled, expected, atol=1e-10)
    found = interval_of(x[:, np.newaxis], of_each(sharpe), resampled, block=3, level=0.9)
    low = 0.8 * 0.1790287185 + 0.2 * 0.2672612419
    high = 0.8 * 0.3580574370 + 0.2 * 0.2672612419
    assert found.percentile == pytest.approx((low, high), abs=1e-10)
    assert found.percentile == pytest.approx((0.1966752245, 0.3398981980), abs=5e-9)
    assert (found.level, found.block, found.dropped, found.reason) == (0.9, 3, 0, None)


def mean(values):
    return float(np.mean(values))


def test_corrected_interval_by_pencil():
    # Nothing changes without a row, so that there is no acceleration. One of four is below; what equals the
    # history is not. The bias is the quartile z = Φ⁻¹(1/4), and the interval is from Φ(3z) to Φ(z) = 1/4.
    found = interval_of(np.zeros((5, 1)), of_each(mean), np.array([-1.0, 0.0, 0.0, 1.0]), block=1, level=0.5)
    lowest = stats.norm.cdf(3.0 * stats.norm.ppf(0.25))
    assert found.bca == pytest.approx((-1.0 + 3.0 * lowest, -0.25), abs=1e-12)
    assert found.percentile == pytest.approx((-0.25, 0.25))
    assert (found.value, found.reason, found.bca_reason) == (0.0, None, None)


def test_an_acceleration_that_turns_the_interval_around_has_no_bca():
    # One row decides the mean: the acceleration is (n - 2) / (6 sqrt(n (n - 1))), here 0.164. Of 1000
    # resamples 999 are below, and the end is at 3.09 + 3.72 deviations, more than 1 / 0.164.
    values = np.zeros((100, 1))
    values[0] = 1.0
    resampled = np.append(np.zeros(999), 1.0)
    found = interval_of(values, of_each(mean), resampled, block=1, level=0.9998)
    assert found.bca_reason == "the acceleration is too large for the correction"
    assert np.isnan(found.bca).all()
    assert interval_of(values, of_each(mean), resampled, block=1, level=0.99).bca_reason is None


@pytest.mark.parametrize(("method", "ours"), [("percentile", "percentile"), ("bca", "bca")])
def test_against_the_intervals_of_arch(method, ours):
    values = returns()
    theirs = StationaryBootstrap(4, values, seed=3).conf_int(sharpe, 400, method=method, size=0.9)
    found = sharpe_interval(values, block=4, resamples=400, seed=3, level=0.9)
    assert getattr(found, ours) == pytest.approx(theirs.ravel().tolist(), rel=1e-9)
    assert found.value == pytest.approx(sharpe(values))


def test_pairs_are_drawn_together():
    values = returns()
    leveraged = sharpe_difference_interval(2.0 * values, values, block=4, resamples=100, seed=1)
    np.testing.assert_allclose(leveraged.resampled, 0.0, atol=1e-12)
    other = returns(seed=8)
    found = sharpe_difference_interval(values, other, block=4, resamples=50, seed=1)
    expected = [sharpe(values[rows]) - sharpe(other[rows]) for rows in stationary_draws(120, 4, 50, 1)]
    np.testing.assert_allclose(found.resampled, expected, atol=1e-12)


def test_nan_rows_are_dropped_from_both():
    values, other = returns(), returns(seed=8)
    gap, full = np.insert(values, 5, np.nan), np.insert(other, 5, 0.3)
    first = sharpe_difference_interval(gap, full, block=4, resamples=50, seed=1)
    assert (
        first.percentile
        == sharpe_difference_interval(values, other, block=4, resamples=50, seed=1).percentile
    )


def test_resamples_without_variation_are_dropped_and_counted():
    values = np.zeros(12)
    values[0] = 0.01
    found = sharpe_interval(values, block=3, resamples=300, seed=2)
    flat = sum(not (rows == 0).any() for rows in stationary_draws(12, 3, 300, 2))
    assert found.dropped == flat > 0
    assert len(found.resampled) == 300 - flat
    assert math.isfinite(found.percentile[0])
    # without its only row that is not zero the jackknife has no ratio
    assert math.isnan(found.bca[0])
    assert found.bca_reason == "the statistic is undefined without one of the rows"


def test_one_sided_resamples_have_no_bca():
    values = returns()[:, np.newaxis]
    for side in (-99.0, 99.0):
        found = interval_of(values, of_each(sharpe), np.full(10, side), block=2)
        assert np.isnan(found.bca).all()
        assert found.bca_reason == "all resamples are on one side of the statistic"
    nothing = interval_of(values, of_each(sharpe), np.full(10, np.nan), block=2)
    assert_undefined(nothing, sharpe(values), 0.95, 2, 10, "no resample has the statistic")


def assert_undefined(found, value, level, block, dropped, reason):
    assert found.resampled.shape == (0,)
    nowhere = (math.nan, math.nan)
    expected = (value, nowhere, nowhere, level, block, np.empty(0), dropped, reason, reason)
    np.testing.assert_equal(dataclasses.astuple(found), expected)


def test_fewer_than_four_blocks_are_refused_with_a_reason():
    for found in (
        sharpe_interval(returns(39), block=10, seed=1, resamples=10),
        drawdown_paths(returns(39), block=10, seed=1, resamples=10),
    ):
        assert "fewer than 4 blocks: 39 rows in blocks of 10" in found.reason
    assert math.isnan(found.observed)
    assert math.isnan(found.quantiles[0.5])
    assert (found.paths.shape, found.horizon, found.block) == ((0,), 39, 10)
    assert sharpe_interval(returns(40), block=10, seed=0, resamples=10).reason is None
    for rows in (0, 2):
        assert sharpe_interval(returns(rows), block=1, seed=1).reason == "it takes at least three rows"
    three = "fewer than 4 blocks: 3 rows in blocks of 1"
    assert sharpe_interval(returns(3), block=1, seed=1).reason == three
    undefined = sharpe_interval(returns(7), block=optimal_block(returns(7)).value, seed=1)
    assert undefined.reason == "the block length is undefined"
    flat = sharpe_interval([0.01] * 50, block=2, seed=1, level=0.9)
    assert_undefined(flat, math.nan, 0.9, 2, 0, "returns do not vary")
    assert drawdown_paths([], block=1, seed=1).reason == "it takes at least three rows"


@pytest.mark.parametrize(
    ("method", "series", "count"),
    [(sharpe_interval, 1, 5000), (sharpe_difference_interval, 2, 5000), (drawdown_paths, 1, 1000)],
)
def test_resamples_unless_told_otherwise(method, series, count):
    found = method(*(returns(12, seed) for seed in range(series)), block=2, seed=1)
    assert len(found.paths if method is drawdown_paths else found.resampled) == count
    assert found.block == 2


def test_a_difference_has_the_level_asked_for():
    found = sharpe_difference_interval(returns(), returns(seed=8), block=4, resamples=50, seed=1, level=0.5)
    assert found.level == 0.5
    assert found.percentile == pytest.approx(np.quantile(found.resampled, [0.25, 0.75]))


def test_the_seed_decides_every_bit():
    for method in (sharpe_interval, drawdown_paths):
        first, second, other = (method(returns(), block=4, resamples=30, seed=seed) for seed in (1, 1, 2))
        name = "paths" if method is drawdown_paths else "resampled"
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
        assert getattr(first, name).tobytes() != getattr(other, name).tobytes()


def test_more_resamples_begin_with_those_of_fewer():
    few, many = (np.array(list(stationary_draws(20, 3, count, 5))) for count in (3, 7))
    np.testing.assert_array_equal(few, many[:3])


@pytest.mark.parametrize(("rows", "block", "count"), [(77, 6.5, 900), (12, 1.0, 3), (1204, 20.0, 60)])
def test_draws_in_machine_code_are_those_of_arch(rows, block, count, monkeypatch):
    """An odd number of rows leaves half a random number over; 77 and 1204 rows take two chunks."""
    theirs = StationaryBootstrap(block, np.arange(rows), seed=5)
    expected = np.array([theirs.update_indices() for _ in range(count)])
    for loaded in (True, False):
        monkeypatch.setattr(resampling, "loaded", lambda loaded=loaded: loaded)
        np.testing.assert_array_equal(list(stationary_draws(rows, block, count, 5)), expected)


def test_blocks_have_the_mean_length_and_go_around():
    draws = np.array(list(stationary_draws(500, 8, 200, 1)))
    follows = draws[:, 1:] == (draws[:, :-1] + 1) % 500
    assert 1.0 / (1.0 - follows.mean()) == pytest.approx(8.0, rel=0.05)
    assert ((draws[:, :-1] == 499) & (draws[:, 1:] == 0)).any()


def test_block_length_as_published():
    t = np.arange(240)
    y = np.cos(0.05 * t) + 0.5 * np.sin(2.3 * t)
    lengths = optimal_block_length(y)
    assert lengths["stationary"].iloc[0] == pytest.approx(23.4550203985, abs=1e-9)
    assert lengths["circular"].iloc[0] == pytest.approx(26.8492959095, abs=1e-9)
    squares = optimal_block_length(y**2)["stationary"].iloc[0]
    assert optimal_block(y).value == math.ceil(max(lengths["stationary"].iloc[0], squares))


def test_block_length_is_that_of_the_neediest_column():
    t = np.arange(240)
    slow, fast = np.cos(0.05 * t), returns(240)
    both = optimal_block(np.column_stack([fast, slow])).value
    assert both == max(optimal_block(slow).value, optimal_block(fast).value) > 1
    assert optimal_block(slow * 1e-4).value == optimal_block(slow).value
    assert "at least 11 rows" in optimal_block(slow[:10]).reason
    assert "at least 11 rows" in optimal_block(np.empty((20, 0))).reason
    assert np.isfinite(optimal_block(slow[:11]).value)
    assert optimal_block(np.zeros(50)).reason == "returns do not vary"
    assert optimal_block(np.eye(11)[3]).value == 1.0  # 0.95 of a row, rounded up


def test_block_length_follows_volatility_too():
    calm_and_wild = returns(400) * np.repeat([0.2, 3.0, 0.2, 3.0], 100)
    plain = optimal_block_length(calm_and_wild)["stationary"].iloc[0]
    squared = optimal_block_length(calm_and_wild**2)["stationary"].iloc[0]
    assert squared > 2.0 * plain
    assert optimal_block(calm_and_wild).value == math.ceil(squared)


def test_a_loss_in_the_first_row_is_a_drawdown():
    assert largest_drawdown(np.array([-0.1, 0.05])) == pytest.approx(-0.1)
    assert largest_drawdown(np.array([0.1, -0.2, 0.1, -0.1])) == pytest.approx(0.8 * 1.1 * 0.9 - 1.0)
    assert largest_drawdown(np.array([0.1, 0.2])) == 0.0


def test_returns_behind_a_gap_are_of_the_gap():
    nan = math.nan
    returns = np.array([[0.3, 0.3], [0.1, 0.2], [0.1, -0.5], [0.1, 0.5], [0.7, 0.7]])
    benchmark = np.array([nan, 0.01, nan, 0.02, nan])
    found = compared(returns, benchmark)
    np.testing.assert_allclose(found, [[0.1, 0.2], [1.1 * 1.1 - 1.0, 0.5 * 1.5 - 1.0]], rtol=1e-12)
    assert observed(benchmark) == 2.0 / 3.0
    # what is next to no gap keeps its bits
    assert compared(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 0.0, nan, 0.0]))[:2].tolist() == [0.1, 0.2]
    assert compared(returns[:, 0], np.array([nan, 0.0, 0.0, 0.0, nan])).tolist() == [0.1, 0.1, 0.1]
    assert (len(compared(returns, np.full(5, nan))), observed(np.full(5, nan))) == (0, 1.0)


def test_drawdowns_are_those_of_the_draws():
    values = returns()
    found = drawdown_paths(values, block=4, resamples=60, seed=2, shares=(0.05, 0.5))
    expected = [largest_drawdown(values[rows]) for rows in stationary_draws(120, 4, 60, 2)]
    np.testing.assert_array_equal(found.paths, expected)
    assert found.quantiles == {q: pytest.approx(np.quantile(expected, q)) for q in (0.05, 0.5)}
    assert found.observed == largest_drawdown(values)


@pytest.mark.parametrize("horizon", [1, 30, 120, 300])
def test_horizons(horizon):
    rows = np.concatenate(list(stationary_draws(120, 4, math.ceil(horizon / 120), 2)))[:horizon]
    found = drawdown_paths(returns(), block=4, resamples=1, seed=2, horizon=horizon)
    assert found.paths[0] == largest_drawdown(returns()[rows])
    assert found.horizon == horizon


def test_any_statistic_of_several_series():
    table = np.column_stack([returns(), returns(seed=8)])
    found = statistic_interval(
        table, of_each(lambda rows: float(np.corrcoef(rows, rowvar=False)[0, 1])), block=3, seed=1
    )
    assert (len(found.resampled), found.level, found.block) == (5000, 0.95, 3)
    assert found.percentile[0] < found.value < found.percentile[1]
    assert found.bca[0] < found.value < found.bca[1]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"block": 0.9}, "the block length is too small"),
        ({"resamples": 0}, "the number of resamples is too small"),
        ({"seed": None}, "the seed is not a valid one"),
        ({"level": 1.0}, "the level is not a probability"),
    ],
)
def test_wrong_use_is_refused(wrong, says):
    with pytest.raises(UsageError, match=f"^{says}"):
        sharpe_interval(returns(), **{"block": 4, "seed": 1, "resamples": 5} | wrong)


def test_wrong_horizon_and_shape_are_refused():
    with pytest.raises(UsageError, match=r"^the horizon is too small"):
        drawdown_paths(returns(), block=4, seed=1, horizon=0)
    with pytest.raises(UsageError, match=r"^a share of paths is not a probability"):
        drawdown_paths(returns(), block=4, seed=1, shares=(0.5, 1.0))
    with pytest.raises(UsageError, match=r"^series to resample are not a table"):
        statistic_interval(returns(), of_each(sharpe), block=4, seed=1)
    with pytest.raises(UsageError, match="one series"):
        largest_drawdown(np.zeros((3, 2)))
    with pytest.raises(UsageError, match="same rows"):
        sharpe_difference_interval(returns(), returns(50), block=4, seed=1)
