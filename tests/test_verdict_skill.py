"""Block 2 by its parts: the tests that it is made of, the benchmark, chunks, and what is undefined."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from engine.statistics.difference import sharpe_difference, sharpe_difference_bootstrap
from engine.statistics.superiority import superiority
from engine.verdict import skill as skill_module
from engine.verdict import superior as superior_module
from engine.verdict.evidence import TrialLog
from engine.verdict.reasons import block_length
from engine.verdict.sample import sample_of
from engine.verdict.skill import resamples_for, skill
from tests.helpers.evidence import FEW, LINES, YEAR, evidence, levels, random_returns

NO_BENCHMARK = "there is no benchmark"


def block_2(returns, thresholds=LINES, resamples=FEW, **more):
    given = evidence(returns, **more)
    return skill(given, sample_of(given), thresholds, resamples)


def index(rows=300):
    return np.random.default_rng(9).normal(0.0, 0.02, rows)


def ratio(values):
    return values.mean() / values.std(ddof=1)


def test_the_parts_of_the_block():
    benchmark, returns = index(), random_returns(columns=3)
    found = block_2(returns, chosen=1, default=2, benchmark=benchmark, benchmark_name="an index", seed=3)
    first, default = returns[:, 1], returns[:, 2]
    assert (found.benchmark, found.sessions, found.tested, found.resamples) == ("an index", 300, 3, 200)
    assert found.block == block_length(first - benchmark).value
    alone = superiority(returns - benchmark[:, None], block=found.block, seed=3, resamples=200)
    assert (found.spa, found.spa_lower, found.spa_upper) == (alone.p_value, alone.p_lower, alone.p_upper)
    assert found.benchmark_sharpe == pytest.approx(ratio(benchmark) * YEAR)
    for name, other in (("benchmark", benchmark), ("default", default)):
        difference = (ratio(first) - ratio(other)) * YEAR
        assert getattr(found, f"{name}_difference") == pytest.approx(difference)
        p_values = [
            sharpe_difference_bootstrap(first, other, block=block, seed=3, resamples=50).value
            for block in (1, 5, 10)
        ]
        assert getattr(found, f"{name}_p") == max(p_values)
        robust = sharpe_difference(first, other).prewhitened_p_value
        assert getattr(found, f"{name}_p_robust") == robust
    assert (found.reasons, found.notes) == ({"other_spa": "there is no other benchmark"}, ())


def test_trials_are_held_against_the_benchmark_not_against_zero():
    benchmark, excess = index(), random_returns(columns=5)
    excess[:, 3] += 0.003
    against_zero = block_2(excess, chosen=3, benchmark=np.zeros(300))
    for chosen in (0, 3):
        found = block_2(excess + benchmark[:, None], chosen=chosen, benchmark=benchmark)
        assert found.survivors == against_zero.survivors == 1
        assert found.selected_survives == (chosen == 3)
    assert (found.spa, found.block) == (against_zero.spa, against_zero.block)


def test_survivors_follow_the_line_of_superiority():
    returns = random_returns(columns=2, seed=1)
    tested = [
        block_2(returns, dataclasses.replace(LINES, superiority=level), benchmark=np.zeros(300))
        for level in (0.05, 0.9)
    ]
    assert 0.05 < tested[0].spa < 0.9
    assert tested[0].survivors == 0 < tested[1].survivors


def test_without_a_benchmark_all_is_undefined():
    found = block_2(random_returns(columns=2))
    for name in (
        *("spa", "measured", "spa_lower", "spa_upper"),
        *("benchmark_difference", "benchmark_p", "benchmark_p_robust"),
    ):
        assert math.isnan(getattr(found, name))
        assert found.reasons[name] == NO_BENCHMARK
    for name in ("default_difference", "default_p", "default_p_robust"):
        assert math.isnan(getattr(found, name))
        assert found.reasons[name] == "the default parameters are not among the trials"
    for name in ("block", "benchmark_sharpe"):
        assert math.isnan(getattr(found, name))
        assert name in found.reasons
    assert (found.sessions, found.tested, found.resamples, found.survivors) == (0, 0, 0, 0)
    assert (found.selected_survives, found.notes) == (False, ())


def test_too_few_blocks_are_a_reason():
    # what goes up and down by turns asks for blocks of seven sessions, of which twenty have no four
    turns = np.resize([0.011, -0.009], (20, 1))
    found = block_2(turns, benchmark=np.zeros(20))
    assert found.block == 7.0
    reason = "fewer than 4 blocks: 20 rows in blocks of 7"
    for name in ("spa", "spa_lower", "spa_upper"):
        assert math.isnan(getattr(found, name))
        assert found.reasons[name] == reason
    assert (found.sessions, found.tested, found.resamples, found.survivors) == (20, 0, 0, 0)
    short = block_2(levels(1, 2), default=1, benchmark=levels(3)[:, 0])
    assert short.reasons["spa"] == "it takes at least 11 rows to choose a block length"
    for name in ("difference", "p", "p_robust"):
        assert short.reasons[f"benchmark_{name}"] == "it takes at least 10 rows"
        assert short.reasons[f"default_{name}"] == "it takes at least 10 rows"
    both = block_2(levels(1, 2), benchmark=levels(3)[:, 0], equal_weight=np.zeros(4))
    assert (both.other, both.reasons["other_spa"]) == ("equal weight", "undefined")


def test_a_winner_that_is_the_benchmark_leaves_the_block_length_to_it():
    benchmark = index()
    found = block_2(np.column_stack([benchmark, random_returns(columns=1)]), benchmark=benchmark)
    assert found.block == block_length(benchmark).value
    assert 0.0 < found.spa <= 1.0
    assert found.tested == 1
    assert found.notes == ("trials not tested because they never differ from the benchmark: 1",)


def test_resamples_are_what_rows_and_trials_afford(monkeypatch):
    monkeypatch.setattr(skill_module, "TERMS", 300 * 2 * 2999)
    assert resamples_for(300, 2) == 2000
    few = dataclasses.replace(FEW, superiority=None)
    found = block_2(random_returns(columns=2), resamples=few, benchmark=np.zeros(300))
    assert found.resamples == 2000


@pytest.mark.parametrize(("cells", "parts"), [(1e9, 1), (200 * 3, 3), (200 * 4, 2), (1, 4)])
def test_trials_are_tested_some_at_a_time_with_the_same_outcome(monkeypatch, cells, parts):
    benchmark = index()
    returns = random_returns(columns=9) + benchmark[:, None]
    # The last is found only after the best have left: in its part, and in the others, stand larger ones.
    returns[:, [2, 7]] += 0.004
    returns[:, 5] += 0.0019
    returns[:, 4] = benchmark
    monkeypatch.setattr(superior_module, "CELLS", 10**9)
    whole = block_2(returns, benchmark=benchmark)
    looked_at = []
    means = superior_module.means_of_counts
    monkeypatch.setattr(
        superior_module, "means_of_counts", lambda some, counts: looked_at.append(some) or means(some, counts)
    )
    monkeypatch.setattr(superior_module, "CELLS", cells)
    found = block_2(returns, benchmark=benchmark)
    np.testing.assert_equal(dataclasses.asdict(found), dataclasses.asdict(whole))
    assert (found.tested, found.survivors) == (8, 3)
    assert found.notes == ("trials not tested because they never differ from the benchmark: 1",)
    assert 0.0 < found.spa_lower <= found.spa <= found.spa_upper
    # The benchmark first; then two steps more, the last of which finds nobody.
    sizes = [some.shape[1] for some in looked_at]
    assert sizes[0] == 1
    assert sum(sizes[1 : 1 + parts]) == 9
    assert min(sizes[1:]) > 1
    assert parts < len(sizes) - 1 <= 3 * parts


def test_the_best_of_many_survive_in_every_block_of_the_table(monkeypatch):
    benchmark = np.zeros(300)
    returns = random_returns(columns=700)
    returns[:, [3, 300, 699]] += np.array([0.004, 0.0035, 0.0045])
    found = block_2(returns, chosen=5, benchmark=benchmark)
    taken = block_2(returns[:, ::-1], chosen=694, benchmark=benchmark)
    alone = superiority(returns, block=found.block, seed=0, resamples=200)
    assert {3, 300, 699} <= set(alone.survivors)
    for each in (found, taken):
        assert (each.spa, each.spa_lower, each.spa_upper) == (alone.p_value, alone.p_lower, alone.p_upper)
        assert each.survivors == len(alone.survivors)


def test_the_harder_of_benchmark_and_equal_weight_counts():
    returns = random_returns(columns=4)
    returns[:, :2] += 0.002
    easy, hard = np.zeros(300), index() + 0.002
    alone = {name: block_2(returns, benchmark=each) for name, each in (("easy", easy), ("hard", hard))}
    assert alone["easy"].spa < 0.05 < alone["hard"].spa
    for benchmark, equal_weight, order, other in (
        (easy, hard, ("equal weight", "benchmark"), "easy"),
        (hard, easy, ("benchmark", "equal weight"), "easy"),
        # of two that are as hard the benchmark counts
        (hard, hard, ("benchmark", "equal weight"), "hard"),
    ):
        found = block_2(returns, benchmark=benchmark, equal_weight=equal_weight)
        assert (found.benchmark, found.other) == order
        for name in ("spa", "spa_lower", "spa_upper", "survivors", "tested", "resamples", "measured"):
            assert getattr(found, name) == getattr(alone["hard"], name)
        assert found.other_spa == alone[other].spa
    nothing = alone["easy"]
    assert (nothing.other, nothing.reasons["other_spa"]) == ("", "there is no other benchmark")


def test_equal_weight_that_is_the_winner_leaves_the_block_length_to_itself():
    equal_weight, returns = index(), random_returns(columns=2)
    returns[:, 0] = equal_weight
    found = block_2(returns, benchmark=np.full(300, -0.01), equal_weight=equal_weight)
    expected = superiority(
        returns - equal_weight[:, None], block=block_length(equal_weight).value, seed=0, resamples=200
    )
    assert (found.benchmark, found.spa) == ("equal weight", expected.p_value)


def test_the_block_length_of_equal_weight_is_that_of_what_is_left_beside_it():
    # trials that ride on a slow wave are noise beside it
    wave = 0.02 * np.sin(0.1 * np.arange(300))
    returns = random_returns(columns=2) + wave[:, None]
    alone = block_2(returns, benchmark=wave)
    found = block_2(returns, benchmark=np.full(300, -0.05), equal_weight=wave)
    assert (found.benchmark, found.spa, found.tested) == ("equal weight", alone.spa, 2)


def test_trials_that_are_lost_weigh_on_the_p_value_and_on_the_line():
    returns = random_returns(columns=2, seed=1)
    alone = block_2(returns, benchmark=np.zeros(300))
    assert (alone.measured, alone.penalty) == (alone.spa, 1.0)
    # of four on record two cannot be run again
    log = TrialLog(4, 2, lost=2)
    for factor, survivors in ((1.0, 0), (2.0, 1)):
        lines = dataclasses.replace(LINES, superiority=factor * alone.spa)
        assert block_2(returns, lines, benchmark=np.zeros(300)).survivors >= 1
        given = dataclasses.replace(evidence(returns, benchmark=np.zeros(300)), log=log)
        found = skill(given, sample_of(given), lines, FEW)
        assert (found.penalty, found.measured) == (2.0, alone.spa)
        assert found.spa == min(2.0 * alone.spa, 1.0)
        assert found.survivors == survivors
    losing = dataclasses.replace(evidence(returns - 0.01, benchmark=np.zeros(300)), log=log)
    assert skill(losing, sample_of(losing), LINES, FEW).spa == 1.0


def test_what_is_accepted_is_a_share_of_all_or_of_one_of_each_kind():
    # two survivors that are nearly one, of four: a half of all, a third of those that differ
    returns = random_returns(columns=4)
    returns[:, 0] += 0.003
    returns[:, 1] = returns[:, 0] + 0.0001 * random_returns(columns=1, seed=5)[:, 0]
    given = evidence(returns, benchmark=np.zeros(300))
    found = skill(given, sample_of(given), LINES, FEW)
    assert (found.survivors, found.tested, found.accepted) == (2, 4, 1.0 / 3.0)
    given = dataclasses.replace(given, log=TrialLog(6, 4, lost=2))
    assert skill(given, sample_of(given), LINES, FEW).accepted == 1.0 / 5.0
    # one survivor beside three that are nearly one: a quarter of all, or a sixth with the two that are lost
    returns[:, 1:] = returns[:, 3:] + 0.0001 * random_returns(columns=3, seed=6)
    given = evidence(returns, benchmark=np.zeros(300))
    assert skill(given, sample_of(given), LINES, FEW).accepted == 1.0 / 4.0
    given = dataclasses.replace(given, log=TrialLog(6, 4, lost=2))
    assert skill(given, sample_of(given), LINES, FEW).accepted == 1.0 / 6.0
    assert block_2(np.zeros((300, 1))).accepted == 0.0


def test_benchmarks_of_one_block_length_share_their_draws_and_others_do_not(monkeypatch):
    drawn = []
    counted = superior_module.counted
    monkeypatch.setattr(superior_module, "counted", lambda *words: drawn.append(words[1]) or counted(*words))
    returns, benchmark = random_returns(columns=3), index()
    alone = block_2(returns, benchmark=benchmark)
    assert drawn == [alone.block]
    both = block_2(returns, benchmark=benchmark, equal_weight=benchmark - 0.001)
    assert drawn == [alone.block] * 2
    assert (both.spa, both.spa_lower, both.spa_upper) == (alone.spa, alone.spa_lower, alone.spa_upper)
    wave = 0.02 * np.sin(0.1 * np.arange(300))
    block_2(returns, benchmark=benchmark, equal_weight=wave)
    assert len(set(drawn[2:])) == 2
    known_later = np.where(np.arange(300) < 9, np.nan, benchmark)
    block_2(returns, benchmark=known_later, equal_weight=benchmark)
    assert len(drawn) == 6
