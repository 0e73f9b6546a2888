"""What tests of any room may ask for."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.database import DatabaseAddress
from services.chassis.postgres.server import PostgresServer
from services.launcher.parts.minio import MinioServer
from tests.stage.kafka import RunningKafka, running_kafka
from tests.stage.postgres import fresh_database, running_postgres
from tests.stage.s3 import running_minio

OURS = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Everything temporary goes into one folder, with a name short enough for sockets in it."""
    if hasattr(config, "workerinput"):
        return  # a worker has inherited the controller's
    # What tests themselves are given stays where it can be looked at afterwards.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    config.stash[OURS] = Path(tempfile.mkdtemp(prefix="ct-"))
    # PostgreSQL, which never runs as root, goes through it to its own folder.
    config.stash[OURS].chmod(0o711)
    os.environ["TMPDIR"] = tempfile.tempdir = str(config.stash[OURS])


def pytest_unconfigure(config: pytest.Config) -> None:
    """And goes with the last test."""
    if OURS in config.stash:
        shutil.rmtree(config.stash[OURS], ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL on loopback, for as long as the tests run."""
    with running_postgres() as server:
        yield server


@pytest.fixture
async def database_address(postgres_server: PostgresServer) -> AsyncIterator[DatabaseAddress]:
    """A migrated database of this test's own."""
    async with fresh_database(postgres_server) as address:
        yield address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def minio_server() -> AsyncIterator[MinioServer]:
    """A real S3 server on loopback, for as long as the tests run."""
    async with running_minio() as server:
        yield server


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[RunningKafka]:
    """A real Kafka broker on loopback, for as long as the tests run."""
    with running_kafka() as server:
        yield server
