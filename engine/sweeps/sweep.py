"""Many parameter sets of a strategy on one panel: a row of metrics each, in a fraction of a millisecond each.

1. ``Sweep`` lays out what all sets have in common once: the benchmark, the costs, and the tape, as far as
   somebody decides on it (``Inputs``);
2. ``Sweep.run`` groups sets by their scores (``engine.sweeps.scores``), and hands all groups but the first to
   threads;
3. a thread computes the scores of a group once, in numpy, and runs all its rotations in machine code that
   holds no lock (``engine.sweeps.accounts``).

Results are in the order of the sets whatever the number of threads, and every account is equal to that of the
reference engine to the last bit. Memory holds one row of metrics a set, and the paths only where asked for.

Metrics that are not in machine code are measured only where they are asked for, by their own functions on the
path of each set, while its thread holds the lock: about as long again as the account itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.errors import EtflowError, UsageError
from data.numeric.arithmetic import round_half_up
from data.numeric.compiled import compiled, frozen, is_kept
from data.numeric.shared import sharing
from data.panel.panel import Panel
from engine.kernel.fills import terms_of
from engine.kernel.schedule import decision_rows
from engine.kernel.stops import Stops, entry_levels, stops_of
from engine.kernel.targets import (
    ROTATION_FIELDS,
    Rule,
    Targets,
    recent_volatility,
    rotate,
    rule_of,
    weigh,
)
from engine.metrics.compute import measured
from engine.metrics.path import Path
from engine.simulation import account
from engine.simulation.alternatives import benchmark_return
from engine.simulation.batch import ACCOUNT_CALLS, orders_of, sleeves_of
from engine.simulation.engines import require_market
from engine.simulation.entries import Orders, Totals, blank_record
from engine.simulation.ledger import InvariantError
from engine.simulation.sleeves import Sleeves, blank_sleeves
from engine.simulation.tape import cells_of, tape_of
from engine.spec import DEFAULT, Conditions
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import ScoreAdapter, adapt
from engine.strategy.protocol import Strategy
from engine.sweeps import accounts, compiled_metrics
from engine.sweeps.accounts import Inputs, Rules
from engine.sweeps.compiled_metrics import COMPILED_METRICS
from engine.sweeps.ranking import count_qualified, rank
from engine.sweeps.rows import Rows, failing
from engine.sweeps.scores import by_own_fields, by_values, traced_scores
from engine.sweeps.stopped import orders_with_stops

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FRACTIONS = ("threshold", "cap")  # the fields of a rule that are no whole numbers
PATHS = 512  # held at a time where they are measured and not asked for

CALLS = (
    compiled_metrics.write_metrics,
    count_qualified,
    rotate,
    weigh,
    recent_volatility,
    round_half_up,
    *ACCOUNT_CALLS,
)


class Kind(NamedTuple):
    """What the shared fields of a rotation come to, which many sets have in common: rule and schedule.

    ``refused`` says why there is no rule to follow; ``apart``: it is not all that decides, there are
    sleeves, stops, or a core.
    """

    rule: Rule | None
    schedule: tuple[int | str, int] = (0, 0)
    refused: str = ""
    apart: bool = False


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
        span = slice(first, last + 1)
        self.panel = panel
        self.first, self.last = first, last
        self.workers = workers or os.cpu_count() or 1
        self.days = panel.days[span]
        self._conditions = conditions
        self._decided = np.zeros(len(self.days), dtype=np.bool_)
        self._kinds: dict[tuple[Any, ...], Kind] = {}
        self._sessions: dict[tuple[int | str, int], Integers] = {}
        self._laying_out = threading.Lock()
        self._inputs = Inputs(
            tape=tape_of(panel, first, last, conditions, np.flatnonzero(self._decided)),
            terms=terms_of(conditions.costs),
            reserve=float(conditions.reserve),
            cash_rate=conditions.costs.cash_rate,
            whole_session=conditions.fill == "vwap",
            initial_cash=float(conditions.cash),
            listed=frozen(panel.known.listed[span]),
            closes=frozen(panel.known.adjusted_close),
            benchmark=frozen(benchmark_return(panel, conditions, first, last)),
            per_year=panel.per_year(first, last),
        )

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
        adapters = [_at_once(adapt(each)) for each in strategies]
        groups = by_own_fields(adapters)
        first, *others = groups
        with sharing(self.panel.known):
            # Alone: what all groups read of the panel would be computed by each thread that starts.
            self._run_group(adapters, first, rows)
            done(len(first))
            self._run_in_threads(adapters, others, rows, done)
        return rows

    def _run_in_threads(
        self,
        strategies: Sequence[AtOnceAdapter],
        groups: Sequence[list[int]],
        rows: Rows,
        done: Callable[[int], None],
    ) -> None:
        with ThreadPoolExecutor(max(min(self.workers, len(groups)), 1), "sweep") as pool:
            tasks = {pool.submit(self._run_group, strategies, places, rows): len(places) for places in groups}
            try:
                for task in as_completed(tasks):
                    task.result()
                    done(tasks[task])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def follow(self, targets: Sequence[Targets]) -> Floats:
        """Return the equity (N, D) of following target weights that were decided elsewhere."""
        return self.followed(targets)[0]

    def followed(self, targets: Sequence[Targets]) -> tuple[Floats, Floats]:
        """Return the equity (N, D) of following target weights, and the mean share of it in funds, (N,)."""
        found = [self._follow(each) for each in targets]
        equity = np.array([each for each, _ in found]).reshape(len(targets), len(self.days))
        return equity, np.array([totals.exposure for _, totals in found], dtype=np.float64)

    def _inputs_for(self, decided: NDArray[np.int64]) -> Inputs:
        """Return the inputs, with a tape on which can be ordered on the sessions ``decided`` at least."""
        with self._laying_out:
            if not self._decided[decided].all():
                self._decided[decided] = True
                sessions = np.flatnonzero(self._decided)
                cells, rules = cells_of(self.panel, self.first, self.last, self._conditions, sessions)
                tape = self._inputs.tape._replace(cells=cells, rules=rules)
                self._inputs = self._inputs._replace(tape=tape)
            return self._inputs

    def _run_group(self, strategies: Sequence[AtOnceAdapter], places: list[int], rows: Rows) -> None:
        scored = {place: each for place in places if isinstance(each := strategies[place], ScoreAdapter)}
        if not scored:
            for place in places:
                with failing([place], rows):
                    self._run_targets(strategies[place], place, rows)
            return
        with failing(places, rows):
            scores, depends_on = self._scores(scored[places[0]])
            for same in by_values(scored, places, depends_on) if depends_on else [places]:
                with failing(same, rows):
                    if same[0] != places[0]:
                        scores, _ = self._scores(scored[same[0]])
                    self._run_scored(scored, same, scores, rows)

    def _run_scored(
        self, strategies: Mapping[int, ScoreAdapter], places: list[int], scores: Floats, rows: Rows
    ) -> None:
        together: list[tuple[int, Kind]] = []
        for place in places:
            kind = self._kind(strategies[place].strategy)
            if kind.apart:
                with failing([place], rows):
                    self._run_targets(strategies[place], place, rows, scores)
            elif kind.refused:
                rows.failures[place] = kind.refused
            else:
                together.append((place, kind))
        size = max(len(together), 1) if rows.names == COMPILED_METRICS else PATHS
        for begin in range(0, len(together), size):
            self._run_rotations(strategies, together[begin : begin + size], scores, rows)

    def _kind(self, strategy: Any) -> Kind:
        """Return the kind of a rotation; that of equal fields is found once."""
        key = tuple([getattr(strategy, name, None) for name in ROTATION_FIELDS])
        try:
            kind = self._kinds.get(key)
        except TypeError:  # a field that is a list or the like
            return self._kind_of(strategy)
        if kind is None:
            kind = self._kinds[key] = self._kind_of(strategy)
        return kind

    def _kind_of(self, strategy: Any) -> Kind:
        if _is_apart(strategy):
            return Kind(None, apart=True)
        try:
            rule = rule_of(strategy, self.panel.symbols)
        except EtflowError as error:
            return Kind(None, refused=str(error))
        return Kind(rule, _schedule(strategy))

    def _scores(self, strategy: ScoreAdapter) -> tuple[Floats, tuple[str, ...]]:
        _ = strategy.rotation  # refuses one that has none
        scores, depends_on = traced_scores(strategy, self.panel)
        self._require_decision(strategy, scores)
        return frozen(scores), depends_on

    def _require_decision(self, strategy: ScoreAdapter, scores: Floats) -> None:
        """Raise DataError unless the strategy can decide on the first session."""
        scored = np.isfinite(scores[self.first]) & self.panel.known.listed[self.first]
        if strategy.warmup > self.first or not scored.any():
            start = self.panel.days[self.first].item()
            strategy.first_session(self.panel, start, self.last, scores)

    def _run_rotations(
        self,
        strategies: Mapping[int, ScoreAdapter],
        sets: Sequence[tuple[int, Kind]],
        scores: Floats,
        rows: Rows,
    ) -> None:
        scores = frozen(scores[self.first : self.last + 1])
        funds = scores.shape[1]
        schedules: dict[tuple[int | str, int], int] = {}
        numbers = [schedules.setdefault(kind.schedule, len(schedules)) for _, kind in sets]
        decided = [self._decisions(each) for each in schedules]
        sessions = np.concatenate(decided)
        fields = np.array([kind.rule for _, kind in sets], dtype=np.float64).T
        top, threshold, weighting, cap, hysteresis, otherwise = (
            each if name in FRACTIONS else each.astype(np.int64)
            for name, each in zip(Rule._fields, np.ascontiguousarray(fields), strict=True)
        )
        arranged = Rules(
            top=top,
            threshold=threshold,
            weighting=weighting,
            cap=cap,
            hysteresis=hysteresis,
            otherwise=otherwise,
            schedule=np.array(numbers, dtype=np.int64),
            starts=np.cumsum([0, *(len(each) for each in decided)], dtype=np.int64),
            sessions=sessions,
            rows=sessions + self.first,
        )
        found = np.empty((len(sets), len(COMPILED_METRICS)))
        walk = len(rows.equity) > 0 or rows.names != COMPILED_METRICS
        walked = np.empty((len(sets) if walk else 0, len(self.days)))
        wanted = np.zeros(len(scores), dtype=np.bool_)
        wanted[sessions] = True
        depth = int(np.where(top > 0, top + hysteresis, funds).max())
        floor = float(threshold.min())
        ranking, ranked = rank(scores, self._inputs.listed, wanted, min(depth, funds), floor)
        broken = compiled(accounts.run_sets, *CALLS)(
            self._inputs_for(sessions), scores, ranking, ranked, floor, arranged, found, walked
        )
        if broken >= 0:
            raise InvariantError(f"cash or shares below zero: {strategies[sets[broken][0]].strategy}")
        chosen = [place for place, _ in sets]
        rows.metrics[chosen, : len(COMPILED_METRICS)] = found
        for place, path in zip(chosen, walked, strict=False):
            self._keep(rows, place, path)

    def _decisions(self, schedule: tuple[int | str, int]) -> Integers:
        """Return the sessions of the run on which a schedule decides, found once."""
        sessions = self._sessions.get(schedule)
        if sessions is None:
            rebalance, phase = schedule
            sessions = decision_rows(rebalance, self.panel.days, self.first, self.last, phase) - self.first
            self._sessions[schedule] = sessions
        return sessions

    def _run_targets(
        self, strategy: AtOnceAdapter, place: int, rows: Rows, values: Floats | None = None
    ) -> None:
        first = self.first
        if values is None:
            start = self.panel.days[self.first].item()
            values = strategy.values_on(self.panel)
            first = strategy.first_session(self.panel, start, self.last, values)
        stops = strategy.stops if isinstance(strategy, ScoreAdapter) else None
        if stops is not None:
            equity, totals = self._walk(*self._stopped(strategy.strategy, stops, values))
        else:
            targets = strategy.decisions(self.panel, first, self.last, values, fill=self._conditions.fill)
            equity, totals = self._follow(targets)
        inputs = self._inputs
        compiled(compiled_metrics.write_metrics)(
            equity,
            inputs.initial_cash,
            inputs.benchmark,
            inputs.per_year,
            totals,
            rows.metrics[place, : len(COMPILED_METRICS)],
        )
        self._keep(rows, place, equity)

    def _keep(self, rows: Rows, place: int, equity: Floats) -> None:
        """Keep a path where paths are wanted, and measure what machine code has not."""
        if len(rows.equity):
            rows.equity[place] = equity
        more = rows.names[len(COMPILED_METRICS) :]
        if more:
            inputs = self._inputs
            path = Path.of_equity(equity, inputs.initial_cash, inputs.benchmark, inputs.per_year, self.days)
            rows.metrics[place, len(COMPILED_METRICS) :] = measured(more, path)

    def _follow(self, targets: Targets) -> tuple[Floats, Totals]:
        orders = orders_of(targets, self.first, self.last)
        inputs = self._inputs_for(orders.sessions)
        return self._walk(orders, sleeves_of(targets, inputs.tape))

    def _stopped(self, rotation: Any, stops: Stops, scores: Floats) -> tuple[Orders, Sleeves]:
        """Return the orders of a rotation with stops; something may be sold in any session."""
        self._inputs_for(np.arange(len(self.days)))
        inputs, funds = self._inputs, len(self.panel.symbols)
        sessions = self._decisions(_schedule(rotation))
        orders = orders_with_stops(
            rotation,
            stops,
            frozen(scores[self.first : self.last + 1]),
            inputs.listed,
            inputs.closes,
            self._entries,
            sessions,
            self.first,
            self.panel.symbols,
        )
        return orders, blank_sleeves(1, funds, 0)

    @cached_property
    def _entries(self) -> Floats:
        return frozen(entry_levels(self.panel.market, self._conditions.fill))

    def _walk(self, orders: Orders, sleeves: Sleeves) -> tuple[Floats, Totals]:
        inputs = self._inputs
        equity = np.empty(len(self.days))
        totals = compiled(account.follow_orders, *ACCOUNT_CALLS)(
            inputs.tape,
            inputs.terms,
            inputs.reserve,
            inputs.cash_rate,
            inputs.whole_session,
            inputs.initial_cash,
            orders,
            equity,
            sleeves,
            blank_record(0, 0, 0, 0),
        )
        if totals.broken >= 0:
            raise InvariantError(f"cash or shares below zero on {self.days[totals.broken]}")
        return equity, totals


def _schedule(strategy: Any) -> tuple[int | str, int]:
    """Return what says on which sessions a rotation decides."""
    return strategy.rebalance, getattr(strategy, "phase", 0)


def _is_apart(strategy: Any) -> bool:
    """Return whether the rule of a rotation is not all that decides: it has sleeves, stops, or a core."""
    tranches, core = getattr(strategy, "tranches", 1), getattr(strategy, "core", "")
    return tranches > 1 or bool(core) or stops_of(strategy) is not None


def _at_once(strategy: Adapter) -> AtOnceAdapter:
    if not isinstance(strategy, AtOnceAdapter):
        raise UsageError(
            f"{strategy.name} decides session by session, and cannot be swept",
            hint="The batch engine runs strategies with `scores` or `target_weights`.",
        )
    return strategy


def must_compile() -> bool:
    """Return whether the first sweep of this process has to wait for the compiler: ten seconds, once."""
    return not is_kept(accounts.run_sets, *CALLS)
