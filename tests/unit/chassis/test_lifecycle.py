"""Starting, draining and stopping any number of services."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from structlog.testing import capture_logs

from services.chassis.errors import CarillonError, Kind
from services.chassis.lifecycle import Running, status_of
from services.chassis.rpc import Face
from services.chassis.world import World, local_world
from tests.unit.chassis.echo import Echo, EchoStub, face

ROOT = Path(__file__).parents[3]


class Broken(CarillonError):
    code: ClassVar[str] = "broken"
    kind: ClassVar[Kind] = Kind.INTERNAL


class Recorded:
    """A service that writes down what is done to it."""

    def __init__(self, name: str, diary: list[str], *, fails_in: str = "") -> None:
        self.name = name
        self._diary = diary
        self._fails_in = fails_in
        self.may_start, self.may_drain = asyncio.Event(), asyncio.Event()
        self.may_start.set()
        self.may_drain.set()

    def faces(self) -> list[Face]:
        return [face(Echo())]

    async def start(self) -> None:
        self._note("start")
        await self.may_start.wait()

    async def drain(self) -> None:
        self._note("drain")
        await self.may_drain.wait()
        self._note("drained")

    async def stop(self) -> None:
        self._note("stop")

    def _note(self, deed: str) -> None:
        self._diary.append(f"{deed} {self.name}")
        if deed == self._fails_in:
            raise Broken(f"cannot {deed}")


@pytest.fixture
async def world(tmp_path: Path, run_dir: Path) -> AsyncIterator[World]:
    made = local_world(var_dir=tmp_path / "var", run_dir=run_dir)
    yield made
    await made.close()


async def answers(world: World, name: str) -> bool:
    try:
        await EchoStub(world.dial(name)).Say(StringValue(value="echo"))
    except grpc.RpcError:
        return False
    return True


async def test_services_start_in_order_and_stop_in_reverse(world: World) -> None:
    diary: list[str] = []
    running = Running([Recorded(name, diary) for name in ("a", "b")], world)
    await running.start()
    assert diary == ["start a", "start b"]
    assert await answers(world, "a")
    assert await answers(world, "b")
    diary.clear()
    await running.drain(10)
    assert await answers(world, "a")
    await running.stop()
    assert diary == ["drain a", "drained a", "drain b", "drained b", "stop b", "stop a"]
    assert not await answers(world, "a")


async def test_a_failed_start_stops_what_was_started(world: World) -> None:
    diary: list[str] = []
    services = [Recorded("a", diary), Recorded("b", diary, fails_in="start"), Recorded("c", diary)]
    with pytest.raises(Broken):
        await Running(services, world).start()
    assert diary == ["start a", "start b", "stop b", "stop a"]
    assert not await answers(world, "a")


async def test_a_drain_has_a_limit(world: World) -> None:
    diary: list[str] = []
    slow = Recorded("slow", diary)
    slow.may_drain.clear()
    running = Running([slow, Recorded("quick", diary)], world)
    await running.start()
    with capture_logs() as lines:
        await running.drain(0.01)
    await running.stop()
    assert "drain took too long" in [line["event"] for line in lines]
    assert diary[-4:] == ["drain quick", "drained quick", "stop quick", "stop slow"]


@pytest.mark.parametrize("deed", ["drain", "stop"])
async def test_one_services_failure_leaves_the_others_their_end(world: World, deed: str) -> None:
    diary: list[str] = []
    services = [Recorded("a", diary), Recorded("b", diary, fails_in=deed)]
    running = Running(services, world)
    await running.start()
    with capture_logs() as lines:
        await running.drain(10)
        await running.stop()
    assert {"drained a", "stop a", "stop b"} <= set(diary)
    failed = [line for line in lines if line["log_level"] == "error"]
    assert [(line["event"], line["service"]) for line in failed] == [(f"{deed} failed", "b")]
    assert not await answers(world, "a")


PROCESS = """
import asyncio, sys
from pathlib import Path
from services.chassis import lifecycle, log
from services.chassis.world import local_world
from tests.unit.chassis.test_lifecycle import Recorded

class Telling(list):
    def append(self, deed):
        print(deed, flush=True)

async def main(mode):
    log.configure()
    folder = Path(sys.argv[2])
    world = local_world(var_dir=folder, run_dir=folder)
    services = [Recorded("a", Telling()), Recorded("b", Telling(), fails_in=mode)]
    if mode == "slow":
        services[0].may_drain.clear()
    if mode == "stuck":
        services[1].may_start.clear()
    return await lifecycle.run(services, world, drain_timeout_s=60)

sys.exit(asyncio.run(main(sys.argv[1])))
"""


class Process:
    """A process that runs two services."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def begin(cls, mode: str, folder: Path) -> Process:
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", PROCESS, mode, str(folder)),
                cwd=ROOT,
                stdout=pipe,
                stderr=pipe,
            )
        )

    async def until_logged(self, event: str) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            if json.loads(line)["event"] == event:
                return

    async def until_told(self, deed: str) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.decode().strip() == deed:
                return

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def end(self) -> tuple[int | None, list[str], list[dict[str, Any]]]:
        """Its exit status, the deeds, and the log lines not read yet."""
        out, err = await self._process.communicate()
        lines = [json.loads(line) for line in err.decode().splitlines()]
        return self._process.returncode, out.decode().splitlines(), lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains(run_dir: Path, number: int) -> None:
    process = await Process.begin("", run_dir)
    await process.until_logged("service started")
    await process.until_logged("service started")
    process.signal(number)
    status, deeds, _ = await process.end()
    assert status == 0
    assert deeds == [
        *("start a", "start b"),
        *("drain a", "drained a", "drain b", "drained b"),
        *("stop b", "stop a"),
    ]


async def test_a_second_signal_ends_at_once(run_dir: Path) -> None:
    process = await Process.begin("slow", run_dir)
    await process.until_logged("service started")
    await process.until_logged("service started")
    process.signal(signal.SIGTERM)
    await process.until_told("drained b")
    process.signal(signal.SIGTERM)
    status, deeds, _ = await process.end()
    assert status == 0
    assert deeds == ["stop b", "stop a"]


async def test_a_signal_ends_a_start_that_does_not(run_dir: Path) -> None:
    process = await Process.begin("stuck", run_dir)
    await process.until_told("start b")
    process.signal(signal.SIGTERM)
    status, deeds, _ = await process.end()
    assert status == 0
    assert deeds == ["stop b", "stop a"]


async def test_a_start_that_fails_ends_with_the_reason(run_dir: Path) -> None:
    status, deeds, lines = await (await Process.begin("start", run_dir)).end()
    assert status == 1
    assert deeds == ["start a", "start b", "stop b", "stop a"]
    assert lines[-1]["event"] == "cannot start"
    assert (lines[-1]["code"], lines[-1]["reason"]) == ("broken", "cannot start")


def test_a_named_error_of_a_command_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    def runner(work: int) -> int:
        if work:
            return work
        raise Broken("nothing to do")

    assert status_of(runner, 3) == 3
    assert capsys.readouterr().err == ""
    assert status_of(runner, 0) == 1
    assert capsys.readouterr().err == f"{Broken.code}: nothing to do\n"
