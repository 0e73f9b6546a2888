"""What the stack is told and what the call hears of it, with a stack that only listens."""

from __future__ import annotations

from typing import Any, cast

import pytest

from media_gateway.adapters.call_signalling import CallSignalling, Trunk
from media_gateway.adapters.leg_media import LegMedia
from media_gateway.adapters.sip_endpoint import SipEndpoint
from media_gateway.core import events as e
from media_gateway.core import happenings as h
from media_gateway.core.termination import EndCause
from media_gateway.model import CALLER_LEG, Leg, LegEnd, LegRole
from media_gateway.rtp.port import MediaPort
from media_gateway.sip import events as sip
from media_gateway.sip.address import HostPort
from media_gateway.sip.auth import Credentials
from media_gateway.sip.events import SessionId
from media_gateway.sip.headers import Headers
from media_gateway.sip.session import MAX_BRANCHES, NoSuchSession
from media_gateway.sip.stack import StackFull
from services.chassis.ids import CallId, LegId
from services.chassis.tasks import Tasks
from tests.unit.gateway.listening import RUNG, Endpoint, ListeningStack, SilentPort, invite

PROXY = HostPort("127.0.0.1", 5080)
AGENT = LegId("2")
CALLED = SessionId(1)
CREDENTIALS = Credentials("u", "p")
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP {codec}\r\na={direction}\r\n"
)


def _sdp(codec: int = 0, direction: str = "sendrecv") -> bytes:
    return SDP.format(codec=codec, direction=direction).encode()


class Bench:
    """One call's signalling between a listening stack and a list of happenings."""

    def __init__(
        self,
        *,
        offer: bytes | None = None,
        max_forwards: int = 70,
        edge: HostPort | None = None,
    ) -> None:
        self.stack = ListeningStack()
        self.happened: list[h.Happening] = []
        self.media: dict[LegId, LegMedia] = {}
        self.claimed: list[SessionId] = []
        self.port = self.open(CALLER_LEG)
        self.signalling = CallSignalling(
            CallId("call"),
            invite(CALLED, offer=offer, max_forwards=max_forwards),
            endpoint=cast("SipEndpoint", Endpoint(self.stack)),
            trunk=Trunk(credentials=CREDENTIALS, proxy=PROXY, retry_after_s=9),
            way_out=lambda: edge,
            media=self.media,
            happen=self.happened.append,
            claim=self.claimed.append,
        )

    def open(self, leg_id: LegId) -> SilentPort:
        port = SilentPort()
        self.media[leg_id] = LegMedia(
            leg_id,
            cast("MediaPort", port),
            local_host="127.0.0.1",
            sdp_session_id=1,
            shelf=cast("Any", None),
            events=cast("Any", None),
            tasks=Tasks(),
        )
        return port

    def rung(self, target: str = "sip:100@127.0.0.1:5070", role: LegRole = LegRole.AGENT) -> Leg:
        leg = Leg(AGENT, role, target=target, shown="+2", signalled=True)
        self.open(AGENT)
        self.signalling.invite(e.SendInvite(leg, "PCMA"))
        return leg


def test_progress_and_answer_say_the_same_and_audio_flows_from_then_on() -> None:
    bench = Bench(offer=_sdp(8))
    assert bench.port.negotiated == []
    bench.signalling.progress()
    bench.signalling.answer()
    (_, progressed, _), (_, accepted, _) = bench.stack.told
    assert progressed[1] == 183
    assert progressed[2] == accepted[1]
    assert bench.port.negotiated[0].codec == "PCMA"


def test_a_late_offer_is_settled_by_the_acknowledgement() -> None:
    bench = Bench(offer=None)
    bench.signalling.answer()
    assert bench.port.negotiated == []
    bench.signalling.receive(sip.CallAcked(CALLED, _sdp(8)))
    assert h.MediaNegotiated(CALLER_LEG, "PCMA") in bench.happened
    assert bench.port.negotiated[0].port == 40_000


@pytest.mark.parametrize("sdp", [None, b"rubbish", _sdp(9)])
def test_an_acknowledgement_without_usable_answer_ends_the_call(sdp: bytes | None) -> None:
    bench = Bench(offer=None)
    bench.signalling.answer()
    bench.signalling.receive(sip.CallAcked(CALLED, sdp))
    assert bench.happened == [h.LegAnswersUnusably(CALLER_LEG)]


def test_a_503_says_when_to_come_again() -> None:
    bench = Bench()
    bench.signalling.refuse(503, "draining")
    args, kwargs = bench.stack.last()
    assert args[1] == 503
    assert ("Retry-After", "9") in kwargs["headers"]
    bench.signalling.refuse(404, "no-such-number")
    assert bench.stack.last()[1]["headers"] == []


def test_an_endpoint_is_asked_for_the_callers_codec_first() -> None:
    bench = Bench(offer=_sdp())
    bench.rung()
    _, kwargs = bench.stack.last()
    assert b"RTP/AVP 8 0 101" in kwargs["sdp"]
    assert kwargs["destination"] == HostPort("127.0.0.1", 5070)
    assert kwargs["credentials"] is None
    assert kwargs["max_forwards"] == 69
    assert ("X-Carillon-Call", "call") in kwargs["headers"]
    assert bench.claimed == [RUNG]


def test_only_the_trunk_is_shown_the_credentials_and_learns_no_names() -> None:
    bench = Bench(offer=_sdp())
    bench.rung("sip:+12025550199@127.0.0.1:5080", LegRole.EXTERNAL)
    _, kwargs = bench.stack.last()
    assert kwargs["credentials"] is CREDENTIALS
    assert kwargs["headers"] == []


def test_where_there_is_an_edge_endpoints_and_trunks_are_rung_by_it() -> None:
    edge = HostPort("10.0.0.7", 5060)
    bench = Bench(offer=_sdp(), edge=edge)
    for target, role in (
        ("sip:ann@127.0.0.1:5070", LegRole.AGENT),
        ("sip:+12025550199@127.0.0.1:5080", LegRole.EXTERNAL),
    ):
        bench.rung(target, role)
        args, kwargs = bench.stack.last()
        assert args == (target,)
        assert (kwargs["destination"], kwargs["routes"]) == (edge, ("<sip:10.0.0.7:5060;lr>",))
    # Whom the credentials are for is decided by where the call goes, not by which way.
    assert kwargs["credentials"] is CREDENTIALS


def test_what_cannot_be_sent_is_unreachable() -> None:
    bench = Bench(offer=_sdp())
    bench.stack.error = StackFull("full")
    bench.rung()
    far = Bench(offer=_sdp(), max_forwards=0)
    far.rung()
    assert bench.happened == far.happened == [h.LegRefuses(AGENT, 0)]
    assert far.stack.told == []


def test_ringing_and_early_media_are_ringing_and_the_rest_is_a_sign_of_life() -> None:
    bench = Bench(offer=_sdp())
    bench.rung()
    for status, sdp in ((180, None), (183, _sdp()), (183, None), (182, None)):
        bench.signalling.receive(sip.ProvisionalReceived(RUNG, status, "", sdp, "t"))
    rings, responds = h.LegRings(AGENT), h.LegResponds(AGENT)
    assert bench.happened == [rings, rings, responds, responds]


def test_an_answer_may_rest_on_what_its_branch_said_before() -> None:
    bench = Bench(offer=_sdp())
    bench.rung()
    bench.signalling.receive(sip.ProvisionalReceived(RUNG, 183, "", _sdp(8), "one"))
    bench.signalling.receive(sip.ProvisionalReceived(RUNG, 183, "", _sdp(0), "two"))
    bench.signalling.receive(sip.InviteAccepted(RUNG, None, "one", Headers()))
    assert bench.happened[-1] == h.LegAnswers(AGENT, "PCMA")


@pytest.mark.parametrize("sdp", [None, b"rubbish", _sdp(9)])
def test_an_answer_that_nobody_can_use_is_told(sdp: bytes | None) -> None:
    bench = Bench(offer=_sdp())
    bench.rung()
    bench.signalling.receive(sip.InviteAccepted(RUNG, sdp, "t", Headers()))
    assert bench.happened == [h.LegAnswersUnusably(AGENT)]


def _talking() -> Bench:
    bench = Bench(offer=_sdp())
    bench.signalling.answer()
    bench.rung()
    bench.signalling.receive(sip.InviteAccepted(RUNG, _sdp(), "t", Headers()))
    bench.stack.told.clear()
    bench.happened.clear()
    return bench


def test_a_hold_waits_until_the_call_is_acknowledged() -> None:
    bench = _talking()
    bench.signalling.hold(CALLER_LEG, held=True)
    assert bench.stack.told == []
    bench.signalling.receive(sip.CallAcked(CALLED, None))
    assert bench.stack.verbs() == ["reinvite"]
    assert b"a=sendonly" in bench.stack.last()[0][1]


def test_one_reinvite_at_a_time_and_the_last_wish_counts() -> None:
    bench = _talking()
    for held in (True, False, True, False):
        bench.signalling.hold(AGENT, held=held)
    assert bench.stack.verbs() == ["reinvite"]
    bench.signalling.receive(sip.ReinviteDone(RUNG, 200, "OK", _sdp(0, "recvonly")))
    assert bench.stack.verbs() == ["reinvite", "reinvite"]
    assert b"a=sendrecv" in bench.stack.last()[0][1]
    bench.signalling.receive(sip.ReinviteDone(RUNG, 200, "OK", _sdp()))
    assert len(bench.stack.told) == 2


def test_a_hold_that_is_refused_is_not_asked_for_again_and_again() -> None:
    bench = _talking()
    bench.signalling.hold(AGENT, held=True)
    bench.signalling.receive(sip.ReinviteDone(RUNG, 488, "Not Acceptable Here", None))
    assert bench.stack.verbs() == ["reinvite"]


def test_the_far_end_holds_and_takes_back() -> None:
    bench = _talking()
    bench.signalling.receive(sip.ReinviteReceived(RUNG, _sdp(0, "sendonly")))
    assert b"a=recvonly" in bench.stack.last()[0][1]
    assert bench.happened[-1] == h.LegHolds(AGENT, held=True)
    bench.signalling.receive(sip.ReinviteReceived(RUNG, _sdp()))
    assert bench.happened[-1] == h.LegHolds(AGENT, held=False)
    assert bench.stack.verbs() == ["answer_reinvite", "answer_reinvite"]


def test_a_leg_that_we_hold_stays_held_whatever_its_end_offers() -> None:
    bench = _talking()
    bench.signalling.hold(AGENT, held=True)
    bench.signalling.receive(sip.ReinviteReceived(RUNG, _sdp()))
    assert b"a=sendonly" in bench.stack.last()[0][1]


def test_a_reinvite_without_offer_gets_ours() -> None:
    bench = _talking()
    bench.signalling.receive(sip.ReinviteReceived(RUNG, None))
    assert bench.stack.verbs() == ["answer_reinvite"]
    bench.signalling.receive(sip.CallAcked(RUNG, _sdp(0, "inactive")))
    assert bench.happened[-1] == h.LegHolds(AGENT, held=True)
    bench.happened.clear()
    bench.signalling.receive(sip.CallAcked(RUNG, b"rubbish"))
    assert bench.happened == []


def test_a_reinvite_that_nobody_can_use_leaves_all_as_it_was() -> None:
    bench = _talking()
    bench.signalling.receive(sip.ReinviteReceived(RUNG, _sdp(9)))
    assert bench.stack.verbs() == ["refuse_reinvite"]
    assert bench.happened == []
    del bench.media[AGENT]
    bench.signalling.receive(sip.ReinviteReceived(RUNG, _sdp()))
    assert bench.stack.verbs() == ["refuse_reinvite"] * 2


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (sip.EndCause.REFUSED, [h.LegReleased(CALLER_LEG)]),
        (sip.EndCause.WE_LEFT, [h.LegReleased(CALLER_LEG)]),
        (sip.EndCause.CANCELLED, [h.LegReleased(CALLER_LEG)]),
        (sip.EndCause.CALLER_CANCELLED, [h.LegLeaves(CALLER_LEG, LegEnd.CANCELLED)]),
        (sip.EndCause.THEY_LEFT, [h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP)]),
        (sip.EndCause.DIALOG_LOST, [h.LegLeaves(CALLER_LEG, LegEnd.SIGNALLING_LOST)]),
        (sip.EndCause.TOO_LONG, [h.LegLeaves(CALLER_LEG, LegEnd.SIGNALLING_LOST)]),
        (
            sip.EndCause.ACK_MISSING,
            [h.LegLeaves(CALLER_LEG, LegEnd.SIGNALLING_LOST, unacknowledged=True)],
        ),
        (
            sip.EndCause.NOBODY_ANSWERED,
            [h.EndCall(EndCause.NEVER_ANSWERED), h.LegReleased(CALLER_LEG)],
        ),
        (
            sip.EndCause.FAILED,
            [h.EndCall(EndCause.NEVER_ANSWERED), h.LegReleased(CALLER_LEG)],
        ),
    ],
)
def test_every_end_of_the_callers_session_is_told_once(
    cause: sip.EndCause, expected: list[h.Happening]
) -> None:
    bench = Bench(offer=_sdp())
    bench.signalling.receive(sip.SessionEnded(CALLED, cause))
    bench.signalling.receive(sip.SessionEnded(CALLED, cause))
    assert bench.happened == expected


@pytest.mark.parametrize(("status", "told"), [(486, 486), (0, 408)])
def test_a_refusal_of_ours_comes_back_with_its_status(status: int, told: int) -> None:
    bench = Bench(offer=_sdp())
    bench.rung()
    bench.signalling.receive(sip.SessionEnded(RUNG, sip.EndCause.FAILED, status))
    assert bench.happened == [h.LegRefuses(AGENT, told)]


def test_a_verb_that_comes_too_late_is_no_fault() -> None:
    bench = _talking()
    bench.stack.error = NoSuchSession("gone")
    bench.signalling.hang_up(AGENT, "answered-elsewhere")
    bench.signalling.hold(AGENT, held=True)
    bench.signalling.refuse(480, "")
    bench.signalling.forget(AGENT)
    bench.stack.error = None
    bench.signalling.hang_up(AGENT, "")
    assert bench.stack.told == []


def test_keys_by_info_are_heard() -> None:
    bench = _talking()
    body = b"Signal=5\r\nDuration=160\r\n"
    bench.signalling.receive(sip.InfoReceived(CALLED, "application/dtmf-relay", body))
    bench.signalling.receive(sip.InfoReceived(CALLED, "application/dtmf-relay", b"Flash"))
    assert bench.happened == [h.KeyPressed(CALLER_LEG, "5", "sip-info")]


def test_of_a_fork_without_end_so_many_branches_are_remembered() -> None:
    bench = Bench(offer=_sdp())
    bench.rung()
    for number in range(MAX_BRANCHES + 1):
        bench.signalling.receive(
            sip.ProvisionalReceived(RUNG, 183, "", _sdp(8), f"branch {number}")
        )
    bench.signalling.receive(sip.InviteAccepted(RUNG, None, f"branch {MAX_BRANCHES}", Headers()))
    assert bench.happened[-1] == h.LegAnswersUnusably(AGENT)
