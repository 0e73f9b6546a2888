"""What a page fetches before it can be used, and how long that takes, as the browser counts it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext

DESK_LIMIT = 250_000
"""The most bytes that the desk may begin with, compressed."""
LONGEST_S = 30.0

_READY = """(words) => { window.carillonUsable = new Promise((usable) => {
  const there = () =>
    [...document.querySelectorAll("#main button")].some((each) => each.textContent === words);
  const look = () => {
    if (!there()) return;
    watcher.disconnect();
    // Only what the page does with a click from here on counts as being of use.
    setTimeout(() => usable(performance.now()));
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { childList: true, subtree: true, characterData: true });
}); }"""
_FETCHED = """() => [
  ...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource"),
].map((each) => [new URL(each.name).pathname, each.startTime, each.encodedBodySize])"""
_KINDS = {"js": "scripts", "css": "styles", "svg": "pictures"}


@dataclass(frozen=True, slots=True)
class Load:
    """A page that was opened with nothing kept."""

    usable_ms: float
    """From the start of navigation until a click does something."""
    first: dict[str, int]
    """Bytes of what was asked for before that, by kind: compressed, as they came."""
    later: dict[str, int]
    """The same, of what was fetched after it."""

    @property
    def first_bytes(self) -> int:
        """Of the application's own files; what the API answers is the tenant's, not the page's."""
        return sum(size for kind, size in self.first.items() if kind != "answers of the API")


async def load(context: BrowserContext, address: str, button: str) -> Load:
    """Opens an address in a browser that has kept nothing but the session of `context`.

    `button` is what stands on the one button that says that the page can be used.
    """
    browser = context.browser
    assert browser is not None
    cold = await browser.new_context(
        storage_state=await context.storage_state(),
        viewport={"width": 1440, "height": 900},
        locale="en",
    )
    try:
        page = await cold.new_page()
        await page.add_init_script(f"({_READY})({button!r})")
        await page.goto(address, wait_until="commit")
        async with asyncio.timeout(LONGEST_S):
            usable_ms: float = await page.evaluate("window.carillonUsable")
        await page.wait_for_load_state("networkidle")
        return _load(usable_ms, await page.evaluate(_FETCHED))
    finally:
        await cold.close()


def _load(usable_ms: float, fetched: list[list[Any]]) -> Load:
    first: dict[str, int] = {}
    later: dict[str, int] = {}
    for path, at_ms, size in fetched:
        part = first if at_ms <= usable_ms else later
        part[_kind(path)] = part.get(_kind(path), 0) + int(size)
    return Load(usable_ms, first, later)


def _kind(path: str) -> str:
    if path.startswith("/v1/"):
        return "answers of the API"
    return _KINDS.get(path.rpartition(".")[2], "document")
