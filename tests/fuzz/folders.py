"""Doors of what etflow wrote: runs, stores, caches; and the evening. See also ``tests.fuzz.journals``."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.checks import kept
from data.checks.finding import Finding
from data.demo import Demo, cache
from data.errors import EtflowError
from data.facts.unit_splits import known_splits
from data.store.manifest import MANIFEST
from data.store.store import Store
from data.store.tables import TABLES
from engine.results.loading import load, read_metrics
from engine.results.sums import SUMS
from engine.strategy.trusted import FILE, is_trusted
from tests.fuzz.door import Open, command, snapshot, spoilt, words_of
from tests.fuzz.tables import variable
from tests.fuzz.typed import not_a_number
from tests.helpers.small_market import clean_market

FUNDS = "157001.SZ,157003.SZ,586012.SH"
LISTED = ("runs", "list", "--where", "top <= 3", "--sort", "sharpe_ratio", "--json")
PERIOD = ("--symbols", FUNDS, "--start", "2024-01-02", "--end", "2024-02-29")


def runs(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The folder of a run: listed, shown, told apart; what is read is what was written.

    Half of them as versions wrote them that knew no checksums: they say nothing wrong in words alone.
    """
    command("run", "share_inflow", *PERIOD, "--out", folder, "--no-report")
    command("run", "share_inflow:top=2", *PERIOD, "--out", folder, "--no-report")
    one, other = sorted(path for path in folder.iterdir() if path.is_dir())
    right, metrics = load(one), read_metrics(one)
    examples = {path.name: path.read_bytes() for path in sorted(one.iterdir()) if path.is_file()}

    def open_(name: str, content: bytes) -> bool:
        sealed = name == SUMS or len(content) % 8 < 4
        unsealed = nullcontext() if sealed else spoilt(one / SUMS, None)
        with unsealed, spoilt(one / name, content, folder):
            code, _ = command("runs", "show", one.name, "--out", folder, "--json")
            way = len(content) % 4
            if way == 0:
                command(*LISTED, "--out", folder)
            elif way == 1:
                command("runs", "diff", one.name, other.name, "--out", folder)
            elif way == 2:
                command("runs", "show", one.name, "--out", folder)
            elif len(content) % 5 == 0:
                command("runs", "reproduce", one.name, "--out", folder)
            else:
                command("run", one / "manifest.json", "--data", folder / "none", "--out", folder)
            if code:
                return False
            found = load(one)
            if not sealed:
                return True
            assert read_metrics(one) == metrics, "other metrics"
            for each in fields(found):
                assert alike(getattr(found, each.name), getattr(right, each.name)), f"another {each.name}"
        return True

    return examples, open_


def alike(one: Any, other: Any) -> bool:
    """Whether two members of a result are equal, what is undefined included."""
    if isinstance(one, pd.DataFrame):
        return one.equals(other)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return bool(one == other)


def pages(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The page of a run, made again."""
    command("run", "share_inflow", *PERIOD, "--out", folder)
    (run,) = (path for path in folder.iterdir() if path.is_dir())
    kept_files = {path.name: path.read_bytes() for path in sorted(run.iterdir()) if path.is_file()}

    def open_(name: str, content: bytes) -> bool:
        (run / name).write_bytes(content)
        if len(content) % 8 < 6:
            (run / SUMS).unlink()
        try:
            code, _ = command("report", run.name, "--out", folder)
        finally:
            for each, before in kept_files.items():
                if each in (name, SUMS) or each.endswith(".html"):
                    (run / each).write_bytes(before)
            there = {path.name for path in run.iterdir()}
        assert there == set(kept_files)
        return code == 0

    return {name: content for name, content in kept_files.items() if not name.endswith(".html")}, open_


def made_store(folder: Path) -> Path:
    """Make the store of a small market without a defect."""
    place = folder / "store"
    tables = clean_market()
    Store(place).append(tables, on=date(2025, 4, 3))
    bars = tables["bars"].tail(3).assign(close=lambda rows: rows["close"] + 0.001)
    Store(place).append({"bars": bars}, accept_revision=True, on=date(2025, 4, 4))
    return place


def stores(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The files of a store: every row that is read is one that was written."""
    place = made_store(folder)
    right = {name: Store(place).read(name) for name in TABLES}
    revised = Store(place).revisions()
    examples = {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.name != ".lock"}
    # Most of what can be said wrongly is said there.
    examples |= {f"{number} store.json": examples["store.json"] for number in range(len(examples))}

    def open_(name: str, content: bytes) -> bool:
        file = place / name.rpartition(" ")[2]
        before = {path.name: path.read_bytes() for path in place.iterdir()}
        try:
            file.write_bytes(content)
            if len(content) % 50 == 0:
                command("data", "show", "--data", place, "--json")
                command("data", "check", "--data", place)
            store, whole = None, True
            try:
                store = Store(place)
            except EtflowError:
                whole = False
            for table, rows in right.items() if store is not None else ():
                try:
                    found = store.read(table)
                    assert all(each in right for each in store.tables)
                    assert set(store.spans(table)) >= set(found[TABLES[table].key[0]].unique())
                    within(found, rows)
                except EtflowError:
                    whole = False
            if store is not None:
                try:
                    within(store.revisions(), revised)
                    store.arrivals(), dict(store.recipe), dict(store.seals), store.synthetic
                except EtflowError:
                    whole = False
            return whole
        finally:
            for path in place.iterdir():
                if path.name not in before:
                    path.unlink()
            for each, bytes_ in before.items():
                if (
                    not (place / each).is_file()
                    or (place / each).stat().st_size != len(bytes_)
                    or each == file.name
                ):
                    (place / each).write_bytes(bytes_)

    return examples, open_


def within(found: pd.DataFrame, right: pd.DataFrame) -> None:
    """AssertionError if there is a row that was not written."""
    if found.equals(right):
        return
    assert list(found.columns) == list(right.columns)
    there = set(map(repr, right.itertuples(index=False)))
    strange = [row for row in map(repr, found.itertuples(index=False)) if row not in there]
    assert not strange, f"a row that was never written: {strange[0]}"


REMOVALS = {
    "table": "--tables units,nav --end 2025-02-20",
    "fund": "--symbols 588930,159819.SZ --start 2025-03-03 --end 2025-04-01",
    "source": "--source  --tables bars,margin --start 20250303",
    "file": "{folder}/bars.csv --symbols 159819.SZ --map tidy-bars",
}


def removals(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Words that say which rows leave a store: as many go as it says, and nothing else becomes another."""
    original, place = made_store(folder), folder / "copy"
    before = {name: Store(original).read(name) for name in Store(original).tables}
    before["bars"].drop(columns=["source", "known_at"]).to_csv(folder / "bars.csv", index=False)

    def open_(_name: str, content: bytes) -> bool:
        words = [word for word in words_of(content) if not word.startswith(("--d", "--y", "--h"))]
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(original, place)
        there = snapshot(place)
        call = ("data", "remove", *words, "--json", "--data", place)
        code, dry = command(*call)
        assert snapshot(place) == there, "it was removed without --yes"
        done, out = command(*call, "--yes")
        assert (done, bool(out)) == (code, code == 0)
        if code:
            assert snapshot(place).keys() == there.keys()
            return False
        found = json.loads(out)
        assert {**json.loads(dry), "removed": True} == found
        gone = {each["table"]: each["rows"] for each in found["tables"]}
        assert sum(gone.values()) > 0
        store = Store(place)
        for name, rows in before.items():
            left = store.read(name)
            assert len(left) == len(rows) - gone.get(name, 0)
            within(left, rows)
        return True

    examples = {name: text.replace("{folder}", str(folder)) for name, text in REMOVALS.items()}
    return {name: text.replace(" ", "\n").encode() for name, text in examples.items()}, open_


def imports(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """An import into a damaged store, or a removal: done or refused; what was there and is whole stays."""
    place = made_store(folder)
    (folder / "more.csv").write_text("symbol,day,units\n159819.SZ,2025-04-03,92000000\n", "utf-8")
    kept_files = {path.name: path.read_bytes() for path in place.iterdir() if path.name != ".lock"}
    examples = {name: content for name, content in kept_files.items() if name == MANIFEST or "units" in name}

    def open_(name: str, content: bytes) -> bool:
        (place / name).write_bytes(content)
        try:
            comes = len(content) % 3 > 0
            words = ("import", folder / "more.csv") if comes else ("remove", "--start", "2025-04-02", "--yes")
            code, _ = command("data", *words, "--data", place)
            if code:
                assert (place / name).read_bytes() == content, "a refused command changed the store"
                return False
            found = Store(place).read("units")
            assert found["units"].isin([92_000_000.0]).any() == comes
            assert (found["units"] > 40e6).all()
            assert comes or (found["day"] < pd.Timestamp(2025, 4, 2)).all()
        finally:
            for path in place.iterdir():
                path.unlink()
            for each, before in kept_files.items():
                (place / each).write_bytes(before)
        return True

    return examples, open_


def splits(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Splits on file held against bars, counts and actions that somebody brings: what is added is on file."""
    symbols, days = ("159363.SZ", "510310.SH"), pd.bdate_range("2025-07-14", "2025-07-25")
    place, file = folder / "store", folder / "tables"
    made = {
        "bars": [[f"{day:%F}", *[1.4 if day < days[5] else 0.7] * 4, 10_000_000, 1e7] for day in days],
        "units": [[f"{day:%F}", 5e8 if day < days[5] else 1e9] for day in days],
        "actions": [["split", "2025-07-18", "2025-07-21", 2]],
    }
    columns = {
        "bars": "symbol,day,open,high,low,close,volume,amount",
        "units": "symbol,day,units",
        "actions": "symbol,kind,record_day,ex_day,ratio",
    }
    examples = {
        table: "\n".join(
            [columns[table], *(",".join(map(str, [symbol, *row])) for symbol in symbols[:1] for row in rows)]
        )
        for table, rows in made.items()
    }
    on_file = {(each.symbol, each.ex_day, each.ratio) for all_ in known_splits().values() for each in all_}

    def open_(name: str, content: bytes) -> bool:
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(file, ignore_errors=True)
        file.mkdir()
        for table in ("bars", name):
            (file / f"{table}.csv").write_bytes(content if table == name else examples[table].encode())
        code, _ = command("data", "import", file, "--data", place)
        if code:
            return False
        before = Store(place).read("actions")
        code, out = command("data", "splits", "--data", place, "--add", "--json")
        added = json.loads(out)["added"] if code == 0 else 0
        after = Store(place).read("actions")
        new = after[
            ~after.set_index(["symbol", "ex_day"]).index.isin(before.set_index(["symbol", "ex_day"]).index)
        ]
        assert len(after) - len(before) == len(new) == added
        assert all((row.symbol, row.ex_day.date(), row.ratio) in on_file for row in new.itertuples())
        code, out = command("data", "splits", "--data", place, "--add", "--json")
        assert code or json.loads(out)["added"] == 0, "added twice"
        return True

    return {name: text.encode() for name, text in examples.items()}, open_


def caches(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """What is kept to be had again: the right answer, or none."""
    days = date(2025, 1, 2), date(2025, 1, 3)
    finding = Finding("gap", "error", "bars", "159363.SZ", *days, 2, "two", "Look at it.")
    answer = folder / "checks.json"
    kept.save(answer, [finding])
    tables = {name: Demo().read(name) for name in ("nav", "actions")}
    with variable("ETFLOW_CACHE", folder):
        cache.save("fuzz", tables)
    (place,) = folder.glob("demo-*-fuzz")
    files = {"checks": answer, **{name: place / f"{name}.parquet" for name in tables}}
    trusted = Path(os.environ["ETFLOW_STATE"]) / FILE
    trusted.parent.mkdir(exist_ok=True)

    def open_(name: str, content: bytes) -> bool:
        files[name].write_bytes(content)
        if name == "checks":
            found = kept.load(answer)
            assert found is None or found == (finding,)
            trusted.write_bytes(content)
            assert not is_trusted(answer)
            trusted.unlink()
            return found is not None
        with variable("ETFLOW_CACHE", folder):
            frame = cache.load("fuzz", name)
        assert frame is None or frame.equals(tables[name])
        return frame is not None

    return {name: path.read_bytes() for name, path in files.items()}, open_


def evenings(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The evening's commands on files of positions, orders and fills, on weights, and on statements."""
    day, strategy = "2025-08-13", "share_inflow:top=2,rebalance=1"
    own = ("--symbols", FUNDS, "--start", "2025-07-01", "--out", folder / "results")
    held = folder / "held.csv"
    held.write_text("symbol,shares\n157001.SZ,10000\n157003.SZ,20000\n", "utf-8")
    stands = ("--positions", held, "--cash", "90000")
    _, orders = command("signal", strategy, *own, *stands, "--end", day, "--format", "generic")
    files = {
        "held.csv": held.read_bytes(),
        "orders.csv": orders.encode(),
        "fills.csv": b"id,symbol,side,shares,price,costs\n20250814-01,157001.SZ,sell,1000,1.2,5\n",
        "weights.csv": b"""day,symbol,weight
2025-07-10,157001.SZ,0.5
2025-07-24,157003.SZ,0.4
2025-07-24,586012.SH,0.6
""",
        "said.csv": b"""statement,fund,day,value,tolerance,source
net_inflow_5_vwap,157001.SZ,2025-08-20,6.5e7,1e6,n
units_record,157001.SZ,2025-08-20,yes,,n
""",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)

    def open_(name: str, content: bytes) -> bool:
        with spoilt(folder / name, content):
            if name == "said.csv":
                code, out = command("brief", "--verify", folder / name, "--json")
            elif name == "weights.csv":
                code, out = command("run", f"weights:file={folder / name}", *own, "--no-report", "--json")
            elif name == "held.csv":
                code, out = command("signal", strategy, *own, *stands, "--end", day, "--json")
            else:
                both = ("reconcile", folder / "orders.csv", folder / "fills.csv", strategy)
                code, out = command("signal", *both, *own, *stands, "--json")
        if code in (2, 3):
            assert not out
        else:
            json.loads(out, parse_constant=not_a_number)
        shutil.rmtree(folder / "results", ignore_errors=True)
        return code in (0, 5)

    return files, open_
