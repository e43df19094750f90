"""Every rule of the trading session as a case that a pencil can check, on the oracle and on the engine.

Prices are flat bars unless the case needs more. ``FREE`` costs nothing, so that a case shows one rule.
Money is written as the sum from which it comes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.helpers.scenarios import IMPLEMENTATIONS
from tests.oracle import Action, Bar, Costs, Decision, Fund, Rejection, Scenario

MON, TUE, WED, THU, FRI = (date(2024, 1, day) for day in (8, 9, 10, 11, 12))
SAT = date(2024, 1, 13)
NEXT_MON, NEXT_TUE = date(2024, 1, 15), date(2024, 1, 16)
WEEK = (MON, TUE, WED, THU, FRI)
A, B, C = "510001.SH", "510002.SH", "510003.SH"
FREE = Costs(
    commission_rate=0.0,
    commission_min=0.0,
    commission_tick=0.0,
    slippage_rate=0.0,
    participation_rate=0.0,
)


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def simulate_with(request):
    return IMPLEMENTATIONS[request.param]


def flat(price, volume=1_000_000):
    return Bar(price, price, price, price, volume, price * volume)


def bars(*prices, days=WEEK, volume=1_000_000):
    """One bar a day; None is a day without a bar."""
    each = {day: flat(p, volume) if isinstance(p, float) else p for day, p in zip(days, prices, strict=False)}
    return {day: bar for day, bar in each.items() if bar is not None}


def market(*funds, weights, days=WEEK, cash=10_000.0, costs=FREE, **more):
    """Decide the weights of each day, bought in the order of their weight."""
    decisions = {day: Decision.by_weight(of_day) for day, of_day in weights.items()}
    return Scenario(days=days, funds=funds, decisions=decisions, cash=cash, costs=costs, **more)


def on(outcome, day):
    return next(session for session in outcome.sessions if session.day == day)


def traded(outcome):
    return [(fill.day, fill.symbol, fill.shares, fill.price) for fill in outcome.fills]


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


# --- Limits and halts -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("close", "rate", "limits"),
    [
        (1.0, 0.1, (0.9, 1.1)),
        (0.935, 0.1, (0.842, 1.029)),  # 0.8415 and 1.0285
        (1.005, 0.1, (0.905, 1.106)),  # 0.9045 and 1.1055
        (1.115, 0.1, (1.004, 1.227)),  # 1.0035 and 1.2265
        (0.777, 0.2, (0.622, 0.932)),  # 0.6216 and 0.9324
        (1.234, 0.2, (0.987, 1.481)),  # 0.9872 and 1.4808
        (1.234, None, (0.0, math.inf)),
    ],
)
def test_limit_prices_are_rounded_half_up_to_the_tick(simulate_with, close, rate, limits):
    outcome = simulate_with(
        market(Fund(A, bars(close, close), price_limit=rate), days=(MON, TUE), weights={})
    )
    assert on(outcome, TUE).reference == {A: close}
    assert on(outcome, TUE).limits == {A: limits}


def test_limit_prices_of_a_cent_market(simulate_with):
    fund = Fund(A, bars(10.05, 10.05), price_limit=0.1)
    outcome = simulate_with(market(fund, days=(MON, TUE), weights={}, tick=0.01))
    assert on(outcome, TUE).limits == {A: (9.05, 11.06)}  # 9.045 and 11.055


def test_buy_at_the_upper_limit_is_rejected(simulate_with):
    outcome = simulate_with(
        market(Fund(A, bars(1.0, 1.1, 1.1), price_limit=0.1), weights={TUE: {A: 0.5}}, days=(MON, TUE, WED))
    )
    assert outcome.fills == ()
    assert outcome.rejections == (Rejection(TUE, A, 5000, "limit_up"),)
    assert on(outcome, WED).cash == 10_000


def test_sell_at_the_lower_limit_is_rejected(simulate_with):
    fund = Fund(A, bars(1.0, 1.0, 0.9), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {}}, days=(MON, TUE, WED)))
    assert outcome.rejections == (Rejection(WED, A, -5000, "limit_down"),)
    assert on(outcome, WED).equity == 10_000 - 5000 * 1.0 + 5000 * 0.9


def test_sell_at_the_upper_limit_goes_through(simulate_with):
    fund = Fund(A, bars(1.0, 1.0, 1.1), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {}}))
    assert on(outcome, WED).cash == 10_000 - 5000 * 1.0 + 5000 * 1.1
    assert outcome.rejections == ()


def test_buy_at_the_lower_limit_goes_through(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(1.0, 0.9), price_limit=0.1), weights={TUE: {A: 0.5}}))
    assert on(outcome, TUE).cash == 10_000 - 5000 * 0.9
    assert outcome.rejections == ()


def test_limit_is_tested_before_slippage(simulate_with):
    # 1.099 is one tick below the limit; slippage takes the price there, and it trades
    fund = Fund(A, bars(1.0, 1.099), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}}, costs=replace(FREE, slippage_rate=0.0005)))
    assert traded(outcome) == [(TUE, A, 5000, 1.099 * 1.0005)]


@pytest.mark.parametrize(("opened", "trades"), [(2.1994, True), (2.1996, False)])
def test_buy_within_half_a_tick_of_the_upper_limit_is_at_it(simulate_with, opened, trades):
    outcome = simulate_with(market(Fund(A, bars(2.0, opened), price_limit=0.1), weights={TUE: {A: 0.5}}))
    assert traded(outcome) == ([(TUE, A, 2500, opened)] if trades else [])
    assert outcome.rejections == (() if trades else (Rejection(TUE, A, 2500, "limit_up"),))


@pytest.mark.parametrize(("opened", "trades"), [(1.8006, True), (1.8004, False)])
def test_sell_within_half_a_tick_of_the_lower_limit_is_at_it(simulate_with, opened, trades):
    fund = Fund(A, bars(2.0, 2.0, opened), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {}}))
    assert traded(outcome)[1:] == ([(WED, A, -2500, opened)] if trades else [])
    assert outcome.rejections == (() if trades else (Rejection(WED, A, -2500, "limit_down"),))


def test_nobody_sells_below_one_tick(simulate_with):
    # Slippage of 100 %: bought at twice the price, sold for nothing, were it not for the tick
    costs = replace(FREE, slippage_rate=1.0)
    outcome = simulate_with(
        market(Fund(A, bars(1.0, 1.0, 1.0)), weights={TUE: {A: 0.5}, WED: {}}, costs=costs)
    )
    assert traded(outcome) == [(TUE, A, 5000, 2.0), (WED, A, -5000, 0.001)]
    assert on(outcome, WED).cash == 10_000 - 5000 * 2.0 + 5000 * 0.001


def test_open_decides_even_if_the_session_leaves_the_limit(simulate_with):
    opened_there = Bar(1.1, 1.1, 1.0, 1.0, 1_000_000, 1_050_000.0)
    outcome = simulate_with(
        market(Fund(A, bars(1.0, opened_there), price_limit=0.1), weights={TUE: {A: 0.5}})
    )
    assert outcome.rejections == (Rejection(TUE, A, 5000, "limit_up"),)


def test_without_limits_any_price_trades(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(1.0, 1.5)), weights={TUE: {A: 0.5}}))
    assert on(outcome, TUE).cash == 10_000 - 5000 * 1.5


@pytest.mark.parametrize("tuesday", [None, flat(1.0, 0)], ids=["no bar", "no volume"])
def test_halted_fund_is_not_bought(simulate_with, tuesday):
    outcome = simulate_with(market(Fund(A, bars(1.0, tuesday, 1.0)), weights={TUE: {A: 0.5}}))
    assert outcome.rejections == (Rejection(TUE, A, 5000, "halted"),)
    assert on(outcome, TUE).cash == 10_000


@pytest.mark.parametrize("wednesday", [None, flat(1.5, 0)], ids=["no bar", "no volume"])
def test_halted_fund_is_not_sold_and_keeps_its_last_mark(simulate_with, wednesday):
    fund = Fund(A, bars(1.0, 1.25, wednesday, 2.0))
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {}}))
    assert outcome.rejections == (Rejection(WED, A, -5000, "halted"),)
    assert on(outcome, WED).mark == {A: 1.25}
    assert on(outcome, WED).equity == 10_000 - 5000 * 1.25 + 5000 * 1.25
    assert on(outcome, THU).equity == 10_000 - 5000 * 1.25 + 5000 * 2.0


def test_limits_after_a_halt_come_from_the_last_close(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(1.0, 1.2, None, 1.3), price_limit=0.1), weights={}))
    assert on(outcome, THU).reference == {A: 1.2}
    assert on(outcome, THU).limits == {A: (1.08, 1.32)}


def test_nothing_is_carried_over(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(1.0, None, 1.0, 1.0, 1.0)), weights={TUE: {A: 0.5}}))
    assert outcome.fills == ()
    assert len(outcome.rejections) == 1
    assert on(outcome, FRI).cash == 10_000


# --- Participation ----------------------------------------------------------------------------------------
def test_participation_caps_an_order_to_lots_of_its_part_of_volume(simulate_with):
    # A tenth of 10,550 is 1,055 shares: ten lots
    costs = replace(FREE, participation_rate=0.1)
    outcome = simulate_with(
        market(Fund(A, bars(1.0, 1.0, volume=10_550)), weights={TUE: {A: 0.3}}, costs=costs)
    )
    assert traded(outcome) == [(TUE, A, 1000, 1.0)]
    assert outcome.rejections == (Rejection(TUE, A, 2000, "participation"),)
    assert on(outcome, TUE).cash == 10_000 - 1000 * 1.0


def test_participation_that_leaves_no_lot_rejects_the_order(simulate_with):
    costs = replace(FREE, participation_rate=0.1)
    outcome = simulate_with(market(Fund(A, bars(1.0, 1.0, volume=999)), weights={TUE: {A: 0.3}}, costs=costs))
    assert outcome.fills == ()
    assert outcome.rejections == (Rejection(TUE, A, 3000, "participation"),)


def test_a_capped_sale_of_everything_keeps_its_odd_lot_for_later(simulate_with):
    costs = replace(FREE, participation_rate=0.1)
    thin = [flat(1.0, 5000), flat(1.0, 5000), flat(1.0, 2500), flat(1.0, 3600)]
    fund = Fund(A, bars(*thin), actions=(Action("split", WED, ratio=0.75),))
    outcome = simulate_with(market(fund, cash=500.0, weights={TUE: {A: 1.0}, WED: {}, THU: {}}, costs=costs))
    # 500 shares become 375; Wednesday's cap is 200, Thursday's 300: 175 go whole
    assert traded(outcome) == [(TUE, A, 500, 1.0), (WED, A, -200, 1.0), (THU, A, -175, 1.0)]
    assert outcome.rejections == (Rejection(WED, A, -175, "participation"),)


def test_participation_zero_is_no_cap(simulate_with):
    outcome = simulate_with(market(Fund(A, bars(1.0, 1.0, volume=100)), weights={TUE: {A: 0.3}}))
    assert traded(outcome) == [(TUE, A, 3000, 1.0)]


def test_an_order_can_be_cut_by_volume_and_then_by_cash(simulate_with):
    # Wanted 10,000; a tenth of the volume is 6,000; at 2.0 the cash of 10,000 pays for 5,000
    costs = replace(FREE, participation_rate=0.1)
    fund = Fund(A, bars(1.0, 2.0, volume=60_000))
    outcome = simulate_with(market(fund, weights={TUE: {A: 1.0}}, costs=costs))
    assert traded(outcome) == [(TUE, A, 5000, 2.0)]
    assert outcome.rejections == (Rejection(TUE, A, 4000, "participation"), Rejection(TUE, A, 1000, "cash"))


# --- Fill points ------------------------------------------------------------------------------------------
BUSY = Bar(open=1.05, high=1.1, low=1.0, close=1.02, volume=1_000_000, amount=1_062_500.0)


@pytest.mark.parametrize(("fill", "price"), [("open", 1.05), ("vwap", 1.0625), ("close", 1.02)])
def test_fill_points(simulate_with, fill, price):
    outcome = simulate_with(market(Fund(A, bars(1.0, BUSY)), weights={TUE: {A: 0.5}}, fill=fill))
    assert traded(outcome) == [(TUE, A, 5000, price)]
    assert on(outcome, TUE).cash == 10_000 - 5000 * price
    assert on(outcome, TUE).equity == pytest.approx(10_000 - 5000 * price + 5000 * 1.02, rel=1e-15)


@pytest.mark.parametrize(
    ("fill", "trades"),
    [("open", False), ("vwap", True), ("close", True)],
)
def test_buy_where_only_the_open_is_at_the_limit(simulate_with, fill, trades):
    bar = Bar(1.1, 1.1, 1.0, 1.05, 1_000_000, 1_062_500.0)
    outcome = simulate_with(
        market(Fund(A, bars(1.0, bar), price_limit=0.1), weights={TUE: {A: 0.5}}, fill=fill)
    )
    assert len(outcome.fills) == trades
    assert [each.reason for each in outcome.rejections] == ([] if trades else ["limit_up"])


@pytest.mark.parametrize("fill", ["open", "vwap", "close"])
def test_buy_in_a_session_that_never_left_the_upper_limit(simulate_with, fill):
    outcome = simulate_with(
        market(Fund(A, bars(1.0, 1.1), price_limit=0.1), weights={TUE: {A: 0.5}}, fill=fill)
    )
    assert outcome.rejections == (Rejection(TUE, A, 5000, "limit_up"),)


def test_vwap_at_the_limit_trades_if_the_session_has_left_it(simulate_with):
    # Nearly all of the volume at the limit: 1.0998 is nearer to 1.1 than to a tick below
    bought = Bar(1.1, 1.1, 1.05, 1.1, 1_000_000, 1_099_800.0)
    sold = Bar(0.99, 1.02, 0.99, 0.99, 1_000_000, 990_200.0)
    fund = Fund(A, bars(1.0, bought, sold), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {}}, fill="vwap"))
    assert traded(outcome) == [(TUE, A, 5000, 1.0998), (WED, A, -5000, 0.9902)]
    assert outcome.rejections == ()


@pytest.mark.parametrize(
    ("fill", "trades"),
    [("open", True), ("vwap", True), ("close", False)],
)
def test_sell_where_only_the_close_is_at_the_limit(simulate_with, fill, trades):
    bar = Bar(1.0, 1.0, 0.9, 0.9, 1_000_000, 937_500.0)
    fund = Fund(A, bars(1.0, 1.0, bar), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {}}, fill=fill))
    assert [each.reason for each in outcome.rejections] == ([] if trades else ["limit_down"])


@pytest.mark.parametrize("fill", ["open", "vwap", "close"])
def test_sell_in_a_session_that_never_left_the_lower_limit(simulate_with, fill):
    fund = Fund(A, bars(1.0, 1.0, 0.9), price_limit=0.1)
    outcome = simulate_with(market(fund, weights={TUE: {A: 0.5}, WED: {}}, fill=fill))
    assert outcome.rejections == (Rejection(WED, A, -5000, "limit_down"),)


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
