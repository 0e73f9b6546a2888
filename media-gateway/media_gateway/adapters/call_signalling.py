"""The SIP side of one call: which session is which leg's, and what the stack is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from media_gateway.adapters.leg_media import LegMedia
from media_gateway.adapters.sip_endpoint import SipEndpoint
from media_gateway.adapters.sip_ladders import Seen
from media_gateway.adapters.sip_words import (
    LEFT,
    invitation_of,
    key_in,
    next_hop,
    parties,
    reason_header,
)
from media_gateway.core import events as e
from media_gateway.core import happenings as h
from media_gateway.core.ladder import Ladder, LadderStep
from media_gateway.core.termination import EndCause
from media_gateway.model import CALLER_LEG, LegRole, TargetRefused
from media_gateway.sip import events as sip
from media_gateway.sip.address import HostPort
from media_gateway.sip.auth import Credentials
from media_gateway.sip.events import SessionId
from media_gateway.sip.grammar import MalformedField
from media_gateway.sip.headers import UnsafeHeader
from media_gateway.sip.offer_answer import NoCommonCodec
from media_gateway.sip.sdp import Direction, MalformedSDP
from media_gateway.sip.session import MAX_BRANCHES, NoSuchSession, WrongState
from media_gateway.sip.stack import StackFull
from services.chassis.ids import CallId, LegId
from services.chassis.log import get_logger

log = get_logger("call")

UNAVAILABLE = 503
BAD_MEDIA = (MalformedSDP, NoCommonCodec)
BAD_ADDRESS = (StackFull, MalformedField, UnsafeHeader, TargetRefused)

__all__ = ["CallSignalling", "Trunk", "invitation_of"]


@dataclass(frozen=True, slots=True)
class Trunk:
    """How the gateway signs on where it calls."""

    credentials: Credentials | None
    """What it proves itself by to the outbound trunk; None: it cannot."""
    proxy: HostPort | None
    """The only place that is shown the credentials."""
    retry_after_s: int
    """What its own 503 asks the other side to wait."""


class CallSignalling:
    """Tells the stack what the call decided, and the call what the stack saw."""

    def __init__(
        self,
        call_id: CallId,
        invite: sip.InviteReceived,
        *,
        endpoint: SipEndpoint,
        trunk: Trunk,
        way_out: Callable[[], HostPort | None],
        media: Mapping[LegId, LegMedia],
        happen: Callable[[h.Happening], None],
        claim: Callable[[SessionId], None],
    ) -> None:
        self._call_id = call_id
        self._invite = invite
        self._endpoint = endpoint
        self._trunk = trunk
        self._way_out = way_out
        self._media = media
        self._happen = happen
        self._claim = claim
        self._sessions: dict[LegId, SessionId] = {CALLER_LEG: invite.session_id}
        self._legs: dict[SessionId, LegId] = {invite.session_id: CALLER_LEG}
        self._sdp_answer: bytes | None = None
        self._unacked = {CALLER_LEG}
        self._reinviting: set[LegId] = set()
        self._early_answers: dict[LegId, dict[str, bytes]] = {}
        self.ladder = Ladder()
        """What was said on all legs of the call."""
        self._followed: set[str] = set()
        self._follow(invite.call_id, CALLER_LEG)

    @property
    def sessions(self) -> list[SessionId]:
        """The sessions that are not over."""
        return list(self._legs)

    # What the call decided

    def progress(self) -> None:
        """183 with SDP: the caller hears early media."""
        sdp = self._answer_sdp()
        self._verb(
            lambda now_ms: self._endpoint.stack.progress(self._invite.session_id, 183, sdp, now_ms)
        )
        self._begin_media(CALLER_LEG)

    def answer(self) -> None:
        """200 with SDP: our sdp_answer, or our sdp_offer where the INVITE had none."""
        sdp = self._answer_sdp()
        self._verb(lambda now_ms: self._endpoint.stack.accept(self._invite.session_id, sdp, now_ms))
        self._begin_media(CALLER_LEG)

    def refuse(self, status: int, reason: str) -> None:
        """A final refusal; a 503 says when to come again."""
        headers = [("Reason", value)] if (value := reason_header(reason)) else []
        if status == UNAVAILABLE:
            headers.append(("Retry-After", str(self._trunk.retry_after_s)))
        self._verb(
            lambda now_ms: self._endpoint.stack.refuse(
                self._invite.session_id, status, "", now_ms, headers=headers
            )
        )

    def invite(self, event: e.SendInvite) -> None:
        """INVITE to the endpoint of a leg; what cannot be sent counts as unreachable."""
        leg = event.leg
        media = self._media[leg.leg_id]
        media.prefer(event.codec)
        # An agent's phone may show or log it; outside it means nothing.
        own = [("X-Carillon-Call", self._call_id)] if leg.role is LegRole.AGENT else []
        try:
            if self._invite.max_forwards < 1:
                raise TargetRefused("no hop is left")
            destination = next_hop(leg.target)
            edge = self._way_out()
            from_, to = parties(leg, self._endpoint.local)
            session_id = self._endpoint.stack.invite(
                leg.target,
                from_=from_,
                to=to,
                sdp=media.offer(),
                destination=edge or destination,
                routes=(f"<sip:{edge};lr>",) if edge else (),
                now_ms=self._endpoint.now_ms(),
                headers=own,
                credentials=(self._trunk.credentials if destination == self._trunk.proxy else None),
                max_forwards=max(1, self._invite.max_forwards - 1),
            )
        except BAD_ADDRESS as error:
            log.warning("cannot ring", call=self._call_id, leg=leg.leg_id, reason=str(error))
            self._happen(h.LegRefuses(leg.leg_id, 0))
            return
        self._sessions[leg.leg_id] = session_id
        self._legs[session_id] = leg.leg_id
        self._claim(session_id)
        self._follow(self._endpoint.stack.call_id_of(session_id), leg.leg_id)

    def hang_up(self, leg_id: LegId, reason: str) -> None:
        """CANCEL or BYE, whichever the session asks for."""
        session_id = self._sessions.get(leg_id)
        if session_id is None:
            return
        self._verb(
            lambda now_ms: self._endpoint.stack.hang_up(
                session_id, now_ms, reason=reason_header(reason)
            )
        )

    def hold(self, leg_id: LegId, *, held: bool) -> None:
        """re-INVITE to `sendonly`, or back; if one is under way, as soon as it is over."""
        media = self._media.get(leg_id)
        if media is not None:
            media.direction = Direction.SENDONLY if held else Direction.SENDRECV
            self._sync_direction(leg_id)

    def forget(self, leg_id: LegId) -> None:
        """The leg is gone; whatever its session still does is nobody's business."""
        session_id = self._sessions.pop(leg_id, None)
        self._early_answers.pop(leg_id, None)
        if session_id is not None:
            self._legs.pop(session_id, None)

    def close(self) -> None:
        """The call is over; what is still said of it is on no record."""
        for sip_call_id in self._followed:
            self._endpoint.ladders.forget(sip_call_id)
        self._followed.clear()

    # What the stack saw

    def receive(self, event: sip.SipEvent) -> None:
        """Takes an event of one of the call's sessions."""
        leg_id = self._legs.get(event.session_id)
        if leg_id is None:
            return
        match event:
            case sip.ProvisionalReceived():
                self._provisional(leg_id, event)
            case sip.InviteAccepted(sdp=sdp, to_tag=to_tag):
                early = self._early_answers.pop(leg_id, {})
                self._accepted(leg_id, sdp or early.get(to_tag))
            case sip.CallAcked(sdp=sdp):
                self._acked(leg_id, sdp)
            case sip.ReinviteReceived(sdp=sdp):
                self._reinvited(leg_id, sdp)
            case sip.ReinviteDone(status=status, sdp=sdp):
                self._reinvite_done(leg_id, status, sdp)
            case sip.ReinviteCancelled():
                self._sync_direction(leg_id)
            case sip.InfoReceived(content_type=content_type, body=body):
                if key := key_in(content_type, body):
                    self._happen(h.KeyPressed(leg_id, key, "sip-info"))
            case sip.SessionEnded():
                self._ended(leg_id, event)
            case sip.InviteReceived() | sip.InfoDone():
                pass

    def _provisional(self, leg_id: LegId, event: sip.ProvisionalReceived) -> None:
        if event.sdp is not None:
            # The 200 of the same branch need not say it again (RFC 3261, section 13.2.1).
            early = self._early_answers.setdefault(leg_id, {})
            if event.to_tag in early or len(early) < MAX_BRANCHES:
                early[event.to_tag] = event.sdp
        rings = event.status == 180 or (event.status == 183 and event.sdp is not None)
        self._happen(h.LegRings(leg_id) if rings else h.LegResponds(leg_id))

    def _accepted(self, leg_id: LegId, sdp: bytes | None) -> None:
        media = self._media.get(leg_id)
        if media is None:
            return  # released meanwhile, and the stack says BYE
        try:
            agreement = media.complete(sdp)
        except BAD_MEDIA as error:
            log.warning("answer unusable", call=self._call_id, leg=leg_id, reason=str(error))
            self._happen(h.LegAnswersUnusably(leg_id))
            return
        media.begin()
        self._happen(h.LegAnswers(leg_id, agreement.codec.name))

    def _acked(self, leg_id: LegId, sdp: bytes | None) -> None:
        self._unacked.discard(leg_id)
        media = self._media.get(leg_id)
        if media is not None and (sdp is not None or media.agreed is None):
            self._late_answer(leg_id, media, sdp)
        self._sync_direction(leg_id)

    def _late_answer(self, leg_id: LegId, media: LegMedia, sdp: bytes | None) -> None:
        """The answer to an offer of ours that travelled in a 200."""
        try:
            agreement = media.complete(sdp)
        except BAD_MEDIA as error:
            log.warning("answer unusable", call=self._call_id, leg=leg_id, reason=str(error))
            if media.agreed is None:
                self._happen(h.LegAnswersUnusably(leg_id))
            return
        self._happen(h.MediaNegotiated(leg_id, agreement.codec.name))
        self._happen(h.LegHolds(leg_id, agreement.is_held))

    def _reinvited(self, leg_id: LegId, sdp: bytes | None) -> None:
        media = self._media.get(leg_id)
        session_id = self._sessions[leg_id]
        stack = self._endpoint.stack
        if media is None:
            self._verb(lambda now_ms: stack.refuse_reinvite(session_id, 488, "", now_ms))
            return
        if sdp is None:
            offer = media.offer()
            self._verb(lambda now_ms: stack.answer_reinvite(session_id, offer, now_ms))
            return
        try:
            agreement, answer = media.answer(sdp)
        except BAD_MEDIA as error:
            log.info("re-INVITE refused", call=self._call_id, leg=leg_id, reason=str(error))
            self._verb(lambda now_ms: stack.refuse_reinvite(session_id, 488, "", now_ms))
            return
        self._verb(lambda now_ms: stack.answer_reinvite(session_id, answer, now_ms))
        self._happen(h.MediaNegotiated(leg_id, agreement.codec.name))
        self._happen(h.LegHolds(leg_id, agreement.is_held))

    def _reinvite_done(self, leg_id: LegId, status: int, sdp: bytes | None) -> None:
        self._reinviting.discard(leg_id)
        media = self._media.get(leg_id)
        if media is not None and 200 <= status < 300:
            try:
                media.complete(sdp)
            except BAD_MEDIA as error:
                log.warning("answer unusable", call=self._call_id, leg=leg_id, reason=str(error))
        self._sync_direction(leg_id)

    def _ended(self, leg_id: LegId, event: sip.SessionEnded) -> None:
        self.forget(leg_id)
        unanswered = event.cause in {sip.EndCause.FAILED, sip.EndCause.NOBODY_ANSWERED}
        if unanswered and leg_id != CALLER_LEG:
            self._happen(h.LegRefuses(leg_id, event.status or 408))
        elif unanswered:
            self._happen(h.EndCall(EndCause.NEVER_ANSWERED))
            self._happen(h.LegReleased(leg_id))
        elif end := LEFT.get(event.cause):
            unacknowledged = event.cause is sip.EndCause.ACK_MISSING
            self._happen(h.LegLeaves(leg_id, end, unacknowledged=unacknowledged))
        else:
            self._happen(h.LegReleased(leg_id))

    # The parts of the above

    def _answer_sdp(self) -> bytes:
        """The same description in every response to one INVITE (RFC 3261, section 13.2.1)."""
        if self._sdp_answer is None:
            media = self._media[CALLER_LEG]
            offer = self._invite.sdp
            self._sdp_answer = media.offer() if offer is None else media.answer(offer)[1]
        return self._sdp_answer

    def _begin_media(self, leg_id: LegId) -> None:
        media = self._media.get(leg_id)
        if media is not None:
            media.begin()

    def _sync_direction(self, leg_id: LegId) -> None:
        """Says by re-INVITE what is wanted of the leg, if that was not said yet."""
        media, session_id = self._media.get(leg_id), self._sessions.get(leg_id)
        if media is None or session_id is None or media.direction is media.offered:
            return
        if leg_id in self._reinviting or leg_id in self._unacked:
            return  # what is under way comes back here when it is over
        self._reinviting.add(leg_id)
        offer = media.offer()
        self._verb(lambda now_ms: self._endpoint.stack.reinvite(session_id, offer, now_ms))

    def _follow(self, sip_call_id: str, leg_id: LegId) -> None:
        def note(seen: Seen) -> None:
            self.ladder.note(
                LadderStep(seen.at_ms, leg_id, seen.sent, str(seen.peer), seen.line, seen.cseq)
            )

        self._followed.add(sip_call_id)
        self._endpoint.ladders.follow(sip_call_id, note)

    def _verb(self, verb: Callable[[int], None]) -> None:
        try:
            verb(self._endpoint.now_ms())
        except (NoSuchSession, WrongState) as error:
            # The far end was faster: the session's end is among the next events.
            log.info("signalling came too late", call=self._call_id, reason=str(error))
