"""Windows, with a pencil and against plain Python loops."""

from __future__ import annotations

import math
from fractions import Fraction

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
    np.testing.assert_array_equal(zscore(column(1, 3, 5), np.int64(3)), [NAN, NAN, (5 - 3) / 2])


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


def plain_moments(window: list[float]) -> tuple[float, float, int]:
    """Return mean, squared deviations and number of what is known, of 1, 2, 4, … rows and those before."""
    if len(window) == 1:
        return (0.0, 0.0, 0) if math.isnan(window[0]) else (window[0], 0.0, 1)
    newest = 2 ** ((len(window) - 1).bit_length() - 1)
    mean, squares, known = plain_moments(window[:-newest])
    later, later_squares, later_known = plain_moments(window[-newest:])
    share = later_known / max(known + later_known, 1)
    delta = later - mean
    joined = (squares + later_squares) + delta * delta * (known * share)
    return mean + delta * share, joined, known + later_known


def plain_std(window: list[float], ddof: int) -> float:
    _, squares, known = plain_moments(window)
    return math.sqrt(squares / (known - ddof)) if known > ddof else NAN


def plain_zscore(window: list[float]) -> float:
    deviation = plain_std(window, 1)
    return (window[-1] - plain_moments(window)[0]) / deviation if deviation > 1e-12 else NAN


def drawn_tables(rows: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, st.tuples(st.integers(0, rows), st.integers(1, 3)), elements=NUMBERS)


@pytest.mark.parametrize(
    ("function", "plain"),
    [
        (rolling_std, lambda window: plain_std(window, 1)),
        (lambda *words: rolling_std(*words, ddof=0), lambda window: plain_std(window, 0)),
        (zscore, plain_zscore),
    ],
)
@UNHURRIED
@given(x=drawn_tables(24), n=st.integers(1, 20), at_least=st.integers(1, 20))
def test_deviations_equal_plain_python_to_the_last_bit(function, plain, x, n, at_least):
    at_least = min(at_least, n)
    expected = np.full(x.shape, NAN)
    for s in range(x.shape[1]):
        for d, window in enumerate(windows_of(x[:, s].tolist(), n)):
            if window is not None and sum(not math.isnan(value) for value in window) >= at_least:
                expected[d, s] = plain(window)
    np.testing.assert_array_equal(function(x, n, at_least), expected)


@given(n=st.integers(2, 130), level=st.sampled_from([0, 1, 1e3, 1e6]), seed=st.integers(0, 10_000))
def test_deviations_are_near_those_of_exact_fractions(n, level, seed):
    values = level + np.random.default_rng(seed).normal(size=n)
    exact = [Fraction(value) for value in values]
    mean = sum(exact, Fraction()) / n
    variance = sum(((value - mean) ** 2 for value in exact), Fraction()) / (n - 1)
    # Of a mean far from 0, each subtraction loses the bits that the mean has more than the deviation, and a
    # window has eight sizes of blocks at most.
    rounding = 8 * 2.0**-52 * math.sqrt(1.0 + float(mean**2 / variance))
    assert rolling_std(values, n)[-1] == pytest.approx(math.sqrt(variance), rel=rounding)
    score = float(exact[-1] - mean) / math.sqrt(variance)
    assert zscore(values, n)[-1] == pytest.approx(score, rel=rounding, abs=rounding)


@pytest.mark.parametrize("value", [0.1, 123_456_789.12, 1e-9, 7e15])
@pytest.mark.parametrize("n", [2, 3, 60, 120])
def test_what_stands_still_has_no_deviation_however_large_it_is(value, n):
    assert rolling_std(np.full(n, value), n)[-1] == 0.0
    assert math.isnan(zscore(np.full(n, value), n)[-1])


@pytest.mark.parametrize(("function", "plain"), [(rolling_sum, plain_sum), (rolling_mean, plain_mean)])
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
