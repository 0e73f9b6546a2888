"""`make demo`: places one real call and narrates it.

Exit status 0, 1 when a step failed, 130 when it was interrupted (Ctrl-C, SIGTERM); whatever comes,
everything that it started is stopped first.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.__main__ import NAMES
from services.launcher.cluster import Cluster
from services.launcher.command import plain_console
from services.launcher.folder import Installation
from services.launcher.up import Up
from tests.demo.call import run_call
from tests.demo.narration import Narration
from tests.demo.story import Story, StoryFailed

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var" / "demo"
VAR_OF_CLUSTER = ROOT / "var" / "demo-cluster"
INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class World(StrEnum):
    """What the call goes through."""

    LOCAL = "local"
    CLUSTER = "cluster"


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the story as JSON, for scripts.")
    ] = False,
    world: Annotated[
        World, typer.Option(help="On one process of all services, or on all parts of a cluster.")
    ] = World.LOCAL,
) -> None:
    """Places a real call over SIP from a menu to an agent, and tells it as it happens."""
    narration = Narration(plain_console(stderr=as_json))
    story = Story(tell=narration.tell, begin=narration.begin, say=narration.say)
    began = time.monotonic()
    status = 0
    try:
        if not asyncio.run(_played(story, narration, world)):
            status = INTERRUPTED
    except StoryFailed:
        status = 1
    story.figures["seconds"] = round(time.monotonic() - began, 1)
    if as_json:
        sys.stdout.write(json.dumps(story.as_json(), indent=2) + "\n")
    elif status == 0:
        narration.summarise(story, keep="make up" if world is World.LOCAL else "make cluster")
    if status == 1:
        log = _var(world) / "log"
        narration.failed(story, log.relative_to(ROOT) if log.is_dir() else None)
    elif status == INTERRUPTED:
        narration.interrupted()
    raise typer.Exit(status)


def _var(world: World) -> Path:
    return VAR if world is World.LOCAL else VAR_OF_CLUSTER


def _installation(world: World, tell: Callable[[str], None]) -> Installation:
    kind = Up if world is World.LOCAL else Cluster
    return kind(var=_var(world), services=NAMES, tell=tell, usual_ports=False, from_nothing=True)


async def _played(story: Story, narration: Narration, world: World) -> bool:
    """Plays the story to its end, or until a signal; then everything is stopped. False: a signal.

    StoryFailed says which step did not come true.
    """
    carillon = _installation(world, narration.say)
    playing = asyncio.ensure_future(run_call(story, carillon))
    stopped = False

    def stop() -> None:
        nonlocal stopped
        playing.cancel()
        narration.say("Still stopping: a moment, please." if stopped else "Stopping everything.")
        stopped = True

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        await asyncio.wait((playing,))
    finally:
        await carillon.stop()
    if playing.cancelled():
        return False
    playing.result()
    return True


if __name__ == "__main__":
    app()
