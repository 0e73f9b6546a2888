"""What every adapter of Blobs keeps to."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis.blobs import (
    MAX_BLOB_BYTES,
    BlobDamaged,
    Blobs,
    BlobTooLarge,
    DirectoryBlobs,
    MemoryBlobs,
    NoSuchBlob,
)
from services.chassis.blobs_s3 import S3Blobs
from services.chassis.disk_cache import DiskCache
from services.chassis.objects import StorageUnavailable
from services.chassis.objects_s3 import S3Objects
from services.chassis.s3 import S3
from services.launcher.parts.minio import MinioServer
from services.launcher.ports import free_port
from tests.stage.s3 import fresh_bucket, write_key


@pytest.fixture(params=["memory", "directory", "s3", "s3-sealed", "s3-cached", "s3-sealed-cached"])
async def blobs(
    request: pytest.FixtureRequest, tmp_path: Path, minio_server: MinioServer
) -> AsyncIterator[Blobs]:
    if request.param == "memory":
        yield MemoryBlobs()
    elif request.param == "directory":
        yield DirectoryBlobs(tmp_path / "blobs")
    else:
        sealed, cached = "sealed" in request.param, "cached" in request.param
        key_file = write_key(tmp_path / "keys") if sealed else None
        address = await fresh_bucket(minio_server, key_file=key_file)
        kept = S3Blobs(address, cache=cache_in(tmp_path) if cached else None)
        yield kept
        await kept.close()


def cache_in(folder: Path) -> DiskCache:
    return DiskCache(folder / "cache", max_bytes=256 << 20, min_free_bytes=0)


@pytest.mark.parametrize("data", [b"", b"\x00", b"text", bytes(range(256)) * 4096, bytes(11 << 20)])
async def test_bytes_come_back_by_their_hash(blobs: Blobs, data: bytes) -> None:
    key = await blobs.put(data)
    assert key == hashlib.sha256(data).hexdigest()
    for _ in range(2):
        assert await blobs.get(key) == data
    assert await blobs.has(key)


async def test_the_same_bytes_again_change_nothing(blobs: Blobs) -> None:
    keys = await asyncio.gather(*(blobs.put(b"same") for _ in range(10)))
    assert len(set(keys)) == 1
    assert await blobs.get(keys[0]) == b"same"


@pytest.mark.parametrize(
    "key", ["0" * 64, "", "short", "../../etc/passwd", "A" * 64, "0" * 63 + "\n", "é" * 64]
)
async def test_what_was_never_put_is_not_there(blobs: Blobs, key: str) -> None:
    await blobs.put(b"something else")
    assert not await blobs.has(key)
    with pytest.raises(NoSuchBlob):
        await blobs.get(key)


async def test_too_many_bytes_are_refused(blobs: Blobs) -> None:
    data = bytes(MAX_BLOB_BYTES + 1)
    with pytest.raises(BlobTooLarge, match=str(MAX_BLOB_BYTES)):
        await blobs.put(data)
    assert not await blobs.has(hashlib.sha256(data).hexdigest())


async def test_a_directory_keeps_across_restarts(tmp_path: Path) -> None:
    key = await DirectoryBlobs(tmp_path).put(b"kept")
    assert await DirectoryBlobs(tmp_path).get(key) == b"kept"


async def test_a_directory_is_private_and_holds_no_leftovers(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    key = await DirectoryBlobs(folder).put(b"private")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files == [folder / key[:2] / key]
    assert files[0].stat().st_mode & 0o777 == 0o600
    assert {each.stat().st_mode & 0o777 for each in (folder, folder / key[:2])} == {0o700}
    assert files[0].parent.stat().st_mode & 0o777 == 0o700


async def test_damage_in_a_directory_is_told_and_healed_by_the_right_bytes(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    key = await blobs.put(b"the right bytes")
    (tmp_path / key[:2] / key).write_bytes(b"the wrong bytes")
    with pytest.raises(BlobDamaged, match=key):
        await blobs.get(key)
    assert await blobs.put(b"the right bytes") == key
    assert await blobs.get(key) == b"the right bytes"


async def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    key = hashlib.sha256(b"data").hexdigest()
    (tmp_path / key[:2] / key).mkdir(parents=True)  # no file can take its place
    with pytest.raises(IsADirectoryError):
        await blobs.put(b"data")
    assert list((tmp_path / key[:2]).iterdir()) == [tmp_path / key[:2] / key]


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("wrong", [b"", b"the wrong bytes"])
async def test_damage_in_a_bucket_is_told_and_healed_by_the_right_bytes(
    minio_server: MinioServer, tmp_path: Path, wrong: bytes, *, sealed: bool
) -> None:
    key_file = write_key(tmp_path / "keys") if sealed else None
    address = await fresh_bucket(minio_server, key_file=key_file)
    blobs, s3 = S3Blobs(address), S3(address)
    key = await blobs.put(b"the right bytes")
    await S3Objects(s3, prefix="blobs").put(f"{key[:2]}/{key}", wrong)
    with pytest.raises(BlobDamaged, match=key):
        await blobs.get(key)
    assert await blobs.put(b"the right bytes") == key
    assert await blobs.get(key) == b"the right bytes"
    await blobs.close()
    await s3.close()


async def test_what_is_sealed_is_not_readable_in_the_bucket(
    minio_server: MinioServer, tmp_path: Path
) -> None:
    address = await fresh_bucket(minio_server, key_file=write_key(tmp_path / "keys"))
    blobs, s3 = S3Blobs(address), S3(address)
    key = await blobs.put(b"Good morning, Mrs Miller")
    stored = await S3Objects(s3, prefix="blobs").get(f"{key[:2]}/{key}")
    assert b"Miller" not in stored
    write_key(tmp_path / "other")
    stranger = S3Blobs(replace(address, key_file=tmp_path / "other"))
    with pytest.raises(BlobDamaged, match="there is no private key"):
        await stranger.get(key)
    for each in (blobs, stranger, s3):
        await each.close()


@pytest.mark.parametrize("sealed", [False, True])
async def test_what_was_read_before_a_restart_is_read_with_the_bucket_away(
    minio_server: MinioServer, tmp_path: Path, *, sealed: bool
) -> None:
    key_file = write_key(tmp_path / "keys") if sealed else None
    address = await fresh_bucket(minio_server, key_file=key_file)
    before = S3Blobs(address, cache=cache_in(tmp_path))
    read, unread = await before.put(b"Good morning, Mrs Miller"), await before.put(b"Good night")
    await before.get(read)
    await before.close()
    nowhere = replace(address, endpoint=f"http://127.0.0.1:{free_port()}", timeout_s=0.5)
    after = S3Blobs(nowhere, cache=cache_in(tmp_path))
    assert await after.get(read) == b"Good morning, Mrs Miller"
    with pytest.raises(StorageUnavailable):
        await after.get(unread)
    (file,) = (tmp_path / "cache").iterdir()
    assert file.name == read
    assert (b"Miller" in file.read_bytes()) != sealed
    await after.close()


@pytest.mark.parametrize("sealed", [False, True])
async def test_a_damaged_cache_is_read_anew_and_a_damaged_bucket_is_not_hidden(
    minio_server: MinioServer, tmp_path: Path, *, sealed: bool
) -> None:
    key_file = write_key(tmp_path / "keys") if sealed else None
    address = await fresh_bucket(minio_server, key_file=key_file)
    cache, s3 = cache_in(tmp_path), S3(address)
    blobs, stored = S3Blobs(address, cache=cache), S3Objects(s3, prefix="blobs")
    key = await blobs.put(b"the right bytes")
    await blobs.get(key)
    cache.keep(key, b"whole, and wrong all the same")
    assert await blobs.get(key) == b"the right bytes"
    await blobs.get(key)
    await stored.put(f"{key[:2]}/{key}", b"the wrong bytes")
    # What is here is right. Whoever writes it again looks at the bucket, and heals it.
    assert await blobs.get(key) == b"the right bytes"
    await blobs.put(b"the right bytes")
    assert await stored.get(f"{key[:2]}/{key}") != b"the wrong bytes"
    await blobs.close()
    await s3.close()
