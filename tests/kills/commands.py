"""The commands that are disturbed, and the pairs of commands that meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.record.chain import checksum_of
from engine.record.last import note_last
from tests.kills.processes import ended, forked, said


@dataclass(frozen=True)
class Command:
    """A command, what is there before, and how it is gone on with (``again``; the same words if empty).

    ``then`` is done after that, where the command itself may answer that it is done already.
    """

    name: str
    words: str
    before: tuple[str | Callable[[Path], object], ...] = ()
    again: str = ""
    then: str = ""
    # It may answer with 2 that it is done already, or with another code.
    refuses: bool = False
    refusal: int = 2
    code: int = 0
    # What another process does at the same time.
    other: str = ""
    # It takes seconds, and is disturbed a quarter as often.
    long: bool = False
    # What is on record after both depends on which was first, by more than the order of its lines.
    record_varies: bool = False

    @property
    def allowed(self) -> tuple[int, ...]:
        """The exit codes of a second time."""
        return (self.code, self.refusal) if self.refuses else (self.code,)


def halved(box: Path) -> None:
    """Leave a study as a kill in the middle would."""
    (file,) = box.glob("results/*-study-*/study.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: len(lines) // 2]) + lines[len(lines) // 2][:20])
    note_last(file, checksum_of(lines[len(lines) // 2 - 1]))
    for path in file.parent.iterdir():
        if not path.name.startswith(file.name):
            path.unlink()


def traded(box: Path) -> None:
    """Write the orders of an evening, and their fills, all at the limit price."""
    words = f"signal share_inflow {ON} --cash 100000 --allow-stale --end 2024-10-30 --format generic --quiet"
    code = ended(forked(box, words))
    text = said(box)
    if code:
        raise RuntimeError(f"{words}: exit {code}\n{text}")
    lines = [line for line in text.splitlines() if line.startswith("20241031-")]
    (box / "orders.csv").write_text("\n".join(["id,day,symbol,side,shares,price,why", *lines]) + "\n")
    fills = [line.partition(',"')[0] + ",5.00" for line in lines]
    (box / "fills.csv").write_text("\n".join(["id,day,symbol,side,shares,price,costs", *fills]) + "\n")


ON = "--data store --allow all"
SET = f"{ON} --set top=2 --set lookback=5"
IMPORT = "data import files/first --data store"
MORE = "data import files/more --data store"
REVISE = "data import files/revised --data store --accept-revision"
FACTS = "data import files/facts --data store"
REMOVE = "data remove files/more --data store --yes"
REMOVE_FUND = "data remove --symbols 157003.SZ --end 2024-06-28 --data store --yes"
REMOVE_FETCHED = "data remove --symbols 159363 --tables units --data fetched --yes"
FETCH = (
    "data fetch --provider tushare --symbols 159363 --tables bars,units,nav --start 2025-08-19 "
    "--end 2025-08-19 --data fetched"
)
UPDATE = "data update --data fetched --on 2025-08-20"
RUN, OTHER = f"run share_inflow {SET}", f"run momentum {SET}"
_GRID = f"tune share_inflow {ON} --param top=1,2 --param lookback=5:10:5"
GRID, SEARCH = f"{_GRID} --splits walkforward", f"{_GRID} --no-verdict"
HOLDOUT = f"{_GRID} --no-verdict --holdout 2024-09-02:"
_TPE = f"tune share_inflow {ON} --param top=1:4 --param lookback=3:12 --method tpe"
TPE, JUDGED = f"{_TPE} --trials 30 --no-verdict", f"{_TPE} --trials 12 --splits none"
STUDY = "share_inflow-study-"
VALIDATE, PAGE = (f"validate {STUDY} --splits {splits}" for splits in ("walkforward", "none"))
OPEN = f"{PAGE} --open-holdout"
NEW, STEP = f"account new desk share_inflow {SET} --start 2024-10-08", "account step desk"
SIGNAL = f"signal share_inflow {ON} --cash 100000 --allow-stale --out results"
RECONCILE = f"signal reconcile orders.csv fills.csv share_inflow {ON} --cash 100000"
EVENT = f"event inflow_streak>=2 {ON}"
BRIEF = "brief 157001.SZ --on 2024-10-30 --data store --page"
FORGET = "record forget --data store --yes"
CHECK = "data check --data store --allow all"
CONFIRM = "data calendar confirm --through 2027-06-30 --source notice"
NOTICE = "data calendar import files/notice.txt --source SSE"
RESUME = f"{SEARCH} --resume"

COMMANDS = (
    Command("import", IMPORT),
    Command("import more", MORE, (IMPORT,)),
    Command("import revision", REVISE, (IMPORT,)),
    Command("import facts", FACTS, (IMPORT,)),
    Command("remove", REMOVE, (IMPORT, MORE), refuses=True, refusal=3),
    Command("remove a fund", REMOVE_FUND, (IMPORT, MORE, REVISE), refuses=True, refusal=3),
    Command("remove fetched", REMOVE_FETCHED, (FETCH,), refuses=True, refusal=3),
    Command("fetch", FETCH),
    Command("update", UPDATE, (FETCH,)),
    Command("splits", "data splits --data store --add", ("data import files/split --data store",)),
    Command("check", CHECK, (IMPORT,)),
    Command("calendar", CONFIRM, refuses=True),
    Command("notice", NOTICE),
    Command("run", RUN, (IMPORT,)),
    Command("run again", RUN, (IMPORT, RUN)),
    Command("run own file", f"run files/idea.py:Idea {ON}", (IMPORT,)),
    Command("compare", f"compare share_inflow momentum {ON}", (IMPORT,), long=True),
    Command("report", "report last", (IMPORT, RUN)),
    Command("report study", f"report {STUDY}", (IMPORT, SEARCH), long=True),
    Command("reproduce", "runs reproduce last", (IMPORT, RUN)),
    Command("explain", "runs diff last~1 last --explain", (IMPORT, RUN, OTHER)),
    Command("tune", SEARCH, (IMPORT,), RESUME),
    Command("tune judged", GRID, (IMPORT,), f"{GRID} --resume", long=True),
    Command("tune by tpe", TPE, (IMPORT,), f"{TPE} --resume"),
    Command("tune by tpe judged", JUDGED, (IMPORT,), f"{JUDGED} --resume", long=True),
    Command("tune resumed", f"{TPE} --resume", (IMPORT, TPE, halved), long=True),
    Command("tune hold-out", HOLDOUT, (IMPORT,), f"{HOLDOUT} --resume", long=True),
    Command("validate", VALIDATE, (IMPORT, SEARCH), long=True),
    Command("validate hold-out", OPEN, (IMPORT, HOLDOUT), then=PAGE, refuses=True, long=True),
    Command("account new", NEW, (IMPORT,), refuses=True),
    Command("account step", STEP, (IMPORT, NEW)),
    Command("account diff", "account diff desk", (IMPORT, NEW, STEP)),
    Command("signal", SIGNAL, (IMPORT,)),
    Command("signal page", f"{SIGNAL} --page", (IMPORT,)),
    Command("signal of account", "signal --account desk --allow-stale", (IMPORT, NEW, STEP)),
    Command("reconcile", RECONCILE, (IMPORT, traded)),
    Command("audit", f"audit share_inflow {SET}", (IMPORT, RUN), long=True),
    Command("factor", f"factor share_inflow {ON}", (IMPORT,)),
    Command("event", EVENT, (IMPORT,)),
    Command("brief", BRIEF, (IMPORT,)),
    Command("strategies new", "strategies new my_idea", refuses=True),
    Command("record show", "record show --data store", (IMPORT, RUN)),
    Command("record forget", FORGET, (IMPORT, RUN, OTHER)),
)

PAIRS = (
    Command("import | import", IMPORT, other=IMPORT),
    Command("import | revision", MORE, (IMPORT,), other=REVISE),
    Command("import | remove", REVISE, (IMPORT,), other=REMOVE_FUND, refuses=True, refusal=3),
    Command("remove | import", REMOVE_FUND, (IMPORT,), other=REVISE, refuses=True, refusal=3),
    Command("remove | run", REMOVE_FUND, (IMPORT,), other=RUN, refuses=True, refusal=3),
    Command("run | remove", RUN, (IMPORT,), other=REMOVE_FUND, refuses=True, refusal=3),
    Command("remove | remove", REMOVE_FUND, (IMPORT,), other=REMOVE_FUND, refuses=True, refusal=3),
    Command("import | run", MORE, (IMPORT,), other=RUN),
    Command("run | import", RUN, (IMPORT,), other=MORE),
    Command("import | check", MORE, (IMPORT,), other=CHECK),
    Command("check | import", CHECK, (IMPORT,), other=MORE),
    Command("import | signal", MORE, (IMPORT,), other=SIGNAL),
    Command("import | step", MORE, (IMPORT, NEW), other=STEP),
    Command("step | import", STEP, (IMPORT, NEW), other=MORE),
    Command("update | fetch", UPDATE, (FETCH,), other=FETCH),
    Command("run | other run", RUN, (IMPORT,), other=OTHER),
    Command("run | same run", RUN, (IMPORT,), other=RUN),
    Command("run again | same run", RUN, (IMPORT, RUN), other=RUN),
    Command("run again | report", RUN, (IMPORT, RUN), other="report last"),
    Command("run again | reproduce", RUN, (IMPORT, RUN), other="runs reproduce last"),
    Command("audit | run again", f"audit share_inflow {SET}", (IMPORT, RUN), other=RUN),
    Command("run | forget", RUN, (IMPORT, OTHER), other=FORGET, record_varies=True),
    Command("tune | tune", SEARCH, (IMPORT,), RESUME, other=RESUME, refuses=True),
    Command("tune resumed | tune", f"{TPE} --resume", (IMPORT, TPE, halved), other=f"{TPE} --resume"),
    Command("tune | validate", RESUME, (IMPORT, SEARCH), other=VALIDATE),
    Command("validate | validate", VALIDATE, (IMPORT, SEARCH), other=VALIDATE),
    Command("validate | report", VALIDATE, (IMPORT, SEARCH), other=f"report {STUDY}"),
    Command("tune | forget", SEARCH, (IMPORT, RUN), RESUME, other=FORGET, record_varies=True),
    Command("forget | tune", FORGET, (IMPORT, RUN), other=RESUME, record_varies=True, refuses=True),
    Command("forget | forget", FORGET, (IMPORT, RUN), other=FORGET, record_varies=True),
    Command("hold-out | hold-out", OPEN, (IMPORT, HOLDOUT), then=PAGE, other=OPEN, refuses=True),
    Command("account new | account new", NEW, (IMPORT,), refuses=True, other=NEW),
    Command("step | step", STEP, (IMPORT, NEW), other=STEP),
    Command("step | diff", STEP, (IMPORT, NEW, STEP), other="account diff desk"),
    Command("brief | brief", BRIEF, (IMPORT,), other=BRIEF),
    Command("calendar | calendar", CONFIRM, other=NOTICE, refuses=True),
)
# Of these each call that ends well is one look on record.
COUNTED = ("run | other run", "run | same run", "run again | same run")
