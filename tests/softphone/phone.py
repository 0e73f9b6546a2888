"""SoftPhone: makes calls, takes calls, and remembers every word for the test that failed."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Self

from tests.softphone.call import DEFAULT_WAIT_S, Call
from tests.softphone.dialog import Dialog
from tests.softphone.digest import Gatekeeper
from tests.softphone.errors import NotInTime, NotSip, PhoneError
from tests.softphone.incoming import Ignore, IncomingCall, Policy
from tests.softphone.ladder import Step
from tests.softphone.line import ALLOW, Line, destination
from tests.softphone.media import RTCP_INTERVAL_S, MediaSession
from tests.softphone.message import Request, Response, parse_name_addr, parse_uri
from tests.softphone.outgoing import OutgoingCall
from tests.softphone.sdp import Address
from tests.softphone.transaction import Repeats, ServerTransaction, Timers

MAX_CALLS: Final = 1000
MAX_STRAYS: Final = 256
KNOWN_METHODS: Final = frozenset(
    {"REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "REFER", "UPDATE", "PRACK"}
)
_TAG: Final = re.compile(r";\s*tag\s*=\s*[^;\s]+", re.IGNORECASE)
SETTLE_S: Final = 1.0
"""How long closing waits for the far ends to answer the last BYEs."""

PolicyChoice = Policy | Callable[[Request], Policy | None] | None


class SoftPhone:
    """A SIP phone on a UDP port of this machine. Use it by `async with`.

    `auto` is its standing order for incoming calls (a Policy, or a function that chooses one by
    the INVITE); None leaves each to the test, which takes it from `incoming`. `require_auth`
    makes each INVITE prove itself by digest. Each call sends RTCP every `report_every_s`. Faults
    of the far end gather in `faults`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "caller",
        display: str = "",
        codecs: tuple[str, ...] = ("PCMU", "PCMA"),
        auto: PolicyChoice = None,
        require_auth: tuple[str, str] | Gatekeeper | None = None,
        timers: Timers | None = None,
        report_every_s: float = RTCP_INTERVAL_S,
    ) -> None:
        self.user = user
        self.display = display
        self.codecs = codecs
        self.on_invite = auto
        self.health = 200
        """What OPTIONS outside of calls are answered with."""
        self.challenges = 0
        """How many INVITEs were asked for credentials."""
        self.ignored: deque[Request] = deque(maxlen=MAX_STRAYS)
        """The INVITEs that an Ignore policy left without response."""
        self._gatekeeper = (
            Gatekeeper(*require_auth) if isinstance(require_auth, tuple) else require_auth
        )
        self._bind = (host, port)
        self._timers = timers or Timers()
        self._report_every_s = report_every_s
        self._open_line: Line | None = None
        self._calls: list[Call] = []
        self._arrived: asyncio.Queue[IncomingCall] = asyncio.Queue(MAX_CALLS)
        self.calls_received = 0
        """Calls that came in, each counted once."""
        self._strays: asyncio.Queue[Response] = asyncio.Queue(MAX_STRAYS)
        self._merging: dict[tuple[str, str, int], str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        line = Line(user=self.user, timers=self._timers)
        await line.open(*self._bind)
        line.on_request = self._receive
        line.on_ack = self._receive_ack
        line.on_stray_response = self._keep_stray
        self._open_line = line
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Hang everything up, politely but briefly."""
        try:
            async with asyncio.timeout(SETTLE_S):
                await asyncio.gather(*map(self._settle, self._calls), return_exceptions=True)
        except TimeoutError:
            pass
        for task in self._tasks:
            task.cancel()
        for call in self._calls:
            call.abandon()
        self._line.close()

    @property
    def address(self) -> Address:
        return self._line.address

    @property
    def uri(self) -> str:
        host, port = self.address
        return f"sip:{self.user}@{host}:{port}"

    @property
    def ladder(self) -> list[Step]:
        return self._line.ladder.steps()

    @property
    def faults(self) -> list[str]:
        """How the far ends broke the RFCs, in words; a test asserts that there are none."""
        return list(self._line.faults)

    @property
    def repeats(self) -> Repeats:
        """How many messages were sent again, and received again."""
        return self._line.repeats

    def narrate(self) -> str:
        """The ladder as text."""
        return self._line.ladder.text()

    def lose(
        self,
        *,
        inbound: Callable[[str], bool] | None = None,
        outbound: Callable[[str], bool] | None = None,
    ) -> None:
        """Lose the messages whose first line the function accepts, as a bad network would."""
        self._line.lose_inbound = inbound or _nothing
        self._line.lose_outbound = outbound or _nothing

    async def call(
        self,
        uri: str,
        *,
        headers: dict[str, str] | None = None,
        sdp: bytes | None = None,
        timeout_s: float | None = None,
        proxy: Address | None = None,
        acknowledge: bool = True,
    ) -> OutgoingCall:
        """Send an INVITE and return at once.

        `headers` replace those of the same name, or are added. `sdp` b"" makes no offer. After
        `timeout_s` without an answer the call is cancelled. `proxy` is where to send it if not
        to the URI's own address.
        """
        host, port = self.address
        name = f'"{self.display}" ' if self.display else ""
        dialog = Dialog(
            call_id=f"{secrets.token_hex(12)}@{host}",
            local=f"{name}<sip:{self.user}@{host}:{port}>",
            local_tag=secrets.token_hex(6),
            remote=f"<{uri}>",
            target=uri,
            proxy=proxy,
        )
        media = await MediaSession.open(host, report_every_s=self._report_every_s)
        call = OutgoingCall(line=self._line, dialog=dialog, media=media, codecs=self.codecs)
        call.acknowledge = acknowledge
        self._keep(call)
        call.invite(headers=headers or {}, sdp=sdp)
        if timeout_s is not None:
            self._start(_give_up(call, timeout_s))
        return call

    async def incoming(self, timeout_s: float = DEFAULT_WAIT_S) -> IncomingCall:
        """The next call that came, whatever the standing order does with it; or NotInTime."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._arrived.get()
        except TimeoutError as error:
            raise NotInTime(f"no call came within {timeout_s} s\n{self.narrate()}") from error

    def send_raw(self, data: bytes, to: Address) -> None:
        """Send octets as they are, for what no phone would say."""
        self._line.send_raw(data, to)

    async def next_response(self, timeout_s: float = 2.0) -> Response:
        """The next response that belongs to none of this phone's own requests; or NotInTime."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._strays.get()
        except TimeoutError as error:
            raise NotInTime(f"no response within {timeout_s} s\n{self.narrate()}") from error

    async def options(self, uri: str) -> Response:
        """Ask what a far end can do; raises NoResponse."""
        return await self._lone("OPTIONS", uri)

    @property
    def _line(self) -> Line:
        assert self._open_line is not None, "the phone is not open"
        return self._open_line

    async def _lone(self, method: str, uri: str) -> Response:
        """A request outside any call."""
        host, port = self.address
        dialog = Dialog(
            call_id=f"{secrets.token_hex(12)}@{host}",
            local=f"<sip:{self.user}@{host}:{port}>",
            local_tag=secrets.token_hex(6),
            remote=f"<{uri}>",
            target=uri,
        )
        request = dialog.request(self._line, method)
        return await self._line.ask(request, destination(uri))

    def _receive(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if request.method == "CANCEL":
            self._receive_cancel(transaction)
        elif request.to_tag:
            self._receive_in_dialog(transaction)
        elif tags := [tag for value in request.listed("Require") for tag in value.split(",")]:
            refused = (("Unsupported", ", ".join(tags)),)
            transaction.respond(self._line.response(request, 420, to_tag=_tag(), headers=refused))
        elif request.method == "INVITE":
            self._receive_invite(transaction)
        elif request.method == "OPTIONS":
            able = (("Allow", ALLOW), ("Accept", "application/sdp"))
            status = self.health
            transaction.respond(self._line.response(request, status, to_tag=_tag(), headers=able))
        else:
            status = 405 if request.method in KNOWN_METHODS else 501
            status = 481 if request.method in ("BYE", "INFO") else status
            allow = (("Allow", ALLOW),)
            transaction.respond(self._line.response(request, status, to_tag=_tag(), headers=allow))

    def _receive_in_dialog(self, transaction: ServerTransaction) -> None:
        call = self._find(transaction.request)
        if call is None:
            transaction.respond(self._line.response(transaction.request, 481))
        else:
            call.receive(transaction)

    def _receive_cancel(self, transaction: ServerTransaction) -> None:
        cancel = transaction.request
        invited = self._line.server_transaction(cancel, "INVITE")
        status = 481 if invited is None else 200
        transaction.respond(self._line.response(cancel, status, to_tag=_tag()))
        if invited is None:
            return
        invited.cancelled_by = cancel
        for call in self._calls:
            if isinstance(call, IncomingCall) and call.transaction is invited:
                call.receive_cancel(cancel)

    def _receive_ack(self, ack: Request) -> None:
        call = self._find(ack)
        if call is not None:
            call.receive_ack(ack)

    def _receive_invite(self, transaction: ServerTransaction) -> None:
        invite = transaction.request
        if self._is_merged(invite):
            transaction.respond(self._line.response(invite, 482, to_tag=_tag()))
            return
        if self._gatekeeper is not None and not self._admits(transaction):
            return
        policy = self.on_invite(invite) if callable(self.on_invite) else self.on_invite
        if isinstance(policy, Ignore):
            self.ignored.append(invite)
            return
        target = _contact_of(invite)
        if target is None:
            transaction.respond(self._line.response(invite, 400, to_tag=_tag()))
            return
        transaction.respond(self._line.response(invite, 100))
        self._start(self._take(transaction, policy, target))

    def _is_merged(self, invite: Request) -> bool:
        """Whether this INVITE came before by another way (RFC 3261 section 8.2.2.2)."""
        key = (invite.call_id, invite.from_tag, invite.cseq[0])
        branch = self._merging.setdefault(key, invite.via.branch)
        if len(self._merging) > MAX_CALLS:
            self._merging.pop(next(iter(self._merging)))
        return branch != invite.via.branch

    def _admits(self, transaction: ServerTransaction) -> bool:
        assert self._gatekeeper is not None
        invite = transaction.request
        refusal = self._gatekeeper.refusal(invite)
        if refusal is None:
            return True
        self.challenges += 1
        if refusal:
            self._line.fault(invite.first_line, [f"credentials: {refusal}"])
            transaction.respond(self._line.response(invite, 403, to_tag=_tag()))
            return False
        challenge = (("Proxy-Authenticate", self._gatekeeper.challenge()),)
        transaction.respond(self._line.response(invite, 407, to_tag=_tag(), headers=challenge))
        return False

    async def _take(
        self, transaction: ServerTransaction, policy: Policy | None, target: str
    ) -> None:
        invite = transaction.request
        media = await MediaSession.open(self.address[0], report_every_s=self._report_every_s)
        dialog = Dialog(
            call_id=invite.call_id,
            local=invite.header("To") or "",
            local_tag=_tag(),
            remote=_TAG.sub("", invite.header("From") or ""),
            remote_tag=invite.from_tag,
            target=target,
            routes=tuple(invite.listed("Record-Route")),
        )
        call = IncomingCall(
            line=self._line,
            dialog=dialog,
            media=media,
            codecs=self.codecs,
            transaction=transaction,
        )
        self._keep(call)
        self.calls_received += 1
        self._arrived.put_nowait(call)
        if transaction.cancelled_by is not None:
            call.receive_cancel(transaction.cancelled_by)
        elif policy is not None:
            await call.obey(policy)

    def _find(self, request: Request) -> Call | None:
        """The call whose dialog a received request belongs to (RFC 3261 section 12.2.2)."""
        for call in self._calls:
            dialog = call.dialog
            tags = (dialog.local_tag, dialog.remote_tag)
            if dialog.call_id == request.call_id and tags == (request.to_tag, request.from_tag):
                return None if call.is_over and request.method != "ACK" else call
        return None

    def _keep(self, call: Call) -> None:
        if len(self._calls) >= MAX_CALLS:
            self._calls = [kept for kept in self._calls if not kept.is_over]
        if len(self._calls) >= MAX_CALLS:
            raise PhoneError(f"more than {MAX_CALLS} calls at once")
        self._calls.append(call)

    def _keep_stray(self, response: Response) -> None:
        if not self._strays.full():
            self._strays.put_nowait(response)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._line.fault("a call could not be carried on", [repr(error)])

    async def _settle(self, call: Call) -> None:
        """Bring a call to its end, if it is not there."""
        if not call.is_over:
            await call.hangup()


async def _give_up(call: OutgoingCall, timeout_s: float) -> None:
    try:
        await call.answered(timeout_s)
    except NotInTime:
        call.cancel()
    except PhoneError:
        return


def _contact_of(invite: Request) -> str | None:
    """Where the caller is to be reached, if the INVITE says it readably."""
    try:
        uri = parse_name_addr(invite.header("Contact") or "").uri
        parse_uri(uri)
    except NotSip:
        return None
    return uri


def _tag() -> str:
    return secrets.token_hex(6)


def _nothing(_first_line: str) -> bool:
    return False
