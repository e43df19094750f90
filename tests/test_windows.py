"""Windows, with a pencil and against plain Python loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data.errors import UsageError
from strategies.cross_section import group_means, ranks_in_group, residuals, row_means, row_sums
from strategies.windows import (
    change,
    is_record,
    rolling_count,
    rolling_mean,
    rolling_reach,
    rolling_std,
    rolling_sum,
    shift,
    streak,
    zscore,
)

NAN = math.nan
# Six decimals: a price or a balance of 1e-300, by which a quotient overflows, does not exist.
NUMBERS = st.one_of(st.just(NAN), st.floats(-1e6, 1e6).map(lambda value: round(value, 6)))
TABLES = hnp.arrays(np.float64, st.tuples(st.integers(0, 12), st.integers(1, 3)), elements=NUMBERS)
WINDOWS = st.integers(1, 6)
UNHURRIED = settings(deadline=None)


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


# --- with a pencil ----------------------------------------------------------------------------------------


def test_reach_counts_the_rows_that_values_stand_for():
    spans = column(NAN, 2, NAN, NAN, 5, 1, NAN)
    # 2 stands for rows 0 and 1; 5 for 2 to 4, and not for those of the value before; 1 for row 5.
    np.testing.assert_array_equal(rolling_reach(spans, 3), [0, 0, 2, 1, 3, 3, 2])
    np.testing.assert_array_equal(rolling_reach(column(1, NAN, 1, 1), 2), [0, 1, 1, 2])


def test_shift_moves_values_down():
    np.testing.assert_array_equal(shift(column(1, 2, 3), 1), [NAN, 1, 2])
    np.testing.assert_array_equal(shift(column(1, 2, 3), 0), [1, 2, 3])
    np.testing.assert_array_equal(shift(column(1, 2, 3), 5), [NAN, NAN, NAN])


def test_change_is_relative_to_the_row_n_before():
    np.testing.assert_array_equal(change(column(2, 3, 5), 1), [NAN, 3 / 2 - 1, 5 / 3 - 1])


def test_change_from_zero_or_below_is_unknown():
    np.testing.assert_array_equal(change(column(0, 3, -1, 5), 1), [NAN, NAN, -1 / 3 - 1, NAN])


def test_rolling_sum_needs_full_windows():
    np.testing.assert_array_equal(rolling_sum(column(1, 2, 4, 8), 3), [NAN, NAN, 7, 14])
    np.testing.assert_array_equal(rolling_sum(column(1, 2), 3), [NAN, NAN])


def test_rolling_sum_leaves_out_what_is_unknown():
    x = column(1, NAN, 4, 8)
    np.testing.assert_array_equal(rolling_sum(x, 3), [NAN, NAN, NAN, NAN])
    np.testing.assert_array_equal(rolling_sum(x, 3, at_least=2), [NAN, NAN, 5, 12])
    np.testing.assert_array_equal(rolling_count(x, 3), [0, 0, 2, 2])


def test_a_window_of_unknown_rows_has_no_sum_however_few_are_asked_for():
    np.testing.assert_array_equal(rolling_sum(column(NAN, NAN), 2, at_least=0), [NAN, NAN])


def test_rolling_mean_divides_by_the_known_rows():
    np.testing.assert_array_equal(rolling_mean(column(1, NAN, 5), 3, at_least=2), [NAN, NAN, 3])


def test_rolling_std_has_ddof_one():
    np.testing.assert_array_equal(rolling_std(column(1, 3, 5), 3), [NAN, NAN, 2])
    np.testing.assert_array_equal(rolling_std(column(1, 3), 2, ddof=0), [NAN, 1])


def test_rolling_std_of_one_value_is_unknown():
    np.testing.assert_array_equal(rolling_std(column(1, 3), 1), [NAN, NAN])


def test_zscore():
    np.testing.assert_array_equal(zscore(column(1, 3, 5), 3), [NAN, NAN, (5 - 3) / 2])


def test_zscore_of_a_constant_is_unknown():
    np.testing.assert_array_equal(zscore(column(0.1, 0.1, 0.1, 0.1), 3), [NAN] * 4)


def test_zscore_of_an_unknown_row_is_unknown():
    np.testing.assert_array_equal(zscore(column(1, 3, NAN), 3, at_least=2), [NAN] * 3)


def test_a_record_is_the_highest_of_its_window():
    np.testing.assert_array_equal(is_record(column(5, 1, 2, 2, 3, 1), 3), [0, 0, 0, 1, 1, 0])


def test_a_record_needs_as_many_known_rows_as_asked_for():
    x = column(NAN, NAN, 7, 6)
    np.testing.assert_array_equal(is_record(x, 3), [0, 0, 0, 0])
    np.testing.assert_array_equal(is_record(x, 3, at_least=1), [0, 0, 1, 0])


def test_a_streak_counts_back_to_the_last_break_but_no_further_than_its_limit():
    happened = np.array([1, 1, 0, 1, 1, 1, 1], dtype=bool)
    np.testing.assert_array_equal(streak(happened, 3), [1, 2, 0, 1, 2, 3, 3])


@pytest.mark.parametrize("function", [rolling_sum, rolling_mean, rolling_std, zscore, is_record, streak])
def test_a_window_has_at_least_one_row(function):
    with pytest.raises(UsageError, match="received 0; limit: at least 1"):
        function(column(1, 2), 0)


def test_rows_are_summed_without_what_is_unknown():
    np.testing.assert_array_equal(row_sums(np.array([[1, NAN, 2], [NAN] * 3])), [[3], [0]])
    np.testing.assert_array_equal(row_means(np.array([[1, NAN, 2], [NAN] * 3])), [[1.5], [NAN]])


def test_group_means_are_over_the_known_funds_of_a_group():
    x = np.array([[1.0, 5.0, NAN, 3.0], [NAN, 2.0, NAN, 4.0]])
    np.testing.assert_array_equal(group_means(x, "ABAA"), [[2, 5, 2, 2], [4, 2, 4, 4]])


def test_ranks_in_a_group_are_by_value_then_symbol():
    x = np.array([[1.0, 5.0, 1.0, 3.0], [NAN, 2.0, 6.0, NAN]])
    np.testing.assert_array_equal(ranks_in_group(x, "ABAA", "zyxw"), [[3, 1, 2, 1], [NAN, 1, 1, NAN]])


def test_residuals_of_a_line_with_one_point_off():
    # x = 0, 1, 2 and y = 0, 0, 3: slope (1 * 1.0 + 1 * 2.0) / 2 = 1.5, mean x 1, mean y 1.
    e = residuals(np.array([[0.0, 0.0, 3.0]]), np.array([[0.0, 1.0, 2.0]]))
    np.testing.assert_array_equal(e, [[-1 + 1.5, -1.0, 2 - 1.5]])


def test_residuals_need_three_funds():
    e = residuals(np.array([[1.0, 2.0, NAN, 5.0]]), np.array([[1.0, 3.0, 1.0, NAN]]))
    np.testing.assert_array_equal(e, [[NAN] * 4])


def test_residuals_where_all_x_are_equal_are_deviations_from_the_mean():
    np.testing.assert_array_equal(residuals(np.array([[1.0, 2, 3]]), np.ones((1, 3))), [[-1, 0, 1]])


# --- against plain Python ---------------------------------------------------------------------------------


def windows_of(values: list[float], n: int) -> list[list[float] | None]:
    return [values[d - n + 1 : d + 1] if d >= n - 1 else None for d in range(len(values))]


def plain_sum(window: list[float]) -> float:
    total = 0.0
    for value in window:
        total += value
    return total


def plain_mean(window: list[float]) -> float:
    return plain_sum(window) / len(window)


def plain_std(window: list[float]) -> float:
    if len(window) < 2:
        return NAN
    mean = plain_mean(window)
    return math.sqrt(plain_sum([(value - mean) * (value - mean) for value in window]) / (len(window) - 1))


@pytest.mark.parametrize(
    ("function", "plain"),
    [(rolling_sum, plain_sum), (rolling_mean, plain_mean), (rolling_std, plain_std)],
)
@UNHURRIED
@given(x=TABLES, n=WINDOWS, at_least=WINDOWS)
def test_windows_equal_plain_python_to_the_last_bit(function, plain, x, n, at_least):
    at_least = min(at_least, n)
    expected = np.full(x.shape, NAN)
    for s in range(x.shape[1]):
        for d, window in enumerate(windows_of(x[:, s].tolist(), n)):
            known = [value for value in window or [] if not math.isnan(value)]
            if window is not None and len(known) >= at_least:
                expected[d, s] = plain(known)
    np.testing.assert_array_equal(function(x, n, at_least), expected)


@UNHURRIED
@given(x=TABLES, n=WINDOWS)
def test_zscore_is_deviation_over_standard_deviation(x, n):
    with np.errstate(invalid="ignore"):
        std = np.where(rolling_std(x, n) > 1e-12, rolling_std(x, n), NAN)
        expected = (x - rolling_mean(x, n)) / std
    np.testing.assert_array_equal(zscore(x, n), expected)


@UNHURRIED
@given(x=TABLES, n=WINDOWS)
def test_records_equal_plain_python(x, n):
    for s in range(x.shape[1]):
        found = is_record(x[:, s], n)
        for d, window in enumerate(windows_of(x[:, s].tolist(), n)):
            complete = window is not None and not any(math.isnan(value) for value in window)
            assert found[d] == (complete and x[d, s] == max(window))


@UNHURRIED
@given(happened=hnp.arrays(bool, st.tuples(st.integers(0, 12), st.integers(1, 3))), n=WINDOWS)
def test_streaks_equal_plain_python(happened, n):
    for s in range(happened.shape[1]):
        length = 0
        for d, it_did in enumerate(happened[:, s]):
            length = length + 1 if it_did else 0
            assert streak(happened, n)[d, s] == min(length, n)


@pytest.mark.parametrize("function", [rolling_sum, rolling_std, zscore, change, is_record, streak])
@UNHURRIED
@given(x=TABLES, n=WINDOWS, data=st.data())
def test_a_row_depends_on_its_window_alone(function, x, n, data):
    if function is streak:
        x = x > 0
    reach = n + (function is change)
    first = data.draw(st.integers(0, len(x)))
    last = data.draw(st.integers(first, len(x)))
    fewer = data.draw(st.integers(1, x.shape[1]))
    whole = function(x, n)[first:last, :fewer]
    part = function(np.ascontiguousarray(x[first:last, :fewer]), n)
    np.testing.assert_array_equal(part[reach - 1 :], whole[reach - 1 :])


@UNHURRIED
@given(x=TABLES, y=TABLES, data=st.data())
def test_residuals_do_not_depend_on_the_order_of_funds_nor_on_a_fund_without_values(x, y, data):
    rows, columns = (min(a, b) for a, b in zip(x.shape, y.shape, strict=True))
    x, y = x[:rows, :columns], y[:rows, :columns]
    order = data.draw(st.permutations(range(columns)))
    np.testing.assert_array_equal(residuals(y[:, order], x[:, order]), residuals(y, x)[:, order])
    nobody = np.full((rows, 1), NAN)
    wider = residuals(np.hstack([nobody, y]), np.hstack([nobody, x]))
    np.testing.assert_array_equal(wider[:, 1:], residuals(y, x))
