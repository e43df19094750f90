"""How many times as long as something else: ``python -m benchmarks.pairs [--repeat 5] [--base FOLDER]``.

Ours and the other take turns, each in a process of its own, and are timed in CPU seconds of all their
threads; a ratio is the median over the turns. It holds on a busy machine, where the seconds of one run say
little.

The other is a bare loop (``benchmarks.bare``), or with ``--base`` another state of this repository, such as
``git worktree add ../base v1.2``: what an edit is worth. Nothing fails for being slow.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.jobs import ROOT


class Pair(NamedTuple):
    """What is timed beside what: tasks of ``benchmarks.tasks``, and the ratio that is wanted at most.

    ``timing`` is what our task calls it; ``theirs`` is empty for the same task of another state.
    """

    title: str
    ours: tuple[str, ...]
    timing: str
    theirs: tuple[str, ...] = ()
    most: float | None = None
    most_memory: float | None = None


PAIRS = (
    Pair("S, 10,000 sets / bare loop", ("sweep", "S", "10000"), "rules", ("bare", "S", "10000"), 2.0),
    Pair("S, 100 sets / bare loop", ("sweep", "S", "100"), "rules", ("bare", "S", "100"), 3.5),
    Pair("M, 1,000 sets / bare loop", ("sweep", "M", "1000"), "rules", ("bare", "M", "1000"), 2.2, 1.8),
    Pair("S, 10,000 sets / base", ("sweep", "S", "10000"), "rules", (), 0.55),
    Pair("M, 1,000 sets / base", ("sweep", "M", "1000"), "rules"),
    Pair("S, one set / base", ("single", "S"), "rules, warm"),
    Pair("L, one set, nothing computed / base", ("single", "L"), "rules, first"),
)


def measured(words: Sequence[str], folder: Path) -> tuple[dict[str, float], float]:
    """Run a task in a checkout; return CPU seconds by name, and the peak of memory."""
    command = [sys.executable, "-m", "benchmarks.tasks", "--cpu", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.strip().splitlines()[-1])
    return report["seconds"], report["peak_mb"]


def compare(pair: Pair, base: Path, repeat: int) -> str:
    """Return a line of the table."""
    times: list[tuple[float, float]] = []
    peaks: list[tuple[float, float]] = []
    for _ in range(repeat):
        ours, our_peak = measured(pair.ours, ROOT)
        theirs, their_peak = measured(pair.theirs, ROOT) if pair.theirs else measured(pair.ours, base)
        times.append((ours[pair.timing], theirs["bare" if pair.theirs else pair.timing]))
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
        if options.only in pair.title and (pair.theirs or options.base):
            print(compare(pair, options.base, options.repeat), flush=True)


if __name__ == "__main__":
    main()
