"""What of portal can be set from the environment."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import Settings, checked_secret
from services.portal.core.ice import ice_urls, needs_secret
from services.portal.core.password_rules import check_password
from services.portal.model.errors import WeakPassword
from services.portal.proxies import networks_of


class PortalSettings(Settings):
    """Where portal listens and what passwords cost: `CARILLON_PORTAL_HTTP_PORT` and so on."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_PORTAL_", extra="forbid", frozen=True)

    bind: str = Field("127.0.0.1", min_length=1, max_length=255)
    """The address that REST, the WebSocket and gRPC listen on."""
    http_bind: str = Field("", max_length=1_024)
    """Addresses, with commas, that REST and the WebSocket listen on; none: `bind`."""
    http_port: int = Field(8080, ge=0, le=65_535)
    """REST and the WebSocket; 0: any free port."""
    grpc_port: int = Field(8081, ge=0, le=65_535)
    """gRPC for integrators; 0: any free port."""
    port_fallback: bool = False
    """True: a port in use is replaced by a free one, and said."""
    trusted_proxies: str = Field("", max_length=4_096)
    """Addresses and networks of proxies whose X-Forwarded-For tells who asks; none: nobody's."""
    tls_cert: str = Field("", max_length=4_096)
    """A file with the certificate, in PEM, and those that lead to it; none: HTTP without TLS."""
    tls_key: str = Field("", max_length=4_096)
    """A file with its private key, in PEM and without a password."""
    tls_ca: str = Field("", max_length=4_096)
    """Where the certificate is signed by an authority of the installation's own: a file with that
    one's certificate, to be downloaded from `/ca.crt`."""
    password_memory_kib: int = Field(32_768, ge=8, le=1_048_576)
    """Memory of one Argon2id computation (RFC 9106)."""
    password_passes: int = Field(3, ge=1, le=20)
    """Its passes over that memory."""
    password_workers: int = Field(2, ge=1, le=64)
    """How many passwords are checked at once."""
    bootstrap_password: SecretStr | None = None
    """Of the platform's first administrator; none: a random one, told in `bootstrap.json`."""

    ice_urls: str = Field("", max_length=2_048)
    """STUN and TURN servers that browsers are told, with commas; none: gateways are reached
    straight."""
    ice_secret: SecretStr | None = None
    """What a TURN server and portal know, and nobody else: coturn's `static-auth-secret`."""
    ice_lifetime_s: int = Field(14_400, ge=300, le=86_400)
    """For so long a browser's credentials open new ways through it."""
    ice_relay_only: bool = False
    """True: browsers try the TURN server alone, where gateways' addresses lead nowhere."""

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, given: str) -> str:
        networks_of(given)
        return given

    @field_validator("ice_urls")
    @classmethod
    def _are_ice_urls(cls, given: str) -> str:
        ice_urls(given)
        return given

    @field_validator("ice_secret")
    @classmethod
    def _is_nobody_elses(cls, given: SecretStr | None) -> SecretStr | None:
        if given is None or not given.get_secret_value():
            return None
        checked_secret("CARILLON_PORTAL_ICE_SECRET", given.get_secret_value())
        return given

    @model_validator(mode="after")
    def _relays_for_whom_it_knows(self) -> Self:
        turn = needs_secret(ice_urls(self.ice_urls))
        if turn != bool(self.ice_secret):
            raise ValueError(
                "CARILLON_PORTAL_ICE_SECRET and a TURN server in CARILLON_PORTAL_ICE_URLS come"
                " together"
            )
        if self.ice_relay_only and not turn:
            raise ValueError(
                "CARILLON_PORTAL_ICE_RELAY_ONLY: CARILLON_PORTAL_ICE_URLS names no TURN server"
            )
        return self

    @model_validator(mode="after")
    def _comes_with_its_key(self) -> Self:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("CARILLON_PORTAL_TLS_CERT and CARILLON_PORTAL_TLS_KEY come together")
        if self.tls_ca and not self.tls_cert:
            raise ValueError("CARILLON_PORTAL_TLS_CA is of no use without CARILLON_PORTAL_TLS_CERT")
        return self

    @property
    def http_hosts(self) -> tuple[str, ...]:
        """Every address that REST and the WebSocket listen on; at least one."""
        named = (host.strip() for host in self.http_bind.split(","))
        return tuple(dict.fromkeys(host for host in named if host)) or (self.bind,)

    @field_validator("bootstrap_password")
    @classmethod
    def _is_good_enough(cls, given: SecretStr | None) -> SecretStr | None:
        if given is None or not given.get_secret_value():
            return None
        try:
            check_password(given.get_secret_value())
        except WeakPassword as error:
            raise ValueError(str(error)) from None
        return given
