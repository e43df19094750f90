"""The command that takes rows out of a store."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import UsageError
from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_data
from engine.cli.options import day, json_option, symbol_words, verbosity
from engine.cli.output import Progress, cell, note, print_json, say, table, warn

if TYPE_CHECKING:
    from data.importing import RemovalReport
    from data.store.removal import Removed

# Names that are shown of many.
_SHOWN = 3


@click.command("remove", short_help="Take rows out of a store.")
@click.argument("sources", nargs=-1, metavar="[FILES...]", type=click.Path(path_type=Path))
@click.option(
    "--data", metavar="STORE", shell_complete=complete_data, required=True, help="Folder of the store."
)
@click.option("--map", "map_file", metavar="MAP", help="Map by which the files were imported.")
@click.option("--tables", metavar="A,B", help="Tables to remove from.  [all]")
@click.option("--symbols", metavar="A,B", help="Funds, indices, macro series or currency pairs.  [all]")
@click.option("--start", type=day, help="First day.  [the first on file]")
@click.option("--end", type=day, help="Last day.  [the last on file]")
@click.option("--source", metavar="TEXT", help='Rows that name this source; "" for those that name none.')
@click.option("--yes", is_flag=True, help="Do it; without it, only say what would be removed.")
@json_option
@verbosity
@pass_app
def remove_data(
    app: App,
    sources: tuple[Path, ...],
    data: str,
    map_file: str | None,
    tables: str | None,
    symbols: str | None,
    start: date | None,
    end: date | None,
    source: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Take rows out of a store: those of FILES that were imported, of series, of a period, of a source.

    What is named narrows the rows down, and only those go that are all of it. Of FILES go the rows that the
    store has as the files say them. Without --yes nothing is removed: what would be is shown, table by table.
    The store is whole or unchanged, and then as if the rows had never come. What ships with etflow is in no
    store.

    Example: etflow data remove bad.csv --data store
    """
    from data.importing import remove_rows
    from data.providers.recipe import after_removal
    from data.source import DEMO, open_source, renamed
    from data.store.store import Store

    store = open_source(data)
    if not isinstance(store, Store):
        raise UsageError(f"nothing can be removed from `--data {DEMO}`", hint="Name a store: --data STORE.")
    with Progress(app, "remove", total=max(len(sources), 1)) as progress:
        report = remove_rows(
            store,
            sources=sources,
            map_file=map_file,
            tables=_words(tables, "--tables"),
            series=[] if symbols is None else symbol_words(symbols),
            start=start,
            end=end,
            source=source,
            do=yes,
            remember=after_removal,
            progress=progress.update,
        )
    if as_json:
        print_json(_document(data, report, done=yes))
        return
    _print(app, data, report, done=yes)
    gone = {name for each in report.removal.tables for name in each.series}
    for old, new in getattr(renamed(store), "successors", {}).items() if symbols else ():
        if new in gone and old not in gone:
            note(app, f"Rows of {new} from before it was renamed stay under {old}: name that symbol as well.")


def _words(text: str | None, option: str) -> list[str]:
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    if text is not None and not words:
        raise UsageError(f"{option} names nothing", received=repr(text), hint="Leave it out for all.")
    return words


def _document(data: str, report: RemovalReport, *, done: bool) -> dict[str, Any]:
    return {
        "data": data,
        "removed": done,
        "tables": [
            {
                "table": each.table.name,
                "series": list(each.series),
                "rows": len(each.keys),
                "first_day": each.period.first,
                "last_day": each.period.last,
                "sources": list(each.sources),
                "left": each.left,
                "replaced_values": each.replaced,
                "differing": each.other,
                "absent": each.absent,
            }
            for each in report.removal.tables
        ],
        "gone": list(report.removal.lost),
        "actions": [vars(each) for each in report.stranded],
        "skipped": [{"file": file, "reason": reason} for file, reason in report.read.skipped]
        if report.read
        else [],
    }


def _print(app: App, data: str, report: RemovalReport, *, done: bool) -> None:
    rows = [
        (
            each.table.name,
            _some(each.series),
            count(len(each.keys)),
            cell(each.period.first),
            cell(each.period.last),
            count(each.left),
            _some([source or "none" for source in each.sources]),
        )
        for each in report.removal.tables
        if len(each.keys)
    ]
    header = ("table", "series", "rows", "first day", "last day", "rows left", "source")
    say(table(rows, header, left=2, left_too=(6,)))
    for each in report.removal.tables:
        _warn_of(app, data, each, done=done)
    if report.stranded:
        named = _some([str(each) for each in report.stranded])
        warn(
            app,
            f"rows on both sides stay of each of these: {named}; a split without its row is a gain or a loss "
            "in every number, a dividend is not paid",
        )
    if report.removal.lost:
        rest = "is" if done else "would be"
        note(app, f"No row {rest} left of {_some(report.removal.lost)}.")
    for file, reason in report.read.skipped if report.read else ():
        note(app, f"skipped {file}: {reason}")
    amount = count(report.removal.rows, "row")
    if done:
        say(f"{amount} removed.")
        note(app, f"Look at what is left: etflow data check --data {data}")
    else:
        say(f"{amount} would be removed. Add --yes to do it.")


def _warn_of(app: App, data: str, found: Removed, *, done: bool) -> None:
    """Say what a removal does not bring back, and which rows of files stay."""
    name = found.table.name
    if found.replaced:
        values = count(found.replaced, "value")
        where = "" if done else f" (etflow data show revisions --data {data})"
        warn(
            app,
            f"{values} of `{name}` had taken the place of others, which do not come back{where}: import "
            "the files that had those",
        )
    if found.other:
        warn(
            app,
            f"left, because `{name}` says something else by now: {count(found.other, 'row')} of the files",
        )
    if found.absent:
        note(app, f"not in `{name}`: {count(found.absent, 'row')} of the files")


def _some(names: Any) -> str:
    """Return names, the first few of many."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
