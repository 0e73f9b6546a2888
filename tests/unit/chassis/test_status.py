from __future__ import annotations

from typing import ClassVar

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from services.chassis.errors import CarillonError, Kind, RemoteError
from services.chassis.status import (
    DETAILS_KEY,
    MAX_MESSAGE_BYTES,
    STATUS_OF_KIND,
    details_of,
    remote_error,
    remote_errors,
    words_of,
)
from tests.unit.chassis.echo import problem


def as_received(error: CarillonError) -> aio.AioRpcError:
    trailing = aio.Metadata((DETAILS_KEY, details_of(error)), ("other", "x"))
    return aio.AioRpcError(STATUS_OF_KIND[error.kind], None, trailing, words_of(error))


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_comes_back(kind: Kind) -> None:
    back = remote_error(as_received(problem(kind)))
    assert (back.kind, back.code, back.message) == (kind, f"a-{kind}-problem", f"this is {kind}")
    assert str(back) == f"a-{kind}-problem: this is {kind}"


def test_every_kind_has_a_status_of_its_own() -> None:
    assert set(STATUS_OF_KIND) == set(Kind)
    assert len(set(STATUS_OF_KIND.values())) == len(Kind)


def test_details_are_googles_own() -> None:
    status = status_pb2.Status.FromString(details_of(problem(Kind.NOT_FOUND)))
    assert status.code == 5
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("a-not-found-problem", "carillon")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, Kind.UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Kind.DEADLINE),
        (grpc.StatusCode.CANCELLED, Kind.INTERNAL),
        (grpc.StatusCode.UNIMPLEMENTED, Kind.INTERNAL),
    ],
)
def test_the_transports_own_failure_is_named_by_its_kind(code: grpc.StatusCode, kind: Kind) -> None:
    back = remote_error(aio.AioRpcError(code))
    assert (back.kind, back.code, back.message) == (kind, kind.value, "")
    assert str(back) == kind.value


@pytest.mark.parametrize("domain", ["carillon", "elsewhere.example"])
def test_only_our_own_names_are_taken(domain: str) -> None:
    status = status_pb2.Status(code=5)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="a-name", domain=domain))
    trailing = aio.Metadata((DETAILS_KEY, status.SerializeToString()))
    back = remote_error(aio.AioRpcError(grpc.StatusCode.NOT_FOUND, None, trailing))
    assert back.code == ("a-name" if domain == "carillon" else "not-found")


@pytest.mark.parametrize("damaged", [b"\xff\xff\xff", b"\x1a\x05hello", "text"])
def test_damaged_details_are_passed_over(damaged: bytes | str) -> None:
    trailing = aio.Metadata((DETAILS_KEY, damaged))
    back = remote_error(aio.AioRpcError(grpc.StatusCode.ABORTED, None, trailing))
    assert (back.kind, back.code) == (Kind.ABORTED, "aborted")


@pytest.mark.parametrize("letter", ["x", "é", "…", "𝄞"])
def test_words_are_cut_between_letters(letter: str) -> None:
    class Long(CarillonError):
        code: ClassVar[str] = "long"

    words = words_of(Long(letter * 5_000))
    assert len(words.encode()) <= MAX_MESSAGE_BYTES
    assert words.endswith("…")
    assert set(words[:-1]) == {letter}
    exact = "x" * MAX_MESSAGE_BYTES
    assert words_of(Long(exact)) == exact


def test_other_errors_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), remote_errors():
        raise ZeroDivisionError


def test_the_cause_stays_visible() -> None:
    received = as_received(problem(Kind.DENIED))
    with pytest.raises(RemoteError) as caught, remote_errors():
        raise received
    assert caught.value.__cause__ is received
