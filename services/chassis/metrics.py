"""Prometheus metrics of one process: of every request, and what each service reads of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger

log = get_logger("metrics")

COLLECT_TIMEOUT_S = 2.0
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class MetricsPortTaken(CarillonError):
    """The port for metrics cannot be listened on."""

    code: ClassVar[str] = "metrics-port-taken"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Reading:
    """One value that a service reads of itself when it is asked for metrics."""

    name: str
    """For example `carillon_acd_contacts_waiting`; a counter's ends in `_total`."""
    help: str
    """In words, with the unit."""
    value: float
    """Now."""
    labels: tuple[tuple[str, str], ...] = ()
    """Few and bounded: never a call, a number or a person."""
    kind: Literal["gauge", "counter"] = "gauge"
    """Whether it goes up and down, or only up."""


Source = Callable[[], Iterable[Reading]]


class Metrics:
    """What this process shows of itself."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._sources: list[Source] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._requests = Counter(
            "carillon_rpc_requests",
            "Requests answered, by method and status.",
            ("service", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "carillon_rpc_seconds",
            "From a request to its answer, streams excepted, in seconds.",
            ("service", "method"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(self)

    @property
    def registry(self) -> CollectorRegistry:
        """For tests and for faces that show metrics themselves."""
        return self._registry

    def add(self, source: Source) -> None:
        """Asks a service for its readings from now on; it must not block."""
        self._sources.append(source)

    def answered(self, method: str, status: str, seconds: float | None) -> None:
        """Counts a request; `seconds` is None for a stream."""
        service, _, name = method.strip("/").partition("/")
        self._requests.labels(service, name, status).inc()
        if seconds is not None:
            self._seconds.labels(service, name).observe(seconds)

    def serve(self, *, host: str, port: int) -> int:
        """Shows everything at `http://host:port/metrics`; the port, which is chosen for 0."""
        self._loop = asyncio.get_running_loop()
        try:
            server, _thread = start_http_server(port, host, registry=self._registry)
        except OSError as error:
            raise MetricsPortTaken(
                f"{host}:{port}: {error.strerror}; set CARILLON_METRICS_PORT"
            ) from None
        return int(server.server_port)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus's client asks for at every scrape."""
        families: dict[str, Metric] = {}
        for reading in self._read():
            family = families.get(reading.name)
            if family is None:
                family = families[reading.name] = _family(reading)
            assert isinstance(family, GaugeMetricFamily | CounterMetricFamily)
            family.add_metric([value for _, value in reading.labels], reading.value)
        yield from families.values()

    def _read(self) -> list[Reading]:
        loop = self._loop
        if loop is None or not loop.is_running():
            return self._now()
        # A scrape comes in a thread of its own; what it reads belongs to the loop.
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            future = asyncio.run_coroutine_threadsafe(self._soon(), loop)
            return future.result(COLLECT_TIMEOUT_S)
        return self._now()

    async def _soon(self) -> list[Reading]:
        return self._now()

    def _now(self) -> list[Reading]:
        found: list[Reading] = []
        for source in self._sources:
            try:
                found += source()
            except Exception as error:  # one service's fault must not hide what the others show
                log.error("readings failed", exc_info=error)
        return found


def _family(reading: Reading) -> Metric:
    names = [name for name, _ in reading.labels]
    if reading.kind == "counter":
        return CounterMetricFamily(reading.name.removesuffix("_total"), reading.help, labels=names)
    return GaugeMetricFamily(reading.name, reading.help, labels=names)
