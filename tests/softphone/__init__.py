"""A SIP phone of its own, the judge of calls in tests: it shares no code with what it tests.

async with SoftPhone(user="+12025550147") as phone:
    call = await phone.call("sip:+12025550100@127.0.0.1:5060")
    await call.answered()
    call.play_tone(440)
    await call.send_dtmf("1")
    await call.hears_tone(660, 3)
    await call.hangup()
    assert phone.faults == []
"""

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
