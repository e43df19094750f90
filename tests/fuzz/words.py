"""Doors of more words: those that a shell has so far, and of commands that need what is there before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path

from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

import run_backtest
from engine.cli.app import App
from engine.cli.main import group
from tests.fuzz.door import Open, command, words_of
from tests.fuzz.tables import NOTICES, ORDERS, variable
from tests.fuzz.typed import COMMANDS, NOWHERE, WHOLE

SHELLS: tuple[type[ShellComplete], ...] = (BashComplete, ZshComplete, FishComplete)
HALF = {
    "strategy": "run mom",
    "setting": "run share_inflow --set look",
    "value": "tune flow_blend --param weighting=e",
    "cost": "compare share_inflow --cost us.comm",
    "study": "validate share_inflow-study-",
    "audits": "audit share_inflow --only look_ahead,cost",
    "option": "account step --un",
    "choice": "signal share_inflow --fill v",
}
# What comes in front, with files that are there; and the rest, which is spoilt.
MORE = {
    "cluster": (
        ("tune",),
        "momentum --param lookback=5:60:5 --param top=1,2 --executor dask --scheduler tcp://127.0.0.1:8786 "
        "--method cmaes --trials 40 --batch 8 --phases worst --train-size 252 --test-size 63 --top-trials 5",
    ),
    "workers": (("tune",), "momentum --param lookback=5:60:5 --executor dask --workers 2 --dry-run --yes"),
    "validate": (
        ("validate", "results/none-study-1"),
        "--splits cpcv --folds 8 --purged-size 10 --embargo-size 5 --train-size 252 --test-size 63",
    ),
    "account": (
        ("account", "new", "paper"),
        "share_inflow --set top=2 --start 2025-08-01 --cash 250000 --cost commission_min=1 --reserve 0.01",
    ),
    "step": (("account", "step", "paper"), "--until 2025-08-12 --json"),
    "reconcile": (
        ("signal", "reconcile", "orders.csv", "fills.csv"),
        "share_inflow:top=2 --cash 250000 --format generic --end 2025-08-20",
    ),
    "ranking": (("brief",), "--universe ai_cn --by adtv_20 --on 2025-08-20 --window inflow=5,20"),
    "calendar": (("data", "calendar", "import", "list.txt"), "--market cn_etf --source SSE --replace"),
    "rules": (("data", "calendar", "confirm"), "--through 2027-06-30 --source SSE --market cn_etf"),
    "facts": (("data", "facts"), "capex --json"),
    "diff": (("runs", "diff"), "one-1a2b two-1a2b --explain"),
    "record": (("record", "show"), "--json"),
}
NO_DATA = ("validate", "step", "calendar", "rules", "facts", "diff")


def completions(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Words that a shell has so far: what is offered begins as the last of them does, or nothing is."""
    lines = {**HALF, **{f"whole {name}": text for name, text in {**COMMANDS, **WHOLE}.items()}}
    study = folder / "results" / "share_inflow-study-1a2b3c4d" / "study.jsonl"
    study.parent.mkdir(parents=True)
    study.touch()
    app = App(run_backtest.load_catalogue)

    def open_(_name: str, content: bytes) -> bool:
        words = words_of(content)
        shell = SHELLS[len(content) % len(SHELLS)](group, {"obj": app}, "etflow", "_ETFLOW_COMPLETE")
        asked = {"COMP_WORDS": " ".join(["etflow", *words]), "COMP_CWORD": str(len(words))}
        if isinstance(shell, FishComplete):
            # Fish has no word of white space alone, and click takes none.
            asked["COMP_CWORD"] = words[-1].strip()
        with chdir(folder), variables(asked):
            shell.complete()
            _, begun = shell.get_completion_args()
            before = [*words[:-1]]
            offered = [each.value for each in shell.get_completions(before, begun) if each.type == "plain"]
        strange = [word for word in offered if not word.lower().startswith(begun.lower())]
        assert not strange or "=" in begun, f"{strange[0]!r} for {begun!r}"
        return True

    return {name: text.replace(" ", "\n").encode() for name, text in lines.items()}, open_


def commands(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Command lines of a cluster, of the evening and of calendars, up to where they look for data."""
    for name, text in {"orders.csv": ORDERS["generic orders"], "fills.csv": ORDERS["generic fills"]}.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "list.txt").write_text(NOTICES["list.txt"], "utf-8")
    own = {"ETFLOW_CALENDAR": str(folder / "calendar.toml"), "ETFLOW_RULES": str(folder / "rules.toml")}

    def open_(name: str, content: bytes) -> bool:
        first, _ = MORE[name]
        words = [
            word for word in words_of(content) if not word.startswith(("--data", "--out", "--da", "--o"))
        ]
        last = () if name in NO_DATA else ("--data", NOWHERE)
        with chdir(folder), variables(own):
            code, _ = command(*first, *words, *last)
        for made in own.values():
            Path(made).unlink(missing_ok=True)
        assert not (folder / "paper").exists(), "an account without data"
        return code in (0, 3)

    return {name: text.replace(" ", "\n").encode() for name, (_, text) in MORE.items()}, open_


@contextmanager
def variables(given: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables in the block."""
    with ExitStack() as held:
        for name, value in given.items():
            held.enter_context(variable(name, value))
        yield
