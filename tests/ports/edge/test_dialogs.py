"""What is said within a call goes the way that the call came, whoever says it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.sipp_runner import demand_flawless, run_callers
from tests.softphone import Answer, CallRefused, NotInTime, SoftPhone
from tests.stage.edge import NUMBER, edge_of

BYE = (
    "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token};rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:a@{host}:{port}>;tag=1\r\nTo: <{uri}>;tag={tag}\r\n"
    "Call-ID: {token}\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n"
)


async def test_both_ends_change_and_end_a_call_by_the_edge(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        call = await caller.call(edge.uri)
        await call.answered()
        leg = await edge.gateways[0].incoming()
        await leg.answered()
        assert (await call.send_info(b"Signal=1\r\nDuration=100\r\n")).status == 200
        await call.hold()
        await call.unhold()
        await leg.hold()
        assert call.on_hold_by_peer
        await leg.unhold()
        # All of it came from the edge's address, none of it from the gateway's own.
        assert {leg.dialog.next_hop, call.dialog.next_hop} == {edge.address}
        await leg.hangup()
        assert (await call.ended()).how == "bye"
        assert caller.faults == []


async def test_a_gateway_rings_a_phone_by_the_edge(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", None) as edge, SoftPhone(auto=Answer()) as phone:
        route = {"Route": f"<sip:{edge.address[0]}:{edge.address[1]};lr>"}
        call = await edge.gateways[0].call(phone.uri, headers=route, proxy=edge.address)
        await call.answered()
        leg = await phone.incoming()
        await leg.answered()
        assert leg.dialog.next_hop == edge.address
        assert leg.header("Route") is None
        await leg.hold()
        await leg.unhold()
        await call.hold()
        await leg.hangup()
        assert (await call.ended()).how == "bye"
        assert phone.faults == []


async def test_nobody_else_is_sent_on_to_an_address_of_their_choice(tmp_path: Path) -> None:
    async with (
        edge_of(tmp_path / "e", Answer()) as edge,
        SoftPhone() as caller,
        SoftPhone(auto=Answer()) as elsewhere,
    ):
        host, port = elsewhere.address
        route = {"Route": f"<sip:{host}:{port};lr>"}
        call = await caller.call(elsewhere.uri, headers=route, proxy=edge.address)
        await call.answered()
        assert edge.gateways[0].calls_received == 1
        assert elsewhere.calls_received == 0
        await call.hangup()


async def test_a_gateway_may_call_a_number_of_its_own(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer(), Answer()) as edge:
        headers = {"X-Carillon-Trunk": "made-up", "Max-Forwards": "9"}
        call = await edge.gateways[0].call(edge.uri, headers=headers)
        leg = await edge.arrival()
        await call.answered()
        assert leg.header("X-Carillon-Trunk") is None
        assert int(leg.header("Max-Forwards") or 70) < 9
        await call.hangup()


async def test_a_call_that_goes_round_in_circles_ends(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        call = await caller.call(edge.uri, headers={"Max-Forwards": "0"})
        with pytest.raises(CallRefused) as told:
            await call.answered()
        assert told.value.status == 483
        assert edge.gateways[0].calls_received == 0


@pytest.mark.parametrize("tag", ["x", "g1-00", "g9-00", "-"])
async def test_what_belongs_to_no_dialog_is_told_so(tmp_path: Path, tag: str) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        host, port = caller.address
        bye = BYE.format(uri=edge.uri, host=host, port=port, token="lost", tag=tag)
        caller.send_raw(bye.encode(), edge.address)
        assert (await caller.next_response()).status == 481


async def test_callers_by_tcp_reach_gateways_by_udp(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer(), Answer()) as edge:
        verdict = await run_callers(
            "caller", number=NUMBER, port=edge.address[1], calls=20, rate=20, tcp=True
        )
        demand_flawless(verdict, 20)
        assert verdict.retransmissions == 0
        assert [gateway.calls_received for gateway in edge.gateways] == [10, 10]


async def test_a_gateway_ends_a_call_that_came_by_tcp(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge:
        reader, writer = await asyncio.open_connection(*edge.address)
        host, port = writer.get_extra_info("sockname")
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            "m=audio 9 RTP/AVP 0\r\na=sendrecv\r\n"
        )
        writer.write(
            (
                f"INVITE {edge.uri} SIP/2.0\r\n"
                f"Via: SIP/2.0/TCP {host}:{port};branch=z9hG4bKtcp;rport\r\n"
                "Max-Forwards: 70\r\n"
                f"From: <sip:a@{host}>;tag=1\r\nTo: <{edge.uri}>\r\nCall-ID: tcp-1\r\n"
                f"CSeq: 1 INVITE\r\nContact: <sip:a@{host}:{port};transport=tcp>\r\n"
                f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
            ).encode()
        )
        leg = await edge.gateways[0].incoming()
        async with asyncio.timeout(10):
            head = b""
            while b"SIP/2.0 200" not in head:
                head = await reader.readuntil(b"\r\n\r\n")
        answer = head.decode()
        routes = [line for line in answer.splitlines() if line.startswith("Record-Route")]
        to = next(line for line in answer.splitlines() if line.startswith("To:"))
        writer.write(
            (
                f"ACK {edge.gateways[0].uri} SIP/2.0\r\n"
                f"Via: SIP/2.0/TCP {host}:{port};branch=z9hG4bKack;rport\r\nMax-Forwards: 70\r\n"
                + "".join(
                    f"{line.replace('Record-Route', 'Route')}\r\n" for line in reversed(routes)
                )
                + f"From: <sip:a@{host}>;tag=1\r\n{to}\r\nCall-ID: tcp-1\r\nCSeq: 1 ACK\r\n"
                "Content-Length: 0\r\n\r\n"
            ).encode()
        )
        await leg.answered()
        leaving = asyncio.ensure_future(leg.hangup())
        async with asyncio.timeout(10):
            head = b""
            while not head.startswith(b"BYE "):
                head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n\r\n")[0]
                head = head[head.index(b"BYE ") :] if b"BYE " in head else head
        vias = [line for line in head.decode().splitlines() if line.startswith("Via")]
        kept = [
            line
            for line in head.decode().splitlines()
            if line.split(":")[0] in {"From", "To", "Call-ID", "CSeq"}
        ]
        writer.write(
            ("\r\n".join(("SIP/2.0 200 OK", *vias, *kept, "Content-Length: 0", "", ""))).encode()
        )
        await leaving
        writer.close()


async def test_nothing_is_heard_of_a_call_after_its_end(tmp_path: Path) -> None:
    async with edge_of(tmp_path / "e", Answer()) as edge, SoftPhone() as caller:
        call = await caller.call(edge.uri)
        await call.answered()
        await call.hangup()
        with pytest.raises(NotInTime):
            await caller.next_response(1)
