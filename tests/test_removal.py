"""Rows taken out of a store: what is left is what there would be without them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.checks import run_checks
from data.errors import DataError, UsageError
from data.importing import import_files, remove_rows
from data.load import load_panel
from data.store.folder import lock
from data.store.manifest import MANIFEST
from data.store.removal import Selection
from data.store.store import Store
from tests.helpers.segments import FUNDS, SESSIONS, bars_of, short_segments
from tests.helpers.small_market import DAYS, EX, SPLITTER, clean_market

ALL = [(fund, day) for fund in FUNDS for day in SESSIONS]
KEYS = st.lists(st.sampled_from(ALL), unique=True, min_size=1, max_size=30)


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk():
    """Files outlive a killed process without it; only a power cut needs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda number: None)
        yield


def units(*rows: tuple[str, str, float], source: str | None = None) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["symbol", "day", "units"]).assign(source=source)


def left(store: Store, table: str = "units") -> list[tuple[str, str]]:
    rows = store.read(table)
    return list(zip(rows["symbol"], rows["day"].dt.strftime("%m-%d"), strict=True))


def same(one: Store, other: Store) -> None:
    """Assert that two stores hold the same rows, and say the same of them."""
    assert one.tables == other.tables
    for table in one.tables:
        pd.testing.assert_frame_equal(one.read(table), other.read(table))
        assert list(one.spans(table).items()) == list(other.spans(table).items())
        assert one.sources(table) == other.sources(table)
    pd.testing.assert_frame_equal(one.revisions(), other.revisions())
    assert one.synthetic == other.synthetic


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- which rows -------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    """Two funds of three days, from two sources and none, and a table of another fund."""
    made = Store(tmp_path / "store")
    made.append(
        {
            "units": pd.concat(
                [
                    units(("159363.SZ", "2025-08-18", 1e9), ("159363.SZ", "2025-08-19", 2e9), source="a"),
                    units(("159363.SZ", "2025-08-20", 3e9), ("515980.SH", "2025-08-18", 4e9), source="b"),
                    units(("515980.SH", "2025-08-20", 5e9)),
                ]
            ),
            "nav": pd.DataFrame({"symbol": ["588790.SH"], "day": ["2025-08-20"], "nav": [1.0]}),
        }
    )
    return made


A, B = "159363.SZ", "515980.SH"


@pytest.mark.parametrize(
    ("selection", "stays"),
    [
        ({"series": [A]}, [(B, "08-18"), (B, "08-20")]),
        ({"start": date(2025, 8, 19)}, [(A, "08-18"), (B, "08-18")]),
        ({"end": date(2025, 8, 18)}, [(A, "08-19"), (A, "08-20"), (B, "08-20")]),
        ({"series": [A], "start": date(2025, 8, 19), "end": date(2025, 8, 19)},
         [(A, "08-18"), (A, "08-20"), (B, "08-18"), (B, "08-20")]),
        ({"source": "b"}, [(A, "08-18"), (A, "08-19"), (B, "08-20")]),
        ({"source": "", "tables": ["units"]}, [(A, "08-18"), (A, "08-19"), (A, "08-20"), (B, "08-18")]),
        ({"source": "b", "series": [B]}, [(A, "08-18"), (A, "08-19"), (A, "08-20"), (B, "08-20")]),
        ({"tables": ["nav"]}, [(A, "08-18"), (A, "08-19"), (A, "08-20"), (B, "08-18"), (B, "08-20")]),
        ({"tables": ["units"]}, []),
    ],
)  # fmt: skip
def test_the_rows_go_that_are_all_of_what_is_named(store, selection, stays):
    store.remove(Selection(**selection))
    assert left(store) == stays
    assert left(Store(store.folder)) == stays


def test_what_would_go_is_told_and_nothing_is_written(store):
    before = bytes_of(store.folder)
    removal = store.would_remove(Selection(series=[A], start=date(2025, 8, 19)))
    assert bytes_of(store.folder) == before
    nav, found = removal.tables
    assert (nav.table.name, len(nav.keys), nav.left) == ("nav", 0, 1)
    assert (found.table.name, found.series, len(found.keys), found.left) == ("units", (A,), 2, 3)
    assert (found.period.first, found.period.last) == (date(2025, 8, 19), date(2025, 8, 20))
    assert found.sources == ("a", "b")
    assert (removal.rows, removal.lost) == (2, ())
    assert store.remove(Selection(series=[A], start=date(2025, 8, 19))).rows == 2
    assert store.would_remove(Selection(series=[A])).lost == (A,)


def test_a_table_without_rows_is_as_if_it_had_never_been_there(store):
    one = store.read("nav")
    store.remove(Selection(tables=["units"]))
    assert store.tables == ("nav",)
    Store(store.folder.parent / "other").append({"nav": one})
    same(store, Store(store.folder.parent / "other"))
    store.remove(Selection(series=["588790.SH"]))
    assert (store.tables, bytes_of(store.folder).keys()) == ((), {MANIFEST, ".lock"})
    assert json.loads((store.folder / MANIFEST).read_text())["tables"] == {}
    store.append({"nav": one})
    same(store, Store(store.folder.parent / "other"))


def test_the_same_bytes_come_back(store):
    before = {name: text for name, text in bytes_of(store.folder).items() if name.startswith("units")}
    rows = store.read("units", [B])
    store.remove(Selection(series=[B], tables=["units"]))
    store.append({"units": rows})
    after = {name: text for name, text in bytes_of(store.folder).items() if name.startswith("units")}
    assert [*after.values()] == [*before.values()]


def test_rows_of_a_made_up_market_that_go_leave_a_store_of_real_ones(tmp_path):
    store = Store(tmp_path)
    bars = bars_of(ALL)
    store.append({"bars": bars.assign(source=["SYNTHETIC demo"] * 20 + ["file"] * (len(bars) - 20))})
    assert store.synthetic
    store.remove(Selection(source="SYNTHETIC demo"))
    assert not store.synthetic


def test_who_reads_goes_on_reading_what_goes(store):
    reader, before = Store(store.folder), store.read("units")
    store.remove(Selection(series=[A]))
    pd.testing.assert_frame_equal(reader.read("units"), before)


def test_a_store_that_is_being_written_is_left_alone(store):
    before = bytes_of(store.folder)
    with lock(store.folder), pytest.raises(UsageError, match="is being written by another process"):
        store.remove(Selection(series=[A]))
    assert bytes_of(store.folder) == before


def test_a_full_disk_leaves_the_store_as_it_was(store, monkeypatch):
    before = bytes_of(store.folder)

    def full(*_words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(UsageError, match="it is unchanged; received No space left"):
        store.remove(Selection(series=[A]))
    assert bytes_of(store.folder) == before


# --- of any rows, in any segments -------------------------------------------------------------------------


@settings(max_examples=10)
@given(first=KEYS, second=KEYS, most=st.integers(2, 20))
def test_an_import_and_its_removal_are_no_import(tmp_path_factory, first, second, most):
    folder = tmp_path_factory.mktemp("store")
    # The panel needs two sessions.
    first = sorted({*first, *ALL[:2]})
    second = [key for key in second if key not in first]
    with short_segments(most):
        alone, both = Store(folder / "alone"), Store(folder / "both")
        alone.append({"bars": bars_of(first)})
        both.append({"bars": bars_of(first)})
        for key in second:
            both.append({"bars": bars_of([key])})
        whole = load_panel(both).fingerprint
        removal = both.remove(Selection(rows={"bars": bars_of(second)}))
        assert removal.rows == len(second)
        same(both, alone)
        assert load_panel(both).fingerprint == load_panel(alone).fingerprint
        both.append({"bars": bars_of(second)} if second else {})
        assert load_panel(both).fingerprint == whole


@settings(max_examples=10)
@given(
    parts=st.lists(KEYS, min_size=1, max_size=3),
    most=st.integers(2, 20),
    series=st.none() | st.sets(st.sampled_from(FUNDS), min_size=1),
    period=st.tuples(st.none() | st.sampled_from(SESSIONS), st.none() | st.sampled_from(SESSIONS)),
    later=KEYS,
)
def test_what_is_left_is_what_is_not_named(tmp_path_factory, parts, most, series, period, later):
    folder = tmp_path_factory.mktemp("store")
    start, end = (day and date.fromisoformat(day) for day in period)
    stays = [
        (fund, day)
        for fund, day in sorted({key for part in parts for key in part})
        if (series is not None and fund not in series)
        or (period[0] is not None and day < period[0])
        or (period[1] is not None and day > period[1])
    ]
    with short_segments(most):
        store, other = Store(folder / "store"), Store(folder / "other")
        for part in parts:
            store.append({"bars": bars_of(part)})
        store.remove(Selection(series=series, start=start, end=end))
        if stays:
            other.append({"bars": bars_of(stays)})
        same(store, other)
        # And rows come to it as to any other store.
        store.append({"bars": bars_of(later)})
        other.append({"bars": bars_of(later)})
        same(Store(store.folder), other)


# --- beside the rows --------------------------------------------------------------------------------------


def test_rows_of_files_that_were_revised_since_stay_and_what_they_replaced_does_not_come_back(tmp_path):
    store = Store(tmp_path)
    old = units((A, "2025-08-19", 1e9), (A, "2025-08-20", 2e9), (A, "2025-08-21", 3e9))
    new = units((A, "2025-08-20", 7e9))
    store.append({"units": old})
    store.append({"units": new}, accept_revision=True)
    (found,) = store.would_remove(Selection(rows={"units": old})).tables
    assert (len(found.keys), found.other, found.absent, found.replaced) == (2, 1, 0, 0)
    (found,) = store.remove(Selection(rows={"units": new})).tables
    assert (len(found.keys), found.other, found.absent, found.replaced) == (1, 0, 0, 1)
    assert left(store) == [(A, "08-19"), (A, "08-21")]
    # Of a row that is not there nothing is said to have been revised.
    assert store.revisions().empty
    assert "revisions" not in json.loads((tmp_path / MANIFEST).read_text())["tables"]
    (found,) = store.would_remove(Selection(rows={"units": old})).tables
    assert (len(found.keys), found.other, found.absent) == (2, 0, 1)


def test_revisions_of_other_rows_stay(tmp_path):
    store = Store(tmp_path)
    days = ("2025-08-19", "2025-08-20")
    store.append({"units": units(*[(fund, day, 1e9) for fund in (A, B) for day in days])})
    store.append(
        {"units": units(*[(fund, day, 2e9) for fund in (A, B) for day in days])}, accept_revision=True
    )
    store.remove(Selection(series=[A], start=date(2025, 8, 20)))
    assert store.revisions()["key"].tolist() == [f"{A} 2025-08-19", f"{B} 2025-08-19", f"{B} 2025-08-20"]


FETCHED = [datetime(2025, 8, 20 + number, 12) for number in range(4)]


def fetched(rows: list[tuple[str, str]], units_of: float = 1e9) -> dict[str, pd.DataFrame]:
    frame = units(*[(fund, day, units_of) for fund, day in rows], source="x").assign(provider="a 1")
    return {"units": frame.assign(day=pd.to_datetime(frame["day"]).astype("datetime64[us]"))}


def runs(store: Store) -> list[tuple[str, str, str, int, int]]:
    return [
        (each.series, f"{each.first:%d}", f"{each.last:%d}", int(each.rows), each.came.day)
        for each in store.arrivals().itertuples()
    ]


def test_a_run_of_rows_that_came_together_is_cut_where_some_go(tmp_path):
    store = Store(tmp_path)
    days = [f"2025-08-{day}" for day in range(11, 16)]
    store.append(fetched([(fund, day) for fund in (A, B) for day in days]), fetched=FETCHED[0])
    # The 12th came again with another value, and the 11th goes out of a run that is no longer its only one.
    store.append(fetched([(A, "2025-08-12")], 2e9), accept_revision=True, fetched=FETCHED[1])
    store.remove(Selection(series=[A], start=date(2025, 8, 14), end=date(2025, 8, 14)))
    assert runs(store) == [
        (A, "11", "11", 1, 20),
        (A, "13", "13", 1, 20),
        (A, "15", "15", 1, 20),
        (B, "11", "15", 5, 20),
        (A, "12", "12", 1, 21),
    ]
    store.remove(Selection(series=[A]))
    assert runs(store) == [(B, "11", "15", 5, 20)]
    store.remove(Selection(series=[B]))
    assert (runs(store), store.tables) == ([], ())
    # It is a store of files again, which keeps no arrivals.
    store.append({"units": units((A, "2025-08-11", 1e9))})
    assert runs(store) == []


def holders(store: Store) -> dict[tuple[str, str], int]:
    """Return on which day each row came: the last run that has it says so."""
    found, all_runs = {}, runs(store)
    for fund, day in left(store):
        of_row = [run for run in all_runs if run[0] == fund and run[1] <= day[3:] <= run[2]]
        found[(fund, day)] = of_row[-1][4]
    return found


@settings(max_examples=12)
@given(
    parts=st.lists(st.lists(st.tuples(st.sampled_from((A, B)), st.integers(11, 17)), unique=True, min_size=1),
                   min_size=2, max_size=4),
    gone=st.lists(st.tuples(st.sampled_from((A, B)), st.integers(11, 17)), unique=True, min_size=1),
)  # fmt: skip
def test_every_row_that_stays_came_when_it_came(tmp_path_factory, parts, gone):
    store = Store(tmp_path_factory.mktemp("store"))
    for number, part in enumerate(parts):
        rows = [(fund, f"2025-08-{day}") for fund, day in part]
        store.append(fetched(rows, 1e9 * (number + 1)), accept_revision=True, fetched=FETCHED[number])
    before = holders(store)
    for fund, day in gone:
        store.remove(Selection(series=[fund], start=date(2025, 8, day), end=date(2025, 8, day)))
    out = {(fund, f"08-{day}") for fund, day in gone}
    assert holders(store) == {key: came for key, came in before.items() if key not in out}
    assert sum(run[3] for run in runs(store)) >= len(before.keys() - out)


# --- through the door of commands -------------------------------------------------------------------------


@pytest.fixture
def market(tmp_path) -> Store:
    store = Store(tmp_path / "market")
    store.append(clean_market())
    return store


def test_a_split_that_goes_while_bars_stay_is_told_and_found_by_the_checks(market):
    assert not [each for each in run_checks(market, again=False) if each.severity == "error"]
    report = remove_rows(market, tables=["actions"], series=[SPLITTER])
    (found,) = report.stranded
    assert (found.symbol, found.kind, found.ex_day) == (SPLITTER, "split", DAYS[EX].date())
    assert found.tables == ("bars", "units", "nav")
    # The answer that the checks kept was of another table.
    errors = [each for each in run_checks(market, again=False) if each.severity == "error"]
    assert [(each.check, each.symbol, each.first) for each in errors] == [
        ("unrecorded-split", SPLITTER, DAYS[EX].date())
    ]


@pytest.mark.parametrize(
    "period", [{"end": DAYS[EX - 1].date()}, {"start": DAYS[EX].date()}, {"start": DAYS[0].date()}]
)
def test_an_action_at_an_end_of_the_rows_is_no_jump_between_them(market, period):
    market.remove(Selection(tables=["bars", "units", "nav"], series=[SPLITTER], **period))
    report = remove_rows(market, tables=["actions"], series=[SPLITTER])
    assert report.stranded == ()


def test_a_fund_that_goes_with_its_actions_strands_nothing(market):
    assert remove_rows(market, series=[SPLITTER]).stranded == ()


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ({}, UsageError, "say what to remove"),
        ({"tables": ["bar"]}, UsageError, "unknown table `bar`. Did you mean `bars`"),
        ({"start": date(2025, 3, 2), "end": date(2025, 3, 1)}, UsageError,
         "`start` is after `end`; received 2025-03-02 and 2025-03-01"),
        ({"tables": ["funds"], "start": date(2025, 3, 1)}, UsageError, "the table `funds` has no days"),
        ({"series": ["588931.SH"]}, DataError, "`market` has no rows of 588931.SH;.*you mean `588930.SH`"),
        ({"series": ["588930"], "tables": ["margin"]}, DataError, "no rows of 588930.SH in `margin`"),
        ({"source": "nobody"}, DataError, "no row of `market` names this source; received nobody"),
        ({"series": ["588930"], "start": date(2030, 1, 1)}, DataError,
         "nothing to remove: `market` has no row.*received 588930.SH, 2030-01-01 to the last.*"
         "of 2025-02-05 to 2025-04-02"),
        ({"tables": ["fx"]}, DataError, "nothing to remove.*on file: actions, bars.*What ships with etflow"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("do", [False, True])
def test_what_cannot_be_removed_is_refused_in_words(market, words, error, said, do):
    before = bytes_of(market.folder)
    with pytest.raises(error, match=said):
        remove_rows(market, **words, do=do)
    assert bytes_of(market.folder) == before


def test_files_are_taken_back_as_they_were_imported(tmp_path, market):
    before = {name: market.read(name) for name in market.tables}
    # In lots and thousands, as Tushare writes them.
    header = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount"
    row = "159363.SZ,20250820,0.72,0.74,0.71,0.73,0.72,0.01,1.4,1000,73.0"
    (tmp_path / "a.csv").write_text(f"{header}\n{row}\n")
    import_files([tmp_path / "a.csv"], market)
    assert market.spans("bars").keys() >= {"159363.SZ"}
    report = remove_rows(market, sources=[tmp_path / "a.csv"])
    assert (report.removal.rows, report.removal.lost) == (1, ("159363.SZ",))
    for name, rows in before.items():
        pd.testing.assert_frame_equal(market.read(name), rows)


def test_of_files_only_the_rows_of_what_else_is_named_go(tmp_path):
    store = Store(tmp_path / "store")
    bars_of(ALL).to_csv(tmp_path / "bars.csv", index=False)
    import_files([tmp_path / "bars.csv"], store)
    remove_rows(store, sources=[tmp_path / "bars.csv"], series=[FUNDS[0]], end=date(2025, 7, 28))
    assert len(store.read("bars")) == len(ALL) - 1
    with pytest.raises(DataError, match=r"nothing to remove: .*received the rows of bars.csv, 159363.SZ, "):
        remove_rows(store, sources=[tmp_path / "bars.csv"], series=[FUNDS[0]], end=date(2025, 7, 28))


def test_an_index_is_named_by_its_code_and_a_fund_without_its_exchange(market):
    assert remove_rows(market, series=["588930"], do=False).removal.lost == (SPLITTER,)
    index = market.read("index_bars")["index"].iloc[0]
    found = remove_rows(market, series=[index], do=False).removal.tables
    assert [each.table.name for each in found if len(each.keys)] == ["index_bars", "index_weights"]


def test_a_store_of_long_ago_loses_rows_too(tmp_path):
    store = Store(tmp_path / "store")
    store.append({"bars": bars_of(ALL)})
    listed = json.loads((store.folder / MANIFEST).read_text())["tables"]["bars"]
    (store.folder / MANIFEST).write_text(json.dumps({"format": 1, "tables": {"bars": listed[0]["file"]}}))
    old = Store(store.folder)
    assert old.remove(Selection(series=[FUNDS[1]])).rows == len(SESSIONS)
    assert [*old.spans("bars")] == sorted({FUNDS[0], FUNDS[2]})
    shutil.rmtree(store.folder)


# --- the command line -------------------------------------------------------------------------------------


@pytest.fixture
def etflow(root, tmp_path):
    """Run the command line as a process of its own."""

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(root / "run_backtest.py"), "data", *map(str, words)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return call


def test_a_bad_file_is_imported_and_taken_out_again(etflow, tmp_path):
    bars_of(ALL).drop(columns="source").to_csv(tmp_path / "good.csv", index=False)
    bad = bars_of([(A, SESSIONS[0])]).drop(columns="source").assign(symbol=["512345.SH"], close=0.9, low=0.9)
    bad.to_csv(tmp_path / "bad.csv", index=False)
    assert etflow("import", "good.csv", "--data", "store").returncode == 0
    before = bytes_of(tmp_path / "store")
    assert etflow("import", "bad.csv", "--data", "store").returncode == 0
    there = bytes_of(tmp_path / "store")

    dry = etflow("remove", "bad.csv", "--data", "store")
    assert (dry.returncode, bytes_of(tmp_path / "store")) == (0, there)
    assert dry.stdout.splitlines() == [
        "table  series     rows   first day    last day  rows left  source",
        "bars   512345.SH     1  2025-07-28  2025-07-28         45  none",
        "1 row would be removed. Add --yes to do it.",
    ]
    assert dry.stderr.splitlines() == ["No row would be left of 512345.SH."]

    done = etflow("remove", "bad.csv", "--data", "store", "--yes", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "data": "store",
        "removed": True,
        "tables": [
            {
                "table": "bars",
                "series": ["512345.SH"],
                "rows": 1,
                "first_day": "2025-07-28",
                "last_day": "2025-07-28",
                "sources": [""],
                "left": 45,
                "replaced_values": 0,
                "differing": 0,
                "absent": 0,
            }
        ],
        "gone": ["512345.SH"],
        "actions": [],
        "skipped": [],
    }
    now = bytes_of(tmp_path / "store")
    # The same bytes as before, in a file of the next number.
    assert now.pop("bars-000003.parquet") == before.pop("bars-000001.parquet")
    assert now[MANIFEST].replace(b"bars-000003", b"bars-000001") == before[MANIFEST]

    again = etflow("remove", "bad.csv", "--data", "store", "--yes")
    assert (again.returncode, again.stdout) == (3, "")
    assert again.stderr.startswith(
        "error: nothing to remove: `store` has no row that is all of this; received "
    )
    assert again.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--data", "market"], 2, "say what to remove"),
        (["--tables", "bars"], 2, "Missing option '--data'"),
        (["--tables", " , ", "--data", "market"], 2, "--tables names nothing; received ' , '"),
        (["--symbols", ",", "--data", "market"], 2, "--symbols names no fund"),
        (["--tables", "bars", "--data", "demo"], 2, "nothing can be removed from `--data demo`"),
        (["--tables", "bars", "--data", "nowhere"], 3, "the data folder `nowhere` does not exist"),
        (["--start", "soon", "--data", "market"], 2, "`soon` is not a day"),
        (["none.csv", "--data", "market"], 2, "none.csv"),
        (["--map", "m.toml", "--tables", "bars", "--data", "market"], 2, "and no file is named"),
        (["--symbols", "588930.SH", "--start", "2030-01-01", "--data", "market"], 3, "nothing to remove"),
    ],
)
def test_wrong_words_are_refused_with_their_code(here, words, code, said):
    Store("market").append(clean_market())
    before = bytes_of(Path("market"))
    for yes in ([], ["--yes"]):
        assert (found := here("data", "remove", *words, *yes))[:2] == (code, "")
        assert said in found[2]
    assert bytes_of(Path("market")) == before
    assert not Path("nowhere").exists()


def test_what_becomes_wrong_without_the_rows_is_told(here):
    store = Store("market")
    store.append(clean_market())
    revised = store.read("units").tail(1).assign(units=lambda rows: rows["units"] * 1.5)
    store.append({"units": revised}, accept_revision=True)
    _, _, told = here(
        "data", "remove", "--symbols", SPLITTER, "--tables", "actions,units", "--data", "market"
    )
    assert told.splitlines() == [
        "warning: 1 value of `units` had taken the place of others, which do not come back (etflow data show "
        "revisions --data market): import the files that had those",
        f"warning: rows on both sides stay of each of these: split of {SPLITTER} on {DAYS[EX].date()} "
        "(bars, nav); a split without its row is a gain or a loss in every number, a dividend is not paid",
    ]
    code, out, _ = here("data", "remove", "--tables", "actions", "--data", "market", "--yes")
    assert (code, out.splitlines()[-1]) == (0, "2 rows removed.")
    code, _, told = here("data", "check", "--data", "market")
    assert (code, "failed 1 of" in told, "unrecorded-split" in told) == (3, True, True)


def test_rows_of_a_fund_under_the_symbol_that_it_had_before_are_told(here):
    (old, new), ex_day = FUNDS[:2], SESSIONS[1]
    bars = bars_of([(old, SESSIONS[0]), (new, ex_day)])
    rename = pd.DataFrame({"symbol": [old], "kind": "rename", "ex_day": ex_day, "successor": new})
    Store("store").append({"bars": bars, "actions": rename})
    _, _, told = here("data", "remove", "--symbols", new, "--data", "store")
    assert told.splitlines() == [
        f"No row would be left of {new}.",
        f"Rows of {new} from before it was renamed stay under {old}: name that symbol as well.",
    ]
    _, _, told = here("data", "remove", "--symbols", f"{new},{old}", "--data", "store")
    assert told.splitlines() == [f"No row would be left of {old}, {new}."]
