"""Where Kafka is, how to log in, and what its topics must be like."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import SecretStr

from services.chassis.errors import CarillonError, Kind

MAX_BROKERS = 32
Security = Literal["plaintext", "ssl", "sasl_plain", "scram_sha_256", "scram_sha_512"]
_MECHANISMS = {
    "sasl_plain": "PLAIN",
    "scram_sha_256": "SCRAM-SHA-256",
    "scram_sha_512": "SCRAM-SHA-512",
}
_PREFIX = re.compile(r"[a-z0-9._-]{0,64}")


class BadKafkaAddress(CarillonError):
    """A value cannot be used; the text begins with its name."""

    code: ClassVar[str] = "bad-kafka-address"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """How a process reaches Kafka. Made only of values that fit together; BadKafkaAddress."""

    brokers: tuple[str, ...]
    """Some of the brokers, each `host:port`; the others are learnt from them."""
    security: Security = "plaintext"
    """How connections are protected; all that has a user is over TLS."""
    ca_file: Path | None = None
    """The authority that signed the brokers' certificates, PEM; None: those of the system."""
    cert_file: Path | None = None
    """This client's certificate, PEM, where the brokers ask for one."""
    key_file: Path | None = None
    """Its private key, PEM."""
    user: str = ""
    """Who logs in, with `sasl_plain` and `scram_…`."""
    password: SecretStr | None = None
    """The user's."""
    prefix: str = ""
    """Before the names of all topics and groups, where installations share one Kafka."""
    replication: int = 3
    """Copies of each event, on as many brokers."""
    min_in_sync: int = 2
    """Copies that must be written before an event counts as published."""
    retention_hours: int = 168
    """How long events are kept, read or not. A consumer that is away for longer misses some."""
    publish_limit_s: float = 10.0
    """For events to be written, seconds; then `publish` raises BusUnavailable."""
    start_limit_s: float = 30.0
    """For the brokers to answer when a process starts, seconds."""
    session_s: float = 10.0
    """After so many seconds of silence, a consumer's partitions are read by others."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.brokers) <= MAX_BROKERS:
            raise BadKafkaAddress(f"brokers: {len(self.brokers)} are named, from 1 to 32 can be")
        for broker in self.brokers:
            split(broker)
        if not _PREFIX.fullmatch(self.prefix):
            raise BadKafkaAddress(f"prefix: {self.prefix!r} is not of a-z, 0-9, '.', '_' and '-'")
        if self.security in _MECHANISMS and not (self.user and self.password):
            raise BadKafkaAddress(f"user and password: {self.security} needs both")
        if bool(self.cert_file) != bool(self.key_file):
            raise BadKafkaAddress("cert_file and key_file: one needs the other")
        if not 1 <= self.min_in_sync <= self.replication:
            raise BadKafkaAddress(
                f"min_in_sync: {self.min_in_sync} of {self.replication} copies cannot be asked for"
            )
        if self.retention_hours < 1:
            raise BadKafkaAddress("retention_hours: at least 1")
        self.tls()

    def tls(self) -> ssl.SSLContext | None:
        """The files as they are now, for new connections; None: without TLS. BadKafkaAddress."""
        if self.security == "plaintext":
            return None
        files = {"CA": self.ca_file, "CERT": self.cert_file, "KEY": self.key_file}
        for name, path in files.items():
            if path is not None and not path.is_file():
                raise BadKafkaAddress(f"CARILLON_KAFKA_{name}: {path} is not there")
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert_file and self.key_file:
                context.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ValueError) as error:
            raise BadKafkaAddress(f"CARILLON_KAFKA_CA, _CERT or _KEY: {error}") from None
        return context

    def client(self, name: str) -> dict[str, Any]:
        """What every client of the library is told; `name` is shown in the brokers' logs."""
        with_user = self.security in _MECHANISMS
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.brokers),
            "client_id": name,
            "ssl_context": self.tls(),
            "security_protocol": "SASL_SSL" if with_user else self.security.upper(),
        }
        if with_user:
            assert self.password is not None
            options |= {
                "sasl_mechanism": _MECHANISMS[self.security],
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password.get_secret_value(),
            }
        return options


def split(broker: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[address]:port`; BadKafkaAddress."""
    host, colon, port = broker.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise BadKafkaAddress(f"brokers: {broker!r} is not host:port")
    return host.strip("[]"), int(port)
