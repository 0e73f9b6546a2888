"""A PostgreSQL of our own on this machine: loopback only, never root, in a folder of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any, ClassVar

import asyncpg

from services.chassis.database import DatabaseAddress
from services.chassis.errors import CarillonError, Kind
from services.chassis.migrations import migrate, roles
from services.chassis.ports import LOOPBACK, free_port, is_free
from services.chassis.postgres.programs import Account, account, find

ADMIN = "carillon_admin"
HOST = LOOPBACK
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
ATTEMPTS = 6
ATTEMPT_PAUSE_S = 0.5
_CONFIG = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 100
shared_buffers = 64MB
logging_collector = off
log_min_messages = warning
"""
# For tests: a crash of the machine may cost the data, a crash of a process may not.
_FAST = """\
fsync = off
full_page_writes = off
"""


class PostgresFailed(CarillonError):
    """PostgreSQL did not start; the text says where its log is."""

    code: ClassVar[str] = "postgres-failed"
    kind: ClassVar[Kind] = Kind.INTERNAL


class PostgresServer:
    """Start it, ask for databases, stop it. What a killed process left is taken over."""

    def __init__(self, folder: Path, *, fast: bool = False) -> None:
        """`folder` is this server's own; `fast` gives up what only a machine's crash needs."""
        self._asked = folder.absolute()
        self._fast = fast
        self._process: subprocess.Popen[bytes] | None = None
        self._account: Account = account()
        self._bin = find(self._made_by())
        self.port = 0
        """TCP port on loopback, once started."""

    @property
    def pid(self) -> int | None:
        """Of the server's first process; None while it does not run."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Makes the cluster when there is none, and starts it; NoPostgres, PostgresFailed."""
        self._folder = self._reachable_folder()
        if not self._data.exists():
            self._make()
        self._stop_leftover()
        # The same again where nobody has it: who is connected finds it back by itself.
        self.port = self.port if self.port and is_free(self.port) else free_port()
        fast = _FAST if self._fast else ""
        self._write("carillon.conf", _CONFIG.format(host=HOST, port=self.port) + fast, 0o600)
        for _ in range(ATTEMPTS):
            self._launch()
            if self._is_ready():
                return
            # The children of one that was killed hold its memory for a moment longer.
            time.sleep(ATTEMPT_PAUSE_S)
        raise PostgresFailed(f"it did not start; see {self._asked / 'postgres.log'}")

    def wait(self) -> None:
        """Until it has ended, by itself or because it was told to; may be asked in a thread."""
        if self._process is not None:
            self._process.wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops it: by default every session is cut off and everything is on disk."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_TIMEOUT_S)

    def remove(self) -> None:
        """Removes everything that it keeps, wherever that is; it is stopped first."""
        self.stop()
        self._folder = self._elsewhere() or self._asked
        self._stop_leftover()
        for folder in (self._elsewhere(), self._asked):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def admin_dsn(self, name: str = "postgres") -> str:
        """How its administrator reaches a database."""
        return f"postgresql://{ADMIN}:{self._secrets()['admin']}@{HOST}:{self.port}/{name}"

    def address(self, name: str) -> DatabaseAddress:
        """How services reach a database."""
        passwords: dict[str, str] = self._secrets()["roles"]
        return DatabaseAddress(host=HOST, port=self.port, name=name, passwords=passwords)

    async def database(self, name: str) -> DatabaseAddress:
        """A database, made when there is none, with every schema up to date."""
        connection = await asyncpg.connect(self.admin_dsn())
        try:
            there = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
            if not there:
                await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        kept = self._secrets()
        missing = {role: secrets.token_urlsafe(24) for role in roles() if role not in kept["roles"]}
        if missing:
            kept["roles"].update(missing)
            self._write_secrets(kept)
        await migrate(self.admin_dsn(name), kept["roles"])
        return self.address(name)

    async def drop(self, name: str) -> None:
        """Removes a database and cuts its sessions off."""
        connection = await asyncpg.connect(self.admin_dsn())
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    def _made_by(self) -> int | None:
        """The major version that made the data, where there are any."""
        try:
            folder = self._elsewhere() or self._asked
            return int((folder / "data" / "PG_VERSION").read_text())
        except (OSError, ValueError):
            return None

    def _elsewhere(self) -> Path | None:
        """The folder that was chosen because the server's user could not reach the one asked."""
        try:
            return Path(json.loads((self._asked / "elsewhere.json").read_text())["folder"])
        except (OSError, ValueError, KeyError):
            return None

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _program(self, name: str) -> Path:
        return self._bin / name

    def _identity(self) -> dict[str, Any]:
        who = self._account
        return {"user": who.uid, "group": who.gid, "extra_groups": []} if who.other else {}

    def _env(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LANG": "C", "TZ": "UTC"}

    def _reachable_folder(self) -> Path:
        """The folder asked for, or one of this clone's own where that user can reach it."""
        self._asked.mkdir(parents=True, exist_ok=True)
        record = self._asked / "elsewhere.json"
        folder = self._asked
        if self._account.other and not self._can_reach(self._asked):
            mark = hashlib.sha256(os.fsencode(self._asked)).hexdigest()[:16]
            folder = Path("/var/tmp") / f"carillon-{mark}"  # noqa: S108 (checked to be ours below)
            record.write_text(json.dumps({"folder": str(folder)}))
        folder.mkdir(mode=0o755, exist_ok=True)
        # Before anything is written to it or run from it: anybody may make a name in /var/tmp.
        status = folder.lstat()
        if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode):
            raise PostgresFailed(f"{folder} belongs to another user: remove it")
        if self._account.other and not self._can_run(self._bin):
            self._bin = self._copied_programs(folder)
        return folder

    def _can_reach(self, folder: Path) -> bool:
        return self._as_other(["test", "-x", str(folder)])

    def _can_run(self, folder: Path) -> bool:
        return self._as_other([str(folder / "postgres"), "--version"])

    def _as_other(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(  # noqa: S603 (fixed words)
                command, check=False, capture_output=True, cwd="/", **self._identity()
            )
        except PermissionError:
            return False
        return done.returncode == 0

    def _copied_programs(self, folder: Path) -> Path:
        """The programs where that user can run them, with what a wheel keeps beside them."""
        package = next(
            (p for p in self._bin.parents if p.with_name(f"{p.name}.libs").is_dir()),
            self._bin.parent,
        )
        copy = folder / "programs" / package.name
        bin_ = copy / self._bin.relative_to(package)
        if not (bin_ / "postgres").exists():
            copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            libs = package.with_name(f"{package.name}.libs")
            if libs.is_dir():
                shutil.copytree(libs, copy.with_name(libs.name), dirs_exist_ok=True)
            shutil.copytree(package, copy, symlinks=True, dirs_exist_ok=True)
        return bin_

    def _make(self) -> None:
        """Makes the cluster; what is called `data` is whole, whenever we are killed."""
        admin = secrets.token_urlsafe(24)
        new = self._folder / "data.new"
        if new.exists():
            shutil.rmtree(new)  # of one that was cut off
        new.mkdir(mode=0o700)
        word = self._write("admin-password", admin, 0o600)
        if self._account.other:
            os.chown(new, self._account.uid, self._account.gid)
        options = ["-U", ADMIN, "-A", "scram-sha-256", "-E", "UTF8", "--no-locale"]
        options += [f"--pwfile={word}", "--no-instructions", *(["-N"] if self._fast else [])]
        done = subprocess.run(  # noqa: S603 (PostgreSQL's own program)
            [self._program("initdb"), "-D", new, *options],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=self._env(),
            **self._identity(),
        )
        word.unlink()
        if done.returncode != 0:
            raise PostgresFailed(f"initdb: {done.stderr.strip()[-500:]}")
        with (new / "postgresql.conf").open("a") as config:
            config.write(f"include '{self._folder / 'carillon.conf'}'\n")
        self._write_secrets({"admin": admin, "roles": {}})
        new.replace(self._data)

    def _write(self, name: str, text: str, mode: int) -> Path:
        """A file that the server's user can read, and nobody else."""
        path = self._folder / name
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        if self._account.other:
            os.chown(temporary, self._account.uid, self._account.gid)
        temporary.replace(path)
        return path

    def _write_secrets(self, kept: dict[str, Any]) -> None:
        path = self._asked / "secrets.json"
        temporary = path.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(kept))
        temporary.replace(path)

    def _secrets(self) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads((self._asked / "secrets.json").read_text())
        return kept

    def _stop_leftover(self) -> None:
        """Stops what a process of ours that was killed has left running on this data."""
        record = self._data / "postmaster.pid"
        try:
            pid = int(record.read_text().split()[0])
            # A server works in its data's folder. Whoever does not has only its number by now, as
            # happens after the machine was restarted: it is neither ended nor in our way.
            if Path(f"/proc/{pid}/cwd").resolve(strict=True) != self._data.resolve():
                record.unlink()
                return
        except (OSError, ValueError, IndexError):
            return  # nothing is recorded, or nobody has that number: the server sees to it
        subprocess.run(  # noqa: S603 (PostgreSQL's own program)
            [self._program("pg_ctl"), "-D", self._data, "-m", "fast", "-w", "stop"],
            check=False,
            capture_output=True,
            cwd="/",
            env=self._env(),
            **self._identity(),
        )

    def _launch(self) -> None:
        # The log belongs to us: it can be read without being that user.
        with (self._asked / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 (PostgreSQL's own program)
                [self._program("postgres"), "-D", self._data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._env(),
                # Ctrl-C in a terminal is for us: we stop it once nobody needs it any more.
                start_new_session=True,
                **self._identity(),
            )

    def _is_ready(self) -> bool:
        """Waits until it takes connections and says so; false when it ended instead."""
        assert self._process is not None
        status = self._data / "postmaster.pid"
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            # The first line is whose file it is, the eighth that one's word on itself.
            with contextlib.suppress(OSError, IndexError):
                lines = status.read_text().splitlines()
                if lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                    return True
            time.sleep(0.02)
        self.stop(signal.SIGQUIT)
        return False
