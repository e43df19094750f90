"""Price limits, halts, participation and fill points of a session, as pencil cases.

Prices are flat bars unless a case needs more. ``FREE`` costs nothing, so that a case shows one rule.
Money is written as the sum from which it comes; each case is one for the oracle and both engines.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.helpers.pencil import (
    FREE,
    FRI,
    MON,
    THU,
    TUE,
    WED,
    A,
    bars,
    flat,
    market,
    on,
    traded,
)
from tests.oracle import Action, Bar, Fund, Rejection


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
