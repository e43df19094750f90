"""Audits of one strategy: can its numbers be believed? ``audit(Case(strategy, panel))`` asks them all."""

from engine.audits.audits import AUDITS, GATES, audit
from engine.audits.case import Case
from engine.audits.opinion import Outcome

__all__ = ["AUDITS", "GATES", "Case", "Outcome", "audit"]
