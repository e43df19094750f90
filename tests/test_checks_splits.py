"""Splits and dividends that are not recorded, or recorded wrongly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.helpers.small_market import (
    DAYS,
    DIVIDEND,
    EX,
    PAYER,
    PRICES,
    RECORD,
    SPLITTER,
    bars_of,
    check,
    day,
    errors,
    planted,
    row,
    scaled,
)


def test_a_split_that_is_not_recorded_is_found_in_prices():
    tables = planted("actions", lambda actions: actions[actions["kind"] == "dividend"])
    (found,) = [each for each in check(tables) if each.severity == "error"]
    assert (found.check, found.table, found.symbol) == ("unrecorded-split", "bars", SPLITTER)
    assert found.first == found.last == day(EX)
    # Close 1.04 before the ex-day, 0.5 on it; units 68 m, then 2 x 69 m.
    assert "close 1.04" in found.message
    assert "split 1:2" in found.message
    assert "units x2.03" in found.message


def test_a_split_without_prices_is_found_in_nav():
    tables = planted("actions", lambda actions: actions[actions["kind"] == "dividend"])
    tables["bars"] = tables["bars"][tables["bars"]["symbol"] == PAYER]
    (found,) = check(tables, "unrecorded-split")
    assert (found.table, found.symbol, found.first) == ("nav", SPLITTER, day(RECORD))


def test_a_split_behind_a_gap_is_found_by_units_and_prices_together():
    # A ratio of 1.6 behind ten sessions without a bar is within what prices might have done by themselves.
    tables = planted("actions", lambda actions: actions[actions["kind"] == "dividend"])
    tables["nav"] = tables["nav"][tables["nav"]["symbol"] == PAYER]
    bars, units = tables["bars"], tables["units"]
    bars.loc[row(SPLITTER, EX) :, [*PRICES, "amount"]] *= 2 / 1.6
    units.loc[row(SPLITTER, RECORD) :, "units"] /= 2 / 1.6
    # In the clean market units are there on each session, prices only from session EX on.
    tables["bars"] = bars.drop(index=range(row(SPLITTER, EX - 5), row(SPLITTER, EX + 1)))
    (found,) = check(tables, "unrecorded-split")
    assert (found.table, found.symbol, found.last) == ("units", SPLITTER, day(EX + 1))


def test_units_that_double_without_prices_are_no_split():
    tables = planted(
        "units", lambda units: units.assign(units=units["units"] * np.where(units.index < 10, 1, 2))
    )
    tables["units"].loc[tables["units"]["symbol"] == SPLITTER, "units"] /= 2
    (found,) = check(tables)
    assert (found.check, found.severity, found.symbol) == ("unit-jump", "warning", PAYER)
    assert found.first == day(10)
    assert "prices moved x" in found.message
    assert "no split" in found.message


def test_units_that_double_without_prices_on_file_are_reported_as_such():
    tables = planted(
        "units", lambda units: units.assign(units=units["units"] * np.where(units.index < 10, 1, 2))
    )
    tables["units"].loc[tables["units"]["symbol"] == SPLITTER, "units"] /= 2
    tables["bars"] = tables["bars"][tables["bars"]["symbol"] == SPLITTER]
    (found,) = check(tables, "unit-jump")
    assert "no prices on file" in found.message


def test_a_reference_price_far_below_the_close_is_an_unrecorded_action():
    # 0.85 of the close: inside a limit of 20 %, yet no trade explains it.
    def edit(bars):
        bars.loc[row(SPLITTER, 30), "pre_close"] = round(bars.loc[row(SPLITTER, 29), "close"] * 0.85, 3)

    (found,) = check(planted("bars", edit), "unrecorded-split")
    assert (found.symbol, found.first) == (SPLITTER, day(30))
    assert "or there was a large dividend" in found.message


@pytest.mark.parametrize(("symbol", "expected"), [(PAYER, ["unrecorded-split"]), (SPLITTER, [])])
def test_the_price_limit_of_the_fund_decides_what_is_a_jump(symbol, expected):
    # 15 % down at the open and for good: possible with a limit of 20 %, impossible with 10 %.
    tables = planted("bars", scaled(symbol, [*PRICES, "pre_close", "amount"], 0.85, slice(30, None)))
    tables["bars"].loc[row(symbol, 30), "pre_close"] = np.nan
    assert [each.check for each in check(tables, "unrecorded-split")] == expected


def test_one_limit_day_after_another_is_no_jump():
    # 1.001 x 1.2 = 1.2012 is rounded to 1.201, 1.201 x 1.2 = 1.4412 to 1.441; both sessions never left it.
    bars = bars_of("588000.SH", [1.001, 1.001, 1.201, 1.441, 1.441], DAYS[:5])
    bars.loc[2:3, "open"] = bars.loc[2:3, "close"]
    bars.loc[2:3, ["high", "low"]] = bars.loc[2:3, ["close", "close"]].to_numpy()
    bars.loc[2:3, "amount"] = bars.loc[2:3, "volume"] * bars.loc[2:3, "close"]
    assert check({"bars": bars}) == []


@pytest.mark.parametrize("move", [0.82, 1.20])
def test_each_session_without_a_bar_allows_for_one_more_limit(move):
    # Limit 10 %: 18 % down or 20 % up is too much for a session, not for two, the first of them halted.
    closes = np.array([1.0, 1.002, 1.001, move, move + 0.001])
    bars = bars_of(PAYER, closes, DAYS[:5])
    bars.loc[3, ["open", "high", "low"]] = [move, move + 0.002, move - 0.002]
    bars.loc[3, "amount"] = bars.loc[3, "volume"] * move
    assert [each.first for each in check({"bars": bars}, "unrecorded-split")] == [day(3)]
    assert check({"bars": bars.drop(index=2)}, "unrecorded-split") == []


@pytest.mark.parametrize(
    ("opening", "close", "expected"),
    [
        (45.98, 45.98, ["unrecorded-split"]),  # a reverse split of a leveraged fund
        (2.14, 2.10, ["unrecorded-split"]),
        (6.6, 6.7, []),  # up 57 % for a fund of three times its index
        (4.0, 1.9, []),  # down 56 % within the day: no split happens while a fund trades
    ],
)
def test_without_a_price_limit_only_a_jump_that_no_fund_makes_is_a_split(opening, close, expected):
    days = pd.bdate_range("2025-04-07", periods=4)
    bars = bars_of("SOXS.US", [4.2, 4.28, close, close + 0.01], days)
    bars.loc[2, "open"] = opening
    bars.loc[2, ["high", "low"]] = [max(opening, close), min(opening, close)]
    assert errors({"bars": bars.drop(columns="amount")}) == expected


def split_as(**values):
    return planted(
        "actions", lambda actions: actions.assign(**{k: [actions[k][0], v] for k, v in values.items()})
    )


def test_a_recorded_split_with_a_wrong_ratio():
    found = check(split_as(ratio=4.0), "split-ratio")
    assert [(each.table, each.severity, each.first) for each in found] == [("bars", "error", day(EX))]
    assert "split 1:2" in found[0].message
    assert errors(split_as(ratio=4.0)) == ["split-ratio"]


@pytest.mark.parametrize("shift", [-2, 2])
def test_a_recorded_split_on_a_wrong_day(shift):
    tables = split_as(ex_day=DAYS[EX + shift], record_day=DAYS[RECORD + shift])
    found = check(tables, "split-ratio")
    assert {each.table for each in found} == {"bars", "units"}
    assert f"prices switched on {day(EX)}" in found[0].message
    assert f"units switched on {day(RECORD)}" in found[1].message
    assert set(errors(tables)) == {"split-ratio"}


def test_a_recorded_split_without_a_trace_in_prices():
    tables = planted("bars", scaled(SPLITTER, PRICES, 0.5, slice(0, EX)))
    found = check(tables, "split-ratio")
    assert len(found) == 1
    assert "no trace" in found[0].message
    assert set(errors(tables)) == {"split-ratio", "adjusted-prices"}


def test_a_recorded_split_without_a_trace_in_units():
    def edit(units):
        units.loc[row(SPLITTER, 0) : row(SPLITTER, RECORD - 1), "units"] *= 2

    (found,) = check(planted("units", edit))
    assert (found.check, found.severity, found.table) == ("split-ratio", "error", "units")
    assert "no trace" in found.message


def test_units_that_switch_on_the_ex_day_agree_with_the_split_and_may_be_late():
    def edit(units):
        units.loc[row(SPLITTER, RECORD), "units"] /= 2

    (found,) = check(planted("units", edit))
    assert (found.check, found.table, found.severity, found.first) == (
        "split-ratio",
        "units",
        "note",
        day(EX),
    )
    assert "may be dated a session late" in found.message


def test_a_split_without_a_record_day_has_its_units_switch_on_the_session_before():
    assert check(split_as(record_day=pd.NaT)) == []


def test_a_reference_price_that_disagrees_with_the_recorded_ratio():
    def edit(bars):
        bars.loc[row(SPLITTER, EX), "pre_close"] = 0.495

    (found,) = check(planted("bars", edit), "split-ratio")
    # Close 1.04 over a reference of 0.495.
    assert (found.severity, "says 2.101" in found.message) == ("error", True)


def referenced(bars):
    """Give every bar of the fund that splits the exchange's reference price."""
    mine = bars["symbol"] == SPLITTER
    bars.loc[mine, "pre_close"] = bars.loc[mine, "close"].shift()
    bars.loc[row(SPLITTER, EX), "pre_close"] = 0.52  # 1.04 / 2


@pytest.mark.parametrize(("ratio", "severity"), [(2.03, "warning"), (2.05, "error"), (1.94, "error")])
def test_a_ratio_that_the_exchange_contradicts(ratio, severity):
    tables = planted("bars", referenced)
    assert check(tables) == []
    tables["actions"] = tables["actions"].assign(ratio=[np.nan, ratio])
    (found,) = check(tables, "split-ratio")
    assert (found.severity, found.first) == (severity, day(EX))
    assert "0.52 says 2" in found.message


def test_a_reference_price_after_a_halt_may_have_moved_with_nav():
    def edit(reference):
        def both(bars):
            referenced(bars)
            bars.loc[row(SPLITTER, EX), "pre_close"] = reference
            return bars.drop(index=row(SPLITTER, EX - 1))

        return both

    # The bar before has a close of 1.03: 0.515 on the new basis, from which 3 % are allowed.
    assert check(planted("bars", edit(0.53)), "split-ratio") == []
    (found,) = check(planted("bars", edit(0.54)), "split-ratio")
    assert found.severity == "warning"
    (found,) = check(planted("bars", edit(0.26)), "split-ratio")
    assert found.severity == "error"


@pytest.mark.parametrize("session", [EX - 5, EX - 1, EX, EX + 1, EX + 5])
@pytest.mark.parametrize(
    ("column", "factor", "named"),
    [("high", 10, {"beyond-limit", "wild-range"}), ("low", 0.3, {"beyond-limit", "wild-range"}),
     ("pre_close", 0.5, {"unrecorded-split", "beyond-limit", "split-ratio"})],
)  # fmt: skip
def test_wrong_prices_are_found_beside_a_recorded_split_too(session, column, factor, named):
    def edit(bars):
        referenced(bars)
        bars.loc[row(SPLITTER, session), column] *= factor

    found = check(planted("bars", edit))
    assert found
    assert {each.check for each in found} <= named
    assert {each.first for each in found} == {day(session)}
    if column == "pre_close":
        assert found[0].severity == "error"


def test_a_reference_price_that_is_wrong_on_the_day_of_a_dividend():
    def edit(bars):
        bars.loc[row(PAYER, DIVIDEND), "pre_close"] /= 2

    found = check(planted("bars", edit))
    assert found[0].check == "unrecorded-split"
    assert found[0].first == day(DIVIDEND)


@pytest.mark.parametrize("late", [-3, 3])
def test_a_split_recorded_on_another_day_is_one_finding(late):
    tables = planted(
        "actions",
        lambda actions: actions.assign(
            ex_day=[actions["ex_day"][0], DAYS[EX + late]], record_day=[pd.NaT, DAYS[RECORD + late]]
        ),
    )
    tables["bars"] = tables["bars"].assign(pre_close=np.nan)
    assert {each.check for each in check(tables) if each.table == "bars"} == {"split-ratio"}


@pytest.mark.parametrize("cash", [0.2, 3.0])
def test_a_dividend_that_prices_contradict(cash):
    tables = planted("actions", lambda actions: actions.assign(cash=[cash, np.nan]))
    (found,) = check(tables, "dividend-cash")
    assert (found.symbol, found.first, found.severity) == (PAYER, day(DIVIDEND), "error")
    assert errors(tables)[:1] == ["dividend-cash"]


@pytest.mark.parametrize(("opens", "warned"), [(1.0, True), (1.0 - 0.05, False), (1.0 - 0.03, False)])
def test_dividends_that_prices_show_no_trace_of(opens, warned):
    # Two of 5 %, on opens that are otherwise the close before, give or take 0.1 %.
    prices = np.where(np.arange(41) % 2, 1.001, 0.999)
    bars = bars_of(PAYER, np.ones(41)).assign(open=prices)
    bars.loc[[8, 30], "open"] = opens
    bars = bars.assign(high=1.01, low=0.94, amount=np.nan, pre_close=np.nan)
    paid = pd.DataFrame(
        {"symbol": PAYER, "kind": "dividend", "ex_day": DAYS[[8, 30]], "record_day": pd.NaT}
    ).assign(ratio=np.nan, cash=0.05)
    found = check({"bars": bars, "actions": paid}, "dividend-cash")
    assert [each.severity for each in found] == ["warning"] * warned
