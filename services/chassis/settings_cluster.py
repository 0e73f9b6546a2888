"""What a process needs to know in a cluster: where its parts are, and who it is to the others."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from services.chassis.rpc_door import Ageing
from services.chassis.settings import Settings, checked_secret
from services.chassis.tls import DOMAIN, ServiceTLS

PEERS = ("acd", "ivr", "recording", "crm", "analytics", "portal", "gateway")
"""Who can be called."""
SCHEMES = ("dns:///", "ipv4:", "ipv6:")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class ClusterSettings(Settings):
    """Settings of a process in the world `cluster`; those of Kafka and S3 are apart."""

    database_url: SecretStr = SecretStr("")
    """postgresql://[user[:password]@]host[:port]/database[?sslmode=verify-full&sslrootcert=file];
    without a user the service's own role. A gateway needs none."""
    database_password: SecretStr = SecretStr("")
    """The password, where the URL has none."""
    database_pool: int = Field(8, ge=2, le=500)
    """Connections of this process at most."""
    listen: str = "0.0.0.0:7000"
    """Where this process serves gRPC: an address of this machine and a port."""
    advertised: str = ""
    """host:port that the other processes reach just this one at, for example the pod's address."""
    peers: str = ""
    """Where services are, with `{name}` for each: dns:///carillon-{name}-headless:7000."""
    peers_acd: str = ""
    """Where acd is, in place of `peers`; also a list: ipv4:10.0.0.1:7000,10.0.0.2:7000."""
    peers_ivr: str = ""
    """Where ivr is."""
    peers_recording: str = ""
    """Where recording is."""
    peers_crm: str = ""
    """Where crm is."""
    peers_analytics: str = ""
    """Where analytics is."""
    peers_portal: str = ""
    """Where portal is."""
    peers_gateway: str = ""
    """Where the gateways are, for what no call decides."""
    peers_edge: str = ""
    """Where the one edge is that gateways announce themselves to as `edge`; of several each is
    named by its own address in CARILLON_GATEWAY_EDGES."""
    tls_ca: Path | None = None
    """PEM: the authority of the installation's own that all certificates are signed by."""
    tls_cert: Path | None = None
    """PEM: this process's certificate; a renewed file is read without a restart."""
    tls_key: Path | None = None
    """PEM: its private key, without a password."""
    tls_domain: str = Field(DOMAIN, pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=200)
    """What certificates name services in: `<service>.<domain>`, or `*.<domain>`."""
    insecure: bool = False
    """True: no TLS between services. Only where nobody else can reach their network."""
    connection_age_s: float = Field(300.0, ge=1, le=86_400)
    """How long a client keeps a connection before it looks for replicas anew."""
    connection_grace_s: float = Field(3_600.0, ge=1, le=86_400)
    """How long streams on an aged connection go on; longer than nearly all calls."""
    start_limit_s: float = Field(30.0, ge=0, le=3_600)
    """How long database, broker and storage are tried at the start before it is given up; 0: the
    process starts without them."""

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, given: SecretStr) -> SecretStr:
        # Never with what was given: it has a password in it.
        text = given.get_secret_value()
        if text:
            _database_url(text)
        return given

    @field_validator("listen", "advertised")
    @classmethod
    def _is_host_and_port(cls, given: str) -> str:
        if given:
            host_and_port(given)
        return given

    @field_validator("peers", "peers_edge", *(f"peers_{name}" for name in PEERS))
    @classmethod
    def _is_target(cls, given: str) -> str:
        if given and not given.startswith(SCHEMES):
            raise ValueError(f"begins with one of {', '.join(SCHEMES)}")
        return given

    @field_validator("peers")
    @classmethod
    def _names_each(cls, given: str) -> str:
        if given and "{name}" not in given:
            raise ValueError("needs {name}, which stands for each service")
        return given

    @field_validator("peers_edge")
    @classmethod
    def _is_one(cls, given: str) -> str:
        # Asked in turn, each edge would forget a gateway while others are told of it.
        if "," in given:
            raise ValueError("is one edge; CARILLON_GATEWAY_EDGES names each of several")
        return given

    @model_validator(mode="after")
    def _is_secure(self) -> Self:
        files = {
            "CARILLON_TLS_CA": self.tls_ca,
            "CARILLON_TLS_CERT": self.tls_cert,
            "CARILLON_TLS_KEY": self.tls_key,
        }
        missing = [name for name, path in files.items() if path is None]
        if missing and not self.insecure:
            raise ValueError(
                f"{', '.join(missing)}: services in a cluster know each other by certificates;"
                " CARILLON_INSECURE=1 does without"
            )
        if self.insecure and len(missing) < len(files):
            raise ValueError("CARILLON_INSECURE and CARILLON_TLS_*: set one of them")
        return self

    @model_validator(mode="after")
    def _knows_its_peers(self) -> Self:
        unknown = [name for name in PEERS if not self.target_of(name)]
        if unknown:
            raise ValueError(
                "CARILLON_PEERS says where services are, for example"
                f" dns:///carillon-{{name}}-headless:7000; nothing says where {unknown[0]} is"
            )
        if not self.advertised:
            raise ValueError(
                "CARILLON_ADVERTISED says where others reach this process, for example"
                " 10.1.2.3:7000"
            )
        return self

    @model_validator(mode="after")
    def _has_a_good_password(self) -> Self:
        text = self.database_url.get_secret_value()
        inside = _database_url(text).password if text else None
        apart = self.database_password.get_secret_value()
        if inside and apart:
            raise ValueError("CARILLON_DATABASE_URL has a password, CARILLON_DATABASE_PASSWORD too")
        if text and not (inside or apart):
            raise ValueError("CARILLON_DATABASE_PASSWORD is missing, and the URL has none")
        if inside:
            checked_secret("the password in CARILLON_DATABASE_URL", unquote(inside))
        if apart:
            checked_secret("CARILLON_DATABASE_PASSWORD", apart)
        return self

    def target_of(self, name: str) -> str:
        """Where all replicas of a service are, as gRPC wants it; empty: nothing says so."""
        own = str(getattr(self, f"peers_{name}", ""))
        return own or self.peers.replace("{name}", name)

    @property
    def ageing(self) -> Ageing:
        """How long connections live."""
        return Ageing(age_s=self.connection_age_s, grace_s=self.connection_grace_s)

    def service_tls(self) -> ServiceTLS | None:
        """What services know each other by; None: nothing, as was asked. BadServiceTLS."""
        if self.tls_ca is None or self.tls_cert is None or self.tls_key is None:
            return None
        return ServiceTLS(
            authority=self.tls_ca,
            certificate=self.tls_cert,
            key=self.tls_key,
            domain=self.tls_domain,
        )


def host_and_port(given: str) -> tuple[str, int]:
    """Both parts of `host:port` or `[v6]:port`; ValueError."""
    host, colon, port = given.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdecimal():
        raise ValueError(f"{given!r} is not host:port")
    if not 0 < int(port) <= 65_535:
        raise ValueError(f"{port} is no port")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"{given!r}: write an IPv6 address as [address]:port")
    return host, int(port)


def target_at(address: str) -> str:
    """The gRPC target of one `host:port`."""
    host, port = host_and_port(address)
    try:
        known = ip_address(host.strip("[]"))
    except ValueError:
        return f"dns:///{host}:{port}"
    return f"{'ipv6' if isinstance(known, IPv6Address) else 'ipv4'}:{host}:{port}"


def _database_url(text: str) -> SplitResult:
    """The parts of a URL that is PostgreSQL's; ValueError without its text."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 (raises where it is no number)
    except ValueError:
        raise ValueError("is no URL: write postgresql://host:5432/carillon") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("begins with postgresql://")
    if not parts.hostname or len(parts.path) < 2:
        raise ValueError("needs a host and a database: postgresql://host:5432/carillon")
    mode = parse_qs(parts.query).get("sslmode", ["prefer"])[-1]
    if mode not in _SSL_MODES:
        raise ValueError(f"sslmode={mode}: choose from {', '.join(_SSL_MODES)}")
    return parts
