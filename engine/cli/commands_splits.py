"""The command that holds the splits on file against a data set, and adds those that it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from data.errors import UsageError
from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.options import data_option, json_option, symbol_words, symbols_option, verbosity
from engine.cli.output import cell, note, print_json, say, table

if TYPE_CHECKING:
    from data.checks.announced import Known


@click.command("splits", short_help="Splits on file that a data set lacks; add them.")
@data_option
@symbols_option
@click.option("--add", is_flag=True, help="Add those that are missing to the table `actions` of the store.")
@json_option
@verbosity
@pass_app
def list_splits(app: App, data: str | None, symbols: str | None, add: bool, as_json: bool) -> None:
    """List the splits that ship with etflow, each with its source, and whether the data have them.

    With --add those are added that the data show and do not record. Nothing is added to data that somebody
    adjusted, or that record the split otherwise: it would count twice.

    Example: etflow data splits --data store --add
    """
    from data.checks.announced import STATES, compare
    from data.checks.inputs import Inputs
    from data.load import choose_symbols
    from data.source import open_source
    from data.store.store import Store

    source = open_source(data or "demo")
    wanted = None if symbols is None else choose_symbols(source, symbol_words(symbols))
    found = compare(Inputs.of(source, wanted))
    missing = [known for known in found if known.state == "missing"]
    if add:
        if not isinstance(source, Store):
            raise UsageError("nothing can be added to the demo market", hint="Name a store: --data STORE.")
        if missing:
            source.append({"actions": _rows(missing)})
    if as_json:
        print_json(
            {
                "data": source.name,
                "splits": [_document(known) for known in found],
                "added": len(missing) if add else 0,
            }
        )
        return
    rows = [
        (each.split.symbol, cell(each.split.record_day), str(each.split.ex_day), f"{each.split.ratio:g}",
         STATES[each.state], each.split.source)
        for each in found
    ]  # fmt: skip
    header = ("fund", "record day", "ex-day", "ratio", "in the data", "source")
    say(table(rows, header, left_too=(1, 2, 4, 5)) if rows else "No split of these funds is on file.")
    if add:
        say(f"{count(len(missing), 'split')} added.")
    elif missing:
        note(
            app, f"Add {count(len(missing), 'missing split')}: etflow data splits --data {source.name} --add"
        )


def _rows(missing: list[Known]) -> Any:
    import pandas as pd

    splits = [known.split for known in missing]
    return pd.DataFrame(
        {
            "symbol": [split.symbol for split in splits],
            "kind": "split",
            "ex_day": [split.ex_day for split in splits],
            "record_day": [split.record_day for split in splits],
            "ratio": [split.ratio for split in splits],
            "source": [f"etflow data/facts/splits.csv: {split.source}" for split in splits],
        }
    )


def _document(known: Known) -> dict[str, Any]:
    return {
        "symbol": known.split.symbol,
        "record_day": known.split.record_day,
        "ex_day": known.split.ex_day,
        "ratio": known.split.ratio,
        "source": known.split.source,
        "note": known.split.note,
        "state": known.state,
    }
