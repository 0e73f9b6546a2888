"""The launcher: `python -m services` runs all services in one process, or those named.

Exit status: 0 after a drain, 1 when a service could not start, 2 for a wrong name or setting.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from services.chassis import lifecycle, log
from services.chassis.lifecycle import Service
from services.chassis.settings import ChassisSettings, load
from services.chassis.world import World, local_world

NAMES = ("acd", "ivr")


def builder(name: str) -> Callable[[World], Service]:
    """The `build` of a service; imported only when asked for, so an image may leave others out."""
    build: Callable[[World], Service] = importlib.import_module(f"services.{name}.main").build
    return build


def run(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Which services to run: {', '.join(NAMES)}.")
    ] = None,
    *,
    var: Annotated[
        Path | None, typer.Option(help="Folder for data; also CARILLON_VAR_DIR.")
    ] = None,
) -> None:
    """Runs Carillon's services in one process until SIGTERM, then drains."""
    wanted = tuple(dict.fromkeys(names or NAMES))
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(NAMES)}")
    settings = load(ChassisSettings)
    log.configure(level=settings.log_level, as_json=settings.log_json)

    async def serve() -> int:
        world = local_world(var_dir=var or settings.var_dir, run_dir=settings.run_dir)
        services = [builder(name)(world) for name in wanted]
        return await lifecycle.run(services, world, drain_timeout_s=settings.drain_timeout_s)

    raise typer.Exit(uvloop.run(serve()))


def main() -> None:
    """The `carillon` command."""
    typer.run(run)


if __name__ == "__main__":
    main()
