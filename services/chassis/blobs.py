"""Bytes kept under their own hash."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path
from typing import ClassVar, Protocol

from services.chassis import durable
from services.chassis.errors import CarillonError, Kind

MAX_BLOB_BYTES = 64 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class NoSuchBlob(CarillonError):
    """Nothing is kept under this hash."""

    code: ClassVar[str] = "no-such-blob"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class BlobTooLarge(CarillonError):
    """More than 64 MiB were handed over as one blob."""

    code: ClassVar[str] = "blob-too-large"
    kind: ClassVar[Kind] = Kind.INVALID


class BlobDamaged(CarillonError):
    """What is kept under this hash does not hash to it any more."""

    code: ClassVar[str] = "blob-damaged"
    kind: ClassVar[Kind] = Kind.INTERNAL


class Blobs(Protocol):
    """Content-addressed storage. Keys are lower-case hex SHA-256 of the bytes."""

    async def put(self, data: bytes) -> str:
        """Keeps bytes durably and tells their key; the same bytes again change nothing."""

    async def get(self, sha256: str) -> bytes:
        """The bytes, checked against their key; NoSuchBlob or BlobDamaged."""

    async def has(self, sha256: str) -> bool:
        """Whether something is kept under the key."""


class MemoryBlobs:
    """Blobs for tests and simulation: gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, data: bytes) -> str:
        """Keeps bytes; see `Blobs.put`."""
        key = key_of(data)
        self._kept[key] = data
        return key

    async def get(self, sha256: str) -> bytes:
        """The bytes; see `Blobs.get`."""
        try:
            return self._kept[sha256]
        except KeyError:
            raise NoSuchBlob(sha256) from None

    async def has(self, sha256: str) -> bool:
        """Whether it is kept."""
        return sha256 in self._kept


class DirectoryBlobs:
    """Blobs as files of one directory, spread over 256 folders by their first two digits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, data: bytes) -> str:
        """Keeps bytes on disk, synced before it returns; see `Blobs.put`."""
        return await asyncio.to_thread(self._write, data)

    async def get(self, sha256: str) -> bytes:
        """The bytes; see `Blobs.get`."""
        return await asyncio.to_thread(self._read, sha256)

    async def has(self, sha256: str) -> bool:
        """Whether it is kept."""
        try:
            return await asyncio.to_thread(self._path(sha256).exists)
        except NoSuchBlob:
            return False

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise NoSuchBlob(sha256[:80])
        return self._folder / sha256[:2] / sha256

    # Both of these in a thread: to hash 64 MiB takes as long as several packets of a call.
    def _read(self, key: str) -> bytes:
        try:
            data = self._path(key).read_bytes()
        except FileNotFoundError:
            raise NoSuchBlob(key) from None
        if hashlib.sha256(data).hexdigest() != key:
            raise BlobDamaged(key)
        return data

    def _write(self, data: bytes) -> str:
        key = key_of(data)
        path = self._path(key)
        if path.exists() and path.read_bytes() == data:
            return key  # what is damaged is written anew
        durable.replace(path, data)
        return key


def key_of(data: bytes) -> str:
    """The key of bytes: their SHA-256 in lower-case hex; BlobTooLarge."""
    if len(data) > MAX_BLOB_BYTES:
        raise BlobTooLarge(f"{len(data)} bytes, at most {MAX_BLOB_BYTES}")
    return hashlib.sha256(data).hexdigest()
