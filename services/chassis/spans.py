"""One trace per call: short spans that all services send to one collector, when one is named.

The trace's id is the call's (`services.chassis.trace`), and the id of its root span is the first
half of the trace's, so that every process knows its parent without being told. Spans are sent as
steps end; none is open for as long as a call lasts. Events carry the context of the step that
brought them to the bus, and who reads them tells a step below it. Without a collector, all of this
costs one comparison.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from services.chassis.envelope import Envelope
from services.chassis.trace import trace_id

SERVICE_NAME = "service.name"
MAX_QUEUED = 8_192
"""Spans that wait to be sent; beyond it the oldest are dropped."""
CLOSE_S = 3.0
"""How long a process waits at its end for a collector that does not take what is left."""

TRACED = re.compile(r"00-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-[0-9a-f]{2}")
"""A W3C trace context, as far as it is read here."""

_tracers: dict[str, Any] = {}
_next_span_id: ContextVar[int] = ContextVar("carillon_next_span_id", default=0)


def configure(*, services: tuple[str, ...], endpoint: str) -> None:
    """Sends spans of these services to an OTLP collector, for example `http://127.0.0.1:4317`."""
    # Imported only where a collector is named: it takes time and memory that others need not pay.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415 (late, see above)
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 (late, see above)
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 (late, see above)
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 (late, see above)

    for name in services:
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://"))
        provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: f"carillon-{name}"}), id_generator=_ids()
        )
        provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=MAX_QUEUED))
        _tracers[name] = (provider.get_tracer("carillon"), provider)


def close() -> None:
    """Sends what waits, for a few seconds at most; it blocks for as long."""
    # A provider tries for half a minute, and there is one for each service.
    closing = [
        threading.Thread(target=provider.shutdown, daemon=True)
        for _tracer, provider in _tracers.values()
    ]
    _tracers.clear()
    for thread in closing:
        thread.start()
    until_s = time.monotonic() + CLOSE_S
    for thread in closing:
        thread.join(max(0.0, until_s - time.monotonic()))


@contextmanager
def span(service: str, name: str, *, call_id: str) -> Iterator[None]:
    """What happens inside is one step of the call's story; an exception marks it as failed."""
    tracer = _tracers.get(service)
    if tracer is None or not call_id:
        yield
        return
    with tracer[0].start_as_current_span(
        name, context=_parent(call_id), attributes={"carillon.call": call_id}
    ):
        yield


def step(
    service: str,
    name: str,
    *,
    call_id: str,
    from_ms: int,
    to_ms: int,
    root: bool = False,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """A step that is over, told afterwards; instants are UTC milliseconds.

    `root` is the call itself: exactly one of its steps.
    """
    tracer = _tracers.get(service)
    if tracer is None:
        return
    token = _next_span_id.set(int(trace_id(call_id)[:16], 16) if root else 0)
    try:
        made = tracer[0].start_span(
            name,
            context=_parent(call_id, inside=not root),
            start_time=from_ms * 1_000_000,
            attributes={"carillon.call": call_id, **(attributes or {})},
        )
    finally:
        _next_span_id.reset(token)
    made.end(end_time=to_ms * 1_000_000)


@contextmanager
def publishing(service: str, topic: str, events: Sequence[Envelope]) -> Iterator[list[Envelope]]:
    """Events that are brought to the bus inside: one step for each call that is among them.

    Gives the events as they are to travel: those of a call name that step as what caused them.
    """
    tracer = _tracers.get(service)
    if tracer is None:
        yield list(events)
        return
    with ExitStack() as stack:
        causes = {
            cause: _carrying(stack, tracer[0], f"publish {topic}", cause, of_call)
            for cause, of_call in _by_cause(events).items()
        }
        yield [
            replace(event, traceparent=causes.get(event.traceparent, event.traceparent))
            for event in events
        ]


@contextmanager
def reading(service: str, topic: str, events: Sequence[Envelope]) -> Iterator[None]:
    """A batch from the bus that is handled inside: a step below each that published some of it."""
    tracer = _tracers.get(service)
    if tracer is None:
        yield
        return
    with ExitStack() as stack:
        for cause, of_call in _by_cause(events).items():
            _carrying(stack, tracer[0], f"read {topic}", cause, of_call)
        yield


def _by_cause(events: Sequence[Envelope]) -> dict[str, list[Envelope]]:
    """Events by their trace context; those that have none are left out."""
    found: dict[str, list[Envelope]] = {}
    for event in events:
        if TRACED.fullmatch(event.traceparent):
            found.setdefault(event.traceparent, []).append(event)
    return found


def _carrying(
    stack: ExitStack, tracer: Any, name: str, cause: str, events: Sequence[Envelope]
) -> str:
    """Opens a step below a trace context, until the stack ends; gives the step's own context."""
    from opentelemetry import trace  # noqa: PLC0415 (see `configure`)

    told = TRACED.fullmatch(cause)
    assert told is not None
    parent = _remote(int(told[1], 16), int(told[2], 16))
    attributes: dict[str, str | int] = {"carillon.events": len(events)}
    key = events[0].key
    if trace_id(key) == told[1]:
        attributes["carillon.call"] = key
    kind = trace.SpanKind.PRODUCER if name.startswith("publish") else trace.SpanKind.CONSUMER
    made = tracer.start_span(name, context=parent, kind=kind, attributes=attributes)
    # Many calls share a batch: none of these is the present step of what happens inside.
    stack.push(lambda _kind, error, _trace: _end(made, error))
    return f"00-{told[1]}-{made.get_span_context().span_id:016x}-01"


def _end(made: Any, error: BaseException | None) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 (see `configure`)

    if error is not None:
        made.record_exception(error)
        made.set_status(Status(StatusCode.ERROR, type(error).__name__))
    made.end()


def _parent(call_id: str, *, inside: bool = True) -> Any:
    from opentelemetry import trace  # noqa: PLC0415 (see `configure`)

    wanted = int(trace_id(call_id), 16)
    present = trace.get_current_span()
    if inside and present.get_span_context().trace_id == wanted:
        return None
    # The root's own parent is only the trace: an id that nobody has sent, the root's own.
    return _remote(wanted, int(trace_id(call_id)[:16], 16))


def _remote(of_trace: int, of_span: int) -> Any:
    from opentelemetry import trace  # noqa: PLC0415 (see `configure`)
    from opentelemetry.context import Context  # noqa: PLC0415 (late, see above)

    parent = trace.SpanContext(
        trace_id=of_trace,
        span_id=of_span,
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())


def _ids() -> Any:
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415 (late, see above)

    class Ids(RandomIdGenerator):
        """Random ones, but for the root of a call."""

        def generate_span_id(self) -> int:
            return _next_span_id.get() or super().generate_span_id()

    return Ids()
