"""The part of the desk's face that hands a caller on, and what an agent knows before doing so."""

from __future__ import annotations

from services.portal.rpc_desk_own import OwnDesk


class Handing(OwnDesk):
    """Transfers, keys for the other side, and the agent's own figures."""
