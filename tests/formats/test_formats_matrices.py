"""Tables of days and funds side by side.

Each small input is written here, and what must come out of it is worked out by hand.
"""

from __future__ import annotations

import pytest

from data.errors import DataError
from tests.helpers.formats import AUGUST_20, csv, units

MATRIX = csv("日期,159363.SZ,515980.SH", "2025-08-19,3861000000,", "2025-08-20,3970000000,4300000000")


def test_a_matrix_of_days_and_funds_is_asked_what_it_holds(take, store):
    with pytest.raises(DataError, match=r"matrix of funds and days, and does not say of what.*`wide-units`"):
        take("u.csv", MATRIX)
    take("u.csv", MATRIX, named="wide-units")
    assert units(store) == [
        ("159363.SZ", "2025-08-19", 3_861_000_000.0),
        *AUGUST_20,
        ("515980.SH", "2025-08-20", 4_300_000_000.0),
    ]


def test_a_matrix_may_lie_on_its_side_and_be_in_another_unit_of_measure(take, store):
    toml = 'table = "units"\nwide = "units"\ncolumns = {symbol = "代码"}\nmeasures = {units = "10^4"}'
    for first, second in (("2025-08-19", "2025-08-20"), ("20250819", "20250820")):
        take("u.csv", csv(f"代码,名称,{first},{second}", "159363,AI,,397000"), map=toml)
    assert units(store) == AUGUST_20


def test_sums_beside_a_matrix_are_no_fund(take, store):
    report = take("u.csv", csv("date,BOTZ,Total", "2025-08-20,80000000,80000000"), named="wide-units")
    assert units(store) == [("BOTZ.US", "2025-08-20", 80_000_000.0)]
    assert report.imported[0].unused == ("Total",)


@pytest.mark.parametrize(
    "rows",
    [
        # As pandas writes it without a name of the index, or with the name of the columns in the corner.
        (",159363,515980", "2025-08-20,3970000000,--"),
        ("code,159363,515980", "2025-08-20,3970000000,"),
        ("日期,159363 创业板AI,人工智能(515980)", "2025年8月20日,39.7亿,停牌"),
        ("日期,159363(万份),515980(万份)", "20250820,397000,"),
        ("代码,2025年8月20日,2025年8月21日", "159363,3970000000,"),
        ("代码,45889,45890", "159363,3970000000,"),
    ],
)
def test_a_matrix_with_odd_corners_and_headers(take, store, rows):
    take("u.csv", csv(*rows), named="wide-units")
    assert units(store) == AUGUST_20


def test_a_matrix_of_several_units_of_measure_is_refused(take):
    with pytest.raises(DataError, match=r"its headers name several units of measure; received 日期, 159363"):
        take("u.csv", csv("日期,159363(万份),515980(份)", "20250820,397000,1"), named="wide-units")


def test_codes_above_chinese_fields_become_rows(take, store):
    codes, fields = "日期,159363,159363,515980,515980", "日期,份额(万份),净值,份额(万份),净值"
    take("u.csv", csv(codes, fields, "2025-08-20,397000,0.73,,"))
    assert units(store) == AUGUST_20


def test_what_is_no_matrix_is_refused(take):
    with pytest.raises(DataError, match="is not a matrix of days and funds; received day, 名称"):
        take("u.csv", csv("day,名称", "2025-08-20,AI"), named="wide-units")
