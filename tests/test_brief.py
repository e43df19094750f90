"""The flow brief: the statements of a market note, computed; each on a market where it holds by hand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import run_backtest
from data.demo import Demo
from data.errors import DataError, UsageError
from data.facts.calendars import calendar_for
from data.facts.dated import FACTS
from data.load import load_panel
from data.store.store import Store
from data.store.tables import TABLES
from engine.briefs.brief import make_brief
from engine.briefs.lines import Windows
from engine.briefs.ranking import rank_funds
from engine.briefs.statements import line_of, read_statements
from engine.briefs.words import fetch_commands, missing_by_input
from engine.commands.brief import brief as brief_command
from engine.commands.ranking import rank
from engine.commands.verify import verify
from engine.report.brief_charts import brief_charts
from strategies import STRATEGIES
from tests.helpers.browser import FAINT, opened

ROOT = Path(run_backtest.__file__).parent
FUND = "159363.SZ"
D0 = date(2025, 8, 20)
DAYS = pd.DatetimeIndex(calendar_for("cn_etf").sessions(date(2024, 12, 16), D0))
SPLIT_RECORD, SPLIT_EX = pd.Timestamp("2025-07-18"), pd.Timestamp("2025-07-21")

# The last six closes, average prices and unit counts; 5 flows: 102 + 134 + 175 + 144 + 104.0031 = 659.0031 m.
CLOSES = (0.684, 0.668, 0.676, 0.713, 0.731, 0.728)
VWAPS = (0.680, 0.680, 0.670, 0.700, 0.720, 0.730)
CREATED = (150e6, 200e6, 250e6, 200e6, 142.47e6)
UNITS = 3.0275e9 + np.concatenate(([0.0], np.cumsum(CREATED)))
BALANCES = (58.0e6, 57.943e6, 70e6, 85e6, 100e6, 112.0e6)
TURNOVER = {
    FUND: 325.8e6,
    "159381.SZ": 90e6,
    "159382.SZ": 80e6,
    "159388.SZ": 70e6,
    "159246.SZ": 60e6,
    "159242.SZ": 50e6,
}
LISTED = {
    FUND: "2024-12-16",
    "159381.SZ": "2025-03-24",
    "159382.SZ": "2025-05-09",
    "159388.SZ": "2025-04-07",
    "159246.SZ": "2025-07-10",
    "159242.SZ": "2025-07-24",
}
LEVELS = {
    "970070": (1000.0, 1520.0),
    "930713": (3155.47, 4263.62),
    "931071": (1263.56, 1803.41),
    "950180": (1000.0, 1400.0),
}
WEIGHTS = {"optical": (0.1589, 0.1486, 0.0477, 0.0560), "chips": (0.30, 0.2888)}


class Market:
    """Tables in memory as a data source."""

    name, synthetic, default_benchmark = "fixture", False, None

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        self.tables = {name: TABLES[name].validate(frame, name) for name, frame in tables.items()}

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        if table not in self.tables:
            self.tables[table] = TABLES[table].empty()
        frame = self.tables[table]
        if symbols is not None:
            frame = frame[frame[TABLES[table].key[0]].isin(symbols)]
        return frame.reset_index(drop=True)


def tail(before: np.ndarray, last: Sequence[float]) -> np.ndarray:
    return np.concatenate((before[: len(DAYS) - len(last)], last))


def tables() -> dict[str, pd.DataFrame]:
    split = np.where(DAYS >= SPLIT_EX, 2.0, 1.0)
    close = np.full(len(DAYS), 1.191) / split
    close[pd.Timestamp("2024-12-31") >= DAYS] = 0.964
    close = tail(np.round(close - 0.0005, 3), CLOSES)
    vwap = tail(close, VWAPS)
    bars = []
    for symbol, amount in TURNOVER.items():
        own = pd.Timestamp(LISTED[symbol]) <= DAYS
        frame = pd.DataFrame({"symbol": symbol, "day": DAYS, "amount": amount, "volume": amount / vwap})
        for name in ("open", "high", "low", "close"):
            frame[name] = close
        bars.append(frame[own])
    units = tail(np.where(DAYS >= SPLIT_RECORD, 2.8e9, 1.4e9), UNITS)
    nav = close / np.where(DAYS == SPLIT_RECORD, 2.0, 1.0) - 0.0005
    eligible = pd.Timestamp("2025-03-03") <= DAYS
    margin = pd.DataFrame({"symbol": FUND, "day": DAYS, "balance": tail(np.full(len(DAYS), 58e6), BALANCES)})
    themes = [(tag, weight) for tag, each in WEIGHTS.items() for weight in each]
    return {
        "bars": pd.concat(bars, ignore_index=True),
        "units": pd.DataFrame({"symbol": FUND, "day": DAYS, "units": units}),
        "nav": pd.DataFrame({"symbol": FUND, "day": DAYS, "nav": nav}),
        "margin": margin[eligible],
        "actions": pd.DataFrame(
            {
                "symbol": [
                    FUND,
                    *(each for each in TURNOVER if LISTED[each] < "2025-07-21" and each != FUND),
                ],
                "kind": "split",
                "ex_day": SPLIT_EX,
                "record_day": SPLIT_RECORD,
                "ratio": 2.0,
            }
        ),
        "index_bars": pd.DataFrame(
            [
                {"index": code, "day": day, "close": level}
                for code, levels in LEVELS.items()
                for day, level in zip(("2024-12-31", "2025-08-20"), levels, strict=True)
            ]
        ),
        "index_weights": pd.DataFrame(
            {
                "index": "970070",
                "day": "2025-07-31",
                "constituent": [f"30000{number}" for number in range(len(themes))],
                "weight": [weight for _, weight in themes],
                "theme": [tag for tag, _ in themes],
            }
        ),
    }


def brief_of(edited: dict[str, pd.DataFrame], day: date = D0, **options):
    return make_brief(Market(edited), FUND, day, **options)


def reason(brief, name: str) -> str:
    return next(fact.reason for fact in brief.facts if fact.name == name)


def note(brief, name: str) -> str:
    return next(fact.note for fact in brief.facts if fact.name == name)


@pytest.fixture(scope="module")
def brief():
    return brief_of(tables())


# --- the statements of the note -----------------------------------------------------------------------


def test_inflow_of_five_sessions_in_every_convention(brief):
    assert brief["net_inflow_5_vwap"] == pytest.approx(659.0031e6)
    assert 6.585e8 <= brief["net_inflow_5_vwap"] < 6.595e8
    navs = [each - 0.0005 for each in CLOSES]
    at_nav = sum(units * nav for units, nav in zip(CREATED, navs[1:], strict=True))
    at_prev = sum(units * nav for units, nav in zip(CREATED, navs[:-1], strict=True))
    at_close = sum(units * close for units, close in zip(CREATED, CLOSES[1:], strict=True))
    assert brief["net_inflow_5_nav"] == pytest.approx(at_nav)
    assert brief["net_inflow_5_prev_nav"] == pytest.approx(at_prev)
    assert brief["net_inflow_5_close"] == pytest.approx(at_close)
    assert note(brief, "net_inflow_5_vwap") == "2025-08-14 to 2025-08-20"
    assert brief["net_inflow_5_ratio"] == pytest.approx(659.0031e6 / (3.0275e9 * 0.6835))


def test_inflow_is_continuous(brief):
    assert brief["inflow_sessions_5"] == 5
    assert brief["inflow_streak"] == 6  # and on the day before the five


def test_units_are_at_a_record_since_listing(brief):
    assert 3.965e9 <= brief["units"] < 3.975e9
    assert brief["units_record"] is True
    assert note(brief, "units_record") == "since listing, 2024-12-16"


def test_leveraged_inflow_and_balance_are_at_a_record(brief):
    assert 5.40565e7 <= brief["net_financing_4"] < 5.40575e7
    assert brief["financing_streak"] == 4
    assert 1.115e8 <= brief["margin_balance"] < 1.125e8
    assert brief["margin_balance_record"] is True


def test_aum_is_a_record_above_2_8_billion(brief):
    assert brief["aum"] == pytest.approx(3.96997e9 * 0.7275)
    assert 2.8e9 <= brief["aum"] < 2.9e9
    assert brief["aum_record"] is True
    assert brief["aum_close"] == pytest.approx(3.96997e9 * 0.728)


def test_the_record_is_not_one_of_price(brief):
    assert brief["price_record"] is False
    assert brief["price_high"] == pytest.approx(0.731)
    assert brief["price_high_day"] == "2025-08-19"
    assert brief["premium"] == pytest.approx(0.728 / 0.7275 - 1)
    assert brief["fund_ytd"] == pytest.approx(0.728 * 2 / 0.964 - 1, abs=0.002)


def test_turnover_is_first_of_six(brief):
    assert brief["adtv_month"] == pytest.approx(325.8e6)
    assert brief["adtv_20"] == pytest.approx(325.8e6)
    assert note(brief, "adtv_month") == "23 sessions, 2025-07-21 to 2025-08-20"
    assert brief["adtv_month_rank"] == 1
    assert brief["peers"] == 6


def test_the_index_is_ahead_of_the_other_ai_indices(brief):
    assert brief["index_ytd"] == pytest.approx(0.52)
    assert brief["index_ytd_930713"] == pytest.approx(0.351, abs=5e-4)
    assert brief["index_ytd_931071"] == pytest.approx(0.427, abs=5e-4)
    assert brief["index_ytd_950180"] == pytest.approx(0.40)
    assert brief["index_ytd_932456"] is None
    assert reason(brief, "index_ytd_932456") == "no level of 932456 on file for 2025-08-20"
    assert brief["index_ytd_ahead_of"] == 3
    assert brief["index_ytd_over_950180"] == pytest.approx(0.12)  # twelve percentage points
    assert reason(brief, "index_ytd_over_932456") == reason(brief, "index_ytd_932456")


def test_the_index_is_above_41_percent_optical_modules(brief):
    assert brief["theme_weight"] == pytest.approx(0.1589 + 0.1486 + 0.0477 + 0.0560)
    assert brief["theme_weight"] > 0.41
    assert note(brief, "theme_weight") == "as published for 2025-07-31"


def test_it_says_when_all_of_it_is_public(brief):
    assert brief.basis.endswith("public by the open of 2025-08-21")
    assert brief.late == ()


# --- the cycle, and a theme that drifts ---------------------------------------------------------------


def test_the_flow_score_of_an_evening_says_of_when_its_margin_is():
    class Evening(Demo):
        def read(self, table, symbols=None):
            rows = super().read(table, symbols)
            return rows[rows["day"] < "2025-08-20"] if table == "margin" else rows

    on = (date(2025, 8, 20), "157001.SZ")
    late = make_brief(Evening(), on[1], on[0], strategies=STRATEGIES)
    assert note(late, "flow_score") == "latest known: margin 2025-08-19"
    assert note(make_brief(Demo(), on[1], on[0], strategies=STRATEGIES), "flow_score") == ""


def test_macro_meso_and_micro_are_those_of_resonance_at_the_next_open():
    day = date(2025, 8, 19)
    panel = load_panel(Demo(), end=date(2025, 8, 20))
    scores = STRATEGIES["resonance"]().scores(panel.known)[-1]
    flows = STRATEGIES["flow_blend"]().scores(panel.known)[-1]
    told = {}
    for column, symbol in enumerate(panel.symbols[:2]):
        brief = make_brief(Demo(), symbol, day, strategies=STRATEGIES)
        told[symbol] = brief["resonance"]
        assert brief["resonance"] is bool(scores[column] > 0.0)
        assert brief["flow_score"] == flows[column]
        assert brief["micro"] is bool(flows[column] > 0.0)
        assert brief["macro"] is (brief["capex_growth"] > 0.0)
        assert note(brief, "meso") == f"of {int(panel.known.listed[-1].sum())} funds"
    assert set(told.values()) == {True, False}


def test_a_family_beside_which_no_other_is_on_file_says_that_it_could_not_be_less():
    class OneFamily(Demo):
        def read(self, table, symbols=None):
            rows = super().read(table, symbols)
            return rows[rows["symbol"].isin(sisters)] if table == "bars" else rows

    funds = Demo().read("funds").set_index("symbol")
    sisters = funds.index[funds["family"] == funds["family"]["157001.SZ"]]
    brief = make_brief(OneFamily(), "157001.SZ", date(2025, 8, 20), strategies=STRATEGIES)
    assert brief["meso"] is True
    assert note(brief, "meso") == f"of {len(sisters)} funds, all of its family: it could not be less"


def test_capital_expenditure_is_what_was_filed_by_then(brief):
    # Alphabet, Amazon, Meta and Microsoft in the second quarter; the last filed on the first of August.
    assert brief["capex"] == 22446 + 32183 + 16538 + 17079
    said = "of 2025-06-30, published on 2025-08-01; in millions of dollars, as etflow ships it"
    assert note(brief, "capex") == said
    before = brief_of(tables(), date(2025, 7, 31))  # at the open of that day it was not known yet
    assert note(before, "capex").startswith("of 2025-03-31, published on ")
    assert brief["macro"] is None
    assert "strategies=STRATEGIES" in reason(brief, "macro")


def test_a_condition_that_cannot_be_told_says_why():
    brief = brief_of(tables(), strategies=STRATEGIES)
    assert brief["capex_growth"] is None  # bars begin in December
    assert reason(brief, "macro") == "no value of `capex` is known 244 sessions before"
    assert brief["meso"] is None  # levels of two days only
    assert brief["micro"] is not None
    assert reason(brief, "resonance") == "macro, meso cannot be told"


def test_the_weight_of_a_theme_drifts_to_the_day():
    edited = tables()
    levels = {("T", "2025-07-31"): 100.0, ("T", "2025-08-20"): 132.0, ("970070", "2025-07-31"): 1216.0}
    more = pd.DataFrame([{"index": code, "day": day, "close": at} for (code, day), at in levels.items()])
    edited["index_bars"] = pd.concat([edited["index_bars"], more], ignore_index=True)
    options = {"strategies": STRATEGIES, "theme_index": "T"}
    brief = brief_of(edited, **options)
    # The theme gained 32 %, its index 1520 / 1216 - 1 = 25 %.
    assert brief["theme_weight_drifted"] == pytest.approx(0.4112 * 1.32 / 1.25)
    assert note(brief, "theme_weight_drifted") == "41.12% as published, times 1.0560"
    for gone, said in (
        ("2025-07-31", "a level of T or 970070 is missing"),
        ("T", "no levels of the index T on file"),
    ):
        lacks = {**edited, "index_bars": more_without(edited["index_bars"], gone)}
        assert reason(brief_of(lacks, **options), "theme_weight_drifted").startswith(said)
    assert "no index was named" in reason(brief_of(edited), "theme_weight_drifted")


def more_without(levels: pd.DataFrame, gone: str) -> pd.DataFrame:
    return levels[(levels["index"] != gone) & (levels["day"] != gone)]


# --- what is not on file, and traps -------------------------------------------------------------------


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


def until(table: str, day: str) -> dict[str, pd.DataFrame]:
    """Return the tables, of which one ends with a day."""
    edited = tables()
    edited[table] = edited[table][pd.to_datetime(edited[table]["day"]) <= pd.Timestamp(day)]
    return edited


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


# --- real data ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_real_fund_on_the_day_of_the_note(shared):
    folder = shared / "tidy-cn"
    market = Market(
        {
            "bars": pd.read_csv(folder / "bars.csv.gz"),
            "units": pd.read_csv(folder / "units.csv.gz"),
            "index_bars": pd.read_csv(folder / "index_bars.csv.gz", dtype={"index": str}),
            "actions": pd.read_csv(folder / "actions.csv"),
        }
    )
    brief = make_brief(market, FUND, D0)
    assert brief["close"] == 0.728
    assert brief["adtv_month"] == pytest.approx(325.8e6, abs=0.05e6)
    assert brief["adtv_20"] == pytest.approx(348.2e6, abs=0.05e6)
    assert brief["price_record"] is False
    assert brief["price_high"] == pytest.approx(0.731)
    assert brief["price_high_day"] == "2025-08-19"
    assert brief["fund_ytd"] == pytest.approx(0.510, abs=5e-4)
    assert brief["index_ytd_930713"] == pytest.approx(0.351, abs=5e-4)
    assert brief["index_ytd_931071"] == pytest.approx(0.427, abs=5e-4)
    assert brief["index_ytd"] is None
    assert "970070" in reason(brief, "index_ytd")
    assert brief["adtv_month_rank"] is None
    assert "159381.SZ" in reason(brief, "adtv_month_rank")
    assert brief["peers"] == 6
    for name in ("net_inflow_5_vwap", "units", "aum", "net_financing_4", "theme_weight"):
        assert brief[name] is None
        assert "on file" in reason(brief, name)
    closes = {day: make_brief(market, FUND, date(2025, 8, day))["close"] for day in (13, 18)}
    assert closes == {13: 0.684, 18: 0.713}
    found = verify(market, symbol=FUND, allow=("all",)).verdicts
    assert [each.statement.name for each in found if each.word == "differs"] == []
    told = {(each.statement.name, each.statement.day) for each in found if each.word == "agrees"}
    names = (
        "adtv",
        "adtv_month",
        "adtv_20",
        "price_high",
        "price_high_day",
        "price_record",
        "fund_ytd",
        "peers",
    )
    assert {(name, D0) for name in names} <= told
    assert {("close", SPLIT_RECORD.date()), ("close", SPLIT_EX.date())} <= told


# --- the page -----------------------------------------------------------------------------------------


def test_what_is_drawn_is_what_the_lines_are_of(brief):
    assert len(brief.sessions) == len(DAYS)
    assert brief.series["flow"][-5:] == pytest.approx([102e6, 134e6, 175e6, 144e6, 104.0031e6])
    assert brief.series["financing"][-4:] == pytest.approx([12.057e6, 15e6, 15e6, 12e6])
    # Before the split there were half the units, at twice the price.
    assert (brief.series["units"][0], brief.series["units"][-1]) == (2.8e9, 3.96997e9)
    before = list(brief.sessions).index(SPLIT_RECORD.date())
    assert brief.series["close"][before] == pytest.approx(0.595, abs=0.0006)
    assert brief.series["nav"][before] == pytest.approx(brief.series["close"][before] - 0.0005, abs=0.0006)
    assert brief.series["turnover"][-1] == pytest.approx(325.8e6)
    assert brief.indices["970070"][-1] == pytest.approx(0.52)
    assert np.isfinite(brief.indices["970070"]).sum() == 2
    assert np.isnan(brief.indices["932456"]).all()


def test_a_page_has_cards_charts_and_every_line(here, tmp_path):
    Store("evening").append(Market(until("margin", "2025-08-19")).tables)
    words = ("brief", FUND, "--data", "evening", "--allow", "all", "--page", "--json")
    code, printed, complained = here(*words)
    assert code == 0, complained
    document = json.loads(printed)
    (folder,) = (tmp_path / "results").iterdir()
    assert re.fullmatch(r"brief-159363\.SZ-2025-08-20-[0-9a-f]{8}", folder.name)
    assert document["page"] == f"results/{folder.name}/brief.html"
    kept = json.loads((folder / "brief.json").read_text(encoding="utf-8"))
    assert kept == {name: each for name, each in document.items() if name not in ("page", "folder")}
    page = (folder / "brief.html").read_text(encoding="utf-8")
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<b>659.00 m CNY</b>" in page
    assert '<b class="word Inflow">Inflow</b> 659.00 m CNY over ' in page
    assert "<span>Margin balance</span><b>100.00 m CNY</b><small>latest known: 2025-08-19</small>" in page
    assert page.count("<svg") == 8
    assert "SYNTHETIC" not in page
    # Each line once, and a row for each input that is not on file; two heads more.
    without = [name for names in document["missing"].values() for name in names]
    assert set(document["missing"]) == {"index_bars"}
    assert page.count("<tr>") == 3 + len(document["values"]) + len(document["missing"])
    assert f"{len(without)} of {len(document['values'])} lines have no value, because inputs" in page
    assert "<td>+12.00 pp</td>" in page
    assert not re.search(r"\d %<", page)  # as all pages write it: 12.34%


def test_a_page_without_units_or_margin_leaves_their_charts_out():
    bars = {name: frame for name, frame in tables().items() if name in ("bars", "actions")}
    charts = brief_charts(brief_of(bars))
    assert [each.name for each in charts] == ["turnover", "prices"]
    assert [each.title for each in charts] == ["Turnover, CNY", "Close, CNY"]


def test_what_is_not_on_file_is_one_statement_by_input_with_what_brings_it(tmp_path):
    frames = tables()
    peer = frames["bars"]["symbol"] == "159382.SZ"
    bars = {"bars": frames["bars"][~peer], "actions": frames["actions"], "index_bars": frames["index_bars"]}
    found = brief_command(Market(bars), FUND, D0, allow=("all",))
    shown, missing = missing_by_input(found.brief.facts)
    assert len(shown) + sum(map(len, missing.values())) == len(found.brief.facts)
    assert [fact.name for fact in missing["nav"]] == ["nav", "premium"]
    assert [fact.name for fact in missing["bars"]] == ["adtv_month_rank", "adtv_20_rank"]
    assert {fact.name for fact in missing["units"]} >= {"net_inflow_5_nav", "inflow_streak", "units"}
    # Only what has no value, or heads what has one, is left where it stood.
    assert [fact.name for fact in shown if fact.lacks] == []
    page = found.save(tmp_path) / "brief.html"
    text = re.sub(r"<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    fetch = "<code>etflow data fetch --provider akshare --symbols"
    own = "--tables units,nav,margin,index_bars,index_weights --indices 931487,932456,970070"
    assert f"{fetch} {FUND} {own} --start 2024-12-01 --data STORE" in text
    assert f"{fetch} 159382.SZ --tables bars --start 2024-12-01 --data STORE" in text
    assert (
        '<b class="word Cannot-be-told">Cannot be told</b> whether money came or went: no unit count' in text
    )


def test_a_line_without_a_value_stands_where_one_below_it_has_one():
    frames = tables()
    levels = frames["index_bars"]
    frames["index_bars"] = levels[levels["index"] != "970070"]
    shown, missing = missing_by_input(brief_of(frames).facts)
    names = [fact.name for fact in shown]
    assert names.index("index_ytd_930713") == names.index("index_ytd") + 1
    assert [fact.name for fact in missing["index_bars"]][:2] == [
        "index_ytd_over_930713",
        "index_ytd_over_931071",
    ]


# --- the command --------------------------------------------------------------------------------------


def test_the_real_command_line_prints_one_document(tmp_path):
    words = ["brief", "157001", "--on", "2025-08-20", "--json"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["symbol"] == "157001.SZ"
    assert document["day"] == "2025-08-20"
    assert "public by the open of 2025-08-21" in document["basis"]
    assert "SYNTHETIC" in document["notice"]
    values = document["values"]
    assert values["peers"] == 6
    units = document["units_of_measure"]
    assert units["premium"] == "fraction"
    assert "percent" not in units.values()
    assert set(document["reasons"]) == {name for name, value in values.items() if value is None}
    assert list(tmp_path.iterdir()) == []


def test_a_page_for_people(here):
    code, printed, complained = here("brief", "157001.SZ")
    assert code == 0, complained
    assert "SYNTHETIC" in printed
    assert re.search(r"net inflow over 5 sessions, at VWAP +-?[\d,]+\.\d\d CNY", printed)


def test_a_value_of_the_day_before_says_so_on_the_terminal_and_in_json(here):
    Store("evening").append(Market(until("margin", "2025-08-19")).tables)
    words = ("brief", FUND, "--data", "evening", "--allow", "all")
    code, printed, complained = here(*words)
    assert code == 0, complained
    assert re.search(r"^margin balance +100,000,000.00 CNY +latest known: 2025-08-19$", printed, re.MULTILINE)
    assert re.search(r"latest known: 2025-08-19; 2025-08-14 to 2025-08-19$", printed, re.MULTILINE)
    assert re.search(r"^  ahead of 950180 by +\+12.00 pp", printed, re.MULTILINE)
    assert re.search(r"^  of 930713 中证人工智能主题指数 +35.1\d%", printed, re.MULTILINE)
    document = json.loads(here(*words, "--json")[1])
    assert document["older"]["margin_balance"] == "2025-08-19"
    assert document["values"]["margin_balance"] == 100e6
    assert document["currency"] == "CNY"
    assert "units" not in document["older"]


def judged(here, words: Sequence[str], code: int) -> dict[str, dict]:
    got, printed, complained = here("brief", *words, "--json")
    assert got == code, complained
    return {each["statement"]: each for each in json.loads(printed)["statements"]}


def test_the_note_that_ships_agrees_with_a_market_on_which_it_holds(here):
    Store("note").append(Market(tables()).tables)
    asked = ("159363", "--on", "2025-08-20", "--verify", "shipped", "--data", "note", "--allow", "all")
    found = judged(here, asked, 5)
    assert {name for name, each in found.items() if each["verdict"] != "agrees"} == {"adtv_20"}
    assert found["adtv_20"]["by"] == pytest.approx(325.8e6 - 348.2e6)  # every session of ours has the same
    assert found["net_inflow_5"]["line"] == "net_inflow_5_vwap"
    assert found["financing_4"]["line"] == "net_financing_4"
    assert (found["aum"]["said"], found["theme_weight"]["said"]) == ("2850000000", ">0.41")
    code, printed, complained = here("brief", *asked)
    assert code == 5
    assert re.search(r"^adtv_20 .* differs by -22,400,000 +adtv_20$", printed, re.MULTILINE)
    assert f"\n{len(found) - 1} agree, 1 differ, 0 cannot be told\n" in printed
    assert complained.endswith(
        "the data differ from 1 statement, first `adtv_20` of 159363.SZ on 2025-08-20.\n"
    )


def said(folder: Path, *rows: str) -> Path:
    path = folder / "said.csv"
    path.write_text("\n".join(("statement,fund,day,value,tolerance,source", *rows)) + "\n", encoding="utf-8")
    return path


def verdicts(folder: Path, edited: dict[str, pd.DataFrame], *rows: str) -> list[tuple[str, str]]:
    found = verify(Market(edited), said(folder, *rows), allow=("all",))
    return [(each.sentence, each.line) for each in found.verdicts]


def test_a_statement_agrees_with_any_line_that_it_may_mean(tmp_path):
    rows = (
        "financing_4,159363,2025-08-20,42e6,,",
        "net_financing_4,159363,2025-08-20,42e6,,",
        "financing_4,159363,2025-08-20,43e6,999999,",
        "inflow_streak,159363,2025-08-20,>=6,,",
        "units_record,159363,2025-08-20,no,,",
        "price_high_day,159363,2025-08-20,2025-08-19,,",
        "net_inflow_2_close,159363,2025-08-20,250e6,0.1e6,",  # 200 * 0.731 + 142.47 * 0.728 = 249.91816
        "net_inflow_2_close,159363,2025-08-20,250e6,81839,",
    )
    assert verdicts(tmp_path, tables(), *rows) == [
        ("agrees", "net_financing_4_before"),
        ("differs by +12,057,000", "net_financing_4"),
        ("differs by -1,000,000", "net_financing_4_before"),
        ("agrees", "inflow_streak"),
        ("differs", "units_record"),
        ("agrees", "price_high_day"),
        ("agrees", "net_inflow_2_close"),
        ("differs by -81,840", "net_inflow_2_close"),
    ]


def test_what_is_not_of_the_day_cannot_be_told(tmp_path):
    rows = (
        "margin_balance,159363,2025-08-20,100e6,,",
        "balance,159363,2025-08-20,100e6,,",
        "balance,159363,2025-08-20,112e6,,",
        "index_ytd_932456,159363,2025-08-20,0.3,,",
        "index_ytd_000300,159363,2025-08-20,0.1,,",
        "close,159363,2025-08-16,0.668,,",
        "close,515980,2025-08-20,1.0,,",
    )
    latest = "cannot be told because the latest known is of 2025-08-19: 100000000"
    found = verdicts(tmp_path, until("margin", "2025-08-19"), *rows)
    assert found[:3] == [
        (latest, "margin_balance"),
        ("agrees", "margin_balance_before"),
        (latest, "margin_balance"),
    ]
    assert [sentence.removeprefix("cannot be told because ") for sentence, _ in found[3:]] == [
        "no level of 932456 on file for 2025-08-20",
        "the brief has no line `index_ytd_000300` for this fund",
        "no session on that day: 2025-08-16",
        "`fixture` has no bars of 515980.SH",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "net_inflw_5,159363,2025-08-20,1,,",
            r"row 1: no line .* `net_inflw_5`.*Did you mean `net_inflow_5`",
        ),
        ("close,1593?3,2025-08-20,1,,", "row 1: .*not a symbol"),
        ("close,159363,20 August,1,,", "row 1: `day` is not a day; received 20 August"),
        ("close,159363,2025-08-20,41%,,", "row 1: `value` is not a number; received 41%"),
        ("close,159363,2025-08-20,0.4_1,,", "row 1: `value` is not a number; received 0.4_1"),
        ("close,159363,2025-08-20,1,-1,", "row 1: `tolerance` is out of bounds"),
        ("units_record,159363,2025-08-20,1,,", "row 1: `value` is neither yes nor no; received 1"),
        ("close,159363", "row 1 is too short"),
    ],
)
def test_a_file_of_statements_is_refused_with_the_row_and_what_is_wrong(tmp_path, row, message):
    with pytest.raises(UsageError, match=message):
        read_statements(said(tmp_path, row))


def test_a_file_that_is_none_of_statements_is_refused(tmp_path):
    with pytest.raises(UsageError, match="has no statements"):
        read_statements(said(tmp_path))
    with pytest.raises(UsageError, match=r"cannot read the file of statements .*nowhere\.csv"):
        read_statements(tmp_path / "nowhere.csv")
    (tmp_path / "said.csv").write_text("statement,fund,day,value\n")
    with pytest.raises(UsageError, match="lacks tolerance, source"):
        read_statements(tmp_path / "said.csv")


def test_every_statement_that_ships_names_lines_and_is_about_a_session():
    for each in read_statements(FACTS / "statements.csv"):
        assert calendar_for("cn_etf").is_session(each.day), each
        units = {line_of(name).unit for name in each.lines}
        assert len(units) == 1, each


def test_a_universe_is_ranked_by_a_line_of_the_brief():
    found = rank(Market(tables()), "chinext_ai", D0, by="adtv_20", allow=("all",)).document()["funds"]
    order = sorted(TURNOVER, key=TURNOVER.__getitem__, reverse=True)
    assert [(each["rank"], each["symbol"]) for each in found] == [*enumerate(order, start=1)]
    assert found[1]["values"]["adtv_20"] == pytest.approx(90e6)
    assert "no unit count on file" in found[1]["reasons"]["net_inflow_5_ratio"]


def test_a_universe_is_a_row_for_each_fund_on_the_terminal(here):
    edited = tables()
    edited["bars"] = edited["bars"][edited["bars"]["symbol"].isin([FUND, "159242.SZ"])]
    Store("note").append(Market(edited).tables)
    code, printed, complained = here("brief", "--universe", "chinext_ai", "--data", "note", "--allow", "all")
    assert code == 0, complained
    # Of the others no units are on file.
    assert re.search(r"^1 +159363.SZ .* 31.85% +6 +2,888,153,175.00 +yes ", printed, re.MULTILINE)
    assert re.search(r"^ +159242.SZ .* n/a", printed, re.MULTILINE)
    assert complained.startswith("warning: listed, but not on file: 159381.SZ, 159382.SZ")


def test_a_page_of_a_universe_says_what_the_ranking_says(here, tmp_path):
    Store("family").append(Market(tables()).tables)
    words = ("brief", "--universe", "chinext_ai", "--by", "adtv_20", "--data", "family", "--allow", "all")
    code, printed, complained = here(*words, "--page", "--json")
    assert code == 0, complained
    document = json.loads(printed)
    (folder,) = (tmp_path / "results").iterdir()
    assert re.fullmatch(r"ranking-chinext_ai-2025-08-20-[0-9a-f]{8}", folder.name)
    assert document["page"] == f"results/{folder.name}/ranking.html"
    kept = json.loads((folder / "ranking.json").read_text(encoding="utf-8"))
    assert kept == {name: each for name, each in document.items() if name not in ("page", "folder")}
    page = re.sub(
        r"<script.*?</script>", "", (folder / "ranking.html").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert re.findall(r"<td class=\"text\">(\d+)</td>", page) == [
        str(each["rank"]) for each in document["funds"]
    ]
    assert re.findall(r"\d{6}\.S[ZH](?=<)", page.partition("<tbody>")[2]) == [
        each["symbol"] for each in document["funds"]
    ]
    assert "<td>90.00</td>" in page
    assert "<small>adtv_20, CNY m</small>" in page
    assert "6 of 6 funds ranked by adtv_20" in page
    assert page.count("<svg") == 1
    assert "highest 325,800,000.00" in page  # the bars in words


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_of_a_universe_is_whole_and_sorts(width, tmp_path):
    made = rank(Market(tables()), "chinext_ai", D0, by="adtv_20", allow=("all",))
    with opened(made.save(tmp_path) / "ranking.html", width) as (page, told):
        assert told == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(FAINT) == []
        # The name that `--by` takes is below the head, not run into its last word.
        below = page.locator("thead small").evaluate_all(
            "(names) => names.map((each) => getComputedStyle(each).display)"
        )
        assert set(below) == {"block"}
        turnover = page.locator("thead button", has_text="adtv_20")
        turnover.click()
        turnover.click()
        order = page.locator("tbody td:nth-child(1)").all_inner_texts()
        assert order == ["6", "5", "4", "3", "2", "1"]


def test_a_fund_that_is_known_to_the_day_before_has_no_rank():
    market = Market(until("units", "2025-08-19"))
    made = rank_funds(
        {FUND: ""},
        D0,
        "net_inflow_5_ratio",
        lambda fund, windows: make_brief(market, fund, D0, windows=windows),
    )
    assert made.rows[0].rank is None
    by_name = {fact.name: fact for fact in made.rows[0].facts}
    assert by_name["net_inflow_5_ratio"].older == date(2025, 8, 19)


def test_a_universe_is_ranked_as_it_was_on_the_day():
    edited = tables()
    edited["bars"] = edited["bars"][edited["bars"]["symbol"].isin(["159242.SZ", "159381.SZ"])]
    found = rank(Market(edited), "chinext_ai", date(2025, 7, 23), by="adtv_20", allow=("all",))
    assert [row.symbol for row in found.ranking.rows] == ["159381.SZ"]  # 159242 lists on the 24th
    assert found.not_on_file == ("159363.SZ", "159382.SZ", "159388.SZ", "159246.SZ")


def test_a_fund_without_a_bar_of_the_day_has_its_name_and_the_reason():
    edited = tables()
    bars = edited["bars"]
    edited["bars"] = bars[(bars["symbol"] != "159381.SZ") | (bars["day"] < pd.Timestamp(D0))]
    found = rank(Market(edited), "chinext_ai", D0, by="adtv_20", allow=("all",))
    row = next(row for row in found.ranking.rows if row.symbol == "159381.SZ")
    assert row.name == "创业板人工智能ETF华夏"
    assert (row.rank, row.facts) == (None, ())
    assert row.reason.startswith("159381.SZ has no bars on that day")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("brief",), 2, "SYMBOL"),
        (("brief", "1570?1"), 2, "not a symbol"),
        (("brief", "157999.SZ"), 3, r"no bars of 157999\.SZ.*Did you mean"),
        (("brief", "157001.SZ", "--on", "2025-08-16"), 2, "no session.*2025-08-15"),
        (("brief", "157001.SZ", "--on", "2025-08-21"), 3, "no bars on that day.*2025-08-20"),
        (("brief", "157001.SZ", "--on", "2001-01-02"), 3, "no bars on that day"),
        (("brief", "157001.SZ", "--on", "soon"), 2, "is not a day"),
        (("brief", "157001.SZ", "--sessions", "0"), 2, "`sessions`.*received 0"),
        (("brief", "157001.SZ", "--window", "inflow"), 2, "--window needs NAME=VALUE"),
        (("brief", "157001.SZ", "--window", "inflow=a"), 2, "whole numbers of sessions; received a"),
        (("brief", "157001.SZ", "--window", "inflo=5"), 2, "unknown window `inflo`.*Did you mean `inflow`"),
        (("brief", "157001.SZ", "--window", "turnover=0"), 2, "window `turnover`.*received 0"),
        (("brief", "157001.SZ", "--sessions", "5", "--window", "financing=5"), 2, "say the same"),
        (("brief", "--verify", "shipped", "--window", "inflow=5"), 2, "windows from the statements"),
        (("brief", "157001.SZ", "--verify", "shipped"), 2, r"no statement about that; received 157001\.SZ"),
        (("brief", "--universe", "chinext_ai"), 3, "no bars of any fund of the universe `chinext_ai`"),
        (("brief", "--universe", "chinex"), 2, "unknown universe `chinex`.*Did you mean `chinext_ai`"),
        (("brief", "157001.SZ", "--universe", "ai_cn"), 2, "goes with neither SYMBOL nor --verify"),
        (("brief", "--verify", "shipped", "--page"), 2, "--page is of the brief of a fund or of a universe"),
        (("brief", "157001.SZ", "--by", "aum"), 2, "--by is the order of --universe; received aum"),
        (("brief", "157001.SZ", "--data", "nowhere"), 3, "does not exist"),
        (("brief", "157001.SZ", "--allow", "unit-jum"), 2, "unknown check"),
    ],
)
def test_wrong_input_is_answered_in_one_line(here, words, code, message):
    got, printed, complained = here(*words)
    assert (got, printed) == (code, ""), complained
    assert complained.startswith("error: ")
    assert complained.count("\n") == 1
    assert re.search(message, complained), complained
