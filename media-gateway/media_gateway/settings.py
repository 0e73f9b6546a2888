"""What a gateway can be told from outside; every variable begins with CARILLON_GATEWAY_."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from media_gateway.webrtc.model import MAX_ADDRESSES, BrowserAddress
from services.chassis.settings import Settings
from services.chassis.settings_cluster import SCHEMES

MAX_EDGES = 16
"""Each is told each second."""
EDGE_NAME = re.compile("edge[a-z0-9-]{0,32}")
"""What an edge of this machine may be called."""
PORTS_PER_CALL = 4
"""Two legs, each with RTP and RTCP."""


class GatewaySettings(Settings):
    """Settings of one gateway process."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_GATEWAY_", extra="forbid", frozen=True)

    sip_host: str = "127.0.0.1"
    """The address that SIP is received at."""
    sip_port: int = Field(default=5060, ge=0, le=65_535)
    """Its UDP port; 0: any that is free, told in the log and in gateway.json."""
    sip_advertised: str = ""
    """The host that others reach it by, where that is another; empty: `sip_host`."""
    media_host: str = ""
    """The address that audio is received at; empty: `sip_host`."""
    media_advertised: str = ""
    """The address written into SDP, where that is another; empty: `media_host`."""
    rtp_port_first: int = Field(default=20_000, ge=1_024, le=65_534)
    """The first port for audio."""
    rtp_port_last: int = Field(default=29_999, ge=1_025, le=65_535)
    """The last port for audio; each leg takes two."""
    strict_media: bool = False
    """Whether audio is taken only from the address that SDP names, even behind a NAT."""
    media_timeout_ms: int = Field(default=30_000, ge=1_000, le=3_600_000)
    """Neither audio nor reports for so long: the leg is released."""
    webrtc_addresses: tuple[str, ...] = ()
    """Addresses that agents' browsers reach this gateway at, the best first; each a numeric
    address of this machine, or address=outer address behind a one-to-one NAT. Empty: loopback and
    all IPv4 addresses of this machine."""
    webrtc_silence_ms: int = Field(default=5_000, ge=500, le=30_000)
    """Nothing at all from a browser for so long: its connection is lost."""
    rejoin_ms: int = Field(default=30_000, ge=0, le=600_000)
    """For an agent's browser to come back into a conversation, while the caller hears music."""
    max_calls: int = Field(default=500, ge=1, le=100_000)
    """Calls at once; further ones get 503."""
    retry_after_s: int = Field(default=5, ge=1, le=3_600)
    """What a 503 asks the other side to wait."""
    drain_limit_s: float = Field(default=3_600.0, gt=0, le=86_400)
    """How long live calls may take to finish once the gateway drains."""
    agent_no_response_ms: int = Field(default=2_500, ge=100, le=60_000)
    """For an agent's phone to ring or refuse. Less than the 3 s after which routing gives up a
    delivery, so that a phone that is switched off is called unreachable by who knows it."""
    flow_patience_ms: int = Field(default=10_000, ge=2_000, le=600_000)
    """For an interpreter to come back to a caller who speaks with nobody; then the apology."""
    test_call_untaken_ms: int = Field(default=120_000, ge=1_000, le=600_000)
    """For a person to take a test call; then it hangs up."""
    edges: tuple[str, ...] = ()
    """The SIP edges that this gateway announces itself to, each by its name or, in a cluster, by
    its own address (ipv4:10.0.0.7:7000); by them it rings phones and trunks, and it believes what
    they assert."""
    trusted_edges: tuple[str, ...] = ()
    """Addresses whose X-Carillon-Trunk and P-Asserted-Identity are believed."""
    outbound_allow: tuple[str, ...] = ("127.0.0.0/8",)
    """Networks (CIDR) and host names that agents' phones may be at."""
    dial_allow: tuple[str, ...] = ()
    """Numbers and SIP URIs that a flow may dial; `*` and `?` as in file names."""
    outbound_proxy: str = ""
    """host[:port] that dialled numbers are sent to."""
    outbound_user: str = ""
    """Who the gateway is to the outbound trunk; empty: it is not asked."""
    outbound_password: SecretStr = SecretStr("")
    """How it proves that."""
    prompt_cache_bytes: int = Field(default=64 * 1024 * 1024, ge=1024 * 1024)
    """Memory for audio that was played."""

    gateway_id: str = Field(default="g1", pattern="^[a-z0-9]{1,8}$")
    """What the tags of this gateway's dialogs begin with, so that they name it."""
    face: str = Field(default="gateway", pattern="^gateway[a-z0-9-]{0,32}$")
    """What this gateway's socket and folder are called, where several are on one machine."""
    metrics_port: int | None = Field(default=None, ge=-1, le=65_535)
    """The port of this gateway's metrics, where CARILLON_METRICS_PORT is another process's; 0: any
    that is free, -1: none is shown."""
    spool_max_bytes: int = Field(default=2 * 1024**3, ge=0)
    """What recordings may take on disk while the recording service is away."""
    spool_min_free_bytes: int = Field(default=256 * 1024**2, ge=0)
    """What recordings leave free on that disk."""

    @field_validator("sip_host", "media_host", "media_advertised")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value:
            ip_address(value)
        return value

    @field_validator("webrtc_addresses")
    @classmethod
    def _are_browser_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > MAX_ADDRESSES:
            raise ValueError(f"at most {MAX_ADDRESSES} addresses")
        for text in value:
            BrowserAddress.parse(text)
        return value

    @field_validator("edges")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > MAX_EDGES:
            raise ValueError(f"at most {MAX_EDGES} edges")
        for text in value:
            if not (EDGE_NAME.fullmatch(text) or text.startswith(SCHEMES)):
                raise ValueError(
                    f"{text!r} is no edge: write edge, or its address as {' or '.join(SCHEMES)}..."
                )
            if "," in text:
                raise ValueError(f"{text!r} is more than one edge: each is told by itself")
        if len(set(value)) < len(value):
            raise ValueError("an edge is there twice")
        return value

    @field_validator("trusted_edges")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ip_address(text)
        return value

    @model_validator(mode="after")
    def _has_ports(self) -> Self:
        if self.rtp_port_last <= self.rtp_port_first:
            raise ValueError(
                f"CARILLON_GATEWAY_RTP_PORT_LAST, {self.rtp_port_last}, must be above"
                f" CARILLON_GATEWAY_RTP_PORT_FIRST, {self.rtp_port_first}"
            )
        room = (self.rtp_port_last - self.rtp_port_first + 1) // PORTS_PER_CALL
        # Unless calls were asked for, as many are taken as there is room for.
        if room < self.max_calls and "max_calls" in self.model_fields_set:
            raise ValueError(
                f"CARILLON_GATEWAY_RTP_PORT_FIRST to _LAST is room for {room} calls,"
                f" CARILLON_GATEWAY_MAX_CALLS asks for {self.max_calls}: a call takes"
                f" {PORTS_PER_CALL} ports"
            )
        return self

    @property
    def browser_addresses(self) -> tuple[BrowserAddress, ...]:
        """Those named in `webrtc_addresses`."""
        return tuple(BrowserAddress.parse(text) for text in self.webrtc_addresses)

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks among `outbound_allow`."""
        found = (_network(text) for text in self.outbound_allow)
        return tuple(network for network in found if network)

    @property
    def hosts(self) -> frozenset[str]:
        """The host names among `outbound_allow`."""
        return frozenset(text.lower() for text in self.outbound_allow if not _network(text))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None
