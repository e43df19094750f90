"""Samplers by the name of their method, and the one door to optuna.

``make_sampler`` gives ``grid`` and ``random`` (``engine.tuning.streams``), ``tpe``, ``nsga2`` and ``cmaes``
(optuna's samplers). How an optuna search stays the same on any number of workers:

1. A batch of fixed size is asked in full before anything is evaluated, and told in the order of asking, so
   that the sampler never sees which outcome came first. The number of trials wanted does not change a batch.
2. Every number that counts is an index to optuna, so that values are exactly those of the space. Rising
   numbers are an integer to the sampler, other choices a category.
3. A set that was proposed before is told its earlier outcome at once, and another is asked for: it is no
   trial of the study. A set against the conditions is told that it misses one, likewise.
4. Failures, and sets without a defined objective, are told as failed; constraints as distances.
   CMA-ES knows no constraints: what misses one counts as failed there.
5. The search ends with the space, or after ``PATIENCE`` proposals in a row without a new set.

Resuming is replaying: a new search with the same seed is asked again, and told what is on record.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.errors import UsageError, check_choice
from engine.tuning.dimensions import Dimension, Interval
from engine.tuning.methods import DEFAULT_BATCH, METHODS, sampler_settings
from engine.tuning.objective import Goal
from engine.tuning.outcome import Outcome, Parameters
from engine.tuning.space import Space
from engine.tuning.streams import GridSampler, RandomSampler, Sampler

if TYPE_CHECKING:
    import optuna

PATIENCE = 1000
# Seeds of numpy's generator have 32 bits.
_SEEDS = 2**32


def make_sampler(method: str, space: Space, goal: Goal, *, seed: int, batch: int = DEFAULT_BATCH) -> Sampler:
    """Return a sampler of ``space`` that begins from ``seed``.

    Parameters
    ----------
    method : str
        One of ``METHODS``.
    space : Space
    goal : Goal
    seed : int
    batch : int
        Sets that optuna proposes before it hears of their outcomes; other methods do without.

    Raises UsageError where the method cannot search such a space.
    """
    check_choice("method", method, METHODS)
    space.require_sets()
    if method == "grid":
        return GridSampler(space)
    if method == "random":
        return RandomSampler(space, seed)
    if batch < 1:
        raise UsageError("--batch must be above zero", received=batch)
    if method == "cmaes":
        _check_cmaes(space, goal)
    return OptunaSampler(method, space, goal, seed, batch)


def _check_cmaes(space: Space, goal: Goal) -> None:
    if len(goal.objectives) > 1:
        raise UsageError(
            "cmaes takes one objective",
            received=", ".join(map(str, goal.objectives)),
            hint="Use --method nsga2.",
        )
    numeric = [each.name for each in space.dimensions if _is_numeric(each)]
    if len(numeric) < 2:
        raise UsageError(
            "cmaes needs two parameters at least that are ranges of numbers",
            received=", ".join(numeric) or "none",
            hint="Use --method tpe.",
        )


def _is_numeric(dimension: Dimension) -> bool:
    return isinstance(dimension, Interval) or (dimension.ordered and dimension.count > 1)


@dataclass(frozen=True)
class _Told:
    """What optuna hears of a set: its objectives (None: failed) and how far it misses each constraint."""

    values: tuple[float, ...] | None
    violations: tuple[float, ...] = ()


class OptunaSampler:
    """A sampler of optuna, asked and told in batches."""

    def __init__(self, method: str, space: Space, goal: Goal, seed: int, batch: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = space
        self._goal = goal
        self._batch = batch
        self._penalises = method != "cmaes"
        with _quiet():
            self._study = optuna.create_study(
                directions=["maximize" if each.maximize else "minimize" for each in goal.objectives],
                sampler=_sampler(
                    method, seed % _SEEDS, sampler_settings(method, len(goal.objectives), batch)
                ),
            )
        self._distributions = {each.name: _distribution(each) for each in space.dimensions}
        self._known: dict[tuple[Any, ...], _Told] = {}
        self._pending: dict[tuple[Any, ...], list[optuna.Trial]] = {}

    def propose(self) -> list[Parameters]:
        """Return the next batch of sets that were not proposed before."""
        proposals: list[Parameters] = []
        repeats = 0
        with _quiet():
            while len(proposals) < self._batch and repeats < PATIENCE and not self._exhausted():
                trial = self._study.ask(self._distributions)
                key = tuple(trial.params[name] for name in self._space.names)
                if key in self._pending:
                    self._pending[key].append(trial)
                elif key in self._known:
                    self._tell(trial, self._known[key])
                else:
                    parameters = self._parameters(trial.params)
                    if self._space.allows(parameters):
                        self._pending[key] = [trial]
                        proposals.append(parameters)
                        repeats = 0
                        continue
                    self._tell(trial, self._forbidden(parameters))
                repeats += 1
        return proposals

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Tell the sampler what became of the last batch, in its order."""
        with _quiet():
            for (key, trials), outcome in zip(self._pending.items(), outcomes, strict=True):
                told = self._known[key] = self._told(outcome)
                for trial in trials:
                    self._tell(trial, told)
        self._pending = {}

    def _exhausted(self) -> bool:
        sets = self._space.size if self._space.exact else None
        return sets is not None and len(self._known) + len(self._pending) >= sets

    def _parameters(self, params: Mapping[str, Any]) -> Parameters:
        return {
            each.name: float(params[each.name])
            if isinstance(each, Interval)
            else each.value(int(params[each.name]))
            for each in self._space.dimensions
        }

    def _told(self, outcome: Outcome) -> _Told:
        values = self._goal.values(outcome)
        if not self._penalises:
            return _Told(values if self._goal.obeys(outcome) else None)
        if values is None:
            return _Told(None)
        obeyed = tuple(-1.0 for _ in self._space.conditions)
        return _Told(values, obeyed + self._goal.violations(outcome))

    def _forbidden(self, parameters: Parameters) -> _Told:
        if not self._penalises:
            return _Told(None)
        values = {**self._space.fixed, **parameters}
        missed = tuple(condition.violation(values) for condition in self._space.conditions)
        met = tuple(-1.0 for _ in self._goal.constraints)
        # Objectives of sets that miss a constraint do not count among the sets that obey.
        return _Told(tuple(0.0 for _ in self._goal.objectives), missed + met)

    def _tell(self, trial: optuna.Trial, told: _Told) -> None:
        import optuna

        if told.values is None:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        for number, violation in enumerate(told.violations):
            trial.set_constraint(str(number), violation)
        self._study.tell(trial, list(told.values))


def _sampler(method: str, seed: int, settings: Mapping[str, Any]) -> optuna.samplers.BaseSampler:
    from optuna.samplers import CmaEsSampler, NSGAIISampler, TPESampler
    from optuna.samplers.nsgaii import PolynomialMutation, SBXCrossover

    if method == "tpe":
        return TPESampler(seed=seed, **settings)
    if method == "nsga2":
        # Crossover and mutation are those of the method's paper (Deb and others, 2002); optuna's exchange and
        # redraw.
        made = {**settings, "crossover": SBXCrossover(), "mutation": PolynomialMutation()}
        return NSGAIISampler(seed=seed, **made)
    return CmaEsSampler(seed=seed, warn_independent_sampling=False, **settings)


def _distribution(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Interval):
        return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    if dimension.ordered:
        return IntDistribution(0, dimension.count - 1)
    return CategoricalDistribution(tuple(range(dimension.count)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep optuna's remarks about its own future to itself."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
