"""What no phone should send is answered as the RFCs ask, and harms nobody."""

from __future__ import annotations

import socket

import pytest

from tests.e2e.cast import Cast
from tests.e2e.listening import has_heard
from tests.softphone import Answer, CallRefused, SoftPhone
from tests.softphone.message import Response
from tests.stage.seed import NUMBER

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP {codecs}\r\n{lines}"
)


def request(
    method: str,
    phone: SoftPhone,
    *,
    uri: str = f"sip:{NUMBER}@127.0.0.1",
    to_tag: str = "",
    branch: str = "z9hG4bK-bad-1",
    version: str = "SIP/2.0",
    cseq: str | None = None,
    extra: str = "",
) -> bytes:
    """A request by hand."""
    host, port = phone.address
    tag = f";tag={to_tag}" if to_tag else ""
    return (
        f"{method} {uri} {version}\r\n"
        f"Via: SIP/2.0/UDP {host}:{port};branch={branch}-{method};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:x@{host}>;tag=f1\r\nTo: <sip:y@127.0.0.1>{tag}\r\n"
        f"Call-ID: by-hand-{branch}\r\nCSeq: {cseq or f'1 {method}'}\r\n"
        f"Contact: <sip:x@{host}:{port}>\r\n{extra}Content-Length: 0\r\n\r\n"
    ).encode()


async def answer(cast: Cast, phone: SoftPhone, data: bytes) -> Response:
    """The response to what was sent by hand."""
    phone.send_raw(data, ("127.0.0.1", cast.carillon.sip_port))
    return await phone.next_response(3)


async def refused(cast: Cast, **asked: object) -> CallRefused:
    """How an INVITE is refused."""
    call = await cast.dial(**asked)  # type: ignore[arg-type] # the names are dial's own
    with pytest.raises(CallRefused) as caught:
        await call.answered(8)
    return caught.value


async def test_an_unknown_number_is_404(cast: Cast) -> None:
    assert (await refused(cast, number="+12025559999")).status == 404


async def test_no_common_codec_is_488(cast: Cast) -> None:
    sdp = SDP.format(codecs="97", lines="a=rtpmap:97 AMR/8000\r\n").encode()
    assert (await refused(cast, sdp=sdp)).status == 488


async def test_only_encrypted_media_is_488(cast: Cast) -> None:
    sdp = SDP.format(codecs="0", lines="").replace("RTP/AVP", "RTP/SAVP").encode()
    assert (await refused(cast, sdp=sdp)).status == 488


async def test_an_unknown_extension_is_420_and_named(cast: Cast) -> None:
    phone = await cast.phone("x")
    response = await answer(cast, phone, request("OPTIONS", phone, extra="Require: levitation\r\n"))
    assert (response.status, response.header("Unsupported")) == (420, "levitation")
    assert (await refused(cast, headers={"Require": "100rel"})).status == 420


@pytest.mark.parametrize("method", ["BYE", "INFO"])
async def test_a_request_without_its_dialog_is_481(cast: Cast, method: str) -> None:
    phone = await cast.phone("x")
    response = await answer(cast, phone, request(method, phone, to_tag="nobody"))
    assert response.status == 481


async def test_a_cancel_without_its_invite_is_481(cast: Cast) -> None:
    phone = await cast.phone("x")
    assert (await answer(cast, phone, request("CANCEL", phone))).status == 481


@pytest.mark.parametrize(("method", "status"), [("REGISTER", 405), ("FLY", 501)])
async def test_a_method_that_is_not_served_is_405_or_501(
    cast: Cast, method: str, status: int
) -> None:
    phone = await cast.phone("x")
    response = await answer(cast, phone, request(method, phone))
    assert response.status == status
    assert "INVITE" in (response.header("Allow") or "")


async def test_another_version_is_505(cast: Cast) -> None:
    phone = await cast.phone("x")
    response = await answer(cast, phone, request("OPTIONS", phone, version="SIP/7.0"))
    assert response.status == 505


async def test_a_method_that_differs_from_its_cseq_is_400(cast: Cast) -> None:
    phone = await cast.phone("x")
    response = await answer(cast, phone, request("OPTIONS", phone, cseq="1 INVITE"))
    assert response.status == 400


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 200,
        b"INVITE sip:a@b SIP/2.0\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: nonsense\r\n\r\n",
        b"INVITE " + b"x" * 60_000,
        b"\r\n\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:99999;branch=z9hG4bK1\r\n\r\n",
    ],
    ids=["zeros", "bare", "response", "long", "keep-alive", "bad-via"],
)
async def test_garbage_is_met_with_400_or_silence_and_the_next_call_works(
    cast: Cast, data: bytes
) -> None:
    phone = await cast.phone("x")
    phone.send_raw(data, ("127.0.0.1", cast.carillon.sip_port))
    assert (await phone.options(f"sip:127.0.0.1:{cast.carillon.sip_port}")).status == 200


async def test_options_says_what_is_served(cast: Cast) -> None:
    phone = await cast.phone("x")
    response = await phone.options(f"sip:127.0.0.1:{cast.carillon.sip_port}")
    assert response.status == 200
    assert "INVITE" in (response.header("Allow") or "")
    assert "application/sdp" in (response.header("Accept") or "")


async def test_rtp_from_a_stranger_is_neither_heard_nor_relayed(cast: Cast) -> None:
    desk = await cast.agent("nina", Answer(ring_s=0.1))
    call, leg = await cast.put_through(desk)
    call.play_tone(440)
    await leg.hears_tone(440, 5)
    began_s = leg.heard_s
    await call.send_rtp_from_stranger(900, 1.0, as_us=True)
    await leg.hears_tone(440, 5)
    assert not has_heard(leg, 900, began_s)
    legs = (await cast.live_calls())[0].legs
    caller = next(leg for leg in legs if leg.role == "caller")
    assert caller.media.packets_from_strangers >= 40
    await call.hangup()


async def test_a_flood_of_options_leaves_nothing_behind(cast: Cast) -> None:
    phone = await cast.phone("x")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for index in range(500):
            data = request("OPTIONS", phone, branch=f"z9hG4bK-flood-{index}")
            sock.sendto(data, ("127.0.0.1", cast.carillon.sip_port))
    assert (await phone.options(f"sip:127.0.0.1:{cast.carillon.sip_port}")).status == 200
    call = await cast.in_menu()
    await call.hangup()
