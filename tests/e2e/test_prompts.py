"""Prompts, calendars and caps over the public API, as callers then meet them."""

from __future__ import annotations

import io
import json
import math
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
import pytest_asyncio

from services.chassis.postgres.server import PostgresServer
from tests.agent.portal import Problem
from tests.softphone import SoftPhone
from tests.stage.asking import eventually
from tests.stage.installation import Installation
from tests.stage.tenants import Tenant, platform, tenant_of

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FLOW = json.dumps(
    {
        "schema": 1,
        "name": "Front door",
        "language": "en-us",
        "start": "answer",
        "nodes": {
            "answer": {"kind": "answer", "next": "door"},
            "door": {
                "kind": "hours",
                "calendar": "office",
                "open": "in",
                "closed": "away",
            },
            "in": {"kind": "play", "prompts": [{"prompt": "open"}], "next": "end"},
            "away": {"kind": "say", "prompt": "away", "next": "end"},
            "end": {"kind": "hangup"},
        },
        "default_treatment": {"hangup": True},
    }
)


def tone(hz: int, rate: int = 44_100, seconds: float = 3.0) -> bytes:
    """A WAV as a browser or an editor writes it: 16 bit, stereo."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        for at in range(int(rate * seconds)):
            sample = int(12_000 * math.sin(2 * math.pi * hz * at / rate))
            out.writeframesraw(sample.to_bytes(2, "little", signed=True) * 2)
    return file.getvalue()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[tuple[Installation, Tenant]]:
    async with AsyncExitStack() as stack:
        carillon = await stack.enter_async_context(
            Installation(var=tmp_path_factory.mktemp("prompts"), postgres=postgres_server)
        )
        tenant = await stack.enter_async_context(
            tenant_of(carillon, "prompted", number="+12025550105")
        )
        for prompt_id in ("open", "away"):
            await tenant.admin.put(f"/v1/prompts/{prompt_id}", {"name": prompt_id, "text": "Hi."})
        await bring(tenant, "open", tone(440))
        await bring(tenant, "away", tone(880))
        await keep_hours(tenant, is_open=True)
        await tenant.put_flow(FLOW, flow_id="front-door")
        yield carillon, tenant


async def bring(tenant: Tenant, prompt_id: str, sound: bytes) -> httpx.Response:
    answer = await tenant.admin.http.put(
        f"{tenant.portal}/v1/prompts/{prompt_id}/audio.wav",
        content=sound,
        headers={"Authorization": f"Bearer {tenant.admin.token}", "Content-Type": "audio/wav"},
    )
    assert answer.status_code == 200, answer.text
    return answer


async def keep_hours(tenant: Tenant, *, is_open: bool) -> None:
    week = [{"day": day, "from": "00:00", "to": "24:00"} for day in DAYS] if is_open else []
    kept = await tenant.admin.put("/v1/calendars/office", {"name": "Office", "week": week})
    assert kept["open_now"] is is_open


async def hears(carillon: Installation, tenant: Tenant, hz: float) -> None:
    async with SoftPhone(user="+12025550147") as phone:
        call = await phone.call(f"sip:{tenant.number}@127.0.0.1:{carillon.sip_port}")
        await call.answered(10)
        await call.hears_tone(hz, 10)
        await call.hangup()


async def test_a_caller_hears_the_prompt_of_the_hour(
    office: tuple[Installation, Tenant],
) -> None:
    carillon, tenant = office
    await hears(carillon, tenant, 440)
    await keep_hours(tenant, is_open=False)
    await hears(carillon, tenant, 880)
    await keep_hours(tenant, is_open=True)
    # Another sound under the same name: the flow is as it was.
    told = (await bring(tenant, "open", tone(660))).json()
    assert (told["source"], told["duration_ms"], told["used_by"]) == (
        "recorded",
        "3000",
        ["front-door"],
    )
    await hears(carillon, tenant, 660)


async def test_what_is_heard_on_the_page_is_what_callers_hear(
    office: tuple[Installation, Tenant],
) -> None:
    _, tenant = office
    answer = await tenant.admin.http.get(
        f"{tenant.portal}/v1/prompts/away/audio.wav",
        headers={"Authorization": f"Bearer {tenant.admin.token}", "Range": "bytes=0-43"},
    )
    assert answer.status_code == 206
    assert answer.content[:4] == b"RIFF"
    assert answer.headers["content-range"] == f"bytes 0-43/{44 + 3 * 16_000}"


async def test_the_voice_speaks_what_a_prompt_says_in_its_language(
    office: tuple[Installation, Tenant],
) -> None:
    _, tenant = office
    for language, text in (("en", "Good morning."), ("zh-CN", "早上好。"), ("", "Hello.")):
        prompt = {"name": "Morning", "text": text, "language": language}
        await tenant.admin.put("/v1/prompts/morning", prompt)
        spoken = await tenant.admin.post("/v1/prompts/morning:synthesise")
        assert (spoken["source"], int(spoken["duration_ms"]) > 300) == ("spoken", True)
    await tenant.admin.put("/v1/prompts/morning", {"text": "?", "language": "xx"})
    with pytest.raises(Problem) as refused:
        await tenant.admin.post("/v1/prompts/morning:synthesise")
    assert (refused.value.status, refused.value.code) == (409, "no-voice")


async def test_what_a_published_flow_names_stays(office: tuple[Installation, Tenant]) -> None:
    _, tenant = office
    for path, code in (
        ("/v1/prompts/open", "prompt-in-use"),
        ("/v1/calendars/office", "calendar-in-use"),
        ("/v1/flows/front-door", "flow-in-use"),
    ):
        with pytest.raises(Problem) as refused:
            await tenant.admin.call("DELETE", path)
        assert (refused.value.status, refused.value.code) == (409, code)


async def test_a_flow_is_tried_before_anybody_calls(
    office: tuple[Installation, Tenant],
) -> None:
    _, tenant = office
    walked = await tenant.admin.post("/v1/flows:simulate", {"definition_json": FLOW})
    kinds = [step["kind"] for step in walked["steps"]]
    assert kinds == ["enter", "enter", "hours", "enter", "play", "enter", "hang-up", "end"]
    assert walked["steps"][4]["values"] == {"prompt": "open"}
    assert walked["steps"][-1]["at_ms"] == "3000"


async def test_another_tenant_finds_and_changes_nothing(
    office: tuple[Installation, Tenant],
) -> None:
    carillon, tenant = office
    async with tenant_of(carillon, "elsewhere", number="+12025550106") as other:
        for path in ("/v1/prompts", "/v1/calendars", "/v1/flows"):
            told = json.dumps(await other.admin.get(path))
            assert [name for name in ("open", "office", "front-door") if f'"{name}"' in told] == []
        for method, path in (
            ("GET", "/v1/prompts/open"),
            ("GET", "/v1/prompts/open/audio.wav"),
            ("POST", "/v1/prompts/open:synthesise"),
            ("DELETE", "/v1/prompts/open"),
            ("DELETE", "/v1/calendars/office"),
            ("GET", "/v1/flows/front-door/versions"),
            ("DELETE", "/v1/flows/front-door"),
        ):
            with pytest.raises(Problem) as refused:
                await other.admin.call(method, path, {} if method == "POST" else None)
            assert refused.value.status == 404, (method, path)
            assert refused.value.code.startswith("no-such-")
        brought = await other.admin.http.put(
            f"{tenant.portal}/v1/prompts/open/audio.wav",
            content=tone(440),
            headers={"Authorization": f"Bearer {other.admin.token}", "Content-Type": "audio/wav"},
        )
        assert (brought.status_code, brought.json()["code"]) == (404, "no-such-prompt")
        # An id is each tenant's own.
        await other.admin.put("/v1/prompts/open", {"name": "Theirs"})
        assert (await tenant.admin.get("/v1/prompts/open"))["name"] == "open"


async def test_a_suspended_tenants_callers_are_turned_away(
    office: tuple[Installation, Tenant],
) -> None:
    carillon, tenant = office
    async with platform(carillon) as root:
        path = f"/v1/tenants/{tenant.tenant_id}:set-caps"
        await root.post(path, {"caps": {"suspended": True}})

        async def status() -> int | None:
            async with SoftPhone(user="+12025550147") as phone:
                call = await phone.call(f"sip:{tenant.number}@127.0.0.1:{carillon.sip_port}")
                ended = await call.ended(10)
                return ended.status

        await eventually(status, lambda now: now == 480, 15, "the callers turned away")
        await root.post(path, {"caps": {}})
