"""Doors of what is typed: conditions, costs, options, strategies with settings, spec files."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path

from data.expression import parse_condition
from engine.cli.options import assignments
from engine.kernel.costs import COMMISSION, Costs, commission
from tests.fuzz.door import Open, command, words_of

NOWHERE = "/nowhere/at/all"
VALUES = (
    {"top": 3, "lookback": 20.0, "sharpe_ratio": 1.25, "name": "momentum", "flag": True},
    {"top": 0, "lookback": -1e300, "sharpe_ratio": None, "name": "", "flag": False},
    {"top": 2**62, "lookback": math.inf, "sharpe_ratio": math.nan, "name": None, "flag": None},
)
COMMANDS = {
    "run": "run share_inflow:top=3,lookback=10 --set rebalance=5 --cost commission_rate=0.0003 "
    "--cost us.commission_min=1.5 --lag units=2 --start 2024-01-02 --end 2025-06-30 --cash 1e6 "
    "--reserve 0.01 --seed 7 --symbols 157001.SZ,157003.SZ --fill vwap --availability strict --currency CNY "
    "--benchmark 930713",
    "settings": "run momentum --set top=2 --set weighting=equal --set lookback=60",
    "tune": "tune share_inflow --param lookback=5:20:5 --param top=1,2,3 --where top<=3 --method tpe "
    "--trials 20 --objective sharpe_ratio --holdout 2025-01-01: --constraint max_drawdown>-0.3 --batch 10 "
    "--phases mean --splits walkforward",
    "space": "tune momentum --param lookback=3:200 --param skip=0:5 --where skip<lookback/2",
    "compare": "compare share_inflow:top=3 momentum:lookback=60,top=2 equal_weight --seed 3",
    "audit": "audit share_inflow --only look_ahead --draws 20 --set top=2",
    "factor": "factor share_inflow:lookback=10 --horizons 1,5,20 --start 2024-01-02",
    "event": "event inflow_streak>=5 --horizons 1,5 --fill close",
    "signal": "signal share_inflow:top=2 --cash 250000 --band 0.01 --format qmt",
    "brief": "brief 159363 --on 2025-08-20 --window inflow=5,20",
    "list": "runs list --where top<=3 --sort -sharpe_ratio --metric turnover",
    "universe": "data universe ai_cn --as-of 2025-08-20",
    "strategies": "strategies show share_inflow",
}
# To the end, on the demo market.
WHOLE = {
    "run": "run share_inflow:top=2 --set rebalance=5 --cost commission_rate=0.0003 --cost impact=0.5 "
    "--lag units=2 --cash 1e6 --reserve 0.01 --seed 7 --fill vwap --availability strict --benchmark DEMO-A",
    "stops": "run momentum --set lookback=10 --set stop_loss=0.03 --set weighting=inverse_volatility "
    "--set cap=0.5",
    "reversal": "run flow_reversal --set lookback=5 --set hysteresis=1 --set threshold=0.1 --engine batch",
    "compare": "compare share_inflow:top=1 momentum:lookback=10,top=2 --cost slippage_rate=0.001 "
    "--fill close",
    "factor": "factor share_inflow:lookback=10 --horizons 1,5 --set phase=2",
    "event": "event inflow_streak>=2 --horizons 1,5 --fill close",
    "signal": "signal share_inflow:top=2,rebalance=1 --cash 250000 --band 0.01 --cost commission_min=3",
    "brief": "brief 157001.SZ --window inflow=5,20 --window financing=3",
}
FUNDS = ("--symbols", "157001.SZ,157003.SZ,586012.SH")
SHORT = ("--start", "2024-01-02", "--end", "2024-02-29")
GROUPS = "runs", "data", "strategies"
# They would bring other data, or write elsewhere.
LEFT_OUT = "--data", "--out"
SPECS = {
    "run": """strategy = "share_inflow"
symbols = ["157001.SZ", "157003.SZ"]
start = 2024-01-02
end = "2025-06-30"
cash = 1e6
seed = 7
allow = ["stale-series"]
fill = "vwap"
engine = "batch"
currency = "CNY"
reserve = 0.01
lags = { units = 2 }
benchmark = "930713"

[parameters]
lookback = 10
top = 3
rebalance = "weekly"
threshold = 0.5

[costs]
commission_rate = 0.0003
us.commission_min = 1.5
""",
    "tune": """strategy = "share_inflow"
universe = "ai_cn"
parameters = { top = 2 }

[tune]
param = { lookback = "5:20:5", rebalance = [5, 10] }
where = ["lookback > 5"]
method = "random"
trials = 20
objective = ["sharpe_ratio", "turnover:min"]
constraint = ["max_drawdown > -0.3"]
holdout = "2025-01-01:"
splits = "walkforward"
train_size = 252
test_size = 63
phases = "mean"
""",
    "audit": 'strategy = "momentum"\n[audit]\nonly = ["look_ahead", "cost_and_capacity"]\ndraws = 20\n',
    "compare": 'strategy = "momentum"\n[compare]\nstrategies = ["share_inflow:top=2", "equal_weight"]\n',
}


def conditions(_folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Conditions over named values: every answer agrees with the distance by which it is missed."""
    texts = (
        "top <= 3 and lookback < 2 * sharpe_ratio + 1",
        "not (name == 'momentum' or flag) and -top != 4 / lookback",
        "1 < top <= 5 or sharpe_ratio > -0.25 or name != none",
        "lookback * lookback * 1e200 - top * 1e300 >= sharpe_ratio",
    )

    def open_(_name: str, content: bytes) -> bool:
        text = content.decode("utf-8", "surrogateescape")
        condition = parse_condition(text, list(VALUES[0]), "--where")
        again = parse_condition(condition.text, list(VALUES[0]), "--where")
        for values in VALUES:
            holds, missed = condition.holds(values), condition.violation(values)
            assert math.isfinite(missed)
            assert (missed > 0.0) != holds
            assert condition.answer(values) == again.answer(values)
        return True

    return {str(number): text.encode() for number, text in enumerate(texts)}, open_


def costs(_folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Costs by name and value: a commission is near what its rate and minimum say."""
    texts = (
        "commission_rate=0.00025\ncommission_min=5\ncommission_tick=0.01\nslippage_rate=0.0005",
        "us.commission_min=1\nus.commission_rate=0\ncn.commission_tick=0.01\nfx_fee_rate=0.001",
        "participation_rate=0.1\nimpact=0.7\ncash_rate=0.02",
    )

    def open_(_name: str, content: bytes) -> bool:
        made = Costs.from_words(assignments(tuple(words_of(content)), "--cost"))
        again = Costs.from_words(json.loads(json.dumps(made.to_dict())))
        assert made == again
        for notional in (0.0, 1e3, 123_456.78, 1e12):
            rate, least, tick = (float(getattr(made, name)) for name in COMMISSION)
            exact, charged = max(least, rate * notional), commission(notional, rate, least, tick)
            assert abs(charged - exact) <= 0.5 * tick + 1e-9 * exact
        return True

    return {str(number): text.encode() for number, text in enumerate(texts)}, open_


def options(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Command lines, up to where they look for data that are not there."""
    examples = {name: text.replace(" ", "\n").encode() for name, text in COMMANDS.items()}

    def open_(name: str, content: bytes) -> bool:
        first = COMMANDS[name].split()
        first = first[:2] if first[0] in GROUPS else first[:1]
        words = [word for word in words_of(content)[len(first) :] if not word.startswith(LEFT_OUT)]
        last = {"runs": ("--out", folder), "data": (), "strategies": ()}.get(first[0], ("--data", NOWHERE))
        code, _ = command(*first, *words, *last)
        return code in (0, 3)

    return examples, open_


def backtests(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Command lines to the end: a document that is JSON, without what is no number."""
    out = folder / "results"

    def open_(name: str, content: bytes) -> bool:
        _, *others = words_of(content)
        words = [word for word in others if not word.startswith((*LEFT_OUT, "--p", "--format", "--spec"))]
        last = {"brief": (), "signal": (*FUNDS, "--end", "2025-08-13")}
        code, text = command(
            WHOLE[name].split()[0],
            *words,
            *last.get(name, (*FUNDS, *SHORT, "--no-report", "--out", out)),
            "--json",
        )
        if code == 0 and text.startswith("{"):
            json.loads(text, parse_constant=not_a_number)
        shutil.rmtree(out, ignore_errors=True)
        return code == 0

    examples = {name: text.replace(" ", "\n").encode() for name, text in WHOLE.items()}
    for name in ("run", "reversal"):  # machine code that is missing is made outside of the limit
        open_(name, examples[name])
    return examples, open_


def not_a_number(word: str) -> None:
    """Refuse what is no JSON."""
    raise AssertionError(f"{word} in a document")


def specs(folder: Path) -> tuple[Mapping[str, bytes], Open]:
    """Spec files of runs, searches, audits and comparisons, up to where data are looked for."""

    def open_(name: str, content: bytes) -> bool:
        path = folder / "spec.toml"
        path.write_bytes(content)
        code, _ = command(name, path, "--data", NOWHERE, "--out", folder)
        return code == 3

    return {name: text.encode() for name, text in SPECS.items()}, open_
