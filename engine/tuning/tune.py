"""The loop of a search: ask for sets, evaluate what is not on record, write it down, tell.

1. The sampler proposes a batch. What the study already has of it is read, and must be the same sets
   (resuming is replaying).
2. The rest is evaluated in chunks that take about a second each. A chunk is on the disk before the next
   begins, so that a kill costs a chunk at the most. What has workers to feed (``InParts``) is given all of
   the rest, and gives back its own chunks, in order.
3. The sampler is told the outcomes of the whole batch.

The size of chunks follows the clock; it has no effect on which trials there are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from data.errors import ValidationError
from engine.tuning.objective import Goal, Leaderboard, Trial
from engine.tuning.outcome import Evaluate, InParts, Outcome, Parameters
from engine.tuning.streams import Sampler
from engine.tuning.writer import StudyWriter


@dataclass(frozen=True)
class Pace:
    """Sets in the first chunk, and how many seconds a chunk is to take; 0: all chunks are like the first."""

    sets: int = 256
    seconds: float = 1.0
    most: int = 20_000

    def next(self, sets: int, took: float) -> int:
        """Return the size of the chunk after one of ``sets`` that took so many seconds."""
        if not self.seconds:
            return sets
        factor = min(max(self.seconds / max(took, 1e-6), 0.25), 4.0)
        return min(max(int(sets * factor), 1), self.most)


@dataclass(frozen=True)
class State:
    """How far a search is: trials done, of those evaluated now, seconds it took, and the best so far."""

    done: int
    evaluated: int
    seconds: float
    best: Trial | None

    @property
    def rate(self) -> float:
        """Trials a second."""
        return self.evaluated / self.seconds if self.seconds > 0 else 0.0


def tune(
    sampler: Sampler,
    evaluate: Evaluate | InParts,
    study: StudyWriter,
    goal: Goal,
    *,
    trials: int | None,
    rows: int = 10,
    pace: Pace | None = None,
    progress: Callable[[State], object] = lambda _state: None,
) -> Leaderboard:
    """Search until there are ``trials`` of them (None: until the search ends), and return the best.

    Raises ValidationError where the study on record is not what the search proposes, UsageError where the
    disk is full. After these as after KeyboardInterrupt the study can be resumed.
    """
    loop = _Loop(evaluate, study, Leaderboard(goal, rows), pace or Pace(), progress)
    wanted = math.inf if trials is None else trials
    while loop.leaderboard.trials < wanted:
        batch = sampler.propose()
        room = wanted - loop.leaderboard.trials
        outcomes = loop.run(batch if len(batch) <= room else batch[: int(room)])
        if not batch or len(outcomes) < len(batch):
            break
        sampler.tell(outcomes)
    loop.require_end()
    return loop.leaderboard


class _Loop:
    def __init__(
        self,
        evaluate: Evaluate | InParts,
        study: StudyWriter,
        leaderboard: Leaderboard,
        pace: Pace,
        progress: Callable[[State], object],
    ) -> None:
        self.leaderboard = leaderboard
        self._evaluate = evaluate
        self._study = study
        self._recorded: Iterator[Trial] = study.recorded()
        self._pace = pace
        self._chunk = pace.sets
        self._progress = progress
        self._started = time.perf_counter()
        self._evaluated = 0

    def run(self, batch: Sequence[Parameters]) -> list[Outcome]:
        """Return what became of a batch, in its order: from the record, the rest evaluated now."""
        outcomes = []
        for parameters in batch:
            trial = next(self._recorded, None)
            if trial is None:
                break
            self._check(trial, parameters)
            self.leaderboard.add(trial)
            outcomes.append(trial.outcome)
        if outcomes:
            self._tell_progress()
        if isinstance(self._evaluate, InParts) and len(outcomes) < len(batch):
            with closing(self._evaluate.parts(batch[len(outcomes) :])) as parts:
                for part in parts:
                    outcomes += self._keep(batch[len(outcomes) : len(outcomes) + len(part)], part)
        while len(outcomes) < len(batch):
            outcomes += self._run_chunk(batch[len(outcomes) : len(outcomes) + self._chunk])
        return outcomes

    def require_end(self) -> None:
        """Raise ValidationError where there is more on record than the search proposed."""
        trial = next(self._recorded, None)
        if trial is not None:
            raise self._other(trial, "no further set")

    def _run_chunk(self, chunk: Sequence[Parameters]) -> list[Outcome]:
        started = time.perf_counter()
        outcomes = self._keep(chunk, self._evaluate(chunk))
        if len(chunk) == self._chunk:
            self._chunk = self._pace.next(self._chunk, time.perf_counter() - started)
        return outcomes

    def _keep(self, chunk: Sequence[Parameters], found: Sequence[Outcome]) -> list[Outcome]:
        """Write down what became of a chunk, and return it as it is written."""
        outcomes = [clean(outcome) for outcome in found]
        if len(outcomes) != len(chunk):
            raise RuntimeError(f"{len(chunk)} sets gave {len(outcomes)} outcomes")
        first = self.leaderboard.trials
        finished = [
            Trial(first + index, parameters, outcome)
            for index, (parameters, outcome) in enumerate(zip(chunk, outcomes, strict=True))
        ]
        self._study.append(finished)
        for trial in finished:
            self.leaderboard.add(trial)
        self._evaluated += len(chunk)
        self._tell_progress()
        return outcomes

    def _tell_progress(self) -> None:
        seconds = time.perf_counter() - self._started
        self._progress(State(self.leaderboard.trials, self._evaluated, seconds, self.leaderboard.best))

    def _check(self, trial: Trial, parameters: Parameters) -> None:
        same = dict(trial.parameters) == dict(parameters) and all(
            type(value) is type(parameters[name]) for name, value in trial.parameters.items()
        )
        if not same:
            raise self._other(trial, dict(parameters))

    def _other(self, trial: Trial, proposed: object) -> ValidationError:
        return ValidationError(
            f"the study {self._study.folder} does not replay: trial {trial.number} on record is "
            f"{dict(trial.parameters)}, and the search proposes {proposed}",
            hint="Versions of libraries changed, or the file was edited; begin a new one with another --out.",
        )


def clean(outcome: Outcome) -> Outcome:
    """Return an outcome in plain floats, what is not finite as None: as it comes back from a study."""
    if outcome.failure is not None:
        # A path or a text of the system in it may be no Unicode.
        return Outcome({}, outcome.failure.encode("utf-8", "backslashreplace").decode())
    values = {
        name: None if value is None or not math.isfinite(value) else float(value)
        for name, value in outcome.metrics.items()
    }
    return Outcome(values)
