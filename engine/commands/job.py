"""A job: a strategy, its data, open and checked, and the spec that says all of it.

The command line opens one from words (``open_job``), a notebook has its parts already (``job_of``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, partial
from typing import Any

import numpy as np

from data.load import current
from data.panel.panel import Panel
from data.source import DataSource, Renamed, renamed
from engine.pipeline import OpenMarket, Watch, open_market, strategy_of
from engine.spec import Conditions, Spec
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import adapt
from engine.strategy.protocol import Strategy


@dataclass(frozen=True)
class Job:
    """What a command works on.

    ``spec`` says everything that determines it; ``strategy`` and ``market`` are what it names; ``catalogue``
    are the strategies that exist by name, for commands that need another one. ``break_seal``: it may look
    into a hold-out that is shut.
    """

    spec: Spec
    strategy: Adapter
    market: OpenMarket
    catalogue: Mapping[str, type[Any]] = field(default_factory=dict)
    break_seal: bool = False

    @property
    def panel(self) -> Panel:
        """The panel of the market."""
        return self.market.panel

    @property
    def conditions(self) -> Conditions:
        """How it is traded, the benchmark being that of the market."""
        return self.market.conditions(self.spec)

    @property
    def current(self) -> Callable[[str], str]:
        """What tells the symbol that a fund has now by one that it had (``data.load.current``)."""
        source = None if self.market.source is None else renamed(self.market.source)
        return cache(partial(current, source)) if isinstance(source, Renamed) else str

    def data_warnings(self, first: object = None, last: object = None) -> tuple[str, ...]:
        """Return what the checks warn of in the data that decide from day ``first`` to ``last``.

        The sessions of warm-up before ``first`` count too. None: as the spec has it.
        """
        days, begin = self.panel.days, first or self.spec.start
        row = 0 if begin is None else int(np.searchsorted(days, np.datetime64(str(begin), "D")))
        return self.market.data_warnings(
            self.strategy, days[max(min(row, len(days) - 1) - self.strategy.warmup, 0)], last or self.spec.end
        )

    def as_of(self, spec: Spec) -> Job:
        """Return the same job under another spec."""
        return replace(self, spec=spec)


def open_job(
    spec: Spec,
    catalogue: Mapping[str, type[Any]],
    watch: Watch | None = None,
    *,
    break_seal: bool = False,
) -> Job:
    """Return the job of a spec: its strategy made, its data opened and checked.

    Raises StrategyError, UsageError or DataError for what the user can do something about.
    """
    strategy = strategy_of(spec, catalogue)
    return Job(spec, strategy, open_market(spec, watch or Watch()), catalogue, break_seal)


def job_of(
    strategy: Strategy | Adapter,
    panel: Panel,
    conditions: Conditions,
    source: DataSource | None = None,
    *,
    break_seal: bool = False,
) -> Job:
    """Return the job of a strategy object on a panel, which was loaded from ``source``.

    StrategyError for what is no strategy.
    """
    adapter = adapt(strategy)
    settings = {each.name: getattr(conditions, each.name) for each in fields(conditions)}
    spec = Spec(
        adapter.name,
        adapter.stated,
        data=panel.name,
        symbols=panel.symbols,
        **settings,
    )
    market = OpenMarket(panel, conditions.benchmark, source=source)
    return Job(spec, adapter, market, break_seal=break_seal)
