"""Diagnostics of a strategy's score itself, before any rule of selection, weighing or cost touches it.

``forward`` says what a fund earned from where it can be traded; ``diagnose`` holds the scores against it, one
horizon after the other (``section``, with the functions of ``engine.statistics.factor``); ``document`` makes
JSON of what it found.
"""

from engine.factors.diagnose import HORIZONS, Diagnostics, checked_horizons, diagnose
from engine.factors.document import factor_document, factor_id
from engine.factors.forward import Forward
from engine.factors.section import Horizon

__all__ = [
    "HORIZONS",
    "Diagnostics",
    "Forward",
    "Horizon",
    "checked_horizons",
    "diagnose",
    "factor_document",
    "factor_id",
]
