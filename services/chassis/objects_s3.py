"""Objects in a bucket of an S3 server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice
from time import monotonic

from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.retention import Retention
from urllib3.response import BaseHTTPResponse

from services.chassis.log import get_logger
from services.chassis.objects import (
    MAX_OBJECT_BYTES,
    NoSuchObject,
    ObjectTooLarge,
    StorageUnavailable,
    checked,
    limited,
)
from services.chassis.s3 import S3, SLOWEST_BYTES_S

PART_BYTES = 5 * 1024 * 1024
"""Larger objects travel in parts of so many; the least that S3 takes."""
PIECE_BYTES = 256 * 1024
MAX_VERSIONS = 100
"""Of one object, that are looked through."""

log = get_logger("storage")

Now = Callable[[], datetime]


class S3Objects:
    """Objects below a prefix of the bucket, held by the server where they are written once."""

    def __init__(
        self,
        s3: S3,
        *,
        prefix: str,
        worm: bool = False,
        now: Now = lambda: datetime.now(UTC),
    ) -> None:
        """`prefix` ends without a slash. `worm`: each object is locked for `retention_days`."""
        self._s3 = s3
        self._prefix = checked(prefix)
        self._worm = worm
        self._now = now

    async def put(self, name: str, data: bytes) -> None:
        """See `Objects.put`. Where it is written once, earlier versions stay beside it."""
        key, held = self._key(name), self._retention()
        bucket = self._s3.address.bucket

        def write(client: Minio) -> None:
            client.put_object(
                bucket,
                key,
                BytesIO(data),
                len(data),
                part_size=PART_BYTES,
                num_parallel_uploads=1,  # more would be threads that nobody counts
                retention=held,
            )

        await self._s3.ask(write, about=f"writing {key}", size=len(limited(data)))

    async def get(self, name: str) -> bytes:
        """See `Objects.get`. What is held and was removed by its name is given all the same."""
        key = self._key(name)
        try:
            return await self._read(key, None)
        except NoSuchObject:
            version = await self._held_version(key)
            if version is None:
                raise
        # Somebody with a key to the bucket did that: the lock keeps versions, not their names.
        log.error("held object was removed by its name", object=key, version=version)
        return await self._read(key, version)

    async def has(self, name: str) -> bool:
        """See `Objects.has`."""
        key, bucket = self._key(name), self._s3.address.bucket
        try:
            await self._s3.ask(
                lambda client: client.stat_object(bucket, key), about=f"looking for {key}"
            )
        except NoSuchObject:
            return await self._held_version(key) is not None
        return True

    async def _read(self, key: str, version: str | None) -> bytes:
        address = self._s3.address

        def read(client: Minio) -> bytes:
            response = client.get_object(address.bucket, key, version_id=version)
            try:
                return _body(response, address.timeout_s, key)
            finally:
                response.close()
                response.release_conn()

        # How large it is nobody knows before: a large one gets its time from the reading itself.
        return await self._s3.ask(read, about=f"reading {key}", size=MAX_OBJECT_BYTES)

    async def _held_version(self, key: str) -> str | None:
        """The newest version of what has been removed; None: there is none, or nothing is held."""
        if not self._worm:
            return None
        bucket = self._s3.address.bucket

        def look(client: Minio) -> str | None:
            versions = client.list_objects(bucket, prefix=key, recursive=True, include_version=True)
            for each in islice(versions, MAX_VERSIONS):
                if each.object_name == key and not each.is_delete_marker:
                    return str(each.version_id)
            return None

        return await self._s3.ask(look, about=f"looking for versions of {key}")

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{checked(name)}"

    def _retention(self) -> Retention | None:
        if not self._worm:
            return None
        days = timedelta(days=self._s3.address.retention_days)
        return Retention(COMPLIANCE, self._now() + days)


def _body(response: BaseHTTPResponse, timeout_s: float, key: str) -> bytes:
    """All of it; a server that sends it drop by drop is left, as one that sends nothing is."""
    began_s, parts, size = monotonic(), [], 0
    # What has come is taken as it comes: to wait for a whole piece could be to wait for hours.
    while piece := response.read1(PIECE_BYTES, decode_content=False):
        parts.append(piece)
        size += len(piece)
        if size > MAX_OBJECT_BYTES:
            raise ObjectTooLarge(f"{key} has more than {MAX_OBJECT_BYTES} bytes")
        if monotonic() - began_s > timeout_s + size / SLOWEST_BYTES_S:
            raise StorageUnavailable(f"reading {key}: {size} bytes in {timeout_s} s and more")
    return b"".join(parts)
