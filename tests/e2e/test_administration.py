"""An administrator brings people in a table and decides what they may; the platform watches."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from services.chassis.postgres.server import PostgresServer
from tests.agent.desk import Desk, desk_of
from tests.agent.portal import Problem, Session, signed_in
from tests.softphone import SoftPhone
from tests.stage.asking import eventually
from tests.stage.installation import Installation
from tests.stage.tenants import Tenant, platform, tenant_of

pytestmark = pytest.mark.e2e

CALLER = "+12025550147"


async def test_from_a_table_of_people_to_a_suspended_tenant(
    tmp_path: Any, postgres_server: PostgresServer
) -> None:
    async with (
        Installation(var=tmp_path, postgres=postgres_server) as carillon,
        tenant_of(carillon, "alpha", number="+12025550101") as tenant,
    ):
        await tenant.put_queue("sales", wrap_up={"mode": "timed", "max_ms": 60_000})
        anna, ben = await brought_in(tenant)
        await tenant.admin.put(
            "/v1/dispositions/sold",
            {"code": "sold", "label": "Sold", "queue_ids": ["sales"], "active": True},
        )
        async with desk_of(
            tenant.portal, tenant="alpha", username="anna", password=anna["password"]
        ) as desk:
            recording_id = await one_call(carillon, tenant, desk)
            await heard_and_seen(tenant, recording_id, desk.session)
        await gone(tenant, ben)
        await suspended(carillon, tenant)


async def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(Problem) as problem:
        await call
    return problem.value.status, problem.value.code


async def brought_in(tenant: Tenant) -> list[dict[str, Any]]:
    """Two agents by one request, once the third row is put right."""
    rows: list[dict[str, Any]] = [
        {"username": "anna", "display_name": "Anna", "skills": {"german": 7}},
        {"username": "ben"},
    ]
    for row in rows:
        row["queue_ids"] = ["sales"]
    wrong = {"username": "ann a", "queue_ids": ["nowhere"]}
    tried = await tenant.admin.post("/v1/users:import", {"rows": [*rows, wrong], "dry_run": True})
    assert [[fault["code"] for fault in each["faults"]] for each in tried["results"]] == [
        [],
        [],
        ["bad-username", "no-such-queue"],
    ]
    made = await tenant.admin.post("/v1/users:import", {"rows": rows})
    assert made["created"] == 2
    results: list[dict[str, Any]] = made["results"]
    config = await tenant.admin.get(f"/v1/agents/{results[0]['user_id']}/config")
    assert [(each["name"], int(each["level"])) for each in config["skills"]] == [("german", 7)]
    return results


async def one_call(carillon: Installation, tenant: Tenant, desk: Desk) -> str:
    """A call with a hold and a mute, in which the agent may no longer pause; the call's id."""
    await desk.ready()
    async with SoftPhone(user=CALLER) as phone:
        call = await phone.call(f"sip:{tenant.number}@127.0.0.1:{carillon.sip_port}")
        await call.answered(10)
        await call.hears_audio(10)
        await call.send_dtmf("1")
        work = await desk.rings(15)
        assert work["dispositions"] == ["sold"]
        await desk.confirm(work)
        await desk.connect(work)
        await desk.accept(work)
        call.play_tone(440)
        assert desk.peer is not None
        await desk.peer.hears_tone(440, 5)
        await desk.hold(work)
        await desk.unhold(work)
        await desk.mute(work)
        await desk.unmute(work)
        await desk.pause_recording(work, "card")
        await desk.resume_recording(work)
        policy = {"record": "flow", "agents_may_listen": False, "agents_may_pause": False}
        assert await tenant.admin.put("/v1/recording-policy", policy) == policy
        assert await refused(desk.pause_recording(work, "card")) == (403, "pausing-not-allowed")
        await desk.peer.hears_tone(440, 5)
        await call.hangup()
    await desk.becomes("wrap_up", 15)
    assert await refused(desk.disposition(work, "bought")) == (404, "no-such-disposition")
    await desk.finish(work, "sold")
    await desk.becomes("ready", 15)
    contact_id: str = work["reservation"]["contact_id"]
    return contact_id


async def heard_and_seen(tenant: Tenant, recording_id: str, anna: Session) -> None:
    """The recording tells what happened; its agent sees it and does not hear it."""
    path = f"/v1/recordings/{recording_id}"

    async def state() -> str:
        try:
            return str((await tenant.admin.get(path))["state"])
        except Problem:
            return "none"

    await eventually(state, lambda now: now == "complete", 20, "the recording")
    shown = await anna.get(path)
    kinds = [each["kind"] for each in shown["markers"]]
    assert kinds == ["hold", "mute"]
    assert all(int(each["to_ms"]) >= int(each["from_ms"]) for each in shown["markers"])
    drawn = await tenant.admin.get(f"{path}/waveform", columns=200)
    left, right = (base64.b64decode(drawn[side]) for side in ("left", "right"))
    assert len(left) == len(right) == 200
    assert max(left) > 100
    assert (await tenant.admin.get(f"{path}:verify"))["intact"]
    for what in ("waveform", "audio.wav"):
        assert await refused(anna.get(f"{path}/{what}")) == (403, "listening-not-allowed")


async def gone(tenant: Tenant, ben: dict[str, Any]) -> None:
    """A user who is removed is nobody and no agent."""
    await tenant.admin.call("DELETE", f"/v1/users/{ben['user_id']}")
    again = signed_in(tenant.portal, tenant="alpha", username="ben", password=ben["password"])
    with pytest.raises(Problem) as problem:
        await again.__aenter__()
    assert problem.value.code == "wrong-credentials"
    agents = await tenant.admin.get("/v1/agents")
    assert [each["name"] for each in agents["agents"]] == ["Anna"]


async def suspended(carillon: Installation, tenant: Tenant) -> None:
    """The platform closes the tenant, and sees that it is closed."""
    async with platform(carillon) as root:
        path = f"/v1/tenants/{tenant.tenant_id}:set-caps"
        await root.post(path, {"caps": {"max_users": 2}})
        assert await refused(tenant.person("cyn", "agent")) == (429, "too-many-users")
        await root.post(path, {"caps": {"suspended": True}})
        assert await refused(tenant.admin.get("/v1/me")) == (403, "tenant-suspended")
        health = await root.get("/v1/tenant-health")
        shown = {each["tenant"]["name"]: each for each in health["tenants"]}
        assert shown["alpha"]["reasons"] == ["suspended"]
        assert shown["alpha"]["users"] == 2
        assert int(shown["alpha"]["answered_today"]) == 1
