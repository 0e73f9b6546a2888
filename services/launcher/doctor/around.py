"""What is around: the processes, their clocks, their certificates."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from datetime import UTC, datetime

from cryptography import x509
from grpc import aio
from grpc_health.v1 import health_pb2

from services.chassis.database import Database, DatabaseUnavailable, NoDatabase
from services.launcher.doctor.model import Finding, Place
from services.launcher.doctor.scraping import read

LIMIT_S = 3.0
CLOCK = "carillon_process_clock_seconds"


async def parts(place: Place) -> list[Finding] | None:
    """Every process serves, and those that show metrics can be read."""
    if not place.services and not place.metrics:
        return None
    said = await asyncio.gather(
        *(_state(channel) for channel in place.services.values()),
    )
    found = [
        Finding(
            f"{name} {state}.",
            f"Look whether {name} runs, and at the end of its log; `cannot start` names the"
            " setting.",
        )
        for name, state in zip(place.services, said, strict=True)
        if state
    ]
    shown = await asyncio.gather(*(read(address) for address in place.metrics))
    found += [
        Finding(f"Nobody shows metrics at {address}.", "Look whether that process runs.")
        for address, values in zip(place.metrics, shown, strict=True)
        if values is None
    ]
    return found


async def clocks(place: Place) -> list[Finding] | None:
    """The database's clock, this machine's and each process's agree."""
    differs: dict[str, float] = {}
    if place.database is not None:
        of_database = await _database_ahead_ms(place)
        if of_database is not None:
            differs["the database"] = of_database
    for address in place.metrics:
        shown = await read(address)
        clock = None if shown is None else shown.of(CLOCK)
        if shown is not None and clock is not None:
            differs[f"the process at {address}"] = _beyond(
                clock * 1_000 - shown.at_ms, shown.within_ms / 2
            )
    if not differs:
        return None
    differs["this machine"] = 0.0
    # Whoever is furthest from the middle of all is wrong, most likely.
    middle = sorted(differs.values())[len(differs) // 2]
    return [
        Finding(
            f"The clock of {who} is {abs(ms - middle) / 1_000:.1f} s"
            f" {'ahead' if ms > middle else 'behind'}.",
            "Let NTP set it, then start the processes of that machine again: each keeps the time"
            " that it began with.",
        )
        for who, ms in differs.items()
        if abs(ms - middle) > place.limits.max_skew_ms
    ]


async def certificates(place: Place) -> list[Finding] | None:
    """No certificate has expired, or will soon."""
    if not place.tls and not place.certificates:
        return None
    found = list(place.faults)
    shown = await asyncio.gather(
        *(asyncio.to_thread(_shown_at, address) for address in place.tls), return_exceptions=True
    )
    for address, pem in zip(place.tls, shown, strict=True):
        if isinstance(pem, OSError | ValueError):
            found.append(Finding(f"No TLS at {address}: {pem}.", "Look whether it runs."))
        elif isinstance(pem, BaseException):
            raise pem
        else:
            found += _judged(f"at {address}", pem.encode(), place)
    for path in place.certificates:
        try:
            found += _judged(f"in {path}", path.read_bytes(), place)
        except (OSError, ValueError) as error:
            found.append(Finding(f"{path} cannot be read: {error}.", "Name the right file."))
    return found


def _judged(where: str, pem: bytes, place: Place) -> list[Finding]:
    found, now = [], datetime.now(UTC)
    for certificate in x509.load_pem_x509_certificates(pem):
        until = certificate.not_valid_after_utc
        days = (until - now).total_seconds() / 86_400
        who = certificate.subject.rfc4514_string() or "without a name"
        if days <= 0:
            found.append(
                Finding(
                    f"The certificate {where} ({who}) expired on {until:%Y-%m-%d}.",
                    "Renew it; until then nobody who checks will connect.",
                )
            )
        elif days < place.limits.min_days:
            found.append(
                Finding(
                    f"The certificate {where} ({who}) expires on {until:%Y-%m-%d}, in"
                    f" {days:.0f} days.",
                    "Renew it; what should have done so by itself has not.",
                )
            )
    return found


def _shown_at(address: str) -> str:
    host, _, port = address.rpartition(":")
    # Whatever is shown: one that has expired is to be seen, and not refused.
    return ssl.get_server_certificate((host.strip("[]"), int(port)), timeout=LIMIT_S)


async def _state(channel: aio.Channel) -> str:
    """What is wrong with who serves there; empty: nothing."""
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    try:
        answer = await check(health_pb2.HealthCheckRequest(), timeout=LIMIT_S)
    except aio.AioRpcError as error:
        return f"does not answer ({error.code().name})"
    serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    return "" if serving else "answers, and takes no work: it is leaving"


async def _database_ahead_ms(place: Place) -> float | None:
    assert place.database is not None
    database = Database(place.database, schema=place.login)
    with contextlib.suppress(DatabaseUnavailable, NoDatabase):
        try:
            async with database.untenanted() as connection:
                await connection.fetchval("SELECT 1")  # the connection's set-up is over
                began = time.time_ns()
                theirs = await connection.fetchval(
                    "SELECT extract(epoch FROM clock_timestamp())::float8"
                )
                ended = time.time_ns()
        finally:
            await database.close()
        return _beyond(theirs * 1_000 - (began + ended) / 2e6, (ended - began) / 2e6)
    return None


def _beyond(ahead_ms: float, within_ms: float) -> float:
    """A difference, less what the way of the question may have made of it."""
    return max(0.0, abs(ahead_ms) - within_ms) * (1 if ahead_ms > 0 else -1)
