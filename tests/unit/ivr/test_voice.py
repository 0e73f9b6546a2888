"""The voice: both engines, and what is made of their words for the telephone."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import struct
import sys
import wave
from collections.abc import AsyncIterator

import numpy as np
import pytest

from services.ivr import espeak
from services.ivr.espeak import EspeakCommand, EspeakLibrary, speech_in
from services.ivr.speech import Engine, NoSuchVoice, Speech, VoiceFailed
from services.ivr.voice import Voice, for_telephone

TEXT = "You are number 2 in the queue. The expected wait is about 1 minute."
COMMAND = shutil.which("espeak-ng")


@pytest.fixture(params=["library", "command"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    made: Engine
    if request.param == "library":
        made = await EspeakLibrary.open()
    elif COMMAND is not None:
        made = await EspeakCommand.open(COMMAND)
    elif os.environ.get("CI") == "true":
        pytest.fail("espeak-ng must be installed where everything is tested")
    else:
        pytest.skip("espeak-ng is not installed on this machine")
    yield made
    await made.close()


def samples_of(data: bytes) -> tuple[np.ndarray, wave.Wave_read]:
    file = wave.open(io.BytesIO(data))  # noqa: SIM115 - a file in memory
    return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"), file


def dbov(samples: np.ndarray) -> float:
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    rms = np.sqrt((frames**2).mean(axis=1))
    active = rms[rms > rms.max() / 10]
    return float(20 * np.log10(np.sqrt((active**2).mean()) / 32_768))


async def test_a_text_becomes_telephone_audio(engine: Engine) -> None:
    data = await Voice(engine).render(TEXT, "en-us")
    samples, file = samples_of(data)
    assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8_000)
    assert 3 < len(samples) / 8_000 < 7
    assert -22 < dbov(samples) < -19
    assert np.abs(samples).max() <= 29_000
    # The first sound comes at once: no caller waits for silence to be over.
    first = int(np.flatnonzero(np.abs(samples) > 300)[0])
    assert first < 0.08 * 8_000


async def test_a_longer_text_takes_longer_and_the_same_takes_as_long(engine: Engine) -> None:
    voice = Voice(engine)
    short = len(await voice.render("One.", "en-us"))
    assert abs(len(await voice.render("One.", "en-us")) - short) < 0.05 * short
    assert len(await voice.render("One, two, three, four.", "en-us")) > 2 * short


async def test_a_voice_that_does_not_exist_is_an_error_and_not_another_voice(
    engine: Engine,
) -> None:
    voice = Voice(engine)
    await voice.render("One.", "en-us")
    with pytest.raises(NoSuchVoice):
        await voice.render("One.", "en-us", "xx-nobody")
    with pytest.raises(NoSuchVoice):
        await voice.render("One.", "zz")


async def test_mandarin_and_romanian_are_spoken(engine: Engine) -> None:
    for language, text in (("cmn", "您排在第2位."), ("ro", "Sunteți pe locul 2.")):
        samples, _ = samples_of(await Voice(engine).render(text, language))
        assert len(samples) > 8_000
        assert dbov(samples) > -25


async def test_markup_is_read_as_the_text_that_it_is(engine: Engine) -> None:
    data = await Voice(engine).render("<break time='60s'/> [[h@l'oU]] \0 ok", "en-us")
    assert len(data) < 2 * 8_000 * 15


@pytest.mark.parametrize("text", ["", "  ", "x" * 2_001])
async def test_texts_out_of_bounds_are_refused(text: str) -> None:
    with pytest.raises(VoiceFailed):
        await Voice(Fixed(b"")).render(text, "en-us")


@pytest.mark.parametrize("voice", ["../../etc/passwd", "en us", "EN", "en-us+f3", "-w"])
async def test_a_voice_is_a_name_and_never_a_path(voice: str) -> None:
    with pytest.raises(NoSuchVoice):
        await Voice(Fixed(b"")).render("One.", "en-us", voice)


async def test_silence_is_no_speech() -> None:
    with pytest.raises(VoiceFailed, match="said nothing"):
        await Voice(Fixed(bytes(44_100))).render("One.", "en-us")
    with pytest.raises(VoiceFailed, match="said nothing"):
        await Voice(Fixed(b"")).render("One.", "en-us")


def test_speech_without_end_is_refused() -> None:
    with pytest.raises(VoiceFailed, match="300 s"):
        for_telephone(Speech(bytes(2 * 301 * 8_000), 8_000))


def test_a_loud_click_is_kept_below_the_ceiling() -> None:
    samples = np.full(8_000, 200, dtype="<i2")
    samples[4_000] = 32_767
    assert np.abs(for_telephone(Speech(samples.tobytes(), 8_000))).max() <= 29_000


async def test_a_worker_that_was_killed_is_replaced() -> None:
    engine = await EspeakLibrary.open()
    try:
        worker = engine._worker
        assert worker is not None
        worker.kill()
        await worker.wait()
        assert (await engine.speak("One.", "en-us")).samples
        assert engine._worker is not worker
    finally:
        await engine.close()


async def test_a_worker_killed_in_mid_sentence_fails_this_text_and_not_the_next() -> None:
    engine = await EspeakLibrary.open()
    try:
        worker = engine._worker
        assert worker is not None
        speaking = asyncio.create_task(engine.speak("One. " * 300, "en-us"))
        await asyncio.sleep(0)
        worker.kill()
        with pytest.raises(VoiceFailed):
            await speaking
        assert (await engine.speak("One.", "en-us")).samples
    finally:
        await engine.close()


async def test_a_speaker_who_is_interrupted_leaves_no_answer_for_the_next() -> None:
    engine = await EspeakLibrary.open()
    try:
        speaking = asyncio.create_task(engine.speak("Something else. " * 50, "en-us"))
        await asyncio.sleep(0)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        said = await engine.speak("One.", "en-us")
        assert len(said.samples) < 2 * 22_050
    finally:
        await engine.close()


async def test_a_speaker_interrupted_while_the_worker_starts_leaves_no_half_a_worker() -> None:
    engine = EspeakLibrary()
    try:
        speaking = asyncio.create_task(engine.speak("Something else.", "en-us"))
        while engine._worker is None:  # noqa: ASYNC110 (nothing tells that a process was begun)
            await asyncio.sleep(0)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        said = await engine.speak("One.", "en-us")
        assert said.rate_hz > 0
        assert said.samples
    finally:
        await engine.close()


async def test_a_worker_that_cannot_start_is_a_named_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(VoiceFailed, match="does not start"):
        await EspeakLibrary.open()


async def test_a_command_that_fails_is_a_named_error() -> None:
    false = shutil.which("false")
    assert false is not None
    engine = EspeakCommand(command=false, version="0", voices=frozenset({"en"}))
    with pytest.raises(VoiceFailed, match="ended with 1"):
        await engine.speak("One.", "en")


async def test_some_engine_is_found_on_every_machine() -> None:
    engine = await espeak.find_engine()
    try:
        assert engine.name.startswith("espeak-ng")
    finally:
        await engine.close()


def wav_of(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    return b"RIFF" + struct.pack("<I", 0x7FFFFFFF) + b"WAVE" + body


FORMAT = struct.pack("<HHIIHH", 1, 1, 22_050, 44_100, 2, 16)


def test_a_wav_file_from_a_pipe_is_read_whatever_its_lengths_say() -> None:
    data = wav_of((b"fmt ", FORMAT), (b"LIST", b"abcd"))
    data += b"data" + struct.pack("<I", 0x7FFFF000) + b"\1\0\2\0\3"
    assert speech_in(data) == Speech(b"\1\0\2\0", 22_050)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF0000WAVX",
        wav_of((b"fmt ", FORMAT)),
        wav_of((b"data", b"\1\0")),
        wav_of((b"fmt ", FORMAT)) + b"da",
        wav_of((b"fmt ", struct.pack("<HHIIHH", 1, 2, 22_050, 88_200, 4, 16)), (b"data", b"\0\0")),
    ],
)
def test_what_is_no_wav_file_is_a_named_error(data: bytes) -> None:
    with pytest.raises(VoiceFailed):
        speech_in(data)


class Fixed:
    """An engine that says the same whatever it is told."""

    name = "fixed"

    def __init__(self, samples: bytes) -> None:
        self._samples = samples

    async def speak(self, text: str, voice: str) -> Speech:
        return Speech(self._samples, 22_050)

    async def close(self) -> None:
        pass
