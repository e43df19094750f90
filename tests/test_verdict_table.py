"""Tables of returns in blocks of columns, and arrays that were put down on the disk."""

from __future__ import annotations

import contextlib
import mmap
import os
from pathlib import Path
from tempfile import TemporaryFile
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data.numeric import on_disk
from data.numeric.on_disk import let_go, put_down
from engine.verdict import table as table_module
from engine.verdict.table import BLOCK, Table


def numbers(rows: int, columns: int) -> Any:
    """A table whose numbers say where they stand."""
    return np.arange(rows)[:, None] + np.arange(columns) / 10_000.0


def test_an_array_that_was_put_down_is_the_same_and_its_file_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    array = np.random.default_rng(1).normal(size=(400, 800))[:, ::2]  # not contiguous
    held = put_down(array)
    assert held is not array
    assert not any(tmp_path.iterdir())
    for _ in range(2):
        np.testing.assert_array_equal(held, array)
        let_go(held[3])  # a view of it
    with pytest.raises(ValueError, match="read-only"):
        held[0, 0] = 1.0


def test_what_is_small_or_finds_no_room_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = np.ones((10, 10)), np.ones((400, 400))
    assert put_down(small) is small

    def full(**_words: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(on_disk, "TemporaryFile", full)
    assert put_down(large) is large
    let_go(large)
    np.testing.assert_array_equal(large, np.ones((400, 400)))


@pytest.mark.parametrize("room", [0, 1, 1_300_000, 2_600_000, 10**9])
def test_a_table_keeps_one_file_open_and_its_rest_in_memory_where_that_is_full(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped = []

    class Noted(mmap.mmap):
        def __init__(self, *words: Any, **more: Any) -> None:
            mapped.append(self)

    def on_a_full_disk(**words: Any) -> Any:
        file = TemporaryFile(**words)  # noqa: SIM115
        left = [room]

        def write(some: Any) -> int:
            if not left[0]:
                raise OSError(28, "No space left on device")
            taken = os.write(file.fileno(), some[: left[0]])
            left[0] -= taken
            return taken

        return contextlib.closing(SimpleNamespace(write=write, fileno=file.fileno, close=file.close))

    monkeypatch.setattr(mmap, "mmap", Noted)
    monkeypatch.setattr(on_disk, "TemporaryFile", on_a_full_disk)
    whole = numbers(650, 1024)  # four blocks of 1.33 megabytes
    table = Table.filled(650, 1024, [whole])
    assert len(mapped) == (room > 1_331_200)
    np.testing.assert_array_equal(table.columns(np.arange(1024)), whole)


def test_what_was_written_is_read_back_where_no_more_files_can_be_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_many(*_words: Any, **_more: Any) -> Any:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(mmap, "mmap", too_many)
    whole = numbers(650, 1024)
    np.testing.assert_array_equal(Table.filled(650, 1024, [whole]).columns(np.arange(1024)), whole)


def test_memory_of_what_was_put_down_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Noted(mmap.mmap):
        def madvise(self, *words: int) -> None:
            asked.append(words)

    monkeypatch.setattr(mmap, "mmap", Noted)
    let_go(put_down(np.ones((400, 400)))[:, 5:7])
    assert asked == [(mmap.MADV_DONTNEED,)]


@pytest.mark.parametrize("columns", [1, 2, 511, 512, 513, 1025, 2000])
@pytest.mark.parametrize("cut", [1, 7, 600, 5000])
def test_a_table_is_filled_from_pieces_of_any_width(columns: int, cut: int) -> None:
    whole = numbers(3, columns)
    pieces = [whole[:, begin : begin + cut] for begin in range(0, columns, cut)]
    pieces.insert(1, whole[:, :0])
    for table in (Table.filled(3, columns, pieces), Table.of(whole), Table.of(Table.of(whole))):
        assert (table.shape, len(table)) == ((3, columns), 3)
        begins, blocks = zip(*table.blocks(), strict=True)
        np.testing.assert_array_equal(np.hstack(blocks), whole)
        sizes = [each.shape[1] for each in blocks]
        assert list(begins) == [sum(sizes[:place]) for place in range(len(sizes))]
        assert max(sizes) <= BLOCK
        assert columns == 1 or min(sizes) > 1
        chosen = np.array([columns - 1, 0, columns // 2, 0])
        np.testing.assert_array_equal(table.columns(chosen), whole[:, chosen])
        np.testing.assert_array_equal(table.column(columns // 2), whole[:, columns // 2])
        for first in {1, columns // 2 or 1, columns}:
            some = table.first(first)
            assert some.shape == (3, first)
            np.testing.assert_array_equal(some.columns(np.arange(first)), whole[:, :first])


def test_a_large_table_is_on_the_disk_and_let_go_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[Any] = []

    def noted(block: Any) -> None:
        gone.append(block)
        let_go(block)

    monkeypatch.setattr(table_module, "let_go", noted)
    whole = numbers(600, 1500)
    table = Table.filled(600, 1500, [whole])
    for number, (begin, block) in enumerate(table.blocks()):
        assert len(gone) == number
        assert not block.flags.writeable
        np.testing.assert_array_equal(block, whole[:, begin : begin + block.shape[1]])
    assert len(gone) == number + 1 == 6
