"""What the face of people is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.chassis.clock import Clock
from services.portal.identity import Identity
from services.portal.passwords import Passwords
from services.portal.people_agents import Agents
from services.portal.people_health import Health
from services.portal.sign_in import SignIn
from services.portal.store import PortalStore
from services.portal.tokens import RandomBits
from services.portal.wire_people import Envelopes


@dataclass(frozen=True, slots=True)
class PeopleParts:
    """Everything that an RPC about people needs."""

    store: PortalStore
    """What is kept."""
    identity: Identity
    """Who asks."""
    sign_in: SignIn
    """Sessions."""
    passwords: Passwords
    """Hashes."""
    envelopes: Envelopes
    """Events."""
    clock: Clock
    """What time it is."""
    new_id: Callable[[], str]
    """UUIDv7s."""
    random_bits: RandomBits
    """For secrets."""
    agents: Agents
    """Users as routing knows them."""
    health: Health
    """How tenants are doing."""
    zones: frozenset[str]
    """IANA names of time zones that are known."""
