"""Orders for two markets: those of the engine, in the money and the hours of each fund."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import run_backtest
from data.errors import DataError
from data.facts.availability import load_availability
from data.load import load_panel
from data.panel.panel import Panel
from data.store.store import Store
from engine import run
from engine.cli.main import main
from engine.commands.account import AccountJob, new_account, step_account
from engine.commands.job import job_of
from engine.kernel.costs import Costs
from engine.orders.formats import Row
from engine.orders.inputs import Behind, behind, inputs_of
from engine.orders.next_open import decide_next, next_panel, next_session
from engine.orders.opens import opens_of
from engine.orders.reconcile import reconcile
from engine.orders.tickets import tickets_of
from engine.simulation.books import Books
from engine.simulation.standing import Standing
from engine.spec import Conditions
from engine.strategy.adapters import adapt
from strategies import STRATEGIES
from tests.test_currency import CN, US, flat, made

SYMBOLS = (CN, "515980.SH", "AIQ.US", US)
MOMENTUM = STRATEGIES["momentum"](lookback=3, top=2, rebalance=1)
FREE = Costs(0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return made(tmp_path_factory.mktemp("stores") / "both")


class Before:
    """What is on file before Shanghai opens on a day; ``gone`` are the last days of New York that are not."""

    name, synthetic, default_benchmark = "before", False, None

    def __init__(self, store: Store, day: date, gone: int = 0) -> None:
        self._store, self._day, self._gone = store, pd.Timestamp(day), gone

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        frame = self._store.read(table, symbols)
        if "day" not in frame:
            return frame
        frame = frame[frame["day"] < self._day]
        if table == "bars" and self._gone:
            abroad = frame["symbol"].str.endswith(".US")
            last = sorted(set(frame.loc[abroad, "day"]))[-self._gone :]
            frame = frame[~(abroad & frame["day"].isin(last))]
        return frame.reset_index(drop=True)


# After a day that Shanghai had alone, after a week that New York had alone, and on any day.
DAYS = (date(2025, 1, 10), date(2025, 2, 5), date(2025, 3, 11))


def test_the_signal_is_what_the_reference_engine_sends(store: Store, monkeypatch: Any) -> None:
    sent = {}
    original = Books.with_waiting

    def recording(books: Books, wanted: Any, *, anew: bool) -> Any:
        orders = original(books, wanted, anew=anew)
        sent[books.panel.days[books.row].item()] = [(books.panel.symbols[c], n) for c, n in orders]
        return orders

    with monkeypatch.context() as patch:
        patch.setattr(Books, "with_waiting", recording)
        result = run(MOMENTUM, load_panel(store), start=date(2025, 1, 8))
    for day in DAYS:
        number = result.days.tolist().index(day)
        source = Before(store, day)
        last = load_panel(source).days[-1].item()
        assert last == result.days[number - 1].item()
        ahead = next_panel(source, SYMBOLS, last)
        held = dict(zip(SYMBOLS, result.shares[number - 1].tolist(), strict=True))
        conditions = Conditions(start=date(2025, 1, 8))
        signal = decide_next(MOMENTUM, ahead, conditions, holdings=held, cash=float(result.cash[number - 1]))
        assert signal.day == day
        assert [(line.symbol, line.order_shares) for line in signal.orders] == sent[day] != []
        assert behind(ahead) == ()


def test_the_next_session_is_the_next_day_on_which_both_are_open() -> None:
    assert next_session(SYMBOLS, date(2025, 1, 27)) == date(2025, 2, 5)  # the Spring Festival
    assert next_session([US], date(2025, 1, 27)) == date(2025, 1, 28)
    assert next_session(SYMBOLS, date(2025, 2, 14)) == date(2025, 2, 18)  # Presidents' Day


def test_a_close_that_is_missing_on_a_day_that_one_market_has_alone_is_seen(store: Store) -> None:
    ahead = next_panel(Before(store, date(2025, 2, 5), gone=2), SYMBOLS, date(2025, 1, 27))
    assert behind(ahead) == (Behind("us_etf", date(2025, 1, 31), date(2025, 2, 4)),)


class Halted(Before):
    """Neither of two funds traded on the last day: its bars have a volume of zero."""

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        frame = super().read(table, symbols)
        if table == "bars":
            last = frame["day"] == frame["day"].max()
            frame = frame.assign(volume=frame["volume"].mask(last, 0.0))
        return frame


def test_a_market_all_of_whose_funds_were_halted_is_not_behind(store: Store) -> None:
    ahead = next_panel(Halted(store, date(2025, 3, 11)), (CN, US), date(2025, 3, 10))
    assert not ahead.market.traded[-2].any()
    assert behind(ahead) == ()


@dataclass
class Ended:
    """The fund in New York has its last bar on 31 January, and is no longer listed from ``end`` on."""

    source: Before
    end: str
    name, synthetic, default_benchmark = "ended", False, None

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        frame = self.source.read(table, symbols)
        if table == "funds":
            return pd.DataFrame([{**dict.fromkeys(frame), "symbol": US, "delisted": pd.Timestamp(self.end)}])
        return frame


def test_a_market_whose_funds_have_ended_has_no_close_to_wait_for(store: Store) -> None:
    source, last = Before(store, date(2025, 2, 5), gone=2), date(2025, 1, 27)
    # New York's last close before the open of the 5th is that of the 4th.
    assert behind(next_panel(Ended(source, "2025-02-04"), (CN, US), last)) == ()
    (found,) = behind(next_panel(Ended(source, "2025-02-05"), (CN, US), last))
    assert (found.last, found.due) == (date(2025, 1, 31), date(2025, 2, 4))


def test_units_of_the_later_market_are_due_a_session_later(store: Store) -> None:
    source = Before(store, date(2025, 3, 11))
    ahead = next_panel(source, SYMBOLS, date(2025, 3, 10))
    strategy = STRATEGIES["share_inflow"](lookback=3, top=1, rebalance=1)
    signal = decide_next(strategy, ahead)
    found = inputs_of(signal.reads, ahead, load_availability(), source, SYMBOLS)
    assert [(each.table, each.age, each.late) for each in found] == [
        ("bars", 1, ()),
        ("fx", 1, ()),
        ("units", 1, ()),
        ("nav", 1, ()),
    ]
    assert {line.symbol: line.ages["flow"] for line in signal.lines} == {
        CN: 1,
        "515980.SH": 1,
        "AIQ.US": 3,  # two sessions, and one more, since New York opens later
        US: 3,
    }


def test_each_market_is_told_its_hour_in_the_zone_of_the_other(store: Store) -> None:
    ahead = next_panel(Before(store, date(2025, 3, 11)), SYMBOLS, date(2025, 3, 10))
    shanghai, new_york = opens_of(ahead, load_availability())
    assert shanghai.told == "2025-03-11 09:15 Asia/Shanghai (2025-03-10 21:15 America/New_York)"
    # Summer time began on the 9th.
    assert new_york.told == "2025-03-11 09:30 America/New_York (2025-03-11 21:30 Asia/Shanghai)"
    assert (shanghai.rate, new_york.rate) == (1.0, ahead.known.fx("USDCNY")[-1])


# --- With a pencil ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Into:
    """As much into each of the funds that are named."""

    funds: tuple[str, ...]

    def target_weights(self, known: Any) -> NDArray[np.float64]:
        weights = np.full((len(known.days), len(known.symbols)), np.nan)
        weights[-1] = [1.0 / len(self.funds) if each in self.funds else 0.0 for each in known.symbols]
        return weights


def evening(last: float = np.nan, close: float | None = None) -> Panel:
    """A fund at 2 yuan in Shanghai and one at 50 dollars in New York, 7 yuan for a dollar.

    Shanghai opens at ``last`` and closes there, or at ``close``.
    """
    price = np.array([[2.0, 50.0]] * 3 + [[last, last * 50.0]])
    closing = price.copy()
    closing[-1, 0] = last if close is None else close
    volume = np.where(np.isfinite(price), 1e8, np.nan)
    return Panel.from_events(
        ["2025-03-06", "2025-03-07", "2025-03-10", "2025-03-11"],
        [CN, US],
        bars={"open": price, "high": closing, "low": price, "close": closing, "volume": volume},
        lot=1,
        tick=0.01,
        fx={"USDCNY": [7.0] * 4},
        currency="CNY",
    )


def sent(strategy: Any, cash: float, held: Mapping[str, int]) -> Any:
    panel, conditions = evening(), Conditions(costs=FREE, reserve=0.0)
    signal = decide_next(strategy, panel, conditions, holdings=held, cash=cash)
    return tickets_of(signal, panel, FREE)


def test_prices_are_in_dollars_and_money_in_yuan() -> None:
    found = sent(Into((CN, US)), 7_000.0, {})
    home, abroad = found.sent
    # Half of 7,000 is 1,750 at 2 yuan, and 10 at 350; limits are 1 % above.
    assert (home.symbol, home.shares, home.limit_price) == (CN, 1_750, 2.02)
    assert (abroad.symbol, abroad.wanted, abroad.limit_price) == (US, 10, 50.5)
    # 7,000 less 1,750 at 2.02 pays for nine at 50.5 dollars of 7 yuan.
    assert (abroad.shares, abroad.notional) == (9, pytest.approx(9 * 50.5 * 7.0))
    assert found.cash_after == pytest.approx(7_000.0 - 1_750 * 2.02 - 9 * 50.5 * 7.0)


def test_what_new_york_sells_does_not_pay_in_shanghai_and_the_other_way_round_it_does() -> None:
    found = sent(Into((CN,)), 202.0, {US: 10})
    assert [(each.symbol, each.shares) for each in found.sent] == [(CN, 100), (US, -10)]
    # 3,500 and 202 are 1,851 shares.
    assert dict(found.sent[0].cut) == {"cash": 1_751}
    assert not found.sent[0].after_sales
    back = sent(Into((US,)), 0.0, {CN: 1_000})
    assert [(each.symbol, each.shares, each.after_sales) for each in back.sent] == [
        (CN, -1_000, False),
        (US, 5, False),  # the money has been there for half a day
    ]


def test_a_fill_abroad_counts_at_the_rate_of_the_session() -> None:
    panel, conditions = evening(2.0), Conditions(costs=FREE, reserve=0.0)
    orders = [Row("row 1", "20250311-01", None, US, 10, 101.0, None)]
    fills = [Row("row 1", "20250311-01", None, US, 10, 101.0, 2.0)]
    # The fund opens and closes at 100 dollars; the engine buys 20 at 50 dollars of the evening.
    found = reconcile(adapt(Into((US,))), panel, conditions, Standing(7_000.0), orders, fills)
    assert found.causes["price"] == pytest.approx(-10 * 1.0 * 7.0 / 7_000.0 * 1e4)
    assert found.causes["cost"] == pytest.approx(-2.0 * 7.0 / 7_000.0 * 1e4)
    assert (found.funds[0].engine_price, found.funds[0].price) == (100.0, 101.0)


def test_orders_are_tried_as_markets_open_in_whatever_order_their_file_has_them() -> None:
    panel, conditions = evening(2.0, close=3.0), Conditions(costs=FREE, reserve=0.0)
    # 202 yuan pay for 101 shares when Shanghai opens; what New York sells brings its money later.
    orders = [Row("row 1", "20250311-01", None, US, -10, None, None)]
    orders += [Row("row 2", "20250311-02", None, CN, 1_851, None, None)]
    fills = [Row("row 1", "20250311-01", None, US, -10, 100.0, 0.0)]
    fills += [Row("row 2", "20250311-02", None, CN, 101, 2.0, 0.0)]
    found = reconcile(adapt(Into((CN,))), panel, conditions, Standing(202.0, {US: 10}), orders, fills)
    # A hundred could be sent at a limit of 2.02, one less than the engine trades; each earned a yuan.
    assert found.causes["cut"] == pytest.approx(-1.0 / 3_702.0 * 1e4)
    assert found.causes["late_data"] == pytest.approx(1.0 / 3_702.0 * 1e4)
    assert (found.causes["not_filled"], found.whole) == (0.0, 0.0)


def test_no_rate_is_known_and_nothing_is_sent() -> None:
    days = np.arange("2025-01-06", "2025-01-18", dtype="datetime64[D]")
    with pytest.raises(DataError, match="no exchange rate of USD is known"):
        decide_next(Into((US,)), flat([7.0, *[np.nan] * 11], days))


# --- Through doors ----------------------------------------------------------------------------------------
@pytest.mark.slow
def test_an_account_of_both_markets_stepped_day_by_day_is_the_backtest(store: Store, tmp_path: Path) -> None:
    first, last = date(2025, 1, 22), date(2025, 2, 6)
    whole = run(MOMENTUM, load_panel(store, end=last), start=first, end=last)
    account = None
    for day in (date(2025, 1, 27), date(2025, 2, 5), last):
        source = Before(store, date.fromordinal(day.toordinal() + 1))
        job = job_of(MOMENTUM, load_panel(source), Conditions(start=first), source)
        account = account or new_account(tmp_path / "desk", job)
        list(step_account(AccountJob(account, job)))
    lines = [json.loads(line) for line in (tmp_path / "desk" / "account.jsonl").read_text().splitlines()]
    assert [each["equity"] for each in lines if "equity" in each] == whole.equity.tolist()


@pytest.fixture
def here(capsys: Any, tmp_path: Path, monkeypatch: Any, store: Store) -> Any:
    """Call the command line in an empty folder, on the store of both markets."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        code = main(run_backtest.load_catalogue, [*words, "--data", str(store.folder)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_orders_are_printed_by_market_with_both_hours(here: Any) -> None:
    words = ("signal", "momentum", "--set", "lookback=5", "--set", "top=4", "--cash", "100000")
    code, said, complained = here(*words, "--end", "2025-03-10", "--page")
    assert code == 0, complained
    shanghai, new_york = said.index("cn_etf, prices in CNY: send before"), said.index("us_etf, prices in USD")
    assert shanghai < said.index(f"{CN}  ") < new_york < said.index(f"{US}  ")
    assert "amounts of money are in CNY, at 7." in said
    page = next(Path("results").glob("signal-*/signal.html")).read_text(encoding="utf-8")
    assert "before 2025-03-11 09:30 America/New_York (2025-03-11 21:30 Asia/Shanghai)" in page
    code, said, _ = here(*words, "--end", "2025-03-10", "--json", "--currency", "USD")
    document = json.loads(said)
    assert (code, document["currency"]) == (0, "USD")
    assert [each["market"] for each in document["markets"]] == ["cn_etf", "us_etf"]
    assert document["markets"][0]["rate"] == pytest.approx(1 / 7.22, rel=0.01)
    assert document["behind"] == []


def test_a_session_that_is_over_says_when_to_ask(here: Any) -> None:
    code, _, said = here("signal", "momentum", "--set", "lookback=5")
    assert code == 3
    assert "between the close of the last and the open of the first" in said
