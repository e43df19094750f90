"""How time grows with days, funds and sets: ``python -m benchmarks.scaling [--repeat 3] [--only WORD]``.

A line of the table lets one of them grow and keeps the others. Its slope is that of the logarithms of time
and size, by least squares: 1 is in proportion, less where a part is paid once. Each measurement is a process
of its own, in CPU seconds of all its threads, and all sizes take turns; the slope is of the medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.definition import FIRST_DECISION
from benchmarks.jobs import ROOT, task
from benchmarks.table import machine

MOST = 1.05
# Sessions before the first decision, which no engine walks through.
BEFORE = FIRST_DECISION + 1


class Line(NamedTuple):
    """What grows, and the sizes: funds, sessions and sets of each measurement."""

    engine: str
    grows: str
    sizes: tuple[tuple[int, int, int], ...]

    @property
    def values(self) -> list[int]:
        """The sizes of what grows; days are those of the run."""
        found = [size[("funds", "days", "sets").index(self.grows)] for size in self.sizes]
        return [size - BEFORE for size in found] if self.grows == "days" else found


LINES = (
    Line("sweep", "days", tuple((50, BEFORE + days, 300) for days in (1_250, 2_500, 5_000, 10_000))),
    Line("sweep", "funds", tuple((funds, 1_250, 300) for funds in (50, 100, 200, 400))),
    Line("sweep", "sets", tuple((20, 1_250, sets) for sets in (1_000, 2_500, 5_000, 10_000))),
    Line("reference", "days", tuple((20, BEFORE + days, 3) for days in (1_250, 2_500, 5_000))),
    Line("reference", "funds", tuple((funds, 1_250, 3) for funds in (20, 100, 500))),
    Line("reference", "sets", tuple((20, 1_250, sets) for sets in (2, 4, 8))),
)


def seconds(engine: str, size: tuple[int, int, int]) -> float:
    """Return the CPU seconds of one measurement."""
    command = task("--cpu", "scale", engine, *size)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: float = json.loads(done.stdout.strip().splitlines()[-1])["seconds"][engine]
    return found


def slope(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Return the slope of the logarithm of time on that of size."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def measure(line: Line, repeat: int) -> str:
    """Return a line of the table."""
    taken: list[list[float]] = [[] for _ in line.sizes]
    for _ in range(repeat):
        for times, size in zip(taken, line.sizes, strict=True):
            times.append(seconds(line.engine, size))
    medians = [statistics.median(times) for times in taken]
    found = slope(line.values, medians)
    each = ", ".join(f"{value:,}: {time:.3g} s" for value, time in zip(line.values, medians, strict=True))
    return f"| {line.engine}, {line.grows} | {each} | {found:.2f} | {MOST} {'✓' if found <= MOST else '✗'} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure how time grows with days, funds and sets.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="", help="lines whose title has this, as 'sweep, funds'")
    options = parser.parse_args(arguments)
    print("| engine, what grows | CPU seconds by size | slope | at most |\n|---|---|---|---|")
    for line in LINES:
        if options.only in f"{line.engine}, {line.grows}":
            print(measure(line, options.repeat), flush=True)
    print(f"\n{machine(None, options.repeat)}")


if __name__ == "__main__":
    main(sys.argv[1:])
