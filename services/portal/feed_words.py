"""What pages say over the feed, and the codes by which it is closed. See docs/portal.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

TOPICS: Final = ("desk", "agents", "waiting", "live", "alarms")
MAX_TOKEN_CHARS: Final = 512
PASSED: Final = "passed"
NOT_PASSED: Final = "not-passed"


class Close(IntEnum):
    """Why a feed was closed (RFC 6455, 7.4; 4000 and above are an application's own)."""

    LEAVING = 1012
    FAULT = 1011
    BAD_MESSAGE = 4400
    NOT_AUTHENTICATED = 4401
    NOT_ALLOWED = 4403
    SILENT = 4408
    REPLACED = 4409
    TOO_SLOW = 4413
    TOO_MANY = 4429


class Closed(Exception):
    """The feed is to be closed."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message."""

    token: str
    """An access token."""
    device_check: bool | None
    """Whether the page's device check passed; None: the page is no softphone."""
    topics: tuple[str, ...]
    """What it follows from the beginning."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A fresh access token, before the old one ends."""

    token: str
    """The same user's."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The page is alive; said every 2 s."""


@dataclass(frozen=True, slots=True)
class DeviceChecked:
    """The page tried microphone, speaker and the path to the server again."""

    passed: bool
    """Whether all of it works."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The page wants to follow more."""

    topics: tuple[str, ...]
    """What."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """The page has seen enough of something."""

    topics: tuple[str, ...]
    """What."""


Said: TypeAlias = Hello | NewToken | Heartbeat | DeviceChecked | Subscribe | Unsubscribe


def parse(text: str) -> Said:
    """What a page said; Closed when it is nothing that a page says."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise _bad("not JSON") from None
    if not isinstance(fields, dict):
        raise _bad("not an object")
    match fields.get("type"):
        case "hello":
            check = fields.get("device_check")
            return Hello(
                token=_token(fields),
                device_check=None if check is None else _check(check),
                topics=_topics(fields.get("topics", [])),
            )
        case "token":
            return NewToken(_token(fields))
        case "heartbeat":
            return Heartbeat()
        case "device-check":
            return DeviceChecked(_check(fields.get("device_check")))
        case "subscribe":
            return Subscribe(_topics(fields.get("topics")))
        case "unsubscribe":
            return Unsubscribe(_topics(fields.get("topics")))
        case _:
            raise _bad("unknown type")


def _token(fields: dict[str, Any]) -> str:
    token = fields.get("token")
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_CHARS:
        raise _bad("token is missing")
    return token


def _check(value: Any) -> bool:
    if value not in {PASSED, NOT_PASSED}:
        raise _bad(f"device_check is not {PASSED} or {NOT_PASSED}")
    return bool(value == PASSED)


def _topics(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or any(topic not in TOPICS for topic in value):
        raise _bad(f"topics are of {', '.join(TOPICS)}")
    return tuple(dict.fromkeys(value))


def _bad(reason: str) -> Closed:
    return Closed(Close.BAD_MESSAGE, reason)
