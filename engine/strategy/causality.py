"""Look-ahead: what a strategy says of a session must not change when everything after it does.

Every run asks this of its strategy (``require_causal``, ``same_decision``), on a few sessions of the run and
on its last ones, each time of a fresh copy that remembers nothing:

- with another future in arrays of the same shape. The arithmetic on the past is the same then, addition by
  addition, so that the past must have the same **bits**: a look ahead of any size is found, and a tie that it
  broke;
- with no future at all, which also finds what counts sessions or anchors at the end. Library code may add up
  in another order on shorter arrays, so that here a difference counts from a billionth of the spread of the
  scores of its session on (``alike``).

What is asked for the market itself, by a field, a global or a closure, is told by name (``require_apart``).
It is a sample of sessions, and no proof; the audit ``look_ahead`` alters the market itself, on more of them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, EtflowError, UsageError, ValidationError
from data.panel.known import Known
from data.panel.until import Copied, OtherFuture
from engine.strategy.adapter import Adapter, AtOnceAdapter
from engine.strategy.adapters import SessionAdapter
from engine.strategy.fresh import fresh, reached

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ROUNDING = 1e-9
"""Of the spread of the scores of a session: what arithmetic in another order may change."""
LAST_BITS = 8 * np.finfo(np.float64).eps
"""Of the largest score of a session: the same where all its scores are alike."""

# Where the run is asked: as parts of its length, and as sessions before its last.
PARTS, BEFORE_LAST = (1 / 3, 2 / 3), (20, 1)
# One that decides before each open is cheap to ask again.
DECISIONS, LAST_DECISIONS = 24, 20


def alike(values: Floats, others: Floats, *, exact: bool = False) -> Bools:
    """Return where two arrays of scores, weights or returns agree; NaN agrees with NaN.

    ``exact``: to the last bit. Else up to rounding: 1e-9 of the spread of ``others`` in the row, highest less
    lowest, and eight units in the last place of the largest; so that neither the scale of scores matters,
    nor what is common to all.
    """
    same: Bools = (values == others) | (np.isnan(values) & np.isnan(others))
    if exact or same.all():
        return same
    known = np.where(np.isfinite(others), others, np.nan)
    rows = known.reshape(len(known), -1)
    high, low = _extreme(rows, np.fmax, -np.inf), _extreme(rows, np.fmin, np.inf)
    spread = np.where(high >= low, high - low, 0.0)
    largest = np.where(high >= low, np.maximum(np.abs(high), np.abs(low)), 0.0)
    allowed = (ROUNDING * spread + LAST_BITS * largest).reshape(-1, *[1] * (known.ndim - 1))
    with np.errstate(invalid="ignore"):
        close: Bools = np.abs(values - others) <= allowed
    return same | close


def _extreme(rows: Floats, choose: np.ufunc, nothing: float) -> Floats:
    extreme: Floats = choose.reduce(rows, axis=1, initial=nothing)
    return extreme


def require_causal(untouched: AtOnceAdapter, known: Known, values: Floats, first: int, last: int) -> None:
    """Raise ValidationError naming the first value that changes when its future does, or is cut away.

    ``untouched`` is a strategy that was not asked anything yet (``fresh``), ``values`` (D, S) are its values
    on all of ``known``. A few rows from ``first`` to ``last`` are asked, always the same ones. What is not
    even the same on the same data is said to be impure.
    """
    require_apart(untouched)
    strategy = untouched
    decided = np.flatnonzero(np.isfinite(values).any(axis=1))
    for view, row, how, exact in _futures(known, first, last, decided):
        try:
            again = fresh(untouched).values(view)
        except (UsageError, DataError):
            continue  # it names a fund or a day that is not there
        end = min(row + 1, len(values))
        if again.shape[1:] != values.shape[1:] or len(again) < end:
            raise ValidationError(
                f"{strategy.name} looks ahead: other sessions or funds once data end on {known.days[row]}",
                received=again.shape,
                limit=f"{values[:end].shape}",
            )
        same = alike(again[:end], values[:end], exact=exact)
        if not same.all():
            day, column = (int(each[0]) for each in np.nonzero(~same))
            _require_pure(strategy, known, values)
            raise ValidationError(
                f"{strategy.name} looks ahead: the {strategy.what} of {known.symbols[column]} on "
                f"{known.days[day]} changes when {how}",
                received=f"{values[day, column]:.17g} with later data, {again[day, column]:.17g} without",
                hint="Compute a row from the rows up to it: no shift by -1, nothing over the whole sample.",
            )


def _futures(
    known: Known, first: int, last: int, decided: NDArray[np.int64]
) -> Iterator[tuple[Any, int, str, bool]]:
    """Yield views of the known face, the row from which each differs, how, and whether bits must agree.

    The rows are such on which something is ``decided``, where there are any.
    """
    end = min(last, len(known.days) - 2)
    places = [first + int(part * (last - first)) for part in PARTS] + [last - each for each in BEFORE_LAST]
    for row in sorted({latest_of(decided, min(place, end)) for place in places if place >= 0}, reverse=True):
        yield OtherFuture(known, row), row, f"what follows {known.days[row]} is another", True
    for row in sorted({latest_of(decided, first + (last - first) // 2), latest_of(decided, max(end, first))}):
        yield Copied(known, row), row, f"the data end on {known.days[row]}", False


def latest_of(rows: NDArray[np.int64], place: int) -> int:
    """Return the latest of ``rows``, which are in order, up to ``place``; that itself if there is none."""
    before = int(np.searchsorted(rows, place, side="right"))
    return int(rows[before - 1]) if before else place


def _require_pure(strategy: AtOnceAdapter, known: Known, values: Floats) -> None:
    """Raise ValidationError if a strategy does not even say the same about the same data."""
    again = fresh(strategy).values(known)
    if again.shape != values.shape or not alike(again, values, exact=True).all():
        raise impure(strategy)


def impure(strategy: Adapter) -> ValidationError:
    """Return the error for one that does not even say the same about the same data."""
    return ValidationError(
        f"{strategy.name} is impure: asked twice about the same data, it does not say the same",
        hint="Chance needs a seed, and nothing may be kept from one question to the next.",
    )


def sessions_asked(first: int, last: int) -> frozenset[int]:
    """Return the sessions on which one that decides before each open is asked again: some, and the last."""
    spread = np.linspace(first, last, DECISIONS, dtype=np.int64).tolist()
    return frozenset([*spread, *range(max(first, last - LAST_DECISIONS + 1), last + 1)])


def remembered(strategy: SessionAdapter) -> SessionAdapter | None:
    """Return a copy of a strategy with all that it remembers, to be asked again; None if it has none."""
    try:
        return SessionAdapter(copy.deepcopy(strategy.strategy))
    except Exception:
        return None  # it holds something that cannot be copied, as an open file


def same_decision(copied: SessionAdapter, known: Known, row: int, held: Any, wanted: Any) -> None:
    """Raise ValidationError if ``copied`` decides otherwise than ``wanted`` where there is no future at all.

    ``wanted`` are weights by symbol, or None, as it decided before the open of session ``row``. One that
    does not decide the same on the same data is said to be impure.
    """
    spare = remembered(copied)
    name = f"{copied.name} looks ahead: its decision before the open of {known.days[row]}"
    try:
        again = copied.strategy.decide(Copied(known, row), held)
    except EtflowError:
        raise
    except Exception as error:
        raise ValidationError(
            f"{name} needs later data", received=f"{type(error).__name__}: {error}"
        ) from error
    if _plain(again) != _plain(wanted):
        if spare is not None and _plain(spare.strategy.decide(known.until(row), held)) != _plain(wanted):
            raise impure(copied)
        raise ValidationError(
            f"{name} changes when the data end there",
            received=f"{wanted} with later data, {again} without",
            hint="Use what `past` has, and no array beyond its end.",
        )


def _plain(wanted: Any) -> Any:
    """Return what was wanted as numbers by symbol, whatever types they had; anything else as it is."""
    try:
        return {str(symbol): float(weight) for symbol, weight in wanted.items()}
    except (AttributeError, TypeError, ValueError):
        return repr(wanted)


def require_apart(strategy: Adapter) -> None:
    """Raise ValidationError if a strategy holds the market itself: by a field, a global or a closure."""
    place = reached(strategy.written, strategy.strategy)
    if place is not None:
        raise ValidationError(
            f"{strategy.name} can look ahead: {place}, which has the whole market",
            hint="Use what its method is given: only that ends before the open.",
        )
