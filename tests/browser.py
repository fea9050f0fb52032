"""A headless Chromium for tests: what a page shows at a width, what it says to a screen reader, what it asks a network for."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)

# Of every formula and cell: what is wider than the room that it has, and by how much.
CLIPPED = """
const found = [], wide = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > wide) found.push(['the page', document.documentElement.scrollWidth - wide]);
const name = e => e.tagName.toLowerCase() + '.' + e.className + ': ' + e.textContent.slice(0, 60);
for (const e of document.querySelectorAll('math, p, td, th, h1, h2, h3, .left, .right, .aside, .number, .box, .display')) {
  const box = e.getBoundingClientRect();
  const scroller = e.closest('pre, .table, .right');
  if (!scroller && box.right > wide + 0.5) found.push([name(e), box.right - wide]);
  if (box.left < -0.5) found.push([name(e), box.left]);
  const below = e.scrollHeight - e.clientHeight;
  if (e.matches('.right') && below > 1) found.push(['clipped below ' + name(e), below]);
}
return found;
"""
# Boxes that scroll sideways: nothing in them is lost, but a reader has to move them.
SCROLLS = """
return [...document.querySelectorAll('.right, .table')].filter(e => e.scrollWidth > e.clientWidth + 1)
  .map(e => [e.className, e.scrollWidth - e.clientWidth, e.textContent.slice(0, 120)]);
"""
# Cells and formulas that lie on each other.
OVERLAPS = """
const found = [];
for (const grid of document.querySelectorAll('.display, .box, .named tr')) {
  const boxes = [];
  for (const cell of grid.children) {
    if (!cell.textContent.trim()) continue;
    const inner = cell.querySelectorAll('math').length ? [...cell.querySelectorAll('math, span')] : [cell];
    let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
    for (const e of inner) for (const b of e.getClientRects()) {
      left = Math.min(left, b.left); right = Math.max(right, b.right);
      top = Math.min(top, b.top); bottom = Math.max(bottom, b.bottom);
    }
    boxes.push([left, right, top, bottom, cell]);
  }
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, b] = [boxes[i], boxes[j]];
    const across = Math.min(a[1], b[1]) - Math.max(a[0], b[0]), down = Math.min(a[3], b[3]) - Math.max(a[2], b[2]);
    if (across > 1 && down > 1) found.push([a[4].textContent.slice(0, 60), b[4].textContent.slice(0, 60), across, down]);
  }
}
return found;
"""


class Browser:
    """One window; every page is opened from a file."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver, self.folder = driver, folder

    def devtools(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def resize(self, width: int, height: int = 800, scale: float = 1) -> None:
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )

    def scheme(self, name: str) -> None:
        """light or dark"""
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def show(self, html: str, width: int) -> None:
        path = self.folder / "page.html"
        path.write_text(html, encoding="utf-8")
        self.resize(width)
        self.driver.get(path.as_uri())
        self.run("return document.fonts.ready.then(() => true)")

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def accessible(self) -> list[dict[str, Any]]:
        """The nodes of the accessibility tree that are not ignored."""
        nodes = self.devtools("Accessibility.getFullAXTree")["nodes"]
        return [node for node in nodes if not node.get("ignored")]

    def complaints(self) -> list[str]:
        """What stands in the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, path: Path) -> None:
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.devtools("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def printed(self, path: Path) -> None:
        data = self.devtools(
            "Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69, preferCSSPageSize=True
        )["data"]
        path.write_bytes(base64.b64decode(data))


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own; its absence is a failure in CI, whose script installs it."""
    missing = [program for program in ("chromium", "chromedriver") if shutil.which(program) is None]
    if missing:
        assert not os.environ.get("CI"), f"{missing} missing; .ci/run installs them"
        pytest.skip(f"{missing} not installed")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield Browser(driver, folder)
    finally:
        driver.quit()
