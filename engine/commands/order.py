"""What a search is to do: the words of ``tune``, checked, as a space, a goal and a plan; no data yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.errors import EtflowError, UsageError, check_choice
from engine.kernel.targets import ROTATION_FIELDS
from engine.pipeline import strategy_of
from engine.spec import Spec
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import ScoreAdapter
from engine.strategy.loader import parameters_of, strategy_class
from engine.strategy.parameter import Parameter
from engine.strategy.trusted import file_of
from engine.tuning.dependencies import files_of
from engine.tuning.holdout import shut
from engine.tuning.methods import DEFAULT_BATCH, DEFAULT_TRIALS, PHASES, WITH_OPTUNA
from engine.tuning.objective import Goal
from engine.tuning.samplers import make_sampler
from engine.tuning.space import LARGEST, Space
from engine.tuning.streams import Sampler
from engine.tuning.study import Plan


@dataclass(frozen=True)
class SearchWords:
    """A search as it is asked for.

    Attributes
    ----------
    params, where : the space, as ``lookback=3:20`` and ``top <= 5``
    method, trials, batch : how it is searched; None: as is usual
    objectives, constraints : what is sought, as ``sharpe_ratio`` and ``max_drawdown > -0.25``
    holdout : the day from which on the sessions stay shut, as ``2025-01-01:``
    large : whether more than ten million sets are meant
    phases : what to take of the phases of each set, as ``mean``; None: a set is run as it is
    """

    params: Sequence[str]
    where: Sequence[str] = ()
    method: str = "grid"
    trials: int | None = None
    batch: int | None = None
    objectives: Sequence[str] = ()
    constraints: Sequence[str] = ()
    holdout: str | None = None
    large: bool = False
    phases: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.params, str | Mapping):
            raise UsageError(
                "`params` is not a list of words",
                received=repr(self.params),
                hint='Write ["lookback=3:20", "top=1,2"].',
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The searched parameters."""
        return tuple(word.partition("=")[0].strip() for word in self.params)


@dataclass(frozen=True)
class Order:
    """A search that can be begun: its spec without what is searched, and all that decides its trials."""

    spec: Spec
    catalogue: Mapping[str, type[Any]]
    fields: tuple[Parameter, ...]
    space: Space
    goal: Goal
    plan: Plan
    files: Mapping[str, str]
    held_out: Mapping[str, str | None] | None

    @property
    def parameter_files(self) -> list[str]:
        """The files that parameters name; that of the strategy is not one."""
        own = file_of(self.spec.strategy)
        return [name for name in self.files if name != own and Path(name).is_file()]

    @property
    def sets(self) -> int | None:
        """How many sets it is to try; None: without end."""
        if self.plan.trials is None:
            return self.space.size
        return min(self.plan.trials, self.space.size or self.plan.trials)

    def sampler(self) -> Sampler:
        """Return what proposes its sets, from the first; UsageError if the method cannot search the space."""
        plan = self.plan
        batch = plan.batch or DEFAULT_BATCH
        return make_sampler(plan.method, self.space, self.goal, seed=self.spec.seed, batch=batch)


def order_of(spec: Spec, catalogue: Mapping[str, type[Any]], words: SearchWords) -> Order:
    """Return the search that ``words`` ask for on what ``spec`` says; UsageError for what cannot be."""
    held_out = None
    if words.holdout is not None:
        spec, held_out = shut(spec, words.holdout)
    fields = parameters_of(strategy_class(spec.strategy, catalogue))
    space = Space.from_words(
        words.params, words.where, fields, fixed={}, given=tuple(spec.parameters), fastest=ROTATION_FIELDS
    )
    made = _made(spec, catalogue, space)
    values = made.parameters
    spec = spec.with_(
        parameters={name: values[name] for name in spec.parameters},
        engine="batch" if isinstance(made, AtOnceAdapter) else "reference",
    )
    space = replace(space, fixed={name: value for name, value in values.items() if name not in space.names})
    order = Order(
        spec,
        catalogue,
        fields,
        space,
        Goal.from_words(words.objectives, words.constraints),
        _plan(words, space, _phases(words, spec, made)),
        files_of(spec, space, catalogue),
        held_out,
    )
    order.sampler()
    return order


def _made(spec: Spec, catalogue: Mapping[str, type[Any]], space: Space) -> Adapter:
    """Return the strategy with what is set; if that does not make one, with some searched values too."""
    try:
        return strategy_of(spec, catalogue)
    except EtflowError as error:
        some = {
            each.name: each.low if each.count is None else each.value(each.count - 1)
            for each in space.dimensions
        }
        try:
            return strategy_of(spec.with_(parameters={**spec.parameters, **some}), catalogue)
        except EtflowError:
            raise error from None


def _phases(words: SearchWords, spec: Spec, made: Adapter) -> str | None:
    """Return what to take of phases; UsageError where there are none to run, or one is asked for."""
    if words.phases is None:
        return None
    check_choice("phases", words.phases, PHASES)
    if not isinstance(made, ScoreAdapter) or "phase" not in made.fields:
        raise UsageError(
            f"{made.name} has no phases",
            received=f"--phases {words.phases}",
            hint="Strategies with scores and the parameter `phase` have: those derived from Rotation.",
        )
    if "phase" in words.names or "phase" in spec.parameters:
        raise UsageError(
            "--phases runs every phase, and one is asked for",
            received="phase",
            hint="Leave out `phase`, or --phases.",
        )
    return words.phases


def _plan(words: SearchWords, space: Space, phases: str | None) -> Plan:
    method, trials, batch = words.method, words.trials, words.batch
    if method == "grid" and trials is not None:
        raise UsageError(
            "a grid tries all sets", received=f"--trials {trials}", hint="Add --method random to try some."
        )
    if trials is not None and trials < 1:
        raise UsageError("--trials must be above zero", received=trials)
    if batch is not None and batch < 1:
        raise UsageError("--batch must be above zero", received=batch)
    wanted = None if method == "grid" else DEFAULT_TRIALS if trials is None else trials
    sets = space.size if wanted is None else wanted
    if sets is not None and sets > LARGEST and not words.large:
        raise UsageError(
            "that is a large space",
            received=f"{sets:,} sets",
            limit=f"{LARGEST:,}",
            hint="Widen the steps, search with --method random or tpe, or insist with --yes.",
        )
    return Plan(method, wanted, (batch or DEFAULT_BATCH) if method in WITH_OPTUNA else None, phases)
