"""An administrator at the portal, who makes what calls need."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.person import Person


class AdministratorPage:
    """The pages of administration, at somebody who is signed in."""

    def __init__(self, person: Person) -> None:
        self.person = person

    @property
    def page(self) -> Page:
        return self.person.page

    def button(self, name: str) -> Locator:
        """A button by its words, wherever it stands first."""
        return self.page.get_by_role("button", name=name, exact=True).first

    async def open_form(self, path: str, button: str) -> Locator:
        """A page's form for something new."""
        await self.person.open(path)
        await self.button(button).click()
        form = self.page.get_by_role("dialog", name=button)
        await expect(form).to_be_visible()
        return form

    async def make_queue(self, name: str) -> None:
        form = await self.open_form("/admin/queues", "New queue")
        await form.get_by_role("textbox", name="Name", exact=True).fill(name)
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_be_hidden()

    async def make_agent(self, name: str, username: str, *, queue: str) -> str:
        """Somebody who takes calls of a queue; the password that was made up and is shown once."""
        form = await self.open_form("/admin/users", "New user")
        await form.get_by_role("textbox", name="Name", exact=True).fill(name)
        await form.get_by_label("User name").fill(username)
        await form.get_by_label("Agent").check()
        await form.get_by_role("combobox", name="Queues").click()
        await self.page.get_by_role("option", name=queue).click()
        await self.page.keyboard.press("Escape")
        await form.get_by_role("button", name="Make up a password").click()
        password = await form.get_by_role("textbox", name="Password").input_value()
        await form.get_by_role("button", name="Create").click()
        shown = self.page.get_by_role("dialog", name=f"{name} can sign in now")
        await expect(shown.get_by_text(password)).to_be_visible()
        await shown.get_by_role("button", name="I have kept it").click()
        return password

    async def make_number(self, number: str, *, flow: str) -> None:
        form = await self.open_form("/admin/numbers", "New number")
        await form.get_by_role("textbox", name="Number").fill(number)
        await form.get_by_role("combobox", name="Call flow").click()
        await self.page.get_by_role("option", name=flow).click()
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_be_hidden()

    async def make_flow(self, name: str, *, template: str) -> None:
        """A flow as one of the templates has it; its page is open afterwards."""
        form = await self.open_form("/admin/flows", "New flow")
        await form.get_by_role("textbox", name="Name", exact=True).fill(name)
        await form.get_by_role("radio", name=template).check()
        await form.get_by_role("button", name="Make the flow").click()
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    async def show(self, tab: str) -> None:
        """One of the tabs of a flow's page."""
        await self.page.get_by_role("tab", name=tab).click()

    async def write(self, text: str) -> None:
        """Replaces what stands in the editor."""
        await self.page.get_by_label("The flow as JSON").click()
        await self.page.keyboard.press("Control+a")
        await self.page.keyboard.insert_text(text)

    async def confirm(self, title: str, yes: str) -> None:
        """Says yes to a question."""
        asked = self.page.get_by_role("dialog", name=title)
        await asked.get_by_role("button", name=yes, exact=True).click()
        await expect(asked).to_be_hidden()
