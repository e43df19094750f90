"""What the batch engine and its peers are timed at: measurements, each a command in a process of its own.

1. ``jobs`` lists them by name: ours, then the peers'.
2. ``rows`` are the lines of the table: which measurement, what is required of it, what it is compared with.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MOST_MEGABYTES = 400.0
MANY = 100_000
# The grid of ``benchmarks.definition``, in words: 10,000 sets.
SEARCHED = {
    "z_window": "20 30 40 50 60 70 80 90 100 120",
    "lookback": "1 3 5 10 20",
    "margin_weight": "-1 -0.5 -0.25 0 0.25 0.5 0.75 1 1.5 2",
    "rebalance": "1 5 10 20",
    "top": "1 2 3 5 8",
}


@dataclass
class Job:
    """A command, and what its runs gave: seconds by name, peak memory, and what else it reports."""

    command: Sequence[str]
    fresh_cache: bool = False
    once: bool = False
    seconds: dict[str, list[float]] = field(default_factory=dict)
    peaks: list[float] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    longest: float = 0.0
    error: str = ""

    def median(self, name: str) -> float | None:
        """Return the median of what was timed under a name."""
        taken = self.seconds.get(name)
        return statistics.median(taken) if taken else None

    @property
    def peak(self) -> float | None:
        """The largest peak of memory, in MB."""
        return max(self.peaks, default=None)


@dataclass(frozen=True)
class Row:
    """A line of the table.

    ``limits`` are seconds and MB that must be reached, ``ratios`` how many times slower each peer must be;
    ``peers`` are jobs with the name of what is compared, and what it is multiplied with.
    """

    title: str
    job: str
    timing: str
    sets: int = 1
    limit: float | None = None
    limit_mb: float | None = None
    ratios: Mapping[str, float] = field(default_factory=dict)
    peers: Mapping[str, tuple[str, str, int]] = field(default_factory=dict)


def task(*words: object) -> list[str]:
    """Return the command of a task."""
    return [sys.executable, "-m", "benchmarks.tasks", *map(str, words)]


def jobs(peers: Sequence[str], *, quick: bool, folder: Path) -> dict[str, Job]:
    """Return all measurements by name; those of the peers stand beside ours, in the order of a turn."""
    arrays = str(folder / "S.npz")
    command = [sys.executable, str(ROOT / "run_backtest.py"), "run", "share_inflow", "--engine", "batch"]
    command += ["--no-report", "--quiet", "--out", "{out}"]
    search = [sys.executable, str(ROOT / "run_backtest.py"), "tune", "flow_blend", "--method", "grid"]
    for name, words in SEARCHED.items():
        search += ["--param", f"{name}={','.join(words.split()[: 2 if quick else None])}"]
    search += ["--no-report", "--quiet", "--out", "{out}"]
    large, medium, many = (300, 50, 5_000) if quick else (10_000, 1_000, MANY)
    found = {
        "S, many": Job(task("sweep", "S", large)),
        "S, 1,000": Job(task("sweep", "S", 100 if quick else 1_000)),
        "M": Job(task("sweep", "M", medium)),
        "S, one": Job(task("single", "S")),
        "notebook": Job(task("notebook", many)),
        "tune": Job(task("tune", many)),
        "search": Job([*search, "--no-verdict"]),
        "search, judged": Job(search),
        "run, first": Job(command, fresh_cache=True),
        "run": Job(command),
        "cold S": Job(task("cold", arrays)),
        "compile": Job(task("first-sweep"), fresh_cache=True),
        "compiled": Job(task("first-sweep")),
    }
    if not quick:
        found["L, one"] = Job(task("single", "L"))
    found |= {
        "bare S, many": Job(task("bare", "S", large)),
        "bare S, 1,000": Job(task("bare", "S", 100 if quick else 1_000)),
        "bare M": Job(task("bare", "M", medium)),
    }
    if "vectorbt" in peers:
        for engine in vectorbt_engines():
            found |= {
                f"{engine} S, many": Job(task("vectorbt", "S", large, engine)),
                f"{engine} S, 1,000": Job(task("vectorbt", "S", 100 if quick else 1_000, engine)),
                f"{engine} M": Job(task("vectorbt", "M", medium, engine)),
                f"{engine} S, one": Job(task("vectorbt", "S", 1, engine)),
                f"{engine} cold": Job([sys.executable, "-m", "benchmarks.peer_vectorbt", arrays, engine]),
            }
            if not quick:
                found[f"{engine} L, one"] = Job(task("vectorbt", "L", 1, engine))
    for peer in ("polars", "akquant"):
        if peer in peers:
            found[f"{peer} S, one"] = Job(task("rust", peer, "S"))
    if "polars" in peers and not quick:
        found["polars L, one"] = Job(task("rust", "polars", "L"))
    if "backtrader" in peers:
        found |= {
            "pandas S, one": Job(task("backtrader", "S", "pandas")),
            "arrays S, one": Job(task("backtrader", "S", "arrays")),
            "backtrader cold": Job([sys.executable, "-m", "benchmarks.peer_backtrader", arrays]),
        }
        if not quick:
            found["arrays L, one"] = Job(task("backtrader", "L", "arrays"), once=True)
    full = {"S": (1_000, 20), "M": (20, 1), "L": (1, 0)}
    sample = {"S": (20, 2), "M": (1, 0)} if quick else full
    for size, (count, references) in sample.items():
        found[f"agreement {size}"] = Job(task("agreement", size, count, references), once=True)
    return found


def vectorbt_engines() -> tuple[str, ...]:
    """Return the engines of vectorbt that are installed."""
    if find_spec("vectorbt") is None:
        return ()
    return ("numba", "rust") if find_spec("vectorbt_rust") is not None else ("numba",)


def rust_engines() -> tuple[str, ...]:
    """Return the peers in Rust that are installed, besides vectorbt's own engine."""
    modules = {"polars": "polars_backtest", "akquant": "akquant"}
    return tuple(name for name, module in modules.items() if find_spec(module) is not None)


def rows(quick: bool) -> Iterator[Row]:
    """Yield the lines of the table."""
    large, small, medium, many = (300, 100, 50, 5_000) if quick else (10_000, 1_000, 1_000, MANY)

    def sweep_peers(name: str, sets: int) -> dict[str, tuple[str, str, int]]:
        found = {engine: (f"{engine} {name}", "first", 1) for engine in ("numba", "rust")}
        found["bare"] = (f"bare {name}", "bare", 1)
        if name != "M":
            found |= {feed: (f"{feed} S, one", "first", sets) for feed in ("pandas", "arrays")}
        return found

    def one_peers(size: str, timing: str) -> dict[str, tuple[str, str, int]]:
        found = {engine: (f"{engine} {size}, one", timing, 1) for engine in ("numba", "rust")}
        found |= {peer: (f"{peer} {size}, one", timing, 1) for peer in ("polars", "akquant")}
        return found | {feed: (f"{feed} {size}, one", "first", 1) for feed in ("pandas", "arrays")}

    for costs, what in (("rules", "all market rules"), ("plain", "the workload's costs")):
        # What is required is required with all market rules on, and of all sets.
        on = costs == "rules" and not quick
        yield Row(
            f"S, {large:,} sets, {what}",
            "S, many",
            costs,
            large,
            limit=0.00015 * large if on else None,
            limit_mb=MOST_MEGABYTES if costs == "rules" else None,
            ratios={"vectorbt": 30.0, "backtrader": 5000.0} if on else {},
            peers=sweep_peers("S, many", large),
        )
        yield Row(
            f"S, {small:,} sets, {what}",
            "S, 1,000",
            costs,
            small,
            limit=0.25 if on else None,
            peers=sweep_peers("S, 1,000", small),
        )
        yield Row(
            f"M, {medium:,} sets, {what}",
            "M",
            costs,
            medium,
            limit=3.0 if on else None,
            peers=sweep_peers("M", medium),
        )
        for size, limit in (("S", 0.015), ("L", 1.0)):
            for timing, state in (("first", "nothing computed yet"), ("warm", "again")):
                yield Row(
                    f"{size}, one set, panel in memory, {state}, {what}",
                    f"{size}, one",
                    f"{costs}, {timing}",
                    limit=limit if on else None,
                    peers=one_peers(size, timing),
                )
    yield Row(f"S, {many:,} sets, `sweep` in a notebook", "notebook", "rules", many, limit_mb=MOST_MEGABYTES)
    yield Row(
        f"S, {many:,} sets, the loop of `tune` writing a study, without a verdict",
        "tune",
        "rules",
        many,
        limit_mb=MOST_MEGABYTES,
    )
    grid = 32 if quick else large
    yield Row(f"`etflow tune --no-verdict`, demo, {grid:,} sets, start to end", "search", "process", grid)
    yield Row(f"`etflow tune`, demo, {grid:,} sets, start to end", "search, judged", "process", grid)
    cold = {
        "numba": ("numba cold", "process", 1),
        "rust": ("rust cold", "process", 1),
        "pandas": ("backtrader cold", "process", 1),
    }
    yield Row("cold: `run --engine batch --no-report`, demo", "run", "process", limit=1.5, peers=cold)
    yield Row("cold: S from a file, one run", "cold S", "process", peers=cold)
    yield Row("first start ever: the same `run`, empty cache", "run, first", "process")
    yield Row("first sweep ever (10 sets), compiled now", "compile", "rules", 10, limit=10.0)
    yield Row("first sweep of a process (10 sets), code kept", "compiled", "rules", 10)
