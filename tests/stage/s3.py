"""An S3 server for tests: a real MinIO for each test process, a bucket for each test."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from pydantic import SecretStr

from services.chassis.s3 import S3, S3Address
from services.chassis.s3_lock import make_bucket
from services.chassis.sealing import generate_key_pair
from services.launcher.parts import minio
from services.launcher.parts.minio import MinioServer, ServerFiles

_numbers = count(1)


@asynccontextmanager
async def running_minio(
    *, files: ServerFiles | None = None, domain: str = ""
) -> AsyncIterator[MinioServer]:
    """A server in a folder of its own, which goes with it; PartMissing says what to do."""
    program = await asyncio.to_thread(minio.ready)
    folder = Path(tempfile.mkdtemp(prefix="carillon-s3-"))
    try:
        async with MinioServer(folder, program=program, files=files, domain=domain) as server:
            yield server
    finally:
        shutil.rmtree(folder)


def write_key(path: Path) -> Path:
    """A file with one new private key."""
    path.touch(mode=0o600)
    path.write_text(generate_key_pair().private_key.hex() + "\n")
    return path


def address_of(server: MinioServer, **said: object) -> S3Address:
    """A bucket of the server that nobody has written to, and that is not made yet."""
    told = {
        "endpoint": server.url,
        "access_key": server.user,
        "secret_key": SecretStr(server.password),
        "bucket": f"carillon-{next(_numbers)}",
        "ca_file": server.files.authority if server.files else None,
    }
    return S3Address(**{**told, **said})  # type: ignore[arg-type]  # a test says what it means


async def fresh_bucket(server: MinioServer, **said: object) -> S3Address:
    """The same, made."""
    address = address_of(server, **said)
    s3 = S3(address)
    await make_bucket(s3)
    await s3.close()
    return address
