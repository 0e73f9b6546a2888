"""docker/compose.yaml: everything that it says is there, and nothing is given away."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

from docker.images import TARGETS, version
from docker.supply import ROOT
from media_gateway.edge.settings import EdgeSettings
from media_gateway.settings import GatewaySettings
from services.__main__ import NAMES
from services.chassis.settings import ChassisSettings, load
from services.chassis.settings_cluster import ClusterSettings
from services.chassis.settings_parts import KafkaSettings, S3Settings
from services.chassis.tls import ServiceTLS
from services.portal.settings import PortalSettings
from services.recording.settings import RecordingSettings
from tests.deploy.compose import compose, image_of

COMPOSE = compose()
SERVICES = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if image_of(service))
PARTS = sorted(set(SERVICES) - set(OURS))
ONCE = {"secrets", "migrations", "bucket"}
EVERYWHERE: tuple[type[BaseSettings], ...] = (
    ChassisSettings,
    ClusterSettings,
    KafkaSettings,
    S3Settings,
)
MORE: dict[str, type[BaseSettings]] = {
    "edge": EdgeSettings,
    "gateway": GatewaySettings,
    "portal": PortalSettings,
    "recording": RecordingSettings,
}
KEYS = {
    *("image", "command", "entrypoint", "environment", "networks", "network_mode", "depends_on"),
    *("volumes", "tmpfs", "ports", "user", "profiles", "healthcheck", "restart", "read_only"),
    *("cap_drop", "security_opt", "logging", "mem_limit", "stop_grace_period", "ulimits"),
}
"""Of the compose specification, those that are used; a key that nobody knows is a typing error."""
WRITES_ITS_ROOT = {"kafka"}
ROOT_WITHOUT_RIGHTS = {"s3"}


def kind_of(name: str) -> str:
    """What a process is: `acd` of acd-1."""
    return re.sub(r"-\d$", "", name)


def settings_of(name: str) -> tuple[type[BaseSettings], ...]:
    """Whose variables a process reads."""
    more = MORE.get(kind_of(name))
    return (*EVERYWHERE, more) if more else EVERYWHERE


def known(kinds: tuple[type[BaseSettings], ...]) -> set[str]:
    names = set()
    for kind in kinds:
        prefix = str(kind.model_config.get("env_prefix", ""))
        for field, info in kind.model_fields.items():
            names.add(f"{prefix}{field}".upper())
            if "SecretStr" in repr(info.annotation):
                names.add(f"{prefix}{field}_FILE".upper())
    return names


def test_two_of_each_service_and_of_the_gateway_are_there() -> None:
    assert Counter(map(kind_of, OURS)) == {
        **dict.fromkeys((*NAMES, "gateway"), 2),
        **dict.fromkeys((*ONCE, "kamailio", "edge"), 1),
    }
    assert {image_of(SERVICES[name]) for name in OURS} == {*TARGETS}
    assert PARTS == ["collector", "grafana", "kafka", "postgres", "prometheus", "s3"]
    assert COMPOSE["name"] == "carillon"


def test_everything_that_is_named_is_there() -> None:
    volumes, networks = set(COMPOSE["volumes"]), set(COMPOSE["networks"])
    for name, service in SERVICES.items():
        assert set(service) <= KEYS, name
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        assert set(service.get("networks", ())) <= networks, name
        for mount in service.get("volumes", ()):
            source = mount.split(":", 1)[0]
            if source.startswith("."):
                assert (ROOT / "docker" / source).exists(), mount
            else:
                assert source in volumes, mount
        mounted = [mount.split(":")[1] for mount in service.get("volumes", ())]
        assert len(mounted) == len({*mounted}), name


def test_whoever_waits_for_health_waits_for_one_who_tells() -> None:
    for name, service in SERVICES.items():
        for other, said in service.get("depends_on", {}).items():
            if said["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for {other}"
            if said["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "no", f"{name} waits for {other}"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name not in WRITES_ITS_ROOT)
    if name in OURS:
        assert "user" not in service  # the image's own, 10001
    else:
        assert (service["user"].split(":")[0] == "0") is (name in ROOT_WITHOUT_RIGHTS)
    assert name in ONCE or service["mem_limit"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_is_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    registry, _, rest = image.partition("/")
    assert registry in ("docker.io", "localhost")
    tag = rest.rsplit(":", 1)[1]
    assert re.search(r"\d+\.\d+\.\d+|\d+\.\d+-|RELEASE\.\d{4}-", tag), image
    if name in OURS:
        assert tag == version()


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY", variable):
                assert variable.endswith(("_FILE", "_ACCESS_KEY", "_TLS_KEY")), (
                    f"{name}: {variable}"
                )
                assert variable.endswith("_ACCESS_KEY") or value.startswith("/"), variable
            if "://" in str(value):
                assert "@" not in str(value), f"{name}: {variable}"


def test_nobody_from_outside_comes_in_unless_told_so() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), port
    published = [port.split(":")[1] for s in SERVICES.values() for port in s.get("ports", ())]
    assert set(Counter(published).values()) <= {1, 2}  # 5060 by UDP and TCP


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_of_the_process_that_is_told_it(name: str) -> None:
    told = {v for v in SERVICES[name].get("environment", {}) if v.startswith("CARILLON_")}
    # Kamailio and the program beside it read the same.
    assert told <= known((EdgeSettings,) if name == "kamailio" else settings_of(name))


def test_processes_are_found_by_the_names_that_peers_are_told() -> None:
    for name in OURS:
        service = SERVICES[name]
        if name in ONCE or name == "kamailio":
            continue
        environment = service["environment"]
        assert environment["CARILLON_ADVERTISED"] == f"{name}:7000"
        assert environment["CARILLON_PEERS"] == "dns:///{name}:7000"
        if kind_of(name) != name:
            assert service["networks"]["inside"]["aliases"] == [kind_of(name)]
        if kind_of(name) in NAMES:
            assert service["command"] == [kind_of(name)]
            password = environment["CARILLON_DATABASE_PASSWORD_FILE"]
            assert password == f"/etc/carillon/database/{kind_of(name)}"


def test_the_addresses_of_the_edge_and_the_gateways_fit_together() -> None:
    # The program beside Kamailio has its network, and is found by its own name.
    assert SERVICES["edge"]["network_mode"] == "service:kamailio"
    assert SERVICES["kamailio"]["networks"]["inside"]["aliases"] == ["edge"]
    edge = SERVICES["kamailio"]["networks"]["inside"]["ipv4_address"]
    assert SERVICES["kamailio"]["environment"]["CARILLON_EDGE_HOST"] == edge
    hosts = [edge]
    for name in ("gateway-1", "gateway-2"):
        environment = SERVICES[name]["environment"]
        host = SERVICES[name]["networks"]["inside"]["ipv4_address"]
        assert environment["CARILLON_GATEWAY_SIP_HOST"] == host
        assert yaml.safe_load(environment["CARILLON_GATEWAY_WEBRTC_ADDRESSES"]) == [host]
        assert yaml.safe_load(environment["CARILLON_GATEWAY_EDGES"]) == ["dns:///edge:7000"]
        hosts.append(host)
    assert len({*hosts}) == 3
    (given,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    for host in map(ip_address, hosts):
        assert host in ip_network(given["subnet"])
        assert host not in ip_network(given["ip_range"])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `carillon-prepare secrets` makes, twice: the second time changes nothing."""
    folder = tmp_path_factory.mktemp("prepared")
    ours, parts = folder / "ours", folder / "parts"
    for path in (ours, parts):
        path.mkdir(mode=0o700)
    before: dict[Path, bytes] = {}
    for _ in range(2):
        subprocess.run(
            [sys.executable, ROOT / "docker/bin/carillon-prepare", "secrets", ours, parts],
            check=True,
        )
        files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert not before or files == before
        before = files
    return folder


def test_secrets_are_made_for_each_and_kept_from_others(prepared: Path) -> None:
    ours, parts = prepared / "ours", prepared / "parts"
    assert {path.name for path in (ours / "database").iterdir()} == {*NAMES}
    for path in ours.rglob("*"):
        if path.is_file() and path.suffix != ".crt":
            assert path.stat().st_mode & 0o077 == 0, path
    for name in ("postgres-password", "s3-secret-key"):
        assert (ours / name).read_text() == (parts / name).read_text()
    words = [path.read_text() for path in ours.rglob("*") if path.is_file()]
    assert len(words) == len({*words})


@pytest.mark.parametrize("name", [name for name in OURS if name not in ONCE | {"kamailio"}])
def test_a_process_takes_what_it_is_told(
    name: str, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings are read as they are, secrets and certificates too, and none is refused."""
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, str(value).replace("/etc/carillon", str(prepared / "ours")))
    for kind in settings_of(name):
        load(kind)
    cluster = load(ClusterSettings)
    assert isinstance(cluster.service_tls(), ServiceTLS)
    if kind_of(name) in NAMES:
        assert len(cluster.database_password.get_secret_value()) >= 32


def test_prometheus_asks_every_process() -> None:
    said = yaml.safe_load((ROOT / "docker" / "prometheus.yaml").read_text())
    (job,) = said["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert {*found["names"]} == {*NAMES, "gateway", "edge"}
    assert found["port"] == 9464
    for path in (ROOT / "docker").rglob("*.yaml"):
        yaml.safe_load(path.read_text())
