"""What a search is judged by: the returns of all its trials, what else was run, and what counts as enough.

1. ``Evidence`` is put together by whoever ran the search; it is arrays and numbers, and knows no file.
2. ``Thresholds`` are the lines of the verdict and of the warnings. Whoever moves one after a result was seen
   has to write that down.
3. ``sample_of`` takes the evidence to what the statistics use: trials that failed (no return at all) leave,
   though they still count as trials, and then every session on which a return is not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from engine.statistics.estimate import Floats, Integers, check_at_least
from engine.statistics.paths import in_excess
from engine.statistics.resampling import check_draws
from engine.statistics.sharpe import sharpe_ratios
from engine.verdict.duplicates import kinds


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


@dataclass(frozen=True)
class TrialLog:
    """Distinct parameter sets of a family of strategies that anybody looked at on these data.

    Attributes
    ----------
    total : int
        By whatever command, this search included; 0 if there is no log.
    study : int
        Of this study.
    lost : int
        Those that cannot be run again, because the strategy was changed since or is gone; part of ``total``.
    grid_size : int
        Sets that the search was to run; 0 for one that may stop at any time.
    variants : int
        Of sets that were looked at on several funds, first sessions or conditions, all but the first.
    """

    total: int
    study: int
    lost: int = 0
    grid_size: int = 0
    variants: int = 0

    def __post_init__(self) -> None:
        for name in ("total", "study", "lost", "grid_size", "variants"):
            check_at_least(f"the number of trials ({name})", getattr(self, name), 0)

    @property
    def penalty(self) -> float:
        """What a p-value of the trials that are run again is multiplied by, for all that are not."""
        return (self.total + self.variants) / (self.total - self.lost) if self.lost < self.total else 1.0


@dataclass(frozen=True)
class Earlier:
    """A judgement that was made before, of the same strategy on some of the same sessions.

    ``again`` says that it was asked what is asked now: it binds, and is no other judgement. ``times`` counts
    judgements in the same words as sessions came in: ``at`` and ``first`` are of the first of them, ``until``
    and ``last`` of the last.
    """

    at: str
    study: str
    word: str
    splits: str
    benchmark: str
    seed: int
    first: str
    last: str
    again: bool = False
    times: int = 1
    until: str = ""


@dataclass(frozen=True)
class Since:
    """What the set that the first judgement chose did on sessions that came after it.

    ``returns`` (K,) are those of its account, None where it cannot be run again, with the ``reason``;
    ``benchmark`` and ``equal_weight`` are (K,); ``looks`` is how often such sessions were judged, this time
    included.
    """

    first: str
    last: str
    sessions: int
    parameters: Mapping[str, Any]
    returns: Floats | None
    benchmark: Floats
    equal_weight: Floats
    looks: int = 1
    reason: str | None = None


@dataclass(frozen=True)
class Window:
    """A window of a walk-forward, in rows of the selection period, both ends included.

    ``parameters`` is the set that was best on the sessions of training, ``out_of_sample`` the Sharpe ratio
    per session that it made on those of the test; NaN where it has none.
    """

    train_first: int
    train_last: int
    first: int
    last: int
    parameters: Mapping[str, Any]
    out_of_sample: float


@dataclass(frozen=True)
class WalkForwardOutcome:
    """Stitched out-of-sample returns (K,), and the winner's ratio per session in each training (W,).

    ``windows`` are what they are of, in order; the returns begin with the first session of the first test.
    """

    returns: Floats
    in_sample: Floats
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True)
class CombinatorialOutcome:
    """Out-of-sample returns (paths, K) of combinatorial splits, with the sessions purged and embargoed."""

    paths: Floats
    purged_size: int
    embargo_size: int


@dataclass(frozen=True)
class Evidence:
    """All that is known of a search.

    Attributes
    ----------
    returns : (T, N) array
        Net simple return per session of every trial on record that can be run again, on the selection
        period. A column without any number is a trial that failed.
    benchmark : (T,) array or None
        NaN on sessions without a known return.
    selected : int
        Column of the chosen trial, which must have returns.
    sessions_per_year : float
    log : TrialLog
    default : int or None
        Column of the strategy's default parameters.
    neighbours : sequence of int
        Columns one step from the selected in one searched dimension.
    days : (T,) datetime64 array or None
        Without it, a month is a twelfth of ``sessions_per_year``.
    rebalance : int
        Sessions between decisions of the selected trial.
    walk_forward, combinatorial : outcomes of splits, or None
    turnover, cost_share : float
        Of the selected trial, one way a year, and costs over profit before costs; NaN if unknown.
    parameters, header : mapping
        Of the selected trial; what the page says first (strategy, universe, costs, search space, ...).
    exclusions : tuple of str
        Data that were left out.
    equal_weight : (T,) array or None
        What it is tested against beside the benchmark; None where that is the benchmark.
    unknown : tuple of str
        What of the record could not be known.
    before : tuple of Earlier
        Oldest first.
    since : Since or None
        None where no sessions came after the first judgement.
    benchmark_name : str
    seed : int
    cash : (T,) array or None
        What idle cash yields in each session; None: nothing. Ratios and tests are in excess of it. All series
        above are not, but for those of splits and of ``since``.
    """

    returns: Floats
    benchmark: Floats | None
    selected: int
    sessions_per_year: float
    log: TrialLog
    default: int | None = None
    neighbours: tuple[int, ...] = ()
    days: NDArray[np.datetime64] | None = None
    rebalance: int = 1
    walk_forward: WalkForwardOutcome | None = None
    combinatorial: CombinatorialOutcome | None = None
    turnover: float = math.nan
    cost_share: float = math.nan
    parameters: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    exclusions: tuple[str, ...] = ()
    benchmark_name: str = "benchmark"
    seed: int = 0
    equal_weight: Floats | None = None
    unknown: tuple[str, ...] = ()
    before: tuple[Earlier, ...] = ()
    since: Since | None = None
    cash: Floats | None = None

    def __post_init__(self) -> None:
        if self.returns.ndim != 2 or not self.returns.shape[1]:
            raise UsageError(
                "returns of trials are not a table",
                received=self.returns.shape,
                limit="rows are sessions, columns are trials",
            )
        rows, columns = self.returns.shape
        for name, series in (
            ("the benchmark", self.benchmark),
            ("equal weight", self.equal_weight),
            ("days", self.days),
            ("interest on cash", self.cash),
        ):
            if series is not None and series.shape != (rows,):
                raise UsageError(
                    f"{name} and the trials do not have the same rows",
                    received=series.shape,
                    limit=f"({rows},)",
                    hint="Align them by date first.",
                )
        for column in (self.selected, *self.neighbours, *([] if self.default is None else [self.default])):
            if not 0 <= column < columns:
                raise UsageError("there is no such trial", received=column, limit=f"0 to {columns - 1}")
        check_at_least("the number of sessions per year", self.sessions_per_year, 1.0)
        check_at_least("sessions between decisions", self.rebalance, 1)
        check_draws(1, self.seed)


@dataclass(frozen=True)
class Sample:
    """The evidence on common sessions, failed trials left out; columns are renumbered.

    Attributes
    ----------
    returns : (T, n) array without NaN
    benchmark : (T,) array, NaN where unknown
    equal_weight : (T,) array, NaN where unknown, or None
    selected : int
    default : int or None
        None also if it failed.
    neighbours : tuple of int
        Without those that failed.
    days : (T,) array or None
    ratios : (n,) array
        Sharpe ratio per session; NaN for a trial that does not vary.
    failed, dropped : int
        Trials, and sessions, that were left out.
    cash : (T,) array or None
        What idle cash yields, which is taken off all returns here; None: nothing.
    """

    returns: Floats
    benchmark: Floats
    selected: int
    default: int | None
    neighbours: tuple[int, ...]
    days: NDArray[np.datetime64] | None
    ratios: Floats
    failed: int
    dropped: int
    equal_weight: Floats | None = None
    cash: Floats | None = None

    @cached_property
    def kinds(self) -> dict[float, Integers]:
        """Columns by level of correlation, one of each kind (``engine.verdict.duplicates``)."""
        return kinds(self.returns, self.ratios)

    @property
    def chosen(self) -> Floats:
        """Returns (T,) of the selected trial, in excess of cash."""
        return self.returns[:, self.selected]

    @property
    def account(self) -> Floats:
        """Returns (T,) of the selected trial as its account made them."""
        return self.chosen if self.cash is None else self.chosen + self.cash


def sample_of(evidence: Evidence) -> Sample:
    """Return the evidence without failed trials and without sessions on which any other trial is unknown.

    UsageError if the selected trial failed.
    """
    known = np.isfinite(evidence.returns)
    live = np.asarray(known.any(axis=0))
    if not live[evidence.selected]:
        raise UsageError(
            "the selected trial has no return",
            received=f"trial {evidence.selected}",
            hint="Select a trial that ran.",
        )
    rows = np.asarray(known[:, live].all(axis=1))
    place = np.cumsum(live) - 1
    values = evidence.returns
    if not (live.all() and rows.all()):
        values = values[np.ix_(rows, live)]
    values = np.asarray(values, dtype=np.float64)
    benchmark = np.full(len(evidence.returns), np.nan) if evidence.benchmark is None else evidence.benchmark
    benchmark = np.asarray(benchmark, dtype=np.float64)[rows]
    equal_weight = None if evidence.equal_weight is None else evidence.equal_weight[rows]
    cash = None if evidence.cash is None else evidence.cash[rows]
    if cash is not None:
        values, benchmark = values - cash[:, np.newaxis], in_excess(benchmark, cash)
        equal_weight = None if equal_weight is None else in_excess(equal_weight, cash)
    default = evidence.default
    return Sample(
        returns=values,
        benchmark=benchmark,
        selected=int(place[evidence.selected]),
        default=int(place[default]) if default is not None and live[default] else None,
        neighbours=tuple(int(place[column]) for column in evidence.neighbours if live[column]),
        days=None if evidence.days is None else evidence.days[rows],
        ratios=sharpe_ratios(values),
        failed=int(np.count_nonzero(~live)),
        dropped=int(np.count_nonzero(~rows)),
        equal_weight=equal_weight,
        cash=cash,
    )
