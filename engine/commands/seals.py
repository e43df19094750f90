"""Hold-outs on record: shut by a search, respected by every command, opened once.

A command whose sessions reach into a period that is shut says so before it starts, and goes on only where
it is told to break the seal, which is put on record.
"""

from __future__ import annotations

from data.errors import UsageError
from data.load import choose_symbols, load_panel
from engine.commands.job import Job
from engine.commands.looks import body_of_panel, days_of, record_of
from engine.commands.record import describe
from engine.pipeline import OpenMarket
from engine.record.body import Body
from engine.record.lines import Forgotten, Seal, key_of
from engine.record.record import LAST_DAY, Record, new_id, now
from engine.record.seals import into, period_of, shut_on
from engine.spec import Spec


def respect_seals(job: Job, command: str, first: object = None, last: object = None) -> None:
    """Refuse a command on a period that is shut, or put on record that it breaks the seal.

    The period is that of the job, or from ``first`` to ``last``. UsageError names the seal.
    """
    record = record_of(job.market)
    if not record.has(Seal):
        return
    contents = record.read(Seal)
    begin, end = days_of(job)
    begin, end = first or begin, last or end
    body = body_of_panel(job.panel)
    for seal in shut_on(contents, body, begin, end):
        if not job.break_seal:
            raise UsageError(
                f"`{command}` would look into a hold-out that is shut",
                received=f"{begin} to {end}",
                limit=f"{period_of(seal)} is the hold-out of {seal.study}, shut on {seal.at[:10]}",
                hint=f"End before {seal.first}; open it with `etflow validate {seal.study} --open-holdout`; "
                "or insist with --break-seal (in Python break_seal=True), which is put on record.",
            )
        first_day, last_day = max(seal.first, str(begin)), min(seal.last, str(end))
        broken = Seal(new_id(), now(), "broken", command, body.name, first_day, last_day)
        _put_on_record(record, broken, body)


def shut_seal(spec: Spec, market: OpenMarket, study: str, first: str, last: str | None) -> None:
    """Put on record that a search keeps a period shut; ``last`` None: without end. Once for a study.

    UsageError where no place takes it.
    """
    record = record_of(market)
    panel = market.panel
    if market.source is not None:
        # That of the search ends before the hold-out.
        panel = load_panel(market.source, choose_symbols(market.source, spec.symbols, spec.universe))
    body = body_of_panel(panel)
    period = (first, last or LAST_DAY)
    contents = record.read(Seal)
    for line in contents.of(body):
        if isinstance(line, Seal) and (line.study, line.first, line.last) == (study, *period):
            # A place may have refused it, for want of room.
            record.note(line, contents.bodies[line.body], once=True)
            return
    _put_on_record(record, Seal(new_id(), now(), "shut", study, body.name, *period), body)


def open_seal(market: OpenMarket, study: str, first: object, last: object, opening: str) -> tuple[str, ...]:
    """Put on record that a hold-out is opened, and return in words what looked into it before.

    Also what cannot be known of it. ``opening`` is the id under which it is noted: a kill may have come
    after that, and the same opening, begun again, is no look before it.
    """
    record, body = record_of(market), body_of_panel(market.panel)
    contents = record.read()
    refused = record.refusing()
    _put_on_record(record, Seal(opening, now(), "opened", study, body.name, str(first), str(last)), body)
    others = (line for line in into(contents, body, first, last) if key_of(line) != opening)
    seen = [" ".join(filter(None, describe(line))) for line in others]
    seen += [f"cannot be known: {each}" for each in (*contents.unread, *refused)]
    if contents.damaged:
        seen.append(f"cannot be known: lines of the record damaged, missing or moved: {contents.damaged}")
    seen += [
        f"cannot be known: {line.lines} lines were deleted on {line.at[:10]}"
        for line in contents.of(body, first, last)
        if isinstance(line, Forgotten)
    ]
    return tuple(seen)


def _put_on_record(record: Record, seal: Seal, body: Body) -> None:
    """Note what became of a hold-out; UsageError where no place takes it."""
    refused = record.note(seal, body)
    if len(refused) == len(record.places):
        raise UsageError(
            f"that a hold-out is {seal.kind} cannot be put on record",
            received="; ".join(refused) or "no place for a record",
            hint="Make room on the disk, or the folder of the data or ETFLOW_STATE writable.",
        )
