"""What is asked of an installation, what its parts carry, and what it then needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from services.chassis.errors import CarillonError, Kind

MAX_CALLS: Final = 1_000_000
MAX_AGENTS: Final = 1_000_000
MAX_DAYS: Final = 36_500
MAX_MINUTES: Final = 1_440.0
MAX_CORES: Final = 64
MAX_SPARE: Final = 10


class BadDemand(CarillonError):
    """What was asked makes no sense; the text names what and why."""

    code: ClassVar[str] = "bad-demand"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Demand:
    """What an installation is to carry in its busiest minutes."""

    calls: int
    """At once: those that wait or hear menus, too."""
    agents: int
    """Signed in at once."""
    recorded: float = 1.0
    """The share of conversations that are recorded, 0 to 1."""
    browsers: float = 1.0
    """The share of agents who speak by their browser; the others have a SIP phone."""
    waiting: float = 0.2
    """The least share of calls that talk with nobody: in menus and queues."""
    minutes: float = 4.0
    """That a call takes in the mean, from the first INVITE to its end."""
    hours: float = 8.0
    """A day's calls in hours of this load: what storage is counted by."""
    days: int = 90
    """That recordings, and the rows about calls, are kept."""
    largest: float = 1.0
    """The share of the largest tenant in all calls: one process decides for one tenant."""
    spare: int = 1
    """Nodes for gateways, and replicas of each service, that may be away without loss."""
    cores: int = 4
    """That audio may have on a node: one gateway process each."""
    speed: float = 1.0
    """Of these cores, against the measured machine's: 2.0 is twice as fast."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense: BadDemand."""
        for name, least, most in (
            ("calls", 1, MAX_CALLS),
            ("agents", 1, MAX_AGENTS),
            ("recorded", 0, 1),
            ("browsers", 0, 1),
            ("waiting", 0, 1),
            ("hours", 0, 24),
            ("days", 0, MAX_DAYS),
            ("minutes", 0.1, MAX_MINUTES),
            ("largest", 0.001, 1),
            ("spare", 0, MAX_SPARE),
            ("cores", 1, MAX_CORES),
            ("speed", 0.1, 100),
        ):
            given = getattr(self, name)
            if not least <= given <= most:  # a NaN is in no range either
                raise BadDemand(f"{name}: {given:g} is not between {least:g} and {most:g}")

    @property
    def talking(self) -> int:
        """Calls at once in which a caller and an agent talk: never more than agents."""
        return min(self.agents, round(self.calls * (1 - self.waiting)))

    @property
    def calls_per_s(self) -> float:
        """Calls that begin, and end, in a second."""
        return self.calls / (60 * self.minutes)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one core, process or call was measured to take; docs/capacity.md says how."""

    load: float
    """The share of a core that is planned for: what is above it is for bursts."""
    gateway_call_ms: float
    """A gateway's processor time for setting a call up and ending it."""
    gateway_phone_ms: float
    """The same for a second of talk between two phones."""
    gateway_browser_ms: float
    """The same between a phone and a browser."""
    gateway_waiting_ms: float
    """The same for a second of music or prompts."""
    recorded_factor: float
    """By how much recording makes a second of talk dearer."""
    service_call_ms: Mapping[str, float]
    """Processor time of each service for a whole call."""
    agent_second_ms: Mapping[str, float]
    """The same for a second of a signed-in agent, where a service has such a cost."""
    recording_minute_ms: float
    """Of recording, for a recorded minute of talk."""
    tenant_calls_per_s: float
    """Calls that one process decides for, when all are one tenant's, at the planned load."""
    pages: int
    """Agents' pages that one portal process has at most."""
    members: int
    """Processes that share a topic at most: its partitions."""
    gateway_mib: float
    """Memory of a gateway at rest; so of a service."""
    gateway_call_kib: float
    """And for each call."""
    service_mib: float
    """Memory of a service's process at work."""
    events: float
    """On the bus for a call."""
    event_bytes: int
    """Of one event on a broker's disk."""
    row_bytes: int
    """In PostgreSQL for a call, indexes included."""
    commits: float
    """Transactions of PostgreSQL for a call."""
    recorded_bytes_per_s: int
    """In S3 for a recorded conversation."""
    segments_per_s: float
    """Objects written for it."""
    voice_bits_per_s: int
    """G.711 in packets of 20 ms, one way on Ethernet (RFC 3551; 218 bytes each)."""
    browser_bits_per_s: int
    """The same as SRTP (RFC 3711: ten bytes more)."""
    cell_calls: int
    """Calls of one installation; beyond, tenants are spread over several."""
    cell_agents: int
    """Agents of one installation."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a cell."""

    cores: float
    """That it keeps busy in the busiest minutes."""
    replicas: int
    """Processes, spare ones included; each uses one core at most."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one installation needs."""

    demand: Demand
    """What it carries."""
    gateway_cores: float
    """That gateways keep busy."""
    processes: int
    """Gateways that are needed when all spare nodes are away."""
    calls_per_process: int
    """Of one gateway then: `gateway.maxCalls`."""
    nodes: int
    """For gateways, spare ones included."""
    services: Mapping[str, Service]
    """By name."""
    edges: int
    """Edges."""
    node_mbit_per_s: float
    """One way through a gateway's node, in the busiest minutes with all spare nodes away."""
    trunk_mbit_per_s: float
    """One way to carriers."""
    gateway_mib: float
    """Memory of one gateway."""
    spool_gib: float
    """Disk of one gateway for an hour in which storage is away."""
    connections: int
    """To PostgreSQL."""
    commits_per_s: float
    """Of PostgreSQL."""
    rows_gib_per_day: float
    """That PostgreSQL grows by."""
    rows_gib: float
    """At the end of the days."""
    events_per_s: float
    """On the bus."""
    broker_gib: float
    """On the brokers' disks together, three copies for a week."""
    segments_per_s: float
    """Objects that S3 takes in a second."""
    recordings_tib: float
    """In S3 at the end of the days."""
    notes: tuple[str, ...]
    """What to know besides."""


@dataclass(frozen=True, slots=True)
class Size:
    """All that is needed: so many installations of this size."""

    cells: int
    """Installations, each with its own tenants."""
    cell: Cell
    """One of them."""
