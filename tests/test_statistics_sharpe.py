"""Sharpe ratio: published tables, exact series, statsmodels for dependence, and what is undefined."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from data.errors import UsageError
from engine.statistics.long_run import bartlett_variance, bootstrap_variances, default_lags, mean_t_statistic
from engine.statistics.sharpe import (
    Moments,
    aggregation_factor,
    aggregation_factor_ar1,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    probabilistic_sharpe_robust,
    ratios,
    ratios_and_autocorrelations,
    sharpe_ratio,
    sharpe_ratios,
    standard_error,
    standard_error_normal,
    standard_error_robust,
)

TWO_VALUES = np.array([0.02, -0.01] * 126)


def noise(rows, seed=5, drift=0.0005):
    return np.random.default_rng(seed).normal(drift, 0.01, rows)


def persistent(rows, rho, seed=6):
    values = noise(rows, seed)
    for row in range(1, rows):
        values[row] += rho * values[row - 1]
    return values


def test_two_values():
    found = moments(TWO_VALUES)
    assert found.sharpe == pytest.approx(0.3326713002, abs=1e-10)
    assert found.sharpe * math.sqrt(252 / 251 * 252) == pytest.approx(5.2915026221, abs=1e-9)
    assert found.skewness == pytest.approx(0.0, abs=1e-12)
    assert found.kurtosis == pytest.approx(1.0, abs=1e-12)
    population = Moments(252, 1.0 / 3.0, 0.0, 1.0)
    assert standard_error_normal(population.sharpe, 252).value == pytest.approx(0.0647202636, abs=1e-10)
    assert standard_error(population).value == pytest.approx(0.0629940788, abs=1e-10)
    assert standard_error_robust(TWO_VALUES, lags=0, ddof=0).value == pytest.approx(0.0629940788, abs=1e-10)


def test_table_1_of_lo():
    assert standard_error_normal(1.5, 60).value == pytest.approx(0.188, abs=5e-4)
    assert standard_error_normal(3.0, 60).value == pytest.approx(0.303, abs=5e-4)
    assert standard_error_normal(2.0, 3).value == pytest.approx(1.0)  # sqrt((1 + 2) / 3)
    assert standard_error_normal(2.0, 2).reason == "it takes at least three returns"
    assert standard_error_normal(math.nan, 60).reason == "the Sharpe ratio is undefined"


@pytest.mark.parametrize(("rho", "factor"), [(0.0, 3.46), (0.2, 2.88), (-0.2, 4.17)])
def test_table_2_of_lo(rho, factor):
    assert aggregation_factor_ar1(12, rho).value == pytest.approx(factor, abs=5e-3)
    powers = [rho**lag for lag in range(1, 12)]
    assert aggregation_factor(12, powers).value == pytest.approx(factor, abs=5e-3)


@given(st.floats(-0.9, 0.9), st.integers(1, 60))
def test_both_aggregation_factors_agree_on_an_autoregression(rho, periods):
    powers = [rho**lag for lag in range(1, periods)]
    assert aggregation_factor(periods, powers).value == pytest.approx(
        aggregation_factor_ar1(periods, rho).value, rel=1e-9
    )


def test_aggregation_factor_is_the_ratio_of_the_variances():
    autocorrelations = [0.3, -0.1, 0.05]
    lags = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    variance = np.array([1.0, *autocorrelations, 0.0])[lags].sum()
    assert aggregation_factor(5, autocorrelations).value == pytest.approx(5.0 / math.sqrt(variance))
    # over two periods the first alone matters
    assert aggregation_factor(2, autocorrelations).value == pytest.approx(2.0 / math.sqrt(2.0 + 2.0 * 0.3))


def test_impossible_autocorrelations_have_no_factor():
    reason = "the autocorrelations give returns over the horizon no positive variance"
    for periods, first in ((10, -0.9), (2, -1.0)):
        found = aggregation_factor(periods, [first])
        assert (math.isnan(found.value), found.reason) == (True, reason)
    for first in (-1.0, 1.0, 1.5):
        found = aggregation_factor_ar1(12, first)
        assert math.isnan(found.value)
        assert found.reason == "the autocorrelation is not between -1 and 1"
    # one period and a half have the power of two, which is too much for so long a memory
    reason = "the autocorrelation gives returns over the horizon no positive variance"
    assert aggregation_factor_ar1(1.5, 0.99).reason == reason
    for factor in (aggregation_factor, aggregation_factor_ar1):
        with pytest.raises(UsageError, match=r"^the number of periods is too small"):
            factor(0, 0.0)


def test_moments_are_those_of_scipy():
    values = noise(300)
    found = moments(values)
    assert found.skewness == pytest.approx(stats.skew(values), rel=1e-10)
    assert found.kurtosis == pytest.approx(stats.kurtosis(values) + 3.0, rel=1e-10)
    centred = values - values.mean()
    assert found.autocorrelation == pytest.approx(
        np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2), rel=1e-10
    )
    assert sharpe_ratio(values).value == pytest.approx(np.mean(values) / np.std(values, ddof=1))


def test_risk_free_is_subtracted_from_every_observation():
    values, free = noise(50), np.linspace(0.0, 0.001, 50)
    assert sharpe_ratio(values, free) == sharpe_ratio(values - free)
    assert sharpe_ratio(values, 0.0001).value < sharpe_ratio(values).value
    robust = probabilistic_sharpe_robust(values, risk_free=free)
    assert robust == probabilistic_sharpe_robust(values - free, 0.0)
    share = sharpe_ratio(values, free).value / standard_error_robust(values - free).value
    assert robust.value == pytest.approx(stats.norm.cdf(share))


@pytest.mark.parametrize("wrong", [0.01, np.zeros((3, 3, 3))])
def test_what_is_no_series_is_refused(wrong):
    with pytest.raises(UsageError, match="series to compare do not have the same rows"):
        sharpe_ratio(wrong)
    with pytest.raises(UsageError, match="returns are not one series"):
        sharpe_ratio(np.zeros((3, 3)))


def test_nan_rows_are_dropped():
    values = noise(50)
    gaps = np.insert(values, [3, 20], np.nan)
    assert moments(gaps) == moments(values)
    table = np.column_stack([values, values[::-1]])
    with_gap = np.insert(table, 7, [0.1, np.nan], axis=0)
    np.testing.assert_array_equal(sharpe_ratios(with_gap), sharpe_ratios(table))


def test_sharpe_ratios_are_those_of_the_columns():
    table = np.column_stack([noise(40, 1), noise(40, 2), np.full(40, 0.01)])
    found = sharpe_ratios(table)
    assert found[0] == pytest.approx(sharpe_ratio(table[:, 0]).value)
    assert found[1] == pytest.approx(sharpe_ratio(table[:, 1]).value)
    assert math.isnan(found[2])
    assert np.isnan(sharpe_ratios(table[:2])).all()
    # mean 2, standard deviation 1
    assert sharpe_ratios([[1.0], [2.0], [3.0]]) == pytest.approx([2.0])
    with pytest.raises(UsageError, match=r"^returns of trials are not a table"):
        sharpe_ratios([1.0, 2.0, 3.0])


def test_ratios_along_either_axis_by_pencil():
    # mean 2, variance (1 + 1) / 1; another series stands still, the third is not known throughout
    found = ratios(np.array([[1.0, 3.0], [5.0, 5.0], [math.nan, 1.0]]), axis=1)
    np.testing.assert_allclose(found, [math.sqrt(2.0), math.nan, math.nan])
    found = ratios(np.array([[1.0, 5.0, 7.0], [3.0, 5.0, math.nan]]), axis=0)
    np.testing.assert_allclose(found, [math.sqrt(2.0), math.nan, math.nan])
    np.testing.assert_array_equal(ratios(np.ones((1, 3)), axis=0), [math.nan] * 3)


@pytest.mark.parametrize(
    ("returns", "reason"),
    [
        ([0.01, 0.02], "it takes at least three returns"),
        ([0.01] * 30, "returns do not vary"),
        ([], "it takes at least three returns"),
    ],
)
def test_short_or_constant_returns_are_undefined(returns, reason):
    found = moments(returns)
    nan = math.nan
    expected = (len(returns), nan, nan, nan, nan, reason, True)
    np.testing.assert_equal(dataclasses.astuple(found), expected)
    for each in (
        sharpe_ratio(returns),
        standard_error(found),
        standard_error_robust(returns),
        probabilistic_sharpe(found),
        probabilistic_sharpe_robust(returns),
        minimum_track_record(found),
    ):
        assert math.isnan(each.value)
        assert each.reason == reason


def test_infeasible_moments_are_undefined():
    found = probabilistic_sharpe(Moments(100, 0.9, skewness=3.0, kurtosis=3.0))
    assert math.isnan(found.value)
    reason = "no law has this skewness and kurtosis: the variance of the ratio is not positive"
    assert found.reason == reason
    unknown = standard_error(Moments(100, 0.5, skewness=-math.inf))
    assert (math.isnan(unknown.value), unknown.reason) == (True, "a moment is undefined")
    assert probabilistic_sharpe(Moments(2, 0.5)).reason == "it takes at least three returns"
    assert standard_error(Moments(3, 0.5)).value == pytest.approx(math.sqrt((1.0 + 0.5 * 0.25) / 3.0))


def test_a_benchmark_that_is_unknown_leaves_no_probability():
    for found in (
        probabilistic_sharpe(Moments(100, 0.1), math.nan),
        probabilistic_sharpe_robust(noise(100), math.nan),
    ):
        assert math.isnan(found.value)
        assert found.reason == "the benchmark Sharpe ratio is undefined"


def test_an_annual_figure_is_refused():
    with pytest.raises(UsageError, match=r"^the Sharpe ratio is not per period"):
        Moments(252, 1.5)
    for of, method in (
        (Moments(252, 0.1), probabilistic_sharpe),
        (Moments(252, 0.1), minimum_track_record),
        (noise(252), probabilistic_sharpe_robust),
    ):
        with pytest.raises(UsageError, match=r"^the benchmark Sharpe ratio is not per period"):
            method(of, benchmark=1.2)
    assert Moments(252, 1.0).sharpe == 1.0
    # what was computed from returns is per period, however large
    assert moments([0.010, 0.011, 0.012]).sharpe > 1.0


def test_a_ratio_given_by_hand_comes_back_with_its_unit_and_an_annual_one_with_a_warning():
    assert probabilistic_sharpe(Moments(252, 0.3)).note == "the Sharpe ratio 0.3 is taken per period"
    # 0.8 times the root of 252
    for found in (probabilistic_sharpe(Moments(252, 0.8)), minimum_track_record(Moments(252, 0.8))):
        assert "0.8 is taken per period, which is 12.7 a year of 252 sessions: divide" in found.note
    assert probabilistic_sharpe(moments([0.01, 0.02, 0.015])).note is None


def test_probabilistic_sharpe_as_published():
    found = probabilistic_sharpe(Moments(24, 0.458, -2.448, 10.164))
    assert found.value == pytest.approx(0.9133610839, abs=1e-10)
    assert probabilistic_sharpe(Moments(24, 0.458)).value == pytest.approx(0.982, abs=5e-4)


def test_minimum_track_record_as_published():
    annual = math.sqrt(12.0)
    found = minimum_track_record(Moments(24, 2.0 / annual, -0.72, 5.78), 1.0 / annual)
    assert found.value == pytest.approx(59.8950986865, abs=1e-9)
    assert found.value / 12.0 == pytest.approx(4.99, abs=5e-3)
    # normal returns against zero: 1 + (1 + 1/8) (1.645 / 0.5)²
    assert minimum_track_record(Moments(24, 0.5)).value == pytest.approx(1.0 + 1.125 * (1.6448536 / 0.5) ** 2)


def test_a_ratio_below_the_benchmark_never_has_a_track_record():
    found = minimum_track_record(Moments(24, 0.1), 0.1)
    assert math.isnan(found.value)
    assert found.reason == "never: the Sharpe ratio is not above the benchmark"
    with pytest.raises(UsageError, match=r"^the confidence is not a probability"):
        minimum_track_record(Moments(24, 0.2), confidence=1.0)
    with pytest.raises(UsageError, match="no track record"):
        minimum_track_record(Moments(24, 0.2), confidence=0.5)


@given(
    st.floats(0.3, 0.9), st.floats(-0.2, 0.2), st.floats(-1.0, 1.0), st.floats(3.0, 9.0), st.floats(0.6, 0.99)
)
def test_the_probability_at_the_minimum_track_record_is_the_confidence(ratio, bar, skew, kurtosis, level):
    needed = minimum_track_record(Moments(100, ratio, skew, kurtosis), bar, level)
    # the number of observations is a whole one only by type
    at = Moments(needed.value, ratio, skew, kurtosis)
    if needed.value >= 3.0:
        assert probabilistic_sharpe(at, bar).value == pytest.approx(level, abs=1e-9)


def test_robust_error_is_that_of_the_influences_by_hand():
    values = persistent(400, 0.4)
    z = (values - values.mean()) / values.std()
    ratio = values.mean() / values.std(ddof=1)
    u = z - ratio / 2.0 * (z**2 - 1.0)
    u -= u.mean()
    lags = default_lags(400)
    assert lags == 5
    total = np.mean(u * u)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * np.sum(u[lag:] * u[:-lag]) / 400
    assert standard_error_robust(values).value == pytest.approx(math.sqrt(total / 400), rel=1e-10)


def test_two_values_whose_skewness_is_twice_the_inverse_of_the_ratio_leave_no_error():
    # mean 4, standard deviation 3: standardised 2 and -1/2, so that z - 2/3 (z² - 1) is 0 for both
    values = np.array([10.0, 2.5, 2.5, 2.5, 2.5] * 6)
    found = standard_error_robust(values, lags=0, ddof=0)
    assert (math.isnan(found.value), found.reason) == (
        True,
        "the standard error vanishes: returns take too few values",
    )


@pytest.mark.slow
def test_dependence_widens_the_error_by_the_known_factor():
    values = persistent(20_000, 0.3)
    plain, robust = standard_error(moments(values)), standard_error_robust(values, lags=40)
    assert robust.value / plain.value == pytest.approx(math.sqrt(1.3 / 0.7), rel=0.05)
    assert moments(values).autocorrelated
    assert not moments(noise(20_000)).autocorrelated
    bar = sharpe_ratio(values).value - robust.value
    assert probabilistic_sharpe_robust(values, bar, lags=40).value == pytest.approx(stats.norm.cdf(1.0))


def test_bartlett_variance_has_a_second_source():
    import statsmodels.stats.sandwich_covariance as sandwich

    values = persistent(100, 0.5)
    centred = (values - values.mean())[:, np.newaxis]
    expected = float(sandwich.S_hac_simple(centred, nlags=7)[0, 0]) / 100
    assert bartlett_variance(values, 7) == pytest.approx(expected, rel=1e-10)
    assert bartlett_variance(values, 0) == pytest.approx(values.var(), rel=1e-10)
    # -1, 0, 1 have covariances 2/3, 0 and -1/3; of ten lags there are two, with weights 2/3 and 1/3
    assert bartlett_variance(np.array([1.0, 2.0, 3.0]), 10) == pytest.approx(2 / 3 + 2 * 1 / 3 * -1 / 3)
    with pytest.raises(UsageError, match=r"^the number of lags is too small"):
        bartlett_variance(values, -1)


def test_t_statistic_of_a_mean_by_pencil():
    # mean 2, and a variance of 2/3 over three rows
    assert mean_t_statistic(np.array([1.0, 2.0, 3.0]), 0).value == pytest.approx(3.0 * math.sqrt(2.0))
    assert mean_t_statistic(np.array([1.0, 2.0]), 0).reason == "it takes at least three values"
    # 4 (T/100)^(2/9), rounded down
    assert [default_lags(rows) for rows in (99, 100, 272, 273)] == [3, 4, 4, 5]


def test_long_run_variance_of_the_stationary_bootstrap():
    x = np.arange(1.0, 7.0)[:, np.newaxis]
    assert bootstrap_variances(x, 3.0)[0] == pytest.approx(2.1441472337, abs=1e-10)
    assert bootstrap_variances(x, 1.0)[0] == pytest.approx(2.9166666667, abs=1e-10)


@pytest.mark.parametrize("block", [1.0, 1.5, 4.0, 12.0])
def test_bootstrap_variance_is_its_sum_over_all_lags(block):
    x = np.random.default_rng(4).normal(0.1, 1.0, 47)
    rows, keep, centred = len(x), 1.0 - 1.0 / block, x - x.mean()
    expected = np.sum(centred**2) / rows
    for lag in range(1, rows):
        weight = (1.0 - lag / rows) * keep**lag + (lag / rows) * keep ** (rows - lag)
        expected += 2.0 * weight * np.sum(centred[lag:] * centred[:-lag]) / rows
    assert bootstrap_variances(x[:, np.newaxis], block)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rows", [2, 3, 130])
def test_moments_of_many_columns_are_those_of_each(rows):
    # One column that does not vary, and more of them than are looked at a time.
    table = np.random.default_rng(8).normal(0.001, 0.01, (rows, 300))
    table[:, 7] = 0.01
    found = np.array(ratios_and_autocorrelations(table))
    expected = [moments(series) for series in table.T]
    np.testing.assert_array_equal(found, np.array([(of.sharpe, of.autocorrelation) for of in expected]).T)
    assert np.isnan(found[:, 7]).all()


def test_importing_statistics_loads_nothing_slow(root):
    modules = sorted(
        f"engine.statistics.{path.stem}" for path in (root / "engine" / "statistics").glob("[a-z]*.py")
    )
    script = (
        f"import sys, {', '.join(modules)}\n"
        "print({'scipy', 'statsmodels', 'arch', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
