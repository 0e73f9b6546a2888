"""From start to drain: any number of services in one process, ended by one signal."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar, runtime_checkable

from services.chassis import spans, vitals
from services.chassis.errors import CarillonError
from services.chassis.health import Health
from services.chassis.log import get_logger
from services.chassis.metrics import Metrics, Reading
from services.chassis.rpc import Face, RpcServer
from services.chassis.settings import ChassisSettings
from services.chassis.world import World

log = get_logger("lifecycle")

W = TypeVar("W")


class Service(Protocol):
    """What a service's `main.build` returns."""

    name: str
    """What it is dialled by."""

    def faces(self) -> list[Face]:
        """The gRPC services that it offers."""

    async def start(self) -> None:
        """Gets ready; called before the socket opens. A named error ends the process."""

    async def drain(self) -> None:
        """Takes no new work and finishes or hands over the present one."""

    async def stop(self) -> None:
        """Releases everything; called once, after the drain or a failed start."""


@runtime_checkable
class Measured(Protocol):
    """A service that reads values of itself for Prometheus."""

    def readings(self) -> Iterable[Reading]:
        """The values now; cheap, and without blocking."""


@runtime_checkable
class Loadable(Protocol):
    """A service that can have as much work as it takes."""

    def loaded(self) -> bool:
        """Whether new work is refused for now."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Where a process tells how it is."""

    otlp_endpoint: str = ""
    """Where traces go; empty: nowhere."""
    metrics_host: str = "127.0.0.1"
    """The address of the metrics' port."""
    metrics_port: int = -1
    """0: any that is free; -1: metrics are not shown."""

    @classmethod
    def as_set(cls, settings: ChassisSettings, *, metrics_port: int | None = None) -> Self:
        """As the environment says; `metrics_port` is a process's own, in place of everybody's."""
        return cls(
            otlp_endpoint=settings.otlp_endpoint,
            metrics_host=settings.metrics_host,
            metrics_port=settings.metrics_port if metrics_port is None else metrics_port,
        )


class Running:
    """Services that are up, with the servers of their faces."""

    def __init__(
        self, services: Sequence[Service], world: World, telemetry: Telemetry | None = None
    ) -> None:
        self._services = tuple(services)
        self._world = world
        self._telemetry = telemetry or Telemetry()
        self.metrics = Metrics()
        """What this process shows of itself."""
        loadable = [service for service in self._services if isinstance(service, Loadable)]
        self.health = Health(lambda: any(service.loaded() for service in loadable))
        """What this process tells those who start and stop it."""
        self._servers: list[RpcServer] = []
        self._started: list[Service] = []

    async def start(self) -> None:
        """Starts each service and opens its socket; on an error stops what was started."""
        try:
            self._tell()
            await self._world.prove()
            for service in self._services:
                self._started.append(service)
                await service.start()
                door = self._world.door(service.name)
                server = RpcServer(door=door, faces=service.faces(), metrics=self.metrics)
                self._servers.append(server)
                await server.start()
                log.info("service started", service=service.name, pid=os.getpid())
            self.health.serves()
        except BaseException:
            await self.stop()
            raise

    def _tell(self) -> None:
        told = self._telemetry
        if told.otlp_endpoint:
            names = tuple(service.name for service in self._services)
            spans.configure(services=names, endpoint=told.otlp_endpoint)
        schemas = (*(service.name for service in self._services), vitals.BUS)
        self.metrics.add(lambda: vitals.of(self._world, schemas))
        for service in self._services:
            if isinstance(service, Measured):
                self.metrics.add(service.readings)
        for part in (self._world.bus, self._world.blobs):
            if isinstance(part, Measured):
                self.metrics.add(part.readings)
        if told.metrics_port >= 0:
            port = self.metrics.serve(
                host=told.metrics_host, port=told.metrics_port, health=self.health
            )
            log.info("metrics are shown", host=told.metrics_host, port=port)

    async def drain(self, timeout_s: float) -> None:
        """Lets every service finish, at most `timeout_s` seconds."""
        self.health.leaves()
        for server in self._servers:
            await server.leave()
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(
                    *(_attempt(each.drain(), "drain failed", each) for each in self._started)
                )
        except TimeoutError:
            log.warning("drain took too long", timeout_s=timeout_s)

    async def stop(self) -> None:
        """Closes the sockets and releases everything."""
        await asyncio.gather(*(server.stop() for server in self._servers))
        for service in reversed(self._started):
            await _attempt(service.stop(), "stop failed", service)
        await self._world.close()
        await asyncio.to_thread(spans.close)
        self._servers.clear()
        self._started.clear()


async def _attempt(work: Awaitable[None], failure: str, service: Service) -> None:
    """One service's failure must not keep the others from their end."""
    try:
        await work
    except Exception as error:  # nothing is left to do but to tell
        log.error(failure, service=service.name, exc_info=error)


async def _started(running: Running, stop: asyncio.Event) -> bool:
    """Starts everything; false when a signal came first, and nothing runs any more."""
    starting = asyncio.ensure_future(running.start())
    told = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((starting, told), return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        if not starting.done():
            starting.cancel()
    await asyncio.wait((starting,))
    if starting.cancelled():
        log.info("stopped while starting")
        return False
    starting.result()
    return True


async def run(
    services: Sequence[Service],
    world: World,
    *,
    drain_timeout_s: float,
    telemetry: Telemetry | None = None,
) -> int:
    """Runs services until SIGTERM or SIGINT, then drains; a second signal ends at once.

    A signal that comes before all of them have started stops those that have. Returns the
    process's exit status: 0, or 1 when a service could not start (the reason is logged in words).
    """
    stop = asyncio.Event()
    again = asyncio.Event()

    def on_signal() -> None:
        (again if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    running = Running(services, world, telemetry)
    try:
        if not await _started(running, stop):
            return 0
    except CarillonError as error:
        log.error("cannot start", code=error.code, reason=str(error))
        return 1
    await stop.wait()
    log.info("draining", services=[service.name for service in services])
    draining = asyncio.ensure_future(running.drain(drain_timeout_s))
    hurry = asyncio.ensure_future(again.wait())
    await asyncio.wait((draining, hurry), return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, hurry):
        task.cancel()
    await asyncio.gather(draining, hurry, return_exceptions=True)
    await running.stop()
    log.info("stopped", services=[service.name for service in services])
    return 0


def status_of(runner: Callable[[W], int], work: W) -> int:
    """The exit status that a command's work comes to; a named error is said in words, and is 1."""
    try:
        return runner(work)
    except CarillonError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 1
