"""The user's rule file, as far as etflow writes it: the day through which trading rules are known to hold."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import numpy as np

from data.errors import UsageError
from data.facts.dated import only, read_toml
from data.facts.own_files import own_file, replace_file
from data.facts.rules import OWN, VARIABLE, RuleBook
from data.facts.symbols import MARKETS


def confirm_rules(market: str, through: date, source: str) -> tuple[Path, RuleBook]:
    """Write down that the rules of a market hold through a day, and who says so; return file and book.

    UsageError if the day is before the one that ships with etflow, or the file is not of the known form.
    """
    shipped = RuleBook.load(market, own=False)
    if np.datetime64(through) < shipped.known_through:
        raise UsageError(
            f"the rules of {market} are recorded through {shipped.known_through} as it is", received=through
        )
    path = own_file(VARIABLE, OWN)
    text = ""
    if path.is_file():
        only(read_toml(path), MARKETS, str(path))
        text = path.read_text(encoding="utf-8")

    def check(candidate: Path) -> None:
        if RuleBook.load(market, candidate).known_through != np.datetime64(through):
            raise UsageError(
                f"{path} says through which day in a way that is not understood", hint="Edit it by hand."
            )

    replace_file(path, _said(text, market, through, source), check)
    return path, RuleBook.load(market, path)


def _said(text: str, market: str, through: date, source: str) -> str:
    """Return the file with the day in the section of the market, which is put at its end if it has none."""
    lines = [f"known_through = {through}\n", f"source = {json.dumps(source, ensure_ascii=False)}\n"]
    head = re.search(rf"(?m)^\s*\[\s*{market}\s*\][^\n]*\n", text)
    if head is None:
        return f"{text.rstrip()}\n\n[{market}]\n{''.join(lines)}".lstrip()
    following = re.search(r"(?m)^\s*\[", text[head.end() :])
    end = head.end() + following.start() if following else len(text)
    kept = re.sub(r"(?m)^\s*(known_through|source)\s*=[^\n]*\n?", "", text[head.end() : end])
    return text[: head.end()] + "".join(lines) + kept + text[end:]
