"""Parameter sets in, outcomes out: what a search asks of the engines.

The batch engine runs whatever gives scores or target weights for all sessions at once; what decides session
by session, or is a strategy of backtrader's own, is run set by set on the reference engine. All sets run
over the same sessions, so that their metrics compare: from ``--start``, or from the first session on which
the sets that need the most history can decide.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import EtflowError
from data.numeric.on_disk import let_go, put_down
from engine.kernel.costs import interest
from engine.metrics import compute_metrics
from engine.metrics.declared import in_group
from engine.pipeline import OpenMarket, strategy_of
from engine.result import Result
from engine.simulation.alternatives import require_benchmark
from engine.simulation.backtest import backtest, last_session
from engine.simulation.tape import nights_before
from engine.spec import Conditions, Spec
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.sweeps.compiled_metrics import COMPILED_METRICS
from engine.sweeps.grid import common_start
from engine.sweeps.sweep import Sweep
from engine.tuning.outcome import Outcome, Parameters
from engine.tuning.phases import OverPhases, phases_of_set
from engine.tuning.space import Space
from engine.tuning.streams import permuted

# So many sets are looked at for the one that needs the most history; beyond, corners and draws.
LOOKED_AT = 4096
DRAWN = 512
# Of paths that are held at a time where sets are run on all of their phases.
MOST_NUMBERS = 4_000_000

Floats = NDArray[np.float64]
Key = tuple[tuple[str, Any], ...]


class Evaluator:
    """Runs parameter sets of one strategy on one market; is called with sets, and can be sent elsewhere.

    ``metrics`` are measured beside those in machine code, which every set has. ``workers``, the threads of
    the batch engine (None: all cores), may be changed until it is first called. With ``phases`` a set is
    run on every phase of its cycle, and what is taken of them is its outcome and its path. The paths of up
    to ``keeps`` sets are kept for whoever asks for them after their outcomes; of more sets, or over phases,
    none is.
    """

    def __init__(
        self,
        spec: Spec,
        strategies: Mapping[str, type[Any]],
        market: OpenMarket,
        space: Space,
        metrics: Sequence[str] = (),
        workers: int | None = None,
        phases: OverPhases | None = None,
    ) -> None:
        self.spec = spec
        self.metrics = tuple(dict.fromkeys((*COMPILED_METRICS, *metrics)))
        self.market = market
        self.conditions = market.conditions(spec)
        require_benchmark(market.panel, self.conditions.benchmark)
        self._base = _first_that_can_be_made(spec, strategies, space)
        self.first, self.last = self._period(space)
        self.workers = workers
        self.phases = phases
        self.keeps = 0
        self._kept: dict[Key, Floats] = {}
        self._engine: Sweep | None = None

    def __call__(self, sets: Sequence[Parameters]) -> list[Outcome]:
        """Return the outcome of each set, in their order; a set that fails says why."""
        metrics, failures = self._run(sets)
        return [
            Outcome(failure=failure) if failure is not None else Outcome(self._named(row))
            for row, failure in zip(metrics, failures, strict=True)
        ]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the engine, which whoever gets this lays out again."""
        return {**self.__dict__, "_engine": None, "_kept": {}, "keeps": 0}

    def paths(self, sets: Sequence[Parameters]) -> NDArray[np.float64]:
        """Return equity at the close of each session, (N, D); NaN for a set that fails.

        A path that was kept is given away, so that nobody holds it twice.
        """
        kept = [self._kept.pop(_key(each), None) for each in sets]
        missing = [place for place, path in enumerate(kept) if path is None]
        if len(missing) == len(sets):
            return self._paths(sets)[1]
        paths = np.empty((len(sets), self.last - self.first + 1))
        for place, path in enumerate(kept):
            if path is not None:
                paths[place] = path
                let_go(path)
        if missing:
            paths[missing] = self._paths([sets[place] for place in missing])[1]
        return paths

    def keep_only(self, sets: Sequence[Parameters]) -> None:
        """Let go of the kept paths of all other sets, of which one holds the memory of all run with it."""
        wanted = {_key(each) for each in sets}
        self._kept = {key: path for key, path in self._kept.items() if key in wanted}

    def _keep(self, sets: Sequence[Parameters], paths: Mapping[int, Floats]) -> None:
        """Keep the paths of ``sets`` by their places, unless they become too many: then drop them all."""
        if len(self._kept) + len(paths) > self.keeps:
            self._kept, self.keeps = {}, 0
        elif self.keeps:
            self._kept |= {_key(sets[place]): path for place, path in paths.items()}

    def own_path(self, parameters: Parameters) -> NDArray[np.float64]:
        """Return the equity of a set as it stands, on its own phase alone, (D,)."""
        if isinstance(self._base, AtOnceAdapter):
            path: Floats = self.engine.run([self.strategy(parameters)], equity=True).equity[0]
            return path
        return self.reference(parameters).equity

    def paths_of(self, strategies: Sequence[Adapter]) -> NDArray[np.float64]:
        """Return the equity (N, D) of strategies of one class; NaN for one that fails.

        Those that need more history than there is before the first session stay in cash until all of them
        can decide; not where sets are run over their phases.
        """
        if not isinstance(self._base, AtOnceAdapter):
            return self._one_by_one(strategies)
        if self.phases is not None:
            paths = np.full((len(strategies), self.last - self.first + 1), np.nan)
            failures: list[str | None] = [None] * len(strategies)
            self._over_phases(self.phases, dict(enumerate(strategies)), failures, paths=paths)
            return paths
        found = self.engine.run(strategies, equity=True).equity
        late = np.flatnonzero(np.isnan(found).all(axis=1)).tolist()
        try:
            first = common_start([strategies[place] for place in late], self.market.panel) if late else 0
        except EtflowError:
            return found
        if self.first < first < self.last:
            later = Sweep(self.market.panel, first, self.last, self.conditions, workers=self.workers)
            rows = later.run([strategies[place] for place in late], equity=True).equity
            found[late, first - self.first :] = rows
            ran = [place for place, row in zip(late, rows, strict=True) if np.isfinite(row).all()]
            found[ran, : first - self.first] = self.conditions.cash
        return found

    def _one_by_one(self, strategies: Sequence[Adapter]) -> NDArray[np.float64]:
        conditions = self._on_reference
        paths = np.full((len(strategies), self.last - self.first + 1), np.nan)
        for place, each in enumerate(strategies):
            try:
                paths[place] = backtest(each, self.market.panel, conditions, {}, checked=False).equity
            except EtflowError:
                continue
        return paths

    @property
    def _on_reference(self) -> Conditions:
        return dataclasses.replace(self.conditions, start=self.day(self.first), engine="reference")

    def reference(self, parameters: Parameters) -> Result:
        """Return the result of one set on the reference engine, over the same sessions."""
        strategy = self.strategy(parameters)
        return backtest(strategy, self.market.panel, self._on_reference, {}, checked=False)

    def strategy(self, parameters: Parameters) -> Adapter:
        """Return the strategy with a set of parameters; EtflowError where there is none such."""
        return self._base.with_parameters(parameters)

    def day(self, row: int) -> Any:
        """Return the day of a row of the panel."""
        return self.market.panel.days[row].item()

    @property
    def per_year(self) -> float:
        """Sessions a year, which annualise whatever all sets ran over."""
        return self.market.panel.per_year(self.first, self.last)

    @property
    def cash_returns(self) -> Floats | None:
        """What idle cash yields in each session, (D,); None where it yields nothing."""
        rate = self.conditions.costs.cash_rate
        if not rate:
            return None
        nights = nights_before(self.market.panel.days[self.first : self.last + 1])
        return np.array([interest(1.0, rate, each) for each in nights.tolist()])

    @property
    def base(self) -> Adapter:
        """The strategy with what is set, or with the first set that makes one."""
        return self._base

    @property
    def default_parameters(self) -> dict[str, Any]:
        """All parameters with what is set, the others as the strategy has them by default."""
        return self._base.parameters

    @property
    def engine(self) -> Sweep:
        """The batch engine, laid out on first use."""
        if self._engine is None:
            self._engine = Sweep(
                self.market.panel, self.first, self.last, self.conditions, workers=self.workers
            )
        return self._engine

    def _run(self, sets: Sequence[Parameters]) -> tuple[NDArray[np.float64], Sequence[str | None]]:
        made, failures = self._made(sets)
        places = list(made)
        metrics = np.full((len(sets), len(self.metrics)), np.nan)
        if self.phases is not None:
            self._over_phases(self.phases, made, failures, metrics=metrics)
            return metrics, failures
        if isinstance(self._base, AtOnceAdapter):
            rows = self.engine.run([*made.values()], equity=self.keeps > 0, also=self.metrics)
            metrics[places] = rows.metrics
            for place, failure in zip(places, rows.failures, strict=True):
                failures[place] = failure
            self._keep(sets, dict(zip(places, put_down(rows.equity), strict=False)))
            return metrics, failures
        for place in places:
            try:
                result = self.reference(sets[place])
            except EtflowError as error:
                failures[place] = str(error)
                continue
            metrics[place] = self._measured(result)
            self._keep(sets, {place: result.equity})
        return metrics, failures

    def _paths(self, sets: Sequence[Parameters]) -> tuple[Sequence[str | None], NDArray[np.float64]]:
        made, failures = self._made(sets)
        places = list(made)
        paths = np.full((len(sets), self.last - self.first + 1), np.nan)
        if self.phases is not None:
            self._over_phases(self.phases, made, failures, paths=paths)
            return failures, paths
        if isinstance(self._base, AtOnceAdapter):
            found = self.engine.run([*made.values()], equity=True).equity
            if len(made) == len(sets):
                return failures, found
            paths[places] = found
            return failures, paths
        for place in places:
            try:
                paths[place] = self.reference(sets[place]).equity
            except EtflowError as error:
                failures[place] = str(error)
        return failures, paths

    def _over_phases(
        self,
        taken: OverPhases,
        made: Mapping[int, Adapter],
        failures: list[str | None],
        *,
        metrics: Floats | None = None,
        paths: Floats | None = None,
    ) -> None:
        """Write what is taken of the phases of each set into its row of ``metrics`` or of ``paths``."""
        waiting: dict[int, list[Adapter]] = {}
        left = list(made)
        for place in left:
            waiting[place] = phases_of_set(made[place])
            numbers = sum(map(len, waiting.values())) * (self.last - self.first + 1)
            if place != left[-1] and (paths is None or numbers < MOST_NUMBERS):
                continue
            # Together, so that sets with the same scores share them.
            flat = [phase for phases in waiting.values() for phase in phases]
            rows = self.engine.run(flat, equity=paths is not None, also=self.metrics)
            begin = 0
            for of_set, phases in waiting.items():
                span = slice(begin, begin + len(phases))
                begin += len(phases)
                failures[of_set] = next((each for each in rows.failures[span] if each is not None), None)
                if failures[of_set] is not None:
                    continue
                found = rows.metrics[span]
                if metrics is not None:
                    metrics[of_set] = taken.metrics(found, rows.names)
                if paths is not None:
                    paths[of_set] = taken.path(rows.equity[span], found, rows.names)
            waiting = {}

    def _made(self, sets: Sequence[Parameters]) -> tuple[dict[int, Adapter], list[str | None]]:
        """Return the strategies by the places of their sets, and by place why there is none."""
        made: dict[int, Adapter] = {}
        failures: list[str | None] = [None] * len(sets)
        for place, parameters in enumerate(sets):
            try:
                made[place] = self.strategy(parameters)
            except EtflowError as error:
                failures[place] = str(error)
        return made, failures

    def _measured(self, result: Result) -> list[float]:
        counts = {each.name: each.function(result) for each in in_group("counts")}
        values = {**compute_metrics(result).values, **counts}
        found = [values[name] for name in self.metrics]
        return [np.nan if value is None else value for value in found]

    def _named(self, row: NDArray[np.float64]) -> dict[str, float | None]:
        pairs = zip(self.metrics, row.tolist(), strict=True)
        return {name: value if value == value else None for name, value in pairs}

    def _period(self, space: Space) -> tuple[int, int]:
        panel = self.market.panel
        last = last_session(panel, self.conditions.end)
        if self.conditions.start is not None:
            return max(1, panel.row(self.conditions.start)), last
        made, _ = self._made(list(_most_demanding(space)))
        return common_start([*made.values()], panel), last


def _key(parameters: Parameters) -> Key:
    return tuple(sorted(parameters.items()))


def _first_that_can_be_made(spec: Spec, strategies: Mapping[str, type[Any]], space: Space) -> Adapter:
    """Return the strategy with what is set; where that makes none, with the first set that does."""
    try:
        return strategy_of(spec, strategies)
    except EtflowError as error:
        for parameters in _most_demanding(space):
            try:
                return strategy_of(spec.with_(parameters={**spec.parameters, **parameters}), strategies)
            except EtflowError:
                continue
        raise error


def _most_demanding(space: Space) -> Iterator[dict[str, Any]]:
    """Yield the sets among which is, as far as can be told, the one that needs the most history."""
    if space.product is not None and space.product <= LOOKED_AT:
        yield from space.sets()
        return
    ends = [
        (each.low, each.high) if each.count is None else (each.value(0), each.value(each.count - 1))
        for each in space.dimensions
    ]
    for corner in itertools.islice(itertools.product(*ends), LOOKED_AT):
        parameters = dict(zip(space.names, corner, strict=True))
        if space.allows(parameters):
            yield parameters
    if space.product is not None:
        drawn = (space.set_at(permuted(index, space.product, 0)) for index in range(DRAWN))
        yield from (parameters for parameters in drawn if space.allows(parameters))
