"""A result read from its folder, equal in every number to the one that was saved; damage is refused."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import DataError, UsageError
from data.parsing import NUMBER, misfit, parse_json
from engine.metrics import Metrics
from engine.metrics.declared import ALTERNATIVES, OF_ALTERNATIVES, OF_RUN
from engine.result import (
    EXIT_COLUMNS,
    FILL_COLUMNS,
    MERGE_COLUMNS,
    REJECTION_COLUMNS,
    Context,
    Result,
    as_frame,
)
from engine.results.layout import (
    CONTEXT,
    COUNT_COLUMNS,
    DAY_TYPE,
    EXITS,
    LUCK,
    MERGES,
    METRICS,
    NOT_KNOWN,
    PHASES,
    REASONS,
    TEXT_COLUMNS,
)
from engine.results.runs import MANIFEST, is_run
from engine.results.sums import content_of, is_listed, table_of

Floats = NDArray[np.float64]

# What is relied on of a manifest, whichever version wrote it.
_MANIFEST = {
    "strategy": str,
    "parameters": dict,
    "engine?": str,
    "spec": {"strategy": str, "data?": str, "parameters?": dict, "symbols?": [str], "costs?": dict},
    "data": {"name": str, "synthetic": bool, "first_day?": str, "last_day?": str, "symbols?": [str]},
    "versions?": dict,
    "result": {"symbols": [str], "initial_cash": NUMBER, "sessions_per_year": NUMBER},
    "run_id?": str,
    "idea?": str,
    "benchmark?": str,
    "benchmark_known?": {"text?": str},
    "files?": dict,
    "allowed?": [str],
    "data_warnings?": [str],
}
_CONTEXT = {
    "names": dict,
    "families": dict,
    "splits": [list],
    "halts": [list],
    "renames?": [list],
    "judged": str,
    "judged_by": str,
    "themes?": dict,
    "rejection_costs?": dict,
    "luck_beaten?": NUMBER,
}
# What is relied on of the tables that have more columns in a result.
_EQUITY = ("equity", "cash", "receivable", "interest", "dividend", "benchmark_return", "equal_weight_return")
_POSITIONS = ("day", "symbol", "shares")
_WEIGHTS = ("day", "weight", "score", "flow")
_BAND = ("day", "lowest", "highest")
# Sums of the books and ours may have been added in another order.
ROUNDING = 1e-9


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a results folder; UsageError if it is none, DataError if it is broken."""
    if not is_run(folder):
        raise UsageError(f"{folder} is not a results folder", hint=f"It has no {MANIFEST}.")
    return _read_json(folder / MANIFEST, _MANIFEST)


def read_metrics(folder: Path) -> Metrics:
    """Return the metrics of a results folder; DataError if they are broken.

    One that the version which wrote the folder did not know is undefined.
    """
    path = folder / METRICS
    values = _read_json(path, {f"{REASONS}?": dict})
    reasons = values.pop(REASONS, None) or {}
    _require(values, {f"{name}?": NUMBER for name in values}, path)
    _require(reasons, dict.fromkeys(reasons, str), path)
    compared = [prefix + name for prefix in ALTERNATIVES for name in OF_ALTERNATIVES]
    absent = [name for name in (*OF_RUN, *compared) if name not in values]
    return Metrics(values | dict.fromkeys(absent), reasons | dict.fromkeys(absent, NOT_KNOWN))


def period_of(folder: Path) -> tuple[str, str]:
    """Return the first and the last session of a results folder; DataError if its equity is broken."""
    path = folder / "equity.csv"
    try:
        lines = table_of(path).decode().splitlines()[1:]
        first, last = (np.datetime64(lines[place].partition(",")[0], "D") for place in (0, -1))
    except DataError:
        raise
    except (OSError, ValueError, IndexError) as error:
        raise _unreadable(path, error) from error
    return str(first), str(last)


def load(folder: Path, *, balanced: bool = True) -> Result:
    """Return the result that ``save`` wrote into ``folder``, equal in every number.

    Raises UsageError where ``folder`` is not a results folder, DataError where a file of it is broken, or
    where its books do not balance, unless not ``balanced``.
    """
    manifest = read_manifest(folder)
    try:
        result = _load(folder, manifest)
        if balanced:
            _check_books(result, folder)
    except DataError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, OverflowError, OSError, csv.Error) as error:
        raise _unreadable(folder, error) from error
    return result


def _unreadable(place: Path, error: Exception) -> DataError:
    if isinstance(error, PermissionError):
        hint = "Get the right to read it."
        return DataError(f"{place} cannot be read", received=error.strerror, hint=hint)
    return DataError(f"{place} cannot be read", received=error, hint="Make the run again.")


def _check_books(result: Result, folder: Path) -> None:
    """Raise DataError unless equity is what cash and positions make it, and money moves as fills say."""
    worth = result.cash + result.receivable + np.nansum(result.shares * result.mark, axis=1)
    money = result.cash + result.receivable
    earned, moved = _of_fills(result)
    before = np.concatenate(([result.initial_cash], money[:-1]))
    # Where shares came or went without a fill, a fund was split or wound up, which may pay as well.
    plain = (np.diff(result.shares, axis=0, prepend=0) == moved).all(axis=1)
    expected = np.where(plain, before + earned + result.interest + result.dividend, money)
    for name, stated, right in (("equity", result.equity, worth), ("cash and receivables", money, expected)):
        off = ~np.isclose(stated, right, rtol=ROUNDING, atol=ROUNDING * result.initial_cash)
        if off.any():
            row = int(np.argmax(off))
            raise DataError(
                f"the books of {folder} do not balance on {result.days[row]}",
                received=f"{name} of {stated[row]:,.2f}",
                limit=f"{right[row]:,.2f}, as the other tables have it",
                hint="A file was changed after the run. Make the run again.",
            )


def _of_fills(result: Result) -> tuple[Floats, NDArray[np.int64]]:
    """Return the money that fills brought in each session, (D,), and the shares, (D, S)."""
    fills = result.fills
    rows = np.searchsorted(result.days, fills["day"].to_numpy().astype("datetime64[D]"))
    columns = np.array([result.symbols.index(symbol) for symbol in fills["symbol"]], dtype=np.int64)
    shares = fills["shares"].to_numpy()
    money, moved = np.zeros(len(result.days)), np.zeros_like(result.shares)
    np.add.at(moved, (rows, columns), shares)
    costs = fills["commission"].to_numpy() + fills["fee"].to_numpy()
    np.add.at(money, rows, -np.sign(shares) * fills["notional"].to_numpy() - costs)
    return money, moved


def _load(folder: Path, manifest: dict[str, Any]) -> Result:
    by_hand = manifest.pop("result")
    symbols = tuple(by_hand["symbols"])
    equity = read_csv(folder / "equity.csv", ("day", *_EQUITY))
    days = equity["day"].to_numpy().astype("datetime64[D]")

    positions = read_csv(folder / "positions.csv", _POSITIONS)
    shares = np.zeros((len(days), len(symbols)), dtype=np.int64)
    rows = np.searchsorted(days, positions["day"].to_numpy().astype("datetime64[D]"))
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    shares[rows, [column_of[symbol] for symbol in positions["symbol"]]] = positions["shares"]

    weights = read_csv(folder / "weights.csv", _WEIGHTS)
    shape = (len(weights) // len(symbols), len(symbols))
    decision_days = weights["day"].to_numpy().astype("datetime64[D]").reshape(shape)[:, 0]
    marks = read_csv(folder / "marks.csv", ("day", *symbols))

    def floats(frame: pd.DataFrame, name: str) -> Floats:
        return frame[name].to_numpy(dtype=np.float64, copy=True)

    return Result(
        manifest=manifest,
        days=days,
        symbols=symbols,
        equity=floats(equity, "equity"),
        cash=floats(equity, "cash"),
        receivable=floats(equity, "receivable"),
        shares=shares,
        mark=marks[list(symbols)].to_numpy(dtype=np.float64),
        interest=floats(equity, "interest"),
        dividend=floats(equity, "dividend"),
        benchmark_return=floats(equity, "benchmark_return"),
        equal_weight_return=floats(equity, "equal_weight_return"),
        decision_days=decision_days,
        weights=floats(weights, "weight").reshape(shape),
        scores=floats(weights, "score").reshape(shape),
        decision_flows=floats(weights, "flow").reshape(shape),
        fills=read_csv(folder / "fills.csv", FILL_COLUMNS),
        rejections=read_csv(folder / "rejections.csv", REJECTION_COLUMNS),
        initial_cash=float(by_hand["initial_cash"]),
        sessions_per_year=float(by_hand["sessions_per_year"]),
        phase_band=_read_band(folder / PHASES, days),
        luck_band=_read_band(folder / LUCK, days),
        merges=_read_any(folder / MERGES, MERGE_COLUMNS),
        exits=_read_any(folder / EXITS, EXIT_COLUMNS),
        context=_read_context(folder / CONTEXT),
    )


def _read_any(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a table that is there only where it has a row."""
    return read_csv(path, columns) if path.is_file() or is_listed(path) else as_frame([], columns)


def _read_band(path: Path, days: NDArray[np.datetime64]) -> Floats | None:
    if not path.is_file() and not is_listed(path):
        return None
    band = read_csv(path, _BAND)
    if not np.array_equal(band["day"].to_numpy().astype("datetime64[D]"), days):
        raise ValueError(f"{path.name} has not the sessions of the run")
    return band[["lowest", "highest"]].to_numpy(dtype=np.float64).T


def _read_context(path: Path) -> Context | None:
    if not path.is_file() and not is_listed(path):
        return None
    found = _read_json(path, _CONTEXT)
    return Context(
        names={str(symbol): str(name) for symbol, name in found["names"].items()},
        families={str(symbol): str(name) for symbol, name in found["families"].items()},
        splits=tuple((_day(day), str(symbol), float(ratio)) for day, symbol, ratio in found["splits"]),
        halts=tuple((_day(first), _day(last), str(symbol)) for first, last, symbol in found["halts"]),
        renames=tuple((_day(day), str(symbol), str(old)) for day, symbol, old in found.get("renames", [])),
        judged=str(found["judged"]),
        judged_by=str(found["judged_by"]),
        themes={
            str(symbol): tuple(
                (_day(day), {str(name): float(part) for name, part in parts.items()}) for day, parts in files
            )
            for symbol, files in found.get("themes", {}).items()
        },
        rejection_costs={
            str(reason): None if cost is None else float(cost)
            for reason, cost in found.get("rejection_costs", {}).items()
        },
        luck_beaten=found.get("luck_beaten"),
    )


def _day(text: Any) -> str:
    """Return a day as it was written; ValueError if it is none."""
    return date.fromisoformat(str(text)).isoformat()


def _read_json(path: Path, shape: Mapping[str, Any]) -> dict[str, Any]:
    try:
        document: dict[str, Any] = parse_json(content_of(path))
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(document, dict):
        raise DataError(f"{path} is not a JSON object", hint="Make the run again.")
    _require(document, shape, path)
    return document


def _require(document: dict[str, Any], shape: Mapping[str, Any], path: Path) -> None:
    if (place := misfit(document, shape)) is not None:
        raise DataError(f"{path} is damaged: `{place}` is not what it should be", hint="Make the run again.")


def read_csv(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table of a results folder; what of it cannot be read raises as Python's own functions do.

    DataError if it is not what was written, lacks one of ``columns``, or has a column twice.
    """
    # By Python's own float(), which is exact; what pandas' reader does depends on its version.
    header, *rows = csv.reader(StringIO(table_of(path).decode(), newline=""))
    _check_header(header, columns, path)
    cells = dict(zip(header, zip(*rows, strict=True) if rows else [()] * len(header), strict=True))
    return pd.DataFrame({name: _typed(name, values) for name, values in cells.items()})


def _check_header(header: Sequence[str], columns: Sequence[str], path: Path) -> None:
    times = Counter(header)
    lacking = ", ".join(name for name in columns if name not in times)
    twice = ", ".join(name for name in times if times[name] > 1)
    if lacking or twice:
        raise DataError(
            f"{path} lacks a column" if lacking else f"{path} has a column twice",
            received=", ".join(header) or "no columns" if lacking else twice,
            limit=lacking or "each column once",
            hint="Make the run again.",
        )


def _typed(name: str, values: Sequence[str]) -> NDArray[Any] | pd.Series:
    if name == "day":
        return np.array(values, dtype=DAY_TYPE)
    if name in TEXT_COLUMNS:
        return pd.Series(values, dtype="str")
    if name in COUNT_COLUMNS:
        return np.array([int(value) for value in values], dtype=np.int64)
    return np.array([float(value) if value else np.nan for value in values], dtype=np.float64)
