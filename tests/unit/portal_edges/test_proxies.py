"""Whom a proxy speaks for, and who may be one."""

from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.chassis.settings import load
from services.portal.proxies import TrustedProxies, Unproxied, networks_of
from services.portal.settings import PortalSettings

INSIDE = TrustedProxies(networks_of("10.0.0.0/8, 2001:db8::/32,127.0.0.1"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1, 10.2.0.1"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1", "10.2.0.1"], "198.51.100.1"),
        # What a stranger claims stands before what the proxy saw.
        ("10.0.0.1", ["127.0.0.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense, 10.3.0.1"], "10.3.0.1"),
        ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["2001:4860::1, 2001:db8::1"], "2001:4860::1"),
        ("10.0.0.1", ["10.0.0.2," * 1_000 + "10.0.0.3"], "10.0.0.2"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_the_nearest_that_is_no_proxy_is_who_asks(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert INSIDE.client(peer, forwarded) == client


def test_nobody_is_believed_unless_it_is_set() -> None:
    assert load(PortalSettings).trusted_proxies == ""
    assert TrustedProxies(networks_of("")).client("10.0.0.1", ["198.51.100.1"]) == "10.0.0.1"


def test_what_is_no_network_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARILLON_PORTAL_TRUSTED_PROXIES", "10.0.0.0/8,proxy.example")
    with pytest.raises(SystemExit):
        load(PortalSettings)
    told = capsys.readouterr().err
    assert "CARILLON_PORTAL_TRUSTED_PROXIES" in told
    assert "proxy.example" in told


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_the_application_sees_who_asks(kind: str) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def receive() -> Message:
        raise AssertionError

    async def send(_: Message) -> None:
        raise AssertionError

    behind = Unproxied(app=app, proxies=INSIDE)
    headers = [(b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-for", b"10.9.9.9")]
    for peer in (("127.0.0.1", 5), ("203.0.113.9", 6)):
        await behind({"type": kind, "client": peer, "headers": headers}, receive, send)
    assert [scope["client"] for scope in seen] == [("198.51.100.1", 0), ("203.0.113.9", 6)]
