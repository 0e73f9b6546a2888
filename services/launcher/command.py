"""What the launcher's commands say and do on a terminal."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import asyncpg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.chassis.database import DatabaseAddress, NoDatabase, role_of
from services.chassis.errors import CarillonError, Kind
from services.chassis.migrations import migrate, roles, schemas
from services.launcher.folder import AlreadyUp, Installation, Running, present
from services.launcher.up import until_stopped


class CannotMigrate(CarillonError):
    """PostgreSQL was not reached, or refused what a migration asked of it."""

    code: ClassVar[str] = "cannot-migrate"
    kind: ClassVar[Kind] = Kind.INVALID


async def keep_up(
    make: Callable[[Callable[[str], None]], Installation], *, var: Path, again: str
) -> int:
    """Starts a whole installation, says how to use it, and stops it on Ctrl-C.

    `make` is told where lines of progress go, and makes what keeps its data in `var`; `again` is
    the command that starts it the next time.
    """
    console = plain_console()
    installation = make(lambda line: console.print(f"[dim]·[/] {escape(line)}"))
    # Whoever is told to stop before everything is up leaves nothing behind, either.
    starting = asyncio.ensure_future(installation.start())
    told = asyncio.ensure_future(until_stopped())
    try:
        await asyncio.wait((starting, told), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            say(console, starting.result(), var)
            await told
        console.print("\nStopping: new calls are refused, live ones have 5 seconds.")
    except AlreadyUp:
        said = present(var)
        where = f": the portal is at {said['portal']}" if said else ""
        console.print(f"Carillon is already up{where}. Stop it there with Ctrl-C.")
        return 0
    finally:
        for each in (starting, told):
            each.cancel()
        await asyncio.wait((starting, told))
        await installation.stop()
    console.print(f"Stopped. Everything is kept for the next `{again}`.")
    return 0


def plain_console(*, stderr: bool = False) -> Console:
    """A terminal that shows what it is told as it is: `:AB:` is no picture, but a fingerprint's."""
    return Console(highlight=False, emoji=False, stderr=stderr)


def say(console: Console, running: Running, var: Path) -> None:
    """Everything a person needs to use what is up now."""
    folder = escape(str(var))
    console.print(f"\n[bold]Carillon is up.[/]  Portal: [bold]{running.portal}[/]\n")
    if running.fingerprint:
        console.print(
            "Browsers warn the first time, because nobody but this machine vouches for it: go on "
            f"all the same,\nor trust {running.portal}/ca.crt once its SHA-256 fingerprint is this "
            f"one:\n{running.fingerprint}\n",
            soft_wrap=True,
        )
    table = Table(show_edge=False, pad_edge=False, title="Demo log-ins", title_justify="left")
    for column in ("Tenant", "User", "Password", "Who"):
        table.add_column(column, no_wrap=True)
    for name, password in running.seeded.passwords.items():
        table.add_row(running.seeded.tenant, name, password, running.seeded.people.get(name, ""))
    console.print(table)
    console.print(
        f"\nThe platform's own administrator: {folder}/bootstrap.json."
        f"\nCall {running.seeded.number} with any SIP phone at {running.sip}, or run `make call`."
        f"\nAPI: {running.portal}/docs (REST), {running.grpc} (gRPC). Logs: {folder}/log."
        "\nCtrl-C stops it.",
        soft_wrap=True,
    )


async def migrate_database(admin_url: str, file: Path, folder: Path | None = None) -> int:
    """Brings a database up to date and writes down how services log in.

    With `folder`, which has each service's password in a file of its name, nothing is written: the
    services are told theirs from there, too. CannotMigrate.
    """
    console = plain_console()
    passwords = _passwords_of(file) if folder is None else _passwords_in(folder)
    for role in roles():
        passwords.setdefault(role, secrets.token_urlsafe(24))
    try:
        applied = await migrate(admin_url, passwords)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CannotMigrate(f"{type(error).__name__}: {error}") from error
    for name in applied:
        console.print(f"applied {name}")
    if folder is not None:
        console.print("Up to date.")
        return 0
    place = urlsplit(admin_url)
    file.parent.mkdir(parents=True, exist_ok=True)
    DatabaseAddress(
        host=place.hostname or "127.0.0.1",
        port=place.port or 5432,
        name=place.path.lstrip("/") or "postgres",
        passwords=passwords,
    ).write(file)
    said = escape(str(file))
    console.print(f"Up to date. Services log in as {said} says: keep it private.")
    return 0


def _passwords_of(file: Path) -> dict[str, str]:
    try:
        return dict(DatabaseAddress.read(file).passwords)
    except NoDatabase:
        return {}


def _passwords_in(folder: Path) -> dict[str, str]:
    """Of each role that has a schema; PostgreSQL's bus is not a cluster's."""
    found: dict[str, str] = {}
    for name in schemas()[1:]:
        try:
            found[role_of(name)] = (folder / name).read_text().rstrip("\r\n")
        except (OSError, ValueError) as error:
            raise CannotMigrate(f"the password of {name}: {error}") from None
        if not found[role_of(name)]:
            raise CannotMigrate(f"the password of {name}: {folder / name} is empty")
    return found
