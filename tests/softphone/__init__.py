"""A SIP phone of its own, the judge of calls in tests: it shares no code with what it tests."""

from tests.softphone.errors import (
    CallOver,
    CallRefused,
    NeverRang,
    NoResponse,
    NotInTime,
    PhoneError,
)
from tests.softphone.incoming import Answer, Ignore, IncomingCall, Redirect, Reject, Ring
from tests.softphone.outgoing import OutgoingCall
from tests.softphone.phone import SoftPhone

__all__ = [
    "Answer",
    "CallOver",
    "CallRefused",
    "Ignore",
    "IncomingCall",
    "NeverRang",
    "NoResponse",
    "NotInTime",
    "OutgoingCall",
    "PhoneError",
    "Redirect",
    "Reject",
    "Ring",
    "SoftPhone",
]
