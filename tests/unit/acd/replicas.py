"""acd processes that share one database, killed and asked at will."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from grpc import aio

from protos.acd.v1 import acd_pb2, config_pb2
from protos.acd.v1.acd_pb2_grpc import AcdStub
from services.chassis.database import DatabaseAddress
from services.chassis.errors import Kind, RemoteError
from services.chassis.rpc import metadata, open_channel, remote_error

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

DEMO = metadata(tenant_id="demo")
START_S = 60.0

Updates = aio.UnaryStreamCall["acd_pb2.EnqueueRequest", "acd_pb2.EntryUpdate"]


class Replica:
    """One acd process with a run folder of its own."""

    def __init__(self, address: DatabaseAddress) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="acd-")
        self.folder = Path(self._folder.name)
        address.write(self.folder / "database.json")
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: aio.Channel | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.end(signal.SIGKILL)  # nothing is left running by a start that failed
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.end(signal.SIGKILL)
        if self._channel is not None:
            await self._channel.close()
        self._folder.cleanup()

    @property
    def acd(self) -> AcdAsyncStub:
        """Its face."""
        if self._channel is None:
            self._channel = open_channel(self.folder / "acd.sock")
        return AcdStub(self._channel)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    async def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 (it returns at once)
                [sys.executable, "-m", "services", "acd", "--var", str(self.folder)],
                env={**os.environ, "CARILLON_RUN_DIR": str(self.folder)},
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(START_S):
            while b'"service started"' not in (self.folder / "log").read_bytes().split(b"\0")[-1]:
                assert self._process.poll() is None, self.log
                await asyncio.sleep(0.05)
        with (self.folder / "log").open("ab") as log:
            log.write(b"\0")  # what comes now is of the next start

    async def end(self, how: signal.Signals) -> None:
        """Ends the process; SIGKILL as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            await asyncio.to_thread(process.wait, 10)


async def furnish(acd: AcdAsyncStub) -> None:
    """A queue and an agent."""
    queue = config_pb2.QueueConfig(queue_id="sales", assumed_handle_s=60)
    await acd.PutQueue(acd_pb2.PutQueueRequest(queue=queue), metadata=DEMO)
    agent = config_pb2.AgentConfig(
        agent_id="anna",
        name="Anna",
        endpoint="webrtc:anna",
        queues=[config_pb2.QueueMembership(queue_id="sales")],
    )
    await acd.PutAgent(acd_pb2.PutAgentRequest(agent=agent), metadata=DEMO)


async def ready(acd: AcdAsyncStub) -> None:
    link = acd_pb2.ReportLinkRequest(agent_id="anna", link="reachable")
    await acd.ReportLink(link, metadata=DEMO)
    intent = acd_pb2.SetPresenceRequest(agent_id="anna", presence="ready")
    await acd.SetPresence(intent, metadata=DEMO)


def enqueue(acd: AcdAsyncStub, entry_id: str) -> Updates:
    request = acd_pb2.EnqueueRequest(
        entry_id=entry_id, queue_id="sales", call_id=f"call-{entry_id}"
    )
    return acd.Enqueue(request, metadata=DEMO)


async def following(stream: Updates, body: str) -> acd_pb2.EntryUpdate:
    """The next update of a kind."""
    async with asyncio.timeout(15):
        async for update in stream:
            if update.WhichOneof("body") == body:
                return update
    raise AssertionError(f"the stream ended without {body}")


async def enqueue_again(acd: AcdAsyncStub, entry_id: str) -> tuple[Updates, acd_pb2.EntryUpdate]:
    """Asks as a flow does: again and again until somebody answers; the first update, too."""
    async with asyncio.timeout(15):
        while True:
            stream = enqueue(acd, entry_id)
            try:
                async for update in stream:
                    return stream, update
            except aio.AioRpcError as error:
                if remote_error(error).kind not in {Kind.UNAVAILABLE, Kind.ABORTED}:
                    raise
            await asyncio.sleep(0.1)


async def failure(stream: Updates) -> RemoteError:
    """How a stream ends that does not end well."""
    try:
        async with asyncio.timeout(15):
            async for _ in stream:
                pass
    except aio.AioRpcError as error:
        return remote_error(error)
    raise AssertionError("the stream ended well")
