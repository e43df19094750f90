"""The command that searches over parameters: a space, a method, and a study that keeps every trial."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import EtflowError, StrategyError, UsageError
from engine.cli.app import App, pass_app
from engine.cli.commands_validate import (
    SIZES,
    judge,
    judgement_document,
    print_judgement,
    splits_options,
    write_page,
)
from engine.cli.complete import complete_strategy
from engine.cli.options import run_options
from engine.cli.output import Progress, note, note_compiling, print_json, say
from engine.cli.present_tune import (
    bar_text,
    print_estimate,
    print_study,
    study_document,
    warn_of_study,
)
from engine.cli.specs import make_spec
from engine.tuning.methods import DEFAULT_BATCH, DEFAULT_TRIALS, METHODS, WITH_OPTUNA

if TYPE_CHECKING:
    from engine.pipeline import OpenMarket
    from engine.spec import Spec
    from engine.tuning.evaluate import Evaluator
    from engine.tuning.objective import Goal
    from engine.tuning.outcome import Evaluate
    from engine.tuning.space import Space
    from engine.tuning.study import Plan

# An estimate times this many sets, after a first few that pay for loading and compiling.
SAMPLE, FIRST = 64, 4
EXECUTORS = ("local", "dask")


@click.command(short_help="Search over the parameters of a strategy.")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUES",
    help="What to search: 3:20, 5:60:5, 0.01:10:log, 1,2,3; a switch by its name. Repeatable.",
)
@click.option("--where", multiple=True, metavar="CONDITION", help='As "top <= 5"; repeatable.')
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="grid",
    show_default=True,
    help="All sets, some at random, or a search that learns.",
)
@click.option("--trials", type=int, metavar="N", help="Sets to try; a grid tries all.  [200]")
@click.option(
    "--objective",
    "objectives",
    multiple=True,
    metavar="METRIC",
    help="What to maximise; -METRIC or METRIC:min to minimise; repeatable.  [sharpe_ratio]",
)
@click.option(
    "--constraint",
    "constraints",
    multiple=True,
    metavar="CONDITION",
    help='As "max_drawdown > -0.25"; repeatable.',
)
@click.option("--batch", type=int, metavar="N", help="Sets that tpe, nsga2, cmaes ask for at once.  [20]")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and how long it would take.")
@click.option("--yes", is_flag=True, help="Search more than ten million sets.")
@click.option(
    "--executor",
    type=click.Choice(EXECUTORS),
    default="local",
    show_default=True,
    help="Threads of this process, or workers of a dask cluster.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Of dask: tcp://host:port.  [its own, on this machine]")
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Threads, or processes of dask.  [all cores]"
)
@click.option("--holdout", metavar="DAY:", help="Keep the sessions from this day on shut, for `validate`.")
@splits_options
@click.option("--no-verdict", is_flag=True, help="Leave the judgement to `validate`.")
@click.option("--resume", is_flag=True, help="Go on with the study of the same command.")
@click.option(
    "--top-trials",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Rows of the ranked table.",
)
@run_options
@pass_app
def tune(
    app: App,
    /,
    strategy: str | None,
    out: Path,
    as_json: bool,
    no_report: bool,
    dry_run: bool,
    resume: bool,
    top_trials: int,
    splits: str,
    no_verdict: bool,
    executor: str,
    scheduler: str | None,
    workers: int | None,
    **given: Any,
) -> None:
    """Search over the parameters of STRATEGY: a built-in name, or path/to/file.py:ClassName.

    Every trial is kept in a study, a folder under --out. The same command with --resume goes on with it.

    Example: etflow tune share_inflow --param lookback=3:20 --param top=1,2,3
    """
    from engine.results.runs import check_writable
    from engine.tuning.search import make_search
    from engine.tuning.study import Study, study_header
    from engine.tuning.tune import State
    from engine.tuning.tune import tune as search_on
    from engine.tuning.verify import check_best
    from engine.tuning.writer import open_study

    started = time.perf_counter()
    sizes = {name: given.pop(name) for name in SIZES}
    _check_executor(executor, scheduler, workers)
    order = _order(app, strategy, given)
    plan, goal, space = order.plan, order.goal, order.space
    search = make_search(plan.method, space, goal, seed=order.spec.seed, batch=plan.batch or DEFAULT_BATCH)
    if not dry_run:
        check_writable(out)
    market, evaluate = _evaluator(app, order)
    if dry_run:
        sets = space.size if plan.trials is None else min(plan.trials, space.size or plan.trials)
        seconds = _seconds_for(search.propose, evaluate, sets or 0)
        print_estimate(space, order.fields, plan, sets or 0, seconds, as_json=as_json)
        return
    header = study_header(order.spec, space, goal, plan, market.panel, order.files)
    if order.held_out:
        header["holdout"] = dict(order.held_out)
    header["period"] = [str(evaluate.day(evaluate.first)), str(evaluate.day(evaluate.last))]
    with (
        _executor(executor, evaluate, order, scheduler, workers) as evaluate_sets,
        open_study(out, header, resume=resume) as study,
    ):
        total = space.size if plan.trials is None else plan.trials
        with Progress(app, "tune", total=total or 1) as progress:

            def show(state: State) -> None:
                progress.update(state.done, total or state.done, bar_text(state, total, goal))

            try:
                board = search_on(
                    search, evaluate_sets, study, goal, trials=plan.trials, rows=top_trials, progress=show
                )
            except KeyboardInterrupt:
                note(app, f"{study.trials} trials are in {study.folder}; go on with --resume.")
                raise
    best, judged = None, None
    if board.best is not None:
        with Progress(app, "validate", total=5) as progress:
            progress.begin("best trial on the reference engine")
            best = check_best(order.spec, evaluate, board.best, out)
            finished = Study.load(study.folder)
            if not no_verdict:
                judged = judge(finished, evaluate, space, splits, sizes, progress)
            if not no_report:
                write_page(finished, evaluate, space, judged)
    document = study_document(study.folder, header, board, space.size)
    document["best_run"] = str(best) if best is not None else None
    document["judgement"] = judgement_document(judged, None) if judged is not None else None
    page = study.folder / "study.html" if board.best is not None and not no_report else None
    document["page"] = str(page) if page is not None else None
    document["seconds"] = round(time.perf_counter() - started, 4)
    if as_json:
        print_json(document)
    elif app.quiet:
        say(str(study.folder))
    else:
        print_study(study.folder, header, board)
        if best is not None:
            say(f"best   {best}, the same on the reference engine")
        if page is not None:
            say(f"page   {page}")
        if judged is not None:
            say()
            print_judgement(app, judged)
    warn_of_study(app, board, plan, space)
    if board.trials and board.failures == board.trials and board.first_failure is not None:
        raise StrategyError(
            f"all {board.trials} trials failed",
            received=board.first_failure.outcome.failure,
            hint=f"Each has its reason in {study.folder}.",
        )


@dataclass(frozen=True)
class _Order:
    """What the command line asks for, checked."""

    spec: Spec
    fields: tuple[Any, ...]
    space: Space
    goal: Goal
    plan: Plan
    files: Mapping[str, str]
    held_out: Mapping[str, str | None] | None

    @property
    def parameter_files(self) -> list[str]:
        """The files that parameters name; that of the strategy is not one."""
        own = self.spec.strategy.partition(".py")[0] + ".py"
        return [name for name in self.files if name != own and Path(name).is_file()]


def _order(app: App, strategy: str | None, given: dict[str, Any]) -> _Order:
    from engine.kernel.rotation import ROTATION_FIELDS
    from engine.strategy.loader import parameter_values, parameters_of, strategy_class
    from engine.sweeps.measures import MEASURES
    from engine.tuning.files import files_of
    from engine.tuning.holdout import shut
    from engine.tuning.objective import Goal
    from engine.tuning.space import Space

    words, where = given.pop("params"), given.pop("where")
    method, trials, batch = given.pop("method"), given.pop("trials"), given.pop("batch")
    objectives, constraints, yes = given.pop("objectives"), given.pop("constraints"), given.pop("yes")
    holdout = given.pop("holdout")
    spec, held_out = make_spec(strategy, given), None
    if holdout is not None:
        spec, held_out = shut(spec, holdout)
    found = strategy_class(spec.strategy, app.catalogue.strategies)
    fields = parameters_of(found)
    space = Space.from_words(
        words, where, fields, fixed={}, given=tuple(spec.parameters), fastest=ROTATION_FIELDS
    )
    values = parameter_values(_made(app, spec, space))
    fixed = {name: value for name, value in values.items() if name not in space.names}
    swept = hasattr(found, "scores") or hasattr(found, "target_weights")
    spec = spec.with_(
        parameters={name: values[name] for name in spec.parameters},
        engine="batch" if swept else "reference",
    )
    space = replace(space, fixed=fixed)
    return _Order(
        spec,
        fields,
        space,
        Goal.from_words(objectives, constraints, MEASURES),
        _plan(method, trials, batch, space, yes=yes),
        files_of(spec, space, app.catalogue.strategies),
        held_out,
    )


def _made(app: App, spec: Spec, space: Space) -> Any:
    """Return the strategy with what is set; if that does not make one, with some searched values too."""
    from engine.pipeline import strategy_of

    try:
        return strategy_of(spec, app.catalogue.strategies)
    except EtflowError as error:
        some = {
            each.name: each.low if each.count is None else each.value(each.count - 1)
            for each in space.dimensions
        }
        try:
            return strategy_of(spec.with_(parameters={**spec.parameters, **some}), app.catalogue.strategies)
        except EtflowError:
            raise error from None


def _plan(method: str, trials: int | None, batch: int | None, space: Space, *, yes: bool) -> Plan:
    from engine.tuning.space import LARGEST
    from engine.tuning.study import Plan

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
    if sets is not None and sets > LARGEST and not yes:
        raise UsageError(
            "that is a large space",
            received=f"{sets:,} sets",
            limit=f"{LARGEST:,}",
            hint="Widen the steps, search with --method random or tpe, or insist with --yes.",
        )
    return Plan(method, wanted, (batch or DEFAULT_BATCH) if method in WITH_OPTUNA else None)


def _evaluator(app: App, order: _Order) -> tuple[OpenMarket, Evaluator]:
    from engine.pipeline import STEPS, Watch, open_market
    from engine.tuning.evaluate import evaluator

    note_compiling(app)
    with Progress(app, "tune", total=len(STEPS)) as progress:
        market = open_market(order.spec, Watch(progress.begin))
        progress.begin("engine")
        return market, evaluator(order.spec, app.catalogue.strategies, market, order.space)


def _check_executor(executor: str, scheduler: str | None, workers: int | None) -> None:
    if scheduler is not None and executor != "dask":
        raise UsageError(
            "only dask has a scheduler", received=f"--scheduler {scheduler}", hint="Add --executor dask."
        )
    if scheduler is not None and workers is not None:
        raise UsageError(
            "the scheduler has its own workers",
            received=f"--workers {workers}",
            hint="Leave out --workers, or --scheduler for so many processes on this machine.",
        )


def _executor(
    executor: str, evaluate: Evaluator, order: _Order, scheduler: str | None, workers: int | None
) -> AbstractContextManager[Evaluate]:
    if executor == "local":
        if workers is not None:
            evaluate.workers = workers
        return nullcontext(evaluate)
    from engine.tuning.cluster import Cluster

    return Cluster(evaluate, scheduler=scheduler, workers=workers, files=order.parameter_files)


def _seconds_for(propose: Callable[[], list[Any]], evaluate: Evaluate, sets: int) -> float | None:
    """Return how long so many sets would take, from some of them; None where there is none to time."""
    sample = propose()[: FIRST + SAMPLE]
    first, rest = sample[:FIRST], sample[FIRST:] or sample
    if not rest:
        return None
    evaluate(first)
    started = time.perf_counter()
    evaluate(rest)
    return (time.perf_counter() - started) / len(rest) * sets
