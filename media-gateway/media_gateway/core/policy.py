"""Whom a gateway may ring: agents' endpoints by network, numbers outside by pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_address

from media_gateway.model import BROWSER, TargetRefused

EMERGENCY_NUMBERS = frozenset(
    {"000", "110", "112", "113", "117", "118", "119", "122", "911", "999"}
)
"""Never dialled by a wildcard: only a pattern that names the number itself allows it."""
MAX_TARGET = 256
_NUMBER = re.compile(r"\+?[0-9]{2,15}")
_SEPARATORS = str.maketrans("", "", "-.() ")
_URI = re.compile(
    r"sip:(?:(?P<user>[A-Za-z0-9_.!~*'()&=+$,;?/%-]{1,64})@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,128})"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<parameters>(?:;[A-Za-z0-9_.=-]{1,64}){0,8})"
)
_TRANSPORT = re.compile(r";transport=([^;]*)", re.IGNORECASE)

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class SipTarget:
    """A SIP URI taken apart far enough to judge it."""

    user: str
    """Empty when there is none."""
    host: str
    """Name or address, without brackets."""
    port: int
    """5060 unless named."""
    transport: str = "UDP"
    """UDP or TCP, as Via writes it."""


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """What may be rung, and by which way numbers go."""

    networks: tuple[Network, ...]
    """Where endpoints with numeric addresses may be."""
    hosts: frozenset[str] = frozenset()
    """Host names that endpoints may be at."""
    dial_patterns: tuple[str, ...] = ()
    """Numbers and SIP URIs that a flow may dial; `*` and `?` as in file names."""
    outbound_proxy: str = ""
    """host[:port] that numbers are sent to; empty: numbers cannot be dialled."""

    def agent_target(self, endpoint: str) -> str:
        """The SIP URI to ring for an agent, or `BROWSER`, which rings nobody; TargetRefused."""
        if endpoint == BROWSER:
            return endpoint
        target = parse_target(endpoint)
        if not self._reachable(target.host):
            raise TargetRefused(f"{target.host} is not among the addresses that may be rung")
        return endpoint

    def dial_target(self, target: str) -> str:
        """The SIP URI to ring for a number or URI outside; TargetRefused."""
        if target.startswith("sip:"):
            user = parse_target(target).user
            self._allow(target, user)
            return target
        number = target.translate(_SEPARATORS)
        if not _NUMBER.fullmatch(number):
            raise TargetRefused("neither a SIP URI nor a number")
        self._allow(number, number)
        if not self.outbound_proxy:
            raise TargetRefused(
                "no trunk is set up for numbers: see CARILLON_GATEWAY_OUTBOUND_PROXY"
            )
        return f"sip:{number}@{self.outbound_proxy}"

    def _allow(self, target: str, number: str) -> None:
        if number.lstrip("+") in EMERGENCY_NUMBERS:
            allowed = target in self.dial_patterns
        else:
            allowed = any(fnmatchcase(target, pattern) for pattern in self.dial_patterns)
        if not allowed:
            raise TargetRefused("not among what may be dialled: see CARILLON_GATEWAY_DIAL_ALLOW")

    def _reachable(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return host.lower() in self.hosts
        return any(address in network for network in self.networks)


def parse_target(uri: str) -> SipTarget:
    """A SIP URI's user, host and port; TargetRefused for anything else (`sips:` included)."""
    if len(uri) > MAX_TARGET:
        raise TargetRefused("longer than 256 characters")
    match = _URI.fullmatch(uri)
    if not match:
        raise TargetRefused("not a SIP URI")
    port = int(match["port"] or 5060)
    if not 0 < port < 65_536:
        raise TargetRefused(f"no such port: {port}")
    named = _TRANSPORT.search(match["parameters"])
    transport = named[1].upper() if named else "UDP"
    if transport not in {"UDP", "TCP"}:
        # Sent by another way than it asks for, a call might lose a protection that it counts on.
        raise TargetRefused(f"no way to send by {transport}")
    return SipTarget(match["user"] or "", match["host"].strip("[]"), port, transport)


def plain_number(user: str) -> str:
    """A telephone number without its visual separators (RFC 3966); other users as they are."""
    number = user.translate(_SEPARATORS)
    return number if re.fullmatch(r"\+?[0-9*#]{1,32}", number) else user
