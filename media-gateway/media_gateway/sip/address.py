"""Who and where: URIs, name-addresses and hosts (RFC 3261 sections 19.1, 20.10; RFC 3966).

Values keep the text they were read from (escapes, case, order of parameters), because a tag
or a remote target that is echoed in any other spelling is another tag or another target.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import unquote as percent_decode

from media_gateway.sip.grammar import (
    MalformedField,
    Params,
    closing_quote,
    is_token,
    parse_number,
    presentable,
    quote,
    unquote,
)

DEFAULT_PORT = 5060
"""Where SIP over UDP and TCP is sent when a URI or Via names no port."""

_REMEMBERED_CHARS = 256
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")
# `#` is not allowed unescaped, yet phones dial it; every alternative starts differently.
_USERINFO = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/:#]|%[0-9A-Fa-f]{2})+")
_HOST = re.compile(r"[A-Za-z0-9\-._]+|\[[0-9A-Fa-f:.]+\]")
_OPAQUE = re.compile('[^\\s<>"\x00-\x1f\x7f\udc80-\udcff]+')
_CONTROL_ESCAPE = re.compile(r"%(?=[01][0-9A-Fa-f]|7[Ff])")


@dataclass(frozen=True, slots=True)
class HostPort:
    """An address to send to or from."""

    host: str
    """An IP literal without brackets, or a name that the owner of the stack resolves."""

    port: int
    """1 to 65535."""

    transport: str = "UDP"
    """UDP or TCP, as Via writes it."""

    flow: int = 0
    """Of TCP: the connection that a message came by, which answers go back by; 0: any."""

    @property
    def is_reliable(self) -> bool:
        """Whether what is sent arrives, or the connection breaks (RFC 3261, section 18)."""
        return self.transport != "UDP"

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class URI:
    """A sip, sips or tel URI in its parts, or any other URI as scheme and opaque rest."""

    scheme: str
    """Lower case, without the colon."""

    userinfo: str = ""
    """User and password as written, escapes kept; the number of a tel URI."""

    host: str = ""
    """Host without brackets; empty for tel and opaque URIs."""

    port: int | None = None
    """None when the URI names none."""

    params: Params = field(default_factory=Params)
    """URI parameters."""

    headers: str = ""
    """What follows the question mark, as written."""

    opaque: str = ""
    """The text after the colon of a scheme that is neither sip, sips nor tel."""

    @classmethod
    def parse(cls, text: str) -> URI:
        """Read a URI; `MalformedField` if its own scheme's grammar does not allow it."""
        if text.startswith("sip:"):
            return _parse_sip("sip", text[4:])
        scheme, colon, rest = text.partition(":")
        if not colon or not _SCHEME.fullmatch(scheme):
            raise MalformedField("Bad URI")
        scheme = scheme.lower()
        if scheme in {"sip", "sips"}:
            return _parse_sip(scheme, rest)
        if not _OPAQUE.fullmatch(rest):
            raise MalformedField("Bad URI")
        if scheme == "tel":
            number, semicolon, params = rest.partition(";")
            if not _USERINFO.fullmatch(number):
                raise MalformedField("Bad Telephone Number")
            return cls(scheme, number, params=Params.parse(semicolon + params))
        return cls(scheme, opaque=rest)

    @property
    def user(self) -> str:
        """The user or telephone number, decoded; escaped control characters stay escaped."""
        user = self.userinfo.partition(":")[0]
        if "%" not in user:
            return user
        return percent_decode(_CONTROL_ESCAPE.sub("%25", user), errors="replace")

    @property
    def next_hop(self) -> HostPort:
        """Where a request for this URI is sent (RFC 3263 without the look-up)."""
        host = self.params.get("maddr") or self.host
        tcp = (self.params.get("transport") or "").lower() == "tcp"
        return HostPort(host.strip("[]"), self.port or DEFAULT_PORT, "TCP" if tcp else "UDP")

    def __str__(self) -> str:
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        if self.scheme == "tel":
            return f"tel:{self.userinfo}{self.params}"
        user = f"{self.userinfo}@" if self.userinfo else ""
        port = f":{self.port}" if self.port is not None else ""
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{bracketed(self.host)}{port}{self.params}{headers}"


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The value of From, To, Contact, Route and their like."""

    uri: URI
    """The address itself."""

    display: str = ""
    """Display name, decoded and presentable."""

    params: Params = field(default_factory=Params)
    """Header parameters, the tag among them."""

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read one value; `MalformedField` if quotes, brackets or URI are wrong."""
        # The requests of a dialog repeat their addresses letter for letter.
        return _remembered(text) if len(text) <= _REMEMBERED_CHARS else _parse_name_addr(text)

    @property
    def tag(self) -> str:
        """The tag, empty when there is none."""
        return self.params.get("tag") or ""

    def tagged(self, tag: str) -> NameAddr:
        """The same address under this tag."""
        return replace(self, params=self.params.put("tag", tag))

    def untagged(self) -> NameAddr:
        """The same address without a tag."""
        return replace(self, params=self.params.drop("tag"))

    def __str__(self) -> str:
        if not self.display:
            return f"<{self.uri}>{self.params}"
        words = self.display.split(" ")
        plain = all(is_token(word) for word in words)
        return f"{self.display if plain else quote(self.display)} <{self.uri}>{self.params}"


def bracketed(host: str) -> str:
    """A host as URIs and Via write it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Read `host`, `host:port` or `[v6]:port`; the host without brackets."""
    match = _HOST.match(text)
    if match is None:
        raise MalformedField("Bad Host")
    rest = text[match.end() :].strip()
    host = match.group().strip("[]")
    if not rest:
        return host, None
    port = parse_number(rest[1:].lstrip(), limit=65_535) if rest[0] == ":" else 0
    if port == 0:
        raise MalformedField("Bad Port")
    return host, port


def _parse_sip(scheme: str, rest: str) -> URI:
    userinfo, at, location = rest.rpartition("@")
    if at and not _USERINFO.fullmatch(userinfo):
        raise MalformedField("Bad URI User")
    location, _, headers = location.partition("?")
    if headers and not _OPAQUE.fullmatch(headers):
        raise MalformedField("Bad URI Headers")
    where, semicolon, params = location.partition(";")
    if where != where.rstrip():
        raise MalformedField("Bad URI")
    host, port = parse_host_port(where)
    return URI(scheme, userinfo, host, port, Params.parse(semicolon + params), headers)


def _parse_name_addr(text: str) -> NameAddr:
    text = text.strip()
    if text.startswith('"'):
        end = closing_quote(text, 0) + 1
        display, rest = presentable(unquote(text[:end])), text[end:].lstrip()
        if not rest.startswith("<"):
            raise MalformedField("Bad Address")
    else:
        end = text.find("<")
        if end < 0:
            # Without brackets every parameter belongs to the header (section 20.10).
            uri, semicolon, params = text.partition(";")
            if "," in uri or "?" in uri:
                raise MalformedField("Bad Address")
            return NameAddr(URI.parse(uri.rstrip()), "", Params.parse(semicolon + params))
        display, rest = presentable(text[:end].rstrip()), text[end:]
        if '"' in display or ">" in display:
            raise MalformedField("Bad Address")
    close = rest.find(">")
    if close < 0:
        raise MalformedField("Unbalanced Brackets")
    return NameAddr(
        URI.parse(rest[1:close].strip()), display, Params.parse(rest[close + 1 :].strip())
    )


_remembered = lru_cache(maxsize=2_048)(_parse_name_addr)
