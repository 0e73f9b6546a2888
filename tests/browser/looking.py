"""What is wrong with a page for those who can not see it, hear it or use a mouse."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

AXE = Path(__file__).parents[2] / "services/portal/web/node_modules/axe-core/axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

_RUN = """async (tags) => {
  const found = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  const where = (node) => `[${node.target.join(" ")}: ${node.any[0]?.message ?? ""}]`;
  return found.violations.map(
    (each) => `${each.id}: ${each.help} ${each.nodes.slice(0, 4).map(where).join(" ")}`,
  );
}"""


async def barriers(page: Page) -> list[str]:
    """Violations of WCAG 2.2 AA that axe finds, in words with the elements."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(AXE.read_text())
    found: list[str] = await page.evaluate(_RUN, list(TAGS))
    return found


async def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window: 0 when nobody must scroll sideways."""
    wider: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider
