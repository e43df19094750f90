"""Looks put on record: whatever measured a strategy on data, by whichever command, counts once it is done.

A look is noted after the measuring and before its result is shown; a search also before its first set, so
that a kill does not hide it. A record that cannot be written does not
stop a command.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from data.panel.panel import Panel
from engine.commands.job import Job
from engine.metrics import Metrics
from engine.pipeline import OpenMarket
from engine.record.body import Body, body_of
from engine.record.lines import Look
from engine.record.record import Record, new_id, now
from engine.record.sets import ParameterSets, ranges
from engine.spec import Spec
from engine.tuning.dimensions import Interval
from engine.tuning.families import family_of
from engine.tuning.inputs import named_files
from engine.tuning.space import Space

MOST_PICKED = 1_000_000
"""Combinations of a grid that are looked through for those that obey its conditions; beyond, all count."""

DIGITS = 8

TOLD = ("sharpe_ratio", "annual_return")
"""Metrics that a look remembers, for people who read the record."""


def record_of(market: OpenMarket) -> Record:
    """Return the record of some data: beside their store, if any, and in the user's state folder."""
    return Record(market.panel.home)


def body_of_panel(panel: Panel) -> Body:
    """Return what the panel's prices are known by; computed once for the same data."""
    return _body(panel.fingerprint, panel.symbols, _Panel(panel))


def note_look(
    command: str,
    job: Job,
    first: object,
    last: object,
    *,
    sets: ParameterSets | None = None,
    best: Mapping[str, float | None] | None = None,
    look: str | None = None,
    planned: int = 0,
    phases: int = 0,
    run: str = "",
    begun: bool = False,
) -> None:
    """Put on record that ``command`` measured the job's strategy from day ``first`` to ``last``.

    ``sets`` are the parameter sets; None: that of the strategy. ``best`` are metrics by name. ``look`` is the
    id under which it was noted before, ``planned`` how many sets are to come, ``phases`` of how many phases
    the result was told, ``run`` which run of a search it is of, ``begun`` that this one begins.
    """
    adapter, body = job.strategy, body_of_panel(job.panel)
    sets = ParameterSets.single(adapter.parameters) if sets is None else sets
    family = family_of(adapter, sets)
    path = job.spec.strategy if ".py" in job.spec.strategy else ""
    line = Look(
        look=look or new_id(),
        at=now(),
        command=command,
        strategy=family.name,
        source=family.source,
        path=path,
        body=body.name,
        first=str(first),
        last=str(last),
        sets=sets,
        benchmark=job.market.benchmark or "",
        best={name: value for name in TOLD if (value := (best or {}).get(name)) is not None},
        bases=family.bases,
        shape=family.shape,
        start=str(job.spec.start or ""),
        conditions=conditions_of(job.spec),
        files=named_files(adapter, sets.values),
        planned=planned,
        phases=phases,
        run=run,
        begun=begun,
    )
    record_of(job.market).note(line, body)


def conditions_of(spec: Spec) -> str:
    """Return a hash of what decides returns beside the strategy, the data and the days."""
    costs = spec.costs.to_dict() | {"fx_fee_rate": spec.costs.fx_fee_rate}
    said: list[Any] = [spec.cash, costs, spec.fill, spec.availability, dict(spec.lags)]
    if spec.reserve:  # which came later
        said.append(spec.reserve)
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:DIGITS]


def days_of(job: Job) -> tuple[object, object]:
    """Return the first and the last day that a job is measured on, as far as its conditions say."""
    days = job.panel.days
    return job.spec.start or days[0], min(job.spec.end or days[-1].item(), days[-1].item())


def told(metrics: Metrics) -> dict[str, float | None]:
    """Return the metrics that a look remembers."""
    return {name: metrics[name] for name in TOLD}


def sets_of(space: Space, tried: Iterable[Mapping[str, Any]] | None) -> ParameterSets:
    """Return the sets of a space that were tried; None: all of it, which is written as its axes."""
    if tried is not None:
        return ParameterSets.of(tried, space.fixed)
    axes = {}
    for each in space.dimensions:
        if isinstance(each, Interval):
            raise TypeError(f"{each.name} has no end of values: its space is never tried whole")
        axes[each.name] = tuple(each.value(place) for place in range(each.count))
    every = ParameterSets(space.fixed, axes)
    if not space.conditions or len(every) > MOST_PICKED:
        return every
    picked = [number for number, each in enumerate(every) if space.allows(each)]
    return ParameterSets(space.fixed, axes, ranges(picked))


class _Panel:
    """A panel as an argument that does not count, beside its fingerprint, which says all of it."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Panel)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=8)
def _body(_fingerprint: str, symbols: tuple[str, ...], given: _Panel) -> Body:
    days, closes = given.panel.on_file or (given.panel.days, given.panel.market.local.close)
    return body_of(days, symbols, closes)
