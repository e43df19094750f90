"""The command line as a process, and what its tests give it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import run_backtest

ROOT = Path(run_backtest.__file__).parent
# Three funds and ten months of the demo market.
SMALL = ("--no-report", "--end", "2021-06-30", "--symbols", "157001.SZ,157011.SZ,586011.SH")
RAISING = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Mine:
    top: int = 1
    rebalance: int = 5
    threshold: float | None = None
    weighting: str = "equal"
    cap: float = 1.0
    hysteresis: int = 0
    otherwise: str = "cash"
    warmup: int = 1

    def scores(self, known):
        raise ZeroDivisionError("my own mistake")
"""


def start(*words: object, **options) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "run_backtest.py"), *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", **options
    )


def etflow(*words: object, **options) -> tuple[int, str, str]:
    """Run the command line as a process of its own; returns exit code, standard output, standard error."""
    process = start(*words, **options)
    printed, complained = process.communicate(timeout=120)
    return process.returncode, printed, complained
