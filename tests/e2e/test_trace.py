"""One trace per call, across all services."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis.postgres.server import PostgresServer
from services.chassis.trace import trace_id
from tests.e2e.whole import whole
from tests.softphone.incoming import Answer
from tests.stage.collector import collecting

pytestmark = [pytest.mark.e2e]


async def test_a_calls_steps_in_all_services_are_one_trace(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    async with collecting() as collector:
        env = {"CARILLON_OTLP_ENDPOINT": collector.endpoint}
        async with whole(tmp_path, postgres_server, together=True, env=env) as stage:
            _, phone = await stage.phone_agent("abel", Answer(ring_s=0.1))
            call = await stage.in_queue()
            answered = await phone.incoming(10)
            await answered.answered(5)
            call.play_tone(440)
            await answered.hears_tone(440, 5)
            await call.hangup()
            await stage.until_quiet()
            started = await stage.facts.first(lambda f: f.HasField("call_started"), 2, "a call")
            trace = trace_id(started.call_id)
            services = {"carillon-gateway", "carillon-ivr", "carillon-acd", "carillon-crm"}
            spans = await collector.until(services, trace, 20)
    names = {(span.service, span.name) for span in spans}
    assert ("carillon-gateway", "call") in names
    root = next(span for span in spans if span.name == "call")
    assert root.span == trace[:16]
    # Short spans: none but the call itself lasts as long as the call.
    assert all(span.took_ms < 10_000 for span in spans if span is not root)
    known = {span.span for span in spans}
    assert all(span.parent in known for span in spans if span is not root)
