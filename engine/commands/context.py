"""What the page of a run says beside its numbers: names of funds, splits, halts, the verdict it came from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from data.facts.universe import Fund, funds_of
from data.source import Renamed, renamed
from engine.commands.job import Job
from engine.commands.looks import body_of_panel, record_of
from engine.pipeline import OpenMarket
from engine.record.lines import Judgement
from engine.result import Context, Result
from engine.results.curves import OTHER
from engine.strategy.adapter import AtOnceAdapter
from engine.tuning.families import family_of
from engine.tuning.on_record import key_of_set

DIGITS = 10


def with_context(job: Job, result: Result) -> dict[str, Any]:
    """Return the fields of a result of ``job`` that only its page needs, by name, without a verdict."""
    from engine.counterfactuals.luck import luck_of
    from engine.counterfactuals.phase_band import phase_band
    from engine.counterfactuals.rules import decisions_followed, rejection_costs

    panel, strategy, conditions = job.panel, job.strategy, job.conditions
    first, last = panel.row(result.days[0].item()), panel.row(result.days[-1].item())
    values = strategy.values_on(panel) if isinstance(strategy, AtOnceAdapter) else None
    targets = decisions_followed(strategy, panel, result, values, fill=conditions.fill)
    funds = _funds(job.market, result.symbols)
    luck = luck_of(result, panel, conditions)
    context = Context(
        names={symbol: fund.name for symbol, fund in funds.items() if fund.name},
        families={symbol: fund.family for symbol, fund in funds.items() if fund.family},
        splits=_splits(job, result),
        halts=_halts(job, result),
        renames=_renames(job.market, result),
        themes=_themes(job, funds),
        rejection_costs=rejection_costs(result, targets, panel, conditions),
        luck_beaten=None if luck is None else luck.beaten,
    )
    return {
        "phase_band": phase_band(strategy, panel, first, last, conditions, values),
        "luck_band": None if luck is None else luck.band,
        "context": context,
    }


def with_verdict(beside: Mapping[str, Any], job: Job, result: Result) -> dict[str, Any]:
    """Return the fields of :func:`with_context` with the word that is on record by now."""
    judged, judged_by = _judged(job, result)
    return {**beside, "context": replace(beside["context"], judged=judged, judged_by=judged_by)}


def names_of(market: OpenMarket, symbols: Sequence[str]) -> dict[str, str]:
    """Return the names of funds by symbol; one without a name is absent."""
    return {symbol: fund.name for symbol, fund in _funds(market, symbols).items() if fund.name}


def _funds(market: OpenMarket, symbols: Sequence[str]) -> dict[str, Fund]:
    source = market.source
    return funds_of(symbols, source.read("funds", symbols) if source else None)


def _splits(job: Job, result: Result) -> tuple[tuple[str, str, float], ...]:
    panel = job.panel
    first, last = panel.row(result.days[0].item()), panel.row(result.days[-1].item())
    return tuple(
        sorted(
            (str(panel.days[event.row]), panel.symbols[event.column], round(event.ratio, DIGITS))
            for event in panel.market.events
            if event.kind == "split" and first <= event.row <= last
        )
    )


def _renames(market: OpenMarket, result: Result) -> tuple[tuple[str, str, str], ...]:
    """Return the funds of the run that got their symbol during it: from which day on, and the one before."""
    source = None if market.source is None else renamed(market.source)
    if not isinstance(source, Renamed):
        return ()
    first, last = result.days[0].item(), result.days[-1].item()
    return tuple(
        (str(day), symbol, former)
        for day, symbol, former in source.renames
        if symbol in result.symbols and first < day <= last
    )


def _halts(job: Job, result: Result) -> tuple[tuple[str, str, str], ...]:
    """Return the spells of sessions on which a fund was listed, had a price, and did not trade."""
    panel = job.panel
    begin, end = panel.row(result.days[0].item()), panel.row(result.days[-1].item()) + 1
    market = panel.market
    halted = (market.tradable & ~market.traded)[begin:end]
    found = []
    for column, symbol in enumerate(panel.symbols):
        edges = np.flatnonzero(np.diff(halted[:, column], prepend=False, append=False))
        found += [
            (str(result.days[first]), str(result.days[after - 1]), symbol)
            for first, after in zip(edges[::2], edges[1::2], strict=True)
        ]
    return tuple(sorted(found))


def _themes(job: Job, funds: Mapping[str, Fund]) -> dict[str, tuple[tuple[str, dict[str, float]], ...]]:
    """Return the themes of funds whose index has dated weights, each file from when it could be known."""
    panel = job.panel
    found = {}
    for symbol, fund in funds.items():
        files = []
        for each in panel.known.index_weights(fund.index) if fund.index else ():
            whole = math.fsum(each.weights.values())
            if not any(each.themes.values()) or not whole > 0.0:
                continue
            parts: dict[str, list[float]] = {}
            for company, weight in each.weights.items():
                parts.setdefault(each.themes.get(company) or OTHER, []).append(weight)
            shares = {name: round(math.fsum(of) / whole, DIGITS) for name, of in sorted(parts.items())}
            files.append((each.row, str(panel.days[each.row]), shares))
        if files:
            found[symbol] = tuple((day, shares) for _, day, shares in sorted(files, key=lambda one: one[0]))
    return found


def _judged(job: Job, result: Result) -> tuple[str, str]:
    """Return the last word on record of a search that chose this set on these data, and which search."""
    record = record_of(job.market)
    if not record.has(Judgement):
        return "", ""
    family = family_of(job.strategy)
    own = key_of_set("", family.name, job.strategy.parameters)
    found = ("", "")
    for line in record.read(Judgement).of(body_of_panel(job.panel), result.days[0], result.days[-1]):
        if not isinstance(line, Judgement) or not family.has(line):
            continue
        if key_of_set("", family.name, line.parameters) == own:
            found = (line.word, f"study {line.study}, {line.first} to {line.last}")
    return found
