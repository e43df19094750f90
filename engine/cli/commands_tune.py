"""The command that searches over parameters: a space, a method, and a study that keeps every trial."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import StrategyError, ValidationError
from engine import EXECUTORS, METHODS, PHASES
from engine.cli.app import App, pass_app
from engine.cli.commands_validate import SIZES, print_judgement, splits_options
from engine.cli.complete import complete_objective, complete_setting, complete_strategy
from engine.cli.options import run_options
from engine.cli.output import JUDGEMENT_STEPS, Progress, note, note_compiling, print_json, say, warn_of_data
from engine.cli.present_tune import bar_text, borne_text, print_estimate, print_study, warn_of_study
from engine.cli.specs import IN_COMMAND, make_spec, options_in_file

if TYPE_CHECKING:
    from engine import State, StudyWriter

WORDS = (
    *("params", "where", "method", "trials", "batch", "objectives", "constraints", "holdout", "large"),
    "phases",
)
OPENING_STEPS = 6


@click.command(short_help="Search over the parameters of a strategy.")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUES",
    shell_complete=complete_setting,
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
    shell_complete=complete_objective,
    help="What to improve; METRIC:min or METRIC:max to say which way; repeatable.  [sharpe_ratio]",
)
@click.option(
    "--constraint",
    "constraints",
    multiple=True,
    metavar="CONDITION",
    shell_complete=complete_objective,
    help='As "max_drawdown > -0.25"; repeatable.',
)
@click.option(
    "--phases",
    type=click.Choice(PHASES),
    help="Run each set on every phase of its cycle, and rank by the mean, the median or the worst.",
)
@click.option(
    "--batch", type=int, metavar="N", help="Sets that tpe, nsga2 and cmaes propose at a time.  [20]"
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and how long it would take.")
@click.option("--yes", "large", is_flag=True, help="Search more than ten million sets.")
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
@click.option("--resume", is_flag=True, help="Continue the study that the same command began.")
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
    """Search over the parameters of STRATEGY: a built-in name, path/to/file.py:ClassName, or a spec file.

    Every trial is kept in a study, a folder under --out. The same command with --resume goes on with it.
    A spec file has the whole search in its table [tune]; the study.jsonl of a search is one too.
    Exit code 5 where no trial meets the constraints.

    Example: etflow tune share_inflow --param lookback=5:20:5 --param top=1,2,3
    """
    from engine import (
        Executor,
        Search,
        SearchWords,
        SplitSizes,
        Watch,
        check_writable,
        estimate,
        order_of,
    )

    started = time.perf_counter()
    written = options_in_file("tune", strategy, given)
    splits = written.pop("splits", splits)
    given["params"] = (*written.pop("param", ()), *given["params"])
    given |= {IN_COMMAND.get(name, name): value for name, value in written.items()}
    sizes = SplitSizes(**{name: given.pop(name) for name in SIZES})
    by = Executor(executor, scheduler, workers)
    words = SearchWords(**{name: given.pop(name) for name in WORDS})
    spec = make_spec(strategy, given, searched=words.names)
    order = order_of(spec, app.catalogue.strategies, words)
    if not dry_run:
        check_writable(out)
    note_compiling(app)
    with Progress(app, "tune", total=OPENING_STEPS) as progress:
        search = Search.open(order, Watch(progress.begin), by, break_seal=given["break_seal"])
    if dry_run:
        found = estimate(search, verdict=not no_verdict, splits=splits, sizes=sizes)
        print_estimate(order, search, found, as_json=as_json)
        return
    total = order.space.size if order.plan.trials is None else order.plan.trials
    with Progress(app, "tune", total=total or 1) as progress:

        def show(state: State) -> None:
            progress.update(state.done, total or state.done, bar_text(state, total, order.goal))

        def interrupted(study: StudyWriter) -> None:
            note(app, f"{study.trials} trials are in {study.folder}; go on with --resume.")

        tuned = search.run(
            out,
            resume=resume,
            rows=top_trials,
            judged=not no_verdict,
            progress=show,
            interrupted=interrupted,
        )
    page = None
    if tuned.leaderboard.best is not None:
        with Progress(app, "validate", total=JUDGEMENT_STEPS) as progress:
            tuned = search.judge(
                tuned, verdict=not no_verdict, splits=splits, sizes=sizes, announce=progress.begin
            )
            page = None if no_report else tuned.save()
    leaderboard, study = tuned.leaderboard, tuned.study
    if as_json:
        print_json(tuned.document(page) | {"seconds": round(time.perf_counter() - started, 4)})
    elif app.quiet:
        say(str(study.folder))
    else:
        print_study(study.folder, study.header, leaderboard)
        if tuned.best_run is not None:
            say(f"best   {tuned.best_run}, the same on the reference engine")
        if page is not None:
            say(f"page   {page}")
        say(f"sets   {borne_text(search, tuned.on_record)}")
        if tuned.report is not None:
            say()
            print_judgement(app, tuned.report)
    warn_of_data(app, search.data_warnings, order.spec.data)
    warn_of_study(app, leaderboard, order, study)
    if (
        leaderboard.trials
        and leaderboard.failures == leaderboard.trials
        and leaderboard.first_failure is not None
    ):
        raise StrategyError(
            f"all {leaderboard.trials} trials failed",
            received=leaderboard.first_failure.outcome.failure,
            hint=f"Each has its reason in {study.folder}.",
        )
    if leaderboard.trials and not leaderboard.feasible:
        constraints = " and ".join(map(str, order.goal.constraints))
        raise ValidationError(
            f"none of the {leaderboard.trials} trials is feasible: has all objectives"
            + (" and meets all constraints" if constraints else ""),
            limit=constraints or None,
            hint="There is no best trial, and nothing was judged. Loosen a constraint, or search elsewhere.",
        )
