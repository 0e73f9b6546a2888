"""What went wrong, as outsiders are told: problem details (RFC 9457) with a stable code."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import grpc
from grpc import aio

from services.chassis.errors import CarillonError, Kind
from services.chassis.status import STATUS_OF_KIND, remote_error

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
"""After how long it is worth to ask again a service that was away, or too busy."""

HTTP_OF_STATUS: dict[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.CANCELLED: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
"""What is not in it is 500: a fault of Carillon's own."""

TITLES = {
    400: "The request is not valid",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "The method is not allowed here",
    408: "The request came too slowly",
    409: "Conflict with the present state",
    413: "The request is too large",
    415: "The media type is not supported",
    416: "The range is not in the document",
    429: "Too much at once",
    500: "A fault of our own",
    501: "Not offered",
    503: "Not available now",
    504: "No answer in time",
}


class BadRequest(CarillonError):
    """The request can not be read as what it should be."""

    code: ClassVar[str] = "bad-request"
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure, ready to be told."""

    status: int
    """HTTP's."""
    code: str
    """Stable: what programs act upon."""
    detail: str
    """In words."""
    field: str = ""
    """Which field of the request is wrong, for example `queue.queue_id`; empty: none."""
    instance: str = ""
    """The path that was asked for."""
    headers: tuple[tuple[str, str], ...] = ()
    """What HTTP wants to have said beside it."""

    def at(self, path: str) -> Problem:
        """The same with the path that was asked for."""
        return replace(self, instance=path)

    def body(self) -> bytes:
        """The document."""
        members: dict[str, Any] = {
            "type": f"urn:carillon:problem:{self.code}",
            "title": TITLES[self.status],
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.field:
            members["field"] = self.field
        if self.instance:
            members["instance"] = self.instance
        return json.dumps(members, ensure_ascii=False).encode(errors="replace")


class Refused(Exception):
    """The request has no answer but this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def problem_of(error: Exception) -> Problem:
    """What outsiders learn of a failure; of our own faults nothing but that they happened."""
    if isinstance(error, Refused):
        return error.problem
    if not isinstance(error, CarillonError | aio.AioRpcError):
        return Problem(500, Kind.INTERNAL.value, "internal error")
    if isinstance(error, aio.AioRpcError):
        remote = remote_error(error)
        status = HTTP_OF_STATUS.get(error.code(), 500)
        code, detail = remote.code, remote.message
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            code = "not-offered"
    else:
        status = HTTP_OF_STATUS.get(STATUS_OF_KIND[error.kind], 500)
        code, detail = error.code, str(error)
    if status == 500:
        code, detail = Kind.INTERNAL.value, "internal error"
    if status == 503:
        # Nobody outside needs to know where it would have been.
        detail = "the service is away; ask again"
    return Problem(
        status=status,
        code=code,
        detail=detail,
        field=error.field if isinstance(error, BadRequest) else "",
        headers=_headers(status, code),
    )


def _headers(status: int, code: str) -> tuple[tuple[str, str], ...]:
    if status == 401:
        # RFC 6750, 3: an expired token is told apart, so that clients know to refresh.
        error = ', error="invalid_token"' if code == "token-expired" else ""
        return (("www-authenticate", f'Bearer realm="carillon"{error}'),)
    if status == 503 or code == "too-many-requests":
        return (("retry-after", str(RETRY_AFTER_S)),)
    return ()
