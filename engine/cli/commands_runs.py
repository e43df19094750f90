"""Commands about finished runs: list, show, diff, reproduce."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from data.errors import DataError, ValidationError
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_run
from engine.cli.options import data_option, json_option, out_option, verbosity
from engine.cli.output import Progress, note, percent, print_json, ratio, say, table, warn
from engine.cli.present import print_result, run_document
from engine.cli.present_tune import listed_studies, show_study

LISTED_METRICS = ("annual_return", "sharpe_ratio", "max_drawdown")


@click.group()
def runs() -> None:
    """List finished runs and studies, show one, tell two apart, make one again."""


@runs.command("list", short_help="List finished runs.")
@out_option
@json_option
@verbosity
@pass_app
def list_runs(app: App, out: Path, as_json: bool) -> None:
    """List the runs under --out, the last one at the end, then the studies with their best trials.

    Example: etflow runs list
    """
    from engine.results.folder import read_manifest, read_metrics
    from engine.results.runs import runs_in

    found = []
    for folder in runs_in(out):
        try:
            manifest, metrics = read_manifest(folder), read_metrics(folder)
        except DataError as error:
            warn(app, str(error))
            continue
        found.append(
            {
                "run_id": folder.name,
                "folder": str(folder),
                "strategy": manifest["strategy"],
                "data": manifest["data"]["name"],
                "synthetic": manifest["data"]["synthetic"],
                **{name: metrics.values.get(name) for name in LISTED_METRICS},
            }
        )
    found += listed_studies(app, out)
    if as_json:
        print_json(found)
    elif app.quiet:
        say("\n".join(each["run_id"] for each in found))
    else:
        rows = [
            (
                each["run_id"],
                f"{each['data']}{' (SYNTHETIC)' if each['synthetic'] else ''}",
                percent(each["annual_return"]),
                ratio(each["sharpe_ratio"]),
                percent(each["max_drawdown"]),
            )
            for each in found
        ]
        header = ("run", "data", "return a year", "Sharpe", "drawdown")
        say(table(rows, header, left=2) if rows else f"There is no run in {out}.")


@runs.command("show", short_help="Show the metrics of a run.")
@click.argument("run", shell_complete=complete_run)
@out_option
@json_option
@verbosity
@pass_app
def show_run(app: App, run: str, out: Path, as_json: bool) -> None:
    """Show the table of metrics of RUN (an id, the beginning of one, a folder, or last), or of a study.

    Example: etflow runs show last
    """
    from engine.results.folder import load, read_metrics
    from engine.results.runs import find, finished
    from engine.tuning.study import find_study

    study = None if finished(run, out) else find_study(run, out)
    if study is not None:
        show_study(study, as_json=as_json)
        return
    folder = find(run, out)
    result, metrics = load(folder), read_metrics(folder)
    if as_json:
        print_json({**run_document(result, metrics, folder, {}), "spec": result.manifest["spec"]})
        return
    print_result(app, result, metrics)
    say()
    say(f"folder  {folder}")


@runs.command("diff", short_help="Tell two runs apart.")
@click.argument("first", shell_complete=complete_run)
@click.argument("second", shell_complete=complete_run)
@out_option
@json_option
@verbosity
@pass_app
def diff_runs(app: App, first: str, second: str, out: Path, as_json: bool) -> None:
    """Tell the runs FIRST and SECOND apart: settings, metrics, the first day on which equity differs.

    Example: etflow runs diff share_inflow-1a2b share_inflow-3c4d
    """
    from engine.results.differences import differing
    from engine.results.folder import load, read_metrics
    from engine.results.runs import find

    one, two = find(first, out), find(second, out)
    results = load(one), load(two)
    settings = [each for each in differing(results[0].manifest, results[1].manifest) if each[0] != "run_id"]
    numbers = list(differing(read_metrics(one).values, read_metrics(two).values))
    equity = _first_other_equity(*results)
    if as_json:
        print_json(
            {
                "runs": [result.name for result in results],
                "settings": [{"name": name, "values": [a, b]} for name, a, b in settings],
                "metrics": [{"name": name, "values": [a, b]} for name, a, b in numbers],
                "first_day_of_other_equity": equity,
            }
        )
        return
    names = tuple(result.name for result in results)
    if settings or numbers:
        rows = [(name, _short(a), _short(b)) for name, a, b in (*settings, *numbers)]
        say(table(rows, ("", *names)))
    say(f"Equity differs from {equity} on." if equity else "Equity is the same on every day.")


@runs.command("reproduce", short_help="Make a run again and compare.")
@click.argument("run", shell_complete=complete_run)
@out_option
@data_option
@json_option
@verbosity
@pass_app
def reproduce(app: App, run: str, out: Path, data: str | None, as_json: bool) -> None:
    """Make RUN again from its manifest and compare every number; exit code 5 names the first difference.

    A file of the run, its strategy or its weights, that is not what it was is such a difference.
    --data says where its data lie now.

    Example: etflow runs reproduce last
    """
    from engine.pipeline import STEPS, Watch, execute, open_market, strategy_of
    from engine.results.differences import first_difference, other_files
    from engine.results.folder import load, write
    from engine.results.runs import find
    from engine.spec import Spec

    folder = find(run, out)
    before = load(folder)
    spec = Spec.from_dict(before.manifest["spec"], origin=f"{folder}/manifest.json")
    changes = list(other_files(before.manifest.get("files", {})))
    if changes:
        raise ValidationError(
            f"run {before.name} does not reproduce: {', '.join(changes)}",
            hint="Put the files back as they were, and call this from the folder where the run was made.",
        )
    with Progress(app, "reproduce", total=len(STEPS)) as progress, tempfile.TemporaryDirectory() as place:
        watch = Watch(progress.begin)
        moved = spec.with_(data=data) if data else spec
        market = open_market(moved, watch)
        again = execute(spec, strategy_of(spec, app.catalogue.strategies), market, watch)
        write(again.result, again.metrics, Path(place))
        difference = first_difference(folder, Path(place))
    if difference is not None:
        now, then = again.result.manifest["versions"], before.manifest["versions"]
        changed = [f"{name} {then.get(name)} -> {now[name]}" for name in now if now[name] != then.get(name)]
        raise ValidationError(
            f"run {before.name} does not reproduce: {difference}",
            hint=f"Versions changed: {', '.join(changed)}." if changed else "Versions are the same.",
        )
    if as_json:
        print_json({"run_id": before.name, "folder": str(folder), "same": True})
    else:
        say(f"{before.name}: every byte of every table is the same.")
        note(app, "The tear sheet is not compared; `etflow report` makes it again.")


def _first_other_equity(one: Any, two: Any) -> str | None:
    left, right = (dict(zip(each.days.tolist(), each.equity.tolist(), strict=True)) for each in (one, two))
    days = sorted({*left, *right})
    return next((str(day) for day in days if left.get(day) != right.get(day)), None)


def _short(value: Any, longest: int = 40) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
