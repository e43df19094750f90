"""The command that says whether everything a run needs is as it should be."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from data.errors import DataError
from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.options import data_option, json_option, out_option, verbosity
from engine.cli.output import Progress, paint, print_json, say

COLOURS = {"ok": "green", "remark": "yellow", "fault": "red"}


@click.command(short_help="Say what is wrong with the installation or the data, and what mends it.")
@data_option
@out_option
@json_option
@verbosity
@pass_app
def doctor(app: App, data: str | None, out: Path, as_json: bool) -> None:
    """Examine the installation, the folders, the disk, the calendars, the data, the record and the results.

    Nothing is changed. Below what is wrong stands the command that mends it; exit code 3 where something is.

    Example: etflow doctor --data store
    """
    from engine import examine

    with Progress(app, "doctor", total=1):
        found = examine(data, out)
    faults = [each for each in found if each.state == "fault"]
    if as_json:
        print_json({"healthy": not faults, "found": [asdict(each) for each in found]})
    else:
        width = max(len(each.name) for each in found)
        for each in found:
            if app.quiet and each.state != "fault":
                continue
            say(f"{paint(f'{each.state:6}', fg=COLOURS[each.state])}  {each.name:{width}}  {each.text}")
            if each.mend:
                say(f"{'':{8 + width}}  -> {each.mend}")
    if faults:
        names = ", ".join(dict.fromkeys(each.name for each in faults))
        raise DataError(f"{count(len(faults), 'fault')}: {names}", hint=faults[0].mend)
