"""What every adapter of Objects keeps to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.objects import (
    MAX_OBJECT_BYTES,
    DirectoryObjects,
    MemoryObjects,
    NoSuchObject,
    Objects,
    ObjectTooLarge,
)
from services.chassis.objects_s3 import S3Objects
from services.chassis.objects_sealed import SealedObjects
from services.chassis.s3 import S3
from services.chassis.sealing import SealBroken, generate_key_pair
from services.launcher.parts.minio import MinioServer
from tests.stage.s3 import fresh_bucket

NAME = "_acme/_01/_call%2F/000001.sealed"
WHERE = ("memory", "directory", "s3", "s3-worm", "memory-sealed", "s3-sealed")


@pytest.fixture(params=WHERE)
async def objects(
    request: pytest.FixtureRequest, tmp_path: Path, minio_server: MinioServer
) -> AsyncIterator[Objects]:
    where = str(request.param)
    if where == "directory":
        yield DirectoryObjects(tmp_path / "objects")
        return
    if not where.startswith("s3"):
        memory = MemoryObjects()
        yield SealedObjects(memory, [generate_key_pair()]) if "sealed" in where else memory
        return
    worm = where == "s3-worm"
    s3 = S3(await fresh_bucket(minio_server, worm=worm))
    bucket = S3Objects(s3, prefix="things", worm=worm)
    yield SealedObjects(bucket, [generate_key_pair()]) if "sealed" in where else bucket
    await s3.close()


@pytest.mark.parametrize("data", [b"", b"\x00\n", bytes(range(256)) * 65, bytes(16 << 20)])
async def test_what_was_put_is_got(objects: Objects, data: bytes) -> None:
    await objects.put(NAME, data)
    assert await objects.get(NAME) == data
    assert await objects.has(NAME)


async def test_what_is_put_last_is_got(objects: Objects) -> None:
    await objects.put(NAME, b"one")
    await objects.put(NAME, b"another")
    assert await objects.get(NAME) == b"another"


@pytest.mark.parametrize(
    "name", ["a", "a/b", NAME, "ä ö+&?#%20\\", "_acme/_01/_call/000001.sealed"]
)
async def test_names_are_told_apart(objects: Objects, name: str) -> None:
    await objects.put("other/place", b"x")
    assert not await objects.has(name)
    with pytest.raises(NoSuchObject):
        await objects.get(name)
    await objects.put(name, b"here")
    assert await objects.get(name) == b"here"
    assert await objects.get("other/place") == b"x"


@pytest.mark.parametrize("name", ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0"])
async def test_what_is_no_name_is_refused(objects: Objects, name: str) -> None:
    for work in (objects.put(name, b""), objects.get(name), objects.has(name)):
        with pytest.raises(ValueError, match="no object's name"):
            await work


async def test_too_many_bytes_are_refused(objects: Objects) -> None:
    with pytest.raises(ObjectTooLarge, match=str(MAX_OBJECT_BYTES)):
        await objects.put(NAME, bytes(MAX_OBJECT_BYTES + 1))
    assert not await objects.has(NAME)


async def test_many_at_once_all_arrive(objects: Objects) -> None:
    names = [f"many/{number}" for number in range(100)]
    await asyncio.gather(*(objects.put(name, name.encode()) for name in names))
    assert await asyncio.gather(*map(objects.get, names)) == [name.encode() for name in names]


async def test_sealed_objects_are_bound_to_their_names() -> None:
    inner, pair = MemoryObjects(), generate_key_pair()
    sealed = SealedObjects(inner, [pair])
    await sealed.put("one", b"secret")
    stored = await inner.get("one")
    assert b"secret" not in stored
    await inner.put("two", stored)
    for name, broken in (("two", stored), ("one", stored[:-1]), ("one", b"secret"), ("one", b"{}")):
        await inner.put(name, broken)
        with pytest.raises(SealBroken, match=name):
            await sealed.get(name)


async def test_a_new_key_seals_and_old_ones_still_open() -> None:
    inner, old, new = MemoryObjects(), generate_key_pair(), generate_key_pair()
    await SealedObjects(inner, [old]).put("one", b"before")
    both = SealedObjects(inner, [old, new])
    await both.put("two", b"after")
    assert await both.get("one") == b"before"
    assert await SealedObjects(inner, [new]).get("two") == b"after"
    with pytest.raises(SealBroken, match=old.key_id):
        await SealedObjects(inner, [new]).get("one")
