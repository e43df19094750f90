"""Commands about finished runs: list, show, diff, reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from data.synthetic import SYNTHETIC_NOTICE
from data.words import percent
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_metric, complete_run, complete_run_or_study
from engine.cli.options import (
    allow_option,
    json_option,
    other_data_option,
    out_option,
    trust_option,
    verbosity,
)
from engine.cli.output import Progress, note, paint, points, print_json, say, table, warn
from engine.cli.present import difference_table, print_result, runs_table
from engine.cli.present_tune import print_study

STEPS = 6
SHOWN = 10


@click.group()
def runs() -> None:
    """List finished runs and studies, show one, diff two, make one again."""


@runs.command("list", short_help="List finished runs.")
@click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Only those of which this holds: metrics, parameters, strategy, data, days; repeatable.",
)
@click.option(
    "--sort",
    metavar="NAME",
    shell_complete=complete_metric,
    help="Best first by this metric, or parameter; -NAME turns it round.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_metric,
    help="Metric to show; repeatable.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The last N; with --sort the first.")
@out_option
@json_option
@verbosity
@pass_app
def list_runs(
    app: App,
    where: tuple[str, ...],
    sort: str | None,
    metrics: tuple[str, ...],
    limit: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """List the runs under --out, the last one at the end, then the studies with their best trials.

    A condition may name every metric of metrics.json, every parameter, and strategy, data, kind ('run' or
    'study'), first_day, last_day.

    Example: etflow runs list --where "strategy == 'momentum' and top <= 3" --sort sharpe_ratio
    """
    from engine import LISTED_METRICS
    from engine import list_runs as listed

    shown = metrics or LISTED_METRICS
    found = listed(
        out, metrics=shown, where=where, sort=sort, limit=limit, complain=lambda text: warn(app, text)
    )
    if as_json:
        print_json(found)
    elif app.quiet:
        say("\n".join(each["run_id"] for each in found))
    elif found:
        say(runs_table(found, shown))
    else:
        say(f"No run in {out} is like that." if where else f"There is no run in {out}.")


@runs.command("show", short_help="Show the metrics of a run.")
@click.argument("run", shell_complete=complete_run_or_study)
@out_option
@json_option
@verbosity
@pass_app
def show_run(app: App, run: str, out: Path, as_json: bool) -> None:
    """Show the table of metrics of RUN (an id, the beginning of one, a folder, or last), or of a study.

    Example: etflow runs show last
    """
    from engine import StoredStudy
    from engine import show_run as find_run

    folder, found = find_run(run, out)
    if isinstance(found, StoredStudy):
        if as_json:
            print_json(found.document())
        else:
            print_study(folder, found.header, found.leaderboard)
        return
    if as_json:
        print_json({**found.document(folder), "spec": found.manifest["spec"]})
        return
    print_result(app, found)
    say()
    say(f"folder  {folder}")


@runs.command("diff", short_help="Show how two runs differ.")
@click.argument("first", shell_complete=complete_run)
@click.argument("second", shell_complete=complete_run)
@click.option("--explain", is_flag=True, help="Say where the change of return comes from, by running again.")
@out_option
@other_data_option
@trust_option
@json_option
@verbosity
@pass_app
def diff_runs(
    app: App, first: str, second: str, explain: bool, out: Path, data: str | None, trust: bool, as_json: bool
) -> None:
    """Tell the runs FIRST and SECOND apart: settings, metrics, the first day on which equity differs.

    --explain turns the first into the second, one thing at a time (code, data, parameters, costs, all else),
    and says what each does to the return, in basis points; what the store revised is listed with what it did.
    This runs the code of the strategies that the manifests name; a file that you have never run by its name
    needs --trust. --data says where the data of both are now.

    Example: etflow runs diff share_inflow-1a2b share_inflow-3c4d --explain
    """
    from engine import diff_runs as tell_apart

    if explain:
        _explain(app, first, second, out, data, trust, as_json)
        return
    found = tell_apart(first, second, out)
    if as_json:
        print_json(found.document())
        return
    for name, about in zip(found.names, found.about, strict=True):
        say(f"{name} on {about}")
    if found.synthetic:
        say(paint(SYNTHETIC_NOTICE, fg="yellow"))
    if found.settings:
        say()
        rows = [(name, _short(a), _short(b), note) for name, a, b, note in found.settings_told]
        say(table(rows, ("", *found.names, ""), left_too=(3,)))
    if found.metrics:
        say()
        say(difference_table(found))
    day = found.first_day
    say()
    say(f"Equity differs from {day} onwards." if day else "Equity is the same on every day.")


@runs.command("reproduce", short_help="Make a run again and compare.")
@click.argument("run", shell_complete=complete_run)
@out_option
@other_data_option
@allow_option
@trust_option
@json_option
@verbosity
@pass_app
def reproduce(
    app: App, run: str, out: Path, data: str | None, allow: tuple[str, ...], trust: bool, as_json: bool
) -> None:
    """Make RUN again from its manifest and compare every number; exit code 5 names the first difference.

    A file of the run, its strategy or its weights, that is not what it was is such a difference.
    --data says where its data are now. This runs the code of the strategy that the manifest names; a file
    that you have never run by its name needs --trust.

    Example: etflow runs reproduce last
    """
    from engine import Watch
    from engine import reproduce as make_again

    with Progress(app, "reproduce", total=STEPS) as progress:
        folder, again = make_again(
            run,
            app.catalogue.strategies,
            out,
            data=data,
            allow=allow,
            trust=trust,
            watch=Watch(progress.begin),
        )
    if as_json:
        print_json({"run_id": again.name, "folder": str(folder), "same": True})
    else:
        say(f"{again.name}: every byte of every table is the same.")
        note(app, "The tear sheet is not compared; `etflow report` makes it again.")


def _explain(
    app: App, first: str, second: str, out: Path, data: str | None, trust: bool, as_json: bool
) -> None:
    from engine import EXPLAINED, Watch, explain_runs

    with Progress(app, "diff", total=3) as progress:
        found = explain_runs(
            first,
            second,
            app.catalogue.strategies,
            out,
            data=data,
            trust=trust,
            watch=Watch(progress.begin),
        )
    if as_json:
        print_json(found.document())
        return
    if app.quiet:
        say(f"{found.whole!r}")
        return
    for name, earned in zip(found.names, found.returns, strict=True):
        say(f"{name} earned {percent(earned)}")
    if found.synthetic:
        say(paint(SYNTHETIC_NOTICE, fg="yellow"))
    say("in basis points (bp) of the initial capital:")
    say()
    shown = {name: "in the next" if each is None else points(each) for name, each in found.causes.items()}
    rows = [(name, shown[name], what) for name, what in EXPLAINED.items()]
    say(table([*rows, ("whole", points(found.whole), "")], ("cause", "bp", "what it is"), left_too=(2,)))
    for each in found.revisions:
        say()
        say(f"revised on {each.day}: {points(each.basis_points)} bp")
        values = [tuple(_short(value) for value in row.values()) for row in each.values[:SHOWN]]
        say(table(values, ("table", "key", "column", "old", "new"), left=3))
        if len(each.values) > SHOWN:
            say(f"and {len(each.values) - SHOWN} more; --json has all")
    for text in found.notes:
        warn(app, text)


def _short(value: Any, longest: int = 40) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
