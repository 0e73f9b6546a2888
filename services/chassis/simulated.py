"""The simulated world: one event loop, a virtual clock, and the real faces without sockets.

    async def story(world: SimulatedWorld) -> None:
        service = build(world)
        await service.start()
        world.exchange.serve(service.name, service.faces())
        stub = AcdStub(world.dial("acd"))
        ...

    simulate(story, seed=7, folder=tmp_path)

grpc.aio cannot follow a virtual clock, so calls travel in memory; what they meet at the other
end is the same: `rpc.guarded` around the servicers' own methods.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import grpc
from grpc import StatusCode, aio

from services.chassis.blobs import MemoryBlobs
from services.chassis.bus import MemoryBus
from services.chassis.memory_call import Call, Ended
from services.chassis.memory_channel import MemoryChannel
from services.chassis.memory_server import serve
from services.chassis.rpc import MAX_STREAMS, Face, Handler, guarded
from services.chassis.rpc_door import UnixDoor
from services.chassis.virtual_loop import DEFAULT_LIMIT_S, NotVirtual, VirtualClock, VirtualLoop
from services.chassis.world import World

T = TypeVar("T")

START_MS = 1_767_225_600_000
"""Where simulated time begins: 2026-01-01T00:00:00Z."""


class MemoryExchange:
    """Joins callers and services of one simulated world.

    A real server whose caller is gone may see the requests end as if that were their regular end,
    or be cancelled first; which of them is decided for each call by `coin`.
    """

    def __init__(self, *, coin: Callable[[], bool]) -> None:
        self._coin = coin
        self._served: dict[str, _Faces] = {}
        self._calls: dict[str, dict[Call, None]] = {}
        self._waiting: dict[str, dict[Call, None]] = {}
        self._changed: asyncio.Future[None] | None = None

    def serve(self, name: str, faces: Sequence[Face]) -> None:
        """Lets a service take calls under its name; ValueError when one already does."""
        if name in self._served:
            raise ValueError(f"{name} is served already")
        self._served[name] = _Faces(faces)
        for call in tuple(self._waiting.pop(name, ())):
            if call.ended is None:
                self.open(name, call, wait=False)
        self._tell_change()

    def kill(self, name: str) -> None:
        """Ends a service as a crash would: its calls break off and new ones find nobody."""
        self._served.pop(name, None)
        for call in tuple(self._calls.pop(name, ())):
            call.cut(Ended(StatusCode.UNAVAILABLE, "Socket closed"))
        self._tell_change()

    def channel(self, name: str) -> aio.Channel:
        """A channel to a service, whether it is there yet or not."""
        return MemoryChannel(self, name)

    def open(self, name: str, call: Call, *, wait: bool) -> None:
        """Hands a call to a service; see `Exchange.open`."""
        faces = self._served.get(name)
        calls = self._calls.setdefault(name, {})
        if faces is None:
            if wait:
                waiting = self._waiting.setdefault(name, {})
                waiting[call] = None
                call.over.add_done_callback(lambda _: waiting.pop(call, None))
            else:
                call.cut(Ended(StatusCode.UNAVAILABLE, f"failed to connect to {name}"))
            return
        handler = faces.handler(call.method)
        if handler is None:
            call.cut(Ended(StatusCode.UNIMPLEMENTED, "Method not found!"))
        elif len(calls) >= MAX_STREAMS:
            call.cut(Ended(StatusCode.RESOURCE_EXHAUSTED, f"more than {MAX_STREAMS} calls"))
        elif call.ended is None:
            calls[call] = None
            call.over.add_done_callback(lambda _: calls.pop(call, None))
            call.requests_end_first = self._coin()
            serve(call, handler)

    def is_served(self, name: str) -> bool:
        """Whether a service of this name takes calls."""
        return name in self._served

    async def changed(self) -> None:
        """Returns when a service has come or gone."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)

    def _tell_change(self) -> None:
        if self._changed is not None:
            self._changed.set_result(None)
            self._changed = None


@dataclass(frozen=True, slots=True)
class SimulatedWorld(World):
    """A World for a simulation, with what only the simulation may use."""

    exchange: MemoryExchange
    """Where services are served and killed."""


def simulated_world(*, seed: int, folder: Path, start_ms: int = START_MS) -> SimulatedWorld:
    """The world of a simulation; NotVirtual unless a VirtualLoop runs.

    Everything random comes from `seed`. `folder` takes what a service insists on writing.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise NotVirtual("a simulated world needs a VirtualLoop: use `simulate`")
    # Replayable on purpose: nothing simulated is secret.
    dice = random.Random(seed)  # noqa: S311  # a simulation, see above
    faults = random.Random(seed + 1)  # noqa: S311  # apart, so that faults change no ids
    exchange = MemoryExchange(coin=lambda: bool(faults.getrandbits(1)))
    channels: dict[str, aio.Channel] = {}

    def dial(name: str) -> aio.Channel:
        if name not in channels:
            channels[name] = exchange.channel(name)
        return channels[name]

    async def prove() -> None:
        """Everything is in memory."""

    async def close_channels() -> None:
        for channel in channels.values():
            await channel.close()
        channels.clear()

    folders = folder / "run", folder / "var"
    for each in folders:
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SimulatedWorld(
        name="simulated",
        clock=VirtualClock(loop, start_ms=start_ms),
        random_bits=dice.getrandbits,
        blobs=MemoryBlobs(),
        bus=MemoryBus(),
        database=lambda _schema: None,
        dial=dial,
        # One process of each service, which is at its name.
        dial_at=lambda _name, address: dial(address),
        door=lambda name: UnixDoor(folders[0] / f"{name}.sock"),
        advertised=lambda name: name,
        prove=prove,
        close=lambda: asyncio.ensure_future(close_channels()),
        run_dir=folders[0],
        var_dir=folders[1],
        exchange=exchange,
    )


def simulate(
    story: Callable[[SimulatedWorld], Awaitable[T]],
    *,
    seed: int,
    folder: Path,
    limit_s: float = DEFAULT_LIMIT_S,
) -> T:
    """Runs a story in a simulated world to its end and returns its result.

    Raises what the story raises, Deadlock, or EndlessSimulation after `limit_s` virtual seconds.
    """

    async def run() -> T:
        world = simulated_world(seed=seed, folder=folder)
        try:
            return await story(world)
        finally:
            await world.close()

    with asyncio.Runner(loop_factory=partial(VirtualLoop, limit_s=limit_s)) as runner:
        return runner.run(run())


class _Faces:
    """The methods of a service, collected from its faces as a server would."""

    def __init__(self, faces: Sequence[Face]) -> None:
        self._generic: list[grpc.GenericRpcHandler] = []
        self._handlers: dict[str, Handler] = {}
        for face in faces:
            face.register(cast("aio.Server", self))

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Called by generated code."""
        self._generic.extend(handlers)

    def add_registered_method_handlers(self, name: str, handlers: dict[str, Any]) -> None:
        """Called by generated code: the same handlers once more, by name."""

    def handler(self, method: str) -> Handler | None:
        """What answers a method, wrapped as by the real server; None: nobody does."""
        if method not in self._handlers:
            details = _Details(method=method)
            found = (generic.service(details) for generic in self._generic)
            handler = next((each for each in found if each is not None), None)
            if handler is None:
                return None
            self._handlers[method] = guarded(handler, method)
        return self._handlers[method]


@dataclass(frozen=True, slots=True)
class _Details(grpc.HandlerCallDetails):
    """What a handler is looked up by."""

    method: str
    """The full name, `/package.Service/Method`."""
    invocation_metadata: tuple[tuple[str, str | bytes], ...] = ()
    """None are needed to find a handler."""
