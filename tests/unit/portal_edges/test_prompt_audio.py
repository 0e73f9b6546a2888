"""The sound of a prompt, brought whole, heard whole and by ranges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from protos.ivr.v1 import library_pb2
from services.chassis.errors import CarillonError, Kind
from services.portal import rest_prompts
from tests.unit.portal_edges.stage import WORDS, Stage, problem

PUT = "/carillon.ivr.v1.Library/PutPromptAudio"
READ = "/carillon.ivr.v1.Library/ReadPromptAudio"
PATH = "/v1/prompts/welcome/audio.wav"
WAV = {"content-type": "audio/wav"}
SOUND = bytes(range(256)) * 10


class NoSuchPrompt(CarillonError):
    code = "no-such-prompt"
    kind = Kind.NOT_FOUND


class NotAWav(CarillonError):
    code = "not-a-wav"
    kind = Kind.INVALID


def read_out(request: Any) -> Any:
    if request.prompt_id != "welcome":
        raise NoSuchPrompt("there is none")
    return [
        library_pb2.PromptAudio(data=SOUND[at : at + 1_000], total_bytes=len(SOUND))
        for at in range(0, len(SOUND), 1_000)
    ]


@pytest.fixture
def prompts(stage: Stage) -> Stage:
    stage.backend.answers[READ] = read_out
    stage.backend.answers[PUT] = library_pb2.LibraryPrompt(prompt_id="welcome", source="recorded")
    return stage


async def test_a_sound_is_sent_on_in_parts_after_its_prompt(prompts: Stage) -> None:
    sound = b"RIFF" + bytes(2_500_000)
    answer = await prompts.ask("PUT", PATH, content=sound, headers=WAV)
    assert (answer.status_code, answer.json()["source"]) == (200, "recorded")
    call = prompts.backend.calls[-1]
    assert (call.path, call.tenant) == (PUT, "demo")
    first, *parts = call.request
    assert (first.prompt_id, first.data) == ("welcome", b"")
    assert b"".join(part.data for part in parts) == sound
    assert max(len(part.data) for part in parts) == 1024 * 1024
    entry = prompts.people.entries[-1]
    assert (entry.action, entry.subject, entry.outcome) == (PUT[1:], "prompt welcome", "ok")
    assert entry.detail == '{"prompt_id": "welcome"}'


async def test_ten_mebibytes_are_enough_whatever_the_header_says(prompts: Stage) -> None:
    limit = rest_prompts.MAX_WAV_BYTES

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(limit // (1 << 20) + 1):
            yield b"\0" * (1 << 20)

    for content in (b"\0" * (limit + 1), endless()):
        answer = await prompts.ask("PUT", PATH, content=content, headers=WAV)
        assert (answer.status_code, problem(answer)["code"]) == (413, "too-large")
    assert prompts.backend.calls == []
    assert {entry.outcome for entry in prompts.people.entries} == {"too-large"}
    assert (await prompts.ask("PUT", PATH, content=b"\0" * limit, headers=WAV)).status_code == 200


@pytest.mark.parametrize(
    ("token", "headers", "status", "code"),
    [
        ("", WAV, 401, "not-authenticated"),
        ("supervisor", WAV, 403, "not-allowed"),
        ("agent", WAV, 403, "not-allowed"),
        ("administrator", {}, 415, "not-audio"),
        ("administrator", {"content-type": "application/json"}, 415, "not-audio"),
        ("administrator", {"content-type": "audio/mpeg"}, 415, "not-audio"),
    ],
)
async def test_who_may_not_or_sends_something_else_is_refused(
    prompts: Stage, token: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await prompts.ask("PUT", PATH, token=token, content=SOUND, headers=headers)
    assert (answer.status_code, problem(answer)["code"]) == (status, code)
    assert prompts.backend.calls == []


async def test_what_the_library_refuses_is_told(prompts: Stage) -> None:
    prompts.backend.answers[PUT] = NotAWav("it does not begin as a WAV does")
    kind = {"content-type": "audio/x-wav; codecs=1"}
    answer = await prompts.ask("PUT", PATH, content=b"ID3", headers=kind)
    assert (answer.status_code, problem(answer)["code"]) == (400, "not-a-wav")
    nul = await prompts.ask("PUT", "/v1/prompts/%00/audio.wav", content=b"", headers=WAV)
    assert problem(nul)["field"] == "prompt_id"


async def test_a_few_sounds_come_at_once(prompts: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_prompts, "MAX_UPLOADS", 1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.set()
        await go_on.wait()
        yield SOUND

    first = asyncio.create_task(prompts.ask("PUT", PATH, content=slow(), headers=WAV))
    await begun.wait()
    second = await prompts.ask("PUT", PATH, content=SOUND, headers=WAV)
    assert (second.status_code, problem(second)["code"]) == (429, "too-many-requests")
    go_on.set()
    assert (await first).status_code == 200
    assert (await prompts.ask("PUT", PATH, content=SOUND, headers=WAV)).status_code == 200


async def test_all_of_it_is_heard_by_who_may(prompts: Stage) -> None:
    answer = await prompts.ask("GET", PATH, token="supervisor")
    assert (answer.status_code, answer.content) == (200, SOUND)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    head = await prompts.ask("HEAD", PATH)
    assert head.headers["content-length"] == str(len(SOUND))
    denied = await prompts.ask("GET", PATH, token="agent")
    assert denied.status_code == 403
    gone = await prompts.ask("GET", "/v1/prompts/none/audio.wav")
    assert (gone.status_code, problem(gone)["code"]) == (404, "no-such-prompt")


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-1199", 100, 1_199),
        ("bytes=2000-", 2_000, 2_559),
        ("bytes=2000-99999", 2_000, 2_559),
        ("bytes=-10", 2_550, 2_559),
        ("bytes=-99999", 0, 2_559),
    ],
)
async def test_a_range_of_it_is_heard(prompts: Stage, wanted: str, first: int, last: int) -> None:
    answer = await prompts.ask("GET", PATH, headers={"range": wanted})
    assert (answer.status_code, answer.content) == (206, SOUND[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/2560"
    assert answer.headers["content-length"] == str(last - first + 1)
    whole = await prompts.ask("GET", PATH, headers={"range": wanted, "if-range": '"x"'})
    assert whole.status_code == 200


@pytest.mark.parametrize("wanted", ["bytes=2560-", "bytes=9999-99999", "bytes=-0"])
async def test_what_is_outside_is_not_heard(prompts: Stage, wanted: str) -> None:
    answer = await prompts.ask("GET", PATH, headers={"range": wanted})
    assert (answer.status_code, problem(answer)["code"]) == (416, "range-outside")
    assert answer.headers["content-range"] == "bytes */2560"


def test_both_are_described() -> None:
    assert b'"Library_PutPromptAudio"' in WORDS.as_json
    assert b'"Library_PromptAudio"' in WORDS.as_json
