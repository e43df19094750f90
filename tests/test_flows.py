"""Flows: split-safe changes of units, their value in three conventions, and leveraged money."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from data.errors import UsageError
from data.facts.actions import Action, place
from data.panel.flows import (
    NONE,
    OVERTAKEN,
    nav_as_prices,
    net_financing,
    pending_splits,
    row_before,
    unit_changes,
    unit_prices,
)
from data.panel.panel import Panel

SYMBOL = "159363.SZ"
DAYS = np.array(
    ["2025-07-16", "2025-07-17", "2025-07-18", "2025-07-21", "2025-07-22", "2025-07-23"],
    dtype="datetime64[D]",
)
SPLIT = Action(SYMBOL, "split", date(2025, 7, 21), date(2025, 7, 18), 2.0)
NAN = float("nan")


def column(values: list[float]) -> np.ndarray:
    return np.array(values)[:, None]


def panel(
    units: list[float],
    *,
    close: list[float] | None = None,
    vwap: list[float] | None = None,
    nav: list[float] | None = None,
    actions: tuple[Action, ...] = (SPLIT,),
    **options: object,
) -> Panel:
    close = close or [1.18, 1.19, 1.191, 0.594, 0.60, 0.61]
    vwap = vwap or close
    bars = {name: column(close) for name in ("open", "high", "low", "close")}
    bars["volume"] = column([1e6] * 6)
    bars["amount"] = column(vwap) * 1e6
    return Panel.from_events(
        DAYS,
        [SYMBOL],
        bars=bars,
        units=column(units),
        nav=None if nav is None else column(nav),
        actions=actions,
        **options,
    )


def flow(market: Panel, valuation: str) -> list[float]:
    """Flows by the session they belong to: the known row after it."""
    return market.known.flow(valuation)[1:, 0].tolist()


def test_a_split_leaves_no_trace_where_units_switch_on_the_record_day() -> None:
    market = panel([1000.0, 1010.0, 2040.0, 2050.0, 2050.0, 2040.0])
    # 18 July: 2040 - 2 * 1010 = 20 new units of 1.191 / 2; 21 July: 10 of 0.594.
    assert flow(market, "vwap") == pytest.approx(
        [NAN, 10 * 1.19, 20 * 1.191 / 2, 10 * 0.594, 0.0], nan_ok=True
    )
    assert market.known.units_adjusted[1:, 0].tolist() == [1000.0, 1010.0, 1020.0, 1025.0, 1025.0]


def test_a_split_leaves_no_trace_where_the_vendor_switches_a_session_later() -> None:
    market = panel([1000.0, 1010.0, 1020.0, 2060.0, 2060.0, 2060.0])
    assert flow(market, "vwap") == pytest.approx([NAN, 11.9, 11.91, 20 * 0.594, 0.0], nan_ok=True)


def test_counts_that_switch_days_before_the_ex_day_need_not_wait_for_it() -> None:
    """Record day 17 July, ex-day 21 July, and data that end on the 18th: as in 2021, with a halt between."""
    split = Action(SYMBOL, "split", date(2025, 7, 21), date(2025, 7, 17), 2.0)
    whole = panel([1000.0, 2020.0, 2040.0, 2050.0, 2050.0, 2040.0], actions=(split,))
    assert flow(whole, "close")[1:3] == pytest.approx([20 * 1.19 / 2, 20 * 1.191 / 2])
    cut = Panel.from_events(
        DAYS[:3],
        [SYMBOL],
        bars={name: column([1.18, 1.19, 1.191]) for name in ("open", "high", "low", "close")}
        | {"volume": column([1e6] * 3), "amount": column([1.18e6, 1.19e6, 1.191e6])},
        units=column([1000.0, 2020.0, 2040.0]),
        actions=(split,),
    )
    assert np.array_equal(cut.known.flow("close"), whole.known.flow("close")[:3], equal_nan=True)
    assert np.array_equal(cut.known.adjusted_close, whole.known.adjusted_close[:3], equal_nan=True)


def test_a_merge_and_a_ratio_that_is_no_whole_number() -> None:
    merge = Action(SYMBOL, "split", date(2025, 7, 21), date(2025, 7, 18), 0.4)
    market = panel(
        [1000.0, 1000.0, 410.0, 420.0, 420.0, 420.0],
        close=[1.0, 1.0, 1.0, 2.5, 2.5, 2.5],
        actions=(merge,),
    )
    assert flow(market, "close") == pytest.approx([NAN, 0.0, 10 * 2.5, 10 * 2.5, 0.0], nan_ok=True)


def test_a_count_as_near_to_its_split_multiple_as_to_the_count_before_has_not_switched() -> None:
    # Doubled where a split of four is pending: either is a factor of two away
    split = Action(SYMBOL, "split", date(2025, 7, 21), date(2025, 7, 18), 4.0)
    market = panel([1000.0, 1000.0, 2000.0, 8000.0, 8000.0, 8000.0], actions=(split,))
    assert flow(market, "close")[1:4] == pytest.approx([0.0, 1000 * 1.191, 0.0])


def test_a_split_that_units_have_not_shown_when_the_data_end_changes_nothing_yet() -> None:
    bars = {name: column([1.18, 1.19, 1.191]) for name in ("open", "high", "low", "close")}
    volume = {"volume": column([1e6] * 3), "amount": column([1e6] * 3)}
    market = Panel.from_events(
        DAYS[:3], [SYMBOL], bars=bars | volume, units=column([1000.0, 1010.0, 1020.0]), actions=(SPLIT,)
    )
    assert flow(market, "close") == pytest.approx([NAN, 10 * 1.19], nan_ok=True)
    assert market.known.units_adjusted[:, 0].tolist()[1:] == [1000.0, 1010.0]


def test_actions_of_a_day_are_taken_together() -> None:
    # A dividend is none of the units' business; splits of 2 and 1.5 are one of 3
    days = {"ex_day": date(2025, 7, 21), "record_day": date(2025, 7, 18)}
    dividend = Action(SYMBOL, "dividend", cash=0.01, **days)
    splits = [Action(SYMBOL, "split", ratio=ratio, **days) for ratio in (2.0, 1.5)]
    events = place((dividend, *splits), DAYS, (SYMBOL,), (None,))
    assert pending_splits(events, (6, 1))[:, 0].tolist() == [1.0, 1.0, 3.0, 1.0, 1.0, 1.0]
    found = unit_changes(column([1000.0, 1010.0, 3060.0, 3060.0, 3060.0, 3060.0]), events)
    assert found.change[1:, 0].tolist() == [10.0, 30.0, 0.0, 0.0, 0.0]
    assert found.growth[1:, 0].tolist() == [1.0, 3.0, 1.0, 1.0, 1.0]
    assert found.price_divisor[:, 0].tolist() == [1.0, 1.0, 3.0, 1.0, 1.0, 1.0]


def test_units_that_double_without_an_announced_split_are_a_flow() -> None:
    market = panel([1000.0, 1010.0, 2040.0, 2050.0, 2050.0, 2050.0], actions=())
    assert flow(market, "close")[2] == pytest.approx(1030 * 1.191)


def test_an_announced_split_that_units_never_show_is_taken_at_the_ex_day() -> None:
    """Its effect is then a visible outflow: the data check `split-ratio` reports it."""
    market = panel([1000.0] * 6)
    assert flow(market, "close")[3] == pytest.approx(-1000 * 0.594)


@pytest.mark.parametrize("valuation", ["vwap", "close"])
def test_units_created_while_the_fund_is_halted_are_worth_its_last_close(valuation: str) -> None:
    market = panel(
        [1000.0, 1010.0, 1030.0, 1060.0, 1060.0, 1060.0],
        close=[1.0, 1.1, NAN, NAN, 1.3, 1.3],
        actions=(Action(SYMBOL, "dividend", date(2025, 7, 21), cash=0.1),),
    )
    # On 21 July the last close is without the dividend
    assert flow(market, valuation) == pytest.approx([NAN, 10 * 1.1, 20 * 1.1, 30 * 1.0, 0.0], nan_ok=True)


def test_three_conventions_of_value() -> None:
    market = panel(
        [1000.0, 1010.0, 1030.0, 1030.0, 1030.0, 1030.0],
        close=[1.0, 1.1, 1.2, 1.2, 1.2, 1.2],
        vwap=[1.0, 1.05, 1.15, 1.2, 1.2, 1.2],
        nav=[1.01, 1.11, 1.21, 1.21, 1.21, 1.21],
        actions=(),
    )
    assert flow(market, "nav")[1:3] == pytest.approx([10 * 1.11, 20 * 1.21])
    assert flow(market, "vwap")[1:3] == pytest.approx([10 * 1.05, 20 * 1.15])
    assert flow(market, "prev_nav")[1:3] == pytest.approx([10 * 1.01, 20 * 1.11])
    assert flow(market, "close")[1:3] == pytest.approx([10 * 1.1, 20 * 1.2])


@pytest.mark.parametrize("published", [1.190, 0.595])
def test_nav_of_the_record_day_may_be_published_before_or_after_the_split(published: float) -> None:
    market = panel(
        [1000.0, 1010.0, 2040.0, 2050.0, 2050.0, 2050.0],
        nav=[1.18, 1.19, published, 0.594, 0.60, 0.61],
    )
    assert flow(market, "nav")[2] == pytest.approx(20 * 0.595)
    assert flow(market, "prev_nav")[2:4] == pytest.approx([20 * 1.19 / 2, 10 * 0.595])
    assert market.known.aum[3, 0] == pytest.approx(2040 * 0.595)


def test_a_fund_that_trades_is_valued_at_its_own_price_not_at_the_mark() -> None:
    one, two = np.array([[1.0], [1.0]]), np.array([[2.0], [2.0]])
    halted = np.array([[3.0], [NAN]])
    flows = unit_changes(one, ())
    for valuation in ("vwap", "close"):
        prices = {"vwap": two, "close": two, valuation: halted}
        found = unit_prices(valuation, flows, **prices, mark=one, nav=two)
        assert found[:, 0].tolist() == [3.0, 1.0]


def test_of_a_single_session_nothing_has_changed_yet() -> None:
    one = np.array([[5.0]])
    flows = unit_changes(one, ())
    assert (flows.before.tolist(), flows.merged.tolist(), flows.adjusted.tolist()) == (
        [[NONE]],
        [[0]],
        [[5.0]],
    )
    assert np.isnan(flows.change).all()
    assert np.isnan(unit_prices("prev_nav", flows, vwap=one, close=one, mark=one, nav=one)).all()
    assert unit_prices("nav", flows, vwap=one, close=one, mark=one, nav=one).tolist() == [[5.0]]
    change, before = net_financing(one, recorded_from=0)
    assert (np.isnan(change).tolist(), before.tolist()) == ([[True]], [[NONE]])


def test_unknown_valuation_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"^unknown valuation `wvap`. Did you mean `vwap`"):
        panel([1.0] * 6).known.flow("wvap")


def test_missing_counts_merge_into_one_flow_and_are_counted_once() -> None:
    market = panel([1000.0, NAN, NAN, 2080.0, 2080.0, 2080.0])
    # Known on the 22nd: 2080 - 2 * 1000 units over three sessions, at the price of the 21st.
    known = market.known.flow("close")[:, 0]
    assert np.nansum(known) == pytest.approx(80 * 0.594)
    assert np.flatnonzero(np.isfinite(known)).tolist() == [4, 5]
    assert market.known._counts.changes.merged[:, 0].tolist() == [0, 1, 2, 3, 1, 1]
    sessions = market.known.flow_sessions("close")[:, 0]
    assert sessions.tolist() == pytest.approx([NAN, NAN, NAN, NAN, 3.0, 1.0], nan_ok=True)


def test_aum_is_units_times_price_on_the_same_basis() -> None:
    market = panel([1000.0, 1010.0, 2040.0, 2050.0, 2050.0, 2050.0])
    assert market.known.aum[1:, 0].tolist() == pytest.approx(
        [1180.0, 1010 * 1.19, 2040 * 1.191 / 2, 2050 * 0.594, 2050 * 0.60]
    )


def test_net_financing_is_the_change_of_the_balance() -> None:
    balance = column([100.0, 130.0, 120.0, NAN, 150.0, 150.0])
    market = panel([1000.0] * 6, actions=(), margin_balance=balance)
    assert market.known.net_financing[:, 0].tolist() == pytest.approx(
        [NAN, NAN, 30.0, -10.0, NAN, 30.0], nan_ok=True
    )


def test_values_follow_each_other_as_they_were_published() -> None:
    values = np.array(
        [[1.0, 1.0, 1.0, NAN], [2.0, 2.0, 2.0, 1.0], [3.0, 3.0, 3.0, NAN], [4.0, 4.0, 4.0, 2.0]]
    )
    usable_from = np.array([[1, 1, 5, 9], [2, 5, 3, 2], [3, 3, 3, 9], [4, 6, 6, 4]])
    # In order; the second after the third; the first after the two of one day; with gaps
    expected = [
        [NONE, NONE, OVERTAKEN, NONE],
        [0, OVERTAKEN, NONE, NONE],
        [1, 0, 1, 1],
        [2, 2, 2, 1],
    ]
    assert row_before(values, usable_from).tolist() == expected
    in_order = [[NONE] * 4, [0, 0, 0, NONE], [1, 1, 1, 1], [2, 2, 2, 1]]
    assert row_before(values).tolist() == in_order
    changes = unit_changes(values[:, 1:2], (), usable_from[:, 1:2]).change
    np.testing.assert_array_equal(changes[:, 0], [NAN, NAN, 2.0, 1.0])


def test_a_balance_that_is_published_late_is_overtaken() -> None:
    # That of the second session comes out last of all: the third is held against the first
    balance, usable_from = column([100.0, 130.0, 120.0, 150.0]), np.array([[1], [5], [3], [4]])
    change, before = net_financing(balance, recorded_from=np.array([0]), usable_from=usable_from)
    assert before[:, 0].tolist() == [NONE, OVERTAKEN, 0, 2]
    np.testing.assert_array_equal(change[:, 0], [NAN, NAN, 20.0, 30.0])


def test_a_fund_that_becomes_eligible_starts_from_zero() -> None:
    balance = column([NAN, NAN, 50.0, 60.0, 60.0, 60.0])
    market = panel([1000.0] * 6, actions=(), margin_balance=balance)
    assert market.known.net_financing[3:5, 0].tolist() == [50.0, 10.0]
    assert np.isnan(market.known.margin_balance[:3, 0]).all()


def test_nav_on_the_basis_of_prices_is_the_nearer_one_as_a_ratio() -> None:
    # Prices 1.6 and 1.2 against 1.0: half of either is 20 % below it, and 40 %; 1.2 is nearer to 1.
    price, pending = np.array([1.6, 1.2, 1.6, 0.5, NAN]), np.array([2.0, 2.0, 1.0, 0.25, 2.0])
    found = nav_as_prices(np.array([1.0, 1.0, 1.0, 2.0, 1.0]), price, pending)
    np.testing.assert_array_equal(found, [2.0, 1.0, 1.0, 0.5, 1.0])
    # 1.35 is 35 % above 1 and 32.5 % below 2, but less than the root of 2: as ratios 1 is nearer.
    assert nav_as_prices(np.array([1.0]), np.array([1.35]), np.array([2.0])).tolist() == [1.0]
    # As near to one as to the other: not split. What is no price is left for the checks of data to say.
    assert nav_as_prices(np.array([1.0]), np.array([2.0]), np.array([4.0])).tolist() == [1.0]
    nothing = nav_as_prices(np.array([0.0, -1.0]), np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    assert nothing.tolist() == [0.0, -1.0]


def test_a_first_count_on_the_record_day_is_taken_as_switched() -> None:
    market = panel([NAN, NAN, 2000.0, 2000.0, 2010.0, 2010.0])
    assert flow(market, "close")[3:] == pytest.approx([0.0, 10 * 0.60])
    assert market.known.aum[3:5, 0].tolist() == pytest.approx([2000 * 1.191 / 2, 2000 * 0.594])


def test_a_nav_that_is_split_before_the_count_is_brought_to_its_basis() -> None:
    market = panel(
        [1000.0, 1000.0, 1050.0, 2100.0, 2100.0, 2100.0], nav=[1.19, 1.19, 0.595, 0.595, 0.60, 0.61]
    )
    # On the record day 50 old units at a NAV of 0.595 new, 1.19 old; assets 1050 * 1.19.
    assert flow(market, "nav")[2] == pytest.approx(50 * 1.19)
    assert market.known.assets("nav")[3, 0] == pytest.approx(1050 * 1.19)
    missing = panel([1000.0, 1000.0, NAN, 2100.0, 2100.0, 2100.0], nav=[1.19, 1.19, 0.595, 0.595, 0.60, 0.61])
    assert flow(missing, "prev_nav")[3] == pytest.approx(100 * 0.595)
