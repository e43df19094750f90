"""A result's folder on disk, written whole or not at all; ``engine.results.layout`` lists what is in it.

It is written under a temporary name beside its place and renamed; the reports of the folder that it replaces
stay where the numbers are the same.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import EtflowError, ValidationError
from engine.metrics import Metrics
from engine.result import (
    FILL_COLUMNS,
    REJECTION_COLUMNS,
    Result,
)
from engine.results.documents import write_json
from engine.results.layout import (
    CONTEXT,
    EXACT_FILES,
    EXITS,
    LUCK,
    MERGES,
    METRICS,
    PHASES,
    REASONS,
    REPORTS,
    WHERE_ANY,
)
from engine.results.loading import ROUNDING, read_csv, read_manifest
from engine.results.runs import MANIFEST, TEARSHEET, is_run, whole
from engine.results.sums import is_as_written, write_sums


def save(
    result: Result,
    metrics: Metrics,
    folder: Path,
    report: Callable[[Path], object] | None = None,
) -> None:
    """Write ``result`` and its metrics as ``folder``; UsageError where the disk does not allow it.

    ValidationError where a run of the same id, which is another one by its numbers, is there: it stays.
    ``report`` is called with the path of the tear sheet, which it writes, before the folder appears. Reports
    that are in ``folder`` already stay if every table and metric is as it was; so does the audit of a run
    that was not there yet.
    """
    with whole(folder) as stage:
        write(result, metrics, stage)
        _refuse_other_numbers(result, folder)
        if _same_numbers(folder, stage) or not is_run(folder):
            _copy_reports(folder, stage)
        write_sums(stage, (*EXACT_FILES, *WHERE_ANY, PHASES, LUCK, CONTEXT))
        if report is not None:
            report(stage / TEARSHEET)


def _refuse_other_numbers(result: Result, folder: Path) -> None:
    """Raise ValidationError if the run that is in ``folder`` under the same id earned something else."""
    name = result.manifest.get("run_id")
    try:
        if name is None or read_manifest(folder).get("run_id") != name:
            return
        before = read_csv(folder / "equity.csv", ["equity"])["equity"].to_numpy(dtype=np.float64)
    except (EtflowError, LookupError, ValueError, OSError, csv.Error):
        return  # none is there, or one that nobody can read
    same = np.zeros(0, dtype=bool)
    if len(before) == len(result.equity):
        same = np.isclose(before, result.equity, rtol=ROUNDING, atol=0.0)
        if same.all():
            return
    row = int(np.argmin(same)) if len(same) else -1
    raise ValidationError(
        f"the run `{name}` is in {folder.parent} already, with other numbers; it is as it was",
        received=f"equity {result.equity[row]:,.2f} on {result.days[row]}",
        limit=f"{before[row]:,.2f}, as before" if len(before) else "no session",
        hint="The strategy depends on more than its parameters and data: see `etflow audit`. "
        "Or choose another --out.",
    )


def write(result: Result, metrics: Metrics, folder: Path) -> None:
    """Write all files but the tear sheet into ``folder``, which exists."""
    by_hand = {
        "symbols": list(result.symbols),
        "initial_cash": result.initial_cash,
        "sessions_per_year": result.sessions_per_year,
    }
    write_json({**result.manifest, "result": by_hand}, folder / MANIFEST)
    write_json(dict(metrics.values) | {REASONS: metrics.reasons}, folder / METRICS)
    for name, frame in _tables(result).items():
        frame.to_csv(folder / name, index=False, lineterminator="\n")
    if len(result.merges):
        _with_text_days(result.merges).to_csv(folder / MERGES, index=False, lineterminator="\n")
    if len(result.exits):
        _with_text_days(result.exits).to_csv(folder / EXITS, index=False, lineterminator="\n")
    for name, band in ((PHASES, result.phase_band), (LUCK, result.luck_band)):
        if band is not None:
            table = pd.DataFrame({"day": _texts(result.days), "lowest": band[0], "highest": band[1]})
            table.to_csv(folder / name, index=False, lineterminator="\n")
    if result.context is not None:
        write_json(asdict(result.context), folder / CONTEXT)


def _same_numbers(one: Path, other: Path) -> bool:
    """Return whether two folders have the same bytes in all files but the manifest, which names places."""
    return all(
        (one / name).is_file() and (one / name).read_bytes() == (other / name).read_bytes()
        for name in EXACT_FILES
        if name != MANIFEST
    )


def _copy_reports(source: Path, target: Path) -> None:
    """Copy what belongs to reports, but for what was made anew and what is not as it was written."""
    for pattern in REPORTS:
        for path in source.glob(pattern):
            if not (target / path.name).exists() and is_as_written(path):
                shutil.copy2(path, target / path.name)


def _tables(result: Result) -> dict[str, pd.DataFrame]:
    days = _texts(result.days)
    symbols = np.array(result.symbols, dtype=object)
    rows, columns = np.nonzero(result.shares)
    decisions = len(result.decision_days)
    return {
        "equity.csv": pd.DataFrame(
            {
                "day": days,
                "equity": result.equity,
                "cash": result.cash,
                "return": result.returns,
                "benchmark_return": result.benchmark_return,
                "receivable": result.receivable,
                "interest": result.interest,
                "dividend": result.dividend,
                "equal_weight_return": result.equal_weight_return,
            }
        ),
        "positions.csv": pd.DataFrame(
            {
                "day": days[rows],
                "symbol": symbols[columns],
                "shares": result.shares[rows, columns],
                "value": result.shares[rows, columns] * result.mark[rows, columns],
            }
        ),
        "weights.csv": pd.DataFrame(
            {
                "day": np.repeat(_texts(result.decision_days), len(symbols)),
                "symbol": np.tile(symbols, decisions),
                "weight": result.weights.ravel(),
                "score": result.scores.ravel(),
                "flow": result.decision_flows.ravel(),
            }
        ),
        "fills.csv": _with_text_days(result.fills[list(FILL_COLUMNS)]),
        "rejections.csv": _with_text_days(result.rejections[list(REJECTION_COLUMNS)]),
        "marks.csv": pd.concat(
            [pd.Series(days, name="day"), pd.DataFrame(result.mark, columns=list(result.symbols))], axis=1
        ),
    }


def _texts(days: NDArray[np.datetime64]) -> NDArray[np.object_]:
    return days.astype("datetime64[D]").astype(str).astype(object)


def _with_text_days(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(day=_texts(frame["day"].to_numpy(dtype="datetime64[D]")))
