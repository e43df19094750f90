"""The page of a signal: one HTML file that needs nothing else.

Order: what to do before the open; the orders; what is wanted of each fund, and why; how old the data are. All
is of the document that ``signal --json`` prints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.words import NOT_AVAILABLE, count, number, percent
from engine.report import assumptions, html, sections
from engine.report.html import Safe, coded, section, table, tag

AGES = {"price": "Price age", "flow": "Flow age", "nav": "NAV age", "margin": "Margin age"}
INPUTS = "By the rules of publication a datum is due so many sessions before the open; late is what is older."


def write_signal(document: Mapping[str, Any], names: Mapping[str, str], path: Path) -> None:
    """Write the page of a signal's document to ``path``, whole or not at all; OSError if it cannot be.

    ``names`` are those of funds by symbol; a fund without one is absent.
    """
    html.write(path, _page(document, names))


def _page(document: Mapping[str, Any], names: Mapping[str, str]) -> str:
    parts = [
        ("orders", "Orders", section("Orders", _orders(document, names), id_="orders", lead=_lead(document))),
        ("funds", "Funds", section("Every fund", _funds(document, names), id_="funds")),
        (
            "inputs",
            "Data",
            section("What the score was read from", _inputs(document), id_="inputs", lead=INPUTS),
        ),
    ]
    return html.page(
        f"{document['strategy']} before {document['day']}",
        _header(document),
        parts,
        banner=html.made_up() if document["data"]["synthetic"] else None,
    )


def _header(document: Mapping[str, Any]) -> Safe:
    data = document["data"]
    set_to = assumptions.set_to(document["parameters"])
    orders = len(document["orders"])
    return html.heading(
        "Signal",
        f"{document['strategy']}, before the open of {document['day']}",
        html.subtitle(f"data {data['name']} to {data['last_day']}, fingerprint {data['fingerprint']}"),
        tag("p", set_to, class_="note") if set_to else Safe(""),
        html.cards(_money(document)),
        sections.data_warnings(document["data_warnings"]),
        word=count(orders, "order") if orders else "no order",
        said=_sides(document),
    )


def _sides(document: Mapping[str, Any]) -> str:
    """Return how many purchases and sales are sent, and for how much money at their limit prices."""
    said = []
    for side, sign in (("sale", -1), ("purchase", 1)):
        mine = [each["notional"] for each in document["orders"] if each["shares"] * sign > 0]
        if mine:
            said.append(f"{count(len(mine), side)} for {number(math.fsum(mine), 0)} {document['currency']}")
    return f"{', '.join(said)}, at limit prices." if said else ""


def _money(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    money = document["currency"]
    return [
        (f"Equity, {money}", number(document["equity"], 0), "at reference prices"),
        (f"Cash, {money}", number(document["cash"], 0), "before the orders"),
        (f"Cash afterwards, {money}", number(document["cash_after"], 0), "at least, if all orders fill"),
    ]


def _lead(document: Mapping[str, Any]) -> str:
    said = list(document["actions"])
    if not document["decision_session"]:
        following = document["next_decision"]
        said.append(
            "No decision is due before this open"
            + (f"; the next is due on {following}." if following else ".")
            + (" A stop sells." if any(each["shares"] < 0 for each in document["orders"]) else "")
            + (" What waited is bought." if any(each["shares"] > 0 for each in document["orders"]) else "")
        )
    for each in document["not_sent"]:
        reasons = " and ".join(each["cut"])
        said.append(f"Not sent for {reasons}: {each['wanted']:+,} of {each['symbol']}.")
    said.append("Sales first; money is at the limit price, which is the worst that can be paid.")
    if "markets" in document:
        said.append(f"Values are in {document['currency']}, prices in the currency of the fund.")
    for each in document.get("markets", ()):
        (zone, moment), *others = each["send_before"].items()
        elsewhere = "".join(f" ({there} {other})" for other, there in others)
        said.append(f"Send those of {each['market']} before {moment} {zone}{elsewhere}.")
    for each in document.get("behind", ()):
        said.append(f"Stale: {each['market']}, whose close of {each['due']} is not on file.")
    return " ".join(said)


def _orders(document: Mapping[str, Any], names: Mapping[str, str]) -> Safe:
    of_fund = {each["symbol"]: each for each in document["funds"]}
    rows = []
    for place, order in enumerate(document["orders"], start=1):
        fund = of_fund[order["symbol"]]
        rows.append(
            (
                str(place),
                coded(order["symbol"], names.get(order["symbol"], "")),
                f"{order['shares']:+,}",
                number(order["limit_price"], 3),
                number(fund["limit_down"], 3),
                number(fund["limit_up"], 3),
                number(order["notional"], 0),
                number(order["commission"] + order["fee"]),
                percent(order["volume_share"]),
                count(fund["shares"] + order["shares"]),
                tag("td", _because(order), class_="text reasons"),
            )
        )
    head = (
        "",
        tag("th", "Fund", class_="text"),
        "Shares",
        "Limit price",
        "Limit down",
        "Limit up",
        f"Value, {document['currency']}",
        f"Commission and fee, {document['currency']}",
    )
    more = ("Of the usual volume", "Held afterwards", tag("th", "Why", class_="text"))
    return table((*head, *more), rows, class_="compact") if rows else tag("p", "Nothing to send.")


def _because(order: Mapping[str, Any]) -> str:
    waiting = "; once the sales have traded" if order["after_sales"] else ""
    cut = "".join(f"; {abs(shares):,} shares cut for {reason}" for reason, shares in order["cut"].items())
    return f"{order['why']}{waiting}{cut}"


def _inputs(document: Mapping[str, Any]) -> Safe:
    rows = [
        (
            each["table"],
            str(each["session"] or NOT_AVAILABLE),
            NOT_AVAILABLE if each["age"] is None else str(each["age"]),
            NOT_AVAILABLE if each["due"] is None else str(each["due"]),
            each["vintage"] or NOT_AVAILABLE,
            tag("td", ", ".join(f"{name}: {age}" for name, age in each["late"].items()), class_="text"),
        )
        for each in document["inputs"]
    ]
    head = ("Table", "Newest datum of", "Sessions old", "Due", "Vintage", tag("th", "Late", class_="text"))
    return table(head, rows, class_="compact")


def _funds(document: Mapping[str, Any], names: Mapping[str, str]) -> Safe:
    rows = [
        (
            coded(each["symbol"], names.get(each["symbol"], "")),
            percent(each["weight"], 1),
            NOT_AVAILABLE if each["score"] is None else f"{each['score']:.6g}",
            count(each["shares"]),
            f"{each['order_shares']:+,}" if each["order_shares"] else "0",
            *(NOT_AVAILABLE if age is None else str(age) for age in each["ages"].values()),
            tag("td", each["remark"], class_="text"),
        )
        for each in sorted(document["funds"], key=_first)
    ]
    ages = tuple(AGES[name] for name in document["funds"][0]["ages"]) if document["funds"] else ()
    head = ("Fund", "Weight", "Score", "Held", "Order", *ages, tag("th", "Remark", class_="text"))
    note = (
        "Order is what the target asks for; what is sent of it stands above. "
        "Ages are sessions from the datum to this open: 1 is of the session before."
    )
    return Safe(table(head, rows, sort=True) + tag("p", note, class_="note"))


def _first(fund: Mapping[str, Any]) -> tuple[float, float, str]:
    """Return the place of a fund: the heaviest first, then the highest score, then by symbol."""
    score = fund["score"]
    return -(fund["weight"] or 0.0), -score if score is not None else float("inf"), fund["symbol"]
