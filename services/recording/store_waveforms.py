"""Waveforms that were drawn of recordings which change no more: the port, and in memory."""

from __future__ import annotations

from typing import Protocol

from services.chassis.ids import CallId, TenantId
from services.recording.model.waveform import Waveform


class WaveformStore(Protocol):
    """At most one waveform per recording; it can be drawn again at any time."""

    async def waveform(self, tenant_id: TenantId, recording_id: CallId) -> Waveform | None:
        """What is kept; None: it was never drawn."""

    async def keep_waveform(
        self, tenant_id: TenantId, recording_id: CallId, waveform: Waveform
    ) -> None:
        """Keeps it, in place of what was kept."""


class MemoryWaveforms:
    """Waveforms for tests and simulation."""

    _waveforms: dict[tuple[TenantId, CallId], Waveform]

    async def waveform(self, tenant_id: TenantId, recording_id: CallId) -> Waveform | None:
        """See `WaveformStore.waveform`."""
        return self._waveforms.get((tenant_id, recording_id))

    async def keep_waveform(
        self, tenant_id: TenantId, recording_id: CallId, waveform: Waveform
    ) -> None:
        """See `WaveformStore.keep_waveform`."""
        self._waveforms[tenant_id, recording_id] = waveform
