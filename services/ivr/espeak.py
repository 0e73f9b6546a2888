"""Two ways to the default voice: the `espeak-ng` command, or its library in a worker process."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import struct
import sys
from typing import Any

from services.chassis.log import get_logger
from services.ivr.speech import Engine, NoSuchVoice, Speech, VoiceFailed

log = get_logger("ivr.voice")

SPEAK_LIMIT_S = 10.0
MAX_COMMANDS = 2
"""Commands at once: speech is short, and the machine has calls to carry."""
MAX_LINE_BYTES = 64 * 1024
STOP_LIMIT_S = 2.0


async def find_engine() -> Engine:
    """The command where it is installed, else the library; VoiceFailed when there is neither."""
    command = shutil.which("espeak-ng")
    if command is not None:
        return await EspeakCommand.open(command)
    return await EspeakLibrary.open()


class EspeakCommand:
    """Runs `espeak-ng` once per text."""

    def __init__(self, *, command: str, version: str, voices: frozenset[str]) -> None:
        self.name = f"espeak-ng command {version}"
        self._command = command
        self._voices = voices
        self._slots = asyncio.Semaphore(MAX_COMMANDS)

    @classmethod
    async def open(cls, command: str) -> EspeakCommand:
        """Asks the command what it is and which voices it has."""
        version = (await _run([command, "--version"])).decode(errors="replace")
        listing = (await _run([command, "--voices"])).decode(errors="replace")
        voices = frozenset(
            line.split()[1].lower() for line in listing.splitlines()[1:] if len(line.split()) > 1
        )
        return cls(command=command, version=" ".join(version.split()[3:4]), voices=voices)

    async def speak(self, text: str, voice: str) -> Speech:
        """The text in that voice; see `Engine.speak`."""
        # The command takes a voice that is merely similar when it has none of the name.
        if voice.lower() not in self._voices:
            raise NoSuchVoice(voice)
        arguments = [self._command, "-b", "1", "-v", voice, "--stdin", "--stdout"]
        async with self._slots:
            return speech_in(await _run(arguments, text.replace("\0", " ").encode()))

    async def close(self) -> None:
        """Nothing is held between texts."""


async def _run(arguments: list[str], text: bytes = b"") -> bytes:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        # A command that is told nothing may end before a pipe to it could even be closed.
        stdin=asyncio.subprocess.PIPE if text else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SPEAK_LIMIT_S):
            output, _ = await process.communicate(text or None)
    except TimeoutError:
        raise VoiceFailed(f"no speech within {SPEAK_LIMIT_S:g} s") from None
    except (OSError, RuntimeError) as error:  # uvloop's word for a pipe that is closed
        raise VoiceFailed(f"the command did not take the text: {error}") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise VoiceFailed(f"the command ended with {process.returncode}")
    return output


def speech_in(data: bytes) -> Speech:
    """The speech in a WAV file whose lengths may be wrong, as they are on a pipe."""
    file = io.BytesIO(data)
    if file.read(4) != b"RIFF" or file.read(8)[4:] != b"WAVE":
        raise VoiceFailed("the engine wrote no WAV file")
    rate_hz = 0
    while head := file.read(8):
        if len(head) < 8:
            break
        name, size = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"fmt ":
            _, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", file.read(size)[:16])
            if (channels, bits) != (1, 16):
                raise VoiceFailed(f"{channels} channels of {bits} bits")
        elif name == b"data" and rate_hz:
            samples = file.read(min(size, len(data)))
            return Speech(samples[: len(samples) // 2 * 2], rate_hz)
        else:
            file.seek(size, io.SEEK_CUR)
    raise VoiceFailed("the engine wrote a WAV file without samples")


class EspeakLibrary:
    """Speaks through a worker process that holds the library, one text at a time.

    A worker that ends or hangs is replaced by another at the next text.
    """

    def __init__(self) -> None:
        self.name = ""
        self._rate_hz = 0
        self._worker: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls) -> EspeakLibrary:
        """Starts the first worker, so that a broken installation shows at once."""
        engine = cls()
        async with engine._turn:
            await engine._begin()
        return engine

    async def speak(self, text: str, voice: str) -> Speech:
        """The text in that voice; see `Engine.speak`."""
        request = json.dumps({"text": text, "voice": voice}).encode() + b"\n"
        if len(request) > MAX_LINE_BYTES:
            raise VoiceFailed("the text is too long")
        async with self._turn:
            worker = await self._begin()
            try:
                async with asyncio.timeout(SPEAK_LIMIT_S):
                    head, samples = await _ask(worker, request)
            except BaseException as error:
                # Whatever it was doing, its next answer would be to this text.
                await self._end()
                if isinstance(error, _BROKEN):
                    raise VoiceFailed("the voice's worker ended or hung") from error
                raise
        if head.get("error") == NoSuchVoice.code:
            raise NoSuchVoice(voice)
        if "error" in head:
            raise VoiceFailed("the library refused the text")
        return Speech(samples, self._rate_hz)

    async def close(self) -> None:
        """Ends the worker."""
        async with self._turn:
            await self._end()

    async def _begin(self) -> asyncio.subprocess.Process:
        if self._worker is not None and self._worker.returncode is None:
            return self._worker
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.ivr.voice_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=MAX_LINE_BYTES,
        )
        self._worker = worker
        try:
            async with asyncio.timeout(SPEAK_LIMIT_S):
                hello = await _head(worker)
            self.name = f"espeak-ng library {hello['version']}"
            self._rate_hz = int(hello["rate_hz"])
        except BaseException as error:
            # Its first line was not read: it would pass for the answer to the next text.
            await self._end()
            if isinstance(error, _BROKEN):
                raise VoiceFailed("the voice's worker does not start") from error
            raise
        log.info("voice worker started", engine=self.name, pid=worker.pid)
        return worker

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.returncode is None:
            worker.kill()
        async with asyncio.timeout(STOP_LIMIT_S):
            await worker.wait()


_BROKEN = (TimeoutError, OSError, EOFError, ValueError, KeyError)


async def _ask(worker: asyncio.subprocess.Process, request: bytes) -> tuple[dict[str, Any], bytes]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(request)
    await worker.stdin.drain()
    head = await _head(worker)
    return head, await worker.stdout.readexactly(int(head.get("bytes", 0)))


async def _head(worker: asyncio.subprocess.Process) -> dict[str, Any]:
    assert worker.stdout is not None
    line = await worker.stdout.readline()
    if not line:
        raise EOFError("the worker ended")
    head = json.loads(line)
    if isinstance(head, dict):
        return head
    raise EOFError("the worker answers something else")
