"""The command that says what to hold at the next open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.facts.symbols import market_of
from data.synthetic import SYNTHETIC_NOTICE
from data.words import NOT_AVAILABLE, count, percent
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_strategy
from engine.cli.options import json_option, out_option, spec_options, standing_options, verbosity
from engine.cli.output import (
    Progress,
    money,
    note,
    paint,
    print_json,
    say,
    table,
    warn,
    warn_of_data,
)
from engine.cli.specs import make_spec

if TYPE_CHECKING:
    from data.panel.panel import Panel
    from engine import Format, Input, Job, Line, NextOrders, Spec, Standing, Ticket

    # How an account stands at the close of a session of a job, and the sessions that it has done by then.
    Past = Iterable[tuple[date, Standing]]
    Stands = Callable[[Job, date], tuple[Standing, Past]]

HEADER = ("send", "fund", "shares", "limit price", "value", "commission", "of usual volume", "why")
FUND_HEADER = (
    "fund",
    "weight",
    "score",
    "rank",
    "shares",
    "order",
    "target",
    "reference",
    "limit down",
    "limit up",
    "price",
    "flow",
    "nav",
    "margin",
)
INPUT_HEADER = ("input", "of session", "sessions old", "due", "vintage", "came")


class SignalGroup(click.Group):
    """``signal STRATEGY``, and the commands that go with it: the first word is one of theirs, or not."""

    def __init__(self, alone: click.Command, **given: Any) -> None:
        super().__init__(alone.name, short_help=alone.short_help, help=alone.help, **given)
        self._alone = alone

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the words of the command that is meant."""
        if args and args[0] in self.commands:
            return super().make_context(info_name, args, parent, **extra)
        return self._alone.make_context(info_name, args, parent, **extra)

    def get_help(self, ctx: click.Context) -> str:
        """Return the help of ``signal`` alone."""
        return self._alone.get_help(ctx)


@click.command("signal", short_help="What to hold at the next open, as orders.")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@spec_options
@standing_options
@click.option("--allow-stale", is_flag=True, help="Decide although newer data should be on file.")
@click.option("--page", is_flag=True, help="Write a page of it too, in a folder of its own.")
@out_option
@json_option
@verbosity
@pass_app
def signal_alone(
    app: App,
    /,
    strategy: str | None,
    holdings: Path | None,
    account: Path | None,
    run: str | None,
    trust: bool,
    format_name: str | None,
    band: float,
    allow_stale: bool,
    page: bool,
    out: Path,
    as_json: bool,
    **given: Any,
) -> None:
    """Say what STRATEGY holds at the open after the last session on file, as orders from what is held now.

    Decides as a backtest does, and sends what cash pays for: sales first, whole lots, limit prices. With
    --start the rebalancing rule is counted from that day, and there are no orders where no decision is due;
    without it the decision is made now. --end cuts the data. With --format the orders alone are printed, as a
    file for a broker; --positions is read by the same format. Data that are older than they should be are
    refused. Example: etflow signal share_inflow --set top=2 --positions held.csv --cash 25000
    """
    from data.source import renewal
    from engine import Watch, check_writable, format_of, open_job, require_trust, signal_job

    chosen = format_of(format_name or "generic")
    if page:
        check_writable(out)
    with Progress(app, "signal", total=4) as progress:
        watch = Watch(progress.begin)
        spec, stands = account_of(strategy, holdings, account, run, out, chosen, given)
        if run is not None or account is not None:
            require_trust(spec.strategy, app.catalogue.strategies, str(run or account), trust=trust)
        job = open_job(spec, app.catalogue.strategies, watch, break_seal=given["break_seal"])
        standing, past = stands(job, job.panel.days[-1].item())
        if not (allow_stale or job.panel.synthetic):
            _require_ahead(job.panel, given["end"], renewal(job.market.source))
        found = signal_job(job, standing=standing, past=past, band=band, allow_stale=allow_stale, watch=watch)
    warn_of_data(app, found.data_warnings, spec.data)
    signal = found.signal
    folder = found.save(out) if page else None
    if as_json:
        where = {} if folder is None else {"folder": str(folder), "page": str(folder / "signal.html")}
        print_json(found.document() | where)
    elif format_name is not None:
        click.echo(found.orders_file(chosen), nl=False)
        _warn_of_cuts(app, found)
    elif app.quiet:
        for ticket in found.tickets.sent:
            say(f"{ticket.symbol},{ticket.shares}")
    else:
        say(paint(f"{spec.strategy} on {job.panel.name}, before the open of {signal.day}", bold=True))
        say(f"data to {signal.last_day}, fingerprint {job.panel.fingerprint}")
        if job.panel.synthetic:
            say(paint(SYNTHETIC_NOTICE, fg="yellow"))
        _print(app, found)
        if folder is not None:
            say()
            say(f"results  {folder}")
            say(f"page     {folder / 'signal.html'}")


signal_command = SignalGroup(signal_alone)


def account_of(
    strategy: str | None,
    holdings: Path | None,
    account: Path | None,
    run: str | None,
    out: Path,
    chosen: Format,
    given: Mapping[str, Any],
) -> tuple[Spec, Stands]:
    """Return the spec that a command line means, and how its account stands at the close of a session.

    With it come the sessions that it has done by then, of holdings none.

    That of a paper account or of a run has all settings; UsageError for one that is given beside it.
    """
    from data.errors import UsageError
    from engine import Run, Spec, Standing, read_account, read_holdings, show_run

    if account is None and run is None:
        held = read_holdings(holdings, chosen) if holdings else {}
        # An account may have no cash, a run may not, so the spec does not get to see it.
        spec = make_spec(strategy, {**given, "cash": None})
        cash = given["cash"] if given["cash"] is not None else 0.0 if holdings else spec.cash
        if not 0.0 <= cash < float("inf"):
            raise UsageError("`cash` is out of bounds", received=cash, limit="0 or more")
        return spec, lambda _job, _at: (Standing(cash, held), ())
    option = "--from" if account is None else "--account"
    names = (
        *("symbols", "universe", "start", "cash", "currency", "benchmark", "engine", "fill", "reserve"),
        *("settings", "costs", "availability", "lags", "seed"),
    )
    said = [name for name in (*names, "spec_file") if given[name] not in (None, ())]
    said += [word for word, there in (("--positions", holdings), ("--from", account and run)) if there]
    if strategy is not None or said:
        raise UsageError(
            f"{option} takes strategy, settings, holdings and cash from what it names",
            received=", ".join(filter(None, (strategy, *said))),
            hint=f"Leave them out, or leave out {option}.",
        )
    changes = {name: given[name] for name in ("data", "end") if given[name] is not None}
    changes |= {"allow": given["allow"]} if given["allow"] else {}
    if account is not None:
        kept = read_account(account)
        own = Spec.from_document(kept.header.spec, str(account))
        if given["end"] is not None and own.start is not None and given["end"] < own.start:
            raise UsageError("the account begins later", received=given["end"], limit=f"from {own.start} on")
        return own.with_(**changes), lambda _job, at: (kept.standing(at), kept.past(at))
    folder, found = show_run(str(run), out)
    if not isinstance(found, Run):
        raise UsageError(f"{folder} is a study, no run", hint="Run its best trial first.")
    last = found.days[-1].item()
    spec = Spec.from_document(found.manifest["spec"], f"{folder}/manifest.json")
    days = {"start": found.days[0].item(), "end": last}

    def after(job: Job, at: date) -> tuple[Standing, Past]:
        if at != last:
            raise UsageError("a run stands at its own end", received=at, limit=f"{last}")
        on_file = job.panel, job.current
        return Standing.after(found, *on_file), Standing.before_each(found, *on_file)

    return spec.with_(**(days | changes)), after


def _require_ahead(panel: Panel, evening: date | None, renewal: str) -> None:
    """Raise DataError where the session that would be traded is over by the clock of its exchange.

    ``evening`` is the day that was asked for: sessions after it are not missed. ``renewal`` is the command
    that brings newer data.
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from data.errors import DataError
    from data.facts.symbols import ZONES, markets_of
    from data.providers.fetching import DAY_IS_OVER
    from engine import next_session

    first, *others = markets_of(panel.symbols)
    now = datetime.now(ZoneInfo(ZONES[first]))
    session = next_session(panel.symbols, panel.days[-1].item())
    if evening is not None and evening < session:
        return
    if (session, DAY_IS_OVER) <= (now.date(), now.hour):
        between = (
            f"Over {first} and {' and '.join(others)} the time for it is between the close of the last "
            "and the open of the first. "
        )
        raise DataError(
            f"the session of {session}, the one after the data, is over",
            received=f"data to {panel.days[-1]}{f', and --end {evening}' if evening else ''}",
            limit=f"it is {now:%Y-%m-%d %H:%M} there",
            hint=f"Bring what is missing: `{renewal}`. "
            f"{between if others else ''}For the orders of that session "
            f"all the same: --end {panel.days[-1]}, or --allow-stale.",
        )


def _print(app: App, found: NextOrders) -> None:
    signal, tickets = found.signal, found.tickets
    currency = found.currency
    say(f"cash {money(signal.cash, currency)}, equity {money(signal.equity, currency)} at reference prices")
    say(f"cash after the orders at least {money(tickets.cash_after, currency)}")
    for action in signal.actions:
        say(action)
    if not signal.decides:
        following = f"; the next is due on {signal.next_decision}" if signal.next_decision else ""
        sold = " A stop sells." if any(line.stop for line in signal.orders) else ""
        sold += " What waited is bought." if any(line.waited for line in signal.orders) else ""
        sold = sold or " Nothing to trade."
        say(f"No decision is due before this open{following}.{sold}")
    if found.panel.currency is not None:
        rates = ", ".join(
            f"{each.rate:.6g} {currency} for a {each.currency}"
            for each in found.opens
            if each.currency != currency
        )
        say(f"amounts of money are in {currency}{f', at {rates}' if rates else ''}; prices in the fund's")
    say()
    sent = [*enumerate(tickets.sent, start=1)]
    for each in found.opens:
        if found.panel.markets:
            say(f"{each.market}, prices in {each.currency}: send before {each.told}")
        mine = [_order(place, ticket) for place, ticket in sent if market_of(ticket.symbol) == each.market]
        say(table(mine, HEADER, left=2) if mine else "Nothing to send.")
        say()
    shown = [
        line
        for line in signal.lines
        if app.verbose or line.weight or line.shares or line.order_shares or line.remark
    ]
    say(
        table([_cells(line) for line in shown], FUND_HEADER)
        if shown
        else "Nothing to hold, nothing to trade."
    )
    note(app, "price, flow, nav, margin: sessions from the datum to this open. What the score was read from:")
    say()
    say(table([_input(each) for each in found.inputs], INPUT_HEADER))
    for line in shown:
        if line.remark:
            warn(app, f"{line.symbol}: no order, {line.remark}")
    _warn_of_cuts(app, found)


def _warn_of_cuts(app: App, found: NextOrders) -> None:
    from engine import cut_text

    for ticket in (*found.tickets.sent, *found.tickets.dropped):
        if ticket.cut:
            warn(app, f"{ticket.symbol}: {cut_text(ticket)}")
    waiting = [ticket.symbol for ticket in found.tickets.sent if ticket.after_sales]
    if waiting:
        warn(app, f"send {', '.join(waiting)} once the sales have traded: it is their money")
    for market in found.behind:
        warn(app, f"stale: {market}, which closed on {market.due} before this open")
    for each in found.inputs:
        if each.late:
            warn(app, f"stale: {each}; due is {each.due}")


def _order(place: int, ticket: Ticket) -> tuple[str, ...]:
    return (
        str(place),
        ticket.symbol,
        f"{ticket.shares:+,}",
        _price(ticket.limit_price),
        money(ticket.notional),
        money(ticket.commission + ticket.fee),
        percent(ticket.volume_share),
        ticket.why,
    )


def _input(each: Input) -> tuple[str, ...]:
    return (
        each.table,
        str(each.session or NOT_AVAILABLE),
        NOT_AVAILABLE if each.age is None else str(each.age),
        NOT_AVAILABLE if each.due is None else str(each.due),
        each.vintage or NOT_AVAILABLE,
        NOT_AVAILABLE if each.came is None else f"{each.came:%Y-%m-%d %H:%M}, {each.provider}",
    )


def _cells(line: Line) -> tuple[str, ...]:
    return (
        line.symbol,
        percent(line.weight),
        NOT_AVAILABLE if line.score is None else f"{line.score:.6g}",
        NOT_AVAILABLE if line.rank is None else str(line.rank),
        count(line.shares),
        f"{line.order_shares:+,}" if line.order_shares else "0",
        count(line.target_shares),
        _price(line.reference),
        _price(line.limit_down),
        _price(line.limit_up),
        *(NOT_AVAILABLE if age is None else str(age) for age in line.ages.values()),
    )


def _price(value: float | None) -> str:
    return NOT_AVAILABLE if value is None else f"{value:.3f}"
