"""What counts as enough: the lines of the verdict and of the warnings, and how many resamples a number gets.

Whoever moves a line after a result was seen has to write that down.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Lines of the verdict and of the warnings; ``docs/calibration.md`` shows how they do.

    Attributes
    ----------
    superiority, deflated, overfitting : float
        *supported* needs a p-value of superior predictive ability of at most the first, a deflated Sharpe
        ratio of at least the second, a probability of overfitting of at most the third.
    rejected_superiority, rejected_sharpe : float
        *rejected* is a p-value above the first, or an annual Sharpe ratio out of sample of at most the
        second.
    target_sharpe : float
        Annual ratio that the minimum backtest length is for.
    no_selection, loss : float
        The choice did not help: overfitting above the first, or above ``overfitting`` with a probability of
        loss above the second.
    most : float
        Trials are interchangeable if more than this share of them beats the benchmark (stepwise test).
    out_over_in : float
        Degradation: the ratio out of sample over in sample below it.
    neighbours : float
        Isolated peak: the neighbours' median ratio below this share of the selected one's.
    observations, years, blocks : float
        Below any of them nothing is inferred; sessions that are new are judged from ``observations`` on.
    suspicious_period, suspicious_annual, certain : float
        Too good: a ratio per session above the first in size, or a deflated ratio of at least ``certain``
        with an annual ratio above the second.
    confidence : float
        Of the minimum track record.
    least_sharpe, longest_record : float
        What is near zero: an annual Sharpe ratio below the first divides nothing, and a minimum track record
        beyond so many years is not told.
    """

    superiority: float = 0.05
    deflated: float = 0.95
    overfitting: float = 0.2
    rejected_superiority: float = 0.2
    rejected_sharpe: float = 0.0
    target_sharpe: float = 1.0
    no_selection: float = 0.5
    loss: float = 0.3
    most: float = 0.5
    out_over_in: float = 0.5
    neighbours: float = 0.7
    observations: int = 60
    years: float = 3.0
    blocks: int = 4
    suspicious_period: float = 1.0
    suspicious_annual: float = 3.0
    certain: float = 0.9995
    confidence: float = 0.95
    least_sharpe: float = 0.1
    longest_record: float = 100.0


@dataclass(frozen=True)
class Resamples:
    """How many resamples each number gets.

    Attributes
    ----------
    superiority : int or None
        None: 1,000 to 10,000, as many as a few seconds afford.
    difference, interval, paths : int
        Of differences of Sharpe ratios, of their intervals, and of drawdowns.
    """

    superiority: int | None = None
    difference: int = 4_999
    interval: int = 5_000
    paths: int = 1_000
