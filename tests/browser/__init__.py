"""A person at a real browser: Chromium with a microphone that plays a tone of their own."""

from __future__ import annotations

from tests.browser.administrator import AdministratorPage
from tests.browser.agent import AgentPage
from tests.browser.person import Person, browsing
from tests.browser.problems import NotHeard, Troubled

__all__ = ["AdministratorPage", "AgentPage", "NotHeard", "Person", "Troubled", "browsing"]
