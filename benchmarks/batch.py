"""The batch engine beside its peers: ``python -m benchmarks.batch [--repeat 5] [--peers ...] [--write]``.

1. ``jobs`` lists the measurements, each a command that runs in a process of its own: ours, then the peers'.
2. ``measure`` runs all of them in turns, ``--repeat`` times over, so that noise falls on all alike. A process
   that took longer than ``--patience`` is not run again.
3. ``lines`` has the table: medians, what is required, how many times slower each peer is, peak memory.

The exit code is 1 where equity does not agree, or a measurement fails; never for being slow. This process
imports the standard library only, so that its memory is in nobody's peak.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
PEERS = ("vectorbt", "backtrader")
VERSIONS = ("numpy", "numba", "pandas", "vectorbt", "vectorbt-rust", "backtrader")
TOLERANCE = 1e-9
MOST_MEGABYTES = 400.0
MANY = 100_000


@dataclass
class Job:
    """A command, and what its runs gave: seconds by name, peak memory, and what else it reports."""

    command: Sequence[str]
    fresh_cache: bool = False
    once: bool = False
    seconds: dict[str, list[float]] = field(default_factory=dict)
    peaks: list[float] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    longest: float = 0.0
    error: str = ""

    def median(self, name: str) -> float | None:
        """Return the median of what was timed under a name."""
        taken = self.seconds.get(name)
        return statistics.median(taken) if taken else None

    @property
    def peak(self) -> float | None:
        """The largest peak of memory, in MB."""
        return max(self.peaks, default=None)


@dataclass(frozen=True)
class Row:
    """A line of the table.

    ``limits`` are seconds and MB that must be reached, ``ratios`` how many times slower each peer must be;
    ``peers`` are jobs with the name of what is compared, and what it is multiplied with.
    """

    title: str
    job: str
    timing: str
    sets: int = 1
    limit: float | None = None
    limit_mb: float | None = None
    ratios: Mapping[str, float] = field(default_factory=dict)
    peers: Mapping[str, tuple[str, str, int]] = field(default_factory=dict)


def task(*words: object) -> list[str]:
    """Return the command of a task."""
    return [sys.executable, "-m", "benchmarks.tasks", *map(str, words)]


def jobs(peers: Sequence[str], *, quick: bool, folder: Path) -> dict[str, Job]:
    """Return all measurements by name; those of the peers stand beside ours, in the order of a turn."""
    arrays = str(folder / "S.npz")
    command = [sys.executable, str(ROOT / "run_backtest.py"), "run", "share_inflow", "--engine", "batch"]
    command += ["--no-report", "--quiet", "--out", "{out}"]
    large, medium, many = (300, 50, 5_000) if quick else (10_000, 1_000, MANY)
    found = {
        "S, many": Job(task("sweep", "S", large)),
        "S, 1,000": Job(task("sweep", "S", 100 if quick else 1_000)),
        "M": Job(task("sweep", "M", medium)),
        "S, one": Job(task("single", "S")),
        "notebook": Job(task("notebook", many)),
        "tune": Job(task("tune", many)),
        "run, first": Job(command, fresh_cache=True),
        "run": Job(command),
        "cold S": Job(task("cold", arrays)),
        "compile": Job(task("first-sweep"), fresh_cache=True),
        "compiled": Job(task("first-sweep")),
    }
    if not quick:
        found["L, one"] = Job(task("single", "L"))
    if "vectorbt" in peers:
        for engine in vectorbt_engines():
            found |= {
                f"{engine} S, many": Job(task("vectorbt", "S", large, engine)),
                f"{engine} S, 1,000": Job(task("vectorbt", "S", 100 if quick else 1_000, engine)),
                f"{engine} M": Job(task("vectorbt", "M", medium, engine)),
                f"{engine} S, one": Job(task("vectorbt", "S", 1, engine)),
                f"{engine} cold": Job([sys.executable, "-m", "benchmarks.peer_vectorbt", arrays, engine]),
            }
            if not quick:
                found[f"{engine} L, one"] = Job(task("vectorbt", "L", 1, engine))
    if "backtrader" in peers:
        found |= {
            "pandas S, one": Job(task("backtrader", "S", "pandas")),
            "arrays S, one": Job(task("backtrader", "S", "arrays")),
            "backtrader cold": Job([sys.executable, "-m", "benchmarks.peer_backtrader", arrays]),
        }
        if not quick:
            found["arrays L, one"] = Job(task("backtrader", "L", "arrays"), once=True)
    full = {"S": (1_000, 20), "M": (20, 1), "L": (1, 0)}
    sample = {"S": (20, 2), "M": (1, 0)} if quick else full
    for size, (count, references) in sample.items():
        found[f"agreement {size}"] = Job(task("agreement", size, count, references), once=True)
    return found


def vectorbt_engines() -> tuple[str, ...]:
    """Return the engines of vectorbt that are installed."""
    if find_spec("vectorbt") is None:
        return ()
    return ("numba", "rust") if find_spec("vectorbt_rust") is not None else ("numba",)


def rows(quick: bool) -> Iterator[Row]:
    """Yield the lines of the table."""
    large, small, medium, many = (300, 100, 50, 5_000) if quick else (10_000, 1_000, 1_000, MANY)

    def sweep_peers(name: str, sets: int) -> dict[str, tuple[str, str, int]]:
        found = {engine: (f"{engine} {name}", "first", 1) for engine in ("numba", "rust")}
        if name != "M":
            found |= {feed: (f"{feed} S, one", "first", sets) for feed in ("pandas", "arrays")}
        return found

    def one_peers(size: str, timing: str) -> dict[str, tuple[str, str, int]]:
        found = {engine: (f"{engine} {size}, one", timing, 1) for engine in ("numba", "rust")}
        return found | {feed: (f"{feed} {size}, one", "first", 1) for feed in ("pandas", "arrays")}

    for costs, what in (("rules", "all market rules"), ("plain", "the workload's costs")):
        # What is required is required with all market rules on, and of all sets.
        on = costs == "rules" and not quick
        yield Row(
            f"S, {large:,} sets, {what}",
            "S, many",
            costs,
            large,
            limit=0.00015 * large if on else None,
            limit_mb=MOST_MEGABYTES if costs == "rules" else None,
            ratios={"vectorbt": 30.0, "backtrader": 5000.0} if on else {},
            peers=sweep_peers("S, many", large),
        )
        yield Row(
            f"S, {small:,} sets, {what}",
            "S, 1,000",
            costs,
            small,
            limit=0.25 if on else None,
            peers=sweep_peers("S, 1,000", small),
        )
        yield Row(
            f"M, {medium:,} sets, {what}",
            "M",
            costs,
            medium,
            limit=3.0 if on else None,
            peers=sweep_peers("M", medium),
        )
        for size, limit in (("S", 0.015), ("L", 1.0)):
            for timing, state in (("first", "nothing computed yet"), ("warm", "again")):
                yield Row(
                    f"{size}, one set, panel in memory, {state}, {what}",
                    f"{size}, one",
                    f"{costs}, {timing}",
                    limit=limit if on else None,
                    peers=one_peers(size, timing),
                )
    yield Row(f"S, {many:,} sets, `sweep` in a notebook", "notebook", "rules", many, limit_mb=MOST_MEGABYTES)
    yield Row(
        f"S, {many:,} sets, `etflow tune` writing a study", "tune", "rules", many, limit_mb=MOST_MEGABYTES
    )
    cold = {
        "numba": ("numba cold", "process", 1),
        "rust": ("rust cold", "process", 1),
        "pandas": ("backtrader cold", "process", 1),
    }
    yield Row("cold: `run --engine batch --no-report`, demo", "run", "process", limit=1.5, peers=cold)
    yield Row("cold: S from a file, one run", "cold S", "process", peers=cold)
    yield Row("first start ever: the same `run`, empty cache", "run, first", "process")
    yield Row("first sweep ever (10 sets), compiled now", "compile", "rules", 10, limit=10.0)
    yield Row("first sweep of a process (10 sets), code kept", "compiled", "rules", 10)


def run_job(job: Job, cache: Path, folder: Path) -> None:
    """Run a job once, and keep what it gave."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        environment = os.environ | {"ETFLOW_CACHE": f"{scratch}/cache" if job.fresh_cache else str(cache)}
        command = [word.replace("{out}", f"{scratch}/out") for word in job.command]
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        output, errors = process.communicate()
        took = time.perf_counter() - begun
    job.longest = max(job.longest, took)
    job.seconds.setdefault("process", []).append(took)
    if process.returncode:
        job.error = (errors.strip().splitlines() or ["no message"])[-1]
        return
    if job.command[1:3] != ["-m", "benchmarks.tasks"]:
        return
    report = json.loads(output.strip().splitlines()[-1])
    job.peaks.append(report.pop("peak_mb"))
    for name, seconds in report.pop("seconds", {}).items():
        job.seconds.setdefault(name, []).append(seconds)
    job.report = report


def measure(found: Mapping[str, Job], *, repeat: int, patience: float, folder: Path) -> None:
    """Run all jobs in turns; progress goes to the standard error."""
    cache = folder / "cache"
    for each in ("first-sweep",), ("write-workload", folder / "S.npz"), ("cold", folder / "S.npz"):
        prepared = Job(task(*each))
        run_job(prepared, cache, folder)
        if prepared.error:
            raise SystemExit(f"{' '.join(map(str, each))}: {prepared.error}")
    run_job(found["run"], cache, folder)  # makes the demo market
    found["run"].seconds.clear()
    for name, job in found.items():
        if name.endswith("cold"):  # peers keep what they compile, too
            run_job(job, cache, folder)
            job.seconds.clear()
    for turn in range(repeat):
        for name, job in found.items():
            if job.error or (turn and (job.once or job.longest > patience)):
                continue
            run_job(job, cache, folder)
            print(
                f"{turn + 1}/{repeat}  {name:22} {job.seconds['process'][-1]:8.2f} s  {job.error}",
                file=sys.stderr,
                flush=True,
            )


def failures(found: Mapping[str, Job]) -> list[str]:
    """Return in words which equity does not agree, which sets failed, and which measurements."""
    wrong = [f"{name}: {job.error}" for name, job in found.items() if job.error]
    for name, job in found.items():
        if job.report.get("failed"):
            wrong.append(f"{name}: {job.report['failed']} sets failed")
        if name.startswith("agreement ") and job.report:
            if not job.report["apart"] <= TOLERANCE:
                wrong.append(f"{name}: {job.report['apart']:.1e} from the oracle, {TOLERANCE:.0e} permitted")
            if job.report["unequal"]:
                wrong.append(f"{name}: {job.report['unequal']} paths are not those of the reference engine")
    return wrong


COLUMNS = {
    "numba": "vectorbt, numba",
    "rust": "vectorbt, rust",
    "pandas": "backtrader, PandasData",
    "arrays": "backtrader, our feeds",
}


def lines(found: Mapping[str, Job], table: Sequence[Row]) -> Iterator[str]:
    """Yield the table and what stands below it, as Markdown."""
    shown = {
        key: title
        for key, title in COLUMNS.items()
        if any(row.peers.get(key, ("",))[0] in found for row in table)
    }
    yield "| task | etflow | required | " + "".join(f"{title} | " for title in shown.values()) + "memory |"
    yield "|---" * (len(shown) + 4) + "|"
    for row in table:
        job = found.get(row.job, Job(()))
        ours = job.median(row.timing)
        if ours is None and not job.error:
            continue
        if ours is None:
            yield f"| {row.title} | failed |" + " |" * (len(shown) + 2)
            continue
        cells = [_ours(ours, row, job), _required(ours, row, job, found)]
        cells += [_peer(ours, row.peers.get(key), found) for key in shown]
        cells.append(f"{job.peak:,.0f} MB" if job.peak else "")
        yield f"| {row.title} | " + " | ".join(cells) + " |"
    yield ""
    yield from _below(found)


def _ours(ours: float, row: Row, job: Job) -> str:
    taken = job.seconds[row.timing]
    each = f", {1000.0 * ours / row.sets:.3g} ms a set" if row.sets > 10 else ""
    spread = f" ({_seconds(min(taken))} to {_seconds(max(taken))})" if len(taken) > 1 else ""
    return f"{_seconds(ours)}{each}{spread}"


def _required(ours: float, row: Row, job: Job, found: Mapping[str, Job]) -> str:
    words = []
    if row.limit is not None:
        words.append(f"{_seconds(row.limit)} {_mark(ours <= row.limit)}")
    for peer, ratio in row.ratios.items():
        keys = ("numba", "rust") if peer == "vectorbt" else ("pandas",)
        others = [_other(row.peers.get(key), found) for key in keys]
        known = [other for other in others if other is not None]
        if known:
            words.append(f"{peer} × {ratio:,.0f} {_mark(min(known) / ours >= ratio)}")
    if row.limit_mb is not None and job.peak is not None:
        words.append(f"{row.limit_mb:.0f} MB {_mark(job.peak < row.limit_mb)}")
    return ", ".join(words)


def _other(peer: tuple[str, str, int] | None, found: Mapping[str, Job]) -> float | None:
    if peer is None or peer[0] not in found:
        return None
    median = found[peer[0]].median(peer[1])
    return None if median is None else median * peer[2]


def _peer(ours: float, peer: tuple[str, str, int] | None, found: Mapping[str, Job]) -> str:
    other = _other(peer, found)
    if other is None or peer is None:
        return ""
    job, timing, times = found[peer[0]], peer[1], peer[2]
    notes = [f"× {other / ours:,.1f}" if other / ours < 100.0 else f"× {other / ours:,.0f}"]
    if times > 1:
        notes.append("from one set")
    elif job.peak:
        notes.append(f"{job.peak:,.0f} MB")
    if len(job.seconds[timing]) == 1 < len(found["run"].seconds["process"]):
        notes.append("once")
    return f"{_seconds(other)} ({', '.join(notes)})"


def _mark(reached: bool) -> str:
    return "✓" if reached else "✗"


def _seconds(seconds: float) -> str:
    if seconds >= 100.0:
        return f"{seconds:,.0f} s"
    if seconds >= 1.0:
        return f"{seconds:.2f} s"
    return f"{1000.0 * seconds:.3g} ms"


def _below(found: Mapping[str, Job]) -> Iterator[str]:
    for name, job in found.items():
        if name.startswith("agreement ") and job.report:
            yield (
                f"- {name}: {job.report['sets']} sets, final equity at most {job.report['apart']:.1e} from "
                f"the oracle; {job.report['paths']} whole paths against the reference engine, "
                f"{job.report['unequal']} not equal to the last bit."
            )
    for name, job in found.items():
        if "apart" in job.report and not name.startswith("agreement "):
            middle, most = job.report["apart"]
            yield f"- {name}: final equity {middle:.1e} from the oracle in the median, {most:.1e} at most."
    for name in ("S, one", "L, one"):
        panel = found[name].median("rules, panel from arrays") if name in found else None
        if panel is not None:
            yield f"- {name[0]}: building the panel from arrays takes {_seconds(panel)}, not in its rows."
    if "study_mb" in found["tune"].report:
        yield f"- The study of `etflow tune` is a file of {found['tune'].report['study_mb']:.0f} MB."


def machine(load: tuple[float, float, float] | None, repeat: int) -> str:
    """Return what it was measured on, in a line."""
    names = []
    for name in VERSIONS:
        try:
            names.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    busy = f", load {load[0]:.1f} before" if load else ""
    return (
        f"{_processor()}, {os.cpu_count()} cores{busy}; Python {platform.python_version()}, "
        f"{', '.join(names)}; medians of {repeat}, in brackets the fastest and the slowest."
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def write_table(text: str) -> None:
    """Replace what stands between the marks of the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{README.name} lacks its marks {BEGIN} and {END}")
    README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure the batch engine beside its peers.")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few sets, to see that all of it works")
    parser.add_argument("--peers", default=",".join(PEERS), help="which, with commas; 'none' for none")
    parser.add_argument("--patience", type=float, default=90.0, help="seconds after which not to run again")
    parser.add_argument("--only", default="", help="measurements whose name has this word")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    options = parser.parse_args(arguments)
    if options.write and (options.quick or options.only):
        parser.error("--write takes the whole table, without --quick and --only")
    peers = [name for name in options.peers.split(",") if name in PEERS]
    if "vectorbt" in peers and not vectorbt_engines():
        print("vectorbt is not installed, and left out: pip install -e '.[bench]'", file=sys.stderr)
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    with tempfile.TemporaryDirectory() as folder:
        found = jobs(peers, quick=options.quick, folder=Path(folder))
        chosen = {name: job for name, job in found.items() if options.only in name or name == "run"}
        measure(chosen, repeat=options.repeat, patience=options.patience, folder=Path(folder))
    text = "\n".join([*lines(found, list(rows(options.quick))), f"- {machine(load, options.repeat)}"])
    print(text)
    if options.json:
        document = {name: vars(job) | {"command": list(job.command[1:])} for name, job in found.items()}
        options.json.write_text(json.dumps(document, indent=1, default=str), encoding="utf-8")
    if options.write:
        write_table(text)
    wrong = failures(found)
    for each in wrong:
        print(f"FAILED  {each}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
