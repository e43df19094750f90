"""Write the tables of ``docs/metrics.md`` from the declared metrics: ``python docs/make_metrics.py``.

What stands between ``<!-- NAME -->`` and ``<!-- end -->`` is a table; everything else is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.metrics.declared import ALTERNATIVES, METRICS, OF_ALTERNATIVES
from engine.metrics.metric import TITLES, Metric

PAGE = Path(__file__).with_name("metrics.md")
HEAD = ("name", "what", "formula", "unit", "better", "in a sweep", "differs from empyrical or pyfolio")
BETTER = {"larger": "larger", "smaller": "smaller", "neutral": "neither"}


def make_page(page: str) -> str:
    """Return the page with its tables as the declarations have them now."""
    tables = {
        group: table(HEAD, (row(each) for each in METRICS.values() if each.group == group))
        for group in TITLES
    }
    tables["names of alternatives"] = table(
        ("", *(word.lower() for word in ALTERNATIVES.values())),
        (
            (METRICS[name].label, *(f"`{prefix}{name}`" for prefix in ALTERNATIVES))
            for name in OF_ALTERNATIVES
        ),
    )
    for name, made in tables.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        page = re.sub(
            f"({begin}).*?({end})", lambda found, made=made: found[1] + made + found[2], page, flags=re.S
        )
    return page


def row(metric: Metric) -> tuple[str, ...]:
    """Return what the page says of a metric."""
    what = f"{metric.label}: {metric.what}" if metric.what else metric.label
    unit = metric.unit.replace("percent", "fraction")
    swept = "always" if metric.compiled else "on request" if metric.searchable else "no"
    return (f"`{metric.name}`", what, metric.formula, unit, BETTER[metric.better], swept, metric.differs)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(make_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
