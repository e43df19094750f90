"""The shared rotation rule: from scores to target weights, by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data.errors import StrategyError, UsageError
from engine.kernel.core import core_of, with_core
from engine.kernel.schedule import decision_rows, decision_turns, distinct_phases, sleeve_phases
from engine.kernel.targets import ALL, Targets, rank_columns, recent_volatility, rule_of, target_weights
from engine.sweeps.ranking import FEW, count_qualified, rank
from strategies import STRATEGIES

NAN = float("nan")
SYMBOLS = ("A", "B", "C", "D")


def rotation(**fields: Any) -> SimpleNamespace:
    rest = {
        "top": 2, "threshold": None, "weighting": "equal", "cap": 1.0, "hysteresis": 0, "otherwise": "cash",
    }  # fmt: skip
    return SimpleNamespace(**(rest | fields))


def weigh(scores: list[list[float]], *, prices: Any = None, listed: Any = None, **fields: Any) -> Targets:
    array = np.array(scores)
    return target_weights(
        array,
        rotation(**fields),
        np.arange(len(array)),
        np.ones(array.shape, dtype=bool) if listed is None else np.array(listed),
        np.ones(array.shape) if prices is None else np.array(prices),
        SYMBOLS,
    )


def test_the_best_are_held_with_equal_weights_in_order_of_score() -> None:
    targets = weigh([[0.1, 0.4, 0.3, 0.2]])
    assert targets.decisions.tolist() == [0]
    assert targets.scores.tolist() == [[0.1, 0.4, 0.3, 0.2]]
    assert targets.weights.tolist() == [[0.0, 0.5, 0.5, 0.0]]
    assert targets.rank.tolist() == [[1, 2, -1, -1]]


def test_ties_are_decided_by_symbol() -> None:
    assert weigh([[0.3, 0.3, 0.3, 0.3]]).rank.tolist() == [[0, 1, -1, -1]]


def test_a_slot_that_is_not_filled_stays_in_cash() -> None:
    assert weigh([[0.6, NAN, 0.5, NAN]], threshold=0.5).weights.tolist() == [[0.5, 0.0, 0.0, 0.0]]


def test_the_threshold_must_be_exceeded() -> None:
    assert weigh([[0.5, 0.5, 0.5, 0.5]], threshold=0.5).weights.sum() == 0.0


def test_top_zero_holds_all_that_qualify() -> None:
    assert weigh([[1.0, NAN, 1.0, 1.0]], top=0).weights.tolist() == [[1 / 3, 0.0, 1 / 3, 1 / 3]]


def test_what_is_not_listed_is_not_held() -> None:
    targets = weigh([[0.9, 0.2, 0.1, 0.3]], listed=[[False, True, True, True]])
    assert targets.rank.tolist() == [[3, 1, -1, -1]]


def test_the_cap_leaves_cash() -> None:
    assert weigh([[2.0, 1.0, NAN, NAN]], cap=0.3).weights.tolist() == [[0.3, 0.3, 0.0, 0.0]]


def test_weighting_by_score_counts_from_the_threshold() -> None:
    targets = weigh([[0.8, 0.6, 0.1, 0.1]], weighting="score", threshold=0.5)
    assert targets.weights[0] == pytest.approx([0.75, 0.25, 0.0, 0.0])


def test_scores_without_a_threshold_count_from_the_lowest_chosen_if_it_is_negative() -> None:
    # 3 - (-1) = 4 parts, 1 - (-1) = 2 parts, none for the lowest; positive scores count from zero
    assert weigh([[3.0, 1.0, -1.0, -2.0]], weighting="score", top=3).weights[0] == pytest.approx(
        [4 / 6, 2 / 6, 0.0, 0.0]
    )
    assert weigh([[3.0, 1.0, NAN, NAN]], weighting="score").weights.tolist() == [[0.75, 0.25, 0.0, 0.0]]


def test_scores_that_exceed_nothing_are_weighed_equally() -> None:
    assert weigh([[-1.0, -1.0, NAN, NAN]], weighting="score", top=4).weights.tolist() == [[0.25, 0.25, 0, 0]]
    assert weigh([[0.0, 0.0, NAN, NAN]], weighting="score").weights.tolist() == [[0.5, 0.5, 0.0, 0.0]]


def test_a_slot_that_is_not_filled_stays_in_cash_under_every_weighting() -> None:
    # Two of four slots: half of equity, of which 3 / (3 + 1) for the first
    scores = [[NAN] * 4, [NAN] * 4, [3.0, 1.0, NAN, NAN]]
    assert weigh(scores, weighting="score", top=4).weights[2].tolist() == [0.375, 0.125, 0.0, 0.0]
    # Returns of +-50 % and +-25 %: one part to two
    prices = [[1.0, 1.0, 1.0, 1.0], [1.5, 1.25, 1.0, 1.0], [0.75, 0.9375, 1.0, 1.0]]
    targets = weigh(scores, prices=prices, weighting="inverse_volatility", top=4)
    assert targets.weights[2] == pytest.approx([0.5 / 3, 1.0 / 3, 0.0, 0.0])


def test_without_a_top_all_of_equity_is_invested_under_every_weighting() -> None:
    scores = [[NAN] * 4, [NAN] * 4, [3.0, 1.0, NAN, NAN]]
    assert weigh(scores, weighting="score", top=0).weights[2].tolist() == [0.75, 0.25, 0.0, 0.0]
    prices = [[1.0, 1.0, 1.0, 1.0], [1.5, 1.25, 1.0, 1.0], [0.75, 0.9375, 1.0, 1.0]]
    targets = weigh(scores, prices=prices, weighting="inverse_volatility", top=0)
    assert targets.weights[2] == pytest.approx([1 / 3, 2 / 3, 0.0, 0.0])


def test_a_decision_leaves_the_weights_of_those_before_alone() -> None:
    equally = [[1.0, 1.0, NAN, NAN], [NAN, NAN, 1.0, NAN]]
    assert weigh(equally, top=0).weights.tolist() == [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
    # On the second, A and B of the first have scores below those of the chosen, which do not count
    scores = [[3.0, 1.0, NAN, NAN], [-9.0, -7.0, 3.0, -1.0], [NAN, NAN, 1.0, 1.0]]
    prices = [[1.0, 1.0, 1.0, 1.0], [1.5, 1.25, 1.5, 1.25], [0.75, 0.9375, 0.75, 0.9375]]
    expected = [[0.75, 0.25, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    assert weigh(scores, weighting="score").weights.tolist() == expected
    targets = weigh(scores, prices=prices, weighting="inverse_volatility")
    assert targets.weights[0].tolist() == [0.5, 0.5, 0.0, 0.0]
    assert targets.weights[2] == pytest.approx([0.0, 0.0, 1 / 3, 2 / 3])


def test_volatility_is_the_sample_deviation_of_the_returns_that_are_known() -> None:
    # Of the second column: 0.5, nothing on two sessions, then -0.25; the mean is 0.125
    closes = [9.0, 1.0, 9.0, 1.5, 9.0, NAN, 9.0, 2.0, 9.0, 1.5]
    assert recent_volatility(closes, 4, 2, 1) == math.sqrt((0.375**2 + 0.375**2) / 1)
    assert recent_volatility(closes, 3, 2, 1) == 0.0
    # Three returns of 1, 0.5 and 0: the mean is a half
    assert recent_volatility([1.0, 2.0, 3.0, 3.0], 3, 1, 0) == 0.5


def test_volatility_of_a_steep_trend_is_not_lost_in_its_squares() -> None:
    # It doubles every session but for 1e-6 more and less: two deviations of 1e-6 over one
    closes = [1.0, 2.000001, 2.000001 * 1.999999]
    assert recent_volatility(closes, 2, 1, 0) == pytest.approx(1e-6 * math.sqrt(2.0), rel=1e-9)


def test_the_sum_of_the_largest_scores_is_finite() -> None:
    assert weigh([[1.7e308] * 4], weighting="score").weights.tolist() == [[0.5, 0.5, 0.0, 0.0]]
    # From -1e308 on, 2e308 and 1e308 are two parts to one
    targets = weigh([[1e308, 0.0, -1e308, NAN]], weighting="score", top=3)
    assert targets.weights[0] == pytest.approx([2 / 3, 1 / 3, 0.0, 0.0])


def test_weighting_by_inverse_volatility() -> None:
    # Returns of A are +-10 %, of B +-5 % about: B gets twice the weight.
    prices = [[1.0, 1.0, 1.0, 1.0], [1.1, 1.05, 1.0, 1.0], [0.99, 0.9975, 1.0, 1.0]]
    targets = weigh(
        [[NAN] * 4, [NAN] * 4, [1.0, 1.0, NAN, NAN]], prices=prices, weighting="inverse_volatility"
    )
    assert targets.weights[2] == pytest.approx([1 / 3, 2 / 3, 0.0, 0.0])


def test_a_fund_without_a_volatility_counts_as_the_mean_of_the_others() -> None:
    # A returns +-50 %, B +-25 %; C stands still, as 1 / 0.95 * 0.95 does but for its last bit
    # and D has one return
    still = 1.0 / 0.95 * 0.95
    assert 0.0 < 1.0 - still < 1e-15
    prices = [[1.0, 1.0, 1.0, NAN], [1.5, 1.25, still, 2.0], [0.75, 0.9375, 1.0, 3.0]]
    scores = [[NAN] * 4, [NAN] * 4, [1.0] * 4]
    targets = weigh(scores, prices=prices, weighting="inverse_volatility", top=4)
    # As 1 / 2 : 1 / 1 : 1 / 1.5 : 1 / 1.5, that is 3 : 6 : 4 : 4
    assert targets.weights[2] == pytest.approx([3 / 17, 6 / 17, 4 / 17, 4 / 17])


def test_funds_without_any_volatility_are_weighed_equally() -> None:
    prices = [[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 1.0]]
    targets = weigh([[NAN] * 4, [1.0, 1.0, NAN, NAN]], prices=prices, weighting="inverse_volatility")
    assert targets.weights[1].tolist() == [0.5, 0.5, 0.0, 0.0]


def test_volatility_is_that_of_the_last_twenty_returns() -> None:
    # A moves from row 1 to 2 by half, B by a quarter, and from row 21 to 23 it is the other way round;
    # in between both move by a tenth and back
    def closes(first: float, last: float) -> list[float]:
        moves = [first, *[0.1, 1 / 1.1 - 1] * 9, 0.1, last]
        return list(np.cumprod([1.0, 1.0] + [1.0 + move for move in moves]))

    prices = np.transpose([closes(0.5, 0.25), closes(0.25, 0.5), [1.0] * 23, [1.0] * 23])
    scores = np.full((23, 4), NAN)
    scores[21:, :2] = 1.0
    targets = weigh(scores.tolist(), prices=prices, weighting="inverse_volatility")
    moves = [0.1, 1 / 1.1 - 1] * 9 + [0.1]
    spread = {each: np.std([*moves, each], ddof=1) for each in (0.25, 0.5)}
    for row, (a, b) in ((21, (0.5, 0.25)), (22, (0.25, 0.5))):
        parts = np.array([1 / spread[a], 1 / spread[b]])
        assert targets.weights[row, :2] == pytest.approx(parts / parts.sum(), rel=1e-12)


def test_a_held_fund_stays_within_the_hysteresis() -> None:
    scores = [[4.0, 3.0, 2.0, 1.0], [3.0, 1.0, 2.0, 4.0], [1.0, 2.0, 3.0, 4.0]]
    # Held A and B; then A is 2nd and B 4th: B goes, D comes; then A is 4th and goes as well.
    assert weigh(scores, hysteresis=1).rank[:, :2].tolist() == [[0, 1], [3, 0], [3, 2]]
    # With three ranks of grace both stay for ever.
    assert weigh(scores, hysteresis=2).rank[1:, :2].tolist() == [[0, 1], [1, 0]]


def test_only_what_was_chosen_last_stays() -> None:
    # One place and one rank of grace. A stays as second, not the newcomer D, who never was there; then D
    # comes, as A is third; then C, since A has left and D is third
    scores = [[4.0, 3.0, 2.0, 1.0], [3.0, 1.0, 2.0, 4.0], [2.0, 1.0, 3.0, 4.0], [3.0, 1.0, 4.0, 2.0]]
    assert weigh(scores, top=1, hysteresis=1).rank[:, 0].tolist() == [0, 0, 3, 2]


def test_what_is_held_otherwise_was_not_chosen() -> None:
    scores = [[NAN] * 4, [2.0, 1.0, 0.0, 0.0]]
    assert weigh(scores, top=1, hysteresis=1, otherwise="B").rank[:, 0].tolist() == [1, 0]


def test_one_place_is_one_fund() -> None:
    for weighting in ("equal", "score", "inverse_volatility"):
        targets = weigh([[0.1, 0.4, 0.3, 0.2]], top=1, weighting=weighting, otherwise="D")
        assert targets.weights.tolist() == [[0.0, 1.0, 0.0, 0.0]]


def test_a_rule_as_numbers() -> None:
    rule = rule_of(rotation(weighting="score"), SYMBOLS)
    assert rule == (2, -math.inf, 1, 1.0, 0, -1)
    assert rule_of(rotation(threshold=0.5, otherwise="C"), SYMBOLS)[1:] == (0.5, 0, 1.0, 0, 2)


def test_a_kernel_that_is_asked_for_more_holds_no_more_than_there_is() -> None:
    # A strategy refuses both: a hysteresis without a top, and a cap above one
    targets = weigh([[1.0, NAN, 1.0, 1.0], [1.0, 1.0, NAN, NAN]], top=0, hysteresis=2)
    assert targets.weights.tolist() == [[1 / 3, 0.0, 1 / 3, 1 / 3], [0.5, 0.5, 0.0, 0.0]]
    assert weigh([[NAN] * 4], otherwise="D", cap=1.5).weights.tolist() == [[0.0, 0.0, 0.0, 1.0]]


def test_otherwise_holds_one_fund_when_nothing_qualifies() -> None:
    targets = weigh([[NAN, NAN, NAN, NAN]], otherwise="D", cap=0.8)
    assert targets.weights.tolist() == [[0.0, 0.0, 0.0, 0.8]]
    assert targets.rank.tolist() == [[3, -1, -1, -1]]
    assert weigh([[NAN] * 4], otherwise="A").weights.tolist() == [[1.0, 0.0, 0.0, 0.0]]
    listed = [[True, True, False, False], [True, True, False, True]]
    assert weigh([[NAN] * 4] * 2, otherwise="D", listed=listed).weights[:, 3].tolist() == [0.0, 1.0]
    with pytest.raises(UsageError, match="A, B, C, D"):
        weigh([[NAN] * 4], otherwise="E")


def test_a_core_is_held_beside_what_the_rotation_decides() -> None:
    targets = weigh([[0.1, 0.4, 0.3, 0.2], [NAN, NAN, NAN, NAN]])
    core, weight = core_of(SimpleNamespace(core="C+A", core_weight=0.6), SYMBOLS) or ([], 0.0)
    there = np.array([[True] * 4, [False, True, True, True]])
    found = with_core(targets, core, weight, there)
    # 0.3 for each of the core; B and C share what is left, and C has both.
    assert found.weights[0].tolist() == pytest.approx([0.3, 0.2, 0.5, 0.0])
    assert found.rank[0].tolist() == [0, 2, 1, -1]
    # Where A cannot be held, C has all of the core; the rotation is in cash.
    assert found.weights[1].tolist() == pytest.approx([0.0, 0.0, 0.6, 0.0])
    none = with_core(targets, core, weight, np.zeros((2, 4), dtype=bool))
    assert none.weights[0].tolist() == pytest.approx([0.0, 0.2, 0.2, 0.0])


def test_a_core_of_equal_weight_is_all_funds() -> None:
    assert core_of(SimpleNamespace(core="equal_weight", core_weight=0.5), SYMBOLS) == ([0, 1, 2, 3], 0.5)
    assert core_of(SimpleNamespace(core="", core_weight=0.5), SYMBOLS) is None
    with pytest.raises(UsageError, match="`core` has a fund that is not in the run; received E"):
        core_of(SimpleNamespace(core="A+E", core_weight=0.5), SYMBOLS)


def test_a_fund_that_a_core_names_twice_is_one_fund() -> None:
    core, weight = core_of(SimpleNamespace(core="B+A+B", core_weight=0.6), SYMBOLS) or ([], 0.0)
    assert core == [0, 1]
    found = with_core(weigh([[NAN] * 4]), core, weight, np.ones((1, 4), dtype=bool))
    assert found.weights[0].tolist() == pytest.approx([0.3, 0.3, 0.0, 0.0])


def test_a_core_is_written_in_full_and_has_no_stops() -> None:
    assert STRATEGIES["momentum"](core="159915+510300.SH").core == "159915.SZ+510300.SH"
    assert STRATEGIES["momentum"](core="Equal_Weight").core == "equal_weight"
    with pytest.raises(UsageError, match="cannot have stops and a core"):
        STRATEGIES["momentum"](core="equal_weight", stop_loss=0.1)


def test_decisions_every_so_often() -> None:
    days = np.array(
        ["2024-12-30", "2024-12-31", "2025-01-02", "2025-01-03", "2025-01-06"], dtype="datetime64[D]"
    )
    assert decision_rows(2, days, 1, 4).tolist() == [1, 3]
    assert decision_rows("weekly", days, 0, 4).tolist() == [0, 4]
    assert decision_rows("monthly", days, 1, 4).tolist() == [1, 2]
    assert decision_rows("once", days, 2, 4).tolist() == [2]
    assert decision_rows(1, days, 1, 4).tolist() == [1, 2, 3, 4]
    with pytest.raises(UsageError, match="rebalance"):
        decision_rows(0, days, 0, 4)


def test_a_phase_comes_after_the_first_session_which_all_phases_have_in_common() -> None:
    days = np.arange("2024-01-01", "2024-01-13", dtype="datetime64[D]")
    assert decision_rows(4, days, 2, 11, phase=0).tolist() == [2, 6, 10]
    assert decision_rows(4, days, 2, 11, phase=1).tolist() == [2, 3, 7, 11]
    assert decision_rows(4, days, 2, 11, phase=3).tolist() == [2, 5, 9]
    assert decision_rows(4, days, 2, 3, phase=3).tolist() == [2]
    for rebalance, phase in ((4, 4), (4, -1), ("weekly", 1), ("once", 1)):
        with pytest.raises(UsageError, match="phase"):
            decision_rows(rebalance, days, 2, 11, phase=phase)


@pytest.mark.parametrize(
    ("rebalance", "phase", "tranches", "phases"),
    [
        (20, 0, 4, (0, 5, 10, 15)),
        (20, 17, 4, (17, 2, 7, 12)),
        (5, 1, 3, (1, 2, 4)),  # 5/3 and 10/3 are rounded down to 1 and 3
        (3, 0, 3, (0, 1, 2)),
        (1, 0, 1, (0,)),
        ("weekly", 0, 1, (0,)),
        ("once", 0, 3, (0, 0, 0)),
    ],
)
def test_sleeves_have_phases_evenly_over_the_cycle(
    rebalance: Any, phase: int, tranches: int, phases: tuple[int, ...]
) -> None:
    assert sleeve_phases(rebalance, phase, tranches) == phases


@pytest.mark.parametrize(("rebalance", "tranches"), [(3, 4), ("weekly", 2), ("monthly", 2)])
def test_there_are_no_more_sleeves_than_sessions_in_a_cycle(rebalance: Any, tranches: int) -> None:
    with pytest.raises(UsageError, match="tranches"):
        sleeve_phases(rebalance, 0, tranches)


def test_phases_that_differ_only_by_which_sleeve_is_which_are_one() -> None:
    assert [distinct_phases(20, each) for each in (1, 4, 20, 3)] == [20, 5, 1, 20]
    assert distinct_phases("monthly", 1) is None
    assert isinstance(distinct_phases(20, 4), int)  # it is counted through, and printed


def test_weeks_begin_on_monday_where_markets_never_close() -> None:
    days = np.arange("2025-01-03", "2025-01-14", dtype="datetime64[D]")  # a Friday to a Monday
    assert decision_rows("weekly", days, 0, 10).tolist() == [0, 3, 10]


@pytest.mark.parametrize("order_of", ["scores", "weights"])
def test_ties_of_many_funds_are_decided_by_symbol_too(order_of: str) -> None:
    # Sorting is stable for a few by chance
    values = np.array([[1.0 / 400, 2.0 / 400] * 100])
    expected = [*range(1, 200, 2), *range(0, 200, 2)]
    if order_of == "scores":
        ranking, ranked = rank_columns(values, np.ones((1, 200), dtype=bool), -np.inf)
        assert ranked.tolist() == [200]
    else:
        ranking = Targets.of_weights(np.array([5]), values).rank
    assert ranking[0].tolist() == expected


@pytest.mark.parametrize("funds", [4, FEW, FEW + 1])
@pytest.mark.parametrize("depth", [1, 2])
def test_few_funds_and_many_are_ranked_alike(monkeypatch: pytest.MonkeyPatch, funds: int, depth: int) -> None:
    monkeypatch.setattr("engine.sweeps.ranking.compiled", lambda function: function)
    scores, listed = np.ones((4, funds)), np.ones((4, funds), dtype=bool)
    scores[0, 1:4], listed[0, 3] = (2.0, NAN, 9.0), False
    scores[1] = 0.5  # the floor, which must be exceeded
    scores[3] = np.arange(funds)
    scores[3, -1] = math.inf
    ranking, counts = rank(scores, listed, np.array([True, True, False, True]), depth, 0.5)
    assert counts.tolist() == [depth, 0, 0, depth]
    assert ranking[0, :depth].tolist() == [1, 0][:depth]
    assert ranking[3, :depth].tolist() == [funds - 2, funds - 3][:depth]


def test_of_a_ranking_those_count_whose_score_is_above_the_threshold() -> None:
    # Ranked are three, three, two and none: a score that is the threshold is not above it
    scores = np.array([[1.0, 3.0, 2.0], [5.0, 4.0, 6.0], [np.nan, 0.5, 7.0], [9.0, 9.0, 9.0]])
    ranking = np.array([[1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 1, 2]])
    ranked, qualified = np.array([3, 3, 2, 0]), np.full(4, -1)
    for threshold, expected in ((1.0, [2, 3, 1, 0]), (4.0, [0, 2, 1, 0]), (-np.inf, [3, 3, 2, 0])):
        count_qualified(scores, ranking, ranked, threshold, qualified)
        assert qualified.tolist() == expected


def test_weights_from_elsewhere_are_bought_largest_first() -> None:
    targets = Targets.of_weights(np.array([5]), np.array([[0.2, 0.3, 0.0, 0.3]]))
    assert targets.rank.tolist() == [[1, 3, 0, -1]]
    assert targets.decisions.tolist() == [5]
    assert targets.weights.tolist() == [[0.2, 0.3, 0.0, 0.3]]
    assert np.isnan(targets.scores).tolist() == [[True] * 4]
    scores = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert Targets.of_weights(np.array([5]), targets.weights, scores).scores is scores


def test_sleeves_decide_alike_first_and_then_in_turn() -> None:
    days = np.arange("2024-01-01", "2024-01-13", dtype="datetime64[D]")
    # of four sessions, from phase 1 on: the sleeves have the phases 1 and 3
    rows, turns = decision_turns(4, days, 2, 10, phase=1, tranches=2)
    assert rows.tolist() == [2, 3, 5, 7, 9]
    assert turns.tolist() == [[2, ALL], [2, 0], [2, 1], [2, 0], [2, 1]]
    rows, turns = decision_turns(4, days, 2, 10, phase=1)
    assert (rows.tolist(), turns.tolist()) == ([2, 3, 7], [[1, ALL]] * 3)
    rows, turns = decision_turns("once", days, 2, 10, tranches=3)
    assert (rows.tolist(), turns.tolist()) == ([2], [[3, ALL]])


def test_a_sleeve_keeps_what_it_chose_itself() -> None:
    turns = np.array([[2, ALL], *[[2, 0], [2, 1]] * 3])
    first, best = [2.0, 1.0, 0.0, NAN], [1.0, 2.0, 0.0, NAN]
    later = [[0.0, 1.0, 2.0, NAN], best, [0.0, 2.0, 1.0, NAN], [NAN] * 4, best, [NAN, 2.0, NAN, 1.0]]
    scores = np.array([first, *later])
    found = target_weights(
        scores, rotation(top=1, hysteresis=1, otherwise="D"), np.arange(7), np.ones((7, 4), dtype=bool),
        np.ones((7, 4)), SYMBOLS, turns,
    )  # fmt: skip
    # All choose A. Sleeve 0 drops it, third by now, for C, keeps C, which is second, and drops it, third, for
    # B. Sleeve 1 keeps A, which is second, whatever the other did, holds D for want of any score, and drops
    # it, though it is second: it was not chosen.
    assert found.rank[:, 0].tolist() == [0, 2, 0, 2, 3, 1, 1]
    assert found.turns is turns


def test_weights_of_a_sleeve_are_of_its_part_of_the_account() -> None:
    both = Targets(
        np.array([1, 3, 5]), np.array([[0.5], [0.25], [1.0]]), np.array([[0]] * 3), np.full((3, 1), NAN),
        np.array([[2, ALL], [2, 0], [2, 1]]),
    )  # fmt: skip
    assert both.weights_of_account[:, 0].tolist() == [0.5, 0.125, 0.5]
    later = both.at(both.decisions > 3)
    assert (later.decisions.tolist(), later.turns.tolist()) == ([5], [[2, 1]])


def test_prices_are_looked_at_by_inverse_volatility_alone() -> None:
    scores, rows, listed = np.array([[2.0, 1.0, NAN, NAN]]), np.array([0]), np.ones((1, 4), dtype=bool)
    for weighting, first in (("equal", 0.5), ("score", 2 / 3)):
        found = target_weights(scores, rotation(weighting=weighting), rows, listed, None, SYMBOLS)
        assert found.weights[0, 0] == pytest.approx(first)


def test_scores_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(StrategyError, match="shape"):
        target_weights(
            np.ones((2, 3)), rotation(), np.array([0]), np.ones((2, 4), dtype=bool), np.ones((2, 4)), SYMBOLS
        )
