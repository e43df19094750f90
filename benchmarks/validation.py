"""How long it takes to doubt: overfitting statistics, an audit, splits.

``python -m benchmarks.validation [--repeat 3]`` prints medians beside what is promised:

1. PBO with 16 blocks, and SPA with 1,000 resamples, on 1,000 trials x 1,250 sessions of noise;
2. the look-ahead audit of a built-in strategy on the demo market;
3. combinatorial purged splits with 10 folds of a grid of 1,000 sets on the demo market, one account a path,
   the returns of all sets included.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from data.demo import Demo
from data.load import load_panel
from engine.audits import Audited, audit
from engine.pipeline import OpenMarket
from engine.simulation.alternatives import benchmark_return
from engine.spec import Spec
from engine.statistics.overfitting import overfitting
from engine.statistics.paths import simple_returns
from engine.statistics.splits import CombinatorialPurged
from engine.statistics.superiority import superiority
from engine.strategy.loader import parameters_of
from engine.sweeps.sweep import Sweep
from engine.tuning.evaluate import Evaluator
from engine.tuning.out_of_sample import combinatorial
from engine.tuning.space import Space
from strategies import STRATEGIES

TRIALS, SESSIONS = 1000, 1250


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    noise = np.random.default_rng(1).normal(0.0003, 0.01, (SESSIONS, TRIALS))
    panel = load_panel(Demo())
    strategy = STRATEGIES["flow_blend"]()
    Sweep(panel, first=100, last=300).run([strategy])  # machine code is loaded, or compiled
    tasks: dict[str, tuple[Callable[[], object], float]] = {
        "PBO, S = 16": (lambda: overfitting(noise, 16), 10.0),
        "SPA, 1,000 resamples": (lambda: superiority(noise, block=5, seed=1, resamples=1000), 20.0),
        "look-ahead audit": (
            lambda: list(audit(Audited(strategy, panel, catalogue=STRATEGIES), only=("look_ahead",))),
            10.0,
        ),
        "CPCV, 10 folds, 1,000 sets": (folds_of_a_grid, 60.0),
    }
    for name, (work, promised) in tasks.items():
        taken = []
        for _ in range(repeat):
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)
        print(f"{name:28} {statistics.median(taken):7.2f} s   promised {promised:3.0f} s")


def folds_of_a_grid() -> object:
    """Return the out-of-sample paths of a grid of 1,000 sets."""
    panel = load_panel(Demo())
    words = ["lookback=2:26", "margin_weight=-1,0,1,2", "top=1:5", "rebalance=5,10"]
    space = Space.from_words(words, [], parameters_of(STRATEGIES["flow_blend"]), fixed={})
    evaluate = Evaluator(Spec("flow_blend"), STRATEGIES, OpenMarket(panel, None, ()), space)
    sets = list(space.sets())
    returns = simple_returns(evaluate.paths(sets), evaluate.conditions.cash).T
    benchmark = benchmark_return(panel, evaluate.conditions, evaluate.first, evaluate.last)
    return combinatorial(evaluate, sets, returns, benchmark, CombinatorialPurged(10, 2, 11, 10))


if __name__ == "__main__":
    main()
