"""Each line names the tenant and the call that it is about, and never another's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.chassis import request
from services.chassis.bus import Batch, MemoryBus
from services.chassis.envelope import Envelope
from services.chassis.feed import Feed, shared
from services.chassis.ids import TenantId
from services.chassis.log import NOTHING, about, concerns, get_logger, hidden, name_subject
from services.chassis.tasks import Tasks
from services.chassis.trace import call_of_trace, trace_id

log = get_logger("test")

FIRST = "01930b5e-7c00-7abc-8def-000000000001"
SECOND = "01930b5e-7c00-7abc-8def-000000000002"
Line = tuple[str, str, str]


@contextmanager
def lines() -> Iterator[list[Line]]:
    """What is written inside: event, tenant and call."""
    written: list[Line] = []
    with capture_logs(processors=(name_subject,)) as captured:
        yield written
    written += [(each["event"], each.get("tenant", ""), each.get("call", "")) for each in captured]


def asking(tenant: str, call: str) -> request.RequestContext:
    return request.enter([("carillon-tenant", tenant), ("carillon-call", call)])


def event(call: str, tenant: str = "t") -> Envelope:
    trace = trace_id(call)
    return Envelope(
        event_id=f"e-{call}",
        tenant_id=TenantId(tenant),
        at_ms=1,
        key=call,
        type="x",
        payload=b"",
        traceparent=f"00-{trace}-{trace[:16]}-01",
    )


async def test_lines_within_a_request_name_its_tenant_and_call_and_only_those() -> None:
    both_inside = asyncio.Barrier(2)

    async def answer(tenant: str, call: str) -> None:
        asking(tenant, call)
        await both_inside.wait()
        log.info("answered")

    with lines() as written:
        log.info("before")
        await asyncio.gather(answer("a", FIRST), answer("b", SECOND))
        log.info("after")
    assert sorted(written) == [
        ("after", "", ""),
        ("answered", "a", FIRST),
        ("answered", "b", SECOND),
        ("before", "", ""),
    ]


async def test_a_request_that_finds_out_its_call_names_it_and_the_platform_is_no_tenant() -> None:
    async def answer() -> None:
        request.enter([("carillon-tenant", request.PLATFORM)])
        log.info("not known yet")
        request.concern(FIRST)
        log.info("known")
        log.info("of another", call=SECOND, tenant="b")

    with lines() as written:
        await asyncio.create_task(answer())
    assert written == [("not known yet", "", ""), ("known", "", FIRST), ("of another", "b", SECOND)]


async def test_what_outlives_a_request_does_not_go_on_in_its_name() -> None:
    tasks = Tasks()

    async def work() -> None:
        assert request.present().call_id in {None, FIRST}
        log.info("in a task", asked_by=request.present().tenant_id or "nobody")
        raise ZeroDivisionError

    async def answer() -> None:
        asking("a", FIRST)
        tasks.start(work(), "part of it")
        tasks.start(work(), "for many", about=("a", ""))
        tasks.start(work(), "for all", about=NOTHING)
        asyncio.get_running_loop().call_soon(log.info, "by a timer")
        await tasks.ended()

    with capture_logs(processors=(name_subject,)) as captured:
        await asyncio.create_task(answer())
    told = {
        (each["event"], each.get("task", ""), each.get("asked_by", "")): (
            each.get("tenant"),
            each.get("call"),
        )
        for each in captured
        if each["event"] != "in a task"
    }
    assert told == {
        ("by a timer", "", ""): ("a", FIRST),
        ("background task failed", "part of it", ""): ("a", FIRST),
        ("background task failed", "for many", ""): ("a", None),
        ("background task failed", "for all", ""): (None, None),
    }
    assert [each["asked_by"] for each in captured if each["event"] == "in a task"] == [
        "a",
        "nobody",
        "nobody",
    ]


async def test_lines_name_what_is_known_by_the_time_they_are_written() -> None:
    tenant = ""
    with lines() as written, about(lambda: (tenant, FIRST)):
        log.info("at first")
        tenant = "a"
        log.info("later")
        with about(("b", "")):
            log.info("inside")
        log.info("outside")
    assert written == [
        ("at first", "", FIRST),
        ("later", "a", FIRST),
        ("inside", "b", ""),
        ("outside", "a", FIRST),
    ]


def test_a_librarys_lines_name_nobody() -> None:
    def ask() -> list[dict[str, Any]]:
        with capture_logs(processors=(name_subject,)) as captured, about(("a", FIRST)):
            logging.getLogger("a.library").warning("of whom?")
        return [dict(each) for each in captured if each["event"] == "of whom?"]

    # The handler is the one that `configure` gives to all libraries.
    from services.chassis.log import _Through  # noqa: PLC0415 (private, and only its effect seen)

    handler = _Through()
    logging.getLogger("a.library").addHandler(handler)
    try:
        (line,) = ask()
    finally:
        logging.getLogger("a.library").removeHandler(handler)
    assert {"tenant", "call"}.isdisjoint(line)


def test_events_of_one_call_name_it_and_of_several_only_what_they_share() -> None:
    assert shared([event(FIRST), event(FIRST)]) == ("t", FIRST)
    assert shared([event(FIRST), event(SECOND)]) == ("t", "")
    assert shared([event(FIRST), event(FIRST, "other")]) == ("", FIRST)
    assert shared([]) == ("", "")


@pytest.mark.parametrize("call", [FIRST, SECOND])
def test_a_trace_tells_its_call(call: str) -> None:
    assert call_of_trace(trace_id(call)) == call


@pytest.mark.parametrize(
    "trace", ["", "0" * 32, "f" * 32, trace_id(FIRST.replace("-7", "-4")), "x" * 32]
)
def test_a_trace_that_is_of_none_of_our_calls_tells_none(trace: str) -> None:
    assert call_of_trace(trace) == ""


async def test_a_feeds_lines_are_about_the_event_that_is_refused() -> None:
    bus = MemoryBus()
    await bus.publish("acd.events.v1", [event(FIRST)])
    tries = asyncio.Semaphore(0)

    async def handle(_batch: Batch) -> None:
        log.info("handled")
        tries.release()
        raise ValueError

    feed = Feed(bus=bus, group="g", topics=("acd.events.v1",), handle=handle)
    with lines() as written:
        concerns(("another", SECOND))
        reading = asyncio.ensure_future(feed.run())
        await tries.acquire()
        await tries.acquire()  # the first failure has been told by then
        reading.cancel()
        await asyncio.wait((reading,))
    assert written[:2] == [("handled", "t", FIRST), ("feed is stuck", "t", FIRST)]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+12025550100", "…00"),
        ("sip:+12025550147@10.0.0.7:5060", "…47"),
        ("sip:alice@example.com", "hidden"),
        ("7", "…7"),
        ("", ""),
    ],
)
def test_a_persons_number_is_not_shown_whole(number: str, shown: str) -> None:
    assert hidden(number) == shown
