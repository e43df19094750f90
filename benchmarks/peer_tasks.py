"""What the peers are timed at, and how far they are from the definition: tasks of ``benchmarks.tasks``."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np

from benchmarks.definition import SINGLE, Floats, oracle, parameter_sets
from benchmarks.timing import timed

Report = dict[str, Any]


def vectorbt_task(size: str, count: str, engine: str) -> Report:
    """Vectorbt on so many sets (of one, SINGLE, the first call and the next are apart)."""
    from benchmarks import peer_vectorbt
    from benchmarks.workload import make_workload

    for sets in ([SINGLE], parameter_sets(2)):
        peer_vectorbt.sweep(make_workload("S"), sets, engine)
    data = make_workload(size)
    sets = [SINGLE] if count == "1" else parameter_sets(int(count))
    seconds, (_, final) = timed(lambda: peer_vectorbt.sweep(data, sets, engine))
    report: Report = {"seconds": {"first": seconds}}
    if len(sets) == 1:
        warm = [timed(lambda: peer_vectorbt.sweep(data, sets, engine))[0] for _ in range(5)]
        report["seconds"]["warm"] = statistics.median(warm)
    else:
        report["apart"] = apart(final[:50], np.array([oracle(data, each) for each in sets[:50]]))
    return report


def bare_task(size: str, count: str) -> Report:
    """So many sets in a bare loop."""
    from benchmarks import bare
    from benchmarks.workload import make_workload

    data, sets = make_workload(size), parameter_sets(int(count))
    bare.sweep(data, sets[:2])
    seconds, (_, final) = timed(lambda: bare.sweep(data, sets))
    expected = np.array([oracle(data, each) for each in sets[:20]])
    return {"seconds": {"bare": seconds}, "apart": apart(final[:20], expected)}


def numpy_task(size: str) -> Report:
    """One set in numpy and plain Python: the definition as it stands, one window at a decision."""
    from benchmarks.workload import make_workload

    data = make_workload(size)
    return {"seconds": {"numpy": timed(lambda: oracle(data, SINGLE))[0]}}


def rust_task(peer: str, size: str) -> Report:
    """Run ``polars`` or ``akquant`` on one set; the first call and the next are apart."""
    from importlib import import_module

    from benchmarks.workload import make_workload

    data, one = make_workload(size), import_module(f"benchmarks.peer_{peer}").one
    first, final = timed(lambda: one(data, SINGLE))
    warm = [timed(lambda: one(data, SINGLE))[0] for _ in range(5 if size == "S" else 1)]
    return {
        "seconds": {"first": first, "warm": statistics.median(warm)},
        "apart": apart(np.array([final]), np.array([oracle(data, SINGLE)])),
    }


def backtrader_task(size: str, feed: str) -> Report:
    """Plain backtrader on one set."""
    from benchmarks import peer_backtrader
    from benchmarks.workload import make_workload

    make_feed = peer_backtrader.pandas_feed if feed == "pandas" else peer_backtrader.array_feed
    data = make_workload(size)
    seconds, (_, final) = timed(lambda: peer_backtrader.one(data, SINGLE, make_feed))
    return {
        "seconds": {"first": seconds},
        "apart": apart(np.array([final]), np.array([oracle(data, SINGLE)])),
    }


def apart(final: Floats, expected: Floats) -> list[float]:
    """Return median and largest distance, relative."""
    distance = np.abs(final / expected - 1.0)
    return [float(np.median(distance)), float(distance.max())]
