"""The scalar functions of a trade, each at the edge where it turns; numbers are exact in binary."""

from __future__ import annotations

import math
from typing import Any

import pytest

from data.errors import UsageError
from engine.kernel.costs import Costs, adverse_rate, commission, interest
from engine.kernel.fills import (
    HALTED,
    LIMIT_DOWN,
    LIMIT_UP,
    TRADES,
    Filled,
    Quote,
    blocked,
    charge,
    fill_order,
    slippage_of,
    terms_of,
)
from engine.kernel.sizing import size_order, split_shares

FREE = terms_of(
    Costs(
        commission_rate=0.0,
        commission_min=0.0,
        commission_tick=0.0,
        slippage_rate=0.0,
        participation_rate=0.0,
    )
)


def quote(**fields: Any) -> Quote:
    """A fund at 2.0 between 1.5 and 2.5, in ticks of a half and lots of ten."""
    rest: dict[str, Any] = {
        **{"base": 2.0, "low": 1.75, "high": 2.25, "volume": 1000.0, "limit_up": math.inf, "limit_down": 0.0},
        **{"tick": 0.5, "lot": 10, "volatility": 0.25, "buy_fee_rate": 0.0, "sell_fee_rate": 0.0},
        **{"commission_rate": 0.0, "commission_min": 0.0, "commission_tick": 0.0},
    }
    return Quote(**(rest | fields))


# --- Orders -----------------------------------------------------------------------------------------------
def test_one_share_more_is_an_order_where_a_lot_is_one_share() -> None:
    assert size_order(1.0, 11.0, 1.0, 10, 1) == 1
    assert size_order(1.0, 9.0, 1.0, 10, 1) == -1
    assert size_order(1.0, 10.0, 1.0, 10, 1) == 0


def test_an_order_is_truncated_towards_zero_to_whole_lots() -> None:
    # A half of 1,000 at 4.0 are 125 shares
    assert size_order(0.5, 1000.0, 4.0, 0, 10) == 120
    assert size_order(0.5, 1000.0, 4.0, 154, 10) == -20
    assert size_order(0.0, 1000.0, 4.0, 154, 10) == -154


def test_a_split_keeps_whole_shares() -> None:
    assert split_shares(3, 0.5) == 1
    assert split_shares(100_000_000, 0.29) == 29_000_000


# --- What the market lets through -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("order", "fields", "whole_session", "reason"),
    [
        (10, {"volume": 0.0}, False, HALTED),
        (10, {"volume": math.nan}, False, HALTED),
        (10, {"volume": 1.0}, False, TRADES),
        # Half a tick is a quarter: 2.0 is within it of 2.25, and not of 2.26
        (10, {"limit_up": 2.25}, False, LIMIT_UP),
        (10, {"limit_up": 2.26}, False, TRADES),
        (1, {"limit_up": 2.25}, False, LIMIT_UP),
        (-10, {"limit_down": 1.75}, False, LIMIT_DOWN),
        (-10, {"limit_down": 1.74}, False, TRADES),
        # Over the whole session the low and the high decide: 1.75 and 2.25
        (10, {"limit_up": 2.0}, True, LIMIT_UP),
        (10, {"limit_up": 2.25}, True, TRADES),
        (-10, {"limit_down": 2.0}, True, LIMIT_DOWN),
        (-10, {"limit_down": 1.75}, True, TRADES),
    ],
)
def test_what_does_not_trade_at_all(
    order: int, fields: dict[str, float], whole_session: bool, reason: int
) -> None:
    assert blocked(order, quote(**fields), whole_session) == reason


# --- Fills ------------------------------------------------------------------------------------------------
def test_a_buy_and_a_sale_in_full() -> None:
    terms = FREE._replace(slippage_rate=0.25)
    fees = quote(buy_fee_rate=0.125, sell_fee_rate=0.5, commission_min=1.0)
    # 20 at 2.0 + 25 % cost 50, 1 of commission and an eighth of 50; sold at 2.0 - 25 % they bring 30
    bought = Filled(20, 2.5, 50.0, 1.0, 6.25, 100.0 - 50.0 - 1.0 - 6.25, 0, 0)
    assert fill_order(20, fees, terms, 100.0) == bought
    assert charge(20, fees, terms, 100.0) == bought
    sold = Filled(-20, 1.5, 30.0, 1.0, 15.0, 100.0 + 30.0 - 1.0 - 15.0, 0, 0)
    assert fill_order(-20, fees, terms, 100.0) == sold
    assert charge(-20, fees, terms, 100.0) == sold


def test_a_single_share_is_bought_where_a_lot_is_one_share() -> None:
    terms = FREE._replace(slippage_rate=0.25)
    assert fill_order(1, quote(lot=1), terms, 5.0) == Filled(1, 2.5, 2.5, 0.0, 0.0, 2.5, 0, 0)


def test_a_price_is_worse_by_impact_and_never_beyond_the_limit_or_below_a_tick() -> None:
    # 250 of 1,000 shares at a volatility of 0.25: 1 * 0.25 * sqrt(0.25) = an eighth of 2.0
    terms = FREE._replace(impact=1.0)
    assert charge(250, quote(), terms, 1e6).price == 2.25
    assert charge(-250, quote(), terms, 1e6).price == 1.75
    assert charge(250, quote(limit_up=2.125), terms, 1e6).price == 2.125
    assert charge(-250, quote(limit_down=1.875), terms, 1e6).price == 1.875
    assert charge(-250, quote(), FREE._replace(impact=8.0), 1e6).price == 0.5


def test_slippage_is_what_a_fill_is_worse_by() -> None:
    # 20 shares, half a unit of money each
    for order in (20, -20):
        assert slippage_of(charge(order, quote(), FREE._replace(slippage_rate=0.25), 1e6), quote()) == 10.0


def test_an_order_above_the_part_of_the_volume_is_cut_and_the_rest_is_told() -> None:
    terms = FREE._replace(participation_rate=0.125)
    # An eighth of 1,000 is 125, of which 12 lots
    assert fill_order(150, quote(), terms, 1e6) == Filled(120, 2.0, 240.0, 0.0, 0.0, 1e6 - 240.0, 30, 0)
    assert fill_order(-150, quote(), terms, 0.0) == Filled(-120, 2.0, 240.0, 0.0, 0.0, 240.0, -30, 0)
    nothing = Filled(0, 2.0, 0.0, 0.0, 0.0, 7.0, 150, 0)
    assert fill_order(150, quote(volume=40.0), terms, 7.0) == nothing
    assert charge(0, quote(), terms, 7.0) == Filled(0, 2.0, 0.0, 0.0, 0.0, 7.0, 0, 0)


@pytest.mark.parametrize(
    ("cash", "lots"), [(200.0, 10), (199.0, 9), (60.0, 3), (59.0, 2), (20.0, 1), (19.0, 0)]
)
def test_a_buy_is_cut_to_the_lots_that_cash_pays_for(cash: float, lots: int) -> None:
    shares = 10 * lots
    filled = fill_order(100, quote(), FREE, cash)
    assert filled == Filled(shares, 2.0, 2.0 * shares, 0.0, 0.0, cash - 2.0 * shares, 0, 100 - shares)
    assert isinstance(filled.shares, int)


@pytest.mark.parametrize(
    ("cash", "fields", "lots"),
    [
        # Three lots cost 60: what is left is almost a lot, a lot without its last cent, and a whole one
        (79.7, {}, 3),
        (79.99, {}, 3),
        (80.0, {}, 4),
        # A lot costs 22.5 with its commission: 21.5 are more than its price, and too little
        (89.0, {"commission_rate": 0.125}, 3),
        (90.0, {"commission_rate": 0.125}, 4),
        # The least commission is paid once: three lots for 65, four for 85
        (84.0, {"commission_min": 5.0}, 3),
        (85.0, {"commission_min": 5.0}, 4),
        # Rounded to a whole, 60 cost 2 and 80 too: a lot more costs its price alone
        (82.0, {"commission_rate": 0.025, "commission_tick": 1.0}, 4),
        (81.0, {"commission_rate": 0.025, "commission_tick": 1.0}, 3),
    ],
)
def test_the_search_for_the_lots_stops_when_nothing_is_left_for_another(
    cash: float, fields: dict[str, float], lots: int
) -> None:
    assert fill_order(100, quote(**fields), FREE, cash).shares == 10 * lots


def test_a_buy_whose_price_rises_with_its_size_is_cut_to_what_cash_pays_for() -> None:
    # Of 1,000 shares 90 move the price by 0.25 * 0.3, to 2.15; with 160 of them it is 2.2
    terms = FREE._replace(impact=1.0)
    assert fill_order(160, quote(), terms, 194.0).shares == 90
    assert fill_order(160, quote(), terms, 193.0).shares == 80


@pytest.mark.parametrize(
    "fields",
    [
        {"commission_rate": 0.01, "commission_min": 3.0, "commission_tick": 0.5},
        {"commission_rate": 0.2, "commission_tick": 5.0, "buy_fee_rate": 0.01},
        {"limit_up": 2.125, "commission_rate": 0.1},
    ],
)
def test_no_lot_more_could_be_paid_for(fields: dict[str, float]) -> None:
    """The same as trying one lot after another, for what a few thousand amounts of cash buy."""
    terms, fund = FREE._replace(impact=1.0, slippage_rate=0.001), quote(**fields)
    whole = [charge(shares, fund, terms, 0.0).cash for shares in range(0, 210, 10)]
    for tenths in range(4_000):
        paid = max(number for number, cost in enumerate(whole) if tenths / 10 + cost >= 0.0)
        assert fill_order(200, fund, terms, tenths / 10).shares == 10 * paid


def test_a_sale_that_would_cost_more_than_there_is_does_not_trade() -> None:
    # 10 bring 20, and the commission is 30
    dear = quote(commission_min=30.0)
    assert fill_order(-10, dear, FREE, 9.0) == Filled(0, 2.0, 0.0, 0.0, 0.0, 9.0, 0, -10)
    assert fill_order(-10, dear, FREE, 10.0) == Filled(-10, 2.0, 20.0, 30.0, 0.0, 0.0, 0, 0)


def test_interest_is_simple_and_by_calendar_days() -> None:
    assert interest(1000.0, 0.73, 3) == 1000.0 * 0.73 * 3 / 365
    assert interest(1000.0, 0.73, 0) == 0.0


# --- Costs ------------------------------------------------------------------------------------------------
def test_impact_is_volatility_times_the_root_of_the_part_of_the_volume() -> None:
    # 0.125 + 1 * 0.25 * sqrt(250 / 1000)
    assert adverse_rate(0.125, 1.0, 0.25, 250.0, 1000.0) == 0.25
    assert adverse_rate(0.125, 0.0, math.nan, 250.0, 0.0) == 0.125


def test_a_commission_is_rounded_to_its_tick_if_it_has_one() -> None:
    assert commission(101.0, 0.125, 5.0, 0.0) == 12.625
    assert commission(101.0, 0.125, 5.0, 1.0) == 13.0
    assert commission(101.0, 0.125, 5.0, 0.01) == 12.63
    assert commission(1.0, 0.125, 5.0, 0.01) == 5.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cash_rate", 0.0),
        ("participation_rate", 1.0),
        ("commission_min", 1e9),
        ("impact", 7),
        ("slippage_rate", 1),
    ],
)
def test_costs_within_their_bounds(name: str, value: float) -> None:
    assert getattr(Costs(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("cash_rate", 1.01, "0 to 1, a fraction"),
        ("slippage_rate", -0.01, "0 to 1, a fraction"),
        ("commission_min", -1.0, "0 to 1e\\+09 of money"),
        ("impact", math.nan, "0 to 1,000"),
        ("commission_rate", "0.1", "0 to 1, a fraction"),
    ],
)
def test_costs_out_of_bounds_are_refused(name: str, value: Any, limit: str) -> None:
    with pytest.raises(UsageError, match=f"cost `{name}` is out of bounds.*{value}.*{limit}"):
        Costs(**{name: value})


def test_costs_from_words() -> None:
    words = {"commission_min": "1", "impact": "0.5"}
    assert Costs.from_words(words) == Costs(commission_min=1.0, impact=0.5)
    with pytest.raises(UsageError, match=r"unknown cost `impcat`.*`impact`"):
        Costs.from_words({"impcat": "0.5"})
    with pytest.raises(UsageError, match=r"cost `impact` is not a number.*much"):
        Costs.from_words({"impact": "much"})


def test_a_market_has_a_commission_of_its_own() -> None:
    costs = Costs.from_words({"us.commission_min": "1", "commission_min": "2"})
    assert costs == Costs(commission_min=2.0, by_market=(("us.commission_min", 1.0),))
    assert Costs.from_words({"us": {"commission_min": 1}, "commission_min": 2}) == costs
    assert (costs.of_market("US", "commission_min"), costs.of_market("CN", "commission_min")) == (1.0, None)
    assert Costs.from_words(costs.to_dict()) == costs
    assert "us.commission_min" not in Costs().to_dict()
    doubled = costs.times(2.0, ("commission_min", "slippage_rate"))
    assert (doubled.commission_min, doubled.slippage_rate) == (4.0, 0.001)
    assert doubled.of_market("US", "commission_min") == 2.0
    for name, message in (
        ("hk.commission_min", "unknown cost"),
        ("us.impact", "unknown cost"),
        ("us.commission_rate", "cost `us.commission_rate` is out of bounds"),
        ("us.commission_tick", "cost `us.commission_tick` rounds the minimum commission to nothing"),
    ):
        with pytest.raises(UsageError, match=message):
            Costs.from_words({name: "60"})


def test_terms_are_the_costs_in_order() -> None:
    assert tuple(terms_of(Costs(0.5, 1.0, 2.0, 0.25, 0.125, 3.0))) == (0.25, 0.125, 3.0, 0.0)
