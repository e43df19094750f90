"""The batch engine beside its peers: ``python -m benchmarks.batch [--repeat 5] [--peers ...] [--write]``.

1. ``benchmarks.jobs`` lists the measurements, each a command that runs in a process of its own.
2. ``measure`` runs all of them in turns, ``--repeat`` times over, so that noise falls on all alike. A process
   that took longer than ``--patience`` is not run again.
3. ``benchmarks.table`` makes the table: medians, what is required, how many times slower each peer is.

The exit code is 1 where equity does not agree, or a measurement fails; never for being slow. This process
imports the standard library only, so that its memory is in nobody's peak.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.jobs import ROOT, Job, jobs, rows, rust_engines, task, vectorbt_engines
from benchmarks.table import lines, machine, write_table

PEERS = ("vectorbt", "polars", "akquant", "backtrader")
TOLERANCE = 1e-9


def run_job(job: Job, cache: Path, folder: Path) -> None:
    """Run a job once, and keep what it gave."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        environment = os.environ | {
            "ETFLOW_CACHE": f"{scratch}/cache" if job.fresh_cache else str(cache),
            "ETFLOW_STATE": f"{scratch}/state",  # searches of a benchmark are on nobody's record
        }
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
    lacking = {"polars", "akquant"} & set(peers) - set(rust_engines())
    if lacking:
        print(f"{', '.join(sorted(lacking))}: not installed, and left out", file=sys.stderr)
        peers = [name for name in peers if name not in lacking]
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    with tempfile.TemporaryDirectory() as folder:
        found = jobs(peers, quick=options.quick, folder=Path(folder))
        chosen = {name: job for name, job in found.items() if options.only in name or name == "run"}
        measure(chosen, repeat=options.repeat, patience=options.patience, folder=Path(folder))
    below = f"- {machine(load, options.repeat)} In brackets the fastest and the slowest."
    text = "\n".join([*lines(found, list(rows(options.quick))), below])
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
