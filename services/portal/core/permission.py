"""Who may do what: the rule of a request against the roles of whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind

AGENT = "agent"
ROLES = ("agent", "supervisor", "administrator", "platform")


class NotAllowed(CarillonError):
    """None of the roles of whoever asks is enough."""

    code: ClassVar[str] = "not-allowed"
    kind: ClassVar[Kind] = Kind.DENIED


class NotYourOwn(CarillonError):
    """An agent named another agent where only themselves may be named."""

    code: ClassVar[str] = "not-your-own"
    kind: ClassVar[Kind] = Kind.DENIED


@dataclass(frozen=True, slots=True)
class Rule:
    """What the protos say about one request."""

    roles: frozenset[str] = frozenset()
    """Any of them is enough; empty: whoever is authenticated."""
    anonymous: bool = False
    """No credentials are needed."""
    own_agent_field: str = ""
    """The field that names an agent; empty: there is none."""
    audited: bool = False
    """Written to the audit trail though it changes nothing."""
    never_replayed: bool = False
    """Its answer holds a secret and is kept for no Idempotency-Key."""
    reads: bool = False
    """It changes nothing, though it is not reached by GET."""


def own_agent(rule: Rule, *, roles: frozenset[str], user_id: str) -> str:
    """Whose things alone may be seen: the user's own id, or empty for everybody's; NotAllowed."""
    if rule.anonymous or not rule.roles:
        return ""
    enough = rule.roles & roles
    if not enough:
        raise NotAllowed(f"this needs one of the roles: {', '.join(sorted(rule.roles))}")
    return user_id if enough == {AGENT} else ""


def named_agent(*, named: str, own_agent_id: str) -> str:
    """The agent that a request is about, filled in when none was named; NotYourOwn."""
    if not own_agent_id:
        return named
    if named not in {"", own_agent_id}:
        raise NotYourOwn("an agent may name only themselves here")
    return own_agent_id
