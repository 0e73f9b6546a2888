"""Of a rendered chart, what controllers and kubelets do and `podman kube play` does not.

Podman plays Deployments, Pods and claims: commands, mounts, users, rights, limits. Here, pods are
made of StatefulSets and Jobs, named by Services, told their address, given Secrets as files, and
asked by their probes.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.deploy.chart import Document, named, of_kind

_VARIABLE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
PROBE_TIMEOUT_S = 10.0
"""For each; the chart's own are shorter, and a test's machine has other work."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod that a controller made."""

    name: str
    """Its own."""
    kind: str
    """Of the document that it is played by: Deployment, or Pod."""
    component: str
    """What of Carillon it is, for example acd."""
    labels: Mapping[str, str]
    """By which Services find it."""
    spec: Document
    """As rendered, with the claims that are its own."""
    claims: tuple[Document, ...]
    """Those, as documents."""
    hosts: tuple[str, ...]
    """Names that the cluster's DNS has for it."""

    @property
    def played_as(self) -> str:
        """What podman calls it."""
        return f"{self.name}-pod-0" if self.kind == "Deployment" else self.name

    @property
    def containers(self) -> tuple[str, ...]:
        """The names of its containers."""
        return tuple(each["name"] for each in self.spec["containers"])


@dataclass(frozen=True, slots=True)
class Probe:
    """One question of a kubelet's."""

    container: str
    """Who is asked."""
    kind: str
    """For example readinessProbe."""
    path: str
    """By HTTP; empty: only whether the port is open."""
    port: int
    """Of the pod."""


def pods_of(found: Sequence[Document]) -> list[Pod]:
    """The pods of all Deployments, StatefulSets and Jobs of a release."""
    services = of_kind(list(found), "Service")
    return [
        _pod(owner, number, services)
        for owner in of_kind(list(found), "Deployment", "StatefulSet", "Job")
        for number in range(owner["spec"].get("replicas", 1))
    ]


def _pod(owner: Document, number: int, services: Sequence[Document]) -> Pod:
    name = f"{owner['metadata']['name']}-{number}"
    template = copy.deepcopy(owner["spec"]["template"])
    spec, labels = template["spec"], template["metadata"]["labels"]
    claims = []
    if owner["kind"] == "StatefulSet":
        labels |= {"apps.kubernetes.io/pod-index": str(number)}
        for claim in owner["spec"].get("volumeClaimTemplates", ()):
            volume = claim["metadata"]["name"]
            claims.append(
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": f"{volume}-{name}"},
                    "spec": claim["spec"],
                }
            )
            source = {"claimName": f"{volume}-{name}"}
            spec["volumes"].append({"name": volume, "persistentVolumeClaim": source})
    hosts = []
    for service in services:
        if service["spec"]["selector"].items() <= labels.items():
            _check_ports(service, spec)
            host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
            hosts.append(host)
            if owner["spec"].get("serviceName") == service["metadata"]["name"]:
                hosts.append(f"{name}.{host}")
    return Pod(
        name=name,
        kind="Deployment" if owner["kind"] == "Deployment" else "Pod",
        component=labels["app.kubernetes.io/component"],
        labels=labels,
        spec=spec,
        claims=tuple(claims),
        hosts=tuple(hosts),
    )


def _check_ports(service: Document, spec: Document) -> None:
    """Names lead straight to pods here, where nothing changes a port."""
    ports = _ports(*spec["containers"])
    for port in service["spec"]["ports"]:
        inside = ports.get(port["targetPort"], port["targetPort"])
        where = f"Service {service['metadata']['name']}, port {port['name']}"
        assert inside == port["port"], f"{where}: {port['port']} leads to {inside}"


def _ports(*containers: Document) -> dict[str, int]:
    return {
        port["name"]: port["containerPort"] for each in containers for port in each.get("ports", ())
    }


def played(pod: Pod, found: Sequence[Document], *, address: str, files: Path) -> list[Document]:
    """The documents of one pod as podman takes them; `files` is for what Secrets and maps hold."""
    release = list(found)
    spec = copy.deepcopy(pod.spec)
    for container in spec["containers"]:
        container["env"] = _environment(container, pod, release, address)
        for volume in container.get("volumeMounts", ()):
            volume["name"] = f"{pod.name}-{volume['name']}"
        # Podman would open ports on the machine itself, and ask probes by a curl inside.
        for key in ("ports", *_PROBES):
            container.pop(key, None)
    for volume in spec["volumes"]:
        for kind in ("secret", "configMap"):
            if kind in volume:
                path = files / pod.name / volume["name"]
                _project(volume.pop(kind), kind, release, path, group=_group(spec))
                volume["hostPath"] = {"path": str(path), "type": "Directory"}
        # An emptyDir of podman's is known to all pods by this name.
        volume["name"] = f"{pod.name}-{volume['name']}"
    metadata = {"name": pod.name, "labels": dict(pod.labels)}
    if pod.kind == "Pod":
        itself = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    else:
        template = {"metadata": metadata, "spec": spec}
        itself = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 1, "template": template},
        }
    return [*_maps(spec, release), *pod.claims, itself]


def probes_of(pod: Pod) -> Iterator[Probe]:
    """What a kubelet asks its containers."""
    for container in pod.spec["containers"]:
        ports = _ports(container)
        for kind in _PROBES:
            if kind in container:
                how = container[kind].get("httpGet") or container[kind]["tcpSocket"]
                port = ports.get(how["port"], how["port"])
                yield Probe(container["name"], kind, how.get("path", ""), port)


async def passes(probe: Probe, address: str) -> bool:
    """Asks as a kubelet does, from outside of the pod."""
    if probe.path:
        try:
            async with httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, trust_env=False) as client:
                answer = await client.get(f"http://{address}:{probe.port}{probe.path}")
        except httpx.HTTPError:
            return False
        return answer.is_success
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(address, probe.port)
    except OSError:
        return False
    writer.close()
    return True


def _environment(
    container: Document, pod: Pod, release: list[Document], address: str
) -> list[Document]:
    """`env` with nothing left to look up; `envFrom` stays, which podman knows."""
    known: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        known |= named(release, "ConfigMap", source["configMapRef"]["name"])["data"]
    told = []
    for each in container.get("env", ()):
        match each:
            case {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}:
                value = address
            case {"valueFrom": {"fieldRef": {"fieldPath": str(field)}}}:
                value = pod.labels[field.removeprefix("metadata.labels['").removesuffix("']")]
            case {"valueFrom": {"secretKeyRef": {"name": name, "key": key}}}:
                value = _content("secret", name, release)[key].decode()
            case _:
                value = _VARIABLE.sub(lambda seen: known.get(seen[1], "$"), each["value"])
        known[each["name"]] = value
        told.append({"name": each["name"], "value": value})
    return told


def _maps(spec: Document, release: list[Document]) -> list[Document]:
    """The ConfigMaps that containers have variables from."""
    names = {
        source["configMapRef"]["name"]
        for container in spec["containers"]
        for source in container.get("envFrom", ())
    }
    return [named(release, "ConfigMap", name) for name in sorted(names)]


def _group(spec: Document) -> int:
    group: int = spec["securityContext"]["fsGroup"]
    return group


def _project(
    volume: Document, kind: str, release: list[Document], path: Path, *, group: int
) -> None:
    """Files of a Secret or a ConfigMap, root's and readable by the pod's group."""
    content = _content(kind, volume.get("secretName") or volume["name"], release)
    items = volume.get("items") or [{"key": key, "path": key} for key in content]
    path.mkdir(parents=True)
    for item in items:
        file = path / item["path"]
        file.write_bytes(content[item["key"]])
        file.chmod(volume.get("defaultMode", 0o644))
        os.chown(file, 0, group)


def _content(kind: str, name: str, release: list[Document]) -> dict[str, bytes]:
    document = named(release, {"secret": "Secret", "configMap": "ConfigMap"}[kind], name)
    data: dict[str, Any] = document.get("data") or {}
    if kind == "configMap":
        return {key: str(value).encode() for key, value in data.items()}
    plain = {key: value.encode() for key, value in document.get("stringData", {}).items()}
    return {key: base64.b64decode(value) for key, value in data.items()} | plain
