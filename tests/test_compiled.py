"""Machine code: the same bits as Python, kept where it can be found again; and pieces that sets share."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data.numeric.compiled import compiled, is_kept
from data.numeric.moments import ROWS, WIDTH
from data.numeric.shared import shared, sharing
from data.panel import publication
from strategies import windows

ROOT = Path(__file__).resolve().parents[1]

NUMBERS = st.one_of(st.just(np.nan), st.just(np.inf), st.floats(-1e6, 1e6))
TABLES = hnp.arrays(np.float64, st.tuples(st.integers(0, 40), st.integers(1, 3)), elements=NUMBERS)


@settings(deadline=None)
@given(TABLES, st.integers(1, 6), st.one_of(st.none(), st.integers(1, 3)))
def test_windows_in_machine_code_have_the_bits_of_numpy(x: np.ndarray, n: int, at_least: int | None) -> None:
    results = []
    for machine in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(windows, "_in_machine_code", lambda *_, machine=machine: machine)
            with np.errstate(all="ignore"):
                found = (
                    windows.rolling_sum(x, n, at_least),
                    windows.rolling_mean(x, n, at_least),
                    windows.rolling_std(x, n, at_least, ddof=0),
                    windows.zscore(x, max(n, 2), at_least),
                )
            results.append(found)
    for plain, machine_made in zip(*results, strict=True):
        np.testing.assert_array_equal(machine_made, plain)


@pytest.mark.parametrize("n", [2, 7, 60])
def test_strips_of_machine_code_have_no_seam_and_columns_know_nothing_of_each_other(n: int) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(5.0, 1.0, (ROWS + 2 * n + 3, WIDTH + 3))
    x[:4] = np.nan
    x[rng.random(len(x)) < 0.02, :3] = np.nan
    x[7, 9] = np.inf
    for function in windows.rolling_std, windows.zscore:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(windows, "_in_machine_code", lambda *_: False)
            expected = function(x, n, n - 1)
            patch.setattr(windows, "_in_machine_code", lambda *_: True)
            np.testing.assert_array_equal(function(x, n, n - 1), expected)
            np.testing.assert_array_equal(function(x[:, 3:10], n, n - 1), expected[:, 3:10])
            for column in (0, 5, 9):
                np.testing.assert_array_equal(function(x[:, column], n, n - 1), expected[:, column])
            np.testing.assert_array_equal(function(x[50:], n, n - 1)[n - 1 :], expected[50 + n - 1 :])


@settings(deadline=None)
@given(st.data())
def test_the_known_face_in_machine_code_has_the_bits_of_numpy(data: st.DataObject) -> None:
    values = data.draw(
        hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=NUMBERS)
    )
    usable_from = data.draw(hnp.arrays(np.int64, values.shape, elements=st.integers(0, 14)))
    stale_after = data.draw(st.integers(1, 6))
    results = []
    for large in (10**9, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(publication, "LARGE", large)
            results.append(
                (
                    publication.latest_known(values, usable_from, stale_after),
                    publication.newly_known(values, usable_from),
                )
            )
    for plain, machine_made in zip(*results, strict=True):
        np.testing.assert_array_equal(machine_made, plain)


SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np
from data.numeric.compiled import compiled, is_kept
from data.numeric.moments import ROWS, WIDTH
from strategies.windows import add_values

kept = is_kept(add_values)
x = np.arange(6.0)
total = np.zeros(6)
compiled(add_values)(x, 2, 1, total)
print(kept, total.tolist(), compiled(add_values).stats.cache_hits and "loaded" or "made")
"""


def process(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
        timeout=120,
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_machine_code_is_made_once_and_found_by_the_next_process(tmp_path: Path) -> None:
    total = "[0.0, 1.0, 3.0, 5.0, 7.0, 9.0]"
    assert process(ETFLOW_CACHE=str(tmp_path)) == f"False {total} made"
    assert process(ETFLOW_CACHE=str(tmp_path)) == f"True {total} loaded"


@pytest.mark.slow
def test_without_a_folder_to_write_to_it_is_made_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    assert process(ETFLOW_CACHE=str(file)).endswith("made")
    assert file.read_text() == "no folder"


STEP = 2.0


def stepped(x: float) -> float:
    return x + STEP


def test_machine_code_is_not_found_again_once_a_constant_in_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETFLOW_CACHE", str(tmp_path))
    assert compiled(stepped)(1.0) == 3.0
    assert is_kept(stepped)
    monkeypatch.setitem(stepped.__globals__, "STEP", 5.0)
    assert not is_kept(stepped)


# --- Shared pieces ----------------------------------------------------------------------------------------
calls: list[tuple[object, ...]] = []


@shared
def piece(face: object, size: int) -> np.ndarray:
    calls.append((size,))
    time.sleep(0.01)
    return np.full(size, 1.0)


def test_a_piece_is_computed_once_while_sharing_is_on() -> None:
    calls.clear()
    face = SimpleNamespace()
    with sharing(face):
        first = piece(face, 3)
        assert piece(face, 3) is first
        assert not first.flags.writeable
        assert piece(SimpleNamespace(), 3) is not first
    piece(face, 3)
    assert len(calls) == 3


def test_pieces_of_equal_values_of_other_kinds_are_other_pieces() -> None:
    @shared
    def told(face: object, value: object) -> np.ndarray:
        return np.array([repr(value)])

    face = SimpleNamespace()
    with sharing(face):
        for each in (1, True, 1.0, 1, (1,), (True,), [1], [True]):
            assert told(face, each).tolist() == [repr(each)]


def test_threads_wait_for_a_piece_that_another_computes() -> None:
    calls.clear()
    face = SimpleNamespace()
    with sharing(face):
        threads = [threading.Thread(target=piece, args=(face, 5)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert calls == [(5,)]


def test_a_piece_that_fails_fails_for_everyone_who_asks() -> None:
    @shared
    def broken(face: object, size: int) -> np.ndarray:
        raise ValueError(size)

    face = SimpleNamespace()
    with sharing(face):
        for _ in range(2):
            with pytest.raises(ValueError, match="7"):
                broken(face, 7)


def test_what_was_not_asked_for_the_longest_is_dropped_first() -> None:
    calls.clear()
    face = SimpleNamespace()
    half = 70_000  # of a mebibyte, in doubles: two do not fit
    with sharing(face, megabytes=1):
        for size in (half, 10, half + 1, 10):
            piece(face, size)
        piece(face, half)
    assert [size for (size,) in calls] == [half, 10, half + 1, half]


SIMPLE = """
import sys
from data.numeric import compiled as door

def plus_one(x: float) -> float:
    return x + 1.0

if __name__ == "__main__":
    print(door.compiled(plus_one)(2.5))
"""


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"no pickle", b"\x80\x05N."])
def test_machine_code_that_is_damaged_is_compiled_again(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(SIMPLE)
    environment = {**os.environ, "ETFLOW_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}

    def call() -> None:
        command = [sys.executable, str(tmp_path / "program.py")]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, env=environment
        )
        assert (done.stdout, done.stderr) == ("3.5\n", "")

    call()
    for ending in ("nbi", "nbc"):
        (file,) = (tmp_path / "cache").rglob(f"*.{ending}")
        whole = file.read_bytes()
        file.write_bytes(damage)
        call()  # compiled again, and kept again
        assert [path.read_bytes() != damage for path in (tmp_path / "cache").rglob(f"*.{ending}")] == [True]
        assert whole != damage
