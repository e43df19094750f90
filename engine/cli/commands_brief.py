"""The command that writes the flow brief of one fund on one day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

import click

from data.errors import DataError, UsageError, ValidationError, check_choice
from data.synthetic import SYNTHETIC_NOTICE
from data.words import NOT_AVAILABLE, count
from engine.cli.app import App, pass_app
from engine.cli.options import assignments, data_option, day, json_option, verbosity
from engine.cli.output import money, note, paint, percent, print_json, say, table, warn
from engine.cli.present import currency_of

if TYPE_CHECKING:
    from engine import Fact, FundRanking, RankedFund, Ranking, StatementVerdict, Verified, Windows

# How a value is shown, by its unit; others are whole numbers.
SHOWN: Mapping[str, Callable[[float], str]] = {
    "fraction": percent,
    "difference of fractions": lambda value: f"{value * 100:+.2f} pp",
    "price": lambda value: f"{value:.4f}",
}


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
@click.option("--universe", metavar="NAME", help="Rank the funds of a universe instead: a row for each.")
@click.option("--by", metavar="LINE", help="Line of the brief to rank by.  [net_inflow_5_ratio]")
@click.option(
    "--verify",
    "statements",
    metavar="FILE",
    help="Hold statements (statement,fund,day,value,tolerance,source) against the data; "
    "`shipped` are those of etflow.",
)
@click.option(
    "--allow", multiple=True, metavar="CHECK", help="Continue despite this failed data check; repeatable."
)
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
    from engine import rank, verify

    source = open_source(data or "demo")
    windows = _windows(lengths)
    if (symbol is not None and universe is not None) or (statements is not None and universe is not None):
        raise UsageError("--universe goes with neither SYMBOL nor --verify")
    if by is not None and universe is None:
        raise UsageError("--by is the order of --universe", received=by)
    if universe is not None:
        if windows or sessions:
            raise UsageError("--universe takes its windows from its columns", hint="Leave --window out.")
        order = {} if by is None else {"by": by}
        _rank(app, rank(source, universe, on, **order, allow=allow), as_json)
        return
    if statements is not None:
        if windows or sessions:
            raise UsageError("--verify takes its windows from the statements", hint="Leave --window out.")
        _tell(app, verify(source, statements, symbol=symbol, on=on, theme=theme, allow=allow), as_json)
        return
    if symbol is None:
        raise click.UsageError("Missing argument 'SYMBOL'.")
    found = brief_of(source, symbol, on, sessions=sessions, windows=windows, theme=theme, allow=allow)
    made = found.brief
    if as_json:
        print_json(found.document())
        return
    if not app.quiet:
        say(paint(f"{made.fund.symbol} {made.fund.name}, {made.day}".replace(" ,", ","), bold=True))
        say(f"{source.name}, fingerprint {made.fingerprint}; {made.basis}")
        if found.data["synthetic"]:
            say(paint(SYNTHETIC_NOTICE, fg="yellow"))
        say()
    currency = currency_of([made.fund.symbol])
    rows = [(fact.label, _shown(fact, currency), _remark(fact)) for fact in made.facts]
    say(table(rows, ("", "value", "  covers, or why there is none"), left_too=(2,)))
    for line in made.late:
        warn(app, line)
    note(app, "With all digits, for scripts: --json.")


def _tell(app: App, found: Verified, as_json: bool) -> None:
    """Print the verdicts on statements; ValidationError if one differs, else DataError if one is open."""
    agree, differ, open_ = found.counts.values()
    if as_json:
        print_json(found.document())
    else:
        if not app.quiet and found.data["synthetic"]:
            say(paint(SYNTHETIC_NOTICE, fg="yellow"))
        header = ("statement", "fund", "day", "said", "data", "  verdict", "line")
        say(table([_verdict_cells(each) for each in found.verdicts], header, left=3, left_too=(5, 6)))
        say()
        say(f"{agree} agree, {differ} differ, {open_} cannot be told")
    if differ:
        first = next(each for each in found.verdicts if each.word == "differs")
        said = f"`{first.statement.name}` of {first.statement.fund} on {first.statement.day}"
        raise ValidationError(f"the data differ from {count(differ, 'statement')}, first {said}")
    if open_:
        raise DataError(
            f"nothing can be told of {count(open_, 'statement')}", hint="Import what the reasons name."
        )


def _rank(app: App, found: FundRanking, as_json: bool) -> None:
    """Print the funds of a universe, a row for each."""
    made = found.ranking
    if as_json:
        print_json(found.document())
        return
    if not app.quiet:
        say(paint(f"{found.universe} on {made.day}, by {made.by}", bold=True))
        say()
    currency = currency_of([row.symbol for row in made.rows])
    rows = [
        ("" if row.rank is None else str(row.rank), row.symbol, row.name, *_rank_cells(row, made, currency))
        for row in made.rows
    ]
    say(table(rows, ("", "fund", "name", *made.columns), left=3))
    for row in made.rows:
        if row.reason:
            warn(app, f"{row.symbol}: {row.reason}")
    older = sorted({str(fact.older) for row in made.rows for fact in row.facts if fact.older})
    if older:
        note(app, f"*: the latest known, of {', '.join(older)}; it counts for no rank.")
    if found.not_on_file:
        warn(app, f"listed, but not on file: {', '.join(found.not_on_file)}")
    if found.unsure:
        warn(app, f"it is not on file whether these were listed by then: {', '.join(found.unsure)}")


def _rank_cells(row: RankedFund, made: Ranking, currency: str) -> tuple[str, ...]:
    if not row.facts:
        return (NOT_AVAILABLE,) * len(made.columns)
    return tuple(
        _shown(fact, currency).removesuffix(f" {currency}") + "*" * bool(fact.older) for fact in row.facts
    )


def _verdict_cells(each: StatementVerdict) -> tuple[str, ...]:
    value = each.value
    if isinstance(value, bool):
        shown = "yes" if value else "no"
    else:
        shown = "" if value is None else value if isinstance(value, str) else f"{value:.10g}"
    said = each.statement
    return (said.name, said.fund, str(said.day), said.said, shown, each.sentence, each.line)


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


def _remark(fact: Fact) -> str:
    """Return what a value covers, and its session where that is not the day; or why there is none."""
    if fact.reason:
        return fact.reason
    older = f"latest known: {fact.older}" if fact.older else ""
    return "; ".join(each for each in (older, fact.note) if each)


def _shown(fact: Fact, currency: str) -> str:
    value = fact.value
    if value is None:
        return NOT_AVAILABLE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    show = SHOWN.get(fact.unit)
    return money(value, currency) if fact.unit == "money" else show(value) if show else f"{value:,.0f}"
