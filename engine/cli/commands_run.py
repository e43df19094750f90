"""Commands that make results: run a strategy, compare several, make a tear sheet again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import EtflowError, UsageError
from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_run_or_study, complete_strategy, complete_strategy_or_run
from engine.cli.options import allow_option, json_option, out_option, run_options, trust_option, verbosity
from engine.cli.output import (
    JUDGEMENT_STEPS,
    Progress,
    note_compiling,
    print_json,
    say,
    warn,
    warn_of_data,
)
from engine.cli.present import alone_table, comparison_heading, metric_table, print_result
from engine.cli.present_significance import significance_text
from engine.cli.specs import make_spec, spec_file_of

if TYPE_CHECKING:
    from engine import Comparison, Run, Watch

# A quarter: below it the methods that the statistics come from speak of no inference at all.
FEW_SESSIONS = 60
STEPS = ("data", "checks", "panel", "simulation", "metrics", "report")


def papers_options(command: Any) -> Any:
    """Add the options that print a page; they come as ``pdf`` and ``png``."""
    pdf = click.option("--pdf", is_flag=True, help="The page as a PDF too, printed by Chromium or Chrome.")
    png = click.option("--png", is_flag=True, help="The page as one picture too, by the same browser.")
    return pdf(png(command))


def _papers(*, pdf: bool, png: bool) -> list[Any]:
    return [name for name, wanted in (("pdf", pdf), ("png", png)) if wanted]


pyfolio_option = click.option(
    "--pyfolio", is_flag=True, help="pyfolio's figures and tables on the tear sheet too; some seconds more."
)


@click.command(short_help="Backtest a strategy.")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@run_options
@pyfolio_option
@papers_options
@pass_app
def run(
    app: App,
    /,
    strategy: str | None,
    out: Path,
    as_json: bool,
    no_report: bool,
    pyfolio: bool,
    pdf: bool,
    png: bool,
    **given: Any,
) -> None:
    """Backtest STRATEGY: a built-in name, path/to/file.py:ClassName, or a spec file.

    Writes a results folder with a tear sheet.

    Example: etflow run share_inflow --set top=2
    """
    from engine import Watch, check_printable, check_writable, open_job, print_page, run_job

    papers = _papers(pdf=pdf, png=png)
    if papers and no_report:
        raise click.UsageError(f"--{papers[0]} prints the tear sheet, which --no-report leaves out.")
    spec = make_spec(strategy, given)
    check_printable(papers)
    check_writable(out)
    with Progress(app, "run", total=len(STEPS)) as progress:
        watch = Watch(progress.begin)
        done = run_job(open_job(spec, app.catalogue.strategies, watch, break_seal=given["break_seal"]), watch)
        with watch("report"):
            folder = done.save(out, report=not no_report, pyfolio=pyfolio)
            printed, unprinted = [], None
            try:
                printed = print_page(folder / "tearsheet.html", papers)
            except EtflowError as error:  # the run is made, and is told of first
                unprinted = error
    warn_of_data(app, done.data_warnings, done.manifest["spec"]["data"])
    _warn(app, {done.name: done})
    if as_json:
        print_json(done.document(folder, watch.seconds))
    elif app.quiet:
        say(str(folder))
    else:
        print_result(app, done)
        say()
        say(f"results     {folder}")
        if not no_report:
            say(f"tear sheet  {folder / 'tearsheet.html'}")
        for path in printed:
            say(f"printed     {path}")
    if unprinted is not None:
        raise unprinted


@click.command(short_help="Compare strategies or finished runs.")
@click.argument("what", nargs=-1, metavar="STRATEGY...|RUN...", shell_complete=complete_strategy_or_run)
@run_options
@pass_app
def compare(
    app: App, /, what: tuple[str, ...], out: Path, as_json: bool, no_report: bool, **given: Any
) -> None:
    """Compare strategies or finished runs, beside benchmark and equal weight, in a table and on a page.

    A strategy may carry its own settings: momentum:lookback=60,top=2. Strategies start together, on the first
    day on which all of them can decide. The Sharpe ratio of each is held against that of the first: interval
    and p-values of the difference, from resamples by --seed. A spec file in place of the strategies has them
    in its table [compare].

    Example: etflow compare share_inflow momentum equal_weight
    """
    from engine import Watch, check_writable, compare_runs, finished_runs

    what, given = _what_to_compare(what, given)
    check_writable(out)
    finished = finished_runs(what, out)
    fresh = [word for word in dict.fromkeys(what) if word not in finished]
    with Progress(app, "compare", total=3 + 3 * len(fresh) + 2) as progress:
        watch = Watch(progress.begin)
        runs = {word: run for word, (_, run) in finished.items()}
        runs |= _run_together(app, fresh, given, watch) if fresh else {}
        # A strategy is called as it was typed, a finished run by its id, however it was typed.
        called = {word: word if word in fresh else runs[word].name for word in what}
        compared = compare_runs({called[word]: runs[word] for word in what}, seed=_seed(given), watch=watch)
        with watch("report"):
            page = compared.save(out, report=not no_report, runs=fresh)
    folders = {called[word]: folder for word, (folder, _) in finished.items()}
    folders |= {word: out / runs[word].name for word in fresh}
    first = next(iter(compared.results.values()))
    warn_of_data(app, compared.data_warnings, first.manifest["spec"]["data"])
    _warn_of_periods(app, compared)
    _warn(app, compared.results)
    if as_json:
        print_json(compared.document(folders, page, watch.seconds))
    elif app.quiet:
        say(str(out if page is None else page))
    else:
        meet = compared.significance.sessions > 0
        if meet:
            say(comparison_heading(compared))
            say()
            say(metric_table([*compared.together.items()]))
            say()
        if compared.differ:
            say(alone_table(compared.results))
            say()
        say(significance_text(compared.significance, [*compared.results]))
        say()
        for word in fresh:
            say(f"results  {folders[word]}")
        if page is not None:
            say(f"page     {page}")


@click.command(short_help="Make the page of a run or a study again.")
@click.argument("run_name", metavar="RUN|STUDY", shell_complete=complete_run_or_study)
@papers_options
@pyfolio_option
@allow_option
@trust_option
@out_option
@json_option
@verbosity
@pass_app
def report(
    app: App,
    run_name: str,
    pdf: bool,
    png: bool,
    pyfolio: bool,
    allow: tuple[str, ...],
    trust: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Make the tear sheet of RUN again: an id, the beginning of one, a folder, or last.

    Of a study, the page of the search is made again, with its judgement, for which the code of its strategy
    runs: a file that you have never run by its name needs --trust. Of a run, no code of the user's runs.
    On paper is what is on the page, all of it, unfolded; a browser prints it, which ETFLOW_BROWSER may name.

    Example: etflow report last --pdf
    """
    from engine import Watch, find_study, make_report

    study = find_study(run_name, out) is not None
    if study:
        note_compiling(app)
    with Progress(app, "report", total=2 * JUDGEMENT_STEPS if study else 1) as progress:
        name, files = make_report(
            run_name,
            app.catalogue.strategies,
            out,
            papers=_papers(pdf=pdf, png=png),
            pyfolio=pyfolio,
            allow=allow,
            trust=trust,
            watch=Watch(progress.begin),
        )
    if as_json:
        print_json({"run_id": name, "files": [str(path) for path in files]})
    else:
        say("\n".join(map(str, files)))


def _what_to_compare(words: tuple[str, ...], given: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return what to compare, as a spec file has it where nothing is typed, and the options."""
    from engine import is_spec_file

    files = [word for word in words if is_spec_file(word)]
    what = tuple(word for word in words if word not in files)
    _, file = spec_file_of(files[0] if files else None, given)
    if len(files) > 1:
        raise UsageError("there are two spec files", received=" and ".join(files), hint="Give one.")
    what = what or tuple(file.tables.get("compare", {}).get("strategies", ()))
    if not what:
        raise UsageError(
            "name strategies or runs to compare",
            hint="For instance `etflow compare share_inflow momentum`, or `strategies` under [compare] of a "
            "spec file.",
        )
    return what, given | ({"spec_file": Path(files[0])} if files else {})


def _seed(given: Mapping[str, Any]) -> int:
    """Return the seed of the options or of their spec file; finished runs have one each, which is none."""
    if given["seed"] is not None or given["spec_file"] is None:
        return given["seed"] or 0
    return make_spec("compare", given).seed


def _run_together(app: App, words: Sequence[str], given: Mapping[str, Any], watch: Watch) -> dict[str, Run]:
    """Run strategies on the same panel from the same day: the first on which all of them can decide."""
    from engine import open_together, run_together

    specs = {word: make_spec(word, given) for word in words}
    jobs = open_together(specs, app.catalogue.strategies, watch, break_seal=given["break_seal"])
    return run_together(jobs, watch)


def _warn_of_periods(app: App, compared: Comparison) -> None:
    if not compared.differ:
        return
    periods = {word: f"{run.days[0]} to {run.days[-1]}" for word, run in compared.results.items()}
    text = "; ".join(f"{word} {period}" for word, period in periods.items())
    sessions = compared.significance.sessions
    what = (
        f"they are compared over the {count(sessions, 'session')} that all have"
        if sessions
        else "none of their sessions is common, so that nothing compares"
    )
    begin = compared.begin_within
    warn(app, f"the runs cover different periods; {what}: {text}{f'. {begin}' if begin else ''}")


def _warn(app: App, results: Mapping[str, Run]) -> None:
    """Warn of data that failed a check, of runs that are too short to judge, and of idle ones."""
    shortest = min((len(result.days) for result in results.values()), default=FEW_SESSIONS)
    if shortest < FEW_SESSIONS:
        few = f"{count(shortest, 'session')} {'is' if shortest == 1 else 'are'} too few to judge by"
        warn(app, f"{few}; annual figures of so short a run mean little")
    for word, result in results.items():
        if result.idle:
            warn(app, f"{word} bought nothing: {result.idle}")
        allowed = result.manifest.get("allowed", [])
        if allowed:
            warn(app, f"{word} went on over errors in its data: {len(allowed)}, the first: {allowed[0]}")
