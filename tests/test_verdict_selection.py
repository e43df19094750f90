"""Blocks 3 and 4 by their parts: which bar a winner clears, what is undefined and why, blocks and paths."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.special import stdtrit

from engine.statistics.deflated import deflated_sharpe, expected_maximum, minimum_backtest_length
from engine.statistics.haircut import sharpe_haircut, sharpe_p_values
from engine.statistics.sharpe import moments, probabilistic_sharpe, probabilistic_sharpe_robust
from engine.verdict import selection as module
from engine.verdict.evidence import CombinatorialOutcome, TrialLog
from engine.verdict.sample import sample_of
from engine.verdict.selection import ANNUAL_FIGURE, blocks_for, luck, selection, trials_borne
from tests.helpers.evidence import LINES, UNIT, YEAR, evidence, levels, random_returns
from tests.test_verdict_rules import good

MEAN_OF_BEST_OF_TEN = 1.5745983013  # from the paper's formula

# Eight sessions: swings of one that are not correlated with each other, each of mean zero.
SWINGS = np.array(
    [[(-1.0) ** (bin(row & column).count("1")) for column in (1, 2, 4, 3, 5, 6, 7)] for row in range(8)]
)
UNIT_OF_EIGHT = math.sqrt(7.0 / 8.0)  # the deviation of a swing is sqrt(8/7)


def block_3(returns, lines=LINES, **more):
    given = evidence(returns, **more)
    return luck(given, sample_of(given), lines)


def block_4(returns, lines=LINES, skill=None, per_year=252.0, **more):
    given = dataclasses.replace(evidence(returns, **more), sessions_per_year=per_year)
    return selection(given, sample_of(given), lines, skill or good().skill)


def apart(*multiples):
    """Trials on eight sessions with ratios of 0.05 times so many units, not correlated."""
    return 0.01 * np.column_stack([0.05 * k + SWINGS[:, place] for place, k in enumerate(multiples)])


# --- luck -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trials", [2, 3, 5, 129, 256, 257])
def test_copies_are_worth_one_trial_whatever_their_correlation_is_rounded_to(trials):
    returns = random_returns(500, 1, seed=3)[:, [0] * trials]
    found = block_3(returns)
    assert found.effective == pytest.approx(1.0)
    assert found.deflated_effective == pytest.approx(probabilistic_sharpe(moments(returns[:, 0])).value)


def test_copies_of_the_winner_leave_the_bar_to_the_kinds():
    five = apart(5, 4, 3, 2, 1)
    given = evidence(np.hstack([five, five[:, [0] * 60]]), total=70)
    given = dataclasses.replace(given, log=TrialLog(70, 65, lost=5))
    found = luck(given, sample_of(given), LINES)
    # 5, 4, 3, 2, 1 deviate by the root of 2.5; five kinds are here, and five lost trials may be others.
    spread = math.sqrt(2.5) * 0.05 * UNIT_OF_EIGHT
    assert found.spread == pytest.approx(spread * YEAR)
    assert found.expected_maximum == pytest.approx(MEAN_OF_BEST_OF_TEN * spread * YEAR)
    assert (found.kinds, found.trials) == (10, 70)


def test_looks_on_other_terms_raise_the_bar_and_are_no_trials():
    spread = math.sqrt(2.5) * 0.05 * UNIT_OF_EIGHT
    five = apart(5, 4, 3, 2, 1)
    given = dataclasses.replace(evidence(five), log=TrialLog(5, 5, variants=5))
    found = luck(given, sample_of(given), LINES)
    assert found.expected_maximum == pytest.approx(MEAN_OF_BEST_OF_TEN * spread * YEAR)
    assert (found.kinds, found.trials) == (5, 5)
    assert found.notes == (
        "looks at sets of these on other funds, first sessions or conditions count for the deflated Sharpe "
        "ratio and the p-values: 5 more",
    )
    # Of 70 trials each was looked at once more: five kinds, and five lost that may be others, ten times more.
    given = evidence(np.hstack([five, five[:, [0] * 60]]))
    given = dataclasses.replace(given, log=TrialLog(70, 65, lost=5, variants=70))
    found = luck(given, sample_of(given), LINES)
    assert found.expected_maximum == pytest.approx(expected_maximum(20) * spread * YEAR)
    assert (found.kinds, found.trials) == (10, 70)


def test_a_history_bears_the_trials_that_need_no_more_years():
    needed = minimum_backtest_length(10, 1.0)
    assert needed == pytest.approx(MEAN_OF_BEST_OF_TEN**2)
    assert trials_borne(needed, 1.0) == trials_borne(needed / 4.0, 2.0) == 10
    assert trials_borne(needed - 1e-9, 1.0) == 9
    for trials in (2, 3, 4, 7, 8, 9):
        assert trials_borne(minimum_backtest_length(trials, 1.0), 1.0) == trials
    assert trials_borne(0.0, 1.0) == 1
    assert isinstance(trials_borne(needed, 1.0), int)  # it is printed
    # The best of 2⁴⁰ is 7.1 deviations up: fifty years. Nobody tries more.
    assert trials_borne(1000.0, 1.0) == 2**40 - 1


def test_without_copies_the_bar_is_that_of_all():
    found = block_3(apart(5, 4, 3, 2, 1), total=10)
    spread = math.sqrt(2.5) * 0.05 * UNIT_OF_EIGHT
    assert found.expected_maximum == pytest.approx(MEAN_OF_BEST_OF_TEN * spread * YEAR)
    assert (found.kinds, found.trials) == (10, 10)


def test_fewer_than_five_kinds_are_no_spread():
    four = apart(5, 4, 3, 2)
    found = block_3(np.hstack([four, four[:, [0] * 60]]))
    assert found.kinds == found.trials == 64


def test_with_the_effective_number_the_bar_is_lower():
    # Of three trials two are one: the mean correlation is a third. Of ten such, 1/3 + 2/3 * 10 are apart.
    returns = apart(3, 2, 1)
    returns[:, 2] = returns[:, 0] - 0.001
    found = block_3(returns, total=10)
    assert found.effective == pytest.approx(7.0)
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    of = moments(returns[:, 0])
    assert found.deflated == deflated_sharpe(of, ratios, 10.0).value
    assert found.deflated_effective == pytest.approx(deflated_sharpe(of, ratios, 7.0).value)
    # The shares of the eigenvalues are 2/3 and 1/3.
    entropy = -(2.0 / 3.0 * math.log(2.0 / 3.0) + 1.0 / 3.0 * math.log(1.0 / 3.0))
    assert found.effective_rank == pytest.approx(math.exp(entropy))
    assert found.effective_participation == pytest.approx(9.0 / 5.0)


def test_the_effective_number_of_one_trial_is_known_if_there_are_no_others():
    assert block_3(apart(3)).effective == 1.0
    many = block_3(apart(3), total=2)
    assert math.isnan(many.effective)
    assert many.reasons["effective"] == (
        "the correlation of the trials is unknown: fewer than two of them vary here"
    )


def test_probabilities_of_a_ratio_above_zero():
    noise = np.random.default_rng(3).normal(0.0, 0.01, 2001)
    returns = np.column_stack([0.001 + noise[1:] + 0.9 * noise[:-1], noise[1:]])
    found = block_3(returns)
    chosen = returns[:, 0]
    assert found.probabilistic == probabilistic_sharpe(moments(chosen)).value
    assert found.probabilistic_robust == probabilistic_sharpe_robust(chosen).value
    assert found.probabilistic_robust < found.probabilistic
    assert "probabilistic_robust" not in found.reasons
    independent = block_3(returns, chosen=1)
    assert independent.reasons["probabilistic_robust"] == "returns are not autocorrelated"


def test_nothing_is_cut_off_a_single_trial():
    returns = random_returns(columns=1) + 0.001
    found = block_3(returns)
    of = moments(returns[:, 0])
    alone = sharpe_haircut(of.sharpe, 300, 252.0, autocorrelation=of.autocorrelation)
    assert found.haircut == pytest.approx(0.0, abs=1e-9)
    assert found.haircut_sharpe == pytest.approx(alone.annual)


def test_the_haircut_is_by_the_p_values_of_the_others():
    noise = np.random.default_rng(3).normal(0.0, 0.01, 301)
    better = (0.002 + noise[1:] + 0.5 * noise[:-1])[:, None]
    returns = np.hstack([random_returns(columns=1) + 0.0002, better, np.zeros((300, 1))])
    found = block_3(returns)
    of, other = moments(returns[:, 0]), moments(returns[:, 1])
    assert other.autocorrelation > 0.3
    p, own = (
        float(sharpe_p_values(np.array([each.sharpe]), 300, 252.0, np.array([each.autocorrelation]))[0])
        for each in (other, of)
    )
    # Holm: three times the smallest p-value, the other's, is more than twice the second. The trial that never
    # moves tells nothing: its p is 1.
    assert p < own < 1.5 * p
    annual = sharpe_haircut(
        of.sharpe, 300, 252.0, autocorrelation=of.autocorrelation, trials=1, method="bonferroni"
    ).annual
    t = -float(stdtrit(299, 3.0 * p / 2.0))
    assert found.haircut_sharpe == pytest.approx(t / math.sqrt(300.0 / 252.0))
    assert found.haircut == pytest.approx(1.0 - found.haircut_sharpe / annual)


@pytest.mark.parametrize("confidence", [0.95, 0.9])
def test_the_track_record_is_for_the_confidence_asked_for(confidence):
    # 1 + V (z / SR)² sessions: beyond the one it goes with the square of the quantile.
    rows = np.tile(levels(0.2), (100, 1))
    found = block_3(rows, dataclasses.replace(LINES, confidence=confidence))
    z = {0.95: 1.6448536270, 0.9: 1.2815515655}[confidence]
    of = moments(rows[:, 0])
    variance = 1.0 - of.skewness * of.sharpe + (of.kurtosis - 1.0) / 4.0 * of.sharpe**2
    assert found.track_record_years == pytest.approx((1.0 + variance * (z / of.sharpe) ** 2) / 252.0)


def test_a_higher_target_needs_fewer_years():
    of_one, of_two = (
        block_3(levels(0.3, 0.2), dataclasses.replace(LINES, target_sharpe=target), total=10)
        for target in (1.0, 2.0)
    )
    assert of_one.backtest_years == pytest.approx(MEAN_OF_BEST_OF_TEN**2)
    assert of_two.backtest_years == pytest.approx(MEAN_OF_BEST_OF_TEN**2 / 4.0)


def test_what_a_ratio_above_one_a_session_leaves_undefined():
    found = block_3(levels(1.5, 1.2, 0.4))
    undefined = ("spread", "expected_maximum", "deflated", "deflated_effective", "haircut_sharpe", "haircut")
    assert found.largest == pytest.approx(1.5 * UNIT)
    assert {name: found.reasons.get(name) for name in undefined} == dict.fromkeys(undefined, ANNUAL_FIGURE)
    assert all(math.isnan(getattr(found, name)) for name in undefined)


def test_a_trial_that_never_moves_is_not_judged_by_the_others():
    found = block_3(np.column_stack([np.full(8, 0.001), *apart(2, 1).T]))
    why = moments(np.full(8, 0.001)).reason
    for name in ("probabilistic", "spread", "expected_maximum", "deflated", "deflated_effective", "haircut"):
        assert found.reasons[name] == why
        assert math.isnan(getattr(found, name))


def test_two_sessions_leave_everything_undefined():
    found = block_3(levels(2, 1)[:2])
    for name in ("effective", "effective_rank", "effective_participation"):
        assert found.reasons[name] == "it takes at least three rows"
        assert math.isnan(getattr(found, name))
    assert found.reasons["largest"] == "no trial has a Sharpe ratio"


@pytest.mark.parametrize(
    ("returns", "total", "reason"),
    [
        (
            apart(2),
            2,
            "the spread of the trials is unknown: fewer than two of them have a Sharpe ratio here",
        ),
        (apart(2)[:, [0, 0]], 2, "the trials have equal Sharpe ratios, whose spread says nothing of luck"),
        (apart(2, 1), 2, None),
        (apart(2), 1, None),
        (apart(2)[:, [0, 0]], 3, "the trials have equal Sharpe ratios, whose spread says nothing of luck"),
    ],
)
def test_a_spread_takes_two_trials_that_differ(returns, total, reason):
    found = block_3(returns, total=total)
    for name in ("spread", "expected_maximum", "deflated"):
        assert found.reasons.get(name) == reason
        assert math.isnan(getattr(found, name)) == (reason is not None)


def test_notes_name_what_numbers_rest_on(monkeypatch):
    five = apart(5, 4, 3, 2, 1)
    assert block_3(five).notes == ()
    assert block_3(five[:, :2]).notes == ("too few trials for a reliable spread",)
    assert block_3(five, total=7).notes == ("the spread is that of 5 trials that were run again",)
    monkeypatch.setattr(module, "FOR_CORRELATION", 2)
    # Every third: the first and the fourth.
    assert block_3(five).notes == ("correlations are those of 2 trials, evenly spaced",)
    assert block_3(five[:, :2]).notes == ("too few trials for a reliable spread",)


# --- selection --------------------------------------------------------------------------------------------


def halves(*trials):
    """Two blocks of two sessions, around one mean and around another, with the same swing."""
    return 0.01 * np.column_stack([np.repeat(means, 2) + 0.5 * np.array([1.0, -1.0] * 2) for means in trials])


# Ratios of a block are twice its mean over the root of 2.
A, B = (2.0, -1.0), (1.0, 3.0)
BLOCK = 2.0 / math.sqrt(2.0)


def test_who_is_best_in_one_half_and_worst_in_the_other():
    # In the first half A is chosen: worst of two in the second, and a loss. B the other way round, no loss.
    found = block_4(halves(A, B), per_year=8.0)
    assert (found.overfitting, found.loss, found.blocks, found.combinations) == (1.0, 0.5, 2, 2)
    # From (2, -1) to (3, 1)
    assert found.slope == pytest.approx(2.0)
    assert found.slope_fit == pytest.approx(1.0)
    assert (found.excluded, found.interchangeable) == (0, False)
    assert found.reasons == {
        f"path_{name}": "combinatorial splits were not run" for name in ("median", "low", "high", "loss")
    }
    assert (found.paths, found.purged_size, found.embargo_size) == (0, 0, 0)


def test_copies_that_are_worse_do_not_lift_the_rank_of_the_chosen():
    # Among all, A keeps two copies below it; of the two kinds, it is the worse.
    copies = [(2.0 - step, -1.0 - step) for step in (0.01, 0.02)]
    assert block_4(halves(A, *copies, B), per_year=8.0).overfitting == 1.0
    # Where copies make it worse, all count: B would be best of two, and is the median of three.
    better = (4.0, 5.0)
    assert block_4(halves(A, better), per_year=8.0).overfitting == 0.0
    assert block_4(halves(A, better, (3.9, 5.1)), per_year=8.0).overfitting == 1.0


def test_of_too_short_a_history_the_reason_is_the_length():
    found = block_4(halves(A, B)[:3], per_year=8.0)
    why = "fewer than two rows a block: 3 rows in 2 blocks"
    for name in ("overfitting", "loss", "slope", "slope_fit"):
        assert found.reasons[name] == why
        assert math.isnan(getattr(found, name))
    assert found.combinations == 0


def test_of_one_trial_nothing_was_selected():
    found = block_4(halves(A), per_year=8.0)
    why = "there is one trial only: nothing was selected"
    for name in ("overfitting", "loss", "slope", "slope_fit"):
        assert found.reasons[name] == why
    assert (found.combinations, found.excluded, found.interchangeable) == (0, 0, False)


@pytest.mark.parametrize(
    ("tested", "accepted", "interchangeable"),
    [(10, 0.51, True), (10, 0.5, False), (5, 1.0, True), (4, 1.0, False)],
)
def test_trials_are_interchangeable_if_most_beat_the_benchmark(tested, accepted, interchangeable):
    skill = dataclasses.replace(good().skill, tested=tested, accepted=accepted)
    assert block_4(halves(A, B), skill=skill).interchangeable is interchangeable
    never = dataclasses.replace(LINES, most=1.0)
    assert not block_4(halves(A, B), never, skill=skill).interchangeable


def test_a_path_that_comes_to_nothing_is_no_loss():
    paths = levels(0, -1, 2, 1).T
    found = block_4(random_returns(columns=2), combinatorial=CombinatorialOutcome(paths, 0, 0))
    assert found.path_loss == 0.25
    assert (found.paths, found.reasons.get("path_loss")) == (4, None)


def test_paths_without_a_ratio_are_undefined():
    found = block_4(random_returns(columns=2), combinatorial=CombinatorialOutcome(np.zeros((3, 8)), 1, 2))
    for name in ("path_median", "path_low", "path_high", "path_loss"):
        assert found.reasons[name] == "no path has a Sharpe ratio"
        assert math.isnan(getattr(found, name))
    assert (found.paths, found.purged_size, found.embargo_size) == (3, 1, 2)


def test_a_block_has_two_sessions_at_least():
    # A quarter of a year of four sessions is one.
    assert blocks_for(8, 4.0, 1) == 4
