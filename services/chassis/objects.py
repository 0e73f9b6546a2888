"""Bytes under names: the port of what is too large for a database, in memory and in a directory.

A name is parts divided by slashes. No part is empty, `.` or `..`: whoever makes names from what
comes from outside escapes it first.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from services.chassis import durable
from services.chassis.errors import CarillonError, Kind

MAX_OBJECT_BYTES = 65 * 1024 * 1024
"""More than the largest blob with what sealing adds to it."""
_FULL = {errno.ENOSPC, errno.EDQUOT}


class NoSuchObject(CarillonError):
    """Nothing is kept under this name."""

    code: ClassVar[str] = "no-such-object"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class ObjectTooLarge(CarillonError):
    """More than 65 MiB were handed over, or found, as one object."""

    code: ClassVar[str] = "object-too-large"
    kind: ClassVar[Kind] = Kind.INVALID


class StorageUnavailable(CarillonError):
    """The storage cannot be reached now, or not in time; the same again may succeed."""

    code: ClassVar[str] = "storage-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class StorageFull(CarillonError):
    """The storage has no room left; what was kept before is still there."""

    code: ClassVar[str] = "storage-full"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class StorageRefused(CarillonError):
    """The storage answers and will not do it; the text says what to set right.

    Its kind is that of an outage: whoever holds the bytes keeps them until it was set right.
    """

    code: ClassVar[str] = "storage-refused"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Objects(Protocol):
    """Storage under names. All raise StorageUnavailable, StorageFull and StorageRefused."""

    async def put(self, name: str, data: bytes) -> None:
        """Keeps bytes, durable when it returns, in place of what was there; ObjectTooLarge."""

    async def get(self, name: str) -> bytes:
        """What was put last; NoSuchObject."""

    async def has(self, name: str) -> bool:
        """Whether something is kept under the name."""


class MemoryObjects:
    """Objects for tests and simulation: gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, name: str, data: bytes) -> None:
        """See `Objects.put`."""
        self._kept[checked(name)] = limited(data)

    async def get(self, name: str) -> bytes:
        """See `Objects.get`."""
        try:
            return self._kept[checked(name)]
        except KeyError:
            raise NoSuchObject(name) from None

    async def has(self, name: str) -> bool:
        """See `Objects.has`."""
        return checked(name) in self._kept


class DirectoryObjects:
    """Objects as files below a folder, for this user only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """The file of a name."""
        return self._folder / checked(name)

    async def put(self, name: str, data: bytes) -> None:
        """Synced before it returns; see `Objects.put`."""
        await asyncio.to_thread(_write, self.path(name), limited(data))

    async def get(self, name: str) -> bytes:
        """See `Objects.get`."""
        return await asyncio.to_thread(_read, self.path(name), name)

    async def has(self, name: str) -> bool:
        """See `Objects.has`."""
        return await asyncio.to_thread(self.path(name).is_file)


def checked(name: str) -> str:
    """The name, if it is one; ValueError: the program that made it is at fault."""
    if any(part in ("", ".", "..") or "\0" in part for part in name.split("/")):
        raise ValueError(f"{name[:200]!r} is no object's name")
    return name


def limited(data: bytes) -> bytes:
    """The bytes, if they are not too many; ObjectTooLarge."""
    if len(data) > MAX_OBJECT_BYTES:
        raise ObjectTooLarge(f"{len(data)} bytes, at most {MAX_OBJECT_BYTES}")
    return data


def _read(path: Path, name: str) -> bytes:
    with _named():
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise NoSuchObject(name) from None


def _write(path: Path, data: bytes) -> None:
    with _named():
        durable.replace(path, data)


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(f"{error.strerror}: {error.filename or 'the disk'}") from None
        raise StorageUnavailable(str(error)) from error
