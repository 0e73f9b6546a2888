"""The sound of a recording, whole and by ranges."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protos.recording.v1 import recording_pb2
from services.chassis.errors import CarillonError, Kind
from services.portal.rest_audio import Range, parsed_range
from tests.unit.portal_edges.stage import Stage, problem

READ_AUDIO = "/carillon.recording.v1.Recording/ReadAudio"
PATH = "/v1/recordings/r1/audio.wav"
SOUND = bytes(range(256)) * 10


class Outside(CarillonError):
    code = "range-outside"
    kind = Kind.INVALID


class NoSuchRecording(CarillonError):
    code = "no-such-recording"
    kind = Kind.NOT_FOUND


def sound(request: Any) -> Any:
    """As the recording service reads it out, in chunks of 1,000 bytes."""
    if request.recording_id != "r1":
        raise NoSuchRecording("there is none")
    if request.offset >= len(SOUND):
        raise Outside("beyond the end")
    end = len(SOUND) if not request.length else min(len(SOUND), request.offset + request.length)
    return [
        recording_pb2.AudioChunk(data=SOUND[at : min(at + 1_000, end)], total_bytes=len(SOUND))
        for at in range(request.offset, end, 1_000)
    ]


@pytest.fixture
def audio(stage: Stage) -> Stage:
    stage.backend.answers[READ_AUDIO] = sound
    return stage


async def part(stage: Stage, wanted: str, **headers: str) -> Any:
    return await stage.ask("GET", PATH, headers={"range": wanted, **headers})


async def test_all_of_it(audio: Stage) -> None:
    answer = await audio.ask("GET", PATH)
    assert (answer.status_code, answer.content) == (200, SOUND)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(SOUND))


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
async def test_a_range(audio: Stage, wanted: str, first: int, last: int) -> None:
    answer = await part(audio, wanted)
    assert (answer.status_code, answer.content) == (206, SOUND[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(SOUND)}"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", ["bytes=2560-", "bytes=9999-10000", "bytes=-0"])
async def test_a_range_outside(audio: Stage, wanted: str) -> None:
    answer = await part(audio, wanted)
    assert problem(answer)["status"] == 416
    assert answer.headers["content-range"] == f"bytes */{len(SOUND)}"


@pytest.mark.parametrize("wanted", ["bytes=5-2", "lines=1-2", "bytes=", "bytes=0-1,5-6", "bytes=-"])
async def test_what_is_no_single_range_gets_all_of_it(audio: Stage, wanted: str) -> None:
    answer = await part(audio, wanted)
    assert (answer.status_code, answer.content) == (200, SOUND)


async def test_a_range_under_a_condition_gets_all_of_it(audio: Stage) -> None:
    answer = await part(audio, "bytes=0-1", **{"if-range": '"x"'})
    assert answer.status_code == 200


async def test_head_tells_the_size(audio: Stage) -> None:
    answer = await audio.ask("HEAD", PATH)
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(SOUND)))
    assert audio.backend.calls[0].request.length == 1


async def test_who_has_heard_enough_ends_the_reading(audio: Stage) -> None:
    ended = asyncio.Event()

    async def more(_request: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    audio.backend.waiting[READ_AUDIO] = more
    assert (await audio.ask("HEAD", PATH)).status_code == 200
    async with asyncio.timeout(5):
        await ended.wait()


async def test_who_listens_is_on_the_trail_and_an_agent_is_named(audio: Stage) -> None:
    await audio.ask("GET", PATH, token="agent")
    (entry,) = audio.people.entries
    assert (entry.who, entry.action) == ("agent", "listen")
    assert (entry.subject, entry.outcome) == ("recording r1", "ok")
    (call,) = audio.backend.calls
    assert call.metadata["carillon-own-agent"] == "agent"


async def test_who_may_not_hears_nothing(audio: Stage) -> None:
    for token, status in (("", 401), ("nobody", 403), ("platform", 403)):
        answer = await audio.ask("GET", PATH, token=token)
        assert problem(answer)["status"] == status
    assert not audio.backend.calls
    assert [entry.action for entry in audio.people.entries] == ["listen"] * 3


async def test_a_recording_that_is_not_there(audio: Stage) -> None:
    for wanted in ({}, {"range": "bytes=5-9"}):
        answer = await audio.ask("GET", "/v1/recordings/r2/audio.wav", headers=wanted)
        assert (answer.status_code, problem(answer)["code"]) == (404, "no-such-recording")
    assert (await audio.ask("POST", PATH)).headers["allow"] == "GET, HEAD"
    nul = await audio.ask("GET", "/v1/recordings/%00/audio.wav")
    assert problem(nul)["field"] == "recording_id"


async def test_a_recording_without_sound_is_outside_every_range(audio: Stage) -> None:
    audio.backend.answers[READ_AUDIO] = lambda request: (
        [] if request.offset else [recording_pb2.AudioChunk(total_bytes=5, data=b"x")]
    )
    assert problem(await part(audio, "bytes=7-"))["status"] == 416


def test_ranges_are_read_as_the_rfc_says() -> None:
    assert parsed_range("bytes=0-4") == Range(0, 4)
    assert parsed_range(" bytes = 0 - ") == Range(0, None)
    assert parsed_range("bytes=-5") == Range(None, 5)
    assert parsed_range("") is None
    assert parsed_range(f"bytes={'9' * 30}-") is None
