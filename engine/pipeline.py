"""From a spec to a result.

1. ``open_market``: the data are opened, the funds of the run found in them, and checked; an error that the
   spec does not allow ends the run; the panel is made, with what was public when;
2. ``strategy_of``: the strategy is loaded, with what was set;
3. ``execute``: it is run (``engine.simulation.backtest``), and the result given its id.

``engine.commands`` measures results, saves them and draws their pages.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.checks import OF_INDEX, Finding, allowing, blocking, run_checks
from data.checks.reading import frequency_of
from data.errors import DataError
from data.load import choose_symbols, ended_by, load_panel, require_bars
from data.panel.counts import SELDOM
from data.panel.panel import Panel
from data.source import DataSource, open_source, renamed
from data.synthetic import notice_of
from data.words import count
from engine.result import Result
from engine.results.runs import run_id
from engine.simulation.backtest import backtest
from engine.simulation.stale import stale_holdings
from engine.spec import Conditions, Spec, manifest_of
from engine.strategy.adapter import Adapter
from engine.strategy.loader import load_strategy, parameters_of, strategy_class
from engine.strategy.trusted import file_of

Step = Callable[[str], object]
Floats = NDArray[np.float64]

# Parameters by which a strategy that adds up flows is known.
OF_FLOWS = {"valuation", "coverage"}


class Watch:
    """Measures how long each step takes, and tells ``announce`` its name when it begins."""

    def __init__(self, announce: Step = lambda _name: None) -> None:
        self.seconds: dict[str, float] = {}
        self.announce = announce

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Measure the block as the step ``name``."""
        self.announce(name)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 4)


@dataclass(frozen=True)
class OpenMarket:
    """The data of a run, open and checked; several strategies can run on it."""

    panel: Panel
    benchmark: str | None
    findings: tuple[Finding, ...] = ()
    source: DataSource | None = None

    def conditions(self, spec: Spec) -> Conditions:
        """Return the conditions of ``spec`` here, where a benchmark is known even if it names none."""
        return replace(spec.conditions, benchmark=self.benchmark)

    def data_warnings(
        self, strategy: Adapter, first: Any = None, last: Any = None, scores: Floats | None = None
    ) -> tuple[str, ...]:
        """Return what the checks warn of in the data between two days, warm-up included; None: all days.

        Of index levels and weights only those count that funds of the panel track, or the benchmark. Where
        ``strategy`` values flows at a VWAP that is not known, or its window is shorter than the sessions
        between two counts, that comes first; ``scores`` are what it gave, by decision, where that is known.
        """
        begin = self.panel.days[0] if first is None else np.datetime64(first, "D")
        end = self.panel.days[-1] if last is None else np.datetime64(last, "D")
        concerned = {*self.panel.known.tracked, self.benchmark}
        of_flows = (
            *_ends_with_one_market(self.panel, self.source, end),
            *_valued_at_the_close(strategy, self.panel, begin, end),
            *_counted_seldom(strategy, self.panel, begin, end, scores),
        )
        return of_flows + tuple(
            each.told
            for each in self.findings
            if each.severity == "warning"
            and np.datetime64(each.first) <= end
            and np.datetime64(each.last) >= begin
            and (each.table not in OF_INDEX or each.symbol in concerned)
        )


def open_market(spec: Spec, watch: Watch) -> OpenMarket:
    """Return the panel that ``spec`` asks for, once its data have passed their checks.

    Raises UsageError for wrong names, DataError for data that are missing or failed a check.
    """
    with watch("data"):
        source = renamed(open_source(spec.data))
        symbols = choose_symbols(source, spec.symbols, spec.universe)
        require_bars(source, symbols)
    with watch("checks"):
        findings = check_data(spec, source, symbols)
    with watch("panel"):
        benchmark = spec.benchmark or source.default_benchmark
        panel = load_panel(
            source,
            symbols,
            end=spec.end,
            availability=spec.availability,
            lags=spec.lags,
            benchmark=benchmark,
            currency=spec.currency,
        )
    return OpenMarket(panel, benchmark, findings, source)


def strategy_of(spec: Spec, strategies: Mapping[str, type[Any]]) -> Adapter:
    """Return the strategy of ``spec``; where it draws by chance and nothing is set, with the spec's seed."""
    chance = any(each.name == "seed" for each in parameters_of(strategy_class(spec.strategy, strategies)))
    seed = {"seed": spec.seed} if chance else {}
    return load_strategy(spec.strategy, {**seed, **spec.parameters}, strategies)


def execute(spec: Spec, strategy: Adapter, market: OpenMarket) -> Result:
    """Return the result of the run of ``strategy`` that ``spec`` describes, with its id; writes nothing.

    Raises UsageError, DataError or StrategyError for what the user can do something about.
    """
    panel = market.panel
    result = backtest(strategy, panel, market.conditions(spec), _manifest(spec, strategy, market))
    first = panel.days[max(panel.row(result.days[0].item()) - strategy.warmup, 0)]
    said = market.data_warnings(strategy, first, result.days[-1], result.scores)
    warnings = [*map(str, stale_holdings(result, panel)), *said]
    manifest = {"run_id": run_id(result.manifest), **result.manifest, "data_warnings": warnings}
    return replace(result, manifest=manifest)


def run_name(spec: Spec, strategy: Adapter, market: OpenMarket) -> str:
    """Return the id that the run of ``spec`` has, without running it."""
    return run_id(_manifest(spec, strategy, market))


def _ends_with_one_market(panel: Panel, source: DataSource | None, last: np.datetime64) -> tuple[str, ...]:
    """Say that a run over two markets ends with the bars of the one that has none for the next session."""
    found = None if source is None or last < panel.days[-1] else ended_by(source, panel)
    if found is None:
        return ()
    (short, end), (long, later) = found
    return (
        f"bars of {short} end on {end}, and those of {long} on {later}: sessions are those of both, and the "
        f"last one is {panel.days[-1]}. Import what is missing: etflow data update",
    )


def _valued_at_the_close(
    strategy: Adapter, panel: Panel, first: np.datetime64, last: np.datetime64
) -> tuple[str, ...]:
    """Say which flows are valued at the close although the strategy asks for VWAP: no amount is on file."""
    if strategy.fields.get("valuation") != "vwap":
        return ()
    rows = (panel.days >= first) & (panel.days <= last)
    lacking = panel.market.traded[rows] & ~np.isfinite(panel.market.vwap[rows])
    funds = [panel.symbols[column] for column in np.flatnonzero(lacking.any(axis=0))]
    if not funds:
        return ()
    return (
        f"no VWAP: bars of {_named(funds)} have no amount of money, so that their flows are valued at the "
        "close. Import `amount`, or say so: --set valuation=close",
    )


def _counted_seldom(
    strategy: Adapter, panel: Panel, first: np.datetime64, last: np.datetime64, scores: Floats | None
) -> tuple[str, ...]:
    """Say how often units are counted where that is too seldom for the window of a strategy of flows.

    It is one whose ``lookback`` adds up flows and is shorter than the sessions between two counts; of another
    strategy, where no fund had a score on more than a twentieth of its decisions.
    """
    window = strategy.fields.get("lookback") if OF_FLOWS & set(strategy.fields) else None
    unscored = np.zeros(1, dtype=np.bool_)
    if scores is not None:
        unscored = np.asarray(~np.isfinite(scores).any(axis=1))
    silent = int(unscored.sum()) if not unscored.all() else 0
    if window is None and silent <= len(unscored) / 20:
        return ()
    covers = panel.known.flow_sessions("close")[(panel.days >= first) & (panel.days <= last)]
    counted = [column[np.isfinite(column)] for column in covers.T]
    seldom = {
        symbol: each
        for symbol, each in zip(panel.symbols, counted, strict=True)
        if len(each) and np.median(each) >= SELDOM
    }
    if not seldom:
        return ()
    apart = float(np.median(np.concatenate(list(seldom.values()))))
    # A hole is no interval between counts, a month with holidays is.
    needed = int(max(each[each <= 2 * np.median(each)].max() for each in seldom.values()))
    if window is not None and window >= needed:
        return ()
    told = f"seldom: units of {_named(list(seldom))} are counted {frequency_of(apart)}"
    told += f"; no fund had a score on {silent} of {len(unscored)} decisions" if silent else ""
    if window is not None:
        return (f"{told}; a window of {window} is less. Use --set lookback={needed} or more",)
    return (f"{told}. Use windows of {needed} sessions or more, or import daily counts",)


def _named(funds: Sequence[str]) -> str:
    return ", ".join(funds[:3]) + (f" and {len(funds) - 3} more" if len(funds) > 3 else "")


def check_data(spec: Spec, source: DataSource, symbols: Sequence[str]) -> tuple[Finding, ...]:
    """Return what the checks of the data find; DataError names those that failed, and the first error."""
    findings = run_checks(source, symbols, end=spec.end, again=False)
    stopping = blocking(findings, spec.allow)
    if stopping:
        first = stopping[0]
        names = [f"`{name}`" for name in dict.fromkeys(each.check for each in stopping)]
        failed = f"checks {', '.join(names)}; the first" if names[1:] else f"check {names[0]}"
        where = f"{first.table} {first.symbol}, {first.period}"
        more = f" (beside {count(len(stopping) - 1, 'more finding')})" if len(stopping) > 1 else ""
        raise DataError(
            f"the data failed the {failed}: {where}: {first.message}{more}",
            hint=f"{first.hint} See `data check`; or go on with `{allowing(stopping, spec.allow)}`.",
        )
    return findings


def _manifest(spec: Spec, strategy: Adapter, market: OpenMarket) -> dict[str, Any]:
    values = strategy.parameters
    typed = {name: values[name] for name in spec.parameters}
    manifest = manifest_of(spec.with_(parameters=typed), market.panel, strategy)
    manifest |= notice_of(market.panel.synthetic)
    manifest["files"] = hashes_of_files(spec, strategy)
    manifest["allowed"] = [str(finding) for finding in market.findings if finding.severity == "error"]
    return manifest


def hashes_of_files(spec: Spec, strategy: Adapter) -> dict[str, str]:
    """Return hashes of the files besides the data that decide the result, by name.

    Those of the strategy, of its parameters, and the inputs that it declares.
    """
    named = [file_of(spec.strategy), *map(str, spec.parameters.values())]
    files = {
        name: Path(name) for name in named if os.path.isfile(name)
    }  # a long text is none, for `Path` an error
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for name, path in {**files, **strategy.input_files}.items()
    }
