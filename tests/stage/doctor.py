"""A doctor, asked as an SRE would, and what it said."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.launcher.process import ROOT


@dataclass(frozen=True, slots=True)
class Told:
    """What a doctor said."""

    status: int
    states: dict[str, str]
    findings: dict[str, list[str]]

    @property
    def ill(self) -> set[str]:
        return {name for name, state in self.states.items() if state == "ill"}


async def doctor(var: Path, *options: str) -> Told:
    """Asks one, as an SRE would."""
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "doctor", "--json", "--var", str(var), *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(asked.communicate(), 90)
    told: dict[str, Any] = json.loads(said)
    status = asked.returncode
    assert status is not None
    assert told["well"] == (status == 0)
    return Told(
        status,
        {check["name"]: check["state"] for check in told["checks"]},
        {check["name"]: [each["what"] for each in check["findings"]] for check in told["checks"]},
    )
