"""Write the golden numbers of the strategies again: ``python -m tests.golden.strategies``.

One line a strategy, with its own parameters, on the demo market: what it decided, what came of it, and its
equity at the end of each quarter, to the cent. What is expected comes from the code itself, so that these
say *that* a number changed; whether it is right is told by the oracle's golden runs (``tests.golden.make``)
and by pencil cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from data.demo import Demo
from data.load import load_panel
from engine import run
from strategies import STRATEGIES
from tests.golden.make import FOLDER, digest

FILE = FOLDER / "strategies.txt"
START, END = date(2021, 10, 8), date(2022, 9, 30)


def lines() -> Iterator[str]:
    """Yield the head, then a line for each strategy."""
    panel = load_panel(Demo(), end=END)
    yield "strategy            decisions  fills  rejections  equity at the end of each quarter"
    for name, strategy in STRATEGIES.items():
        if name == "weights":  # decides nothing without a file; those of the golden runs are its own
            continue
        result = run(strategy(), panel, start=START, end=END, engine="batch")
        quarters = (result.days.astype("datetime64[M]").astype(int) // 3).tolist()
        ends = [*np.flatnonzero(np.diff(quarters)).tolist(), len(quarters) - 1]
        equity = "  ".join(f"{result.equity[row]:13.2f}" for row in ends)
        counts = f"{len(result.decision_days):9d}  {len(result.fills):5d}  {len(result.rejections):10d}"
        yield f"{name:18}  {counts}  {equity}"


def text() -> str:
    """Return all of it."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(f"golden runs {digest()}")
