"""HTTPS: what is served by it, what browsers are told, and files that cannot be used."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from services.launcher.certificates import Files, certify
from services.portal import http_server
from services.portal.http_server import HttpServer, PortInUse, bound, bound_to_all
from services.portal.settings import PortalSettings
from services.portal.tls import BadTlsFiles, OverTls, certificate_in

SETTING = "CARILLON_PORTAL_HTTP_PORT"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return certify(tmp_path, host="bell", names=("127.0.0.1", "127.0.0.2", "localhost"))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Says "well", or what it was told over a WebSocket."""
    if scope["type"] == "http":
        await PlainTextResponse("well")(scope, receive, send)
        return
    socket = WebSocket(scope, receive, send)
    await socket.accept()
    await socket.send_text(f"{scope['scheme']} {await socket.receive_text()}")
    await socket.close()


@contextlib.asynccontextmanager
async def served(files: Files, *, own: bool = True) -> AsyncIterator[int]:
    """The port of a server by HTTPS, on two addresses; `own`: it says who vouches for it."""
    certificate = certificate_in(
        cert=str(files.certificate),
        key=str(files.key),
        authority=str(files.authority) if own else "",
    )
    listening = bound_to_all(
        hosts=("127.0.0.1", "127.0.0.2"), port=0, setting=SETTING, fallback=False
    )
    server = HttpServer(
        app=OverTls(echo, certificate), listening=listening, tls=certificate.context
    )
    server.start()
    try:
        yield listening[0].getsockname()[1]
    finally:
        await server.stop()


def trusting(files: Files) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=files.authority)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
async def test_pages_and_the_feed_come_by_tls_at_every_address(files: Files, host: str) -> None:
    trust = trusting(files)
    async with served(files) as port:
        async with httpx.AsyncClient(verify=trust) as http:
            answer = await http.get(f"https://{host}:{port}/")
        assert (answer.status_code, answer.text) == (200, "well")
        assert "strict-transport-security" not in answer.headers
        async with connect(f"wss://{host}:{port}/v1/feed", ssl=trust) as socket:
            await socket.send("hello")
            assert await socket.recv() == "wss hello"


async def test_nothing_comes_without_tls(files: Files) -> None:
    async with served(files) as port, httpx.AsyncClient() as http:
        with pytest.raises(httpx.HTTPError):
            await http.get(f"http://127.0.0.1:{port}/")


async def test_who_says_nothing_over_tls_is_not_waited_for(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "REQUEST_LIMIT_S", 0.1)
    async with served(files) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(files))
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_the_authority_is_downloaded(files: Files) -> None:
    async with served(files) as port, httpx.AsyncClient(verify=trusting(files)) as http:
        at = f"https://127.0.0.1:{port}/ca.crt"
        answer = await http.get(at)
        assert answer.content == files.authority.read_bytes()
        assert answer.headers["content-type"] == "application/x-x509-ca-cert"
        assert (await http.head(at)).status_code == 200
        assert (await http.post(at)).status_code == 405


async def test_browsers_insist_on_a_certificate_that_others_vouch_for(files: Files) -> None:
    async with (
        served(files, own=False) as port,
        httpx.AsyncClient(verify=trusting(files), base_url=f"https://127.0.0.1:{port}") as http,
    ):
        answer = await http.get("/")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert (await http.get("/ca.crt")).text == "well"


def test_an_authority_that_shows_itself_is_not_insisted_on(files: Files) -> None:
    key = files.authority.with_suffix(".key")
    shown = certificate_in(cert=str(files.authority), key=str(key), authority="")
    assert not shown.lasting


def test_one_that_has_expired_is_said_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=400)
    files = certify(tmp_path, host="bell", names=("localhost",), now=long_ago)
    certificate_in(cert=str(files.certificate), key=str(files.key), authority="")
    assert "certificate has expired" in capsys.readouterr().out


class Spoiled:
    """Ways in which files cannot be used, and the setting that is named."""

    WAYS: ClassVar[dict[str, str]] = {
        "no certificate": "TLS_CERT: .* cannot be read",
        "no key": "TLS_KEY: .* cannot be read",
        "no authority": "TLS_CA: .* cannot be read",
        "a folder": "TLS_CERT: .* cannot be read",
        "nonsense": "TLS_CERT: .* holds no certificate",
        "another's key": "TLS_KEY: .* is not the key",
        "a key with a password": "TLS_KEY: .* without a password",
        "a key that is none": "TLS_KEY: .* is not the key",
    }


@pytest.mark.parametrize("way", Spoiled.WAYS)
def test_files_that_cannot_be_used_are_refused_by_name(
    files: Files, tmp_path: Path, way: str
) -> None:
    cert, key, authority = files.certificate, files.key, files.authority
    match way:
        case "no certificate":
            cert.unlink()
        case "no key":
            key.unlink()
        case "no authority":
            authority.unlink()
        case "a folder":
            cert = tmp_path
        case "nonsense":
            cert.write_text("hello")
        case "another's key":
            key.write_bytes(authority.with_suffix(".key").read_bytes())
        case "a key with a password":
            key.write_bytes(_locked(key.read_bytes()))
        case "a key that is none":
            key.write_text("hello")
    with pytest.raises(BadTlsFiles, match=Spoiled.WAYS[way]):
        certificate_in(cert=str(cert), key=str(key), authority=str(authority))


def _locked(pem: bytes) -> bytes:
    return serialization.load_pem_private_key(pem, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def settings(**given: Any) -> PortalSettings:
    """The settings, with the usual for what is not given."""
    return PortalSettings(**given)


@pytest.mark.parametrize(
    "given", [{"tls_cert": "a"}, {"tls_key": "b"}, {"tls_ca": "c"}, {"tls_ca": "c", "tls_key": "b"}]
)
def test_settings_that_are_of_no_use_alone_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="CARILLON_PORTAL_TLS_CERT"):
        settings(**given)


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ("", ("127.0.0.1",)),
        ("::1", ("::1",)),
        (" 10.0.0.1, ,127.0.0.1 ", ("10.0.0.1", "127.0.0.1")),
    ],
)
def test_addresses_of_pages(given: str, hosts: tuple[str, ...]) -> None:
    assert settings(http_bind=given).http_hosts == hosts


def test_one_address_in_use_takes_none_of_the_others() -> None:
    with bound(host="127.0.0.2", port=0, setting=SETTING, fallback=False) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match="PORTAL_HTTP_PORT"):
            bound_to_all(
                hosts=("127.0.0.1", "127.0.0.2"), port=port, setting=SETTING, fallback=False
            )
        bound(host="127.0.0.1", port=port, setting=SETTING, fallback=False).close()
