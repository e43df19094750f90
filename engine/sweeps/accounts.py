"""Many rotations of the same scores, one account each; compiled, and without a word of Python in between.

1. of each set, the rotation gives orders (``rotate``), beside a core if it has one (``beside_core``), and an
   account follows them (``keep_account``);
2. its equity is measured (``write_metrics``), and kept where there is room for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.numeric.arithmetic import round_half_up
from engine.kernel.core import beside_core
from engine.kernel.targets import Rule, recent_volatility, rotate, weigh
from engine.simulation.account import keep_account
from engine.simulation.batch import ACCOUNT_CALLS
from engine.simulation.entries import Orders, Totals
from engine.simulation.sleeves import Sleeves
from engine.sweeps.compiled_metrics import write_metrics
from engine.sweeps.layout import Inputs
from engine.sweeps.ranking import count_qualified
from engine.sweeps.rotations import NO_CORE, Rules

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# What ``run_sets`` calls, for the compiler.
CALLS = (
    write_metrics,
    count_qualified,
    rotate,
    weigh,
    recent_volatility,
    beside_core,
    round_half_up,
    *ACCOUNT_CALLS,
)


def run_sets(
    inputs: Inputs,
    scores: Floats,
    ranking: Integers,
    ranked: Integers,
    floor: float,
    rules: Rules,
    numbers: Integers,
    places: Integers,
    metrics: Floats,
    equity: Floats,
    sleeves: Sleeves | None,
) -> int:
    """Run N sets: write metrics into their ``places`` (N,) of ``metrics``, paths into ``equity`` (N, D).

    ``numbers`` (N,) are those of their rotations in ``rules``. ``scores`` (D, S) by session of the run;
    ``ranking`` (D, depth) the best columns of each, of which ``ranked`` (D,) are filled, with scores above
    ``floor``. With (0, D) for ``equity``, paths are not kept. ``sleeves`` is room for those of one set, None
    if none is in tranches. Return which set is the first whose books broke, or -1.
    """
    sessions, funds = scores.shape
    depth = ranking.shape[1]
    rotations, cores, core_starts = rules.rotations, rules.cores, rules.core_starts
    most, largest_core = 0, 0
    for schedule in range(len(rules.starts) - 1):
        most = max(most, rules.starts[schedule + 1] - rules.starts[schedule])
    for core in range(len(core_starts) - 1):
        largest_core = max(largest_core, core_starts[core + 1] - core_starts[core])
    columns = np.empty(most * depth + 1, dtype=np.int64)
    weights = np.empty(len(columns))
    all_columns = np.empty(most * (depth + largest_core) + 1, dtype=np.int64)
    all_weights = np.empty(len(all_columns))
    path, no_turns = np.empty(sessions), np.empty((0, 2), dtype=np.int64)
    qualified, threshold = ranked, floor
    for number in range(len(numbers)):
        rotation = rotations[numbers[number]]
        if rotation["threshold"] != threshold:
            threshold = rotation["threshold"]
            qualified = np.empty(sessions, dtype=np.int64)
            count_qualified(scores, ranking, ranked, threshold, qualified)
        rule = Rule(
            rotation["top"],
            rotation["threshold"],
            rotation["weighting"],
            rotation["cap"],
            rotation["hysteresis"],
            rotation["otherwise"],
        )
        schedule, core = rotation["schedule"], rotation["core"]
        begin, end = rules.starts[schedule], rules.starts[schedule + 1]
        starts = np.zeros(end - begin + 1, dtype=np.int64)
        rotate(
            ranking.reshape(-1),
            depth,
            qualified,
            scores.reshape(-1),
            inputs.listed.reshape(-1),
            rules.closes.reshape(-1),
            funds,
            rules.sessions[begin:end],
            rules.rows[begin:end],
            rules.turns[begin:end].reshape(-1),
            rule,
            np.zeros(funds, dtype=np.bool_),
            columns,
            weights,
            starts,
        )
        bought, parts, ends = columns, weights, starts
        if core != NO_CORE:
            bought, parts, ends = all_columns, all_weights, np.zeros(len(starts), dtype=np.int64)
            beside_core(
                cores[core_starts[core] : core_starts[core + 1]],
                rotation["core_weight"],
                rules.there.reshape(-1),
                funds,
                rules.sessions[begin:end],
                columns,
                weights,
                starts,
                np.zeros(funds, dtype=np.bool_),
                np.zeros(funds),
                bought,
                parts,
                ends,
            )
        turns = no_turns if sleeves is None else rules.turns[begin:end]
        orders = Orders(
            rules.sessions[begin:end], ends, ends[1:] - ends[:-1], bought[: ends[-1]], parts, turns
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
            sleeves,
            None,
        )
        if totals.broken >= 0:
            return number
        write_metrics(
            path, inputs.initial_cash, inputs.benchmark, inputs.per_year, totals, metrics[places[number]]
        )
        if len(equity) > 0:
            equity[number] = path
    return -1
