"""Many rotations of the same scores, one account each; compiled, and without a word of Python in between.

1. of each set, the rotation gives orders (``rotate``), and an account follows them (``keep_account``);
2. its equity is measured (``write_metrics``), and kept where there is room for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernel.fills import Terms
from engine.kernel.targets import Rule, rotate
from engine.simulation.account import keep_account
from engine.simulation.entries import Orders, Totals
from engine.simulation.tape import Tape
from engine.sweeps.compiled_metrics import write_metrics
from engine.sweeps.ranking import count_qualified

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Inputs(NamedTuple):
    """What all sets have in common: market, costs, and what is measured against.

    ``listed`` (D, S) and ``benchmark`` (D,) are by session of the run; ``closes`` are rows of the panel.
    """

    tape: Tape
    terms: Terms
    reserve: float
    cash_rate: float
    whole_session: bool
    initial_cash: float
    listed: Bools
    closes: Floats
    benchmark: Floats
    per_year: float


class Rules(NamedTuple):
    """Rotations of N sets, field by field as in ``Rule``; ``schedule`` (N,) says when each decides.

    Schedule j decides on the sessions ``sessions[starts[j]:starts[j + 1]]``, and ``rows`` of the panel.
    """

    top: Integers
    threshold: Floats
    weighting: Integers
    cap: Floats
    hysteresis: Integers
    otherwise: Integers
    schedule: Integers
    starts: Integers
    sessions: Integers
    rows: Integers


def run_sets(
    inputs: Inputs,
    scores: Floats,
    ranking: Integers,
    ranked: Integers,
    floor: float,
    rules: Rules,
    metrics: Floats,
    equity: Floats,
) -> int:
    """Write the metrics of each set into ``metrics`` (N, M), and its path into ``equity`` (N, D) or (0, D).

    ``scores`` (D, S) by session of the run; ``ranking`` (D, depth) the best columns of each, of which
    ``ranked`` (D,) are filled, with scores above ``floor``. Return the number of the first set whose books
    broke, or -1.
    """
    sessions, funds = scores.shape
    depth = ranking.shape[1]
    room = 0
    for each in range(len(rules.starts) - 1):
        room = max(room, (rules.starts[each + 1] - rules.starts[each]) * depth)
    columns = np.empty(room + 1, dtype=np.int64)
    weights = np.empty(room + 1)
    path, no_turns = np.empty(sessions), np.empty((0, 2), dtype=np.int64)
    qualified, threshold = ranked, floor
    for number in range(len(rules.top)):
        if rules.threshold[number] != threshold:
            threshold = rules.threshold[number]
            qualified = np.empty(sessions, dtype=np.int64)
            count_qualified(scores, ranking, ranked, threshold, qualified)
        rule = Rule(
            rules.top[number],
            rules.threshold[number],
            rules.weighting[number],
            rules.cap[number],
            rules.hysteresis[number],
            rules.otherwise[number],
        )
        each = rules.schedule[number]
        begin, end = rules.starts[each], rules.starts[each + 1]
        starts = np.zeros(end - begin + 1, dtype=np.int64)
        before = np.zeros(funds, dtype=np.bool_)
        rotate(
            ranking.reshape(-1),
            depth,
            qualified,
            scores.reshape(-1),
            inputs.listed.reshape(-1),
            inputs.closes.reshape(-1),
            funds,
            rules.sessions[begin:end],
            rules.rows[begin:end],
            rule,
            before,
            columns,
            weights,
            starts,
        )
        orders = Orders(
            rules.sessions[begin:end],
            starts,
            starts[1:] - starts[:-1],
            columns[: starts[-1]],
            weights,
            no_turns,
        )
        totals: Totals = keep_account(
            inputs.tape,
            inputs.terms,
            inputs.reserve,
            inputs.cash_rate,
            inputs.whole_session,
            inputs.initial_cash,
            orders,
            path,
            None,
            None,
        )
        if totals.broken >= 0:
            return number
        write_metrics(path, inputs.initial_cash, inputs.benchmark, inputs.per_year, totals, metrics[number])
        if len(equity) > 0:
            equity[number] = path
    return -1
