"""The six blocks of the page: numbers, and the reason of each that is undefined.

Fractions are fractions, Sharpe ratios and their errors are annual (times the root of the sessions per year),
NaN is undefined and its field is in ``reasons``. ``engine.verdict.text`` has the words for each field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Reasons = Mapping[str, str]
"""Name of a field -> why it is NaN."""


@dataclass(frozen=True)
class Selected:
    """Block 1: the trial that was chosen.

    Errors allow for dependence (Lo); intervals are bias-corrected bootstraps at 95 %. Those in sample say
    nothing of the search: that is for blocks 2 to 4. ``drawdown_path`` is what 5 % of resampled histories
    fall below; ``out_over_in`` is the ratio out of sample over the mean of those in the training windows.
    """

    parameters: Mapping[str, Any]
    sessions: int
    years: float
    in_sample: float
    in_sample_error: float
    in_sample_low: float
    in_sample_high: float
    out_of_sample: float
    out_of_sample_error: float
    out_of_sample_low: float
    out_of_sample_high: float
    out_of_sample_sessions: int
    training: float
    out_over_in: float
    growth: float
    volatility: float
    drawdown: float
    drawdown_path: float
    turnover: float
    cost_share: float
    block: float
    reasons: Reasons


@dataclass(frozen=True)
class Skill:
    """Block 2: whether any trial beats the benchmark, and equal weight.

    ``benchmark`` is the harder of the two, which counts; ``other`` the other one, empty where there is none.
    ``spa`` is the p-value ``measured`` on the trials that can be run again, times ``penalty`` for those that
    cannot. ``survivors`` of ``tested`` trials pass the stepwise test; ``accepted`` is their share of all on
    record, or of one of each kind, whichever is smaller. Of the differences of Sharpe ratios, ``_p`` is
    the largest bootstrap p-value of blocks of 1, 5 and 10 sessions, ``_p_robust`` the prewhitened one.
    """

    benchmark: str
    spa: float
    spa_lower: float
    spa_upper: float
    block: float
    resamples: int
    sessions: int
    tested: int
    survivors: int
    selected_survives: bool
    benchmark_sharpe: float
    benchmark_difference: float
    benchmark_p: float
    benchmark_p_robust: float
    default_difference: float
    default_p: float
    default_p_robust: float
    reasons: Reasons
    notes: tuple[str, ...] = ()
    measured: float | None = None
    penalty: float = 1.0
    other: str = ""
    other_spa: float = math.nan
    accepted: float = 0.0


@dataclass(frozen=True)
class Luck:
    """Block 3: whether the winner is luck.

    ``expected_maximum`` is the bar: what the best of ``trials`` without skill is expected to show, or the
    best of ``kinds`` of them, the near-copies of each left out, whichever is higher; ``spread`` is that of
    those. Deflation is by the raw number of trials on record; ``deflated_effective`` is for information,
    with the effective number by average correlation. ``haircut_sharpe`` is what Holm leaves. ``largest`` is
    the largest ratio of any trial, in size, and the only one that is per session.
    """

    trials: int
    probabilistic: float
    probabilistic_robust: float
    spread: float
    expected_maximum: float
    deflated: float
    effective: float
    effective_rank: float
    effective_participation: float
    deflated_effective: float
    haircut_sharpe: float
    haircut: float
    track_record_years: float
    backtest_years: float
    years: float
    largest: float
    reasons: Reasons
    notes: tuple[str, ...] = ()
    kinds: int = 0


@dataclass(frozen=True)
class Selection:
    """Block 4: whether choosing by rank is reliable; ``path_`` fields are of combinatorial splits.

    ``overfitting`` is among all trials, or among one of each kind, whichever is larger.

    ``interchangeable``: most trials beat the benchmark, so it matters little which is chosen.
    """

    overfitting: float
    loss: float
    blocks: int
    combinations: int
    slope: float
    slope_fit: float
    excluded: int
    interchangeable: bool
    paths: int
    path_median: float
    path_low: float
    path_high: float
    path_loss: float
    purged_size: int
    embargo_size: int
    reasons: Reasons


@dataclass(frozen=True)
class Plateau:
    """Block 5: whether the neighbourhood and the rest of the grid are good too.

    Rank 1 is the best Sharpe ratio. ``beating`` is the share of trials whose mean return, net of costs, is
    above the benchmark's on the same sessions.
    """

    neighbours: int
    neighbours_median: float
    neighbours_worst: float
    neighbours_share: float
    default_rank: int
    ranked: int
    beating: float
    reasons: Reasons


@dataclass(frozen=True)
class Assumptions:
    """Block 6: what the formulas take for granted.

    ``corrected`` is the annual ratio under the first autocorrelation; kurtosis is 3 for a normal law;
    ``largest_month`` is the best month's share of the whole profit.
    """

    autocorrelation: float
    autocorrelation_bound: float
    corrected: float
    skewness: float
    kurtosis: float
    largest_month: float
    exclusions: tuple[str, ...]
    reasons: Reasons


@dataclass(frozen=True)
class Blocks:
    """All six."""

    selected: Selected
    skill: Skill
    luck: Luck
    selection: Selection
    plateau: Plateau
    assumptions: Assumptions
