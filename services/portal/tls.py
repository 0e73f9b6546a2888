"""HTTPS: the certificate that portal shows, and what browsers are told because of it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger

log = get_logger("portal.tls")

AUTHORITY_PATH = "/ca.crt"
LASTING_S = 31_536_000
"""A year, in which browsers come by HTTPS only (RFC 6797)."""
MAX_FILE_BYTES = 1024 * 1024


class BadTlsFiles(CarillonError):
    """The files for HTTPS cannot be used; the text says which setting to change and why."""

    code: ClassVar[str] = "bad-tls-files"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Certificate:
    """What portal proves itself by."""

    context: ssl.SSLContext
    """With the certificate and its key."""
    authority: bytes
    """In PEM: who signed it, where that is an authority of the installation's own; else empty."""
    lasting: bool
    """Whether browsers may be told to insist on HTTPS: not for what they are warned of."""


def certificate_in(*, cert: str, key: str, authority: str) -> Certificate:
    """Reads the files that the settings name, `authority` only where it is not empty.

    Raises BadTlsFiles. A certificate that has expired is shown all the same: it is said in the log.
    """
    first = _first_certificate(cert, "CARILLON_PORTAL_TLS_CERT")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _read(key, "CARILLON_PORTAL_TLS_KEY")
    try:
        # A key with a password would be asked for on a terminal that nobody sees.
        context.load_cert_chain(cert, key, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise BadTlsFiles(
            f"CARILLON_PORTAL_TLS_KEY: {key} is not the key, in PEM and without a password, of the "
            f"certificate in {cert} ({error})"
        ) from error
    if first.not_valid_after_utc <= datetime.now(UTC):
        log.warning("certificate has expired", file=cert, at=str(first.not_valid_after_utc))
    own = b""
    if authority:
        _first_certificate(authority, "CARILLON_PORTAL_TLS_CA")
        own = _read(authority, "CARILLON_PORTAL_TLS_CA")
    return Certificate(context, own, lasting=not own and first.issuer != first.subject)


class OverTls:
    """An application that is reached by HTTPS."""

    def __init__(self, app: ASGIApp, certificate: Certificate) -> None:
        self._app, self._certificate = app, certificate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request: the authority's certificate itself, or by the application."""
        if scope["type"] == "http" and scope["path"] == AUTHORITY_PATH:
            if authority := self._certificate.authority:
                await _download(scope, authority)(scope, receive, send)
                return
        elif self._certificate.lasting:
            await self._app(scope, receive, _insisting(send))
            return
        await self._app(scope, receive, send)


def _insisting(send: Send) -> Send:
    async def insist(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Strict-Transport-Security"] = f"max-age={LASTING_S}"
        await send(message)

    return insist


def _download(scope: Scope, authority: bytes) -> Response:
    if scope["method"] not in {"GET", "HEAD"}:
        return PlainTextResponse("GET or HEAD\n", 405, {"allow": "GET, HEAD"})
    return Response(
        authority,
        media_type="application/x-x509-ca-cert",
        headers={
            "content-disposition": 'attachment; filename="carillon-ca.crt"',
            "x-content-type-options": "nosniff",
        },
    )


def _first_certificate(path: str, setting: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_read(path, setting))
    except ValueError as error:
        raise BadTlsFiles(f"{setting}: {path} holds no certificate in PEM ({error})") from error


def _read(path: str, setting: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise BadTlsFiles(f"{setting}: {path} cannot be read ({error.strerror})") from error
