"""What a search looks for: one metric or several, each larger or smaller, under constraints on metrics.

A trial is *scored* if it did not fail and all its objectives are defined, and *feasible* if it is scored and
obeys all constraints. Ranking: feasible trials first, then those that miss a constraint, then those without
a score; by the first objective, ties by number. Failures are in no ranking. With several objectives, the
Pareto front comes before all others: the feasible trials that no feasible trial beats in one objective
without losing in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.errors import UsageError, check_choice
from data.expression import Condition, parse_condition
from engine.metrics.declared import METRICS, SEARCHABLE
from engine.tuning.outcome import Outcome

DEFAULT_OBJECTIVE = "sharpe_ratio"
_DIRECTIONS = {"min": False, "max": True}


@dataclass(frozen=True)
class Trial:
    """One parameter set that was tried: its number from 0, the searched parameters, and what became of it."""

    number: int
    parameters: Mapping[str, Any]
    outcome: Outcome


@dataclass(frozen=True)
class Objective:
    """A metric, and whether larger is better."""

    metric: str
    maximize: bool

    def __str__(self) -> str:
        return f"{self.metric}:{'max' if self.maximize else 'min'}"


@dataclass(frozen=True)
class Goal:
    """Objectives, and the constraints under which they are sought."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Condition, ...] = ()

    @classmethod
    def from_words(cls, objectives: Sequence[str], constraints: Sequence[str]) -> Goal:
        """Return the goal that ``--objective`` and ``--constraint`` say over the names of metrics.

        ``sharpe_ratio`` has its declared direction, ``-sharpe_ratio`` and ``sharpe_ratio:min`` are minimised,
        ``turnover:max`` is maximised. Raises UsageError for a metric without a direction of its own, where
        none is given, and with close matches for unknown names.
        """
        parsed = tuple(_objective(word.strip()) for word in objectives or (DEFAULT_OBJECTIVE,))
        names = [each.metric for each in parsed]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"--objective {name} is given twice", hint="Leave one of them out.")
        return cls(parsed, tuple(parse_condition(text, SEARCHABLE, "--constraint") for text in constraints))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that trials are judged by: objectives, then those of constraints by name."""
        constrained = sorted({name for each in self.constraints for name in each.names})
        return tuple(dict.fromkeys([*(each.metric for each in self.objectives), *constrained]))

    def values(self, outcome: Outcome) -> tuple[float, ...] | None:
        """Return the objectives of an outcome as they are; None where it failed or one is undefined."""
        if outcome.failure is not None:
            return None
        found = [_defined(outcome.metrics.get(each.metric)) for each in self.objectives]
        return None if None in found else tuple(value for value in found if value is not None)

    def gains(self, outcome: Outcome) -> tuple[float, ...] | None:
        """Return the objectives such that larger is better; None where one is undefined."""
        values = self.values(outcome)
        if values is None:
            return None
        pairs = zip(values, self.objectives, strict=True)
        return tuple(value if each.maximize else -value for value, each in pairs)

    def obeys(self, outcome: Outcome) -> bool:
        """Return whether an outcome meets all constraints; an undefined metric meets none."""
        return all(each.holds(self._measured(each, outcome)) for each in self.constraints)

    def feasible(self, outcome: Outcome) -> bool:
        """Return whether an outcome has all objectives and meets all constraints."""
        return self.values(outcome) is not None and self.obeys(outcome)

    def violations(self, outcome: Outcome) -> tuple[float, ...]:
        """Return by how much each constraint is missed; zero or less where it is met."""
        return tuple(each.violation(self._measured(each, outcome)) for each in self.constraints)

    def key(self, trial: Trial) -> tuple[float, ...]:
        """Return what trials that did not fail are sorted by, best first."""
        gains = self.gains(trial.outcome)
        if gains is None:
            return (2, 0.0, trial.number)
        return (0 if self.obeys(trial.outcome) else 1, -gains[0], trial.number)

    @staticmethod
    def _measured(condition: Condition, outcome: Outcome) -> dict[str, float | None]:
        return {name: _defined(outcome.metrics.get(name)) for name in condition.names}


def _defined(value: float | None) -> float | None:
    """Return a metric, or None for one that is NaN, which meets no condition and compares with nothing."""
    return None if value is None or value != value else value


def _objective(word: str) -> Objective:
    name, colon, direction = word.partition(":")
    smaller = name.startswith("-")
    name = name.removeprefix("-")
    check_choice("metric", name, SEARCHABLE, "--objective")
    both = f"{name}:min, {name}:max"
    if colon and (direction not in _DIRECTIONS or smaller):
        raise UsageError("--objective has no such direction", received=word, limit=both)
    if colon:
        return Objective(name, _DIRECTIONS[direction])
    better = METRICS[name].better
    if better == "neutral" and not smaller:
        raise UsageError(
            f"--objective: `{name}` has no direction of its own",
            received=word,
            limit=both,
            hint="Say which one is sought.",
        )
    return Objective(name, not smaller and better == "larger")


def ranked(trials: Iterable[Trial], goal: Goal) -> list[Trial]:
    """Return the trials that did not fail, best first; with several objectives the Pareto front leads."""
    tried = sorted((trial for trial in trials if trial.outcome.failure is None), key=goal.key)
    if len(goal.objectives) == 1:
        return tried
    front = pareto(tried, goal)
    numbers = {trial.number for trial in front}
    return front + [trial for trial in tried if trial.number not in numbers]


def pareto(trials: Iterable[Trial], goal: Goal) -> list[Trial]:
    """Return the feasible trials that none dominates, by the first objective, best first.

    Of trials with the same objectives only the first is kept.
    """
    front = Front(goal)
    for trial in trials:
        front.add(trial)
    return front.trials


@dataclass
class Front:
    """The Pareto front of the trials seen so far; keeps no others."""

    goal: Goal
    _members: list[tuple[tuple[float, ...], Trial]] = field(default_factory=list)

    def add(self, trial: Trial) -> None:
        """Take a trial into account."""
        gains = self.goal.gains(trial.outcome)
        if gains is None or not self.goal.obeys(trial.outcome):
            return
        for index, (other, member) in enumerate(self._members):
            if other == gains:
                if trial.number < member.number:
                    self._members[index] = (gains, trial)
                return
            if _at_least(other, gains):
                return
        self._members = [each for each in self._members if not _at_least(gains, each[0])]
        self._members.append((gains, trial))

    @property
    def trials(self) -> list[Trial]:
        """The members, best in the first objective first."""
        return [trial for _, trial in sorted(self._members, key=lambda each: self.goal.key(each[1]))]


def _at_least(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return all(a >= b for a, b in zip(one, two, strict=True))


@dataclass
class Leaderboard:
    """The best ``rows`` trials seen so far and how many there were of which kind; memory does not grow."""

    goal: Goal
    rows: int = 10
    trials: int = 0
    failures: int = 0
    feasible: int = 0
    first_failure: Trial | None = None
    _leaders: list[tuple[tuple[float, ...], Trial]] = field(default_factory=list)
    _front: Front = field(init=False)

    def __post_init__(self) -> None:
        self._front = Front(self.goal)

    def add(self, trial: Trial) -> None:
        """Take the next trial into account."""
        self.trials += 1
        if trial.outcome.failure is not None:
            self.failures += 1
            self.first_failure = self.first_failure or trial
            return
        self.feasible += self.goal.feasible(trial.outcome)
        if len(self.goal.objectives) > 1:
            self._front.add(trial)
        key = self.goal.key(trial)
        keep = max(self.rows, 1)
        if len(self._leaders) < keep or key < self._leaders[-1][0]:
            self._leaders.append((key, trial))
            self._leaders.sort(key=lambda each: each[0])
            del self._leaders[keep:]

    @property
    def best(self) -> Trial | None:
        """The best feasible trial; with several objectives, in the first of them."""
        if not self._leaders or self._leaders[0][0][0] != 0:
            return None
        # A trial of the front that ties in the first objective may be better in the next.
        return self._front.trials[0] if len(self.goal.objectives) > 1 else self._leaders[0][1]

    @property
    def front(self) -> list[Trial]:
        """The Pareto front; of a single objective, the best trial."""
        if len(self.goal.objectives) > 1:
            return self._front.trials
        return [self.best] if self.best is not None else []

    @property
    def ranked(self) -> list[Trial]:
        """The best ``rows`` trials, as :func:`ranked` orders them."""
        leaders = [trial for _, trial in self._leaders]
        if len(self.goal.objectives) == 1:
            return leaders[: self.rows]
        front = self._front.trials
        numbers = {trial.number for trial in front}
        return (front + [trial for trial in leaders if trial.number not in numbers])[: self.rows]
