"""Columns as arrays, out of a store and out of any other source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.source import renamed
from data.store.columns import Columns, columns_of
from data.store.store import Store
from tests.helpers.segments import FUNDS, SESSIONS, bars_of, short_segments

NAN, NAT = float("nan"), np.datetime64("NaT")


def by_key(parts: Iterable[Columns], column: str) -> dict[tuple[str, str], Any]:
    return {
        (part.series[code], str(day.astype("datetime64[D]"))): value
        for part in parts
        for code, day, value in zip(part.codes, part.arrays["day"], part.arrays[column], strict=True)
    }


class Framed:
    """A source that has frames only."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        return self.store.read(table, symbols)


@pytest.fixture(params=[lambda store: store, Framed], ids=["store", "frames"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    rows = [
        ("159363.SZ", "2025-08-19", 5e8, NAN, "2025-08-20 08:00"),
        ("159363.SZ", "2025-08-20", 6e8, 2e8, None),
        ("515980.SH", "2025-08-20", 7e8, 3e8, None),
        ("588790.SH", "2025-08-20", 8e8, 4e8, None),
    ]
    store = Store(tmp_path)
    store.append({"margin": pd.DataFrame(rows, columns=["symbol", "day", "balance", "bought", "known_at"])})
    return request.param(Store(tmp_path))


def test_columns_are_those_of_the_rows_of_the_series_that_are_asked_for(source: Any) -> None:
    parts = list(columns_of(source, "margin", [["515980.SH", "159363.SZ"], ["510300.SH"], ["588790.SH"]]))
    assert by_key(parts, "balance") == {
        ("159363.SZ", "2025-08-19"): 5e8,
        ("159363.SZ", "2025-08-20"): 6e8,
        ("515980.SH", "2025-08-20"): 7e8,
        ("588790.SH", "2025-08-20"): 8e8,
    }
    assert list(by_key(parts, "bought").values()) == pytest.approx([NAN, 2e8, 3e8, 4e8], nan_ok=True)
    known = np.array(list(by_key(parts, "known_at").values()))
    assert np.array_equal(known, np.array(["2025-08-20T08:00", NAT, NAT, NAT], "M8[us]"), equal_nan=True)
    # There is no text, and of a column without a value nothing is known.
    assert list(parts[0].arrays) == ["day", "balance", "bought", "repaid", "known_at"]
    assert np.isnan(parts[0].arrays["repaid"]).all()


def test_columns_out_of_several_segments_are_those_of_all(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with short_segments():
        for day in SESSIONS:
            store.append({"bars": bars_of([(fund, day) for fund in FUNDS])})
    files = Store(tmp_path)._table("bars").files
    assert len(files) > 2
    found = by_key(store.columns("bars", [FUNDS[:2], FUNDS[2:]]), "close")
    # The close tells fund and session.
    wanted = {(fund, day): 1 + f + d / 100 for f, fund in enumerate(FUNDS) for d, day in enumerate(SESSIONS)}
    assert found == wanted


def test_the_footers_are_let_go_once_all_is_read_and_read_again_when_asked(tmp_path: Path) -> None:
    Store(tmp_path).append({"bars": bars_of([(FUNDS[0], SESSIONS[0]), (FUNDS[1], SESSIONS[0])])})
    store = Store(tmp_path)
    (file,) = store._table("bars").files
    parts = store.columns("bars", [FUNDS[:1], FUNDS[1:2]])
    assert next(parts).arrays["close"].tolist() == [1.0]
    assert "_parquet" in vars(file)
    assert next(parts).arrays["close"].tolist() == [2.0]
    assert list(parts) == []
    assert "_parquet" not in vars(file)
    assert store.read("bars")["close"].tolist() == [1.0, 2.0]


def test_columns_of_a_fund_that_got_another_symbol_are_under_that(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rename = {"symbol": [FUNDS[0]], "ex_day": [SESSIONS[1]], "kind": ["rename"], "successor": [FUNDS[1]]}
    store.append(
        {
            "bars": bars_of([(FUNDS[0], SESSIONS[0]), (FUNDS[1], SESSIONS[1])]),
            "actions": pd.DataFrame(rename),
        }
    )
    found = by_key(columns_of(renamed(store), "bars", [[FUNDS[1]]]), "close")
    assert found == {(FUNDS[1], SESSIONS[0]): 1.0, (FUNDS[1], SESSIONS[1]): 2.01}
