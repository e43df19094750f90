"""Funds that become others: another symbol, or units of another fund. Sessions themselves are in
``tests/test_session_actions.py`` and beside it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import run_backtest
from data.checks import run_checks
from data.errors import DataError
from data.facts.actions import Action, Event
from data.load import load_panel
from data.panel.flows import net_financing, unit_changes
from data.source import open_source, renamed
from data.store.store import Store
from engine import run, signal
from engine.cli.main import main
from engine.metrics import compute_metrics
from engine.results.folder import save
from engine.results.loading import load
from engine.results.trades import holdings, round_trips
from strategies.baselines import BuyHold, EqualWeight
from strategies.momentum import Momentum
from tests.helpers.small_market import DAYS, Source, bars_of, check, day

OLD, NEW, OTHER = "159019.SZ", "159020.SZ", "159021.SZ"
RENAMED = 20


@pytest.fixture
def command(capsys):
    """Call the command line in this process; return exit code, stdout and stderr."""

    def call(words: str) -> tuple[int, str, str]:
        code = main(run_backtest.load_catalogue, words.split())
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def actions(**row):
    return pd.DataFrame([row])


def series(symbol, first=0, last=None, level=1.0):
    wave = level * (1.0 + 0.01 * (np.arange(len(DAYS)) % 7))
    return bars_of(symbol, wave, DAYS).iloc[first:last]


def units(symbol, first=0, last=None):
    counts = pd.DataFrame({"symbol": symbol, "day": DAYS, "units": 50e6 + 1e6 * np.arange(len(DAYS))})
    return counts.iloc[first:last]


def store_of(folder, **tables):
    Store(folder).append({name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()})
    return open_source(folder)


@pytest.fixture
def one_name(tmp_path):
    return store_of(tmp_path / "one", bars=[series(NEW), series(OTHER, level=2.0)], units=[units(NEW)])


@pytest.fixture
def two_names(tmp_path):
    rename = {"symbol": OLD, "kind": "rename", "ex_day": DAYS[RENAMED], "successor": NEW}
    return store_of(
        tmp_path / "two",
        bars=[series(OLD, 0, RENAMED), series(NEW, RENAMED), series(OTHER, level=2.0)],
        units=[units(OLD, 0, RENAMED), units(NEW, RENAMED)],
        actions=[actions(**rename)],
    )


# --- Renames ----------------------------------------------------------------------------------------------
def test_a_fund_that_gets_another_symbol_continues(one_name, two_names):
    strategy = Momentum(lookback=5, rebalance=5, top=1)
    one, two = (run(strategy, load_panel(source)) for source in (one_name, two_names))
    assert one.symbols == two.symbols == (NEW, OTHER)
    assert (one.equity == two.equity).all()
    assert len(two.fills) > 2
    flows = [load_panel(source).known.flow("vwap") for source in (one_name, two_names)]
    np.testing.assert_array_equal(*flows)
    assert np.isfinite(flows[0][RENAMED + 1, 0])  # the count before is that of the other symbol


def test_the_page_of_a_run_says_where_a_fund_got_its_symbol(command, two_names, tmp_path):
    words = f"run momentum --set lookback=5 --set top=2 --data {two_names.folder} --out {tmp_path / 'out'} -q"
    code, said, problems = command(words)
    assert code == 0, problems
    told = json.loads((Path(said.strip()) / "context.json").read_text())
    assert told["renames"] == [[str(DAYS[RENAMED].date()), NEW, OLD]]
    assert f"until here {OLD}" in (Path(said.strip()) / "tearsheet.html").read_text()


def test_the_given_up_symbol_stands_for_the_one_of_now(two_names):
    assert load_panel(two_names, [OLD]).symbols == (NEW,)
    source = renamed(two_names)
    assert source.successors == {OLD: NEW}
    assert source.renames == ((DAYS[RENAMED].date(), NEW, OLD),)
    assert len(source.read("bars", [NEW])) == len(DAYS)
    assert source.read("bars", [OLD]).empty
    assert run_checks(two_names, [NEW, OTHER]) == run_checks(source, [NEW, OTHER])
    assert not [each for each in run_checks(two_names) if each.check == "lost-members"]


def test_a_holding_of_the_given_up_symbol_is_one_of_the_fund(two_names):
    panel = load_panel(two_names)
    orders = signal(BuyHold(), panel, two_names, holdings={OLD: 100, OTHER: 200}, cash=1e6).signal
    assert {line.symbol: line.shares for line in orders.lines} == {NEW: 100, OTHER: 200}


def test_rows_under_both_symbols_stay_as_the_later_one_has_them(tmp_path):
    rename = {"symbol": OLD, "kind": "rename", "ex_day": DAYS[RENAMED], "successor": NEW}
    other = series(OLD, 0, 30).assign(close=9.0, high=9.5)
    source = store_of(tmp_path / "s", bars=[other, series(NEW, 5)], actions=[actions(**rename)])
    rows = renamed(source).read("bars")
    # Before session 5 the old symbol's; from the day of the rename on that is another fund
    of_new = rows[rows["symbol"] == NEW]
    assert (of_new["close"].iloc[:5] == 9.0).all()
    assert (of_new["close"].iloc[5:] < 2.0).all()
    assert rows["symbol"].tolist() == [OLD] * 10 + [NEW] * len(DAYS)


def test_names_may_follow_each_other(tmp_path):
    rows = [
        {"symbol": OLD, "kind": "rename", "ex_day": DAYS[10], "successor": OTHER},
        {"symbol": OTHER, "kind": "rename", "ex_day": DAYS[20], "successor": NEW},
        {"symbol": OLD, "kind": "split", "ex_day": DAYS[5], "ratio": 1.0},
    ]
    source = renamed(
        store_of(
            tmp_path / "s",
            bars=[series(OLD, 0, 10), series(OTHER, 10, 20), series(NEW, 20)],
            actions=[pd.DataFrame(rows)],
        )
    )
    assert source.read("bars", [NEW])["day"].tolist() == list(DAYS)
    assert source.read("actions", [NEW])["kind"].tolist() == ["split"]
    assert load_panel(source).symbols == (NEW,)


def test_a_symbol_given_up_long_ago_is_told_with_the_row_that_joins_it():
    days = pd.bdate_range("2024-08-01", "2024-08-09")
    old = pd.concat([bars_of("IRBO.US", np.full(7, 30.0), days), bars_of("ARTY.US", [31.0], ["2024-08-12"])])
    (found,) = check({"bars": old}, "announced-rename")
    assert found.severity == "warning"
    assert "IRBO.US became ARTY.US on 2024-08-12" in found.message
    assert "kind rename, ex_day 2024-08-12, successor ARTY.US" in found.hint
    rename = {"symbol": "IRBO.US", "kind": "rename", "ex_day": "2024-08-12", "successor": "ARTY.US"}
    joined = {"bars": old, "actions": actions(**rename)}
    assert check(joined, "announced-rename") == []
    # What it did as IRBO is the history of another index
    (found,) = check(joined, "another-index")
    assert found.symbol == "ARTY.US"
    assert (found.first, found.last, found.count) == (date(2024, 8, 1), date(2024, 8, 9), 7)
    assert "NYSE FactSet" in found.message
    assert "it traded as IRBO" in found.message


# --- Merges -----------------------------------------------------------------------------------------------
def merged_store(folder, **terms):
    row = {"symbol": OLD, "kind": "merge", "ex_day": DAYS[30], "successor": NEW, "ratio": 0.25} | terms
    return store_of(
        folder,
        bars=[series(OLD, 0, 30), series(NEW, level=4.0)],
        actions=[actions(**row)],
    )


@pytest.mark.parametrize("engine", ["reference", "batch"])
def test_a_run_on_a_store_goes_through_a_merge(tmp_path, engine):
    panel = load_panel(merged_store(tmp_path / "s"))
    result = run(BuyHold(), panel, engine=engine)
    (merge,) = result.merges.to_dict("records")
    held = int(result.shares[:, 0].max())
    assert (merge["symbol"], merge["shares"], merge["successor"]) == (OLD, held, NEW)
    assert merge["received"] == held // 4
    row = int(np.flatnonzero(result.days == np.datetime64(DAYS[30], "D"))[0])
    reference = panel.market.reference[panel.row(day(30)), 1]
    assert merge["cash"] == pytest.approx((held / 4 - held // 4) * reference, abs=1e-12)
    assert result.shares[row].tolist() == [0, result.shares[row - 1, 1] + held // 4]
    # no money comes or goes: the value of the evening before at the reference price
    value = result.cash[row - 1] + held / 4 * reference + result.shares[row - 1, 1] * reference
    now = result.cash[row] + result.shares[row, 1] * reference
    assert now == pytest.approx(value, rel=1e-12)
    save(result, compute_metrics(result), tmp_path / "run")
    again = load(tmp_path / "run")
    pd.testing.assert_frame_equal(again.merges, result.merges)
    assert (tmp_path / "run" / "merges.csv").is_file()


def test_trades_of_a_merge_lose_and_find_no_money(tmp_path):
    result = run(EqualWeight(rebalance=3), load_panel(merged_store(tmp_path / "s")))
    assert len(result.merges) == 1
    profit = sum(each.profit for each in holdings(result))
    earned = result.equity[-1] - result.initial_cash
    # what is left: nothing but the rounding of sums
    assert profit == pytest.approx(earned, abs=1e-6)
    trips = round_trips(result)
    charges = float(result.fills[["commission", "fee"]].sum().sum())
    assert trips["pnl"].sum() - charges == pytest.approx(earned, abs=1e-6)


def test_units_that_a_merge_brings_are_no_flow():
    units_of = np.array([[100.0, 1000.0], [110.0, 1010.0], [np.nan, 1100.0], [np.nan, 1120.0]])
    event = Event(2, 0, "merge", 0.5, 1.0, 1, 2, into=1)
    # 1,100 - 1,010 = 90, of which 110 / 2 = 55 came with the merge
    assert unit_changes(units_of, (event,)).change[2:, 1].tolist() == [35.0, 20.0]
    # a count that was published after the successor's is not known in time
    usable = np.array([[1, 1], [4, 2], [9, 3], [9, 4]])
    assert unit_changes(units_of, (event,), usable).change[2, 1] == 90.0 - 50.0
    units_of[:, 0] = np.nan
    assert np.isnan(unit_changes(units_of, (event,)).change[2, 1])


def test_the_balance_of_a_fund_that_merges_is_no_net_financing_of_its_successor():
    balance = np.array([[40.0, 100.0], [50.0, 110.0], [np.nan, 165.0], [np.nan, 170.0]])
    event = Event(2, 0, "merge", 0.5, 1.0, 1, 2, into=1)
    # 165 - 110 = 55, of which 50 came with the merge
    change, _ = net_financing(balance, recorded_from=0, events=(event,))
    assert change[:, 1].tolist()[1:] == [10.0, 5.0, 5.0]
    assert net_financing(balance, recorded_from=0)[0][2, 1] == 55.0
    # Of a fund that nobody could buy on margin nothing goes over.
    alone = np.where(np.arange(2) == 0, np.nan, balance)
    assert net_financing(alone, recorded_from=0, events=(event,))[0][2, 1] == 55.0
    # A balance that comes out after the change is not known with it.
    late = np.array([[0, 0], [9, 1], [2, 2], [3, 3]])
    assert net_financing(balance, recorded_from=0, usable_from=late, events=(event,))[0][2, 1] == 15.0


def test_splits_between_the_last_count_and_the_merge_count():
    nothing = [np.nan, np.nan]
    units_of = np.array([[99.0, 990.0], [100.0, 1000.0], nothing, nothing, [np.nan, 2400.0]])
    events = (
        Event(2, 0, "split", 2.0, np.nan, 1, 2),
        Event(3, 0, "merge", 0.5, 1.0, 2, 3, into=1),
        Event(4, 1, "split", 2.0, np.nan, 3, 4),
    )
    # 2,400 - 2 x 1,000 = 400, of which 100 x 2 / 2 x 2 = 200 came with the merge
    assert unit_changes(units_of, events).change[4, 1] == 200.0


def test_merge_terms_are_held_against_prices():
    market = {"bars": pd.concat([series(OLD, 0, 30), series(NEW, level=4.0)])}
    row = {"symbol": OLD, "kind": "merge", "ex_day": DAYS[30], "successor": NEW, "ratio": 0.25}
    assert check(market | {"actions": actions(**row)}, "merge-terms") == []
    assert not run_checks(Source(market | {"actions": actions(**row)}))
    (found,) = check(market | {"actions": actions(**row | {"ratio": 4.0})}, "merge-terms")
    assert found.severity == "error"
    assert "prices say a ratio of about 0.25" in found.message
    (found,) = check(market | {"actions": actions(**row | {"successor": OTHER})}, "merge-terms")
    assert (found.severity, "no bar before" in found.message) == ("warning", True)
    (found,) = check({"bars": series(OLD), "actions": actions(**row)}, "outside-listing")
    assert found.count == len(DAYS) - 30


@pytest.mark.parametrize(
    ("terms", "lacks"),
    [
        ({"ratio": 0.5}, "successor"),
        ({"successor": NEW}, "ratio"),
        ({"successor": OLD, "ratio": 1}, "successor"),
    ],
)
def test_a_merge_needs_its_terms(terms, lacks):
    with pytest.raises(DataError, match=f"the merge of 2025-02-05 needs `{lacks}`"):
        Action(OLD, "merge", day(0), **terms)


# --- On file ----------------------------------------------------------------------------------------------
def test_tidy_files_have_successors_in_any_spelling(tmp_path, command):
    (tmp_path / "actions.csv").write_text(
        "symbol,kind,ex_day,ratio,cash,successor\n"
        "159019,merge,2025-03-20,0.25,4.1,sz159020\nIRBO,rename,2024-08-12,,,ARTY\n"
        "159021.SZ,split,2025-03-20,2,,\n",
        encoding="utf-8",
    )
    assert command(f"data import {tmp_path / 'actions.csv'} --data {tmp_path / 's'}")[0] == 0
    rows = Store(tmp_path / "s").read("actions")[["symbol", "kind", "successor"]]
    assert rows.fillna("").to_numpy().tolist() == [
        ["159019.SZ", "merge", "159020.SZ"],
        ["159021.SZ", "split", ""],
        ["IRBO.US", "rename", "ARTY.US"],
    ]


def test_stores_from_before_the_column_are_read(tmp_path, monkeypatch):
    from data.store.tables import TABLES

    before = TABLES["actions"]
    without = type(before)(
        **vars(before) | {"columns": tuple(each for each in before.columns if each.name != "successor")}
    )
    row = {"symbol": OLD, "kind": "split", "ex_day": DAYS[3], "ratio": 2.0}
    monkeypatch.setitem(TABLES, "actions", without)
    Store(tmp_path / "s").append({"actions": actions(**row)})
    monkeypatch.undo()
    (read,) = Store(tmp_path / "s").read("actions").to_dict("records")
    assert pd.isna(read["successor"])


@pytest.mark.parametrize(
    "line", ["delisted\n{},2025-03-20", "family\n{},CHINEXT_AI", "listed\n{},2025-02-05"]
)
def test_a_single_fact_about_a_fund_is_enough(tmp_path, command, line):
    name, value = line.partition("\n")[0], line.rpartition(",")[2]
    (tmp_path / "funds.csv").write_text(f"symbol,{line.format(OLD)}\n", encoding="utf-8")
    assert command(f"data import {tmp_path / 'funds.csv'} --data {tmp_path / 's'}")[0] == 0
    (row,) = Store(tmp_path / "s").read("funds").to_dict("records")
    assert (row["symbol"], str(row[name])[:10]) == (OLD, value)
