"""Named errors: what an illegal command raises. None of them changes anything."""

from __future__ import annotations

from typing import ClassVar

from services.chassis.errors import CarillonError, Kind


class RoutingError(CarillonError):
    """The root of what the ACD refuses."""

    code: ClassVar[str] = "routing-error"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class NoSuchQueueError(RoutingError):
    """The queue is not configured on this shard."""

    code = "no-such-queue"
    kind = Kind.NOT_FOUND


class NoSuchAgentError(RoutingError):
    """The agent is not configured on this shard."""

    code = "no-such-agent"
    kind = Kind.NOT_FOUND


class NoSuchEntryError(RoutingError):
    """No such stay in a queue, or it ended too long ago to be remembered."""

    code = "no-such-entry"
    kind = Kind.NOT_FOUND


class NoSuchReservationError(RoutingError):
    """The reservation never was, or has ended."""

    code = "no-such-reservation"
    kind = Kind.NOT_FOUND


class NotYourReservationError(RoutingError):
    """The reservation holds another agent."""

    code = "answered-elsewhere"
    kind = Kind.DENIED


class IllegalTransitionError(RoutingError):
    """The reservation or the agent's work is not in a stage that allows this."""

    code = "illegal-transition"


class IllegalExitError(RoutingError):
    """This way out of a queue belongs to the ACD's own rules."""

    code = "illegal-exit"
    kind = Kind.INVALID


class EntryExitedError(RoutingError):
    """The contact has left this queue."""

    code = "entry-exited"


class QueueNotEmptyError(RoutingError):
    """Contacts still wait in the queue."""

    code = "queue-not-empty"


class AgentAtWorkError(RoutingError):
    """The agent still has work or a leg."""

    code = "agent-busy"


class InvalidConfigurationError(RoutingError):
    """A configured value is outside its limits or contradicts another."""

    code = "invalid-configuration"
    kind = Kind.INVALID


class UnknownStrategyError(InvalidConfigurationError):
    """No comparator has this name."""

    code = "unknown-strategy"


class InvalidExpressionError(InvalidConfigurationError):
    """A skill expression is malformed or larger than its limits."""

    code = "invalid-expression"


class InvalidContactError(RoutingError):
    """What a contact carries is outside its limits."""

    code = "invalid-contact"
    kind = Kind.INVALID


class InvalidTextError(RoutingError):
    """A reason, code or message is outside its limits."""

    code = "invalid-text"
    kind = Kind.INVALID


class WrapUpTooEarlyError(RoutingError):
    """The policy holds the agent in wrap-up for longer."""

    code = "wrap-up-too-early"


class CodeRequiredError(RoutingError):
    """The policy asks for a code before wrap-up may end."""

    code = "code-required"


class NoExtensionLeftError(RoutingError):
    """All extensions of this wrap-up are used."""

    code = "no-extension-left"
    kind = Kind.EXHAUSTED


class TooManyLegsError(RoutingError):
    """More legs outside the ACD than one agent can have."""

    code = "too-many-legs"
    kind = Kind.EXHAUSTED
