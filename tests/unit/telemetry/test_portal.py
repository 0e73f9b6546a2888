"""What portal shows of itself."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from services.chassis.world import recorded_run_dir
from services.portal.main import PORTS_FILE, build
from tests.unit.telemetry.local import started
from tests.unit.telemetry.shown import shown


async def test_answers_replays_and_refusals_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_PORTAL_HTTP_PORT", "0")
    monkeypatch.setenv("CARILLON_PORTAL_GRPC_PORT", "0")
    monkeypatch.setenv("CARILLON_PORTAL_PASSWORD_MEMORY_KIB", "64")
    async with started(build, tmp_path) as running:
        told = json.loads((recorded_run_dir(tmp_path) / PORTS_FILE).read_text())
        root = json.loads((tmp_path / "bootstrap.json").read_text())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{told['http']}") as http:
            wrong = await http.post("/v1/sessions", json={**root, "password": "no such word"})
            session = (await http.post("/v1/sessions", json=root)).json()
            shows = {"authorization": f"Bearer {session['access_token']}"}
            new = {"display_name": "Home", "time_zone": "UTC"}
            again = {**shows, "idempotency-key": "one"}
            made = [await http.patch("/v1/tenant", json=new, headers=again) for _ in "12"]
        assert [wrong.status_code, *(each.status_code for each in made)] == [401, 200, 200]
        values = shown(running.metrics)
    assert values["carillon_portal_http_requests_total 2xx"] == 3
    assert values["carillon_portal_http_requests_total 4xx"] == 1
    assert values["carillon_portal_sign_ins_refused_total"] == 1
    assert values["carillon_portal_replays_total"] == 1
    assert values["carillon_portal_pages"] == values["carillon_portal_softphones"] == 0
    assert values["carillon_portal_audit_lost_total"] == values["carillon_portal_busy_total"] == 0
    assert values["carillon_portal_audit_waiting"] >= 0
