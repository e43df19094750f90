"""Files as public bug reports of the field's libraries show them, with small values and the right answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.checks import run_checks
from data.importing import import_files
from data.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    def _take(name: str, content: object):
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (tmp_path / name).write_text(text)
        return import_files([tmp_path / name], store)

    return _take


def test_bars_of_akshare_from_tencent_with_volume_in_shares(take, store):
    # AKShare 7328: from 1.18.74 on stock_zh_a_hist_tx has shares and yuan, and a turnover in percent.
    head = "date,open,close,high,low,volume,turnover,amount"
    take("sz159363.csv", f"{head}\n2025-08-20,0.700,0.729,0.731,0.690,523000000.0,13.1,371812345.0\n")
    bars = store.read("bars").iloc[0]
    assert (bars.symbol, bars.close, bars.volume, bars.amount) == (
        "159363.SZ",
        0.729,
        523_000_000,
        371_812_345,
    )


def test_a_volume_of_a_denormal_is_none(take, store):
    # pytdx 134: what TongDaXin's servers have for a halted fund; four equal prices.
    head = "symbol,day,open,high,low,close,volume,amount"
    halted = "159363.SZ,2025-08-20,0.729,0.729,0.729,0.729,5.877472e-39,5.877472e-39"
    (told,) = take(
        "a.csv", f"{head}\n{halted}\n159363.SZ,2025-08-21,0.7,0.731,0.69,0.729,5e8,3.7e8\n"
    ).imported
    assert told.notes == ("without volume and prices, and left out as halts: 1 row",)
    assert store.read("bars")["volume"].tolist() == [500_000_000]


def test_the_split_of_a_csvdir_is_new_shares_for_an_old_one(take, store):
    # zipline's csvdir_equities writes 1 / split into its tables.
    head = "date,open,high,low,close,volume,dividend,split"
    before = "2024-03-06,690.2,695.9,689.9,691.0,1600000,0.0,1.0"
    take("SOXX.csv", f"{head}\n{before}\n2024-03-07,230.2,231.3,229.95,230.15,4930000,0.31,3.0\n")
    actions = store.read("actions").set_index("kind")
    assert actions.loc["split", "ratio"] == 3
    assert actions.loc["dividend", "cash"] == 0.31
    assert store.read("bars")["close"].tolist() == [691.0, 230.15]
    assert "split-ratio" not in {each.check for each in run_checks(store)}
