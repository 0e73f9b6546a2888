"""Prompts and calendars as administrators see them, and as calls meet them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from protos.common.v1 import common_pb2
from protos.ivr.v1 import ivr_pb2, library_pb2, library_pb2_grpc
from services.ivr import rpc_library
from services.ivr.core.languages import COMMON
from tests.unit.ivr.test_calls import DEMO, Stage, stage
from tests.unit.ivr.test_face import OTHER, put, refused
from tests.unit.ivr.test_sound import form, riff, tone

__all__ = ["stage"]  # a fixture is found by its name in the module

WAV = riff((b"fmt ", form(16_000)), (b"data", tone(16_000, 1, 16)))
FLOW = {
    "schema": 1,
    "name": "With a library",
    "language": "en-us",
    "start": "door",
    "nodes": {
        "door": {"kind": "hours", "calendar": "office", "open": "in", "closed": "out"},
        "in": {"kind": "play", "prompts": [{"prompt": "welcome"}], "next": "end"},
        "out": {"kind": "say", "text": "Closed.", "next": "end"},
        "end": {"kind": "hangup"},
    },
    "default_treatment": {"hangup": True},
}
ALWAYS = [
    {"day": day, "from": "00:00", "to": "24:00"}
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
]

MINUTE = {"from": "09:00", "to": "09:01"}


@pytest.fixture
async def library(stage: Stage) -> Any:
    return library_pb2_grpc.LibraryStub(stage.world.dial("ivr"))


async def put_prompt(library: Any, prompt_id: str = "welcome", who: Any = DEMO, **more: Any) -> Any:
    prompt = library_pb2.LibraryPrompt(prompt_id=prompt_id, **more)
    return await library.PutPrompt(library_pb2.PutPromptRequest(prompt=prompt), metadata=who)


async def put_calendar(library: Any, who: Any = DEMO, **more: Any) -> Any:
    calendar = library_pb2.Calendar(**{"calendar_id": "office", "time_zone": "UTC", **more})
    request = library_pb2.PutCalendarRequest(calendar=calendar)
    return await library.PutCalendar(request, metadata=who)


async def bring(
    library: Any, data: bytes = WAV, prompt_id: str = "welcome", who: Any = DEMO
) -> Any:
    async def parts() -> AsyncIterator[library_pb2.PutPromptAudioRequest]:
        yield library_pb2.PutPromptAudioRequest(prompt_id=prompt_id)
        for at in range(0, len(data), 1_000_000):
            yield library_pb2.PutPromptAudioRequest(data=data[at : at + 1_000_000])

    return await library.PutPromptAudio(parts(), metadata=who)


async def sound(library: Any, prompt_id: str = "welcome", who: Any = DEMO) -> bytes:
    request = library_pb2.PromptRequest(prompt_id=prompt_id)
    chunks = [chunk async for chunk in library.ReadPromptAudio(request, metadata=who)]
    data = b"".join(chunk.data for chunk in chunks)
    assert {chunk.total_bytes for chunk in chunks} == {len(data)}
    return data


async def test_a_prompt_is_named_spoken_recorded_and_heard(library: Any, stage: Stage) -> None:
    named = await put_prompt(library, name="Welcome", text="Hello!", language="en-US")
    assert (named.source, named.sha256, named.duration_ms) == ("none", "", 0)
    error = await refused(sound(library))
    assert error.code == "prompt-without-sound"
    request = library_pb2.SynthesisePromptRequest(prompt_id="welcome")
    spoken = await library.SynthesisePrompt(request, metadata=DEMO)
    assert (spoken.source, spoken.name) == ("spoken", "Welcome")
    assert stage.voice.said[-1] == "Hello!"
    assert spoken.duration_ms > 0
    recorded = await bring(library)
    assert (recorded.source, recorded.duration_ms) == ("recorded", 500)
    assert recorded.sha256 != spoken.sha256
    data = await sound(library)
    assert (data[:4], len(data)) == (b"RIFF", 44 + 8_000)
    got = library_pb2.PromptRequest(prompt_id="welcome")
    assert await library.GetPrompt(got, metadata=DEMO) == recorded


async def test_prompts_are_searched_and_listed_in_pages(library: Any) -> None:
    for prompt_id in ("c", "a", "b"):
        await put_prompt(library, prompt_id, text=f"This is {prompt_id}.")
    await put_prompt(library, "theirs", who=OTHER)
    page = common_pb2.PageRequest(size=2)
    asked = library_pb2.ListPromptsRequest(page=page)
    first = await library.ListPrompts(asked, metadata=DEMO)
    assert [prompt.prompt_id for prompt in first.prompts] == ["a", "b"]
    asked.page.token = first.page.next_token
    rest = await library.ListPrompts(asked, metadata=DEMO)
    assert [prompt.prompt_id for prompt in rest.prompts] == ["c"]
    assert rest.page.next_token == ""
    search = library_pb2.ListPromptsRequest(search="THIS IS B")
    found = await library.ListPrompts(search, metadata=DEMO)
    assert [prompt.prompt_id for prompt in found.prompts] == ["b"]


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ({"prompt_id": ""}, "bad-prompt"),
        ({"prompt_id": "Welcome"}, "bad-prompt"),
        ({"name": "x" * 201}, "bad-prompt"),
        ({"name": "a\0b"}, "bad-prompt"),
        ({"text": "x" * 2_001}, "bad-prompt"),
        ({"text": "a\x07b"}, "bad-prompt"),
        ({"language": "en_US!"}, "bad-prompt"),
    ],
)
async def test_a_bad_prompt_is_refused(library: Any, prompt: dict[str, str], code: str) -> None:
    error = await refused(put_prompt(library, **{"prompt_id": "welcome", **prompt}))
    assert error.code == code


async def test_what_can_not_be_spoken_says_why(library: Any) -> None:
    request = library_pb2.SynthesisePromptRequest(prompt_id="welcome")
    assert (
        await refused(library.SynthesisePrompt(request, metadata=DEMO))
    ).code == "no-such-prompt"
    await put_prompt(library, text="  ")
    assert (
        await refused(library.SynthesisePrompt(request, metadata=DEMO))
    ).code == "nothing-to-say"
    await put_prompt(library, text="Salut.", language="xx")
    error = await refused(library.SynthesisePrompt(request, metadata=DEMO))
    assert error.code == "no-voice"
    assert "does not speak `xx`" in error.message


async def test_languages_that_a_voice_speaks_are_told_and_no_others(
    library: Any, stage: Stage
) -> None:
    stage.voice.lacks = ("zh", "cmn", "yue")
    request = library_pb2.ListVoicesRequest()
    told = list((await library.ListVoices(request, metadata=DEMO)).languages)
    assert told == [language for language in COMMON if language not in {"zh", "zh-HK"}]
    said = len(stage.voice.said)
    assert list((await library.ListVoices(request, metadata=DEMO)).languages) == told
    assert len(stage.voice.said) == said


async def test_what_is_no_wav_is_refused_and_the_old_sound_stays(library: Any) -> None:
    await put_prompt(library)
    before = await bring(library)
    assert (await refused(bring(library, b"ID3 music"))).code == "not-a-wav"
    minute = riff((b"fmt ", form(bits=8)), (b"data", b"\x80" * 8_000 * 301))
    assert (await refused(bring(library, minute))).code == "too-long"
    assert (await refused(bring(library, b"RIFF" * 2_700_000))).code == "too-long"
    assert (await refused(bring(library, prompt_id="none"))).code == "no-such-prompt"
    assert (await refused(bring(library, prompt_id=""))).code in {"bad-upload", "no-such-prompt"}
    got = library_pb2.PromptRequest(prompt_id="welcome")
    assert await library.GetPrompt(got, metadata=DEMO) == before


async def test_a_sound_that_does_not_come_is_not_waited_for(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_library, "UPLOAD_LIMIT_S", 0.05)
    await put_prompt(library)
    call = library.PutPromptAudio(metadata=DEMO)
    await call.write(library_pb2.PutPromptAudioRequest(prompt_id="welcome"))
    assert (await refused(call)).code == "bad-upload"


async def test_another_tenants_prompts_and_calendars_are_not_there(library: Any) -> None:
    await put_prompt(library, text="Hello.")
    await bring(library)
    await put_calendar(library)
    request = library_pb2.PromptRequest(prompt_id="welcome")
    speak = library_pb2.SynthesisePromptRequest(prompt_id="welcome")
    calendar = library_pb2.RemoveCalendarRequest(calendar_id="office")
    for call, code in (
        (library.GetPrompt(request, metadata=OTHER), "no-such-prompt"),
        (library.RemovePrompt(request, metadata=OTHER), "no-such-prompt"),
        (library.SynthesisePrompt(speak, metadata=OTHER), "no-such-prompt"),
        (bring(library, who=OTHER), "no-such-prompt"),
        (sound(library, who=OTHER), "no-such-prompt"),
        (library.RemoveCalendar(calendar, metadata=OTHER), "no-such-calendar"),
    ):
        assert (await refused(call)).code == code
    listed = await library.ListCalendars(library_pb2.ListCalendarsRequest(), metadata=OTHER)
    assert list(listed.calendars) == []


# ---- calendars ---------------------------------------------------------------------------------


async def test_calendars_are_put_listed_in_pages_and_removed(library: Any) -> None:
    always = await put_calendar(library, week=ALWAYS, name="Always")
    assert (always.open_now, always.changes_at_ms, list(always.used_by)) == (True, 0, [])
    monday = always.week[0]
    assert (monday.day, getattr(monday, "from"), monday.to) == ("mon", "00:00", "24:00")
    never = await put_calendar(
        library,
        calendar_id="never",
        special_days=[
            {"date": "2126-12-24", "name": "Eve", "hours": [{"from": "09:00", "to": "12:30"}]},
            {"date": "2026-01-01", "name": "New Year"},
        ],
    )
    assert (never.open_now, never.changes_at_ms > 0) == (False, True)
    assert [day.date for day in never.special_days] == ["2026-01-01", "2126-12-24"]
    asked = library_pb2.ListCalendarsRequest(page=common_pb2.PageRequest(size=1))
    first = await library.ListCalendars(asked, metadata=DEMO)
    assert [calendar.calendar_id for calendar in first.calendars] == ["never"]
    asked.page.token = first.page.next_token
    rest = await library.ListCalendars(asked, metadata=DEMO)
    assert [calendar.name for calendar in rest.calendars] == ["Always"]
    remove = library_pb2.RemoveCalendarRequest(calendar_id="never")
    await library.RemoveCalendar(remove, metadata=DEMO)
    assert (await refused(library.RemoveCalendar(remove, metadata=DEMO))).code == "no-such-calendar"


@pytest.mark.parametrize(
    "calendar",
    [
        {"calendar_id": ""},
        {"calendar_id": "Büro"},
        {"name": "x" * 201},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"week": [{"day": "monday", "from": "09:00", "to": "17:00"}]},
        {"week": [{"day": "mon", "from": "9:00", "to": "17:00"}]},
        {"week": [{"day": "mon", "from": "09:00", "to": "25:00"}]},
        {"week": [{"day": "mon", "from": "17:00", "to": "09:00"}]},
        {"week": [{"day": "mon", "from": "24:00", "to": "24:00"}]},
        {"week": ALWAYS * 15},
        {"special_days": [{"date": "2026-02-30"}]},
        {"special_days": [{"date": "20260228"}]},
        {"special_days": [{"date": "9999-12-31"}]},
        {"special_days": [{"date": "2026-12-24", "name": "x" * 201}]},
        {"special_days": [{"date": "2026-12-24"}, {"date": "2026-12-24"}]},
        {"special_days": [{"date": "2026-12-24", "hours": ALWAYS[:1]}]},
        {
            "special_days": [
                {"date": "2026-12-24", "hours": [{"from": "09:00", "to": "09:01"}] * 11}
            ]
        },
        {"special_days": [{"date": f"{2026 + n // 28}-02-{1 + n % 28:02}"} for n in range(401)]},
    ],
)
async def test_a_bad_calendar_is_refused(library: Any, calendar: dict[str, Any]) -> None:
    assert (await refused(put_calendar(library, **calendar))).code == "bad-calendar"


async def test_holidays_are_suggested(library: Any) -> None:
    request = library_pb2.SuggestHolidaysRequest(country="ro", year=2026)
    days = (await library.SuggestHolidays(request, metadata=DEMO)).days
    assert "2026-12-01" in [day.date for day in days]
    assert [day.date for day in days] == sorted(day.date for day in days)
    assert all(day.name for day in days)
    plain = library_pb2.SuggestHolidaysRequest(country="DE")
    assert len((await library.SuggestHolidays(plain, metadata=DEMO)).days) > 5
    for country, year in (("XX", 2026), ("", 2026), ("ROU", 2026), ("RO", 1), ("RO", 4_000_000)):
        bad = library_pb2.SuggestHolidaysRequest(country=country, year=year)
        assert (
            await refused(library.SuggestHolidays(bad, metadata=DEMO))
        ).code == "unknown-country"


# ---- flows and calls ---------------------------------------------------------------------------


async def publish(stage: Stage) -> Any:
    request = ivr_pb2.PublishFlowRequest(flow_id="main")
    return await stage.ivr.PublishFlow(request, metadata=DEMO)


async def problems(stage: Stage) -> list[tuple[str, str]]:
    request = ivr_pb2.CheckFlowRequest(definition_json=json.dumps(FLOW))
    answer = await stage.ivr.CheckFlow(request, metadata=DEMO)
    return [(problem.node, problem.code) for problem in answer.problems]


async def test_a_flow_is_published_once_all_that_it_names_is_there(
    library: Any, stage: Stage
) -> None:
    await put(stage, "main", json.dumps(FLOW))
    assert await problems(stage) == [("door", "no-such-calendar"), ("in", "no-such-prompt")]
    await put_prompt(library, text="Hello!")
    await put_calendar(library, week=ALWAYS)
    assert await problems(stage) == [("in", "prompt-without-sound")]
    error = await refused(publish(stage))
    assert error.code == "bad-flow"
    assert "node in: the prompt `welcome` has no sound" in error.message
    await bring(library)
    assert await problems(stage) == []
    assert (await publish(stage)).version == 2
    prompt = library_pb2.PromptRequest(prompt_id="welcome")
    assert list((await library.GetPrompt(prompt, metadata=DEMO)).used_by) == ["main"]
    assert (await refused(library.RemovePrompt(prompt, metadata=DEMO))).code == "prompt-in-use"
    calendar = library_pb2.RemoveCalendarRequest(calendar_id="office")
    error = await refused(library.RemoveCalendar(calendar, metadata=DEMO))
    assert (error.code, "main" in error.message) == ("calendar-in-use", True)


async def test_a_call_that_begins_afterwards_hears_the_new_sound_and_hours(
    library: Any, stage: Stage
) -> None:
    await put_prompt(library, text="Hello!")
    first = await bring(library)
    await put_calendar(library, week=ALWAYS)
    await put(stage, "main", json.dumps(FLOW))
    await publish(stage)
    call = stage.call()
    await call.invite()
    assert call.last.commands[-1].play.prompts[0].sha256 == first.sha256
    request = library_pb2.SynthesisePromptRequest(prompt_id="welcome")
    second = await library.SynthesisePrompt(request, metadata=DEMO)
    later = stage.call("0195c1a0-0000-7000-8000-000000000002")
    await later.invite()
    assert later.last.commands[-1].play.prompts[0].sha256 == second.sha256 != first.sha256
    await put_calendar(library)
    last = stage.call("0195c1a0-0000-7000-8000-000000000003")
    await last.invite()
    assert "Closed." in stage.voice.said


async def simulate(stage: Stage, flow: Any = FLOW, **more: Any) -> Any:
    request = ivr_pb2.SimulateFlowRequest(definition_json=json.dumps(flow), **more)
    return await stage.ivr.SimulateFlow(request, metadata=DEMO)


async def test_a_flow_is_tried_without_a_call(library: Any, stage: Stage) -> None:
    told = await simulate(stage)
    assert [problem.code for problem in told.problems] == ["no-such-calendar", "no-such-prompt"]
    assert list(told.steps) == []
    await put_prompt(library, text="Hello!")
    await put_calendar(library, week=ALWAYS)
    # A prompt may still be silent here.
    walked = await simulate(stage, caller="+4930111", called="+4930222")
    assert [(step.node, step.kind) for step in walked.steps] == [
        ("door", "enter"),
        ("door", "hours"),
        ("in", "enter"),
        ("in", "play"),
        ("end", "enter"),
        ("end", "hang-up"),
        ("end", "end"),
    ]
    assert dict(walked.steps[3].values) == {"prompt": "welcome"}
    assert walked.waits_for == ""
    await bring(library)
    assert (await simulate(stage)).steps[-1].at_ms == 500
    assert stage.acd.asked == []


async def test_an_imagined_call_meets_what_it_is_told_to(stage: Stage) -> None:
    nodes = {
        "ask": {
            "kind": "menu",
            "prompts": ["One or two."],
            "choices": {"1": "queue", "2": "out"},
            "on_timeout": "end",
        },
        "queue": {"kind": "enqueue", "queue": "support", "on_exit": {"timeout": "out"}},
        "out": {"kind": "transfer", "to": "+49301", "on_failed": "end"},
        "end": {"kind": "hangup"},
    }
    flow = {**FLOW, "start": "ask", "nodes": nodes}
    one = ivr_pb2.SimulatedInput(digits="1")
    for inputs, waits_for in (
        ([], "digits"),
        ([one], "queue"),
        ([one, {"agent_answers": True}], "agent"),
        ([one, {"queue_exit": "timeout"}], "dial"),
        ([one, {"queue_exit": "timeout"}, {"dial": "answer"}], "agent"),
        ([one, {"agent_answers": True}, {"agent_hangs_up": True}], ""),
        ([one, {"hang_up": True}], ""),
        ([{"silence": True}] * 3, ""),
    ):
        walked = await simulate(stage, flow, inputs=inputs)
        assert (walked.waits_for, list(walked.problems)) == (waits_for, [])


@pytest.mark.parametrize(
    "request_",
    [
        {"inputs": [{"digits": "1"}] * 65},
        {"inputs": [{"digits": "x"}]},
        {"inputs": [{"digits": ""}]},
        {"inputs": [{"digits": "1" * 33}]},
        {"inputs": [{}]},
        {"inputs": [{"queue_exit": "answered"}]},
        {"inputs": [{"dial": "maybe"}]},
        {"caller": "1" * 65},
        {"at_ms": -1},
        {"at_ms": 1 << 60},
    ],
)
async def test_what_can_not_happen_is_not_imagined(stage: Stage, request_: dict[str, Any]) -> None:
    assert (await refused(simulate(stage, **request_))).code == "bad-simulation"
