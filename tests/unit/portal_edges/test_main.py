"""portal as a process runs it: over PostgreSQL, with its ports, its people and its end."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from grpc import aio

from protos.portal.v1 import portal_pb2
from protos.portal.v1.portal_pb2_grpc import PortalStub
from services.acd.main import build as build_acd
from services.chassis.database import DatabaseAddress
from services.chassis.lifecycle import Running
from services.chassis.world import local_world
from services.portal.http_server import PortInUse
from services.portal.main import PORTS_FILE, build
from services.portal.tls import BadTlsFiles

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Portal:
    running: Running
    told: dict[str, int]
    http: httpx.AsyncClient
    ports_file: Path


@pytest_asyncio.fixture
async def portal(
    tmp_path: Path, database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    monkeypatch.setenv("CARILLON_PORTAL_HTTP_PORT", "0")
    monkeypatch.setenv("CARILLON_PORTAL_GRPC_PORT", "0")
    monkeypatch.setenv("CARILLON_PORTAL_PASSWORD_MEMORY_KIB", "64")
    database_address.write(tmp_path / "database.json")
    world = local_world(var_dir=tmp_path)
    running = Running([build_acd(world), build(world)], world)
    await running.start()
    path = world.run_dir / PORTS_FILE
    told = json.loads(path.read_text())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{told['http']}") as http:
        yield Portal(running, told, http, path)
    await running.drain(5)
    await running.stop()
    assert not path.exists()


async def test_the_first_administrator_signs_in_and_is_known_everywhere(
    portal: Portal, tmp_path: Path
) -> None:
    root = json.loads((tmp_path / "bootstrap.json").read_text())
    session = (await portal.http.post("/v1/sessions", json=root)).json()
    shown = {"authorization": f"Bearer {session['access_token']}"}
    me = (await portal.http.get("/v1/me", headers=shown)).json()
    assert (me["name"], me["kind"]) == ("Platform administrator", "user")
    async with aio.insecure_channel(f"127.0.0.1:{portal.told['grpc']}") as channel:
        stub = PortalStub(channel)
        asked = await stub.GetMe(portal_pb2.GetMeRequest(), metadata=tuple(shown.items()))
        assert asked.id == me["id"]
    put = await portal.http.put("/v1/queues/sales", json={"name": "Sales"}, headers=shown)
    assert put.json()["name"] == "Sales"
    ended = await portal.http.post("/v1/sessions:end", json={}, headers=shown)
    assert ended.status_code == 200
    assert (await portal.http.get("/v1/me", headers=shown)).status_code == 401


async def test_the_first_steps_in_the_documentation_work(portal: Portal, tmp_path: Path) -> None:
    root = json.loads((tmp_path / "bootstrap.json").read_text())
    text = (ROOT / "docs" / "api.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    env = {name.upper(): value for name, value in root.items()}
    url = f"http://127.0.0.1:{portal.told['http']}"
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env={**env, "CARILLON_URL": url}, stdout=subprocess.PIPE
    )
    told, _ = await run.communicate()
    assert (run.returncode, told.decode()) == (0, "sales Sales 0\n")


async def test_it_says_when_it_can_take_work_and_when_it_leaves(portal: Portal) -> None:
    assert (await portal.http.get("/readyz")).json() == {"status": "ready"}
    await portal.running.drain(5)
    answer = await portal.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "leaving"})
    assert (await portal.http.get("/healthz")).status_code == 200


async def test_a_second_portal_on_the_same_port_says_what_to_set(
    portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, setting in (("http", "HTTP"), ("grpc", "GRPC")):
        monkeypatch.setenv("CARILLON_PORTAL_HTTP_PORT", "0")
        monkeypatch.setenv(f"CARILLON_PORTAL_{setting}_PORT", str(portal.told[name]))
        (tmp_path / name).mkdir()
        (tmp_path / name / "database.json").write_text((tmp_path / "database.json").read_text())
        world = local_world(var_dir=tmp_path / name)
        with pytest.raises(PortInUse, match=f"CARILLON_PORTAL_{setting}_PORT"):
            await Running([build(world)], world).start()


async def test_it_does_not_start_with_files_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CERT", "KEY"):
        monkeypatch.setenv(f"CARILLON_PORTAL_TLS_{name}", str(tmp_path / "none.pem"))
    DatabaseAddress("127.0.0.1", 1, "none", {"carillon_portal": ""}).write(
        tmp_path / "database.json"
    )
    world = local_world(var_dir=tmp_path)
    running = Running([build(world)], world)
    with pytest.raises(BadTlsFiles, match="CARILLON_PORTAL_TLS_CERT"):
        await running.start()
    await running.stop()
