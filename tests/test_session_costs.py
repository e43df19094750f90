"""Commissions, fees, the reserve, slippage and impact of a session, as pencil cases.

Prices are flat bars unless a case needs more. ``FREE`` costs nothing, so that a case shows one rule.
Money is written as the sum from which it comes; each case is one for the oracle and both engines.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.helpers.pencil import (
    FREE,
    FRI,
    MON,
    NEXT_MON,
    THU,
    TUE,
    WED,
    WEEK,
    A,
    B,
    bars,
    flat,
    market,
    on,
    traded,
)
from tests.oracle import Bar, Fund, Rejection


# --- Costs ------------------------------------------------------------------------------------------------
def test_commission_is_at_least_its_minimum(simulate_with):
    costs = replace(FREE, commission_rate=0.00025, commission_min=5.0, commission_tick=0.01)
    outcome = simulate_with(market(Fund(A, bars(2.0, 2.0)), weights={TUE: {A: 0.5}}, costs=costs))
    # 0.00025 * 5,000 = 1.25 is less than 5
    assert on(outcome, TUE).cash == 10_000 - 2500 * 2.0 - 5.0


def test_commission_is_a_part_of_the_notional_on_both_sides(simulate_with):
    costs = replace(FREE, commission_rate=0.001, commission_min=5.0, commission_tick=0.01)
    fund = Fund(A, bars(2.0, 2.0, 2.0))
    outcome = simulate_with(market(fund, cash=100_000.0, weights={TUE: {A: 0.5}, WED: {}}, costs=costs))
    assert [fill.commission for fill in outcome.fills] == [50.0, 50.0]
    assert on(outcome, TUE).cash == 100_000 - 25_000 * 2.0 - 50
    assert on(outcome, WED).cash == 100_000 - 25_000 * 2.0 - 50 + 25_000 * 2.0 - 50


@pytest.mark.parametrize(
    ("price", "shares", "commission"),
    [
        (0.2, 100, 0.01),  # 0.00025 *    20 = 0.005
        (0.6, 100, 0.02),  # 0.00025 *    60 = 0.015
        (40.2, 100, 1.01),  # 0.00025 * 4,020 = 1.005, which in binary is a little less
        (0.199, 100, 0.0),  # 0.00025 *  19.9 = 0.004975
        (1.34, 3000, 1.01),  # 0.00025 * 4,020 again
    ],
)
def test_commission_is_rounded_half_up_to_the_cent(simulate_with, price, shares, commission):
    costs = replace(FREE, commission_rate=0.00025, commission_tick=0.01)
    cash = shares * price * 2
    outcome = simulate_with(
        market(Fund(A, bars(price, price)), cash=cash, weights={TUE: {A: 0.5}}, costs=costs)
    )
    assert [(fill.shares, fill.commission) for fill in outcome.fills] == [(shares, commission)]


def test_commission_tick_zero_does_not_round(simulate_with):
    costs = replace(FREE, commission_rate=0.00025)
    outcome = simulate_with(market(Fund(A, bars(0.2, 0.2)), cash=40.0, weights={TUE: {A: 0.5}}, costs=costs))
    assert outcome.fills[0].commission == 0.00025 * 20.0


def test_cash_cut_counts_the_minimum_commission(simulate_with):
    costs = replace(FREE, commission_min=5.0, commission_tick=0.01)
    outcome = simulate_with(market(Fund(A, bars(1.0, 1.0)), weights={TUE: {A: 1.0}}, costs=costs))
    # 10,000 shares and a commission of 5 are 5 too much
    assert traded(outcome) == [(TUE, A, 9900, 1.0)]
    assert outcome.rejections == (Rejection(TUE, A, 100, "cash"),)
    assert on(outcome, TUE).cash == 10_000 - 9900 * 1.0 - 5


def test_a_reserve_pays_what_reference_prices_do_not_show(simulate_with):
    costs = replace(FREE, commission_min=5.0)
    outcome = simulate_with(
        market(Fund(A, bars(1.0, 1.0)), weights={TUE: {A: 1.0}}, costs=costs, reserve=0.01)
    )
    # 1 % of 10,000 is left for the commission of 5
    assert traded(outcome) == [(TUE, A, 9900, 1.0)]
    assert outcome.rejections == ()
    assert on(outcome, TUE).cash == 10_000 - 9900 * 1.0 - 5


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ({A: 0.5, B: 0.4}, {A: 5000, B: 4000}),  # which leave a tenth in cash as they are
        ({A: 0.6, B: 0.35}, {A: 5600, B: 3300}),  # 0.9 / 0.95 of 6,000 and of 3,500 are 5,684 and 3,315
        ({A: 0.6, B: 0.4}, {A: 5400, B: 3600}),
    ],
)
def test_a_reserve_scales_down_weights_that_would_use_it(simulate_with, weights, shares):
    funds = (Fund(A, bars(1.0, 1.0)), Fund(B, bars(1.0, 1.0)))
    outcome = simulate_with(market(*funds, weights={TUE: weights}, reserve=0.1))
    assert on(outcome, TUE).shares == shares


def test_a_reserve_is_of_equity_at_reference_prices(simulate_with):
    fund = Fund(A, bars(1.0, 1.0, 2.0, 3.0))
    outcome = simulate_with(market(fund, weights={TUE: {A: 1.0}, THU: {A: 1.0}}, reserve=0.1))
    # On Thursday equity is 1,000 + 9,000 at 2.0; nine tenths of it are 17,100, or 8,550 shares
    assert traded(outcome) == [(TUE, A, 9000, 1.0), (THU, A, -400, 3.0)]


@pytest.mark.parametrize(("cash", "shares"), [(20.01, 100), (20.0, 0)])
def test_cash_cut_counts_the_commission_as_rounded(simulate_with, cash, shares):
    # One lot costs 20 and a commission of 0.005, rounded to 0.01
    costs = replace(FREE, commission_rate=0.00025, commission_tick=0.01)
    outcome = simulate_with(market(Fund(A, bars(0.2, 0.2)), cash=cash, weights={TUE: {A: 1.0}}, costs=costs))
    assert on(outcome, TUE).shares == {A: shares}
    assert on(outcome, TUE).cash == pytest.approx(0.0 if shares else 20.0, abs=1e-12)
    assert outcome.rejections == (() if shares else (Rejection(TUE, A, 100, "cash"),))


def test_fees_are_charged_by_side_and_not_rounded(simulate_with):
    fund = Fund(A, bars(2.0, 2.0, 2.0))
    outcome = simulate_with(
        market(fund, weights={TUE: {A: 0.5}, WED: {}}, buy_fee_rate=0.0000015, sell_fee_rate=0.001)
    )
    assert [fill.fee for fill in outcome.fills] == [0.0000015 * 5000, 0.001 * 5000]
    assert on(outcome, TUE).cash == 10_000 - 2500 * 2.0 - 0.0000015 * 5000
    assert on(outcome, WED).cash == 10_000 - 2500 * 2.0 - 0.0000015 * 5000 + 2500 * 2.0 - 0.001 * 5000


def test_sale_that_would_leave_debt_is_rejected(simulate_with):
    # 100 shares of 2.0 bought with all the cash; at 0.04 they bring 4, and the commission is 5
    costs = replace(FREE, commission_min=5.0)
    fund = Fund(A, bars(2.0, 2.0, 0.04))
    outcome = simulate_with(market(fund, cash=205.0, weights={TUE: {A: 1.0}, WED: {}}, costs=costs))
    assert traded(outcome) == [(TUE, A, 100, 2.0)]
    assert outcome.rejections == (Rejection(WED, A, -100, "cash"),)
    assert on(outcome, WED).cash == 205 - 100 * 2.0 - 5


# --- Slippage and impact ----------------------------------------------------------------------------------
def test_slippage_works_against_us_on_both_sides(simulate_with):
    costs = replace(FREE, slippage_rate=0.25)
    fund = Fund(A, bars(1.0, 2.0, 2.0))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.25}, WED: {}}, costs=costs))
    assert traded(outcome) == [(TUE, A, 2500, 2.5), (WED, A, -2500, 1.5)]
    assert [fill.slippage for fill in outcome.fills] == [0.5 * 2500, 0.5 * 2500]
    assert [fill.notional for fill in outcome.fills] == [2500 * 2.5, 2500 * 1.5]
    assert [fill.reference for fill in outcome.fills] == [1.0, 2.0]
    assert on(outcome, WED).cash == 10_000 - 2500 * 2.5 + 2500 * 1.5


def test_fill_price_is_not_rounded_to_the_tick(simulate_with):
    costs = replace(FREE, slippage_rate=0.0005)
    outcome = simulate_with(market(Fund(A, bars(1.234, 1.234)), weights={TUE: {A: 0.5}}, costs=costs))
    assert outcome.fills[0].price == 1.234 * (1 + 0.0005)


def test_slippage_stops_at_the_limits(simulate_with):
    costs = replace(FREE, slippage_rate=0.01)
    fund = Fund(A, bars(1.0, 1.099, 0.990), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {}}, costs=costs))
    # Tuesday's limit is 1.100; Wednesday's is 0.9 * 1.099 = 0.9891, so 0.989, and 0.990 less 1% is below it
    assert traded(outcome) == [(TUE, A, 5000, 1.1), (WED, A, -5000, 0.989)]
    assert on(outcome, WED).cash == 10_000 - 5000 * 1.1 + 5000 * 0.989


def test_impact_grows_with_the_root_of_the_part_of_volume(simulate_with):
    # Too little history: volatility counts as 0.02; a quarter of the volume: 1 * 0.02 * 0.5 = 1%
    costs = replace(FREE, impact=1.0)
    fund = Fund(A, bars(1.0, 1.0, volume=20_000))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}, costs=costs))
    assert traded(outcome) == [(TUE, A, 5000, 1.0 * (1 + 1.0 * 0.02 * 0.5))]


def test_impact_adds_to_slippage(simulate_with):
    costs = replace(FREE, slippage_rate=0.03, impact=1.0)
    fund = Fund(A, bars(1.0, 1.0, volume=20_000))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}, costs=costs))
    assert outcome.fills[0].price == 1.0 * (1 + (0.03 + 1.0 * 0.02 * 0.5))


def swinging(*closes, volume=20_000):
    """Bars whose return on the exchange's reference price of 1.0 is close - 1."""
    return [Bar(1.0, 2.0, 0.5, close, volume, volume, pre_close=1.0) for close in closes]


def test_impact_uses_the_sample_deviation_of_five_returns_or_more(simulate_with):
    # Returns .25 -.25 .25 -.25 0: squares add up to 0.25, divided by 4 that is 0.0625, whose root is 0.25
    days = (*WEEK, NEXT_MON)
    fund = Fund(A, bars(*swinging(1.25, 0.75, 1.25, 0.75, 1.0, 1.0), days=days))
    costs = replace(FREE, impact=1.0)
    outcome = simulate_with(market(fund, days=days, weights={FRI: {A: 0.5}, NEXT_MON: {}}, costs=costs))
    assert traded(outcome) == [
        (FRI, A, 5000, 1.0 * (1 + 0.02 * 0.5)),  # four returns are too few
        (NEXT_MON, A, -5000, 1.0 * (1 - 0.25 * 0.5)),
    ]


def test_impact_forgets_returns_older_than_twenty_sessions_and_skips_halts(simulate_with):
    days = tuple(MON + timedelta(days=number) for number in range(25))
    calm = swinging(*[1.0] * 20, 1.0)
    volatile, halted, still_halted = swinging(2.0)[0], None, replace(flat(1.0, 0), pre_close=1.0)
    fund = Fund(A, bars(volatile, *calm[:10], halted, still_halted, *calm[10:], days=days))
    outcome = simulate_with(
        market(fund, days=days, weights={days[22]: {A: 0.5}, days[23]: {}}, costs=replace(FREE, impact=1.0))
    )
    # Twenty traded sessions before the 23rd: the volatile one and 19 calm ones: mean 1/20,
    # squares (19/20)**2 + 19 / 20**2 = 0.95, divided by 19 that is 0.05; a day later it has dropped out
    assert [fill.price for fill in outcome.fills] == [
        pytest.approx(1 + math.sqrt(0.05) * 0.5, rel=1e-14),
        1.0,
    ]


def test_price_of_an_order_cut_by_cash_is_that_of_the_cut_order(simulate_with):
    # 400 shares would have an impact of 0.5 and cost 600, and there are 400
    # 300 shares cost 300 * (1 + 0.433...) = 429.90, and 200 shares 200 * (1 + 0.3535...) = 270.71
    costs = replace(FREE, impact=50.0)
    fund = Fund(A, bars(1.0, 1.0, volume=1600))
    outcome = simulate_with(market(fund, cash=400.0, weights={TUE: {A: 1.0}}, costs=costs))
    assert traded(outcome) == [(TUE, A, 200, 1.0 * (1 + 50 * 0.02 * math.sqrt(200 / 1600)))]
    assert outcome.rejections == (Rejection(TUE, A, 200, "cash"),)
