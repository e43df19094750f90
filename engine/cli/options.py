"""Options that commands share, one decorator each; what they mean is decided in ``engine.spec``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from data.choices import AVAILABILITIES
from data.days import parse_day
from data.errors import UsageError
from engine import ENGINES, FILLS
from engine.cli.app import App
from engine.cli.complete import (
    complete_check,
    complete_cost,
    complete_data,
    complete_setting,
    complete_universe,
)

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_OUT = Path("results")


def day(text: str) -> date:
    """Return the calendar day that ``text`` means, as :func:`data.days.parse_day` reads it."""
    found = parse_day(text)
    if found is None:
        raise click.BadParameter(f"`{text}` is not a day; write it as 2025-08-20.")
    return found


def verbosity(command: Command) -> Command:
    """Add ``--quiet`` and ``-v``, which go to the state of the call and not to the command."""

    def note(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
        def callback(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
            app = ctx.find_object(App)
            if app is not None and value:
                setattr(app, name, True)

        return callback

    options = (
        click.option(
            "--quiet",
            "-q",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=note("quiet"),
            help="Print only what a script needs.",
        ),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=note("verbose"),
            help="Show tracebacks and the warnings of libraries.",
        ),
    )
    return _all(options, command)


def json_option(command: Command) -> Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def out_option(command: Command) -> Command:
    """Add ``--out``, the parent folder of results."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=True),
        default=DEFAULT_OUT,
        show_default=True,
        metavar="FOLDER",
        help="Folder that results are written under.",
    )(command)


def data_option(command: Command) -> Command:
    """Add ``--data`` alone, for commands about data."""
    return _data("demo, or the folder of a store.  [demo]")(command)


def other_data_option(command: Command) -> Command:
    """Add ``--data`` for commands about a run, a study or an account, which say what data they are of."""
    return _data("demo, or the folder of a store, in place of the one that is written down there.")(command)


def _data(said: str) -> Callable[[Command], Command]:
    return click.option("--data", metavar="NAME_OR_FOLDER", shell_complete=complete_data, help=said)


def allow_option(command: Command) -> Command:
    """Add ``--allow``, for commands whose data are checked."""
    return click.option(
        "--allow",
        multiple=True,
        metavar="CHECK",
        shell_complete=complete_check,
        help="Continue despite this failed data check, or all; repeatable.",
    )(command)


def trust_option(command: Command) -> Command:
    """Add ``--trust``, for commands that run what a folder names."""
    return click.option(
        "--trust", is_flag=True, help="Run a strategy's file that you have never run by its name."
    )(command)


def standing_options(command: Command) -> Command:
    """Add what says how an account stands before an open, and in which form orders come and go."""
    options = (
        click.option(
            "--positions",
            "--holdings",
            "holdings",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="What is held at the last close: CSV with symbol,shares. --cash is 0 then by default. "
            "A strategy with `decide` begins without memory.  [nothing]",
        ),
        click.option(
            "--account",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="A paper account: its strategy, settings and holdings.",
        ),
        click.option(
            "--from",
            "run",
            metavar="RUN",
            help="A run as an account: its strategy, settings and last holdings.",
        ),
        trust_option,
        click.option(
            "--format",
            "format_name",
            metavar="NAME|FILE.toml",
            help="How files are written: generic, qmt, fix, or a map of your own.",
        ),
        click.option(
            "--band",
            type=float,
            default=0.01,
            show_default=True,
            metavar="FRACTION",
            help="How much worse than the reference price a limit price may be.",
        ),
    )
    return _all(options, command)


def symbols_option(command: Command) -> Command:
    """Add ``--symbols``."""
    return click.option("--symbols", metavar="A,B", help="Funds to choose from.  [all that the data have]")(
        command
    )


def symbol_words(text: str) -> list[str]:
    """Return the words of ``--symbols``; UsageError where there is none, which would mean all funds."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError("--symbols names no fund", received=repr(text), hint="Leave it out for all funds.")
    return words


def spec_options(command: Command) -> Command:
    """Add everything that says what to run, and how; what is not given is None or empty."""
    options = (
        click.option(
            "--spec",
            "spec_file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="File with these settings (TOML, or what a run or study wrote); options override it.",
        ),
        data_option,
        symbols_option,
        click.option(
            "--universe",
            metavar="NAME",
            shell_complete=complete_universe,
            help="Named set of funds, for instance ai_cn.",
        ),
        click.option("--start", type=day, help="First day.  [first possible]"),
        click.option("--end", type=day, help="Last day.  [last of the data]"),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="NAME=VALUE",
            shell_complete=complete_setting,
            help="Parameter of the strategy; repeatable.",
        ),
        click.option("--cash", type=float, metavar="MONEY", help="Money at the start.  [1000000]"),
        click.option(
            "--reserve",
            type=float,
            metavar="FRACTION",
            help="Of equity, that target weights leave in cash; 0: none.  [0.0025]",
        ),
        click.option(
            "--currency",
            type=click.Choice(["CNY", "USD"]),
            help="Currency of the account.  [of the funds; CNY where they have both]",
        ),
        click.option("--benchmark", metavar="CODE", help="Index or fund to compare with.  [of the data]"),
        click.option("--engine", type=click.Choice(ENGINES), help="What runs it.  [reference]"),
        click.option("--fill", type=click.Choice(FILLS), help="Price at which orders fill.  [open]"),
        click.option(
            "--cost",
            "costs",
            multiple=True,
            metavar="NAME=VALUE",
            shell_complete=complete_cost,
            help="Cost or limit; repeatable.",
        ),
        click.option(
            "--availability",
            type=click.Choice(AVAILABILITIES),
            help="When data count as published.  [normal]",
        ),
        click.option(
            "--lag",
            "lags",
            multiple=True,
            metavar="TABLE=SESSIONS",
            help="Delay a table by this many sessions; repeatable.",
        ),
        allow_option,
        click.option("--seed", type=int, metavar="NUMBER", help="Seed of everything random.  [0]"),
        click.option("--break-seal", is_flag=True, help="Look into a hold-out that is shut; it is recorded."),
    )
    return _all(options, command)


def run_options(command: Command) -> Command:
    """Add ``spec_options``, and everything about what a run writes and prints."""
    options = (
        spec_options,
        click.option("--no-report", is_flag=True, help="Write no tear sheet."),
        out_option,
        json_option,
        verbosity,
    )
    return _all(options, command)


def assignments(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    """Return ``name=value`` words as a dict; UsageError where one has no ``=``."""
    result: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} needs NAME=VALUE", received=pair)
        result[name.strip()] = value.strip()
    return result


def _all(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
