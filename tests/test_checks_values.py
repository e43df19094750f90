"""Numbers that cannot be right: units of measure, prices, counts of units."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.facts.calendars import calendar_for
from data.facts.symbols import market_of
from tests.helpers.small_market import (
    DAYS,
    DIVIDEND,
    PAYER,
    PRICES,
    RECORD,
    SPLITTER,
    bars_of,
    check,
    clean_market,
    day,
    errors,
    planted,
    row,
    scaled,
)

# Units of measure


@pytest.mark.parametrize(
    ("factor", "said"),
    [(-1, "it is a discount, above"), (100, "it is in percent"), (-100, "discount in percent")],
)
def test_a_premium_with_another_sign_or_in_percent(factor, said):
    (found,) = check(planted("premium", scaled(PAYER, "premium", factor)), "premium-sign")
    assert (found.severity, found.symbol, found.count) == ("error", PAYER, len(DAYS))
    assert f"the premium is {factor} times close / NAV - 1" in found.message
    assert said in found.message


def test_a_premium_that_has_nothing_to_do_with_closes_is_not_judged_by_them():
    def edit(rows):
        rows["premium"] = np.where(np.arange(len(rows)) % 2, -0.001, 0.001)

    assert check(planted("premium", edit), "premium-sign") == []
    assert check(planted("premium", scaled(PAYER, "premium", 5)), "premium-sign") == []


def test_a_premium_beyond_what_is_usual():
    def edit(rows):
        rows.loc[row(SPLITTER, 7), "premium"] = -0.3
        rows.loc[row(SPLITTER, 9), "premium"] = 0.25

    (found,) = check(planted("premium", edit))
    assert (found.check, found.severity, found.count) == ("implausible-value", "warning", 2)
    assert "not within -0.2 to 0.2" in found.message
    assert f"at worst -0.3 on {day(7)}" in found.message


# --- Units against volume and amount ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("factor", "severity", "said"),
    [
        (1e4, "error", "is 1.5e-06 of the units"),  # 1.02 m of 70 m units are traded a day, 1.5 %
        (1e8, "error", "units times close is 7.03e+15"),
        (100, "warning", "too many"),
        (0.01, "warning", "too few"),
    ],
)
def test_units_in_another_unit_of_measure_throughout(factor, severity, said):
    found = check(planted("units", scaled(PAYER, "units", factor)), "implausible-units")
    assert [each.severity for each in found] == [severity]
    assert said in found[0].message


def test_units_are_not_held_against_volume_in_lots():
    tables = planted("bars", scaled(PAYER, "volume", 0.01))
    assert check(tables, "implausible-units") == []
    # Without an amount nobody knows which of the two it is.
    tables["bars"]["amount"] = np.nan
    assert [each.symbol for each in check(tables, "implausible-units")] == [PAYER]


@pytest.mark.parametrize(
    ("factor", "said"), [(0.1, "steps of 100,000 in the middle"), (10, "steps of 10,000,000 in the middle")]
)
def test_counts_of_a_market_that_change_in_steps_of_no_creation_unit(factor, said):
    # Five funds that are created and redeemed a million units at a time, and as often not at all.
    changes = np.array([0, 1, 0, 2, -1, 3, 0, -2, 1, 1, -1, 4, 0, 2]) * 1e6
    funds = [f"15980{number}.SZ" for number in range(5)]
    days = DAYS[: len(changes)]
    frames = [
        pd.DataFrame({"symbol": fund, "day": days, "units": (9e8 + changes.cumsum()) * factor})
        for fund in funds
    ]
    found = check({"units": pd.concat(frames, ignore_index=True)}, "implausible-units")
    assert [(each.severity, each.symbol) for each in found] == [("warning", "CN")]
    assert said in found[0].message
    right = pd.concat([frame.assign(units=frame["units"] / factor) for frame in frames], ignore_index=True)
    assert check({"units": right}, "implausible-units") == []
    # The same change every day tells no step.
    alike = frames[0].assign(units=1e9 + 1e8 * np.arange(len(days)))
    assert check({"units": alike}, "implausible-units") == []
    # One fund alone may have a creation unit of 100,000, and none has one of ten million.
    alone = check({"units": frames[0]}, "implausible-units")
    assert len(alone) == (factor == 10)


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (
            0.01,
            "steps of 100, and creation units have tens of thousands of shares: the counts are",
        ),
        (0.1, None),
        (1, None),
        (100, None),
        (10_000, "steps of 100,000,000, and"),
    ],
)
def test_counts_of_an_american_fund_that_change_in_steps_of_no_creation_unit(factor, said):
    # ProShares' USD in March and April 2026: 31.66 million shares, created ten thousand at a time.
    counts = np.array([3166, 3154, 3148, 3148, 3139, 3133, 3150, 3151, 3143, 3160, 3171, 3169, 3180]) * 1e4
    bars = clean_market()["bars"]
    bars = bars[bars["symbol"] == PAYER].head(len(counts)).assign(symbol="USD.US")
    bars = bars.assign(volume=5e6 * factor, amount=5e6 * factor * bars["close"])
    units = bars[["symbol", "day"]].assign(units=counts * factor)
    found = check({"bars": bars, "units": units}, "implausible-units")
    assert [(each.severity, each.symbol) for each in found] == [("warning", "USD.US")] * (said is not None)
    assert all(said in each.message for each in found)


@pytest.mark.parametrize(
    ("first", "odd", "expected"), [(12_345_600, 0, 0), (12_345_610, 30, 0), (12_345_601, 0, 1)]
)
def test_counts_of_an_american_fund_that_are_rounded(first, odd, expected):
    # Some ten thousand shares come and go a day. Counts are written as 12.3456M is, or to the ten; or all of
    # them end in 01, so that only their changes are hundreds.
    changes = np.array([74, -121, 98, 233, -187, 69, -52, 141, 88, -276, 119, 93]) * 100.0 + odd
    counts = first + np.append(0.0, np.cumsum(changes))
    bars = clean_market()["bars"]
    bars = bars[bars["symbol"] == PAYER].head(len(counts)).assign(symbol="USD.US", volume=3e5)
    bars["amount"] = bars["volume"] * bars["close"]
    units = bars[["symbol", "day"]].assign(units=counts)
    assert len(check({"bars": bars, "units": units}, "implausible-units")) == expected


def test_an_american_count_with_two_digits_changes_in_large_steps_and_is_none_too_many():
    counts = np.array([1.4, 1.5, 1.3, 1.6, 1.4, 1.2, 1.6, 1.9, 1.5, 1.4, 1.8, 1.7, 1.5]) * 1e9
    bars = clean_market()["bars"]
    bars = bars[bars["symbol"] == PAYER].head(len(counts)).assign(symbol="AGG.US", volume=1e7)
    units = bars[["symbol", "day"]].assign(units=counts)
    bars["amount"] = bars["volume"] * bars["close"]
    assert check({"bars": bars, "units": units}, "implausible-units") == []


@pytest.mark.parametrize(
    ("units", "warnings"), [(3.97e9, 0), (3.97e8, 1), (3.97e10, 1), (4.1e7, 1), (1.985e9, 0), (1e8, 0)]
)
def test_a_count_that_a_report_contradicts(units, warnings):
    # The note on 159363 says 3.97 billion on 2025-08-20; half of it is another basis, not another measure.
    rows = pd.DataFrame({"symbol": "159363.SZ", "day": pd.to_datetime(["2025-08-20"]), "units": [units]})
    found = check({"units": rows}, "implausible-units")
    assert [each.severity for each in found] == ["warning"] * warnings
    assert all("a report says 3.97e+09 (NOTE-250820)" in each.message for each in found)


# --- Units times NAV against net assets ------------------------------------------------------------------
def of_one_american_fund(*, units, nav=30.0, published=2.58e9):
    """Return tables of a fund of 86 million units at 30 dollars: 2.58 billion, on five days."""
    rows = pd.DataFrame({"symbol": "BOTZ.US", "day": DAYS[:5]})
    return {
        "units": rows.assign(units=units),
        "nav": rows.assign(nav=nav, net_assets=published),
    }


@pytest.mark.parametrize(("times", "wrong"), [(0.1, True), (10, True), (100, True), (1, False), (1.4, False)])
def test_one_american_fund_is_told_by_its_net_assets_from_one_that_counts_otherwise(times, wrong):
    found = check(of_one_american_fund(units=86e6 * times), "net-assets")
    assert [(each.severity, each.symbol, each.count) for each in found] == [("error", "BOTZ.US", 5)] * wrong
    assert all(f"are {times:g} times the published net assets on {day(0)}" in each.message for each in found)
    assert all(f"({86e6 * times:,.0f} x 30 against 2,580,000,000)" in each.message for each in found)
    # Of what is written in millions, the published amount is what is off.
    (found,) = check(of_one_american_fund(units=86e6, published=2580.0), "net-assets")
    assert (found.severity, "are 1e+06 times" in found.message) == ("error", True)


def test_single_days_and_classes_that_are_not_traded_are_a_warning_and_no_net_assets_are_nothing():
    counts = [86e6, 86e6, 860e6, 86e6, 172e6]
    (found,) = check(of_one_american_fund(units=counts), "net-assets")
    assert (found.severity, found.count, found.first) == ("warning", 2, day(2))
    assert f"are 10 times the published net assets on {day(2)}" in found.message
    assert "the worst of 2 days of 5" in found.message
    # Four times as much in all classes as in the one that is traded.
    (found,) = check(of_one_american_fund(units=86e6, published=4 * 2.58e9), "net-assets")
    assert (found.severity, found.count) == ("warning", 5)
    unpublished = of_one_american_fund(units=860e6, published=[np.nan, 0, np.nan, 0, np.nan])
    assert check(unpublished, "net-assets") == []


def test_net_assets_of_a_split_are_judged_on_the_nearest_basis():
    # The count is on the new basis on the record day, NAV and money a session later: 172 x 30, then 172 x 15.
    tables = of_one_american_fund(units=[86e6, 86e6, 172e6, 172e6, 172e6], nav=[30.0, 30.0, 30.0, 15.0, 15.0])
    assert [each.count for each in check(tables, "net-assets")] == [1]
    split = {"symbol": "BOTZ.US", "kind": "split", "ex_day": DAYS[3], "record_day": DAYS[2], "ratio": 2.0}
    tables["actions"] = pd.DataFrame([split])
    assert check(tables, "net-assets") == []


@pytest.mark.parametrize(
    ("columns", "factor", "severity", "said"),
    [
        (["high"], 10, "error", "high 10.12 is x10"),
        (["low"], 0.1, "error", "low 0.0998 is x0.0998"),
        (["high"], 1.4, "warning", "high 1.4168 is x1.4"),
        (["open", "high"], 10, "error", "open 10 are x10"),
        (["high"], 1.2, None, ""),
    ],
)
def test_a_price_far_from_the_closes_around_it(columns, factor, severity, said):
    def edit(bars):
        bars["symbol"] = bars["symbol"].replace(PAYER, "BOTZ.US")
        rows = (bars["symbol"] == "BOTZ.US") & (bars["day"] == DAYS[6])
        bars.loc[rows, columns] *= factor

    found = check(planted("bars", edit), "wild-range")
    assert [each.severity for each in found] == ([severity] if severity else [])
    assert all(said in each.message and each.first == day(6) for each in found)


@pytest.mark.parametrize(
    ("pair", "rates", "severity"),
    [
        ("USDCNY", [7.13, 7.14], None),
        ("CNYUSD", [0.1403, 0.1401], None),
        ("USDCNY", [0.1403, 0.1401], "error"),
        ("CNYUSD", [7.13, 7.14], "error"),
        ("USDCNY", [713.84, 713.9], "error"),
        ("USDCNY", [7.18, 7.81], "warning"),
    ],
)
def test_an_exchange_rate_that_is_another_or_jumps(pair, rates, severity):
    fx = pd.DataFrame({"pair": pair, "day": DAYS[:2], "rate": rates})
    found = check(clean_market() | {"fx": fx}, "exchange-rate")
    assert [each.severity for each in found] == ([severity] if severity else [])


def test_open_and_close_in_each_others_column():
    def swap(bars):
        mine = bars["symbol"] == PAYER
        bars.loc[mine, ["open", "close"]] = bars.loc[mine, ["close", "open"]].to_numpy()

    (found,) = check(planted("bars", swap), "swapped-prices")
    assert (found.severity, found.symbol, found.count) == ("error", PAYER, len(DAYS))


def test_volume_in_lots_throughout():
    (found,) = check(planted("bars", scaled(PAYER, "volume", 0.01)))
    assert (found.check, found.severity, found.count) == ("lots-for-shares", "error", len(DAYS))
    assert "lots of 100 in all rows" in found.message


def test_lots_that_become_shares_inside_a_month():
    (found,) = check(planted("bars", scaled(PAYER, "volume", 0.01, slice(0, 25))))
    assert (found.check, found.first, found.last, found.count) == ("lots-for-shares", day(0), day(24), 25)
    assert "from 2025-02 to 2025-03" in found.message
    assert f"in shares from {day(25)} on" in found.message


@pytest.mark.parametrize(
    ("factor", "unit"), [(1e-3, "thousand yuan"), (1e-4, "10^4 yuan"), (1e-8, "10^8 yuan")]
)
def test_amounts_in_another_unit(factor, unit):
    (found,) = check(planted("bars", scaled(PAYER, "amount", factor)))
    assert (found.check, found.severity) == ("amount-scale", "error")
    assert unit in found.message


def test_lots_and_thousands_together_are_told_apart():
    tables = planted("bars", scaled(PAYER, ["volume", "amount"], [0.01, 0.001]))
    assert [each.check for each in check(tables)] == ["lots-for-shares", "amount-scale"]


def test_bars_without_an_amount_are_not_judged_by_it():
    assert check(planted("bars", lambda bars: bars.assign(amount=np.nan))) == []


# Prices


@pytest.mark.parametrize("factor", [0.5, 0.97])
def test_prices_that_were_adjusted_for_a_later_action(factor):
    tables = planted("bars", scaled(PAYER, [*PRICES, "pre_close"], factor, slice(0, 25)))
    (found,) = check(tables, "adjusted-prices")
    assert (found.first, found.last, found.count, found.severity) == (day(0), day(24), 25, "error")


@pytest.mark.slow
def test_adjusted_prices_in_lots_are_seen_as_both():
    tables = planted("bars", scaled(PAYER, PRICES, 0.5))
    scaled(PAYER, "volume", 0.01)(tables["bars"])
    tables["bars"]["pre_close"] = np.nan
    assert {"adjusted-prices", "lots-for-shares"} <= set(errors(tables))
    assert "amount-scale" not in errors(tables)


def test_one_vwap_outside_its_bar():
    (found,) = check(planted("bars", scaled(PAYER, "amount", 1.1, slice(30, 31))))
    assert (found.check, found.severity, found.first) == ("vwap-outside-bar", "warning", day(30))


def test_a_close_that_the_next_open_takes_back():
    def edit(bars):
        bars.loc[row(SPLITTER, 30), ["close", "high"]] = 5.0
        bars.loc[row(SPLITTER, 30), "amount"] *= 4

    found = check(planted("bars", edit))
    assert [(each.check, each.first) for each in found if each.severity == "error"] == [
        ("price-spike", day(30))
    ]


def test_a_whole_bar_that_the_next_takes_back():
    tables = planted("bars", scaled(SPLITTER, [*PRICES, "amount"], 10, slice(30, 31)))
    assert errors(tables) == ["price-spike"]


def test_a_high_beyond_the_limit():
    def edit(bars):
        bars.loc[row(PAYER, 30), "high"] = 1.2

    (found,) = check(planted("bars", edit))
    assert (found.check, found.severity, found.first) == ("beyond-limit", "warning", day(30))


def test_a_limit_that_the_data_correct():
    tables = planted("bars", lambda bars: None)
    tables["bars"].loc[row(PAYER, 30), "high"] = 1.15
    tables["funds"] = pd.DataFrame({"symbol": [PAYER], "price_limit": [0.2]})
    assert check(tables) == []


def test_a_dividend_that_is_not_recorded_shows_in_the_reference_price():
    tables = planted("actions", lambda actions: actions[actions["kind"] == "split"])
    (found,) = check(tables)
    assert (found.check, found.severity, found.first) == ("reference-price", "warning", day(DIVIDEND))
    assert "below the close before by 0.020" in found.message
    assert "dividends" in found.hint


def test_a_reference_price_above_the_close():
    def edit(bars):
        bars.loc[row(PAYER, 30), "pre_close"] += 0.05

    (found,) = check(planted("bars", edit), "reference-price")
    assert "above the close before by 0.050" in found.message


@pytest.mark.parametrize(("column", "value"), [("volume", 0.0), ("amount", 0.0)])
def test_volume_and_amount_go_together(column, value):
    def edit(bars):
        bars.loc[row(PAYER, 30), column] = value

    (found,) = check(planted("bars", edit))
    assert (found.check, found.first) == ("volume-consistency", day(30))


def test_a_bar_of_a_halt_is_consistent():
    def edit(bars):
        halted = row(PAYER, 31)
        bars.loc[halted, PRICES] = bars.loc[halted, "pre_close"]
        bars.loc[halted, ["volume", "amount"]] = 0.0
        bars.loc[halted + 1, "pre_close"] = bars.loc[halted, "close"]

    assert check(planted("bars", edit)) == []


def test_a_close_far_from_nav():
    def edit(nav):
        nav.loc[row(PAYER, 30), "nav"] *= 0.75

    found = check(planted("nav", edit), "nav-premium")
    assert [(each.symbol, each.first, each.count) for each in found] == [(PAYER, day(30), 1)]


def test_nav_of_a_record_day_is_judged_on_either_basis():
    def edit(nav):
        nav.loc[row(SPLITTER, RECORD), "nav"] *= 2

    assert check(clean_market(), "nav-premium") == []
    assert check(planted("nav", edit), "nav-premium") == []
    unrecorded = planted("actions", lambda actions: actions[actions["kind"] == "dividend"])
    assert [each.first for each in check(unrecorded, "nav-premium")] == [day(RECORD)]


# Counts of units


@pytest.mark.parametrize(("sessions", "said"), [(1, "late"), (-1, "early"), (0, None)])
def test_nav_of_another_session(sessions, said):
    # Closes move by 1 % and more a session; NAV is 0.05 % below the close of its own.
    def edit(nav):
        return nav.assign(nav=1.0005 * nav.groupby("symbol")["nav"].shift(sessions)).dropna(subset=["nav"])

    found = check(planted("nav", edit), "nav-shifted")
    assert [each.symbol for each in found] == ([PAYER, SPLITTER] if said else [])
    assert all(f"dated a session {said}" in each.message for each in found)


@pytest.mark.parametrize(
    ("symbol", "nav_sees_it", "own_hours"),
    [
        ("513100.SH", True, 0.0),  # on the list of funds of foreign stocks
        ("513100.SH", True, 0.03),
        ("159998.SZ", True, 0.03),  # on no list
        ("EWY.US", False, 0.03),  # Asian stocks at the close of New York
    ],
)
def test_nav_of_stocks_that_trade_in_other_hours_is_not_shifted(symbol, nav_sees_it, own_hours):
    # 1.2 % a session, of which so much of the variance is public to the close and NAV of one day. Of the rest
    # NAV knows a day before the close, as that of American stocks in China, or the close a day before NAV.
    random = np.random.default_rng(7)
    days = calendar_for(market_of(symbol)).sessions(date(2024, 6, 3), date(2025, 6, 30))
    elsewhere, own = random.normal(0, 0.012 * np.sqrt([[1 - own_hours], [own_hours]]), (2, len(days)))
    whole = np.cumsum(own + elsewhere)
    nav, close = (whole, whole - elsewhere) if nav_sees_it else (whole - elsewhere, whole)
    tables = {
        "bars": bars_of(symbol, 2 * np.exp(close), days),
        "nav": pd.DataFrame({"symbol": symbol, "day": days, "nav": 2 * np.exp(nav)}),
    }
    assert check(tables, "nav-shifted") == []


def counts(values, symbol="SHV.US"):
    days = pd.bdate_range("2026-06-22", periods=len(values))
    return {"units": pd.DataFrame({"symbol": symbol, "day": days, "units": values})}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ([1.5e8, 20260630, 1.5e8], 1),  # near its own row
        ([1.5e8, 20040107, 1.5e8], 1),  # long ago, and far from the counts beside it
        ([20061003, 20090630, 20090630], 3),  # nothing but dates
        ([20051123, 20051123, 20051123], 0),  # one count that happens to read as a date
        ([20051123, 21051123, 22051123], 0),  # a small fund that grows by creation units
        ([20260640, 20261301, 20260600], 0),  # no such dates
    ],
)
def test_dates_read_as_counts(values, wrong):
    found = check(counts(values), "date-as-number")
    assert sum(each.count for each in found) == wrong
    assert all(each.severity == "error" for each in found)


@pytest.mark.parametrize(
    ("symbol", "count", "expected"),
    [("ARKK.US", 4, 1), ("ARKK.US", 50_000, 0), ("589720.SH", 48_582.3, 1), ("589720.SH", 1_150_400, 0)],
)
def test_counts_too_small_for_a_fund(symbol, count, expected):
    found = check(counts([count] * 3, symbol), "implausible-units")
    assert [each.severity for each in found] == ["error"] * expected


def test_counts_far_below_the_volume_of_a_day():
    # About 70 m units and a volume of 1 m; a volume of 1 bn is 15 times the units.
    tables = planted("bars", scaled(PAYER, ["volume", "amount"], 1000))
    (found,) = check(tables)
    assert (found.check, found.severity, found.symbol) == ("implausible-units", "error", PAYER)
    assert "daily volume is 15 times the units" in found.message


def test_counts_that_change_their_unit_of_measure():
    (found,) = check(planted("units", scaled(PAYER, "units", 1e4, slice(20, None))), "units-scale")
    assert (found.severity, found.first, found.count) == ("error", day(20), 1)
    assert check(planted("units", scaled(PAYER, "units", 1e4, slice(20, None))), "unit-jump") == []


def test_sessions_without_a_count_are_noted():
    (found,) = check(planted("units", lambda units: units.drop(index=[5, 6, 9])))
    assert (found.check, found.severity, found.count) == ("units-gap", "note", 2)
    assert "3 sessions without a count, at most 2 in a row" in found.message
