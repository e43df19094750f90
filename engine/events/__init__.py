"""Event studies: what funds earned after something happened to them, against funds to which it did not.

``study`` holds returns after events against those of other funds (``engine.factors.forward`` says what a fund
earned); ``document`` makes JSON of what it found, ``words`` what people read.
"""

from engine.events.document import event_document, event_id
from engine.events.others import ALTERNATIVES
from engine.events.study import HORIZONS, EventStudy, Measure, study_events
from engine.events.words import raw_rows

__all__ = [
    "ALTERNATIVES",
    "HORIZONS",
    "EventStudy",
    "Measure",
    "event_document",
    "event_id",
    "raw_rows",
    "study_events",
]
