"""How briefs, rankings of funds and verdicts on statements look in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.facts.symbols import currency_of
from data.synthetic import SYNTHETIC_NOTICE
from data.words import count, digits
from engine.cli.app import App
from engine.cli.output import note, paint, say, table, warn

if TYPE_CHECKING:
    from engine import FlowBrief, FundRanking, RankedFund, Ranking, StatementVerdict, Verified


def print_brief(app: App, found: FlowBrief) -> None:
    """Print the lines of a brief and what each covers, then what has no value for want of inputs.

    With ``-v`` these lines too stand in their place, each with its reason.
    """
    from engine import fetch_commands, missing_by_input, remark, value_text

    made = found.brief
    if not app.quiet:
        say(paint(f"{made.fund.symbol} {made.fund.name}, {made.day}".replace(" ,", ","), bold=True))
        say(f"{found.data['name']}, fingerprint {made.fingerprint}; {made.basis}")
        if found.data["synthetic"]:
            say(paint(SYNTHETIC_NOTICE, fg="yellow"))
        say()
    currency = currency_of(made.fund.symbol)
    shown, missing = missing_by_input(made.facts)
    shown = list(made.facts) if app.verbose else shown
    rows = [(fact.label, value_text(fact, currency), remark(fact)) for fact in shown]
    say(table(rows, ("", "value", "  covers, or why there is none"), left_too=(2,)))
    if missing:
        number = sum(map(len, missing.values()))
        say()
        say(f"Not on file: {number} of {len(made.facts)} lines have no value (-v lists them).")
        why = [(tables, count(len(facts), "line"), facts[0].reason) for tables, facts in missing.items()]
        say(table(why, ("table", "", "  why the first has none"), left_too=(2,)))
        for command in [] if found.data["synthetic"] else fetch_commands(made):
            say(f"bring them: {command}")
    for line in made.late:
        warn(app, line)
    note(app, "With all digits, for scripts: --json.")


def print_verdicts(app: App, found: Verified) -> None:
    """Print the verdict on each statement, and how many have which."""
    if not app.quiet and found.data["synthetic"]:
        say(paint(SYNTHETIC_NOTICE, fg="yellow"))
    header = ("statement", "fund", "day", "said", "data", "  verdict", "line")
    say(table([_verdict_cells(each) for each in found.verdicts], header, left=3, left_too=(5, 6)))
    say()
    agree, differ, open_ = found.counts.values()
    say(f"{agree} agree, {differ} differ, {open_} cannot be told")


def print_ranking(app: App, found: FundRanking) -> None:
    """Print the funds of a universe, a row for each."""
    made = found.ranking
    if not app.quiet:
        currency = currency_of(made.rows[0].symbol) if made.rows else "its currency"
        say(paint(f"{found.universe} on {made.day}, by {made.by}; money in {currency}", bold=True))
        say()
    rows = [
        ("" if row.rank is None else str(row.rank), row.symbol, row.name, *_rank_cells(row, made))
        for row in made.listed
    ]
    if rows:
        say(table(rows, ("", "fund", "name", *made.known), left=3))
    empty = [name for name in made.columns if name not in made.known]
    if empty:
        note(app, f"No fund has {', '.join(empty)}.")
    without = [row for row in made.rows if row.reason]
    if without:
        more = f", and so {', '.join(row.symbol for row in without[1:])}" if without[1:] else ""
        warn(app, f"{without[0].reason}{more}")
    older = sorted({str(fact.older) for row in made.rows for fact in row.facts if fact.older})
    if older:
        note(app, f"*: the latest known, of {', '.join(older)}; it counts for no rank.")
    if found.not_on_file:
        warn(app, f"listed, but not on file: {', '.join(found.not_on_file)}")
    if found.unsure:
        warn(app, f"it is not on file whether these were listed by then: {', '.join(found.unsure)}")


def _rank_cells(row: RankedFund, made: Ranking) -> tuple[str, ...]:
    from engine import value_text

    shown = zip(made.columns, row.facts, strict=True)
    return tuple(value_text(fact) + "*" * bool(fact.older) for name, fact in shown if name in made.known)


def _verdict_cells(each: StatementVerdict) -> tuple[str, ...]:
    value = each.value
    if isinstance(value, bool):
        shown = "yes" if value else "no"
    else:
        shown = "" if value is None else value if isinstance(value, str) else digits(value, 10)
    said = each.statement
    return (said.name, said.fund, str(said.day), said.said, shown, each.sentence, each.line)
