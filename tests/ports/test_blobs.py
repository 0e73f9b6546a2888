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
from services.chassis.objects_s3 import S3Objects
from services.chassis.s3 import S3
from services.launcher.parts.minio import MinioServer
from tests.stage.s3 import fresh_bucket, write_key


@pytest.fixture(params=["memory", "directory", "s3", "s3-sealed"])
async def blobs(
    request: pytest.FixtureRequest, tmp_path: Path, minio_server: MinioServer
) -> AsyncIterator[Blobs]:
    if request.param == "memory":
        yield MemoryBlobs()
    elif request.param == "directory":
        yield DirectoryBlobs(tmp_path / "blobs")
    else:
        key_file = write_key(tmp_path / "keys") if request.param == "s3-sealed" else None
        kept = S3Blobs(await fresh_bucket(minio_server, key_file=key_file))
        yield kept
        await kept.close()


@pytest.mark.parametrize("data", [b"", b"\x00", b"text", bytes(range(256)) * 4096, bytes(11 << 20)])
async def test_bytes_come_back_by_their_hash(blobs: Blobs, data: bytes) -> None:
    key = await blobs.put(data)
    assert key == hashlib.sha256(data).hexdigest()
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
