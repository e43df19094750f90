"""Briefs of funds that are young, or whose index is not known: what is asked for."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from engine.briefs.brief import make_brief
from engine.briefs.lines import Windows
from engine.briefs.words import fetch_commands, missing_by_input
from strategies import STRATEGIES
from tests.helpers.brief_market import (
    D0,
    FUND,
    LISTED,
    SPLIT_RECORD,
    Market,
    brief_of,
    note,
    reason,
    tables,
    until,
)

UNKNOWN = "159777.SZ"


def of_unknown(edited: dict[str, pd.DataFrame], day: date = D0, **options):
    """Return the brief of a fund that nothing is known of, with the bars and units of ours."""
    for name in ("bars", "units"):
        own = edited[name][edited[name]["symbol"] == FUND].assign(symbol=UNKNOWN)
        edited[name] = pd.concat([edited[name], own], ignore_index=True)
    return make_brief(Market(edited), UNKNOWN, day, strategies=STRATEGIES, **options)


def test_a_fund_of_unknown_index_has_no_peers_and_no_theme_that_rows_would_bring():
    edited = tables()
    brief = of_unknown(edited, theme_index="970070")
    ranks = ("adtv_month_rank", "adtv_20_rank")
    for name in (*ranks, "peers", "index_ytd", "theme_weight", "theme_weight_drifted"):
        assert brief[name] is None
        assert reason(brief, name) == "it is not on file which index the fund tracks", name
    assert brief["adtv_20"] == pytest.approx(325.8e6)
    start = "--symbols 159777.SZ --tables units,nav,margin --start 2024-12-16 --data STORE"
    assert fetch_commands(brief) == [f"etflow data fetch --provider akshare {start}"]
    # It may have listed before the first bar on file.
    assert note(brief, "units_record") == "since 2024-12-16; nothing earlier is on file"


def test_a_fund_of_unknown_index_asks_for_its_own_bars():
    edited = tables()
    edited["bars"]["amount"] = edited["bars"]["amount"].where(edited["bars"]["day"] != "2025-08-19")
    brief = of_unknown(edited)
    assert reason(brief, "adtv_20") == "the bars of 159777.SZ have no money traded"
    (command,) = fetch_commands(brief)
    assert command.startswith(
        "etflow data fetch --provider akshare --symbols 159777.SZ --tables bars,nav,units,"
    )


YOUNG, ITS_DAY = "159242.SZ", date(2025, 7, 30)  # its fifth session


def young(edited: dict[str, pd.DataFrame], **options):
    for name, column in (("units", "units"), ("nav", "nav"), ("margin", "balance")):
        own = edited[name][edited[name]["day"] >= pd.Timestamp(LISTED[YOUNG])].assign(symbol=YOUNG)
        edited[name] = own.assign(**{column: own[column].iloc[0] * np.linspace(1.0, 2.0, len(own))})
    return make_brief(Market(edited), YOUNG, ITS_DAY, strategies=STRATEGIES, **options)


def test_a_young_fund_has_the_sessions_since_it_listed_and_rows_would_bring_no_more():
    brief = young(tables(), windows=Windows(inflow=(4, 5), financing=(4, 5), turnover=(5, 20)))
    assert (brief["inflow_sessions_4"], brief["inflow_streak"]) == (4, 4)
    assert brief["net_inflow_4_vwap"] > 0.0
    only = "only 4 of 5 sessions have one before them, since it listed on 2025-07-24"
    for name in ("net_inflow_5_vwap", "net_inflow_5_ratio", "inflow_sessions_5", "net_financing_5"):
        assert reason(brief, name) == only, name
    assert reason(brief, "net_financing_4_before") == only.replace("4 of 5", "3 of 4")
    assert note(brief, "adtv_20") == "5 of 20 sessions, 2025-07-24 to 2025-07-30"
    assert note(brief, "adtv_5") == "5 sessions, 2025-07-24 to 2025-07-30"
    assert note(brief, "adtv_month") == "5 of 22 sessions, 2025-07-24 to 2025-07-30"
    assert reason(brief, "fund_ytd") == "it listed within the year, on 2025-07-24"
    assert reason(brief, "micro") == "no score: 5 of the 65 sessions that it takes are on file"
    assert set(missing_by_input(brief.facts)[1]) == {"index_bars", "index_weights"}
    # Its index is of the year before, though it is not.
    indices = "--tables index_bars,index_weights --indices 970070,930713,931071,931487,932456,950180"
    assert fetch_commands(brief) == [
        f"etflow data fetch --provider akshare --symbols {YOUNG} {indices} --start 2024-12-01 --data STORE"
    ]


def test_a_year_whose_begin_is_not_on_file_is_asked_for():
    edited = tables()
    edited["bars"] = edited["bars"][edited["bars"]["day"] >= "2025-01-02"]
    brief = brief_of(edited)
    assert reason(brief, "fund_ytd") == "no price of the year before is on file"
    assert fetch_commands(brief)[0].endswith(" --start 2024-12-01 --data STORE")
    assert "--symbols 159363.SZ --tables bars," in fetch_commands(brief)[0]


def from_monday(edited: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return tables whose bars of our fund begin on the last Monday, months after it listed."""
    late = (edited["bars"]["symbol"] == FUND) & (edited["bars"]["day"] < pd.Timestamp("2025-08-18"))
    return edited | {"bars": edited["bars"][~late]}


def test_bars_that_begin_late_are_asked_for_as_far_back_as_the_windows_reach():
    brief = brief_of(from_monday(tables()), strategies=STRATEGIES)
    only = "only 2 of 5 sessions have one before them, since bars begin on 2025-08-18"
    assert reason(brief, "net_inflow_5_vwap") == only
    _, missing = missing_by_input(brief.facts)
    tables_of = {fact.name: lacking for lacking, facts in missing.items() for fact in facts}
    assert tables_of["net_inflow_5_vwap"] == tables_of["inflow_sessions_5"] == "bars,units"
    assert tables_of["net_inflow_5_nav"] == "bars,units,nav"
    assert tables_of["net_financing_4"] == "bars,margin"
    (command,) = [each for each in fetch_commands(brief) if f"--symbols {FUND} " in each]
    # Returns of the year need December, and growth of capital expenditure 244 sessions: 154 of 2025 up to the
    # day, 43 of November and December before, 37 of October and September, and the last 10 of August.
    assert tables_of["macro"] == "bars"
    assert "--tables bars,units,nav,margin" in command
    assert command.endswith(" --start 2024-08-19 --data STORE")
    brief = brief_of(from_monday(tables()))
    assert fetch_commands(brief)[0].endswith(" --start 2024-12-01 --data STORE")
    # 199 changes take 200 sessions: all but 43 of the 46 before 2025 are of November and December.
    brief = brief_of(from_monday(tables()), windows=Windows(inflow=(199,)))
    assert fetch_commands(brief)[0].endswith(" --start 2024-10-29 --data STORE")


def test_a_score_whose_bars_begin_late_asks_for_them_and_for_what_else_it_takes():
    edited = {name: each[each["symbol"] == FUND] for name, each in tables().items() if "symbol" in each}
    edited["bars"] = edited["bars"][edited["bars"]["day"] >= pd.Timestamp("2025-08-18")]
    brief = brief_of(edited, strategies=STRATEGIES)
    (fact,) = (fact for fact in brief.facts if fact.name == "micro")
    assert fact.reason == "no score: 3 of the 65 sessions that it takes are on file"
    assert (fact.lacks, fact.back) == ("bars,units,nav,margin", 65)


def test_a_flow_that_does_not_vary_has_no_score_though_every_count_is_there():
    edited = tables()
    edited["units"]["units"] = np.where(edited["units"]["day"] >= SPLIT_RECORD, 2.8e9, 1.4e9)
    brief = brief_of(edited, strategies=STRATEGIES)
    said = "no score: a flow, margin or NAV of the 65 sessions lacks or does not vary"
    assert (reason(brief, "flow_score"), reason(brief, "micro")) == (said, said)
    # 13 sessions follow on it, and a count is good for ten.
    brief = brief_of(until("units", "2025-08-01"), strategies=STRATEGIES)
    assert reason(brief, "micro") == "no score: 61 of the 65 unit counts that it takes are known"
    assert "micro" in {fact.name for fact in missing_by_input(brief.facts)[1]["units"]}


def test_levels_of_the_index_of_a_theme_are_asked_for_with_those_of_the_year():
    brief = brief_of(tables(), strategies=STRATEGIES, theme_index="931160")
    (command,) = fetch_commands(brief)
    assert " --tables index_bars --indices 931487,932456,931160 " in command
