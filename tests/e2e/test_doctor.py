"""`carillon doctor` finds each fault that is really there, and none where there is none."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.chassis.database import DatabaseAddress
from services.chassis.postgres.server import PostgresServer
from services.launcher.certificates import LIFE, certify
from services.launcher.ports import free_port
from tests.e2e.whole import NUMBER, whole
from tests.stage.doctor import doctor
from tests.stage.installation import Installation

pytestmark = [pytest.mark.e2e]

AHEAD = """
struct timespec { long seconds, nanoseconds; };
extern void *dlsym(void *, const char *);
typedef int (*Ask)(int, struct timespec *);
int clock_gettime(int id, struct timespec *told) {
  static Ask ask;
  if (!ask) ask = (Ask)dlsym((void *)-1L, "clock_gettime");
  int failed = ask(id, told);
  if (!failed && id == 0) told->seconds += 3;
  return failed;
}
"""
"""A clock that is three seconds ahead, for a process that loads it first."""


async def test_nothing_is_found_where_nothing_is_wrong_and_each_fault_where_one_is(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    ports = [free_port(), free_port()]
    env = {"CARILLON_METRICS_PORT": "-1"}
    shown = {"CARILLON_GATEWAY_METRICS_PORT": str(ports[0])}
    async with whole(tmp_path, postgres_server, env=env, gateway_env=shown) as stage:
        usual = ("--number", NUMBER, "--metrics", f"127.0.0.1:{ports[0]}")
        well = await doctor(tmp_path, *usual)
        assert (well.status, well.ill) == (0, set()), well.findings
        looked_at = {name for name, state in well.states.items() if state == "well"}
        assert looked_at == {"parts", "sip", "audio", "clock", "migrations", "bus", "spool"}

        refused = await doctor(tmp_path, "--number", "+12025550777")
        assert refused.ill == {"audio"}
        assert "was refused: 404" in refused.findings["audio"][0]

        # A release whose migration was not applied.
        database = DatabaseAddress.read(tmp_path / "database.json").name
        admin = await asyncpg.connect(postgres_server.admin_dsn(database))
        await admin.execute(
            "DELETE FROM chassis.migration WHERE (schema, version) IN"
            " (SELECT schema, max(version) FROM chassis.migration WHERE schema = 'crm' GROUP BY 1)"
        )
        await admin.close()
        # A service that has died, and what comes meanwhile.
        await stage.carillon.kill("crm")
        call = await stage.in_queue()
        await call.hangup()
        await stage.until_quiet()
        ill = await doctor(tmp_path, *usual, "--max-behind", "5")
        assert ill.status == 1
        assert ill.ill == {"migrations", "parts", "bus"}, ill.findings
        assert "lacks 1 migrations of this release: crm/" in ill.findings["migrations"][0]
        assert ill.findings["parts"] == ["crm does not answer (UNAVAILABLE)."]
        assert all(each.startswith("Group crm is ") for each in ill.findings["bus"])


async def test_a_gateway_that_cannot_hear_nor_keep_and_whose_clock_is_wrong(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    port = free_port()
    faults = {
        "CARILLON_GATEWAY_METRICS_PORT": str(port),
        # Where nobody listens: the gateway is bound to another address of this machine.
        "CARILLON_GATEWAY_MEDIA_ADVERTISED": "127.0.0.9",
        "CARILLON_GATEWAY_SPOOL_MIN_FREE_BYTES": str(10**15),
        "LD_PRELOAD": str(await clock_ahead(tmp_path)),
    }
    async with whole(tmp_path, postgres_server, together=True, gateway_env=faults):
        ill = await doctor(tmp_path, "--number", NUMBER, "--metrics", f"127.0.0.1:{port}")
    assert ill.ill == {"audio", "clock", "spool"}, ill.findings
    assert ill.findings["audio"] == [
        "Audio goes one way only: the gateway hears nothing of what the probe call says."
    ]
    (clock,) = ill.findings["clock"]
    assert clock.startswith(f"The clock of the process at http://127.0.0.1:{port} is 3.")
    assert clock.endswith(" s ahead.")
    assert "has room for 0 MiB only" in ill.findings["spool"][0]


async def test_a_gateway_that_is_gone_a_certificate_that_has_expired_and_a_database_that_stopped(
    tmp_path: Path,
) -> None:
    long_ago = datetime.now(UTC) - 2 * LIFE
    files = certify(tmp_path / "old", host="here", names=["127.0.0.1"], now=long_ago)
    soon = certify(
        tmp_path / "soon",
        host="here",
        names=["127.0.0.1"],
        now=datetime.now(UTC) - LIFE + timedelta(days=5, hours=12),
    )
    env = {
        "CARILLON_PORTAL_TLS_CERT": str(files.certificate),
        "CARILLON_PORTAL_TLS_KEY": str(files.key),
    }
    async with Installation(var=tmp_path / "var", env=env) as carillon:
        sip = f"127.0.0.1:{carillon.sip_port}"
        await carillon.kill("gateway")
        ill = await doctor(tmp_path / "var", "--sip", sip, "--certificate", str(soon.certificate))
        assert ill.ill == {"parts", "sip", "certificates"}, ill.findings
        assert ill.findings["parts"] == ["gateway does not answer (UNAVAILABLE)."]
        assert ill.findings["sip"][0].startswith(f"SIP is not answered: {sip} gave no final answer")
        expired, expires = ill.findings["certificates"]
        assert "expired on" in expired
        assert f"in {soon.certificate}" in expires
        assert "in 5 days" in expires or "in 6 days" in expires
        await asyncio.to_thread(carillon.postgres.stop)
        try:
            without = await doctor(tmp_path / "var", "--sip", sip)
        finally:
            await asyncio.to_thread(carillon.postgres.start)
        assert {"migrations", "bus"} <= without.ill, without.findings
        assert without.findings["migrations"][0].startswith("The database cannot be asked")


async def clock_ahead(folder: Path) -> Path:
    """A library that makes a process's clock wrong; Debian's gcc makes it."""
    compiler = shutil.which("cc")
    assert compiler is not None, "no C compiler is installed: apt-get install gcc"
    source, library = folder / "ahead.c", folder / "ahead.so"
    source.write_text(AHEAD)
    making = await asyncio.create_subprocess_exec(
        *(compiler, "-shared", "-fPIC", "-nostdlib", "-o", str(library), str(source))
    )
    assert await making.wait() == 0
    return library
