"""Closed sets of words."""

from __future__ import annotations

from enum import StrEnum


class Exit(StrEnum):
    """How a contact left a queue, or that it has not: exclusive and exhaustive."""

    WAITING = "waiting"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    CALLBACK = "callback"
    OVERFLOWED = "overflowed"
    VOICEMAIL = "voicemail"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    REFUSED = "refused"
    FAILED = "failed"


class CallOutcome(StrEnum):
    """What became of a call in queues: exclusive and exhaustive."""

    NEVER_QUEUED = "never_queued"
    WAITING = "waiting"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    """The caller gave up in a queue."""
    UNANSWERED = "unanswered"
    """It left its queues otherwise, for example to a message."""


class AgentState(StrEnum):
    """The one word of an agent's interval."""

    READY = "ready"
    RESERVED = "reserved"
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"
    WRAP_UP = "wrap_up"
    BREAK = "break"
    SIGNED_OUT = "signed_out"
    UNREACHABLE = "unreachable"


class Outcome(StrEnum):
    """How a reservation ended without an answer."""

    UNDELIVERED = "undelivered"
    NO_ANSWER = "no_answer"
    REJECT = "reject"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    CALLER_GONE = "caller_gone"
    CONNECT_FAILED = "connect_failed"


class Unit(StrEnum):
    """What a figure counts in."""

    PERCENT = "percent"
    MS = "ms"
    COUNT = "count"
    PER_HOUR = "per_hour"


class Grouping(StrEnum):
    """What a report has a row for."""

    TOTAL = "total"
    QUEUE = "queue"
    AGENT = "agent"
    INTERVAL = "interval"
    HOUR = "hour"
    DAY = "day"


class Source(StrEnum):
    """Who tells of a step of a story."""

    ACD = "acd"
    FLOW = "flow"
    GATEWAY = "gateway"


class Measure(StrEnum):
    """What a threshold may watch."""

    WAITING = "waiting"
    LONGEST_WAIT = "longest_wait"
    SERVICE_LEVEL = "service_level"
    ASA = "asa"
    ABANDON_RATE = "abandon_rate"
    AVERAGE_HANDLE_TIME = "average_handle_time"
    OCCUPANCY = "occupancy"
    AGENTS_READY = "agents_ready"


class Direction(StrEnum):
    """On which side of a threshold it is bad."""

    ABOVE = "above"
    BELOW = "below"


class Severity(StrEnum):
    """How bad it is that a threshold is passed."""

    WARNING = "warning"
    CRITICAL = "critical"
