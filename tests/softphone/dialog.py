"""A dialog: what both ends must remember to speak of the same call (RFC 3261 section 12)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.softphone.line import ALLOW, USER_AGENT, Line, destination
from tests.softphone.message import Headers, Request, Response, parse_name_addr
from tests.softphone.sdp import Address


@dataclass(slots=True, kw_only=True)
class Dialog:
    """One end's view; it becomes a dialog once `remote_tag` is known."""

    call_id: str
    local: str
    """Our From or To, without its tag."""
    local_tag: str
    remote: str
    """Theirs, without its tag."""
    target: str
    """The URI that requests go to: at first what was dialled, then their Contact."""
    remote_tag: str = ""
    routes: tuple[str, ...] = ()
    """Route values in the order to send them."""
    proxy: Address | None = None
    """Where to send a request that has no route, instead of the target's own address."""
    local_cseq: int = 0
    remote_cseq: int = -1

    @property
    def next_hop(self) -> Address:
        """Where the next request goes."""
        if self.routes:
            return destination(parse_name_addr(self.routes[0]).uri)
        if self.proxy is not None and not self.remote_tag:
            return self.proxy
        return destination(self.target)

    def learn(self, response: Response) -> None:
        """Take the far end's tag, target and route set from a response to our INVITE."""
        self.remote_tag = response.to_tag or self.remote_tag
        if contacts := response.listed("Contact"):
            self.target = parse_name_addr(contacts[0]).uri
        if response.listed("Record-Route"):
            self.routes = tuple(reversed(response.listed("Record-Route")))

    def request(
        self,
        line: Line,
        method: str,
        *,
        cseq: int | None = None,
        headers: Headers = (),
        content_type: str = "application/sdp",
        body: bytes = b"",
    ) -> Request:
        """The next request in this dialog; an ACK names the CSeq of its INVITE."""
        if cseq is None:
            self.local_cseq += 1
        built = [("Via", line.new_via())]
        built += [("Route", route) for route in self.routes]
        built += [
            ("Max-Forwards", "70"),
            ("From", f"{self.local};tag={self.local_tag}"),
            ("To", self.remote + (f";tag={self.remote_tag}" if self.remote_tag else "")),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.local_cseq if cseq is None else cseq} {method}"),
            ("User-Agent", USER_AGENT),
        ]
        if method == "INVITE":
            built += [("Contact", line.contact), ("Allow", ALLOW)]
        if body:
            built.append(("Content-Type", content_type))
        return Request(method=method, uri=self.target, headers=(*built, *headers), body=body)
