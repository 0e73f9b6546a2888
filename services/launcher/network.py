"""This machine as others on its network know it."""

from __future__ import annotations

import fcntl
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind
from services.launcher.ports import LOOPBACK

_ELSEWHERE = ("198.51.100.1", 9)
"""An address that nobody has (RFC 5737); nothing is sent there."""
_GET_ADDRESS = 0x8915
"""SIOCGIFADDR of Linux: an interface's address."""
_ADDRESS_AT = slice(20, 24)
_LOCAL_DOMAIN = ".local"


class NoNetwork(CarillonError):
    """This machine has no address that others could reach, or not the one that was named."""

    code: ClassVar[str] = "no-network"
    kind: ClassVar[Kind] = Kind.PRECONDITION


@dataclass(frozen=True, slots=True)
class Lan:
    """Where this machine is reached from its network."""

    address: str
    """An IPv4 address of its own."""
    host: str
    """What it is called."""

    @property
    def names(self) -> tuple[str, ...]:
        """What people may type to reach it, the address first."""
        own = (self.host, self.host + _LOCAL_DOMAIN) if "." not in self.host else (self.host,)
        return (self.address, *own, "localhost", LOOPBACK)


def find_lan(address: str = "") -> Lan:
    """This machine on its network, by the named address or the one that leads out; NoNetwork."""
    found = address or _outward() or _first_of_all()
    if not found:
        raise NoNetwork(
            "this machine has no address but loopback: connect it to a network, or name one of its "
            "addresses with --address"
        )
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((str(IPv4Address(found)), 0))
    except (OSError, ValueError):
        raise NoNetwork(f"{found} is no IPv4 address of this machine") from None
    return Lan(found, _host())


def _outward() -> str:
    """The address that packets to elsewhere leave from; empty when there is no way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
    return address if _reachable(address) else ""


def _first_of_all() -> str:
    """The first address of any interface that others could reach; empty when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(asking, _GET_ADDRESS, request)
            except OSError:
                continue  # it has none
            address = socket.inet_ntoa(answer[_ADDRESS_AT])
            if _reachable(address):
                return address
    return ""


def _reachable(text: str) -> bool:
    address = ip_address(text)
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def _host() -> str:
    """What the machine is called, where that can stand in a certificate."""
    name = socket.gethostname().lower()
    labels = name.split(".")
    fit = all(
        0 < len(label) < 64 and label.isascii() and label.replace("-", "a").isalnum()
        for label in labels
    )
    return name if fit and len(name) < 254 else "localhost"
