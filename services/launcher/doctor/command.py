"""What `carillon doctor` says on a terminal."""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from services.chassis.log import configure
from services.chassis.settings import ChassisSettings, load
from services.launcher.doctor.in_cluster import in_cluster
from services.launcher.doctor.places import Named, in_folder, kept
from services.launcher.doctor.rounds import all_well, examine, in_json, in_words


async def look_at(
    var: Path, *, services: tuple[str, ...], named: Named, login: str, as_json: bool
) -> int:
    """Looks at an installation and says what is wrong; 1 when something is, else 0.

    In the world `cluster` it is the one of this process's settings, or the one that `make cluster`
    keeps in the folder; else that of the folder.
    """
    found = kept(var)
    if "CARILLON_WORLD" not in os.environ:
        os.environ.update(found.env)
    async with AsyncExitStack() as stack:
        if load(ChassisSettings).world == "cluster":
            # That a part does not answer is a finding, and no line of a log.
            configure(level="error")
            place = found.over(await in_cluster(services, stack, login=login))
        else:
            place = in_folder(var, services, stack)
        verdicts = await examine(named.over(place))
    if all(verdict.state == "not looked at" for verdict in verdicts):
        sys.stderr.write(f"There is no installation in {var}, and nothing else was named.\n")
    sys.stdout.write(in_json(verdicts) if as_json else in_words(verdicts))
    return int(not all_well(verdicts))
