"""Survivorship: what a run gains by choosing among the funds that are still there when it is made.

A list of funds drawn up today leaves out those that were liquidated, merged away or stopped reporting; their
bad ends are then in no backtest (Brown, Goetzmann, Ibbotson and Ross 1992, Review of Financial Studies 5(4)).
The strategy runs twice on the same sessions: on every fund that the data have, each while it is listed, and
on those alone that have not ended by the last session. Of a named universe the listing days on file also tell
which funds it had on a day that the data lack: what these did is in neither run. A fund that is still listed
by them has not ended, although its bars have.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import EtflowError
from data.facts.universe import Fund
from data.panel.panel import Panel
from data.scenarios.perturb import columns_of
from data.words import percent
from engine.audits.audited import (
    Audited,
    Floats,
    Simulation,
    annual_return,
    net_returns,
    sharpe,
    targets_of,
)
from engine.audits.opinion import Opinion
from engine.simulation.stale import is_over

NAME = "survivorship"
BASIS_POINTS = 1e4
SHOWN = 4  # funds that are named in the sentence


def survivorship(audited: Audited) -> Opinion:
    """Return what the strategy earns among all funds of the data, and among those that are left at the end.

    ``details``: ``gone``, the funds that have ended; ``annual_return`` and ``sharpe_ratio`` among ``all``
    funds and among ``survivors``; ``basis_points``, how much more a year the survivors earn. With a named
    universe ``universe``: of its first and last day how many funds were ``listed`` and how many of these are
    ``in_data``, with a bar within ten sessions of that day; ``absent``, those of the whole period without any
    data; ``not_updated``, those whose bars ended while they are listed.
    """
    opinion = _of_data(audited)
    if not audited.members:
        return opinion
    found = _of_universe(audited)
    days = " and ".join(
        f"{each['in_data']} of the {each['listed']} that were listed on {each['day']}"
        for each in (found["first"], found["last"])
    )
    absent = found["absent"]
    lacking = f" {_named(absent)} are not in the data: what they did is in no figure here." if absent else ""
    if found["not_updated"]:
        lacking += f" Bars of {_named(found['not_updated'])} end while the funds are listed."
    return replace(
        opinion,
        sentence=f"{opinion.sentence} Of the universe the data have {days}.{lacking}",
        details={**opinion.details, "universe": found},
    )


def _still_listed(audited: Audited) -> NDArray[np.bool_]:
    """Return which funds are on file as listed on the last day, (S,), whether or not they have bars then.

    False of all without a named universe, whose facts are not asked.
    """
    last, members = audited.panel.days[audited.last].item(), audited.members
    return np.array([each in members and members[each].listed_on(last) for each in audited.panel.symbols])


def _of_universe(audited: Audited) -> dict[str, Any]:
    """Return how many funds the universe had on the first and the last day, and which the data lack."""
    panel, start = audited.panel, audited.conditions.start
    rows = (0 if start is None else panel.row(start), audited.last)
    first, last = (panel.days[row].item() for row in rows)
    members = {symbol: fund for symbol, fund in audited.members.items() if _was_listed(fund, first, last)}
    on = {
        name: {symbol for symbol, fund in members.items() if fund.listed_on(day)}
        for name, day in (("first", first), ("last", last))
    }
    over = is_over(panel)
    there = {
        name: {symbol for column, symbol in enumerate(panel.symbols) if not over[row, column]}
        for name, row in zip(on, rows, strict=True)
    }
    return {
        name: {"day": str(day), "listed": len(on[name]), "in_data": len(on[name] & there[name])}
        for name, day in (("first", first), ("last", last))
    } | {
        "absent": sorted(set(members) - set(panel.symbols)),
        "not_updated": sorted((on["last"] & set(panel.symbols)) - there["last"]),
    }


def _was_listed(fund: Fund, first: date, last: date) -> bool:
    """Return whether a fund is known to have been listed on a day of a period."""
    begin = fund.listed or fund.listed_by
    return begin is not None and begin <= last and (fund.delisted is None or fund.delisted > first)


def _named(symbols: list[str]) -> str:
    more = f" and {len(symbols) - SHOWN} more" if len(symbols) > SHOWN else ""
    return f"{', '.join(symbols[:SHOWN])}{more}"


def _of_data(audited: Audited) -> Opinion:
    """Return the opinion on the funds that the data have."""
    panel, last = audited.panel, audited.last
    over = is_over(panel)[last] & ~_still_listed(audited)
    left = np.flatnonzero(panel.market.listed[last] & ~over)
    gone = [symbol for column, symbol in enumerate(panel.symbols) if column not in set(left.tolist())]
    details = {"gone": gone}
    if not gone:
        return Opinion(
            NAME,
            None,
            "No fund of the data ended before the last session. Nothing can be told of "
            "funds that ended before somebody drew up the list.",
            details,
        )
    names = tuple(panel.symbols[column] for column in left)
    if not names:
        return Opinion(NAME, None, f"None of the {len(gone)} funds is left at the end.", details)
    try:
        survivors = columns_of(panel.ingredients, left.astype(np.int64), names).build()
        first = max(audited.first(), audited.first(panel=survivors))
        every, alone = (_run(audited, each, first) for each in (panel, survivors))
    except EtflowError as error:
        return Opinion(
            NAME, None, f"Among the {len(names)} funds that are left it cannot run: {error}", details
        )
    years = audited.per_year(first)
    returns = np.vstack((every, alone))
    yearly, ratios = annual_return(returns, years), sharpe(returns, years)
    points = float(yearly[1] - yearly[0]) * BASIS_POINTS
    return Opinion(
        NAME,
        None,
        f"Among all {len(panel.symbols)} funds {percent(yearly[0])} a year, among the {len(names)} that "
        f"are left at the end {percent(yearly[1])}: {points:+.0f} basis points a year by leaving out "
        f"{_named(gone)}.",
        details
        | {
            "annual_return": {"all": float(yearly[0]), "survivors": float(yearly[1])},
            "sharpe_ratio": {"all": float(ratios[0]), "survivors": float(ratios[1])},
            "basis_points": points,
        },
    )


def _run(audited: Audited, panel: Panel, first: int) -> Floats:
    targets = targets_of(audited.strategy, panel, first, audited.last, fill=audited.conditions.fill)
    found: Floats = net_returns(panel, [Simulation(targets, audited.conditions)], first, audited.last)[0]
    return found
