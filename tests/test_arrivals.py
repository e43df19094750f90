"""Who gave which row of a store and when, and what the store remembers of how it was fetched."""

from __future__ import annotations

import json
from datetime import datetime

import pandas as pd
import pytest

from data.errors import DataError
from data.store.manifest import MANIFEST
from data.store.store import Store

AT = datetime(2025, 8, 20, 12)
LATER = datetime(2025, 8, 21, 12)


def units(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["symbol", "day", "units"])
    return frame.assign(day=pd.to_datetime(frame["day"]).astype("datetime64[us]"))


def given(provider: str, source: str, *rows: tuple[str, str, float]) -> pd.DataFrame:
    return units(*rows).assign(provider=provider, source=source)


def runs(store: Store) -> list[tuple[str, str, str, int, str]]:
    return [
        (row.series, f"{row.first:%d}", f"{row.last:%d}", int(row.rows), row.provider)
        for row in store.arrivals().itertuples(index=False)
    ]


def test_rows_that_came_together_are_one_run_that_ends_at_a_row_on_file(tmp_path):
    store = Store(tmp_path)
    store.append({"units": given("a 1", "x", ("A.US", "2025-08-13", 3.0))}, fetched=AT)
    # Around it the 12th and 14th. B is another series, and its second row another provider's.
    rows = pd.concat(
        [
            given("a 1", "x", *[("A.US", f"2025-08-{day}", 1.0 * day) for day in (11, 12, 14)]),
            given("a 1", "x", ("B.US", "2025-08-11", 1.0)),
            given("b 2", "x", ("B.US", "2025-08-12", 2.0)),
        ]
    )
    store.append({"units": rows}, fetched=LATER)
    assert runs(store) == [
        ("A.US", "13", "13", 1, "a 1"),
        ("A.US", "11", "12", 2, "a 1"),
        ("A.US", "14", "14", 1, "a 1"),
        ("B.US", "11", "11", 1, "a 1"),
        ("B.US", "12", "12", 1, "b 2"),
    ]
    assert store.arrivals()["came"].tolist() == [pd.Timestamp(AT)] + [pd.Timestamp(LATER)] * 4
    assert set(store.arrivals()["table"]) == {"units"}
    assert Store(tmp_path).arrivals().equals(store.arrivals())
    assert store.tables == ("units",)


def test_a_revised_row_came_with_its_new_value_and_a_repeated_one_not_again(tmp_path):
    store = Store(tmp_path)
    old = given("a 1", "x", ("A.US", "2025-08-13", 3.0), ("A.US", "2025-08-14", 4.0))
    store.append({"units": old}, fetched=AT)
    store.append({"units": old}, fetched=LATER)
    new = given("a 1", "x", ("A.US", "2025-08-14", 5.0))
    store.append({"units": new}, accept_revision=True, fetched=LATER)
    assert runs(store) == [("A.US", "13", "14", 2, "a 1"), ("A.US", "14", "14", 1, "a 1")]


def test_a_store_of_files_has_no_arrivals(tmp_path):
    store = Store(tmp_path)
    store.append({"units": units(("A.US", "2025-08-13", 3.0))})
    assert len(store.arrivals()) == 0
    assert {path.name for path in tmp_path.iterdir()} == {MANIFEST, ".lock", "units-000001.parquet"}
    assert set(json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))) == {"format", "tables"}


def test_files_imported_into_a_fetched_store_are_arrivals_too(tmp_path):
    store = Store(tmp_path)
    store.append({"units": given("a 1", "x", ("A.US", "2025-08-13", 3.0))}, fetched=AT)
    nav = units(("A.US", "2025-08-14", 1.0)).rename(columns={"units": "nav"})
    store.append({"units": units(("A.US", "2025-08-14", 4.0)), "nav": nav})
    assert runs(store)[1:] == [("A.US", "14", "14", 1, "import"), ("A.US", "14", "14", 1, "import")]


def test_who_gave_a_row_changes_no_byte_of_its_table(tmp_path):
    tables = []
    for provider, folder in (("a 1", tmp_path / "a"), ("b 2", tmp_path / "b")):
        Store(folder).append({"units": given(provider, "x", ("A.US", "2025-08-13", 3.0))}, fetched=AT)
        tables.append((folder / "units-000001.parquet").read_bytes())
    assert tables[0] == tables[1]


def test_a_row_of_another_source_stays_where_rows_are_fetched(tmp_path):
    store = Store(tmp_path)
    bars = pd.DataFrame(
        {
            "symbol": "A.US",
            "day": pd.to_datetime(["2025-08-13"]).astype("datetime64[us]"),
            **dict.fromkeys(("open", "high", "low", "close"), 1.0),
            "volume": 100.0,
        }
    )
    store.append({"bars": bars.assign(source="x", provider="a 1")}, fetched=AT)
    other = bars.assign(volume=301.0, amount=100.5, source="y", provider="b 2")
    (change,) = store.append({"bars": other}, fetched=LATER).changes
    assert (change.differing, change.revised, change.completed) == (1, 0, 1)
    row = store.read("bars").iloc[0]
    assert (row["volume"], row["amount"], row["source"]) == (100.0, 100.5, "x")
    # A file has no such excuse.
    with pytest.raises(DataError, match="would change the past"):
        store.append({"bars": other})
    # 101 shares are one lot: the sources agree, and the row stays whose it is.
    (change,) = store.append({"bars": other.assign(volume=101.0)}, fetched=LATER).changes
    assert (change.differing, change.revised, change.completed) == (0, 0, 0)
    assert store.read("bars")["volume"].tolist() == [100.0]


def test_what_a_store_remembers_is_kept_with_its_rows(tmp_path):
    store = Store(tmp_path)
    store.append({"units": given("a 1", "x", ("A.US", "2025-08-13", 3.0))}, fetched=AT, recipe={"said": [1]})
    assert Store(tmp_path).recipe == {"said": [1]}
    store.append({"units": units(("A.US", "2025-08-14", 4.0))})
    assert Store(tmp_path).recipe == {"said": [1]}
    with pytest.raises(DataError):
        store.append(
            {"units": given("a 1", "x", ("A.US", "2025-08-13", 4.0))}, fetched=AT, recipe={"said": [2]}
        )
    assert Store(tmp_path).recipe == {"said": [1]}
    # Also where no row is new.
    store.append({"units": given("a 1", "x", ("A.US", "2025-08-13", 3.0))}, fetched=AT, recipe={"said": [3]})
    assert Store(tmp_path).recipe == {"said": [3]}
    assert Store(tmp_path / "none").recipe == {}
