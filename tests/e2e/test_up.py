"""`make up` as a person uses it: once, twice, with ports in use, after a crash, and stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from services.chassis.postgres.server import PostgresServer
from services.launcher.process import ROOT
from services.launcher.processes import born

# Each test starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

READY_WAIT_S = 90.0


class Terminal:
    """What a person sees of a command that runs."""

    def __init__(self, var: Path, *arguments: str) -> None:
        self.log = var.parent / f"up-{time.monotonic_ns()}.txt"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services", "up", "--var", str(var), *arguments],
                cwd=ROOT,
                stdout=output,
                stderr=output,
                env={**os.environ, "COLUMNS": "200"},
            )

    @property
    def text(self) -> str:
        return self.log.read_text()

    def sees(self, words: str, within_s: float = READY_WAIT_S) -> str:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if words in self.text:
                return self.text
            assert self.process.poll() is None or words in self.text, self.text
            time.sleep(0.1)
        raise AssertionError(f"{words!r} is not in:\n{self.text}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)


@contextmanager
def up(var: Path, *arguments: str) -> Iterator[Terminal]:
    terminal = Terminal(var, *arguments)
    try:
        yield terminal
    finally:
        if terminal.process.poll() is None:
            terminal.stop()


@contextmanager
def taken(*ports: int) -> Iterator[None]:
    """Somebody else has these ports; they may have had them before."""
    held = [socket.socket() for _ in ports]
    for each, port in zip(held, ports, strict=True):
        with suppress(OSError):
            each.bind(("127.0.0.1", port))
            each.listen()
    try:
        yield
    finally:
        for each in held:
            each.close()


def processes(var: Path) -> list[int]:
    recorded = json.loads((var / "processes.json").read_text())
    return [int(pid) for pid, when in recorded.items() if born(int(pid)) == when]


def services_of(var: Path) -> int:
    """The process that services run in; the other one is the gateway's."""
    (pid,) = (
        pid
        for pid in processes(var)
        if b"media_gateway" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return pid


def make_call(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `make call` runs."""
    return subprocess.run(
        [sys.executable, "-m", "tests.demo.caller", "--var", str(var), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def database(var: Path) -> int | None:
    """The number of PostgreSQL's process; None when none runs."""
    folder = var / "postgres"
    with suppress(FileNotFoundError):
        folder = Path(json.loads((folder / "elsewhere.json").read_text())["folder"])
    try:
        return int((folder / "data" / "postmaster.pid").read_text().split()[0])
    except FileNotFoundError:
        return None


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """An installation's folder, and what belongs to it elsewhere, gone with the test."""
    yield tmp_path / "up"
    PostgresServer(tmp_path / "up" / "postgres").remove()


def answers(var: Path) -> int:
    portal = json.loads((var / "run.json").read_text())["portal"]
    with urllib.request.urlopen(f"{portal}/healthz", timeout=10) as answer:
        status: int = answer.status
        return status


def until_signed_in(var: Path, within_s: float = 30.0) -> None:
    """Until the portal finds its people in the database."""
    run, passwords = (
        json.loads((var / name).read_text()) for name in ("run.json", "passwords.json")
    )
    asked = {"tenant": "demo", "username": "anna", "password": passwords["anna"]}
    deadline = time.monotonic() + within_s
    while True:
        answer = httpx.post(f"{run['portal']}/v1/sessions", json=asked, timeout=10)
        if answer.is_success:
            return
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)


def test_up_twice_after_a_crash_and_down(var: Path) -> None:
    with taken(5060, 8080), up(var) as first:
        text = first.sees("Carillon is up.")
        assert "Port 5060 is in use: SIP is at" in text
        assert "Port 8080 is in use: The portal is at" in text
        for name in ("anna", "ben", "sara", "adam"):
            assert name in text
        assert answers(var) == 200
        again = subprocess.run(
            [sys.executable, "-m", "services", "up", "--var", str(var)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert again.returncode == 0
        assert "already up: the portal is at http://127.0.0.1:" in again.stdout
        called = make_call(var, "--seconds", "1")
        assert (called.returncode, "answered" in called.stdout) == (0, True), called
        assert len(processes(var)) == 2
        first.process.kill()
        first.process.wait(10)
    with up(var) as second:
        text = second.sees("Carillon is up.")
        assert "Ended 2 processes that an earlier run had left." in text
        assert "Seeding" not in text
        assert answers(var) == 200
        os.kill(services_of(var), signal.SIGKILL)
        second.sees("services is back.")
        assert answers(var) == 200
        assert second.stop() == 0
        assert "Stopped." in second.text
    assert processes(var) == []
    assert database(var) is None


def test_a_database_that_is_killed_is_started_again(var: Path) -> None:
    with up(var) as terminal:
        terminal.sees("Carillon is up.")
        killed = database(var)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        terminal.sees("PostgreSQL is back.")
        assert database(var) != killed
        until_signed_in(var)
        assert terminal.stop() == 0
    assert database(var) is None


@pytest.mark.parametrize("at", ["Starting PostgreSQL", "Starting services"])
def test_who_is_told_to_stop_before_everything_is_up_leaves_nothing(var: Path, at: str) -> None:
    with up(var) as terminal:
        terminal.sees(at)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(60) == 0
        assert "Stopped." in terminal.text
    assert "Traceback" not in terminal.text
    assert not (var / "processes.json").exists() or processes(var) == []
    assert database(var) is None


def test_a_call_is_placed_only_to_what_is_up(tmp_path: Path) -> None:
    said = make_call(tmp_path)
    assert said.returncode == 1
    assert "make up" in said.stderr
