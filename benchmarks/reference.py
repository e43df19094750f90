"""The reference engine against plain backtrader: the same decisions on the same feeds.

``python -m benchmarks.reference`` prints medians of both and their ratio, which is what counts on a noisy
machine. Plain backtrader sends the same target shares to its own broker, with its own commission and slippage
and none of the rules of the market; it fills a little differently, and is no oracle.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

from benchmarks.peer_backtrader import Feed, array_feed, pandas_feed, run
from benchmarks.workload import CASH, COSTS, FIRST_DECISION, make_workload
from data.panel.panel import Panel
from engine.kernel.schedule import decision_rows
from engine.kernel.targets import Targets, target_weights
from engine.simulation.engines import simulate
from engine.spec import Conditions
from strategies.flow_blend import FlowBlend

FIRST = FIRST_DECISION + 1


def plain_backtrader(panel: Panel, targets: Targets, feed: Feed) -> float:
    """Run the targets on backtrader's own broker and return the final value."""
    # Decided before the open of a session: known at the close of the one before, the bar of that number.
    weights = {
        int(row) - FIRST_DECISION: line.tolist()
        for row, line in zip(targets.decisions, targets.weights, strict=True)
    }
    market = panel.market
    bars = {name: getattr(market, name) for name in ("open", "high", "low", "close", "volume")}
    return float(run(SimpleNamespace(days=panel.days, **bars), weights, feed).equity[-1])


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure in turns, so that noise falls on all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    panel = make_workload("S").panel()
    strategy = FlowBlend(
        z_window=60, lookback=5, margin_weight=0.5, valuation="close", threshold=0.5, rebalance=5, top=5
    )
    known = panel.known
    decisions = decision_rows(5, panel.days, FIRST, len(panel.days) - 1)
    targets = target_weights(
        strategy.scores(known), strategy, decisions, known.listed, known.adjusted_close, panel.symbols
    )
    last, conditions = len(panel.days) - 1, Conditions(cash=CASH, costs=COSTS, reserve=0.0)
    tasks: dict[str, Callable[[], object]] = {
        "etflow, reference engine": lambda: simulate(panel, targets, FIRST, last, conditions),
        "backtrader, same feeds": lambda: plain_backtrader(panel, targets, array_feed),
        "backtrader, PandasData": lambda: plain_backtrader(panel, targets, pandas_feed),
    }
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeat):
        for name, work in tasks.items():
            taken[name].append(seconds(work))
    ours = statistics.median(taken["etflow, reference engine"])
    print(f"S: {len(panel.symbols)} funds, {len(panel.days) - FIRST} sessions; median of {repeat}")
    for name, each in taken.items():
        median = statistics.median(each)
        print(f"{name:26} {median:7.3f} s   ours / this {ours / median:5.2f}")


if __name__ == "__main__":
    main()
