"""Linear algebra of few columns: by hand, and against LAPACK."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.statistics.linear import correlation, cross_products, least_squares, product, singular_values


def test_products_of_small_matrices() -> None:
    one, other = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([[1.0, -1.0], [0.0, 2.0]])
    np.testing.assert_array_equal(product(one, other), [[1.0, 3.0], [3.0, 5.0], [5.0, 7.0]])
    # 1 + 9 + 25, 2 + 12 + 30, 4 + 16 + 36
    np.testing.assert_array_equal(cross_products(one, one), [[35.0, 44.0], [44.0, 56.0]])


def test_a_correlation_by_hand_is_at_most_one() -> None:
    # -1.5, -0.5, 0.5, 1.5 and -1, 1, -1, 1: 1.5 - 0.5 - 0.5 + 1.5 over the roots of 5 and 4
    found = correlation(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 4.0, 2.0, 4.0]))
    assert found == pytest.approx(2.0 / 20.0**0.5, rel=1e-15)
    line = np.array([0.0, 0.3, 0.1])  # by sums of products 1.0000000000000002
    assert correlation(line, line) == 1.0
    assert correlation(line, -line) == -1.0
    assert math.isnan(correlation(line, np.array([2.0, 2.0, 2.0])))


def test_singular_values_of_two_columns() -> None:
    # A.T A = [[25, 20], [20, 25]] has the eigenvalues 45 and 5, along (1, 1) and (1, -1).
    matrix = np.array([[3.0, 0.0], [4.0, 5.0]])
    left, sizes, right = singular_values(matrix)
    assert sizes.tolist() == pytest.approx([45.0**0.5, 5.0**0.5], rel=1e-15)
    assert np.abs(right).ravel().tolist() == pytest.approx([0.5**0.5] * 4, rel=1e-15)
    np.testing.assert_allclose(left * sizes @ right.T, matrix, rtol=0, atol=1e-15)


def test_a_line_through_four_points() -> None:
    # (0, 1), (1, 3), (2, 4), (3, 6): mean 1.5 and 3.5, slope 8 / 5, 3.5 - 1.6 * 1.5 = 1.1
    matrix = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    found = least_squares(matrix, np.array([[1.0], [3.0], [4.0], [6.0]]))
    assert found.ravel().tolist() == pytest.approx([1.1, 1.6], rel=1e-14)


def test_of_many_solutions_the_smallest_is_taken() -> None:
    # x + y = 2 in both rows: (1, 1), not (2, 0)
    found = least_squares(np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([[2.0], [2.0]]))
    assert found.ravel().tolist() == pytest.approx([1.0, 1.0], rel=1e-15)
    assert least_squares(np.zeros((3, 2)), np.ones((3, 1))).ravel().tolist() == [0.0, 0.0]


def test_columns_that_rounding_alone_makes_independent_do_not_blow_up_the_solution() -> None:
    random = np.random.default_rng(1)
    columns = random.normal(size=(200, 2))
    matrix = np.column_stack([columns, columns.sum(axis=1)])
    wanted = columns.sum(axis=1, keepdims=True)  # a + b: of least size (1, 1, 2) / 3
    found = least_squares(matrix, wanted + 0.01 * random.normal(size=(200, 1)))
    assert np.abs(found.ravel() - np.array([1.0, 1.0, 2.0]) / 3.0).max() < 0.01


@pytest.mark.parametrize("likeness", [1.0, 1e-4, 1e-8])
def test_as_lapack_to_rounding(likeness: float) -> None:
    """Columns that are nearly one, as moments of two nearly equal trials are."""
    random = np.random.default_rng(3)
    base = random.normal(0.0, 0.01, (800, 2))
    matrix = np.hstack([base, base + likeness * random.normal(0.0, 0.01, (800, 2))])
    left, sizes, right = singular_values(matrix)
    np.testing.assert_allclose(sizes, np.linalg.svd(matrix, compute_uv=False), rtol=1e-13 / likeness)
    np.testing.assert_allclose(left.T @ left, np.eye(4), rtol=0, atol=1e-13)
    np.testing.assert_allclose(left * sizes @ right.T, matrix, rtol=0, atol=1e-16)
    wanted = random.normal(0.0, 0.01, (800, 4))
    expected = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(least_squares(matrix, wanted), expected, rtol=0, atol=1e-13 / likeness * scale)
