"""mTLS between services: who is whose, by certificates of one authority, renewed without restart.

A certificate names what its owner is, not where it is: `acd.carillon.internal` for acd, or
`*.carillon.internal` for all of them (RFC 6125, 6.4). A client checks that the server is the
service which it meant; a server takes only clients with a certificate of the authority that names
something in the same domain.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger

log = get_logger("tls")

DOMAIN = "carillon.internal"
MAX_FILE_BYTES = 256 * 1024
LOOK_EVERY_S = 1.0
"""Files are looked at again at most so often."""
_SAN = "x509_subject_alternative_name"


class BadServiceTLS(CarillonError):
    """The certificate that services know each other by cannot be used."""

    code: ClassVar[str] = "bad-service-tls"
    kind: ClassVar[Kind] = Kind.INVALID


class StrangerRefused(CarillonError):
    """The caller's certificate names nothing in the installation's domain."""

    code: ClassVar[str] = "stranger-refused"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one reading of the files gave."""

    authority: bytes
    """PEM: certificates of the authorities that are believed."""
    certificate: bytes
    """PEM: the own one, and those that lead to it."""
    key: bytes
    """PEM: its private key, without a password."""
    ends_at: datetime
    """When the own certificate ends."""


class ServiceTLS:
    """The files of one process. Read again when they have changed; broken ones change nothing."""

    def __init__(self, *, authority: Path, certificate: Path, key: Path, domain: str) -> None:
        """Reads them; BadServiceTLS says which setting and why."""
        self._files = {
            "CARILLON_TLS_CA": authority,
            "CARILLON_TLS_CERT": certificate,
            "CARILLON_TLS_KEY": key,
        }
        self.domain = domain
        """What every name in a certificate ends with."""
        self._stamp = self._stamped()
        self._looked_at = time.monotonic()
        self.generation = 0
        """Grows with each renewal."""
        self.present = self._read()
        """What is used now."""

    def name_of(self, service: str) -> str:
        """What a service's certificate names it."""
        return f"{service}.{self.domain}"

    def renewed(self) -> bool:
        """Whether other files are used since the last look, which is a second ago or more."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return False
        return self.look_again()

    def look_again(self) -> bool:
        """Reads the files if they have changed; whether others are used now."""
        self._looked_at = time.monotonic()
        stamp = self._stamped()
        if stamp == self._stamp or None in stamp:
            return False
        try:
            read = self._read()
        except BadServiceTLS as error:
            # Half of a renewal, perhaps: what was good before is used until the rest has come.
            log.warning("renewed certificate is not used", reason=str(error))
            return False
        self._stamp = stamp
        if read == self.present:
            return False
        self.present = read
        self.generation += 1
        log.info("certificate renewed", ends_at=read.ends_at.isoformat())
        return True

    def server_credentials(self) -> grpc.ServerCredentials:
        """For a server that asks every client for its certificate, and shows renewed ones."""
        shown = self.generation

        def changed() -> Any:  # None, which the library's stubs do not know: nothing has changed
            nonlocal shown
            self.renewed()
            if shown == self.generation:
                return None
            shown = self.generation
            return self._server_files()

        # The library asks before each handshake, in a thread of its own.
        return grpc.dynamic_ssl_server_credentials(
            self._server_files(), changed, require_client_authentication=True
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """For a channel that shows the certificate as it is now."""
        now = self.present
        return grpc.ssl_channel_credentials(now.authority, now.key, now.certificate)

    def admit(self, peer: Mapping[str, Iterable[bytes]]) -> None:
        """Refuses a client whose certificate names nothing in the domain: StrangerRefused.

        `peer` is gRPC's authentication context.
        """
        names = [name.decode(errors="replace") for name in peer.get(_SAN, ())]
        if not any(name.endswith(f".{self.domain}") for name in names):
            raise StrangerRefused(f"a client's certificate needs a name in {self.domain}")

    def _server_files(self) -> grpc.ServerCertificateConfiguration:
        now = self.present
        return grpc.ssl_server_certificate_configuration(
            [(now.key, now.certificate)], now.authority
        )

    def _stamped(self) -> tuple[Any, ...]:
        return tuple(_stamp(path) for path in self._files.values())

    def _read(self) -> Credentials:
        authority, certificate, key = (
            _bytes(path, setting) for setting, path in self._files.items()
        )
        for setting, pem in (("CARILLON_TLS_CA", authority), ("CARILLON_TLS_CERT", certificate)):
            if not _certificates(pem):
                raise BadServiceTLS(f"{setting}: {self._files[setting]} has no certificate in PEM")
        own = _certificates(certificate)[0]
        try:
            private: Any = load_pem_private_key(key, None)
        except (ValueError, TypeError) as error:
            raise BadServiceTLS(
                f"CARILLON_TLS_KEY: {self._files['CARILLON_TLS_KEY']}: {error}"
            ) from None
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        if private.public_key().public_bytes(*form) != own.public_key().public_bytes(*form):
            raise BadServiceTLS("CARILLON_TLS_KEY is not the key of CARILLON_TLS_CERT")
        if own.not_valid_after_utc <= datetime.now(UTC):
            raise BadServiceTLS(f"CARILLON_TLS_CERT ended at {own.not_valid_after_utc}: renew it")
        if not any(name.endswith(f".{self.domain}") for name in _names(own)):
            raise BadServiceTLS(
                f"CARILLON_TLS_CERT names {', '.join(_names(own)) or 'nothing'};"
                f" it needs <service>.{self.domain} or *.{self.domain}"
            )
        return Credentials(authority, certificate, key, own.not_valid_after_utc)


def _bytes(path: Path, setting: str) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadServiceTLS(f"{setting}: {path}: {error.strerror}") from None
    if len(found) > MAX_FILE_BYTES:
        raise BadServiceTLS(f"{setting}: {path} is larger than {MAX_FILE_BYTES} bytes")
    return found


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        return []


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(extension.value.get_values_for_type(x509.DNSName))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file; Kubernetes swaps a link, so the inode is part of it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
