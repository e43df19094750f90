"""Deviations and z-scores of every window of n rows, put together from blocks of 1, 2, 4, 8, … rows.

The moments of two neighbouring blocks give those of both (Chan, Golub and LeVeque, 1983, "Algorithms for
computing the sample variance", The American Statistician 37)::

    delta   = mean of the newer - mean of the older
    mean    = mean of the older + delta * share          share  = rows of the newer / rows of both
    squares = both squares + delta * delta * weight      weight = rows of the older * share

A block of 2m rows is two of m rows, and a window is the blocks that its length has in binary, the shortest
oldest: 60 rows are 4, 8, 16 and 32, eight joins instead of a hundred and twenty additions. Blocks are counted
from the window's own oldest row. So neither the row where history begins nor another column leaves a trace in
the last bit; and a window of one number repeated has no deviation at all, however large the number.

Unknown values (NaN, infinite) are left out: the rows of a block are those that are known. All is written
twice, in numpy and for machine code, which joins strips of columns in the cache; the bits are the same.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.numeric.compiled import compiled, frozen

Floats = NDArray[np.float64]

# A standard deviation up to this is rounding noise around a constant.
NO_SPREAD = 1e-12

# What machine code joins at a time: so many windows, of so many columns, which are a line of the cache.
ROWS = 256
WIDTH = 8


class Moments(NamedTuple):
    """Mean, sum of squared deviations and number of the known values of blocks: arrays of one shape."""

    mean: Floats
    squares: Floats
    known: Floats


def joins(n: int) -> int:
    """Return how many pairs of blocks are joined for a window of ``n`` rows."""
    n = int(n)  # it may be a number of numpy's
    return n.bit_length() + n.bit_count() - 2


def window_moments(x: Floats, n: int) -> Moments:
    """Return the moments of each full window of ``x`` (D, …), D - n + 1 of them; 0 where nothing is known."""
    known = np.isfinite(x)
    block = Moments(np.where(known, x, 0.0), np.zeros(x.shape), known.astype(np.float64))
    whole, done, rows = block, 0, 1
    while True:
        if n & rows:
            whole = joined(whole, block, done) if done else block
            done += rows
        if 2 * rows > n:
            return whole
        block = joined(block, block, rows)
        rows *= 2


def joined(older: Moments, newer: Moments, rows: int) -> Moments:
    """Return the moments of each block of ``rows`` rows together with the one that follows it."""
    later = Moments(*(each[rows:] for each in newer))
    earlier = Moments(*(each[: len(later.mean)] for each in older))
    both = earlier.known + later.known
    share = later.known / np.maximum(both, 1.0)
    delta = later.mean - earlier.mean
    squares = (earlier.squares + later.squares) + delta * delta * (earlier.known * share)
    return Moments(earlier.mean + delta * share, squares, both)


def deviations(x: Floats, n: int, needed: int, ddof: int, *, in_machine_code: bool) -> Floats:
    """Return the standard deviation of the known values of each window, by their number less ``ddof``.

    NaN before the first full window, with fewer than ``needed`` known values, and where ``ddof`` leaves none.
    """
    found = np.empty(x.shape)
    found[: n - 1] = np.nan
    if len(x) < n:
        return found
    if in_machine_code:
        write = compiled(write_deviations, *CALLS)
        write(frozen(x).reshape(-1), x.size // len(x), n, needed, ddof, found.reshape(-1))
        return found
    _, squares, known = window_moments(x, n)
    good = (known >= needed) & (known > ddof)
    found[n - 1 :] = np.where(good, np.sqrt(squares / np.maximum(known - ddof, 1.0)), np.nan)
    return found


def zscores(x: Floats, n: int, needed: int, *, in_machine_code: bool) -> Floats:
    """Return how many deviations (ddof 1) each value is above the mean of its window.

    NaN also where the value is unknown, or the deviation at most ``NO_SPREAD``.
    """
    found = np.empty(x.shape)
    found[: n - 1] = np.nan
    if len(x) < n:
        return found
    if in_machine_code:
        write = compiled(write_zscores, *CALLS)
        write(frozen(x).reshape(-1), x.size // len(x), n, needed, found.reshape(-1))
        return found
    mean, squares, known = window_moments(x, n)
    deviation = np.sqrt(squares / np.maximum(known - 1.0, 1.0))
    good = (known >= needed) & (known > 1.0) & (deviation > NO_SPREAD) & np.isfinite(x[n - 1 :])
    found[n - 1 :] = np.nan
    np.divide(x[n - 1 :] - mean, deviation, out=found[n - 1 :], where=good)
    return found


# --- For machine code: flat tables with ``row_size`` values to a row, of which strips are joined.
# ``room`` (13, …) has a row for the values of a strip, and three (mean, squares, known) for each of four lots
# of blocks, named by the first.


def write_deviations(x: Floats, row_size: int, n: int, needed: int, ddof: int, out: Floats) -> None:
    """Write the standard deviation of the window that each value of ``x`` ends into its place of ``out``."""
    windows = len(x) // row_size - n + 1
    room = np.empty((13, (min(windows, ROWS) + n) * min(row_size, WIDTH)))
    for left in range(0, row_size, WIDTH):
        width = min(WIDTH, row_size - left)
        for first in range(0, windows, ROWS):
            count = min(ROWS, windows - first)
            copy_rows(x, row_size, first * row_size + left, room[0], width, 0, width, count + n - 1)
            at = join_windows(room, n, width, count)
            squares, rows = room[at + 1], room[at + 2]
            for place in range(count * width):
                good = rows[place] >= needed and rows[place] > ddof
                deviation = math.sqrt(squares[place] / max(rows[place] - ddof, 1.0))
                squares[place] = deviation if good else np.nan
            copy_rows(squares, width, 0, out, row_size, (first + n - 1) * row_size + left, width, count)


def write_zscores(x: Floats, row_size: int, n: int, needed: int, out: Floats) -> None:
    """Write the z-score of each value of ``x`` in the window that it ends into its place of ``out``."""
    windows = len(x) // row_size - n + 1
    room = np.empty((13, (min(windows, ROWS) + n) * min(row_size, WIDTH)))
    for left in range(0, row_size, WIDTH):
        width = min(WIDTH, row_size - left)
        for first in range(0, windows, ROWS):
            count = min(ROWS, windows - first)
            copy_rows(x, row_size, first * row_size + left, room[0], width, 0, width, count + n - 1)
            at = join_windows(room, n, width, count)
            values, mean, squares, rows = room[0, (n - 1) * width :], room[at], room[at + 1], room[at + 2]
            for place in range(count * width):
                value, known = values[place], rows[place]
                deviation = math.sqrt(squares[place] / max(known - 1.0, 1.0))
                score = (value - mean[place]) / deviation
                good = known >= needed and known > 1.0 and abs(value) < np.inf
                mean[place] = score if good and deviation > NO_SPREAD else np.nan
            copy_rows(mean, width, 0, out, row_size, (first + n - 1) * row_size + left, width, count)


def copy_rows(
    table: Floats,
    row_size: int,
    start: int,
    out: Floats,
    out_size: int,
    out_start: int,
    width: int,
    rows: int,
) -> None:
    """Copy ``width`` values of each row of a flat table, from ``start`` on, into the rows of another."""
    for row in range(rows):
        for column in range(width):
            out[out_start + row * out_size + column] = table[start + row * row_size + column]


def join_windows(room: Floats, n: int, width: int, count: int) -> int:
    """Join the first ``count`` windows of a strip, as ``window_moments`` does; return the row of their means.

    Rows of counts are not looked at in a strip without a gap, but in the end.
    """
    block, next_block, whole, next_whole = 1, 4, 7, 10
    size = (count + n - 1) * width
    gaps = 0
    values, mean, squares, known_rows = room[0], room[block], room[block + 1], room[block + 2]
    for place in range(size):
        known = abs(values[place]) < np.inf
        mean[place] = values[place] if known else 0.0
        squares[place] = 0.0
        known_rows[place] = 1.0 if known else 0.0
        gaps += 0 if known else 1
    full = count * width
    done, rows = 0, 1
    while done < n:
        add = n & rows & ~done != 0
        if add and done == 0:
            for row in range(3):
                copy_rows(room[block + row], full, 0, room[whole + row], full, 0, full, 1)
            done = rows
        elif add:
            join(room, whole, block, next_whole, done, rows, width, full, gaps)
            whole, next_whole = next_whole, whole
            done += rows
        else:
            size -= rows * width
            join(room, block, block, next_block, rows, rows, width, size, gaps)
            block, next_block = next_block, block
            rows *= 2
    if gaps == 0:
        counts = room[whole + 2]
        for place in range(full):
            counts[place] = n
    return whole


def join(
    room: Floats,
    older: int,
    newer: int,
    out: int,
    rows: int,
    newer_rows: int,
    width: int,
    size: int,
    gaps: int,
) -> None:
    """Join ``size`` blocks of ``rows`` rows, each with the one that follows it; ``out`` is where they go."""
    after = rows * width
    mean, squares, known = room[older], room[older + 1], room[older + 2]
    next_mean, next_squares = room[newer, after:], room[newer + 1, after:]
    next_known = room[newer + 2, after:]
    both_mean, both_squares, both_known = room[out], room[out + 1], room[out + 2]
    share = newer_rows / float(rows + newer_rows)
    weight = rows * share
    for place in range(size if gaps == 0 else 0):
        delta = next_mean[place] - mean[place]
        both_mean[place] = mean[place] + delta * share
        both_squares[place] = (squares[place] + next_squares[place]) + delta * delta * weight
    for place in range(0 if gaps == 0 else size):
        both = known[place] + next_known[place]
        share = next_known[place] / max(both, 1.0)
        delta = next_mean[place] - mean[place]
        both_mean[place] = mean[place] + delta * share
        weight = known[place] * share
        both_squares[place] = (squares[place] + next_squares[place]) + delta * delta * weight
        both_known[place] = both


# What both call, for the compiler.
CALLS = (copy_rows, join, join_windows)
