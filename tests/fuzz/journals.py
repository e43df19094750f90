"""Doors of files that only grow: studies, paper accounts, the record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from engine.accounts.lines import read_account
from engine.record.body import Body
from engine.record.last import last_of
from engine.record.lines import Forgotten, Judgement, Seal
from engine.record.record import Record
from engine.tuning.study import Study
from tests.fuzz.door import Open, command, spoilt
from tests.fuzz.folders import FUNDS, LISTED, PERIOD
from tests.helpers.sums import without_sums
from tests.helpers.tuning import goal_of_words, search_in, space_of


def studies(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The file of a study: listed, shown, read, taken as a spec file."""
    space = space_of("lookback=3:12", "top=1,2", where=["lookback > top"])
    goal = goal_of_words("sharpe_ratio", "turnover:min", constraints=["max_drawdown > -0.9"])
    file, _ = search_in(folder, space, goal, "random", 12)
    study = file.parent
    right = Study.load(study)

    last_of(file).unlink()  # so that a beginning is read too

    def open_(_name: str, content: bytes) -> bool:
        with spoilt(file, content, folder):
            code, _ = command("runs", "show", study.name, "--out", folder, "--json")
            way = len(content) % 4
            if way == 0:
                command(*LISTED, "--out", folder)
            elif way == 1:
                command("runs", "show", study.name, "--out", folder)
            elif way == 2:
                command("tune", file, "--data", folder / "none", "--out", folder)
            else:
                command("validate", study.name, "--out", folder, "--data", folder / "none")
            if code:
                return False
            found = Study.load(study)
            if sealed(content):
                assert found.header.items() >= right.header.items(), "another header"
                assert found.trials == right.trials[: len(found.trials)], "trials that nobody ran"
            assert found.best is None or found.goal.feasible(found.best.outcome)
            assert len(found.ranked) + len(found.failures) >= len(found.pareto)
        return True

    return both(file), open_


def both(file: Path) -> dict[str, bytes]:
    """Return the lines of a file, and the same as versions wrote them that knew no checksums."""
    return {"sealed": file.read_bytes(), "before": without_sums(file.read_bytes())}


def sealed(content: bytes) -> bool:
    """Whether every line has a checksum, so that nothing that is spoilt may pass."""
    return all(b',"crc32":"' in line for line in content.split(b"\n") if line.strip())


def is_beginning(content: bytes, whole: bytes) -> bool:
    """Whether the lines that have their ends are the first of another file, in their order."""
    lines = content.replace(b"\r\n", b"\n")
    return whole.startswith(lines[: lines.rfind(b"\n") + 1])


def accounts(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The file of a paper account: shown, read, stepped; equity is what cash, claims and shares are worth."""
    place = folder / "account"
    command("account", "new", place, "share_inflow", "--symbols", FUNDS, "--start", "2025-08-01")
    command("account", "step", place, "--until", "2025-08-12")
    file = place / "account.jsonl"
    right = read_account(place)

    def open_(_name: str, content: bytes) -> bool:
        last_of(file).unlink(missing_ok=True)  # so that a beginning is read too
        with spoilt(file, content, None if len(content) % 40 == 0 else folder):
            code, _ = command("account", "show", place, "--json")
            command("account", "show", place)
            if len(content) % 40 == 0:
                command("account", "step", place, "--until", "2025-08-14")
                command("account", "diff", place)
            if code:
                return False
            found = read_account(place)
            if sealed(content):
                assert found.header == right.header, "another header"
                done = right.sessions[: len(found.sessions)]
                assert found.sessions == done, "sessions that were not, or not there"
            for each in found.sessions:
                held = sum(count * each.marks[symbol] for symbol, count in each.shares.items())
                worth = each.cash + each.receivable + held
                assert abs(worth - each.equity) <= 1e-6 * max(1.0, abs(worth)), f"{each.equity}, not {worth}"
            if found.last_day is not None:
                assert found.standing().shares == found.sessions[-1].shares
        return True

    return both(file), open_


def records(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """The record: whatever is damaged is counted, what is not is there, and a line can be noted behind it."""
    command("run", "share_inflow", *PERIOD, "--out", folder / "results", "--no-report")
    command("compare", "share_inflow", "momentum", *PERIOD, "--out", folder / "results", "--no-report")
    (kept_record,) = Path(os.environ["ETFLOW_STATE"]).rglob("record.jsonl")
    file = folder / "record.jsonl"
    noted = Forgotten("0123456789abcdef", "2025-12-01T10:00:00+00:00", 1, "x", "2024-01-01", "2024-02-01")
    file.write_bytes(kept_record.read_bytes())
    (body, *_), at = of(file).read().bodies, "2025-11-03T10:00:00+00:00"
    period = ("2024-01-02", "2024-02-29")
    of(file).note(Seal("s" * 16, at, "shut", "a-study-1", body, *period))
    of(file).note(Judgement("j" * 16, at, "a-study-1", "A", body, *period, "weak", "cpcv", "none", 0))
    examples = both(file)
    right = of(file).read()
    told = {name: body.document(None) for name, body in right.bodies.items()}

    def open_(_name: str, content: bytes) -> bool:
        file.write_bytes(content)
        last_of(file).unlink(missing_ok=True)
        record = of(file)
        found = record.read()
        if sealed(content):
            assert all(line in right.lines for line in found.lines), "a line that nobody noted"
            same = all(told.get(name) == body.document(None) for name, body in found.bodies.items())
            assert same, "other data"
            assert found.damaged or is_beginning(content, examples["sealed"]), "lines that nobody misses"
        for body in [*found.bodies.values()][:2]:
            assert isinstance(body, Body)
            list(found.of(body))
        record.note(noted)
        again = record.read()
        assert noted in again.lines
        assert len(again.lines) >= len(found.lines)
        for body in [*again.bodies.values()][:1]:
            record.forget(body)
            record.read()
        return len(found.lines) >= len(right.lines) and not found.damaged

    return examples, open_


def of(file: Path) -> Record:
    """Return a record that is kept in one place."""
    record = Record()
    object.__setattr__(record, "places", (file,))
    return record
