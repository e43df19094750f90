"""Significance of differences between runs: where there is one, where there is none, how it is shown."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import run_backtest
from engine.cli.present_significance import significance_text
from engine.comparisons.common import (
    AT_NO_COST,
    alternatives_of,
    begin_within,
    common_of,
    correlation,
    paired,
    together,
)
from engine.comparisons.significance import IDENTICAL, significance, significance_document
from engine.metrics import compute_metrics
from engine.report.compare_page import write_comparison
from tests.helpers.results import MANIFEST, fills, from_returns

ROOT = Path(run_backtest.__file__).parent
NAN = math.nan


def noise(sessions=400, seed=0, mean=0.0004, deviation=0.01):
    return np.random.default_rng(seed).normal(mean, deviation, sessions)


def runs(*returns, benchmark=None, **more):
    market = noise(len(returns[0]), seed=99) if benchmark is None else benchmark
    return [from_returns(each, benchmark=market, **more) for each in returns]


def ahead(sessions=400):
    """A run, one that earns 0.2 % a session more at the same risk, and one that is alike but for noise."""
    base = noise(sessions)
    alike = base + noise(sessions, seed=2, mean=0.0, deviation=0.002)
    return base, base + 0.002 + noise(sessions, seed=1, mean=0.0, deviation=0.002), alike


# --- What is compared ---------------------------------------------------------------------------------


def test_the_difference_is_of_annual_sharpe_ratios():
    one, two = noise(), noise(seed=1)
    (found,) = significance(runs(one, two)).differences
    ratios = [each.mean() / each.std(ddof=1) * math.sqrt(252) for each in (one, two)]
    assert found.first_sharpe.value == pytest.approx(ratios[0])
    assert found.sharpe.value == pytest.approx(ratios[1])
    assert found.value.value == pytest.approx(ratios[1] - ratios[0])
    assert found.low.value < found.value.value < found.high.value
    metrics = [compute_metrics(each)["sharpe_ratio"] for each in runs(one, two)]
    assert (found.first_sharpe.value, found.sharpe.value) == (
        pytest.approx(metrics[0]),
        pytest.approx(metrics[1]),
    )


def test_returns_are_of_common_sessions_and_compound_over_the_others():
    days = np.arange("2024-01-01", "2024-01-07", dtype="datetime64[D]")
    all_days = from_returns([0.1] * 6, benchmark=[0.2] * 6, days=days)
    some = from_returns([0.01, 0.02, 0.03], days=days[[1, 3, 4]])
    common, returns, benchmark = paired([all_days, some])
    assert common.tolist() == days[[1, 3, 4]].tolist()
    # the first is of its own session; from the 2nd to the 4th are two sessions
    np.testing.assert_allclose(returns[:, 0], [0.1, 1.1**2 - 1, 0.1])
    np.testing.assert_allclose(returns[:, 1], [0.01, 0.02, 0.03])
    np.testing.assert_allclose(benchmark, [0.2, 1.2**2 - 1, 0.2])
    assert significance([all_days, some]).sessions == 3
    # the page draws the same returns that are tested
    drawn = common_of([all_days, some], ["all", "some"])
    assert drawn.days.tolist() == common.tolist()
    assert drawn.returns["all"].tolist() == returns[:, 0].tolist()
    assert drawn.returns["benchmark"].tolist() == benchmark.tolist()


def test_a_return_behind_a_gap_is_of_the_gap_and_what_does_not_vary_correlates_with_nothing():
    days = np.arange("2024-01-01", "2024-01-08", dtype="datetime64[D]")
    all_days = from_returns(
        [0.1, -0.1] * 3 + [0.1],
        benchmark=[NAN, NAN, 0.2, 0.2, 0.2, 0.2, 0.2],
        equal_weight=[0.1, 0.3, NAN, -0.1, NAN, 0.1, -0.1],
        days=days,
    )
    some = from_returns([0.0] * 4, days=days[[2, 3, 5, 6]])
    found = common_of([all_days, some], ["all", "some"])
    # the first common session has a benchmark, whatever was unknown before it
    np.testing.assert_allclose(found.returns["benchmark"], [0.2, 0.2, 1.2**2 - 1, 0.2])
    # a return behind a gap is that of the whole gap
    np.testing.assert_allclose(found.returns[AT_NO_COST], [NAN, -0.1, 0.1, -0.1])
    np.testing.assert_allclose(found.returns["all"], [0.1, -0.1, 0.9 * 1.1 - 1, 0.1])
    assert math.isnan(correlation(found.returns["all"], np.array([NAN, -0.1, NAN, -0.1])))
    # over the gap in the third session: 0.1, and 0.9 * 0.99 - 1 beside -0.1
    gap = correlation(np.array([0.02, 0.1, -0.1, -0.01]), np.array([0.05, 0.2, NAN, -0.1]))
    expected = np.corrcoef([0.02, 0.1, 0.9 * 0.99 - 1.0], [0.05, 0.2, -0.1])[0, 1]
    assert gap == pytest.approx(expected)


def test_a_run_that_is_its_benchmark_is_not_better_because_that_has_a_gap():
    own = noise(60)
    with_gap = own.copy()
    with_gap[20:22], with_gap[22] = NAN, np.prod(1.0 + own[20:23]) - 1.0
    (best,) = significance([from_returns(own, benchmark=with_gap)]).best
    assert best.p_value.reason == "no run differs from the benchmark"


def test_a_run_over_common_sessions_is_a_run_that_began_there():
    days = np.arange("2024-01-01", "2024-01-07", dtype="datetime64[D]")
    whole = from_returns(
        [0.1, 0.2, -0.1, 0.05, 0.0, 0.02],
        benchmark=[0.01, NAN, 0.03, 0.01, 0.02, 0.03],
        days=days,
        fills=fills(*((day, "159363.SZ", 100, 1.0, 5.0, 0.0, 0.0) for day in days[[0, 2, 5]])),
        decision_days=days[[0, 2, 5]],
        weights=np.ones((3, 1)),
        scores=np.ones((3, 1)),
        decision_flows=np.ones((3, 1)),
        interest=np.arange(6.0),
    )
    part = from_returns([0.0] * 3, days=days[[2, 3, 5]], sessions_per_year=240.0)
    cut, other = together([whole, part])
    np.testing.assert_array_equal(cut.days, days[[2, 3, 5]])
    assert cut.initial_cash == pytest.approx(100.0 * 1.1 * 1.2)
    np.testing.assert_allclose(cut.returns, [-0.1, 0.05, 1.02 - 1.0])
    np.testing.assert_allclose(cut.benchmark_return, [0.03, 0.01, 1.02 * 1.03 - 1.0])
    assert cut.interest.tolist() == [2.0, 3.0, 9.0]
    assert cut.fills["day"].tolist() == list(days[[2, 5]].astype("datetime64[us]").tolist())
    assert len(cut.decision_days) == len(cut.weights) == 2
    assert compute_metrics(cut)["costs"] == 10.0
    assert other.sessions_per_year == whole.sessions_per_year
    np.testing.assert_array_equal(other.equity, part.equity)
    assert together([whole, whole]) == [whole, whole]
    assert begin_within([whole, part], ["a", "b"]) == (
        "On 2024-01-03 b earns from the fill point on, the other from the close before."
    )
    assert begin_within([whole, whole], ["a", "b"]) == ""


def test_each_benchmark_is_named_once_and_equal_weight_by_its_funds():
    one = from_returns([0.0], manifest={**MANIFEST, "benchmark": "930713"})
    same = replace(one, equity=one.equity * 2)
    other = replace(one, manifest={**MANIFEST, "benchmark": "931071"}, symbols=("159995.SZ",))
    assert alternatives_of([one, same], ["a", "b"]) == [
        ("Benchmark", 0, "benchmark_"),
        ("Equal weight, no cost", 0, "equal_weight_"),
    ]
    assert alternatives_of([one, other], ["a", "b"]) == [
        ("Benchmark 930713", 0, "benchmark_"),
        ("Benchmark 931071", 1, "benchmark_"),
        ("Equal weight, no cost (a)", 0, "equal_weight_"),
        ("Equal weight, no cost (b)", 1, "equal_weight_"),
    ]
    plain = replace(one, manifest={**MANIFEST, "benchmark": "equal_weight"})
    assert alternatives_of([one, plain], ["a", "b"]) == [
        ("Benchmark 930713", 0, "benchmark_"),
        ("Equal weight, no cost", 0, "equal_weight_"),
    ]
    assert alternatives_of([plain], ["a"]) == [("Equal weight, no cost", 0, "equal_weight_")]


def test_equal_weight_at_no_cost_is_told_from_a_run_of_that_name_and_is_there_once():
    code = {**MANIFEST, "strategy": "equal_weight", "benchmark": "equal_weight"}
    run = from_returns([0.01, 0.02], benchmark=[0.01, 0.03], equal_weight=[0.01, 0.03], manifest=code)
    assert alternatives_of([run], ["equal_weight"]) == [("Equal weight, no cost", 0, "equal_weight_")]
    assert list(common_of([run], ["equal_weight"]).returns) == ["equal_weight", "equal weight, no cost"]


# --- What is found ------------------------------------------------------------------------------------


def test_a_run_that_is_better_is_found_and_one_that_is_alike_is_not():
    base, better, alike = ahead()
    found = significance(runs(base, better, alike))
    first, second = found.differences
    tests = (first.p_hac, first.p_prewhitened, *first.p_bootstrap.values())
    assert all(0.0 < each.value < 0.01 for each in tests)
    assert first.low.value > 0.0
    tests = (second.p_hac, second.p_prewhitened, *second.p_bootstrap.values())
    assert all(each.value > 0.1 for each in tests)
    assert second.low.value < 0.0 < second.high.value
    _, against_first = found.best
    assert (against_first.against, against_first.runs) == ("first", 2)
    assert (against_first.best, against_first.better) == (1, (1,))
    assert (
        0.0 < against_first.p_lower.value <= against_first.p_value.value <= against_first.p_upper.value < 0.01
    )


@pytest.mark.slow
def test_the_benchmark_is_held_against_all_runs():
    base, better, alike = ahead()
    found = significance(runs(base, better, alike, benchmark=base - 0.0001 * (-1) ** np.arange(len(base))))
    assert (found.best[0].against, found.best[0].runs, found.best[0].best) == ("benchmark", 3, 1)
    assert found.best[0].better == (1,)
    worst = significance(runs(base, better, benchmark=better + 0.003 + noise(seed=7, mean=0.0)))
    assert worst.best[0].p_value.value == 1.0
    assert worst.best[0].better == ()


@pytest.mark.slow
def test_exchanging_two_runs_turns_the_sign_and_nothing_else():
    base, better, _ = ahead()
    (one,) = significance(runs(base, better)).differences
    (two,) = significance(runs(better, base)).differences
    assert two.value.value == pytest.approx(-one.value.value)
    assert two.p_hac.value == pytest.approx(one.p_hac.value)
    assert two.p_prewhitened.value == pytest.approx(one.p_prewhitened.value)


def test_leverage_does_not_change_a_sharpe_ratio():
    base = noise()
    (found,) = significance(runs(base, 2 * base)).differences
    assert found.value.value == pytest.approx(0.0, abs=1e-12)
    assert found.p_hac.value == found.p_bootstrap[5].value == 1.0


@pytest.mark.slow
def test_the_seed_decides_the_resamples():
    made = runs(noise(), noise(seed=1))
    one, again, other = (significance(made, seed=seed).differences[0] for seed in (3, 3, 4))
    assert (one.low, one.high, one.p_bootstrap) == (again.low, again.high, again.p_bootstrap)
    assert one.low != other.low
    assert one.p_bootstrap != other.p_bootstrap
    assert one.p_hac == other.p_hac


# --- Too little ---------------------------------------------------------------------------------------


def test_the_same_run_twice_has_no_difference_to_test():
    base = noise()
    found = significance(runs(base, base))
    (one,) = found.differences
    for each in (one.value, one.low, one.high, one.p_hac, one.p_prewhitened, *one.p_bootstrap.values()):
        assert math.isnan(each.value)
        assert each.reason == IDENTICAL
    assert one.sharpe.value == one.first_sharpe.value
    assert found.best[1].p_value.reason == IDENTICAL
    assert found.best[0].p_value.reason is None


@pytest.mark.parametrize("sessions", [1, 2, 5, 9, 10, 11, 20, 39])
def test_few_sessions_give_reasons_and_no_numbers(sessions):
    made = runs(noise(sessions), noise(sessions, seed=1))
    document = significance_document(significance(made), ["one", "two"])
    (one,) = document["differences"]
    for name in (
        "p_bootstrap_10",
        *(("sharpe_difference", "p_hac", "low", "block") if sessions < 10 else ()),
    ):
        assert one[name] is None
        assert one["reasons"][name]
    assert (one["p_hac"] is None) == (sessions < 10)
    assert (one["note"] is None) == (sessions < 10 or sessions >= 30)
    assert all(
        (each["p_value"] is None) == ("p_value" in each["reasons"]) for each in document["superiority"]
    )
    json.dumps(document, allow_nan=False)


def test_runs_that_never_meet_or_never_move_have_reasons():
    days = np.arange("2024-01-01", "2024-05-01", dtype="datetime64[D]")
    early, late = from_returns(noise(50), days=days[:50]), from_returns(noise(50), days=days[60:110])
    found = significance([early, late])
    assert (found.sessions, found.first_day) == (0, "")
    assert found.differences[0].p_hac.reason == "it takes at least 10 rows"
    assert found.best[0].p_value.reason == "no session on which everything is known"
    cash = significance(runs(noise(100), np.zeros(100))).differences[0]
    assert cash.p_hac.reason == cash.p_bootstrap[1].reason == "a series does not vary"
    assert math.isnan(cash.low.value)
    assert cash.low.reason


def test_one_run_is_held_against_its_benchmark_alone():
    found = significance(runs(noise()))
    assert found.differences == ()
    assert [each.against for each in found.best] == ["benchmark"]
    unknown = from_returns(noise())
    assert significance([unknown]).best[0].p_value.reason == "no session on which everything is known"


# --- How it is shown ----------------------------------------------------------------------------------


def page_of(made, tmp_path, found):
    named = [
        replace(each, manifest={**each.manifest, "strategy": name})
        for each, name in zip(made, ("base", "better", "alike"), strict=False)
    ]
    path = tmp_path / "compare.html"
    write_comparison(named, [compute_metrics(each) for each in named], path, found)
    return path.read_text(encoding="utf-8")


def test_the_page_and_the_table_show_the_same_numbers(tmp_path):
    made = runs(*ahead())
    found = significance(made)
    text, printed = page_of(made, tmp_path, found), significance_text(found, ["base", "better", "alike"])
    assert '<a href="#significance">' in text
    second = found.differences[1]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", text)
    place = cells.index(f"{second.low.value:.2f} to {second.high.value:.2f}")
    shown = [
        f"{each.value:.3f}" for each in (second.p_hac, second.p_prewhitened, *second.p_bootstrap.values())
    ]
    assert cells[place - 3] == "alike"
    assert cells[place + 1 : place + 6] == shown
    (line,) = (line for line in printed.splitlines() if line.startswith("alike"))
    assert line.split()[-5:] == shown
    (better,) = (line for line in printed.splitlines() if line.startswith("better"))
    assert "<0.001" in better
    assert "0.000" not in printed
    assert "n/a" not in printed


def test_without_significance_the_page_does_not_speak_of_it(tmp_path):
    assert "significance" not in page_of(runs(*ahead()), tmp_path, None)


def test_reasons_are_shown_where_numbers_are_not(tmp_path):
    base = noise(100)
    made = runs(base, base)
    found = significance(made)
    text, printed = page_of(made, tmp_path, found), significance_text(found, ["base", "better"])
    assert f"Not available: {IDENTICAL} (better, SPA against the first)." in text
    assert f"n/a: {IDENTICAL} (better, SPA against the first)\n" in printed
    assert "nan" not in printed.lower()
    few = runs(noise(20), noise(20, seed=1))
    found = significance(few)
    text, printed = page_of(few, tmp_path, found), significance_text(found, ["base", "better"])
    assert "Not to be trusted: fewer than 30 rows (better)." in text
    assert "not to be trusted: fewer than 30 rows (better)\n" in printed


# --- The command --------------------------------------------------------------------------------------


def etflow(*words, cwd):
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_compare_prints_significance_and_takes_the_seed(tmp_path):
    few = ("--symbols", "157001.SZ,157011.SZ,586011.SH", "--end", "2021-06-30", "--no-report")
    words = ("compare", "momentum:top=1", "equal_weight", "momentum:top=1,cap=1", *few)
    document = json.loads(etflow(*words, "--json", "--seed", "5", cwd=tmp_path))
    found = document["significance"]
    assert (found["first"], found["seed"]) == ("momentum:top=1", 5)
    assert found["sessions"] == document["runs"][0]["counts"]["sessions"]
    one, same = found["differences"]
    assert set(one) == {
        *("run", "interval", "level", "note", "sharpe_ratio", "first_sharpe_ratio", "sharpe_difference"),
        *("low", "high", "block", "p_hac", "p_prewhitened", "reasons"),
        *("p_bootstrap_1", "p_bootstrap_5", "p_bootstrap_10"),
    }
    assert (one["run"], one["reasons"]) == ("equal_weight", {})
    first, second = (each["metrics"]["sharpe_ratio"] for each in document["runs"][:2])
    assert one["sharpe_difference"] == pytest.approx(second - first)
    assert same["sharpe_difference"] is None
    assert same["reasons"]["p_hac"] == IDENTICAL
    assert [each["against"] for each in found["superiority"]] == ["benchmark", "first"]
    (tmp_path / "run.toml").write_text('strategy = "momentum"\nseed = 5\n')
    other = json.loads(etflow(*words, "--json", "--spec", "run.toml", cwd=tmp_path))["significance"]
    assert other == found
    printed = etflow(*words, cwd=tmp_path)
    assert "Sharpe ratio less that of momentum:top=1" in printed
    assert "SPA" in printed
