"""The command that asks whether the numbers of a strategy can be believed."""

from __future__ import annotations

import textwrap
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from data.errors import UsageError, ValidationError, did_you_mean
from engine.cli.app import App, pass_app
from engine.cli.complete import complete_strategy
from engine.cli.options import json_option, spec_options, verbosity
from engine.cli.output import Progress, paint, percent, print_json, ratio, say, table
from engine.cli.specs import make_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.panel.panel import Panel
    from engine.audits import Case, Outcome
    from engine.pipeline import Watch
    from engine.spec import Spec

WIDTH = 100
INDENT = " " * 6
WORDS = {True: "PASS", False: "FAIL", None: "info"}
COLOURS = {True: "green", False: "red", None: "cyan"}


@click.command(short_help="Can the numbers of a strategy be believed?")
@click.argument("strategy", required=False, shell_complete=complete_strategy)
@spec_options
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="Draws of placebo and of luck band.  [200 and 1000]",
)
@click.option("--only", metavar="A,B", help="Ask these audits only.  [all]")
@json_option
@verbosity
@pass_app
def audit(
    app: App, /, strategy: str | None, draws: int | None, only: str | None, as_json: bool, **given: Any
) -> None:
    """Ask of STRATEGY whether its numbers can be believed: a built-in name, or path/to/file.py:ClassName.

    look_ahead, warm_up and order_and_scale are gates: exit code 5 where one is missed. lag_sensitivity,
    placebo, luck_band and cost_and_capacity inform.

    Example: etflow audit share_inflow --only look_ahead,placebo --draws 50
    """
    from engine.audits import AUDITS
    from engine.audits import audit as ask
    from engine.pipeline import Watch

    spec = make_spec(strategy, given)
    names = _names(only, tuple(AUDITS))
    with Progress(app, "audit", total=3 + len(names)) as progress:
        case, document = _open(app, spec, draws, Watch(progress.begin))
        outcomes = list(ask(case, names, progress.begin))
    failed = [outcome for outcome in outcomes if outcome.failed]
    if as_json:
        print_json(
            document
            | {
                "passed": not failed,
                "audits": [
                    {
                        "name": each.name,
                        "passed": each.passed,
                        "sentence": each.sentence,
                        "details": each.details,
                    }
                    for each in outcomes
                ],
            }
        )
    elif not app.quiet:
        _print(document, outcomes)
    if failed:
        raise ValidationError(f"the audit `{failed[0].name}` failed: {failed[0].sentence.rstrip('.')}")


def _names(only: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if only is None:
        return known
    names = tuple(word.strip() for word in only.split(",") if word.strip())
    for name in names:
        if name not in known:
            raise UsageError(f"unknown audit `{name}`", hint=did_you_mean(name, known))
    if not names:
        raise UsageError("--only names no audit", hint="Leave it out for all: " + ", ".join(known) + ".")
    return tuple(name for name in known if name in names)


def _open(app: App, spec: Spec, draws: int | None, watch: Watch) -> tuple[Case, dict[str, Any]]:
    """Return the case that the spec describes, and what the document says of it."""
    from data.load import choose_symbols, load_panel
    from data.source import open_source
    from engine.audits import Case
    from engine.pipeline import SYNTHETIC_NOTICE, open_market, strategy_of
    from engine.strategy.loader import parameter_values

    strategies = app.catalogue.strategies
    made = strategy_of(spec, strategies)
    market = open_market(spec, watch)
    source = open_source(spec.data)
    symbols = choose_symbols(source, spec.symbols, spec.universe)

    def reload(end: date) -> Panel:
        return load_panel(source, symbols, end=end, availability=spec.availability, lags=spec.lags)

    case = Case(
        made,
        market.panel,
        market.conditions(spec),
        draws=draws,
        catalogue=strategies,
        reload=reload,
    )
    panel = market.panel
    document: dict[str, Any] = {
        "strategy": spec.strategy,
        "parameters": parameter_values(made),
        "data": {
            "name": panel.name,
            "synthetic": panel.synthetic,
            "fingerprint": panel.fingerprint,
            "first_day": str(panel.days[0]),
            "last_day": str(panel.days[-1]),
            "symbols": list(panel.symbols),
        },
        "seed": spec.seed,
    }
    return case, document | ({"notice": SYNTHETIC_NOTICE} if panel.synthetic else {})


# --- for people ---------------------------------------------------------------------------------------


def _print(document: Mapping[str, Any], outcomes: list[Outcome]) -> None:
    data = document["data"]
    say(paint(f"{document['strategy']} on {data['name']}", bold=True))
    if "notice" in document:
        say(paint(document["notice"], fg="yellow"))
    say(f"{data['first_day']} to {data['last_day']}, {len(data['symbols'])} funds, seed {document['seed']}")
    for each in outcomes:
        say()
        say(f"{paint(WORDS[each.passed], fg=COLOURS[each.passed], bold=True)}  {each.name}")
        for line in [*textwrap.wrap(each.sentence, WIDTH), *_table(each).splitlines()]:
            say(f"{INDENT}{line}".rstrip())


def _table(outcome: Outcome) -> str:
    """Return the curve of an audit as a table; nothing where it has none."""
    details = outcome.details
    if outcome.name == "lag_sensitivity" and "lags" in details:
        rows = zip(details["lags"], details["sharpe_ratio"], details["annual_return"], strict=True)
        return table([[str(a), ratio(b), percent(c)] for a, b, c in rows], ("later by", "Sharpe", "a year"))
    if outcome.name == "placebo" and details.get("draws"):
        named = {"in_time": "shuffled in time", "between_funds": "other funds'"}
        return _bands({words: details[kind] for kind, words in named.items()})
    if outcome.name == "luck_band" and details.get("draws"):
        return _bands({"random": details["sharpe_ratio"]})
    if outcome.name == "cost_and_capacity" and "multiples" in details:
        costs = zip(details["multiples"], details["sharpe_ratio"], details["annual_return"], strict=True)
        sizes = zip(details["capitals"], details["capital_annual_return"], details["excess"], strict=True)
        first = table(
            [[f"{a:g}", ratio(b), percent(c)] for a, b, c in costs], ("costs times", "Sharpe", "a year")
        )
        second = table(
            [[f"{a:.2g}", percent(b), percent(c)] for a, b, c in sizes], ("capital", "a year", "excess")
        )
        return f"{first}\n\n{second}"
    return ""


def _bands(bands: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [
            words,
            *(ratio(each) for each in band["quantiles"]),
            f"{band['rank']} of {band['of']}",
            f"{band['p_value']:.3f}",
        ]
        for words, band in bands.items()
    ]
    return table(rows, ("Sharpe of flows" if len(rows) > 1 else "Sharpe", "5 %", "50 %", "95 %", "rank", "p"))
