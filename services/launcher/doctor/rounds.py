"""Everything that a doctor looks at, and what was found, for people and for programs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

from services.launcher.doctor import around, calling, keeping
from services.launcher.doctor.model import Check, Finding, Place, Verdict

LIMIT_S = 60.0
"""For one check."""
CHECKS = (
    Check("parts", "Every process serves", around.parts),
    Check("sip", "SIP is answered", calling.sip),
    Check("audio", "Audio goes both ways", calling.audio),
    Check("clock", "Clocks agree", around.clocks),
    Check("migrations", "The database is of this release", keeping.migrations),
    Check("bus", "Nobody is far behind the bus", keeping.backlog),
    Check("object-lock", "What is locked cannot be removed", keeping.lock),
    Check("certificates", "Certificates are good", around.certificates),
    Check("spool", "Spools have room", keeping.spools),
)


async def examine(place: Place, checks: Sequence[Check] = CHECKS) -> list[Verdict]:
    """Looks at everything at the same time."""
    return list(await asyncio.gather(*(_verdict(each, place) for each in checks)))


async def _verdict(check: Check, place: Place) -> Verdict:
    began = time.monotonic()
    try:
        async with asyncio.timeout(LIMIT_S):
            found = await check.look(place)
    except Exception as error:  # noqa: BLE001 (what cannot be looked at is ill, whatever the reason)
        why = f"{type(error).__name__}: {error}".rstrip(": ")
        found = [Finding(f"It could not be looked at: {why}.", "Look at what it needs.")]
    took_ms = round(1_000 * (time.monotonic() - began))
    if found is None:
        return Verdict(check, "not looked at", (), took_ms)
    return Verdict(check, "ill" if found else "well", tuple(found), took_ms)


def all_well(verdicts: Sequence[Verdict]) -> bool:
    """Whether something was looked at, and nothing found."""
    return any(verdict.state == "well" for verdict in verdicts) and not any(
        verdict.findings for verdict in verdicts
    )


def in_words(verdicts: Sequence[Verdict]) -> str:
    """For a terminal."""
    marks = {"well": "ok  ", "ill": "ILL ", "not looked at": "-   "}
    lines = []
    for verdict in verdicts:
        aside = "" if verdict.state != "not looked at" else " (not looked at: nothing was named)"
        lines.append(f"{marks[verdict.state]}{verdict.check.title}{aside}")
        for finding in verdict.findings:
            lines += [f"      {finding.what}", f"      → {finding.do}"]
    return "\n".join(lines) + "\n"


def in_json(verdicts: Sequence[Verdict]) -> str:
    """For programs."""
    told = [
        {
            "name": verdict.check.name,
            "state": verdict.state,
            "took_ms": verdict.took_ms,
            "findings": [{"what": each.what, "do": each.do} for each in verdict.findings],
        }
        for verdict in verdicts
    ]
    return json.dumps({"well": all_well(verdicts), "checks": told}) + "\n"
