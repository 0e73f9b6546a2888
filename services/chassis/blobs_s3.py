"""Blobs in a bucket of an S3 server, sealed where keys were given."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator, Sequence

from services.chassis.blobs import BlobDamaged, NoSuchBlob, key_of
from services.chassis.disk_cache import DiskCache
from services.chassis.key_file import read_pairs
from services.chassis.metrics import Reading
from services.chassis.objects import NoSuchObject, Objects
from services.chassis.objects_cached import CachedObjects
from services.chassis.objects_s3 import S3Objects
from services.chassis.objects_sealed import SealedObjects
from services.chassis.s3 import S3, S3Address
from services.chassis.s3_lock import check_bucket
from services.chassis.sealing import KeyPair, SealBroken

__all__ = ["S3Address", "S3Blobs"]

PREFIX = "blobs"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class S3Blobs:
    """Blobs spread over 256 prefixes by their first two digits, as `DirectoryBlobs` has folders.

    They are never locked: what is written once is said by who keeps it. With a cache, what was read
    before is read again while the server is away, also by the next process.
    """

    def __init__(
        self, address: S3Address, *, s3: S3 | None = None, cache: DiskCache | None = None
    ) -> None:
        """`s3` is shared with others, who close it; None: one of its own.

        BadS3Address, KeyFileUnusable.
        """
        self._own = s3 is None
        self._s3 = s3 or S3(address)
        self._cache = cache
        stored = S3Objects(self._s3, prefix=PREFIX)
        path = address.key_file
        pairs = read_pairs(path, setting="CARILLON_S3_KEY_FILE") if path else ()
        self._kept = _opened(stored, pairs)
        self._cached = CachedObjects(stored, cache) if cache is not None else None
        self._near = _opened(self._cached, pairs) if self._cached is not None else self._kept

    def objects(self, use: str) -> S3Objects:
        """Objects of another use beside the blobs; written once, where the address says so."""
        return S3Objects(self._s3, prefix=use, worm=self._s3.address.worm)

    def readings(self) -> Iterator[Reading]:
        """How the server fares, for all who share it, and the cache; see `S3.readings`."""
        yield from self._s3.readings()
        if self._cache is not None:
            yield from self._cache.readings()

    async def check(self) -> None:
        """Whether the bucket is as the address says, at a start; see `check_bucket`."""
        await check_bucket(self._s3)

    async def close(self) -> None:
        """Lets go of what is its own."""
        if self._own:
            await self._s3.close()

    async def put(self, data: bytes) -> str:
        """See `Blobs.put`; StorageUnavailable and so on."""
        key = await asyncio.to_thread(key_of, data)
        if not await self._is_whole(key):  # what is damaged is written anew
            await self._kept.put(_name(key), data)
        return key

    async def get(self, sha256: str) -> bytes:
        """See `Blobs.get`; StorageUnavailable and so on."""
        try:
            return await _whole(self._near, sha256)
        except BlobDamaged:
            if self._cached is None:
                raise
        # Here, or in the bucket when it was read: it is asked for anew, and kept the next time.
        await self._cached.drop(_name(sha256))
        return await _whole(self._kept, sha256)

    async def has(self, sha256: str) -> bool:
        """See `Blobs.has`; StorageUnavailable and so on."""
        return bool(_SHA256.fullmatch(sha256)) and await self._kept.has(_name(sha256))

    async def _is_whole(self, key: str) -> bool:
        try:
            await _whole(self._kept, key)
        except (NoSuchBlob, BlobDamaged):
            return False
        return True


async def _whole(objects: Objects, sha256: str) -> bytes:
    """The bytes, checked against their key; NoSuchBlob, BlobDamaged."""
    try:
        data = await objects.get(_name(sha256))
    except NoSuchObject:
        raise NoSuchBlob(sha256) from None
    except SealBroken as error:
        raise BlobDamaged(f"{sha256}: {error}") from None
    if await asyncio.to_thread(_hash, data) != sha256:
        raise BlobDamaged(sha256)
    return data


def _opened(stored: Objects, pairs: Sequence[KeyPair]) -> Objects:
    return SealedObjects(stored, pairs) if pairs else stored


def _name(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise NoSuchBlob(sha256[:80])
    return f"{sha256[:2]}/{sha256}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
