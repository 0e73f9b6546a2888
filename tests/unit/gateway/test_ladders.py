"""Who said what in SIP: kept for each call, and counted where it came again."""

from __future__ import annotations

from media_gateway.adapters.sip_ladders import MAX_EARLY, Seen, SipLadders
from media_gateway.core.ladder import MAX_STEPS, Ladder, LadderStep
from media_gateway.sip.address import HostPort
from media_gateway.sip.message import parse
from services.chassis.ids import LegId

PEER = HostPort("127.0.0.1", 5070)
LEG = LegId("1")


def message(line: str, *, call_id: str = "a@h", cseq: str = "1 INVITE") -> bytes:
    lines = [
        line,
        "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKx",
        "From: <sip:+2@h>;tag=f",
        "To: <sip:+1@h>",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq}",
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def step(line: str, cseq: str = "1 INVITE", *, sent: bool = True, at_ms: int = 5) -> LadderStep:
    return LadderStep(at_ms, LEG, sent, "127.0.0.1:5070", line, cseq)


def test_messages_stand_in_the_order_of_their_first_time() -> None:
    ladder = Ladder()
    ladder.note(step("INVITE", sent=False))
    ladder.note(step("100 Trying", at_ms=6))
    ladder.note(step("INVITE", sent=False, at_ms=7))
    ladder.note(step("INVITE", "2 INVITE", sent=False, at_ms=8))
    assert [(each.line, each.cseq, each.times, each.at_ms) for each in ladder.steps] == [
        ("INVITE", "1 INVITE", 2, 5),
        ("100 Trying", "1 INVITE", 1, 6),
        ("INVITE", "2 INVITE", 1, 8),
    ]


def test_what_goes_beyond_the_limit_is_counted() -> None:
    ladder = Ladder()
    for number in range(MAX_STEPS + 3):
        ladder.note(step("INFO", f"{number} INFO"))
    ladder.note(step("INFO", "0 INFO"))
    assert (len(ladder.steps), ladder.dropped) == (MAX_STEPS, 3)
    assert ladder.steps[0].times == 2


def test_a_call_is_told_of_its_own_messages_only() -> None:
    ladders, heard = SipLadders(), list[Seen]()
    ladders.follow("a@h", heard.append)
    ladders.received(parse(message("INVITE sip:+1@h SIP/2.0")), PEER, 3)
    ladders.received(parse(message("SIP/2.0 486 Secret Words")), PEER, 4)
    ladders.sent(message("SIP/2.0 180 Ringing"), PEER, 5)
    ladders.sent(message("BYE sip:+1@h SIP/2.0", cseq="2 BYE"), PEER, 6)
    ladders.sent(message("BYE sip:+1@h SIP/2.0", call_id="b@h"), PEER, 7)
    assert heard == [
        Seen(3, sent=False, peer=PEER, line="INVITE", cseq="1 INVITE"),
        # The usual phrase, whatever the other side wrote.
        Seen(4, sent=False, peer=PEER, line="486 Busy Here", cseq="1 INVITE"),
        Seen(5, sent=True, peer=PEER, line="180 Ringing", cseq="1 INVITE"),
        Seen(6, sent=True, peer=PEER, line="BYE", cseq="2 BYE"),
    ]


def test_what_came_just_before_the_call_was_known_belongs_to_it() -> None:
    ladders, heard = SipLadders(), list[Seen]()
    for number in range(MAX_EARLY):
        ladders.sent(message("SIP/2.0 200 OK", call_id=f"{number}@h"), PEER, 1)
    ladders.received(parse(message("INVITE sip:+1@h SIP/2.0")), PEER, 2)
    ladders.follow("a@h", heard.append)
    assert [seen.line for seen in heard] == ["INVITE"]
    ladders.follow("0@h", heard.append)
    assert len(heard) == 1


def test_a_call_that_is_over_is_told_nothing() -> None:
    ladders, heard = SipLadders(), list[Seen]()
    ladders.follow("a@h", heard.append)
    ladders.forget("a@h")
    ladders.sent(message("SIP/2.0 200 OK"), PEER, 1)
    assert heard == []
