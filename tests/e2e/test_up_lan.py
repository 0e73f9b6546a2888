"""`make up LAN=1` as somebody at another machine uses it: by HTTPS, with a microphone."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.chassis.postgres.server import PostgresServer
from services.launcher.network import NoNetwork, find_lan
from tests.agent import Peer
from tests.agent.desk import Desk, desk_of
from tests.e2e.test_up import up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FINGERPRINT = re.compile(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}")
VOICE_HZ = 660.0


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "up"
    PostgresServer(tmp_path / "up" / "postgres").remove()


def own_address() -> str:
    """This machine's on its network; loopback stands for it where there is none."""
    try:
        return find_lan().address
    except NoNetwork:
        return "127.0.0.1"


async def test_a_browser_of_the_network_is_served_by_https_and_takes_a_test_call(
    var: Path,
) -> None:
    address = own_address()
    with up(var, "--lan", "--address", address) as terminal:
        text = terminal.sees("Carillon is up.")
        text = terminal.sees("Ctrl-C stops it.")
        portal = json.loads((var / "run.json").read_text())["portal"]
        assert portal.startswith(f"https://{address}:")
        assert portal in text
        (fingerprint,) = FINGERPRINT.findall(text)
        trust = _downloaded(portal, fingerprint)
        for host in (address, "127.0.0.1", "localhost"):
            _is_well(portal.replace(address, host), trust)
        password = json.loads((var / "passwords.json").read_text())["anna"]
        async with desk_of(
            portal, tenant="demo", username="anna", password=password, trust=trust
        ) as desk:
            await _hears_itself(desk, address)
            await _takes_a_test_call(desk)
        assert terminal.stop() == 0


def _downloaded(portal: str, fingerprint: str) -> ssl.SSLContext:
    """The authority as somebody fetches it who goes on past the warning, and compares it."""
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(f"{portal}/healthz")
    fetched = httpx.get(f"{portal}/ca.crt", verify=False)
    assert fetched.headers["content-type"] == "application/x-x509-ca-cert"
    der = ssl.PEM_cert_to_DER_cert(fetched.text)
    assert hashlib.sha256(der).digest().hex(":").upper() == fingerprint
    return ssl.create_default_context(cadata=fetched.text)


def _is_well(portal: str, trust: ssl.SSLContext) -> None:
    answer = httpx.get(f"{portal}/healthz", verify=trust)
    assert answer.status_code == 200
    assert "strict-transport-security" not in answer.headers


async def _hears_itself(desk: Desk, address: str) -> None:
    async with Peer() as peer:
        peer.play_tone(VOICE_HZ)
        said = await desk.session.post("/v1/desk:probe", {"sdp_offer": await peer.offer()})
        candidates = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) ", said["sdp_answer"])
        assert candidates == list(dict.fromkeys((address, "127.0.0.1")))
        await peer.accept_answer(said["sdp_answer"])
        await peer.connected(10)
        await peer.hears_tone(VOICE_HZ, 5)


async def _takes_a_test_call(desk: Desk) -> None:
    await desk.ready()
    order: dict[str, Any] = {"to": "+1 202-555-0100", "digits": "1", "talk_s": 5}
    placed = await desk.session.post("/v1/test-calls", order)
    assert placed["speaks"].startswith("Hello! This is a test call")
    work = await desk.rings(20)
    assert work["reservation"]["contact_id"] == placed["call_id"]
    await desk.confirm(work)
    peer = await desk.connect(work)
    await desk.accept(work)
    await peer.hears_audio(5)
    # It hangs up by itself: what is left of it is wrap-up.
    await desk.becomes("wrap_up", 15)
    await desk.finish(work, "question-answered")
