"""What a gateway can be told, and what it refuses to be told."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from media_gateway.settings import GatewaySettings


def test_networks_and_names_are_told_apart() -> None:
    settings = GatewaySettings(outbound_allow=("10.0.0.0/8", "::1", "Phones.Example"))
    assert settings.networks == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert settings.hosts == {"phones.example"}


def test_only_this_machine_is_rung_and_nobody_trusted_unless_told() -> None:
    settings = GatewaySettings()
    assert settings.networks == (ip_network("127.0.0.0/8"),)
    assert settings.hosts == frozenset()
    assert settings.dial_allow == ()
    assert settings.trusted_edges == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sip_port": 65_536},
        {"sip_host": "localhost"},
        {"media_host": "nowhere"},
        {"trusted_edges": ("edge.example",)},
        {"rtp_port_first": 30_000, "rtp_port_last": 30_000},
        {"edges": ("",)},
        {"edges": tuple(f"edge-{n}" for n in range(17))},
        {"edges": ("edge", "edge")},
        {"edges": ("http://edge:7000",)},
        {"edges": ("edge:7000",)},
        {"edges": ("kamailio",)},
        {"edges": ("ipv4:10.0.0.1:7000,10.0.0.2:7000",)},
        {"face": "ivr"},
        {"max_calls": 0},
        {"unheard_of": 1},
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GatewaySettings(**wrong)


def test_ports_for_the_calls_that_are_asked_for_must_be_there() -> None:
    with pytest.raises(ValidationError, match=r"room for 25 calls.*_MAX_CALLS asks for 26"):
        GatewaySettings(rtp_port_first=20_000, rtp_port_last=20_099, max_calls=26)
    with pytest.raises(ValidationError, match=r"_RTP_PORT_LAST, 20000, must be above .*_FIRST"):
        GatewaySettings(rtp_port_first=20_001, rtp_port_last=20_000)
    GatewaySettings(rtp_port_first=20_000, rtp_port_last=20_099, max_calls=25)
    # Unless some were asked for, as many are taken as there is room for.
    GatewaySettings(rtp_port_first=20_000, rtp_port_last=20_099)


def test_edges_are_named_or_told_by_their_addresses() -> None:
    for told in ("edge", "edge-2", "ipv4:10.0.0.7:7000", "ipv6:[::1]:7000", "dns:///e-1.e:7000"):
        assert GatewaySettings(edges=(told,)).edges == (told,)


def test_the_password_does_not_show() -> None:
    assert "secret" not in repr(GatewaySettings(outbound_password=SecretStr("secret")))
