"""What vendors do to bars: rounding to cents, adjusting for splits, one venue's trades, weekly rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.checks import run_checks
from data.facts.calendars import calendar_for
from data.importing import import_files
from data.load import load_panel
from data.store.store import Store
from strategies import STRATEGIES
from tests.helpers.small_market import DAYS, PAYER, PRICES, check, clean_market, planted

US_DAYS = calendar_for("us_etf").sessions(date(2024, 1, 2), date(2024, 6, 28))


def american(closes: object, symbol: str = "AIQ.US", volume: object = 1e6, **more: object) -> pd.DataFrame:
    frame = pd.DataFrame({"day": US_DAYS, "close": closes, "symbol": symbol, "volume": volume})
    prices = {"open": frame["close"], "high": frame["close"] + 0.05, "low": frame["close"] - 0.05}
    return frame.assign(**prices, **more)


def cents(start: float) -> np.ndarray:
    """Closes in whole cents, no two the same, and none of them three times a cent."""
    return (start * 100 + 1 + 3 * np.arange(len(US_DAYS))) / 100


# Rounding


def test_chinese_prices_in_whole_cents_were_rounded():
    def edit(bars):
        march = (bars["symbol"] == PAYER) & (bars["day"] >= "2025-03-01") & (bars["day"] < "2025-04-01")
        bars.loc[march, PRICES] = bars.loc[march, PRICES].round(2)

    (found,) = check(planted("bars", edit), "price-grid")
    # March 2025 has 21 sessions. Half a cent of about one yuan.
    assert (found.severity, found.symbol, found.count) == ("warning", PAYER, 21)
    assert (found.first, found.last) == (date(2025, 3, 3), date(2025, 3, 31))
    assert "rounded, by up to 0.50%" in found.message


def test_american_prices_are_whole_cents():
    assert check({"bars": american(cents(30.0))}, "price-grid") == []


def test_american_prices_that_are_whole_dollars_for_months_are_counted_in_cents():
    bars = american(cents(30.0))
    bars[["open", "high", "low", "close"]] = (bars[["open", "high", "low", "close"]] * 100).round()
    (found,) = check({"bars": bars.assign(amount=np.nan)}, "price-grid")
    assert (found.severity, found.count) == ("warning", len(bars))
    assert "whole dollars, 3," in found.message
    assert "counted in cents" in found.message
    # A fund of three dollars may close at one of them.
    few = american(cents(3.0))
    few.loc[few.index[:9], ["open", "high", "low", "close"]] = 3.0
    assert check({"bars": few}, "price-grid") == []


# Splits


def split_prices(ratio: int) -> tuple[np.ndarray, int]:
    """Closes of which the first 60 are adjusted for a split 1:ratio, rounded as Yahoo does."""
    closes = cents(90.0)
    closes[:60] = (closes[:60] / ratio).round(6)
    return closes, 60


@pytest.mark.parametrize("ratio", [2, 3, 4])
@pytest.mark.parametrize("counted", [True, False])
def test_prices_that_are_whole_ticks_only_if_multiplied_are_adjusted_for_a_split(ratio, counted):
    closes, until = split_prices(ratio)
    units = pd.DataFrame({"symbol": "AIQ.US", "day": US_DAYS, "units": 5e7})
    tables = {"bars": american(closes)} | ({"units": units} if counted else {})
    (found,) = check(tables, "split-adjusted")
    assert (found.severity, found.symbol) == ("error" if counted else "warning", "AIQ.US")
    # With two, every other price is a whole tick all the same; here the last one before the split is none.
    assert until - 2 <= found.count <= until
    assert f"are if multiplied by {ratio}: prices are adjusted for a split 1:{ratio}" in found.message


def test_traded_prices_and_recorded_splits_are_left_alone():
    assert check({"bars": american(cents(90.0))}, "split-adjusted") == []
    closes, _ = split_prices(3)
    action = {"symbol": "AIQ.US", "kind": "split", "ex_day": str(US_DAYS[60]), "ratio": 3.0}
    assert check({"bars": american(closes), "actions": pd.DataFrame([action])}, "split-adjusted") == []


def test_prices_with_dividends_in_them_are_not_taken_for_a_split():
    closes = cents(90.0) * np.linspace(0.9731, 1.0, len(US_DAYS))
    assert check({"bars": american(closes)}, "split-adjusted") == []


def test_files_that_do_not_record_splits_are_named_once_for_all():
    bars = [american(cents(30.0), f"{name}.US", source="yahoo, split-adjusted") for name in ("AIQ", "BOTZ")]
    (found,) = check({"bars": pd.concat(bars)}, "split-adjusted")
    assert (found.severity, found.symbol) == ("warning", "US")
    assert "prices of 2 funds" in found.message
    assert "AIQ.US, BOTZ.US" in found.message


@pytest.mark.parametrize("how", ["qfq", "hfq"])
def test_prices_whose_source_says_that_they_are_adjusted_stop_a_run(how):
    (found,) = check({"bars": american(cents(30.0), source=f"yahoo, {how}")}, "adjusted-prices")
    assert (found.severity, found.count) == ("error", len(US_DAYS))
    assert f"their source says that they are adjusted: yahoo, {how}" in found.message


def test_a_split_of_yahoo_beside_counts_as_published_makes_no_flow(tmp_path: Path):
    """SOXX split 1:3 on 7 March 2024, and published 20.2 and then 60.0 million units: a flow of -1 %."""
    split = list(US_DAYS).index(np.datetime64("2024-03-07"))
    header = "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits"
    for ticker, start in (("SOXX", 70.0), ("SMH", 90.0)):
        rows = [
            f"{day} 00:00:00-05:00,{c},{c + 1},{c - 1},{c},{c},3000000,0.0,"
            + ("3.0" if ticker == "SOXX" and row == split else "0.0")
            for row, (day, c) in enumerate(zip(US_DAYS, cents(start), strict=True))
        ]
        (tmp_path / f"{ticker}.csv").write_text("\n".join([header, *rows]))
    # A few units more every day, for counts that stand still are suspicious.
    drift = np.arange(len(US_DAYS)) % 2 * 1e4
    counts = np.where(np.arange(len(US_DAYS)) < split, 20.2e6, 60.0e6) + drift
    units = pd.DataFrame({"symbol": "SOXX.US", "day": US_DAYS, "units": counts})
    other = units.assign(symbol="SMH.US", units=5e7 + drift)
    pd.concat([units, other]).to_csv(tmp_path / "units.csv", index=False)
    store = Store(tmp_path / "store")
    import_files([tmp_path], store)
    assert run_checks(store) == ()
    scores = STRATEGIES["share_inflow"](lookback=20).scores(load_panel(store).known)
    soxx = scores[split + 2 : split + 20, 1]
    # -0.6 of 60.6 million units of the new basis.
    assert soxx.min() == pytest.approx(-0.01, rel=0.05)
    assert soxx.max() < 0
    # Recording the split by hand says the same, and changes nothing.
    action = {
        "symbol": "SOXX.US",
        "kind": "split",
        "ex_day": "2024-03-07",
        "record_day": "2024-03-06",
        "ratio": 3,
    }
    pd.DataFrame([action]).to_csv(tmp_path / "actions.csv", index=False)
    import_files([tmp_path / "actions.csv"], store)
    assert run_checks(store) == ()


def test_units_that_jump_without_a_move_of_prices_name_the_way_out():
    def edit(units):
        jump = (units["symbol"] == PAYER) & (units["day"] >= DAYS[25])
        units.loc[jump, "units"] *= 3

    (found,) = check(planted("units", edit), "unit-jump")
    assert "the vendor adjusted these prices for it: take them out (`etflow data remove`)" in found.hint


# One venue


def test_bars_of_one_venue_have_one_price_all_day():
    bars = american(cents(30.0), source="iex")
    single = np.arange(len(bars)) % 10 == 0
    for name in ("open", "high", "low"):
        bars.loc[single, name] = bars.loc[single, "close"]
    (found,) = check({"bars": bars}, "partial-tape")
    assert (found.severity, found.symbol) == ("warning", "US")
    assert "10% of the bars of 1 funds from `iex` have one price all day" in found.message


def test_bars_of_one_venue_trade_a_hundredth_of_what_a_fund_trades():
    units = pd.DataFrame({"symbol": "AIQ.US", "day": US_DAYS, "units": 5e7})
    bars = american(cents(30.0), volume=25_000.0)
    (found,) = check({"bars": bars, "units": units}, "partial-tape")
    assert found.symbol == "AIQ.US"
    assert "volume is 0.0500% of the units a day" in found.message
    assert check({"bars": american(cents(30.0), volume=250_000.0), "units": units}, "partial-tape") == []


def test_chinese_bars_are_of_one_exchange_anyway():
    def edit(bars):
        bars[["open", "high", "low"]] = np.repeat(bars[["close"]].to_numpy(), 3, axis=1)

    assert check(planted("bars", edit), "partial-tape") == []


# Other frequencies


@pytest.mark.parametrize(("every", "usual"), [(5, "weekly"), (21, "monthly"), (2, "sparse")])
def test_bars_of_another_frequency_stop_a_run(every, usual):
    days = calendar_for("cn_etf").sessions(date(2023, 1, 3), date(2024, 12, 31))[::every]
    bars = pd.DataFrame(
        {"symbol": PAYER, "day": days, "volume": 1e6, "close": 1.0 + 0.001 * np.arange(len(days))}
    )
    bars = bars.assign(open=bars["close"], high=bars["close"], low=bars["close"])
    (found,) = [each for each in check({"bars": bars}) if each.check in ("not-daily", "missing-session")]
    assert (found.check, found.severity, found.count) == ("not-daily", "error", len(days))
    assert f"rows are {usual}: {every} sessions apart in the middle" in found.message


def test_a_fund_that_is_often_halted_is_daily():
    tables = clean_market()
    bars = tables["bars"]
    tables["bars"] = bars[(bars["symbol"] != PAYER) | (np.arange(len(bars)) % 3 != 0)]
    assert check(tables, "not-daily") == []
    assert [each.check for each in check(tables, "missing-session")] == ["missing-session"]


def test_bars_of_less_than_half_of_the_sessions_stop_a_run_however_few_they_are():
    tables = clean_market()
    bars = tables["bars"]
    kept = bars["day"].isin(DAYS[[0, 1, 2, 3, 37, 38, 39, 40]])
    tables["bars"] = bars[(bars["symbol"] != PAYER) | kept]
    (found,) = check(tables, "missing-session")
    assert (found.severity, found.count) == ("error", 33)


def test_weekly_counts_are_noted_with_how_often_they_come():
    tables = clean_market()
    units = tables["units"]
    tables["units"] = units[(units["symbol"] != PAYER) | (np.arange(len(units)) % 5 == 0)]
    (found,) = check(tables, "units-gap")
    # 41 sessions have counts on 0, 5, ... 40: nine, and eight flows of five sessions.
    assert (found.severity, found.count) == ("note", 8)
    assert "32 sessions without a count" in found.message
    assert found.message.endswith(
        "8 flows over more than one session; counts are weekly: 5 sessions apart in the middle"
    )
