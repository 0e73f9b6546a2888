"""What goes wrong on a wire: losses, repeats, strays and malice, from phone to phone."""

import asyncio
from collections.abc import Callable

import pytest

from tests.softphone import Answer, CallOver, CallRefused, Ignore, NotInTime, Ring, SoftPhone
from tests.softphone.digest import Gatekeeper
from tests.softphone.errors import NoResponse
from tests.softphone.message import Request, Response
from tests.softphone.sdp import Address, build_sdp
from tests.softphone.transaction import Timers

FAST = Timers(t1_s=0.01, t2_s=0.04)


def first(prefix: str, count: int = 1) -> Callable[[str], bool]:
    """Lose the first messages that begin so."""
    left = [count]

    def lost(line: str) -> bool:
        if line.startswith(prefix) and left[0]:
            left[0] -= 1
            return True
        return False

    return lost


@pytest.mark.parametrize("line", ["INVITE", "SIP/2.0 200", "ACK", "BYE"])
@pytest.mark.parametrize("count", [1, 3])
async def test_a_call_survives_losses(line: str, count: int) -> None:
    async with (
        SoftPhone(user="ann", timers=FAST) as ann,
        SoftPhone(user="bob", auto=Answer(), timers=FAST) as bob,
    ):
        ann.lose(inbound=first(line, count), outbound=first(line, count))
        call = await ann.call(bob.uri)
        await call.answered()
        incoming = await bob.incoming()
        await incoming.answered()
        await call.hangup()
        assert (await incoming.ended()).how == "bye"
        assert ann.faults == bob.faults == []
        assert ann.repeats.sent + bob.repeats.sent >= count
        with pytest.raises(NotInTime):
            await bob.incoming(0.02)


async def test_a_refusal_survives_losses() -> None:
    async with (
        SoftPhone(user="ann", timers=FAST) as ann,
        SoftPhone(user="bob", timers=FAST) as bob,
    ):
        ann.lose(inbound=first("SIP/2.0 486", 2), outbound=first("ACK"))
        call = await ann.call(bob.uri)
        await (await bob.incoming()).reject(486)
        with pytest.raises(CallRefused):
            await call.answered()
        assert bob.repeats.sent >= 2


async def test_a_dead_line_times_out() -> None:
    async with (
        SoftPhone(user="ann", timers=Timers(t1_s=0.005)) as ann,
        SoftPhone(user="bob") as bob,
    ):
        bob.lose(inbound=lambda _line: True)
        call = await ann.call(bob.uri)
        ended = await call.ended()
        assert (ended.by, ended.how, ended.status) == ("network", "timeout", 408)
        # 64*T1 holds the first INVITE and six repeats: at 1, 3, 7, 15, 31 and 63 T1.
        assert [step.first_line.split()[0] for step in ann.ladder] == ["INVITE"] * 7
        with pytest.raises(NoResponse):
            await ann.options(bob.uri)


async def test_a_call_without_its_ack_is_ended() -> None:
    async with (
        SoftPhone(user="ann") as ann,
        SoftPhone(user="bob", auto=Answer(), timers=Timers(t1_s=0.002, t2_s=0.01)) as bob,
    ):
        call = await ann.call(bob.uri, acknowledge=False)
        await call.answered()
        assert (await call.ended()).by == "peer"
        ended = await (await bob.incoming()).ended()
        assert (ended.by, ended.how) == ("network", "timeout")
        assert bob.repeats.sent >= 10


async def test_a_second_answer_by_a_fork_is_acknowledged_and_ended() -> None:
    invites: asyncio.Queue[Request] = asyncio.Queue()

    def ignore(invite: Request) -> Ignore:
        invites.put_nowait(invite)
        return Ignore()

    async with SoftPhone(user="ann") as ann, SoftPhone(user="bob", auto=ignore) as bob:
        call = await ann.call(bob.uri)
        invite = await invites.get()
        for tag in ("one", "two", "two"):
            bob.send_raw(answer_to(invite, tag).encode(), ann.address)
        await call.answered()
        assert call.dialog.remote_tag == "one"
        # When the second is answered, all that the first overtook has arrived.
        await ann.options(bob.uri)
        await ann.options(bob.uri)
        received = [step.first_line.split()[0] for step in bob.ladder if step.way == "<-"]
        requests = [method for method in received if method != "OPTIONS"]
        assert requests == ["INVITE", "ACK", "ACK", "BYE", "ACK"]
        assert ann.faults == bob.faults == []
        call.abandon()


async def test_an_answer_that_cannot_be_used_is_acknowledged_and_ended() -> None:
    invites: asyncio.Queue[Request] = asyncio.Queue()

    def ignore(invite: Request) -> Ignore:
        invites.put_nowait(invite)
        return Ignore()

    async with SoftPhone(user="ann") as ann, SoftPhone(user="bob", auto=ignore) as bob:
        call = await ann.call(bob.uri)
        answer = answer_to(await invites.get(), "one", codecs={96: "OPUS"})
        bob.send_raw(answer.encode(), ann.address)
        with pytest.raises(CallOver):
            await call.answered()
        assert (await call.ended()).how == "bye"
        await ann.options(bob.uri)
        await ann.options(bob.uri)
        assert [s.first_line.split()[0] for s in bob.ladder if s.way == "<-"][:3] == [
            "INVITE",
            "ACK",
            "BYE",
        ]
        assert "formats" in " ".join(ann.faults)


def answer_to(invite: Request, tag: str, codecs: dict[int, str] | None = None) -> Response:
    """A 200 by one of several phones that the same INVITE reached."""
    copied = {name: invite.header(name) or "" for name in ("Via", "From", "Call-ID", "CSeq")}
    headers = {
        **copied,
        "To": f"{invite.header('To')};tag={tag}",
        "Contact": f"<{invite.uri}>",
        "Content-Type": "application/sdp",
    }
    body = build_sdp(
        local=("127.0.0.1", 9), version=1, codecs=codecs or {0: "PCMU"}, direction="sendrecv"
    )
    return Response(status=200, reason="OK", headers=tuple(headers.items()), body=body)


async def test_reinvites_that_cross_are_tried_again() -> None:
    async with (
        SoftPhone(user="ann", timers=FAST) as ann,
        SoftPhone(user="bob", auto=Answer(), timers=FAST) as bob,
    ):
        call = await ann.call(bob.uri)
        incoming = await bob.incoming()
        await call.answered()
        await incoming.answered()
        await asyncio.gather(call.hold(), incoming.hold())
        assert call.on_hold_by_peer
        assert incoming.on_hold_by_peer
        assert "SIP/2.0 491 Request Pending" in [step.first_line for step in ann.ladder]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_an_invite_without_credentials_is_challenged(algorithm: str) -> None:
    keeper = Gatekeeper("ann", "secret", algorithm=algorithm)
    async with SoftPhone(user="ann") as ann, SoftPhone(user="bob", require_auth=keeper) as bob:
        call = await ann.call(bob.uri)
        with pytest.raises(CallRefused) as refusal:
            await call.answered()
        assert refusal.value.status == 407
        assert (bob.challenges, bob.faults, ann.faults) == (1, [], [])
        wrong = {"Proxy-Authorization": 'Digest username="ann", realm="softphone"'}
        call = await ann.call(bob.uri, headers=wrong)
        with pytest.raises(CallRefused) as refusal:
            await call.answered()
        assert refusal.value.status == 403
        assert "credentials" in bob.faults[0]


class Wire:
    """Hand-written messages from a phone to another, with the numbers filled in."""

    def __init__(self, phone: SoftPhone, to: Address) -> None:
        self.phone, self.to = phone, to

    async def ask(self, method: str, *, branch: str = "z9hG4bKraw", **headers: str) -> Response:
        self.send(method, branch=branch, **headers)
        return await self.phone.next_response()

    def send(self, method: str, *, branch: str = "z9hG4bKraw", **headers: str) -> None:
        host, port = self.phone.address
        given = {
            "Via": f"SIP/2.0/UDP {host}:{port};branch={branch};rport",
            "Max-Forwards": "70",
            "From": "<sip:raw@127.0.0.1>;tag=r",
            "To": "<sip:bob@127.0.0.1>",
            "Call-ID": "raw-call",
            "CSeq": f"1 {method}",
            "Contact": f"<sip:raw@{host}:{port}>",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method=method, uri="sip:bob@127.0.0.1", headers=tuple(given.items()))
        self.phone.send_raw(request.encode(), self.to)


async def test_what_belongs_to_no_call_gets_the_status_it_deserves() -> None:
    async with SoftPhone() as raw, SoftPhone(user="bob", auto=Ring()) as bob:
        wire = Wire(raw, bob.address)
        options = await wire.ask("OPTIONS", branch="z9hG4bK1")
        assert (options.status, options.to_tag != "") == (200, True)
        assert "INVITE" in (options.header("Allow") or "")
        assert (await wire.ask("REGISTER", branch="z9hG4bK2")).status == 405
        assert (await wire.ask("DANCE", branch="z9hG4bK3")).status == 501
        assert (await wire.ask("BYE", branch="z9hG4bK4")).status == 481
        lost = await wire.ask("BYE", branch="z9hG4bK5", To="<sip:bob@127.0.0.1>;tag=x")
        assert lost.status == 481
        assert (await wire.ask("CANCEL", branch="z9hG4bK6")).status == 481
        refused = await wire.ask("INVITE", branch="z9hG4bK7", Require="100rel, timer")
        assert (refused.status, refused.header("Unsupported")) == (420, "100rel, timer")


async def test_an_invite_that_says_nowhere_to_answer_is_refused() -> None:
    async with SoftPhone() as raw, SoftPhone(user="bob", auto=Answer()) as bob:
        assert (await Wire(raw, bob.address).ask("INVITE", Contact="")).status == 400


async def test_a_caller_who_hangs_up_at_once_cancels_after_the_first_word() -> None:
    async with SoftPhone(user="ann") as ann, SoftPhone(user="bob", auto=Ring()) as bob:
        call = await ann.call(bob.uri)
        await call.hangup()
        assert (await call.ended()).how == "cancel"
        lines = [step.first_line.split(" sip")[0] for step in ann.ladder]
        assert lines.index("CANCEL") > lines.index("SIP/2.0 100 Trying")
        assert ann.faults == bob.faults == []


async def test_a_bye_before_the_answer_ends_the_call() -> None:
    async with SoftPhone() as raw, SoftPhone(user="bob", auto=Ring()) as bob:
        wire = Wire(raw, bob.address)
        assert (await wire.ask("INVITE")).status == 100
        to = (await raw.next_response()).header("To") or ""
        incoming = await bob.incoming()
        wire.send("BYE", branch="z9hG4bKbye", To=to, CSeq="2 BYE")
        statuses = {(await raw.next_response()).status for _ in range(2)}
        assert statuses == {200, 487}
        assert (await incoming.ended()).how == "bye"


async def test_a_reinvite_without_a_common_codec_is_refused_and_the_call_goes_on() -> None:
    async with SoftPhone(user="ann") as ann, SoftPhone(user="bob", auto=Answer()) as bob:
        call = await ann.call(bob.uri)
        await call.answered()
        incoming = await bob.incoming()
        await incoming.answered()
        body = build_sdp(
            local=("127.0.0.1", 9), version=2, codecs={96: "OPUS"}, direction="sendrecv"
        )
        dialog = call.dialog
        reinvite = Request(
            method="INVITE",
            uri=dialog.target,
            headers=(
                ("Via", f"SIP/2.0/UDP 127.0.0.1:{ann.address[1]};branch=z9hG4bKre;rport"),
                ("Max-Forwards", "70"),
                ("From", f"{dialog.local};tag={dialog.local_tag}"),
                ("To", f"{dialog.remote};tag={dialog.remote_tag}"),
                ("Call-ID", call.call_id),
                ("CSeq", "5 INVITE"),
                ("Contact", f"<{ann.uri}>"),
                ("Content-Type", "application/sdp"),
            ),
            body=body,
        )
        ann.send_raw(reinvite.encode(), bob.address)
        assert (await ann.next_response()).status == 488
        assert incoming.is_up


async def test_a_repeated_invite_is_one_call_and_one_by_another_way_is_a_loop() -> None:
    async with SoftPhone() as raw, SoftPhone(user="bob", auto=Ring()) as bob:
        wire = Wire(raw, bob.address)
        assert (await wire.ask("INVITE")).status == 100
        assert (await raw.next_response()).status == 180
        assert (await wire.ask("INVITE")).status == 180
        assert bob.repeats.received == 1
        assert (await wire.ask("INVITE", branch="z9hG4bKother")).status == 482
        await bob.incoming()
        with pytest.raises(NotInTime):
            await bob.incoming(0.02)


async def test_a_cancel_on_the_invites_heels_finds_it() -> None:
    async with SoftPhone() as raw, SoftPhone(user="bob", auto=Ring()) as bob:
        wire = Wire(raw, bob.address)
        wire.send("INVITE")
        wire.send("CANCEL")
        statuses = {((await raw.next_response()).status) for _ in range(3)}
        assert statuses >= {100, 200, 487}


async def test_noise_is_a_fault_and_nothing_more() -> None:
    async with SoftPhone() as raw, SoftPhone(user="bob") as bob:
        for data in (b"\r\n\r\n", b"nonsense", b"\x00\xff" * 50, b"INVITE sip:x SIP/2.0\r\n\r\n"):
            raw.send_raw(data, bob.address)
        assert (await Wire(raw, bob.address).ask("OPTIONS")).status == 200
        assert len(bob.faults) >= 3
        with pytest.raises(NotInTime):
            await raw.next_response(0.02)


async def test_the_judge_sees_what_a_careless_far_end_does() -> None:
    async with SoftPhone() as raw, SoftPhone(user="bob") as bob:
        await Wire(raw, bob.address).ask("OPTIONS", Max_Forwards="300")
        assert "Max-Forwards" in bob.faults[0]


async def test_in_a_call_an_old_cseq_is_refused_and_unknown_methods_too() -> None:
    async with SoftPhone(user="ann") as ann, SoftPhone(user="bob", auto=Answer()) as bob:
        call = await ann.call(bob.uri)
        await call.answered()
        incoming = await bob.incoming()
        await incoming.answered()
        dialog = call.dialog
        inside = {
            "From": f"{dialog.local};tag={dialog.local_tag}",
            "To": f"{dialog.remote};tag={dialog.remote_tag}",
            "Call_ID": call.call_id,
        }
        wire = Wire(ann, bob.address)
        old = await wire.ask("INFO", branch="z9hG4bK1", CSeq="1 INFO", **inside)
        assert old.status == 500
        refer = await wire.ask("REFER", branch="z9hG4bK2", CSeq="7 REFER", **inside)
        assert refer.status == 405
        options = await wire.ask("OPTIONS", branch="z9hG4bK3", CSeq="8 OPTIONS", **inside)
        assert options.status == 200
        assert "CSeq 1 after 1" in bob.faults[0]


async def test_a_phone_is_asked_what_it_can() -> None:
    async with SoftPhone() as ann, SoftPhone(user="bob") as bob:
        assert (await ann.options(bob.uri)).status == 200
