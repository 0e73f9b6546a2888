"""The PostgreSQL that we start ourselves."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.chassis.postgres import programs
from services.chassis.postgres.programs import NoPostgres
from services.chassis.postgres.server import PostgresFailed, PostgresServer


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="carillon-pg-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


async def count(server: PostgresServer) -> int:
    connection = await asyncpg.connect(server.admin_dsn("kept"))
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS thing (name text)")
        await connection.execute("INSERT INTO thing VALUES ('x')")
        return int(await connection.fetchval("SELECT count(*) FROM thing"))
    finally:
        await connection.close()


async def test_what_is_written_is_there_after_a_stop_and_after_a_kill(folder: Path) -> None:
    server = PostgresServer(folder, fast=True)
    server.start()
    await server.database("kept")
    assert await count(server) == 1
    server.stop()
    server.start()
    assert await count(server) == 2
    # Whoever started it is gone, it runs on: the next one takes it over.
    successor = PostgresServer(folder, fast=True)
    left = server.pid
    assert left is not None
    successor.start()
    assert await count(successor) == 3
    await asyncio.to_thread(os.waitpid, left, 0)
    # The server itself is killed: what was committed is there.
    assert successor.pid is not None
    os.kill(successor.pid, signal.SIGKILL)
    successor.stop()
    successor.start()
    assert await count(successor) == 4
    successor.stop()


def test_it_is_never_root_and_only_on_loopback(folder: Path) -> None:
    server = PostgresServer(folder, fast=True)
    server.start()
    try:
        uid = Path(f"/proc/{server.pid}/status").read_text().split("Uid:")[1].split()[0]
        assert uid != "0"
        address = next(
            (info[4][0] for info in socket.getaddrinfo(socket.gethostname(), 0, socket.AF_INET)),
            "127.0.0.1",
        )
        if not str(address).startswith("127."):
            with socket.socket() as probe:
                assert probe.connect_ex((str(address), server.port)) != 0
    finally:
        server.stop()


async def test_a_password_is_asked_for(folder: Path) -> None:
    server = PostgresServer(folder, fast=True)
    server.start()
    try:
        dsn = server.admin_dsn()
        wrong = dsn.replace(dsn.split(":")[2].split("@")[0], "guess")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)
    finally:
        server.stop()


def test_only_its_user_can_read_its_secrets(folder: Path) -> None:
    server = PostgresServer(folder, fast=True)
    server.start()
    server.stop()
    assert (folder / "secrets.json").stat().st_mode & 0o077 == 0
    assert (folder / "data").stat().st_mode & 0o077 == 0
    assert not (folder / "admin-password").exists()


async def test_a_beginning_that_was_cut_off_is_begun_again(folder: Path) -> None:
    obstacle = folder / "secrets.new"
    obstacle.mkdir()
    server = PostgresServer(folder, fast=True)
    with pytest.raises(IsADirectoryError):
        server.start()
    obstacle.rmdir()
    server.start()
    try:
        await server.database("kept")
        assert await count(server) == 1
    finally:
        server.stop()


@contextmanager
def somebody_else() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the server's user that is no server."""
    who = programs.account()
    identity: dict[str, Any] = {}
    if who.other:
        identity = {"user": who.uid, "group": who.gid, "extra_groups": []}
    with subprocess.Popen(["sleep", "60"], cwd="/", **identity) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_whoever_has_a_dead_servers_number_by_now_is_left_alone(folder: Path) -> None:
    server = PostgresServer(folder, fast=True)
    server.start()
    server.stop()
    record, owner = folder / "data" / "postmaster.pid", (folder / "data").stat()
    with somebody_else() as process:
        record.write_text(f"{process.pid}\n{folder / 'data'}\n0\n{server.port}\n\n127.0.0.1\n")
        record.chmod(0o600)
        os.chown(record, owner.st_uid, owner.st_gid)
        server.start()
        try:
            await server.database("kept")
            assert await count(server) == 1
            assert process.poll() is None
        finally:
            server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")
def test_a_name_that_somebody_else_has_made_is_not_believed(folder: Path) -> None:
    closed, theirs = folder / "closed", folder / "theirs"
    closed.mkdir(mode=0o700)
    theirs.mkdir()
    server = PostgresServer(closed / "postgres", fast=True)
    mark = hashlib.sha256(os.fsencode(closed / "postgres")).hexdigest()[:16]
    link = Path("/var/tmp") / f"carillon-{mark}"
    link.symlink_to(theirs)
    try:
        with pytest.raises(PostgresFailed, match="belongs to another user"):
            server.start()
        assert list(theirs.iterdir()) == []
    finally:
        link.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")
async def test_a_folder_that_its_user_cannot_reach_is_no_obstacle(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = PostgresServer(closed / "postgres", fast=True)
    server.start()
    try:
        await server.database("kept")
        assert await count(server) == 1
    finally:
        server.stop()
        elsewhere = json.loads((closed / "postgres" / "elsewhere.json").read_text())["folder"]
        server.remove()
        assert not os.path.exists(elsewhere)  # noqa: PTH110, ASYNC240 (once)


def test_data_of_another_version_is_not_touched_but_named(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(NoPostgres, match="PostgreSQL 9"):
        PostgresServer(folder)


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", 15),
        ("postgres (PostgreSQL) 16.4 (Ubuntu 16.4-1.pgdg22.04+1)", 16),
        ("postgres (PostgreSQL) 17.2 (Homebrew)", 17),
        ("postgres (PostgreSQL) 18.0", 18),
        ("postgres (PostgreSQL) 18beta1", 18),
        ("postgres (PostgreSQL) 19devel", 19),
        ("something else", 0),
    ],
)
def test_any_makers_version_is_read(folder: Path, said: str, major: int) -> None:
    program = folder / "postgres"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    assert programs.version(folder) == major


def test_programs_named_wrongly_are_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_PG_BIN", str(folder))
    with pytest.raises(NoPostgres, match="there is no initdb, postgres, pg_ctl"):
        programs.find()


def test_a_server_that_does_not_start_says_where_its_log_is(folder: Path) -> None:
    server = PostgresServer(folder, fast=True)
    server.start()
    server.stop()
    config = folder / "data" / "postgresql.conf"
    config.write_text(config.read_text() + "no_such_setting = 1\n")
    with pytest.raises(PostgresFailed, match=r"postgres\.log"):
        server.start()
