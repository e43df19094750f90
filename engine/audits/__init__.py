"""Audits of one strategy: can its numbers be believed? ``audit(Audited(strategy, panel))`` asks them all."""

from engine.audits.audited import Audited
from engine.audits.audits import AUDITS, GATES, audit, named
from engine.audits.opinion import Opinion

__all__ = ["AUDITS", "GATES", "Audited", "Opinion", "audit", "named"]
