"""The canary: a lock is believed only where nothing frees what it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from minio.commonconfig import COMPLIANCE
from pydantic import SecretStr

from services.chassis.objects import StorageUnavailable
from services.chassis.objects_s3 import S3Objects
from services.chassis.s3 import S3, S3Address
from services.chassis.s3_lock import HELD, BucketUnusable, LockNotReal, check_bucket, make_bucket
from services.launcher.parts.minio import MinioServer
from tests.stage.fake_s3 import FakeS3, fake_s3
from tests.stage.s3 import address_of, fresh_bucket


@asynccontextmanager
async def opened(address: S3Address) -> AsyncIterator[S3]:
    s3 = S3(address)
    yield s3
    await s3.close()


async def check(address: S3Address) -> None:
    async with opened(address) as s3:
        await check_bucket(s3)


def faked(fake: FakeS3, *, worm: bool = True) -> S3Address:
    return S3Address(
        endpoint=fake.url,
        access_key="key",
        secret_key=SecretStr("secret"),
        bucket="recordings",
        worm=worm,
    )


@pytest.mark.parametrize("worm", [True, False])
async def test_minio_is_accepted(minio_server: MinioServer, *, worm: bool) -> None:
    await check(await fresh_bucket(minio_server, worm=worm))


async def test_a_server_that_keeps_its_word_is_accepted() -> None:
    with fake_s3() as fake:
        await check(faked(fake))


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("deletes_locked", "could be deleted from bucket recordings"),
        ("shortens_locks", "could be shortened in bucket recordings"),
        ("weakens_locks", "could be weakened in bucket recordings"),
        ("forgets_locks", "does not tell the lock"),
    ],
)
async def test_a_server_that_breaks_its_word_is_refused(how: str, why: str) -> None:
    said: dict[str, Any] = {how: True}
    with fake_s3(**said) as fake, pytest.raises(LockNotReal, match=why):
        await check(faked(fake))


async def test_a_server_without_versions_is_refused() -> None:
    with fake_s3(keeps_versions=False) as fake, pytest.raises(LockNotReal, match="no versions"):
        await check(faked(fake))


async def test_a_bucket_without_lock_is_refused_in_words(minio_server: MinioServer) -> None:
    plain = await fresh_bucket(minio_server)
    with pytest.raises(LockNotReal, match=f"{plain.bucket} has no object lock.*turn WORM off"):
        await check(address_of(minio_server, bucket=plain.bucket, worm=True))


async def test_without_worm_no_lock_is_looked_for() -> None:
    with fake_s3(has_lock=False, deletes_locked=True) as fake:
        await check(faked(fake, worm=False))
        assert fake.versions == {}


async def test_a_server_that_fails_is_not_taken_for_one_that_refuses() -> None:
    broken = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
    with fake_s3(deletes_locked=True) as fake:
        address = faked(fake)
        async with opened(address) as s3:
            fake.answers += [broken] * 20
            with pytest.raises(StorageUnavailable):
                await check_bucket(s3)


@pytest.mark.parametrize("worm", [True, False])
async def test_a_bucket_that_is_not_there_is_told(minio_server: MinioServer, *, worm: bool) -> None:
    with pytest.raises((BucketUnusable, LockNotReal), match=r"no such bucket|no object lock"):
        await check(address_of(minio_server, worm=worm))


async def test_a_bucket_is_made_once_with_its_lock(minio_server: MinioServer) -> None:
    async with opened(address_of(minio_server, worm=True)) as s3:
        await make_bucket(s3)
        await make_bucket(s3)
        await check_bucket(s3)


async def test_what_is_written_once_is_held_for_its_days(minio_server: MinioServer) -> None:
    address = await fresh_bucket(minio_server, worm=True, retention_days=7)
    async with opened(address) as s3:
        now = datetime.now(UTC)
        await S3Objects(s3, prefix="recordings", worm=True, now=lambda: now).put("a/b", b"x")
        await S3Objects(s3, prefix="recordings", worm=True, now=lambda: now).put(
            "l", bytes(6 << 20)
        )
        for name in ("recordings/a/b", "recordings/l"):
            lock = await s3.ask(
                lambda client, name=name: client.get_object_retention(address.bucket, name),  # type: ignore[misc]  # a lambda has no types
                about=name,
            )
            assert lock is not None
            assert lock.mode == COMPLIANCE
            assert abs(lock.retain_until_date - now - timedelta(days=7)) < timedelta(seconds=1)


async def test_canaries_do_not_heap_up(minio_server: MinioServer) -> None:
    address = await fresh_bucket(minio_server, worm=True)

    def left(client: Any) -> list[str]:
        listed = client.list_objects(address.bucket, prefix="canary/", recursive=True)
        return [each.object_name for each in listed]

    async with opened(address) as s3:
        await s3.ask(
            lambda client: client.put_object(address.bucket, "canary/old", BytesIO(b""), 0),
            about="an old one",
        )
        await check_bucket(s3)
        assert len(await s3.ask(left, about="canaries")) == 2
        # As if it were later: what has lost its lock goes, what is still held stays.
        later = datetime.now(UTC) + 2 * HELD
        await check_bucket(s3, now=lambda: later)
        names = await s3.ask(left, about="canaries")
        assert "canary/old" not in names
        assert len(names) == 2
