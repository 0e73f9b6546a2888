"""An agent at a headless browser: what a person does at the desk, step by step."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.agent.peer import LOOPBACK, Peer
from tests.agent.portal import Feed, Session, feed_of, signed_in


class Desk:
    """One agent, signed in, with the feed open; audio comes to `host`."""

    def __init__(
        self, session: Session, feed: Feed, stack: AsyncExitStack, host: str = LOOPBACK
    ) -> None:
        self.session = session
        self.feed = feed
        self._stack = stack
        self._host = host
        self.peer: Peer | None = None
        self.figures: dict[str, float] = {}
        """What was measured, in milliseconds."""

    @property
    def state(self) -> str:
        return str((self.feed.desk.get("agent") or {}).get("state", ""))

    async def presence(self, presence: str, reason: str = "") -> None:
        """Says what the agent intends."""
        await self.session.post("/v1/desk:presence", {"presence": presence, "reason": reason})

    async def ready(self, within_s: float = 10) -> None:
        """Goes ready, and is routable."""
        await self.presence("ready")
        await self.feed.until(
            "routable", lambda d: bool((d.get("agent") or {}).get("routable")), within_s
        )

    async def becomes(self, state: str, within_s: float = 10) -> None:
        """Until the agent is in a state."""
        await self.feed.until(
            f"state {state}", lambda d: (d.get("agent") or {}).get("state") == state, within_s
        )

    async def rings(self, within_s: float = 10) -> dict[str, Any]:
        """Until a contact is held for this agent: what the screen shows of it."""
        await self.feed.until("a ring", lambda d: bool(_ringing(d)), within_s)
        return _ringing(self.feed.desk)[0]

    async def confirm(self, work: dict[str, Any]) -> None:
        """The browser rings."""
        await self._do(work, "ringing")

    async def connect(self, work: dict[str, Any], within_s: float = 10) -> Peer:
        """Connects the browser's audio; once more for another connection of the same contact."""
        peer = await self._stack.enter_async_context(Peer(host=self._host))
        sdp_offer = await peer.offer()
        said = await self.session.post(_path(work, "connect"), {"sdp_offer": sdp_offer})
        await peer.accept_answer(said["sdp_answer"])
        await peer.connected(within_s)
        self.peer = peer
        return peer

    async def accept(self, work: dict[str, Any], within_s: float = 5) -> None:
        """Takes the contact, and measures until something is heard of the caller."""
        assert self.peer is not None
        began = time.perf_counter()
        await self._do(work, "accept")
        await self.feed.until("talking", lambda d: d["agent"]["state"] == "talking", within_s)
        self.figures["accept_to_talking_ms"] = (time.perf_counter() - began) * 1_000

    async def reject(self, work: dict[str, Any]) -> None:
        await self._do(work, "reject")

    async def hold(self, work: dict[str, Any]) -> None:
        await self._do(work, "hold")

    async def unhold(self, work: dict[str, Any]) -> None:
        await self._do(work, "unhold")

    async def mute(self, work: dict[str, Any]) -> None:
        await self._do(work, "mute")

    async def unmute(self, work: dict[str, Any]) -> None:
        await self._do(work, "unmute")

    async def pause_recording(self, work: dict[str, Any], reason: str) -> None:
        await self.session.post(_path(work, "pause-recording"), {"reason": reason})

    async def resume_recording(self, work: dict[str, Any]) -> None:
        await self._do(work, "resume-recording")

    async def hang_up(self, work: dict[str, Any]) -> None:
        await self._do(work, "hang-up")

    async def transfer(self, work: dict[str, Any], reason: str, **target: str) -> None:
        """Hands the caller on: `queue_id`, `agent_id` or `number`."""
        await self.session.post(_path(work, "transfer"), {"reason": reason, **target})

    async def keys(self, work: dict[str, Any], digits: str) -> None:
        """Presses keys for the other side."""
        await self.session.post(_path(work, "send-digits"), {"digits": digits})

    async def disposition(self, work: dict[str, Any], code: str) -> None:
        await self.session.post(_path(work, "disposition"), {"code": code})

    async def finish(self, work: dict[str, Any], code: str = "") -> None:
        """Ends wrap-up."""
        await self.session.post(_path(work, "finish"), {"code": code})

    async def _do(self, work: dict[str, Any], what: str) -> None:
        await self.session.post(_path(work, what))


@asynccontextmanager
async def desk_of(
    address: str,
    *,
    tenant: str,
    username: str,
    password: str,
    device_check: str = "passed",
    trust: ssl.SSLContext | None = None,
    host: str = LOOPBACK,
) -> AsyncIterator[Desk]:
    """Signs an agent in and opens the desk; `host` is the browser's own address."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            signed_in(address, tenant=tenant, username=username, password=password, trust=trust)
        )
        feed = await stack.enter_async_context(
            feed_of(session, address, device_check=device_check, trust=trust)
        )
        await feed.until("the desk", bool, 10)
        yield Desk(session, feed, stack, host)


def _ringing(desk: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        work
        for work in desk.get("work", [])
        if work["reservation"]["stage"] in ("reserved", "ringing")
    ]


def _path(work: dict[str, Any], what: str) -> str:
    return f"/v1/desk/reservations/{work['reservation']['reservation_id']}:{what}"
