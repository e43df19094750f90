"""The benchmark workload against its own definition, written out as plain loops over days and funds."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.reference import account, decided, widened
from benchmarks.workload import CASH, COSTS, FIRST_DECISION, SIZES, Workload, draw_workload, make_workload
from data.panel.panel import Panel
from engine import run
from strategies.flow_blend import FlowBlend


@pytest.fixture(scope="module")
def workload() -> Workload:
    return make_workload("S")


@pytest.fixture(scope="module")
def panel(workload: Workload) -> Panel:
    return workload.panel()


def zscore(values: list[float]) -> float:
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return (values[-1] - mean) / deviation if deviation > 1e-12 else math.nan


def expected_equity(data: Workload, w: int, k: int, a: float, every: int, top: int) -> list[float]:
    """Sections 2 to 4 of the workload's definition; nothing of the engine is used."""
    units, close, opening, margin = (
        each.tolist() for each in (data.units, data.close, data.open, data.margin)
    )
    sessions, funds = len(units), len(units[0])
    inflow = [[0.0] * funds] + [
        [(units[t][n] - units[t - 1][n]) * close[t][n] for n in range(funds)] for t in range(1, sessions)
    ]

    def ratio(t: int, n: int) -> float:
        return sum(inflow[s][n] for s in range(t - k + 1, t + 1)) / (units[t][n] * close[t][n])

    def growth(t: int, n: int) -> float:
        return margin[t][n] / margin[t - k][n] - 1.0

    def score(t: int, n: int) -> float:
        window = range(t - w + 1, t + 1)
        return zscore([ratio(s, n) for s in window]) + a * zscore([growth(s, n) for s in window])

    cash, held, equity = CASH, [0] * funds, []
    orders: list[tuple[int, int]] = []
    for t in range(FIRST_DECISION, sessions):
        for n, order in orders:
            if order < 0:
                notional = -order * (opening[t][n] * (1 - 0.0005))
                cash += notional - max(5.0, 0.00025 * notional)
                held[n] += order
            else:
                price = opening[t][n] * (1 + 0.0005)
                bought = order
                while bought and cash - bought * price - max(5.0, 0.00025 * bought * price) < 0:
                    bought -= 100
                if bought:
                    cash -= bought * price + max(5.0, 0.00025 * bought * price)
                    held[n] += bought
        value = cash + sum(held[n] * close[t][n] for n in range(funds))
        equity.append(value)
        orders = []
        if (t - FIRST_DECISION) % every == 0 and t <= sessions - 2:
            scores = [score(t, n) for n in range(funds)]
            chosen = sorted((n for n in range(funds) if scores[n] > 0.5), key=lambda n: (-scores[n], n))[:top]
            wanted = {}
            for n in range(funds):
                delta = (1 / top if n in chosen else 0.0) * value / close[t][n] - held[n]
                wanted[n] = int(math.copysign(math.floor(abs(delta) / 100) * 100, delta))
            orders = [(n, wanted[n]) for n in range(funds) if wanted[n] < 0]
            orders += [(n, wanted[n]) for n in chosen if wanted[n] > 0]
    return equity


@pytest.mark.parametrize(
    ("w", "k", "a", "every", "top"),
    [(60, 5, 0.5, 5, 5), (20, 1, -1.0, 20, 1), (120, 20, 2.0, 10, 8), (40, 3, 0.0, 1, 3)],
)
def test_flow_blend_reproduces_the_definition(
    workload: Workload, panel: Panel, w: int, k: int, a: float, every: int, top: int
) -> None:
    strategy = FlowBlend(
        z_window=w, lookback=k, margin_weight=a, valuation="close", threshold=0.5, rebalance=every, top=top
    )
    start = panel.days[FIRST_DECISION + 1].item()
    result = run(strategy, panel, start=start, cash=CASH, reserve=0.0, costs=COSTS)
    expected = expected_equity(workload, w, k, a, every, top)
    assert expected[0] == CASH
    assert result.equity == pytest.approx(np.array(expected[1:]), rel=1e-9)
    assert len(result.fills) > 50


def test_the_workload_is_of_its_size_and_consistent(workload: Workload) -> None:
    assert workload.close.shape == SIZES["S"][::-1]
    assert (workload.low <= np.minimum(workload.open, workload.close)).all()
    assert (workload.high >= np.maximum(workload.open, workload.close)).all()
    assert str(workload.days[0]) == "2015-01-05"


def test_funds_that_nobody_wants_cost_the_reference_engine_nothing() -> None:
    """The same bits, and hardly a call more than on those that are wanted alone."""
    many = draw_workload(120, 400)
    columns = (7, 50, 119)
    wide, alone = many.panel(), many.of(columns).panel()
    targets = decided(alone)
    expected, received = account(alone, targets), account(wide, widened(targets, columns, 120))
    assert len(expected.fills) > 50
    assert received.equity.tolist() == expected.equity.tolist()
    assert received.shares[:, columns].tolist() == expected.shares.tolist()
    assert received.fills.equals(expected.fills)
    assert received.rejections.equals(expected.rejections)
    assert received.targets.weights[:, columns].tolist() == targets.weights.tolist()
    few = calls_of(lambda: account(alone, targets))
    assert calls_of(lambda: account(wide, widened(targets, columns, 120))) < 1.01 * few


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions a piece of work calls: what it costs, whatever the machine."""
    count = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
