"""Prompts are rendered once, kept by hash, and found again."""

from __future__ import annotations

import asyncio

import pytest

from services.chassis.blobs import MemoryBlobs
from services.chassis.objects import StorageUnavailable
from services.ivr import prompts as room
from services.ivr.prompts import Prompts
from services.ivr.speech import NoSuchVoice, Speech, VoiceFailed
from services.ivr.store import MemoryFlowStore
from services.ivr.voice import Voice

TONE = b"".join((1_000 * (n % 20 - 10)).to_bytes(2, "little", signed=True) for n in range(8_000))


class Slow:
    """An engine that speaks when it is told to."""

    name = "slow 1"

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.said: list[tuple[str, str]] = []

    async def speak(self, text: str, voice: str) -> Speech:
        await self.go.wait()
        self.said.append((text, voice))
        if voice == "xx":
            raise NoSuchVoice(voice)
        return Speech(TONE, 8_000)

    async def close(self) -> None:
        pass


def prompts(engine: Slow, blobs: MemoryBlobs, store: MemoryFlowStore | None = None) -> Prompts:
    return Prompts(voice=Voice(engine), blobs=blobs, store=store or MemoryFlowStore())


async def test_a_text_asked_for_by_several_is_spoken_once_and_kept() -> None:
    engine, blobs = Slow(), MemoryBlobs()
    made = prompts(engine, blobs)
    asked = [asyncio.create_task(made.blob("Hi.", "en")) for _ in range(5)]
    await asyncio.sleep(0)
    engine.go.set()
    keys = {await task for task in asked}
    assert len(keys) == 1
    assert (await blobs.get(keys.pop())).startswith(b"RIFF")
    await made.blob("Hi.", "en")
    assert engine.said == [("Hi.", "en")]


async def test_language_and_voice_make_another_prompt() -> None:
    engine = Slow()
    engine.go.set()
    made = prompts(engine, MemoryBlobs())
    for language, voice in (("en", ""), ("de", ""), ("en", "de")):
        await made.blob("Hi.", language, voice)
    assert engine.said == [("Hi.", "en"), ("Hi.", "de"), ("Hi.", "de")]


async def test_another_process_finds_the_prompt_unless_its_blob_is_gone() -> None:
    engine, blobs, store = Slow(), MemoryBlobs(), MemoryFlowStore()
    engine.go.set()
    key = await prompts(engine, blobs, store).blob("Hi.", "en")
    assert await prompts(engine, blobs, store).blob("Hi.", "en") == key
    assert len(engine.said) == 1
    assert await prompts(engine, MemoryBlobs(), store).blob("Hi.", "en") == key
    assert len(engine.said) == 2


async def test_who_loses_patience_costs_the_others_nothing() -> None:
    engine = Slow()
    made = prompts(engine, MemoryBlobs())
    impatient = asyncio.create_task(made.blob("Hi.", "en"))
    patient = asyncio.create_task(made.blob("Hi.", "en"))
    await asyncio.sleep(0)
    impatient.cancel()
    engine.go.set()
    assert await patient
    assert len(engine.said) == 1


async def test_a_failure_is_told_to_everyone_and_tried_again_by_the_next() -> None:
    engine = Slow()
    engine.go.set()
    made = prompts(engine, MemoryBlobs())
    results = await asyncio.gather(
        *(made.blob("Hi.", "xx") for _ in range(2)), return_exceptions=True
    )
    assert [type(result) for result in results] == [NoSuchVoice, NoSuchVoice]
    with pytest.raises(NoSuchVoice):
        await made.blob("Hi.", "xx")
    assert len(engine.said) == 2


async def test_memory_and_the_number_of_those_who_wait_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "MAX_REMEMBERED", 2)
    monkeypatch.setattr(room, "MAX_WAITING", 2)
    engine = Slow()
    made = prompts(engine, MemoryBlobs())
    waiting = [asyncio.create_task(made.blob(text, "en")) for text in ("a", "b")]
    await asyncio.sleep(0)
    with pytest.raises(VoiceFailed, match="too many"):
        await made.blob("c", "en")
    engine.go.set()
    await asyncio.gather(*waiting)
    await made.blob("c", "en")
    assert len(made._known) == 2


async def test_closing_ends_what_is_being_rendered() -> None:
    made = prompts(Slow(), MemoryBlobs())
    waiting = asyncio.create_task(made.blob("a", "en"))
    await asyncio.sleep(0)
    await made.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class Away(MemoryBlobs):
    """A storage that fails, or says nothing."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    async def has(self, sha256: str) -> bool:
        if self.how == "silent":
            await asyncio.sleep(60)
        if self.how == "fails":
            raise StorageUnavailable("away")
        return await super().has(sha256)


@pytest.mark.parametrize("how", ["fails", "silent"])
async def test_while_the_storage_is_away_the_index_is_believed_for_a_while(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(room, "THERE_LIMIT_S", 0.01)
    monkeypatch.setattr(room, "BELIEVED_S", 0.01)
    engine, blobs, store = Slow(), Away("well"), MemoryFlowStore()
    engine.go.set()
    key = await prompts(engine, blobs, store).blob("Hi.", "en")
    blobs.how = how
    other = prompts(engine, blobs, store)
    assert await other.blob("Hi.", "en") == key
    assert len(engine.said) == 1
    # The storage is asked again afterwards: what it has lost is spoken anew.
    await asyncio.sleep(0.1)
    assert other._known == {}
    lost = prompts(engine, Away("well"), store)
    assert await lost.blob("Hi.", "en") == key
    assert len(engine.said) == 2
