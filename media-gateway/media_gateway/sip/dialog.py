"""A dialog: what two user agents agree on to go on talking (RFC 3261, section 12)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from media_gateway.sip.address import HostPort, NameAddr
from media_gateway.sip.grammar import MalformedField
from media_gateway.sip.message import Request, Response

MAX_ROUTES = 32
"""Proxies in one route set; more are a fault or an attack."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """One side's view of a dialog; every change makes a new one."""

    call_id: str
    """Shared by both sides."""

    local: NameAddr
    """Ourselves, with our tag."""

    remote: NameAddr
    """The other side, with its tag once it has one."""

    remote_target: str
    """Where requests are aimed: the other side's Contact."""

    routes: tuple[str, ...] = ()
    """Proxies to pass, nearest first."""

    local_cseq: int = 0
    """Number of our last request."""

    remote_cseq: int = -1
    """Number of the other side's last request, -1 before any."""

    @classmethod
    def of_server(cls, invite: Request, local_tag: str) -> Dialog:
        """The dialog of an INVITE received (section 12.1.1); `MalformedField` if it has none."""
        if invite.contact is None or not invite.contact.uri.host:
            raise MalformedField("Missing Contact")
        return cls(
            call_id=invite.call_id,
            local=invite.to.tagged(local_tag),
            remote=invite.from_,
            remote_target=str(invite.contact.uri),
            routes=_routes(invite),
            remote_cseq=invite.cseq.number,
        )

    def answered(self, response: Response) -> Dialog:
        """The dialog of an INVITE sent, by one response with a tag (section 12.1.2)."""
        return replace(
            self,
            remote=response.to,
            # A response without Contact is at fault; the address first called must do.
            remote_target=_target(response, self.remote_target),
            routes=tuple(reversed(_routes(response))),
        )

    def refreshed(self, message: Request | Response) -> Dialog:
        """After a re-INVITE: the other side may have moved (sections 12.2.1.2 and 12.2.2)."""
        return replace(self, remote_target=_target(message, self.remote_target))

    def advanced(self) -> Dialog:
        """Ready for our next request."""
        return replace(self, local_cseq=self.local_cseq + 1)

    def heard(self, request: Request) -> Dialog:
        """After a request of the other side."""
        return replace(self, remote_cseq=request.cseq.number)

    def addressing(self) -> tuple[str, tuple[str, ...], HostPort]:
        """Request-URI, Route values and next hop (section 12.2.1.1), strict routers included."""
        if not self.routes:
            return self.remote_target, (), _next_hop(self.remote_target)
        first = NameAddr.parse(self.routes[0])
        if first.uri.params.has("lr"):
            return self.remote_target, self.routes, first.uri.next_hop
        return (
            str(first.uri),
            (*self.routes[1:], f"<{self.remote_target}>"),
            first.uri.next_hop,
        )


def _next_hop(target: str) -> HostPort:
    return NameAddr.parse(f"<{target}>").uri.next_hop


def _target(message: Request | Response, otherwise: str) -> str:
    try:
        contact = message.contact
    except MalformedField:
        return otherwise
    return str(contact.uri) if contact is not None and contact.uri.host else otherwise


def _routes(message: Request | Response) -> tuple[str, ...]:
    routes = tuple(message.headers.values("record-route"))
    if len(routes) > MAX_ROUTES:
        raise MalformedField("Too Many Routes")
    for route in routes:
        if not NameAddr.parse(route).uri.host:
            raise MalformedField("Bad Record-Route")
    return routes
