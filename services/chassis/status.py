"""Named errors across gRPC: one mapping, there and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc import aio

from services.chassis.errors import CarillonError, Kind, RemoteError

DOMAIN = "carillon"
DETAILS_KEY = "grpc-status-details-bin"
MAX_MESSAGE_BYTES = 1_000
"""Of an error's words. They travel twice in headers, escaped to three times that or more, and
headers beyond 8 KiB replace the error by another."""

STATUS_OF_KIND: dict[Kind, grpc.StatusCode] = {
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.CONFLICT: grpc.StatusCode.ALREADY_EXISTS,
    Kind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.ABORTED: grpc.StatusCode.ABORTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
}
_KIND_OF_STATUS = {status: kind for kind, status in STATUS_OF_KIND.items()}


def details_of(error: CarillonError) -> bytes:
    """The `google.rpc.Status` of a named error, as it travels in the trailing metadata."""
    status = status_pb2.Status(code=_number(STATUS_OF_KIND[error.kind]), message=words_of(error))
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN))
    return bytes(status.SerializeToString())


def words_of(error: CarillonError) -> str:
    """What a named error says, short enough to travel; `…` ends what was cut."""
    encoded = str(error).encode(errors="replace")
    if len(encoded) > MAX_MESSAGE_BYTES:
        encoded = encoded[: MAX_MESSAGE_BYTES - len("…".encode())]
        return encoded.decode(errors="ignore") + "…"
    return encoded.decode()


def remote_error(error: aio.AioRpcError) -> RemoteError:
    """What a failed call says: the named error, or the transport's own failure by its kind."""
    kind = _KIND_OF_STATUS.get(error.code(), Kind.INTERNAL)
    code = kind.value
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            code = _code_in(value) or code
    return RemoteError(code=code, kind=kind, message=error.details() or "")


@contextmanager
def remote_errors() -> Iterator[None]:
    """Turns every failed gRPC call inside into a RemoteError."""
    try:
        yield
    except aio.AioRpcError as error:
        raise remote_error(error) from error


def _number(status: grpc.StatusCode) -> int:
    return int(code_pb2.Code.Value(status.name))


def _code_in(details: bytes) -> str:
    status = status_pb2.Status()
    info = error_details_pb2.ErrorInfo()
    try:
        status.ParseFromString(details)
        for detail in status.details:
            if detail.Unpack(info) and info.domain == DOMAIN:
                return str(info.reason)
    except DecodeError:
        pass  # somebody else's, or damaged: the status alone has to do
    return ""
