"""What a doctor finds on the parts of a cluster: real brokers, storage, TLS and database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from grpc import aio

from services.chassis.bus import BusUnavailable
from services.chassis.bus_kafka import KafkaAddress, KafkaBus
from services.chassis.bus_kafka_backlog import KafkaBacklog
from services.chassis.database import DatabaseAddress, DatabaseURL, role_of
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.rpc import RpcServer
from services.chassis.rpc_door import Ageing, TcpDoor
from services.chassis.s3 import S3, S3Address
from services.chassis.settings_cluster import PEERS
from services.chassis.tls import DOMAIN, ServiceTLS
from services.launcher.certificates import LIFE, Files, certify
from services.launcher.doctor import around, keeping
from services.launcher.doctor.in_cluster import S3Canary, in_cluster
from services.launcher.doctor.model import Finding, Limits, Place
from services.launcher.parts.minio import MinioServer
from services.launcher.ports import free_port
from tests.stage.fake_s3 import fake_s3
from tests.stage.kafka import RunningKafka
from tests.stage.s3 import address_of, fresh_bucket

TOPIC = "acd.events.v1"
LOOPBACK = "127.0.0.1"


def words(found: list[Finding] | None) -> list[str]:
    assert found is not None, "it was looked at"
    return [each.what for each in found]


# ---- the bus ----


def event(number: int) -> Envelope:
    return Envelope(
        event_id=f"e{number}",
        tenant_id=TenantId("t"),
        at_ms=number,
        key=f"k{number}",
        type="x",
        payload=b"x",
    )


async def done(bus: KafkaBus, group: str, events: int) -> None:
    """A member of a group that does so many, and leaves."""
    async with bus.consumer(group=group, topics=(TOPIC,)) as consumer:
        count = 0
        while count < events:
            batch = await consumer.fetch(wait_s=5)
            assert batch is not None
            await consumer.commit(batch)
            count += len(batch.events)


async def test_what_a_group_has_not_done_is_found_on_the_brokers(
    kafka_server: RunningKafka,
) -> None:
    address = kafka_server.address()
    backlog = KafkaBacklog(address, name="doctor", groups=("crm", "analytics", "recording"))
    bus = KafkaBus(address, name="here")
    try:
        assert await backlog.behind() == {}
        await bus.publish(TOPIC, [event(n) for n in range(30)])
        await done(bus, "crm", 30)
        await done(bus, "others", 30)
        assert await backlog.behind() == {("crm", TOPIC): 0}
        await bus.publish(TOPIC, [event(n) for n in range(30, 45)])
        await done(bus, "analytics", 45)
        assert await backlog.behind() == {("crm", TOPIC): 15, ("analytics", TOPIC): 0}
        place = Place(backlog=backlog, limits=Limits(max_behind=14))
        assert words(await keeping.backlog(place)) == [f"Group crm is 15 events behind on {TOPIC}."]
        assert words(await keeping.backlog(replace(place, limits=Limits(max_behind=15)))) == []
    finally:
        await bus.close()


async def test_brokers_that_are_away_are_a_finding() -> None:
    nobody = KafkaAddress(brokers=(f"{LOOPBACK}:{free_port()}",), replication=1, min_in_sync=1)
    backlog = KafkaBacklog(nobody, name="doctor", groups=("crm",))
    with pytest.raises(BusUnavailable, match=nobody.brokers[0]):
        await backlog.behind()
    (told,) = words(await keeping.backlog(Place(backlog=backlog)))
    assert told.startswith(f"The bus cannot be asked: {nobody.brokers[0]}")


# ---- the storage ----


async def looked_at(address: S3Address) -> list[str]:
    s3 = S3(address)
    try:
        return words(await keeping.lock(Place(canary=S3Canary(s3))))
    finally:
        await s3.close()


async def test_a_lock_is_well_only_where_it_holds(minio_server: MinioServer) -> None:
    assert await looked_at(await fresh_bucket(minio_server, worm=True)) == []
    plain = await fresh_bucket(minio_server)
    (told,) = await looked_at(replace(plain, worm=True))
    assert told.startswith(f"The store's object lock is not real: bucket {plain.bucket} has no")
    (told,) = await looked_at(address_of(minio_server, worm=True))
    assert told.startswith(("The store cannot be asked", "The store's object lock is not real"))


async def test_a_lock_that_can_be_shortened_is_found(minio_server: MinioServer) -> None:
    real = address_of(minio_server, worm=True)
    with fake_s3(shortens_locks=True) as fake:
        (told,) = await looked_at(replace(real, endpoint=fake.url, bucket="recordings"))
    assert "an object's lock could be shortened" in told


# ---- certificates ----


@asynccontextmanager
async def showing(files: Files) -> AsyncIterator[int]:
    """A server that wants its clients' certificates, and shows one, expired or not; its port."""
    server = aio.server()
    own = [(files.key.read_bytes(), files.certificate.read_bytes())]
    credentials = grpc.ssl_server_credentials(
        own, files.authority.read_bytes(), require_client_auth=True
    )
    port = server.add_secure_port(f"{LOOPBACK}:0", credentials)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


@pytest.mark.parametrize(
    ("days_ago", "told"),
    [
        (0, []),
        (LIFE.days - 5, ["expires on"]),
        (LIFE.days + 1, ["expired on"]),
    ],
)
async def test_what_a_service_shows_is_judged_as_whoever_connects_sees_it(
    tmp_path: Path, days_ago: int, told: list[str]
) -> None:
    files = certify(
        tmp_path,
        host="here",
        names=(f"*.{DOMAIN}",),
        clients=True,
        now=datetime.now(UTC) - timedelta(days=days_ago),
    )
    async with showing(files) as port:
        found = words(await around.certificates(Place(tls=(f"{LOOPBACK}:{port}",))))
    assert len(found) == len(told)
    for what, expected in zip(found, told, strict=True):
        assert what.startswith(f"The certificate at {LOOPBACK}:{port} ")
        assert expected in what


# ---- a whole place, from the settings ----


@pytest.fixture
def env(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    database_address: DatabaseAddress,
    minio_server: MinioServer,
) -> dict[str, str]:
    """What a process of a cluster is told."""
    files = certify(tmp_path, host="here", names=(f"*.{DOMAIN}",), clients=True)
    address = database_address
    storage = address_of(minio_server, worm=True)
    told = {
        "CARILLON_WORLD": "cluster",
        "CARILLON_DATABASE_URL": f"postgresql://{address.host}:{address.port}/{address.name}",
        "CARILLON_DATABASE_PASSWORD": address.passwords[role_of("crm")],
        "CARILLON_ADVERTISED": f"{LOOPBACK}:7000",
        **{f"CARILLON_PEERS_{name.upper()}": "dns:///localhost:1" for name in PEERS},
        "CARILLON_TLS_CA": str(files.authority),
        "CARILLON_TLS_CERT": str(files.certificate),
        "CARILLON_TLS_KEY": str(files.key),
        "CARILLON_KAFKA_BROKERS": f"{LOOPBACK}:{free_port()}",
        "CARILLON_KAFKA_SECURITY": "plaintext",
        "CARILLON_S3_ENDPOINT": storage.endpoint,
        "CARILLON_S3_ACCESS_KEY": storage.access_key,
        "CARILLON_S3_SECRET_KEY": storage.secret_key.get_secret_value(),
        "CARILLON_S3_BUCKET": storage.bucket,
        "CARILLON_S3_WORM": "1",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return told


def own(env: dict[str, str]) -> ServiceTLS:
    return ServiceTLS(
        authority=Path(env["CARILLON_TLS_CA"]),
        certificate=Path(env["CARILLON_TLS_CERT"]),
        key=Path(env["CARILLON_TLS_KEY"]),
        domain=DOMAIN,
    )


async def test_every_replica_that_the_settings_name_is_asked(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, nobody = free_port(), free_port()
    monkeypatch.setenv("CARILLON_PEERS_CRM", f"ipv4:{LOOPBACK}:{port},{LOOPBACK}:{nobody}")
    door = TcpDoor(service="crm", host=LOOPBACK, port=port, tls=own(env), ageing=Ageing())
    server = RpcServer(door=door, faces=[])
    await server.start()
    try:
        async with AsyncExitStack() as stack:
            place = await in_cluster(("crm",), stack, login="crm")
            found = words(await around.parts(place))
            assert f"crm at {LOOPBACK}:{nobody} does not answer (UNAVAILABLE)." in found
            assert not any(f"{LOOPBACK}:{port}" in each for each in found)
            assert any(each.startswith("gateway at 127.0.0.1:1 ") for each in found)
            certificates = words(await around.certificates(place))
            assert any(each.startswith(f"No TLS at {LOOPBACK}:{nobody}") for each in certificates)
            assert not any(f"{LOOPBACK}:{port}" in each for each in certificates)
    finally:
        await server.stop()


async def test_the_database_is_asked_as_the_service_whose_password_is_known(
    env: dict[str, str],
) -> None:
    async with AsyncExitStack() as stack:
        place = await in_cluster(("crm",), stack, login="crm")
        assert words(await keeping.migrations(place)) == []
        assert await around.clocks(place) == []
        wrong = replace(
            place, database=DatabaseURL(env["CARILLON_DATABASE_URL"], "not the password")
        )
        (told,) = words(await keeping.migrations(wrong))
    assert told.startswith("The database cannot be asked")


async def test_an_own_certificate_that_has_ended_is_a_finding_and_no_end(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = datetime.now(UTC) - 2 * LIFE
    old = await asyncio.to_thread(
        certify, tmp_path / "old", host="here", names=(f"*.{DOMAIN}",), now=long_ago
    )
    for setting, path in (
        ("CA", old.authority),
        ("CERT", old.certificate),
        ("KEY", old.key),
    ):
        monkeypatch.setenv(f"CARILLON_TLS_{setting}", str(path))
    assert env["CARILLON_TLS_CERT"] != str(old.certificate)
    async with AsyncExitStack() as stack:
        place = replace(await in_cluster(("crm",), stack, login="crm"), tls=())
        found = words(await around.certificates(place))
    assert found[0].startswith("The own certificate cannot be used: CARILLON_TLS_CERT ended at")
    assert any(str(old.certificate) in each and "expired on" in each for each in found)
    assert place.services == {}
