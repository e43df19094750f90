"""The calibration: its truths are what they say, its table and its errors are right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.calibration import ROWS, TRIALS, Measured, distances, numbers, search, summary, table

BY_NAME = {row.name: row for row in ROWS}


def test_searches_have_the_correlation_and_the_ratios_of_their_row():
    found = search(BY_NAME["even"], 1)
    assert found.returns.shape == (2520, 48)
    pairs = np.corrcoef(found.returns, rowvar=False)[np.triu_indices(TRIALS, 1)]
    assert pairs.mean() == pytest.approx(0.8, abs=0.02)
    annual = (
        np.mean([search(BY_NAME["even"], seed).returns.mean(axis=0) for seed in range(100)], axis=0)
        * math.sqrt(252.0)
        / 0.01
    )
    # a mean of 100 searches of ten years has an error of 1 / sqrt(1000)
    np.testing.assert_allclose(annual, np.linspace(0.0, 1.0, TRIALS), atol=0.13)
    ratios = found.returns.mean(axis=0) / found.returns.std(axis=0, ddof=1)
    assert found.selected == int(np.argmax(ratios))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers():
    first = numbers(BY_NAME["single"], 7)
    assert first == numbers(BY_NAME["single"], 7) != numbers(BY_NAME["single"], 8)
    assert sum(first[6:]) == 1.0


def test_summary_of_outcomes():
    row = BY_NAME["half"]
    outcomes = np.array(
        [[0.8, 1, 0, 1, 1, 0.4, 1, 0, 0, 0], [1.0, 1, 0, 0, 1, 0.6, 0, 1, 0, 0]], dtype=np.float64
    )
    found = summary(row, outcomes)
    assert found.values == pytest.approx((0.9, 1.0, 0.0, 0.5, 1.0, 0.5, math.sqrt(0.02)))
    # a coin has a fourth moment of 1: its deviation has no error to the first order
    assert found.errors[6] == pytest.approx(0.0, abs=1e-6)
    assert found.words == (0.5, 0.5, 0.0, 0.0)
    # two means of two values with a deviation of sqrt(0.02) each
    assert found.errors[0] == pytest.approx(math.sqrt(0.02))
    # shares 1 and 0.83 of two each, one more of either kind: (2 * 1.83 + 1) / 6
    share = (2.0 * 1.83 + 1.0) / 6.0
    assert found.errors[1] == pytest.approx(math.sqrt(share * (1.0 - share)))


def test_the_table_and_the_distance_to_the_reference():
    row = BY_NAME["null"]
    exact = Measured(row.reference, (0.02,) * 7, (0.0, 0.6, 0.4, 0.0))
    assert [distance for _, _, distance in distances({"null": exact})] == [0.0] * 7
    off = Measured((0.71 + 0.045, *row.reference[1:]), (0.02,) * 7, exact.words)
    assert next(distances({"null": off}))[2] == pytest.approx(2.0)
    *_, line = table({"null": exact})
    assert line == (
        "| all SR 0, uncorrelated | 0.71 (0.71) | 93% (93%) | 0% (0%) | 0% (0%) | 4% (4%) "
        "| 0.49 (0.17) (0.49 (0.17)) | 0% | 60% | 40% |"
    )
