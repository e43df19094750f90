"""``account``: a paper account that goes on day by day, and is held against the backtest of its days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import DataError, UsageError
from data.facts.symbols import account_currency
from data.synthetic import notice_of
from engine.accounts.difference import AccountDifference, difference
from engine.accounts.lines import FILE, Account, Header, Session, exists, read_account
from engine.accounts.step import require_steps, steps
from engine.commands.job import Job, open_job
from engine.commands.looks import note_look
from engine.commands.seals import respect_seals
from engine.orders.next_open import next_session
from engine.pipeline import Watch, execute, hashes_of_files
from engine.record.journal import LOCK, Journal
from engine.record.last import last_of
from engine.results.runs import writing
from engine.spec import Spec, data_block
from engine.strategy.source import source_of
from engine.strategy.trusted import file_of, require_trust


@dataclass(frozen=True)
class AccountJob:
    """An account, and the job of its strategy on the data as they are now."""

    account: Account
    job: Job


def account_document(account: Account) -> dict[str, Any]:
    """Return an account as a document: what it is, how it stands, and all of its sessions."""
    cash = float(account.header.spec["cash"])
    standing = account.standing()
    equity = account.sessions[-1].equity if account.sessions else cash
    data = account.header.data
    made_up = bool(data.get("synthetic"))
    return {
        "folder": str(account.folder),
        "strategy": account.header.spec["strategy"],
        "parameters": dict(account.header.parameters),
        "data": {"name": data.get("name", "unnamed"), "synthetic": made_up},
        "currency": account_currency(data["symbols"], data.get("currency")),
        "start": account.header.spec["start"],
        "last_day": account.last_day,
        "initial_cash": cash,
        "equity": equity,
        "cash": standing.cash,
        "return": equity / cash - 1.0,
        "shares": dict(standing.shares),
        "sessions": [each.as_json() for each in account.sessions],
        **notice_of(made_up),
    }


def new_account(folder: Path, job: Job) -> Account:
    """Begin an account in ``folder`` and return it; it trades from the spec's start on.

    Without a start that is the session after the data. UsageError where an account is there already, or the
    strategy cannot have one; DataError for a start that the data cannot decide on.
    """
    spec, panel = job.spec, job.panel
    require_steps(job.strategy)
    if spec.engine != "reference":
        raise UsageError("an account is kept by the reference engine", received=spec.engine)
    start = spec.start or next_session(panel.symbols, panel.days[-1].item())
    if start <= panel.days[-1].item():
        job.strategy.first_session(panel, start)
    values = job.strategy.parameters
    file = file_of(spec.strategy)
    kept = spec.with_(
        # Evenings may begin in another folder.
        strategy=f"{Path(file).resolve()}{spec.strategy.removeprefix(file)}" if file else spec.strategy,
        start=start,
        end=None,
        parameters={name: values[name] for name in spec.parameters},
        data=spec.data if spec.data == "demo" else str(Path(spec.data).resolve()),
    )
    header = Header(
        kept.to_dict(),
        job.strategy.stated,
        hashes_of_files(kept, job.strategy),
        source_of(job.strategy.written),
        data_block(panel),
    )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if exists(folder):
            raise _taken(folder)
        ours = (FILE, LOCK, last_of(folder / FILE).name)
        others = [each.name for each in folder.iterdir() if each.name not in ours]
        if others:
            raise UsageError(
                f"{folder} holds something else", received=min(others), hint="Name a new folder."
            )
        with Journal(folder / FILE) as journal:
            if not journal.empty:
                raise _taken(folder)
            journal.append([header.as_json()])
    return read_account(folder)


def open_account(
    folder: Path,
    catalogue: Mapping[str, type[Any]],
    *,
    until: date | None = None,
    data: str | None = None,
    allow: Sequence[str] = (),
    trust: bool = False,
    watch: Watch | None = None,
) -> AccountJob:
    """Return an account with its strategy and the data up to ``until``; ``data`` says where they are now.

    ``allow`` are checks of them that may fail besides those that it began with; ``trust`` lets it run a
    strategy's file that this user has never run by its name.
    """
    account = read_account(folder)
    spec = Spec.from_document(account.header.spec, str(folder / FILE))
    start = spec.start
    if until is not None and start is not None and until < start:
        raise UsageError("the account begins later", received=until, limit=f"from {start} on")
    require_trust(spec.strategy, catalogue, f"the account {folder}", trust=trust)
    allowed = (*spec.allow, *allow)
    now = spec.with_(end=until, allow=allowed, **({"data": data} if data else {}))
    return AccountJob(account, open_job(now, catalogue, watch, break_seal=False))


def changed_code(opened: AccountJob) -> tuple[str, ...]:
    """Return what of the strategy is not what it was when the account began, in words."""
    header, job = opened.account.header, opened.job
    found = []
    if header.code != source_of(job.strategy.written):
        found.append("the code of the strategy changed since the account began")
    if dict(header.parameters) != job.strategy.stated:
        found.append("parameters of the strategy have other values")
    now = hashes_of_files(job.spec, job.strategy)
    found += [f"{name} changed" for name, digest in header.files.items() if now.get(name) != digest]
    return tuple(found)


def step_account(opened: AccountJob) -> Iterator[Session]:
    """Do the sessions that the data have and the account has not; each is on the disk when it is yielded.

    A session that is done is not done again. UsageError while another process writes the account.
    """
    folder, job = opened.account.folder, opened.job
    panel = job.panel
    with writing(folder), Journal(folder / FILE) as journal:
        # Another process may have gone on meanwhile.
        account = read_account(folder).renamed(job.current)
        respect_seals(job, "account", job.spec.start, panel.days[-1])
        begun = account.last_day
        for session in steps(account, job.strategy, panel, job.conditions):
            journal.append([session.as_json()])
            begun = begun or session.day
            yield session
    if begun is not None:
        note_look("account", job, account.sessions[0].day if account.sessions else begun, panel.days[-1])


def diff_account(opened: AccountJob) -> tuple[AccountDifference, pd.DataFrame]:
    """Return how an account differs from the backtest of its sessions on the data as they are now.

    The second is what the store says was revised of its funds: table, key, column, old, new, replaced.
    """
    job = opened.job
    account = opened.account.renamed(job.current)
    if not account.sessions:
        raise UsageError(
            f"the account in {account.folder} has no session yet", hint="Do one: `etflow account step`."
        )
    if job.panel.days[-1].item() < account.sessions[-1].day:
        raise DataError(
            "the data end before the account does",
            received=f"data to {job.panel.days[-1]}",
            limit=f"the account is at {account.last_day}",
        )
    respect_seals(job, "account", job.spec.start, account.last_day)
    spec = job.spec.with_(start=account.sessions[0].day, end=account.last_day)
    result = execute(spec, job.strategy, job.market)
    note_look("account", job, result.days[0], result.days[-1])
    revisions = getattr(job.market.source, "revisions", None)
    revised = revisions() if revisions else pd.DataFrame(columns=["table", "key", "column", "old", "new"])
    mine = revised["key"].map(lambda key: any(symbol in str(key) for symbol in job.panel.symbols))
    return difference(account, result, job.panel), revised[mine.astype(bool)].reset_index(drop=True)


def difference_document(found: AccountDifference, revised: pd.DataFrame) -> dict[str, Any]:
    """Return the document that ``account diff --json`` prints."""
    return {**asdict(found), "same": found.same, "revisions": revised.to_dict("records")}


def _taken(folder: Path) -> UsageError:
    return UsageError(
        f"there is an account in {folder} already",
        hint=f"Go on with it: `etflow account step {folder}`; or name another folder.",
    )
