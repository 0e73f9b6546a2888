"""The life of a bridge: the caller and one answered leg.

    connecting ──heard / waited──▶ joined ──parts──▶ over

Audio is connected as soon as the flow asks. The bridge is `joined`, and the flow is told, when a
packet came from both sides, or when the patience for one has passed: a phone that sends nothing
until it is spoken to must not cost the caller the agent.
"""

from __future__ import annotations

from enum import StrEnum

from media_gateway.core.transitions import Transitions
from media_gateway.model import BridgeState

MEDIA_PATIENCE_MS = 1_500


class BridgeHappening(StrEnum):
    """What moves a bridge."""

    HEARD = "heard"
    WAITED = "waited"
    PARTS = "parts"


_H, _S = BridgeHappening, BridgeState

BRIDGE: Transitions[BridgeState, BridgeHappening] = Transitions(
    "bridge",
    {
        _S.CONNECTING: {_H.HEARD: _S.JOINED, _H.WAITED: _S.JOINED, _H.PARTS: _S.OVER},
        _S.JOINED: {_H.PARTS: _S.OVER},
        _S.OVER: {},
    },
)
