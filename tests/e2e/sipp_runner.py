"""Runs SIPp, the outside judge, with the scenarios beside this file, and reads its verdict.

Every run is bounded: so many calls, so many seconds, and SIPp's own process is ended with it.
Its files (statistics, errors, the sound it plays) live in a directory that goes when it is done.
"""

from __future__ import annotations

import asyncio
import csv
import math
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

SCENARIOS: Final = Path(__file__).parent / "sipp"
HOST: Final = "127.0.0.1"
MAX_CALLS: Final = 10_000
MAX_SECONDS: Final = 600
GRACE_S: Final = 5.0
"""How much longer than its own time limit SIPp may take to stop."""
FIRST_PORT: Final = 6_000
PORTS: Final = 1_000
"""Not the system's own choice: SIPp can bind none that a TCP connection has, or just had."""
FIRST_MEDIA_PORT: Final = 7_000
MEDIA_BLOCKS: Final = 30
MEDIA_PORTS: Final = 100
"""Each run has a block of media ports of its own, away from everybody else's."""
MAX_ERROR_TEXT: Final = 8_000
START_ATTEMPTS: Final = 100
CANNOT_BIND: Final = 254
"""SIPp's exit code when a port that it was given is taken."""
_SOUND_HZ: Final = 440
_SOUND_AMPLITUDE: Final = 6_000

CallerScenario = Literal["caller", "caller_keys", "cancel", "refusals", "bare"]
AgentScenario = Literal["agent", "bare_agent"]


class SippMissing(Exception):
    """There is no sipp on PATH: install Debian's sip-tester."""


class SippPortTaken(Exception):
    """SIPp placed no call, as somebody took its port between our look and its start."""


@dataclass(frozen=True, slots=True)
class SippVerdict:
    """What SIPp counted, from the last line of its statistics."""

    created: int
    successful: int
    failed: int
    unexpected: int
    """Calls that failed because a message came that the scenario does not allow."""
    timed_out: int
    """Calls that failed because an awaited message did not come."""
    retransmissions: int
    out_of_call: int
    """Messages that belong to no call: late ones, or strays."""
    calls_per_s: float
    """Calls begun in each second, from the first to the last one's end."""
    exit_code: int
    errors: str
    """SIPp's error log, shortened: the text for a failed test."""

    @property
    def flawless(self) -> bool:
        """Whether every call went as the scenario says."""
        return self.exit_code == 0 and self.failed == 0 and self.successful == self.created > 0


@dataclass(slots=True)
class _Run:
    process: asyncio.subprocess.Process
    directory: Path
    seconds: float
    port: int


@dataclass(slots=True)
class SippAgent:
    """SIPp as an agent's phone, waiting for calls at `uri`."""

    uri: str
    _run: _Run = field(repr=False)

    async def verdict(self) -> SippVerdict:
        """Wait until it served its calls."""
        return await _verdict(self._run)


def demand_flawless(verdict: SippVerdict, calls: int) -> None:
    """Fails the test unless so many calls, and nothing else, went as the scenario says."""
    assert verdict.flawless, verdict.errors
    assert (verdict.created, verdict.unexpected, verdict.out_of_call) == (calls, 0, 0)


def find_sipp() -> Path:
    """SIPp on PATH; raises SippMissing."""
    found = shutil.which("sipp")
    if found is None:
        raise SippMissing("sipp is not installed: apt-get install sip-tester")
    return Path(found)


async def run_callers(
    scenario: CallerScenario,
    *,
    number: str,
    port: int,
    calls: int = 1,
    rate: float = 10.0,
    pause_ms: int = 1_000,
    key: str = "1",
    caller: str = "+12025550147",
    seconds: float = 60.0,
    tcp: bool = False,
    at_once: int | None = None,
) -> SippVerdict:
    """Call `number` at `port` of this machine so many times, `rate` calls a second.

    All calls may be up `at_once` unless told. After `seconds` SIPp gives up, and that counts as
    failure.
    """
    options = ["-s", number, "-r", f"{math.ceil(rate)}", "-l", f"{at_once or calls}"]
    options += ["-key", "from", caller, "-key", "key", key]
    options += ["-t", "t1"] if tcp else []
    async with _started(
        scenario, options, calls=calls, pause_ms=pause_ms, seconds=seconds, target=f"{HOST}:{port}"
    ) as run:
        return await _verdict(run)


@asynccontextmanager
async def sipp_agent(
    scenario: AgentScenario = "agent",
    *,
    calls: int = 1,
    ring_ms: int = 200,
    event: int = 101,
    seconds: float = 60.0,
) -> AsyncIterator[SippAgent]:
    """SIPp as an agent's phone that echoes what it hears, for so many calls."""
    options = ["-rtp_echo", "-key", "event", f"{event}"]
    async with _started(
        scenario, options, calls=calls, pause_ms=ring_ms, seconds=seconds, target=None
    ) as run:
        await _until_bound(run)
        yield SippAgent(f"sip:agent@{HOST}:{run.port}", run)


@asynccontextmanager
async def _started(
    scenario: CallerScenario | AgentScenario,
    options: list[str],
    *,
    calls: int,
    pause_ms: int,
    seconds: float,
    target: str | None,
) -> AsyncIterator[_Run]:
    if not (0 < calls <= MAX_CALLS and 0 < seconds <= MAX_SECONDS):
        raise ValueError(f"at most {MAX_CALLS} calls in {MAX_SECONDS} s")
    port, media_port = _free_port(), _free_media_port()
    with tempfile.TemporaryDirectory(prefix="sipp-") as name:
        directory = Path(name)
        (directory / "sound.ulaw").write_bytes(_sound())
        command = [f"{find_sipp()}", *([] if target is None else [target])]
        command += ["-sf", f"{SCENARIOS / scenario}.xml", "-m", f"{calls}", "-d", f"{pause_ms}"]
        command += ["-i", HOST, "-mi", HOST, "-p", f"{port}", "-mp", f"{media_port}", "-nostdin"]
        command += ["-timeout", f"{math.ceil(seconds)}s", "-timeout_error", "-fd", "1"]
        command += ["-recv_timeout", f"{math.ceil(seconds * 1000)}"]
        command += ["-trace_stat", "-stf", "stat.csv", "-trace_err", "-error_file", "errors.log"]
        process = await asyncio.create_subprocess_exec(
            *command,
            *options,
            cwd=directory,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield _Run(process, directory, seconds, port)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _until_bound(run: _Run) -> None:
    """Until SIPp has taken its port, which shows when nobody else can."""
    for _ in range(START_ATTEMPTS):
        if run.process.returncode is not None or _is_taken(run.port):
            return
        await asyncio.sleep(0.02)


async def _verdict(run: _Run) -> SippVerdict:
    async with asyncio.timeout(run.seconds + GRACE_S):
        exit_code = await run.process.wait()
    if exit_code == CANNOT_BIND:
        raise SippPortTaken(f"port {run.port}, or one of its media")
    told = _last_row(run.directory / "stat.csv")
    log = run.directory / "errors.log"

    def count(name: str) -> int:
        return int(told.get(name) or 0)

    return SippVerdict(
        created=count("TotalCallCreated"),
        successful=count("SuccessfulCall(C)"),
        failed=count("FailedCall(C)"),
        unexpected=count("FailedUnexpectedMessage(C)"),
        timed_out=count("FailedTimeoutOnRecv(C)") + count("FailedMaxUDPRetrans(C)"),
        retransmissions=count("Retransmissions(C)"),
        out_of_call=count("OutOfCallMsgs(C)"),
        calls_per_s=float(told.get("CallRate(C)") or 0),
        exit_code=exit_code,
        errors=log.read_text(errors="replace")[:MAX_ERROR_TEXT] if log.exists() else "",
    )


def _last_row(statistics: Path) -> dict[str, str]:
    """What is told in the last line; SIPp writes one as it ends."""
    if not statistics.exists():
        return {}
    with statistics.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return {name: value for name, value in (rows[-1] if rows else {}).items() if name and value}


def _free_port() -> int:
    for _ in range(START_ATTEMPTS):
        port = FIRST_PORT + secrets.randbelow(PORTS)
        if not any(_is_taken(port, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            return port
    raise OSError(f"no free ports from {FIRST_PORT}")


def _free_media_port() -> int:
    for _ in range(MEDIA_BLOCKS):
        port = FIRST_MEDIA_PORT + secrets.randbelow(MEDIA_BLOCKS) * MEDIA_PORTS
        if not (_is_taken(port) or _is_taken(port + 2)):
            return port
    raise OSError(f"no free media ports from {FIRST_MEDIA_PORT}")


def _is_taken(port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False


def _sound() -> bytes:
    """A second of a tone in PCMU (ITU-T G.711), which SIPp plays over and over."""
    step = 2 * math.pi * _SOUND_HZ / 8_000
    return bytes(_mu_law(round(_SOUND_AMPLITUDE * math.sin(step * n))) for n in range(8_000))


def _mu_law(sample: int) -> int:
    magnitude = min(abs(sample), 32_635) + 132
    segment = magnitude.bit_length() - 8
    code = segment << 4 | (magnitude >> (segment + 3)) & 0x0F
    return ~(code | (0x80 if sample < 0 else 0)) & 0xFF
