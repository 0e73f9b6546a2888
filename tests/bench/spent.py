"""What processes and their children spent and hold, as the kernel counts it (proc(5))."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Held:
    """What a process and its children hold now."""

    rss_mib: float
    """Memory; what they share counts for each of them."""
    pss_mib: float
    """Memory; what they share is divided."""
    threads: int
    files: int
    """Open ones, sockets among them."""


def cpu_s(pid: int) -> float:
    """User and system time so far, of its children as well, those that have ended included."""
    return sum(map(_cpu_s, family(pid)))


def held(pid: int) -> Held:
    """What it holds."""
    rss = pss = 0.0
    threads = files = 0
    for one in family(pid):
        try:
            rollup = (PROC / str(one) / "smaps_rollup").read_text()
            status = (PROC / str(one) / "status").read_text()
            opened = len(list((PROC / str(one) / "fd").iterdir()))
        except OSError:
            continue  # it has ended
        rss += _number(rollup, "Rss:") / 1_024
        pss += _number(rollup, "Pss:") / 1_024
        threads += _number(status, "Threads:")
        files += opened
    return Held(rss, pss, threads, files)


def family(pid: int) -> list[int]:
    """The process and all that it, or its children, started."""
    children: dict[int, list[int]] = defaultdict(list)
    for one, parent in _parents():
        children[parent].append(one)
    found = [pid]
    for one in found:  # it grows meanwhile
        found += children[one]
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for path in PROC.iterdir():
        if path.name.isdigit():
            fields = _stat(int(path.name))
            if fields:
                yield int(path.name), int(fields[1])


def _cpu_s(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) * TICK_S if fields else 0.0


def _stat(pid: int) -> list[str]:
    """From the state on (field 3)."""
    try:
        return (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _number(text: str, name: str) -> int:
    for line in text.splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
