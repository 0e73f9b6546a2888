"""Where a cluster is: told by the same settings as one of its processes has."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass

from grpc import aio

from services.chassis.bus_kafka_backlog import KafkaBacklog
from services.chassis.database import DatabaseURL
from services.chassis.rpc_channel import open_remote
from services.chassis.s3 import S3
from services.chassis.s3_lock import LockNotReal, check_bucket
from services.chassis.settings import load
from services.chassis.settings_cluster import ClusterSettings, host_and_port, target_at
from services.chassis.settings_parts import KafkaSettings, S3Settings
from services.chassis.tls import BadServiceTLS
from services.chassis.worlds import kafka_address, s3_address
from services.launcher.doctor.model import Finding, Place

GATEWAY = "gateway"
NAME = "carillon-doctor"
MAX_REPLICAS = 256
"""Of one service that are looked at."""


async def in_cluster(names: Collection[str], stack: AsyncExitStack, *, login: str) -> Place:
    """The cluster of this process's environment; the stack closes what is opened to look at it.

    A wrong setting ends the process with status 2. `login` is the service whose role the password
    is of. BadKafkaAddress, BadS3Address.
    """
    settings, kafka, storage = load(ClusterSettings), load(KafkaSettings), load(S3Settings)
    faults: list[Finding] = []
    tls = None
    try:
        tls = settings.service_tls()
    except BadServiceTLS as error:
        faults.append(
            Finding(
                f"The own certificate cannot be used: {error}.",
                "Nobody who checks will connect with it: renew it, or name the right file.",
            )
        )
    replicas = [
        Replica(name, address)
        for name in (*names, GATEWAY)
        for address in await _addresses(settings.target_of(name))
    ]
    channels: dict[str, aio.Channel] = {}
    if not faults:
        for each in replicas:
            channel = open_remote(target_at(each.address), service=each.service, tls=tls)
            stack.push_async_callback(channel.close)
            channels[str(each)] = channel
    s3 = S3(s3_address(storage))
    stack.push_async_callback(s3.close)
    url = settings.database_url.get_secret_value()
    own = (settings.tls_cert, settings.tls_ca)
    return Place(
        services=channels,
        database=DatabaseURL(url, settings.database_password.get_secret_value()) if url else None,
        login=login,
        backlog=KafkaBacklog(kafka_address(kafka), name=NAME, groups=names),
        canary=S3Canary(s3) if storage.worm else None,
        tls=tuple(each.address for each in replicas) if settings.tls_ca else (),
        certificates=tuple(path for path in own if path is not None),
        faults=tuple(faults),
    )


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a service."""

    service: str
    """Which."""
    address: str
    """host:port of its gRPC."""

    def __str__(self) -> str:
        return f"{self.service} at {self.address}"


class S3Canary:
    """The bucket of the installation, tried with a small object that is locked for minutes."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3

    async def broken(self) -> str:
        """See `LockCanary.broken`; BucketUnusable or StorageUnavailable when it cannot be tried."""
        try:
            await check_bucket(self._s3)
        except LockNotReal as error:
            return str(error)
        return ""


async def _addresses(target: str) -> list[str]:
    """Each replica's host:port; the name itself while it cannot be resolved."""
    scheme, _, rest = target.partition(":")
    listed = [part for part in rest.lstrip("/").split(",") if part]
    if scheme != "dns":
        return listed[:MAX_REPLICAS]
    found: dict[str, None] = {}
    for each in listed:
        host, port = host_and_port(each)
        try:
            told = await asyncio.get_running_loop().getaddrinfo(
                host.strip("[]"), port, type=socket.SOCK_STREAM
            )
        except OSError:
            told = []
        if not told:
            found[each] = None
        for family, _, _, _, where in told:
            ip = str(where[0])
            found[f"[{ip}]:{port}" if family is socket.AF_INET6 else f"{ip}:{port}"] = None
    return list(found)[:MAX_REPLICAS]
