"""Where a tenant's prompts and calendars are kept: the port, and one in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar, Protocol

from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.ivr.model.calendars import Calendar
from services.ivr.model.library import LibraryPrompt, Sound, Uses

MAX_PROMPTS_PER_TENANT = 2_000
MAX_CALENDARS_PER_TENANT = 500


class NoSuchPrompt(CarillonError):
    """The library has no prompt of that id."""

    code: ClassVar[str] = "no-such-prompt"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class PromptInUse(CarillonError):
    """The published version of a flow names the prompt."""

    code: ClassVar[str] = "prompt-in-use"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class NoSuchCalendar(CarillonError):
    """The library has no calendar of that id."""

    code: ClassVar[str] = "no-such-calendar"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class CalendarInUse(CarillonError):
    """The published version of a flow names the calendar."""

    code: ClassVar[str] = "calendar-in-use"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class LibraryFull(CarillonError):
    """The tenant has all the prompts, or calendars, that it can have."""

    code: ClassVar[str] = "library-full"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class LibraryStore(Protocol):
    """Prompts and calendars. Every method sees one tenant alone."""

    async def put_prompt(
        self, tenant_id: TenantId, prompt: LibraryPrompt, now_ms: int
    ) -> LibraryPrompt:
        """Keeps a prompt's name, text and language; its sound stays. LibraryFull."""

    async def put_sound(
        self, tenant_id: TenantId, prompt_id: str, sound: Sound, now_ms: int
    ) -> LibraryPrompt:
        """Gives a prompt a sound; NoSuchPrompt."""

    async def get_prompt(self, tenant_id: TenantId, prompt_id: str) -> LibraryPrompt:
        """One prompt; NoSuchPrompt."""

    async def list_prompts(
        self, tenant_id: TenantId, search: str, after: str, size: int
    ) -> list[LibraryPrompt]:
        """Prompts by id after `after` whose id, name or text holds `search`, in any case."""

    async def remove_prompt(self, tenant_id: TenantId, prompt_id: str) -> None:
        """Forgets a prompt; NoSuchPrompt, PromptInUse."""

    async def sounds(self, tenant_id: TenantId, prompt_ids: Iterable[str]) -> dict[str, Sound]:
        """The sounds of those prompts that there are."""

    async def put_calendar(self, tenant_id: TenantId, calendar: Calendar, now_ms: int) -> Calendar:
        """Keeps a calendar; LibraryFull."""

    async def list_calendars(self, tenant_id: TenantId, after: str, size: int) -> list[Calendar]:
        """Calendars by id after `after`."""

    async def remove_calendar(self, tenant_id: TenantId, calendar_id: str) -> None:
        """Forgets a calendar; NoSuchCalendar, CalendarInUse."""

    async def calendars(
        self, tenant_id: TenantId, calendar_ids: Iterable[str]
    ) -> dict[str, Calendar]:
        """Those of the calendars that there are."""


class MemoryLibraryStore:
    """A library for tests and simulation: gone with the process."""

    def __init__(self) -> None:
        self._prompts: dict[tuple[TenantId, str], LibraryPrompt] = {}
        self._calendars: dict[tuple[TenantId, str], Calendar] = {}
        self._uses: dict[tuple[TenantId, str], Uses] = {}

    def use(self, tenant_id: TenantId, flow_id: str, uses: Uses) -> None:
        """Notes what a flow's published version names; NoSuchPrompt, NoSuchCalendar."""
        for prompt_id in sorted(uses.prompts):
            self._prompt(tenant_id, prompt_id)
        for calendar_id in sorted(uses.calendars):
            if (tenant_id, calendar_id) not in self._calendars:
                raise NoSuchCalendar(calendar_id)
        self._uses[tenant_id, flow_id] = uses

    async def put_prompt(
        self, tenant_id: TenantId, prompt: LibraryPrompt, now_ms: int
    ) -> LibraryPrompt:
        """See `LibraryStore.put_prompt`."""
        key = (tenant_id, prompt.prompt_id)
        known = self._prompts.get(key)
        if known is None and _count(self._prompts, tenant_id) >= MAX_PROMPTS_PER_TENANT:
            raise LibraryFull(f"{MAX_PROMPTS_PER_TENANT} prompts")
        sound = prompt.sound if known is None else known.sound
        self._prompts[key] = replace(prompt, sound=sound, changed_at_ms=now_ms, used_by=())
        return self._prompt(*key)

    async def put_sound(
        self, tenant_id: TenantId, prompt_id: str, sound: Sound, now_ms: int
    ) -> LibraryPrompt:
        """See `LibraryStore.put_sound`."""
        known = self._prompt(tenant_id, prompt_id)
        changed = replace(known, sound=sound, changed_at_ms=now_ms)
        self._prompts[tenant_id, prompt_id] = changed
        return changed

    async def get_prompt(self, tenant_id: TenantId, prompt_id: str) -> LibraryPrompt:
        """See `LibraryStore.get_prompt`."""
        return self._prompt(tenant_id, prompt_id)

    async def list_prompts(
        self, tenant_id: TenantId, search: str, after: str, size: int
    ) -> list[LibraryPrompt]:
        """See `LibraryStore.list_prompts`."""
        wanted = search.lower()
        return [
            self._prompt(tenant_id, prompt_id)
            for (owner, prompt_id), prompt in sorted(self._prompts.items())
            if owner == tenant_id
            and prompt_id > after
            and any(wanted in text.lower() for text in (prompt_id, prompt.name, prompt.text))
        ][:size]

    async def remove_prompt(self, tenant_id: TenantId, prompt_id: str) -> None:
        """See `LibraryStore.remove_prompt`."""
        if used_by := self._prompt(tenant_id, prompt_id).used_by:
            raise PromptInUse(named_by(prompt_id, used_by))
        del self._prompts[tenant_id, prompt_id]

    async def sounds(self, tenant_id: TenantId, prompt_ids: Iterable[str]) -> dict[str, Sound]:
        """See `LibraryStore.sounds`."""
        known = {prompt_id: self._prompts.get((tenant_id, prompt_id)) for prompt_id in prompt_ids}
        return {name: prompt.sound for name, prompt in known.items() if prompt is not None}

    async def put_calendar(self, tenant_id: TenantId, calendar: Calendar, now_ms: int) -> Calendar:
        """See `LibraryStore.put_calendar`."""
        del now_ms  # nobody asks a memory when
        key = (tenant_id, calendar.calendar_id)
        full = _count(self._calendars, tenant_id) >= MAX_CALENDARS_PER_TENANT
        if full and key not in self._calendars:
            raise LibraryFull(f"{MAX_CALENDARS_PER_TENANT} calendars")
        self._calendars[key] = replace(calendar, used_by=())
        return self._calendar(*key)

    async def list_calendars(self, tenant_id: TenantId, after: str, size: int) -> list[Calendar]:
        """See `LibraryStore.list_calendars`."""
        return [
            self._calendar(owner, calendar_id)
            for owner, calendar_id in sorted(self._calendars)
            if owner == tenant_id and calendar_id > after
        ][:size]

    async def remove_calendar(self, tenant_id: TenantId, calendar_id: str) -> None:
        """See `LibraryStore.remove_calendar`."""
        if used_by := self._calendar(tenant_id, calendar_id).used_by:
            raise CalendarInUse(named_by(calendar_id, used_by))
        del self._calendars[tenant_id, calendar_id]

    async def calendars(
        self, tenant_id: TenantId, calendar_ids: Iterable[str]
    ) -> dict[str, Calendar]:
        """See `LibraryStore.calendars`."""
        known = {name: self._calendars.get((tenant_id, name)) for name in calendar_ids}
        return {name: calendar for name, calendar in known.items() if calendar is not None}

    def _prompt(self, tenant_id: TenantId, prompt_id: str) -> LibraryPrompt:
        known = self._prompts.get((tenant_id, prompt_id))
        if known is None:
            raise NoSuchPrompt(prompt_id)
        users = (
            flow_id
            for (owner, flow_id), uses in self._uses.items()
            if owner == tenant_id and prompt_id in uses.prompts
        )
        return replace(known, used_by=tuple(sorted(users)))

    def _calendar(self, tenant_id: TenantId, calendar_id: str) -> Calendar:
        known = self._calendars.get((tenant_id, calendar_id))
        if known is None:
            raise NoSuchCalendar(calendar_id)
        users = (
            flow_id
            for (owner, flow_id), uses in self._uses.items()
            if owner == tenant_id and calendar_id in uses.calendars
        )
        return replace(known, used_by=tuple(sorted(users)))


def named_by(name: str, flow_ids: Iterable[str]) -> str:
    """Why something is in use, in words."""
    return f"{name} is named by {', '.join(sorted(flow_ids)[:5])}"


def _count(kept: Iterable[tuple[TenantId, str]], tenant_id: TenantId) -> int:
    return sum(owner == tenant_id for owner, _ in kept)
