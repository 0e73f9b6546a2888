"""Programs as child processes: started by their command, ended by a signal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STOP_WAIT_S = 15.0
TAIL_BYTES = 64 * 1024


class Child:
    """One process with its log file."""

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        cwd: Path = ROOT,
    ) -> None:
        """`env` is the whole environment that it gets."""
        self.name = name
        """What it is called in messages."""
        self.log = log
        """Where all that it writes goes."""
        self._command = tuple(command)
        self._env = dict(env)
        self._cwd = cwd
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts it; whether it gets ready is seen at its socket."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._cwd,
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C in a terminal is for whoever started us; it is told when to end.
                start_new_session=True,
            )

    async def ended(self) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, wait_s: float = STOP_WAIT_S) -> int:
        """Asks it to drain and waits; one that does not end is killed. Returns its status."""
        return await self._end(signal.SIGTERM, wait_s)

    async def kill(self) -> None:
        """Ends it and its own children at once, as a failing machine would."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            self._kill_all(process.pid)
        await process.wait()

    async def _end(self, number: signal.Signals, wait_s: float) -> int:
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        try:
            return await asyncio.wait_for(process.wait(), wait_s)
        except TimeoutError:
            self._kill_all(process.pid)
            return await process.wait()

    def _kill_all(self, pid: int) -> None:
        # It leads a session of its own, so that its group is it and its children, nobody else.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)

    def tail(self, lines: int = 15) -> str:
        """The end of its log, which may be long."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def resident_mb(self) -> float:
        """What it holds in memory now, in MiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


class Program(Child):
    """A program of Carillon's own."""

    def __init__(
        self, *, module: str, args: tuple[str, ...], env: Mapping[str, str], log: Path
    ) -> None:
        """`env` is added to this process's own environment."""
        super().__init__(
            name=" ".join((module, *args)),
            command=(sys.executable, "-m", module, *args),
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'media-gateway'}", **env},
            log=log,
        )
