"""The command that shows the tables of facts that ship with etflow."""

from __future__ import annotations

import click

from engine.cli.app import App, pass_app
from engine.cli.options import json_option, verbosity
from engine.cli.output import cell, note, print_json, say, table


@click.command("facts", short_help="Show the facts that ship with etflow, with sources.")
@click.argument("name", metavar="[TABLE]", required=False)
@json_option
@verbosity
@pass_app
def show_facts(app: App, name: str | None, as_json: bool) -> None:
    """Show the rows of TABLE and who says so; without TABLE, list the tables.

    Example: etflow data facts capex
    """
    from data.facts.own_files import own_file
    from data.facts.shipped import SHIPPED, citations, facts_in, latest, shipped
    from data.facts.themes import OWN, VARIABLE, known_tags

    if name is None:
        tables = [
            {"table": each.name, "rows": len(facts), "latest": latest(each, facts), "holds": each.holds}
            for each, facts in ((each, facts_in(each)) for each in SHIPPED)
        ]
        if as_json:
            print_json(tables)
        else:
            say(table([tuple(map(cell, row.values())) for row in tables], tuple(tables[0]), left=4))
        return
    found = shipped(name)
    facts = facts_in(found)
    if name == "themes":
        facts = [
            {
                "code": tag.code,
                "name": tag.name,
                "theme": tag.theme,
                "from_day": str(tag.start),
                "source": "yours" if tag.own else tag.source,
            }
            for tag in known_tags()
        ]
    sources = citations(facts)
    if as_json:
        print_json({"table": name, "rows": facts, "sources": sources})
        return
    say(table([tuple(fact.values()) for fact in facts], tuple(facts[0]), left=len(facts[0])))
    for tag, citation in sources.items():
        note(app, f"{tag}: {citation}")
    if name == "themes":
        note(app, f"Add companies, or correct them, in {own_file(VARIABLE, OWN)}: {','.join(facts[0])}.")
