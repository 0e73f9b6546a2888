"""What a process in a cluster is told, and how it is told that this is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis.rpc_pool import BadAddress
from services.chassis.settings import ChassisSettings, Settings, load
from services.chassis.settings_cluster import PEERS, ClusterSettings, target_at
from services.chassis.settings_parts import KafkaSettings, S3Settings
from tests.stage.cluster import Cluster

GOOD = {
    "CARILLON_DATABASE_URL": "postgresql://db.example:5432/carillon?sslmode=verify-full",
    "CARILLON_DATABASE_PASSWORD": "kae7Ahj9uo2Iec",
    "CARILLON_ADVERTISED": "10.1.2.3:7000",
    "CARILLON_PEERS": "dns:///carillon-{name}-headless:7000",
    "CARILLON_TLS_CA": "/tls/ca.crt",
    "CARILLON_TLS_CERT": "/tls/tls.crt",
    "CARILLON_TLS_KEY": "/tls/tls.key",
    "CARILLON_KAFKA_BROKERS": "k1.example:9093, k2.example:9093",
    "CARILLON_S3_ENDPOINT": "https://s3.example",
    "CARILLON_S3_ACCESS_KEY": "carillon",
    "CARILLON_S3_SECRET_KEY": "Aez4ohthai3Dei9",
    "CARILLON_S3_BUCKET": "carillon-recordings",
}


@pytest.fixture(autouse=True)
def good(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def told(settings: type[Settings], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        load(settings)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "hunter2" not in said, "secrets are not told"
    return said


def test_what_a_cluster_needs_is_taken() -> None:
    cluster, kafka, s3 = load(ClusterSettings), load(KafkaSettings), load(S3Settings)
    assert cluster.target_of("acd") == "dns:///carillon-acd-headless:7000"
    assert kafka.addresses == ("k1.example:9093", "k2.example:9093")
    assert (s3.region, s3.worm) == ("us-east-1", False)


def test_one_service_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_PEERS_CRM", "ipv4:10.0.0.1:1,10.0.0.2:2")
    cluster = load(ClusterSettings)
    assert cluster.target_of("crm") == "ipv4:10.0.0.1:1,10.0.0.2:2"
    assert cluster.target_of("ivr") == "dns:///carillon-ivr-headless:7000"


def test_there_may_be_no_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARILLON_PEERS")
    for name in PEERS:
        monkeypatch.setenv(f"CARILLON_PEERS_{name.upper()}", f"dns:///{name}:7000")
    assert load(ClusterSettings).target_of("edge") == ""
    monkeypatch.setenv("CARILLON_PEERS_EDGE", "ipv4:10.0.0.7:7000")
    assert load(ClusterSettings).target_of("edge") == "ipv4:10.0.0.7:7000"


@pytest.mark.parametrize(
    "case",
    [
        (ClusterSettings, "CARILLON_DATABASE_URL", "mysql://h/d", "postgresql://"),
        (ClusterSettings, "CARILLON_DATABASE_URL", "postgresql://u:hunter2@:5432", "a host"),
        (ClusterSettings, "CARILLON_DATABASE_URL", "postgresql://u:hunter2@h:x/d", "is no URL"),
        (ClusterSettings, "CARILLON_DATABASE_URL", "postgresql://h/d?sslmode=maybe", "sslmode"),
        (ClusterSettings, "CARILLON_DATABASE_URL", "postgresql://u:hunter2-x@h/d", "too"),
        (ClusterSettings, "CARILLON_DATABASE_PASSWORD", "hunter2", "too short"),
        (ClusterSettings, "CARILLON_DATABASE_PASSWORD", "aaaaaaaaaaaaaaaa", "too short"),
        (ClusterSettings, "CARILLON_DATABASE_PASSWORD", "please-ChangeMe-1", "everybody knows"),
        (ClusterSettings, "CARILLON_DATABASE_PASSWORD", "", "is missing"),
        (ClusterSettings, "CARILLON_LISTEN", "7000", "host:port"),
        (ClusterSettings, "CARILLON_LISTEN", "0.0.0.0:70000", "no port"),
        (ClusterSettings, "CARILLON_ADVERTISED", "::1:7000", "[address]:port"),
        (ClusterSettings, "CARILLON_ADVERTISED", "", "CARILLON_ADVERTISED"),
        (ClusterSettings, "CARILLON_PEERS", "carillon-{name}:7000", "dns:///"),
        (ClusterSettings, "CARILLON_PEERS", "dns:///carillon:7000", "{name}"),
        (ClusterSettings, "CARILLON_PEERS", "", "CARILLON_PEERS"),
        (ClusterSettings, "CARILLON_PEERS_ACD", "http://acd", "CARILLON_PEERS_ACD"),
        (ClusterSettings, "CARILLON_PEERS_EDGE", "edge:7000", "dns:///"),
        (ClusterSettings, "CARILLON_PEERS_EDGE", "ipv4:10.0.0.1:1,10.0.0.2:2", "names each of"),
        (ClusterSettings, "CARILLON_INSECURE", "1", "set one of them"),
        (ClusterSettings, "CARILLON_TLS_DOMAIN", "no domain", "CARILLON_TLS_DOMAIN"),
        (KafkaSettings, "CARILLON_KAFKA_BROKERS", "k1.example", "host:port"),
        (KafkaSettings, "CARILLON_KAFKA_SECURITY", "scram_sha_512", "CARILLON_KAFKA_USER"),
        (KafkaSettings, "CARILLON_KAFKA_PASSWORD", "hunter2", "of no use"),
        (KafkaSettings, "CARILLON_KAFKA_MIN_IN_SYNC", "4", "CARILLON_KAFKA_REPLICATION"),
        (KafkaSettings, "CARILLON_KAFKA_CERT", "/tls/tls.crt", "CARILLON_KAFKA_KEY"),
        (S3Settings, "CARILLON_S3_ENDPOINT", "s3.example:9000", "https://"),
        (S3Settings, "CARILLON_S3_ENDPOINT", "https://s3.example/bucket", "more than"),
        (S3Settings, "CARILLON_S3_BUCKET", "A", "CARILLON_S3_BUCKET"),
        (S3Settings, "CARILLON_S3_SECRET_KEY", "minioadmin", "everybody knows"),
        (S3Settings, "CARILLON_S3_SECRET_KEY", "hunter2", "too short"),
        (ChassisSettings, "CARILLON_REPLICAS", "2", "CARILLON_WORLD=cluster"),
        (ChassisSettings, "CARILLON_WORLD", "moon", "CARILLON_WORLD"),
    ],
)
def test_what_is_wrong_is_told_with_its_name_and_why(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[type[Settings], str, str, str],
) -> None:
    settings, name, value, why = case
    monkeypatch.setenv(name, value)
    said = told(settings, capsys)
    assert why in said
    assert "CARILLON_" in said


def test_a_cluster_without_certificates_has_to_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("CA", "CERT", "KEY"):
        monkeypatch.delenv(f"CARILLON_TLS_{name}")
    assert "CARILLON_INSECURE=1" in told(ClusterSettings, capsys)
    monkeypatch.setenv("CARILLON_INSECURE", "1")
    assert load(ClusterSettings).service_tls() is None


def test_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("Iequ5aeshie7Ohj\n")
    monkeypatch.delenv("CARILLON_DATABASE_PASSWORD")
    monkeypatch.setenv("CARILLON_DATABASE_PASSWORD_FILE", str(file))
    assert load(ClusterSettings).database_password.get_secret_value() == "Iequ5aeshie7Ohj"


def test_a_file_of_a_secret_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CARILLON_S3_SECRET_KEY_FILE", str(tmp_path / "none"))
    assert "set one of them" in told(S3Settings, capsys)
    monkeypatch.delenv("CARILLON_S3_SECRET_KEY")
    assert "CARILLON_S3_SECRET_KEY_FILE" in told(S3Settings, capsys)
    (tmp_path / "none").write_bytes(b"\xff\xfe")
    assert "UTF-8" in told(S3Settings, capsys)
    (tmp_path / "none").write_bytes(b"x" * 70_000)
    assert "larger than" in told(S3Settings, capsys)


def test_one_process_has_one_address() -> None:
    assert target_at("10.1.2.3:7000") == "ipv4:10.1.2.3:7000"
    assert target_at("[fd00::1]:7000") == "ipv6:[fd00::1]:7000"
    assert target_at("acd-0.example:7000") == "dns:///acd-0.example:7000"


async def test_who_is_nowhere_is_told_with_the_setting(tmp_path: Path) -> None:
    world = Cluster(tmp_path, {}).world("gateway", peers="")
    try:
        with pytest.raises(BadAddress, match="edge is: set CARILLON_PEERS_EDGE"):
            world.dial("edge")
    finally:
        await world.close()
