"""The words of routing: ids and closed sets of values."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

from services.chassis.ids import AgentId, EntryId, LegId, QueueId, ReservationId

__all__ = [
    "AgentCondition",
    "AgentId",
    "AgentState",
    "BridgeEnder",
    "Channel",
    "Comparison",
    "ContactId",
    "ContactStage",
    "EntryId",
    "Exclusion",
    "Exit",
    "ExprKind",
    "LegId",
    "Link",
    "Outcome",
    "PlanEnd",
    "Presence",
    "QueueId",
    "ReservationId",
    "SkipIf",
    "Stage",
    "Strategy",
    "WaitBasis",
    "Waker",
    "Work",
    "WrapUpCause",
    "WrapUpMode",
]

ContactId = NewType("ContactId", str)


class Channel(StrEnum):
    """How the customer reached us."""

    VOICE = "voice"
    CHAT = "chat"
    EMAIL = "email"
    TASK = "task"


class Presence(StrEnum):
    """What the agent intends; only the agent, or a rule on record, raises it."""

    READY = "ready"
    BREAK = "break"
    SIGNED_OUT = "signed_out"


class Link(StrEnum):
    """Whether the agent's endpoint can be reached, as the server measures it."""

    REACHABLE = "reachable"
    PROBING = "probing"
    UNREACHABLE = "unreachable"


class Stage(StrEnum):
    """Where a reservation stands."""

    RESERVED = "reserved"
    RINGING = "ringing"
    CONNECTING = "connecting"
    BRIDGED = "bridged"
    ENDED = "ended"


class Work(StrEnum):
    """What one piece of an agent's work is doing."""

    IDLE = "idle"
    RESERVED = "reserved"
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"
    WRAP_UP = "wrap_up"


class Outcome(StrEnum):
    """How a reservation ended without an answer."""

    UNDELIVERED = "undelivered"
    NO_ANSWER = "no_answer"
    REJECT = "reject"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    CALLER_GONE = "caller_gone"
    CONNECT_FAILED = "connect_failed"


class Exit(StrEnum):
    """How a contact left a queue: exclusive and exhaustive."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    CALLBACK = "callback"
    OVERFLOWED = "overflowed"
    VOICEMAIL = "voicemail"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    REFUSED_FULL = "refused_full"
    REFUSED_NO_AGENTS = "refused_no_agents"
    FAILED = "failed"


class AgentState(StrEnum):
    """The one word an agent's interval is recorded under."""

    READY = "ready"
    RESERVED = "reserved"
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"
    WRAP_UP = "wrap_up"
    BREAK = "break"
    SIGNED_OUT = "signed_out"
    UNREACHABLE = "unreachable"


class AgentCondition(StrEnum):
    """How an agent counts for a queue's staffing: exclusive and exhaustive."""

    READY = "ready"
    WORKING = "working"
    ON_BREAK = "on_break"
    UNREACHABLE = "unreachable"
    SIGNED_OUT = "signed_out"


class ContactStage(StrEnum):
    """Where a queue entry stands, as its caller's flow sees it."""

    WAITING = "waiting"
    DETACHED = "detached"
    RESERVED = "reserved"
    RINGING = "ringing"
    CONNECTING = "connecting"
    EXITED = "exited"


class Exclusion(StrEnum):
    """Why an agent of the queue is not a candidate for a contact; the first that holds."""

    LACKS_SKILL = "lacks_skill"
    SIGNED_OUT = "signed_out"
    ON_BREAK = "on_break"
    RONA = "rona"
    PRESENCE_PENDING = "presence_pending"
    UNREACHABLE = "unreachable"
    OTHER_LEG = "other_leg"
    CHANNEL_BLOCKED = "channel_blocked"
    AT_CAPACITY = "at_capacity"
    RESTING = "resting"
    PAIR_EXCLUDED = "pair_excluded"
    LAST_RUNG = "last_rung"


class ExprKind(StrEnum):
    """What a node of a skill expression is."""

    ANY = "any"
    SKILL = "skill"
    ATTRIBUTE = "attribute"
    AGENT = "agent"
    AND = "and"
    OR = "or"
    NOT = "not"


class Comparison(StrEnum):
    """How a condition compares; attributes know only `eq` and `ne`."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


class SkipIf(StrEnum):
    """When a plan's step is passed over at the moment it would begin."""

    NEVER = "never"
    NOBODY_SIGNED_IN = "nobody_signed_in"
    NOBODY_READY = "nobody_ready"


class PlanEnd(StrEnum):
    """What follows the last step of a plan."""

    ANY = "any"
    OVERFLOW = "overflow"
    STAY = "stay"


class Strategy(StrEnum):
    """Comparators that order the candidates; agent id always comes last."""

    LONGEST_IDLE = "longest_idle"
    MOST_SKILLED = "most_skilled"
    LEAST_TALK_TIME = "least_talk_time"
    FEWEST_CONTACTS = "fewest_contacts"
    ROUND_ROBIN = "round_robin"
    TOP_DOWN = "top_down"
    LEAST_FLEXIBLE = "least_flexible"
    RANDOM = "random"


class WrapUpMode(StrEnum):
    """What holds an agent after a contact."""

    NONE = "none"
    OPTIONAL = "optional"
    TIMED = "timed"
    FORCED = "forced"


class WrapUpCause(StrEnum):
    """What ended a wrap-up."""

    FINISHED = "finished"
    CODE = "code"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"


class BridgeEnder(StrEnum):
    """Who ended a contact after it was answered."""

    CALLER = "caller"
    AGENT = "agent"
    SYSTEM = "system"


class WaitBasis(StrEnum):
    """What an expected wait rests on."""

    MEASURED = "measured"
    ASSUMED = "assumed"
    NONE = "none"


class Waker(StrEnum):
    """Which side's change made a reservation possible."""

    AGENT = "agent"
    CONTACT = "contact"
