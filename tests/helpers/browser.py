"""Pages in the Chromium of this machine, driven as a reader would: what they say, show and hide."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Text of less contrast with what is behind it than WCAG 2.2, 1.4.3, level AA, asks. Charts are left out:
# their text lies over what they draw.
FAINT = """() => {
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parts = [0.2126, 0.7152, 0.0722];
  const light = (colour) => parts.reduce((sum, part, at) => sum + part * linear(colour[at] / 255), 0);
  const parsed = (text) => [...text.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
  const over = (above, below) => below.map((value, at) => above[at] * above[3] + value * (1 - above[3]));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(parsed(getComputedStyle(at).backgroundColor));
    }
    return layers.reverse().reduce((below, above) => over(above, below), [255, 255, 255]);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const text = walk.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest("svg")) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const back = behind(element), ink = over(parsed(style.color), back);
    const [high, low] = [light(ink), light(back)].sort((one, two) => two - one);
    const large = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
    if ((high + 0.05) / (low + 0.05) < (large ? 3 : 4.5)) found.push(text);
  }
  return found;
}"""


def browser() -> str:
    """Return where Chromium lies, or skip the test where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium here")
    return found


@contextmanager
def opened(path: Path, width: int = 1200, **circumstances: Any) -> Iterator[tuple[Any, list[str]]]:
    """Open a page in Playwright; beside it what it says on the console, and whom it asks but its own file.

    Circumstances are those of a browser context, as `color_scheme="dark"` or `java_script_enabled=False`.
    """
    found = browser()
    from playwright.sync_api import sync_playwright

    said: list[str] = []
    with sync_playwright() as driver:
        # Where tests run as root, as in a container, Chromium has no sandbox to offer.
        process = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = process.new_context(viewport={"width": width, "height": 900}, **circumstances).new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda asked: said.append(asked.url) if asked.url != path.as_uri() else None)
            page.goto(path.as_uri())
            yield page, said
        finally:
            process.close()
