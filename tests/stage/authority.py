"""A certificate authority of a test's own, for services that know each other by certificates."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DOMAIN = "carillon.internal"


@dataclass(frozen=True, slots=True)
class Identity:
    """The files that a process shows and believes."""

    ca: Path
    cert: Path
    key: Path

    def env(self) -> dict[str, str]:
        """As a process is told them."""
        return {
            "CARILLON_TLS_CA": str(self.ca),
            "CARILLON_TLS_CERT": str(self.cert),
            "CARILLON_TLS_KEY": str(self.key),
        }


class Authority:
    """Signs certificates into a folder."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = (
            self._builder(self._name, self._key, timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        _write(folder / "ca.crt", self._certificate.public_bytes(Encoding.PEM))

    def identity(
        self, *names: str, file: str = "", lasts: timedelta = timedelta(days=1)
    ) -> Identity:
        """A certificate for names, for example `acd.carillon.internal`, or addresses.

        `file` names its files.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = (
            self._builder(subject, key, lasts)
            .add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        stem = file or names[0].replace("*", "any")
        cert_file, key_file = self.folder / f"{stem}.crt", self.folder / f"{stem}.key"
        _write(
            key_file,
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )
        _write(cert_file, certificate.public_bytes(Encoding.PEM))
        return Identity(ca=self.folder / "ca.crt", cert=cert_file, key=key_file)

    def everyone(self) -> Identity:
        """One certificate for all services."""
        return self.identity(f"*.{DOMAIN}", file="any")

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=3))
            .not_valid_after(now + lasts)
        )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, data: bytes) -> None:
    """At once, as a renewal does it."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
