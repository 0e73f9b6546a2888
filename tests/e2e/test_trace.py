"""One trace per call, across all services, and all lines of the log by one id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protos.gateway.v1 import events_pb2
from services.chassis.postgres.server import PostgresServer
from services.chassis.trace import trace_id
from tests.e2e.whole import Whole, whole
from tests.softphone import SoftPhone
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
LOOK_UP = ("carillon-ivr", "look up customer")
CALLS = 5
"""Of which crm must be asked in time for one: on a busy machine, an early one may be too late."""
LOGGED = {
    "gateway": {"call started", "legs bridged", "call ended"},
    "ivr": {"call begun", "answered Handle"},
    "acd": {"answered Enqueue", "answered Accept", "answered Bridged"},
    "crm": {"answered LookUp"},
    "recording": {"segment kept", "recording closed", "answered PutManifest"},
}
"""What at least each service's log says of a call, when it tells of every request."""
SLACK_MS = 50
"""Between two processes' clocks, and for the milliseconds that are cut off."""


async def test_a_calls_steps_in_all_services_are_one_trace(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    async with collecting() as collector:
        env = {
            "CARILLON_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "CARILLON_LOG_LEVEL": "debug",
        }
        async with whole(
            tmp_path, postgres_server, together=True, env=env, gateway_env=env
        ) as stage:
            _, phone = await stage.phone_agent("abel", Answer(ring_s=0.1))
            for number in range(CALLS):
                started = await place_call(stage, phone, number)
                spans = await whole_story(collector, trace_id(started.call_id))
                if not is_late(spans):
                    break
            else:
                raise AssertionError(f"crm was not asked in time for any of {CALLS} calls")
            assert_logged(tmp_path, stage.tenant.tenant_id, started)
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


async def place_call(stage: Whole, phone: SoftPhone, number: int) -> events_pb2.CallFact:
    """A call that is answered and ended; how it began. So many were placed before it."""
    call = await stage.in_queue()
    answered = await phone.incoming(10)
    await answered.answered(5)
    call.play_tone(440)
    await answered.hears_tone(440, 5)
    await call.hangup()
    await stage.until_quiet()
    begun = await stage.facts.some(
        number + 1, lambda f: f.HasField("call_started"), 2, "a call's beginning"
    )
    return begun[number]


def assert_logged(var: Path, tenant: str, started: events_pb2.CallFact) -> None:
    """Several services' lines are found by the call's id, with its tenant; no number is."""
    caller: str = getattr(started.call_started, "from")
    assert caller.startswith("+1202555")
    told: dict[str, set[str]] = {service: set() for service in LOGGED}
    for log in (var / "log").glob("*.log"):
        text = log.read_text()
        assert caller not in text
        lines: list[dict[str, Any]] = [
            json.loads(line) for line in text.splitlines() if line.startswith("{")
        ]
        for line in lines:
            if line.get("call") == started.call_id:
                service, said = told_by(line, "gateway" if log.stem == "gateway" else "")
                told.setdefault(service, set()).add(said)
                # The gateway learns whose the number is by ivr's first answer.
                assert line.get("tenant", tenant) == tenant, line
                assert "tenant" in line or said in {"call started", "fact", "of no account"}, line
    assert {service: LOGGED[service] - told[service] for service in LOGGED} == {
        service: set() for service in LOGGED
    }


def told_by(line: dict[str, Any], default: str) -> tuple[str, str]:
    """The service whose line it is, and what it says."""
    if line["event"] == "answered":
        package, _, method = line["method"].rpartition("/")
        return package.removeprefix("/carillon.").partition(".")[0], f"answered {method}"
    return default or line["room"].partition(".")[0], line["event"]


def is_late(spans: list[SeenSpan]) -> bool:
    """Whether crm was not asked in time who calls."""
    return any(span.failed for span in spans if (span.service, span.name) == LOOK_UP)


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
        if is_late(spans):
            lacking.discard(("carillon-crm", "LookUp"))
        return lacking or ({("carillon-crm", "the recording's end")} - history(spans))

    return await collector.story(trace, missing, 20)
