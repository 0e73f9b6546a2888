"""Policies and drawn waveforms in PostgreSQL."""

from __future__ import annotations

from services.chassis.database import Database
from services.chassis.ids import CallId, TenantId
from services.recording.model.policy import Policy, Record
from services.recording.model.waveform import Waveform


class SqlPolicies:
    """See `PolicyStore`."""

    _database: Database

    async def policy(self, tenant_id: TenantId) -> Policy:
        """See `PolicyStore.policy`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(
                "SELECT record, agents_may_listen, agents_may_pause FROM policy"
                " WHERE tenant_id = $1",
                tenant_id,
            )
        if row is None:
            return Policy()
        return Policy(Record(row["record"]), row["agents_may_listen"], row["agents_may_pause"])

    async def put_policy(self, tenant_id: TenantId, policy: Policy) -> None:
        """See `PolicyStore.put_policy`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                "INSERT INTO policy (tenant_id, record, agents_may_listen, agents_may_pause)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id) DO UPDATE"
                " SET record = $2, agents_may_listen = $3, agents_may_pause = $4",
                tenant_id,
                policy.record.value,
                policy.agents_may_listen,
                policy.agents_may_pause,
            )


class SqlWaveforms:
    """See `WaveformStore`."""

    _database: Database

    async def waveform(self, tenant_id: TenantId, recording_id: CallId) -> Waveform | None:
        """See `WaveformStore.waveform`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(
                "SELECT duration_ms, caller, others FROM waveform"
                " WHERE tenant_id = $1 AND recording_id = $2",
                tenant_id,
                recording_id,
            )
        return None if row is None else Waveform(row["duration_ms"], row["caller"], row["others"])

    async def keep_waveform(
        self, tenant_id: TenantId, recording_id: CallId, waveform: Waveform
    ) -> None:
        """See `WaveformStore.keep_waveform`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                "INSERT INTO waveform (tenant_id, recording_id, duration_ms, caller, others)"
                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, recording_id) DO UPDATE"
                " SET duration_ms = $3, caller = $4, others = $5",
                tenant_id,
                recording_id,
                waveform.duration_ms,
                waveform.left,
                waveform.right,
            )
