"""STUN and TURN servers that an agent's browser is told."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from protos.portal.v1 import desk_pb2
from services.portal.core.ice import MAX_URLS, ice_urls
from services.portal.desk_ways import Ways
from services.portal.settings import PortalSettings
from tests.unit.portal_edges.desk_stage import WHO, desk_staged
from tests.unit.portal_edges.stage import Clock

SECRET = "a shared word of ours"
TURN = "turn:turn.example.com:3478?transport=udp"


def ways(clock: Clock, **given: Any) -> desk_pb2.IceServers:
    return Ways(settings=PortalSettings(**given), clock=clock).of("ada")


async def test_without_a_server_the_way_is_straight() -> None:
    async with desk_staged() as stage:
        told = await stage.desk.GetIceServers(desk_pb2.GetIceServersRequest(), metadata=WHO)
    assert not told.servers
    assert not told.relay_only


def test_credentials_are_those_that_a_turn_server_computes() -> None:
    clock = Clock()
    clock.at_ms = 1_700_000_000_000
    told = ways(
        clock, ice_urls=f"stun:turn.example.com, {TURN},turns:turn.example.com", ice_secret=SECRET
    )
    stun, turn = told.servers
    assert list(stun.urls) == ["stun:turn.example.com"]
    assert not stun.username
    assert list(turn.urls) == [TURN, "turns:turn.example.com"]
    assert turn.username == "1700014400:ada"
    # printf %s 1700014400:ada | openssl dgst -sha1 -hmac "a shared word of ours" -binary | base64
    assert turn.credential == "c50QOV76ucEGOnfqYM7CyJ72Rb8="
    assert told.lifetime_s == 14_400


@pytest.mark.parametrize(
    "url",
    [
        "turn.example.com",
        "http://turn.example.com",
        "turn://turn.example.com",
        "turn:turn.example.com:0",
        "turn:turn.example.com:65536",
        "turn:turn.example.com?transport=tls",
        "stun:turn.example.com?transport=udp",
        "turn:user@turn.example.com",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|STUN"):
        ice_urls(url)


def test_there_are_so_many_urls_at_most() -> None:
    several = [f"stun:s{number}.example.com" for number in range(MAX_URLS + 1)]
    assert ice_urls(",".join(several[:-1])) == tuple(several[:-1])
    assert ice_urls("turn:[2001:db8::1]:3478, ") == ("turn:[2001:db8::1]:3478",)
    with pytest.raises(ValueError, match="at most"):
        ice_urls(",".join(several))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"ice_urls": TURN}, "come together"),
        ({"ice_secret": SECRET}, "come together"),
        ({"ice_urls": "stun:turn.example.com", "ice_secret": SECRET}, "come together"),
        ({"ice_urls": TURN, "ice_secret": "short"}, "too short"),
        ({"ice_urls": TURN, "ice_secret": "secretpassword"}, "everybody knows"),
        ({"ice_urls": "stun:turn.example.com", "ice_relay_only": True}, "names no TURN server"),
        ({"ice_urls": TURN, "ice_secret": SECRET, "ice_lifetime_s": 10}, "greater than"),
    ],
)
def test_settings_that_lead_nowhere_are_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        PortalSettings(**given)


def test_an_empty_secret_is_none() -> None:
    given: dict[str, Any] = {"ice_secret": ""}
    assert PortalSettings(**given).ice_secret is None
