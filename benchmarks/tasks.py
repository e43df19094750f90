"""One measurement, in a process of its own: ``python -m benchmarks.tasks [--cpu] NAME [ARGUMENT ...]``.

Each task makes its data, loads what is compiled, and only then starts the clock. What it prints is JSON:
``seconds`` is by name of what was timed (with ``--cpu`` in CPU seconds of all threads), ``peak_mb`` the peak
of resident memory of this process (none of them has children). Tasks are listed in ``TASKS``;
``benchmarks.batch`` runs them in turns.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.definition import (
    CASH,
    FIRST_DECISION,
    GRID,
    SINGLE,
    THRESHOLD,
    Floats,
    Set,
    oracle,
    parameter_sets,
)
from benchmarks.peer_tasks import Report, backtrader_task, bare_task, numpy_task, rust_task, vectorbt_task
from benchmarks.timing import count_cpu_seconds, peak_megabytes, timed

if TYPE_CHECKING:
    from benchmarks.workload import Workload
    from data.panel.panel import Panel
    from engine.kernel.costs import Costs
    from engine.sweeps.sweep import Sweep
    from strategies.flow_blend import FlowBlend

# Runs of a single set, of which the median is taken.
WARM = 15
# Sessions of the panel on which machine code is loaded.
HEAD = 1_100
FIRST = FIRST_DECISION + 1


def settings() -> dict[str, Costs]:
    """Return the costs that are measured: all market rules on, and those of the workload."""
    from benchmarks.workload import COSTS
    from engine.kernel.costs import Costs

    return {"rules": Costs(), "plain": COSTS}


def strategy(each: Set) -> FlowBlend:
    """Return the strategy of a parameter set."""
    from strategies.flow_blend import FlowBlend

    return FlowBlend(
        z_window=each.z_window,
        lookback=each.lookback,
        margin_weight=each.margin_weight,
        rebalance=each.rebalance,
        top=each.top,
        valuation="close",
        threshold=THRESHOLD,
    )


def sweep_on(panel: Panel, costs: Costs) -> Sweep:
    """Return the batch engine over the sessions of the workload."""
    from engine.spec import Conditions
    from engine.sweeps.sweep import Sweep

    return Sweep(panel, FIRST, len(panel.days) - 1, Conditions(cash=CASH, costs=costs, reserve=0.0))


def load_machine_code(data: Workload) -> None:
    """Run two sets on a panel of the first sessions, so that neither compiler nor loader is measured.

    Of L, these are enough for what is compiled for large panels only.
    """
    from benchmarks.workload import Workload

    values = {each.name: getattr(data, each.name) for each in fields(data)}
    head = {name: value if name == "symbols" else value[:HEAD] for name, value in values.items()}
    panel = Workload(**head).panel()
    for costs in settings().values():
        sweep_on(panel, costs).run([strategy(each) for each in parameter_sets(2)])


def sweep_task(size: str, count: str) -> Report:
    """Parameter sets to metrics, the panel in memory and nothing of it computed yet; by costs."""
    from benchmarks.workload import make_workload

    data, sets = make_workload(size), parameter_sets(int(count))
    load_machine_code(data)
    seconds, failed = {}, 0
    for name, costs in settings().items():
        panel = data.panel()

        def work(panel: Panel = panel, costs: Costs = costs) -> Any:
            return sweep_on(panel, costs).run([strategy(each) for each in sets])

        seconds[name], rows = timed(work)
        failed += sum(failure is not None for failure in rows.failures)
        del panel, rows, work
    return {"seconds": seconds, "failed": failed}


def scale_task(engine: str, funds: str, sessions: str, count: str) -> Report:
    """Run a workload of any size, all market rules: ``sweep``, or ``reference`` on one set again and again.

    Sets of another rhythm would be other work for it: of the first eight three decide on every session.
    """
    from benchmarks.workload import draw_workload
    from engine.kernel.costs import Costs

    data = draw_workload(int(funds), int(sessions))
    sets = parameter_sets(int(count)) if engine == "sweep" else parameter_sets(1) * int(count)
    load_machine_code(data)
    panel = data.panel()
    if engine == "sweep":
        seconds, _ = timed(lambda: sweep_on(panel, Costs()).run([strategy(each) for each in sets]))
    else:
        _reference(panel, strategy(SINGLE), Costs())  # what is kept of the panel is computed
        seconds, _ = timed(lambda: [_reference(panel, strategy(each), Costs()) for each in sets])
    return {"seconds": {engine: seconds}}


def single_task(size: str, again: str = "again") -> Report:
    """One set: from arrays, from a panel of which nothing is computed yet, and again on the same panel.

    Without ``again`` once only, under all rules, so that its peak of memory is that of one run.
    """
    from benchmarks.workload import make_workload

    data = make_workload(size)
    load_machine_code(data)
    seconds = {}
    for name, costs in settings().items() if again else [("rules", settings()["rules"])]:
        seconds[f"{name}, panel from arrays"], panel = timed(data.panel)

        def work(panel: Panel = panel, costs: Costs = costs) -> Any:
            return sweep_on(panel, costs).run([strategy(SINGLE)])

        seconds[f"{name}, first"], _ = timed(work)
        if again:
            seconds[f"{name}, warm"] = statistics.median(timed(work)[0] for _ in range(WARM))
        del panel, work
    return {"seconds": seconds}


def large_grid(count: int) -> dict[str, list[Any]]:
    """Return a grid of ``count`` sets: that of the workload with other weights of the margin."""
    windows, lookbacks, _, every, tops = GRID
    weights = count // (len(windows) * len(lookbacks) * len(every) * len(tops))
    return {
        "z_window": list(windows),
        "lookback": list(lookbacks),
        "margin_weight": [round(-2.5 + 0.05 * step, 2) for step in range(weights)],
        "rebalance": list(every),
        "top": list(tops),
    }


def notebook_task(count: str) -> Report:
    """``sweep`` as a notebook calls it, S, all market rules: a table of so many rows."""
    from benchmarks.workload import make_workload
    from engine.spec import Conditions
    from engine.strategy.adapters import adapt
    from engine.sweeps.grid import sweep_grid

    data = make_workload("S")
    load_machine_code(data)
    panel = data.panel()
    grid = large_grid(int(count))
    conditions = Conditions.of(start=panel.days[FIRST].item(), cash=CASH, reserve=0.0)
    seconds, table = timed(lambda: sweep_grid(adapt(strategy(SINGLE)), panel, grid, conditions))
    return {"seconds": {"rules": seconds}, "rows": len(table), "failed": int(table["failure"].notna().sum())}


def tune_task(count: str) -> Report:
    """Run the loop of ``etflow tune --method grid``, S, all market rules: a study on the disk."""
    from benchmarks.workload import make_workload
    from engine.pipeline import OpenMarket
    from engine.spec import Spec
    from engine.strategy.adapters import adapt
    from engine.strategy.loader import parameters_of
    from engine.tuning.evaluate import Evaluator
    from engine.tuning.objective import Goal
    from engine.tuning.samplers import make_sampler
    from engine.tuning.space import Space
    from engine.tuning.study import Plan, study_header
    from engine.tuning.tune import tune
    from engine.tuning.writer import open_study
    from strategies.flow_blend import FlowBlend

    data = make_workload("S")
    load_machine_code(data)
    panel = data.panel()
    words = [f"{name}={','.join(map(str, values))}" for name, values in large_grid(int(count)).items()]
    given = {"valuation": "close", "threshold": THRESHOLD}
    fixed = adapt(strategy(SINGLE)).parameters
    # As the command has it: parameters that scores do not depend on vary fastest.
    space = Space.from_words(
        words, (), parameters_of(FlowBlend), fixed=fixed, given=tuple(given), fastest=("rebalance", "top")
    )
    spec = Spec(
        "flow_blend",
        given,
        data="workload",
        start=panel.days[FIRST].item(),
        cash=CASH,
        reserve=0.0,
        engine="batch",
    )
    goal = Goal.from_words((), ())
    plan = Plan("grid", None, None)

    def work(out: Path) -> tuple[int, int, int]:
        evaluate = Evaluator(spec, {"flow_blend": FlowBlend}, OpenMarket(panel, None, ()), space)
        header = study_header(spec, space, goal, plan, panel, {})
        with open_study(out, header, resume=False) as study:
            search = make_sampler(plan.method, space, goal, seed=0)
            leaderboard = tune(search, evaluate, study, goal, trials=None)
            return leaderboard.trials, leaderboard.failures, (study.folder / "study.jsonl").stat().st_size

    with tempfile.TemporaryDirectory() as folder:
        seconds, (trials, failed, size) = timed(lambda: work(Path(folder)))
    return {"seconds": {"rules": seconds}, "rows": trials, "failed": failed, "study_mb": size / 1e6}


def first_sweep_task() -> Report:
    """Ten sets on S in a process that has loaded nothing yet: compiled here, or by an earlier process."""
    from benchmarks.workload import make_workload
    from engine.kernel.costs import Costs

    panel = make_workload("S").panel()
    sets = [strategy(each) for each in parameter_sets(10)]
    return {"seconds": {"rules": timed(lambda: sweep_on(panel, Costs()).run(sets))[0]}}


def cold_task(file: str) -> Report:
    """Panel from a file, one run, four metrics; the process is timed from outside."""
    from benchmarks.workload import COSTS, Workload
    from engine.sweeps.compiled_metrics import COMPILED_METRICS

    with np.load(file) as arrays:
        panel = Workload(**{name: _value(name, arrays[name]) for name in arrays.files}).panel()
    rows = sweep_on(panel, COSTS).run([strategy(SINGLE)])
    wanted = ("cum_returns_final", "sharpe_ratio", "max_drawdown", "turnover")
    return {"metrics": [rows.metrics[0, COMPILED_METRICS.index(name)] for name in wanted]}


def write_workload(file: str) -> Report:
    """Write S to a file that ``cold`` tasks read."""
    from benchmarks.workload import make_workload

    data = make_workload("S")
    arrays: dict[str, Any] = {each.name: np.asarray(getattr(data, each.name)) for each in fields(data)}
    np.savez(file, **arrays)
    return {}


def _value(name: str, array: Any) -> Any:
    return tuple(array.tolist()) if name == "symbols" else array


def agreement_task(size: str, count: str, references: str) -> Report:
    """Hold final equity against the oracle, and whole paths against the reference engine, on some sets.

    The oracle knows no market rules, so it is asked with the workload's costs; the other engine with both.
    """
    from benchmarks.workload import make_workload

    data = make_workload(size)
    panel = data.panel()
    sets = [SINGLE] if count == "1" else parameter_sets(int(count))
    strategies = [strategy(each) for each in sets]
    unequal = compared = 0
    apart = 0.0
    for name, costs in settings().items():
        rows = sweep_on(panel, costs).run(strategies, equity=True)
        if any(rows.failures):
            return {"apart": float("inf"), "unequal": len(sets), "sets": len(sets), "paths": 0}
        if name == "plain":
            expected = np.array([oracle(data, each) for each in sets])
            apart = float(np.abs(rows.equity[:, -1] / expected - 1.0).max())
        for place in itertools.islice(range(len(sets)), int(references)):
            path = _reference(panel, strategies[place], costs)
            unequal += not np.array_equal(rows.equity[place], path)
            compared += 1
    return {"apart": apart, "unequal": unequal, "sets": len(sets), "paths": compared}


def _reference(panel: Panel, strategy: FlowBlend, costs: Costs) -> Floats:
    from engine import run

    return run(strategy, panel, start=panel.days[FIRST].item(), cash=CASH, reserve=0.0, costs=costs).equity


TASKS: dict[str, Callable[..., Report]] = {
    "sweep": sweep_task,
    "scale": scale_task,
    "single": single_task,
    "notebook": notebook_task,
    "tune": tune_task,
    "first-sweep": first_sweep_task,
    "cold": cold_task,
    "write-workload": write_workload,
    "bare": bare_task,
    "numpy": numpy_task,
    "vectorbt": vectorbt_task,
    "rust": rust_task,
    "backtrader": backtrader_task,
    "agreement": agreement_task,
}


def main(arguments: Sequence[str]) -> None:
    if arguments[0] == "--cpu":
        count_cpu_seconds()
        arguments = arguments[1:]
    name, *rest = arguments
    report = TASKS[name](*rest)
    print(json.dumps(report | {"peak_mb": peak_megabytes()}))


if __name__ == "__main__":
    main(sys.argv[1:])
