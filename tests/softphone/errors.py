"""What can go wrong on a phone, by name."""

from __future__ import annotations


class PhoneError(Exception):
    """Any failure that the phone itself reports."""


class NotSip(PhoneError):
    """A datagram that RFC 3261's grammar does not allow."""


class BadSDP(PhoneError):
    """A session description that RFC 4566 or this phone's media cannot use."""


class NotRTP(PhoneError):
    """A datagram that is neither RTP nor RTCP as RFC 3550 frames them."""


class CallRefused(PhoneError):
    """The far end ended our INVITE with a final response of 300 or more."""

    def __init__(self, status: int, reason: str, contacts: tuple[str, ...] = ()) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.contacts = contacts


class NeverRang(PhoneError):
    """The call was answered without any ringing (180 to 183) before."""


class CallOver(PhoneError):
    """The call ended, or is not up, so what was asked of it cannot be done."""


class NotInTime(PhoneError, TimeoutError):
    """What was awaited did not happen; the text carries the call's ladder."""


class NoResponse(PhoneError):
    """A request was sent for 64*T1 and never answered (timers B and F)."""
