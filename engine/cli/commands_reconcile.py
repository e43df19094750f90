"""The command that holds yesterday's fills against the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.facts.symbols import currency_of
from data.synthetic import SYNTHETIC_NOTICE
from data.words import NOT_AVAILABLE, number
from engine.cli.app import App, pass_app
from engine.cli.commands_signal import account_of
from engine.cli.complete import complete_strategy
from engine.cli.options import json_option, out_option, spec_options, standing_options, verbosity
from engine.cli.output import Progress, money, note, paint, points, print_json, say, table, warn

if TYPE_CHECKING:
    from engine import FundDifference, Reconciled

SHOWN = 10


@click.command("reconcile", short_help="Hold fills against what the engine would have done.")
@click.argument("orders", type=click.Path(path_type=Path))
@click.argument("fills", type=click.Path(path_type=Path))
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@spec_options
@standing_options
@out_option
@json_option
@verbosity
@pass_app
def reconcile(
    app: App,
    /,
    orders: Path,
    fills: Path,
    strategy: str | None,
    holdings: Path | None,
    account: Path | None,
    run: str | None,
    trust: bool,
    format_name: str | None,
    band: float,
    out: Path,
    as_json: bool,
    **given: Any,
) -> None:
    """Say what the engine would have done on the day of ORDERS, and why the account earned something else.

    ORDERS is what `signal --format` printed, FILLS what traded of it; say of the account what signal was
    told. The difference is in basis points by cause; causes add up to the whole. The day is in the orders,
    or --end. Example: etflow signal reconcile orders.csv fills.csv share_inflow --positions held.csv
    """
    from data.errors import UsageError
    from engine import (
        Watch,
        day_of_orders,
        format_of,
        open_job,
        read_file,
        reconcile_job,
        require_trust,
    )

    chosen = format_of(format_name or "generic")
    sent, traded = read_file(orders, "orders", chosen), read_file(fills, "fills", chosen)
    day = day_of_orders(sent) or given["end"]
    if day is None:
        raise UsageError(
            f"{orders} does not say of which session the orders are",
            hint="Give it with --end, or ids as 20250821-01.",
        )
    with Progress(app, "reconcile", total=4) as progress:
        watch = Watch(progress.begin)
        spec, stands = account_of(strategy, holdings, account, run, out, chosen, {**given, "end": day})
        if run is not None or account is not None:
            require_trust(spec.strategy, app.catalogue.strategies, str(run or account), trust=trust)
        job = open_job(spec, app.catalogue.strategies, watch, break_seal=given["break_seal"])
        standing, past = stands(job, job.panel.days[-2].item())
        found = reconcile_job(job, day, standing, sent, traded, past=past, band=band, watch=watch)
    if as_json:
        print_json(found.document())
    elif app.quiet:
        say(f"{found.found.whole!r}")
    else:
        _print(app, found)


def _print(app: App, done: Reconciled) -> None:
    from engine import CAUSES

    found, job = done.found, done.job
    currency = job.panel.currency or currency_of(job.panel.symbols[0])
    say(paint(f"{job.spec.strategy} on {job.panel.name}, session of {found.day}", bold=True))
    if job.panel.synthetic:
        say(paint(SYNTHETIC_NOTICE, fg="yellow"))
    say(_whole(done, currency))
    say()
    rows = [(name, points(found.causes[name]), what) for name, what in CAUSES.items()]
    say(table([*rows, ("whole", points(found.whole), "")], ("cause", "bp", "what it is"), left_too=(2,)))
    say()
    say("by fund: shares and their price, of the engine and of the account, and basis points by cause")
    header = ("fund", "engine", "its price", "sent", "traded", "paid", *CAUSES)
    say(table([_cells(each) for each in found.funds], header) if found.funds else "Nothing traded.")
    late = [each.symbol for each in found.funds if each.causes["late_data"]]
    if late:
        note(
            app,
            f"late_data: {', '.join(late)} would be ordered otherwise on today's data. Where nothing came or "
            "was revised since, strategy, settings, --cash or --positions are not those of the evening.",
        )
    for each in found.funds:
        for reason in each.refused:
            note(app, f"{each.symbol}, by the engine: {reason}")
    for doubt in found.doubtful[:SHOWN]:
        warn(app, doubt.text)
    if len(found.doubtful) > SHOWN:
        warn(app, f"{len(found.doubtful) - SHOWN} more fills are doubtful; --json has all")
    if found.assumed:
        warn(app, f"the fills do not say what {', '.join(found.assumed)} cost; taken as the engine's")


def _whole(done: Reconciled, currency: str) -> str:
    found, more = done.found, "more" if done.found.whole > 0.0 else "less"
    if not round(found.whole, 2):
        return "the account earned what the engine would have"
    return (
        f"the account earned {number(abs(found.whole))} basis points {more} "
        f"than the engine would have: {money(abs(found.money), currency)} of {money(found.equity, currency)}"
    )


def _shares(amount: int) -> str:
    return f"{amount:+,}" if amount else "0"


def _cells(fund: FundDifference) -> tuple[str, ...]:
    def at(price: float | None) -> str:
        return NOT_AVAILABLE if price is None else f"{price:.4f}"

    return (
        fund.symbol,
        _shares(fund.engine_shares),
        at(fund.engine_price),
        _shares(fund.sent),
        _shares(fund.filled),
        at(fund.price),
        *map(points, fund.causes.values()),
    )
