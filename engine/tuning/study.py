"""A study: one file that says what was searched, and has a line for every trial.

``STUDY_ID/study.jsonl``: the first line is the header, with all that determines the trials; then one line a
trial, with its number, the searched parameters, the metrics, and the reason where it failed. A line
``{"trials": N}`` raises the number of trials wanted. Files are written by ``engine.tuning.writer``.

The id of a study comes from the command alone, so that the same command finds its study again;
``differences`` then tells whether data, strategy and versions are still the same.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import DataError, UsageError, did_you_mean
from data.expression import parse_condition
from data.parsing import NUMBER, misfit
from data.words import count
from engine.record.chain import damaged, decode, read_lines
from engine.results.runs import ID_DIGITS, stem_of
from engine.tuning.methods import DEFAULT_BATCH, WITH_OPTUNA, sampler_settings
from engine.tuning.objective import Goal, Leaderboard, Objective, Trial, pareto, ranked
from engine.tuning.outcome import Outcome

if TYPE_CHECKING:
    from data.panel.panel import Panel
    from engine.spec import Spec
    from engine.tuning.space import Space

STUDY_FILE = "study.jsonl"
KIND = "etflow-study"
FORMAT = 1
FEWEST_ALIKE = 4  # of fewer sets it is no wonder that they come to the same

# What is relied on of a header, whichever version wrote it.
_HEADER = {
    "study_id": str,
    "strategy": str,
    "parameters": dict,
    "space": [str],
    "where": [str],
    "method": str,
    "seed": int,
    "objectives": [str],
    "constraints": [str],
    "batch?": int,
    "trials?": int,
    "phases?": str,
    "period?": [str],
    "spec": dict,
    "data": {"name": str, "synthetic": bool, "first_day": str, "last_day": str},
    "versions": dict,
    "files?": dict,
    "sampler?": dict,
    "holdout?": {"start": str, "end?": str},
}
# What the command says; the rest of a header is what it found.
_COMMAND = ("strategy", "parameters", "space", "where", "method", "batch", "objectives", "constraints")
# Trials may be raised; where the data lie is no difference; these libraries decide which sets are drawn.
_NOT_COMPARED = re.compile(r"trials|study_id|on_record|spec\.data|versions\.(?!etflow|optuna|cmaes).*")


@dataclass(frozen=True)
class Plan:
    """How it is searched: the method, trials wanted (None: all), sets in a batch (None: no matter).

    ``phases`` is what is taken of the phases of a trial (``engine.tuning.phases``); None: it is run as it is.
    """

    method: str
    trials: int | None
    batch: int | None
    phases: str | None = None


def study_header(
    spec: Spec, space: Space, goal: Goal, plan: Plan, panel: Panel, files: Mapping[str, str]
) -> dict[str, Any]:
    """Return the header of a study, as JSON types, its id included.

    ``spec`` has its parameters typed; ``files`` are hashes of the files that decide the outcomes.
    """
    from engine.spec import data_block, versions

    samplers = ("optuna", "cmaes") if plan.method in WITH_OPTUNA else ()
    header: dict[str, Any] = {
        "kind": KIND,
        "format": FORMAT,
        "strategy": spec.strategy,
        "parameters": dict(spec.parameters),
        "space": [str(dimension) for dimension in space.dimensions],
        "where": [str(condition) for condition in space.conditions],
        "method": plan.method,
        "seed": spec.seed,
        "batch": plan.batch,
        "trials": plan.trials,
        "objectives": [str(objective) for objective in goal.objectives],
        "constraints": [str(constraint) for constraint in goal.constraints],
        "spec": spec.to_dict(),
        "data": data_block(panel),
        "versions": versions() | {name: importlib.metadata.version(name) for name in samplers},
        "files": dict(files),
        # Of a study that was made before there was a record, no trial is expected to be on it.
        "on_record": True,
    }
    if plan.phases is not None:
        header["phases"] = plan.phases
    settings = sampler_settings(plan.method, len(goal.objectives), plan.batch or DEFAULT_BATCH)
    return {"study_id": study_id(header), **header, **({"sampler": settings} if settings else {})}


def study_id(header: Mapping[str, Any]) -> str:
    """Return the id of a study: the strategy's name and eight digits of a hash of what the command says.

    Number of trials, place and content of the data, files and versions do not count.
    """
    content = {name: header[name] for name in (*_COMMAND, "phases") if name in header}
    content["data"] = header["data"]["name"]
    content["spec"] = {k: v for k, v in header["spec"].items() if k not in ("data", "parameters")}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{stem_of(str(header['strategy']))}-study-{digest[:ID_DIGITS]}"


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words what of a header has changed, apart from what does not change a trial."""
    from engine.results.differences import differing

    if "sampler" not in then:  # before settings were recorded they were what they are
        now = {name: value for name, value in now.items() if name != "sampler"}
    found = differing(json.loads(json.dumps(then)), json.loads(json.dumps(now)))
    return [f"{name}: {a} became {b}" for name, a, b in found if not _NOT_COMPARED.fullmatch(name)]


def studies_in(out: Path) -> list[Path]:
    """Return the folders of studies under ``out``, the one written last at the end."""
    if not out.is_dir():
        return []
    found = [folder for folder in out.iterdir() if (folder / STUDY_FILE).is_file()]
    return sorted(found, key=lambda folder: ((folder / STUDY_FILE).stat().st_mtime_ns, folder.name))


def find_study(word: str, out: Path) -> Path | None:
    """Return the folder of the study that ``word`` names: a path, an id, or the only one that begins so.

    A beginning reaches into the digits, so that the beginning of a run's id is none of a study.
    """
    for folder in (Path(word), out / word):
        if (folder / STUDY_FILE).is_file():
            return folder
    within = "-study-" in word
    matches = [folder for folder in studies_in(out) if within and folder.name.startswith(word)]
    return matches[0] if len(matches) == 1 else None


def read_header(folder: Path) -> dict[str, Any] | None:
    """Return the header of a study; None where a process was killed before it was written.

    Raises DataError for a file that is no study, or one of a later format.
    """
    path = folder / STUDY_FILE
    _, header = next(read_lines(path), (0, None))
    if header is None:
        return None
    if header.get("kind") != KIND:
        raise damaged(path, 1)
    if header.get("format") != FORMAT:
        raise DataError(
            f"{path} is of another format",
            received=header.get("format"),
            limit=FORMAT,
            hint="Use the version of etflow that wrote it.",
        )
    if misfit(header, _HEADER) is not None or not header["objectives"]:
        raise damaged(path, 1)
    return header


def count_trials(path: Path) -> int:
    """Return how many trials a study file has, without reading what became of them."""
    with path.open("rb") as file:
        return sum(line.startswith(b'{"number"') and line.endswith(b"\n") for line in file)


def read_trials(path: Path) -> Iterator[Trial]:
    """Yield the trials of a study file, one at a time; DataError names a line that is damaged."""
    expected, names = 0, None
    for line, value in read_lines(path):
        if "number" not in value:
            continue
        try:
            metrics = {sys.intern(name): number for name, number in value["metrics"].items()}
            if not all(number is None or type(number) in NUMBER for number in metrics.values()):
                raise TypeError("not a number")
            names = value["parameters"].keys() if names is None else names
            if value["parameters"].keys() != names:
                raise TypeError("not the parameters of the others")
            trial = Trial(value["number"], value["parameters"], Outcome(metrics, value["failure"]))
        except (KeyError, TypeError, AttributeError):
            raise damaged(path, line) from None
        if trial.number != expected:
            raise damaged(path, line)
        expected += 1
        yield trial


def trials_wanted(folder: Path, header: Mapping[str, Any]) -> int | None:
    """Return how many trials a study is to have; None: all sets. DataError names a line that is damaged."""
    wanted: int | None = header["trials"]
    path = folder / STUDY_FILE
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.startswith(b'{"trials"') and line.endswith(b"\n"):
                try:
                    raised = decode(line).get("trials")
                except ValueError:
                    raise damaged(path, number) from None
                if not isinstance(raised, int):
                    raise DataError(f"{path} is damaged", received=raised, limit="a number of trials")
                wanted = raised
    return wanted


def goal_of(header: Mapping[str, Any]) -> Goal:
    """Return the goal that a study was made with."""
    objectives = []
    for word in header["objectives"]:
        metric, _, direction = word.rpartition(":")
        objectives.append(Objective(metric, direction == "max"))
    constraints = []
    for text in header["constraints"]:
        names = re.findall(r"[A-Za-z_]\w*", text)  # of metrics, as the version that wrote it had them
        constraints.append(parse_condition(text, names, "constraint"))
    return Goal(tuple(objectives), tuple(constraints))


def leaderboard_of(folder: Path, header: Mapping[str, Any], rows: int) -> Leaderboard:
    """Return the best ``rows`` trials of a study and its counts, without holding all of it."""
    leaderboard = Leaderboard(goal_of(header), rows)
    for trial in read_trials(folder / STUDY_FILE):
        leaderboard.add(trial)
    return leaderboard


@dataclass(frozen=True)
class Study:
    """A study as its file has it: header, and all trials in the order of their numbers."""

    folder: Path
    header: Mapping[str, Any]
    trials: tuple[Trial, ...]

    @classmethod
    def load(cls, place: Path) -> Study:
        """Return the study in a folder or file.

        Raises UsageError where there is none, DataError where it is damaged.
        """
        folder = place.parent if place.name == STUDY_FILE else place
        if not (folder / STUDY_FILE).is_file():
            names = [each.name for each in studies_in(folder.parent)]
            raise UsageError(f"there is no study in {folder}", hint=did_you_mean(folder.name, names))
        header = read_header(folder)
        if header is None:
            raise DataError(f"the study in {folder} has no header", hint="Begin it again with --resume.")
        return cls(folder, header, tuple(read_trials(folder / STUDY_FILE)))

    @cached_property
    def goal(self) -> Goal:
        """What was sought."""
        return goal_of(self.header)

    @cached_property
    def ranked(self) -> list[Trial]:
        """The trials that did not fail, best first."""
        return ranked(self.trials, self.goal)

    @cached_property
    def alike(self) -> str:
        """That half of the sets or more came to what others came to, by all of their metrics; else empty."""
        ran, results = len(self.ranked), {tuple(trial.outcome.metrics.values()) for trial in self.ranked}
        if ran < FEWEST_ALIKE or len(results) > ran / 2:
            return ""
        different = count(len(results), "different result")
        return f"{ran:,} sets came to {different}: the others change nothing on these data"

    @property
    def best(self) -> Trial | None:
        """The best feasible trial, if there is one."""
        first = self.ranked[0] if self.ranked else None
        return first if first is not None and self.goal.feasible(first.outcome) else None

    @cached_property
    def pareto(self) -> list[Trial]:
        """The feasible trials that none dominates; of a single objective, the best trial."""
        return pareto(self.trials, self.goal)

    @property
    def failures(self) -> list[Trial]:
        """The trials that could not be run."""
        return [trial for trial in self.trials if trial.outcome.failure is not None]
