"""The known face: what was public before each open, no earlier and no later."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.demo import Demo
from data.errors import DataError, UsageError
from data.facts.actions import Action
from data.load import load_panel
from data.panel.known import Known
from data.panel.panel import Panel
from data.panel.publication import latest_known, newly_known

NAN = float("nan")
FUNDS = ("159001.SZ", "515001.SH")


def weekdays(count: int) -> np.ndarray:
    days = np.arange("2025-01-06", "2026-01-01", dtype="datetime64[D]")
    return days[np.is_busday(days)][:count]


def random_panel(seed: int, sessions: int, end: int | None = None, **lags: int) -> Panel:
    rng = np.random.Generator(np.random.PCG64(seed))
    close = np.round(np.exp(rng.normal(0, 0.02, (sessions, 2)).cumsum(axis=0)), 3)
    close[: sessions // 3, 1] = NAN
    volume = np.where(rng.random((sessions, 2)) < 0.1, 0.0, 1e6)
    units = np.round(1e6 * np.exp(rng.normal(0, 0.02, (sessions, 2)).cumsum(axis=0)))
    units[rng.random((sessions, 2)) < 0.1] = NAN
    balance = np.round(1e5 * np.exp(rng.normal(0, 0.02, (sessions, 2)).cumsum(axis=0)))
    bars = dict.fromkeys(("open", "high", "low", "close"), close)
    bars = bars | {"volume": volume, "amount": volume * close}
    cut = slice(0, end)
    days = weekdays(sessions)
    split = Action(FUNDS[0], "split", days[sessions // 2].astype(date), None, 2.0)
    return Panel.from_events(
        days[cut],
        FUNDS,
        bars={name: values[cut] for name, values in bars.items()},
        units=units[cut],
        nav=(close * 1.001)[cut],
        margin_balance=balance[cut],
        actions=(split,),
        market_margin=balance[cut, 0],
        indices={"X": close[cut, 0]},
        lags=lags,
    )


FIELDS = (
    "open", "high", "low", "close", "vwap", "volume", "amount", "adjusted_close", "listed",
    "sessions_listed", "units", "units_adjusted", "unit_change", "nav", "aum", "margin_balance",
    "net_financing", "market_margin", "sessions_awaited",
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(6, 40), st.integers(1, 3))
def test_appending_the_future_changes_no_known_row(seed: int, sessions: int, lag: int) -> None:
    whole = random_panel(seed, 40, units=lag, margin=lag).known
    cut = random_panel(seed, 40, end=sessions, units=lag, margin=lag).known
    past = whole.until(sessions - 1)
    for name in FIELDS:
        assert np.array_equal(getattr(cut, name), getattr(whole, name)[:sessions], equal_nan=True), name
        assert np.array_equal(getattr(cut, name), getattr(past, name), equal_nan=True), name
    for valuation in ("vwap", "nav", "prev_nav", "close"):
        assert np.array_equal(cut.flow(valuation), past.flow(valuation), equal_nan=True)
    assert np.array_equal(cut.index("X"), past.index("X"), equal_nan=True)


def test_row_d_holds_the_session_before() -> None:
    panel = random_panel(1, 20)
    traded = panel.market.traded[10:, 0]
    known, own = panel.known.close[11:, 0], panel.market.close[10:-1, 0]
    assert np.array_equal(known[traded[:-1]], own[traded[:-1]])


def test_a_longer_lag_shows_the_same_levels_later() -> None:
    soon, late = random_panel(2, 30, units=1), random_panel(2, 30, units=2)
    assert np.array_equal(late.known.units[2:], soon.known.units[1:-1], equal_nan=True)


def test_the_latest_session_wins_over_what_was_published_later_about_an_earlier_one() -> None:
    values = np.array([[1.0], [2.0], [3.0], [4.0]])
    usable = np.array([[1], [4], [3], [4]])  # session 1 never in time, session 2 on time
    assert latest_known(values, usable, 10)[:, 0].tolist() == pytest.approx([NAN, 1.0, 1.0, 3.0], nan_ok=True)


def test_levels_expire() -> None:
    values = np.array([[5.0], [NAN], [NAN], [NAN], [NAN]])
    usable = np.arange(1, 6)[:, None]
    assert latest_known(values, usable, 2)[:, 0].tolist() == pytest.approx(
        [NAN, 5.0, 5.0, NAN, NAN], nan_ok=True
    )


def counted(length: int, *rows: int) -> Known:
    """Return what is known of a fund whose units are counted on some sessions, and public after each."""
    ones, units = np.ones((length, 1)), np.full((length, 1), NAN)
    units[list(rows), 0] = 1e6
    bars = dict.fromkeys(("open", "high", "low", "close"), ones) | {
        "volume": ones * 1e6,
        "amount": ones * 1e6,
    }
    return Panel.from_events(weekdays(length), ["159001.SZ"], bars=bars, units=units).known


def test_month_end_counts_are_good_until_the_next_is_due_and_once_more() -> None:
    known = counted(100, 0, 21, 42)
    # Of the first count nobody knows how often there is one: ten sessions. Of the others 2 x 21.
    fresh = np.r_[1:11, 22:85]
    for level in (known.units, known.units_adjusted, known.aum):
        assert np.flatnonzero(np.isfinite(level[:, 0])).tolist() == fresh.tolist()
    expected = np.r_[np.zeros(22), np.arange(21), np.arange(22), np.full(35, 21)]
    assert known.sessions_awaited[:, 0].tolist() == expected.tolist()


def test_holes_among_daily_counts_make_them_no_monthly_ones() -> None:
    known = counted(60, 0, 1, 2, 20, 21)
    assert np.flatnonzero(np.isfinite(known.units[:, 0])).tolist() == [*range(1, 13), *range(21, 32)]
    assert not known.sessions_awaited.any()


def test_flows_that_are_published_late_arrive_together_and_once() -> None:
    values = np.array([[1.0], [2.0], [4.0], [8.0]])
    usable = np.array([[1], [3], [3], [4]])
    assert newly_known(values, usable)[:, 0].tolist() == pytest.approx([NAN, 1.0, NAN, 6.0], nan_ok=True)


def test_adjusted_close_carries_splits_and_dividends() -> None:
    days = weekdays(5)
    close = np.array([2.0, 2.2, 1.1, 1.0, 1.05])[:, None]
    bars = dict.fromkeys(("open", "high", "low", "close"), close)
    actions = (
        Action("159001.SZ", "split", days[2].astype(date), None, 2.0),
        Action("159001.SZ", "dividend", days[3].astype(date), cash=0.1),
    )
    panel = Panel.from_events(
        days, ["159001.SZ"], bars=bars | {"volume": close * 0 + 1e6, "amount": close * 1e6}, actions=actions
    )
    # The third day is 1.1 * 2 = 2.2: unchanged; the fourth 1.0 + 0.1 = 1.1: unchanged; then +5 %.
    returns = panel.known.adjusted_close[2:, 0] / panel.known.adjusted_close[1:-1, 0] - 1
    assert returns.tolist() == pytest.approx([0.1, 0.0, 0.0])
    total = panel.market.mark[:, 0] * panel.market.adjustment[:, 0]
    assert total[4] / total[3] - 1 == pytest.approx(0.05)


def test_a_nav_that_is_published_late_holds_back_what_is_valued_at_it() -> None:
    known = random_panel(8, 30, nav=3).known
    first = {
        name: np.flatnonzero(np.isfinite(known.flow(name)[:, 0]))[0] for name in ("close", "prev_nav", "nav")
    }
    # A change of session 1 (or the first with two counts) at its close, at the NAV before, at its own NAV.
    assert first["prev_nav"] == first["close"] + 1
    assert first["nav"] == first["close"] + 2


def test_arrays_cannot_be_written() -> None:
    known = random_panel(3, 10).known
    for values in (known.close, known.flow("nav"), known.until(5).units):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0


def test_a_fund_that_stopped_is_unknown_after_a_while() -> None:
    days = weekdays(30)
    close = np.ones((30, 1))
    close[10:] = NAN
    bars = dict.fromkeys(("open", "high", "low", "close"), close)
    panel = Panel.from_events(
        days, ["159001.SZ"], bars=bars | {"volume": np.nan_to_num(close), "amount": close}
    )
    known = panel.known.close[:, 0]
    # The last close belongs to row 9 and holds for ten sessions after it.
    assert np.isfinite(known[1:20]).all()
    assert np.isnan(known[20:]).all()


def test_unknown_index_and_unsorted_symbols_are_refused() -> None:
    panel = random_panel(4, 10)
    with pytest.raises(DataError, match="no index `Y`"):
        panel.known.index("Y")
    with pytest.raises(DataError, match="sorted"):
        Panel.from_events(panel.days, FUNDS[::-1], bars={})


def test_the_fingerprint_changes_with_any_value() -> None:
    same = random_panel(5, 12).fingerprint
    assert same == random_panel(5, 12).fingerprint
    assert same != random_panel(6, 12).fingerprint
    assert same != random_panel(5, 12, units=2).fingerprint
    assert same != random_panel(5, 12, end=11).fingerprint


def test_facts_of_any_table_can_be_plain_arrays() -> None:
    given = random_panel(7, 12).ingredients.facts.grids["bars"].columns
    premium = np.arange(24.0).reshape(12, 2) / 1e4
    made = {"days": weekdays(12), "symbols": FUNDS, "bars": given}
    panel = Panel.from_events(**made, facts={"premium": premium}, lags={"premium": 2})
    assert np.isnan(panel.known.premium[:2]).all()
    assert np.array_equal(panel.known.premium[2:], premium[:-2])
    assert panel.known.session_of("premium")[:, 0].tolist() == [-1, -1, *range(10)]
    soon = Panel.from_events(**made, facts={"premium": premium})
    without = Panel.from_events(**made)
    assert np.isnan(without.known.premium).all()
    assert len({panel.fingerprint, soon.fingerprint, without.fingerprint}) == 3
    with pytest.raises(UsageError, match="Did you mean `premium`"):
        Panel.from_events(**made, facts={"premiums": premium})


def test_the_fingerprint_covers_a_table_that_the_data_have_and_no_other() -> None:
    symbols = ["157001.SZ", "157002.SZ"]
    premium = Demo(premium=True).read("premium")
    sevenfold = premium.assign(premium=7 * premium["premium"])
    have, more = (load_panel(Tables(premium=each), symbols) for each in (premium, sevenfold))
    assert np.array_equal(have.known.premium * 7, more.known.premium, equal_nan=True)
    without = load_panel(Demo(), symbols).fingerprint
    assert without == load_panel(Tables(premium=premium[:0]), symbols).fingerprint
    assert len({have.fingerprint, more.fingerprint, without}) == 3


class Tables:
    """The demo market with some of its tables changed: a source of its own."""

    name = "changed"
    synthetic = True
    default_benchmark = None

    def __init__(self, **changed: Any) -> None:
        self.changed = changed
        self.demo = Demo(premium=True)

    def read(self, table: str, symbols: Any = None) -> Any:
        frame = self.changed[table] if table in self.changed else self.demo.read(table)
        if symbols is None:
            return frame
        return frame[frame.iloc[:, 0].isin(list(symbols))].reset_index(drop=True)


def test_a_count_that_comes_late_does_not_hold_back_what_was_public_before_it() -> None:
    """Of 157011.SZ on 2023-09-28, published on 2023-10-11 in the evening (see data/demo/plan.py)."""
    units = Demo().read("units")
    late = (units["symbol"] == "157011.SZ") & (units["day"] == "2023-09-28")
    assert late.sum() == 1
    symbols = ["157011.SZ", "157012.SZ"]
    whole = load_panel(Demo(), symbols)
    without = load_panel(Tables(units=units[~late]), symbols)
    until = whole.row(date(2023, 10, 11)) + 1
    for name in ("unit_change", "units", "aum", "units_adjusted"):
        then, now = getattr(without.known, name)[:until], getattr(whole.known, name)[:until]
        assert np.array_equal(then, now, equal_nan=True), name
    # Overtaken by the counts after it, it adds nothing when it comes: the sum of changes is the same.
    assert np.nansum(whole.known.unit_change) == pytest.approx(np.nansum(without.known.unit_change))


def test_aum_does_not_depend_on_a_nav_that_begins_later() -> None:
    nav = Demo().read("nav")
    symbols = ["157001.SZ", "157002.SZ"]
    later = load_panel(Tables(nav=nav[nav["day"] >= "2023-01-03"]), symbols)
    never = load_panel(Tables(nav=nav[nav["day"] >= "2099-01-01"]), symbols)
    until = later.row(date(2023, 1, 3)) + 1
    assert np.isfinite(never.known.aum[10:until]).all()
    assert np.array_equal(later.known.aum[:until], never.known.aum[:until], equal_nan=True)


@pytest.mark.parametrize(
    "table", ["bars", "index_bars", "index_weights", "units", "nav", "margin", "premium"]
)
def test_rows_that_say_when_they_were_known_are_not_used_before(table: str) -> None:
    frame = Tables().read(table).assign(known_at=np.datetime64("2025-12-01", "us"))
    known = load_panel(Tables(**{table: frame}), ["157001.SZ", "157002.SZ"]).known
    seen = {
        "bars": known.close,
        "index_bars": known.index("DEMO-A"),
        "index_weights": np.array([np.nan] * (not known.index_weights("DEMO-A")) or [0.0]),
        "units": known.units,
        "nav": known.nav,
        "margin": known.margin_balance,
        "premium": known.premium,
    }[table]
    assert np.isnan(seen).all()


@pytest.mark.parametrize("table", ["bars", "units", "nav", "margin", "index_bars", "macro", "premium"])
def test_a_table_that_is_published_later_is_known_later(table: str) -> None:
    symbols = ["157001.SZ", "157002.SZ"]
    now, later = load_panel(Tables(), symbols), load_panel(Tables(), symbols, lags={table: 3})
    assert now.fingerprint != later.fingerprint
    read = {
        "bars": lambda known: known.close,
        "units": lambda known: known.units,
        "nav": lambda known: known.nav,
        "margin": lambda known: known.margin_balance,
        "index_bars": lambda known: known.index("DEMO-A"),
        "macro": lambda known: known.macro("capex"),
        "premium": lambda known: known.premium,
    }[table]
    assert np.array_equal(read(later.known)[20:], read(now.known)[17:-3], equal_nan=True)


def test_the_latest_of_macro_values_that_become_known_together_counts() -> None:
    macro = Demo().read("macro").iloc[:4].copy()
    macro["value"] = [10.0, 50.0, 20.0, 12.0]
    macro["known_at"] = macro["period"] + np.timedelta64(35, "D")
    panel = load_panel(Tables(macro=macro), ["157001.SZ"])
    assert panel.known.macro("capex")[0] == 12.0


def test_a_report_dated_by_its_day_is_used_after_that_day() -> None:
    macro = Demo().read("macro").iloc[:1].copy()
    macro["known_at"] = np.datetime64("2021-07-14", "us")
    panel = load_panel(Tables(macro=macro), ["157001.SZ"])
    first = np.flatnonzero(np.isfinite(panel.known.macro("capex")))[0]
    assert str(panel.days[first]) == "2021-07-15"


def test_a_monthly_balance_of_a_market_stays_known_until_the_next() -> None:
    days = weekdays(120)
    monthly = np.full(120, NAN)
    monthly[::21] = 1e9
    close = np.ones((120, 1))
    bars = dict.fromkeys(("open", "high", "low", "close"), close)
    panel = Panel.from_events(
        days,
        ["159001.SZ"],
        bars=bars | {"volume": close, "amount": close},
        market_margin=monthly,
        lags={"margin": 21},
    )
    assert np.isfinite(panel.known.market_margin[21:]).all()


def test_a_panel_is_the_same_however_many_funds_are_read_at_a_time(monkeypatch):
    whole = load_panel(Demo())
    monkeypatch.setattr("data.panel.grids._ROWS", 3 * len(whole.days))
    monkeypatch.setattr("data.panel.grids._PARTS", 1_000)
    parts = load_panel(Demo())
    assert parts.fingerprint == whole.fingerprint
    # Bars are usable alike for all funds, and lots never change: one column and one row stand for all.
    assert whole.ingredients.facts.grids["bars"].usable_from.strides[1] == 0
    assert whole.market.lot.strides[0] == 0
