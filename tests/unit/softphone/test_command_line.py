import asyncio
import json
import socket
import sys
import threading
import wave
from pathlib import Path
from typing import Self

import pytest

from tests.softphone import Answer, Reject, SoftPhone
from tests.softphone.__main__ import INTERRUPTED, main
from tests.softphone.incoming import Policy


class FarEnd:
    """A phone in a thread of its own, for commands that block."""

    def __init__(self, policy: Policy) -> None:
        self.uri = ""
        self._policy = policy
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5.0)
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5.0)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with SoftPhone(user="bob", auto=self._policy) as phone:
            self.uri = phone.uri
            self._ready.set()
            serving = asyncio.create_task(self._serve(phone))
            await self._stop.wait()
            serving.cancel()

    async def _serve(self, phone: SoftPhone) -> None:
        call = await phone.incoming()
        call.play_tone(660.0)
        await phone.incoming()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_call_is_told_recorded_and_ends_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "heard.wav"
    with FarEnd(Answer(ring_s=0.05)) as far:
        arguments = ["--seconds", "3", "--dtmf", "1", "--after", "0.1", "--record", f"{record}"]
        assert main(["call", far.uri, "--tone", "440", *arguments]) == 0
    told = capsys.readouterr().out
    for text in ("calling sip:bob", "ringing (180)", "answered", "presses 1", "hung up", "0 lost"):
        assert text in told
    assert "hears a tone of 660 Hz" in told
    with wave.open(str(record)) as file:
        assert (file.getframerate(), file.getnframes() > 1600) == (8000, True)


async def test_one_that_is_ended_by_its_id_hangs_up() -> None:
    async with SoftPhone(user="bob", auto=Answer()) as bob:
        command = [sys.executable, "-m", "tests.softphone", "call", bob.uri, "--seconds", "60"]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        try:
            incoming = await bob.incoming(20)
            await incoming.answered()
        finally:
            process.terminate()
        ended = await incoming.ended(10)
        assert (ended.by, ended.how) == ("peer", "bye")
        assert await process.wait() == INTERRUPTED


def test_a_refused_call_fails_and_json_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    with FarEnd(Reject(486)) as far:
        assert main(["call", far.uri, "--json", "--header", "X-Test: 1"]) == 1
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert (report["outcome"], report["ended"]["status"]) == ("refused", 486)
    assert report["faults"] == []
    assert report["ladder"][0]["first_line"].startswith("INVITE")
    assert "the call was refused: 486 Busy Here" in output.err


def test_nobody_there_fails_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "sip:x@127.0.0.1:9", "--timeout", "0.05"]) == 1
    assert "nobody answered in time" in capsys.readouterr().out


def test_answering_ends_after_its_calls(capsys: pytest.CaptureFixture[str]) -> None:
    async def caller(uri: str) -> None:
        async with SoftPhone(user="ann") as ann:
            for _ in range(2):
                call = await ann.call(uri)
                await call.answered()
                await call.hangup()

    port = free_port()
    uri = f"sip:agent@127.0.0.1:{port}"
    thread = threading.Thread(target=lambda: asyncio.run(caller(uri)))
    thread.start()
    code = main(["answer", "--port", f"{port}", "--calls", "2", "--wait", "5", "--json"])
    thread.join(5.0)
    output = capsys.readouterr()
    assert code == 0
    assert [call["outcome"] for call in json.loads(output.out)["calls"]] == ["answered"] * 2
    assert "[2] the far end hung up" in output.err


def test_answering_fails_when_no_call_comes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["answer", "--calls", "1", "--wait", "0.05"]) == 1
    assert "no call came within 0.05 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["call"],
        ["call", "bob"],
        ["call", "sip:x@127.0.0.1", "--tone", "9000"],
        ["call", "sip:x@127.0.0.1", "--dtmf", "x"],
        ["call", "sip:x@127.0.0.1", "--header", "nothing"],
        ["call", "sip:x@127.0.0.1", "--say", "/nowhere.wav"],
        ["answer", "--reject", "200"],
        ["answer", "--auth", "nobody"],
        ["answer", "--calls", "0"],
    ],
)
def test_a_wrong_command_is_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "exit codes: 0" in capsys.readouterr().out
