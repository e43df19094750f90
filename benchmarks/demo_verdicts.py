"""Verdicts on many demo markets, with the planted effect of flows switched off, and at three times its size.

``python -m benchmarks.demo_verdicts [--seeds 100] [--first 0] [--searcher NAME] [--effect 0|3]`` lets
searchers look for the best set of ``share_inflow`` on each market, and judges the last search of each. Off,
a verdict of *supported* is a false alarm; at three times the default, anything else is a miss. They try
about 36 sets, because five years of history do not suffice for many more (MinBTL).

- ``grid``: one grid, judged.
- ``two``: a grid in a notebook, then a judged search around its best.
- ``ten``: a coarse grid, then nine rounds around the best so far, by sweeps, single runs and searches that
  are not judged in turn, each of another parameter; the last is judged.
- ``copies``: as ``two``, but what is judged are near-copies of the best alone.
"""

from __future__ import annotations

import argparse
import collections
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from data.demo import Demo
from data.load import load_panel
from data.panel.panel import Panel
from engine import Search, SearchWords, Spec, order_of, run, sweep, tune
from engine.pipeline import OpenMarket
from strategies.share_inflow import ShareInflow

REQUIRED = {0.0: ("unproven or rejected", 95), 3.0: ("supported", 80)}
Set = dict[str, Any]


class Market:
    """A demo market that a searcher looks at, in every way there is; what he looks at is on record."""

    def __init__(self, seed: int, effect: float, out: Path) -> None:
        source = Demo(seed=seed, flow_effect=effect)
        self.seed, self.out, self.benchmark = seed, out, source.default_benchmark
        self.panel: Panel = load_panel(source, benchmark=self.benchmark)

    def sweep(self, fixed: Set, grid: Mapping[str, list[Any]]) -> Set:
        """Return the best set of a grid, by its Sharpe ratio."""
        table = sweep(ShareInflow(**fixed), self.panel, grid, benchmark=self.benchmark)
        return {**fixed, **table.loc[table["sharpe_ratio"].idxmax(), list(grid)].to_dict()}

    def runs(self, fixed: Set, grid: Mapping[str, list[Any]]) -> Set:
        """Return the best of single runs over the values of one parameter."""
        ((name, values),) = grid.items()
        sets = [{**fixed, name: value} for value in values]
        found = [
            run(ShareInflow(**each), self.panel, benchmark=self.benchmark, engine="batch") for each in sets
        ]
        return max(zip(found, sets, strict=True), key=lambda each: each[0].metrics["sharpe_ratio"])[1]

    def search(self, fixed: Set, grid: Mapping[str, list[Any]]) -> Set:
        """Return the best set of a search that is not judged."""
        spec = Spec("ShareInflow", fixed, benchmark=self.benchmark, engine="batch")
        order = order_of(spec, {"ShareInflow": ShareInflow}, SearchWords(_words(grid)))
        found = Search(order, OpenMarket(self.panel, self.benchmark)).run(self.out)
        return {**fixed, **found.best}

    def judged(self, fixed: Set, grid: Mapping[str, list[Any]]) -> str:
        """Return the word on a search."""
        tuned = tune(
            ShareInflow(**fixed),
            self.panel,
            _words(grid),
            out=self.out,
            seed=self.seed,
            benchmark=self.benchmark,
        )
        return tuned.report.verdict.word if tuned.report is not None else "none"


def _words(grid: Mapping[str, list[Any]]) -> list[str]:
    return [f"{name}={','.join(map(str, values))}" for name, values in grid.items()]


def grid(market: Market) -> str:
    """Judge one grid of 36 sets."""
    return market.judged({}, {"lookback": [*range(2, 11)], "top": [2, 4], "rebalance": [5, 10]})


def two(market: Market) -> str:
    """Look at a grid of 24 sets, and judge ten around the best."""
    best = market.sweep({}, {"lookback": [2, 3, 4, 6, 8, 10, 15, 20], "top": [2, 3, 4]})
    near = [max(best["lookback"] + step, 1) for step in (-1, 0, 1, 2)]
    return market.judged({"top": best["top"]}, {"lookback": [*dict.fromkeys(near)], "rebalance": [5, 7, 10]})


def copies(market: Market) -> str:
    """Look at a grid of 24 sets, and judge three that differ from the best in next to nothing."""
    best = market.sweep({}, {"lookback": [2, 3, 4, 6, 8, 10, 15, 20], "top": [2, 3, 4]})
    return market.judged(best, {"coverage": [0.79, 0.8, 0.81]})


def ten(market: Market) -> str:
    """Look at six sets, then at a few around the best so far nine times."""
    looks: list[Callable[[Set, Mapping[str, list[Any]]], Set]] = [market.sweep, market.runs, market.search]
    best = market.sweep({}, {"lookback": [2, 5, 10, 15, 20, 30]})
    for number, (name, steps) in enumerate(ROUNDS):
        centre = best.get(name, getattr(ShareInflow(), name))
        values = [centre, *(max(centre + step, 1) for step in steps)]
        at = {key: value for key, value in best.items() if key != name}
        best = looks[number % len(looks)](at, {name: [*dict.fromkeys(values)]})
    name, centre = "lookback", best["lookback"]
    at = {key: value for key, value in best.items() if key != name}
    return market.judged(at, {name: [*dict.fromkeys((max(centre - 1, 1), centre, centre + 1))]})


ROUNDS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("top", (-1, 1)),
    ("rebalance", (-2, 2)),
    ("lookback", (-2, 2)),
    ("hysteresis", (1, 2)),
    ("top", (-1, 1)),
    ("rebalance", (-1, 1)),
    ("lookback", (-1, 1)),
    ("hysteresis", (1, 3)),
)
SEARCHERS: Mapping[str, Callable[[Market], str]] = {"grid": grid, "two": two, "ten": ten, "copies": copies}


def verdict(searcher: str, seed: int, effect: float) -> str:
    """Return the word on one market, which nobody has looked at before."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ETFLOW_STATE"] = f"{folder}/state"
        return SEARCHERS[searcher](Market(seed, effect, Path(folder)))


def main() -> None:
    """Count the words and hold them against what is promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--searcher", choices=[*SEARCHERS])
    parser.add_argument("--effect", type=float, choices=[*REQUIRED])
    options = parser.parse_args()
    for effect, (wanted, share) in REQUIRED.items():
        for searcher in SEARCHERS:
            if options.searcher not in (None, searcher) or options.effect not in (None, effect):
                continue
            started = time.perf_counter()
            seeds = range(options.first, options.first + options.seeds)
            words = collections.Counter(verdict(searcher, seed, effect) for seed in seeds)
            good = words["supported"] if effect else words["unproven"] + words["rejected"]
            told = ", ".join(f"{count} {word}" for word, count in words.most_common())
            print(
                f"{searcher}, flow effect {effect:g}: {told}; {wanted} in {good} of {options.seeds}, "
                f"promised {share} of 100 ({time.perf_counter() - started:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
