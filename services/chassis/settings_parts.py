"""Where the bus and the storage of a cluster are, and how to log in there."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import Settings, checked_secret
from services.chassis.settings_cluster import host_and_port

MAX_BROKERS = 32
MAX_RETENTION_DAYS = 36_500


class KafkaSettings(Settings):
    """The bus of a cluster: `CARILLON_KAFKA_BROKERS` and so on."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_KAFKA_", extra="forbid", frozen=True)

    brokers: str = Field(min_length=3, max_length=4_096)
    """Some of the brokers, each `host:port`, with commas; the others are learnt from them."""
    security: Literal["plaintext", "ssl", "sasl_plain", "scram_sha_256", "scram_sha_512"] = "ssl"
    """How connections are protected; all that has a user is over TLS."""
    ca: Path | None = None
    """PEM: the authority that signed the brokers' certificates; none: those of the system."""
    cert: Path | None = None
    """PEM: this client's certificate, where the brokers ask for one."""
    key: Path | None = None
    """PEM: its private key."""
    user: str = ""
    """Who logs in, with `sasl_plain` and `scram_…`."""
    password: SecretStr = SecretStr("")
    """The user's."""
    prefix: str = Field("", pattern=r"^[a-z0-9._-]{0,64}$")
    """Before the names of all topics and groups, where installations share one Kafka."""
    replication: int = Field(3, ge=1, le=32)
    """Copies of each event, on as many brokers."""
    min_in_sync: int = Field(2, ge=1, le=32)
    """Copies that must be written before an event counts as published."""
    retention_hours: int = Field(168, ge=1, le=876_000)
    """How long events are kept, read or not. A consumer that is away for longer misses some."""

    @field_validator("brokers")
    @classmethod
    def _are_hosts_and_ports(cls, given: str) -> str:
        listed = _listed(given)
        if not 1 <= len(listed) <= MAX_BROKERS:
            raise ValueError(f"{len(listed)} brokers, from 1 to {MAX_BROKERS} can be named")
        for each in listed:
            host_and_port(each)
        return given

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        password = self.password.get_secret_value()
        with_user = self.security not in ("plaintext", "ssl")
        if with_user and not (self.user and password):
            raise ValueError(
                f"CARILLON_KAFKA_SECURITY={self.security} needs CARILLON_KAFKA_USER and"
                " CARILLON_KAFKA_PASSWORD"
            )
        if with_user:
            checked_secret("CARILLON_KAFKA_PASSWORD", password)
        elif self.user or password:
            raise ValueError(
                f"CARILLON_KAFKA_USER and CARILLON_KAFKA_PASSWORD are of no use with"
                f" CARILLON_KAFKA_SECURITY={self.security}"
            )
        if (self.cert is None) != (self.key is None):
            raise ValueError("CARILLON_KAFKA_CERT and CARILLON_KAFKA_KEY come together")
        if self.min_in_sync > self.replication:
            raise ValueError(
                f"CARILLON_KAFKA_MIN_IN_SYNC={self.min_in_sync} is more than"
                f" CARILLON_KAFKA_REPLICATION={self.replication}"
            )
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Each of the brokers."""
        return _listed(self.brokers)


class S3Settings(Settings):
    """The storage of a cluster: `CARILLON_S3_ENDPOINT` and so on."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_S3_", extra="forbid", frozen=True)

    endpoint: str = Field(min_length=8, max_length=1_024)
    """`https://s3.example:9000`; nothing after the port."""
    access_key: str = Field(min_length=1, max_length=256)
    """Who asks."""
    secret_key: SecretStr
    """How that is proved."""
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    """The one bucket; each use has its own prefix in it."""
    region: str = Field("us-east-1", min_length=1, max_length=64)
    """The bucket's."""
    ca: Path | None = None
    """PEM: who vouches for the server's certificate; none: whom this machine trusts."""
    path_style: bool = True
    """The bucket is in the URL's path; false: it is part of the host's name."""
    worm: bool = False
    """What closes a case is written once: the bucket needs a lock, which is tried at the start."""
    retention_days: int = Field(365, ge=1, le=MAX_RETENTION_DAYS)
    """How long it is held then, from the moment of writing."""
    threads: int = Field(8, ge=1, le=64)
    """Requests at once."""
    cache_mb: int = Field(64, ge=0, le=1_000_000)
    """MiB of `var_dir` for blobs that this process has read, prompts above all; 0: none."""
    key_file: Path | None = None
    """Private keys that blobs are sealed for; none: blobs are kept as they are."""

    @field_validator("endpoint")
    @classmethod
    def _is_url(cls, given: str) -> str:
        try:
            parts = urlsplit(given)
            parts.port  # noqa: B018 (raises where it is no number)
        except ValueError:
            raise ValueError("is no URL: write https://s3.example:9000") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("begins with https:// or http://, and names a host")
        if parts.username or parts.path.strip("/") or parts.query:
            raise ValueError("has more than a host and a port")
        return given

    @field_validator("secret_key")
    @classmethod
    def _is_secret(cls, given: SecretStr) -> SecretStr:
        checked_secret("CARILLON_S3_SECRET_KEY", given.get_secret_value())
        return given


def _listed(given: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in given.split(",") if part.strip())
