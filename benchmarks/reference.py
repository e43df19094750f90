"""The reference engine against plain backtrader, and against itself among many funds.

``python -m benchmarks.reference`` prints medians of CPU seconds and their ratios, which are what counts on a
noisy machine. Plain backtrader sends the same target shares to its own broker, with its own commission and
slippage and none of the rules of the market; it fills a little differently, and is no oracle. Among a
thousand funds, the decisions are those on twenty of them, and so is the equity, to the last bit.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from benchmarks.peer_backtrader import Feed, array_feed, pandas_feed, run
from benchmarks.workload import CASH, COSTS, FIRST_DECISION, draw_workload, make_workload
from data.panel.panel import Panel
from engine.kernel.schedule import decision_rows
from engine.kernel.targets import Targets, target_weights
from engine.simulation.engines import simulate
from engine.simulation.ledger import Ledger
from engine.spec import Conditions
from strategies.flow_blend import FlowBlend

FIRST = FIRST_DECISION + 1
# Of so many funds every fiftieth is ever wanted.
MANY, WANTED = 1_000, 50
CONDITIONS = Conditions(cash=CASH, costs=COSTS, reserve=0.0)


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


def decided(panel: Panel) -> Targets:
    """Return what is decided every five sessions of a panel."""
    strategy = FlowBlend(
        z_window=60, lookback=5, margin_weight=0.5, valuation="close", threshold=0.5, rebalance=5, top=5
    )
    known = panel.known
    decisions = decision_rows(5, panel.days, FIRST, len(panel.days) - 1)
    return target_weights(
        strategy.scores(known), strategy, decisions, known.listed, known.adjusted_close, panel.symbols
    )


def widened(targets: Targets, columns: Sequence[int], funds: int) -> Targets:
    """Return targets for so many funds, of which those of ``targets`` are the ``columns``."""
    count = len(targets.decisions)
    weights, scores = np.zeros((count, funds)), np.full((count, funds), np.nan)
    weights[:, columns], scores[:, columns] = targets.weights, targets.scores
    rank = np.full((count, funds), -1, dtype=np.int64)
    rank[:, : len(columns)] = np.array([*columns, -1])[targets.rank]
    return Targets(targets.decisions, weights, rank, scores)


def account(panel: Panel, targets: Targets) -> Ledger:
    """Return what the reference engine makes of targets."""
    return simulate(panel, targets, FIRST, len(panel.days) - 1, CONDITIONS)


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds that ``work`` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(title: str, tasks: Mapping[str, Callable[[], object]], repeat: int) -> None:
    """Measure in turns, so that noise falls on all alike; print medians, and ratios of the first to each."""
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeat):
        for name, work in tasks.items():
            taken[name].append(seconds(work))
    first = next(iter(taken.values()))
    print(f"{title}; medians of {repeat}")
    for name, each in taken.items():
        ratio = statistics.median(ours / other for ours, other in zip(first, each, strict=True))
        print(f"{name:32} {statistics.median(each):7.3f} s   first / this {ratio:5.2f}")


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    panel = make_workload("S").panel()
    targets = decided(panel)
    tasks: dict[str, Callable[[], object]] = {
        "etflow, reference engine": lambda: account(panel, targets),
        "backtrader, same feeds": lambda: plain_backtrader(panel, targets, array_feed),
        "backtrader, PandasData": lambda: plain_backtrader(panel, targets, pandas_feed),
    }
    compare(f"S: {len(panel.symbols)} funds, {len(panel.days) - FIRST} sessions", tasks, repeat)
    wide = draw_workload(MANY, len(panel.days))
    columns = range(0, MANY, WANTED)
    many, few = wide.panel(), wide.of(columns).panel()
    on_few = decided(few)
    on_many = widened(on_few, columns, MANY)
    tasks = {
        f"{MANY:,} funds": lambda: account(many, on_many),
        "those that are wanted alone": lambda: account(few, on_few),
    }
    if not np.array_equal(account(many, on_many).equity, account(few, on_few).equity):
        raise SystemExit("the equity among many funds is not that of the wanted ones alone")
    compare(f"{len(columns)} of {MANY:,} funds are wanted, {len(few.days) - FIRST} sessions", tasks, repeat)


if __name__ == "__main__":
    main()
