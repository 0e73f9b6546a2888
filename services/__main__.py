"""The `carillon` command: runs services, or a whole installation on this machine.

`python -m services` runs all services in one process; `python -m services acd ivr` those named;
`python -m services up` a whole call centre. Exit status: 0 after a drain, 1 when something could
not start (the reason is said in words), 2 for a wrong name or setting.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from services.chassis import lifecycle, log
from services.chassis.lifecycle import Service, status_of
from services.chassis.settings import ChassisSettings, load
from services.chassis.world import World
from services.chassis.worlds import open_world

NAMES = ("acd", "ivr", "recording", "crm", "analytics", "portal")

app = typer.Typer(
    name="carillon",
    help="Carillon, a call centre: its services, and whole installations on one machine.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def builder(name: str) -> Callable[[World], Service]:
    """The `build` of a service; imported only when asked for, so an image may leave others out."""
    build: Callable[[World], Service] = importlib.import_module(f"services.{name}.main").build
    return build


@app.command("run")
def run(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Which services to run: {', '.join(NAMES)}.")
    ] = None,
    *,
    var: Annotated[
        Path | None, typer.Option(help="Folder for data; also CARILLON_VAR_DIR.")
    ] = None,
) -> None:
    """Run services in one process until SIGTERM, then drain: all, or those named."""
    wanted = tuple(dict.fromkeys(names or NAMES))
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(NAMES)}")
    settings = load(ChassisSettings)
    log.configure(level=settings.log_level, as_json=settings.log_json)

    async def serve() -> int:
        world = open_world(settings, var_dir=var)
        services = [builder(name)(world) for name in wanted]
        return await lifecycle.run(
            services,
            world,
            drain_timeout_s=settings.drain_timeout_s,
            telemetry=lifecycle.Telemetry.as_set(settings),
        )

    raise typer.Exit(status_of(uvloop.run, serve()))


@app.command("up")
def up(
    *,
    var: Annotated[Path, typer.Option(help="Folder for everything that it keeps.")] = Path(
        "var/up"
    ),
    lan: Annotated[
        bool, typer.Option("--lan", help="For browsers of this machine's network, by HTTPS.")
    ] = False,
    address: Annotated[
        str, typer.Option(help="With --lan: which of this machine's addresses they come to.")
    ] = "",
) -> None:
    """Run a whole call centre on this machine, with its database, until Ctrl-C."""
    from services.launcher.command import keep_up  # noqa: PLC0415 (services run without it)
    from services.launcher.network import find_lan  # noqa: PLC0415 (the same)
    from services.launcher.up import Up  # noqa: PLC0415 (the same)

    if address and not lan:
        raise typer.BadParameter("--address is of no use without --lan")

    def keep(_: object) -> int:
        found = find_lan(address) if lan else None

        def make(tell: Callable[[str], None]) -> Up:
            return Up(var=var, services=NAMES, tell=tell, lan=found)

        return asyncio.run(keep_up(make, var=var, again="make up"))

    raise typer.Exit(status_of(keep, None))


@app.command("cluster")
def cluster(
    *,
    var: Annotated[Path, typer.Option(help="Folder for everything that it keeps.")] = Path(
        "var/cluster"
    ),
) -> None:
    """Run all as in a cluster, two of each service on Kafka and S3, behind Kamailio, until Ctrl-C.

    Needs Java, Kamailio and MinIO: `make cluster` installs them.
    """
    from services.launcher.cluster import Cluster  # noqa: PLC0415 (services run without it)
    from services.launcher.command import keep_up  # noqa: PLC0415 (the same)

    def keep(_: object) -> int:
        def make(tell: Callable[[str], None]) -> Cluster:
            return Cluster(var=var, services=NAMES, tell=tell)

        return asyncio.run(keep_up(make, var=var, again="make cluster"))

    raise typer.Exit(status_of(keep, None))


@app.command("migrate")
def migrate(
    *,
    admin_url: Annotated[
        str,
        typer.Option(
            envvar="CARILLON_DATABASE_ADMIN_URL",
            help="postgresql://… of a role that may create roles and schemas.",
        ),
    ],
    file: Annotated[
        Path,
        typer.Option(help="Where services will find the database; made or brought up to date."),
    ] = Path("var/up/database.json"),
    passwords: Annotated[
        Path | None,
        typer.Option(help="A folder with each service's password in a file; nothing is written."),
    ] = None,
) -> None:
    """Bring a database of your own up to date, and write down how services log in."""
    from services.launcher.command import migrate_database  # noqa: PLC0415 (the same)

    raise typer.Exit(status_of(asyncio.run, migrate_database(admin_url, file, passwords)))


@app.command("verify-recording")
def verify_recording(
    recording_id: Annotated[str, typer.Argument(help="The recording's id: its call's.")],
    *,
    var: Annotated[Path, typer.Option(help="The installation's folder.")] = Path("var/up"),
) -> None:
    """Check every hash of a recording from its files alone; 1 when anything is wrong with it."""
    from services.recording.verify import told, verify  # noqa: PLC0415 (an image may lack it)

    def check(_: object) -> int:
        found = verify(var, recording_id)
        sys.stdout.write("\n".join(map(told, found)) + "\n")
        return 0 if all(each.intact for each in found) else 1

    raise typer.Exit(status_of(check, None))


@app.command("doctor")
def doctor(
    *,
    var: Annotated[Path, typer.Option(help="The installation's folder.")] = Path("var/up"),
    sip: Annotated[str, typer.Option(help="host:port of the gateway or the edge.")] = "",
    number: Annotated[
        str, typer.Option(help="A number whose flow answers and plays something.")
    ] = "",
    metrics: Annotated[
        list[str] | None, typer.Option(help="host:port of a process that shows metrics.")
    ] = None,
    tls: Annotated[
        list[str] | None, typer.Option(help="host:port of what is served by TLS.")
    ] = None,
    certificate: Annotated[
        list[Path] | None, typer.Option(help="A file with certificates, in PEM.")
    ] = None,
    max_behind: Annotated[
        int, typer.Option(help="Events that a group may be behind.", min=0)
    ] = 5_000,
    login: Annotated[
        str, typer.Option(help="In a cluster: the service whose database password is set.")
    ] = "recording",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at a running installation, and say what is wrong with it; 1 when something is."""
    from services.launcher.doctor.command import look_at  # noqa: PLC0415 (services run without it)
    from services.launcher.doctor.model import Limits  # noqa: PLC0415 (the same)
    from services.launcher.doctor.places import Named  # noqa: PLC0415 (the same)

    named = Named(
        sip=sip,
        number=number,
        metrics=tuple(metrics or ()),
        tls=tuple(tls or ()),
        certificates=tuple(certificate or ()),
        limits=Limits(max_behind=max_behind),
    )
    looking = look_at(var.absolute(), services=NAMES, named=named, login=login, as_json=as_json)
    raise typer.Exit(status_of(asyncio.run, looking))


@app.command("size")
def size(
    *,
    calls: Annotated[int, typer.Option(help="At once, in the busiest minutes; waiting ones too.")],
    agents: Annotated[int, typer.Option(help="Signed in at once.")],
    recorded: Annotated[str, typer.Option(help="Of all conversations.")] = "100%",
    days: Annotated[int, typer.Option(help="That recordings are kept.")] = 90,
    browsers: Annotated[str, typer.Option(help="Agents who speak by their browser.")] = "100%",
    waiting: Annotated[str, typer.Option(help="Calls in menus and queues.")] = "20%",
    minutes: Annotated[float, typer.Option(help="That a call takes in the mean.")] = 4.0,
    hours: Annotated[float, typer.Option(help="A day's calls, in hours of this load.")] = 8.0,
    largest: Annotated[str, typer.Option(help="The largest tenant's share of calls.")] = "100%",
    spare: Annotated[int, typer.Option(help="Nodes, and replicas, that may be away.")] = 1,
    cores: Annotated[int, typer.Option(help="That audio may have on a node.")] = 4,
    speed: Annotated[
        float, typer.Option(help="Of a core, against the one that was measured.")
    ] = 1.0,
    values: Annotated[bool, typer.Option("--values", help="As values of the Helm chart.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what so many calls and agents need: nodes, pods, disks, bandwidth (docs/capacity.md)."""
    from services.launcher.sizing.command import share, tell  # noqa: PLC0415 (services run without)
    from services.launcher.sizing.model import Demand  # noqa: PLC0415 (the same)

    def said(_: object) -> int:
        demand = Demand(
            calls=calls,
            agents=agents,
            recorded=share("recorded", recorded),
            browsers=share("browsers", browsers),
            waiting=share("waiting", waiting),
            minutes=minutes,
            hours=hours,
            days=days,
            largest=share("largest", largest),
            spare=spare,
            cores=cores,
            speed=speed,
        )
        return tell(demand, as_values=values, as_json=as_json)

    raise typer.Exit(status_of(said, None))


def main() -> None:
    """The `carillon` command."""
    arguments = sys.argv[1:]
    commands = {command.name for command in app.registered_commands}
    # Services may be named without a verb: `python -m services acd`.
    if not arguments or (arguments[0] not in commands and arguments[0] not in ("--help", "-h")):
        arguments = ["run", *arguments]
    app(args=arguments, prog_name="carillon")


if __name__ == "__main__":
    main()
