"""Blobs in a bucket of an S3 server, sealed where keys were given."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator

from services.chassis.blobs import BlobDamaged, NoSuchBlob, key_of
from services.chassis.key_file import read_pairs
from services.chassis.metrics import Reading
from services.chassis.objects import NoSuchObject, Objects
from services.chassis.objects_s3 import S3Objects
from services.chassis.objects_sealed import SealedObjects
from services.chassis.s3 import S3, S3Address
from services.chassis.s3_lock import check_bucket
from services.chassis.sealing import SealBroken

__all__ = ["S3Address", "S3Blobs"]

PREFIX = "blobs"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class S3Blobs:
    """Blobs spread over 256 prefixes by their first two digits, as `DirectoryBlobs` has folders.

    They are never locked: what is written once is said by who keeps it.
    """

    def __init__(self, address: S3Address, *, s3: S3 | None = None) -> None:
        """`s3` is shared with others, who close it; None: one of its own.

        BadS3Address, KeyFileUnusable.
        """
        self._own = s3 is None
        self._s3 = s3 or S3(address)
        kept: Objects = S3Objects(self._s3, prefix=PREFIX)
        if address.key_file:
            kept = SealedObjects(kept, read_pairs(address.key_file))
        self._kept = kept

    def objects(self, use: str) -> S3Objects:
        """Objects of another use beside the blobs; written once, where the address says so."""
        return S3Objects(self._s3, prefix=use, worm=self._s3.address.worm)

    def readings(self) -> Iterator[Reading]:
        """How the server fares, for all who share it; see `S3.readings`."""
        return self._s3.readings()

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
            data = await self._kept.get(_name(sha256))
        except NoSuchObject:
            raise NoSuchBlob(sha256) from None
        except SealBroken as error:
            raise BlobDamaged(f"{sha256}: {error}") from None
        if await asyncio.to_thread(_hash, data) != sha256:
            raise BlobDamaged(sha256)
        return data

    async def has(self, sha256: str) -> bool:
        """See `Blobs.has`; StorageUnavailable and so on."""
        return bool(_SHA256.fullmatch(sha256)) and await self._kept.has(_name(sha256))

    async def _is_whole(self, key: str) -> bool:
        try:
            await self.get(key)
        except (NoSuchBlob, BlobDamaged):
            return False
        return True


def _name(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise NoSuchBlob(sha256[:80])
    return f"{sha256[:2]}/{sha256}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
