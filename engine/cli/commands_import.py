"""The command that imports files into a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import UsageError
from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_data
from engine.cli.options import json_option, verbosity
from engine.cli.output import Progress, cell, note, print_json, say, table, warn

if TYPE_CHECKING:
    from data.importing import ImportReport
    from data.store.merge import Change


@click.command("import", short_help="Import files into a store.")
@click.argument("sources", nargs=-1, metavar="SOURCE...", type=click.Path(path_type=Path))
@click.option(
    "--data", metavar="STORE", shell_complete=complete_data, help="Folder of the store; created if needed."
)
@click.option("--map", "map_file", metavar="MAP", help="Map file in TOML, or the name of a ready map.")
@click.option("--accept-revision", is_flag=True, help="Let new values replace old ones; the old are kept.")
@click.option("--list", "list_maps", is_flag=True, help="List the ready maps.")
@json_option
@verbosity
@pass_app
def import_data(
    app: App,
    sources: tuple[Path, ...],
    data: str | None,
    map_file: str | None,
    accept_revision: bool,
    list_maps: bool,
    as_json: bool,
) -> None:
    """Import files, or whole folders of them, into a store: CSV, xlsx, xls, Parquet, JSON, gzipped or not.

    What AKShare, Tushare, East Money, the exchanges and yfinance save is recognised by its columns; for other
    files write a map. The store is whole or unchanged.

    Example: etflow data import downloads --data store
    """
    from data.importing import import_files, ready_maps
    from data.source import store_to_write

    if list_maps:
        _print_maps(as_json, [{"name": name, "reads": each.title} for name, each in ready_maps().items()])
        return
    if not sources or data is None:
        raise UsageError("say what to import, and into which store: data import FILES --data STORE")
    with Progress(app, "import", total=len(sources)) as progress:
        report = import_files(
            sources,
            store_to_write(data),
            map_file=map_file,
            accept_revision=accept_revision,
            progress=progress.update,
        )
    if as_json:
        print_json(
            {
                "data": data,
                "files": [vars(each) for each in report.imported],
                "skipped": [{"file": file, "reason": reason} for file, reason in report.skipped],
                "tables": [_change_document(change) for change in report.changes],
                "revisions": report.revisions.astype(str).to_dict("records"),
            }
        )
    else:
        _print_import(app, data, report)


def _print_maps(as_json: bool, maps: list[dict[str, str]]) -> None:
    if as_json:
        print_json(maps)
    else:
        say(table([(each["name"], each["reads"]) for each in maps], ("map", "reads"), left=2))


def _change_document(change: Change) -> dict[str, Any]:
    return {
        "table": change.table,
        "added": change.added,
        "present": change.present,
        "completed": change.completed,
        "revised": change.revised,
    }


def _print_import(app: App, data: str, report: ImportReport) -> None:
    files = [
        (
            Path(each.file).name,
            each.map,
            each.table,
            count(each.rows),
            cell(each.first_day),
            cell(each.last_day),
        )
        for each in report.imported
    ]
    if not app.quiet:
        say(table(files, ("file", "map", "table", "rows", "first day", "last day"), left=3))
        say()
    tables = [
        (each.table, count(each.added), count(each.present), count(each.completed), count(each.revised))
        for each in report.changes
    ]
    say(table(tables, ("table", "new rows", "known rows", "completed", "revised")))
    for each in report.imported:
        for line in each.notes:
            warn(app, f"{Path(each.file).name}: {line}")
        if each.left_out:
            warn(app, f"{Path(each.file).name}: {count(each.left_out, 'row')} left out of `{each.table}`")
    for file, reason in report.skipped:
        note(app, f"skipped {file}: {reason}")
    note(app, f"Look at them: etflow data check --data {data}")
