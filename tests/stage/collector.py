"""An OTLP collector on loopback that keeps what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from grpc import aio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """One span as it arrived."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    began_ms: float
    took_ms: float
    attributes: dict[str, str]
    failed: bool


@dataclass(slots=True)
class Collector:
    """What arrived so far, and where to send it."""

    endpoint: str = ""
    spans: list[SeenSpan] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, services: set[str], trace: str, within_s: float) -> list[SeenSpan]:
        """The spans of a trace, once each of these services has sent one."""
        async with asyncio.timeout(within_s):
            while True:
                found = [span for span in self.spans if span.trace == trace]
                if services <= {span.service for span in found}:
                    return found
                self._more.clear()
                await self._more.wait()

    async def story(
        self, trace: str, missing: Callable[[list[SeenSpan]], Collection[object]], within_s: float
    ) -> list[SeenSpan]:
        """The spans of a trace, once none is missing and the parent of each has come."""
        found: list[SeenSpan] = []
        try:
            async with asyncio.timeout(within_s):
                while True:
                    found = [span for span in self.spans if span.trace == trace]
                    known = {"", *(span.span for span in found)}
                    orphans = [span for span in found if span.parent not in known]
                    if not missing(found) and not orphans:
                        return found
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            seen = sorted({(span.service, span.name) for span in found})
            raise AssertionError(f"{missing(found)} did not come, but {seen}") from None

    async def Export(
        self, request: trace_service_pb2.ExportTraceServiceRequest, _context: Any
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        SeenSpan(
                            service=names["service.name"],
                            name=span.name,
                            trace=span.trace_id.hex(),
                            span=span.span_id.hex(),
                            parent=span.parent_span_id.hex(),
                            began_ms=span.start_time_unix_nano / 1e6,
                            took_ms=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
                            attributes={a.key: a.value.string_value for a in span.attributes},
                            failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                        )
                    )
        self._more.set()
        return trace_service_pb2.ExportTraceServiceResponse()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector that listens."""
    collector = Collector()
    server = aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(  # type: ignore[no-untyped-call]  # generated
        collector, server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    collector.endpoint = f"http://127.0.0.1:{port}"
    try:
        yield collector
    finally:
        await server.stop(0)
