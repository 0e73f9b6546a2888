"""Checked flows by their version, read once: versions never change."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks
from services.ivr.core import templates
from services.ivr.core.joining import WITHOUT_SOUND, find_missing, joined
from services.ivr.core.parsing import parse_flow, read_flow
from services.ivr.core.phrases import MINUTE_MS, agent_lost, delay, is_known, queue_message
from services.ivr.model.errors import BadFlow, Problem
from services.ivr.model.flow import Enqueue, Flow, Node, Prompt
from services.ivr.prompts import Prompts
from services.ivr.shelves import Shelves
from services.ivr.speech import NoSuchVoice, VoiceFailed
from services.ivr.store import FlowStore

log = get_logger("ivr.flows")

Key = tuple[TenantId, str, int]
"""A version of a flow."""

IMAGINED = "0" * 64
"""Stands for a sound that there is not yet, where none is heard."""
MAX_CACHED = 256
WARM_POSITIONS = 10
WARM_MINUTES = 5
PROBE = "One."
"""Spoken to learn whether there is a voice at all."""


class Flows:
    """The flows of all tenants, as calls need them."""

    def __init__(self, *, store: FlowStore, prompts: Prompts, shelves: Shelves) -> None:
        self._store = store
        self._prompts = prompts
        self._shelves = shelves
        self._cached: OrderedDict[Key, Flow] = OrderedDict()
        self._joined: OrderedDict[Key, Flow] = OrderedDict()
        self._tasks = Tasks()

    def __len__(self) -> int:
        """Versions in memory."""
        return len(self._cached)

    async def pinned(self, tenant_id: TenantId, flow_id: str, version: int) -> Flow:
        """A version of a flow with what it names of the library now, as a call meets it.

        NoSuchFlow, or BadFlow when it cannot be read. While the library cannot be read, what was
        last found there counts.
        """
        key = (tenant_id, flow_id, version)
        flow = await self._read(key)
        try:
            shelf = await self._shelves.shelf(tenant_id, flow)
        except CarillonError as error:
            if key not in self._joined or error.kind is not Kind.UNAVAILABLE:
                raise
            log.warning("old library used", flow=flow_id, reason=repr(error))
            return self._joined[key]
        return _kept(self._joined, key, joined(flow, shelf))

    async def find_missing(self, tenant_id: TenantId, flow: Flow) -> tuple[Problem, ...]:
        """What the flow names and the tenant's library does not have."""
        return tuple(find_missing(flow, await self._shelves.shelf(tenant_id, flow)))

    async def imagined(self, tenant_id: TenantId, flow: Flow) -> tuple[Flow, Mapping[str, int]]:
        """The flow as an imagined call meets it, and how long its prompts last, by their ids.

        A prompt that has no sound yet may be played there. BadFlow when the library lacks others.
        """
        shelf = await self._shelves.shelf(tenant_id, flow)
        missing = tuple(
            problem for problem in find_missing(flow, shelf) if problem.code != WITHOUT_SOUND
        )
        if missing:
            raise BadFlow(missing)
        sounds = {
            name: replace(sound, sha256=sound.sha256 or IMAGINED)
            for name, sound in shelf.sounds.items()
        }
        durations = {name: sound.duration_ms for name, sound in sounds.items()}
        return joined(flow, replace(shelf, sounds=sounds)), durations

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

    async def _read(self, key: Key) -> Flow:
        if key in self._cached:
            self._cached.move_to_end(key)
            return self._cached[key]
        stored = await self._store.get_flow(*key)
        flow = await asyncio.to_thread(read_flow, stored.definition_json)
        return _kept(self._cached, key, flow)

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


def _kept(cache: OrderedDict[Key, Flow], key: Key, flow: Flow) -> Flow:
    cache[key] = flow
    cache.move_to_end(key)
    while len(cache) > MAX_CACHED:
        cache.popitem(last=False)
    return flow


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
