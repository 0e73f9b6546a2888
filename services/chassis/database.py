"""A service's way into PostgreSQL: its own role, its own schema, one tenant per transaction."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias
from urllib.parse import urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

CONNECT_TIMEOUT_S = 2.0
COMMAND_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 8

# What a server that stops, starts, is full or cannot be reached answers, and one that is asked
# by too many at once: nothing is wrong with what was asked, so it is worth asking again.
_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    # Deadlocks, and others that a second try does not meet.
    asyncpg.TransactionRollbackError,
    # A server that has become a standby.
    asyncpg.ReadOnlySQLTransactionError,
    # A table has changed since the statement was prepared: the next try prepares it anew.
    asyncpg.InvalidCachedStatementError,
)


class DatabaseUnavailable(CarillonError):
    """The database cannot be reached now; the transaction was not committed, or may have been."""

    code: ClassVar[str] = "database-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class NoDatabase(CarillonError):
    """This process was not told where its database is."""

    code: ClassVar[str] = "no-database"
    kind: ClassVar[Kind] = Kind.INVALID


class DatabaseRefused(CarillonError):
    """The database is there, and does not let this service in."""

    code: ClassVar[str] = "database-refused"
    kind: ClassVar[Kind] = Kind.INVALID


class Place(Protocol):
    """Where a database is, and how a role logs in."""

    def options(self, role: str) -> dict[str, Any]:
        """What asyncpg is told; NoDatabase when the role cannot log in."""

    def told(self) -> str:
        """Where it is, in words without a secret."""


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where a database is, and the passwords of the roles that may log in."""

    host: str
    """A name, an address, or a folder with PostgreSQL's socket."""
    port: int
    """TCP port."""
    name: str
    """The database."""
    passwords: Mapping[str, str]
    """By role, for example `carillon_acd`."""

    @classmethod
    def read(cls, path: Path) -> DatabaseAddress:
        """What `write` wrote; NoDatabase when it is not there or not readable."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise NoDatabase(f"{path}: {error}; `make up` and `make demo` start one") from None

    def options(self, role: str) -> dict[str, Any]:
        """What asyncpg is told; NoDatabase when there is no password for the role."""
        password = self.passwords.get(role)
        if password is None:
            raise NoDatabase(f"no password for {role}: run `python -m services migrate`")
        return {
            "host": self.host,
            "port": self.port,
            "database": self.name,
            "user": role,
            "password": password,
        }

    def told(self) -> str:
        """Where it is."""
        return f"{self.host}:{self.port}/{self.name}"

    def write(self, path: Path) -> None:
        """Keeps it in a file that only this user can read."""
        temporary = path.with_suffix(".tmp")
        temporary.touch(mode=0o600)
        temporary.chmod(0o600)
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(path)


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How many connections a pool has now."""

    busy: int
    """That a transaction runs on."""
    idle: int
    """That wait for one."""
    limit: int
    """At most so many are made."""


@dataclass(frozen=True, slots=True)
class DatabaseURL:
    """A database that a URL names, for one service: its user, TLS and all."""

    url: str = field(repr=False)
    """postgresql://…, as PostgreSQL's own clients take it."""
    password: str = field(default="", repr=False)
    """Where the URL has none."""

    def options(self, role: str) -> dict[str, Any]:
        """What asyncpg is told; the role logs in where the URL names no user."""
        options: dict[str, Any] = {"dsn": self.url}
        if not urlsplit(self.url).username:
            options["user"] = role
        if self.password:
            options["password"] = self.password
        return options

    def told(self) -> str:
        """Where it is."""
        parts = urlsplit(self.url)
        return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


def role_of(schema: str) -> str:
    """The role that a service logs in as."""
    return f"carillon_{schema}"


class Database:
    """A pool of connections of one service. Safe to share between tasks.

    Connections are made when they are needed, so a service starts while its database is away.
    """

    def __init__(
        self, address: Place, *, schema: str, max_connections: int = MAX_CONNECTIONS
    ) -> None:
        """`schema` is the service's own, and names its role."""
        self._address = address
        self._role = role_of(schema)
        self._schema = schema
        self._max = max_connections
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()

    @property
    def schema(self) -> str:
        """Where the service's tables are; unqualified names are looked up there."""
        return self._schema

    @property
    def use(self) -> PoolUse:
        """The connections of this process, now."""
        if self._pool is None:
            return PoolUse(0, 0, self._max)
        idle = self._pool.get_idle_size()
        return PoolUse(self._pool.get_size() - idle, idle, self._max)

    @asynccontextmanager
    async def transaction(self, tenant_id: TenantId) -> AsyncIterator[Connection]:
        """A transaction in which only this tenant's rows exist, committed when the block ends.

        Raises DatabaseUnavailable when the server is away; after that, nobody knows whether a
        commit under way took place, so writes are repeatable by their ids.
        """
        async with self._transaction() as connection:
            await connection.execute("SELECT set_config('carillon.tenant', $1, true)", tenant_id)
            yield connection

    @asynccontextmanager
    async def untenanted(self) -> AsyncIterator[Connection]:
        """A transaction in which no tenant's row exists.

        For the chassis's own tables, and for the functions that may look across tenants.
        """
        async with self._transaction() as connection:
            yield connection

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A connection of its own outside the pool, for LISTEN and for sessions' locks."""
        with translated():
            connection = await asyncpg.connect(**self._options(), timeout=CONNECT_TIMEOUT_S)
        try:
            with translated():
                yield connection
        finally:
            connection.terminate()

    async def prove(self) -> None:
        """Logs in once; DatabaseRefused with the reason, or DatabaseUnavailable with the place."""
        place = self._address.told()
        try:
            async with self.listening() as connection:
                here = await connection.fetchval("SELECT to_regnamespace($1)", self._schema)
        except DatabaseUnavailable as error:
            advice = _advice(error.__cause__)
            if advice:
                raise DatabaseRefused(f"{place}: {error}; {advice}") from error
            raise DatabaseUnavailable(f"{place}: {error}") from error
        except (asyncpg.PostgresError, ValueError) as error:
            told = f"{place} as {self._role}: {error}"
            advice = _advice(error)
            raise DatabaseRefused(f"{told}; {advice}" if advice else told) from error
        if here is None:
            raise DatabaseRefused(
                f"{place} has no schema {self._schema}: run `python -m services migrate`"
            )

    async def close(self) -> None:
        """Closes every connection; what runs is cut off."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        with translated():
            pool = await self._open()
            async with (
                pool.acquire(timeout=CONNECT_TIMEOUT_S + COMMAND_TIMEOUT_S) as connection,
                connection.transaction(),
            ):
                yield connection

    async def _open(self) -> asyncpg.Pool[asyncpg.Record]:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    **self._options(),
                    min_size=0,
                    max_size=self._max,
                    timeout=CONNECT_TIMEOUT_S,
                    command_timeout=COMMAND_TIMEOUT_S,
                )
            return self._pool

    def _options(self) -> dict[str, Any]:
        return {
            **self._address.options(self._role),
            "server_settings": {
                "application_name": self._role,
                "search_path": f"{self._schema},chassis",
            },
        }


def _advice(error: BaseException | None) -> str:
    """What to set right, where a start need not be tried again; empty: nothing is known."""
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return "look at the user in CARILLON_DATABASE_URL and at CARILLON_DATABASE_PASSWORD"
        case asyncpg.InvalidCatalogNameError():
            return "look at the database's name in CARILLON_DATABASE_URL"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ssl.SSLSyscallError():
            return ""  # whoever was spoken to has gone
        case ssl.SSLError():
            return "look at sslrootcert and sslmode in CARILLON_DATABASE_URL"
        case ConnectionError() if "rejected SSL" in str(error):
            return "that server has no TLS: look at sslmode in CARILLON_DATABASE_URL"
        case asyncpg.ClientConfigurationError() | FileNotFoundError() | PermissionError():
            return "look at the files in CARILLON_DATABASE_URL: sslrootcert, sslcert, sslkey"
        case _:
            return ""


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Makes whatever is worth asking again a DatabaseUnavailable."""
    try:
        yield
    except _UNAVAILABLE as error:
        raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
