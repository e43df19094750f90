"""A body of data, known by its content: one digest of closing prices for each fund and month.

Two looks saw the same data where they share a fund and a month with the same digest. So a copy of a store
under another name is the same body, a store with a month more has all its earlier months in common with what
it was, another seed of the demo market has none, and a vendor's correction of one price is one month.

The digest of a month is the sum, modulo 2^32, of a hash of each (day, unadjusted close) in it (the finaliser
of splitmix64, Steele, Lea, Flood 2014), so that it depends on no order and takes one pass over an array.
Closes are rounded to ``SIGNIFICANT`` digits first: prices apart by what no account feels are the same data.
Records of before have digests of closes to the last bit; ``exact`` are those of the data at hand, for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Digests = NDArray[np.uint32]
Days = NDArray[np.datetime64]

DIGITS = 8
SIGNIFICANT = 5
ID_DIGITS = 16


@dataclass(frozen=True)
class Body:
    """Digests of some funds by month.

    ``first_month`` as ``2021-01``; ``digests`` by symbol, (M,) each, from that month on; 0 where a fund has
    no bar in a month. ``rounded``: of closes that were rounded. ``exact`` beside them are of closes as they
    are; None for a body that was read.
    """

    first_month: str
    digests: Mapping[str, Digests]
    rounded: bool = True
    exact: Mapping[str, Digests] | None = None

    @cached_property
    def name(self) -> str:
        """An id made of all digests."""
        digest = hashlib.sha256(self.first_month.encode())
        for symbol in sorted(self.digests):
            digest.update(symbol.encode() + b"\0" + self.digests[symbol].astype("<u4").tobytes())
        return digest.hexdigest()[:ID_DIGITS]

    @cached_property
    def _months(self) -> tuple[Any, Any]:
        """The first and the last month."""
        first = np.datetime64(self.first_month, "M")
        length = max((len(each) for each in self.digests.values()), default=0)
        return first, first + length - 1

    def months_in_common(self, other: Body, first: Any, last: Any) -> int:
        """Return how many months of funds are the same in both, from the day ``first`` to ``last``."""
        low = max(np.datetime64(first, "M"), self._months[0], other._months[0])
        high = min(np.datetime64(last, "M"), self._months[1], other._months[1])
        common = 0
        one, two = _comparable(self, other), _comparable(other, self)
        if one.rounded != two.rounded:
            return 0
        for symbol in one.digests.keys() & two.digests.keys():
            mine, theirs = (_between(each, symbol, low, high) for each in (one, two))
            common += int(((mine == theirs) & (mine != 0)).sum())
        return common

    def funds_until(self, day: Any) -> frozenset[str]:
        """Return the funds that have a bar in the month of a day or before."""
        months = int((np.datetime64(day, "M") - self._months[0]).astype(np.int64)) + 1
        return frozenset(symbol for symbol, each in self.digests.items() if each[: max(months, 0)].any())

    def document(self, parent: Body | None = None) -> dict[str, Any]:
        """Return the body as JSON types; of what it shares with ``parent`` only how many months that are."""
        cells = {}
        for symbol, mine in self.digests.items():
            kept = 0 if parent is None else _shared_from_the_start(self, parent, symbol)
            text = "".join(f"{int(each):0{DIGITS}x}" for each in mine[kept:])
            cells[symbol] = [kept, text]
        found: dict[str, Any] = {"body": self.name, "first_month": self.first_month, "cells": cells}
        if self.rounded:
            found["significant"] = SIGNIFICANT
        return found if parent is None else found | {"parent": parent.name}

    @classmethod
    def from_document(cls, found: Mapping[str, Any], bodies: Mapping[str, Body]) -> Body:
        """Return what :meth:`document` wrote; its parent is in ``bodies``. KeyError or ValueError else."""
        parent = bodies[found["parent"]] if "parent" in found else None
        digests = {}
        for symbol, (kept, text) in found["cells"].items():
            own = [int(text[at : at + DIGITS], 16) for at in range(0, len(text), DIGITS)]
            before = parent.digests[symbol][:kept] if parent is not None and kept else np.zeros(0, np.uint32)
            digests[str(symbol)] = np.concatenate((before, np.array(own, dtype=np.uint32)))
        month = found["first_month"]
        if not isinstance(month, str) or np.isnat(
            np.datetime64(month, "M")
        ):  # ValueError where it is no month
            raise ValueError(f"{month} is no month")
        return cls(month, digests, "significant" in found)


def body_of(days: Days, symbols: tuple[str, ...], closes: NDArray[np.float64]) -> Body:
    """Return the body of unadjusted closes, (D, S), NaN where there is no bar."""
    months = days.astype("datetime64[M]")
    count = int((months[-1] - months[0]).astype(np.int64)) + 1
    place = (months - months[0]).astype(np.int64)
    salt = days.astype("datetime64[D]").astype(np.int64).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    starts = np.flatnonzero(np.diff(place, prepend=-1))

    def digests(values: NDArray[np.float64]) -> dict[str, Digests]:
        bits = np.where(values == 0.0, 0.0, values).view(np.uint64)  # -0.0 is 0.0
        mixed = np.where(np.isfinite(values), _mix(bits + salt[:, None]), np.uint64(0))
        found = np.zeros((count, len(symbols)), dtype=np.uint32)
        found[place[starts]] = np.add.reduceat(mixed, starts, axis=0).astype(np.uint32)
        return {symbol: found[:, column] for column, symbol in enumerate(symbols)}

    return Body(str(months[0]), digests(_rounded(closes)), exact=digests(closes))


def _rounded(closes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what closes are to so many digits: a whole number for each, in which the power of ten is."""
    size = np.where((closes != 0.0) & np.isfinite(closes), np.abs(closes), 1.0)
    power = np.floor(np.log10(size)) - (SIGNIFICANT - 1)
    scaled = np.rint(closes * 10.0**-power)
    # 99999.7 of one power is 100000 of it, which is 10000 of the next.
    over = np.abs(scaled) >= 10.0**SIGNIFICANT
    return np.where(over, np.rint(scaled / 10.0), scaled) + 2.0**20 * (power + over)


def _comparable(body: Body, other: Body) -> Body:
    """Return a body with the digests that those of ``other`` can be held against."""
    if body.rounded and not other.rounded and body.exact is not None:
        return Body(body.first_month, body.exact, rounded=False)
    return body


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _between(body: Body, symbol: str, low: Any, high: Any) -> Digests:
    """Return the digests of one fund from month ``low`` to ``high``, 0 where the body has none."""
    begin, digests = np.datetime64(body.first_month, "M"), body.digests[symbol]
    found = np.zeros(max(int((high - low).astype(np.int64)) + 1, 0), dtype=np.uint32)
    shift = int((begin - low).astype(np.int64))
    source = digests[max(-shift, 0) : max(len(found) - shift, 0)]
    found[max(shift, 0) : max(shift, 0) + len(source)] = source
    return found


def _shared_from_the_start(body: Body, parent: Body, symbol: str) -> int:
    if body.first_month != parent.first_month or symbol not in parent.digests:
        return 0
    mine, theirs = body.digests[symbol], parent.digests[symbol]
    length = min(len(mine), len(theirs))
    other = np.flatnonzero(mine[:length] != theirs[:length])
    return int(other[0]) if len(other) else length
