"""Diagnostics of a factor: the worked examples, scipy per date, groups by pencil, gaps and ties."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from data.errors import UsageError
from engine.statistics.factor import (
    coverage,
    few_assets,
    mean_summary,
    quantile_groups,
    quantile_returns,
    quantile_turnover,
    rank_autocorrelation,
    rank_ic,
    rank_weighted_returns,
    ranks,
)

NAN = math.nan
FACTOR = [[1, 2, 3, 4, 5], [5, 3, 1, 2, 4], [2, 2, 3, 4, 5]]
FORWARD = [[0.01, 0.03, 0.02, 0.05, 0.04], [0.02, -0.01, 0, 0.01, 0.03], [0, 0.01, 0.02, -0.01, 0.03]]
SERIES = [0.05, 0.02, -0.01, 0.04, 0.06, 0.03, -0.02, 0.01, 0.05, 0.02]


def with_gaps_and_ties(dates=60, assets=12, seed=1):
    random = np.random.default_rng(seed)
    factor = random.integers(0, 6, (dates, assets)).astype(float)
    forward = random.normal(0.0, 0.02, (dates, assets)).round(2)
    factor[random.random(factor.shape) < 0.2] = NAN
    forward[random.random(factor.shape) < 0.2] = NAN
    return factor, forward


def test_worked_example():
    np.testing.assert_allclose(rank_ic(FACTOR, FORWARD), [0.8, 0.6, 0.3590924232], atol=1e-10)


def test_rank_ic_is_spearman_of_complete_pairs():
    factor, forward = with_gaps_and_ties()
    found = rank_ic(factor, forward)
    for date, ic in enumerate(found):
        both = np.isfinite(factor[date]) & np.isfinite(forward[date])
        expected = stats.spearmanr(factor[date, both], forward[date, both]).statistic
        assert ic == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.lists(st.sampled_from([NAN, 0.0, 1.0, 2.0, 5.0]), min_size=6, max_size=6), min_size=1))
def test_ranks_are_those_of_scipy(rows):
    values = np.array(rows)
    np.testing.assert_array_equal(ranks(values), stats.rankdata(values, axis=1, nan_policy="omit"))


def test_undefined_dates_have_no_ic():
    factor = [[1, NAN, NAN], [1, 1, 1], [1, 2, 3], [1, 2, math.inf]]
    forward = [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.1, 0.1, 0.1], [0.1, 0.2, 0.3]]
    found = rank_ic(factor, forward)
    assert np.isnan(found[:3]).all()
    assert found[3] == 1.0
    assert rank_ic(np.empty((0, 3)), np.empty((0, 3))).shape == (0,)
    assert np.isnan(rank_ic(np.empty((2, 0)), np.empty((2, 0)))).all()


def test_summary_as_published():
    found = mean_summary(SERIES, lags=2)
    assert found.mean == pytest.approx(0.025)
    assert found.deviation == pytest.approx(0.0263523138, abs=1e-10)
    assert found.t_statistic == pytest.approx(3.0)
    assert found.ratio == pytest.approx(3.0 / math.sqrt(10.0))
    assert found.robust_t_statistic.value == pytest.approx(4.3629729537, abs=1e-10)
    assert found.robust_t_statistic.value * math.sqrt(0.9) == pytest.approx(4.1390795710, abs=1e-9)
    assert found.hit_rate == 0.8
    assert (found.dates, found.lags, found.reason) == (10, 2, None)


def test_summary_without_lags_by_pencil():
    # mean 2, squares of deviations 1 + 0 + 1: over two of them, and over three in the long-run variance
    found = mean_summary([1.0, 2.0, 3.0], lags=0)
    assert (found.mean, found.deviation, found.ratio) == (2.0, 1.0, 2.0)
    assert found.t_statistic == pytest.approx(2.0 * math.sqrt(3.0))
    assert found.robust_t_statistic.value == pytest.approx(2.0 / math.sqrt(2.0 / 3.0 / 3.0))
    # a date at zero is no hit
    assert mean_summary([0.0, 0.1, -0.1, 0.2]).hit_rate == 0.5


def test_summary_drops_dates_without_a_value():
    gaps = np.insert(np.array(SERIES), [0, 4], NAN)
    assert mean_summary(gaps, lags=2) == mean_summary(SERIES, lags=2)


def test_overlapping_horizons_need_their_lags():
    assert mean_summary(SERIES, horizon=5).lags == 4
    assert mean_summary(SERIES * 30, horizon=3).lags == 5
    with pytest.raises(UsageError, match=r"^the number of lags is too small"):
        mean_summary(SERIES, horizon=5, lags=3)
    with pytest.raises(UsageError, match=r"^the horizon is too small"):
        mean_summary(SERIES, horizon=0)
    overlapping = np.convolve(np.random.default_rng(1).normal(0.05, 1.0, 2000), np.ones(5) / 5.0, "valid")
    found = mean_summary(overlapping, horizon=5, lags=20)
    assert found.t_statistic / found.robust_t_statistic.value == pytest.approx(math.sqrt(5.0), rel=0.25)


def test_summary_of_too_little():
    reason = "it takes at least three dates"
    found = dataclasses.astuple(mean_summary([0.1, 0.2], lags=1))
    np.testing.assert_equal(found, (NAN, NAN, NAN, NAN, NAN, (NAN, reason, None), 2, 1, reason))
    flat = mean_summary([0.1] * 9)
    assert (flat.mean, math.isnan(flat.ratio)) == (pytest.approx(0.1), True)
    assert flat.reason == flat.robust_t_statistic.reason == "the values do not vary"
    assert mean_summary([]).dates == 0


def test_groups_by_pencil():
    groups = quantile_groups([[60, 50, 40, 30, 20, 10], [1, 2, 3, NAN, NAN, 4], [1, 1, 2, 2, 3, 3]], 3)
    # of four assets: places 3/8, 9/8, 15/8, 21/8
    assert groups.tolist() == [[2, 2, 1, 1, 0, 0], [0, 1, 1, -1, -1, 2], [0, 0, 1, 1, 2, 2]]
    assert quantile_groups([[1, 2, NAN]], 3).tolist() == [[-1, -1, -1]]
    assert quantile_groups([[3, 1, 2, NAN]], 3).tolist() == [[2, 0, 1, -1]]


def test_quantile_returns_by_pencil():
    factor = [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]
    forward = np.array([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 7]]) / 100.0
    found = quantile_returns(factor, forward)
    np.testing.assert_allclose(found.by_date, [[0.015, 0.035, 0.055], [0.06, 0.035, 0.015]])
    np.testing.assert_allclose(found.means, [0.0375, 0.035, 0.035])
    np.testing.assert_allclose(found.spread_by_date, [0.04, -0.045])
    assert found.spread.reason == "it takes at least three dates"


def test_quantiles_that_are_empty_by_pencil():
    # ties leave the middle empty at the first two dates, and two assets are too few for three groups
    factor = [[1, 1, 2, 2], [2, 2, 1, 1], [1, 2, NAN, NAN]]
    found = quantile_returns(factor, np.array([[1, 3, 5, 7], [4, 4, 2, 0], [9, 9, 9, 9]]) / 100.0)
    np.testing.assert_allclose(found.by_date, [[0.02, NAN, 0.06], [0.01, NAN, 0.04], [NAN, NAN, NAN]])
    np.testing.assert_allclose(found.means, [0.015, NAN, 0.05])


def test_lags_of_a_spread_are_those_asked_for():
    forward = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]]) / 100.0
    found = quantile_returns([[1, 2]] * 3, forward, 2, lags=0).spread
    assert found.lags == 0
    assert found.robust_t_statistic.value == pytest.approx(2.0 / math.sqrt(2.0 / 3.0 / 3.0))


def test_quantile_returns_with_gaps_are_the_means_of_the_members():
    factor, forward = with_gaps_and_ties()
    found = quantile_returns(factor, forward, 4, horizon=2)
    both = np.isfinite(factor) & np.isfinite(forward)
    groups = quantile_groups(np.where(both, factor, NAN), 4)
    for date in range(len(factor)):
        for group in range(4):
            members = forward[date, groups[date] == group]
            expected = members.mean() if len(members) else NAN
            assert found.by_date[date, group] == pytest.approx(expected, nan_ok=True)
    assert found.spread.mean == pytest.approx(np.nanmean(found.by_date[:, 3] - found.by_date[:, 0]))


def test_no_quantile_has_a_return():
    found = quantile_returns([[1.0, 2.0]] * 4, [[0.1, 0.2]] * 4, 3)
    assert np.isnan(found.means).all()
    assert math.isnan(found.spread.mean)


def test_rank_weights_are_long_one_and_short_one():
    # ranks 1, 2, 3: weights -1, 0, 1
    np.testing.assert_allclose(rank_weighted_returns([[10, 30, 20]], [[0.01, 0.05, 0.9]]), [0.04])
    # ranks 1 to 4: -3/4, -1/4, 1/4, 3/4
    found = rank_weighted_returns([[1, 2, 3, 4, NAN]], [[0.04, 0.04, 0.08, 0.0, 9.0]])
    np.testing.assert_allclose(found, [-0.03 - 0.01 + 0.02])
    # ranks 1 and 2: -1/2 and 1/2, a gross of one that is doubled
    found = rank_weighted_returns([[1, 2, NAN], [3, 1, 2]], [[0.01, 0.03, 9.0], [0.05, 0.01, 0.9]])
    np.testing.assert_allclose(found, [0.02, 0.04])
    assert np.isnan(rank_weighted_returns([[1, 1], [1, NAN]], [[0.1, 0.2], [0.1, 0.2]])).all()


def test_autocorrelation_of_ranks():
    factor = np.array([[1, 2, 3], [10, 20, 30], [3, 2, 1], [1, 2, 3]])
    np.testing.assert_allclose(rank_autocorrelation(factor), [NAN, 1.0, -1.0, -1.0])
    np.testing.assert_allclose(rank_autocorrelation(factor, 3), [NAN, NAN, NAN, 1.0])
    assert np.isnan(rank_autocorrelation(factor, 4)).all()
    with pytest.raises(UsageError, match=r"^the lag is too small"):
        rank_autocorrelation(factor, 0)
    with pytest.raises(UsageError, match=r"^the lag is too small"):
        quantile_turnover(factor, lag=0)


def test_turnover_of_quantiles():
    factor = [[1, 2, 3, 4], [1, 3, 2, 4], [4, 3, 2, 1], [NAN, NAN, NAN, 1]]
    found = quantile_turnover(factor, 2)
    np.testing.assert_allclose(found, [[NAN, NAN], [0.5, 0.5], [0.5, 0.5], [NAN, NAN]])
    np.testing.assert_allclose(quantile_turnover(factor, 2, lag=2)[2], [1.0, 1.0])
    assert np.isnan(quantile_turnover(factor, 2, lag=9)).all()
    # terciles of three: each group is one asset; ties leave the middle empty at the second date
    found = quantile_turnover([[1, 2, 3, NAN], [1, 1, 2, 2], [1, 2, 3, NAN], [2, 1, 3, NAN]])
    expected = [[NAN, NAN, NAN], [0.5, NAN, 0.5], [0.0, NAN, 0.0], [1.0, 1.0, 0.0]]
    np.testing.assert_allclose(found, expected)


def test_coverage():
    factor = [[1, NAN, 3, NAN], [1, 2, 3, 4]]
    np.testing.assert_allclose(coverage(factor), [0.5, 1.0])
    universe = [[True, True, False, False], [False, False, False, False]]
    np.testing.assert_allclose(coverage(factor, universe), [0.5, NAN])
    np.testing.assert_allclose(coverage(factor, [[True, False, False, False]] * 2), [1.0, 1.0])


def test_few_assets_are_a_reason_for_caution():
    assert few_assets(FACTOR, FORWARD).value == 5.0
    assert few_assets(FACTOR, FORWARD).reason == "fewer than 10 assets a date"
    assert few_assets(np.ones((3, 10)), np.ones((3, 10))).reason is None
    nothing = few_assets(np.empty((0, 3)), np.empty((0, 3)))
    assert (math.isnan(nothing.value), nothing.reason) == (True, "there is no date")


def test_wrong_tables_are_refused():
    with pytest.raises(UsageError, match="different shapes"):
        rank_ic(FACTOR, FORWARD[:2])
    with pytest.raises(UsageError, match="not a table"):
        rank_ic([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(UsageError, match=r"^the number of quantiles is too small"):
        quantile_returns(FACTOR, FORWARD, 1)
