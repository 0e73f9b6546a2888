"""What `carillon doctor` says on a terminal."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from pathlib import Path

from services.launcher.doctor.places import Named, in_folder
from services.launcher.doctor.rounds import examine, in_json, in_words


async def look_at(var: Path, *, services: tuple[str, ...], named: Named, as_json: bool) -> int:
    """Looks at an installation and says what is wrong; 1 when something is, else 0."""
    async with AsyncExitStack() as stack:
        verdicts = await examine(named.over(in_folder(var, services, stack)))
    sys.stdout.write(in_json(verdicts) if as_json else in_words(verdicts))
    return int(any(verdict.findings for verdict in verdicts))
