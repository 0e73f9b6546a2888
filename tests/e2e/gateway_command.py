"""The gateway's command as a process of its own, which ends with the block that started it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
STOP_S = 15.0


@asynccontextmanager
async def gateway_command(
    *, run_dir: Path, var_dir: Path, env: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """`python -m media_gateway`, at any SIP port that is free unless `env` says otherwise."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "media_gateway",
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'media-gateway'}",
            "CARILLON_RUN_DIR": str(run_dir),
            "CARILLON_VAR_DIR": str(var_dir),
            "CARILLON_GATEWAY_SIP_PORT": "0",
            **(env or {}),
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await process.communicate()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def started(process: Process, run_dir: Path) -> dict[str, Any]:
    """What the gateway wrote down of itself, once its log says that it takes calls."""
    assert process.stderr is not None
    said: list[bytes] = []
    async with asyncio.timeout(START_S):
        async for line in process.stderr:
            said.append(line)
            if b"service started" in line:
                record = run_dir / "gateway.json"
                told: dict[str, Any] = json.loads(await asyncio.to_thread(record.read_text))
                return told
    raise AssertionError(f"the gateway ended: {b''.join(said).decode()}")


async def last_word(process: Process) -> tuple[int | None, str]:
    """The exit status of a gateway that ends by itself, and the last line that it said."""
    async with asyncio.timeout(START_S):
        _, said = await process.communicate()
    return process.returncode, said.decode().rstrip().rpartition("\n")[2]
