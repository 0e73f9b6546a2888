"""One trace per call, across all services."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis.postgres.server import PostgresServer
from services.chassis.trace import trace_id
from tests.e2e.whole import whole
from tests.softphone.incoming import Answer
from tests.stage.collector import Collector, SeenSpan, collecting

pytestmark = [pytest.mark.e2e]

TOLD = {
    "carillon-gateway": {"call", "answer", "ring", "bridge"},
    "carillon-ivr": {"find flow", "look up customer", "step gather", "step enqueue", "step ring"},
    "carillon-acd": {"wait", "ring", "Accept", "Bridged"},
    "carillon-crm": {"LookUp"},
    "carillon-recording": {"keep segments", "PutManifest", "finalise"},
}
"""What at least is told of a call that is answered, by service."""
PUBLISHERS = {
    "gateway.events.v1": "carillon-gateway",
    "acd.events.v1": "carillon-acd",
    "recording.events.v1": "carillon-recording",
}
READERS = {
    "carillon-crm": set(PUBLISHERS),
    "carillon-analytics": {"gateway.events.v1", "acd.events.v1"},
    "carillon-recording": {"gateway.events.v1"},
}
"""Who reads which topic, as far as a call is on it."""
IN_ORDER = (
    ("carillon-gateway", "call"),
    ("carillon-gateway", "answer"),
    ("carillon-ivr", "find flow"),
    ("carillon-ivr", "step enqueue"),
    ("carillon-acd", "wait"),
    ("carillon-acd", "ring"),
    ("carillon-acd", "Bridged"),
    ("carillon-recording", "PutManifest"),
    ("carillon-recording", "finalise"),
)
"""From the INVITE to the stored recording, by when each began (`answer` with the call)."""
SLACK_MS = 50
"""Between two processes' clocks, and for the milliseconds that are cut off."""


async def test_a_calls_steps_in_all_services_are_one_trace(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    async with collecting() as collector:
        env = {"CARILLON_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        async with whole(
            tmp_path, postgres_server, together=True, env=env, gateway_env=env
        ) as stage:
            _, phone = await stage.phone_agent("abel", Answer(ring_s=0.1))
            call = await stage.in_queue()
            answered = await phone.incoming(10)
            await answered.answered(5)
            call.play_tone(440)
            await answered.hears_tone(440, 5)
            await call.hangup()
            await stage.until_quiet()
            started = await stage.facts.first(lambda f: f.HasField("call_started"), 2, "a call")
            spans = await whole_story(collector, trace_id(started.call_id))
    (root,) = [span for span in spans if span.name == "call"]
    assert (root.service, root.span) == ("carillon-gateway", root.trace[:16])
    assert root.attributes["tenant"] == stage.tenant.tenant_id
    assert root.attributes["termination"] == "caller-hung-up"
    rest = [span for span in spans if span is not root]
    # Short spans: none but the call itself lasts as long as the call.
    assert all(0 <= span.took_ms <= root.took_ms + 10_000 for span in rest)
    known = {span.span for span in spans}
    assert [span for span in rest if span.parent not in known] == []
    (waited,) = [span for span in spans if (span.service, span.name) == ("carillon-acd", "wait")]
    assert waited.attributes["outcome"] == "reserved"
    assert_in_order(spans)
    assert_linked_over_the_bus(spans)


def assert_in_order(spans: list[SeenSpan]) -> None:
    """The story began at the INVITE and went on to the stored recording and the history."""
    began_ms = [
        min(span.began_ms for span in spans if (span.service, span.name) == each)
        for each in IN_ORDER
    ]
    for earlier, later, what in zip(began_ms, began_ms[1:], IN_ORDER[1:], strict=False):
        assert earlier <= later + SLACK_MS, what
    (closing,) = [span for span in spans if span.name == "finalise"]
    (request,) = [span for span in spans if span.name == "PutManifest"]
    assert closing.parent == request.span
    (kept,) = [span for span in spans if span.name == "keep segments"]
    assert int(kept.attributes["segments"]) >= 2


def assert_linked_over_the_bus(spans: list[SeenSpan]) -> None:
    """Whoever reads an event names who published it, and they the call."""
    (root,) = [span for span in spans if span.name == "call"]
    by_id = {span.span: span for span in spans}
    for span in spans:
        verb, _, topic = span.name.partition(" ")
        if topic not in PUBLISHERS:
            continue
        parent = by_id[span.parent]
        if verb == "publish":
            assert (span.service, parent) == (PUBLISHERS[topic], root)
        else:
            assert (parent.service, parent.name) == (PUBLISHERS[topic], f"publish {topic}")
            assert parent.began_ms <= span.began_ms + SLACK_MS


def history(spans: list[SeenSpan]) -> set[tuple[str, str]]:
    """Whether crm has read that the recording was closed: what was published after that began."""
    closed_ms = min(span.began_ms for span in spans if span.name == "finalise")
    published = {
        span.span
        for span in spans
        if span.name == "publish recording.events.v1" and span.began_ms >= closed_ms
    }
    if any(span.service == "carillon-crm" and span.parent in published for span in spans):
        return {("carillon-crm", "the recording's end")}
    return set()


async def whole_story(collector: Collector, trace: str) -> list[SeenSpan]:
    """The spans of a call, once everything that is told of one has come."""

    def missing(spans: list[SeenSpan]) -> set[tuple[str, str]]:
        wanted = {(service, name) for service, names in TOLD.items() for name in names}
        wanted |= {
            (service, f"read {topic}") for service, topics in READERS.items() for topic in topics
        }
        lacking = wanted - {(span.service, span.name) for span in spans}
        return lacking or ({("carillon-crm", "the recording's end")} - history(spans))

    return await collector.story(trace, missing, 20)
