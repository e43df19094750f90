"""What a brief says where rows are not on file, are late, or are of another basis."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError, UsageError
from engine.briefs.brief import make_brief
from engine.briefs.lines import Windows
from engine.briefs.ranking import rank_funds
from engine.briefs.words import fetch_commands, missing_by_input
from tests.helpers.brief_market import (
    D0,
    DAYS,
    FUND,
    SPLIT_RECORD,
    brief_of,
    note,
    reason,
    tables,
    until,
)


def test_units_of_the_record_day_switch_before_prices():
    record = brief_of(tables(), SPLIT_RECORD.date())
    assert record["net_inflow_5_vwap"] == 0.0  # twice the units is no inflow
    assert record["aum"] == pytest.approx(2.8e9 * (1.19 / 2 - 0.0005), rel=1e-3)
    assert abs(record["premium"]) < 0.01
    assert record["price_high"] == pytest.approx(1.19, abs=0.001)


def test_a_record_compares_units_on_one_basis():
    edited = tables()
    early = edited["units"]["day"] == pd.Timestamp("2025-05-06")
    edited["units"].loc[early, "units"] = 2.0e9  # 4 billion of today's
    assert brief_of(edited)["units_record"] is False


def test_what_is_not_on_file_has_a_reason():
    empty = {name: frame for name, frame in tables().items() if name in ("bars", "actions")}
    brief = brief_of(empty)
    for name in ("net_inflow_5_vwap", "inflow_streak", "units", "units_record", "aum", "net_financing_4"):
        assert brief[name] is None
        assert "on file" in reason(brief, name), name
    for name in ("margin_balance", "nav", "premium", "index_ytd", "theme_weight", "index_ytd_ahead_of"):
        assert brief[name] is None
        assert "on file" in reason(brief, name), name
    assert brief["adtv_month_rank"] == 1


def test_what_comes_after_the_day_changes_nothing():
    early = date(2025, 8, 15)
    cut = {
        name: frame[pd.to_datetime(frame["day"]) <= pd.Timestamp(early)] if "day" in frame else frame
        for name, frame in tables().items()
    }
    assert brief_of(tables(), early).facts == brief_of(cut, early).facts


@pytest.mark.parametrize(
    ("table", "day", "name", "message"),
    [
        ("units", "2025-08-13", "net_inflow_5_vwap", "no unit count on file for 2025-08-13"),
        ("nav", "2025-08-18", "net_inflow_5_nav", "no NAV on file for 2025-08-18"),
        ("margin", "2025-08-14", "net_financing_4", "no margin balance on file for 2025-08-14"),
        ("index_bars", "2024-12-31", "index_ytd", "no level of 970070 on file for 2024-12-31"),
    ],
)
def test_a_missing_day_is_named_and_not_filled(table, day, name, message):
    edited = tables()
    frame = edited[table]
    edited[table] = frame[pd.to_datetime(frame["day"]) != pd.Timestamp(day)]
    brief = brief_of(edited)
    assert brief[name] is None
    assert message in reason(brief, name)


def older(brief) -> dict[str, date]:
    return {fact.name: fact.older for fact in brief.facts if fact.older}


def test_in_the_evening_margin_is_that_of_the_day_before_and_says_so():
    brief = brief_of(until("margin", "2025-08-19"))
    assert brief["margin_balance"] == 100e6
    assert brief["margin_balance_record"] is True
    assert brief["net_financing_4"] == pytest.approx(100e6 - 58e6)
    assert note(brief, "net_financing_4") == "2025-08-14 to 2025-08-19"
    assert brief["financing_streak"] == 3
    names = ("margin_balance", "margin_balance_record", "net_financing_4", "financing_streak")
    assert older(brief) == dict.fromkeys(names, date(2025, 8, 19))
    assert older(brief_of(tables())) == {}


def test_four_sessions_of_financing_end_with_the_day_or_with_the_one_before(brief):
    assert brief["net_financing_4"] == pytest.approx(112e6 - 57.943e6)
    assert brief["net_financing_4_before"] == pytest.approx(100e6 - 58e6)
    assert note(brief, "net_financing_4_before") == "2025-08-14 to 2025-08-19"


def test_in_the_evening_nav_may_be_a_day_older_than_units():
    brief = brief_of(until("nav", "2025-08-19"))
    assert (brief["nav"], brief["premium"]) == (0.7305, pytest.approx(0.731 / 0.7305 - 1))
    assert brief["aum"] == pytest.approx((3.0275e9 + 800e6) * 0.7305)
    assert brief["units"] == pytest.approx(3.96997e9)
    at_nav = 227.5e6 * 0.6835 + 150e6 * 0.6675 + 200e6 * 0.6755 + 250e6 * 0.7125 + 200e6 * 0.7305
    assert brief["net_inflow_5_nav"] == pytest.approx(at_nav)
    assert brief["net_inflow_5_prev_nav"] is not None
    assert {"nav", "premium", "aum", "aum_record", "net_inflow_5_nav"} <= set(older(brief))
    assert not {"units", "close", "net_inflow_5_vwap", "net_inflow_5_prev_nav", "aum_close"} & set(
        older(brief)
    )


def test_without_the_count_of_the_day_flows_end_with_the_one_before():
    brief = brief_of(until("units", "2025-08-19"))
    assert brief["units"] == pytest.approx(3.8275e9)
    assert brief["inflow_sessions_5"] == brief_of(tables(), date(2025, 8, 19))["inflow_sessions_5"]
    before = brief_of(tables(), date(2025, 8, 19))
    for name in ("net_inflow_5_vwap", "net_inflow_5_ratio", "inflow_streak", "aum", "aum_close"):
        assert brief[name] == before[name], name
        assert older(brief)[name] == date(2025, 8, 19), name


def test_on_the_first_day_there_is_nothing_before():
    brief = brief_of(tables(), date(2024, 12, 16))
    assert brief["units"] == 1.4e9
    assert brief["net_financing_4_before"] is None
    assert reason(brief, "margin_balance_before") == "no session before 2024-12-16 is on file"


def test_the_latest_known_is_forgotten_after_ten_sessions():
    kept, gone = (brief_of(until("margin", day)) for day in ("2025-08-06", "2025-08-05"))
    assert older(kept)["margin_balance"] == date(2025, 8, 6)
    assert gone["margin_balance"] is None
    assert "the latest is of 2025-08-05" in reason(gone, "margin_balance")


def test_a_count_missing_within_the_sum_is_covered_by_the_next_one():
    edited = tables()
    edited["units"] = edited["units"][edited["units"]["day"] != pd.Timestamp("2025-08-18")]
    brief = brief_of(edited)
    # 450 m units of two sessions at the 0.72 of the second.
    assert brief["net_inflow_5_vwap"] == pytest.approx(102e6 + 134e6 + 450e6 * 0.72 + 142.47e6 * 0.73)
    assert "1 without unit count" in note(brief, "net_inflow_5_vwap")
    assert brief["inflow_streak"] == 1
    assert "at least" in note(brief, "inflow_streak")
    assert brief["inflow_sessions_5"] is None


def test_a_session_without_change_ends_a_streak():
    edited = tables()
    rows = edited["units"]["day"] >= pd.Timestamp("2025-08-18")
    edited["units"].loc[rows, "units"] -= 250e6
    brief = brief_of(edited)
    assert brief["inflow_streak"] == 2


def test_a_halted_session_is_skipped_by_a_streak():
    edited = tables()
    halted = pd.Timestamp("2025-08-18")
    own = (edited["bars"]["symbol"] == FUND) & (edited["bars"]["day"] == halted)
    edited["bars"] = edited["bars"][~own]
    rows = edited["units"]["day"] >= halted
    edited["units"].loc[rows, "units"] -= 250e6
    brief = brief_of(edited)
    assert brief["inflow_streak"] == 5
    assert brief["adtv_month"] == pytest.approx(325.8e6 * 22 / 23)


def test_traded_money_that_is_not_on_file_is_not_replaced_by_the_close():
    edited = tables()
    edited["bars"].loc[edited["bars"]["day"] == pd.Timestamp("2025-08-19"), "amount"] = np.nan
    brief = brief_of(edited)
    assert brief["net_inflow_5_vwap"] is None
    assert "money traded on file for 2025-08-19" in reason(brief, "net_inflow_5_vwap")
    assert brief["adtv_month"] is None


def test_a_peer_without_bars_leaves_the_rank_open():
    edited = tables()
    edited["bars"] = edited["bars"][edited["bars"]["symbol"] != "159382.SZ"]
    brief = brief_of(edited)
    assert brief["adtv_month"] == pytest.approx(325.8e6)
    assert brief["adtv_month_rank"] is None
    assert "159382.SZ" in reason(brief, "adtv_month_rank")


def test_a_peer_whose_listing_is_not_on_file_makes_it_at_least():
    assert note(brief_of(tables()), "peers") == ""
    edited = tables()
    unsure = pd.DataFrame({"symbol": ["159999.SZ"], "index": ["970070"]})
    edited["funds"] = pd.concat([edited.get("funds", pd.DataFrame()), unsure], ignore_index=True)
    brief = brief_of(edited)
    assert (brief["peers"], brief["adtv_month_rank"]) == (6, 1)
    said = "it is not on file whether 159999.SZ was listed by then"
    assert note(brief, "peers") == f"at least 6 funds; {said}"
    assert note(brief, "adtv_month_rank").startswith("of at least 6: 159242.SZ, ")
    assert note(brief, "adtv_month_rank").endswith(said)


def test_late_publication_is_said():
    edited = tables()
    edited["units"]["known_at"] = pd.NaT
    last = edited["units"]["day"] == pd.Timestamp(D0)
    edited["units"].loc[last, "known_at"] = pd.Timestamp("2025-08-21 18:00")
    assert brief_of(edited).late == ("units of 2025-08-20 were published at 2025-08-21 18:00:00",)


def test_funds_are_ranked_by_numbers():
    close = {"aum_record": "`aum_close`", "price_high_day": "`price_high`", "adtv20": "`adtv_20`"}
    for by, meant in close.items():
        with pytest.raises(UsageError, match=f"that is a number; received {by}. Did you mean .*{meant}"):
            rank_funds({}, D0, by, make_brief)


def test_any_window_can_be_asked_for():
    brief = brief_of(tables(), sessions=3)
    assert brief["net_inflow_3_vwap"] == pytest.approx(175e6 + 144e6 + 104.0031e6)
    long = brief_of(tables(), sessions=500)
    assert long["net_inflow_500_vwap"] is None
    only = f"only {len(DAYS) - 1} of 500 sessions have one before them, since it listed on 2024-12-16"
    assert reason(long, "net_inflow_500_vwap") == only


def test_windows_of_every_kind_can_be_asked_for():
    brief = brief_of(tables(), windows=Windows(inflow=(1, 2), financing=(1, 3), turnover=(300,)))
    assert brief["net_inflow_2_vwap"] == pytest.approx(144e6 + 104.0031e6)
    assert (brief["net_financing_1"], brief["net_financing_3"]) == (12e6, 42e6)
    assert brief["net_financing_3_before"] == pytest.approx(100e6 - 57.943e6)
    assert note(brief, "adtv_300").startswith(
        f"{len(DAYS)} of 300 sessions, 2024-12-16"
    )  # listed for no more
    with pytest.raises(UsageError, match="window `inflow` is out of bounds"):
        Windows(inflow=(5, 0))


def test_an_unknown_theme_names_those_there_are():
    brief = brief_of(tables(), theme="optics")
    assert brief["theme_weight"] is None
    assert "chips, optical" in reason(brief, "theme_weight")


def test_days_that_cannot_be_briefed():
    with pytest.raises(UsageError, match=r"no session.*2025-08-16.*2025-08-15"):
        brief_of(tables(), date(2025, 8, 16))
    with pytest.raises(DataError, match="2024-12-16 to 2025-08-20"):
        brief_of(tables(), date(2025, 8, 21))
    with pytest.raises(UsageError, match="sessions"):
        brief_of(tables(), sessions=0)


def test_a_halt_is_no_want_of_bars():
    edited = tables()
    halted = (edited["bars"]["symbol"] == FUND) & (edited["bars"]["day"] == pd.Timestamp(D0))
    edited["bars"].loc[halted, ["volume", "amount"]] = 0.0
    brief = brief_of(edited)
    for name in ("close", "price_record", "fund_ytd"):
        assert brief[name] is None
        assert reason(brief, name) == "no trade on file for 2025-08-20; the latest is of 2025-08-19"
    assert set(missing_by_input(brief.facts)[1]) == {"index_bars"}
    (command,) = fetch_commands(brief)
    assert "--tables index_bars --indices 931487,932456 " in command


def test_bars_without_money_are_asked_for_again():
    edited = tables()
    own = (edited["bars"]["symbol"] == FUND) & (edited["bars"]["day"] == pd.Timestamp("2025-08-19"))
    edited["bars"].loc[own, "amount"] = np.nan
    (command,) = fetch_commands(brief_of(edited))
    assert command.startswith(
        "etflow data fetch --provider akshare --symbols 159363.SZ --tables bars,index_bars "
    )
