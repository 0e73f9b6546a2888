"""One classified end per call: what each cause is called and laid to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from media_gateway.model import Termination, TerminationClass


class EndCause(StrEnum):
    """Why a call ends when it is not the flow that ends it. The value is the reason published."""

    CALLER_HUNG_UP = "caller-hung-up"
    CALLER_CANCELLED = "caller-cancelled"
    ENDED_BY_REQUEST = "ended-by-request"
    NO_COMMON_CODEC = "no-common-codec"
    NO_ACK = "no-ack"
    MEDIA_TIMEOUT = "media-timeout"
    SIGNALLING_LOST = "signalling-lost"
    NO_FLOW = "no-flow"
    FLOW_OVERRUN = "flow-overrun"
    NEVER_ANSWERED = "never-answered"
    NO_MEDIA_PORTS = "no-media-ports"
    GATEWAY_FAULT = "gateway-fault"
    OVERLOADED = "overloaded"
    DRAINING = "draining"


_C = TerminationClass

_CLASS: Mapping[EndCause, TerminationClass] = MappingProxyType(
    {
        EndCause.CALLER_HUNG_UP: _C.SUCCESS,
        EndCause.CALLER_CANCELLED: _C.SUCCESS,
        EndCause.ENDED_BY_REQUEST: _C.SUCCESS,
        EndCause.NO_COMMON_CODEC: _C.CALLER_ERROR,
        EndCause.NO_ACK: _C.CARRIER_ERROR,
        EndCause.MEDIA_TIMEOUT: _C.CARRIER_ERROR,
        EndCause.SIGNALLING_LOST: _C.CARRIER_ERROR,
        EndCause.NO_FLOW: _C.SERVER_ERROR,
        EndCause.FLOW_OVERRUN: _C.SERVER_ERROR,
        EndCause.NEVER_ANSWERED: _C.SERVER_ERROR,
        EndCause.NO_MEDIA_PORTS: _C.SERVER_ERROR,
        EndCause.GATEWAY_FAULT: _C.SERVER_ERROR,
        EndCause.OVERLOADED: _C.SERVER_ERROR,
        EndCause.DRAINING: _C.SERVER_ERROR,
    }
)

REFUSAL_STATUS: Mapping[EndCause, int] = MappingProxyType(
    {EndCause.NO_COMMON_CODEC: 488, EndCause.ENDED_BY_REQUEST: 480}
)
"""The final SIP status for a caller who was not answered yet; 503 for every other cause."""
UNAVAILABLE = 503


def terminated(cause: EndCause) -> Termination:
    """The termination that a cause makes."""
    return Termination(_CLASS[cause], cause.value)


def refusal_status(cause: EndCause) -> int:
    """With which final status an unanswered caller is refused."""
    return REFUSAL_STATUS.get(cause, UNAVAILABLE)
