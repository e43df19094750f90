"""Survivorship: what a run gains by choosing among the funds that are still there when it is made.

A list of funds drawn up today leaves out those that were liquidated, merged away or stopped reporting; their
bad ends are then in no backtest (Brown, Goetzmann, Ibbotson and Ross 1992, Review of Financial Studies 5(4)).
The strategy runs twice on the same sessions: on every fund that the data have, each while it is listed, and
on those alone that have not ended by the last session.
"""

from __future__ import annotations

import numpy as np

from data.errors import EtflowError
from data.panel.panel import Panel
from data.scenarios.perturb import columns_of
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
    funds and among ``survivors``; ``basis_points``, how much more a year the survivors earn.
    """
    panel, last = audited.panel, audited.last
    left = np.flatnonzero(panel.market.listed[last] & ~is_over(panel)[last])
    gone = [symbol for column, symbol in enumerate(panel.symbols) if column not in set(left.tolist())]
    details = {"gone": gone}
    if not gone:
        return Opinion(
            NAME,
            None,
            "Every fund of the data is still there at the end. Nothing can be told of "
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
        f"Among all {len(panel.symbols)} funds {100 * yearly[0]:.2f} % a year, among the {len(names)} that "
        f"are left at the end {100 * yearly[1]:.2f} %: {points:+.0f} basis points a year by leaving out "
        f"{', '.join(gone[:SHOWN])}{f' and {len(gone) - SHOWN} more' if len(gone) > SHOWN else ''}.",
        details
        | {
            "annual_return": {"all": float(yearly[0]), "survivors": float(yearly[1])},
            "sharpe_ratio": {"all": float(ratios[0]), "survivors": float(ratios[1])},
            "basis_points": points,
        },
    )


def _run(audited: Audited, panel: Panel, first: int) -> Floats:
    targets = targets_of(audited.strategy, panel, first, audited.last)
    found: Floats = net_returns(panel, [Simulation(targets, audited.conditions)], first, audited.last)[0]
    return found
