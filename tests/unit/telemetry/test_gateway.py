"""What a gateway shows of itself."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_gateway.facts.journal import FactJournal
from media_gateway.facts.publisher import FactPublisher
from media_gateway.listening import MIN_PACKETS, Quality
from media_gateway.main import build
from media_gateway.readings import MAX_TENANTS, Tally
from media_gateway.rtp.engine import MediaEngine, Traffic
from media_gateway.rtp.port_pool import PortPool
from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2
from services.chassis.bus import MemoryBus
from services.chassis.world import recorded_run_dir
from tests.unit.gateway.test_wire import STATS
from tests.unit.gateway_facts.calls import counted, noted, started
from tests.unit.rtp.test_engine import FIRST_PORT, HOST, Ears, Phone
from tests.unit.telemetry.local import started as running_service
from tests.unit.telemetry.shown import read, shown, until

CARRIER = common_pb2.Termination(
    termination_class=common_pb2.TERMINATION_CLASS_CARRIER_ERROR, reason="media-timeout"
)


def fact(call_id: str = "c", **body: Any) -> events_pb2.CallFact:
    return events_pb2.CallFact(call_id=call_id, **body)


def test_facts_are_tallied() -> None:
    tally = Tally()
    for call_id in ("a", "b"):
        tally.see(fact(call_id, flow_detached=events_pb2.FlowDetached(reason="lost")))
    assert tally.detached == 2
    tally.see(fact("a", flow_attached=events_pb2.FlowAttached(epoch=2)))
    assert tally.detached == 1
    tally.see(fact("b", call_ended=events_pb2.CallEnded(termination=CARRIER)))
    assert (tally.detached, tally.ended) == (0, {"carrier_error": 1})
    for state in ("on", "failed", "on"):
        tally.see(fact(recording_changed=events_pb2.RecordingChanged(state=state)))
    for state in ("connected", "lost"):
        changed = events_pb2.LegConnectionChanged(leg_id="l", state=state)
        tally.see(fact(leg_connection_changed=changed))
    assert (tally.recordings_failed, tally.browsers_lost) == (1, 1)


def test_a_tenants_calls_are_counted_and_further_tenants_share_a_name() -> None:
    tally = Tally()
    ended = events_pb2.CallEnded(termination=CARRIER)
    for number in range(MAX_TENANTS + 5):
        tally.see(fact(f"c{number}", tenant_id=f"t{number}", call_ended=ended))
    assert len(tally.ended_of) == MAX_TENANTS + 1
    assert tally.ended_of["t0", "carrier_error"] == 1
    assert tally.ended_of["others", "carrier_error"] == 5


def test_legs_are_counted_by_how_they_sounded() -> None:
    quality = Quality()
    heard = replace(STATS, packets_received=990, packets_expected=1_000, packets_lost=10, gaps=4)
    quality.see(replace(heard, longest_gap=5, rtt_ms=12.0), "sip")
    quality.see(replace(heard, packets_expected=MIN_PACKETS - 1), "sip")
    quality.see(heard, "webrtc")
    values = read(quality.readings())
    assert values["carillon_gateway_leg_loss_ratio_count sip"] == 1
    assert values["carillon_gateway_leg_loss_ratio_count webrtc"] == 1
    assert values["carillon_gateway_leg_loss_ratio_bucket sip 0.005"] == 0
    assert values["carillon_gateway_leg_loss_ratio_bucket sip 0.01"] == 1
    assert values["carillon_gateway_leg_longest_gap_seconds_bucket sip 0.1"] == 1
    assert values["carillon_gateway_leg_round_trip_seconds_count webrtc"] == 0
    assert values["carillon_gateway_leg_gaps_total sip"] == 4
    assert 4 < values["carillon_gateway_leg_score_sum sip"] < 4.4


async def test_packets_are_counted_beyond_their_leg() -> None:
    numbers = itertools.count()
    engine = MediaEngine(
        loop=asyncio.get_running_loop(),
        host=HOST,
        ports=PortPool(first=FIRST_PORT, last=FIRST_PORT + 7),
        clock_ms=lambda: 1_000 * asyncio.get_running_loop().time(),
        random_bits=lambda bits: next(numbers) % 2**bits,
        sounds={},
    )
    phone, stranger = Phone(), Phone()
    port = await engine.open("leg", Ears())
    port.negotiate(phone.remote())
    engine.open_without_sockets("browser", Ears())
    assert (len(engine), engine.browsers) == (2, 1)
    phone.say(b"\x7f" * 160, port.rtp_port)
    await until(lambda: engine.traffic.received > 0)
    stranger.say(b"\x7f" * 160, port.rtp_port)
    await until(lambda: engine.traffic.strangers > 0 and engine.traffic.sent > 0)
    live = engine.traffic
    port.close()
    assert engine.traffic >= live
    assert engine.traffic == Traffic(1, engine.traffic.sent, 1, 0)
    await engine.close()
    for end in (phone, stranger):
        end.close()


async def test_facts_that_are_not_published_are_counted(tmp_path: Path) -> None:
    first = await written(tmp_path, "one")
    await first.close()
    journal = await written(tmp_path, "two")
    # What the first left is not the second's; that it ends the call of the first, is.
    assert (journal.waiting, journal.written, journal.written_bytes > 50) == (0, 3, True)
    publisher = FactPublisher(journal, MemoryBus())
    assert publisher.unpublished == 3
    running = asyncio.ensure_future(publisher.run())
    await until(lambda: publisher.published == 5)
    await until(lambda: publisher.unpublished == 0)
    running.cancel()
    await asyncio.wait((running,))
    await journal.close()


async def written(folder: Path, incarnation: str) -> FactJournal:
    journal = FactJournal(folder, incarnation=incarnation, new_id=counted(incarnation))
    await journal.start()
    journal.publish(started(incarnation, tenant="acme"))
    journal.publish(noted(incarnation, 2))
    assert journal.waiting == 2
    await journal.write_rest()
    return journal


async def test_a_gateway_shows_its_sockets_and_its_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_GATEWAY_SIP_PORT", "0")
    async with running_service(build, tmp_path) as running:
        sip = (recorded_run_dir(tmp_path) / "gateway.json").read_text()
        port = int(sip.partition('"sip": "127.0.0.1:')[2].partition('"')[0])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port)
        )
        transport.sendto(b"no sip at all\r\n\r\n")
        await until(lambda: shown(running.metrics)["carillon_gateway_sip_malformed_total"] == 1)
        await until(lambda: shown(running.metrics)["carillon_gateway_sip_connections"] == 1)
        values = shown(running.metrics)
        writer.close()
        transport.close()
    assert values["carillon_gateway_legs sip"] == values["carillon_gateway_legs webrtc"] == 0
    assert values["carillon_gateway_calls"] == values["carillon_gateway_calls_detached"] == 0
    assert values["carillon_gateway_facts_unpublished"] == 0
