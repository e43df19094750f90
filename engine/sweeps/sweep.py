"""Many parameter sets of a strategy on one panel: a row of metrics each, in a fraction of a millisecond each.

1. ``Sweep`` lays out what all sets have in common once: the benchmark, the costs, and the tape, as far as
   somebody decides on it (``engine.sweeps.layout``);
2. ``Sweep.run`` finds the few different rotations of the sets (``engine.sweeps.rotations``), groups the sets
   by their scores (``engine.sweeps.scores``), and hands all groups but the first to threads;
3. a thread computes the scores of a group once, in numpy, and runs all its rotations in machine code that
   holds no lock (``engine.sweeps.accounts``).

Results are in the order of the sets whatever the number of threads, and every account is equal to that of the
reference engine to the last bit. Memory holds one row of metrics a set, and the paths only where asked for.

Metrics that are not in machine code are measured only where they are asked for, by their own functions on the
path of each set, while its thread holds the lock: about as long again as the account itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from data.numeric.compiled import compiled, frozen, is_kept
from data.numeric.shared import sharing
from data.panel.panel import Panel
from engine.kernel.targets import Targets
from engine.metrics.compute import measured
from engine.metrics.path import Path
from engine.simulation.engines import require_market
from engine.simulation.ledger import InvariantError
from engine.simulation.sleeves import blank_sleeves
from engine.spec import DEFAULT, Conditions
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import ScoreAdapter, adapt
from engine.strategy.protocol import Strategy
from engine.sweeps import accounts, compiled_metrics
from engine.sweeps.compiled_metrics import COMPILED_METRICS
from engine.sweeps.follow import follow, follow_orders
from engine.sweeps.layout import Layout
from engine.sweeps.ranking import rank
from engine.sweeps.rotations import Rotations
from engine.sweeps.rows import Rows, failing
from engine.sweeps.scores import by_own_fields, by_values, traced_scores
from engine.sweeps.stopped import orders_with_stops

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PATHS = 512  # held at a time where they are measured and not asked for


class Sets(NamedTuple):
    """The sets of one run: their strategies, the numbers of their rotations if they have any, their rows."""

    adapters: Sequence[AtOnceAdapter]
    numbers: Integers
    rows: Rows


class Sweep:
    """The batch engine on one panel, over the sessions ``first`` to ``last``; may be run many times.

    Of ``conditions`` the days are not looked at: the rows say which they are.
    """

    def __init__(
        self,
        panel: Panel,
        first: int,
        last: int,
        conditions: Conditions = DEFAULT,
        *,
        workers: int | None = None,
    ) -> None:
        require_market(panel, first, last, conditions)
        self.panel = panel
        self.first, self.last = first, last
        self.workers = workers or os.cpu_count() or 1
        self._layout = Layout(panel, first, last, conditions)
        self._rotations = Rotations(self._layout)
        self.days = self._layout.days

    def run(
        self,
        strategies: Sequence[Strategy | Adapter],
        *,
        equity: bool = False,
        also: Sequence[str] = (),
        done: Callable[[int], None] = lambda _sets: None,
    ) -> Rows:
        """Return a row for each of ``strategies``, which are of one class; ``done`` hears of finished sets.

        A strategy that raises, or cannot decide yet on the first session, fails with its reason and leaves
        the others alone. UsageError for a class that decides session by session. ``also`` are metrics of a
        path to measure beside ``COMPILED_METRICS``.
        """
        count = len(strategies)
        names = tuple(dict.fromkeys((*COMPILED_METRICS, *also)))
        rows = Rows(
            names,
            np.full((count, len(names)), np.nan),
            [None] * count,
            np.full((count if equity else 0, len(self.days)), np.nan),
        )
        if not count:
            return rows
        adapters = _at_once(strategies)
        rotates = isinstance(adapters[0], ScoreAdapter)
        numbers = self._rotations.numbers([each.strategy for each in adapters] if rotates else [])
        sets = Sets(adapters, numbers, rows)
        first, *others = by_own_fields(adapters)
        with sharing(self.panel.known, again=len(others) > 0):
            # Alone: what all groups read of the panel would be computed by each thread that starts.
            self._run_group(sets, first)
            done(len(first))
            self._run_in_threads(sets, others, done)
        return rows

    def follow(self, targets: Sequence[Targets]) -> Floats:
        """Return the equity (N, D) of following target weights that were decided elsewhere."""
        return self.followed(targets)[0]

    def followed(self, targets: Sequence[Targets]) -> tuple[Floats, Floats]:
        """Return the equity (N, D) of following target weights, and the mean share of it in funds, (N,)."""
        found = [follow(self._layout, each) for each in targets]
        equity = np.array([each for each, _ in found]).reshape(len(targets), len(self.days))
        return equity, np.array([totals.exposure for _, totals in found], dtype=np.float64)

    def _run_in_threads(self, sets: Sets, groups: Sequence[list[int]], done: Callable[[int], None]) -> None:
        with ThreadPoolExecutor(max(min(self.workers, len(groups)), 1), "sweep") as pool:
            tasks = {pool.submit(self._run_group, sets, places): len(places) for places in groups}
            try:
                for task in as_completed(tasks):
                    task.result()
                    done(tasks[task])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _run_group(self, sets: Sets, places: list[int]) -> None:
        """Run the sets at ``places``, which agree on all fields that are not the rotation's."""
        leader = sets.adapters[places[0]]
        if not isinstance(leader, ScoreAdapter):
            for place in places:
                with failing([place], sets.rows):
                    self._run_alone(sets, place)
            return
        with failing(places, sets.rows):
            scores, depends_on = self._scores(leader)
            for same in by_values(sets.adapters, places, depends_on) if depends_on else [places]:
                with failing(same, sets.rows):
                    if same[0] != places[0]:
                        scores, _ = self._scores(sets.adapters[same[0]])
                    self._run_scored(sets, same, scores)

    def _scores(self, strategy: AtOnceAdapter) -> tuple[Floats, tuple[str, ...]]:
        """Return the scores of a strategy, and which shared fields of a rotation they depend on.

        DataError unless it can decide on the first session.
        """
        assert isinstance(strategy, ScoreAdapter)
        _ = strategy.rotation  # refuses one that has none
        scores, depends_on = traced_scores(strategy, self.panel)
        scored = np.isfinite(scores[self.first]) & self.panel.known.listed[self.first]
        if strategy.warmup > self.first or not scored.any():
            start = self.panel.days[self.first].item()
            strategy.first_session(self.panel, start, self.last, scores)
        return frozen(scores), depends_on

    def _run_scored(self, sets: Sets, places: list[int], scores: Floats) -> None:
        """Run sets that have the same scores, (D, S) by row of the panel."""
        together: dict[bool, list[int]] = {False: [], True: []}  # whether in tranches
        for place, number in zip(places, sets.numbers[places].tolist(), strict=True):
            if self._rotations.refused[number]:
                sets.rows.failures[place] = self._rotations.refused[number]
            elif self._rotations.apart[number]:
                with failing([place], sets.rows):
                    self._run_alone(sets, place, scores)
            else:
                together[self._rotations.rules.rotations["tranches"][number] > 1].append(place)
        for chosen in together.values():
            size = max(len(chosen), 1) if sets.rows.names == COMPILED_METRICS else PATHS
            for begin in range(0, len(chosen), size):
                self._run_together(sets, chosen[begin : begin + size], scores)

    def _run_together(self, sets: Sets, chosen: list[int], scores: Floats) -> None:
        rows, places = sets.rows, np.array(chosen, dtype=np.int64)
        numbers, rules = sets.numbers[places], self._rotations.rules
        scores = frozen(scores[self.first : self.last + 1])
        decided = self._rotations.decided(numbers)
        inputs = self._layout.inputs_for(decided)
        rotations = rules.rotations[numbers]
        depth, floor = int(rotations["reach"].max()), float(rotations["threshold"].min())
        ranking, ranked = rank(scores, inputs.listed, decided, depth, floor)
        most = int(rotations["tranches"].max())
        events = len(inputs.tape.event_session)
        sleeves = blank_sleeves(most, scores.shape[1], events) if most > 1 else None
        walk = len(rows.equity) > 0 or rows.names != COMPILED_METRICS
        walked = np.empty((len(chosen) if walk else 0, len(self.days)))
        broken = compiled(accounts.run_sets, *accounts.CALLS)(
            inputs, scores, ranking, ranked, floor, rules, numbers, places, rows.metrics, walked, sleeves
        )
        if broken >= 0:
            raise InvariantError(f"cash or shares below zero: {sets.adapters[chosen[broken]].strategy}")
        for place, path in zip(chosen, walked, strict=False):
            self._keep(rows, place, path)

    def _run_alone(self, sets: Sets, place: int, scores: Floats | None = None) -> None:
        """Run a set whose rotation is not all that decides, or that has none."""
        strategy, rows = sets.adapters[place], sets.rows
        first, values, inputs = self.first, scores, self._layout.inputs
        if values is None:
            start = self.panel.days[self.first].item()
            values = strategy.values_on(self.panel)
            first = strategy.first_session(self.panel, start, self.last, values)
        stops = strategy.stops if isinstance(strategy, ScoreAdapter) else None
        if stops is not None:
            in_run = frozen(values[self.first : self.last + 1])
            schedule = self._rotations.schedule(sets.numbers[place])
            orders = orders_with_stops(self._layout, strategy.strategy, schedule, stops, in_run)
            equity, totals = follow_orders(self._layout, orders, blank_sleeves(1, len(self.panel.symbols), 0))
        else:
            fill = self._layout.conditions.fill
            targets = strategy.decisions(self.panel, first, self.last, values, fill=fill)
            equity, totals = follow(self._layout, targets)
        compiled(compiled_metrics.write_metrics)(
            equity, inputs.initial_cash, inputs.benchmark, inputs.per_year, totals, rows.metrics[place]
        )
        self._keep(rows, place, equity)

    def _keep(self, rows: Rows, place: int, equity: Floats) -> None:
        """Keep a path where paths are wanted, and measure what machine code has not."""
        if len(rows.equity):
            rows.equity[place] = equity
        more = rows.names[len(COMPILED_METRICS) :]
        if more:
            inputs = self._layout.inputs
            path = Path.of_equity(equity, inputs.initial_cash, inputs.benchmark, inputs.per_year, self.days)
            rows.metrics[place, len(COMPILED_METRICS) :] = measured(more, path)


def _at_once(strategies: Sequence[Strategy | Adapter]) -> Sequence[AtOnceAdapter]:
    """Return the adapters of strategies of one class; UsageError where it decides session by session."""
    first = adapt(strategies[0])
    if not isinstance(first, AtOnceAdapter):
        raise UsageError(
            f"{first.name} decides session by session, and cannot be swept",
            hint="The batch engine runs strategies with `scores` or `target_weights`.",
        )
    kind = type(first)
    return [cast(AtOnceAdapter, each) if isinstance(each, Adapter) else kind(each) for each in strategies]


def must_compile() -> bool:
    """Return whether the first sweep of this process has to wait for the compiler: ten seconds, once."""
    return not is_kept(accounts.run_sets, *accounts.CALLS)
