"""Commands about paper accounts: begin one, go on, show it, hold it against the backtest of its days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.words import NOT_AVAILABLE, count, digits, percent
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_strategy
from engine.cli.options import (
    allow_option,
    day,
    json_option,
    other_data_option,
    spec_options,
    trust_option,
    verbosity,
)
from engine.cli.output import Progress, money, note, paint, points, print_json, say, table, warn
from engine.cli.specs import make_spec

if TYPE_CHECKING:
    from engine import Change, Session

SHOWN = 20

folder_argument = click.argument("folder", type=click.Path(path_type=Path))


@click.group()
def account() -> None:
    """Keep a paper account: begin one, go on day by day, show it, hold it against its backtest."""


@account.command("new", short_help="Begin a paper account.")
@folder_argument
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@spec_options
@json_option
@verbosity
@pass_app
def new(app: App, /, folder: Path, strategy: str | None, as_json: bool, **given: Any) -> None:
    """Begin a paper account of STRATEGY in FOLDER; it trades from --start on.

    Without --start that is the session after the data. The account keeps all settings, and --data.

    Example: etflow account new paper share_inflow --data store --set top=2 --cash 250000
    """
    from data.errors import UsageError
    from engine import Watch, account_document, new_account, open_job

    if given["end"] is not None:
        raise UsageError("an account has no end", received=f"--end {given['end']}", hint="Leave it out.")
    spec = make_spec(strategy, given)
    with Progress(app, "account", total=3) as progress:
        job = open_job(spec, app.catalogue.strategies, Watch(progress.begin), break_seal=given["break_seal"])
        made = new_account(folder, job)
    if as_json:
        print_json(account_document(made))
    elif app.quiet:
        say(str(folder))
    else:
        say(f"{folder}: an account of {spec.strategy}, which trades from {made.header.spec['start']} on")


@account.command("step", short_help="Do the sessions that the data have and the account has not.")
@folder_argument
@click.option("--until", type=day, metavar="DAY", help="Last session to do.  [last of the data]")
@other_data_option
@allow_option
@trust_option
@json_option
@verbosity
@pass_app
def step(
    app: App,
    folder: Path,
    until: date | None,
    data: str | None,
    allow: tuple[str, ...],
    trust: bool,
    as_json: bool,
) -> None:
    """Do the sessions that the data have and the account in FOLDER has not, one after another.

    Each is on the disk before the next begins, and stays as it is, whatever is revised later. One that is
    done is not done again: a second step on the same evening does nothing. --data says where the data are.

    Example: etflow account step paper
    """
    from engine import Watch, account_document, changed_code, open_account, read_account, step_account

    last = read_account(folder).last_day
    if until is not None and last is not None and until <= last:
        _nothing(app, folder, last, as_json)
        return
    with Progress(app, "account", total=3) as progress:
        opened = open_account(
            folder,
            app.catalogue.strategies,
            until=until,
            data=data,
            allow=allow,
            trust=trust,
            watch=Watch(progress.begin),
        )
        for text in changed_code(opened):
            warn(app, text)
        done = list(step_account(opened))
    if not done:
        _nothing(app, folder, last, as_json)
    elif as_json:
        print_json({"folder": str(folder), "sessions": [each.as_json() for each in done]})
    elif app.quiet:
        say("\n".join(str(each.day) for each in done))
    else:
        document = account_document(read_account(folder))
        if "notice" in document:
            say(paint(document["notice"], fg="yellow"))
        say(_sessions(done, document["currency"]))
        say()
        say(f"{count(len(done), 'session')} done, to {done[-1].day}")


@account.command("show", short_help="Show how a paper account stands.")
@folder_argument
@json_option
@verbosity
@pass_app
def show(app: App, folder: Path, as_json: bool) -> None:
    """Show how the account in FOLDER stands at its last close, and its last sessions.

    Example: etflow account show paper
    """
    from engine import account_document, read_account

    found = read_account(folder)
    if as_json:
        print_json(account_document(found))
        return
    document = account_document(found)
    if app.quiet:
        say(f"{document['equity']!r}")
        return
    currency, last = document["currency"], found.last_day
    say(
        paint(f"{document['strategy']} on {document['data']['name']}, from {document['start']} on", bold=True)
    )
    if "notice" in document:
        say(paint(document["notice"], fg="yellow"))
    if last is None:
        say(f"No session yet; cash {money(document['cash'], currency)}")
        return
    say(
        f"equity {money(document['equity'], currency)} at the close of {last}, "
        f"a return of {percent(document['return'])} on {money(document['initial_cash'], currency)}; "
        f"cash {money(document['cash'], currency)}"
    )
    marks = found.sessions[-1].marks
    held = [
        (symbol, count(shares), f"{marks[symbol]:.3f}", money(shares * marks[symbol]))
        for symbol, shares in document["shares"].items()
    ]
    say()
    say(table(held, ("fund", "shares", "close", f"value, {currency}")) if held else "Nothing is held.")
    say()
    if len(found.sessions) > SHOWN:
        say(f"The last {SHOWN} of {count(len(found.sessions), 'session')}; --json has all.")
    say(_sessions(found.sessions, currency))


@account.command("diff", short_help="Hold a paper account against the backtest of its days.")
@folder_argument
@other_data_option
@allow_option
@trust_option
@json_option
@verbosity
@pass_app
def diff(
    app: App, folder: Path, data: str | None, allow: tuple[str, ...], trust: bool, as_json: bool
) -> None:
    """Hold the account in FOLDER against the backtest of its sessions on the data as they are now.

    Where nothing was revised they are the same to the bit. Else it says which data are others, when the store
    replaced them, and what that did to fills, rejections and equity.

    Example: etflow account diff paper
    """
    from engine import Watch, changed_code, diff_account, difference_document, open_account

    with Progress(app, "account", total=4) as progress:
        opened = open_account(
            folder,
            app.catalogue.strategies,
            data=data,
            allow=allow,
            trust=trust,
            watch=Watch(progress.begin),
        )
        found, revised = diff_account(opened)
    code = changed_code(opened)
    if as_json:
        print_json(difference_document(found, revised) | {"code": list(code)})
        return
    if app.quiet:
        say(f"{found.basis_points!r}")
        return
    if found.same:
        say(f"The same to the bit over {count(found.sessions, 'session')}: equity, fills, rejections.")
    else:
        say(
            f"The account differs from {found.first_day} on; at its last close it has "
            f"{points(found.basis_points)} basis points of the backtest's equity more."
        )
        _changes("data that were others then", found.data)
        _changes("what else differs", found.effects)
    if len(revised):
        say()
        rows = [
            tuple(str(cell)[:40].removesuffix(" 00:00:00") for cell in row)
            for row in revised.tail(SHOWN).itertuples(index=False)
        ]
        say(
            table(
                rows,
                [f"revised {name}" if not place else name for place, name in enumerate(revised.columns)],
                left=3,
            )
        )
    for text in code:
        warn(app, text)
    if not found.same and not found.data and not code:
        note(app, "No price or score of the account changed: what differs comes from rules, actions or code.")


def _sessions(sessions: Sequence[Session], currency: str) -> str:
    """Return the last of some sessions as a table, money in ``currency``."""
    head = ("session", "orders", "fills", "rejections", f"cash, {currency}", f"equity, {currency}")
    return table([_session(each) for each in sessions[-SHOWN:]], head)


def _nothing(app: App, folder: Path, last: date | None, as_json: bool) -> None:
    if as_json:
        print_json({"folder": str(folder), "sessions": []})
    elif not app.quiet:
        say(f"Nothing to do: the account is at {last}." if last else "Nothing to do yet.")


def _session(session: Session) -> tuple[str, ...]:
    return (
        str(session.day),
        str(len(session.orders)),
        str(len(session.fills)),
        str(len(session.rejections)),
        money(session.cash),
        money(session.equity),
    )


def _changes(title: str, changes: Sequence[Change]) -> None:
    if not changes:
        return
    rows = [
        (str(each.day), each.symbol or "account", each.what, *_apart(each.then, each.now))
        for each in changes[:SHOWN]
    ]
    say()
    say(table(rows, (title, "fund", "what", "then", "now"), left=3))
    if len(changes) > SHOWN:
        say(f"and {len(changes) - SHOWN} more; --json has all")


def _apart(then: Any, now: Any) -> tuple[str, str]:
    """Return two values that differ so that one can see it: with all digits where nine are the same."""
    told = _told(then), _told(now)
    return told if told[0] != told[1] else (repr(then), repr(now))


def _told(value: Any) -> str:
    if value is None:
        return NOT_AVAILABLE
    if isinstance(value, list):
        return "; ".join(" ".join(_told(part) for part in each[:2]) for each in value)
    return digits(value) if isinstance(value, float) else str(value)
