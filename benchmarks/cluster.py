"""What workers cost and give, on this machine: ``python -m benchmarks.cluster``.

1. Pieces of one set that does nothing: what a piece costs besides its sets.
2. The panel on its way to a worker: bytes, packing, sending and unpacking, for S and M.
3. Sets a second of a whole search, study file included: in this process, and on one and two workers.
4. Sets a second that one study can take down, whatever evaluates: with outcomes that cost nothing.
"""

from __future__ import annotations

import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.workload import CASH, COSTS, make_workload
from engine.pipeline import OpenMarket
from engine.spec import Spec
from engine.strategy.loader import parameters_of
from engine.sweeps.compiled_metrics import COMPILED_METRICS
from engine.tuning import cluster
from engine.tuning.cluster import Cluster
from engine.tuning.evaluate import Evaluator
from engine.tuning.objective import Goal
from engine.tuning.outcome import Evaluate, Outcome, Parameters
from engine.tuning.samplers import make_sampler
from engine.tuning.space import Space
from engine.tuning.study import Plan, study_header
from engine.tuning.tune import tune
from engine.tuning.writer import open_study

WORDS = {"S": ("lookback=20:119", "top=1:20", "threshold=0:0.4:0.1"), "M": ("lookback=20:59", "top=1:50")}
PIECES = 400


def main() -> None:
    seconds = _seconds_a_piece()
    print(f"a piece: {1e3 * seconds:.1f} ms, {1 / seconds:,.0f} a second")
    for size, words in WORDS.items():
        evaluator, space = _case(size, words)
        sets = list(space.sets())
        print(f"\n{size}: {len(sets):,} sets")
        with Cluster(evaluator, workers=2) as workers:
            _transfer(workers, sets)
        _compare(evaluator, space, len(sets))
    space = _case("S", WORDS["S"])[1]
    rate = _rate(_nothing, space, space.size or 0)
    print(f"\na study of outcomes that cost nothing: {rate:,.0f} sets a second")


def _nothing(sets: Sequence[Parameters]) -> list[Outcome]:
    return [Outcome(dict.fromkeys(COMPILED_METRICS, 1.25)) for _ in sets]


def _seconds_a_piece() -> float:
    before = cluster.MOST_SETS, cluster.FIRST_SETS, cluster.LEAST_SECONDS
    cluster.MOST_SETS, cluster.FIRST_SETS, cluster.LEAST_SECONDS = 1, 1, 0.0
    try:
        with Cluster(_nothing, workers=2) as workers:
            workers([{}] * 8)
            return _median(lambda: workers([{}] * PIECES)) / PIECES
    finally:
        cluster.MOST_SETS, cluster.FIRST_SETS, cluster.LEAST_SECONDS = before


def _case(size: str, words: Sequence[str]) -> tuple[Evaluator, Space]:
    from strategies import STRATEGIES

    fields = parameters_of(STRATEGIES["momentum"])
    space = Space.from_words(words, (), fields, fixed={}, given=(), fastest=("top", "threshold"))
    market = OpenMarket(make_workload(size).panel(), None, ())
    return Evaluator(Spec("momentum", cash=CASH, costs=COSTS), STRATEGIES, market, space), space


def _transfer(workers: Cluster, sets: Sequence[Parameters]) -> None:
    started = time.perf_counter()
    parcel = workers._pack(sets[:1])
    packed = time.perf_counter()
    future = workers._client.send(parcel)
    sent = time.perf_counter()
    workers._client._client.replicate([future])
    passed_on = time.perf_counter()
    pickle.loads(parcel.body)
    loaded = time.perf_counter()
    print(
        f"  panel {len(parcel.body) / 1e6:,.1f} MB: packed in {packed - started:.2f} s, sent to a worker in "
        f"{sent - packed:.2f} s, from it to another in {passed_on - sent:.2f} s, unpacked in "
        f"{loaded - passed_on:.2f} s"
    )


def _compare(evaluator: Evaluator, space: Space, sets: int) -> None:
    for threads in (1, 2):
        evaluator.workers, evaluator._engine = threads, None
        evaluator(list(space.sets())[:1])
        print(f"  here, threads {threads}: {_rate(evaluator, space, sets):>9,.0f} sets a second")
    for count in (1, 2):
        started = time.perf_counter()
        with Cluster(evaluator, workers=count) as workers:
            entered = time.perf_counter()
            workers([next(iter(space.sets()))])
            ready = time.perf_counter()
            rate = _rate(workers, space, sets)
        print(
            f"  workers {count}:       {rate:>9,.0f} sets a second, after {entered - started:.1f} s to "
            f"start them and {ready - entered:.1f} s to send and try the panel"
        )


def _rate(evaluate: Evaluate, space: Space, sets: int) -> float:
    return sets / _median(lambda: _search(evaluate, space))


def _search(evaluate: Evaluate, space: Space) -> None:
    goal = Goal.from_words((), ())
    panel = getattr(evaluate, "market", None) or _case("S", WORDS["S"])[0].market
    header = study_header(Spec("momentum"), space, goal, Plan("grid", None, None), panel.panel, {})
    with tempfile.TemporaryDirectory() as folder, open_study(Path(folder), header, resume=False) as study:
        tune(make_sampler("grid", space, goal, seed=0, batch=20), evaluate, study, goal, trials=None)


def _median(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
