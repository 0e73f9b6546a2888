"""Probes over real paths on loopback: their end, and what becomes of their ports."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from media_gateway.probe import probe as one_probe
from media_gateway.probe.probes import NoProbesNow, Probes
from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.errors import NoBrowserPort
from services.chassis.ids import AgentId, TenantId
from tests.agent import Peer
from tests.unit.webrtc.rig import Ports, now_ms, settings

TENANT = TenantId("acme")
PATIENCE_S = 5.0


@asynccontextmanager
async def probing(ports: Ports) -> AsyncIterator[Probes]:
    connector = Connector(settings(ports))
    probes = Probes(clock_ms=now_ms, random_bits=secrets.randbits)
    probes.open(connector)
    try:
        yield probes
    finally:
        await probes.close()
        await connector.close()


def shown(probes: Probes) -> dict[str, float]:
    """Those that run, and those that ended by how."""
    return {
        "".join(value for _, value in each.labels) or "now": each.value
        for each in probes.readings()
    }


async def gone(probes: Probes) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(probes):  # noqa: ASYNC110 (of a task that tells nobody)
            await asyncio.sleep(0.02)


async def test_a_probe_ends_by_itself_and_gives_its_port_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(one_probe, "PROBE_MS", 1_500)
    ports = Ports()
    async with probing(ports) as probes, Peer() as peer:
        peer.play_tone(660)
        sdp_answer = await probes.begin(TENANT, AgentId("anna"), await peer.offer())
        assert (ports.lent, shown(probes)) == (1, {"now": 1, "connected": 0, "failed": 0})
        await peer.accept_answer(sdp_answer)
        await peer.connected()
        await peer.hears_tone(660)
        await peer.closed()
        await gone(probes)
        assert (ports.lent, shown(probes)) == (0, {"now": 0, "connected": 1, "failed": 0})


async def test_a_browser_that_never_comes_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(one_probe, "PROBE_MS", 100)
    ports = Ports()
    async with probing(ports) as probes, Peer() as peer:
        await probes.begin(TENANT, AgentId("anna"), await peer.offer())
        await gone(probes)
        assert (ports.lent, shown(probes)) == (0, {"now": 0, "connected": 0, "failed": 1})


async def test_without_a_port_nothing_is_left_of_it() -> None:
    async with probing(Ports(free=[])) as probes, Peer() as peer:
        with pytest.raises(NoBrowserPort):
            await probes.begin(TENANT, AgentId("anna"), await peer.offer())
        assert len(probes) == 0


async def test_a_drain_ends_probes_and_takes_no_more() -> None:
    ports = Ports()
    async with probing(ports) as probes, Peer() as peer:
        offer = await peer.offer()
        await peer.accept_answer(await probes.begin(TENANT, AgentId("anna"), offer))
        await peer.connected()
        probes.drain()
        await peer.closed()
        with pytest.raises(NoProbesNow):
            await probes.begin(TENANT, AgentId("anna"), offer)
        await gone(probes)
        assert ports.lent == 0
