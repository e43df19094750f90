"""Paper accounts: day by day the books of the backtest, to the bit; a file that only grows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import run_backtest
from data.demo import Demo
from data.errors import DataError, UsageError
from data.load import load_panel
from data.panel.panel import Panel
from engine import run
from engine.accounts.lines import FILE, Account, read_account
from engine.cli import commands_account
from engine.commands.account import AccountJob, diff_account, new_account, step_account
from engine.commands.job import Job, job_of
from engine.commands.reconcile import reconcile_job
from engine.commands.signal import signal_job
from engine.kernel.costs import Costs
from engine.orders.formats import Row
from engine.record.chain import checksum_of
from engine.record.journal import Journal
from engine.record.last import note_last
from engine.result import FILL_COLUMNS, REJECTION_COLUMNS, Result
from engine.simulation.standing import Due, Standing
from engine.spec import Conditions
from strategies import STRATEGIES
from tests.helpers.small_market import DAYS, Source, bars_of
from tests.helpers.sums import without_sums

ROOT = Path(run_backtest.__file__).parent

# Of these 157001 splits on 2025-07-21, and 157003 on 2025-02-24; both exchanges are there.
SYMBOLS = ("157001.SZ", "157003.SZ", "157005.SZ", "157021.SZ", "586012.SH", "586031.SH")


@cache
def table(name: str) -> pd.DataFrame:
    return Demo().read(name)


class Evening:
    """The demo market as it is on file after a day: what was announced stays, whatever was measured ends."""

    name, synthetic, default_benchmark = "evening", True, None

    def __init__(
        self, day: date | None = None, revised: Mapping[str, Any] | None = None, since: str = "2025-01-02"
    ) -> None:
        self.day, self.revised, self.since = day, revised, pd.Timestamp(since)

    def read(self, name: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        frame = table(name)
        if symbols is not None:
            frame = frame[frame[frame.columns[0]].isin(list(symbols))]
        if "day" in frame:
            last = frame["day"].max() if self.day is None else pd.Timestamp(self.day)
            frame = frame[(frame["day"] >= self.since) & (frame["day"] <= last)]
        if self.revised and name == "bars":
            at = (frame["symbol"] == self.revised["symbol"]) & (frame["day"] == self.revised["day"])
            frame = frame.assign(close=frame["close"].where(~at, self.revised["close"]))
        return frame.reset_index(drop=True)


@dataclass
class Turns:
    """Asked before each open; remembers how often it was."""

    asked: int = field(default=0, init=False)

    def decide(self, known: Any, held: Mapping[str, float]) -> dict[str, float] | None:
        self.asked += 1
        return None if self.asked % 2 else {SYMBOLS[self.asked % 6]: 0.6, SYMBOLS[self.asked % 5]: 0.3}


@cache
def whole(since: str) -> Panel:
    return load_panel(Evening(since=since), SYMBOLS)


@cache
def known_on(day: date, since: str) -> Panel:
    return load_panel(Evening(day, since=since), SYMBOLS)


def job(strategy: Any, evening: Evening, conditions: Conditions) -> Job:
    since = str(evening.since.date())
    if evening.revised:
        panel = load_panel(evening, SYMBOLS)
    else:
        panel = whole(since) if evening.day is None else known_on(evening.day, since)
    return job_of(strategy, panel, conditions, evening)


def stepped(folder: Path, strategy: Any, evening: Evening, conditions: Conditions) -> Account:
    opened = AccountJob(read_account(folder), job(strategy, evening, conditions))
    list(step_account(opened))
    return read_account(folder)


def same_to_the_bit(account: Account, result: Result) -> None:
    assert [each.day for each in account.sessions] == result.days.tolist()
    for name in ("equity", "cash", "receivable", "interest", "dividend"):
        assert [getattr(each, name) for each in account.sessions] == getattr(result, name).tolist(), name
    for name, columns in (("fills", FILL_COLUMNS), ("rejections", REJECTION_COLUMNS)):
        rows = [(pd.Timestamp(each.day), *row) for each in account.sessions for row in getattr(each, name)]
        expected = getattr(result, name)
        assert rows == [*expected[list(columns)].itertuples(index=False, name=None)], name
    for each, shares in zip(account.sessions, result.shares, strict=True):
        assert each.shares == {s: n for s, n in zip(result.symbols, shares.tolist(), strict=True) if n}


COSTS = Costs(impact=0.3, cash_rate=0.02, participation_rate=0.05)
CASES = {
    "flow": (STRATEGIES["share_inflow"](rebalance=3, top=2), Conditions(costs=COSTS)),
    "memory of what was chosen": (
        STRATEGIES["momentum"](rebalance=2, top=2, hysteresis=2, lookback=10),
        Conditions(fill="vwap", cash=30_000.0),
    ),
    "weekly": (STRATEGIES["momentum"](rebalance="weekly", weighting="inverse_volatility"), Conditions()),
    "stops": (
        STRATEGIES["momentum"](rebalance=5, top=3, lookback=10, stop_loss=0.01, trailing_stop=0.02),
        Conditions(fill="vwap"),
    ),
    "asked each time": (Turns(), Conditions(fill="close", costs=COSTS)),
}


def begun(
    tmp_path: Path, name: str, start: str, end: str, since: str = "2025-01-02"
) -> tuple[Path, Any, Conditions, Result]:
    strategy, given = CASES[name]
    conditions = Conditions(**{**vars(given), "start": date.fromisoformat(start)})
    folder = tmp_path / "paper"
    new_account(folder, job(strategy, Evening(conditions.start, since=since), conditions))
    settings = {"start": start, "end": end, "cash": given.cash, "costs": given.costs, "fill": given.fill}
    days = {each: date.fromisoformat(settings.pop(each)) for each in ("start", "end")}
    return folder, strategy, conditions, run(strategy, whole(since), **days, **settings)


@pytest.mark.parametrize("name", CASES)
def test_each_evening_knows_its_own_day_and_the_account_is_the_backtest(tmp_path, name):
    folder, strategy, conditions, result = begun(tmp_path, name, "2025-07-18", "2025-07-24")
    for day in result.days.tolist():
        account = stepped(folder, strategy, Evening(day), conditions)
        assert account.last_day == day
    assert len(result.fills) > 1
    same_to_the_bit(account, result)


@pytest.mark.parametrize("name", CASES)
def test_steps_at_once_by_data_that_know_all_give_the_same_file(tmp_path, name):
    folder, strategy, conditions, result = begun(tmp_path, name, "2025-05-06", "2025-08-20")
    account = stepped(folder, strategy, Evening(), conditions)
    same_to_the_bit(account, result)
    assert any(each.exits for each in account.sessions) == (name == "stops") == (len(result.exits) > 0)
    before = (folder / FILE).read_bytes()
    stepped(folder, strategy, Evening(), conditions)  # nothing is left to do
    assert (folder / FILE).read_bytes() == before


@pytest.mark.slow
def test_a_year_day_by_day_is_the_backtest_of_the_year(tmp_path):
    folder, strategy, conditions, result = begun(
        tmp_path, "flow", "2024-08-20", "2025-08-19", since="2024-06-03"
    )
    for day in result.days.tolist():
        account = stepped(folder, strategy, Evening(day, since="2024-06-03"), conditions)
    assert len(account.sessions) == 242
    same_to_the_bit(account, result)


def test_a_revised_close_is_named_and_what_it_did(tmp_path):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    account = stepped(folder, strategy, Evening(date(2025, 7, 31)), conditions)
    none, _ = diff_account(AccountJob(account, job(strategy, Evening(), conditions)))
    assert none.same
    session = account.sessions[9]
    symbol = next(iter(session.marks))
    close = round(session.marks[symbol] * 1.01, 3)
    other = Evening(revised={"symbol": symbol, "day": pd.Timestamp(session.day), "close": close})
    found, _ = diff_account(AccountJob(account, job(strategy, other, conditions)))
    assert found.first_day == session.day
    first = found.data[0]
    assert (first.day, first.symbol, first.what) == (session.day, symbol, "price at the close")
    assert (first.then, first.now) == (session.marks[symbol], close)
    effects = {each.what: each for each in found.effects if each.day == session.day}
    assert effects["equity"].now - effects["equity"].then == pytest.approx(
        session.shares[symbol] * (close - session.marks[symbol])
    )
    last = account.sessions[-1].equity
    again = run(
        strategy, load_panel(other, SYMBOLS), start=date(2025, 7, 1), end=date(2025, 7, 31), costs=COSTS
    )
    assert found.basis_points == pytest.approx((last / again.equity[-1] - 1.0) * 1e4)


@pytest.mark.parametrize("name", ["flow", "stops", "asked each time"])
def test_the_signal_of_an_account_is_what_its_next_step_orders(tmp_path, name):
    folder, strategy, conditions, result = begun(tmp_path, name, "2025-07-01", "2025-07-31")
    compared = 0
    for day in result.days.tolist()[1:5]:
        account = stepped(folder, strategy, Evening(day), conditions)
        evening = job(strategy, Evening(day), conditions)
        found = signal_job(evening, standing=account.standing(), past=account.past()).signal
        after = stepped(folder, strategy, Evening(found.day), conditions)
        assert [(line.symbol, line.order_shares) for line in found.orders] == [*after.sessions[-1].orders]
        assert after.sessions[-1].day == found.day
        compared += len(found.orders)
    assert compared > 1


THIRD = """
from dataclasses import dataclass, field

@dataclass
class Third:
    asked: int = field(default=0, init=False)

    def decide(self, past, held):
        self.asked += 1
        return None if self.asked % 3 else {past.symbols[self.asked // 3]: 0.9}
"""


@pytest.mark.slow
def test_a_signal_remembers_what_the_account_or_run_was_asked(here, tmp_path):
    (tmp_path / "third.py").write_text(THIRD, encoding="utf-8")
    days = [date(2025, 8, day) for day in (12, 13, 14, 15, 18, 19)]
    words = ("third.py", *WORDS[1:3], "--start", days[0])
    assert here("account", "new", "paper", *words)[0] == 0
    traded = []
    for evening, day in list(pairwise(days))[1::3]:
        assert here("account", "step", "paper", "--until", evening)[0] == 0
        printed = here("run", *words, "--end", evening, "--no-report", "--json")[1]
        kept = ("--account", "paper"), ("--from", json.loads(printed)["folder"])
        found = [here("signal", *which, "--end", evening, "--json")[1] for which in kept]
        by_account, by_run = (
            [(each["symbol"], each["order_shares"]) for each in json.loads(each)["funds"]] for each in found
        )
        wanted = {symbol: order for symbol, order in by_account if order}
        assert by_run == by_account
        assert here("account", "step", "paper", "--until", day)[0] == 0
        assert wanted == dict(read_account(tmp_path / "paper").sessions[-1].orders)
        traded.append((day, sorted(wanted)))
    # Asked on 12, 13 and 14, it buys the second fund; on 19 it is asked for the sixth time.
    assert traded == [(days[2], [SYMBOLS[1]]), (days[5], [SYMBOLS[1], SYMBOLS[2]])]


OLD, NEW, OTHER = "159019.SZ", "159020.SZ", "159021.SZ"
RENAMED = 20


@dataclass
class InParts:
    """Buys the first fund when it is asked first, and sells it in two parts when asked again."""

    asked: int = field(default=0, init=False)

    def decide(self, past: Any, held: Mapping[str, float]) -> dict[str, float] | None:
        self.asked += 1
        return {1: {past.symbols[0]: 0.5}, 4: {past.symbols[0]: 0.25}, 5: {}}.get(self.asked)


def renaming(evening: int) -> Job:
    """Return the job on an evening of a fund that has another symbol from session 20 on.

    It pays 0.10 on session 22 for session 19. That it is renamed is not known before.
    """
    days = [(OLD, 0, RENAMED), (NEW, RENAMED, len(DAYS)), (OTHER, 0, len(DAYS))]
    bars = [
        bars_of(each, np.ones(len(DAYS))).iloc[begin : min(end, evening + 1)] for each, begin, end in days
    ]
    paid = {"symbol": OLD, "kind": "dividend", "ex_day": DAYS[19], "cash": 0.1, "pay_day": DAYS[22]}
    rename = {"symbol": OLD, "kind": "rename", "ex_day": DAYS[RENAMED], "successor": NEW}
    actions = pd.DataFrame([paid, rename] if evening >= RENAMED else [paid])
    source: Any = Source({"bars": pd.concat(bars, ignore_index=True), "actions": actions})
    source.name, source.synthetic, source.default_benchmark = "renaming", True, None
    return job_of(InParts(), load_panel(source), Conditions(start=DAYS[17].date(), cash=100_000.0), source)


def test_an_account_goes_on_with_a_fund_that_was_renamed(tmp_path):
    def until(evening: int) -> Account:
        list(step_account(AccountJob(read_account(tmp_path / "paper"), renaming(evening))))
        return read_account(tmp_path / "paper")

    new_account(tmp_path / "paper", renaming(17))
    before = until(19)
    (bought,) = before.sessions[0].shares.items()
    assert bought[0] == OLD
    owed = ("dividend", DAYS[19].date(), bought[1] * 0.1)
    assert before.standing() == Standing(before.standing().cash, {OLD: bought[1]}, (Due(OLD, *owed),))
    after = renaming(RENAMED)
    stands = Standing(before.standing().cash, {NEW: bought[1]}, (Due(NEW, *owed),))
    early = renaming(19)
    result = run(InParts(), early.panel, start=DAYS[17].date(), cash=100_000.0)
    assert Standing.after(result, after.panel, after.current) == stands
    assert before.standing().renamed(after.current) == stands

    account = until(RENAMED)
    ((symbol, sold),) = account.sessions[-1].orders
    assert symbol == NEW
    found = signal_job(after, standing=account.standing(), past=account.past()).signal
    left = bought[1] + sold
    assert [(line.symbol, line.order_shares) for line in found.orders] == [(NEW, -left)]
    # The orders of the evening before were for the old symbol, the broker's fills are of the new one.
    orders = [Row("orders", "20250305-01", None, OLD, sold, 1.0, None)]
    fills = [Row("fills", None, None, NEW, sold, 1.0, 5.0)]
    told = reconcile_job(after, DAYS[20].date(), before.standing(), orders, fills, past=before.past()).found
    assert [(each.symbol, each.engine_shares, each.sent, each.filled) for each in told.funds] == [
        (NEW, sold, sold, sold)
    ]

    account = until(22)
    assert account.sessions[4].orders == ((NEW, -left),)
    assert [len(each.due) for each in account.sessions] == [0, 0, 1, 1, 1, 0]
    assert account.sessions[5].cash == account.sessions[4].cash + bought[1] * 0.1
    assert diff_account(AccountJob(account, renaming(22)))[0].same


def test_a_line_that_a_kill_tore_is_none_and_is_written_again(tmp_path):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    stepped(folder, strategy, Evening(date(2025, 7, 8)), conditions)
    whole = (folder / FILE).read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in (1, len(lines[-1]) // 2, len(lines[-1]) - 1):
        (folder / FILE).write_bytes(whole[:-cut])
        note_last(folder / FILE, checksum_of(lines[-2]))
        assert len(read_account(folder).sessions) == len(lines) - 2
        stepped(folder, strategy, Evening(date(2025, 7, 8)), conditions)
        assert (folder / FILE).read_bytes() == whole


@pytest.mark.parametrize("line", [b"{}\n", b"nonsense\n", b"[1]\n", b'{"day": "2025-07-01"}\n'])
def test_a_damaged_line_is_named(tmp_path, line):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    stepped(folder, strategy, Evening(date(2025, 7, 3)), conditions)
    lines = (folder / FILE).read_bytes().splitlines(keepends=True)
    (folder / FILE).write_bytes(b"".join([lines[0], line, *lines[2:]]))
    with pytest.raises(DataError, match=r"account\.jsonl: line 2 is damaged"):
        read_account(folder)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("cash", lambda cash: cash + 1_000.0),
        ("equity", lambda equity: equity * 2.0),
        ("shares", lambda shares: {symbol: 2 * count for symbol, count in shares.items()}),
        ("fills", lambda fills: [[*each[:3], each[3] + 100.0, *each[4:]] for each in fills]),
        ("fills", lambda fills: [each[:4] for each in fills]),
        ("fills", lambda fills: [[*each[:5], None, *each[6:]] for each in fills]),
        ("waiting", lambda _: {"A1": 3}),
        ("waiting", lambda _: ["157001.SZ"]),
        ("waiting", lambda _: [["157001.SZ"]]),
        ("waiting", lambda _: [["157001.SZ", 0]]),
        ("waiting", lambda _: [["157001.SZ", -5]]),
        ("waiting", lambda _: [["157001.SZ", 1.5]]),
        ("waiting", lambda _: [["157001.SZ", True]]),
        ("waiting", lambda _: [["157001.SZ", "5"]]),
        ("waiting", lambda _: [[157001, 5]]),
    ],
)
def test_books_that_do_not_balance_are_refused(tmp_path, name, changed):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    stepped(folder, strategy, Evening(date(2025, 7, 3)), conditions)
    first, *sessions = map(json.loads, without_sums((folder / FILE).read_bytes()).splitlines())
    assert sessions[0]["fills"]
    sessions[0][name] = changed(sessions[0].get(name))
    lines = [json.dumps(each) for each in (first, *sessions)]
    (folder / FILE).write_text("\n".join([*lines, ""]), encoding="utf-8")
    with pytest.raises(DataError, match=r"account\.jsonl: line 2 is damaged"):
        read_account(folder)


@pytest.mark.parametrize(
    ("moved", "line"),
    [
        (lambda lines: [*lines[:3], *lines[4:]], 4),
        (lambda lines: [*lines[:3], *lines[2:]], 4),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], 4),
        (lambda lines: lines[1:], 1),
    ],
    ids=["deleted", "repeated", "moved", "begun"],
)
def test_a_session_that_is_not_where_it_was_is_missed_though_the_books_balance(tmp_path, moved, line):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    stepped(folder, strategy, Evening(date(2025, 7, 8)), conditions)
    whole = (folder / FILE).read_bytes().splitlines(keepends=True)
    (folder / FILE).write_bytes(b"".join(moved(whole)))
    with pytest.raises(DataError, match=rf"account\.jsonl: line {line} does not follow the line before it"):
        read_account(folder)
    (folder / FILE).write_bytes(b"".join(whole[:-1]))
    with pytest.raises(
        DataError, match=r"line 7 is not there.* without one, delete account\.jsonl\.last, and go"
    ):
        stepped(folder, strategy, Evening(date(2025, 7, 8)), conditions)
    (folder / "account.jsonl.last").unlink()
    stepped(folder, strategy, Evening(date(2025, 7, 8)), conditions)
    assert (folder / FILE).read_bytes() == b"".join(whole)


def test_an_account_of_a_former_version_goes_on(tmp_path):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    stepped(folder, strategy, Evening(date(2025, 7, 3)), conditions)
    (folder / FILE).write_bytes(without_sums((folder / FILE).read_bytes()))
    account = stepped(folder, strategy, Evening(date(2025, 7, 8)), conditions)
    lines = (folder / FILE).read_bytes().splitlines(keepends=True)
    assert len(account.sessions) == len(lines) - 1 == 6
    (folder / FILE).write_bytes(b"".join([*lines[:4], *lines[5:]]))
    with pytest.raises(DataError, match="line 5 does not follow"):
        read_account(folder)


def test_an_account_whose_beginning_is_damaged_is_there_and_no_other_begins_in_its_place(tmp_path):
    folder, *_ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    damaged = (folder / FILE).read_bytes().replace(b'"cash":', b'"cAsh":')
    (folder / FILE).write_bytes(damaged)
    with pytest.raises(DataError, match=r"account\.jsonl: line 1 is damaged"):
        read_account(folder)
    with pytest.raises(UsageError, match="account"):
        begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    assert (folder / FILE).read_bytes() == damaged


def test_two_processes_do_not_write_one_account(tmp_path):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    with Journal(folder / FILE), pytest.raises(UsageError, match="`paper` is being written by another"):
        stepped(folder, strategy, Evening(date(2025, 7, 3)), conditions)
    assert read_account(folder).sessions == ()


def test_what_has_no_account_is_refused(tmp_path):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    evening = Evening(date(2025, 7, 3))
    with pytest.raises(UsageError, match="there is an account"):
        new_account(folder, job(strategy, evening, conditions))
    with pytest.raises(UsageError, match="no account in"):
        read_account(tmp_path / "none")
    batch = Conditions(start=conditions.start, engine="batch")
    with pytest.raises(UsageError, match="reference engine"):
        new_account(tmp_path / "other", job(strategy, evening, batch))
    tranches = STRATEGIES["share_inflow"](rebalance=3, tranches=3)
    with pytest.raises(UsageError, match="of one sleeve"):
        new_account(tmp_path / "other", job(tranches, evening, conditions))
    with pytest.raises(UsageError, match="of one sleeve"):  # its file says so since
        stepped(folder, tranches, evening, conditions)
    assert read_account(folder).sessions == ()
    stepped(folder, strategy, Evening(date(2025, 7, 10)), conditions)
    with pytest.raises(DataError, match="data end before the account"):
        stepped(folder, strategy, evening, conditions)


def test_a_start_that_the_data_cannot_decide_on_is_refused_when_the_account_begins(tmp_path):
    (strategy, _), evening, folder = CASES["flow"], Evening(date(2025, 7, 3)), tmp_path / "paper"
    # 20 sessions of flow, known one later: the data begin on 2025-01-02, and the holiday is a week.
    first = date(2025, 2, 10)
    for start in (date(2010, 1, 4), date(2025, 2, 7)):
        with pytest.raises(DataError, match=rf"is too early .* received {start}.*Use --start {first}"):
            new_account(folder, job(strategy, evening, Conditions(start=start)))
        assert not folder.exists()
    new_account(folder, job(strategy, evening, Conditions(start=first)))
    assert stepped(folder, strategy, evening, Conditions(start=first)).sessions[0].day == first
    # What begins after the data is not held against them.
    new_account(tmp_path / "later", job(strategy, evening, Conditions(start=date(2030, 1, 2))))


def test_a_line_from_before_there_were_stops_is_read(tmp_path):
    folder, strategy, conditions, _ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    account = stepped(folder, strategy, Evening(date(2025, 7, 3)), conditions)
    text = without_sums((folder / FILE).read_bytes())
    (folder / FILE).write_bytes(text.replace(b'"exits":{},', b""))
    assert read_account(folder) == account


def test_a_file_cut_by_a_newer_version_or_hand_is_refused(tmp_path):
    folder, *_ = begun(tmp_path, "flow", "2025-07-01", "2025-07-31")
    header = json.loads(without_sums((folder / FILE).read_bytes()))
    (folder / FILE).write_text(json.dumps(header | {"account": 2}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="newer version"):
        read_account(folder)
    (folder / FILE).write_text(json.dumps(header | {"spec": 5}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"line 1 is damaged; received spec"):
        read_account(folder)


# --- the command --------------------------------------------------------------------------------------

WORDS = ("share_inflow", "--symbols", ",".join(SYMBOLS), "--set", "top=2", "--cash", "50000")


@pytest.mark.slow
def test_an_account_from_the_command_line(here):
    assert here("account", "new", "paper", *WORDS, "--start", "2025-08-12")[0] == 0
    code, _, complained = here("account", "step", "paper", "--until", "2025-01-02")
    assert (code, "begins later" in complained) == (2, True)
    assert here("account", "new", "tomorrow", *WORDS)[0] == 0  # which trades from 2025-08-21 on
    assert here("account", "step", "tomorrow")[:2] == (0, "Nothing to do yet.\n")
    code, printed, complained = here("account", "step", "paper", "--until", "2025-08-14", "--json")
    assert code == 0, complained
    assert [each["day"] for each in json.loads(printed)["sessions"]] == [
        "2025-08-12",
        "2025-08-13",
        "2025-08-14",
    ]
    code, printed, _ = here("account", "step", "paper", "--until", "2025-08-13")
    assert (code, printed) == (0, "Nothing to do: the account is at 2025-08-14.\n")
    code, printed, _ = here("account", "show", "paper", "--json")
    shown = json.loads(printed)
    assert (code, shown["last_day"], len(shown["sessions"])) == (0, "2025-08-14", 3)
    assert (shown["currency"], shown["data"]["synthetic"], "SYNTHETIC" in shown["notice"]) == (
        "CNY",
        True,
        True,
    )
    said = here("account", "show", "paper")[1]
    assert said.startswith("share_inflow on demo, from 2025-08-12 on\nSYNTHETIC: ")
    made = f"a return of {100 * shown['return']:.2f}% on 50,000.00 CNY"
    assert f"equity {shown['equity']:,.2f} CNY at the close of 2025-08-14, {made}" in said
    assert re.search(r"^fund +shares +close +value, CNY$", said, re.MULTILINE)
    assert re.search(r"rejections +cash, CNY +equity, CNY$", said, re.MULTILINE)
    code, printed, _ = here("account", "diff", "paper")
    assert (code, printed.startswith("The same to the bit over 3 sessions")) == (0, True)
    code, _, complained = here("signal", "--account", "paper", "--json")
    assert code == 3
    assert "has not done the session of 2025-08-20; received the account is at 2025-08-14" in complained
    code, printed, complained = here("signal", "--account", "paper", "--end", "2025-08-14", "--json")
    assert code == 0, complained
    found = json.loads(printed)
    assert (found["day"], found["cash"]) == ("2025-08-15", shown["cash"])
    assert {each["symbol"]: each["shares"] for each in found["funds"] if each["shares"]} == shown["shares"]
    for words, code, message in (
        (("account", "step", "nowhere"), 2, "no account in nowhere"),
        (("account", "new", "other", *WORDS, "--end", "2025-08-14"), 2, "an account has no end"),
        (("signal", "--account", "paper", "--cash", "5"), 2, "--account takes"),
    ):
        got, printed, complained = here(*words)
        assert (got, printed) == (code, ""), words
        assert message in complained


@pytest.mark.slow
def test_killed_steps_leave_whole_lines_and_go_on(tmp_path):
    call = [sys.executable, str(ROOT / "run_backtest.py"), "account"]
    for name in ("whole", "killed"):
        subprocess.run([*call, "new", name, *WORDS, "--start", "2024-01-02"], cwd=tmp_path, check=True)
    subprocess.run([*call, "step", "whole"], cwd=tmp_path, check=True, capture_output=True)
    file = tmp_path / "killed" / FILE
    for lines in (2, 150):
        process = subprocess.Popen([*call, "step", "killed"], cwd=tmp_path, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60.0
        while process.poll() is None and file.read_bytes().count(b"\n") < lines and time.monotonic() < until:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert len(read_account(tmp_path / "killed").sessions) >= lines - 1
    subprocess.run([*call, "step", "killed"], cwd=tmp_path, check=True, capture_output=True)
    assert file.read_bytes() == (tmp_path / "whole" / FILE).read_bytes()
    assert np.diff([each.day.toordinal() for each in read_account(tmp_path / "killed").sessions]).min() > 0


def test_values_that_differ_are_told_by_as_many_digits_as_tell_them_apart():
    assert commands_account._apart(0.25, 0.5) == ("0.25", "0.5")
    assert commands_account._apart(820.97895, 820.9789500000002) == ("820.97895", "820.9789500000002")
    assert commands_account._apart(None, 3.0) == ("n/a", "3")
