"""What was sent and what is there at the end: calls of one agent, one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.cluster.conftest import Everyone
from tests.softphone import SoftPhone
from tests.stage.asking import eventually

AFTERWARDS_S = 90.0
"""Consumers look for a broker that was away again after a while, and find their places."""


@dataclass(slots=True)
class Ledger:
    """The calls that an agent's phone has taken, and what is to be known of them."""

    stage: Everyone
    desk: SoftPhone
    """Of the only agent; it takes calls by itself."""
    callers: list[str] = field(default_factory=list)
    """The numbers of those who talked, each of whom called once."""

    @property
    def calls(self) -> int:
        """How many there were."""
        return len(self.callers)

    async def serve(self, seconds: float = 0.0) -> int:
        """One caller after another, each of whom talks with the agent; how many they were.

        At least one, and further ones for so long.
        """
        until, before = time.monotonic() + seconds, self.calls
        while self.calls == before or time.monotonic() < until:
            caller = await self.stage.in_queue()
            leg = await self.desk.incoming(30)
            await leg.answered(5)
            caller.play_tone(440)
            leg.play_tone(660)
            await leg.hears_tone(440, 5)
            await caller.hears_tone(660, 5)
            await caller.hangup()
            self.talked()
        return self.calls - before

    def talked(self) -> None:
        """Whoever called last has talked with the agent."""
        self.callers.append(self.stage.phones[-1].user)

    async def is_whole(self) -> None:
        """Each call rang once, was counted once, is in its caller's history once, and has one
        recording without a gap."""
        calls = self.calls
        await self.stage.until_quiet(30)
        assert self.desk.calls_received == calls
        assert len(set(self.callers)) == calls
        await eventually(
            self._recordings, lambda now: now == ["complete"] * calls, AFTERWARDS_S, "recordings"
        )
        await eventually(
            self._answered, lambda now: now >= calls, AFTERWARDS_S, "the day's figures"
        )
        await self.stage.figures_agree(offered=calls, answered=calls)
        await eventually(
            self._histories,
            lambda now: now == [["answered"]] * calls,
            AFTERWARDS_S,
            "the callers' histories",
        )

    async def _recordings(self) -> list[str]:
        found = await self.stage.tenant.admin.get("/v1/recordings")
        return [each["state"] for each in found["recordings"]]

    async def _answered(self) -> float:
        return (await self.stage.figures())[0].get("answered", 0)

    async def _histories(self) -> list[list[str]]:
        """What became of each caller's contacts."""
        found = []
        for number in self.callers:
            told = await self.stage.tenant.admin.get(
                f"/v1/numbers/{quote(number, safe='')}/contacts"
            )
            found.append([each.get("outcome", "") for each in told.get("contacts", [])])
        return found
