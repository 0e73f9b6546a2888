"""Kafka behind TLS, with certificates and with passwords; what is wrong is said at the start."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.chassis.bus_kafka import BusRefused, BusUnreachable, KafkaAddress, KafkaBus
from services.chassis.bus_kafka_address import Security
from services.chassis.cluster import prove_all
from services.launcher.parts.kafka import KafkaServer, Listener
from services.launcher.ports import LOOPBACK, free_port
from tests.ports.test_bus import TOPIC, event, read
from tests.stage.authority import Authority, Identity
from tests.stage.kafka import FAST, alone

PATIENCE_S = 60.0
"""Far shorter than what a start may take: what is refused is not waited for."""
USER, PASSWORD = "carillon", "for this test alone"
JAAS = "org.apache.kafka.common.security"


@dataclass(frozen=True, slots=True)
class Guarded:
    """A broker with a listener for certificates and one for passwords."""

    authority: Authority
    client: Identity
    tls_port: int
    sasl_port: int

    def by_certificate(self) -> KafkaAddress:
        """Both sides show one."""
        return replace(
            alone((f"{LOOPBACK}:{self.tls_port}",)),
            security="ssl",
            ca_file=self.client.ca,
            cert_file=self.client.cert,
            key_file=self.client.key,
            start_limit_s=2.0,
        )

    def by_password(self, security: Security, password: str = PASSWORD) -> KafkaAddress:
        """Only the broker shows a certificate."""
        return replace(
            alone((f"{LOOPBACK}:{self.sasl_port}",)),
            security=security,
            ca_file=self.client.ca,
            user=USER,
            password=SecretStr(password),
            start_limit_s=2.0,
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded() -> AsyncIterator[Guarded]:
    with tempfile.TemporaryDirectory(prefix="carillon-kafka-tls-") as made:
        folder = Path(made)
        authority = Authority(folder / "authority")
        broker = authority.identity(LOOPBACK, file="broker")
        store = folder / "broker.pem"
        store.write_text(broker.key.read_text() + broker.cert.read_text())
        store.chmod(0o600)
        tls = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(broker.ca),
        }
        sasl = {
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "plain.sasl.jaas.config": (
                f'{JAAS}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
            ),
            "scram-sha-512.sasl.jaas.config": f"{JAAS}.scram.ScramLoginModule required;",
        }
        ports = free_port(), free_port()
        server = KafkaServer(
            folder / "kafka",
            listeners=(
                Listener("TLS", "SSL", ports[0], {**tls, "ssl.client.auth": "required"}),
                Listener("LOGIN", "SASL_SSL", ports[1], {**tls, **sasl}),
            ),
            users={USER: PASSWORD},
            settings=FAST,
        )
        async with server:
            yield Guarded(authority, authority.identity("acd.carillon.internal"), *ports)


async def goes_through(address: KafkaAddress) -> None:
    bus = KafkaBus(address, name="here")
    await bus.open((TOPIC,))
    await bus.publish(TOPIC, [event(1), event(2)])
    assert await read(bus, "g", 2) == [event(1), event(2)]
    await bus.close()


async def refused(address: KafkaAddress) -> str:
    """What a process that asks again and again says of it at its start."""
    bus = KafkaBus(address, name="here")
    with pytest.raises(BusRefused) as error:
        async with asyncio.timeout(PATIENCE_S):
            await prove_all({"CARILLON_KAFKA_BROKERS": bus.open}, limit_s=100 * PATIENCE_S)
    await bus.close()
    said = str(error.value)
    assert PASSWORD not in said
    assert said.startswith(f"CARILLON_KAFKA_BROKERS: {address.brokers[0]}: ")
    return said


@pytest.mark.asyncio(loop_scope="module")
async def test_events_go_by_tls_with_certificates_of_both_sides(guarded: Guarded) -> None:
    await goes_through(guarded.by_certificate())


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("security", ["sasl_plain", "scram_sha_512"])
async def test_events_go_by_tls_with_a_password(guarded: Guarded, security: Security) -> None:
    await goes_through(guarded.by_password(security))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("security", ["sasl_plain", "scram_sha_512"])
async def test_a_wrong_password_is_said(guarded: Guarded, security: Security) -> None:
    said = await refused(guarded.by_password(security, "wrong"))
    assert "Authentication failed" in said
    assert "CARILLON_KAFKA_PASSWORD" in said
    assert "wrong" not in said


@pytest.mark.asyncio(loop_scope="module")
async def test_a_broker_that_another_authority_vouches_for_is_not_believed(
    guarded: Guarded, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "Another authority").identity("acd.carillon.internal")
    said = await refused(replace(guarded.by_certificate(), ca_file=stranger.ca))
    assert "certificate verify failed" in said
    assert "CARILLON_KAFKA_CA" in said


@pytest.mark.asyncio(loop_scope="module")
async def test_without_a_certificate_that_the_broker_asks_for_nothing_goes(
    guarded: Guarded,
) -> None:
    address = replace(guarded.by_certificate(), cert_file=None, key_file=None)
    assert "does it want CARILLON_KAFKA_CERT?" in await unreachable(address)


@pytest.mark.asyncio(loop_scope="module")
async def test_who_speaks_without_tls_where_there_is_some_is_told_of_it(guarded: Guarded) -> None:
    clear = replace(guarded.by_certificate(), security="plaintext")
    assert "does it want TLS (CARILLON_KAFKA_SECURITY)?" in await unreachable(clear)


async def unreachable(address: KafkaAddress) -> str:
    """What is said of a broker that closes connections without a word, as one does that starts."""
    bus = KafkaBus(address, name="here")
    with pytest.raises(BusUnreachable) as error:
        await bus.open((TOPIC,))
    await bus.close()
    return str(error.value)
