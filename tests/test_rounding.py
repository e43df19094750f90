"""Two sources of one table that round differently: one number, and the finer one is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError
from data.importing import import_files
from data.store.store import Store

DAYS = pd.bdate_range("2025-03-03", periods=25)


def bars(volume: object, close: object = 0.729, source: str | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"day": DAYS, "close": close, "volume": volume, "symbol": "159363.SZ"})
    prices = {"open": frame["close"], "high": frame["close"], "low": frame["close"]}
    return frame.assign(source=source, **prices)


def fine_volume() -> np.ndarray:
    """Volumes in shares: 398,000,037 and so on, none a whole lot."""
    return 398_000_037.0 + 1_234_501.0 * np.arange(len(DAYS))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.mark.parametrize("cut", [np.floor, np.round, np.ceil])
@pytest.mark.parametrize("fine_first", [True, False])
def test_volume_in_lots_and_in_shares_is_one_volume(store, cut, fine_first):
    fine = fine_volume()
    rough = cut(fine / 100) * 100
    if cut is np.ceil:
        # A vendor does not round up: that is another number.
        store.append({"bars": bars(fine, source="sina")})
        with pytest.raises(DataError, match="would change the past"):
            store.append({"bars": bars(rough, source="eastmoney")})
        return
    for volume, source in [(fine, "sina"), (rough, "eastmoney")][:: 1 if fine_first else -1]:
        appended = store.append({"bars": bars(volume, source=source)})
    assert store.read("bars")["volume"].tolist() == fine.tolist()
    assert appended.revisions.empty
    assert (appended.changes[0].revised, appended.changes[0].completed) == (0, 0 if fine_first else 25)


def test_a_single_volume_is_a_lot_at_most(store):
    store.append({"bars": bars(398_000_000.0).head(1)})
    store.append({"bars": bars(398_000_037.0).head(1)})
    assert store.read("bars")["volume"].tolist() == [398_000_037.0]
    with pytest.raises(DataError, match=r"volume 398000037.0 -> 398000137.0"):
        store.append({"bars": bars(398_000_137.0).head(1)})


def test_a_revision_of_one_source_stays_a_revision(store):
    store.append({"bars": bars(fine_volume())})
    changed = fine_volume()
    changed[3] += 1
    with pytest.raises(DataError, match="1 row would change the past"):
        store.append({"bars": bars(changed)})


def test_prices_to_the_cent_are_those_in_ticks(store):
    ticks = 0.701 + 0.003 * np.arange(len(DAYS))
    cents = np.floor(ticks * 100 + 0.5 + 1e-9) / 100
    store.append({"bars": bars(1e6, cents.round(2), source="a")})
    appended = store.append({"bars": bars(1e6, ticks.round(3), source="b")})
    assert store.read("bars")["close"].tolist() == ticks.round(3).tolist()
    assert appended.revisions.empty


def test_a_tick_is_a_revision_where_few_prices_tell_the_grid(store):
    store.append({"bars": bars(1e6, 0.73).head(2)})
    with pytest.raises(DataError, match=r"close 0.73 -> 0.729"):
        store.append({"bars": bars(1e6, 0.729).head(2)})


def test_a_number_that_went_through_32_bits_is_the_same_number(store):
    narrow = float(np.float32(43.3))
    assert narrow != 43.3
    store.append({"bars": bars(1e6, 43.3).head(1)})
    store.append({"bars": bars(1e6, narrow).head(1)})
    assert store.read("bars")["close"].tolist() == [43.3]


def test_balances_in_10_to_the_8_are_those_in_yuan(store):
    yuan = pd.DataFrame({"symbol": "CN", "day": DAYS, "balance": 2.13005499e12 + 1_234_567.0 * np.arange(25)})
    store.append({"margin": yuan.assign(balance=(yuan["balance"] / 1e6).round() * 1e6)})
    store.append({"margin": yuan})
    assert store.read("margin")["balance"].tolist() == yuan["balance"].tolist()


def test_files_of_one_import_that_round_differently_agree(tmp_path, store):
    fine = fine_volume()
    bars(np.floor(fine / 100) * 100).to_csv(tmp_path / "a.csv", index=False)
    bars(fine).to_csv(tmp_path / "b.csv", index=False)
    bars(np.floor(fine / 100) * 100).to_csv(tmp_path / "c.csv", index=False)
    import_files([tmp_path], store)
    assert store.read("bars")["volume"].tolist() == fine.tolist()


def test_files_that_truly_disagree_are_refused(tmp_path, store):
    fine = fine_volume()
    other = np.floor(fine / 100) * 100
    other[2] += 500
    bars(fine).to_csv(tmp_path / "a.csv", index=False)
    bars(other).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError, match=r"files disagree about `volume` of 159363.SZ 2025-03-05"):
        import_files([tmp_path], store)
