"""HTTPS for a machine that nobody vouches for: an authority of the installation's own.

The authority lives for ten years and signs one certificate for this machine's addresses and names,
which is renewed when they change or its end is near. Whoever trusts the authority once is not
warned again; its key never leaves the installation's folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.chassis import durable

AUTHORITY_LIFE = timedelta(days=3_650)
LIFE = timedelta(days=397)
"""Browsers refuse certificates that live for more than 398 days."""
RENEW_BEFORE = timedelta(days=30)
CLOCKS_DIFFER = timedelta(hours=1)
"""Certificates begin so long ago, for browsers whose clock is behind."""
AUTHORITY_NAME = "Carillon on {}"
MAX_NAME = 64
"""Characters of a common name (RFC 5280)."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where what portal needs lies."""

    certificate: Path
    """Of this machine, with the authority's after it."""
    key: Path
    """Its private key."""
    authority: Path
    """The authority's certificate, for those who want to trust it."""
    fingerprint: str
    """Of the authority's certificate: SHA-256, in pairs of hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def certify(
    folder: Path,
    *,
    host: str,
    names: Sequence[str],
    clients: bool = False,
    now: datetime | None = None,
) -> Files:
    """The certificate for a machine's addresses and names, made or made anew where it must be.

    `host` is what the machine is called; `clients`: who has it shows it as a client, too. It
    blocks: ask in a thread.
    """
    now = now or datetime.now(UTC)
    authority = _kept(folder / "ca.crt", folder / "ca.key")
    if authority is None or not _lasts(authority, now, LIFE):
        authority = _new_authority(host, now)
        _keep(folder / "ca.crt", folder / "ca.key", authority)
    machine = _kept(folder / "server.crt", folder / "server.key")
    if machine is None or not _still_good(machine, authority, names, now):
        machine = _new_certificate(authority, names, now, clients=clients)
        _keep(folder / "server.crt", folder / "server.key", machine, authority)
    digest = authority.certificate.fingerprint(hashes.SHA256())
    return Files(
        certificate=folder / "server.crt",
        key=folder / "server.key",
        authority=folder / "ca.crt",
        fingerprint=digest.hex(":").upper(),
    )


def _still_good(machine: _Pair, authority: _Pair, names: Sequence[str], now: datetime) -> bool:
    told = machine.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    if list(told.value) != _general_names(names) or not _lasts(machine, now, RENEW_BEFORE):
        return False
    try:
        machine.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _lasts(pair: _Pair, now: datetime, at_least: timedelta) -> bool:
    return pair.certificate.not_valid_after_utc - now >= at_least


def _new_authority(host: str, now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(AUTHORITY_NAME.format(host))
    built = (
        _builder(name, name, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _Pair(built.sign(key, hashes.SHA256()), key)


def _new_certificate(
    authority: _Pair, names: Sequence[str], now: datetime, *, clients: bool
) -> _Pair:
    uses = [ExtendedKeyUsageOID.SERVER_AUTH]
    uses += [ExtendedKeyUsageOID.CLIENT_AUTH] if clients else []
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    built = (
        _builder(_name(names[0]), issuer, key, now, LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(issued_by, critical=False)
        .add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
    )
    return _Pair(built.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now - CLOCKS_DIFFER + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:MAX_NAME])])


def _general_names(names: Sequence[str]) -> list[x509.GeneralName]:
    return [_general_name(name) for name in dict.fromkeys(names)]


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _kept(certificate: Path, key: Path) -> _Pair | None:
    """What an earlier run left; None when it is not there, or not whole."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        return None
    return _Pair(found, private) if private.public_key() == found.public_key() else None


def _keep(certificate: Path, key: Path, pair: _Pair, *chain: _Pair) -> None:
    """Writes both for this user only; a certificate without its key is made anew."""
    private = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    durable.replace(key, private)
    pem = (each.certificate.public_bytes(serialization.Encoding.PEM) for each in (pair, *chain))
    durable.replace(certificate, b"".join(pem))
