"""Verdicts on many demo markets, with the planted effect of flows switched off, and at three times its size.

``python -m benchmarks.demo_verdicts [--seeds 100]`` searches the same small grid of ``share_inflow`` on each
market and judges it. Off, a verdict of *supported* is a false alarm; at three times the default, anything
else is a miss. The grid has 36 sets, because five years of history do not suffice for many more (MinBTL).
"""

from __future__ import annotations

import argparse
import collections
import tempfile

from data.demo import Demo
from data.load import load_panel
from engine import tune
from strategies.share_inflow import ShareInflow

PARAMS = ("lookback=2:10", "top=2,4", "rebalance=5,10")
REQUIRED = {0.0: ("unproven or rejected", 95), 3.0: ("supported", 80)}


def verdict(seed: int, effect: float) -> str:
    """Return the word on one market."""
    source = Demo(seed=seed, flow_effect=effect)
    panel = load_panel(source, benchmark=source.default_benchmark)
    with tempfile.TemporaryDirectory() as folder:
        tuned = tune(ShareInflow(), panel, PARAMS, out=folder, seed=seed, benchmark=source.default_benchmark)
    return tuned.report.verdict.word if tuned.report is not None else "none"


def main() -> None:
    """Count the words and hold them against what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    seeds = parser.parse_args().seeds
    for effect, (wanted, share) in REQUIRED.items():
        words = collections.Counter(verdict(seed, effect) for seed in range(seeds))
        good = words["supported"] if effect else words["unproven"] + words["rejected"]
        told = ", ".join(f"{count} {word}" for word, count in words.most_common())
        print(f"flow effect {effect:g}: {told}; {wanted} in {good} of {seeds}, promised {share} of 100")


if __name__ == "__main__":
    main()
