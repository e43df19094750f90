"""The table of what was measured, as Markdown: medians, what is required, how much slower each peer is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.jobs import Job, Row

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
VERSIONS = (
    *("numpy", "numba", "pandas", "vectorbt", "vectorbt-rust", "polars", "polars-backtest", "akquant"),
    "backtrader",
)
COLUMNS = {
    "bare": "bare loop, one core",
    "numba": "vectorbt, numba",
    "rust": "vectorbt, rust",
    "polars": "polars-backtest",
    "akquant": "akquant",
    "pandas": "backtrader, PandasData",
    "arrays": "backtrader, our feeds",
}


def lines(found: Mapping[str, Job], table: Sequence[Row]) -> Iterator[str]:
    """Yield the table and what stands below it, as Markdown."""
    shown = {
        key: title
        for key, title in COLUMNS.items()
        if any(row.peers.get(key, ("",))[0] in found for row in table)
    }
    yield "| task | etflow | required | " + "".join(f"{title} | " for title in shown.values()) + "memory |"
    yield "|---" * (len(shown) + 4) + "|"
    for row in table:
        job = found.get(row.job, Job(()))
        ours = job.median(row.timing)
        if ours is None and not job.error:
            continue
        if ours is None:
            yield f"| {row.title} | failed |" + " |" * (len(shown) + 2)
            continue
        cells = [_ours(ours, row, job), _required(ours, row, job, found)]
        cells += [_peer(ours, row.peers.get(key), found) for key in shown]
        cells.append(f"{job.peak:,.0f} MB" if job.peak else "")
        yield f"| {row.title} | " + " | ".join(cells) + " |"
    yield ""
    yield from _below(found)


def _ours(ours: float, row: Row, job: Job) -> str:
    taken = job.seconds[row.timing]
    each = f", {1000.0 * ours / row.sets:.3g} ms a set" if row.sets > 10 else ""
    spread = f" ({_seconds(min(taken))} to {_seconds(max(taken))})" if len(taken) > 1 else ""
    return f"{_seconds(ours)}{each}{spread}"


def _required(ours: float, row: Row, job: Job, found: Mapping[str, Job]) -> str:
    words = []
    if row.limit is not None:
        words.append(f"{_seconds(row.limit)} {_mark(ours <= row.limit)}")
    for peer, ratio in row.ratios.items():
        keys = ("numba", "rust") if peer == "vectorbt" else ("pandas",)
        others = [_other(row.peers.get(key), found) for key in keys]
        known = [other for other in others if other is not None]
        if known:
            words.append(f"{peer} × {ratio:,.0f} {_mark(min(known) / ours >= ratio)}")
    if row.limit_mb is not None and job.peak is not None:
        words.append(f"{row.limit_mb:.0f} MB {_mark(job.peak < row.limit_mb)}")
    return ", ".join(words)


def _other(peer: tuple[str, str, int] | None, found: Mapping[str, Job]) -> float | None:
    if peer is None or peer[0] not in found:
        return None
    median = found[peer[0]].median(peer[1])
    return None if median is None else median * peer[2]


def _peer(ours: float, peer: tuple[str, str, int] | None, found: Mapping[str, Job]) -> str:
    other = _other(peer, found)
    if other is None or peer is None:
        return ""
    job, timing, times = found[peer[0]], peer[1], peer[2]
    notes = [f"× {other / ours:,.1f}" if other / ours < 100.0 else f"× {other / ours:,.0f}"]
    if times > 1:
        notes.append("from one set")
    elif job.peak:
        notes.append(f"{job.peak:,.0f} MB")
    if len(job.seconds[timing]) == 1 < len(found["run"].seconds["process"]):
        notes.append("once")
    return f"{_seconds(other)} ({', '.join(notes)})"


def _mark(reached: bool) -> str:
    return "✓" if reached else "✗"


def _seconds(seconds: float) -> str:
    if seconds >= 100.0:
        return f"{seconds:,.0f} s"
    if seconds >= 1.0:
        return f"{seconds:.2f} s"
    return f"{1000.0 * seconds:.3g} ms"


def _below(found: Mapping[str, Job]) -> Iterator[str]:
    for name, job in found.items():
        if name.startswith("agreement ") and job.report:
            yield (
                f"- {name}: {job.report['sets']} sets, final equity at most {job.report['apart']:.1e} from "
                f"the oracle; {job.report['paths']} whole paths against the reference engine, "
                f"{job.report['unequal']} not equal to the last bit."
            )
    for name, job in found.items():
        if "apart" in job.report and not name.startswith("agreement "):
            middle, most = job.report["apart"]
            yield f"- {name}: final equity {middle:.1e} from the oracle in the median, {most:.1e} at most."
    for name in ("S, one", "L, one"):
        panel = found[name].median("rules, panel from arrays") if name in found else None
        if panel is not None:
            yield f"- {name[0]}: building the panel from arrays takes {_seconds(panel)}, not in its rows."
    if "study_mb" in found["tune"].report:
        yield f"- The study of `etflow tune` is a file of {found['tune'].report['study_mb']:.0f} MB."


def machine(load: tuple[float, float, float] | None, repeat: int) -> str:
    """Return what it was measured on, in a line."""
    names = []
    for name in VERSIONS:
        try:
            names.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    busy = f", load {load[0]:.1f} before" if load else ""
    return (
        f"{state()}; {_processor()}, {os.cpu_count()} cores{busy}; Python {platform.python_version()}, "
        f"{', '.join(names)}; medians of {repeat}."
    )


def state() -> str:
    """Return the commit that is measured, and whether the folder has changes that are in no commit."""
    said = [
        subprocess.run(["git", *words], cwd=README.parent, capture_output=True, text=True).stdout.strip()
        for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    ]
    return f"commit {said[0] or 'unknown'}{' with changes' if said[1] else ''}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def write_table(text: str) -> None:
    """Replace what stands between the marks of the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{README.name} lacks its marks {BEGIN} and {END}")
    README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
