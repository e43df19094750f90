"""The next open: orders as the reference engine sends them, from holdings, with what is wrong with them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import run_backtest
from data.demo import Demo
from data.errors import DataError, UsageError
from data.facts.availability import load_availability
from data.load import load_panel
from data.panel.panel import Panel
from engine import run
from engine.cli import commands_signal
from engine.kernel.costs import Costs
from engine.orders.formats import FORMATS, Row, format_of, read_file, write_orders
from engine.orders.inputs import inputs_of, require_fresh
from engine.orders.next_open import decide_next, next_panel, next_session
from engine.orders.positions import read_holdings
from engine.orders.reconcile import reconcile
from engine.orders.tickets import tickets_of
from engine.simulation.books import Books
from engine.simulation.standing import Standing
from engine.spec import Conditions
from engine.strategy.adapters import BacktraderAdapter, adapt
from strategies import STRATEGIES

ROOT = Path(run_backtest.__file__).parent

# Two of them split (157003 on 2025-02-24, 157001 on 2025-07-21), and Shanghai and Shenzhen are both there.
SYMBOLS = ("157001.SZ", "157003.SZ", "157005.SZ", "157021.SZ", "586012.SH", "586031.SH")
START = date(2025, 1, 3)
DAYS = [date(2025, 1, 10), date(2025, 2, 24), date(2025, 7, 21), date(2025, 8, 20)]
STRATEGY = {
    "every session": STRATEGIES["share_inflow"](rebalance=1, top=2),
    "all funds": STRATEGIES["equal_weight"](rebalance=1),
    "memory": STRATEGIES["momentum"](rebalance=1, top=2, hysteresis=2, lookback=10),
    "every fifth": STRATEGIES["leveraged_flow"](rebalance=5, top=3),
    "weekly": STRATEGIES["momentum"](rebalance="weekly", weighting="inverse_volatility"),
}


class Cut:
    """The demo market as it was on file before a day: announcements stay, whatever was measured ends."""

    name, synthetic, default_benchmark = "cut", True, None

    def __init__(self, day: date) -> None:
        self.day = pd.Timestamp(day)

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        frame = Demo().read(table, symbols)
        return frame if "day" not in frame else frame[frame["day"] < self.day].reset_index(drop=True)


@pytest.fixture(scope="module")
def panel():
    return load_panel(Demo(), SYMBOLS)


@pytest.fixture(scope="module")
def aheads():
    """Return the panels that end with each day, made from what was on file the evening before."""
    found = {}
    for day in DAYS:
        source = Cut(day)
        last = source.read("bars", SYMBOLS)["day"].max().date()
        found[day] = next_panel(source, SYMBOLS, last)
    return found


def test_a_stop_between_decisions_sells_its_fund_alone(panel):
    strategy = STRATEGIES["momentum"](rebalance=20, top=2, stop_loss=0.03)
    result = run(strategy, panel, start=START)
    pairs = zip(result.exits["day"], result.exits["symbol"], strict=True)
    seen = {each.date(): symbol for each, symbol in pairs}
    day, symbol = next(each for each in seen.items() if np.datetime64(each[0]) not in result.decision_days)
    before = int(np.searchsorted(result.days, np.datetime64(day))) - 1
    held = dict(zip(SYMBOLS, result.shares[before].tolist(), strict=True))
    ahead = next_panel(Cut(day), SYMBOLS, result.days[before].item())
    signal = decide_next(
        strategy, ahead, Conditions(start=START), holdings=held, cash=float(result.cash[before])
    )
    assert sum(shares > 0 for shares in held.values()) > 1
    assert [(line.symbol, line.order_shares, line.stop) for line in signal.orders] == [
        (symbol, -held[symbol], "stop_loss")
    ]
    assert not signal.decides
    assert signal.next_decision == min(each for each in result.decision_days.tolist() if each > day)


@pytest.mark.parametrize("name", STRATEGY)
def test_the_signal_is_what_the_reference_engine_sends(panel, aheads, monkeypatch, name):
    sent = {}
    original = Books.orders_for

    def recording(books: Books, weights, rank, *turn):
        orders = original(books, weights, rank, *turn)
        sent[books.panel.days[books.row].item()] = [(books.panel.symbols[c], n) for c, n in orders]
        return orders

    with monkeypatch.context() as patch:
        patch.setattr(Books, "orders_for", recording)
        result = run(STRATEGY[name], panel, start=START)
    compared = 0
    for day, ahead in aheads.items():
        before = int(np.searchsorted(result.days, np.datetime64(day))) - 1
        assert result.receivable[before] == 0.0
        signal = decide_next(
            STRATEGY[name],
            ahead,
            Conditions(start=START),
            holdings=dict(zip(SYMBOLS, result.shares[before].tolist(), strict=True)),
            cash=float(result.cash[before]),
        )
        assert signal.day == day
        assert [(line.symbol, line.order_shares) for line in signal.orders] == sent.get(day, [])
        assert signal.decides == (day in sent)
        compared += len(signal.orders)
        if not signal.decides and signal.next_decision and signal.next_decision <= result.days[-1].item():
            assert signal.next_decision == min(each for each in sent if each > day)
    assert compared > 0


def test_a_split_of_the_day_is_applied_to_what_is_held_before_sizing(aheads):
    ahead = aheads[date(2025, 7, 21)]
    signal = decide_next(
        STRATEGIES["buy_hold"](symbol="157001.SZ"), ahead, holdings={"157001.SZ": 1_000}, cash=0.0
    )
    line = signal.lines[0]
    assert line.shares == 2_000  # 2 for 1
    assert ahead.known.close[-1, 0] == 0.887
    assert line.reference == 0.444  # half of it, rounded half up
    assert signal.equity == 2_000 * line.reference
    assert line.order_shares == 0
    assert signal.actions == ("157001.SZ: split of 2, 1000 shares before it",)


def test_the_estimates_are_sums_by_hand(aheads):
    ahead = aheads[date(2025, 7, 21)]
    costs = Costs(commission_rate=0.001, commission_min=5.0)
    signal = decide_next(
        STRATEGIES["buy_hold"](symbol="157001.SZ"),
        ahead,
        Conditions(cash=10_000, costs=costs),
        holdings={"586031.SH": 50},
    )
    sold, bought = signal.orders
    assert (sold.symbol, sold.order_shares) == ("586031.SH", -50)  # an odd lot goes as a whole
    assert sold.notional == 50 * sold.reference
    assert sold.commission == 5.0  # 0.1 % of some 90 is less than the minimum
    equity = 10_000 + 50 * sold.reference
    assert signal.equity == equity
    # All but 0.25 %, of which the commissions are paid; 100 shares more would cost more than there is.
    assert bought.order_shares == int(0.9975 * equity / bought.reference / 100) * 100
    assert 0.0 < signal.cash_after < 100 * bought.reference
    assert bought.commission == round(0.001 * bought.order_shares * bought.reference, 2)
    spent = bought.notional + bought.commission - sold.notional + sold.commission
    assert signal.cash_after == pytest.approx(10_000 - spent)
    # The volume of the session before is in shares before the split.
    assert bought.volume_share == bought.order_shares / (2 * ahead.known.volume[-1, 0])
    assert bought.limit_up == pytest.approx(bought.reference * 1.2, abs=0.0006)
    assert bought.limit_down == pytest.approx(bought.reference * 0.8, abs=0.0006)


def test_ages_are_sessions_from_the_datum_to_the_decision():
    class Late(Cut):
        def read(self, table, symbols=None):
            frame = super().read(table, symbols)
            drop = {"units": 1, "margin": 3}.get(table, 0)
            last = sorted(set(frame["day"]))[-drop:] if drop else []
            return frame[~frame["day"].isin(last)] if drop else frame

    ahead = next_panel(Late(date(2025, 8, 20)), SYMBOLS, date(2025, 8, 19), availability="strict")
    signal = decide_next(STRATEGIES["equal_weight"](), ahead)
    ages = {line.symbol: dict(line.ages) for line in signal.lines}
    assert ages["157001.SZ"] == {"price": 1, "flow": 2, "nav": 1, "margin": 4}
    assert ages["586031.SH"] == {"price": 1, "flow": 2, "nav": 1, "margin": 4}


def test_a_fund_without_a_datum_has_no_age(aheads):
    class Without(Cut):
        def read(self, table, symbols=None):
            frame = super().read(table, symbols)
            return frame[frame["symbol"] != "157001.SZ"] if table == "margin" else frame

    ahead = next_panel(Without(date(2025, 8, 20)), SYMBOLS[:2], date(2025, 8, 19))
    signal = decide_next(STRATEGIES["equal_weight"](), ahead)
    assert signal.lines[0].ages["margin"] is None
    assert signal.lines[1].ages["margin"] == 1


def test_the_session_past_the_calendar_is_refused():
    from data.facts.calendars import calendar_for

    last = calendar_for("cn_etf").last_day
    with pytest.raises(DataError, match=f"session after {last} is not known.*data calendar import"):
        next_session(SYMBOLS, last)
    assert next_session(SYMBOLS, last - timedelta(days=1)) == last


def test_the_next_session_leaves_out_holidays():
    assert next_session(SYMBOLS, date(2025, 8, 20)) == date(2025, 8, 21)
    assert next_session(SYMBOLS, date(2025, 9, 30)) == date(2025, 10, 9)  # the national holiday


def test_holdings_outside_the_run_are_refused(aheads):
    with pytest.raises(UsageError, match=r"515980\.SH, which is not among"):
        decide_next(STRATEGIES["equal_weight"](), aheads[DAYS[-1]], holdings={"515980.SH": 100})


def test_an_account_of_nothing_is_refused(aheads):
    with pytest.raises(UsageError, match="nothing to invest"):
        decide_next(STRATEGIES["equal_weight"](), aheads[DAYS[-1]], cash=0.0)


def test_a_backtrader_strategy_is_refused(aheads):
    with pytest.raises(UsageError, match="backtrader"):
        decide_next(BacktraderAdapter(dict, {}), aheads[DAYS[-1]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns symbol and shares.*empty"),
        ("symbol,units\n157001.SZ,5\n", "columns symbol and shares"),
        ("symbol,shares\n157001.SZ,-100\n", "row 1.*shares.*received -100"),
        ("symbol,shares\n157001.SZ,1.5\n", "row 1.*received 1.5"),
        ("symbol,shares\n157001.SZ,\n", "row 1"),
        ("symbol,shares\n157001.SZ,nan\n", "row 1"),
        ("symbol,shares\n157001.SZ,many\n", "row 1.*received many"),
        ("symbol,shares\n15?001.SZ,100\n", "row 1.*15"),
        ("symbol,shares\n157001.SZ,100\n157001,100\n", "row 2.*twice"),
        ("symbol,shares\n157001.SZ\n", "row 1 is too short"),
    ],
)
def test_malformed_holdings_are_refused_by_row(tmp_path, text, message):
    (tmp_path / "held.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_holdings(tmp_path / "held.csv")


def test_holdings_are_read_in_any_column_order_and_symbol_form(tmp_path):
    (tmp_path / "held.csv").write_text("name,Shares,symbol\nx,100,sz157001\ny,0,586031\nz,200.0,157005.SZ\n")
    assert read_holdings(tmp_path / "held.csv") == {"157001.SZ": 100, "586031.SH": 0, "157005.SZ": 200}


# --- what can be sent --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Into:
    """All into the second fund."""

    def target_weights(self, known: Any) -> NDArray[np.float64]:
        weights = np.full((len(known.days), 2), np.nan)
        weights[-1] = 0.0, 1.0
        return weights


def evening(volume: float = 10_000.0) -> Panel:
    """Return four sessions of two funds at 1.000 and 2.000, of which the last has not been traded yet."""
    close = np.array([[1.0, 2.0]] * 3 + [[np.nan, np.nan]])
    traded = np.where(np.isfinite(close), [[1_000_000.0, volume]], np.nan)
    bars = dict.fromkeys(("open", "high", "low", "close"), close) | {"volume": traded}
    days = ["2025-08-18", "2025-08-19", "2025-08-20", "2025-08-21"]
    return Panel.from_events(days, SYMBOLS[:2], bars=bars, price_limit=0.1, sell_fee_rate=0.001)


@pytest.mark.parametrize(
    ("volume", "shares", "cut"), [(10_000.0, 500, {}), (3_000.0, 300, {"participation": 200})]
)
def test_what_is_sent_is_paid_for_at_its_limit_price(volume, shares, cut):
    panel, costs = evening(volume), Costs()
    signal = decide_next(Into(), panel, Conditions(costs=costs), holdings={SYMBOLS[0]: 1_050}, cash=100.0)
    found = tickets_of(signal, panel, costs)
    sold, bought = found.sent
    assert (sold.symbol, sold.shares, sold.limit_price) == (SYMBOLS[0], -1_050, 0.99)  # the odd lot too
    assert (sold.commission, sold.fee, sold.after_sales) == (5.0, 0.001 * 1_050 * 0.99, False)
    # Equity is 1,150: 575 shares at 2.000, that is five lots.
    assert (bought.wanted, bought.shares, bought.limit_price) == (500, shares, 2.02)
    assert dict(bought.cut) == cut
    assert bought.after_sales  # 100 of cash do not pay for it
    paid = shares * 2.02 + 5.0
    assert found.cash_after == pytest.approx(100.0 + 1_050 * 0.99 * 0.999 - 5.0 - paid)


def test_cash_that_pays_for_no_lot_sends_nothing_and_says_so():
    panel = evening()
    signal = decide_next(Into(), panel, cash=205.0)
    found = tickets_of(signal, panel, Costs())  # a lot costs 202 and 5 of commission
    assert found.sent == ()
    assert dict(found.dropped[0].cut) == {"cash": 100}
    assert found.cash_after == 205.0
    assert tickets_of(signal, panel, Costs(), band=0.0).sent[0].limit_price == 2.0


def test_limit_prices_stay_within_the_limits_of_the_day():
    panel = evening()
    signal = decide_next(Into(), panel, holdings={SYMBOLS[0]: 100}, cash=1_000.0)
    sold, bought = tickets_of(signal, panel, Costs(), band=0.5).sent
    assert (sold.limit_price, bought.limit_price) == (0.9, 2.2)
    with pytest.raises(UsageError, match=r"band.*received 1\.5"):
        tickets_of(signal, panel, Costs(), band=1.5)


@dataclass(frozen=True)
class Units:
    """Asked before each open; reads units, and NAV of what is held."""

    def decide(self, past: Any, held: Mapping[str, float]) -> dict[str, float]:
        most = np.argmax(np.nan_to_num(past.units[-1] * (past.nav[-1] if held else 1.0)))
        return {past.symbols[most]: 1.0}


@pytest.mark.parametrize("strategy", [STRATEGY["every session"], Units()])
def test_inputs_are_those_that_the_decision_read_and_late_ones_are_refused(strategy):
    class Late(Cut):
        def read(self, table, symbols=None):
            frame = super().read(table, symbols)
            late = (
                (frame["symbol"] == "157001.SZ") & (frame["day"] == "2025-08-19") if table == "units" else []
            )
            return frame[~late] if table == "units" else frame

    source = Late(date(2025, 8, 20))
    ahead = next_panel(source, SYMBOLS, date(2025, 8, 19))
    published = load_availability()
    by_price = inputs_of(decide_next(STRATEGY["all funds"], ahead).reads, ahead, published, source, ())
    assert [each.table for each in by_price] == ["bars"]
    require_fresh(by_price, date(2025, 8, 19), UPDATE)
    found = inputs_of(
        decide_next(strategy, ahead, holdings={"157003.SZ": 100}).reads, ahead, published, source, ()
    )
    assert [(each.table, each.age, each.due) for each in found] == [
        ("bars", 1, None),
        ("units", 1, 1),
        ("nav", 1, 1),
    ]
    assert found[1].late == (("157001.SZ", 2),)
    with pytest.raises(DataError, match=r"stale.*units of 157001.SZ 2 sessions old.*--allow-stale"):
        require_fresh(found, date(2025, 8, 19), UPDATE)


ORDERS = [
    {"id": "20250821-01", "day": date(2025, 8, 21), "symbol": "157001.SZ", "shares": -1050, "price": 0.99},
    {"id": "20250821-02", "day": date(2025, 8, 21), "symbol": "586031.SH", "shares": 500, "price": 2.02},
]
WRITTEN = {
    "generic": """id,day,symbol,side,shares,price,why
20250821-01,2025-08-21,157001.SZ,sell,1050,0.99,rank 3
20250821-02,2025-08-21,586031.SH,buy,500,2.02,rank 3
""",
    "qmt": """stock_code,order_type,order_volume,price_type,price,strategy_name,order_remark
157001.SZ,24,1050,11,0.99,Into,20250821-01
586031.SH,23,500,11,2.02,Into,20250821-02
""",
    "fix": """35=D|11=20250821-01|55=157001|207=XSHE|54=2|38=1050|40=2|44=0.99|59=0
35=D|11=20250821-02|55=586031|207=XSHG|54=1|38=500|40=2|44=2.02|59=0
""",
}


@pytest.mark.parametrize("name", FORMATS)
def test_orders_are_written_and_read_in_every_format(name, tmp_path):
    rows = [each | {"strategy": "Into", "why": "rank 3"} for each in ORDERS]
    text = write_orders(rows, format_of(name))
    assert text == WRITTEN[name]
    (tmp_path / "orders").write_text(text)
    read = read_file(tmp_path / "orders", "orders", format_of(name))
    assert [(row.id, row.symbol, row.shares, row.price) for row in read] == [
        tuple(each[thing] for thing in ("id", "symbol", "shares", "price")) for each in ORDERS
    ]


def test_a_format_of_the_users_own(tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text(
        'side = { buy = "B", sell = "S" }\n'
        '[orders]\ncode = "code"\nbs = "side"\nqty = "shares"\ntype = "=LIMIT"\n'
        '[positions]\ncode = "symbol"\nqty = "shares"\n'
    )
    mine = format_of(str(own))
    assert write_orders(ORDERS, mine) == "code,bs,qty,type\n157001,S,1050,LIMIT\n586031,B,500,LIMIT\n"
    (tmp_path / "held.csv").write_text("CODE,qty\n157001,1050\n")
    assert read_holdings(tmp_path / "held.csv", mine) == {"157001.SZ": 1050}
    with pytest.raises(UsageError, match=r"says nothing of `fills\.symbol`"):
        read_file(own, "fills", mine)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sides = 1\n", "unknown entry"),
        ('kind = "xml"\n', "unknown kind"),
        ('side = { buy = "1", sell = "1" }\n', "how buy and sell are written"),
        ('[orders]\ncode = "isin"\n', r"unknown thing `isin`"),
        ("orders = 5\n", "must be a table of texts"),
        ("orders = {", "not a TOML file"),
    ],
)
def test_a_format_that_says_nothing_is_refused(tmp_path, text, message):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        format_of(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("generic", "symbol,shares,price\n157001.SZ,5,1\n", "columns symbol, side, shares and price"),
        ("generic", "symbol,side,shares,price\n157001.SZ,short,5,1\n", "row 1.*`side`.*received short"),
        ("generic", "symbol,side,shares,price\n157001.SZ,buy,-5,1\n", "row 1.*`shares`"),
        ("generic", "symbol,side,shares,price\n157001.SZ,buy,5,\n", "row 1.*`price` is missing"),
        ("generic", "symbol,side,shares,price\n157001.SZ,buy,5,-1\n", "row 1.*`price` is not"),
        ("generic", "symbol,side,shares,price\n157001.SZ,buy,5,0\n", "row 1.*`price` is not above zero"),
        ("generic", "day,symbol,side,shares,price\nx,157001.SZ,buy,5,1\n", "row 1.*`day`"),
        ("fix", "35=8|150=F|55=157001|54=1|32=100\n", "row 1.*tags 55, 54, 32 and 31"),
    ],
)
def test_malformed_fills_are_refused_by_row(tmp_path, name, text, message):
    (tmp_path / "fills").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_file(tmp_path / "fills", "fills", format_of(name))


def test_of_messages_only_those_of_trades_are_fills(tmp_path):
    lines = ("35=8\x01150=0\x0155=157001\x0154=1", "35=8\x01150=F\x0155=157001\x0154=2\x0132=100\x0131=1.5")
    (tmp_path / "fills").write_text("\n".join(lines))
    (row,) = read_file(tmp_path / "fills", "fills", format_of("fix"))
    assert (row.symbol, row.shares, row.price, row.costs) == ("157001.SZ", -100, 1.5, None)


# --- yesterday held against the engine ----------------------------------------------------------------


def traded_session() -> Panel:
    """Return four sessions of two funds at 1.00 and 2.00; on the last they close at 1.25 and 2.25."""
    close = np.array([[1.0, 2.0]] * 3 + [[1.25, 2.25]])
    volume = np.array([[1_000_000.0, 3_000.0]] * 3 + [[1_000_000.0, 10_000.0]])
    bars = dict.fromkeys(("high", "low", "close"), close) | {"volume": volume}
    bars["open"] = np.array([[1.0, 2.0]] * 4)
    days = ["2025-08-18", "2025-08-19", "2025-08-20", "2025-08-21"]
    return Panel.from_events(days, SYMBOLS[:2], bars=bars)


FREE = Conditions(costs=Costs(commission_rate=0.0, commission_min=5.0, slippage_rate=0.0))


def rows(*lines: tuple[str | None, str, int, float, float | None]) -> list[Row]:
    return [Row(f"row {n}", ident, None, *rest) for n, (ident, *rest) in enumerate(lines, start=1)]


def test_causes_of_a_difference_by_hand_add_up_to_the_whole():
    one, two = SYMBOLS[:2]
    standing = Standing(200.0, {one: 1_050})  # equity 1,250: a unit of money is 8 basis points
    # The engine sells 1,050 and buys 600; of the usual volume of 3,000 only 300 can be sent. That evening 400
    # were sent. 1,000 were sold, and 450 bought: 50 more than ordered.
    orders = rows(("20250821-01", one, -1_050, 0.99, None), ("20250821-02", two, 400, 2.02, None))
    fills = rows((None, one, -1_000, 1.125, 6.0), (None, two, 250, 2.125, 3.0), (None, two, 200, 2.125, None))
    found = reconcile(adapt(Into()), traded_session(), FREE, standing, orders, fills)
    assert found.equity == 1_250.0
    assert found.causes == {
        "cut": 8 * -300 * 0.25,
        "late_data": 8 * 100 * 0.25,
        "not_filled": 8 * 50 * 0.25,
        "by_hand": 8 * 50 * 0.25,
        "price": 8 * (1_000 * 0.125 - 450 * 0.125),
        "cost": 8 * (5.0 - 6.0),
    }
    # Sold 1,000 at 1.125 that close at 1.25, bought 450 at 2.125 that close at 2.25, 6 and 5 of costs; the
    # engine sells 1,050 at 1.00 and buys 600 at 2.00, 5 of costs each.
    money = (-1_000 * 0.125 + 450 * 0.125 - 6.0 - 5.0) - (-1_050 * 0.25 + 600 * 0.25 - 10.0)
    assert found.whole == 8 * money == sum(found.causes.values()) == 342.0
    assert found.money == money
    first, second = found.funds
    assert (first.engine_shares, first.sent, first.filled, first.price) == (-1_050, -1_050, -1_000, 1.125)
    assert (second.engine_shares, second.sent, second.filled) == (600, 400, 450)
    assert sum(first.causes.values()) + sum(second.causes.values()) == 342.0
    assert found.assumed == (two,)


def test_fills_without_orders_are_by_hand_and_nothing_is_not_filled():
    one, two = SYMBOLS[:2]
    standing = Standing(1_250.0)
    orders = rows(("20250821-01", two, 200, 2.0, None), (None, one, 100, 1.0, None))  # the second has no id
    fills = rows((None, one, 100, 1.0, 5.0))
    found = reconcile(adapt(Into()), traded_session(), FREE, standing, orders, fills)
    assert found.causes["by_hand"] == 8 * (100 * 0.25 - 5.0)
    assert found.causes["not_filled"] == -8 * (200 * 0.25 - 5.0)
    assert found.causes["price"] == found.causes["cost"] == 0.0
    same = reconcile(adapt(Into()), traded_session(), FREE, standing, orders[:1], [])
    assert same.whole == found.whole - found.causes["by_hand"]


def test_what_the_engine_does_not_trade_is_said_in_words():
    # Of 1,900 shares at 2.00 that 4,000 pay for a tenth of the session's 10,000 can be bought.
    found = reconcile(adapt(Into()), traded_session(), FREE, Standing(4_000.0), [], [])
    reason = "900 shares not bought: more than the allowed part of the session's volume"
    assert [(each.engine_shares, each.refused) for each in found.funds] == [(1_000, (reason,))]


def test_an_order_that_is_sent_in_parts_is_one_order():
    two = SYMBOLS[1]
    standing = Standing(1_250.0)
    whole = rows(("20250821-01", two, 200, 2.0, None))
    parts = rows(("20250821-01", two, 100, 2.0, None), ("20250821-02", two, 100, 2.0, None))
    found, same = (
        reconcile(adapt(Into()), traded_session(), replace(FREE, costs=Costs(0, 0, 0, 0)), standing, each, [])
        for each in (parts, whole)
    )
    assert found.causes == same.causes
    assert [each.refused for each in found.funds] == [each.refused for each in same.funds]


# --- the command --------------------------------------------------------------------------------------

UPDATE = "etflow data update --data store"
FUNDS = ("--symbols", ",".join(SYMBOLS))


def test_the_real_command_line_prints_one_document(tmp_path):
    (tmp_path / "held.csv").write_text("symbol,shares\n157001.SZ,10000\n")
    words = ["signal", "share_inflow", *FUNDS, "--holdings", "held.csv", "--set", "top=2", "--json"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_backtest.py"), *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["day"] == "2025-08-21"
    assert document["data"]["last_day"] == "2025-08-20"
    assert document["parameters"]["top"] == 2
    assert document["decision_session"] is True
    assert document["cash"] == 0.0
    assert document["rebalance"] == 5
    assert "SYNTHETIC" in document["notice"]
    first = document["funds"][0]
    assert set(first) == {
        "symbol",
        "weight",
        "score",
        "rank",
        "flow",
        "shares",
        "order_shares",
        "target_shares",
        "reference",
        "notional",
        "commission",
        "fee",
        "volume_share",
        "limit_up",
        "limit_down",
        "ages",
        "remark",
        "stop",
    }
    wanted = {each["symbol"]: each["order_shares"] for each in document["funds"] if each["order_shares"]}
    orders = document["orders"] + document["not_sent"]
    assert wanted == {each["symbol"]: each["wanted"] for each in orders}
    assert document["orders"][0]["shares"] == wanted["157001.SZ"] < 0  # the sale comes first, and whole
    assert all(each["id"].startswith("20250821-") for each in document["orders"])
    assert document["cash_after"] >= 0.0
    assert [each["table"] for each in document["inputs"]] == ["bars", "units", "nav"]


def test_the_fingerprint_is_that_of_a_run_on_the_same_data(here):
    _, printed, _ = here("signal", "momentum", *FUNDS, "--end", "2022-06-30", "--json")
    plain = load_panel(Demo(), SYMBOLS, end=date(2022, 6, 30))
    document = json.loads(printed)
    assert document["data"]["fingerprint"] == plain.fingerprint
    assert document["day"] == "2022-07-01"


def test_a_table_for_people_and_lines_for_scripts(here):
    code, printed, complained = here("signal", "momentum", *FUNDS)
    assert code == 0
    assert "before the open of 2025-08-21" in printed
    assert "SYNTHETIC" in printed
    assert "What the score was read from" in complained
    code, printed, complained = here("signal", "momentum", *FUNDS, "-q")
    assert complained == ""
    assert all(line.split(",")[0] in SYMBOLS and int(line.split(",")[1]) for line in printed.splitlines())


def test_no_decision_due_means_no_orders_and_names_the_next(here):
    code, printed, _ = here("signal", "momentum", *FUNDS, "--start", "2025-08-20", "--json")
    assert code == 0
    document = json.loads(printed)
    assert document["decision_session"] is False
    assert document["orders"] == []
    assert document["next_decision"] == "2025-08-27"  # five sessions after the 20th, a Wednesday


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("signal",), 2, "name a strategy"),
        (("signal", "momentun"), 2, "unknown strategy"),
        (("signal", "momentum", "--symbols", "157999.SZ"), 3, "no bars of 157999.SZ"),
        (("signal", "momentum", *FUNDS, "--cash", "-5"), 2, "`cash`.*received -5"),
        (("signal", "momentum", *FUNDS, "--cash", "0"), 2, "nothing to invest"),
        (("signal", "momentum", *FUNDS, "--holdings", "none.csv"), 2, "cannot read the positions"),
        (("signal", "momentum", *FUNDS, "--holdings", "bad.csv"), 2, "row 1.*received -1"),
        (("signal", "momentum", *FUNDS, "--start", "2026-01-05"), 3, "no session with data"),
        (("signal", "momentum", *FUNDS, "--end", "2001-01-02"), 3, "before the data begin"),
    ],
)
def test_wrong_input_is_answered_in_one_line(here, tmp_path, words, code, message):
    (tmp_path / "bad.csv").write_text("symbol,shares\n157001.SZ,-1\n")
    got, printed, complained = here(*words)
    assert (got, printed) == (code, "")
    assert complained.count("\n") == 1
    assert complained.startswith("error: ")
    assert re.search(message, complained), complained


@pytest.mark.parametrize(
    ("row", "message"),
    [("1_000,1.2", "`shares` .*received 1_000"), ("1000,1.21_5", "`price` .*received 1.21_5")],
)
def test_a_number_that_is_one_to_python_alone_is_refused(tmp_path, row, message):
    (tmp_path / "fills.csv").write_text(f"symbol,side,shares,price\n157001.SZ,sell,{row}\n")
    with pytest.raises(UsageError, match=message):
        read_file(tmp_path / "fills.csv", "fills", FORMATS["generic"])


def test_orders_alone_are_printed_for_a_broker(here):
    code, printed, complained = here("signal", "momentum", *FUNDS, "--format", "qmt", "--cash", "10000")
    assert code == 0, complained
    header, *orders = printed.splitlines()
    assert header == "stock_code,order_type,order_volume,price_type,price,strategy_name,order_remark"
    assert all(
        re.fullmatch(r"\d{6}\.S[HZ],23,\d+00,11,\d\.\d+,momentum,20250821-\d\d", each) for each in orders
    )
    code, _, complained = here("signal", "momentum", *FUNDS, "--format", "qmd")
    assert code == 2
    assert "Did you mean `qmt`" in complained


def test_a_signal_goes_on_from_a_run(here):
    code, _, complained = here("run", "momentum", *FUNDS, "--end", "2022-06-30", "--no-report")
    assert code == 0, complained
    code, printed, complained = here("signal", "--from", "last", "--json")
    assert code == 0, complained
    document = json.loads(printed)
    (folder,) = Path("results").glob("momentum-*")
    held = pd.read_csv(folder / "positions.csv").query("day == '2022-06-30'").set_index("symbol")["shares"]
    assert document["day"] == "2022-07-01"
    assert {each["symbol"]: each["shares"] for each in document["funds"] if each["shares"]} == held.to_dict()
    assert document["cash"] == pd.read_csv(folder / "equity.csv")["cash"].iloc[-1]
    code, _, complained = here("signal", "momentum", "--from", "last")
    assert code == 2
    assert re.search("--from takes strategy.*received momentum", complained)


def test_a_session_that_is_over_is_refused_unless_it_is_asked_for(here, panel, monkeypatch):
    with pytest.raises(DataError, match=rf"session of 2025-08-21.*is over.*{UPDATE}.*--end 2025-08-20"):
        commands_signal._require_ahead(panel, None, UPDATE)
    # an evening up to the last session on file lacks nothing; a later one lacks what came since
    commands_signal._require_ahead(panel, date(2025, 8, 20), UPDATE)
    with pytest.raises(DataError, match="received data to 2025-08-20, and --end 2025-08-21"):
        commands_signal._require_ahead(panel, date(2025, 8, 21), UPDATE)
    monkeypatch.setattr(commands_signal, "_require_ahead", lambda *_: pytest.fail("asked"))
    assert here("signal", "momentum", *FUNDS)[0] == 0  # made up, so that no session of it is ever over


def test_yesterday_from_files(here, tmp_path):
    (tmp_path / "held.csv").write_text("symbol,shares\n157001.SZ,10050\n")
    account = ("momentum", *FUNDS, "--positions", "held.csv", "--cash", "20000")
    code, printed, _ = here("signal", *account, "--end", "2025-08-18", "--format", "generic")
    assert code == 0
    (tmp_path / "orders.csv").write_text(printed)
    (tmp_path / "fills.csv").write_text(printed)  # all traded at the limit
    code, printed, complained = here("signal", "reconcile", "orders.csv", "fills.csv", *account, "--json")
    assert code == 0, complained
    document = json.loads(printed)
    assert document["day"] == "2025-08-19"
    assert all(document["causes"][name] == 0.0 for name in ("late_data", "by_hand", "cost"))
    assert document["whole"] == pytest.approx(sum(document["causes"].values()), abs=1e-9)
    whole, money = (document[name] for name in ("whole", "money"))
    code, printed, complained = here("signal", "reconcile", "orders.csv", "fills.csv", *account)
    assert whole < -0.005  # bought at the limit, which is above the open
    assert f"earned {-whole:,.2f} basis points less than the engine would have: {-money:,.2f} CNY" in printed
    assert re.search(r"^price +-\d.*paid against", printed, re.M)
    assert re.search(r"^by_hand +0\.00  ", printed, re.M)
    assert "+0" not in printed
    assert "late_data" not in complained
    other = here("signal", "reconcile", "orders.csv", "fills.csv", *account[:-1], "40000")
    assert "would be ordered otherwise on today's data. Where nothing came or was revised" in other[2]
    for fills, message in {
        "day,symbol,side,shares,price\n2025-08-20,157001.SZ,buy,100,1\n": "row 1: another session",
        "symbol,side,shares,price\n515980.SH,buy,100,1\n": "515980.SH is not among the funds",
        "symbol,shares\n157001.SZ,100\n": "need the columns",
    }.items():
        (tmp_path / "fills.csv").write_text(fills)
        code, _, complained = here("signal", "reconcile", "orders.csv", "fills.csv", *account)
        assert code == 2
        assert message in complained
    (tmp_path / "orders.csv").write_text("symbol,side,shares\n157001.SZ,buy,100\n")
    (tmp_path / "fills.csv").write_text("symbol,side,shares,price\n157001.SZ,buy,100,1\n")
    code, _, complained = here("signal", "reconcile", "orders.csv", "fills.csv", *account)
    assert code == 2
    assert "does not say of which session" in complained
