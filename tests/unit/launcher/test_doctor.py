"""What a doctor reads from the wire, and how it tells what it found."""

from __future__ import annotations

import json
import struct

import pytest

from services.launcher.doctor import keeping, wire
from services.launcher.doctor.model import Check, Finding, Limits, Place
from services.launcher.doctor.places import Named
from services.launcher.doctor.rounds import CHECKS, examine, in_json, in_words

OK = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060\r\n"
    b"Record-Route: <sip:a.example;lr>, <sip:b.example;lr>\r\nrecord-route: <sip:c.example;lr>\r\n"
    b"To: <sip:x@y>;tag=7\r\nm: <sip:g1@192.0.2.9:5062>\r\n\r\n"
    b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 20002 RTP/AVP 0\r\n"
)


def test_an_answer_sets_the_way_of_what_follows() -> None:
    answer = wire.parse(OK)
    assert answer is not None
    dialog = wire.Dialog.begin(host="192.0.2.1", port=5070, uri="sip:x@y", caller="+1")
    dialog.answered(answer)
    bye = dialog.request("BYE", 2, "b").decode()
    assert bye.startswith("BYE sip:g1@192.0.2.9:5062 SIP/2.0\r\n")
    routes = [line for line in bye.split("\r\n") if line.startswith("Route: ")]
    assert routes == [f"Route: <sip:{name}.example;lr>" for name in "cba"]
    assert "\r\nTo: <sip:x@y>;tag=7\r\n" in bye
    assert wire.media_of(answer.body) == ("192.0.2.9", 20_002)
    assert wire.media_of("v=0\r\n") is None


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"OPTIONS sip:x SIP/2.0\r\n\r\n", b"SIP/2.0"])
def test_what_is_no_answer_is_none(data: bytes) -> None:
    assert wire.parse(data) is None


def test_a_report_on_what_was_said_is_found_wherever_it_is() -> None:
    block = struct.pack("!IIIIII", 77, 0, 0, 0, 0, 0)
    sender = struct.pack("!BBHIIIIII", 0x81, 200, 12, 5, 0, 0, 0, 0, 0) + block
    receiver = struct.pack("!BBHI", 0x81, 201, 7, 5) + block
    name = struct.pack("!BBHII", 0x81, 202, 2, 5, 0)
    assert wire.reports_on(sender, 77)
    assert wire.reports_on(name + receiver, 77)
    assert not wire.reports_on(name + receiver, 78)
    assert not wire.reports_on(receiver[:10], 77)


class Behind:
    """A bus that says one thing after another."""

    def __init__(self, *told: dict[tuple[str, str], int]) -> None:
        self.told = list(told)

    async def behind(self) -> dict[tuple[str, str], int]:
        return self.told.pop(0)


async def test_a_burst_that_is_gone_at_the_second_look_is_no_finding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "TWICE_S", 0)
    limits = Limits(max_behind=10)
    first = {("crm", "a"): 500, ("ivr", "a"): 11, ("portal", "a"): 10}
    later = {("crm", "a"): 400, ("ivr", "a"): 3, ("portal", "a"): 900}
    found = await keeping.backlog(Place(backlog=Behind(first, later), limits=limits))
    assert found is not None
    assert [each.what for each in found] == ["Group crm is 400 events behind on a."]
    assert await keeping.backlog(Place(backlog=Behind({("ivr", "a"): 1}), limits=limits)) == []


class Lock:
    """A store that is tried."""

    def __init__(self, how: str) -> None:
        self.how = how

    async def broken(self) -> str:
        return self.how


async def test_a_lock_that_can_be_shortened_is_a_finding() -> None:
    assert await keeping.lock(Place()) is None
    assert await keeping.lock(Place(canary=Lock(""))) == []
    found = await keeping.lock(Place(canary=Lock("its retention was shortened")))
    assert found is not None
    assert found[0].what == "The store's object lock is not real: its retention was shortened."


async def test_what_is_not_named_is_not_looked_at_and_what_fails_is_told() -> None:
    async def fails(_place: Place) -> list[Finding] | None:
        raise ZeroDivisionError("by nought")

    nothing = await examine(Place())
    assert {verdict.state for verdict in nothing} == {"not looked at"}
    assert [verdict.check for verdict in nothing] == list(CHECKS)
    assert not json.loads(in_json(nothing))["well"]
    (verdict,) = await examine(Place(), [Check("x", "All is well", fails)])
    assert verdict.state == "ill"
    assert in_words([verdict]).splitlines()[:2] == [
        "ILL All is well",
        "      It could not be looked at: ZeroDivisionError: by nought.",
    ]
    assert not json.loads(in_json([verdict]))["well"]


def test_what_was_named_counts_more_than_what_was_found() -> None:
    place = Place(sip="a:1", number="1", tls=("a:2",))
    named = Named(sip="b:1", metrics=("c:3", "http://d:4/metrics"), tls=("b:2",)).over(place)
    assert (named.sip, named.number, named.tls) == ("b:1", "1", ("a:2", "b:2"))
    assert named.metrics == ("http://c:3", "http://d:4")
