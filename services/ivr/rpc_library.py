"""The face towards administrators: prompts and calendars."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, ClassVar

from grpc import aio

from protos.common.v1 import common_pb2
from protos.ivr.v1 import library_pb2, library_pb2_grpc
from services.chassis.blobs import Blobs
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.paging import page_size
from services.chassis.rpc import Face, tenant_id
from services.ivr import sound
from services.ivr.core.languages import COMMON, voices_for
from services.ivr.core.opening import named_holidays
from services.ivr.destinations import Destinations
from services.ivr.flows import PROBE
from services.ivr.model.library import Sound, Source
from services.ivr.prompts import Prompts
from services.ivr.sound import MAX_WAV_BYTES, TooLong
from services.ivr.speech import NoSuchVoice
from services.ivr.store_library import LibraryStore
from services.ivr.tenants import Tenants
from services.ivr.wire_library import (
    calendar_message,
    calendar_of,
    holiday_messages,
    prompt_message,
    prompt_of,
)

log = get_logger("ivr.library")

READ_BYTES = 256 * 1024
"""Of a sound, in one message."""
UPLOAD_LIMIT_S = 60.0
DEFAULT_LANGUAGE = "en"
MIN_YEAR, MAX_YEAR = 1990, 2100
_COUNTRY = re.compile(r"[A-Za-z]{2}")

Context = aio.ServicerContext[Any, Any]


class NoVoice(CarillonError):
    """The installed voice does not speak the prompt's language."""

    code: ClassVar[str] = "no-voice"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class NothingToSay(CarillonError):
    """The prompt has no text."""

    code: ClassVar[str] = "nothing-to-say"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class NoSound(CarillonError):
    """The prompt was neither spoken nor recorded yet."""

    code: ClassVar[str] = "prompt-without-sound"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class BadUpload(CarillonError):
    """A sound that is brought names its prompt first, and comes within a minute."""

    code: ClassVar[str] = "bad-upload"
    kind: ClassVar[Kind] = Kind.INVALID


class UnknownCountry(CarillonError):
    """Nobody knows the holidays of that country or year."""

    code: ClassVar[str] = "unknown-country"
    kind: ClassVar[Kind] = Kind.INVALID


class Library(library_pb2_grpc.LibraryServicer):
    """The servicer of carillon.ivr.v1.Library."""

    def __init__(
        self,
        *,
        store: LibraryStore,
        blobs: Blobs,
        prompts: Prompts,
        tenants: Tenants,
        destinations: Destinations,
        clock: Clock,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._prompts = prompts
        self._tenants = tenants
        self._destinations = destinations
        self._clock = clock
        # A long sound takes some 100 ms of a processor and 100 MB: one after another.
        self._converting = asyncio.Semaphore(1)

    # ---- prompts ----

    async def PutPrompt(
        self, request: library_pb2.PutPromptRequest, _context: Context
    ) -> library_pb2.LibraryPrompt:
        """Creates a prompt or changes its words."""
        prompt = prompt_of(request.prompt)
        stored = await self._store.put_prompt(tenant_id(), prompt, self._clock.now_ms())
        return prompt_message(stored)

    async def GetPrompt(
        self, request: library_pb2.PromptRequest, _context: Context
    ) -> library_pb2.LibraryPrompt:
        """One prompt."""
        return prompt_message(await self._store.get_prompt(tenant_id(), _plain(request.prompt_id)))

    async def ListPrompts(
        self, request: library_pb2.ListPromptsRequest, _context: Context
    ) -> library_pb2.ListPromptsResponse:
        """Prompts by id, those that hold what is searched for."""
        size = page_size(request.page)
        rows = await self._store.list_prompts(
            tenant_id(), _plain(request.search), _plain(request.page.token), size + 1
        )
        token = rows[size - 1].prompt_id if len(rows) > size else ""
        return library_pb2.ListPromptsResponse(
            prompts=[prompt_message(row) for row in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )

    async def RemovePrompt(
        self, request: library_pb2.PromptRequest, _context: Context
    ) -> library_pb2.RemovePromptResponse:
        """Forgets a prompt that no published flow names."""
        await self._store.remove_prompt(tenant_id(), _plain(request.prompt_id))
        return library_pb2.RemovePromptResponse()

    async def SynthesisePrompt(
        self, request: library_pb2.SynthesisePromptRequest, _context: Context
    ) -> library_pb2.LibraryPrompt:
        """Speaks the prompt's text and keeps that as its sound."""
        prompt = await self._store.get_prompt(tenant_id(), _plain(request.prompt_id))
        if not prompt.text.strip():
            raise NothingToSay(f"{prompt.prompt_id} has no text")
        sha256 = await self._spoken(prompt.text, prompt.language or DEFAULT_LANGUAGE)
        spoken = await self._blobs.get(sha256)
        return await self._keep(prompt.prompt_id, Source.SPOKEN, sha256, len(spoken))

    async def ListVoices(
        self, _request: library_pb2.ListVoicesRequest, _context: Context
    ) -> library_pb2.ListVoicesResponse:
        """The commonest languages that a voice speaks; VoiceFailed."""
        tenant_id()
        # Each speaks once in an installation's life; what it said is in the index from then on.
        found = [language for language in COMMON if await self._can_speak(language)]
        return library_pb2.ListVoicesResponse(languages=found)

    async def PutPromptAudio(
        self,
        requests: AsyncIterator[library_pb2.PutPromptAudioRequest],
        _context: Context,
    ) -> library_pb2.LibraryPrompt:
        """Keeps a WAV as the prompt's sound, in the telephone's form."""
        try:
            async with asyncio.timeout(UPLOAD_LIMIT_S):
                prompt_id, data = await self._brought(requests)
        except TimeoutError:
            raise BadUpload(f"the sound took longer than {UPLOAD_LIMIT_S:.0f} s") from None
        async with self._converting:
            made = await asyncio.to_thread(sound.for_telephone, data)
        return await self._keep(prompt_id, Source.RECORDED, await self._blobs.put(made), len(made))

    async def ReadPromptAudio(
        self, request: library_pb2.PromptRequest, _context: Context
    ) -> AsyncIterator[library_pb2.PromptAudio]:
        """The prompt's sound, a WAV."""
        prompt = await self._store.get_prompt(tenant_id(), _plain(request.prompt_id))
        if not prompt.sound.sha256:
            raise NoSound(f"{prompt.prompt_id} has no sound yet")
        data = await self._blobs.get(prompt.sound.sha256)
        for at in range(0, len(data), READ_BYTES):
            yield library_pb2.PromptAudio(data=data[at : at + READ_BYTES], total_bytes=len(data))

    async def _spoken(self, text: str, language: str) -> str:
        for voice in voices_for(language):
            try:
                return await self._prompts.blob(text, voice)
            except NoSuchVoice:
                continue
        raise NoVoice(f"the installed voice does not speak `{language}`; record the prompt instead")

    async def _can_speak(self, language: str) -> bool:
        try:
            await self._spoken(PROBE, language)
        except NoVoice:
            return False
        return True

    async def _brought(
        self, requests: AsyncIterator[library_pb2.PutPromptAudioRequest]
    ) -> tuple[str, bytes]:
        prompt_id, data = "", bytearray()
        async for request in requests:
            if not prompt_id:
                prompt_id = request.prompt_id
                # Before its sound is waited for: whoever has no such prompt need not send it.
                await self._store.get_prompt(tenant_id(), _plain(prompt_id))
            data += request.data
            if len(data) > MAX_WAV_BYTES:
                raise TooLong(f"more than {MAX_WAV_BYTES} bytes")
        if not prompt_id:
            raise BadUpload("the first message names the prompt")
        return prompt_id, bytes(data)

    async def _keep(
        self, prompt_id: str, source: Source, sha256: str, wav_bytes: int
    ) -> library_pb2.LibraryPrompt:
        tenant = tenant_id()
        kept = Sound(source, sha256, sound.duration_ms(wav_bytes))
        stored = await self._store.put_sound(tenant, prompt_id, kept, self._clock.now_ms())
        self._destinations.library_changed(tenant)
        log.info("prompt sounds", tenant=tenant, prompt=prompt_id, source=source.value)
        return prompt_message(stored)

    # ---- calendars ----

    async def PutCalendar(
        self, request: library_pb2.PutCalendarRequest, _context: Context
    ) -> library_pb2.Calendar:
        """Creates a calendar or replaces it."""
        tenant = tenant_id()
        now_ms = self._clock.now_ms()
        calendar = calendar_of(request.calendar)
        stored = await self._store.put_calendar(tenant, calendar, now_ms)
        self._destinations.library_changed(tenant)
        zone = (await self._tenants.terms(tenant)).time_zone
        return await asyncio.to_thread(calendar_message, stored, zone=zone, now_ms=now_ms)

    async def ListCalendars(
        self, request: library_pb2.ListCalendarsRequest, _context: Context
    ) -> library_pb2.ListCalendarsResponse:
        """Calendars by id, and how they stand."""
        tenant, size, now_ms = tenant_id(), page_size(request.page), self._clock.now_ms()
        rows = await self._store.list_calendars(tenant, _plain(request.page.token), size + 1)
        token = rows[size - 1].calendar_id if len(rows) > size else ""
        zone = (await self._tenants.terms(tenant)).time_zone

        # What many special days make of "when does that change" may take long.
        def messages() -> list[library_pb2.Calendar]:
            return [calendar_message(row, zone=zone, now_ms=now_ms) for row in rows[:size]]

        return library_pb2.ListCalendarsResponse(
            calendars=await asyncio.to_thread(messages),
            page=common_pb2.PageResponse(next_token=token),
        )

    async def RemoveCalendar(
        self, request: library_pb2.RemoveCalendarRequest, _context: Context
    ) -> library_pb2.RemoveCalendarResponse:
        """Forgets a calendar that no published flow names."""
        await self._store.remove_calendar(tenant_id(), _plain(request.calendar_id))
        return library_pb2.RemoveCalendarResponse()

    async def SuggestHolidays(
        self, request: library_pb2.SuggestHolidaysRequest, _context: Context
    ) -> library_pb2.SuggestHolidaysResponse:
        """The public holidays of a country in a year; of this year, when none is named."""
        tenant_id()
        this_year = datetime.fromtimestamp(self._clock.now_ms() / 1_000, tz=UTC).year
        year = request.year or this_year
        if not MIN_YEAR <= year <= MAX_YEAR:
            raise UnknownCountry(f"holidays are known from {MIN_YEAR} to {MAX_YEAR}")
        if not _COUNTRY.fullmatch(request.country):
            raise UnknownCountry("a country is two letters, for example `RO`")
        try:
            days = await asyncio.to_thread(named_holidays, request.country.upper(), year)
        except NotImplementedError:
            raise UnknownCountry(f"no holidays are known for {request.country}") from None
        return library_pb2.SuggestHolidaysResponse(days=holiday_messages(days))


def face(servicer: Library) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: library_pb2_grpc.add_LibraryServicer_to_server(servicer, server),
        name=library_pb2.DESCRIPTOR.services_by_name["Library"].full_name,
    )


def _plain(text: str) -> str:
    """What somebody asked for: nothing that is kept has a NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
