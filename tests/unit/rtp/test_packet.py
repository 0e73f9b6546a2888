from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp.packet import MAX_DATAGRAM_BYTES, payload_of, signed_32


def header(first: int = 0x80) -> bytes:
    return struct.pack("!BBHII", first, 0, 1, 2, 3)


@pytest.mark.parametrize(
    ("data", "payload"),
    [
        (header() + b"voice", b"voice"),
        (header(0x82) + bytes(8) + b"voice", b"voice"),
        (header(0x90) + b"\xbe\xde\x00\x01" + bytes(4) + b"voice", b"voice"),
        (header(0x90) + b"\xbe\xde\x00\x00" + b"voice", b"voice"),
        (header(0xA0) + b"voice" + b"\x00\x00\x03", b"voice"),
        (header(0xB1) + bytes(4) + b"\0\0\0\1" + bytes(4) + b"voice\x01", b"voice"),
    ],
    ids=["plain", "csrc", "extension", "empty extension", "padding", "all"],
)
def test_payload_is_found(data: bytes, payload: bytes) -> None:
    assert payload_of(data) == payload


@pytest.mark.parametrize(
    "data",
    [
        b"",
        header()[:11],
        header(),
        header(0x40) + b"voice",
        header(0x8F) + b"voice",
        header(0x90) + b"\xbe\xde\x00",
        header(0x90) + b"\xbe\xde\xff\xff" + b"voice",
        header(0xA0) + b"voice\x00",
        header(0xA0) + b"voice\x06",
        header(0xA0) + b"voice\xff",
        header() + bytes(MAX_DATAGRAM_BYTES - 12),
    ],
    ids=[
        "empty",
        "short",
        "no payload",
        "version 1",
        "csrc beyond the end",
        "half an extension",
        "extension beyond the end",
        "padding of none",
        "padding only",
        "padding beyond the start",
        "too long",
    ],
)
def test_what_is_not_rtp_has_no_payload(data: bytes) -> None:
    assert payload_of(data) is None


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=100))
def test_random_bytes_never_raise(data: bytes) -> None:
    payload = payload_of(data)
    assert payload is None or payload in data


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_signed_step_is_found_across_the_wrap(start: int, step: int) -> None:
    assert signed_32(((start + step) & 0xFFFFFFFF) - start) == step
