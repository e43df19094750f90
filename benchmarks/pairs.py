"""How many times as long as something else: ``python -m benchmarks.pairs [--repeat 5] [--base FOLDER]``.

Ours and the other take turns, each in a process of its own, and are timed in CPU seconds of all their
threads; a ratio is the median over the turns. It holds on a busy machine, where the seconds of one run say
little.

The other is a bare loop (``benchmarks.bare``), the definition in numpy, another engine, a search without its
verdict, or with ``--base`` another state of this repository, such as ``git worktree add ../base v1.2``: what
an edit is worth. Nothing fails for being slow, and engines that are not installed are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.jobs import ROOT, SEARCHED, rust_engines
from benchmarks.table import machine

PROCESS = "process"


class Pair(NamedTuple):
    """What is timed beside what, and the ratios that are wanted at most.

    ``ours`` and ``theirs`` are words of ``benchmarks.tasks``, or a command of etflow, which begins with its
    name and is timed as a whole; ``timing`` and ``their_timing`` are what they call it. ``theirs`` is empty
    for the same of another state.
    """

    title: str
    ours: tuple[str, ...]
    timing: str
    theirs: tuple[str, ...] = ()
    most: float | None = None
    most_memory: float | None = None
    their_timing: str = "bare"


def search(*words: str, few: bool = False) -> tuple[str, ...]:
    """Return the command of a search on the demo market, of 10,000 sets or of 100."""
    values = {name: ",".join(each.split()[: 2 if few else None]) for name, each in SEARCHED.items()}
    values |= {"lookback": "1,3,5,10,20", "top": "1,2,3,5,8", "rebalance": "5"} if few else {}
    space = [word for name, each in values.items() for word in ("--param", f"{name}={each}")]
    return ("etflow", "tune", "flow_blend", *space, "--no-report", "--quiet", *words)


PAIRS = (
    Pair("S, 10,000 sets / bare loop", ("sweep", "S", "10000"), "rules", ("bare", "S", "10000"), 2.0),
    Pair("S, 100 sets / bare loop", ("sweep", "S", "100"), "rules", ("bare", "S", "100"), 3.5),
    Pair("M, 1,000 sets / bare loop", ("sweep", "M", "1000"), "rules", ("bare", "M", "1000"), 2.2, 1.8),
    Pair(
        "S, one set, nothing computed / polars-backtest",
        ("single", "S"),
        "rules, first",
        ("rust", "polars", "S"),
        1.0,
        their_timing="warm",
    ),
    Pair(
        "S, one set, again / polars-backtest",
        ("single", "S"),
        "rules, warm",
        ("rust", "polars", "S"),
        1.0,
        their_timing="warm",
    ),
    Pair(
        "L, one set, nothing computed / numpy",
        ("single", "L", ""),
        "rules, first",
        ("numpy", "L"),
        0.8,
        their_timing="numpy",
    ),
    Pair(
        "L, one set, nothing computed / polars-backtest",
        ("single", "L", ""),
        "rules, first",
        ("rust", "polars", "L"),
        0.7,
        1.2,
        their_timing="warm",
    ),
    Pair(
        "S, one set, reference engine / akquant",
        ("scale", "reference", "20", "1250", "1"),
        "reference",
        ("rust", "akquant", "S"),
        0.25,
        their_timing="warm",
    ),
    Pair("tune, 10,000 sets / --no-verdict", search(), PROCESS, search("--no-verdict"), 2.0, None, PROCESS),
    Pair(
        "tune, 100 sets / --no-verdict",
        search(few=True),
        PROCESS,
        search("--no-verdict", few=True),
        1.4,
        None,
        PROCESS,
    ),
    Pair("S, 10,000 sets / base", ("sweep", "S", "10000"), "rules", (), 0.55),
    Pair("M, 1,000 sets / base", ("sweep", "M", "1000"), "rules"),
    Pair("S, one set / base", ("single", "S"), "rules, warm"),
    # What former states have: a task of theirs knows no other words.
    Pair("L, one set, nothing computed / base", ("single", "L"), "rules, first"),
)


def measured(words: Sequence[str], folder: Path) -> tuple[dict[str, float], float]:
    """Run a task or a command in a checkout; return CPU seconds by name, and the peak of memory."""
    if words[0] == "etflow":
        return commanded(words[1:], folder)
    command = [sys.executable, "-m", "benchmarks.tasks", "--cpu", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.strip().splitlines()[-1])
    return report["seconds"], report["peak_mb"]


def commanded(words: Sequence[str], folder: Path) -> tuple[dict[str, float], float]:
    """Run a command of etflow, whose results nobody keeps; return its CPU seconds, and the peak of memory."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "run_backtest.py", *words, "--out", f"{scratch}/out"]
        environment = os.environ | {"ETFLOW_STATE": f"{scratch}/state"}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return {PROCESS: used.ru_utime + used.ru_stime}, used.ru_maxrss / 1024.0


def compare(pair: Pair, base: Path, repeat: int) -> str:
    """Return a line of the table."""
    times: list[tuple[float, float]] = []
    peaks: list[tuple[float, float]] = []
    for _ in range(repeat):
        ours, our_peak = measured(pair.ours, ROOT)
        theirs, their_peak = measured(pair.theirs, ROOT) if pair.theirs else measured(pair.ours, base)
        times.append((ours[pair.timing], theirs[pair.their_timing if pair.theirs else pair.timing]))
        peaks.append((our_peak, their_peak))
    cells = [pair.title]
    cells += [f"{statistics.median(each):.4g} s" for each in zip(*times, strict=True)]
    for values, most in ((times, pair.most), (peaks, pair.most_memory)):
        ratio = statistics.median(ours / theirs for ours, theirs in values)
        wanted = "" if most is None else f" (at most {most} {'✓' if ratio <= most else '✗'})"
        cells.append(f"× {ratio:.2f}{wanted}")
    return "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Time ours beside something else, in turns.")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--base", type=Path, metavar="FOLDER", help="another state of this repository")
    parser.add_argument("--only", default="", help="pairs whose title has this")
    options = parser.parse_args(arguments)
    print("| task | ours | theirs | time | memory |\n|---|---|---|---|---|")
    for pair in PAIRS:
        missing = pair.theirs[:1] == ("rust",) and pair.theirs[1] not in rust_engines()
        if options.only in pair.title and (pair.theirs or options.base) and not missing:
            print(compare(pair, options.base, options.repeat), flush=True)
    print(f"\n{machine(None, options.repeat)}")


if __name__ == "__main__":
    main()
