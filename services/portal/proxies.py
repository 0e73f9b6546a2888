"""Who is behind a proxy: what an `X-Forwarded-For` says counts only where the proxy is trusted."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

FORWARDED: Final = "x-forwarded-for"
MAX_HOPS = 16
"""Addresses of one header that are looked at, from the nearest."""

Network = IPv4Network | IPv6Network


def networks_of(text: str) -> tuple[Network, ...]:
    """Addresses and networks with commas between them; ValueError names the one that is none."""
    return tuple(ip_network(each.strip(), strict=False) for each in text.split(",") if each.strip())


class TrustedProxies:
    """Proxies that are believed, by their networks; none: nobody is."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = tuple(networks)

    def client(self, peer: str, forwarded: Iterable[str]) -> str:
        """The address of whoever asks: the nearest that is no trusted proxy.

        `forwarded` are the values of X-Forwarded-For in their order. Each proxy adds the one it
        heard from at the end, so what a stranger wrote there stands before what can be believed.
        """
        nearest = peer
        if not self._trusts(peer):
            return nearest
        hops = [hop.strip() for value in forwarded for hop in value.split(",")]
        for hop in hops[: -MAX_HOPS - 1 : -1]:
            if _address(hop) is None:
                break
            nearest = hop
            if not self._trusts(hop):
                break
        return nearest

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._networks)

    def __bool__(self) -> bool:
        return bool(self._networks)


class Unproxied:
    """An application that sees who asks in place of the proxy that passes it on."""

    def __init__(self, *, app: ASGIApp, proxies: TrustedProxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request or a WebSocket (ASGI)."""
        if scope["type"] in {"http", "websocket"} and scope.get("client"):
            peer, port = scope["client"]
            given = [
                value.decode("latin-1")
                for name, value in scope["headers"]
                if name == FORWARDED.encode()
            ]
            client = self._proxies.client(peer, given)
            scope = {**scope, "client": (client, port if client == peer else 0)}
        await self._app(scope, receive, send)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
