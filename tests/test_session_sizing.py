"""Target weights become orders, in their order, and what a run makes of cash, as pencil cases.

Prices are flat bars unless a case needs more. ``FREE`` costs nothing, so that a case shows one rule.
Money is written as the sum from which it comes; each case is one for the oracle and both engines.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.helpers.pencil import (
    FREE,
    FRI,
    MON,
    NEXT_MON,
    NEXT_TUE,
    THU,
    TUE,
    WED,
    WEEK,
    A,
    B,
    C,
    bars,
    market,
    on,
    traded,
)
from tests.oracle import Action, Decision, Fund, Rejection, Scenario


# --- Sizing -----------------------------------------------------------------------------------------------
def test_order_is_truncated_to_whole_lots(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(3.0, 3.0)), days=(MON, TUE), weights={TUE: {A: 1.0}}))
    # 10,000 / 3 = 3,333 shares, of which 33 lots
    assert traded(outcome) == [(TUE, A, 3300, 3.0)]
    assert on(outcome, TUE).cash == 10_000 - 3300 * 3.0
    assert on(outcome, TUE).equity == 10_000
    assert outcome.rejections == ()


def test_reduction_is_truncated_towards_zero(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, 2.0))
    outcome = simulate_with(market(fund, weights={TUE: {A: 1.0}, WED: {A: 0.47}}))
    # 0.47 * 10,000 / 2 - 5,000 = -2,650 shares, of which 26 lots
    assert traded(outcome) == [(TUE, A, 5000, 2.0), (WED, A, -2600, 2.0)]
    assert on(outcome, WED).cash == 2600 * 2.0


def test_order_of_less_than_one_lot_is_no_order_and_no_rejection(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(2.0, 2.0)), weights={TUE: {A: 0.0199}}))
    assert outcome.fills == ()
    assert outcome.rejections == ()


def test_other_lot_sizes(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(3.0, 3.0)), weights={TUE: {A: 1.0}}, lot=1))
    assert on(outcome, TUE).shares == {A: 3333}
    assert on(outcome, TUE).cash == 10_000 - 3333 * 3.0


def test_sizing_uses_the_reference_price_and_not_the_open(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(2.0, 2.5, 2.5)), weights={TUE: {A: 0.5}}))
    # 0.5 * 10,000 / 2.0, although a share costs 2.5
    assert traded(outcome) == [(TUE, A, 2500, 2.5)]
    assert on(outcome, TUE).cash == 10_000 - 2500 * 2.5


def test_sizing_counts_receivables_and_positions_at_reference_prices(simulate_with):
    dividend = Action("dividend", WED, cash=0.5, pay_day=FRI)
    funds = Fund(A, bars(2.0, 2.0, 4.0, 4.0), actions=(dividend,)), Fund(B, bars(1.0, 1.0, 1.0))
    outcome = simulate_with(market(*funds, weights={TUE: {A: 0.5}, WED: {A: 0.5, B: 0.3}}))
    # Wednesday's reference of A is 2.0 - 0.5; equity = cash 5,000 + receivable 1,250 + 2,500 * 1.5 = 10,000
    assert traded(outcome) == [(TUE, A, 2500, 2.0), (WED, A, 800, 4.0), (WED, B, 1800, 1.0)]
    # 0.5 * 10,000 / 1.5 - 2,500 = 833 shares; 800 of them cost 3,200, which leaves 1,800 of the 3,000 for B
    assert outcome.rejections == (Rejection(WED, B, 1200, "cash"),)
    assert on(outcome, WED).cash == 5000 - 800 * 4.0 - 1800 * 1.0


def test_weight_zero_sells_everything_odd_lots_included(simulate_with):
    fund = Fund(A, bars(3.0, 3.0, 2.0, 2.0), actions=(Action("split", WED, ratio=1.5),))
    outcome = simulate_with(market(fund, cash=300.0, weights={TUE: {A: 1.0}, THU: {}}))
    # 100 shares become 150: one lot and a half
    assert traded(outcome) == [(TUE, A, 100, 3.0), (THU, A, -150, 2.0)]
    assert on(outcome, THU).cash == 300 - 100 * 3.0 + 150 * 2.0


def test_any_other_weight_leaves_the_odd_lot(simulate_with):
    fund = Fund(A, bars(3.0, 3.0, 2.0, 2.0), actions=(Action("split", WED, ratio=1.5),))
    outcome = simulate_with(market(fund, cash=300.0, weights={TUE: {A: 1.0}, THU: {A: 0.001}}))
    assert traded(outcome) == [(TUE, A, 100, 3.0), (THU, A, -100, 2.0)]
    assert on(outcome, THU).shares == {A: 50}


# --- Order of trading -------------------------------------------------------------------------------------
def test_sells_come_before_buys_and_pay_for_them(simulate_with):
    funds = Fund(A, bars(2.0, 2.0, 2.0)), Fund(B, bars(1.0, 1.0, 1.0))
    outcome = simulate_with(market(*funds, weights={TUE: {B: 1.0}, WED: {A: 1.0}}))
    assert traded(outcome) == [(TUE, B, 10_000, 1.0), (WED, B, -10_000, 1.0), (WED, A, 5000, 2.0)]
    assert on(outcome, WED).cash == 10_000 - 10_000 * 1.0 + 10_000 * 1.0 - 5000 * 2.0


def test_sells_go_in_symbol_order(simulate_with):
    funds = [Fund(symbol, bars(1.0, 1.0, 1.0)) for symbol in (A, B, C)]
    outcome = simulate_with(market(*funds, weights={TUE: {C: 0.5, A: 0.3, B: 0.2}, WED: {}}))
    assert [(fill.symbol, fill.shares) for fill in outcome.fills] == [
        (C, 5000), (A, 3000), (B, 2000), (A, -3000), (B, -2000), (C, -5000),
    ]  # fmt: skip


@pytest.mark.parametrize(("rank", "left_over"), [((A, B), B), ((B, A), A)])
def test_buys_go_in_rank_order_until_cash_is_used_up(simulate_with, rank, left_over):
    # Both open at twice their reference, so that cash pays for one of the two
    funds = Fund(A, bars(1.0, 2.0)), Fund(B, bars(1.0, 2.0))
    decision = Decision({A: 0.5, B: 0.5}, rank)
    outcome = simulate_with(Scenario((MON, TUE), funds, {TUE: decision}, cash=10_000.0, costs=FREE))
    assert traded(outcome) == [(TUE, rank[0], 5000, 2.0)]
    assert outcome.rejections == (Rejection(TUE, left_over, 5000, "cash"),)


def test_equal_weights_are_bought_in_symbol_order(simulate_with):
    funds = Fund(A, bars(1.0, 2.0)), Fund(B, bars(1.0, 2.0))
    outcome = simulate_with(market(*funds, weights={TUE: {B: 0.5, A: 0.5}}))
    assert traded(outcome) == [(TUE, A, 5000, 2.0)]


# --- Cash, and the run ------------------------------------------------------------------------------------
def test_interest_counts_nights_over_the_weekend(simulate_with):
    days = (*WEEK, NEXT_MON, NEXT_TUE)
    costs = replace(FREE, cash_rate=0.0365)
    outcome = simulate_with(market(Fund(A, bars(*[1.0] * 7, days=days)), days=days, weights={}, costs=costs))
    assert on(outcome, TUE).interest == 0  # the first session of the run
    assert on(outcome, WED).interest == 10_000 * 0.0365 * 1 / 365
    friday = on(outcome, FRI).cash
    assert on(outcome, NEXT_MON).interest == friday * 0.0365 * 3 / 365
    assert on(outcome, NEXT_MON).cash == friday + friday * 0.0365 * 3 / 365
    assert on(outcome, NEXT_TUE).interest == on(outcome, NEXT_MON).cash * 0.0365 * 1 / 365


def test_interest_is_on_the_cash_of_the_evening_before_and_comes_after_the_fills(simulate_with):
    costs = replace(FREE, cash_rate=0.0365)
    fund = Fund(A, bars(1.0, 1.0, 1.0, 1.0))
    outcome = simulate_with(market(fund, weights={WED: {A: 1.0}}, costs=costs, days=WEEK[:4]))
    assert traded(outcome) == [(WED, A, 10_000, 1.0)]
    assert on(outcome, WED).cash == 10_000 - 10_000 * 1.0 + 10_000 * 0.0365 * 1 / 365
    assert on(outcome, THU).interest == 1.0 * 0.0365 * 1 / 365


def test_interest_of_today_buys_nothing_today(simulate_with):
    # A lot costs 100.1; the interest of a night on 100 would be 0.2
    costs = replace(FREE, cash_rate=0.73)
    fund = Fund(A, bars(1.0, 1.0, 1.001))
    outcome = simulate_with(market(fund, cash=100.0, weights={WED: {A: 1.0}}, costs=costs))
    assert outcome.rejections == (Rejection(WED, A, 100, "cash"),)
    assert on(outcome, WED).cash == 100 + 100 * 0.73 * 1 / 365


def test_run_may_begin_on_a_later_session(simulate_with):
    # What was before the run shapes prices, and pays nothing
    actions = Action("dividend", TUE, cash=0.5, pay_day=THU), Action("split", WED, ratio=1.5)
    fund = Fund(A, bars(2.0, 1.5, 1.0, 1.0), actions=actions, price_limit=0.1)
    costs = replace(FREE, cash_rate=0.0365)
    outcome = simulate_with(market(fund, first=WED, weights={WED: {A: 0.5}}, costs=costs, days=WEEK[:4]))
    assert [session.day for session in outcome.sessions] == [WED, THU]
    assert on(outcome, WED).reference == {A: 1.0}
    assert on(outcome, WED).interest == 0
    assert on(outcome, WED).cash == 10_000 - 5000 * 1.0
    assert on(outcome, THU).cash == 5000 + 5000 * 0.0365 * 1 / 365


def test_equity_is_cash_and_receivables_and_positions_at_their_marks(simulate_with):
    dividend = Action("dividend", WED, cash=0.25, pay_day=NEXT_MON)
    funds = (
        Fund(A, bars(2.0, 2.0, 1.75, 1.8), actions=(dividend,)),
        Fund(B, bars(4.0, 4.0, None, None)),
        Fund(C, bars(1.0, 1.0, 1.1, 1.2)),
    )
    outcome = simulate_with(market(*funds, weights={TUE: {A: 0.4, B: 0.4, C: 0.1}}))
    assert on(outcome, THU).shares == {A: 2000, B: 1000, C: 1000}
    assert on(outcome, THU).cash == 10_000 - 2000 * 2.0 - 1000 * 4.0 - 1000 * 1.0
    assert on(outcome, THU).receivable == 2000 * 0.25
    assert on(outcome, THU).equity == 1000 + 500 + (2000 * 1.8 + 1000 * 4.0 + 1000 * 1.2)


def test_run_without_decisions_keeps_its_cash(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(1.0, 2.0, 3.0)), weights={}, days=(MON, TUE, WED)))
    assert [session.equity for session in outcome.sessions] == [10_000] * 2
    assert outcome.fills == ()
