"""Errors with a name: what a caller may act upon, whichever wall it crosses."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of failure it is; decides the gRPC status and, in REST, the HTTP status."""

    INVALID = "invalid"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    EXHAUSTED = "exhausted"
    ABORTED = "aborted"
    UNAVAILABLE = "unavailable"
    DEADLINE = "deadline"
    INTERNAL = "internal"


class CarillonError(Exception):
    """The root of every named error; a subclass names its problem by `code` and `kind`."""

    code: ClassVar[str] = "internal"
    kind: ClassVar[Kind] = Kind.INTERNAL


class RemoteError(Exception):
    """A named error that another service raised."""

    def __init__(self, *, code: str, kind: Kind, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.kind = kind
        self.message = message
