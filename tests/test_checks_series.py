"""Series against the calendar, series that stopped, lists that lost members, margin and indices."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.helpers.small_market import DAYS, PAYER, PRICES, SPLITTER, check, clean_market, day, planted, row

SATURDAY = pd.Timestamp("2025-02-08")

# Sessions


def test_a_bar_on_a_saturday_is_an_error_and_a_count_a_warning():
    tables = clean_market()
    for table in ("bars", "units"):
        extra = tables[table].iloc[[3]].assign(day=SATURDAY)
        tables[table] = pd.concat([tables[table], extra])
    found = check(tables, "phantom-session")
    assert [(each.table, each.severity, each.first) for each in found] == [
        ("bars", "error", SATURDAY.date()),
        ("units", "warning", SATURDAY.date()),
    ]
    assert "1 on weekends" in found[0].message


def test_an_index_row_on_a_holiday_that_copies_the_next():
    def edit(levels):
        # 2025-02-04 was the last day of the Spring Festival.
        return pd.concat([levels.iloc[[0]].assign(day=pd.Timestamp("2025-02-04")), levels])

    (found,) = check(planted("index_bars", edit))
    assert (found.check, found.severity, found.symbol) == ("phantom-session", "warning", "930713")
    assert "1 equal to the row beside it" in found.message


def test_of_days_beyond_the_recorded_calendar_nobody_knows_whether_they_are_sessions():
    late = pd.to_datetime(["2099-01-03", "2099-01-05"])  # a Saturday, and a Monday

    def edit(rows):
        return pd.concat([rows, *(rows.iloc[[40]].assign(day=day) for day in late)])

    tables = planted("bars", edit) | {"nav": edit(clean_market()["nav"])}
    assert check(tables, "phantom-session") == []
    bars, nav = check(tables, "beyond-calendar")
    assert (bars.severity, bars.table, bars.first, bars.count) == ("error", "bars", date(2099, 1, 3), 2)
    assert (nav.severity, nav.table) == ("warning", "nav")
    assert "etflow data calendar import" in bars.hint


def test_an_index_with_a_code_of_its_own_has_the_sessions_of_the_funds():
    assert check(planted("index_bars", lambda levels: levels.assign(index="THEME-A"))) == []


def test_sessions_without_a_bar_are_counted():
    tables = planted("bars", lambda bars: bars.drop(index=[row(PAYER, 30), row(PAYER, 31), row(PAYER, 35)]))
    tables["bars"].loc[[row(PAYER, 32), row(PAYER, 36)], "pre_close"] = np.nan
    (found,) = check(tables)
    assert (found.check, found.severity, found.count) == ("missing-session", "warning", 3)
    assert f"most 2 in a row after {day(29)}" in found.message


def test_what_comes_with_trading_is_missed_where_there_is_a_bar():
    gone = [*range(3), 30, 31, 40]
    tables = planted("premium", lambda rows: rows.drop(index=[row(PAYER, each) for each in gone]))
    tables["bars"].loc[row(PAYER, 31), ["volume", "amount"]] = 0.0
    tables["bars"].loc[row(PAYER, 31), PRICES] = tables["bars"].loc[row(PAYER, 31), "pre_close"]
    # Its series begins with session 3, session 31 is a halt, and session 40 is the last of the bars.
    (found,) = check(tables, "missing-session")
    assert (found.table, found.symbol, found.first, found.last) == ("premium", PAYER, day(30), day(40))
    assert (found.severity, found.count) == ("warning", 2)
    assert "5.4%" in found.message  # 2 of the 41 sessions less 3 and less the halt: 2 / 37


def test_bars_outside_the_life_of_a_fund():
    tables = clean_market()
    tables["funds"] = pd.DataFrame(
        {"symbol": [PAYER, SPLITTER], "listed": [DAYS[2], pd.NaT], "delisted": [pd.NaT, DAYS[39]]}
    )
    found = check(tables, "outside-listing")
    assert [(each.symbol, each.count) for each in found] == [(PAYER, 2), (SPLITTER, 2)]


# Series that stopped, lists that lost members


def test_a_bar_that_repeats_the_one_before():
    def edit(bars):
        columns = [*PRICES, "volume", "amount"]
        bars.loc[row(SPLITTER, 31), columns] = bars.loc[row(SPLITTER, 30), columns]

    found = check(planted("bars", edit))
    assert [(each.check, each.first, each.count) for each in found] == [("frozen-series", day(31), 1)]


@pytest.mark.parametrize(
    ("table", "column", "rows", "repeats"),
    [
        ("nav", "nav", 6, 5),
        ("margin", "balance", 6, 5),
        ("index_bars", "close", 3, 2),
        ("units", "units", 41, 40),
        ("premium", "premium", 11, 10),
    ],
)
def test_values_that_stand_still(table, column, rows, repeats):
    def edit(frame):
        frame.loc[0 : rows - 1, column] = 1.001 * frame[column][0]

    (found,) = check(planted(table, edit), "frozen-series")
    assert (found.table, found.count, found.severity) == (table, repeats, "warning")

    def edit_less(frame):
        frame.loc[0 : rows - 2, column] = 1.001 * frame[column][0]

    assert check(planted(table, edit_less), "frozen-series") == []


def universe(members):
    """Return units of the funds numbered in ``members[session]``."""
    rows = [
        (f"{159000 + number}.SZ", DAYS[session], 5e7 + 1e5 * session + number)
        for session, numbers in enumerate(members)
        for number in numbers
    ]
    return {"units": pd.DataFrame(rows, columns=["symbol", "day", "units"])}


def test_a_day_on_which_the_list_is_cut_short():
    (found,) = check(universe([range(20)] * 5 + [range(15)] + [range(20)] * 5), "lost-members")
    assert (found.symbol, found.first, found.severity) == ("SZ", day(5), "warning")
    assert "funds with a row: 15, after 20" in found.message
    assert check(universe([range(20)] * 5 + [range(16)] + [range(20)] * 5), "lost-members") == []


def test_a_list_cut_at_a_fixed_length_while_funds_list_before_it():
    # Each session one new code comes in at the front, and the last one falls out at the end.
    (found,) = check(universe([range(100 - session, 130 - session) for session in range(25)]), "lost-members")
    assert (found.first, found.last, found.count) == (day(0), day(24), 24)
    assert "24 of 54 funds end before the last day" in found.message
    assert "exactly 30 funds on 25 days" in found.message


def test_a_fund_that_was_delisted_is_not_lost():
    tables = universe([range(20)] * 5 + [range(19)] * 5)
    (found,) = check(tables, "lost-members")
    assert "159019.SZ" in found.message
    tables["funds"] = pd.DataFrame({"symbol": ["159019.SZ"], "delisted": [DAYS[5]]})
    assert check(tables, "lost-members") == []


# Margin


def test_a_balance_that_does_not_follow_from_its_flows():
    def edit(margin):
        margin.loc[10:, "balance"] += 5e5

    (found,) = check(planted("margin", edit))
    assert (found.check, found.severity, found.first, found.count) == (
        "margin-identity",
        "warning",
        day(10),
        1,
    )
    assert "500,000" in found.message
    assert check(planted("margin", lambda margin: margin.assign(repaid=np.nan))) == []


def test_days_without_a_balance_and_balances_of_zero():
    def edit(margin):
        margin.loc[20, ["balance", "bought", "repaid"]] = [0.0, np.nan, np.nan]
        margin.loc[21, "repaid"] = np.nan
        return margin.drop(index=[10, 11])

    (found,) = check(planted("margin", edit))
    assert (found.check, found.severity) == ("margin-gap", "warning")
    assert "2 sessions without a balance after the first one, and 1 balance of zero" in found.message


def test_a_monthly_margin_series_has_no_gaps():
    month_ends = pd.to_datetime(["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"])
    margin = pd.DataFrame({"symbol": "US", "day": month_ends, "balance": [9e11, 9.1e11, 8.8e11, 8.5e11]})
    assert check({"margin": margin}) == []


# Indices


def test_levels_from_before_the_launch():
    (found,) = check(planted("index_bars", lambda levels: levels.assign(index="932456")))
    # Launched on 2025-05-14, after the last of them.
    assert (found.check, found.severity, found.count) == ("index-before-launch", "warning", len(DAYS))
    assert "launch on 2025-05-14" in found.message


def test_levels_without_an_open_were_computed_later():
    def edit(levels, missing=25):
        levels.loc[: missing - 1, ["open", "high", "low"]] = np.nan

    (found,) = check(planted("index_bars", edit))
    assert (found.check, found.first, found.last) == ("index-before-launch", day(0), day(24))
    assert check(planted("index_bars", lambda levels: edit(levels, 3))) == []
    assert check(planted("index_bars", lambda levels: edit(levels, 41))) == []


def test_an_index_that_jumps_after_a_gap():
    def edit(levels):
        levels.loc[20:, PRICES] *= 1.265
        return levels.drop(index=range(5, 20))

    found = check(planted("index_bars", edit))
    assert [each.check for each in found] == ["missing-session", "index-jump"]
    assert "over 15 sessions without a row" in found[1].message


def test_weights_that_lack_members():
    found = check(planted("index_weights", lambda weights: weights.iloc[:-3]))
    assert [(each.check, each.severity, each.first) for each in found] == [
        ("weights-sum", "error", day(20)),
        ("lost-constituents", "error", day(20)),
    ]
    assert "sum to 0.700" in found[0].message
    assert "7 constituents" in found[1].message


def test_weights_in_percent():
    (found,) = check(planted("index_weights", lambda weights: weights.assign(weight=10.0)))
    assert (found.check, "as if in percent" in found.message) == ("weights-sum", True)


def test_a_share_under_two_codes_weighs_twice():
    # An older store has Tencent's as 000700; a later import brings it as 00700.
    def edit(weights):
        tencent = weights[weights.index == weights.index[0]]
        return pd.concat([weights, tencent.assign(constituent="00700", weight=0.6)], ignore_index=True)

    (found,) = check(planted("index_weights", edit))
    assert (found.check, found.severity) == ("weights-sum", "error")
    assert "weights sum to 1.600" in found.message
    assert "under two codes, as 000700 and 00700: take the weights out (`etflow data remove" in found.hint
    for usual in (lambda weights: weights.iloc[:-3], lambda weights: weights.assign(weight=10.0)):
        assert "Import all constituents" in check(planted("index_weights", usual))[0].hint


# Tables against each other: of 41 sessions, bars reach the last one.


def until_session(frame, last, of=lambda symbol: True, key="symbol"):
    return frame[(frame["day"] <= DAYS[last]) | ~frame[key].map(of).astype(bool)]


def test_a_whole_table_that_ends_before_the_bars_is_found_by_exchange():
    for table, last in (("nav", 20), ("margin", 20), ("units", 20), ("premium", 20)):
        tables = clean_market()
        tables[table] = until_session(tables[table], last)
        found = check(tables, "ends-early")
        # The margin table has the payer of Shenzhen alone.
        assert [each.symbol for each in found] == (["SZ"] if table == "margin" else ["SH", "SZ"])
        assert {(each.table, each.severity, each.count) for each in found} == {(table, "warning", 20)}
        assert (found[-1].first, found[-1].last) == (day(20), day(40))
        assert (
            f"1 of 1 funds end 20 or more sessions before the last bar {day(40)}: {PAYER}"
            in found[-1].message
        )


def test_all_of_an_exchange_that_ends_before_the_other_is_found():
    tables = clean_market()
    tables["bars"] = until_session(tables["bars"], 20, lambda symbol: symbol == PAYER)
    assert [(each.table, each.symbol) for each in check(tables, "ends-early")] == [("bars", "SZ")]
    # Delisted is not lost.
    tables["funds"] = pd.DataFrame({"symbol": [PAYER], "delisted": [DAYS[21]]})
    assert check(tables, "ends-early") == []


def test_an_index_that_ends_before_the_bars_is_found():
    tables = clean_market()
    tables["index_bars"] = until_session(tables["index_bars"], 20, key="index")
    (found,) = check(tables, "ends-early")
    assert (found.table, found.symbol, found.count) == ("index_bars", "930713", 20)
    assert found.message == f"rows end {day(20)}, 20 sessions before the last bar {day(40)}"


def test_ten_sessions_are_no_early_end():
    tables = clean_market()
    tables["nav"] = until_session(tables["nav"], 30)
    assert check(tables, "ends-early") == []
    tables["nav"] = until_session(tables["nav"], 29)
    assert len(check(tables, "ends-early")) == 2


def test_an_exchange_that_a_table_lacks_is_found():
    tables = clean_market()
    units = tables["units"]
    tables["units"] = units[units["symbol"] == PAYER]
    (found,) = check(tables, "ends-early")
    assert (found.table, found.symbol) == ("units", "SH")
    assert found.message == f"no rows of SH, although its other exchange has some: {SPLITTER}"


def test_the_margin_of_a_market_may_come_once_a_month():
    tables = clean_market()
    market = pd.DataFrame({"symbol": "CN", "day": [DAYS[0]], "balance": [2e12]})
    tables["margin"] = pd.concat([tables["margin"], market], ignore_index=True)
    assert check(tables, "ends-early") == []
