"""What the chart tells a process is what the process reads, and takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from media_gateway.edge.settings import EdgeSettings
from media_gateway.settings import GatewaySettings
from services.__main__ import NAMES
from services.analytics.settings import AnalyticsSettings
from services.chassis.settings import ChassisSettings, load
from services.chassis.settings_cluster import ClusterSettings
from services.chassis.settings_parts import KafkaSettings, S3Settings
from services.ivr.settings import IvrSettings
from services.portal.settings import PortalSettings
from services.recording.settings import RecordingSettings
from tests.deploy.chart import CASES, Document, documents, named, of_kind

EVERYWHERE = (ChassisSettings, ClusterSettings, KafkaSettings, S3Settings)
READ: dict[str, tuple[type[BaseSettings], ...]] = {
    "acd": EVERYWHERE,
    "ivr": (*EVERYWHERE, IvrSettings),
    "recording": (*EVERYWHERE, RecordingSettings),
    "crm": EVERYWHERE,
    "analytics": (*EVERYWHERE, AnalyticsSettings),
    "portal": (*EVERYWHERE, PortalSettings),
    "gateway": (*EVERYWHERE, GatewaySettings),
    # Kamailio's own; what it shares with the others is not read by it.
    "kamailio": (EdgeSettings,),
    "feeder": (ChassisSettings, ClusterSettings, EdgeSettings),
}
"""By container, what its process reads from its environment."""
SHARED_ONLY = ("CARILLON_KAFKA_", "CARILLON_S3_")
"""In the ConfigMap of all, and of no use to the edge's program."""
POD = {"status.podIP": "10.1.2.3", "metadata.labels['apps.kubernetes.io/pod-index']": "1"}


def told(case: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every container of ours: its name and the environment that Kubernetes makes for it."""
    found = documents(case)
    for each in of_kind(found, "Deployment", "StatefulSet"):
        for container in each["spec"]["template"]["spec"]["containers"]:
            environment: dict[str, str] = {}
            for source in container.get("envFrom", ()):
                name = source["configMapRef"]["name"]
                settings = [
                    one
                    for one in of_kind(found, "ConfigMap")
                    if one["metadata"]["name"] == name
                    and one["metadata"]["namespace"] == each["metadata"]["namespace"]
                ]
                assert len(settings) == 1, f"{name} is not in {each['metadata']['namespace']}"
                environment.update(settings[0]["data"])
            for variable in container["env"]:
                environment[variable["name"]] = _value(variable, environment)
            yield container["name"], environment


def _value(variable: Document, before: dict[str, str]) -> str:
    if "value" not in variable:
        field = variable["valueFrom"].get("fieldRef")
        return POD[field["fieldPath"]] if field else "Ahg3eiph1Xaen9ei"
    return re.sub(r"\$\((\w+)\)", lambda match: before[match[1]], variable["value"])


def known(classes: tuple[type[BaseSettings], ...]) -> set[str]:
    """The variables that settings read; those of secrets may name files."""
    names = {
        f"{each.model_config.get('env_prefix', '')}{field}".upper()
        for each in classes
        for field in each.model_fields
    }
    return names | {f"{name}_FILE" for name in names}


@pytest.mark.parametrize("case", CASES)
def test_every_variable_is_a_setting_that_takes_its_value(
    case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("Ahg3eiph1Xaen9ei\n")
    seen = set()
    for name, environment in told(case):
        seen.add(name)
        ours = {key: value for key, value in environment.items() if key.startswith("CARILLON_")}
        if name == "feeder":
            ours = {key: ours[key] for key in ours if not key.startswith(SHARED_ONLY)}
        assert set(ours) <= known(READ[name]), name
        with monkeypatch.context() as changed:
            for key, value in ours.items():
                is_file = key.endswith(("_PASSWORD_FILE", "_SECRET_FILE", "_SECRET_KEY_FILE"))
                changed.setenv(key, str(secret) if is_file else value)
            for each in READ[name]:
                load(each)
    assert seen == set(READ) - ({"kamailio", "feeder"} if case == "dev" else set())


def test_gateways_announce_themselves_to_each_edge_by_its_own_name() -> None:
    found = documents("small")
    edge = named(found, "StatefulSet", "carillon-edge")
    home, service = edge["metadata"]["namespace"], edge["spec"]["serviceName"]
    assert named(found, "Service", service)["spec"]["clusterIP"] == "None"
    edges = [f"dns:///carillon-edge-{index}.{service}.{home}.svc:7200" for index in range(2)]
    gateways = [environment for name, environment in told("small") if name == "gateway"]
    assert gateways
    for environment in gateways:
        assert json.loads(environment["CARILLON_GATEWAY_EDGES"]) == edges


def test_pods_are_told_commands_that_there_are() -> None:
    for each in of_kind(documents("small"), "Deployment"):
        [container] = each["spec"]["template"]["spec"]["containers"]
        assert container["command"] == ["carillon"]
        [service] = container["args"]
        assert service in NAMES
