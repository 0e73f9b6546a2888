"""Via: the way back of a response (RFC 3261 sections 18.2 and 20.42, RFC 3581)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from media_gateway.sip.address import DEFAULT_PORT, HostPort, bracketed, parse_host_port
from media_gateway.sip.grammar import MalformedField, Params, is_token

MAGIC_COOKIE = "z9hG4bK"
"""How a branch starts that is unique in time and space (RFC 3261, section 8.1.1.7)."""

_STAMPS = frozenset({"rport", "received"})


@dataclass(frozen=True, slots=True)
class Via:
    """One hop that a request has taken."""

    transport: str
    """UDP, TCP, TLS or another token, as written."""

    host: str
    """The sender's own idea of its address, without brackets."""

    port: int | None
    """None when the sender named none."""

    params: Params
    """branch, received, rport and others."""

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one value, with or without the spaces that the grammar allows around slashes."""
        protocol, _, rest = text.partition("/")
        version, _, rest = rest.partition("/")
        if protocol.strip().upper() != "SIP" or version.strip() != "2.0":
            raise MalformedField("Bad Via")
        words = rest.split(None, 1)
        if len(words) != 2 or not is_token(words[0]):
            raise MalformedField("Bad Via")
        sent_by, semicolon, params = words[1].partition(";")
        host, port = parse_host_port(sent_by.strip())
        return cls(words[0], host, port, Params.parse(semicolon + params))

    @property
    def branch(self) -> str:
        """The transaction's name, empty when the sender gave none (RFC 2543)."""
        return self.params.get("branch") or ""

    @property
    def is_unique(self) -> bool:
        """Whether the branch alone names the transaction."""
        return self.branch.startswith(MAGIC_COOKIE) and len(self.branch) > len(MAGIC_COOKIE)

    def stamped(self, source: HostPort) -> Via:
        """The value with the address that the request really came from (RFC 3581, section 4)."""
        kept = [item for item in self.params.items if item[0].lower() not in _STAMPS]
        if self.params.has("rport"):
            kept.append(("rport", str(source.port)))
        elif self.host == source.host:
            return self
        return replace(self, params=Params((*kept, ("received", source.host))))

    def reply_address(self, source: HostPort) -> HostPort:
        """Where responses go: always the host that asked, never one it merely names.

        `maddr` and a foreign sent-by are not obeyed, so the stack cannot be made to send
        to a third party.
        """
        if source.is_reliable:
            # By the same connection; by another one to the sender's own port once that is gone.
            return replace(source, port=self.port or DEFAULT_PORT)
        if self.params.has("rport"):
            return source
        return HostPort(source.host, self.port or DEFAULT_PORT)

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        return f"SIP/2.0/{self.transport} {bracketed(self.host)}{port}{self.params}"
