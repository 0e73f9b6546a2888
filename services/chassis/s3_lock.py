"""Whether a bucket holds what is written once: tried out, because nobody's word for it counts.

Servers were seen that take a lock's headers and delete all the same, and others that refuse the
deletion but let the lock be shortened to nothing. So a canary is written under a lock of minutes,
and what would free it is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice
from typing import ClassVar
from uuid import uuid4

from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.error import S3Error
from minio.retention import Retention

from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.objects import NoSuchObject, StorageRefused
from services.chassis.s3 import S3

log = get_logger("storage")

PREFIX = "canary"
HELD = timedelta(minutes=10)
SHORTER = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(seconds=2)
"""Servers round."""
MAX_SWEPT = 100
"""Canaries of earlier starts that are removed at once, when their lock has passed."""
SONG = b"Whoever can free this before its time is not to be trusted with recordings.\n"
_NO_LOCK = "ObjectLockConfigurationNotFoundError"

Now = Callable[[], datetime]


class LockNotReal(CarillonError):
    """The bucket does not hold what is written once; the text says what could be done to it."""

    code: ClassVar[str] = "object-lock-not-real"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class BucketUnusable(CarillonError):
    """The server refuses what every start needs; waiting will not help, the text says what may."""

    code: ClassVar[str] = "bucket-unusable"
    kind: ClassVar[Kind] = Kind.PRECONDITION


async def make_bucket(s3: S3) -> None:
    """Makes the bucket when it is not there, with object lock where WORM is on; StorageRefused."""
    address = s3.address

    def make(client: Minio) -> None:
        if not client.bucket_exists(address.bucket):
            client.make_bucket(address.bucket, location=address.region, object_lock=address.worm)

    await s3.ask(make, about=f"making bucket {address.bucket}")


async def check_bucket(s3: S3, *, now: Now = lambda: datetime.now(UTC)) -> None:
    """Writes and reads; where WORM is on, tries to free what is locked, too.

    LockNotReal when the bucket has no lock, or one that gives way; BucketUnusable when it is not
    there or the keys are wrong; StorageUnavailable.
    """
    canary = _Canary(s3, name=f"{PREFIX}/{now():%Y%m%dT%H%M%SZ}-{uuid4().hex}", now=now)
    try:
        if not s3.address.worm:
            await canary.fly()
            return
        await canary.look_for_lock()
        await canary.be_held()
    except StorageRefused as error:
        raise BucketUnusable(str(error)) from None
    log.info("object lock is real", bucket=s3.address.bucket)
    await canary.sweep()


class _Canary:
    """One object, and what is tried on it."""

    def __init__(self, s3: S3, *, name: str, now: Now) -> None:
        self._s3 = s3
        self._bucket = s3.address.bucket
        self._name = name
        self._now = now

    async def fly(self) -> None:
        """Is written, read and removed."""
        version = await self._write(None)
        await self._still_there(version)
        await self._s3.ask(
            lambda client: client.remove_object(self._bucket, self._name),
            about=f"removing {self._name}",
        )

    async def look_for_lock(self) -> None:
        """LockNotReal when the bucket was made without."""

        def has_lock(client: Minio) -> bool:
            try:
                client.get_object_lock_config(self._bucket)
            except S3Error as error:
                if error.code == _NO_LOCK:
                    return False
                raise
            return True

        if not await self._s3.ask(has_lock, about=f"bucket {self._bucket}"):
            raise LockNotReal(
                f"bucket {self._bucket} has no object lock, which it can only be made with: "
                "name another bucket, or turn WORM off"
            )

    async def be_held(self) -> None:
        """Is locked, and LockNotReal when anything frees it."""
        now = self._now()
        until = now + HELD
        version = await self._write(Retention(COMPLIANCE, until))
        if not version:
            raise LockNotReal(f"bucket {self._bucket} keeps no versions, so it can hold none")
        shorter, weaker = Retention(COMPLIANCE, now + SHORTER), Retention(GOVERNANCE, until)
        if not await self._refused(lambda client: self._remove(client, version)):
            raise LockNotReal(f"a locked object could be deleted from bucket {self._bucket}")
        if not await self._refused(lambda client: self._relock(client, shorter, version)):
            raise LockNotReal(f"an object's lock could be shortened in bucket {self._bucket}")
        if not await self._refused(lambda client: self._relock(client, weaker, version)):
            raise LockNotReal(f"an object's lock could be weakened in bucket {self._bucket}")
        await self._still_locked(version, until)
        await self._still_there(version)

    async def sweep(self) -> None:
        """Removes what earlier starts left, as far as it may."""
        old = self._now() - HELD - CLOCKS_DIFFER

        def sweep(client: Minio) -> None:
            left = client.list_objects(
                self._bucket, prefix=f"{PREFIX}/", recursive=True, include_version=True
            )
            for each in islice(left, MAX_SWEPT):
                if each.object_name and each.last_modified and each.last_modified < old:
                    with suppress(S3Error):  # one that must stay does not keep the others
                        client.remove_object(self._bucket, each.object_name, each.version_id)

        try:
            await self._s3.ask(sweep, about="removing old canaries")
        except CarillonError as error:
            log.warning("old canaries stay", code=error.code, reason=str(error))

    async def _write(self, held: Retention | None) -> str | None:
        return await self._s3.ask(
            lambda client: (
                client.put_object(
                    self._bucket, self._name, BytesIO(SONG), len(SONG), retention=held
                ).version_id
            ),
            about=f"writing to bucket {self._bucket}",
        )

    async def _refused(self, work: Callable[[Minio], None]) -> bool:
        try:
            await self._s3.ask(work, about=f"trying to free {self._name}")
        except StorageRefused:
            return True
        except NoSuchObject:
            return False
        return False

    def _remove(self, client: Minio, version: str) -> None:
        client.remove_object(self._bucket, self._name, version)

    def _relock(self, client: Minio, lock: Retention, version: str) -> None:
        client.set_object_retention(self._bucket, self._name, lock, version)

    async def _still_locked(self, version: str, until: datetime) -> None:
        lock = await self._s3.ask(
            lambda client: client.get_object_retention(self._bucket, self._name, version),
            about=f"the lock of {self._name}",
        )
        if (
            lock is None
            or lock.mode != COMPLIANCE
            or lock.retain_until_date < until - CLOCKS_DIFFER
        ):
            raise LockNotReal(f"bucket {self._bucket} does not tell the lock that it was given")

    async def _still_there(self, version: str | None) -> None:
        def read(client: Minio) -> bytes:
            response = client.get_object(self._bucket, self._name, version_id=version)
            try:
                return response.read(len(SONG) + 1)
            finally:
                response.close()
                response.release_conn()

        try:
            found = await self._s3.ask(read, about=f"reading {self._name}")
        except NoSuchObject:
            found = b""
        if found != SONG:
            raise LockNotReal(f"bucket {self._bucket} does not give back what was written to it")
