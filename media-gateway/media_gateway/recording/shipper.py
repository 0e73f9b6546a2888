"""Hands the spool over to the recording service: each segment until it is durable there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from grpc import aio

from media_gateway.recording import call_log
from media_gateway.recording.model import CallKey
from media_gateway.recording.spool import Spool, Waiting
from protos.recording.v1 import recording_pb2, recording_pb2_grpc
from services.chassis.errors import Kind, RemoteError
from services.chassis.log import NOTHING, concerns, get_logger
from services.chassis.rpc import MAX_MESSAGE_BYTES, metadata, remote_errors

log = get_logger("recording")

T = TypeVar("T")

WORKERS = 8
"""Calls whose segments travel at once."""
BATCH = 16
"""Segments of one call that are read at once."""
PUT_TIMEOUT_S = 10.0
MANIFEST_TIMEOUT_S = 120.0
"""The hashes of a long call are computed before it is answered."""
MAX_MANIFEST_BYTES = MAX_MESSAGE_BYTES - 1_024
"""What travels in one message; asking again would not make a longer one shorter."""
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
FOR_EVER = frozenset({Kind.INVALID, Kind.CONFLICT, Kind.PRECONDITION})
"""Refusals that asking again would not change."""


class Shipper:
    """Ships whatever calls are offered, the oldest first."""

    def __init__(
        self,
        *,
        spool: Spool,
        disk: Executor,
        dial: Callable[[str], aio.Channel],
        on_gone: Callable[[CallKey], None],
    ) -> None:
        """`on_gone` is told of every recording that was handed over whole."""
        self._spool = spool
        self._disk = disk
        self._dial = dial
        self._on_gone = on_gone
        self._offered: dict[CallKey, None] = {}
        self._travelling: set[CallKey] = set()
        self._since_s: dict[CallKey, float] = {}
        self._news = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._pause_s = 0.0
        self.shipped = 0
        """Segments handed over by this process."""
        self.refused = 0
        """Segments and manifests that will never be taken."""

    def offer(self, call: CallKey) -> None:
        """There is something of this call to hand over."""
        self._offered[call] = None
        self._since_s.setdefault(call, asyncio.get_running_loop().time())
        self._empty.clear()
        self._news.set()

    @property
    def waiting(self) -> int:
        """Recordings of which something is left to hand over."""
        return len(self._offered.keys() | self._travelling)

    @property
    def age_s(self) -> float:
        """For how long the oldest of them has had something left; 0: nothing is left."""
        if not self._since_s:
            return 0.0
        return asyncio.get_running_loop().time() - min(self._since_s.values())

    async def run(self) -> None:
        """Ships for ever."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(self._work())

    async def emptied(self) -> None:
        """Until nothing is left to hand over."""
        await self._empty.wait()

    async def _work(self) -> None:
        while True:
            concerns(NOTHING)
            call = await self._next()
            concerns(call.subject)
            try:
                await self._ship(call)
                self._pause_s = 0.0
                self._since_s.pop(call, None)
                if call in self._offered:  # something more came meanwhile
                    self._since_s[call] = asyncio.get_running_loop().time()
            except asyncio.CancelledError:
                self.offer(call)
                raise
            except RemoteError as error:
                await self._back_off(call, error)
            except Exception as error:
                # One call that cannot be read must not end the shipping of all others.
                log.error("the spool cannot be read", exc_info=error)
                self.offer(call)
                await asyncio.sleep(LONGEST_PAUSE_S)
            finally:
                self._travelling.discard(call)
                self._news.set()
            if not self._offered and not self._travelling:
                self._empty.set()

    async def _next(self) -> CallKey:
        while True:
            for call in self._offered:
                if call not in self._travelling:
                    del self._offered[call]
                    self._travelling.add(call)
                    return call
            self._news.clear()
            await self._news.wait()

    async def _back_off(self, call: CallKey, error: RemoteError) -> None:
        if not self._pause_s:
            log.warning("segments wait for recording", code=error.code, reason=error.message)
        self._pause_s = min(max(2 * self._pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        # Offered before the pause: whoever ends it by cancelling must not lose the call.
        self.offer(call)
        await asyncio.sleep(self._pause_s)

    async def _ship(self, call: CallKey) -> None:
        while waiting := await self._on_disk(lambda: self._spool.waiting(call, limit=BATCH)):
            await self._put_segments(call, waiting)
        manifest = await self._on_disk(lambda: self._spool.manifest(call))
        if manifest is not None:
            await self._put_manifest(call, manifest)

    async def _put_segments(self, call: CallKey, waiting: list[Waiting]) -> None:
        stub = recording_pb2_grpc.RecordingStub(self._dial("recording"))
        # The call is not named: a step for each segment would bury its trace.
        named = metadata(tenant_id=call.tenant_id)
        done: list[str] = []
        try:
            for each in waiting:
                try:
                    with remote_errors():
                        await stub.PutSegment(each.request, metadata=named, timeout=PUT_TIMEOUT_S)
                    self.shipped += 1
                except RemoteError as error:
                    if error.kind not in FOR_EVER:
                        raise
                    await self._give_up(call, each, error)
                done.append(each.name)
        finally:
            await self._on_disk(lambda: self._spool.forget(call, done))

    async def _give_up(self, call: CallKey, each: Waiting, error: RemoteError) -> None:
        """A segment that will never be stored is a gap, and known as one."""
        self.refused += 1
        log.error("segment refused", segment=each.name, code=error.code, why=str(error))
        record = call_log.lost(each.request.track_id, each.request.number)
        await self._on_disk(lambda: self._spool.note_lost(call, record))

    async def _put_manifest(self, call: CallKey, manifest: recording_pb2.Manifest) -> None:
        if manifest.ByteSize() > MAX_MANIFEST_BYTES:
            await self._set_aside(call, "too-long", f"{manifest.ByteSize()} bytes")
            return
        stub = recording_pb2_grpc.RecordingStub(self._dial("recording"))
        try:
            with remote_errors():
                await stub.PutManifest(
                    recording_pb2.PutManifestRequest(manifest=manifest),
                    metadata=metadata(tenant_id=call.tenant_id, call_id=call.call_id),
                    timeout=MANIFEST_TIMEOUT_S,
                )
        except RemoteError as error:
            if error.kind not in FOR_EVER:
                raise
            await self._set_aside(call, error.code, str(error))
        else:
            await self._on_disk(lambda: self._spool.remove(call))
            self._on_gone(call)

    async def _set_aside(self, call: CallKey, code: str, why: str) -> None:
        """A manifest that will never be taken is kept apart, for whoever looks into it."""
        self.refused += 1
        log.error("manifest refused", code=code, why=why)
        await self._on_disk(lambda: self._spool.set_aside(call))
        self._on_gone(call)

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)
