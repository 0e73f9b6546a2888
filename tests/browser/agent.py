"""An agent at the desk, doing what the page offers."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.person import PATIENCE_MS, Person

RING_MS = 20_000


class AgentPage:
    """The desk of somebody who is signed in at a page."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @property
    def page(self) -> Page:
        return self.person.page

    def button(self, name: str) -> Locator:
        """A button by its words."""
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def state_menu(self) -> Locator:
        """The agent's state at the head of every page, which opens the choice of others."""
        return self.page.get_by_role("button", name="My state: change it")

    async def check_devices(self) -> None:
        """Microphone, speaker and the way to the server; from then on calls ring here."""
        dialog = self.page.get_by_role("dialog", name="Check your devices")
        await dialog.get_by_role("button", name="Play the chime").click()
        await dialog.get_by_role("button", name="Yes, I heard it").click()
        done = dialog.get_by_role("button", name="Take calls in this tab")
        await expect(done).to_be_enabled(timeout=30_000)
        await done.click()
        await expect(dialog).to_be_hidden()

    async def go_ready(self, *, first: bool = True) -> None:
        """Says ready; the first time in a tab the devices are tried."""
        await self.open_desk()
        await self.button("Go ready").last.click()
        if first:
            await self.check_devices()
        await self.is_ready()

    async def is_ready(self) -> None:
        """The desk says that the next call rings here."""
        # Not the tour beside it, which says so, too.
        said = self.page.locator("#main").get_by_text("You are ready", exact=True)
        await expect(said).to_be_visible(timeout=20_000)

    async def open_desk(self) -> None:
        await self.person.open("/desk")

    async def rings(self) -> None:
        """A call rings here."""
        await expect(self.button("Accept")).to_be_visible(timeout=RING_MS)

    async def accept(self) -> None:
        """Takes the call that rings."""
        await self.rings()
        await self.button("Accept").click()
        await expect(self.button("Hold")).to_be_enabled()

    async def finish(self, *, about: str = "") -> None:
        """Ends the wrap-up."""
        if about:
            await self.page.get_by_label("What was it about?").fill(about)
        await self.button("Finish").click()

    async def take_break(self) -> None:
        """A short one, by the keyboard."""
        await self.page.keyboard.press("b")
        await self.until_state("Break")

    async def until_state(self, state: str, within_ms: int = PATIENCE_MS) -> None:
        """Until the page says this state at its head."""
        await expect(self.state_menu).to_contain_text(state, timeout=within_ms)
