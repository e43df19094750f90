"""Windows over the latest rows: sum, mean, standard deviation, z-score, change, highest, record, streak.

Every function takes arrays with sessions along axis 0, (D,), (D, S) or more, and returns one of that shape.
Row *d* of a result depends on the rows *d* - n + 1 to *d* of its columns, where n is the window (``change``
and ``shift`` reach to *d* - n), **to the last bit**: sums run over the window from its oldest row to
its newest, one row after the other, and deviations are joined from blocks of the window
(``data.numeric.moments``), never from differences of running totals. So neither the length of the
arrays nor other columns can leave a trace, and audits for look-ahead and warm-up can compare bits. What is
put in may carry its own history: adjusted prices are scaled by all actions since the panel's first bar.

NaN is "not known". Rows before the first full window are NaN (or False, or 0). Within a window NaN rows are
left out, and the result is NaN if fewer than ``at_least`` rows are known, by default all n.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from data.numeric.compiled import compiled, frozen, loaded
from data.numeric.moments import deviations, joins, zscores

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

# Numbers that are added up together: 4 KiB each of sum, mean and values.
BLOCK = 512
# Additions that take numpy about as long as loading the compiler: a third of a second.
LARGE = 50_000_000
# Additions that take numpy about as long as one join of two blocks.
JOIN = 3


def shift(x: Floats, n: int) -> Floats:
    """Return the values of ``n`` rows before; NaN in the first ``n`` rows."""
    _check_window(n, low=0)
    result = np.full(x.shape, np.nan)
    result[n:] = x[: max(len(x) - n, 0)]
    return result


def change(x: Floats, n: int) -> Floats:
    """Return ``x / x[n rows before] - 1``; NaN where the value before is not positive."""
    before = shift(x, n)
    before[~(before > 0)] = np.nan
    return x / before - 1.0


def rolling_count(x: Floats, n: int) -> Integers:
    """Return how many rows of each window are known; 0 before the first full window."""
    _check_window(n)
    counts = np.zeros(x.shape, dtype=np.int64)
    if len(x) >= n and _in_machine_code(x, 1):
        compiled(count_known)(_flat(x), n, _row_size(x), counts.reshape(-1))
    elif len(x) >= n:
        # Whole numbers are exact in any order, so that running totals leave no trace here.
        so_far = np.cumsum(np.isfinite(x), axis=0)
        counts[n - 1] = so_far[n - 1]
        counts[n:] = so_far[n:] - so_far[:-n]
    return counts


def rolling_reach(spans: Floats, n: int) -> Integers:
    """Return how many rows of each window values reach that stand for several rows each.

    ``spans`` has for each value the number of rows up to its own that it stands for, NaN where there is none.
    None reaches beyond the value before it, so that no row counts twice; 0 before the first full window.
    """
    _check_window(n)
    if ((spans == 1) | np.isnan(spans)).all():
        return rolling_count(spans, n)  # as nearly always: each stands for its own row alone
    rows = np.arange(len(spans)).reshape(-1, *[1] * (spans.ndim - 1))
    latest = np.maximum.accumulate(np.where(np.isfinite(spans), rows, -1), axis=0)
    # A row is reached if the value that follows next, or is its own, stands for it; a NaN stands for nothing.
    following = np.where(np.isfinite(spans), rows, len(spans))
    following = np.minimum.accumulate(following[::-1], axis=0)[::-1]
    span = np.take_along_axis(spans, np.minimum(following, len(spans) - 1), axis=0)
    so_far = np.cumsum(following - rows < span, axis=0)
    so_far = np.concatenate([np.zeros_like(so_far[:1]), so_far])
    first = np.maximum(rows - n + 1, 0)
    reached = np.take_along_axis(so_far, np.maximum(latest + 1, first), axis=0)
    counts: Integers = reached - np.take_along_axis(so_far, np.broadcast_to(first, spans.shape), axis=0)
    return np.where(rows >= n - 1, counts, 0)


def rolling_sum(x: Floats, n: int, at_least: int | None = None) -> Floats:
    """Return the sum of each window, unknown rows left out."""
    counts = rolling_count(x, n)
    return np.where(counts >= _needed(n, at_least), _sum(_zero_filled(x), n), np.nan)


def rolling_mean(x: Floats, n: int, at_least: int | None = None) -> Floats:
    """Return the mean of the known rows of each window."""
    return rolling_sum(x, n, at_least) / np.maximum(rolling_count(x, n), 1)


def rolling_std(x: Floats, n: int, at_least: int | None = None, ddof: int = 1) -> Floats:
    """Return the standard deviation of the known rows of each window, around their mean.

    Divided by the number of known rows less ``ddof``; NaN where that is not positive.
    """
    _check_window(n)
    return deviations(x, n, _needed(n, at_least), ddof, in_machine_code=_in_machine_code(x, JOIN * joins(n)))


def zscore(x: Floats, n: int, at_least: int | None = None) -> Floats:
    """Return ``(x - mean) / std`` (ddof 1) of each row in its window; NaN where std is at most 1e-12."""
    _check_window(n)
    return zscores(x, n, _needed(n, at_least), in_machine_code=_in_machine_code(x, JOIN * joins(n)))


def rolling_max(x: Floats, n: int, at_least: int | None = None) -> Floats:
    """Return the highest value of each window."""
    highest, width = np.where(np.isfinite(x), x, -np.inf), 1
    while width < n:
        # The highest of a window is that of two shorter ones, which may overlap: seven steps for 120 rows.
        step = min(width, n - width)
        highest[step:] = np.maximum(highest[step:], highest[:-step])
        width += step
    return np.where(rolling_count(x, n) >= _needed(n, at_least), highest, np.nan)


def is_record(x: Floats, n: int, at_least: int | None = None) -> Bools:
    """Return whether each value is the highest of its window (a value that repeats the highest is)."""
    record: Bools = np.isfinite(x) & (x >= rolling_max(x, n, at_least))
    return record


def streak(happened: Bools, n: int) -> Integers:
    """Return for how many rows in a row, up to this one, something happened; at most ``n`` are counted."""
    _check_window(n)
    length = np.zeros(happened.shape, dtype=np.int64)
    unbroken = np.ones(happened.shape, dtype=bool)
    for offset in range(min(n, len(happened))):
        unbroken[:offset] = False
        unbroken[offset:] &= happened[: len(happened) - offset]
        length += unbroken
    return length


def _sum(values: Floats, n: int) -> Floats:
    _check_window(n)
    result = np.zeros(values.shape)
    if _in_machine_code(values, n):
        compiled(add_values)(_flat(values), n, _row_size(values), result.reshape(-1))
        return result
    total = result[n - 1 :]
    for rows in _window_rows(len(values), n):
        total += values[rows]
    return result


# --- In machine code: the same additions in the same order, block by block of what fits the cache


def add_values(values: Floats, n: int, row_size: int, total: Floats) -> None:
    """Add each window of ``n`` rows, oldest row first, into ``total``; both flat, ``row_size`` to a row."""
    for start in range((n - 1) * row_size, len(total), BLOCK):
        end = min(start + BLOCK, len(total))
        block = total[start:end]
        for offset in range(n - 1, -1, -1):
            window = values[start - offset * row_size : end - offset * row_size]
            for place in range(len(window)):
                block[place] += window[place]


def count_known(x: Floats, n: int, row_size: int, counts: Integers) -> None:
    """Write how many values of each window are known into zeros; all flat."""
    running = np.zeros(row_size, dtype=np.int64)
    for row in range(len(x) // row_size):
        start = row * row_size
        for column in range(row_size):
            running[column] += abs(x[start + column]) < np.inf
            if row >= n:
                running[column] -= abs(x[start - n * row_size + column]) < np.inf
            if row >= n - 1:
                counts[start + column] = running[column]


def _in_machine_code(x: Floats, additions: int) -> bool:
    """Whether it pays: the compiler takes longer to load than a few small windows to add."""
    return loaded() or x.size * additions > LARGE


def _flat(x: Floats) -> Floats:
    return frozen(x).reshape(-1)


def _row_size(x: Floats) -> int:
    return x.size // len(x) if len(x) else 1


def _window_rows(length: int, n: int) -> Iterator[slice]:
    """Yield the slices that line up the oldest, …, newest row of every full window with its last row."""
    _check_window(n)
    if length >= n:
        for oldest in range(n):
            yield slice(oldest, length - n + 1 + oldest)


def _zero_filled(x: Floats) -> Floats:
    return np.where(np.isfinite(x), x, 0.0)


def _needed(n: int, at_least: int | None) -> int:
    return n if at_least is None else max(at_least, 1)


def _check_window(n: Any, low: int = 1) -> None:
    if n < low:
        raise UsageError("a window is too short", received=n, limit=f"at least {low} rows")
