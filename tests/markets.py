"""Random markets through three implementations, from scores on. ``python -m tests.markets --count 10000``.

Each is a small market with a rotation of random scores (``tests/helpers/rotations.py``): halts, limits,
splits, dividends, merges, liquidations, lots and ticks that differ and change, two currencies; every fill
point, costs, reserve, tranches, stops, a core. Four ways lead from its scores to an account, and must agree
to the last bit in every session, fill and rejection: the oracle, whose weights are also held against exact
fractions; the reference engine; the batch engine, in machine code; and a sweep, of which there is equity.

Markets are drawn in lots, each from a seed of its own. One that differs is printed with its lot and ends the
command; ``--seed S --lot L --count N --shrink`` draws it again and makes it as small as it gets, which takes
minutes. Prints what was met. A core does about ten markets a second: no part of continuous integration.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.helpers.rotations import Drawn, equity_in_a_sweep, expected_of, hard_rotations, targets_of
from tests.helpers.scenarios import assert_same, outcome_of
from tests.oracle import Decision, Outcome
from tests.oracle_targets import Stops

LOT = 250
ENGINES = ("reference", "batch")
SETTINGS = settings(
    max_examples=LOT,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def main(count: int, first: int, lot: int, phases: Sequence[Phase]) -> None:
    """Compare ``count`` markets, those of the lots from ``lot`` on."""
    met: Counter[str] = Counter()
    begun = time.monotonic()
    try:
        while met["markets"] < count:
            examples = min(LOT, count - met["markets"])
            try:
                met += lot_of(examples, f"{first} {lot}", phases)
            except AssertionError:
                print(f"differs: --seed {first} --lot {lot} --count {examples}", file=sys.stderr)
                raise
            lot += 1
            print(f"{met['markets']:,} markets, {time.monotonic() - begun:.0f} s", file=sys.stderr)
    finally:  # also where somebody interrupts it
        for name, number in sorted(met.items()):
            print(f"{name:<40}{number:>12,}")


def lot_of(examples: int, drawn_from: str, phases: Sequence[Phase]) -> Counter[str]:
    """Compare so many markets that are drawn from a seed, and return what was met."""
    met: Counter[str] = Counter()

    @seed(drawn_from)
    @settings(SETTINGS, max_examples=examples, phases=phases)
    @given(hard_rotations())
    def compare(drawn: Drawn) -> None:
        met.update(compare_one(drawn))

    compare()
    return met


def compare_one(drawn: Drawn) -> Counter[str]:
    """Hold the implementations against each other, and return what this market has met."""
    if drawn.first is None:
        return Counter({"markets": 1, "markets without a score": 1})
    decisions, expected = expected_of(drawn)
    scenario, targets = replace(drawn.scenario, first=drawn.first), targets_of(drawn, drawn.strategy)
    for engine in ENGINES:
        # Of two ledgers that are the same it suffices to look at one.
        received = outcome_of(scenario, drawn.panel, targets, engine, checked=engine == "reference")
        assert_same(expected, received)
    equity = [session.equity for session in expected.sessions]
    assert equity_in_a_sweep(drawn) == equity, f"a sweep differs from {equity}"
    return Counter({"markets": 1}) + kinds_of(drawn) + events_of(drawn, decisions, expected)


def kinds_of(drawn: Drawn) -> Counter[str]:
    """Return what the market and the rotation are."""
    scenario, rotation = drawn.scenario, drawn.rules
    kinds = {
        "two currencies": bool(scenario.foreign),
        "terms of a fund": any(fund.terms for fund in scenario.funds),
        "more than 15 sessions": len(scenario.days) > 15,
        "a core": bool(rotation.core),
        "tranches": rotation.tranches > 1,
        "a phase": rotation.phase > 0,
        "stops": drawn.stops != Stops(),
        "a reserve": scenario.reserve > 0,
        f"fill at {scenario.fill}": True,
        f"weighting {rotation.weighting}": True,
    }
    return Counter(f"markets with {name}" for name, holds in kinds.items() if holds)


def events_of(drawn: Drawn, decisions: dict[date, Decision], outcome: Outcome) -> Counter[str]:
    """Return what happened to the account, and how often."""
    scenario, fills = drawn.scenario, outcome.fills
    exits = {day for day, each in decisions.items() if each.only is not None}
    met = Counter(
        {
            "sessions": len(outcome.sessions),
            "decisions": len(decisions) - len(exits),
            "sessions with an exit": len(exits),
            "fills": len(fills),
            "fills of an exit": sum(fill.day in exits for fill in fills),
            "fills in another currency": sum(fill.symbol in scenario.foreign for fill in fills),
            "sessions with money to come": sum(session.receivable > 0 for session in outcome.sessions),
            "sessions with interest": sum(session.interest > 0 for session in outcome.sessions),
        }
    )
    met.update(f"refused: {each.reason}" for each in outcome.rejections)
    for fund in scenario.funds:
        for before, after in pairwise(outcome.sessions):
            kinds = [each.kind for each in fund.actions if before.day < each.ex_day <= after.day]
            if fund.delisted is not None and before.day < fund.delisted <= after.day:
                kinds.append("delisting")
            met.update(kinds)
            if before.shares[fund.symbol]:
                met.update(f"{kind}, held" for kind in kinds)
            bar = fund.bars.get(after.day)
            if fund.symbol in after.mark and (bar is None or not bar.volume):
                met["halted"] += 1
                met["halted, held"] += after.shares[fund.symbol] > 0
    return met


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.markets", description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="markets to draw; 1000")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from; 1")
    parser.add_argument("--lot", type=int, default=0, help="lot to begin with; 0")
    parser.add_argument("--shrink", action="store_true", help="make one that differs as small as it gets")
    asked = parser.parse_args()
    phases = [Phase.generate, Phase.shrink] if asked.shrink else [Phase.generate]
    main(asked.count, asked.seed, asked.lot, phases)
