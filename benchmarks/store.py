"""What a store costs as it grows: ``python -m benchmarks.store [--folder DIR] [--repeat 5] [--quick]``.

1. ``write_files`` makes a market up: a CSV file for each fund and table, and one more session for an update.
2. The measurements, each in a process of its own, in turns: CPU seconds and peaks of memory, beside
   yardsticks that share nothing with us. An import is held against pyarrow, which reads the same files and
   writes Parquet.
3. Ratios of medians of one run are what counts. Nothing here fails for being slow.

Files and stores of ``--folder`` are kept, and used again; without it, everything is made anew and deleted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
TABLES = ("bars", "units", "margin")
LAST_DAY = "2025-11-20"
SEED = 11
LARGE, SMALL, IMPORTED = (1_000, 5_000), (250, 1_250), (24, 5_000)
PANEL_FUNDS, PANEL_SESSIONS = 20, 1_250
Floats = NDArray[np.float64]


@dataclass
class Measure:
    """CPU seconds and peaks of memory of one command, and the wall time of a part of it that it reports."""

    command: Sequence[str]
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self, before: Callable[[], object] = lambda: None) -> None:
        """Run the command once, and keep what it took; RuntimeError if it fails."""
        before()
        with tempfile.TemporaryFile() as told:
            process = subprocess.Popen(self.command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=told)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                told.seek(0)
                raise RuntimeError(f"{' '.join(self.command)}: {told.read().decode()[-500:]}")
        self.seconds.append(used.ru_utime + used.ru_stime)
        self.megabytes.append(used.ru_maxrss / 1024)


def sessions(count: int, after: int = 0) -> NDArray[np.datetime64]:
    """Return the last ``count`` sessions of Shanghai up to LAST_DAY, or to ``after`` sessions later."""
    from data.facts.calendars import calendar_for

    calendar = calendar_for("cn_etf")
    every = calendar.sessions(calendar.first_day, calendar.last_day)
    end = int(np.searchsorted(every, np.datetime64(LAST_DAY), side="right")) + after
    return every[end - count : end]


def symbols(count: int) -> list[str]:
    """Return the codes of made-up funds, half of them of each Chinese exchange."""
    half = (count + 1) // 2
    found = [f"{510_000 + number}.SH" for number in range(half)]
    return found + [f"{159_000 + number}.SZ" for number in range(count - half)]


def made_up(rng: np.random.Generator, days: NDArray[np.datetime64]) -> dict[str, dict[str, Floats]]:
    """Return the columns of one fund by table: prices that wander, counts in whole lots, balances."""
    count = len(days)
    close = np.round(np.exp(np.cumsum(np.clip(rng.normal(0.0002, 0.012, count), -0.05, 0.05))), 3)
    close = np.maximum(close, 0.2)
    before = np.append(close[0], close[:-1])
    opens = np.round((before + close) / 2 + rng.choice([-0.001, 0.0, 0.001], count), 3)
    high, low = (
        np.round(pick(opens, close) * by, 3) for pick, by in ((np.maximum, 1.004), (np.minimum, 0.996))
    )
    volume = np.round(rng.lognormal(17.0, 0.6, count), -2)
    amount = np.round(volume * (high + low) / 2, 2)
    units = np.round(5e8 * np.exp(np.cumsum(rng.normal(0.0, 0.004, count))) + 1e6, -4)
    bought, repaid = (np.round(rng.uniform(1e6, 2e6, count), 2) for _ in range(2))
    balance = np.round(5e8 + np.cumsum(bought - repaid), 2)
    prices = {"open": opens, "high": high, "low": low, "close": close}
    return {
        "bars": prices | {"volume": volume, "amount": amount, "pre_close": before},
        "units": {"units": units},
        "margin": {"balance": balance, "bought": bought, "repaid": repaid},
    }


def write_files(folder: Path, funds: int, count: int, *, later: Path) -> None:
    """Write a file for each fund and table, and to ``later`` one for each table with one session more."""
    import pyarrow as pa
    from pyarrow import csv

    days = sessions(count + 1, 1)
    written = pa.array(days.astype(str))
    last: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
    for number, symbol in enumerate(symbols(funds)):
        rng = np.random.Generator(np.random.PCG64(SEED + number))
        for name, columns in made_up(rng, days).items():
            keys = {"symbol": pa.repeat(symbol, len(days)), "day": written}
            rows = pa.table(keys | {each: pa.array(values) for each, values in columns.items()})
            (folder / name).mkdir(parents=True, exist_ok=True)
            csv.write_csv(rows.slice(0, count), folder / name / f"{symbol}.csv")
            last[name].append(rows.slice(count))
    later.mkdir(parents=True, exist_ok=True)
    for name, parts in last.items():
        csv.write_csv(pa.concat_tables(parts), later / f"{name}.csv")


def task(*words: object) -> list[str]:
    """Return the command of a task of this file."""
    return [sys.executable, "-m", "benchmarks.store", "--task", *map(str, words)]


def command(*words: object) -> list[str]:
    """Return an etflow command."""
    return [sys.executable, "run_backtest.py", *map(str, words)]


def run_task(words: Sequence[str]) -> None:
    """Do what one measurement times; its imports are in it."""
    name, *rest = words
    TASKS[name](*rest)


def _pandas() -> None:
    import pandas  # noqa: F401


def _pyarrow(files: str, out: str) -> None:
    """Read the files and write a Parquet file of each table, and nothing else."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv

    Path(out).mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        parts = [csv.read_csv(path) for path in sorted((Path(files) / name).glob("*.csv"))]
        pq.write_table(pa.concat_tables(parts), Path(out) / f"{name}.parquet", compression="zstd")


def _panel(store: str, funds: str) -> None:
    from data.load import load_panel
    from data.source import open_source

    chosen = symbols(LARGE[0])[:: LARGE[0] // PANEL_FUNDS][:PANEL_FUNDS] if funds != "all" else ()
    load_panel(open_source(store), chosen)


TASKS: dict[str, Callable[..., None]] = {"pandas": _pandas, "pyarrow": _pyarrow, "panel": _panel}


@dataclass(frozen=True)
class Row:
    """A line of the table: what is measured, and what it is a multiple of."""

    title: str
    measure: str
    of: str
    most: float | None = None


ROWS = (
    Row("import of 360,000 rows", "import", "pyarrow", 1.5),
    Row("import of a large store", "import large", "pyarrow large", 1.5),
    Row("panel of 20 funds out of the large store", "panel of 20", "pandas", 1.0),
    Row("`run` of 20 funds, large store", "run large", "run small", 1.15),
    Row("panel of all", "panel of all", "panel of 20"),
    Row("`data check`, large store", "check", "import large", 1.0),
    Row("import of one day more", "update", "pandas"),
)


def measures(folder: Path) -> dict[str, Measure]:
    """Return what is measured, by name; stores and files are in ``folder``."""
    chosen = symbols(LARGE[0])[: PANEL_FUNDS // 2] + [f"{159_000 + n}.SZ" for n in range(PANEL_FUNDS // 2)]

    def run(store: str) -> Measure:
        words = ("run", "share_inflow", "--data", folder / store, "--symbols", ",".join(chosen))
        begin = sessions(PANEL_SESSIONS - 100)[0]
        return Measure(command(*words, "--start", begin, "--no-report", "--quiet", "--out", folder / "runs"))

    def imported(files: str, store: str) -> Measure:
        return Measure(command("data", "import", folder / files, "--data", folder / store, "--quiet"))

    return {
        "pandas": Measure(task("pandas")),
        "pyarrow": Measure(task("pyarrow", folder / "files", folder / "peer")),
        "import": imported("files", "imported"),
        "pyarrow large": Measure(task("pyarrow", folder / "large-files", folder / "peer")),
        "import large": imported("large-files", "imported"),
        "panel of 20": Measure(task("panel", folder / "large", PANEL_FUNDS)),
        "run small": run("small"),
        "run large": run("large"),
        "panel of all": Measure(task("panel", folder / "large", "all")),
        "check": Measure(command("data", "check", "--data", folder / "large", "--quiet")),
        "update": imported("large-later", "updated"),
    }


def prepare(folder: Path, *, quick: bool) -> None:
    """Write files and stores that are not there yet."""
    by_name = {"files": IMPORTED, "large-files": SMALL if quick else LARGE, "small-files": SMALL}
    for name, (funds, count) in by_name.items():
        if not (folder / name).is_dir():
            write_files(folder / name, funds, count, later=folder / name.replace("files", "later"))
    for files, store in (("small-files", "small"), ("large-files", "large")):
        if not (folder / store).is_dir():
            Measure(command("data", "import", folder / files, "--data", folder / store, "--quiet")).run()


def measure(found: Mapping[str, Measure], folder: Path, repeat: int) -> None:
    """Run all of them in turns; progress goes to the standard error."""
    for turn in range(repeat):
        for name, each in found.items():
            shutil.rmtree(folder / "imported", ignore_errors=True)
            if name == "update":
                shutil.rmtree(folder / "updated", ignore_errors=True)
                shutil.copytree(folder / "large", folder / "updated")
            each.run()
            told = f"{each.seconds[-1]:8.2f} s {each.megabytes[-1]:7.0f} MB"
            print(f"{turn + 1}/{repeat}  {name:16} {told}", file=sys.stderr, flush=True)


def lines(found: Mapping[str, Measure]) -> list[str]:
    """Return the table: medians, and ratios of medians with what is required of them."""
    result = ["| task | CPU | held against | ratio | required | memory |", "|---|---|---|---|---|---|"]
    for row in (row for row in ROWS if row.measure in found and row.of in found):
        ours, other = found[row.measure], found[row.of]
        took, beside = statistics.median(ours.seconds), statistics.median(other.seconds)
        required = "" if row.most is None else f"{row.most:g} {'✓' if took <= row.most * beside else '✗'}"
        result.append(
            f"| {row.title} | {took:.2f} s | {row.of}, {beside:.2f} s | {took / beside:.2f} | {required} | "
            f"{max(ours.megabytes):,.0f} MB ({max(ours.megabytes) / max(other.megabytes):.2f} ×) |"
        )
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what is missing, measure, and print the table."""
    parser = argparse.ArgumentParser(description="Measure what a store costs as it grows.")
    parser.add_argument("--folder", type=Path, help="where files and stores are kept")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a small store in place of the large one")
    parser.add_argument("--only", default="", help="measurements, with commas")
    parser.add_argument("--task", nargs="+", default=(), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.task:
        run_task(options.task)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.folder or Path(scratch)).resolve()
        prepare(folder, quick=options.quick)
        found: dict[str, Any] = measures(folder)
        wanted = [name for name in options.only.split(",") if name]
        found = {name: each for name, each in found.items() if not wanted or name in wanted}
        measure(found, folder, options.repeat)
    print("\n".join(lines(found)))


if __name__ == "__main__":
    main()
