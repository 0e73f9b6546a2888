"""Checked flows by their version, read once: versions never change."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator

from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks
from services.ivr.core import templates
from services.ivr.core.parsing import parse_flow, read_flow
from services.ivr.core.phrases import MINUTE_MS, agent_lost, delay, is_known, queue_message
from services.ivr.model.errors import BadFlow, Problem
from services.ivr.model.flow import Enqueue, Flow, Node, Prompt
from services.ivr.prompts import Prompts
from services.ivr.speech import NoSuchVoice, VoiceFailed
from services.ivr.store import FlowStore

log = get_logger("ivr.flows")

MAX_CACHED = 256
WARM_POSITIONS = 10
WARM_MINUTES = 5
PROBE = "One."
"""Spoken to learn whether there is a voice at all."""


class Flows:
    """The flows of all tenants, as calls need them."""

    def __init__(self, *, store: FlowStore, prompts: Prompts) -> None:
        self._store = store
        self._prompts = prompts
        self._cached: OrderedDict[tuple[TenantId, str, int], Flow] = OrderedDict()
        self._tasks = Tasks()

    def __len__(self) -> int:
        """Versions in memory."""
        return len(self._cached)

    async def pinned(self, tenant_id: TenantId, flow_id: str, version: int) -> Flow:
        """A version of a flow; NoSuchFlow, or BadFlow when it cannot be read."""
        key = (tenant_id, flow_id, version)
        if key in self._cached:
            self._cached.move_to_end(key)
            return self._cached[key]
        stored = await self._store.get_flow(tenant_id, flow_id, version)
        return await self._parsed(key, stored.definition_json)

    async def check(self, definition_json: str) -> Flow:
        """A flow that may meet callers, its voices included; BadFlow, or VoiceFailed."""
        flow = await asyncio.to_thread(parse_flow, definition_json)
        problems = []
        for (language, voice), node_id in _voices(flow).items():
            try:
                await self._prompts.blob(PROBE, language, voice)
            except NoSuchVoice:
                name = voice or language
                problems.append(Problem(node_id, NoSuchVoice.code, f"there is no voice `{name}`"))
        if problems:
            raise BadFlow(tuple(problems))
        return flow

    async def warm(self, flow: Flow, limit_s: float) -> None:
        """Speaks a flow's fixed texts, as many as there is time for; the rest in the background."""
        task = self._tasks.start(self._speak_all(flow), "warm prompts")
        await asyncio.wait((task,), timeout=limit_s)

    async def close(self) -> None:
        """Stops speaking in the background."""
        await self._tasks.close()

    async def _parsed(self, key: tuple[TenantId, str, int], definition_json: str) -> Flow:
        flow = await asyncio.to_thread(read_flow, definition_json)
        self._cached[key] = flow
        while len(self._cached) > MAX_CACHED:
            self._cached.popitem(last=False)
        return flow

    async def _speak_all(self, flow: Flow) -> None:
        spoken = 0
        for text, language in dict.fromkeys(_fixed_texts(flow)):
            try:
                await self._prompts.blob(text, language, voice_for(flow, language))
            except (NoSuchVoice, VoiceFailed) as error:
                # The call that needs it tries again, and has its default treatment.
                log.warning("prompt not spoken", flow=flow.name, reason=str(error))
                return
            spoken += 1
        log.info("prompts spoken", flow=flow.name, prompts=spoken)


def voice_for(flow: Flow, language: str) -> str:
    """The voice for a language: the flow's own speaks only the flow's language."""
    return flow.voice if language == flow.language else ""


def _voices(flow: Flow) -> dict[tuple[str, str], str]:
    """Every voice that a flow needs, and the first node that needs it."""
    needed: dict[tuple[str, str], str] = {(flow.language, flow.voice): ""}
    for node, prompt in _prompts_of(flow):
        language = prompt.language or flow.language
        needed.setdefault((language, voice_for(flow, language)), node.id)
    return needed


def _prompts_of(flow: Flow) -> Iterator[tuple[Node, Prompt]]:
    for node in flow.nodes:
        for prompt in node.prompts():
            if prompt.text:
                yield node, prompt


def _said_to_who_waits(flow: Flow) -> tuple[str, str]:
    return delay(flow.language), agent_lost(flow.language)


def _fixed_texts(flow: Flow) -> Iterator[tuple[str, str]]:
    """Texts without placeholders, then what most callers who wait will hear."""
    waits = False
    if any(isinstance(node, Enqueue) for node in flow.nodes):
        yield from ((text, flow.language) for text in _said_to_who_waits(flow) if text)
    for _, prompt in _prompts_of(flow):
        names = templates.names(prompt.text)
        waits = waits or "queue_message" in names
        if not names:
            yield templates.fill(prompt.text, {}), prompt.language or flow.language
    if waits and is_known(flow.language):
        for position in range(1, WARM_POSITIONS + 1):
            yield queue_message(flow.language, position, None), flow.language
            for minutes in range(1, WARM_MINUTES + 1):
                yield queue_message(flow.language, position, minutes * MINUTE_MS), flow.language
