"""A call that this phone makes (RFC 3261 sections 9.1 and 13.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.softphone.call import DEFAULT_WAIT_S, Call, Ended
from tests.softphone.dialog import Dialog
from tests.softphone.errors import BadSDP, NeverRang
from tests.softphone.line import Line
from tests.softphone.media import MediaSession
from tests.softphone.message import Request, Response, parse_name_addr, replaced
from tests.softphone.transaction import ClientTransaction, cancellation


class OutgoingCall(Call):
    """Made by `SoftPhone.call`, which returns as soon as the INVITE is sent."""

    def __init__(
        self, *, line: Line, dialog: Dialog, media: MediaSession, codecs: tuple[str, ...]
    ) -> None:
        super().__init__(line=line, dialog=dialog, media=media, codecs=codecs)
        self.provisional: list[int] = []
        """The provisional statuses received, in order, 100 included."""
        self.acknowledge = True
        """Set False to withhold the ACK to a 2xx."""
        self._ringing: asyncio.Future[None] = self._loop.create_future()
        self._transaction: ClientTransaction | None = None
        self._invite: Request | None = None
        self._first_hop = dialog.next_hop
        self._ack: Request | None = None
        self._forks: dict[str, Request] = {}
        self._cancelled: str | None = None
        """The Reason to cancel with, maybe empty, once cancelling was asked for."""
        self._cancel_sent = False

    def invite(self, *, headers: dict[str, str], sdp: bytes | None) -> None:
        """Send the INVITE; None offers this phone's audio, b"" leaves the offer to the far end."""
        body = self._build_offer("sendrecv") if sdp is None else sdp
        if sdp:
            self._set_local(sdp)
        built = self.dialog.request(self._line, "INVITE", body=body)
        self._invite = Request(
            method="INVITE", uri=built.uri, headers=replaced(built.headers, headers), body=body
        )
        self._first_hop = self.dialog.next_hop
        self._transaction = self._line.request(
            self._invite, self._first_hop, heard=self._heard, expired=self._expire
        )

    async def ringing(self, timeout_s: float = DEFAULT_WAIT_S) -> None:
        """Wait for a 180 to 183; raises CallRefused, NeverRang or NotInTime."""
        await self._first(self._ringing, timeout_s, "ringing")
        if self.rang_after_s is None:
            raise NeverRang(f"answered without ringing\n{self.story()}")

    def cancel(self, *, reason: str | None = None) -> None:
        """Give up before the answer; `ended` tells when the far end agreed.

        The CANCEL waits for a first provisional response (RFC 3261 section 9.1); an answer that
        crosses it is acknowledged and ended by BYE.
        """
        if self._up.done() or self._over.done() or self._cancelled is not None:
            return
        self._cancelled = reason or ""
        if self.provisional:
            self._send_cancel()

    async def hangup(self, *, reason: str | None = None) -> None:
        """BYE if the call is up, CANCEL if it is not yet."""
        if self._up.done():
            await super().hangup(reason=reason)
            return
        self.cancel(reason=reason)
        await self.ended(self._line.timers.lifetime_s * 2)

    def abandon(self) -> None:
        if self._transaction is not None:
            self._transaction.stop()
        super().abandon()

    @property
    def _owns_call_id(self) -> bool:
        return True

    def _heard(self, response: Response) -> None:
        if response.status < 200:
            self._hear_provisional(response)
        elif response.status < 300:
            self._hear_answer(response)
        else:
            self._hear_refusal(response)

    def _hear_provisional(self, response: Response) -> None:
        self.provisional.append(response.status)
        if self._cancelled is not None:
            self._send_cancel()
            return
        if response.status == 100:
            return
        if response.to_tag:
            self.dialog.learn(response)
        if self.rang_after_s is None:
            self.rang_after_s = self._loop.time() - self._began_at_s
            self._resolve(self._ringing)
        if response.body and self.local_sdp is not None:
            try:
                self._accept_sdp(response, offered=True)
                self.early_media = True
            except BadSDP as error:
                self._line.fault(response.first_line, [str(error)])

    def _hear_answer(self, response: Response) -> None:
        if self._ack is not None:
            self._hear_another_answer(response)
            return
        self.dialog.learn(response)
        usable, body = self._describe(response)
        assert self._invite is not None
        number = self._invite.cseq[0]
        self._ack = self.dialog.request(self._line, "ACK", cseq=number, body=body)
        self._send_ack(self._ack)
        self.answered_after_s = self._loop.time() - self._began_at_s
        if self._cancelled is not None:
            self._leave_at_once(Ended(by="us", how="cancel", status=response.status))
        elif not usable:
            self._leave_at_once(Ended(by="us", how="bye", status=response.status))
        else:
            self._resolve(self._ringing)
            self._resolve(self._up)

    def _describe(self, response: Response) -> tuple[bool, bytes]:
        """Take the answer, or answer a late offer: whether that worked, and the ACK's body."""
        try:
            if self.local_sdp is not None:
                self._accept_sdp(response, offered=True)
                return True, b""
            assert self._invite is not None
            return True, self._describe_for(_as_offer(self._invite, response))
        except BadSDP as error:
            self._line.fault(response.first_line, [str(error)])
            return False, b""

    def _hear_another_answer(self, response: Response) -> None:
        """A repeated 2xx is acknowledged again; a fork's is acknowledged and ended by BYE."""
        assert self._ack is not None
        if response.to_tag == self.dialog.remote_tag:
            self._line.repeats.received += 1
            self._send_ack(self._ack)
            return
        fork = Dialog(
            call_id=self.call_id,
            local=self.dialog.local,
            local_tag=self.dialog.local_tag,
            remote=self.dialog.remote,
            target=self.dialog.target,
            local_cseq=self.dialog.local_cseq,
        )
        fork.learn(response)
        known = response.to_tag in self._forks
        ack = self._forks.setdefault(
            response.to_tag, fork.request(self._line, "ACK", cseq=self._ack.cseq[0])
        )
        self._line.send(ack, fork.next_hop)
        if not known:
            self._bye(fork, lambda: None)

    def _hear_refusal(self, response: Response) -> None:
        contacts = tuple(parse_name_addr(value).uri for value in response.listed("Contact"))
        self._end(
            Ended(
                by="peer" if self._cancelled is None else "us",
                how="refused" if self._cancelled is None else "cancel",
                status=response.status,
                phrase=response.reason,
                reason=response.header("Reason"),
                contacts=contacts,
            )
        )
        self._gone = True

    def _send_ack(self, ack: Request) -> None:
        if self.acknowledge:
            self._line.send(ack, self.dialog.next_hop)

    def _send_cancel(self) -> None:
        if self._cancel_sent or self._invite is None or self._transaction is None:
            return
        self._cancel_sent = True
        cancel = cancellation(self._invite)
        if self._cancelled:
            extra = (*cancel.headers, ("Reason", self._cancelled))
            cancel = Request(method="CANCEL", uri=cancel.uri, headers=extra)
        self._line.request(cancel, self._first_hop, heard=self._heard_cancel, expired=lambda: None)
        self._transaction.give_up_after(self._line.timers.lifetime_s)

    def _heard_cancel(self, response: Response) -> None:
        if response.status not in (200, 481):
            self._line.fault("CANCEL", [f"was answered {response.status}"])

    def _leave_at_once(self, ended: Ended) -> None:
        self._end(ended)
        self._bye(self.dialog, self._be_gone)

    def _bye(self, dialog: Dialog, done: Callable[[], None]) -> None:
        bye = dialog.request(self._line, "BYE")
        self._line.request(bye, dialog.next_hop, heard=lambda _r: done(), expired=done)

    def _be_gone(self) -> None:
        self._gone = True

    def _expire(self) -> None:
        self._end(Ended(by="network", how="timeout", status=408, phrase="Request Timeout"))
        self._gone = True

    def _resolve(self, future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_result(None)


def _as_offer(invite: Request, response: Response) -> Request:
    """The 2xx's description in the shape in which offers are answered."""
    headers = [pair for pair in response.headers if pair[0].lower() == "content-type"]
    return Request(
        method=invite.method,
        uri=invite.uri,
        headers=(("CSeq", invite.header("CSeq") or ""), *headers),
        body=response.body,
    )
