"""What a doctor looks at, and what is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from grpc import aio

from services.chassis.database import Place as DatabasePlace


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong."""

    what: str
    """One sentence."""
    do: str
    """What to do about it, one sentence or two."""


class Backlog(Protocol):
    """Events that wait on the bus, in whichever world it is."""

    async def behind(self) -> Mapping[tuple[str, str], int]:
        """Events that are not done, by group and topic; BusUnavailable."""


class LockCanary(Protocol):
    """Tries whether a store's object lock is real, by trying to break one of its own."""

    async def broken(self) -> str:
        """How a locked object could be removed or its lock be shortened; empty: it could not."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is wrong."""

    max_behind: int = 5_000
    """Events of a group and topic that are not done, twice in a row."""
    max_skew_ms: int = 500
    """Between two clocks."""
    min_days: int = 21
    """That a certificate is still good for."""
    min_spool_bytes: int = 512 * 1024 * 1024
    """That a spool still has room for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the installation is; what is not named is not looked at."""

    sip: str = ""
    """`host:port` of the gateway or the edge, UDP."""
    number: str = ""
    """A number whose flow answers and plays something: the installation's test number."""
    services: Mapping[str, aio.Channel] = field(default_factory=dict)
    """The ways to the processes, by name."""
    database: DatabasePlace | None = None
    """The database, and the password of the role that asks."""
    login: str = "bus"
    """The schema whose role asks."""
    backlog: Backlog | None = None
    """The bus."""
    canary: LockCanary | None = None
    """The store of recordings, where they are to be unalterable."""
    metrics: tuple[str, ...] = ()
    """`http://host:port` of processes that show metrics."""
    tls: tuple[str, ...] = ()
    """`host:port` of what is served by TLS."""
    certificates: tuple[Path, ...] = ()
    """Files with certificates, in PEM."""
    faults: tuple[Finding, ...] = ()
    """What is wrong with the own certificate, so that no process can be asked by it."""
    limits: Limits = field(default_factory=Limits)
    """From where on something is wrong."""


Look = Callable[[Place], Awaitable[list[Finding] | None]]
"""Looks at one thing; None: the place does not name what it would look at."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at."""

    name: str
    """Stable, for programs: `sip`, `audio` ..."""
    title: str
    """For people."""
    look: Look
    """How."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a check."""

    check: Check
    """Which."""
    state: Literal["well", "ill", "not looked at"]
    """Whether something was found."""
    findings: tuple[Finding, ...]
    """What."""
    took_ms: int
    """For looking."""
