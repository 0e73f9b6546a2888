"""What a request about people brings beside its message, and text that a store can look for."""

from __future__ import annotations

from typing import Any

from grpc import aio

from services.chassis.request import MAX_ID_CHARS
from services.portal.core.scrubbing import MAX_WORD_CHARS
from services.portal.identity import ADDRESS_KEY, SESSION_KEY
from services.portal.model.errors import BadQuery, NoSuchApiKey, NoSuchUser

Context = aio.ServicerContext[Any, Any]


def address_of(context: Context) -> str:
    """Where whoever asks is; empty when portal's edge did not say."""
    return _metadata(context, ADDRESS_KEY)


def session_of(context: Context) -> str:
    """The session in which somebody asks; empty for an API key."""
    return _metadata(context, SESSION_KEY)


def user_id_of(text: str) -> str:
    """A user's id as it may be looked for; NoSuchUser."""
    if not _can_be_id(text):
        raise NoSuchUser("no user has such an id")
    return text


def key_id_of(text: str) -> str:
    """An API key's id as it may be looked for; NoSuchApiKey."""
    if not _can_be_id(text):
        raise NoSuchApiKey("no API key has such an id")
    return text


def searched(text: str) -> str:
    """Words or a page's token as they may be looked for; BadQuery."""
    if "\0" in text or len(text) > MAX_WORD_CHARS:
        raise BadQuery(f"at most {MAX_WORD_CHARS} characters are looked for, and no NUL")
    return text


def _can_be_id(text: str) -> bool:
    return 0 < len(text) <= MAX_ID_CHARS and "\0" not in text


def _metadata(context: Context, wanted: str) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == wanted and isinstance(value, str):
            return value[:MAX_WORD_CHARS]
    return ""
