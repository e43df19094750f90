"""The command that says what to hold at the next open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.facts.symbols import currency_of
from data.synthetic import SYNTHETIC_NOTICE
from data.words import NOT_AVAILABLE, count
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_strategy
from engine.cli.options import json_option, out_option, spec_options, verbosity
from engine.cli.output import (
    Progress,
    money,
    note,
    paint,
    percent,
    print_json,
    say,
    table,
    warn,
    warn_of_data,
)
from engine.cli.specs import make_spec

if TYPE_CHECKING:
    from engine import Line, Signal

HEADER = (
    "fund",
    "weight",
    "score",
    "shares",
    "order",
    "target",
    "reference",
    "value",
    "commission",
    "of volume",
    "limit down",
    "limit up",
    "price",
    "flow",
    "nav",
    "margin",
)


@click.command("signal", short_help="What to hold at the next open, as orders.")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@spec_options
@click.option(
    "--holdings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV with symbol,shares: what is held at the last close. With it --cash is 0 by default.  [nothing]",
)
@click.option("--page", is_flag=True, help="Write a page of it too, in a folder of its own.")
@out_option
@json_option
@verbosity
@pass_app
def signal_command(
    app: App,
    /,
    strategy: str | None,
    holdings: Path | None,
    page: bool,
    out: Path,
    as_json: bool,
    **given: Any,
) -> None:
    """Say what STRATEGY holds at the open after the last session on file, as orders from what is held now.

    Decides as a backtest does. With --start the rebalancing rule is counted from that day, and there are no
    orders where no decision is due; without it the decision is made now. --end cuts the data.
    Example: etflow signal share_inflow --set top=2 --holdings account.csv --cash 25000
    """
    from data.errors import UsageError
    from engine import Watch, check_writable, open_job, read_holdings, signal_job

    if page:
        check_writable(out)
    held = read_holdings(holdings) if holdings else {}
    # An account may have no cash, a run may not, so the spec does not get to see it.
    spec = make_spec(strategy, {**given, "cash": None})
    cash = given["cash"] if given["cash"] is not None else 0.0 if holdings else spec.cash
    if not 0.0 <= cash < float("inf"):
        raise UsageError("`cash` is out of bounds", received=cash, limit="0 or more")
    with Progress(app, "signal", total=4) as progress:
        watch = Watch(progress.begin)
        job = open_job(spec, app.catalogue.strategies, watch, break_seal=given["break_seal"])
        found = signal_job(job, holdings=held, cash=cash, watch=watch)
    warn_of_data(app, found.data_warnings, spec.data)
    signal = found.signal
    folder = found.save(out) if page else None
    if as_json:
        where = {} if folder is None else {"folder": str(folder), "page": str(folder / "signal.html")}
        print_json(found.document() | where)
    elif app.quiet:
        for line in signal.orders:
            say(f"{line.symbol},{line.order_shares}")
    else:
        say(paint(f"{spec.strategy} on {job.panel.name}, before the open of {signal.day}", bold=True))
        say(f"data to {signal.last_day}, fingerprint {job.panel.fingerprint}")
        if job.panel.synthetic:
            say(paint(SYNTHETIC_NOTICE, fg="yellow"))
        _print(app, signal)
        if folder is not None:
            say()
            say(f"results  {folder}")
            say(f"page     {folder / 'signal.html'}")


def _print(app: App, signal: Signal) -> None:
    currency = currency_of(signal.lines[0].symbol)
    say(f"cash {money(signal.cash, currency)}, equity {money(signal.equity, currency)} at reference prices")
    say(f"cash after the orders about {money(signal.cash_after, currency)}")
    for action in signal.actions:
        say(action)
    if not signal.decides:
        following = f"; the next is due on {signal.next_decision}" if signal.next_decision else ""
        say(f"No decision is due before this open{following}. Nothing to trade.")
    shown = [
        line
        for line in signal.lines
        if app.verbose or line.weight or line.shares or line.order_shares or line.remark
    ]
    say()
    say(table([_cells(line) for line in shown], HEADER) if shown else "Nothing to hold, nothing to trade.")
    note(app, "price, flow, nav, margin: sessions from the datum to this open. Orders go in this order:")
    note(app, ", ".join(f"{line.symbol} {line.order_shares:+,}" for line in signal.orders) or "none")
    for line in shown:
        if line.remark:
            warn(app, f"{line.symbol}: no order, {line.remark}")
    if signal.cash_after < 0:
        warn(app, "cash does not pay for all of it at reference prices; the last buys would be cut")


def _cells(line: Line) -> tuple[str, ...]:
    return (
        line.symbol,
        percent(line.weight),
        NOT_AVAILABLE if line.score is None else f"{line.score:.6g}",
        count(line.shares),
        f"{line.order_shares:+,}" if line.order_shares else "0",
        count(line.target_shares),
        _price(line.reference),
        money(line.notional),
        money(line.commission + line.fee),
        percent(line.volume_share),
        _price(line.limit_down),
        _price(line.limit_up),
        *(NOT_AVAILABLE if age is None else str(age) for age in line.ages.values()),
    )


def _price(value: float | None) -> str:
    return NOT_AVAILABLE if value is None else f"{value:.3f}"
