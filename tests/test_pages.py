"""Every page in a real browser: wide and narrow, light and dark, on paper, without a script, by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import run_backtest
from engine.cli.main import main
from engine.report import charts, html
from engine.report.charts import Chart, Panel, Series
from tests.helpers.browser import FAINT, opened

pytestmark = pytest.mark.slow

PERIOD = ("--start", "2024-01-02", "--end", "2025-03-31")
PAGES = {
    "tearsheet": ("run", "share_inflow", "--set", "top=2", *PERIOD),
    "compare": ("compare", "share_inflow", "equal_weight", *PERIOD),
    "study": ("tune", "share_inflow", "--param", "lookback=5,10,15", "--param", "top=1,2", *PERIOD),
    "factor": ("factor", "share_inflow", *PERIOD),
    "audit": ("audit", "share_inflow", "--only", "order_and_scale,timing_luck", *PERIOD),
    "event": ("event", "inflow_streak >= 5", *PERIOD),
    "brief": ("brief", "157001.SZ", "--on", "2025-06-20", "--page"),
    "signal": ("signal", "share_inflow", "--page"),
}
# Figures that are seen: of those to choose from, one.
SEEN = "figure[data-chart]:visible"
EQUITY, FUND = "[data-chart=equity] .chart", ".pick .live .chart"
# Cells in which a day is on two lines.
BROKEN = """(cells) => cells.filter((cell) => {
    const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        for (const found of walk.currentNode.data.matchAll(/\\d{4}-\\d\\d-\\d\\d/g)) {
            const range = document.createRange();
            range.setStart(walk.currentNode, found.index);
            range.setEnd(walk.currentNode, found.index + 10);
            if (range.getClientRects().length > 1) return true;
        }
    }
}).map((cell) => cell.textContent)"""
# Texts of charts that lie under the mark of the made-up market.
MARKED = """(charts) => charts.flatMap((chart) => {
    const texts = [...chart.querySelectorAll("text")].map((each) => [each, each.getBoundingClientRect()]);
    const marks = texts.filter(([each]) => each.textContent === "SYNTHETIC DATA");
    return marks.flatMap(([mark, a]) => texts.filter(([each, b]) => each !== mark
        && b.left < a.right && a.left < b.right && b.top < a.bottom - 2 && a.top < b.bottom - 2
    ).map(([each]) => each.textContent));
})"""
# Texts of charts that the sides of their picture cut.
CUT = """(images) => images.flatMap((image) => {
    const whole = image.getBoundingClientRect();
    return [...image.querySelectorAll("text")].filter((each) => {
        const box = each.getBoundingClientRect();
        return box.width > 0 && (box.left < whole.left - 1 || box.right > whole.right + 1);
    }).map((each) => each.textContent);
})"""
OPTION = "(place) => echarts.getInstanceByDom(place).getOption()"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Callable[[str], Path]:
    """Return what makes a page by its command on the demo market, each once."""
    found: dict[str, Path] = {}

    def path_of(name: str) -> Path:
        if name not in found:
            out = tmp_path_factory.mktemp(name)
            assert main(run_backtest.load_catalogue, [*PAGES[name], "--quiet", "--out", str(out)]) == 0
            (found[name],) = out.rglob("*.html")
        return found[name]

    return path_of


def zoomed(page: Any, chart: str) -> tuple[int, int]:
    """Return the first and last session that a chart shows, as numbers of its axis."""
    zoom = page.locator(chart).evaluate(OPTION)["dataZoom"][0]
    return zoom["startValue"], zoom["endValue"]


def into_view(chart: Any) -> tuple[float, float, float]:
    """Scroll a chart to the top; returns where it lies: left, top and width."""
    chart.evaluate("(place) => place.scrollIntoView({ behavior: 'instant' })")
    box = chart.bounding_box()
    return box["x"], box["y"], box["width"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_a_page_is_whole(name, width, scheme, made):
    with opened(made(name), width, color_scheme=scheme) as (page, said):
        page.wait_for_timeout(200)
        assert said == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(FAINT) == []
        for figure in page.locator(SEEN).all():
            assert figure.locator(".chart path").count() > 4
            assert not figure.locator(".still").is_visible()
        assert page.locator("td").evaluate_all(BROKEN) == []
        texts = page.locator(".chart text").all_text_contents()
        assert [text for text in texts if text.endswith("...")] == []
        assert page.locator(".chart:visible").evaluate_all(MARKED) == []
        assert page.locator(".chart:visible svg").evaluate_all(CUT) == []
        # What is wider than its place scrolls within it, by the keyboard too, and says so.
        for table in page.locator(".table:visible").all():
            room, needed = table.evaluate("(each) => [each.clientWidth, each.scrollWidth]")
            assert needed <= room + 1 or table.get_attribute("aria-label") == "A table that scrolls sideways"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_a_script_shows_its_pictures(name, made):
    with opened(made(name), java_script_enabled=False) as (page, said):
        assert said == []
        for figure in page.locator(SEEN).all():
            assert figure.locator(".still svg").bounding_box()["width"] > 200
            assert figure.locator(".still svg").get_attribute("aria-label")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_paper_shows_its_pictures_and_nothing_to_press(name, made):
    with opened(made(name)) as (page, _):
        page.emulate_media(media="print")
        page.wait_for_timeout(200)
        assert page.locator(".controls:visible, figure[data-chart] .chart:visible").count() == 0
        for figure in page.locator(SEEN).all():
            assert figure.locator(".still svg").bounding_box()["width"] > 200
        assert set(
            page.locator("thead:visible").evaluate_all(
                "(heads) => heads.map((each) => getComputedStyle(each).display)"
            )
        ) <= {"table-header-group"}  # repeated on each sheet


def test_the_pointer_reads_the_day_that_it_is_over(made):
    equity = pd.read_csv(made("tearsheet").parent / "equity.csv", index_col="day")["equity"] / 1_000_000
    with opened(made("tearsheet")) as (page, _):
        left, top, width = into_view(page.locator(EQUITY))
        for share in (0.3, 0.6, 0.9):
            page.mouse.move(left + share * width, top + 150)
            page.wait_for_timeout(200)
            day, *lines = page.locator(f"{EQUITY} > div:has(.tip)").inner_text().splitlines()
            assert f"share_inflow\t{equity[day]:.3f}" in lines
            peak = max(1.0, equity[:day].max())
            assert f"share_inflow\t{equity[day] / peak - 1:.2%}" in lines


def test_a_tap_shows_the_values_of_a_day_within_the_screen(made):
    with opened(made("tearsheet"), 390, has_touch=True, is_mobile=True) as (page, _):
        into_view(page.locator(EQUITY))
        page.touchscreen.tap(200, 200)
        box = page.locator(f"{EQUITY} > div:has(.tip)").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390 - 14  # the margin of the page


def test_zoom_and_range_move_all_charts_of_an_axis(made):
    with opened(made("tearsheet")) as (page, _):
        whole = zoomed(page, EQUITY)
        assert zoomed(page, FUND) == whole
        left, top, width = into_view(page.locator(EQUITY))
        page.mouse.move(left + width / 2, top + 150)
        page.keyboard.down("Control")
        page.mouse.wheel(0, -500)
        page.keyboard.up("Control")
        page.wait_for_timeout(200)
        first, last = zoomed(page, EQUITY)
        assert whole[0] < first < last < whole[1]
        assert zoomed(page, FUND) == (first, last)
        page.locator("[data-chart=equity] .ranges button", has_text="3 m").click()
        assert zoomed(page, FUND) == (whole[1] - 62, whole[1])
        page.locator(".pick .live .ranges button", has_text="all").click()
        assert zoomed(page, EQUITY) == whole


@pytest.mark.parametrize("name", ["tearsheet", "study", "factor"])
def test_the_wheel_scrolls_the_page_over_a_chart(name, made):
    with opened(made(name)) as (page, _):
        for chart in page.locator(".chart:visible").all()[:3]:
            into_view(chart)
            before = page.evaluate("scrollY")
            page.mouse.move(600, 300)
            page.mouse.wheel(0, -100)
            page.wait_for_function("(before) => scrollY < before", arg=before, timeout=5_000)


@pytest.mark.parametrize("name", ["tearsheet", "study", "factor"])
def test_a_finger_scrolls_the_page_over_a_chart(name, made):
    with opened(made(name), 390, has_touch=True, is_mobile=True) as (page, _):
        fingers = page.context.new_cdp_session(page)
        for chart in page.locator(".chart:visible").all()[:2]:
            into_view(chart)
            before = page.evaluate("scrollY")
            touch = {"type": "touchStart", "touchPoints": [{"x": 200, "y": 60}]}
            fingers.send("Input.dispatchTouchEvent", touch)
            for y in range(70, 200, 10):
                point = {"x": 200, "y": y}
                fingers.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
            fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
            page.wait_for_function("(before) => scrollY < before", arg=before, timeout=5_000)


def test_a_legend_hides_what_it_names_and_log_scale_stays(made):
    with opened(made("tearsheet")) as (page, _):
        into_view(page.locator(EQUITY))
        entry = page.locator(f"{EQUITY} text", has_text=re.compile("^equal weight"))
        entry.click()
        selected = page.locator(EQUITY).evaluate(OPTION)["legend"][0]["selected"]
        assert [name.startswith("equal weight") for name, shown in selected.items() if not shown] == [True]
        page.locator("[data-chart=equity] .controls input").check()
        again = page.locator(EQUITY).evaluate(OPTION)
        assert again["yAxis"][0]["type"] == "log"
        assert again["legend"][0]["selected"] == selected


def test_keys_read_a_chart_aloud_and_zoom_it(made):
    equity = pd.read_csv(made("tearsheet").parent / "equity.csv", index_col="day")["equity"] / 1_000_000
    with opened(made("tearsheet")) as (page, _):
        page.locator(EQUITY).focus()
        words = page.locator("[data-chart=equity] .words")
        for key, place in (("ArrowLeft", -2), ("PageUp", -22), ("Home", 0), ("ArrowRight", 1), ("End", -1)):
            page.keyboard.press(key)
            assert words.inner_text().startswith(f"{equity.index[place]}. Growth of one unit of money: ")
            assert f"share_inflow {equity.iloc[place]:.3f}," in words.inner_text()
        whole = zoomed(page, EQUITY)
        page.keyboard.press("+")
        first, last = zoomed(page, EQUITY)
        assert abs((last - first) - (whole[1] - whole[0]) / 2) <= 1


@pytest.mark.parametrize("width", [1200, 390])
def test_a_label_of_the_ribbon_that_is_cut_says_the_whole_name_when_pointed_at(width, made):
    """Code first; the name as far as it fits."""
    with opened(made("tearsheet"), width) as (page, _):
        into_view(page.locator(EQUITY))
        labels = page.locator(EQUITY).evaluate(OPTION)["yAxis"][-1]["data"]
        written = page.locator(f"{EQUITY} text", has_text=re.compile(re.escape(labels[-1].split()[0])))
        assert labels[-1].startswith(written.inner_html().rstrip("…"))
        assert labels[-1] != written.inner_html()
        written.hover()
        page.wait_for_function(
            "(name) => [...document.querySelectorAll('[data-chart=equity] .chart > div')]"
            ".some((tip) => tip.textContent === name && getComputedStyle(tip).visibility === 'visible')",
            arg=labels[-1],
            timeout=5_000,
        )
        spoken = page.locator("[data-chart=equity] .still svg").get_attribute("aria-label")
        assert all(label in spoken for label in labels)


def test_the_days_below_a_chart_are_all_different(made):
    for width in (1200, 390):
        with opened(made("tearsheet"), width) as (page, _):
            for choice in ("all", "1 m"):
                page.locator("[data-chart=equity] .ranges button", has_text=choice).first.click()
                page.wait_for_timeout(100)
                below = page.locator(f"{EQUITY} text").all_text_contents()
                days = [each for each in below if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", each)]
                assert len(days) >= 2
                assert len(set(days)) == len(days)


def test_a_few_words_below_a_chart_are_all_shown_and_counts_are_whole(tmp_path):
    names = np.array(["flows shuffled in time", "flows of other funds", "random choices"])
    counts = Series("draws", "bars", "run", np.array([1.0, 0.0, 1.0]))
    chart = Chart("drawn", "Draws", "", names, (Panel("Draws", (counts,), "count"),))
    body = html.section("Draws", charts.figure(chart, synthetic=False), id_="draws")
    text = html.page(
        "Draws", html.Safe(""), [("draws", "Draws", body)], scripts=charts.scripts([chart], synthetic=False)
    )
    html.write(tmp_path / "draws.html", text)
    with opened(tmp_path / "draws.html", 390) as (page, said):
        texts = page.locator("[data-chart=drawn] .chart text")
        boxes = texts.evaluate_all(
            "(all) => all.map((each) => [each.textContent, each.getBoundingClientRect()])"
        )
        shown = " ".join(text for text, _ in boxes)
        assert said == []
        assert all(word in shown for name in names.tolist() for word in name.split())
        assert [text for text, _ in boxes if text.replace(".", "").isdigit()] == ["0", "1"]
        words = [box for text, box in boxes if not text.isdigit() and text != "Draws"]
        for place, one in enumerate(words):
            for two in words[place + 1 :]:
                assert (
                    one["right"] <= two["left"]
                    or two["right"] <= one["left"]
                    or (one["bottom"] <= two["top"] + 3 or two["bottom"] <= one["top"] + 3)
                )


def test_another_fund_is_chosen(made):
    with opened(made("tearsheet")) as (page, said):
        choice = page.locator("#funds-choice, .pick select").first
        names = choice.locator("option").all_inner_texts()
        choice.select_option(label=names[-1])
        shown = page.locator(".pick figure:visible")
        assert shown.count() == 1
        assert shown.get_attribute("data-title") == names[-1]
        assert shown.locator(".chart path").count() > 4
        assert said == []


@pytest.mark.parametrize("name", ["tearsheet", "study", "factor", "event", "signal"])
def test_a_head_sorts_its_table(name, made):
    with opened(made(name)) as (page, _):
        tables = page.locator(".sort table:visible").all()
        assert tables
        for table in tables:
            button = table.locator("thead button").last
            for order in ("descending", "ascending"):
                button.click()
                assert table.locator("th[aria-sort]").get_attribute("aria-sort") == order
                cells = table.locator("tbody tr:not(.total) td:last-child").all_inner_texts()
                numbers = [each for each in cells if re.fullmatch(r"[-+]?[\d,.]+%?", each)]
                values = [float(each.replace(",", "").rstrip("%")) for each in numbers]
                assert values == sorted(values, reverse=order == "descending")


def test_labels_of_pyfolios_figures_are_within_them_and_beside_each_other(tmp_path):
    words = ("run", "share_inflow", *PERIOD, "--pyfolio", "--quiet", "--out", str(tmp_path))
    assert main(run_backtest.load_catalogue, [*words]) == 0
    (sheet,) = tmp_path.rglob("tearsheet.html")
    asked = """() => {
        const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
        const inside = (a, b) => b.left - 2 < a.left && a.right < b.right + 2
            && b.top - 2 < a.top && a.bottom < b.bottom + 2;
        const box = (each) => each.getBoundingClientRect(), wrong = [];
        for (const image of document.querySelectorAll('#pyfolio .picture > svg')) {
            const texts = [...image.querySelectorAll('text')].filter((one) => !/SYNTH/.test(one.textContent));
            texts.forEach((one, place) => {
                if (!inside(box(one), box(image))) wrong.push([image.ariaLabel, one.textContent]);
                for (const other of texts.slice(place + 1)) {
                    if (over(box(one), box(other))) {
                        wrong.push([image.ariaLabel, one.textContent, other.textContent]);
                    }
                }
            });
        }
        return [document.querySelectorAll('#pyfolio text').length > 200, wrong];
    }"""
    with opened(sheet) as (page, _):
        assert page.evaluate(asked) == [True, []]
