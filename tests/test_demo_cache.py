"""The synthetic market is the same in every process, and its cache is never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import data.demo
from data.demo import Demo, cache
from data.store.tables import TABLES
from tests.helpers.demo import fingerprint, own_cache

# Changes when the generator changes: then every published number made on the demo market changes too.
FINGERPRINT = "10368358e83b65c5"

Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with own_cache(tmp_path_factory.mktemp("demo")):
        yield Demo()


@pytest.fixture
def empty_cache(tmp_path: Path) -> Iterator[Path]:
    with own_cache(tmp_path / "cache") as folder:
        yield folder


@pytest.fixture(scope="module")
def tables(demo: Demo) -> Tables:
    return {name: demo.read(name) for name in TABLES}


@pytest.fixture
def generations(tables: Tables, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each generation, which is made quick."""
    counted: list[int] = []

    def generate(self: Demo) -> Tables:
        counted.append(self.seed)
        return {name: frame.copy() for name, frame in tables.items()}

    monkeypatch.setattr(Demo, "_generate", generate)
    return counted


# The same bits


def test_the_tables_are_the_same_as_ever(demo: Demo) -> None:
    assert fingerprint(demo) == FINGERPRINT


def test_another_process_generates_the_same_tables(empty_cache: Path, root: Path) -> None:
    code = "from tests.helpers.demo import Demo, fingerprint; print(fingerprint(Demo()))"
    other_hashes = "4242" if os.environ.get("PYTHONHASHSEED") != "4242" else "0"
    environment = {**os.environ, "PYTHONHASHSEED": other_hashes}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == FINGERPRINT


def test_another_seed_gives_other_noise_and_the_same_events(demo: Demo) -> None:
    other = Demo(seed=1)
    assert not other.read("index_bars")["close"].equals(demo.read("index_bars")["close"])
    assert not other.read("units")["units"].equals(demo.read("units")["units"])
    assert other.read("funds").equals(demo.read("funds"))
    columns = ["symbol", "kind", "ex_day", "record_day", "ratio", "pay_day"]
    assert other.read("actions")[columns].equals(demo.read("actions")[columns])


def test_it_generates_quickly(empty_cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.perf_counter()
    Demo().read("bars")
    generated = time.perf_counter() - started
    data.demo._MEMORY.clear()
    started = time.perf_counter()
    Demo().read("bars")
    cached = time.perf_counter() - started
    with capsys.disabled():
        print(f"\ndemo: generated in {generated:.2f} s, bars read from the cache in {cached:.2f} s")


# The cache


def test_a_second_process_reads_what_the_first_one_saved(tables: Tables, generations: list[int]) -> None:
    for name in TABLES:
        Demo().read(name)
    assert len(generations) == 1
    data.demo._MEMORY.clear()
    for name in TABLES:
        pd.testing.assert_frame_equal(Demo().read(name), tables[name])
    assert len(generations) == 1, "nothing was generated again"


def test_a_cache_may_have_a_name_that_is_no_text(tables: Tables, tmp_path: Path) -> None:
    with own_cache(Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9")))):
        cache.save("1-1.0", {"macro": tables["macro"]})
        found = cache.load("1-1.0", "macro")
    assert found is not None
    pd.testing.assert_frame_equal(found, tables["macro"])


@pytest.mark.parametrize("damage", ["truncated", "empty", "not parquet", "other columns", "other name"])
def test_a_damaged_cache_is_generated_again(
    tables: Tables, generations: list[int], empty_cache: Path, damage: str
) -> None:
    Demo().read("bars")
    (folder,) = empty_cache.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.parquet" for name in TABLES)
    path = folder / "bars.parquet"
    content = path.read_bytes()
    damaged = {
        "truncated": content[: len(content) // 2],
        "empty": b"",
        "not parquet": b"not a table",
        # Behind the pages, where a column that need not be there would be lost.
        "other name": content.replace(b"pre_close", b"pre_clOse"),
        "other columns": (folder / "units.parquet").read_bytes(),
    }
    path.write_bytes(damaged[damage])
    data.demo._MEMORY.clear()
    pd.testing.assert_frame_equal(Demo().read("bars"), tables["bars"])
    assert len(generations) == 2
    data.demo._MEMORY.clear()
    pd.testing.assert_frame_equal(Demo().read("bars"), tables["bars"])
    assert len(generations) == 2, "it was saved again"


def test_a_cache_that_the_system_does_not_let_read_is_none(
    tables: Tables, generations: list[int], tmp_path: Path
) -> None:
    with own_cache(tmp_path / ("x" * 300)):  # as one of another user, which root could read
        pd.testing.assert_frame_equal(Demo().read("bars"), tables["bars"])
    assert len(generations) == 1


def test_no_flipped_byte_of_the_values_goes_unnoticed(tables: Tables, empty_cache: Path) -> None:
    frame = tables["macro"]
    cache.save("key", {"macro": frame})
    path = next(empty_cache.glob("*-key/macro.parquet"))
    content = path.read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    for position in range(4, footer, 29):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :])
        read = cache.load("key", "macro")
        assert read is None or read.equals(frame), f"byte {position} of {footer}"


def test_a_cache_that_cannot_be_written_is_done_without(
    tables: Tables, generations: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    monkeypatch.setenv("ETFLOW_CACHE", str(in_the_way))
    assert Demo().read("units").equals(tables["units"])
    assert in_the_way.read_text() == "not a folder"


def test_a_save_that_breaks_off_leaves_nothing_behind(
    tables: Tables, generations: list[int], empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.atomic.os.replace", full)
    assert Demo().read("units").equals(tables["units"])
    assert [path for path in empty_cache.rglob("*") if path.is_file()] == []


def test_the_cache_is_kept_apart_by_seed_and_effect(empty_cache: Path) -> None:
    frame = pd.DataFrame({"series": ["capex"], "period": [pd.Timestamp("2025-06-30")], "value": [1.0]})
    cache.save("1-1.0", {"macro": TABLES["macro"].validate(frame)})
    assert cache.load("1-1.0", "macro") is not None
    assert cache.load("1-0.0", "macro") is None
    assert cache.load("2-1.0", "macro") is None


def test_without_its_own_variable_the_cache_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ETFLOW_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    cache.save("key", {})
    assert [path.name[:5] for path in (tmp_path / "xdg" / "etflow").iterdir()] == ["demo-"]
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cache.save("key", {})
    assert (tmp_path / "home" / ".cache" / "etflow").is_dir()
