"""The statements of a market note, computed; each on a market where it holds by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from data.demo import Demo
from data.load import load_panel
from engine.briefs.brief import make_brief
from engine.commands.verify import verify
from strategies import STRATEGIES
from tests.helpers.brief_market import (
    CLOSES,
    CREATED,
    D0,
    FUND,
    SPLIT_EX,
    SPLIT_RECORD,
    Market,
    brief_of,
    note,
    reason,
    tables,
)


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
