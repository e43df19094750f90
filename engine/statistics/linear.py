"""Linear algebra of few columns that gives the same bits on every processor.

BLAS and LAPACK choose their loops by processor, and round accordingly. Here each number is a sum of products
that numpy adds in an order of its own. What has a thousand columns is left to LAPACK, and rounded
(``engine.statistics.deflated``).
"""

from __future__ import annotations

import math

import numpy as np

from engine.statistics.estimate import Floats

SWEEPS = 60  # of rotations at most; four columns take about six
ORTHOGONAL = 1e-15  # a cosine up to this is rounding


def inner(one: Floats, other: Floats) -> float:
    """Return the sum of the products of two (T,) series."""
    return float(np.sum(one * other))


def correlation(one: Floats, other: Floats) -> float:
    """Return Pearson's correlation of two (T,) series around their means; NaN where one does not vary.

    From -1 to 1: rounding alone leads beyond.
    """
    one, other = one - one.mean(), other - other.mean()
    sizes = math.sqrt(inner(one, one)) * math.sqrt(inner(other, other))
    return max(-1.0, min(inner(one, other) / sizes, 1.0)) if sizes > 0.0 else math.nan


def cross_products(one: Floats, other: Floats) -> Floats:
    """Return ``one.T @ other``, (K, L), of (T, K) and (T, L)."""
    sums = [inner(left, right) for left in one.T for right in other.T]
    return np.array(sums, dtype=np.float64).reshape(one.shape[1], other.shape[1])


def product(one: Floats, other: Floats) -> Floats:
    """Return ``one @ other`` of (M, K) and (K, N)."""
    return np.asarray(np.sum(one[:, :, np.newaxis] * other, axis=1), dtype=np.float64)


def singular_values(matrix: Floats) -> tuple[Floats, Floats, Floats]:
    """Return U (M, N), s (N,) and V (N, N) with ``matrix = U diag(s) V.T``, the largest first; M >= N.

    By rotations that make pairs of columns orthogonal; a column of U is zero where s is. Source: Hestenes
    (1958).
    """
    left = np.array(matrix, dtype=np.float64, order="F")
    columns = left.shape[1]
    right = np.eye(columns)
    for _ in range(SWEEPS):
        rotated = False
        for one in range(columns):
            for other in range(one + 1, columns):
                rotated |= _rotate(left, right, one, other)
        if not rotated:
            break
    sizes = np.sqrt(np.array([inner(column, column) for column in left.T]))
    order = np.argsort(-sizes, kind="stable")
    sizes, left, right = sizes[order], left[:, order], right[:, order]
    return np.divide(left, sizes, out=np.zeros(left.shape), where=sizes > 0.0), sizes, right


def _rotate(left: Floats, right: Floats, one: int, other: int) -> bool:
    """Make two columns of ``left`` orthogonal, and turn ``right`` along; return whether they were not."""
    ours, theirs = left[:, one], left[:, other]
    shared, own, its = inner(ours, theirs), inner(ours, ours), inner(theirs, theirs)
    if not abs(shared) > ORTHOGONAL * math.sqrt(own) * math.sqrt(its):
        return False
    slope = (its - own) / (2.0 * shared)
    tangent = math.copysign(1.0, slope) / (abs(slope) + math.sqrt(1.0 + slope * slope))
    cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
    sine = cosine * tangent
    for table in (left, right):
        first, second = table[:, one].copy(), table[:, other].copy()
        table[:, one] = cosine * first - sine * second
        table[:, other] = sine * first + cosine * second
    return True


def least_squares(matrix: Floats, wanted: Floats) -> Floats:
    """Return the X (N, L) of least size for which ``matrix @ X``, (M, L), is nearest to ``wanted``.

    What rounding alone makes independent counts as dependent, as in ``np.linalg.lstsq``.
    """
    left, sizes, right = singular_values(matrix)
    kept = sizes > np.finfo(np.float64).eps * max(matrix.shape) * sizes[0]
    parts = cross_products(left[:, kept], wanted) / sizes[kept, np.newaxis]
    return product(right[:, kept], parts)
