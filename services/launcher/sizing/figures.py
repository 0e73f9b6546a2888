"""What was measured, in one place: on one core of an AMD EPYC, see docs/capacity.md."""

from __future__ import annotations

from typing import Final

from services.launcher.sizing.model import Figures

MEASURED: Final = Figures(
    load=0.7,
    gateway_call_ms=50.0,
    gateway_phone_ms=5.1,
    gateway_browser_ms=8.7,
    gateway_waiting_ms=0.65,
    recorded_factor=1.25,
    service_call_ms={
        "acd": 29.0,
        "ivr": 20.0,
        "recording": 24.0,
        "crm": 25.0,
        "analytics": 22.0,
        "portal": 6.0,
    },
    agent_second_ms={"portal": 0.1},
    recording_minute_ms=240.0,
    tenant_calls_per_s=24.0,
    pages=500,
    members=8,
    gateway_mib=80.0,
    gateway_call_kib=61.0,
    service_mib=130.0,
    events=40.0,
    event_bytes=700,
    row_bytes=28_000,
    commits=76.0,
    recorded_bytes_per_s=17_400,
    segments_per_s=1.0,
    voice_bits_per_s=87_200,
    browser_bits_per_s=91_200,
    cell_calls=10_000,
    cell_agents=10_000,
)
"""Of the release that this is part of."""
