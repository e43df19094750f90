"""Reality check, superior predictive ability, stepwise test: pencil draws, arch on scaled data."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
import tracemalloc
import warnings
from fractions import Fraction

import numpy as np
import pytest
from arch.bootstrap import SPA, StepM

from data.errors import UsageError
from engine.statistics import long_run, resampling
from engine.statistics.long_run import bootstrap_variances
from engine.statistics.resampling import (
    counted,
    counts_of,
    means_of_counts,
    resampled_p_value,
    stationary_draws,
    summable,
)
from engine.statistics.superiority import superiority, superiority_of_means

EXAMPLE = np.array([[3.0, 1.0], [-1.0, 0.0], [2.0, 2.0], [0.0, -3.0], [1.0, 1.0], [1.0, -1.0]])
DRAWS = [
    [0, 1, 2, 3, 4, 5],
    [2, 3, 4, 5, 0, 1],
    [0, 0, 2, 2, 4, 4],
    [5, 4, 3, 2, 1, 0],
    [0, 1, 0, 1, 0, 1],
    [2, 2, 2, 3, 3, 3],
]
COUNTS = [counts_of(np.array(DRAWS), 6)]


def superiority_of_counts(values, counts, **more):
    return superiority_of_means(values, means_of_counts(values, counts), **more)


def differentials(rows=200, columns=6, seed=2, best=0.002):
    values = np.random.default_rng(seed).normal(0.0, 0.01, (rows, columns))
    values *= np.linspace(0.5, 3.0, columns)
    values[:, 0] += best
    return values


def test_worked_example():
    assert bootstrap_variances(EXAMPLE, 2.0) == pytest.approx([0.8489583333, 1.4114583333], abs=1e-10)
    found = superiority_of_counts(EXAMPLE, COUNTS, block=2.0)
    assert found.statistic == pytest.approx(2.6584741230, abs=1e-10)
    np.testing.assert_allclose(found.simulated, [0.0, 0.0, 2.7490353894, 0.0, 1.0308882710, 0.0], atol=1e-10)
    # one of six is above, and the p-value counts the sample itself
    assert found.p_value == found.p_lower == found.p_upper == 2.0 / 7.0
    assert found.best == 0
    assert superiority_of_counts(EXAMPLE[:, ::-1], COUNTS, block=2.0).best == 1
    assert (found.observations, found.resamples, found.block, found.level) == (6, 6, 2.0, 0.05)


def test_levels_of_the_worked_example():
    for level, survivors in ((2.0 / 7.0, (0,)), (0.28, ())):
        assert superiority_of_counts(EXAMPLE, COUNTS, block=2.0, level=level).survivors == survivors
    # a mean of 0.2 in place of 1 has a fifth of the statistic, 0.53; 1.03 and 2.75 are above it
    weak = superiority_of_counts(EXAMPLE - [0.8, 0.0], COUNTS, block=2.0, level=0.45)
    assert weak.statistic == pytest.approx(0.2 * 2.6584741230, abs=1e-10)
    assert (weak.p_value, weak.survivors) == (3.0 / 7.0, (0,))


def test_a_trial_far_behind_is_not_moved_to_its_mean():
    # mean -2 with an error of sqrt(2/3 / 6) = 1/3 is six errors behind, more than sqrt(2 ln ln 6) = 1.08
    behind = np.array([[-3.0], [-1.0], [-2.0], [-2.0], [-3.0], [-1.0]])
    found = superiority_of_counts(
        behind, [counts_of(np.array([np.arange(6), np.full(6, 1), np.full(6, 2)]), 6)], block=1.0
    )
    np.testing.assert_allclose(found.simulated, [-6.0, -3.0, -6.0], rtol=1e-12)
    assert found.p_value == 1.0


def test_three_rows_are_enough_for_given_draws():
    # mean 2, variance 2/3 over three rows
    found = superiority_of_counts(np.array([[1.0], [2.0], [3.0]]), [np.ones((1, 3))], block=1.0)
    assert found.statistic == pytest.approx(2.0 / math.sqrt(2.0 / 3.0 / 3.0))
    assert (
        superiority_of_counts(np.zeros((3, 1)), [], block=1.0).reason == "no trial differs from the benchmark"
    )


@pytest.mark.parametrize("best", [0.0, 0.0012, 0.002])
def test_against_arch_on_scaled_differentials(best):
    values, block = differentials(best=best), 5
    scaled = values / np.sqrt(bootstrap_variances(values, block))
    spa = SPA(np.zeros(len(values)), -scaled, block_size=block, reps=500, seed=11)
    spa.compute()
    found = superiority(values, block=block, resamples=500, seed=11)
    for ours, theirs in (("p_value", "consistent"), ("p_lower", "lower"), ("p_upper", "upper")):
        assert getattr(found, ours) * 501 - 1 == pytest.approx(spa.pvalues[theirs] * 500, abs=1e-9)


def test_survivors_against_arch():
    values, block = differentials(), 5
    values[:, 1] += 0.003
    values[:, 2] += 0.003
    scaled = values / np.sqrt(bootstrap_variances(values, block))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = StepM(np.zeros(len(values)), -scaled, size=0.05, block_size=block, reps=999, seed=4)
        steps.compute()
    found = superiority(values, block=block, resamples=999, seed=4)
    assert list(found.survivors) == [int(each) for each in steps.superior_models]
    assert {0, 1} <= set(found.survivors)


def test_a_trial_hidden_behind_others_is_found_in_the_second_step():
    values = np.random.default_rng(6).normal(0.0, 0.01, (150, 21))
    values += 0.02 - values.mean(axis=0)
    error = math.sqrt(bootstrap_variances(values, 1.0)[20] / 150)
    values[:, 20] += 2.2 * error - 0.02
    found = superiority(values, block=1, resamples=999, seed=1)
    in_the_first_step = (1 + np.sum(found.simulated >= 2.2)) / 1000
    assert in_the_first_step > 0.2
    assert superiority(values[:, [20]], block=1, resamples=999, seed=1).p_value < 0.05
    assert found.survivors == tuple(range(21))
    assert superiority(values, block=1, resamples=999, seed=1, level=0.005).survivors == tuple(range(20))


def test_the_best_survives_exactly_if_the_p_value_is_within_the_level():
    for best in (0.0, 0.001, 0.0013, 0.0016, 0.002):
        found = superiority(differentials(best=best), block=3, resamples=199, seed=1)
        assert (found.best in found.survivors) == (found.p_value <= 0.05)


def test_a_volatile_trial_does_not_hide_a_good_one():
    values = differentials(rows=500, columns=2, best=0.002)
    values[:, 1] = 20.0 * values[:, 1]
    found = superiority(values, block=2, resamples=500, seed=1)
    assert found.p_value < 0.01
    assert found.survivors == (0,)


def test_bounds_are_in_order_and_p_is_never_zero():
    found = superiority(differentials(), block=5, resamples=300, seed=9)
    assert 1.0 / 301.0 <= found.p_lower <= found.p_value <= found.p_upper <= 1.0
    certain = superiority(differentials(best=0.1), block=5, resamples=300, seed=9)
    assert certain.p_value == 1.0 / 301.0


def test_nobody_ahead_has_p_one():
    found = superiority(-np.abs(differentials()), block=5, resamples=50, seed=1)
    assert (found.statistic, found.p_value) == (0.0, 1.0)
    assert found.survivors == ()


def test_a_column_without_variation_is_excluded():
    values = differentials()
    found = superiority(np.insert(values, 2, 0.0, axis=1), block=5, resamples=100, seed=3)
    assert found.excluded == (2,)
    assert found.p_value == superiority(values, block=5, resamples=100, seed=3).p_value
    nothing = superiority(np.zeros((100, 2)), block=5, resamples=100, seed=3)
    assert_undefined(nothing, (0, 1), 100, 5, 0.05, "no trial differs from the benchmark")


def assert_undefined(found, excluded, rows, block, level, reason):
    assert found.simulated.shape == (0,)
    nan = math.nan
    expected = (nan, nan, nan, nan, None, (), excluded, np.empty(0), 0, rows, 0, block, level, reason)
    np.testing.assert_equal(dataclasses.astuple(found), expected)


def test_fewer_than_four_blocks_are_undefined():
    found = superiority(differentials(rows=39), block=10, resamples=100, seed=3, level=0.1)
    assert_undefined(found, (), 39, 10, 0.1, "fewer than 4 blocks: 39 rows in blocks of 10")
    two = superiority_of_counts(np.array([[1.0], [2.0]]), [], block=1.0, level=0.1)
    assert_undefined(two, (), 2, 1.0, 0.1, "it takes at least three rows")
    assert superiority(differentials(rows=40), block=10, resamples=100, seed=3).reason is None
    assert superiority(np.empty((0, 2)), block=10, resamples=100, seed=3).reason is not None


def test_the_seed_decides_every_bit():
    values = differentials()
    first, second = (superiority(values, block=5, resamples=100, seed=8) for _ in range(2))
    assert first.simulated.tobytes() == second.simulated.tobytes()
    other = superiority(values, block=5, resamples=100, seed=9)
    assert other.simulated.tobytes() != first.simulated.tobytes()
    # other columns leave no trace; numpy adds up the rows of a lone one in another order
    few = superiority(values[:, [0, 0]], block=5, resamples=100, seed=8)
    more = superiority(values[:, [0] * 7], block=5, resamples=100, seed=8)
    assert few.simulated.tobytes() == more.simulated.tobytes()
    alone = superiority(values[:, :1], block=5, resamples=100, seed=8)
    np.testing.assert_allclose(alone.simulated, few.simulated, atol=1e-12)


def test_resampled_means_are_those_of_the_rows():
    values = differentials(rows=50)
    draws = np.array(list(stationary_draws(50, 5, 1100, 3)))
    expected = np.array([values[rows].mean(axis=0) for rows in draws])
    found = means_of_counts(values, [counts_of(draws[:40], 50), counts_of(draws[40:], 50)])
    np.testing.assert_allclose(found, expected, atol=1e-15)
    assert means_of_counts(values, []).shape == (0, 6)
    assert superiority(values, block=5, seed=1).resamples == 1000
    # More draws than are counted at a time.
    found = means_of_counts(values[:, :1], counted(50, 5, 1100, 3))
    np.testing.assert_allclose(found, expected[:, :1], atol=1e-15)


def test_counts_of_draws_of_a_single_column_take_a_few_megabytes():
    tracemalloc.start()
    try:
        means_of_counts(np.ones((1250, 1)), counted(1250, 5, 3, 1))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 20_000_000


@pytest.mark.slow
def test_resamples_do_not_load_models_of_volatility_or_distributions_and_leave_arch_whole():
    code = """
import sys
import tracemalloc
import numpy as np
from engine.statistics.resampling import stationary_draws
next(stationary_draws(10, 2.0, 1, 1))
assert not {"arch.univariate", "scipy.stats", "statsmodels"} & set(sys.modules)
import arch
bootstrap = arch.bootstrap.IIDBootstrap(np.arange(20.0), seed=1)
assert bootstrap.conf_int(np.mean, 10, method="bca").shape == (2, 1)
assert arch.bootstrap.StationaryBootstrap and arch.arch_model and "arch.univariate" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_sums_of_rows_are_exact_in_whatever_order_they_are_added():
    random = np.random.default_rng(2)
    # By column: returns, tiny ones, an account that lost nearly all, nothing, and the smallest numbers.
    scales = np.array([0.01, 1e-9, 1.0, 0.0, 5e-324])
    matrix = random.normal(0.0, 1.0, (1250, 5)) * scales
    matrix[7, 2] = -0.999
    exact = summable(matrix, 1250)
    off = np.abs(exact - matrix)
    assert (off <= np.maximum(1250 * 2.0**-52 * np.abs(matrix).max(axis=0), 2.0**-1022)).all()
    draws = np.array([*stationary_draws(1250, 4, 5, 3), np.full(1250, 7)])
    for draw, counts in zip(draws, counts_of(draws, 1250), strict=True):
        truth = [float(sum(Fraction(each) for each in column)) for column in exact[draw].T.tolist()]
        assert (counts.astype(float) @ exact).tolist() == truth
        for order in (draw, draw[::-1], np.sort(draw), random.permutation(draw)):
            assert np.add.reduce(np.ascontiguousarray(exact[order].T), axis=1).tolist() == truth
    # A column is rounded by itself.
    assert summable(matrix[:, 1:2], 1250).tobytes() == np.ascontiguousarray(exact[:, 1:2]).tobytes()


def test_a_power_of_two_is_not_one_bit_short():
    # The largest value times the terms is 1 exactly; what is rounded up may not need a 54th bit.
    matrix = np.full((64, 1), 2.0**-6) * (1.0 - np.arange(64)[:, None] * 2.0**-50)
    exact = summable(matrix, 64)
    total = sum(Fraction(each) for each in exact[:, 0].tolist())
    assert Fraction(float(np.ones(64) @ exact[:, 0])) == total


def test_draws_are_counted_and_lags_walked_alike_in_numpy_and_in_machine_code(monkeypatch):
    draws = np.array([[2, 2, 0], [1, 1, 1], [0, 1, 2]])
    table = np.random.default_rng(4).normal(0.0, 0.01, (70, 9))
    found = []
    for machine_code in (False, True):
        for module in (resampling, long_run):
            monkeypatch.setattr(module, "loaded", lambda machine_code=machine_code: machine_code)
        assert counts_of(draws, 3).tolist() == [[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [1.0, 1.0, 1.0]]
        found.append(bootstrap_variances(table, 4.0))
    assert found[0].tobytes() == found[1].tobytes()


def test_a_resample_as_large_as_the_statistic_counts():
    assert resampled_p_value(np.array([1.0, 2.0, 3.0]), 2.0) == (1.0 + 2.0) / 4.0


def test_a_resample_that_is_as_extreme_counts_whatever_its_sum_is_rounded_to():
    # Ahead in one session: its mean over a resample is twice its mean where that session is drawn twice.
    for rows, ahead in ((61, 0.011), (150, 0.0007), (251, 0.0123)):
        values = np.zeros((rows, 1))
        values[rows // 3] = ahead
        twice = sum(np.sum(draw == rows // 3) >= 2 for draw in stationary_draws(rows, 2.0, 199, 1))
        found = superiority(values, block=2.0, resamples=199, seed=1, level=(1 + twice) / 200)
        assert (found.p_value, found.survivors) == ((1 + twice) / 200, (0,))


SEED, LEVEL = "the seed is not a valid one", "the level is not a probability"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"block": 0.5}, "the block length is too small"),
        ({"resamples": 0}, "the number of resamples is too small"),
        ({"seed": -1}, SEED),
        ({"seed": 1.5}, SEED),
        ({"level": 0.0}, LEVEL),
        ({"level": 1.0}, LEVEL),
    ],
)
def test_wrong_use_is_refused(wrong, says):
    with pytest.raises(UsageError, match=f"^{says}"):
        superiority(differentials(), **{"block": 5, "seed": 1, "resamples": 10} | wrong)


def test_wrong_tables_and_blocks_are_refused():
    with pytest.raises(UsageError, match=r"^differentials are not a table"):
        superiority([0.1, 0.2], block=1, seed=1)
    with pytest.raises(UsageError, match=r"^the block length is too small"):
        next(stationary_draws(10, 0.5, 1, 1))
