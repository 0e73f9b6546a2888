"""Bytes kept under their own hash."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import ClassVar, Protocol

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
        key = _key(data)
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
        key = _key(data)
        await asyncio.to_thread(self._write, key, data)
        return key

    async def get(self, sha256: str) -> bytes:
        """The bytes; see `Blobs.get`."""
        path = self._path(sha256)
        try:
            data = await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            raise NoSuchBlob(sha256) from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BlobDamaged(sha256)
        return data

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

    def _write(self, key: str, data: bytes) -> None:
        path = self._path(key)
        if path.exists() and path.read_bytes() == data:
            return  # what is damaged is written anew
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        # The rename is durable only once its folder is.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _key(data: bytes) -> str:
    if len(data) > MAX_BLOB_BYTES:
        raise BlobTooLarge(f"{len(data)} bytes, at most {MAX_BLOB_BYTES}")
    return hashlib.sha256(data).hexdigest()
