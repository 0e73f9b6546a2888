"""The authority of one's own: what it signs, what it keeps, and when it begins again."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import DNSName, IPAddress, SubjectAlternativeName
from cryptography.x509.verification import PolicyBuilder, Store

from services.launcher.certificates import Files, certify

NAMES = ("192.0.2.7", "bell", "bell.local", "localhost", "127.0.0.1")
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def made(folder: Path, names: tuple[str, ...] = NAMES, *, days: int = 0) -> Files:
    return certify(folder / "tls", host="bell", names=names, now=NOW + timedelta(days=days))


def certificates(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_machine_is_vouched_for(tmp_path: Path, name: str) -> None:
    files = made(tmp_path)
    (authority,) = certificates(files.authority)
    machine, _ = certificates(files.certificate)
    try:
        subject: DNSName | IPAddress = IPAddress(ip_address(name))
    except ValueError:
        subject = DNSName(name)
    policy = PolicyBuilder().store(Store([authority])).time(NOW)
    policy.build_server_verifier(subject).verify(machine, [])


def test_it_lives_as_long_as_browsers_allow_and_its_keys_are_private(tmp_path: Path) -> None:
    files = made(tmp_path)
    machine, authority = certificates(files.certificate)
    assert machine.not_valid_after_utc - machine.not_valid_before_utc == timedelta(days=397)
    assert machine.not_valid_before_utc < NOW < machine.not_valid_after_utc
    assert authority.not_valid_after_utc > NOW + timedelta(days=3_600)
    assert len(files.fingerprint) == 95
    for path in (files.key, files.authority.with_suffix(".key")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.key.parent.stat().st_mode) == 0o700


def test_what_is_good_is_kept(tmp_path: Path) -> None:
    before = made(tmp_path)
    shown = before.certificate.read_bytes()
    assert made(tmp_path, days=366) == before
    assert before.certificate.read_bytes() == shown


@pytest.mark.parametrize("days", [368, 500])
def test_it_is_renewed_when_its_end_is_near(tmp_path: Path, days: int) -> None:
    before = made(tmp_path)
    after = made(tmp_path, days=days)
    assert after.fingerprint == before.fingerprint
    machine, _ = certificates(after.certificate)
    assert machine.not_valid_after_utc > NOW + timedelta(days=days + 390)


def test_it_is_renewed_when_the_machine_moves(tmp_path: Path) -> None:
    before = made(tmp_path)
    after = made(tmp_path, ("192.0.2.8", "bell"))
    assert after.fingerprint == before.fingerprint
    machine, _ = certificates(after.certificate)
    told = machine.extensions.get_extension_for_class(SubjectAlternativeName).value
    assert told.get_values_for_type(DNSName) == ["bell"]
    assert told.get_values_for_type(IPAddress) == [ip_address("192.0.2.8")]


def test_an_authority_near_its_end_is_another(tmp_path: Path) -> None:
    before = made(tmp_path)
    after = made(tmp_path, days=3_300)
    assert after.fingerprint != before.fingerprint
    machine, authority = certificates(after.certificate)
    machine.verify_directly_issued_by(authority)


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "server.crt", "server.key"])
@pytest.mark.parametrize("words", [b"", b"nonsense"])
def test_a_file_that_was_spoilt_is_made_anew(tmp_path: Path, name: str, words: bytes) -> None:
    files = made(tmp_path)
    (files.key.parent / name).write_bytes(words)
    again = made(tmp_path)
    machine, authority = certificates(again.certificate)
    machine.verify_directly_issued_by(authority)
    assert (again.fingerprint == files.fingerprint) == name.startswith("server")


def test_a_certificate_of_another_authority_is_not_shown(tmp_path: Path) -> None:
    files = made(tmp_path)
    other = certify(tmp_path / "other", host="bell", names=NAMES, now=NOW)
    for name in ("server.crt", "server.key"):
        (files.key.parent / name).write_bytes((other.key.parent / name).read_bytes())
    machine, authority = certificates(made(tmp_path).certificate)
    machine.verify_directly_issued_by(authority)


def test_a_key_of_another_kind_is_not_used(tmp_path: Path) -> None:
    files = made(tmp_path)
    other = certify(tmp_path / "other", host="bell", names=NAMES, now=NOW)
    files.key.write_bytes(other.key.read_bytes())
    again = made(tmp_path)
    assert again.key.read_bytes() != other.key.read_bytes()
