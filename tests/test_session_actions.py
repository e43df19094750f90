"""Splits, dividends, mergers, and the first and last sessions of a fund, as pencil cases.

Prices are flat bars unless a case needs more. ``FREE`` costs nothing, so that a case shows one rule.
Money is written as the sum from which it comes; each case is one for the oracle and both engines.
"""

from __future__ import annotations

import math

import pytest

from tests.helpers.pencil import (
    FRI,
    MON,
    NEXT_MON,
    NEXT_TUE,
    SAT,
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
from tests.oracle import Action, Bar, Fund, Rejection


# --- Corporate actions ------------------------------------------------------------------------------------
def test_dividend_is_receivable_from_its_ex_day_and_cash_on_its_pay_day(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, 1.5, 1.5, 1.5), actions=(Action("dividend", WED, cash=0.5, pay_day=FRI),))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, WED).reference == {A: 2.0 - 0.5}
    assert [session.receivable for session in outcome.sessions] == [0, 2500 * 0.5, 2500 * 0.5, 0]
    assert on(outcome, THU).cash == 10_000 - 2500 * 2.0
    assert on(outcome, FRI).cash == 10_000 - 2500 * 2.0 + 2500 * 0.5
    assert [session.equity for session in outcome.sessions] == [10_000] * 4


def test_dividend_without_a_pay_day_is_cash_at_once(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, 1.5), actions=(Action("dividend", WED, cash=0.5),))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, WED).cash == 10_000 - 2500 * 2.0 + 2500 * 0.5
    assert on(outcome, WED).receivable == 0


def test_dividend_paid_on_a_day_that_is_no_session_comes_on_the_next(simulate_with):
    days = (*WEEK, NEXT_MON)
    fund = Fund(A, bars(2.0, 2.0, 1.5, 1.5, 1.5, 1.5, days=days),
                actions=(Action("dividend", WED, cash=0.5, pay_day=SAT),))  # fmt: skip
    outcome = simulate_with(market(fund, days=days, weights={TUE: {A: 0.5}}))
    assert on(outcome, FRI).receivable == 2500 * 0.5
    assert on(outcome, NEXT_MON).receivable == 0
    assert on(outcome, NEXT_MON).cash == 5000 + 2500 * 0.5


def test_dividend_belongs_to_whoever_held_the_evening_before(simulate_with):
    dividend = Action("dividend", WED, cash=0.5, pay_day=FRI)
    sold = Fund(A, bars(2.0, 2.0, 1.5, 1.5, 1.5), actions=(dividend,))
    bought = Fund(B, bars(2.0, 2.0, 1.5, 1.5, 1.5), actions=(dividend,))
    outcome = simulate_with(market(sold, bought, weights={TUE: {A: 0.5}, WED: {B: 0.3}}))
    assert on(outcome, WED).shares == {A: 0, B: 2000}
    # equity at reference prices is 5,000 + 1,250 + 2,500 * 1.5; 0.3 of it buys 2,000 shares of B at 1.5
    assert on(outcome, WED).cash == 10_000 - 2500 * 2.0 + 2500 * 1.5 - 2000 * 1.5
    assert on(outcome, WED).receivable == 2500 * 0.5


def test_reference_after_a_dividend_is_rounded_half_up(simulate_with):
    fund = Fund(A, bars(1.0, 1.0), actions=(Action("dividend", TUE, cash=0.0125),), price_limit=0.1)
    outcome = simulate_with(market(fund, days=(MON, TUE), weights={}))
    assert on(outcome, TUE).reference == {A: 0.988}  # 0.9875
    assert on(outcome, TUE).limits == {A: (0.889, 1.087)}  # 0.8892 and 1.0868


def test_split_multiplies_shares_and_divides_the_reference(simulate_with):
    fund = Fund(A, bars(3.0, 3.0, 1.0, 1.5), actions=(Action("split", WED, ratio=3.0),), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, TUE).shares == {A: 1600}
    assert on(outcome, WED).shares == {A: 4800}
    assert on(outcome, WED).reference == {A: 1.0}
    assert on(outcome, WED).limits == {A: (0.9, 1.1)}
    assert [session.equity for session in outcome.sessions[:2]] == [10_000] * 2
    assert on(outcome, THU).equity == 10_000 - 1600 * 3.0 + 4800 * 1.5


def test_split_reference_is_rounded_half_up(simulate_with):
    fund = Fund(A, bars(1.001, 0.5), actions=(Action("split", TUE, ratio=2.0),))
    outcome = simulate_with(market(fund, days=(MON, TUE), weights={}))
    assert on(outcome, TUE).reference == {A: 0.501}  # 0.5005


def test_fraction_of_a_share_is_lost_in_a_split(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, 1.0, 1.0), actions=(Action("split", WED, ratio=2.0079),))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.02}, THU: {}}))
    # 100 * 2.0079 = 200.79 shares
    assert on(outcome, WED).shares == {A: 200}
    assert on(outcome, THU).cash == 10_000 - 100 * 2.0 + 200 * 1.0


@pytest.mark.parametrize(("ratio", "shares"), [(1.1, 110), (2.3, 230), (0.29, 29), (0.57, 57)])
def test_a_split_that_gives_whole_shares_loses_none_to_binary_noise(simulate_with, ratio, shares):
    # In binary 100 * 0.29 is a little less than 29
    fund = Fund(A, bars(2.0, 2.0, 2.0), actions=(Action("split", WED, ratio=ratio),))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.02}}))
    assert on(outcome, WED).shares == {A: shares}


def test_merge_divides_shares(simulate_with):
    fund = Fund(A, bars(0.5, 0.5, 2.0, 2.0), actions=(Action("split", WED, ratio=0.25),))
    outcome = simulate_with(market(fund, cash=100.0, weights={TUE: {A: 1.0}, THU: {}}))
    assert on(outcome, WED).shares == {A: 50}
    assert on(outcome, WED).reference == {A: 2.0}
    # the 50 shares are less than a lot, and sold all the same
    assert on(outcome, THU).cash == 100 - 200 * 0.5 + 50 * 2.0


def test_split_while_halted_adjusts_the_mark(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, None, 1.25), actions=(Action("split", WED, ratio=2.0),), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, WED).shares == {A: 5000}
    assert on(outcome, WED).mark == {A: 1.0}
    assert on(outcome, WED).equity == 10_000 - 2500 * 2.0 + 5000 * 1.0
    assert on(outcome, THU).reference == {A: 1.0}
    assert on(outcome, THU).equity == 10_000 - 2500 * 2.0 + 5000 * 1.25


def test_dividend_while_halted_adjusts_the_mark(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, None, 1.5), actions=(Action("dividend", WED, cash=0.5, pay_day=THU),))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, WED).equity == 5000 + 2500 * 0.5 + 2500 * 1.5
    assert on(outcome, THU).cash == 5000 + 2500 * 0.5


def test_action_on_a_day_that_is_no_session_applies_on_the_next(simulate_with):
    days = (*WEEK, NEXT_MON)
    fund = Fund(A, bars(2.0, 2.0, 2.0, 2.0, 2.0, 1.0, days=days), actions=(Action("split", SAT, ratio=2.0),))
    outcome = simulate_with(market(fund, days=days, weights={TUE: {A: 0.5}}))
    assert on(outcome, FRI).shares == {A: 2500}
    assert on(outcome, NEXT_MON).shares == {A: 5000}
    assert on(outcome, NEXT_MON).equity == 10_000


def test_dividend_comes_before_a_split_on_the_same_day(simulate_with):
    actions = Action("split", WED, ratio=2.0), Action("dividend", WED, cash=0.5, pay_day=THU)
    outcome = simulate_with(market(Fund(A, bars(2.0, 2.0, 0.75), actions=actions), weights={TUE: {A: 0.5}}))
    assert on(outcome, WED).reference == {A: (2.0 - 0.5) / 2}
    assert on(outcome, WED).receivable == 2500 * 0.5  # on the shares of the evening before
    assert on(outcome, WED).shares == {A: 5000}
    assert on(outcome, WED).equity == 10_000


def test_exchange_reference_overrides_ours(simulate_with):
    tuesday = Bar(2.2, 2.2, 2.2, 2.2, 1_000_000, 2_200_000.0, pre_close=2.0)
    fund = Fund(A, bars(1.0, tuesday), price_limit=0.1, actions=(Action("dividend", TUE, cash=0.25),))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}, days=(MON, TUE)))
    # sized at 2.0, and 2.2 is the upper limit of 2.0
    assert on(outcome, TUE).reference == {A: 2.0}
    assert on(outcome, TUE).limits == {A: (1.8, 2.2)}
    assert outcome.rejections == (Rejection(TUE, A, 2500, "limit_up"),)


# --- The beginning and the end of a fund ------------------------------------------------------------------
def test_fund_that_is_not_listed_is_reported(simulate_with):
    funds = Fund(A, bars(1.0, 1.0, 1.0)), Fund(B, bars(None, None, 1.0))
    outcome = simulate_with(market(*funds, weights={TUE: {A: 0.5, B: 0.5}}))
    assert traded(outcome) == [(TUE, A, 5000, 1.0)]
    assert outcome.rejections == (Rejection(TUE, B, 0, "not_listed"),)


def test_first_session_has_the_nav_as_reference(simulate_with):
    # The NAV of Monday, 1.0005, is known on Tuesday; Tuesday's is not
    fund = Fund(A, bars(None, 1.05), navs={MON: 1.0005, TUE: 3.0}, price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, TUE).reference == {A: 1.001}
    assert on(outcome, TUE).limits == {A: (0.901, 1.101)}  # 0.9009 and 1.1011
    assert traded(outcome) == [(TUE, A, 4900, 1.05)]  # 5,000 / 1.001 = 4,995
    assert on(outcome, TUE).cash == 10_000 - 4900 * 1.05


def test_first_session_without_a_nav_has_no_reference_and_no_limits(simulate_with):
    fund = Fund(A, bars(None, 1.5, 1.5), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {A: 0.5}}))
    assert on(outcome, TUE).reference == {A: None}
    assert on(outcome, TUE).limits == {A: (0.0, math.inf)}
    assert outcome.rejections == (Rejection(TUE, A, 0, "not_listed"),)
    assert traded(outcome) == [(WED, A, 3300, 1.5)]  # 5,000 / 1.5 = 3,333


def test_listed_but_without_a_bar_yet(simulate_with):
    fund = Fund(A, bars(None, None, 1.0), navs={MON: 1.0}, listed=TUE)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert outcome.rejections == (Rejection(TUE, A, 0, "not_listed"),)


def test_liquidation_pays_its_cash_on_its_pay_day(simulate_with):
    end = Action("liquidation", THU, cash=1.75, pay_day=FRI)
    fund = Fund(A, bars(2.0, 2.0, 2.0), actions=(end,), delisted=THU)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, THU).shares == {A: 0}
    assert on(outcome, THU).receivable == 2500 * 1.75
    assert on(outcome, THU).equity == 5000 + 2500 * 1.75
    assert on(outcome, FRI).cash == 10_000 - 2500 * 2.0 + 2500 * 1.75
    assert outcome.rejections == ()
    assert traded(outcome) == [(TUE, A, 2500, 2.0)]


def test_liquidation_without_a_pay_day_is_cash_at_once(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, 2.0), actions=(Action("liquidation", THU, cash=1.75),), delisted=THU)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, THU).cash == 10_000 - 2500 * 2.0 + 2500 * 1.75


def test_liquidation_may_come_after_the_end_of_the_listing(simulate_with):
    # From Thursday on it is listed no more: nothing trades, the mark stays, and the money comes on Monday
    days = (*WEEK, NEXT_MON, NEXT_TUE)
    end = Action("liquidation", NEXT_MON, cash=1.75, pay_day=NEXT_TUE)
    fund = Fund(A, bars(2.0, 2.0, 2.5), actions=(end,), delisted=THU)
    outcome = simulate_with(market(fund, days=days, weights={TUE: {A: 0.5}, THU: {}, FRI: {A: 0.5}}))
    assert traded(outcome) == [(TUE, A, 2500, 2.0)]
    assert outcome.rejections == (Rejection(FRI, A, 0, "not_listed"),)
    assert [on(outcome, day).equity for day in (THU, FRI)] == [10_000 - 2500 * 2.0 + 2500 * 2.5] * 2
    assert on(outcome, NEXT_MON).shares == {A: 0}
    assert on(outcome, NEXT_MON).receivable == 2500 * 1.75
    assert on(outcome, NEXT_TUE).cash == 10_000 - 2500 * 2.0 + 2500 * 1.75


def test_end_of_listing_without_a_liquidation_pays_the_last_mark(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, 2.5), delisted=THU)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    assert on(outcome, THU).shares == {A: 0}
    assert on(outcome, THU).cash == 10_000 - 2500 * 2.0 + 2500 * 2.5


def test_end_of_listing_pays_the_last_mark_adjusted_for_what_happened_since(simulate_with):
    actions = Action("dividend", THU, cash=0.5, pay_day=FRI), Action("split", THU, ratio=2.0)
    fund = Fund(A, bars(2.0, 2.0, 2.5), actions=actions, delisted=THU)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}))
    # (2.5 - 0.5) / 2 for each of 5,000 shares; the dividend for each of the 2,500 of the evening before
    assert on(outcome, THU).cash == 10_000 - 2500 * 2.0 + 5000 * 1.0
    assert on(outcome, THU).receivable == 2500 * 0.5
    assert on(outcome, THU).equity == 10_000 - 2500 * 2.0 + 2500 * 2.5


def test_liquidation_ends_the_listing_whatever_comes_after(simulate_with):
    end = Action("liquidation", THU, cash=1.75)
    fund = Fund(A, bars(2.0, 2.0, 2.0, 2.0, 2.0), actions=(end,))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, FRI: {A: 0.5}}))
    assert on(outcome, FRI).shares == {A: 0}
    assert on(outcome, FRI).cash == 10_000 - 2500 * 2.0 + 2500 * 1.75
    assert outcome.rejections == (Rejection(FRI, A, 0, "not_listed"),)


def test_end_of_listing_on_a_day_that_is_no_session(simulate_with):
    days = (*WEEK, NEXT_MON)
    fund = Fund(A, bars(2.0, 2.0, 2.5, 2.5, None, days=days), delisted=SAT)
    outcome = simulate_with(market(fund, days=days, weights={TUE: {A: 0.5}}))
    assert on(outcome, FRI).shares == {A: 2500}  # halted on its last day, at the mark of Thursday
    assert on(outcome, NEXT_MON).cash == 10_000 - 2500 * 2.0 + 2500 * 2.5


def test_fund_that_is_gone_is_not_listed(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(2.0, 2.0), delisted=WED), weights={WED: {A: 0.5}}))
    assert outcome.rejections == (Rejection(WED, A, 0, "not_listed"),)


# --- Merges -----------------------------------------------------------------------------------------------
def merging(*, b=None, **terms):
    """A at 2.0 goes into B at 3.0 on Thursday; a quarter of the money is in A, three sessions later."""
    end = Action("merge", THU, successor=B, **terms)
    fund = Fund(A, bars(2.0, 2.0, 2.0), actions=(end,))
    return market(fund, b or Fund(B, bars(3.0, 3.0, 3.0, 3.0, 4.0)), weights={TUE: {A: 0.26}})


def test_merge_gives_whole_shares_and_the_fraction_in_cash_at_the_reference_price(simulate_with):
    outcome = simulate_with(merging(ratio=0.6667))
    # 1,300 shares of A become 866.71 of B: 866, and 0.71 in money at 3.0
    assert on(outcome, THU).shares == {A: 0, B: 866}
    assert on(outcome, THU).cash == 10_000 - 1300 * 2.0 + (1300 * 0.6667 - 866) * 3.0
    assert on(outcome, THU).equity == on(outcome, THU).cash + 866 * 3.0
    assert on(outcome, FRI).equity == on(outcome, THU).cash + 866 * 4.0
    assert outcome.rejections == ()
    assert traded(outcome) == [(TUE, A, 1300, 2.0)]


def test_merge_pays_the_fraction_as_announced_and_on_its_pay_day(simulate_with):
    outcome = simulate_with(merging(ratio=0.6667, cash=2.5, pay_day=FRI))
    assert on(outcome, THU).receivable == (1300 * 0.6667 - 866) * 2.5
    assert on(outcome, THU).cash == 10_000 - 1300 * 2.0
    assert on(outcome, FRI).cash == 10_000 - 1300 * 2.0 + (1300 * 0.6667 - 866) * 2.5


def test_merge_counts_the_shares_after_the_splits_of_the_day(simulate_with):
    successor = Fund(B, bars(3.0, 3.0, 3.0, 1.5), actions=(Action("split", THU, ratio=2.0),))
    outcome = simulate_with(merging(b=successor, ratio=4 / 3))
    assert on(outcome, THU).shares == {A: 0, B: 1733}  # 1,733.33 at 1.5
    assert on(outcome, THU).cash == 10_000 - 1300 * 2.0 + (1300 * (4 / 3) - 1733) * 1.5


def test_merge_adds_to_what_is_held_of_the_successor(simulate_with):
    end = Action("merge", THU, ratio=2.0, successor=B)
    funds = Fund(A, bars(2.0, 2.0, 2.0), actions=(end,)), Fund(B, bars(*[1.0] * 5))
    outcome = simulate_with(market(*funds, weights={TUE: {A: 0.5, B: 0.3}, FRI: {A: 0.2, B: 0.1}}))
    assert on(outcome, THU).shares == {A: 0, B: 2 * 2500 + 3000}
    assert traded(outcome)[2:] == [(FRI, B, -7000, 1.0)]
    assert outcome.rejections == (Rejection(FRI, A, 0, "not_listed"),)


@pytest.mark.parametrize(
    "successor",
    [
        Fund(C, bars(3.0, 3.0, 3.0, 3.0)),  # B is not among the funds
        Fund(B, bars(None, None, None, 3.0)),  # it has no price before its first bar
        Fund(B, bars(3.0, 3.0, 3.0), delisted=THU),  # it ends on the same day
    ],
)
def test_merge_into_nothing_pays_the_last_mark(simulate_with, successor):
    outcome = simulate_with(merging(b=successor, ratio=0.5))
    assert on(outcome, THU).shares == {A: 0, successor.symbol: 0}
    assert on(outcome, THU).cash == 10_000
