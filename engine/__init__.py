"""What happens if you do: engines, results, statistics, reports and the command line.

``from engine import run`` does in a notebook what ``etflow run`` does, on a panel and a strategy object. All
that is offered here is the table below; the command line, too, uses nothing else of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.synthetic import SYNTHETIC_NOTICE
    from engine.accounts.difference import Change
    from engine.accounts.lines import Account, Session, read_account
    from engine.audits import Opinion
    from engine.briefs.lines import Windows
    from engine.briefs.ranking import RankedFund, Ranking
    from engine.briefs.series import Fact
    from engine.briefs.verify import StatementVerdict
    from engine.briefs.words import fetch_commands, missing_by_input, remark, value_text
    from engine.choices import ENGINES, FILLS, SPLITS
    from engine.commands.account import (
        account_document,
        changed_code,
        diff_account,
        difference_document,
        new_account,
        open_account,
        step_account,
    )
    from engine.commands.audit import Audit, audit, audit_job, audit_names
    from engine.commands.brief import FlowBrief, brief
    from engine.commands.compare import (
        Comparison,
        compare,
        compare_runs,
        finished_runs,
        open_together,
        run_together,
    )
    from engine.commands.doctor import Diagnosis, examine
    from engine.commands.estimate import SearchTime, estimate
    from engine.commands.event import Event, event, event_job
    from engine.commands.explain import EXPLAINED, explain_runs
    from engine.commands.factor import Factor, factor, factor_job
    from engine.commands.job import Job, job_of, open_job
    from engine.commands.listing import LISTED_METRICS, list_runs
    from engine.commands.order import Order, SearchWords, order_of
    from engine.commands.ranking import FundRanking, rank
    from engine.commands.reconcile import Reconciled, reconcile_job
    from engine.commands.record import Recorded, describe, forget, lines_lost, recorded
    from engine.commands.report import check_printable, make_report, print_page
    from engine.commands.run import Run, run, run_job
    from engine.commands.runs import RunDifference, StoredStudy, diff_runs, reproduce, show_run
    from engine.commands.signal import NextOrders, signal, signal_job
    from engine.commands.spec_file import SpecFile, is_spec_file
    from engine.commands.study import Judgement, judgement_text
    from engine.commands.sweep import sweep
    from engine.commands.tune import Executor, Search, Tuned, tune
    from engine.commands.validate import validate
    from engine.commands.verify import Verified, verify
    from engine.comparisons.common import alternatives_of
    from engine.comparisons.significance import BLOCKS, Best, Significance
    from engine.events import EventStudy, raw_rows
    from engine.factors import HORIZONS, Diagnostics, checked_horizons
    from engine.installed import version
    from engine.kernel.costs import Costs
    from engine.metrics.declared import ALTERNATIVES, OF_RUN, SEARCHABLE, label_of, unit_of
    from engine.metrics.metric import Unit, is_percent
    from engine.orders.formats import FORMATS, Format, format_of, read_file
    from engine.orders.inputs import Input
    from engine.orders.next_open import Line, Signal, next_session
    from engine.orders.positions import read_holdings
    from engine.orders.reconcile import CAUSES, FundDifference, day_of_orders
    from engine.orders.tickets import Ticket, cut_text
    from engine.pipeline import Watch
    from engine.result import Result
    from engine.results.documents import json_text, plain
    from engine.results.runs import LAST, check_writable, runs_in
    from engine.simulation.standing import Standing
    from engine.spec import Conditions, Spec
    from engine.statistics.estimate import Estimate
    from engine.statistics.factor import MeanSummary
    from engine.strategy.loader import parameters_of, strategy_class
    from engine.strategy.trusted import require_trust
    from engine.sweeps.sweep import must_compile
    from engine.tuning.holdout import Opened, holdout_text
    from engine.tuning.judge import SplitSizes
    from engine.tuning.methods import EXECUTORS, METHODS, PHASES
    from engine.tuning.objective import Goal, Leaderboard, Trial
    from engine.tuning.study import find_study, studies_in
    from engine.tuning.tune import State
    from engine.tuning.writer import StudyWriter
    from engine.verdict.verdict import Report

# Where each name comes from: one function a command, what they return, and what they are asked with.
_PLACES = {
    "data.synthetic": ("SYNTHETIC_NOTICE",),
    "engine.accounts.difference": ("Change",),
    "engine.accounts.lines": (
        "Account",
        "Session",
        "read_account",
    ),
    "engine.audits": ("Opinion",),
    "engine.briefs.lines": ("Windows",),
    "engine.briefs.ranking": ("RankedFund", "Ranking"),
    "engine.briefs.series": ("Fact",),
    "engine.briefs.verify": ("StatementVerdict",),
    "engine.briefs.words": ("fetch_commands", "missing_by_input", "remark", "value_text"),
    "engine.choices": ("ENGINES", "FILLS", "SPLITS"),
    "engine.commands.account": (
        "account_document",
        "changed_code",
        "diff_account",
        "difference_document",
        "new_account",
        "open_account",
        "step_account",
    ),
    "engine.commands.audit": ("Audit", "audit", "audit_job", "audit_names"),
    "engine.commands.brief": ("FlowBrief", "brief"),
    "engine.commands.compare": (
        "Comparison",
        "compare",
        "compare_runs",
        "finished_runs",
        "open_together",
        "run_together",
    ),
    "engine.commands.doctor": ("Diagnosis", "examine"),
    "engine.commands.event": ("Event", "event", "event_job"),
    "engine.commands.explain": (
        "EXPLAINED",
        "explain_runs",
    ),
    "engine.commands.factor": ("Factor", "factor", "factor_job"),
    "engine.commands.job": ("Job", "job_of", "open_job"),
    "engine.commands.order": ("Order", "SearchWords", "order_of"),
    "engine.commands.ranking": ("FundRanking", "rank"),
    "engine.commands.reconcile": (
        "Reconciled",
        "reconcile_job",
    ),
    "engine.commands.record": ("Recorded", "describe", "forget", "lines_lost", "recorded"),
    "engine.commands.report": ("check_printable", "make_report", "print_page"),
    "engine.commands.run": ("Run", "run", "run_job"),
    "engine.commands.listing": ("LISTED_METRICS", "list_runs"),
    "engine.commands.runs": ("RunDifference", "StoredStudy", "diff_runs", "reproduce", "show_run"),
    "engine.commands.signal": ("NextOrders", "signal", "signal_job"),
    "engine.commands.spec_file": ("SpecFile", "is_spec_file"),
    "engine.commands.study": ("Judgement", "judgement_text"),
    "engine.commands.sweep": ("sweep",),
    "engine.commands.estimate": ("SearchTime", "estimate"),
    "engine.commands.tune": ("Executor", "Search", "Tuned", "tune"),
    "engine.commands.validate": ("validate",),
    "engine.comparisons.common": ("alternatives_of",),
    "engine.commands.verify": ("Verified", "verify"),
    "engine.comparisons.significance": ("BLOCKS", "Best", "Significance"),
    "engine.events": ("EventStudy", "raw_rows"),
    "engine.factors": ("Diagnostics", "HORIZONS", "checked_horizons"),
    "engine.installed": ("version",),
    "engine.kernel.costs": ("Costs",),
    "engine.metrics.declared": ("ALTERNATIVES", "OF_RUN", "SEARCHABLE", "label_of", "unit_of"),
    "engine.metrics.metric": ("Unit", "is_percent"),
    "engine.orders.next_open": (
        "Line",
        "Signal",
        "next_session",
    ),
    "engine.orders.positions": ("read_holdings",),
    "engine.orders.formats": (
        "FORMATS",
        "Format",
        "format_of",
        "read_file",
    ),
    "engine.orders.inputs": ("Input",),
    "engine.orders.reconcile": (
        "CAUSES",
        "FundDifference",
        "day_of_orders",
    ),
    "engine.orders.tickets": (
        "Ticket",
        "cut_text",
    ),
    "engine.simulation.standing": ("Standing",),
    "engine.pipeline": ("Watch",),
    "engine.result": ("Result",),
    "engine.results.documents": ("json_text", "plain"),
    "engine.results.runs": ("LAST", "check_writable", "runs_in"),
    "engine.spec": ("Conditions", "Spec"),
    "engine.statistics.estimate": ("Estimate",),
    "engine.statistics.factor": ("MeanSummary",),
    "engine.strategy.loader": ("parameters_of", "strategy_class"),
    "engine.strategy.trusted": ("require_trust",),
    "engine.sweeps.sweep": ("must_compile",),
    "engine.tuning.holdout": ("Opened", "holdout_text"),
    "engine.tuning.judge": ("SplitSizes",),
    "engine.tuning.methods": ("EXECUTORS", "METHODS", "PHASES"),
    "engine.tuning.objective": ("Leaderboard", "Goal", "Trial"),
    "engine.tuning.study": ("find_study", "studies_in"),
    "engine.tuning.tune": ("State",),
    "engine.tuning.writer": ("StudyWriter",),
    "engine.verdict.verdict": ("Report",),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "ALTERNATIVES",
    "BLOCKS",
    "CAUSES",
    "ENGINES",
    "EXECUTORS",
    "EXPLAINED",
    "FILLS",
    "FORMATS",
    "HORIZONS",
    "LAST",
    "LISTED_METRICS",
    "METHODS",
    "OF_RUN",
    "PHASES",
    "SEARCHABLE",
    "SPLITS",
    "SYNTHETIC_NOTICE",
    "Account",
    "Audit",
    "Best",
    "Change",
    "Comparison",
    "Conditions",
    "Costs",
    "Diagnosis",
    "Diagnostics",
    "Estimate",
    "Event",
    "EventStudy",
    "Executor",
    "Fact",
    "Factor",
    "FlowBrief",
    "Format",
    "FundDifference",
    "FundRanking",
    "Goal",
    "Input",
    "Job",
    "Judgement",
    "Leaderboard",
    "Line",
    "MeanSummary",
    "NextOrders",
    "Opened",
    "Opinion",
    "Order",
    "RankedFund",
    "Ranking",
    "Reconciled",
    "Recorded",
    "Report",
    "Result",
    "Run",
    "RunDifference",
    "Search",
    "SearchTime",
    "SearchWords",
    "Session",
    "Signal",
    "Significance",
    "Spec",
    "SpecFile",
    "SplitSizes",
    "Standing",
    "State",
    "StatementVerdict",
    "StoredStudy",
    "StudyWriter",
    "Ticket",
    "Trial",
    "Tuned",
    "Unit",
    "Verified",
    "Watch",
    "Windows",
    "account_document",
    "alternatives_of",
    "audit",
    "audit_job",
    "audit_names",
    "brief",
    "changed_code",
    "check_printable",
    "check_writable",
    "checked_horizons",
    "compare",
    "compare_runs",
    "cut_text",
    "day_of_orders",
    "describe",
    "diff_account",
    "diff_runs",
    "difference_document",
    "estimate",
    "event",
    "event_job",
    "examine",
    "explain_runs",
    "factor",
    "factor_job",
    "fetch_commands",
    "find_study",
    "finished_runs",
    "forget",
    "format_of",
    "holdout_text",
    "is_percent",
    "is_spec_file",
    "job_of",
    "json_text",
    "judgement_text",
    "label_of",
    "lines_lost",
    "list_runs",
    "make_report",
    "missing_by_input",
    "must_compile",
    "new_account",
    "next_session",
    "open_account",
    "open_job",
    "open_together",
    "order_of",
    "parameters_of",
    "plain",
    "print_page",
    "rank",
    "raw_rows",
    "read_account",
    "read_file",
    "read_holdings",
    "reconcile_job",
    "recorded",
    "remark",
    "reproduce",
    "require_trust",
    "run",
    "run_job",
    "run_together",
    "runs_in",
    "show_run",
    "signal",
    "signal_job",
    "step_account",
    "strategy_class",
    "studies_in",
    "sweep",
    "tune",
    "unit_of",
    "validate",
    "value_text",
    "verify",
    "version",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `--help` need not."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_MODULES[name]), name)
