"""Commands that fetch or build a part: they take minutes, and say now and then that they do."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.launcher.parts.daemon import PartFailed

TOLD_EACH_S = 30.0
LIMIT_S = 1_800.0
"""For one command, on a slow machine."""
TAIL_BYTES = 4_096


def build(
    command: Sequence[str], *, what: str, cwd: Path, env: Mapping[str, str] | None = None
) -> None:
    """Runs a command until it ends; PartFailed with the end of what it said.

    `env` is added to this process's own environment. It blocks: ask in a thread.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 (a part's own command, and no shell)
            command,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            status = _watched(process, what=what)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if status == 0:
            return
        why = "failed" if status is not None else f"did not end within {LIMIT_S:.0f} s"
        log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
        raise PartFailed(f"building {what} {why}:\n{log.read().decode(errors='replace')}")


def _watched(process: subprocess.Popen[bytes], *, what: str) -> int | None:
    """Its status; None: it takes too long."""
    for turn in range(1, round(LIMIT_S / TOLD_EACH_S) + 1):
        try:
            return process.wait(TOLD_EACH_S)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"    still building {what}: {turn * TOLD_EACH_S:.0f} s\n")
    return None
