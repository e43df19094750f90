"""The best of many trials: how high its Sharpe ratio must be to mean anything, and how long the history.

1. ``expected_maximum`` is the mean of the largest of N independent standard normal numbers.
2. ``deflated_sharpe`` is the probabilistic Sharpe ratio against that maximum, in units of the spread of the
   trials' ratios. It counts every trial: correlation among trials already shrinks their spread, so putting
   the effective number in its place discounts twice, and rejects too rarely.
3. ``effective_trials`` are three answers to how many independent trials there were; for information.
4. ``minimum_backtest_length`` is the history below which luck alone is expected to reach a Sharpe ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from data.errors import UsageError
from engine.statistics.estimate import (
    NO_VARIATION,
    SUSPICIOUS,
    Floats,
    check_at_least,
    check_per_period,
    known_matrix,
    normal_cdf,
    normal_quantile,
)
from engine.statistics.linear import inner
from engine.statistics.sharpe import Moments, probabilistic_sharpe

EULER_GAMMA = 0.5772156649015329
COLUMNS = 256  # of which squares are taken at a time
FEW_TRIALS = 5  # below, the approximation is off by more than the third digit: take the integral
MOST_TRIALS = 1e300  # beyond, the share 1 / (N e) of a tail is no float that has a quantile
TOO_SHORT_TO_JUDGE = 60  # observations from which a ratio above one per period cannot be chance


def expected_maximum(trials: float) -> float:
    """Return the mean of the largest of ``trials`` independent standard normal numbers.

    ``(1-γ) Φ⁻¹(1 - 1/N) + γ Φ⁻¹(1 - 1/(N e))``; the exact mean below five trials, where that is off; 0 for
    one trial. ``trials`` may be fractional. UsageError below one, and for one without end. Source: Bailey and
    López de Prado (2014).
    """
    check_at_least("the number of trials", trials, 1.0)
    if trials > MOST_TRIALS:
        raise UsageError("the number of trials is too large", received=trials, limit=f"up to {MOST_TRIALS:g}")
    if trials < FEW_TRIALS:
        return _exact_maximum(trials)
    return -(1.0 - EULER_GAMMA) * normal_quantile(1.0 / trials) - EULER_GAMMA * normal_quantile(
        1.0 / (trials * math.e)
    )


def _exact_maximum(trials: float) -> float:
    """Integral of ``x N φ(x) Φ(x)^(N-1)``; for a smooth integrand that dies out the plain sum is exact."""
    if trials == 1.0:
        return 0.0
    step = 1.0 / 64.0
    grid = [step * i for i in range(-640, 641)]
    density = [math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi) for x in grid]
    return step * math.fsum(
        x * trials * phi * normal_cdf(x) ** (trials - 1.0) for x, phi in zip(grid, density, strict=True)
    )


@dataclass(frozen=True)
class DeflatedSharpe:
    """Probability that the selected trial has skill, after the search.

    Attributes
    ----------
    value : float
        NaN if undefined, with ``reason``.
    benchmark : float
        Expected largest ratio per period without skill.
    spread : float
        Standard deviation (ddof 1) of the trials' ratios per period.
    trials : float
        The number that ``benchmark`` is for.
    note : str or None
        What to tell a reader of a number that is defined.
    """

    value: float
    benchmark: float
    spread: float
    trials: float
    reason: str | None = None
    note: str | None = None


def deflated_sharpe(
    selected: Moments, trial_sharpes: ArrayLike, trials: float | None = None
) -> DeflatedSharpe:
    """Return the deflated Sharpe ratio of the selected trial among all trials.

    Parameters
    ----------
    selected : Moments
        Of the trial that was chosen.
    trial_sharpes : (N,) array
        Ratio per period of every trial that was looked at, the selected and the abandoned included. NaN (a
        trial that failed) counts as a trial, but not in the spread. UsageError if none is known, or if one
        exceeds 1 in size (an annual figure).
    trials : float, optional
        Number of trials; by default all of ``trial_sharpes``. More if some were not kept; an effective number
        for information only.

    A single trial has nothing to be deflated. A spread of zero deflates nothing, and says so in ``note``.
    Source: Bailey and López de Prado (2014).
    """
    ratios = np.asarray(trial_sharpes, dtype=np.float64).ravel()
    finite_ratios = ratios[np.isfinite(ratios)]
    if not len(finite_ratios):
        raise UsageError(
            "no trial has a Sharpe ratio",
            received=f"{len(ratios)} trials",
            limit="the log of all trials",
            hint="Record every trial of the search.",
        )
    if not selected.measured or selected.observations >= TOO_SHORT_TO_JUDGE:
        check_per_period("a Sharpe ratio of a trial", finite_ratios[np.argmax(np.abs(finite_ratios))])
    count = float(len(ratios)) if trials is None else float(trials)
    spread = float(finite_ratios.std(ddof=1)) if len(finite_ratios) > 1 else 0.0
    return _deflated(selected, spread, count)


def _deflated(selected: Moments, spread: float, trials: float) -> DeflatedSharpe:
    bar = expected_maximum(trials) * spread
    note = None
    if trials > 1.0 and spread <= NO_VARIATION:
        note = "the trials have equal Sharpe ratios: nothing is deflated"
    elif 1.0 < trials < FEW_TRIALS:
        note = "too few trials for a reliable spread"
    # a bar above one is no annual figure passed by mistake, but a spread that came out large
    if bar > 1.0:
        reason = "the expected maximum exceeds one per period: trials are too short"
        return DeflatedSharpe(math.nan, bar, spread, trials, reason)
    found = probabilistic_sharpe(selected, bar)
    if not selected.measured and abs(selected.sharpe) > SUSPICIOUS:
        note = "; ".join(each for each in (note, found.note) if each)
    return DeflatedSharpe(found.value, bar, spread, trials, found.reason, note)


@dataclass(frozen=True)
class EffectiveTrials:
    """How many independent trials a correlated set is worth, by three rules that differ widely.

    Attributes
    ----------
    average_correlation : float
        ``ρ̄ + (1 - ρ̄) N``, ρ̄ the mean correlation of pairs; never above N. Bailey and López de Prado
        (2014).
    effective_rank : float
        Exponential of the entropy of the eigenvalues' shares. Roy and Vetterli (2007).
    participation : float
        ``(Σλ)² / Σλ²`` of the eigenvalues.
    trials : int
        Columns that vary; the others are left out.
    """

    average_correlation: float
    effective_rank: float
    participation: float
    trials: int
    reason: str | None = None


def effective_trials(returns: ArrayLike) -> EffectiveTrials:
    """Return the effective number of trials of a (T, N) matrix of returns, one column a trial.

    Rows with NaN are dropped, and columns that do not vary are left out. NaN with fewer than three rows or
    without a column that varies. What follows from eigenvalues has nine digits: the others depend on how a
    library of linear algebra adds on this processor.
    """
    values = known_matrix(returns, "returns of trials")
    varying = values.std(axis=0) > NO_VARIATION if len(values) >= 3 else np.ones(values.shape[1], dtype=bool)
    if not varying.all():
        values = values[:, varying]
    if len(values) < 3 or not values.shape[1]:
        reason = "it takes at least three rows" if len(values) < 3 else "no trial varies"
        return EffectiveTrials(math.nan, math.nan, math.nan, 0, reason)
    correlation, total = _correlations(values)
    count = len(correlation)
    pairs = count * (count - 1)
    mean = (total - count) / pairs if pairs else 1.0
    shares = np.maximum(np.linalg.eigvalsh(correlation), 0.0)
    shares = shares[shares > 0.0] / shares.sum()
    return EffectiveTrials(
        average_correlation=min(mean + (1.0 - mean) * count, float(count)),
        effective_rank=_to_nine_digits(math.exp(-float(np.sum(shares * np.log(shares))))),
        participation=_to_nine_digits(1.0 / float(np.sum(shares**2))),
        trials=count,
    )


def _correlations(values: Floats) -> tuple[Floats, float]:
    """Return the correlations (N, N) of the columns of (T, N), and their sum, which is added in one order."""
    alike = values - values.mean(axis=0)
    for some in np.array_split(alike, -(-alike.shape[1] // COLUMNS), axis=1):
        some /= np.sqrt(np.sum(some**2, axis=0))
    together = alike.sum(axis=1)  # its square is the sum of all correlations
    return alike.T @ alike, inner(together, together)


def _to_nine_digits(number: float) -> float:
    return float(f"{number:.9g}")


def minimum_backtest_length(trials: float, annual_sharpe: float = 1.0) -> float:
    """Return the years below which ``trials`` without skill are expected to show ``annual_sharpe``.

    ``(expected_maximum(N) / S)²``: necessary, not sufficient, and conservative for correlated trials. 0 for
    one trial. UsageError unless ``annual_sharpe`` is positive. Source: Bailey, Borwein, López de Prado and
    Zhu (2014).
    """
    if not annual_sharpe > 0.0:
        raise UsageError("the annual Sharpe ratio must be positive", received=annual_sharpe, limit="above 0")
    return (expected_maximum(trials) / annual_sharpe) ** 2
