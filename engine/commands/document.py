"""What the documents of commands share: what they are about, and JSON's own types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from data.panel.panel import Panel
from data.synthetic import notice_of
from engine.spec import Spec, data_block
from engine.strategy.adapter import Adapter


def subject(spec: Spec, strategy: Adapter, panel: Panel, **more: Any) -> dict[str, Any]:
    """Return what a document is about: strategy, parameters, data, ``more``, and a notice where it is due."""
    return {
        "strategy": spec.strategy,
        "parameters": strategy.parameters,
        "data": data_block(panel),
        **more,
        **notice_of(panel.synthetic),
    }


def plain(value: Any) -> Any:
    """Return ``value`` in JSON's own types: arrays as lists, days as text, NaN and infinity as None."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if hasattr(value, "tolist"):  # a numpy scalar or array
        return plain(value.astype(str).tolist()) if value.dtype.kind == "M" else plain(value.tolist())
    return str(value)
