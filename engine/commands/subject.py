"""What a document of a command is about: the block that all of them begin with."""

from __future__ import annotations

from typing import Any

from data.panel.panel import Panel
from data.synthetic import notice_of
from engine.spec import Spec, data_block
from engine.strategy.adapter import Adapter


def subject(spec: Spec, strategy: Adapter, panel: Panel, **more: Any) -> dict[str, Any]:
    """Return what a document is about: strategy, parameters, data, ``more``, and a notice where it is due."""
    return {
        "strategy": spec.strategy,
        "parameters": strategy.stated,
        "data": data_block(panel),
        **more,
        **notice_of(panel.synthetic),
    }
