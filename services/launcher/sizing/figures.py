"""What was measured, in one place: on one core of an AMD EPYC, see docs/capacity.md."""

from __future__ import annotations

from typing import Final

from services.launcher.sizing.model import Figures

MEASURED: Final = Figures(
    load=0.7,
    gateway_call_ms=44.0,
    gateway_phone_ms=2.5,
    gateway_browser_ms=4.2,
    gateway_waiting_ms=0.65,
    recorded_factor=1.05,
    service_call_ms={
        "acd": 28.0,
        "ivr": 20.0,
        "recording": 28.0,
        "crm": 25.0,
        "analytics": 25.0,
        "portal": 6.0,
    },
    agent_second_ms={"portal": 0.1},
    recording_minute_ms=187.0,
    tenant_calls_per_s=25.0,
    pages=500,
    members=8,
    gateway_mib=80.0,
    gateway_call_kib=61.0,
    service_mib=100.0,
    events=36.0,
    event_bytes=700,
    row_bytes=26_000,
    commits=77.0,
    recorded_bytes_per_s=17_400,
    segments_per_s=1.0,
    voice_bits_per_s=87_200,
    browser_bits_per_s=91_200,
    cell_calls=10_000,
    cell_agents=10_000,
)
"""Of the release that this is part of."""
