"""What the edge lets in from whom: nobody says of themselves what only the edge may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.softphone import Answer, SoftPhone
from tests.softphone.message import Request
from tests.stage.edge import NUMBER, Edge, edge_of

TRUNK = "127.0.0.7"
IDENTITY = "<sip:+12025550147@carrier.example>"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=sendrecv\r\n"
)


async def came(edge: Edge) -> Request:
    """The INVITE as the only gateway got it."""
    return (await edge.gateways[0].incoming()).invite


async def test_a_strangers_own_word_on_trunk_and_identity_is_removed(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        headers = {
            "X-Carillon-Trunk": "acme",
            "x-carillon-anything": "1",
            "P-Asserted-Identity": IDENTITY,
            "X-Account": "4711",
            "Diversion": "<sip:+12025550199@carrier.example>",
        }
        call = await caller.call(edge.uri, headers=headers)
        await call.answered()
        invite = await came(edge)
        assert invite.header("X-Carillon-Trunk") is None
        assert invite.header("X-Carillon-Anything") is None
        assert invite.header("P-Asserted-Identity") is None
        # What anybody may say of a call stays.
        assert invite.header("X-Account") == "4711"
        assert invite.header("Diversion") is not None
        await call.hangup()


@pytest.mark.parametrize(
    "line",
    [
        "X-CARILLON-TRUNK: acme",
        "X-Carillon-Trunk : acme",
        "X-Carillon-Trunk\t: acme",
        "X-Carillon-Trunk:\r\n acme",
        "X-Carillon-Trunk: a\r\nX-Carillon-Trunk: b\r\nX-Carillon-Trunk: c",
        "P-ASSERTED-IDENTITY: <sip:+1@x>",
        "P-Asserted-Identity : <sip:+1@x>, <tel:+1>",
        "P-Asserted-Identity:\r\n\t<sip:+1@x>\r\nP-Asserted-Identity: <tel:+1>",
    ],
)
async def test_however_it_is_written(tmp_path: Path, line: str) -> None:
    async with edge_of(tmp_path / "e", None) as edge, SoftPhone() as caller:
        host, port = caller.address
        sdp = SDP.format(host=host)
        invite = (
            f"INVITE {edge.uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKraw;rport\r\n{line}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:a@{host}:{port}>;tag=1\r\nTo: <{edge.uri}>\r\n"
            f"Call-ID: raw\r\nCSeq: 1 INVITE\r\nContact: <sip:a@{host}:{port}>\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
        )
        caller.send_raw(invite.encode(), edge.address)
        leg = await edge.gateways[0].incoming()
        raw = leg.invite.encode().lower()
        assert b"x-carillon" not in raw
        assert b"p-asserted-identity" not in raw
        await leg.reject(486)


async def test_a_trunk_is_known_by_its_address_and_believed(tmp_path: Path) -> None:
    trunks = {TRUNK: "acme-west"}
    async with (
        edge_of(tmp_path / "e", Answer(), trunks=trunks) as edge,
        SoftPhone(host=TRUNK) as caller,
    ):
        headers = {"X-Carillon-Trunk": "another", "P-Asserted-Identity": IDENTITY}
        call = await caller.call(edge.uri, headers=headers)
        await call.answered()
        invite = await came(edge)
        assert invite.all("X-Carillon-Trunk") == ["acme-west"]
        assert invite.header("P-Asserted-Identity") == IDENTITY
        await call.hangup()


async def test_another_address_is_not_that_trunk(tmp_path: Path) -> None:
    async with (
        edge_of(tmp_path / "e", Answer(), trunks={TRUNK: "acme-west"}) as edge,
        SoftPhone(host="127.0.0.8") as caller,
    ):
        call = await caller.call(edge.uri)
        await call.answered()
        assert (await came(edge)).header("X-Carillon-Trunk") is None
        await call.hangup()


async def test_a_gateways_header_reaches_the_agents_phone(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", None) as edge, SoftPhone(auto=Answer()) as phone:
        headers = {"X-Carillon-Call": "c1"}
        call = await edge.gateways[0].call(phone.uri, headers=headers, proxy=edge.address)
        await call.answered()
        assert (await phone.incoming()).header("X-Carillon-Call") == "c1"
        await call.hangup()


async def test_the_number_is_passed_on_as_it_was_dialled(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        dialled = f"sip:{NUMBER};phone-context=x@pbx.example;user=phone"
        call = await caller.call(dialled, proxy=edge.address)
        await call.answered()
        assert (await came(edge)).uri == dialled
        await call.hangup()
