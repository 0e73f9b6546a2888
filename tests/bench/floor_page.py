"""A floor of many agents who change all the time, and what a supervisor's page makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Page

from protos.acd.v1 import acd_pb2, config_pb2
from services.chassis.rpc import metadata
from services.chassis.tasks import Tasks
from tests.e2e.whole import Whole

LINES = tuple(f"line-{number}" for number in range(1, 7))
BATCHES = 10
"""Changes are asked for so often a second, each time a part of the agents."""
FRAMES = """(seconds) => new Promise((done) => {
  const frames = []; const start = performance.now(); let last = start;
  const draw = (at) => {
    frames.push(at - last); last = at;
    if (at - start < seconds * 1000) requestAnimationFrame(draw); else done(frames.slice(1));
  };
  requestAnimationFrame(draw);
})"""
HEAR = """(() => {
  // Counted, not read: what is measured must not cost what it measures.
  window.carillonHeard = { agents: 0, at: 0, all: [], socket: null };
  const Original = window.WebSocket;
  window.WebSocket = class extends Original {
    constructor(...given) {
      super(...given);
      window.carillonHeard.socket = this;
      this.addEventListener("message", ({ data }) => {
        if (data.includes('"agents":[')) window.carillonHeard.all = JSON.parse(data).agents;
        if (!data.includes('"agents_changed"')) return;
        window.carillonHeard.agents += data.split('"presence":').length - 1;
        window.carillonHeard.at = performance.timeOrigin + performance.now();
      });
    }
  };
})()"""
REPLAY = """([batches, seconds]) => {
  // What the feed would tell, if all of the machine were the page's.
  const { socket, all } = window.carillonHeard;
  const size = Math.ceil(all.length / batches);
  let turn = 0;
  const tell = () => {
    const place = (turn % batches) * size;
    const presence = Math.floor(turn / batches) % 2 ? "ready" : "break";
    const changed = all.slice(place, place + size).map((agent) => (
      { ...agent, presence, reason: "", presence_since_ms: String(Date.now()) }));
    const data = JSON.stringify({ type: "change", agents_changed: changed });
    socket.dispatchEvent(new MessageEvent("message", { data }));
    turn += 1;
  };
  const ticking = setInterval(tell, 1000 / batches);
  setTimeout(() => clearInterval(ticking), seconds * 1000);
}"""
SEE = """(wanted) => new Promise((done) => {
  const board = document.getElementById("agents");
  const state = () => board.querySelector("[data-place='0'] [role=cell]:nth-child(3)");
  const look = () => {
    if (!state()?.textContent.startsWith(wanted)) return false;
    watcher.disconnect();
    done([performance.timeOrigin + performance.now(), window.carillonHeard.at]);
    return true;
  };
  const watcher = new MutationObserver(look);
  if (!look()) watcher.observe(board, { childList: true, subtree: true, characterData: true });
})"""


@dataclass(frozen=True, slots=True)
class Frames:
    """What a browser drew."""

    per_s: float
    slow_share: float
    """Of all frames, those that took longer than a fiftieth of a second."""
    longest_ms: float


async def frames(page: Page, seconds: float) -> Frames:
    """Watches a page draw."""
    lengths: list[float] = await page.evaluate(FRAMES, seconds)
    # A frame at 60 a second has 16.7 ms, and a clock of its own: a fiftieth with half a ms to it.
    slow = sum(length > 20.5 for length in lengths)
    return Frames(
        per_s=len(lengths) / sum(lengths) * 1_000,
        slow_share=slow / len(lengths),
        longest_ms=max(lengths),
    )


async def replay(page: Page, seconds: float) -> None:
    """Tells the page meanwhile that everybody it knows changes once a second."""
    await page.evaluate(REPLAY, [BATCHES, seconds])


class Crowd:
    """Agents who have no more than their states."""

    def __init__(self, stage: Whole, count: int) -> None:
        self._tenant = stage.tenant
        self._acd = stage.carillon.acd
        self._metadata = metadata(tenant_id=stage.tenant.tenant_id)
        self._ids = [f"crowd-{number:03}" for number in range(count)]
        self._turns = 0
        self.asked = 0
        """Changes so far."""

    async def come(self) -> None:
        """Everybody is put there, reachable, and at work, in queues that nobody calls."""
        for queue in LINES:
            await self._tenant.put_queue(queue)
        for start in range(0, len(self._ids), 50):
            await asyncio.gather(*(self._hire(each) for each in self._ids[start : start + 50]))

    async def _hire(self, agent_id: str) -> None:
        config = config_pb2.AgentConfig(
            agent_id=agent_id,
            name=agent_id.replace("crowd-", "Person "),
            endpoint=f"sip:{agent_id}@127.0.0.1:9",
            queues=[config_pb2.QueueMembership(queue_id=queue) for queue in LINES[::2]],
        )
        await self._acd.PutAgent(acd_pb2.PutAgentRequest(agent=config), metadata=self._metadata)
        link = acd_pb2.ReportLinkRequest(agent_id=agent_id, link="reachable")
        await self._acd.ReportLink(link, metadata=self._metadata)
        await self._be(agent_id, "ready")

    async def _be(self, agent_id: str, presence: str, reason: str = "") -> None:
        request = acd_pb2.SetPresenceRequest(
            agent_id=agent_id, presence=presence, reason=reason, by="bench"
        )
        await self._acd.SetPresence(request, metadata=self._metadata)
        self.asked += 1

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Everybody changes their state once a second, spread over it, meanwhile."""
        tasks = Tasks()
        tasks.start(self._change(), "crowd")
        try:
            yield
        finally:
            await tasks.close()

    async def _change(self) -> None:
        size = len(self._ids) // BATCHES
        due_s = time.monotonic()
        while True:
            place = self._turns % BATCHES * size
            away = self._turns // BATCHES % 2 == 0
            state = ("break", "lunch") if away else ("ready", "")
            ids = self._ids[place : place + size]
            await asyncio.gather(*(self._be(each, *state) for each in ids))
            self._turns += 1
            # Whoever is late does not hurry afterwards: the rate that came about is printed.
            due_s = max(due_s + 1 / BATCHES, time.monotonic() - 1 / BATCHES)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
