"""`carillon doctor` on a cluster: nothing where nothing is wrong, and each fault where one is."""

from __future__ import annotations

import asyncpg
import pytest

from services.launcher.cluster import DATABASE
from tests.cluster.stage import Stage
from tests.stage.doctor import doctor

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

LAST = "(SELECT schema, max(version) FROM chassis.migration WHERE schema = 'crm' GROUP BY 1)"


async def test_each_fault_of_a_cluster_is_found_and_none_where_there_is_none(
    carillon: Stage,
) -> None:
    well = await doctor(carillon.var)
    assert (well.status, well.ill) == (0, set()), well.findings
    assert {name for name, state in well.states.items() if state == "well"} == set(well.states)

    assert carillon.cluster.postgres is not None
    assert carillon.cluster.storage is not None
    (lost,) = [each for each in carillon.replicas.of("crm") if each.number == 2]
    admin = await asyncpg.connect(carillon.cluster.postgres.admin_dsn(DATABASE))
    try:
        # A release whose migration was not applied, a process that has died, a bucket that is away.
        rows = await admin.fetch(
            f"DELETE FROM chassis.migration WHERE (schema, version) IN {LAST} RETURNING *"
        )
        await carillon.kill(lost.name)
        await carillon.cluster.storage.kill()
        try:
            ill = await doctor(carillon.var)
        finally:
            await carillon.cluster.storage.start()
            await carillon.mend()
            await admin.execute(
                "INSERT INTO chassis.migration VALUES ($1, $2, $3, $4, $5)", *rows[0]
            )
    finally:
        await admin.close()
    assert ill.status == 1
    assert ill.ill == {"parts", "migrations", "object-lock", "certificates"}, ill.findings
    assert ill.findings["parts"] == [
        f"crm at {lost.address} does not answer (UNAVAILABLE).",
        f"Nobody shows metrics at http://127.0.0.1:{lost.ports['metrics']}.",
    ]
    assert "lacks 1 migrations of this release: crm/" in ill.findings["migrations"][0]
    assert ill.findings["object-lock"][0].startswith("The store cannot be asked")
    assert ill.findings["certificates"][0].startswith(f"No TLS at {lost.address}")
