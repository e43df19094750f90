"""Write the golden runs again: ``python -m tests.golden.make``. What is expected comes from the oracle alone.

A golden run is a file of target weights and a text of what must come out of them on the demo market: every
fill, every rejection, and the equity of each week's first session. The weights were chosen by hand so that
the planted events of the period happen to what is held (see ``data/demo/plan.py``).
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from data.demo import Demo
from tests.oracle import Action, Bar, Costs, Decision, Fund, Outcome, Scenario, simulate

FOLDER = Path(__file__).parent

# Of equity, where nothing else is said.
RESERVE = 0.0025
# Name of the weights file, end of the run, fill point, costs other than the defaults, reserve.
RUNS = {
    "splits": (date(2021, 12, 31), "open", {}, RESERVE),
    "limits": (date(2024, 10, 18), "vwap", {"cash_rate": 0.02}, RESERVE),
    "closing": (date(2023, 12, 15), "close", {"participation_rate": 0.01, "impact": 0.8}, 0.1),
}


def scenario(name: str) -> Scenario:
    """Return the oracle's view of a golden run."""
    end, fill, costs, reserve = RUNS[name]
    decisions: dict[date, dict[str, float]] = {}
    with (FOLDER / f"{name}.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            decisions.setdefault(date.fromisoformat(row["day"]), {})[row["symbol"]] = float(row["weight"])
    symbols = sorted({symbol for weights in decisions.values() for symbol in weights})
    demo = Demo()
    funds = tuple(_fund(demo, symbol) for symbol in symbols)
    days = tuple(day for day in sorted(each.date() for each in set(demo.read("bars")["day"])) if day <= end)
    return Scenario(
        days=days,
        funds=funds,
        decisions={day: Decision.by_weight(weights) for day, weights in decisions.items()},
        costs=Costs(**costs),
        fill=fill,
        first=min(decisions),
        reserve=reserve,
    )


def _fund(demo: Demo, symbol: str) -> Fund:
    bars = {
        row["day"].date(): Bar(
            *(row[name] for name in ("open", "high", "low", "close", "volume", "amount", "pre_close"))
        )
        for row in demo.read("bars", [symbol]).to_dict("records")
    }
    facts = demo.read("funds", [symbol]).to_dict("records")[0]
    actions = tuple(
        Action(
            row["kind"],
            row["ex_day"].date(),
            row["ratio"],
            row["cash"],
            None if row["pay_day"] != row["pay_day"] else row["pay_day"].date(),
        )
        for row in demo.read("actions", [symbol]).to_dict("records")
    )
    delisted = facts["delisted"]
    return Fund(
        symbol,
        bars,
        {row["day"].date(): row["nav"] for row in demo.read("nav", [symbol]).to_dict("records")},
        actions,
        facts["listed"].date(),
        None if delisted != delisted else delisted.date(),
        facts["price_limit"],
    )


def text_of(outcome: Outcome) -> str:
    """Return what happened as lines that can be read, and compared, one by one."""
    return "\n".join([*_fills(outcome), "", *_rejections(outcome), "", *_equity(outcome)]) + "\n"


def _fills(outcome: Outcome) -> Iterator[str]:
    yield "day        symbol       shares  price        commission  reference"
    for fill in outcome.fills:
        yield (
            f"{fill.day} {fill.symbol} {fill.shares:9d}  {fill.price:<11.9g}  {fill.commission:10.2f}  "
            f"{fill.reference:.3f}"
        )


def _rejections(outcome: Outcome) -> Iterator[str]:
    yield "day        symbol       shares  reason"
    for each in outcome.rejections:
        yield f"{each.day} {each.symbol} {each.shares:9d}  {each.reason}"


def _equity(outcome: Outcome) -> Iterator[str]:
    yield "day        equity            cash              receivable"
    week = math.nan
    for session in outcome.sessions:
        if session.day.isocalendar().week != week:
            week = session.day.isocalendar().week
            yield f"{session.day} {session.equity!r:17} {session.cash!r:17} {session.receivable!r}"


def digest() -> str:
    """Return the digest of all golden texts, which the newest entry of *Results change* must carry."""
    texts = sorted(FOLDER.glob("*.txt"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in texts)).hexdigest()[:12]


if __name__ == "__main__":
    for run in RUNS:
        (FOLDER / f"{run}.txt").write_text(text_of(simulate(scenario(run))), encoding="utf-8")
    print(f"golden runs {digest()}")
