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
    "carillon-recording": {"PutManifest", "finalise"},
}
"""What at least is told of a call that is answered, by service."""


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


async def whole_story(collector: Collector, trace: str) -> list[SeenSpan]:
    """The spans of a call, once everything that is told of one has come."""

    def missing(spans: list[SeenSpan]) -> set[tuple[str, str]]:
        wanted = {(service, name) for service, names in TOLD.items() for name in names}
        return wanted - {(span.service, span.name) for span in spans}

    return await collector.story(trace, missing, 20)
