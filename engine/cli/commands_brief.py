"""The command that writes the flow brief of one fund on one day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import DataError, UsageError, ValidationError, check_choice
from data.words import count
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_universe
from engine.cli.options import allow_option, assignments, data_option, day, json_option, out_option, verbosity
from engine.cli.output import print_json, say
from engine.cli.present_brief import print_brief, print_ranking, print_verdicts

if TYPE_CHECKING:
    from engine import Verified, Windows


@click.command(short_help="The flow brief of one fund on one day.")
@click.argument("symbol", required=False)
@click.option("--on", type=day, metavar="DAY", help="Session to report on.  [the fund's last on file]")
@data_option
@click.option("--sessions", type=int, help="Second window of the net inflow.  [20]")
@click.option(
    "--window",
    "lengths",
    multiple=True,
    metavar="KIND=N,N",
    help="Sessions that sums and means cover, of inflow, financing or turnover; repeatable.",
)
@click.option("--theme", default="optical", show_default=True, help="Theme tag to weigh in the fund's index.")
@click.option(
    "--theme-index", default="", metavar="CODE", help="Index that drifts the theme's weight to the day."
)
@click.option("--page", is_flag=True, help="Write a page with small charts too, in a folder of its own.")
@out_option
@click.option(
    "--universe",
    metavar="NAME",
    shell_complete=complete_universe,
    help="Rank the funds of a universe instead: a row for each.",
)
@click.option("--by", metavar="LINE", help="Line of the brief to rank by.  [net_inflow_5_ratio]")
@click.option(
    "--verify",
    "statements",
    metavar="FILE",
    help="Hold statements (statement,fund,day,value,tolerance,source) against the data; "
    "`shipped` are those of etflow.",
)
@allow_option
@json_option
@verbosity
@pass_app
def brief(
    app: App,
    symbol: str | None,
    on: date | None,
    data: str | None,
    sessions: int | None,
    lengths: tuple[str, ...],
    theme: str,
    theme_index: str,
    page: bool,
    out: Path,
    universe: str | None,
    by: str | None,
    statements: str | None,
    allow: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compute the flow brief of SYMBOL: inflow, units, margin, turnover, records, premium, index and theme.

    Values belong to sessions up to and including DAY: what is public by the next open. What is not on file
    is said, with the reason. Example: etflow brief 157001.SZ --on 2025-08-20

    With --universe the main lines of each fund that was listed, the largest first by one of them.
    Example: etflow brief --universe chinext_ai --by adtv_20 --data mydata

    With --verify each statement of FILE agrees, differs, or cannot be told, and why; SYMBOL and DAY keep
    those about them. Exit code 5 if one differs, else 3 if one cannot be told.
    Example: etflow brief 159363 --verify shipped --data mydata
    """
    from data.source import open_source
    from engine import brief as brief_of
    from engine import check_writable, rank, verify

    source = open_source(data or "demo")
    windows = _windows(lengths)
    strategies = app.catalogue.strategies
    defined: dict[str, Any] = {
        "theme": theme,
        "theme_index": theme_index,
        "strategies": strategies,
        "allow": allow,
    }
    if page and statements is not None:
        raise UsageError("--page is of the brief of a fund or of a universe", hint="Leave --verify out.")
    if (symbol is not None and universe is not None) or (statements is not None and universe is not None):
        raise UsageError("--universe goes with neither SYMBOL nor --verify")
    if by is not None and universe is None:
        raise UsageError("--by is the order of --universe", received=by)
    if universe is not None:
        if windows or sessions:
            raise UsageError("--universe takes its windows from its columns", hint="Leave --window out.")
        order = {} if by is None else {"by": by}
        if page:
            check_writable(out)
        ranked = rank(source, universe, on, **order, strategies=strategies, allow=allow)
        folder = ranked.save(out) if page else None
        if as_json:
            print_json(ranked.document() | _saved(folder, "ranking.html"))
        else:
            print_ranking(app, ranked)
            _say_saved(folder, "ranking.html")
        return
    if statements is not None:
        if windows or sessions:
            raise UsageError("--verify takes its windows from the statements", hint="Leave --window out.")
        told = verify(source, statements, symbol=symbol, on=on, **defined)
        if as_json:
            print_json(told.document())
        else:
            print_verdicts(app, told)
        _judge(told)
        return
    if page:
        check_writable(out)
    if symbol is None:
        raise click.UsageError("Missing argument 'SYMBOL'.")
    found = brief_of(source, symbol, on, sessions=sessions, windows=windows, **defined)
    folder = found.save(out) if page else None
    if as_json:
        print_json(found.document() | _saved(folder, "brief.html"))
        return
    print_brief(app, found)
    _say_saved(folder, "brief.html")


def _saved(folder: Path | None, page: str) -> dict[str, str]:
    """Return what ``--json`` says of the files, nothing if there are none."""
    return {} if folder is None else {"folder": str(folder), "page": str(folder / page)}


def _say_saved(folder: Path | None, page: str) -> None:
    if folder is not None:
        say()
        say(f"results  {folder}")
        say(f"page     {folder / page}")


def _judge(found: Verified) -> None:
    """Raise ValidationError if a statement differs, else DataError if one cannot be told."""
    _, differ, open_ = found.counts.values()
    if differ:
        first = next(each for each in found.verdicts if each.word == "differs")
        said = f"`{first.statement.name}` of {first.statement.fund} on {first.statement.day}"
        raise ValidationError(f"the data differ from {count(differ, 'statement')}, first {said}")
    if open_:
        raise DataError(
            f"nothing can be told of {count(open_, 'statement')}", hint="Import what the reasons name."
        )


def _windows(words: tuple[str, ...]) -> Windows | None:
    """Return the windows of ``--window``, None where there is none; UsageError if they are no numbers."""
    from engine import Windows

    given: dict[str, tuple[int, ...]] = {}
    for kind, text in assignments(words, "--window").items():
        check_choice("window", kind, Windows.__dataclass_fields__, "--window")
        try:
            given[kind] = tuple(dict.fromkeys(int(each) for each in text.split(",")))
        except ValueError:
            raise UsageError(
                f"--window {kind} needs whole numbers of sessions", received=text, hint="For instance 5,20."
            ) from None
    return Windows(**given) if given else None
