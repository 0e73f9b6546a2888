"""Prometheus metrics of one process: of every request, and what each service reads of itself."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from services.chassis.errors import CarillonError, Kind
from services.chassis.health import Health, serve
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
    """Now; of a histogram the sum of all that was seen."""
    labels: tuple[tuple[str, str], ...] = ()
    """Few and bounded: never a call, a number or a person."""
    kind: Literal["gauge", "counter", "histogram"] = "gauge"
    """Whether it goes up and down, or only up, or tells how values are spread."""
    buckets: tuple[tuple[str, float], ...] = ()
    """Of a histogram: upper bounds, the last `+Inf`, and how many values were at most that."""


Source = Callable[[], Iterable[Reading]]


class Spread:
    """How values are spread, counted in buckets: a histogram that its owner keeps."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are the buckets' upper ends, growing; what is above them all is counted, too."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def __len__(self) -> int:
        """How many values were seen."""
        return sum(self._counts)

    def see(self, value: float) -> None:
        """One more value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def reading(self, name: str, text: str, labels: tuple[tuple[str, str], ...] = ()) -> Reading:
        """All of it so far."""
        buckets, seen = [], 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            seen += count
            buckets.append((bound, float(seen)))
        return Reading(name, text, self._sum, labels, "histogram", tuple(buckets))


class Places:
    """Names that may be labels, the first so many that come: the others share one more.

    A label's values are bounded by it for as long as the process lives, whoever comes.
    """

    REST = "others"
    """What all further ones are called."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        """The name itself, or REST."""
        if name not in self._taken:
            if len(self._taken) >= self._limit:
                return self.REST
            self._taken.add(name)
        return name


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
        self._delay_s = 0.0
        self._registry.register(self)
        self.add(self._process)

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

    def serve(self, *, host: str, port: int, health: Health | None = None) -> int:
        """Shows everything at `http://host:port/metrics`, and health beside it.

        Returns the port, which is chosen for 0; MetricsPortTaken.
        """
        self._loop = asyncio.get_running_loop()
        health = health or Health()
        health.watch(self._loop)
        try:
            _server, chosen = serve(
                host=host, port=port, metrics=make_wsgi_app(self._registry), health=health
            )
        except OSError as error:
            raise MetricsPortTaken(
                f"{host}:{port}: {error.strerror}; set CARILLON_METRICS_PORT"
            ) from None
        return chosen

    def collect(self) -> Iterator[Metric]:
        """What Prometheus's client asks for at every scrape."""
        families: dict[str, Metric] = {}
        for reading in self._read():
            family = families.get(reading.name)
            if family is None:
                family = families[reading.name] = _family(reading)
            values = [value for _, value in reading.labels]
            if isinstance(family, HistogramMetricFamily):
                family.add_metric(values, buckets=reading.buckets, sum_value=reading.value)
                continue
            assert isinstance(family, GaugeMetricFamily | CounterMetricFamily)
            family.add_metric(values, reading.value)
        yield from families.values()

    def _read(self) -> list[Reading]:
        loop = self._loop
        if loop is None or not loop.is_running():
            return self._now()
        # A scrape comes in a thread of its own; what it reads belongs to the loop.
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            future = asyncio.run_coroutine_threadsafe(self._soon(time.perf_counter()), loop)
            return future.result(COLLECT_TIMEOUT_S)
        return self._now()

    async def _soon(self, asked_s: float) -> list[Reading]:
        self._delay_s = time.perf_counter() - asked_s
        return self._now()

    def _process(self) -> Iterator[Reading]:
        """What every process shows."""
        loop = self._loop
        tasks = len(asyncio.all_tasks(loop)) if loop is not None and loop.is_running() else 0
        yield Reading("carillon_process_tasks", "Tasks that the process carries on.", tasks)
        yield Reading(
            "carillon_process_delay_seconds",
            "How long the process let the present question for metrics wait before it looked.",
            self._delay_s,
        )

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
    if reading.kind == "histogram":
        return HistogramMetricFamily(reading.name, reading.help, labels=names)
    if reading.kind == "counter":
        return CounterMetricFamily(reading.name.removesuffix("_total"), reading.help, labels=names)
    return GaugeMetricFamily(reading.name, reading.help, labels=names)
