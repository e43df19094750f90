"""Commands that make results: run a strategy, compare several, make a tear sheet again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from data.errors import UsageError
from engine.cli.app import App, pass_app
from engine.cli.commands_validate import remake_page
from engine.cli.complete import complete_run, complete_strategy, complete_strategy_or_run
from engine.cli.options import json_option, out_option, run_options, verbosity
from engine.cli.output import Progress, print_json, say, warn
from engine.cli.present import comparison_heading, metric_table, print_result, run_document
from engine.cli.present_significance import significance_text
from engine.cli.specs import make_spec

if TYPE_CHECKING:
    from engine.pipeline import Run, Watch
    from engine.result import Result

# A quarter: below it the methods that the statistics come from speak of no inference at all.
FEW_SESSIONS = 60


@click.command(short_help="Backtest a strategy.")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@run_options
@pass_app
def run(app: App, /, strategy: str | None, out: Path, as_json: bool, no_report: bool, **given: Any) -> None:
    """Backtest STRATEGY: a built-in name, or path/to/file.py:ClassName.

    Writes a results folder with a tear sheet.

    Example: etflow run share_inflow --set top=2
    """
    from engine.pipeline import STEPS, Watch, execute, keep, open_market, strategy_of
    from engine.results.runs import check_writable

    spec = make_spec(strategy, given)
    check_writable(out)
    made = strategy_of(spec, app.catalogue.strategies)
    with Progress(app, "run", total=len(STEPS)) as progress:
        watch = Watch(progress.begin)
        done = execute(spec, made, open_market(spec, watch), watch)
        folder = keep(done, out, watch, report=not no_report)
    _warn(app, {done.result.name: done.result})
    if as_json:
        print_json(run_document(done.result, done.metrics, folder, watch.seconds))
    elif app.quiet:
        say(str(folder))
    else:
        print_result(app, done.result, done.metrics)
        say()
        say(f"results     {folder}")
        if not no_report:
            say(f"tear sheet  {folder / 'tearsheet.html'}")


@click.command(short_help="Compare strategies or finished runs.")
@click.argument(
    "what", nargs=-1, required=True, metavar="STRATEGY...|RUN...", shell_complete=complete_strategy_or_run
)
@run_options
@pass_app
def compare(
    app: App, /, what: tuple[str, ...], out: Path, as_json: bool, no_report: bool, **given: Any
) -> None:
    """Compare strategies or finished runs, beside benchmark and equal weight, in a table and on a page.

    A strategy may carry its own settings: momentum:lookback=60,top=2. Strategies start together, on the first
    day on which all of them can decide. The Sharpe ratio of each is held against that of the first: interval
    and p-values of the difference, from resamples by --seed.

    Example: etflow compare share_inflow momentum equal_weight
    """
    from engine.comparisons.significance import significance, significance_document
    from engine.pipeline import Watch, keep
    from engine.results.runs import check_writable, comparison_id, finished, writing

    check_writable(out)
    folders = {word: folder for word in what if (folder := finished(word, out)) is not None}
    fresh = [word for word in dict.fromkeys(what) if word not in folders]
    with Progress(app, "compare", total=3 + 3 * len(fresh) + 2) as progress:
        watch = Watch(progress.begin)
        runs = {word: _load(folder) for word, folder in folders.items()}
        runs |= _run_together(app, fresh, given, watch) if fresh else {}
        folders |= {word: keep(runs[word], out, watch, report=False) for word in fresh}
        # A strategy is called as it was typed, a finished run by its id, however it was typed.
        called = {word: word if word in fresh else runs[word].result.name for word in what}
        compared = {called[word]: runs[word] for word in what}
        folders = {called[word]: folder for word, folder in folders.items() if word in called}
        results = {word: done.result for word, done in compared.items()}
        with watch("significance"):
            tested = significance([*results.values()], seed=_seed(given))
        page = out / f"{comparison_id([result.name for result in results.values()])}.html"
        if not no_report:
            from engine.report.compare_page import write_comparison

            with watch("report"), writing(page):
                write_comparison(
                    [*results.values()], [run.metrics for run in compared.values()], page, tested
                )
    _warn_of_periods(app, results)
    _warn(app, results)
    if as_json:
        print_json(
            {
                "runs": [
                    run_document(run.result, run.metrics, folders[word], {}) for word, run in compared.items()
                ],
                "significance": significance_document(tested, [*compared]),
                "page": None if no_report else str(page),
                "seconds": watch.seconds,
            }
        )
    elif app.quiet:
        say(str(out if no_report else page))
    else:
        _print_comparison(compared)
        say()
        say(significance_text(tested, [*compared]))
        say()
        for word in fresh:
            say(f"results  {folders[word]}")
        if not no_report:
            say(f"page     {page}")


@click.command(short_help="Make the page of a run or a study again.")
@click.argument("run_name", metavar="RUN|STUDY", shell_complete=complete_run)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "pdf", "png"]),
    default="html",
    show_default=True,
    help="A page, a document, or one picture a page.",
)
@out_option
@json_option
@verbosity
@pass_app
def report(app: App, run_name: str, kind: Literal["html", "pdf", "png"], out: Path, as_json: bool) -> None:
    """Make the tear sheet of RUN again: an id, the beginning of one, a folder, or last.

    The page (html) has everything; pdf and png hold the summary and the figures. Of a study, the page of the
    search is made again, with its judgement.

    Example: etflow report last --format pdf
    """
    from engine.report import render
    from engine.results.folder import load
    from engine.results.runs import find, writing
    from engine.tuning.study import find_study

    study = find_study(run_name, out)
    if study is not None:
        if kind != "html":
            raise UsageError("the page of a study is HTML only", received=kind, hint="Leave out --format.")
        page = remake_page(app, str(study), out)
        if as_json:
            print_json({"run_id": study.name, "files": [page]})
        else:
            say(page)
        return
    folder = find(run_name, out)
    result = load(folder)
    with Progress(app, "report", total=1) as progress, writing(folder):
        progress.begin("tear sheet")
        written = [str(path) for path in render(result, folder, kind)]
    if as_json:
        print_json({"run_id": result.name, "files": written})
    else:
        say("\n".join(written))


def _print_comparison(compared: Mapping[str, Run]) -> None:
    say(comparison_heading([done.result for done in compared.values()]))
    say()
    say(metric_table([(word, done.result, done.metrics) for word, done in compared.items()]))


def _seed(given: Mapping[str, Any]) -> int:
    """Return the seed of the options or of their spec file; finished runs have one each, which is none."""
    if given["seed"] is not None or given["spec_file"] is None:
        return given["seed"] or 0
    return make_spec("compare", given).seed


def _load(folder: Path) -> Run:
    from engine.pipeline import Run
    from engine.results.folder import load, read_metrics

    return Run(load(folder), read_metrics(folder))


def _run_together(app: App, words: Sequence[str], given: Mapping[str, Any], watch: Watch) -> dict[str, Run]:
    """Run strategies on the same panel from the same day: the first on which all of them can decide."""
    from engine.pipeline import execute, open_market, strategy_of
    from engine.simulation.backtest import first_session

    specs = {word: make_spec(word, given) for word in words}
    made = {word: strategy_of(spec, app.catalogue.strategies) for word, spec in specs.items()}
    market = open_market(specs[words[0]], watch)
    if specs[words[0]].start is None:
        row = max(first_session(strategy, market.panel) for strategy in made.values())
        start = market.panel.days[row].item()
        specs = {word: spec.with_(start=start) for word, spec in specs.items()}
    return {word: execute(spec, made[word], market, watch) for word, spec in specs.items()}


def _warn_of_periods(app: App, results: Mapping[str, Result]) -> None:
    periods = {word: f"{result.days[0]} to {result.days[-1]}" for word, result in results.items()}
    if len(set(periods.values())) > 1:
        text = "; ".join(f"{word} {period}" for word, period in periods.items())
        warn(app, f"the runs cover different periods, so that their metrics do not compare: {text}")


def _warn(app: App, results: Mapping[str, Result]) -> None:
    """Warn of data that failed a check and of runs that are too short to judge."""
    shortest = min((len(result.days) for result in results.values()), default=FEW_SESSIONS)
    if shortest < FEW_SESSIONS:
        warn(
            app,
            f"{shortest} session(s) are too few to judge by; annual figures of so short a run mean little",
        )
    for word, result in results.items():
        allowed = result.manifest.get("allowed", [])
        if allowed:
            warn(app, f"{word} went on over errors in its data: {len(allowed)}, the first: {allowed[0]}")
