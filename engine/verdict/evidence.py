"""What a search is judged by: the returns of all its trials, what else was run, and what was said before.

``Evidence`` is put together by whoever ran the search; it is arrays and numbers, and knows no file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from engine.statistics.estimate import Floats, check_at_least
from engine.statistics.resampling import check_draws
from engine.verdict.table import Table


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
    returns : (T, N) array or table
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
    failed : int
        Trials of the search that failed, whether they have a column or not.
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

    returns: Floats | Table
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
    failed: int = 0

    def __post_init__(self) -> None:
        if len(self.returns.shape) != 2 or not self.returns.shape[1]:
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

    @property
    def chosen(self) -> Floats:
        """Returns (T,) of the selected trial."""
        return Table.of(self.returns).column(self.selected)
