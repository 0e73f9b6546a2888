"""Prompts on the shelf."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from media_gateway.adapters.prompts import PromptShelf, PromptUnavailable, apology
from media_gateway.model import Prompt
from media_gateway.rtp.clip import AudioClip
from services.chassis.blobs import MemoryBlobs
from tests.e2e.gateway_stage import tone_wav

BEEP = AudioClip(np.zeros(160, dtype=np.int16))
BEEPS = {"beep": BEEP}
SECOND_BYTES = 5 * 8_000


class SlowBlobs(MemoryBlobs):
    """Blobs that arrive when the test says so, and count who asks."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.asked = 0

    async def get(self, sha256: str) -> bytes:
        self.asked += 1
        await self.gate.wait()
        return await super().get(sha256)


def _shelf(blobs: MemoryBlobs, *, max_bytes: int = 1 << 20, timeout_s: float = 2.0) -> PromptShelf:
    return PromptShelf(blobs=blobs, system=BEEPS, max_bytes=max_bytes, timeout_s=timeout_s)


async def test_a_prompt_is_fetched_once_and_then_at_hand() -> None:
    blobs = SlowBlobs()
    blobs.gate.set()
    prompts = (Prompt(sha256=await blobs.put(tone_wav(440, 1))), Prompt(system="beep"))
    shelf = _shelf(blobs)
    assert shelf.at_hand(prompts) is None
    clips = await shelf.fetch(prompts, "PCMU")
    assert [clip.duration_ms for clip in clips] == [1_000, 20]
    assert shelf.at_hand(prompts) == clips
    assert await shelf.fetch(prompts, "PCMA") == clips
    assert blobs.asked == 1
    assert shelf.bytes == SECOND_BYTES


async def test_two_who_want_the_same_wait_for_one_fetch() -> None:
    blobs = SlowBlobs()
    prompt = (Prompt(sha256=await blobs.put(tone_wav(440, 1))),)
    shelf = _shelf(blobs)
    first = asyncio.ensure_future(shelf.fetch(prompt, "PCMU"))
    second = asyncio.ensure_future(shelf.fetch(prompt, "PCMU"))
    await asyncio.sleep(0)
    first.cancel()
    blobs.gate.set()
    (clip,) = await second
    assert clip.duration_ms == 1_000
    assert blobs.asked == 1


async def test_a_prompt_that_does_not_come_in_time_is_given_up() -> None:
    blobs = SlowBlobs()
    prompt = (Prompt(sha256=await blobs.put(tone_wav(440, 1))),)
    with pytest.raises(PromptUnavailable, match="within"):
        await _shelf(blobs, timeout_s=0.01).fetch(prompt, "PCMU")
    blobs.gate.set()


@pytest.mark.parametrize(
    "prompt", [Prompt(sha256="0" * 64), Prompt(sha256="../../etc"), Prompt(system="gong")]
)
async def test_what_is_not_there_is_said_to_be_unavailable(prompt: Prompt) -> None:
    with pytest.raises(PromptUnavailable):
        await _shelf(MemoryBlobs()).fetch((prompt,), "PCMU")


async def test_what_is_no_audio_is_unavailable() -> None:
    blobs = MemoryBlobs()
    prompt = Prompt(sha256=await blobs.put(b"not a wave file"))
    with pytest.raises(PromptUnavailable):
        await _shelf(blobs).fetch((prompt,), "PCMU")


async def test_the_least_recently_played_makes_room() -> None:
    blobs = MemoryBlobs()
    prompts = [Prompt(sha256=await blobs.put(tone_wav(400 + n, 1))) for n in range(3)]
    shelf = _shelf(blobs, max_bytes=2 * SECOND_BYTES)
    await shelf.fetch(prompts[:2], "PCMU")
    assert shelf.at_hand([prompts[0]])
    await shelf.fetch([prompts[2]], "PCMU")
    assert shelf.at_hand([prompts[1]]) is None
    assert shelf.at_hand([prompts[0], prompts[2]])
    assert shelf.bytes == 2 * SECOND_BYTES


def test_the_apology_is_a_sentence_at_the_level_of_speech() -> None:
    pcm = apology().pcm.astype(np.float64)
    assert 4_000 < apology().duration_ms < 7_500
    frames = pcm[: pcm.size // 160 * 160].reshape(-1, 160)
    power = (frames**2).mean(axis=1)
    active = power[power > power.max() * 1e-3]
    assert -23 < 10 * np.log10(active.mean() / 32_768**2) < -17
    assert np.abs(pcm).max() < 32_000
