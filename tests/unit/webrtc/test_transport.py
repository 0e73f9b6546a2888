"""The encrypted path, against aiortc's own peer connection."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct

import pytest
import uvloop
from aioice.stun import Class, Message, Method

from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.errors import ConnectionFailed, NoBrowserPort
from media_gateway.webrtc.ice import MAX_PROVED, machine_addresses
from media_gateway.webrtc.model import BrowserAddress
from media_gateway.webrtc.sdp import parse_offer
from media_gateway.webrtc.transport import MAX_PACKET_BYTES, MAX_SOURCES, BrowserTransport
from tests.agent import Peer
from tests.softphone import audio
from tests.unit.webrtc.offers import CHROME
from tests.unit.webrtc.rig import LOOPBACK, Listener, Ports, connected, open_for, settings

NOWHERE = ("", 0)


def rtp(number: int, payload: bytes) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, number, 160 * number, 0x1234_5678) + payload


async def play(transport: BrowserTransport, pcm: audio.PCM) -> None:
    """Sends whole seconds of a sound over and over, a packet each 20 ms."""
    law = audio.encode("PCMU", pcm)
    for number in itertools.count():
        at = 160 * number % len(law)
        transport.send_rtp(rtp(number & 0xFFFF, law[at : at + 160]), NOWHERE)
        await asyncio.sleep(0.02)


async def test_packets_come_and_go_in_the_clear() -> None:
    async with connected() as (transport, listener, peer):
        peer.play_tone(660)
        await asyncio.wait_for(listener.heard.wait(), 2)
        assert listener.rtp[0][0] == 0x80
        assert listener.rtp[0][1] & 0x7F == 0
        assert transport.remote[0] == "127.0.0.1"
        # It plays until it is heard: a machine that is late hears it later.
        playing = asyncio.create_task(play(transport, audio.tone(440, 1.0)))
        await peer.hears_tone(440, within_s=10, for_s=0.1)
        playing.cancel()
        assert listener.losses == 0


async def test_a_silent_browser_is_lost_within_the_limit_and_told_once() -> None:
    async with connected(silence_ms=500) as (_, listener, peer):
        await asyncio.sleep(0.8)
        assert listener.losses == 0
        peer.drop()
        await asyncio.wait_for(listener.lost.wait(), 2)
        await asyncio.sleep(0.3)
        assert listener.losses == 1


async def test_a_browser_that_says_nothing_but_answers_questions_is_there() -> None:
    connector, listener = Connector(settings(Ports(), silence_ms=500)), Listener()
    async with Peer(microphone=False) as peer:
        transport, answer = await open_for(connector, await peer.offer(), listener)
        await asyncio.gather(transport.connect(), peer.accept_answer(answer))
        await asyncio.sleep(1.2)
        assert listener.rtp == []
        assert listener.losses == 0
    await asyncio.wait_for(listener.lost.wait(), 2)
    await connector.close()


async def test_a_goodbye_is_a_loss_at_once() -> None:
    async with connected(silence_ms=30_000) as (_, listener, peer):
        await peer.close()
        await asyncio.wait_for(listener.lost.wait(), 1)


async def test_closing_says_goodbye_gives_the_port_back_and_is_no_loss() -> None:
    ports = Ports()
    async with connected(ports) as (transport, listener, peer):
        assert ports.lent == 1
        await transport.close()
        await transport.close()
        await peer.closed()
        assert ports.lent == 0
        heard = len(listener.rtp)
        transport.send_rtp(rtp(1, b"x" * 160), NOWHERE)
        transport.send_rtcp(rtp(1, b"x" * 160), NOWHERE)
        await asyncio.sleep(0.1)
        assert (len(listener.rtp), listener.losses) == (heard, 0)


async def test_a_close_that_nobody_waits_for_any_more_is_done_all_the_same() -> None:
    ports = Ports()
    async with connected(ports) as (transport, _, peer):
        waiting = asyncio.ensure_future(transport.close())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await transport.close()
        assert ports.lent == 0
        await peer.closed()


async def test_what_is_not_protected_by_the_browsers_keys_is_counted_and_dropped() -> None:
    async with connected() as (transport, listener, _):
        await asyncio.wait_for(listener.heard.wait(), 2)
        port = int(transport.candidates[0].split()[5])
        heard = len(listener.rtp)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for junk in (
                rtp(9, b"junk" * 40),
                b"\x80",
                b"\x80\xc8" + b"r" * 30,
                b"\x16" * 1_600,
                b"\x16" * 90,
            ):
                stranger.sendto(junk, ("127.0.0.1", port))
            stranger.sendto(b"", ("127.0.0.1", port))
            stranger.sendto(b"?", ("127.0.0.1", port))
        async with asyncio.timeout(5):
            while transport.malformed < 2:  # noqa: ASYNC110 - a count, of which nobody is told
                await asyncio.sleep(0.01)
        assert transport.malformed == 2
        assert all(b"junk" not in packet for packet in listener.rtp[heard:])
        assert listener.losses == 0


STUN_COOKIE = "2112a442"
BAD_STUN = [
    "0001000c" + STUN_COOKIE + "00" * 12 + "802a0008" + "00" * 8 + "00",
    "0001000c" + STUN_COOKIE + "00" * 12 + "802a0001" + "00" * 8,
    "00010008" + STUN_COOKIE + "00" * 12 + "000c0001" + "00000000",
    "01010008" + STUN_COOKIE + "00" * 12 + "00200001" + "00000000",
    "0001",
]


async def test_malformed_checks_of_strangers_harm_nothing() -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with connected() as (transport, listener, peer):
        port = int(transport.candidates[0].split()[5])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for text in BAD_STUN:
                stranger.sendto(bytes.fromhex(text), ("127.0.0.1", port))
        await asyncio.sleep(0.1)
        assert errors == []
        listener.heard.clear()
        await asyncio.wait_for(listener.heard.wait(), 5)
        assert peer.state == "connected"


@pytest.mark.parametrize("setup", ["active", "passive"])
async def test_either_side_may_begin_the_handshake(setup: str) -> None:
    connector, listener = Connector(settings(Ports())), Listener()
    async with Peer() as peer:
        offer = (await peer.offer()).replace("a=setup:actpass", f"a=setup:{setup}")
        transport, answer = await open_for(connector, offer, listener)
        await asyncio.gather(transport.connect(), peer.accept_answer(answer))
        await peer.connected()
        await asyncio.wait_for(listener.heard.wait(), 2)
    await connector.close()


async def test_a_packet_that_does_not_fit_is_not_sent() -> None:
    async with connected() as (transport, _, peer):
        transport.send_rtp(b"\x80" * (MAX_PACKET_BYTES + 1), NOWHERE)
        assert peer.state == "connected"


async def test_another_certificate_than_the_offered_one_is_refused() -> None:
    connector = Connector(settings(Ports()))
    async with Peer() as peer:
        offer = await peer.offer()
        lines = [
            "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) if "fingerprint" in line else line
            for line in offer.split("\r\n")
        ]
        unique = dict.fromkeys(line for line in lines if "fingerprint" in line)
        assert len(unique) == 1
        transport, answer = await open_for(connector, "\r\n".join(lines), Listener())
        connecting = asyncio.ensure_future(transport.connect())
        await peer.accept_answer(answer)
        with pytest.raises(ConnectionFailed, match="certificate"):
            await connecting
    await connector.close()


async def test_one_that_is_closed_while_it_connects_fails() -> None:
    connector = Connector(settings(Ports()))
    transport, _ = await open_for(connector, CHROME, Listener())
    connecting = asyncio.ensure_future(transport.connect())
    await asyncio.sleep(0.05)
    assert len(connector) == 1
    await connector.close()
    with pytest.raises(ConnectionFailed, match="no path"):
        await connecting
    assert len(connector) == 0


async def test_a_browser_that_hides_its_addresses_is_found_by_its_checks() -> None:
    connector, listener = Connector(settings(Ports())), Listener()
    async with Peer() as peer:
        offer = await peer.offer()
        hidden = "\r\n".join(line for line in offer.split("\r\n") if "candidate" not in line)
        transport, answer = await open_for(connector, hidden, listener)
        await asyncio.gather(transport.connect(), peer.accept_answer(answer))
        await peer.connected()
        await asyncio.wait_for(listener.heard.wait(), 2)
    await connector.close()


async def test_ports_that_others_hold_are_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        ports = Ports([taken, 0])
        connector = Connector(settings(ports))
        transport, _ = await open_for(connector, CHROME, Listener())
        assert int(transport.candidates[0].split()[5]) != taken
        assert ports.lent == 1
        await connector.close()


async def test_without_a_port_it_is_refused_and_nothing_is_kept() -> None:
    elsewhere = BrowserAddress("192.0.2.1", "192.0.2.1")
    for ports, addresses in ((Ports([]), [LOOPBACK]), (Ports(), [elsewhere])):
        connector = Connector(settings(ports, *addresses))
        with pytest.raises(NoBrowserPort):
            await open_for(connector, CHROME, Listener())
        assert (ports.lent, len(connector)) == (0, 0)


async def test_the_outer_address_of_a_nat_is_what_browsers_are_told() -> None:
    address = BrowserAddress.parse("127.0.0.1=203.0.113.9")
    connector = Connector(settings(Ports(), address, BrowserAddress.parse("127.0.0.2")))
    transport, answer = await open_for(connector, CHROME, Listener())
    outer, inner = transport.candidates
    assert outer.split()[4] == "203.0.113.9"
    assert inner.split()[4] == "127.0.0.2"
    assert int(outer.split()[3]) > int(inner.split()[3])
    assert "c=IN IP4 203.0.113.9" in answer
    await connector.close()


def test_the_machines_own_addresses_begin_with_loopback() -> None:
    assert machine_addresses()[0] == LOOPBACK
    with pytest.raises(ValueError, match="localhost"):
        BrowserAddress.parse("localhost")


async def test_of_a_browser_with_ever_new_sources_so_many_are_heard_and_no_more() -> None:
    async with connected() as (transport, listener, peer):
        await asyncio.wait_for(listener.heard.wait(), 2)
        for number in range(3 * MAX_SOURCES):
            packet = struct.pack("!BBHII", 0x80, 0, 1, 160, number) + b"x" * 160
            await peer._ice.send(peer._dtls._tx_srtp.protect(packet))
        async with asyncio.timeout(5):
            while transport.malformed < 2 * MAX_SOURCES:  # noqa: ASYNC110 - nobody is told of it
                await asyncio.sleep(0.01)
        assert len({packet[8:12] for packet in listener.rtp}) <= MAX_SOURCES
        # Those that were there before are heard as ever.
        listener.heard.clear()
        await asyncio.wait_for(listener.heard.wait(), 5)


def check(transport: BrowserTransport, theirs: str, password: str) -> bytes:
    """A check of a browser that knows the password it is signed with."""
    message = Message(
        Method.BINDING,
        Class.REQUEST,
        attributes={"USERNAME": f"{transport.username}:{theirs}", "PRIORITY": 1},
    )
    message.add_message_integrity(password.encode())
    return bytes(message)


async def test_strangers_who_ask_are_not_answered() -> None:
    async with connected() as (transport, _, _):
        address = ("127.0.0.1", int(transport.candidates[0].split()[5]))
        questions = [
            bytes(Message(Method.BINDING, Class.REQUEST)),
            bytes(Message(Method.ALLOCATE, Class.REQUEST)),
            check(transport, "them", "no password of ours is this"),
        ]
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.setblocking(False)  # noqa: FBT003 - the socket's own signature
            stranger.bind(("127.0.0.1", 0))
            for question in questions:
                await loop.sock_sendto(stranger, question, address)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_recv(stranger, 1_500), 0.3)


async def test_a_browser_is_remembered_at_so_many_addresses_and_no_more() -> None:
    connector = Connector(settings(Ports(), silence_ms=30_000))
    async with Peer() as peer:
        offer = await peer.offer()
        transport, answer = await open_for(connector, offer, Listener())
        await asyncio.gather(transport.connect(), peer.accept_answer(answer))
        address = ("127.0.0.1", int(transport.candidates[0].split()[5]))
        asked = check(transport, parse_offer(offer).username, transport.password)
        loop = asyncio.get_running_loop()
        for _ in range(MAX_PROVED + 10):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
                elsewhere.setblocking(False)  # noqa: FBT003 - the socket's own signature
                await loop.sock_sendto(elsewhere, asked, address)
                async with asyncio.timeout(2):
                    assert (await loop.sock_recv(elsewhere, 1_500))[:2] == b"\x01\x01"
        assert len(transport._ice.remote_candidates) <= MAX_PROVED
    await connector.close()


def test_an_opening_given_up_leaves_no_port_bound_on_the_loop_of_production() -> None:
    async def give_up(rounds: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        ports = Ports([port])
        connector = Connector(settings(ports, LOOPBACK, BrowserAddress.parse("127.0.0.2")))
        opening = asyncio.ensure_future(open_for(connector, CHROME, Listener()))
        for _ in range(rounds):
            await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert (len(connector), ports.lent) == (0, 0)
        for host in ("127.0.0.1", "127.0.0.2"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
                again.bind((host, port))

    for rounds in (1, 2, 3):
        uvloop.run(give_up(rounds))
