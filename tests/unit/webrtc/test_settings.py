"""What may be set for browsers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from media_gateway.settings import GatewaySettings
from media_gateway.webrtc.model import BrowserAddress


def test_addresses_are_bound_and_told() -> None:
    settings = GatewaySettings(webrtc_addresses=("127.0.0.1", "10.0.0.5=203.0.113.7"))
    assert settings.browser_addresses == (
        BrowserAddress("127.0.0.1", "127.0.0.1"),
        BrowserAddress("10.0.0.5", "203.0.113.7"),
    )


def test_the_defaults_are_those_of_one_machine() -> None:
    settings = GatewaySettings()
    assert settings.browser_addresses == ()
    assert (settings.webrtc_silence_ms, settings.rejoin_ms) == (5_000, 30_000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"webrtc_addresses": ("gateway.example",)},
        {"webrtc_addresses": ("10.0.0.5=edge.example",)},
        {"webrtc_addresses": ("127.0.0.1",) * 9},
        {"webrtc_silence_ms": 100},
        {"rejoin_ms": -1},
    ],
)
def test_what_cannot_work_is_refused_at_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GatewaySettings(**wrong)
