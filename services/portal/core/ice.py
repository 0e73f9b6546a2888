"""STUN and TURN servers for browsers, with credentials that last for a while.

Portal and the TURN server know a secret; the name holds when it ends, and the password proves that
portal made the name. Neither asks the other. coturn calls it `use-auth-secret`; it is described by
draft-uberti-behave-turn-rest-00, "A REST API For Access To TURN Services".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field

MAX_URLS = 8
_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?"
    r"(?P<transport>\?transport=(udp|tcp))?"
)
"""RFC 7064 and RFC 7065."""
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class IceServer:
    """One entry of a browser's list."""

    urls: tuple[str, ...]
    """Where it is: several ways to the same."""
    username: str = ""
    """Empty: nobody logs in there."""
    credential: str = field(default="", repr=False)
    """Its password."""


def ice_urls(text: str) -> tuple[str, ...]:
    """The URLs of a text, with commas between them; ValueError says what is wrong with which."""
    urls = tuple(url for url in (part.strip() for part in text.split(",")) if url)
    if len(urls) > MAX_URLS:
        raise ValueError(f"{len(urls)} URLs; {MAX_URLS} at most")
    for url in urls:
        match = _URL.fullmatch(url)
        if match is None or not 0 < int(match["port"] or 1) <= _LAST_PORT:
            raise ValueError(f"{url!r} is no URL like turn:turn.example.com:3478?transport=udp")
        if match["transport"] and match["scheme"].startswith("stun"):
            raise ValueError(f"{url!r}: STUN has no transport to choose")
    return urls


def needs_secret(urls: tuple[str, ...]) -> bool:
    """Whether one of them is a TURN server's: those relay for nobody unknown."""
    return any(url.startswith("turn") for url in urls)


def ice_servers(
    urls: tuple[str, ...], *, secret: str, user: str, now_ms: int, lifetime_s: int
) -> list[IceServer]:
    """The list for one user's browser."""
    stun = tuple(url for url in urls if url.startswith("stun"))
    turn = tuple(url for url in urls if url.startswith("turn"))
    servers = [IceServer(urls=stun)] if stun else []
    if turn:
        username = f"{now_ms // 1_000 + lifetime_s}:{user}"
        # SHA-1 is what TURN servers compute; as a MAC it is not broken (RFC 6194).
        mac = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
        servers.append(IceServer(turn, username, base64.b64encode(mac).decode()))
    return servers
