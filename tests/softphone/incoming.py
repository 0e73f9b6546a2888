"""A call that comes to this phone, and the standing orders on what to do with one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.softphone.call import Call, Ended
from tests.softphone.dialog import Dialog
from tests.softphone.errors import BadSDP, CallOver
from tests.softphone.line import Line
from tests.softphone.media import MediaSession
from tests.softphone.message import Headers, Request
from tests.softphone.transaction import ServerTransaction


@dataclass(frozen=True, slots=True)
class Answer:
    """Ring, then answer."""

    ring_s: float = 0.0
    """0 answers without ringing."""
    early_media: bool = False
    """Ring by 183 with a description instead of 180."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring (180) for ever; whoever waits for the call may still answer or reject it."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse at once, or after ringing."""

    status: int = 486
    reason: str | None = None
    headers: Headers = ()
    ring_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Redirect:
    """Answer 302 with a contact, such as sip:other@127.0.0.1:5070."""

    contact: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """Respond to nothing, not even by 100: a phone that is switched off."""


Policy = Answer | Ring | Reject | Redirect | Ignore


class IncomingCall(Call):
    """Handed out by `SoftPhone.incoming`."""

    def __init__(
        self,
        *,
        line: Line,
        dialog: Dialog,
        media: MediaSession,
        codecs: tuple[str, ...],
        transaction: ServerTransaction,
    ) -> None:
        super().__init__(line=line, dialog=dialog, media=media, codecs=codecs)
        self.transaction = transaction
        dialog.remote_cseq = transaction.request.cseq[0]

    @property
    def invite(self) -> Request:
        """The INVITE as received: its headers are the test's to read."""
        return self.transaction.request

    def header(self, name: str) -> str | None:
        """A header of the INVITE."""
        return self.invite.header(name)

    async def ring(self, *, status: int = 180, early_media: bool = False) -> None:
        """Ring, optionally with a description, so that audio flows before the answer."""
        self._demand_pending()
        body = b""
        if early_media and self.invite.body and self.local_sdp is None:
            body = self._describe_for(self.invite)
            self.early_media = True
            status = 183 if status == 180 else status
        if self.rang_after_s is None:
            self.rang_after_s = self._loop.time() - self._began_at_s
        self._respond(status, body=body)

    async def answer(self) -> None:
        """200 with our description; `answered` waits for the ACK."""
        self._demand_pending()
        try:
            body = self._sdp_bytes or self._describe_for(self.invite)
        except BadSDP as error:
            await self.reject(488)
            raise CallOver(f"{error}\n{self.story()}") from error
        self._accept(self.transaction, body)
        self.answered_after_s = self._loop.time() - self._began_at_s

    async def reject(
        self, status: int = 486, reason: str | None = None, headers: Headers = ()
    ) -> None:
        """Refuse the call by a final response of 300 or more."""
        self._demand_pending()
        self._respond(status, reason=reason, headers=headers)
        self._end(Ended(by="us", how="refused", status=status, phrase=reason or ""))
        self._gone = True

    async def hangup(self, *, reason: str | None = None) -> None:
        """BYE if the call is up, 480 if it was not answered."""
        if self.transaction.answered:
            await super().hangup(reason=reason)
        else:
            await self.reject(480)

    async def obey(self, policy: Policy) -> None:
        """Carry out a standing order; the caller may give up meanwhile."""
        match policy:
            case Answer(ring_s, early_media):
                if ring_s > 0 or early_media:
                    await self._ring_for(ring_s, early_media=early_media)
                if self._pending:
                    await self.answer()
            case Ring():
                await self.ring()
            case Reject(status, reason, headers, ring_s):
                if ring_s > 0:
                    await self._ring_for(ring_s, early_media=False)
                if self._pending:
                    await self.reject(status, reason, headers)
            case Redirect(contact):
                await self.reject(302, headers=(("Contact", f"<{contact}>"),))
            case Ignore():
                return

    def receive_cancel(self, cancel: Request) -> None:
        """The caller gave up before the answer (RFC 3261 section 9.2)."""
        if not self._pending:
            return
        self._respond(487)
        self._end(Ended(by="peer", how="cancel", status=487, reason=cancel.header("Reason")))
        self._gone = True

    def receive(self, transaction: ServerTransaction) -> None:
        if self._pending and transaction.request.method == "BYE":
            self._respond(487)
        super().receive(transaction)

    def receive_ack(self, ack: Request) -> None:
        super().receive_ack(ack)
        if ack.cseq[0] == self.invite.cseq[0] and not self._up.done():
            self._up.set_result(None)

    @property
    def _pending(self) -> bool:
        return not (self.transaction.answered or self._over.done())

    def _demand_pending(self) -> None:
        if not self._pending:
            raise CallOver(f"the call was already answered or ended\n{self.story()}")

    async def _ring_for(self, seconds: float, *, early_media: bool) -> None:
        await self.ring(early_media=early_media)
        await asyncio.wait({self._over}, timeout=seconds)

    def _respond(
        self, status: int, *, reason: str | None = None, headers: Headers = (), body: bytes = b""
    ) -> None:
        if 100 < status < 300:
            headers = (("Contact", self._line.contact), *headers)
        self.transaction.respond(
            self._line.response(
                self.invite,
                status,
                reason=reason,
                to_tag=self.dialog.local_tag if status > 100 else "",
                headers=headers,
                body=body,
            )
        )
