"""What flows are made with and name by an id: prompts and calendars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.ivr.model.calendars import Calendar


class Source(StrEnum):
    """Where a prompt's sound comes from."""

    NONE = "none"
    """There is none yet."""
    SPOKEN = "spoken"
    """The installed voice spoke the prompt's text."""
    RECORDED = "recorded"
    """Somebody brought it."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is heard of a prompt."""

    source: Source
    """Where it comes from."""
    sha256: str
    """Of the WAV's blob; empty: there is none."""
    duration_ms: int
    """How long it lasts."""


SILENT = Sound(Source.NONE, "", 0)
"""Of a prompt that was named and not yet spoken or recorded."""


@dataclass(frozen=True, slots=True)
class LibraryPrompt:
    """A sound that flows play by its id."""

    prompt_id: str
    """Unique in the tenant."""
    name: str
    """For people."""
    text: str
    """What is said."""
    language: str
    """A language tag, for the voice."""
    sound: Sound = SILENT
    """What is heard."""
    changed_at_ms: int = 0
    """UTC milliseconds."""
    used_by: tuple[str, ...] = ()
    """Flows whose published version names it."""


@dataclass(frozen=True, slots=True)
class Uses:
    """What a flow names of its tenant's library."""

    prompts: frozenset[str] = frozenset()
    """Ids of prompts."""
    calendars: frozenset[str] = frozenset()
    """Ids of calendars."""

    def __bool__(self) -> bool:
        """Whether it names anything."""
        return bool(self.prompts or self.calendars)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a flow needs of its tenant, as it is at one moment."""

    sounds: Mapping[str, Sound] = field(default_factory=dict)
    """By the prompt's id."""
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    """By id."""
    time_zone: str = "UTC"
    """The tenant's, for calendars without one."""
    may_record: bool = True
    """False: nothing of the tenant's is recorded, whatever its flows say."""
