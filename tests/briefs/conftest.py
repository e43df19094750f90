"""The brief of a note's fund on its day."""

from __future__ import annotations

import pytest

from tests.helpers.brief_market import brief_of, tables


@pytest.fixture(scope="module")
def brief():
    return brief_of(tables())
