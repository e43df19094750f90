"""Rounding half up to a tick, against decimal arithmetic; sums in a fixed order."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.numeric.arithmetic import (
    round_half_up,
    round_half_up_array,
    sample_deviation,
    sample_deviations,
    total,
)


@pytest.mark.parametrize(
    ("value", "tick", "expected"),
    [
        (1.0045, 0.001, 1.005),  # round() gives 1.004
        (0.9973, 0.001, 0.997),
        (1.7779 / 2, 0.001, 0.889),
        (3.160 / 3, 0.001, 1.053),
        (5.005, 0.01, 5.01),
        (0.655, 0.01, 0.66),
        (17.0, 5.0, 15.0),
        (17.5, 5.0, 20.0),
    ],
)
def test_half_goes_up(value: float, tick: float, expected: float) -> None:
    assert round_half_up(value, tick) == expected


def test_nan_stays_nan() -> None:
    assert np.isnan(round_half_up(float("nan"), 0.001))


@given(st.integers(1, 10**9), st.sampled_from(["0.001", "0.01", "0.5"]))
def test_equals_decimal_rounding_of_the_decimal_that_was_written(ten_thousandths: int, tick: str) -> None:
    written = Decimal(ten_thousandths) / Decimal(10_000)
    expected = (written / Decimal(tick)).quantize(Decimal(1), ROUND_HALF_UP) * Decimal(tick)
    assert round_half_up(float(written), float(tick)) == float(expected)


@given(st.lists(st.floats(0.001, 1e5), min_size=1, max_size=20), st.sampled_from([0.001, 0.01]))
def test_array_gives_the_same_bits_as_the_scalar(values: list[float], tick: float) -> None:
    together = round_half_up_array(np.array(values), np.array(tick))
    assert together.tolist() == [round_half_up(value, tick) for value in values]


def test_a_sum_is_added_from_left_to_right_on_every_version_of_python() -> None:
    # Compensated, as the built-in sum is from 3.12 on, it would be 1.0.
    assert total([0.1] * 10) == 0.9999999999999999


def test_sample_deviation_of_a_few_numbers() -> None:
    # Mean 2.5; squares 2.25 + 0.25 + 0.25 + 2.25 = 5; 5 / 3.
    assert sample_deviation([1.0, 2.0, 3.0, 4.0]) == pytest.approx((5 / 3) ** 0.5, rel=1e-15)


MEASURED = """
import numpy as np
from engine.metrics.path import Path
from engine.metrics.returns import conditional_value_at_risk, kurtosis, skew, stability_of_timeseries
from engine.statistics.sharpe import moments

for seed in range(50):
    returns = np.random.default_rng(seed).normal(0.0004, 0.012, 1212)
    path, of = Path.of_returns(returns, 244.0), moments(returns)
    print(skew(path), kurtosis(path), stability_of_timeseries(path), conditional_value_at_risk(path))
    print(of.skewness, of.kurtosis)
"""


JUDGED = """
import json
from data.demo import Demo
from data.load import load_panel
from engine import audit, compare, event, factor, tune
from strategies import STRATEGIES

panel = load_panel(Demo(), ["157001.SZ", "157002.SZ", "157003.SZ", "157004.SZ", "157005.SZ", "157006.SZ"])
flow = STRATEGIES["share_inflow"](lookback=10, top=1)
search = tune(
    flow, panel, ["lookback=5,10,20", "top=1,2"], costs={"cash_rate": 0.02}, benchmark="DEMO-ALL"
)
told = [
    search.document()["judgement"],
    compare({"flow": flow, "momentum": STRATEGIES["momentum"](top=1)}, panel).document({}, None, {}),
    factor(flow, panel, horizons=[1, 5, 20]).document(),
    event(STRATEGIES["event"](when="inflow_streak >= 3"), panel, horizons=[1, 5]).document(),
    audit(flow, panel, only=["placebo", "cost_and_capacity"], draws=10, catalogue=STRATEGIES).document(),
]
print(json.dumps(told, default=str))
"""

NO_AVX_512 = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR", "OPENBLAS_CORETYPE": "Haswell"}
NO_AVX = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "OPENBLAS_CORETYPE": "Prescott"}


def printed(script: str, root: Path, **environment: str) -> str:
    """Return what a script prints in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=root,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.slow
def test_what_is_measured_of_returns_has_the_same_bits_without_the_widest_registers(root: Path) -> None:
    """numpy has an ``x**3``, a ``log1p`` and a partition for AVX-512, and OpenBLAS a scalar product."""
    own = printed(MEASURED, root)
    assert len(own.split()) == 300
    assert printed(MEASURED, root, **NO_AVX_512) == own
    assert printed(MEASURED, root, **NO_AVX) == own


@pytest.mark.slow
def test_a_verdict_and_all_other_statistics_have_the_same_bits_on_an_older_processor(
    root: Path, tmp_path: Path
) -> None:
    """On a processor without AVX-512, or where there is none anyway, without AVX2."""

    def told(number: int, environment: dict[str, str]) -> str:
        place = tmp_path / str(number)
        place.mkdir()
        script = f"import os, sys\nsys.path.insert(0, {str(root)!r})\n{JUDGED}"
        return printed(script, place, ETFLOW_STATE=str(place / "state"), **environment)

    own = told(0, {})
    assert '"deflated"' in own
    assert told(1, NO_AVX) == own


def test_deviations_of_the_last_values_are_those_of_each_slice() -> None:
    # Of 1 and 2 a half is the square, of 2 and 4 it is 2; before there are two, there is none.
    found = sample_deviations(np.array([1.0, 2.0, 4.0]), 2)
    np.testing.assert_array_equal(found, [np.nan, np.nan, 0.5**0.5, 2.0**0.5])
    drawn = np.random.default_rng(5).normal(0.0, 0.02, 70)
    expected = [sample_deviation(drawn[max(0, end - 20) : end].tolist()) for end in range(2, 71)]
    np.testing.assert_array_equal(sample_deviations(drawn, 20)[2:], expected)
    assert np.isnan(sample_deviations(np.empty(0), 20)).all()
