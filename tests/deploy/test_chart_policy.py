"""What every pod of the chart must and must not be."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.deploy.chart import (
    CASES,
    CHART,
    containers,
    documents,
    named,
    of_kind,
    pods,
    title,
)

CASE = pytest.mark.parametrize("case", CASES)


@CASE
def test_nobody_is_root_and_nobody_may_become_it(case: str) -> None:
    for where, pod in pods(documents(case)):
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True, where
        assert security["runAsUser"] >= 10_000, where
        assert security["runAsGroup"] >= 10_000, where
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, where
    for where, container in containers(documents(case)):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, where
        assert security["privileged"] is False, where
        assert security["readOnlyRootFilesystem"] is True, where
        assert security["runAsNonRoot"] is True, where
        assert security["capabilities"] == {"drop": ["ALL"]}, where
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, where


@CASE
def test_no_pod_speaks_to_the_api_server(case: str) -> None:
    found = documents(case)
    for where, pod in pods(found):
        assert pod["automountServiceAccountToken"] is False, where
        assert pod["enableServiceLinks"] is False, where
    for account in of_kind(found, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    assert of_kind(found, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding") == []


@CASE
def test_the_nodes_network_is_used_in_the_media_namespace_alone(case: str) -> None:
    found = documents(case)
    for each in of_kind(found, "Deployment", "StatefulSet", "Job"):
        pod = each["spec"]["template"]["spec"]
        assert not pod.get("hostPID"), title(each)
        assert not pod.get("hostIPC"), title(each)
        kinds = {next(key for key in volume if key != "name") for volume in pod["volumes"]}
        assert kinds <= {"emptyDir", "secret", "configMap"}, title(each)
        if each["metadata"]["namespace"] == "calls":
            assert not pod.get("hostNetwork"), title(each)
            for container in pod["containers"]:
                assert not any("hostPort" in port for port in container.get("ports", ()))
        else:
            assert each["metadata"]["namespace"] == "calls-media"
            assert pod["hostNetwork"] is True, title(each)
            assert pod["dnsPolicy"] == "ClusterFirstWithHostNet"
            assert each["metadata"]["labels"]["app.kubernetes.io/component"] in ("gateway", "edge")


@CASE
def test_the_media_namespace_is_there_when_it_is_needed(case: str) -> None:
    found = documents(case)
    needed = any(pod.get("hostNetwork") for _, pod in pods(found))
    assert [each["metadata"]["name"] for each in of_kind(found, "Namespace")] == (
        ["calls-media"] if needed else []
    )
    for space in of_kind(found, "Namespace"):
        labels = space["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
        assert labels["pod-security.kubernetes.io/warn"] == "restricted"


@CASE
def test_every_container_has_its_share_and_its_limit(case: str) -> None:
    for where, container in containers(documents(case)):
        resources = container["resources"]
        assert resources["requests"]["cpu"], where
        assert resources["requests"]["memory"], where
        assert resources["limits"]["memory"], where
    for where, pod in pods(documents(case)):
        for volume in pod["volumes"]:
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], f"{where}: {volume['name']}"


@CASE
def test_every_container_that_stays_is_asked_how_it_is(case: str) -> None:
    for each in of_kind(documents(case), "Deployment", "StatefulSet"):
        for container in each["spec"]["template"]["spec"]["containers"]:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container[probe], f"{title(each)}: {container['name']}: {probe}"
            ports = {port["name"] for port in container["ports"]}
            how = container["livenessProbe"]
            asked = (how.get("httpGet") or how["tcpSocket"])["port"]
            assert asked in ports


@CASE
def test_images_are_of_one_version(case: str) -> None:
    for where, container in containers(documents(case)):
        image = container["image"]
        assert re.fullmatch(
            r"registry\.example\.com/telephony/carillon[a-z-]*(:\d+\.\d+\.\d+|@sha256:[0-9a-f]{64})",
            image,
        ), f"{where}: {image}"


@CASE
def test_what_is_mounted_is_there_and_what_is_there_is_mounted(case: str) -> None:
    for each in of_kind(documents(case), "Deployment", "StatefulSet", "Job"):
        pod = each["spec"]["template"]["spec"]
        there = {volume["name"] for volume in pod["volumes"]} | {
            claim["metadata"]["name"] for claim in each["spec"].get("volumeClaimTemplates", ())
        }
        mounted = {
            mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]
        }
        assert mounted == there, title(each)


@CASE
def test_secrets_are_files_or_references_and_never_text(case: str) -> None:
    secret = re.compile(r"PASSWORD|SECRET|_KEY$|ADMIN_URL|_USER$")
    for where, container in containers(documents(case)):
        for variable in container.get("env", ()):
            name = variable["name"]
            file = name.endswith("_FILE") and variable["value"].startswith("/etc/carillon/")
            if secret.search(name) and not file and name != "CARILLON_GATEWAY_OUTBOUND_USER":
                assert "secretKeyRef" in variable.get("valueFrom", {}), f"{where}: {name}"
    for settings in of_kind(documents(case), "ConfigMap"):
        for key, value in settings["data"].items():
            if secret.search(key):
                assert value.startswith("/etc/carillon/"), key


def test_existing_secrets_leave_no_secret_in_the_release() -> None:
    for case in ("dev", "small", "large"):
        assert of_kind(documents(case), "Secret") == []


def test_secrets_of_the_values_are_in_secrets_alone() -> None:
    secrets = {
        value
        for each in of_kind(documents("everything"), "Secret")
        for key, value in each["stringData"].items()
        if key not in ("username", "access-key")
    }
    assert len(secrets) == 13
    rest = [each for each in documents("everything") if each["kind"] != "Secret"]
    for value in secrets:
        assert value not in repr(rest)


def test_a_gateway_in_another_namespace_has_what_it_reads_there() -> None:
    found = documents("everything")
    there = {
        (each["metadata"].get("namespace"), each["kind"], each["metadata"]["name"])
        for each in found
    } | {
        # cert-manager's.
        (each["metadata"]["namespace"], "Secret", each["spec"]["secretName"])
        for each in of_kind(found, "Certificate")
    }
    for each in of_kind(found, "Deployment", "StatefulSet"):
        space = each["metadata"]["namespace"]
        for volume in each["spec"]["template"]["spec"]["volumes"]:
            for kind, wanted in _read_by(volume):
                if wanted != "postgres-ca":
                    assert (space, kind, wanted) in there, f"{title(each)}: {wanted}"


def _read_by(volume: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    if "secret" in volume:
        found.append(("Secret", volume["secret"]["secretName"]))
    if "configMap" in volume:
        found.append(("ConfigMap", volume["configMap"]["name"]))
    return found


@CASE
def test_everything_is_denied_that_no_policy_allows(case: str) -> None:
    found = documents(case)
    deny = named(found, "NetworkPolicy", "carillon-default-deny")["spec"]
    assert deny == {
        "podSelector": {
            "matchLabels": {
                "app.kubernetes.io/name": "carillon",
                "app.kubernetes.io/instance": "carillon",
            }
        },
        "policyTypes": ["Ingress", "Egress"],
    }
    covered = {
        each["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for each in of_kind(found, "NetworkPolicy")
    }
    for each in of_kind(found, "Deployment", "StatefulSet", "Job"):
        if each["metadata"]["namespace"] == "calls":
            assert each["metadata"]["labels"]["app.kubernetes.io/component"] in covered


@CASE
def test_every_replica_set_may_lose_one_pod_at_a_time(case: str) -> None:
    found = documents(case)
    budgets = {
        each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]
        for each in of_kind(found, "PodDisruptionBudget")
    }
    all_of_them = {"acd", "ivr", "recording", "crm", "analytics", "portal", "gateway", "edge"}
    # With one of each there is nothing that could stay.
    assert budgets == (set() if case == "dev" else all_of_them)


def test_alerts_and_dashboards_are_packaged_with_their_runbooks() -> None:
    found = documents("large")
    [rules] = of_kind(found, "PrometheusRule")
    written = yaml.safe_load((CHART / "files/alerts.yaml").read_text())["groups"]
    packaged = rules["spec"]["groups"]
    assert [group["name"] for group in packaged] == [group["name"] for group in written]
    headings = {
        line.removeprefix("## ").lower()
        for line in (CHART.parents[2] / "docs/runbooks.md").read_text().splitlines()
        if line.startswith("## ")
    }
    for before, after in zip(written, packaged, strict=True):
        for rule, packed in zip(before["rules"], after["rules"], strict=True):
            # Prometheus's own templates come through as they are.
            notes = dict(packed["annotations"])
            link = notes.pop("runbook_url")
            assert {**packed, "annotations": notes} == rule
            assert link.partition("#")[2] in headings, link
    boards = {
        name: json.loads(text)
        for each in of_kind(found, "ConfigMap")
        if each["metadata"]["labels"].get("grafana_dashboard")
        for name, text in each["data"].items()
    }
    assert boards == {
        path.name: json.loads(path.read_text())
        for path in (CHART / "files/dashboards").glob("*.json")
    }


def test_trunks_are_written_as_the_edge_reads_them() -> None:
    trunks = named(documents("everything"), "ConfigMap", "carillon-edge-trunks")
    assert trunks["data"]["trunks.list"].splitlines() == [
        "1 192.0.2.10 32 0 carrier-a",
        "1 198.51.100.0 24 0 carrier-a",
    ]
