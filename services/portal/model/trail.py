"""What people did, and answers kept for requests that come twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

OK = "ok"
"""The outcome of what was not refused."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did, or was refused."""

    audit_id: str
    """A UUIDv7: sorts by time."""
    at_ms: int
    """UTC milliseconds."""
    actor_id: str
    """Empty: nobody who could be known."""
    actor_name: str
    """What others see."""
    actor_kind: str
    """user, api-key or anonymous."""
    action: str
    """An RPC's full name, or a word like `sign-in`."""
    subject: str
    """What it was done to."""
    outcome: str
    """`ok`, or the code of the refusal."""
    address: str
    """Where from."""
    detail_json: str
    """What was asked for, without secrets; at most 4 KiB."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries are asked for, newest first."""

    from_ms: int = 0
    """Not older than this."""
    to_ms: int = 0
    """Older than this; 0: no end."""
    actor_id: str = ""
    """Only this one's; empty: everybody's."""
    action: str = ""
    """The beginning of an action's name."""
    refused: bool = False
    """True: only what was refused."""
    before: str = ""
    """The id of the last entry of the page before; empty: the newest."""
    size: int = 100
    """At most so many."""


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """What names a request that may come twice."""

    principal_id: str
    """Who asks: keys of two people never meet."""
    key: str
    """Their Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was, or will be, answered to a request."""

    request_hash: str
    """Of what was asked for."""
    reserved_at_ms: int
    """When it was first asked."""
    status: int = 0
    """HTTP status; 0: still being answered."""
    content_type: str = ""
    """Of the body."""
    body: bytes = field(default=b"", repr=False)
    """As it was sent."""


class ReplayState(StrEnum):
    """What is to be done with a request that names an Idempotency-Key."""

    NEW = "new"
    STORED = "stored"
    IN_PROGRESS = "in-progress"


@dataclass(frozen=True, slots=True)
class Replay:
    """Whether a request is new, answered already, or being answered."""

    state: ReplayState
    """NEW: do it, then call `remember` or `abandon`. STORED: send what follows."""
    status: int = 0
    """HTTP status of the stored answer."""
    content_type: str = ""
    """Of the body."""
    body: bytes = field(default=b"", repr=False)
    """As it was sent the first time."""
