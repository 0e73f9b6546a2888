"""The part of the desk's face that tries things out before a caller depends on them."""

from __future__ import annotations

from services.portal.rpc_desk_own import OwnDesk


class Trying(OwnDesk):
    """The way to the gateway, and a call from nobody."""
