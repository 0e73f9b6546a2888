from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import sealing

CALL = "018f0000-0000-7000-8000-000000000001"
PAIR = sealing.generate_key_pair()
KEY = sealing.generate_key()


def test_a_calls_key_opens_only_with_the_private_key() -> None:
    sealed = sealing.seal_key(KEY, public_key=PAIR.public_key, call_id=CALL)
    assert sealed.key_id == PAIR.key_id
    assert sealing.unseal_key(sealed, private_key=PAIR.private_key, call_id=CALL) == KEY
    assert KEY not in sealed.wrapped

    other = sealing.generate_key_pair()
    with pytest.raises(sealing.SealBroken):
        sealing.unseal_key(sealed, private_key=other.private_key, call_id=CALL)
    with pytest.raises(sealing.SealBroken):
        sealing.unseal_key(sealed, private_key=PAIR.private_key, call_id="another call")


def test_a_key_pair_comes_back_from_its_private_half() -> None:
    again = sealing.key_pair_of(PAIR.private_key)
    assert again == PAIR
    assert len(again.key_id) == 16
    assert again.key_id != sealing.generate_key_pair().key_id


def test_the_format_is_the_one_written_down() -> None:
    """Unwraps and opens by the primitives alone, as an auditor with other tools would."""
    sealed = sealing.seal_key(KEY, public_key=PAIR.public_key, call_id=CALL)
    shared = X25519PrivateKey.from_private_bytes(PAIR.private_key).exchange(
        X25519PublicKey.from_public_bytes(sealed.ephemeral_public_key)
    )
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"carillon.recording.v1")
    key = AESGCM(hkdf.derive(shared)).decrypt(
        sealed.wrapped[:12], sealed.wrapped[12:], CALL.encode()
    )
    assert key == KEY
    segment = sealing.seal_segment(KEY, b"frames", call_id=CALL, track_id="leg", number=7)
    name = f"{CALL}/leg/7".encode()
    assert AESGCM(key).decrypt(segment[:12], segment[12:], name) == b"frames"


@given(st.binary(max_size=2_000))
def test_every_segment_comes_back_as_it_was(segment: bytes) -> None:
    sealed = sealing.seal_segment(KEY, segment, call_id=CALL, track_id="a", number=1)
    assert len(sealed) == len(segment) + sealing.OVERHEAD_BYTES
    assert sealing.open_segment(KEY, sealed, call_id=CALL, track_id="a", number=1) == segment


@given(st.integers(min_value=0, max_value=8 * (6 + sealing.OVERHEAD_BYTES) - 1))
def test_a_flipped_bit_anywhere_is_found(bit: int) -> None:
    sealed = bytearray(sealing.seal_segment(KEY, b"frames", call_id=CALL, track_id="a", number=1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(sealing.SealBroken):
        sealing.open_segment(KEY, bytes(sealed), call_id=CALL, track_id="a", number=1)


@pytest.mark.parametrize(
    ("call_id", "track_id", "number"), [("x", "a", 1), (CALL, "b", 1), (CALL, "a", 2)]
)
def test_a_segment_cannot_be_moved(call_id: str, track_id: str, number: int) -> None:
    sealed = sealing.seal_segment(KEY, b"frames", call_id=CALL, track_id="a", number=1)
    with pytest.raises(sealing.SealBroken):
        sealing.open_segment(KEY, sealed, call_id=call_id, track_id=track_id, number=number)


def test_the_same_segment_never_looks_the_same() -> None:
    once = sealing.seal_segment(KEY, b"frames", call_id=CALL, track_id="a", number=1)
    again = sealing.seal_segment(KEY, b"frames", call_id=CALL, track_id="a", number=1)
    assert once != again


@pytest.mark.parametrize("sealed", [b"", b"x" * (sealing.OVERHEAD_BYTES - 1)])
def test_too_few_bytes_are_refused(sealed: bytes) -> None:
    with pytest.raises(sealing.SealBroken, match="too few"):
        sealing.open_segment(KEY, sealed, call_id=CALL, track_id="a", number=1)


@pytest.mark.parametrize("public_key", [b"", b"short", bytes(32)])
def test_what_is_no_public_key_is_refused(public_key: bytes) -> None:
    with pytest.raises(sealing.SealBroken, match="no X25519 public key"):
        sealing.seal_key(KEY, public_key=public_key, call_id=CALL)
    sealed = sealing.seal_key(KEY, public_key=PAIR.public_key, call_id=CALL)
    forged = dataclasses.replace(sealed, ephemeral_public_key=public_key)
    with pytest.raises(sealing.SealBroken, match="no X25519 public key"):
        sealing.unseal_key(forged, private_key=PAIR.private_key, call_id=CALL)


def test_a_wrapped_key_of_another_size_is_refused() -> None:
    sealed = sealing.seal_key(b"short", public_key=PAIR.public_key, call_id=CALL)
    with pytest.raises(sealing.SealBroken, match="5 bytes"):
        sealing.unseal_key(sealed, private_key=PAIR.private_key, call_id=CALL)
