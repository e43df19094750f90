"""Metrics: a worked example to nine digits, what is undefined and why, drawdowns, months and years."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import subprocess
import sys
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.metrics import (
    Metrics,
    annual_return_interval,
    compute_metrics,
    drawdowns,
    extreme_days,
    monthly_returns,
    sharpe_interval,
    trailing_returns,
    win_rates,
    yearly_returns,
)
from engine.metrics.compute import measured
from engine.metrics.declared import (
    ALTERNATIVES,
    METRICS,
    OF_ALTERNATIVES,
    OF_PATH,
    OF_RUN,
    in_group,
    label_of,
    unit_of,
)
from engine.metrics.metric import Metric, is_percent
from engine.metrics.path import Path
from engine.on_demand import OnDemand, imported
from engine.simulation.entries import Totals
from engine.sweeps.compiled_metrics import COMPILED_METRICS, write_metrics
from tests.helpers.results import fills, from_returns, one_fund, rejections, rotation, sessions

STEPS = (-0.5, -0.2, -0.01, 0.0, 0.0, 0.01, 0.25, 1.0)
RETURNS = [0.010, -0.020, 0.030, 0.0, -0.010, 0.020, -0.030, 0.015, 0.005, -0.005]
BENCHMARK = [0.008, -0.015, 0.020, 0.002, -0.012, 0.010, -0.020, 0.012, 0.004, 0.001]

WORKED = {
    "cum_returns_final": 0.0135541578,
    "annual_return": 0.4039232969,
    "annual_volatility": 0.2923525269,
    "sharpe_ratio": 1.2929595785,
    "sortino_ratio": 1.9947298986,
    "max_drawdown": -0.03,
    "calmar_ratio": 13.4641098975,
    "omega_ratio": 1.2307692308,
    "tail_ratio": 1.0,
    "value_at_risk": -0.0255,
    "conditional_value_at_risk": -0.03,
    "skew": -0.1949130802,
    "kurtosis": -0.8181596830,
    "stability_of_timeseries": 0.0697427502,
    "beta": 1.3978494624,
    "alpha": 0.0260747715,
    "information_ratio": 1.2207147688,
    "up_capture": 2.0117410963,
    "down_capture": 1.0128146279,
}


@pytest.mark.parametrize("name", WORKED)
def test_worked_example(name):
    metrics = compute_metrics(from_returns(RETURNS, BENCHMARK))
    assert metrics[name] == pytest.approx(WORKED[name], abs=1e-9)


def test_metrics_can_be_listed_and_looked_for():
    metrics = Metrics({"sharpe_ratio": 1.0, "beta": None}, {"beta": "there is no benchmark"})
    assert list(metrics) == ["sharpe_ratio", "beta"]
    assert dict(metrics) == metrics.values
    assert "beta" in metrics
    assert "alpha" not in metrics


def test_annual_figures_use_the_sessions_of_the_exchange():
    returns = [0.01, -0.01, 0.02, 0.0]
    metrics = compute_metrics(from_returns(returns, returns, returns, sessions_per_year=243.0))
    total = 1.01 * 0.99 * 1.02
    assert metrics["annual_return"] == pytest.approx(total ** (243.0 / 4.0) - 1.0, rel=1e-12)
    mean, deviation = 0.005, math.sqrt((0.005**2 + 0.015**2 + 0.015**2 + 0.005**2) / 3.0)
    assert metrics["sharpe_ratio"] == pytest.approx(mean / deviation * math.sqrt(243.0), rel=1e-12)
    for prefix in ALTERNATIVES:
        for name in ("annual_return", "sharpe_ratio"):
            assert metrics[prefix + name] == pytest.approx(metrics[name], rel=1e-12)


def test_captures_use_the_sessions_of_the_exchange():
    # the benchmark neither rose nor fell in the last one
    metrics = compute_metrics(from_returns([0.02, -0.01, 0.5], [0.01, -0.02, 0.0], sessions_per_year=243.0))
    assert metrics["up_capture"] == pytest.approx((1.02**243 - 1) / (1.01**243 - 1), rel=1e-12)
    assert metrics["down_capture"] == pytest.approx((0.99**243 - 1) / (0.98**243 - 1), rel=1e-12)


def test_calendar_return_counts_days_from_the_first_to_the_last():
    days = np.array(["2024-01-01", "2024-07-01", "2024-12-31"], dtype="datetime64[D]")
    metrics = compute_metrics(from_returns([0.05, 0.05, 0.05], days=days))
    assert metrics["calendar_annual_return"] == pytest.approx(1.05 ** (3 * 365.25 / 366.0) - 1.0, rel=1e-12)


def test_sessions_without_a_benchmark_are_left_out_and_not_filled():
    # Before the first level, and after the last one.
    known = compute_metrics(from_returns([0.01, -0.02, 0.015, 0.03], [0.02, -0.01, 0.01, 0.02]))
    part = compute_metrics(
        from_returns([0.3, 0.01, -0.02, 0.015, 0.03, -0.4], [np.nan, 0.02, -0.01, 0.01, 0.02, np.nan])
    )
    for name in ("beta", "alpha", "information_ratio", "up_capture", "benchmark_annual_return"):
        assert part[name] == pytest.approx(known[name], rel=1e-12), name


def test_over_a_gap_of_the_benchmark_both_are_compounded():
    # The third session has no level, so the fourth has the return of two.
    gap = from_returns([0.01, -0.02, 0.3, 0.015, 0.03], [0.02, -0.01, np.nan, 0.01, 0.02])
    ours = [0.01, -0.02, 1.3 * 1.015 - 1.0, 0.03]
    # Four returns of five sessions: 252 * 4 / 5 of them in a year.
    four = compute_metrics(from_returns(ours, [0.02, -0.01, 0.01, 0.02], sessions_per_year=252.0 * 4 / 5))
    found = compute_metrics(gap)
    for name in ("beta", "alpha", "information_ratio", "up_capture", "benchmark_sharpe_ratio"):
        assert found[name] == pytest.approx(four[name], rel=1e-12), name
    total = 1.02 * 0.99 * 1.01 * 1.02
    assert found["benchmark_cum_returns_final"] == pytest.approx(total - 1.0)
    assert found["benchmark_annual_return"] == pytest.approx(total ** (252.0 / 5.0) - 1.0)
    compiled = in_machine_code(Path.of_result(gap))
    for name in ("beta", "alpha", "information_ratio"):
        assert compiled[name] == pytest.approx(found[name], rel=1e-9), name


def test_benchmark_and_equal_weight_are_measured_like_the_run():
    metrics = compute_metrics(from_returns(BENCHMARK, RETURNS, RETURNS))
    for prefix in ALTERNATIVES:
        for name in OF_ALTERNATIVES:
            assert metrics[prefix + name] == pytest.approx(WORKED[name], abs=1e-9), prefix + name


def test_without_a_benchmark_nothing_is_measured_against_it():
    metrics = compute_metrics(from_returns(RETURNS))
    for name in ("alpha", "beta", "information_ratio", "up_capture", "benchmark_sharpe_ratio"):
        assert metrics[name] is None
        assert metrics.reasons[name] == "there is no benchmark"
    assert metrics.reasons["equal_weight_annual_return"] == "no fund traded"


OF_TWO_SESSIONS = (
    "annual_volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "omega_ratio",
    "stability_of_timeseries",
    "skew",
    "kurtosis",
)
UNDEFINED = {
    "all zero": (
        [0.0] * 5,
        {
            "sharpe_ratio": "returns do not vary",
            "sortino_ratio": "no session lost money",
            "calmar_ratio": "no session lost money",
            "omega_ratio": "no session lost money",
            "tail_ratio": "the 5th percentile of returns is zero",
            "stability_of_timeseries": "returns do not vary",
            "skew": "returns do not vary",
            "kurtosis": "returns do not vary",
        },
    ),
    "constant": (
        [0.01] * 5,
        {
            "sharpe_ratio": "returns do not vary",
            "sortino_ratio": "no session lost money",
            "calmar_ratio": "no session lost money",
            "omega_ratio": "no session lost money",
            "stability_of_timeseries": "returns do not vary",
            "skew": "returns do not vary",
            "kurtosis": "returns do not vary",
        },
    ),
    "all positive": (
        [0.01, 0.02, 0.03],
        {
            "sortino_ratio": "no session lost money",
            "calmar_ratio": "no session lost money",
            "omega_ratio": "no session lost money",
        },
    ),
    "one session": (
        [0.01],
        dict.fromkeys(OF_TWO_SESSIONS, "it takes at least two sessions"),
    ),
    "a session that lost everything": (
        [0.01, -1.0],
        {"stability_of_timeseries": "everything was lost"},
    ),
    # of 21 the second lowest is the 5th percentile, and the 6th is on the way to the third
    "a 5th percentile of zero": (
        [-0.1, 0.0] + [0.01] * 19,
        {"tail_ratio": "the 5th percentile of returns is zero"},
    ),
    "a session that earned more than a float can hold in a year": (
        [50.0],
        {"annual_return": "the sample is too short or too one-sided for a finite number"},
    ),
}


@pytest.mark.parametrize("case", UNDEFINED)
def test_undefined_is_none_with_a_reason(case):
    returns, expected = UNDEFINED[case]
    metrics = compute_metrics(from_returns(returns))
    for name, reason in expected.items():
        assert metrics[name] is None, name
        assert metrics.reasons[name] == reason, name
    defined = set(WORKED) - set(metrics.reasons)
    assert all(math.isfinite(metrics[name]) for name in defined)


def test_equity_that_grows_evenly_has_no_sharpe_in_spite_of_rounding():
    steady = from_returns([0.01] * 300)
    assert np.std(steady.returns) > 0.0
    assert compute_metrics(steady)["sharpe_ratio"] is None


@pytest.mark.parametrize(("loss", "counts"), [(1e-15, False), (9e-15, False), (2e-14, True), (1e-10, True)])
def test_a_loss_within_the_rounding_of_equity_is_none(loss, counts):
    returns = np.array([0.01, -loss, 0.02, 0.01])
    path = Path.of_returns(returns, 252.0, returns)
    names = ("sortino_ratio", "calmar_ratio", "omega_ratio")
    plain, compiled = measured(names, path), in_machine_code(path)
    for name, value in zip(names, plain, strict=True):
        assert math.isfinite(value) == math.isfinite(compiled[name]) == counts, name
    assert math.isfinite(measured(["down_capture"], path)[0]) == counts
    tail = Path.of_returns(np.array([0.01, -loss] * 20), 252.0)
    assert math.isfinite(measured(["tail_ratio"], tail)[0]) == counts


def test_a_run_like_its_benchmark_has_no_information_ratio():
    metrics = compute_metrics(from_returns(RETURNS, RETURNS))
    assert metrics["information_ratio"] is None
    assert metrics.reasons["information_ratio"] == "the difference from the benchmark does not vary"
    assert metrics["beta"] == pytest.approx(1.0)
    flat = compute_metrics(from_returns(RETURNS, [0.0] * 10))
    assert flat.reasons["beta"] == "the benchmark does not vary"
    assert flat.reasons["up_capture"] == "the benchmark never rose"
    assert flat.reasons["down_capture"] == "the benchmark never fell"


def test_one_session_with_a_benchmark_has_no_slope():
    metrics = compute_metrics(from_returns([0.01, 0.02, 0.03], [np.nan, 0.01, np.nan]))
    for name in ("alpha", "beta", "information_ratio"):
        assert metrics.reasons[name] == "it takes at least two sessions with a benchmark"


def test_every_value_is_finite_or_none_with_a_reason():
    for result in (rotation(), from_returns(RETURNS), from_returns([0.0]), from_returns([0.01, -1.0])):
        metrics = compute_metrics(result)
        assert set(metrics.reasons) == {name for name, value in metrics.values.items() if value is None}
        assert all(math.isfinite(value) for value in metrics.values.values() if value is not None)
        assert [name for name in metrics.values if name in OF_RUN] == list(OF_RUN)


def test_turnover_is_one_way_a_year():
    days = sessions(4)
    traded = fills(
        (days[0], "159363.SZ", 100, 10.0, 0.0, 0.0, 0.0), (days[2], "159363.SZ", -100, 11.0, 0.0, 0.0, 0.0)
    )
    result = from_returns([0.0, 0.0, 0.0, 0.0], fills=traded, sessions_per_year=240.0)
    # half of 1000 + 1100, over equity of 100, in 4 of 240 sessions
    assert compute_metrics(result)["turnover"] == pytest.approx(0.5 * 2100.0 / 100.0 * 240.0 / 4.0)


def test_exposure_is_the_mean_share_of_equity_in_funds():
    result = one_fund([2.0, 2.0, 2.0, 2.0], [0, 1000, 2000, 2000], (1, 1000, 2.0, 0.0), (2, 1000, 2.0, 0.0))
    assert compute_metrics(result)["exposure"] == pytest.approx((0.0 + 0.2 + 0.4 + 0.4) / 4.0)


def test_costs_are_a_share_of_profit_before_them():
    days = sessions(2)
    traded = fills((days[0], "159363.SZ", 100, 10.0, 2.0, 0.5, 1.5))
    metrics = compute_metrics(from_returns([0.0, 0.16], fills=traded))
    assert metrics["costs"] == 4.0
    assert metrics["cost_share"] == pytest.approx(4.0 / (16.0 + 4.0))
    lost = compute_metrics(from_returns([0.0, -0.16], fills=traded))
    assert lost["cost_share"] is None
    assert lost.reasons["cost_share"] == "there is no profit before costs"
    # earned before costs of four: two, and four
    for last in (98.0, 100.0):
        equity = np.array([100.0, 100, 100, last])
        eaten = compute_metrics(from_returns([0.0] * 4, equity=equity, fills=traded))
        assert eaten["cost_share"] is None
        assert eaten.reasons["cost_share"] == "costs are as large as the profit before them, or larger"
    idle = compute_metrics(from_returns([0.0, 0.0]))
    assert idle.reasons["cost_share"] == "there is no profit before costs"
    # half a unit of money earned, and nothing paid
    assert compute_metrics(from_returns([0.0, 0.005]))["cost_share"] == 0.0


def test_fills_and_rejections_are_counted():
    days = sessions(2)
    result = from_returns(
        [0.0, 0.0],
        fills=fills((days[0], "159363.SZ", 100, 10.0, 0.0, 0.0, 0.0)),
        rejections=rejections(*((day, "159363.SZ", 100, "limit up") for day in days)),
    )
    assert {each.name: each.function(result) for each in in_group("counts")} == {"fills": 1, "rejections": 2}


def test_a_loss_on_the_first_day_is_a_drawdown_from_the_initial_capital():
    result = from_returns([-0.10, 0.05, 0.05, 0.01])
    assert compute_metrics(result)["max_drawdown"] == pytest.approx(-0.10)
    (fall,) = drawdowns(result)
    days = result.days.tolist()
    assert (fall.peak, fall.trough, fall.recovery) == (None, days[0], days[3]) == (None, days[0], days[3])
    assert fall.depth == pytest.approx(-0.10)
    assert (fall.to_trough, fall.under_water) == (1, 4)


def test_drawdowns_are_sorted_by_depth_and_the_last_may_be_open():
    result = from_returns([0.10, -0.05, 0.10, -0.20, 0.10, -0.10])
    days = result.days.tolist()
    deep, shallow = drawdowns(result)
    assert deep.depth == pytest.approx(0.8 * 1.1 * 0.9 - 1.0)
    assert (deep.peak, deep.trough, deep.recovery) == (days[2], days[5], None)
    assert (deep.to_trough, deep.under_water) == (3, 3)
    assert shallow.depth == pytest.approx(-0.05)
    assert (shallow.peak, shallow.trough, shallow.recovery) == (days[0], days[1], days[2])
    assert (shallow.to_trough, shallow.under_water) == (1, 2)
    assert drawdowns(result, top=1) == [deep]


def test_the_five_deepest_drawdowns_unless_told_otherwise():
    found = drawdowns(from_returns([-0.01, 0.02, -0.06, 0.1, -0.02, 0.1, -0.05, 0.1, -0.03, 0.1, -0.04, 0.1]))
    assert [fall.depth for fall in found] == pytest.approx([-0.06, -0.05, -0.04, -0.03, -0.02])


def test_a_run_that_never_falls_has_no_drawdown():
    assert drawdowns(from_returns([0.0, 0.01, 0.0])) == []


def test_months_and_years_are_compounded():
    days = ["2023-12-28", "2023-12-29", "2024-01-02", "2024-01-03", "2024-03-01"]
    result = from_returns(
        [0.01, 0.02, 0.03, -0.01, 0.05],
        [np.nan, 0.02, 0.01, 0.0, 0.0],
        days=np.array(days, dtype="datetime64[D]"),
    )
    months = monthly_returns(result)
    assert months.loc[2023, 12] == pytest.approx(1.01 * 1.02 - 1.0)
    assert months.loc[2024, 1] == pytest.approx(1.03 * 0.99 - 1.0)
    assert months.loc[2024, 3] == pytest.approx(0.05)
    assert months.notna().sum().sum() == 3
    assert (months.index.tolist(), months.columns.tolist()) == ([2023, 2024], list(range(1, 13)))
    assert (months.dtypes == np.float64).all()
    years = yearly_returns(result)
    assert (years.index.tolist(), years.index.dtype) == ([2023, 2024], np.int64)
    assert years.loc[2024, "run"] == pytest.approx(1.03 * 0.99 * 1.05 - 1.0)
    assert years.loc[2023, "benchmark"] == pytest.approx(0.02)
    assert years["equal_weight"].isna().all()


def test_trailing_returns_begin_behind_the_same_day_of_an_earlier_month():
    days = ["2023-12-29", "2024-01-31", "2024-02-28", "2024-02-29", "2024-03-29", "2024-03-31"]
    result = from_returns(
        [0.50, 0.10, 0.20, 0.05, 0.02, 0.01],
        [np.nan, np.nan, np.nan, 0.03, np.nan, 0.02],
        days=np.array(days, dtype="datetime64[D]"),
    )
    found = trailing_returns(result)
    assert found.index.tolist() == ["1 month", "3 months", "year to date", "1 year", "3 years", "5 years"]
    # a month before the 31st of March ends with the 29th of February
    assert found.loc["1 month", "run"] == pytest.approx(1.02 * 1.01 - 1.0)
    assert found.loc["1 month", "benchmark"] == pytest.approx(0.02)
    assert found.loc["3 months", "run"] == pytest.approx(1.1 * 1.2 * 1.05 * 1.02 * 1.01 - 1.0)
    assert found.loc["year to date"].equals(found.loc["3 months"])
    assert found.loc["1 year":].isna().all().all()
    assert found["equal_weight"].isna().all()


def test_best_and_worst_days_and_how_often_it_gained():
    days = ["2023-12-28", "2023-12-29", "2024-01-02", "2024-01-03"]
    result = from_returns(
        [0.01, -0.02, 0.03, 0.0], [0.02, -0.03, 0.0, np.nan], days=np.array(days, dtype="datetime64[D]")
    )
    found = extreme_days(result)
    assert found["run"].tolist() == pytest.approx([0.03, 0.01, -0.02])
    assert [str(day)[:10] for day in found["day"]] == ["2024-01-02", "2023-12-28", "2023-12-29"]
    assert found["benchmark"].tolist() == pytest.approx([0.0, 0.02, -0.03])
    rates = win_rates(result)
    assert rates[["won", "of"]].values.tolist() == [[2, 4], [1, 2], [1, 2]]
    # sessions: -0.02 and 0.03 are above; months and years: 0.9898 - 1 is above 0.9894 - 1, and 0.03 above 0
    assert rates["beat"].tolist() == pytest.approx([2 / 3, 1.0, 1.0])


def test_intervals_are_two_errors_wide():
    result = from_returns([0.02, -0.01] * 50)
    ratio = 0.005 / (0.015 * math.sqrt(100 / 99))
    # Mertens: no skewness, kurtosis 1, so that the variance of the ratio is (1 + 0 + (1 - 1) / 4 SR²) / n
    low, high = sharpe_interval(result) or (math.nan, math.nan)
    assert (low + high) / 2 == pytest.approx(ratio * math.sqrt(252.0))
    assert (high - low) / 2 == pytest.approx(1.959964 * math.sqrt(252.0) * 0.1, rel=1e-2)
    low, high = annual_return_interval(result) or (math.nan, math.nan)
    middle = (math.log(1.02) + math.log(0.99)) / 2
    spread = (math.log(1.02) - math.log(0.99)) / 2 * math.sqrt(100 / 99) / 10
    assert low == pytest.approx(math.exp(252 * (middle - 1.959964 * spread)) - 1.0, rel=1e-5)
    assert high == pytest.approx(math.exp(252 * (middle + 1.959964 * spread)) - 1.0, rel=1e-5)
    short = from_returns([0.02, -0.01] * 29)
    assert (sharpe_interval(short), annual_return_interval(short)) == (None, None)
    still = from_returns([0.0] * 100)
    assert (sharpe_interval(still), annual_return_interval(still)) == (None, None)


def test_days_of_drawdowns_are_dates():
    assert isinstance(drawdowns(from_returns([0.01, -0.01]))[0].trough, date)


def test_the_documentation_is_that_of_the_declarations(root):
    spec = importlib.util.spec_from_file_location("make_metrics", root / "docs" / "make_metrics.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (root / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert text == module.make_page(text), "run: python docs/make_metrics.py"
    names = [*METRICS, *(prefix + name for prefix in ALTERNATIVES for name in OF_ALTERNATIVES)]
    assert [name for name in names if f"| `{name}` |" not in text] == []


def in_machine_code(path: Path) -> dict[str, float]:
    """What the function that sweeps compile measures of a path without trades, by name; run by Python."""
    found = np.empty(len(COMPILED_METRICS))
    with np.errstate(all="ignore"):
        equity, capital = path.levels[1:], float(path.levels[0])
        write_metrics(equity, capital, path.benchmark, path.per_year, Totals(0, 0, 0.0, 0.0, 0.0, -1), found)
    return dict(zip(COMPILED_METRICS, found.tolist(), strict=True))


LOST, NEVER, UNKNOWN = math.sqrt((0.25 + 1.0) / 2.0), "equity never fell", "equity is not known throughout"
FALLS: dict[str, tuple[list[float], float | str, float | str]] = {
    # Equity on a capital of 100; average drawdown and ulcer index, or why there is none.
    "two falls, the second one open": (
        [110.0, 99.0, 104.5, 110.0, 121.0, 96.8],
        (-0.1 - 0.2) / 2,
        math.sqrt((0.1**2 + 0.05**2 + 0.2**2) / 6),
    ),
    "a loss in the first session": ([90.0, 100.0], -0.1, math.sqrt(0.1**2 / 2)),
    "one fall with a rise in it": ([80.0, 90.0, 70.0, 100.0], -0.3, math.sqrt((0.04 + 0.01 + 0.09) / 4)),
    "a peak that is reached within rounding": (
        [80.0, 100.0 - 1e-12, 90.0],
        (-0.2 - 0.1) / 2,
        math.sqrt((0.2**2 + 0.1**2) / 3),
    ),
    "no drawdown at all": ([100.0, 110.0, 110.0], NEVER, 0.0),
    "a single session that gained": ([105.0], NEVER, 0.0),
    "a single session that lost": ([95.0], -0.05, 0.05),
    "everything lost": ([50.0, 0.0], -1.0, LOST),
    "a session that is not known": ([90.0, np.nan, 95.0], UNKNOWN, UNKNOWN),
    "a last session that is not known": ([110.0, np.nan], UNKNOWN, UNKNOWN),
}


@pytest.mark.parametrize("case", FALLS)
def test_average_drawdown_and_ulcer_index_by_hand(case):
    equity, *expected = FALLS[case]
    result = from_returns(np.zeros(len(equity)), equity=np.array(equity))
    metrics, compiled = compute_metrics(result), in_machine_code(Path.of_result(result))
    for name, wanted in zip(("average_drawdown", "ulcer_index"), expected, strict=True):
        if isinstance(wanted, str):
            assert (metrics[name], metrics.reasons[name]) == (None, wanted)
            assert math.isnan(compiled[name])
        else:
            assert metrics[name] == pytest.approx(wanted, rel=1e-9)
            assert compiled[name] == pytest.approx(wanted, rel=1e-9)


def test_without_a_session_there_is_neither_a_drawdown_nor_an_ulcer():
    metrics = compute_metrics(from_returns([]))
    names = ("average_drawdown", "ulcer_index", "turnover", "cost_share")
    assert {metrics.reasons[name] for name in names} == {"there is no session"}


def test_a_path_of_returns_alone_has_no_benchmark():
    path = Path.of_returns(np.array([0.5, -0.5]), 243.0)
    assert path.levels.tolist() == [1.0, 1.5, 0.75]
    assert np.isnan(path.benchmark).tolist() == [True, True]
    assert [len(each) for each in path.pair] == [0, 0]
    nothing = Path.of_returns(np.array([]), 243.0)
    assert METRICS["cum_returns_final"].undefined(nothing) == "there is no session"


def test_a_path_that_is_not_known_throughout_has_no_metric():
    path = Path.of_returns(np.array([0.01, np.nan, 0.02]), 243.0, np.zeros(3))
    np.testing.assert_array_equal(measured(["cum_returns_final", "beta"], path), [np.nan, np.nan])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from((*STEPS, np.nan))), min_size=1, max_size=30)
)
def test_machine_code_has_the_metrics_of_their_functions(steps):
    """On paths with ties, flat stretches, recoveries to the bit, and sessions without a benchmark."""
    returns, benchmark = np.array(steps).T
    path = Path.of_returns(returns, 243.0, benchmark)
    names = [name for name in COMPILED_METRICS if name in OF_PATH]
    assert len(names) == 15
    plain, compiled = measured(names, path), in_machine_code(path)
    for name, value in zip(names, plain, strict=True):
        assert compiled[name] == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), name


def test_what_pages_ask_of_the_declarations():
    assert label_of("max_drawdown") == "Maximum drawdown"
    assert label_of("benchmark_max_drawdown") == "Maximum drawdown, benchmark"
    assert label_of("equal_weight_sharpe_ratio") == "Sharpe ratio, equal weight"
    assert (
        unit_of("max_drawdown") == unit_of("benchmark_max_drawdown") == unit_of("equal_weight_max_drawdown")
    )
    assert unit_of("benchmark_annual_return") == "percent a year"
    # of a document that another version wrote
    assert (label_of("unheard_of"), unit_of("unheard_of")) == ("unheard_of", "ratio")
    assert [unit for unit in ("percent", "percent a year", "ratio", "count") if is_percent(unit)] == [
        "percent",
        "percent a year",
    ]
    # the calendar's annual return repeats that by sessions
    shape = [each.name for each in in_group("shape")]
    assert "skew" in shape
    assert "calendar_annual_return" not in shape
    assert "sharpe_ratio" not in shape


def test_a_module_on_demand_is_loaded_by_a_call_of_one_of_its_functions():
    module = OnDemand("math")
    assert module.sqrt.__name__ == "sqrt"
    assert module.sqrt(9.0) == 3.0
    assert module.isclose(1.0, 1.1, rel_tol=0.2)
    with pytest.raises(AttributeError):
        _ = module.__wrapped__


def test_a_library_comes_without_what_it_does_not_need_until_that_is_called(tmp_path, monkeypatch):
    names = ("library_of_ours", "heavy_of_ours", "heavy_of_ours.part")
    (tmp_path / "library_of_ours.py").write_text(
        "from heavy_of_ours import part\nfrom heavy_of_ours.part import law\n"
        "def twice(number):\n    return part.add(number, number)\n"
    )
    (tmp_path / "heavy_of_ours").mkdir()
    (tmp_path / "heavy_of_ours" / "__init__.py").write_text("")
    (tmp_path / "heavy_of_ours" / "part.py").write_text(
        "from statistics import NormalDist\nFIVE = 5\nlaw = NormalDist()\n"
        "def add(one, other):\n    return one + other\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    try:
        library = imported("library_of_ours", without=names[1:])
        assert not set(names[1:]) & set(sys.modules)
        assert library.law.cdf(0.0) == 0.5  # no function: what it has is looked for when asked
        assert library.twice(21) == 42
        assert library.part.FIVE == 5
        assert set(names[1:]) <= set(sys.modules)
    finally:
        for name in names:
            sys.modules.pop(name, None)


def test_a_library_that_needs_it_at_once_gets_it(tmp_path, monkeypatch):
    (tmp_path / "eager_of_ours.py").write_text(
        "from needed_of_ours import part\nSIX = part.five() + 1\n"
        "from needed_of_ours import Base\nclass Own(Base): ..."
    )
    (tmp_path / "needed_of_ours").mkdir()
    (tmp_path / "needed_of_ours" / "__init__.py").write_text("class Base: ...\n")
    (tmp_path / "needed_of_ours" / "part.py").write_text("def five():\n    return 5\n")
    monkeypatch.syspath_prepend(tmp_path)
    needed = ("needed_of_ours", "needed_of_ours.part")
    try:
        library = imported("eager_of_ours", without=needed)
        assert library.SIX == 6
        assert library.Own.__bases__ == (sys.modules["needed_of_ours"].Base,)
    finally:
        for name in ("eager_of_ours", *needed):
            sys.modules.pop(name, None)


def test_a_library_that_derives_from_what_it_lacks_is_imported_whole(tmp_path, monkeypatch):
    (tmp_path / "heir_of_ours.py").write_text("from heritage_of_ours import Base\nclass Own(Base): ...")
    (tmp_path / "heritage_of_ours.py").write_text("class Base: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        library = imported("heir_of_ours", without=["heritage_of_ours"])
        assert library.Own.__bases__ == (sys.modules["heritage_of_ours"].Base,)
    finally:
        for name in ("heir_of_ours", "heritage_of_ours"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("field", ["unit", "better", "group", "of"])
def test_a_metric_cannot_be_declared_without_its_facts(field):
    declared = {each.name: getattr(METRICS["beta"], each.name) for each in dataclasses.fields(Metric)}
    with pytest.raises(ValueError, match="beta: 'up' is not one of"):
        Metric(**(declared | {field: "up"}))
    del declared[field]
    with pytest.raises(TypeError, match=field):
        Metric(**declared)


def test_importing_metrics_loads_neither_empyrical_nor_pyfolio(root):
    script = (
        "import sys, engine.metrics, engine.report.html\n"
        "print({'empyrical', 'pyfolio', 'scipy', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
