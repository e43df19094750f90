"""Audits of one strategy: can its numbers be believed? ``audit(Case(strategy, panel))`` asks them all."""

from engine.audit.audits import AUDITS, GATES, audit
from engine.audit.case import Case
from engine.audit.outcome import Outcome

__all__ = ["AUDITS", "GATES", "Case", "Outcome", "audit"]
