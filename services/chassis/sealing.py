"""Sealed segments: what a gateway writes so that only `recording` can read it.

Each call has one random key. Its segments are sealed by AES-256-GCM with that key, and the key is
wrapped for the recording service: X25519 (RFC 7748) with an ephemeral key, HKDF-SHA256 (RFC 5869,
no salt, info `carillon.recording.v1`), AES-256-GCM. Sealed bytes are a nonce of 12 bytes, the
ciphertext, and a tag of 16; what they belong to is bound to them as associated data.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.chassis.errors import CarillonError, Kind

INFO = b"carillon.recording.v1"
KEY_BYTES = 32
"""Of a call's key, and of both halves of the recording service's key pair."""
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES
"""What sealing adds to a segment."""


class SealBroken(CarillonError):
    """Sealed bytes were changed, belong elsewhere, or were sealed for another key."""

    code: ClassVar[str] = "seal-broken"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The recording service's key; only its public half leaves the service."""

    private_key: bytes
    """X25519, 32 bytes."""
    public_key: bytes
    """X25519, 32 bytes."""

    @property
    def key_id(self) -> str:
        """What the key is called: see `key_id_of`."""
        return key_id_of(self.public_key)


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A call's key, readable by the recording service only; `WrappedKey` on the wire."""

    key_id: str
    """The key pair that it was sealed for."""
    ephemeral_public_key: bytes
    """X25519, made for this call alone; 32 bytes."""
    wrapped: bytes
    """Nonce, ciphertext and tag; the associated data is the call's id."""


def generate_key_pair() -> KeyPair:
    """A new key pair for a recording service."""
    return key_pair_of(os.urandom(KEY_BYTES))


def key_pair_of(private_key: bytes) -> KeyPair:
    """The pair that a private key of 32 bytes belongs to."""
    public = X25519PrivateKey.from_private_bytes(private_key).public_key()
    return KeyPair(private_key, public.public_bytes_raw())


def key_id_of(public_key: bytes) -> str:
    """The first 16 hex digits of the public key's SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def generate_key() -> bytes:
    """A new key for one call's segments."""
    return os.urandom(KEY_BYTES)


def seal_key(key: bytes, *, public_key: bytes, call_id: str) -> SealedKey:
    """Wraps a call's key for the recording service; SealBroken if its public key is no key."""
    ephemeral = X25519PrivateKey.generate()
    sealed = _seal(_wrapping_key(ephemeral, public_key), key, about=call_id.encode())
    public = ephemeral.public_key().public_bytes_raw()
    return SealedKey(key_id_of(public_key), public, sealed)


def unseal_key(sealed: SealedKey, *, private_key: bytes, call_id: str) -> bytes:
    """A call's key; SealBroken."""
    private = X25519PrivateKey.from_private_bytes(private_key)
    wrapping = _wrapping_key(private, sealed.ephemeral_public_key)
    key = _open(wrapping, sealed.wrapped, about=call_id.encode())
    if len(key) != KEY_BYTES:
        raise SealBroken(f"the call's key has {len(key)} bytes, not {KEY_BYTES}")
    return key


def seal_segment(key: bytes, segment: bytes, *, call_id: str, track_id: str, number: int) -> bytes:
    """Seals a serialised segment with its call's key."""
    return _seal(key, segment, about=_segment_name(call_id, track_id, number))


def open_segment(key: bytes, sealed: bytes, *, call_id: str, track_id: str, number: int) -> bytes:
    """The serialised segment; SealBroken if it is not this one, unchanged."""
    return _open(key, sealed, about=_segment_name(call_id, track_id, number))


def seal_object(key: bytes, data: bytes, *, name: str) -> bytes:
    """Seals an object with a key of its own."""
    return _seal(key, data, about=name.encode())


def open_object(key: bytes, sealed: bytes, *, name: str) -> bytes:
    """The object's bytes; SealBroken if they are not these, unchanged."""
    return _open(key, sealed, about=name.encode())


def _segment_name(call_id: str, track_id: str, number: int) -> bytes:
    return f"{call_id}/{track_id}/{number}".encode()


def _wrapping_key(private: X25519PrivateKey, public_key: bytes) -> bytes:
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError as error:  # a wrong length, or a point that would make no secret
        raise SealBroken(f"no X25519 public key: {error}") from None
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=INFO).derive(shared)


def _seal(key: bytes, data: bytes, *, about: bytes) -> bytes:
    # A random nonce is safe here: a call has far fewer than 2^32 segments, each call its own key.
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, about)


def _open(key: bytes, sealed: bytes, *, about: bytes) -> bytes:
    if len(sealed) < OVERHEAD_BYTES:
        raise SealBroken(f"{len(sealed)} bytes are too few to be sealed")
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except InvalidTag:
        raise SealBroken(f"{about.decode()}: changed, moved, or another key's") from None
