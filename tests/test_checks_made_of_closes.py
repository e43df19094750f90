"""Prices that were made of closes, converted or adjusted; volumes and balances that change their unit."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.facts.calendars import calendar_for
from tests.helpers.small_market import DAYS, PAYER, bars_of, check, clean_market, planted, scaled

CHINESE_DAYS = calendar_for("cn_etf").sessions(date(2025, 3, 3), date(2025, 8, 29))
US_DAYS = calendar_for("us_etf").sessions(date(2024, 1, 2), date(2024, 6, 28))
# Closes go up and down by a tick to three: 1.000, 1.003, 1.001, 1.004, …
WAVE = 1.0 + 0.003 * (np.arange(len(CHINESE_DAYS)) % 2) + 0.001 * (np.arange(len(CHINESE_DAYS)) % 7 // 2)


def chinese(opens: np.ndarray | None = None, **more: object) -> pd.DataFrame:
    """Bars that open a tick above the close before, if not told otherwise."""
    bars = bars_of(PAYER, WAVE, CHINESE_DAYS)
    bars["open"] = bars["open"] + 0.001 if opens is None else opens
    bars["high"] = bars[["open", "close"]].max(axis=1) + 0.002
    bars["low"] = bars[["open", "close"]].min(axis=1) - 0.002
    return bars.assign(**more)


# Closes taken for opens, and for all four prices


def test_opens_that_are_the_close_before_were_made_of_closes():
    (found,) = check({"bars": bars_of(PAYER, WAVE, CHINESE_DAYS)}, "copied-prices")
    assert (found.severity, found.symbol) == ("warning", PAYER)
    assert "the open is the close before on 100% of the days" in found.message


def test_an_open_that_is_the_close_before_on_two_days_of_three_is_one():
    bars = bars_of(PAYER, WAVE, CHINESE_DAYS)
    opens = bars["open"] + np.where(np.arange(len(bars)) % 3, 0.0, 0.001)
    assert check({"bars": chinese(opens.to_numpy())}, "copied-prices") == []


def test_bars_whose_four_prices_are_one_were_made_of_closes():
    bars = chinese()
    bars[["open", "high", "low"]] = bars[["close"] * 3].to_numpy()
    (found,) = check({"bars": bars}, "copied-prices")
    assert "all four prices are one on 100% of the days" in found.message
    # A third of the days is that of a fund that hardly trades.
    few = chinese()
    rows = few.index[few.index % 3 == 0]
    few.loc[rows, ["open", "high", "low"]] = few.loc[rows, ["close"] * 3].to_numpy()
    assert check({"bars": few}, "copied-prices") == []


def test_a_fund_of_a_few_lots_a_day_hardly_trades():
    # A trade of 1,000 units a day, or of one more.
    made = bars_of(PAYER, WAVE, CHINESE_DAYS)
    made[["open", "high", "low"]] = made[["close"] * 3].to_numpy()
    for bars in (bars_of(PAYER, WAVE, CHINESE_DAYS), made):
        assert check({"bars": bars.assign(volume=1_000.0, amount=np.nan)}, "copied-prices") == []
        (found,) = check({"bars": bars.assign(volume=1_001.0, amount=np.nan)}, "copied-prices")
        assert found.message.endswith("closes, or it hardly trades" if bars is made else "made of closes")


# American closes between two cents


def american(closes: np.ndarray, days: object = US_DAYS) -> pd.DataFrame:
    frame = pd.DataFrame({"symbol": "AIQ.US", "day": days, "open": closes, "close": closes, "volume": 1e6})
    return frame.assign(high=frame["close"] + 0.05, low=frame["close"] - 0.05)


def test_closes_adjusted_for_a_dividend_are_no_whole_cents():
    # 0.30 on a close of 30.00 takes one per cent off all closes before: 30.01 becomes 29.7099.
    closes = (3001 + 3 * np.arange(len(US_DAYS))) / 100
    adjusted = closes.copy()
    adjusted[:60] *= 0.99
    (found,) = check({"bars": american(adjusted)}, "no-cents")
    assert (found.severity, found.symbol, found.first) == ("warning", "AIQ.US", date(2024, 1, 2))
    # January and February have 21 and 20 sessions; of March 19 are among the first 60, and one is not.
    assert (found.count, found.last) == (61, date(2024, 3, 28))
    assert "closes of 61 bars are no whole cents, 29.7099 the first" in found.message
    assert check({"bars": american(closes)}, "no-cents") == []


def test_trades_between_two_cents_and_fractions_of_old_are_traded():
    closes = (3001 + 3 * np.arange(len(US_DAYS))) / 100
    some = closes + np.where(np.arange(len(closes)) % 2, 0.005, 0.0)
    assert check({"bars": american(some)}, "no-cents") == []
    days = calendar_for("us_etf").sessions(date(2000, 1, 3), date(2000, 6, 30))
    assert check({"bars": american(30 + np.arange(len(days)) / 32, days)}, "no-cents") == []


def test_closes_adjusted_for_two_splits_of_three_are_no_cents():
    closes = (3001 + 3 * np.arange(len(US_DAYS))) / 100
    thirds = closes / np.where(np.arange(len(closes)) < 63, 9, np.where(np.arange(len(closes)) < 90, 3, 1))
    (found,) = check({"bars": american(thirds)}, "no-cents")
    assert found.message.endswith("for dividends or for several splits, or in another currency")
    # One split is `split-adjusted`, and told there alone.
    once = american(closes / np.where(np.arange(len(closes)) < 63, 3, 1))
    assert [each.check for each in check({"bars": once}) if each.check in ("no-cents", "split-adjusted")] == [
        "split-adjusted"
    ]


def test_months_below_a_dollar_and_fewer_than_twenty_bars_tell_nothing():
    # 0.99 is below a dollar, where prices of four decimals are quoted; 1.00 is not.
    cheap = 0.9 + 0.0007 * np.arange(len(US_DAYS))
    assert check({"bars": american(cheap)}, "no-cents") == []
    assert check({"bars": american(cheap + 0.1)}, "no-cents")
    closes = (3001 + 3 * np.arange(len(US_DAYS))) / 100
    for bars, said in ((19, 0), (20, 1)):
        days = calendar_for("us_etf").sessions(date(2024, 2, 1), date(2024, 6, 28))
        some = closes[: len(days)].copy()
        some[:bars] *= 0.99  # February has twenty sessions
        assert len(check({"bars": american(some, days).iloc[20 - bars :]}, "no-cents")) == said


def test_what_a_source_calls_adjusted_is_told_once():
    closes = (3001 + 3 * np.arange(len(US_DAYS))) / 100 * 0.99
    bars = american(closes).assign(source="yahoo, qfq")
    assert check({"bars": bars}, "no-cents") == []
    assert [each.check for each in check({"bars": bars})].count("adjusted-prices") == 1


# Volume without an amount, that changes from lots to shares


@pytest.mark.parametrize(("lots", "said"), [(slice(0, 60), "more"), (slice(120, None), "less")])
def test_volume_in_lots_in_a_part_of_a_series_without_amounts(lots, said):
    bars = chinese(amount=np.nan)
    bars.loc[bars.index[lots], "volume"] /= 100
    (found,) = check({"bars": bars}, "lots-for-shares")
    place = 60 if said == "more" else 120
    assert (found.severity, found.first) == ("warning", CHINESE_DAYS[place].item())
    assert f"a hundred times {said} from this day on" in found.message
    units = ("lots", "shares") if said == "more" else ("shares", "lots")
    until = f'volume = "{units[0]} until {CHINESE_DAYS[place - 1]}, {units[1]} after"'
    assert until in found.hint


def test_a_fund_that_is_suddenly_traded_a_lot_has_other_volumes_between():
    # Ten times as much, then a hundred times: no day on which the unit can have changed.
    bars = chinese(amount=np.nan)
    bars.loc[60:63, "volume"] *= 10
    bars.loc[64:, "volume"] *= 100
    assert check({"bars": bars}, "lots-for-shares") == []
    bars = chinese(amount=np.nan)
    bars.loc[60, "volume"] *= 100
    assert check({"bars": bars}, "lots-for-shares") == []
    # A thousand times as much from one day on is of no unit that volume has, and thirty times neither.
    for times in (1000, 30):
        bars = chinese(amount=np.nan)
        bars.loc[60:, "volume"] *= times
        assert check({"bars": bars}, "lots-for-shares") == []


# Balances


@pytest.mark.parametrize("factor", [1e-4, 1e-8, 1e-3])
def test_balances_that_change_their_unit_of_measure_stop_a_run(factor):
    edit = scaled(PAYER, ["balance", "bought", "repaid"], factor, slice(20, None))
    (found,) = check(planted("margin", edit), "margin-scale")
    assert (found.severity, found.first) == ("error", DAYS[20].date())
    # 100,000,000 and, on each of 20 sessions k, 500,000 + 10,000 k: 111,900,000; with the 21st 112,600,000.
    assert f"balances change from 111,900,000 to {112_600_000 * factor:,.0f}" in found.message


def test_a_balance_that_grows_a_hundredfold_is_a_balance():
    assert check(planted("margin", scaled(PAYER, "balance", 0.01, slice(0, 3))), "margin-scale") == []
    assert check(planted("margin", scaled(PAYER, "balance", 1e-4)), "margin-scale") == []


def balances(*figures: float, symbol: str = "159363.SZ") -> pd.DataFrame:
    return pd.DataFrame({"symbol": symbol, "day": CHINESE_DAYS[: len(figures)], "balance": figures})


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        # A fund that became eligible the day before yesterday, and one holder who repays at last.
        ([8_312, 11_950], [14_300_000] * 40, False),
        ([12_000_000] * 30, [12_000, 11_000], False),
        ([12_000_000] * 20, [12_000] * 4, False),
        ([12_000_000] * 5, [12_000] * 5, True),
        # Twice and a half the thousand is no unit of measure, and less than ten million may be one purchase.
        ([20_000] * 10, [50_000_000] * 10, False),
        ([20_000] * 10, [20_000_000] * 10, True),
        ([9_900] * 10, [9_900_000] * 10, False),
        # For a day only, and back.
        ([12_000_000] * 10, [12_000, *[12_000_000] * 10], False),
    ],
)
def test_a_unit_of_measure_changes_for_good(before, after, found):
    said = check({"margin": balances(*before, *after)}, "margin-scale")
    assert [each.first for each in said if each.severity == "error"] == (
        [CHINESE_DAYS[len(before)].item()] if found else []
    )


@pytest.mark.parametrize(("funds", "found"), [(5, 5), (4, 0)])
def test_the_last_list_in_another_unit_is_told_by_its_funds(funds, found):
    codes = [f"15936{number}.SZ" for number in range(funds)]
    frames = [balances(*[12_000_000] * 10, 1_200, symbol=code) for code in codes]
    said = check({"margin": pd.concat(frames, ignore_index=True)}, "margin-scale")
    assert [each.first for each in said] == [CHINESE_DAYS[10].item()] * found
    # As many funds without a change leave no majority.
    more = [balances(*[12_000_000] * 11, symbol=f"15937{number}.SZ") for number in range(funds)]
    assert check({"margin": pd.concat([*frames, *more], ignore_index=True)}, "margin-scale") == []


def test_a_small_fund_may_have_a_few_thousand_yuan():
    small = balances(*(6_000 + 37 * np.arange(60)))
    for margin, severity in (
        (small, "warning"),
        (small.assign(balance=small["balance"] + 0.25), "error"),  # 10^4 yuan have decimals
        (small.assign(balance=100.0), "warning"),
        (small.assign(balance=99.0), "error"),
    ):
        (found,) = check({"margin": margin}, "margin-scale")
        assert (found.severity, found.count) == (severity, 60)


def test_balances_next_to_nothing_are_in_another_unit():
    # 100 million and more; of a market 10^9 is the least, and 21,000 are 10^8 yuan.
    (found,) = check(planted("margin", scaled(PAYER, "balance", 1e-8)), "margin-scale")
    assert (found.severity, found.count) == ("error", len(DAYS))
    assert 'measures = { balance = "10^8" }' in found.hint
    few = pd.DataFrame({"symbol": "159363.SZ", "day": DAYS[:3], "balance": [1.10, 1.12, 1.13]})
    (found,) = check({"margin": few}, "margin-scale")
    assert (found.severity, found.symbol) == ("warning", "159363.SZ")
    assert "balances are 1.12 in the middle" in found.message
    assert check({"margin": few.assign(balance=[0.0, 0.0, 10_000.0])}, "margin-scale") == []
    (found,) = check({"margin": few.assign(symbol="CN", balance=21_000.0)}, "margin-scale")
    assert found.severity == "error"


def test_a_balance_above_what_the_whole_fund_is_worth_is_in_another_unit():
    # 50 to 90 million units of about one yuan, balances of 100 million and more; times 10^4, and as they are.
    (found,) = check(planted("margin", scaled(PAYER, ["balance", "bought", "repaid"], 1e4)), "margin-scale")
    assert (found.severity, found.count) == ("error", len(DAYS))
    assert "times what all units of the fund are worth" in found.message
    assert check(clean_market(), "margin-scale") == []


@pytest.mark.parametrize("known", ["units", "trades"])
def test_a_whole_history_of_balances_in_ten_thousand_yuan_is_told_by_what_the_fund_is_worth(known):
    # 3 billion units of about a yuan, of which 120 million on credit: 12,000 in 10^4.
    many = len(CHINESE_DAYS)
    margin = balances(*(120e6 + 1e5 * np.arange(many)), symbol=PAYER)
    market = {"bars": chinese(volume=2e9, amount=np.nan)}
    if known == "units":
        units = pd.DataFrame({"symbol": PAYER, "day": CHINESE_DAYS, "units": 3e9 + 1e6 * np.arange(many)})
        market = {"bars": chinese(), "units": units}
    assert check(market | {"margin": margin}, "margin-scale") == []
    (found,) = check(market | {"margin": margin.assign(balance=margin["balance"] / 1e4)}, "margin-scale")
    assert (found.severity, found.count) == ("warning", many)
    assert ("what all units of the fund are worth" in found.message) == (known == "units")
    assert 'measures = { balance = "10^4" }' in found.hint
    # 60,000 yuan are two hundred thousandths of three billion, and of 19 days nothing is said.
    small = margin.assign(balance=60_000.0)
    assert check(market | {"margin": small}, "margin-scale") == []
    few = margin.assign(balance=margin["balance"] / 1e4).head(19)
    assert check(market | {"margin": few}, "margin-scale") == []


def test_purchases_above_the_balance_day_after_day_are_the_balance():
    def exchanged(margin):
        return margin.assign(balance=margin["bought"], bought=margin["balance"])

    (found,) = check(planted("margin", exchanged), "margin-identity")
    assert found.severity == "warning"
    assert "purchases of a day are larger than the balance" in found.message
    assert found.count == len(DAYS)


# NAV


def test_accumulated_nav_is_above_closes_in_the_middle():
    def edit(nav):
        nav.loc[nav["symbol"] == PAYER, "nav"] += 0.05

    (found,) = check(planted("nav", edit), "nav-premium")
    # Closes of about 1.00 against 1.05: -4.8 %.
    assert (found.severity, found.symbol, found.count) == ("warning", PAYER, len(DAYS))
    assert "closes are -4.7% away from NAV in the middle of 41 days" in found.message
    assert check(clean_market(), "nav-premium") == []


def under(symbol: str, nav: pd.Series) -> dict[str, pd.DataFrame]:
    """Bars and NAV of PAYER under another code."""
    bars = clean_market()["bars"].query("symbol == @PAYER")
    navs = pd.DataFrame({"symbol": symbol, "day": DAYS, "nav": nav.to_numpy()}).dropna()
    return {"bars": bars.assign(symbol=symbol), "nav": navs}


@pytest.mark.parametrize("symbol", ["513100.SH", "162411.SZ", "164824.SZ", "501018.SH", "501312.SH"])
def test_funds_of_foreign_stocks_may_be_dear_for_months(symbol):
    # The Nasdaq-100, and LOFs of oil, India and technology: a premium of five per cent for as long as the
    # quota is used up, and NAV a session late. Of a fund of China both are told.
    closes = clean_market()["bars"].query("symbol == @PAYER")["close"]
    assert check(under(symbol, closes / 1.05), "nav-premium") == []
    assert check(under(symbol, closes.shift()), "nav-shifted") == []
    assert len(check(under(PAYER, closes / 1.05), "nav-premium")) == 1
    assert len(check(under(PAYER, closes.shift()), "nav-shifted")) == 1
    # On a day a fifth off is told of any.
    (found,) = check(under(symbol, closes / np.where(np.arange(len(DAYS)) == 30, 1.25, 1.05)), "nav-premium")
    assert found.first == DAYS[30].date()


@pytest.mark.parametrize(("days", "found"), [(19, 0), (20, 1)])
def test_twenty_days_tell_where_nav_is_in_the_middle(days, found):
    closes = clean_market()["bars"].query("symbol == @PAYER")["close"]
    for nav, name in ((closes / 1.05, "nav-premium"), (closes.shift(), "nav-shifted")):
        assert len(check(under(PAYER, nav.where(np.arange(len(nav)) >= len(nav) - days)), name)) == found


def test_the_latest_year_tells_which_session_nav_is_of():
    # Of 540 sessions NAV is a session late on all but the latest 126, or on all but the latest 124.
    days = calendar_for("cn_etf").sessions(date(2023, 1, 3), date(2025, 6, 30))[-540:]
    closes = pd.Series(1.0 + 0.01 * (np.arange(540) % 5))
    for right, found in ((126, 0), (124, 1)):
        nav = closes.shift().where(np.arange(540) < 540 - right, closes)
        tables = {
            "bars": bars_of(PAYER, closes, days),
            "nav": pd.DataFrame({"symbol": PAYER, "day": days, "nav": nav}).dropna(),
        }
        assert len(check(tables, "nav-shifted")) == found


def test_nav_that_is_dated_two_sessions_late():
    def edit(nav):
        late = nav[nav["symbol"] == PAYER]
        shifted = late.assign(nav=late["nav"].shift(2)).dropna(subset=["nav"])
        return pd.concat([shifted, nav[nav["symbol"] != PAYER]], ignore_index=True)

    (found,) = check(planted("nav", edit), "nav-shifted")
    assert "NAV is dated 2 sessions late" in found.message
