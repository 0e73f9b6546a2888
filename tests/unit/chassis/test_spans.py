from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import spans
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import TenantId
from services.chassis.trace import trace_id
from tests.stage.collector import Collector, collecting

CALL = "0198c0de-0000-7000-8000-000000000001"
TRACE = trace_id(CALL)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as made:
        spans.configure(services=("gateway", "acd"), endpoint=made.endpoint)
        yield made
        await asyncio.to_thread(spans.close)


async def sent(collector: Collector, services: set[str]) -> list[tuple[str, str, str]]:
    await asyncio.to_thread(spans.close)
    found = await collector.until({f"carillon-{name}" for name in services}, TRACE, 5)
    return sorted((span.service, span.name, span.parent) for span in found)


async def test_steps_of_two_services_are_one_trace(collector: Collector) -> None:
    with spans.span("gateway", "ring", call_id=CALL):
        pass
    with spans.span("acd", "Accept", call_id=CALL):
        pass
    root = TRACE[:16]
    assert await sent(collector, {"gateway", "acd"}) == [
        ("carillon-acd", "Accept", root),
        ("carillon-gateway", "ring", root),
    ]


async def test_a_step_inside_a_step_is_its_child(collector: Collector) -> None:
    with spans.span("acd", "outer", call_id=CALL), spans.span("acd", "inner", call_id=CALL):
        pass
    await sent(collector, {"acd"})
    outer, inner = (next(s for s in collector.spans if s.name == n) for n in ("outer", "inner"))
    assert inner.parent == outer.span
    assert outer.parent == TRACE[:16]


async def test_another_calls_step_is_never_a_child(collector: Collector) -> None:
    other = "0198c0de-0000-7000-8000-000000000002"
    with spans.span("acd", "outer", call_id=other), spans.span("acd", "inner", call_id=CALL):
        pass
    assert await sent(collector, {"acd"}) == [("carillon-acd", "inner", TRACE[:16])]


async def test_the_call_itself_is_the_root_that_all_others_name(collector: Collector) -> None:
    spans.step(
        "gateway",
        "call",
        call_id=CALL,
        from_ms=1_000,
        to_ms=61_000,
        root=True,
        attributes={"reason": "x"},
    )
    spans.step("gateway", "bridge", call_id=CALL, from_ms=2_000, to_ms=2_040)
    await sent(collector, {"gateway"})
    call, bridge = (next(s for s in collector.spans if s.name == n) for n in ("call", "bridge"))
    assert call.span == TRACE[:16] == bridge.parent
    assert (call.took_ms, bridge.took_ms) == (60_000, 40)
    assert call.attributes == {"carillon.call": CALL, "reason": "x"}


def test_a_collector_that_is_away_holds_up_nobodys_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "CLOSE_S", 0.2)
    names = ("gateway", "acd", "ivr")
    spans.configure(services=names, endpoint="http://127.0.0.1:1")
    for name in names:
        spans.step(name, "step", call_id=CALL, from_ms=1, to_ms=2)
    began_s = time.monotonic()
    spans.close()
    # The library itself tries for seven seconds, one service after the other.
    assert time.monotonic() - began_s < 5


def event(event_id: str, call_id: str) -> Envelope:
    return enveloped(
        Timestamp(),
        event_id=event_id,
        tenant_id=TenantId("t"),
        at_ms=1,
        key=call_id or "k",
        call_id=call_id,
    )


async def test_who_reads_an_event_tells_a_step_below_who_published_it(collector: Collector) -> None:
    other = "0198c0de-0000-7000-8000-000000000002"
    events = [event("1", CALL), event("2", ""), event("3", other), event("4", CALL)]
    with spans.publishing("gateway", "a.events.v1", events) as travelling:
        assert [each.event_id for each in travelling] == ["1", "2", "3", "4"]
    with spans.reading("acd", "a.events.v1", travelling):
        pass
    assert await sent(collector, {"acd", "gateway"}) == [
        ("carillon-acd", "read a.events.v1", travelling[0].traceparent.split("-")[2]),
        ("carillon-gateway", "publish a.events.v1", TRACE[:16]),
    ]
    assert travelling[0].traceparent == travelling[3].traceparent != events[0].traceparent
    assert travelling[1] == events[1]
    # The other call's step is in the other call's trace.
    assert {s.trace for s in collector.spans} == {TRACE, trace_id(other)}
    assert {s.attributes["carillon.call"] for s in collector.spans} == {CALL, other}


async def test_a_batch_that_fails_fails_inside_and_its_steps_end(collector: Collector) -> None:
    with pytest.raises(ZeroDivisionError), spans.reading("acd", "a", [event("1", CALL)]):
        raise ZeroDivisionError
    assert await sent(collector, {"acd"}) == [("carillon-acd", "read a", TRACE[:16])]


@pytest.mark.parametrize("context", ["", "00-xyz", f"00-{'0' * 32}-{'0' * 16}-01", "00-" * 99])
async def test_a_context_that_is_none_is_left_as_it_is(collector: Collector, context: str) -> None:
    strange = replace(event("1", ""), traceparent=context)
    with (
        spans.publishing("acd", "a", [strange]) as travelling,
        spans.reading("acd", "a", [strange]),
    ):
        assert travelling == [strange]
    await asyncio.to_thread(spans.close)
    assert collector.spans == []


async def test_what_concerns_no_call_is_no_span(collector: Collector) -> None:
    with spans.span("acd", "ListQueues", call_id=""):
        pass
    with spans.span("acd", "Accept", call_id=CALL):
        pass
    await sent(collector, {"acd"})
    assert [span.name for span in collector.spans] == ["Accept"]


def test_without_a_collector_nothing_is_asked_for() -> None:
    with spans.span("nobody", "step", call_id=CALL):
        pass
    spans.step("nobody", "call", call_id=CALL, from_ms=1, to_ms=2, root=True)
    with spans.publishing("nobody", "a", [event("1", CALL)]) as travelling:
        assert travelling == [event("1", CALL)]
    with spans.reading("nobody", "a", travelling):
        pass
