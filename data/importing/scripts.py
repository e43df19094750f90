"""Scripts that vendors send in place of JSON: values that are assigned to names.

``var Data_netWorthTrend = [{…}];`` of East Money's page of a fund, ``kline_dayqfq={…}`` of Tencent,
``_sz159363_240=([…]);`` of Sina.
"""

from __future__ import annotations

import json
import re
from typing import Any

from data.errors import DataError
from data.importing.vendor_answers import NoTable, shortly
from data.parsing import parse_json

# How a script begins after its comments: a name, and a list, an object or a text that it is given. Behind a
# text the statement ends: a title above a table may be name="x159363".
_FIRST = re.compile(
    r"(?:var\s+[A-Za-z_$]|[A-Za-z_$][\w.$]*\s*(?:=\s*\(?|\()\s*(?:[\[{]|\"[^\"\n]*\"\s*[;)]))"
)
_ASSIGNED = re.compile(r"(?:\A|[;\n]|\*/)[ \t]*(?:var[ \t]+)?([A-Za-z_$][\w$]*)\s*=\s*\(?\s*(?=[\[{\"])")
_BEGINNING = 4096


def begins_as_script(text: str) -> bool:
    """Whether a text begins as a script does."""
    start = text[:_BEGINNING].lstrip()
    while start.startswith("/*"):
        start = start.partition("*/")[2].lstrip()
    return _FIRST.match(start) is not None


def read_script(text: str, name: str) -> dict[str, Any]:
    """Return the lists, objects and texts that a script assigns, by name; what is no JSON is left out.

    DataError if there are none, or a value is too deep; NoTable if there is text alone.
    """
    found: dict[str, Any] = {}
    decoder, place = json.JSONDecoder(), 0
    while match := _ASSIGNED.search(text, place):
        place = match.end()
        try:
            _, place = decoder.raw_decode(text, place)
            found[match[1]] = parse_json(text[match.end() : place])
        except (ValueError, RecursionError):
            continue
    if not found:
        raise DataError(
            f"`{name}` is a script that assigns no list and no object",
            received=f"{text[:60].strip()}…",
            hint="Save the table as CSV.",
        )
    if all(isinstance(value, str) for value in found.values()):
        first, value = next(iter(found.items()))
        raise NoTable(
            f"`{name}` holds no table",
            received=f"{first} = {shortly(value)}",
            limit="bars, units or NAV by day",
            hint="It is a quote of one moment, as Sina and Tencent send it: ask for the history.",
        )
    return found
