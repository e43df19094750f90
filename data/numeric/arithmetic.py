"""Arithmetic that gives the same bits everywhere: rounding half up to a tick, and sums in a fixed order.

The built-in ``sum`` compensates rounding errors from Python 3.12 on; numpy adds in pairs, or one by one,
depending on the layout in memory. What a result depends on is added here, from left to right.

Powers, logarithms and exponentials of an array have other bits on a processor with AVX-512 than on one
without (even ``10.0**-5`` has), where a run would not reproduce. Products, square roots, sums, and powers of
plain floats have the same, and ``math``, as long as the C library is the same and the processor has FMA; a
sum of products has them, a product of matrices has not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

# 1.0045 has no exact binary form and lies a little below the half; this many ticks lift it over.
# Far above the rounding error of x / tick (1e-16 of up to 1e8 ticks), far below any true distance.
_SLACK = 1e-7
_HALF = 0.5 + _SLACK


def round_half_up(value: float, tick: float) -> float:
    """Return ``value`` rounded half up to a multiple of ``tick``, as the decimal nearest to it.

    ``1.0045`` to ``0.001`` gives ``1.005``, where ``round()`` gives ``1.004``. A scalar kernel: floats in,
    float out, NaN stays NaN, no checks.
    """
    if not math.isfinite(value):
        return math.nan
    ticks = math.floor(value / tick + _HALF)
    # Division by a whole number gives the double nearest to the decimal; multiplication by 0.001 does not.
    return ticks / (1.0 / tick) if tick < 1.0 else ticks * tick


def round_down(value: float, tick: float) -> float:
    """Return ``value`` rounded down to a multiple of ``tick``; NaN and infinity stay what they are."""
    if not math.isfinite(value):
        return value
    ticks = math.floor(value / tick + _SLACK)
    return ticks / (1.0 / tick) if tick < 1.0 else ticks * tick


def round_up(value: float, tick: float) -> float:
    """Return ``value`` rounded up to a multiple of ``tick``; NaN and infinity stay what they are."""
    return -round_down(-value, tick)


def round_half_up_array(values: NDArray[np.float64], tick: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return :func:`round_half_up` of each element; the same bits."""
    # In place: of a thousand funds, each array between would be as large as the result.
    result = values / tick
    result += _HALF
    np.floor(result, out=result)
    small = tick < 1.0
    np.multiply(result, tick, out=result, where=~small)
    return np.divide(result, 1.0 / tick, out=result, where=small)


def cubes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the third power of each element, by products."""
    return values * values * values


def fourth_powers(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fourth power of each element, by products."""
    squares = values * values
    return squares * squares


def powers(values: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Return each element, none below zero, to the power of one number."""
    return np.array([value**exponent for value in values.tolist()])


def log_growth(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``log(1 + r)`` of each simple return, all above -1."""
    return np.array([math.log1p(value) for value in returns.tolist()])


def total(values: Iterable[float]) -> float:
    """Return the sum, added one by one from left to right."""
    result = 0.0
    for value in values:
        result += value
    return result


def sample_deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation (ddof 1) of two or more values; two passes, left to right."""
    mean = total(values) / len(values)
    squares = total((value - mean) * (value - mean) for value in values)
    return math.sqrt(squares / (len(values) - 1))


def sample_deviations(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return :func:`sample_deviation` of the last ``most`` of the first 0, 1, …, n values, (n + 1,).

    The same bits; NaN of fewer than two.
    """
    padded = np.concatenate((np.zeros(most), values))
    windows = np.lib.stride_tricks.sliding_window_view(padded, most)
    counts = np.minimum(np.arange(len(windows)), most)
    sums, squares = np.zeros(len(windows)), np.zeros(len(windows))
    # One place of all windows at a time, the oldest first: zeros before the first value change no sum.
    for place in range(most):
        sums += windows[:, place]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
        for place in range(most):
            centred = windows[:, place] - means
            squares += np.where(place >= most - counts, centred * centred, 0.0)
        return np.where(counts > 1, np.sqrt(squares / (counts - 1)), np.nan)
