"""What the chart renders is what Kubernetes takes, field by field."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from services.launcher.parts import helm
from tests.deploy.chart import CASES, CHART, HERE, KUBERNETES, MAJORS, documents, read, text, title

PLAIN = ("v1", "apps", "batch", "policy", "autoscaling", "networking.k8s.io")


@cache
def schema(group: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / f"schemas/{group}_{kind}.json").read_text())
    return found


@cache
def check(text: str, kubernetes: str) -> None:
    """A manifest; kinds that a cluster learns from others have schemas of what is used here."""
    document = json.loads(text)
    group = document["apiVersion"].split("/")[0]
    if group in PLAIN:
        kubernetes_validate.validate(document, kubernetes, strict=True)
    else:
        jsonschema.validate(document, schema(group, document["kind"]))


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("case", CASES)
def test_every_manifest_is_valid_for_supported_kubernetes(case: str, kubernetes: str) -> None:
    seen = 0
    for document in read(text(case, kubernetes=f"{kubernetes}.0")):
        seen += 1
        check(json.dumps(document), kubernetes)
    assert seen > 20


def test_the_validator_sees_a_misspelt_field() -> None:
    document = documents("dev")[0]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**document, "specs": {}}, KUBERNETES[-1], strict=True)


@pytest.mark.parametrize(
    ("sets", "kind"),
    [
        ({"keda__enabled": True, "keda__prometheus": "http://prometheus:9090"}, "ScaledObject"),
        (
            {
                "ingress__enabled": False,
                "gatewayApi": {
                    "enabled": True,
                    "host": "call.example.com",
                    "grpcHost": "grpc.call.example.com",
                    "parentRefs": [{"name": "public", "namespace": "infra"}],
                },
            },
            "GRPCRoute",
        ),
        (
            {
                "ingress__enabled": False,
                "gatewayApi": {
                    "enabled": True,
                    "host": "call.example.com",
                    "gateway": {"create": True, "className": "envoy", "tlsSecret": "call"},
                },
            },
            "Gateway",
        ),
        (
            {
                "gateway__network": "pod",
                # Browsers come by the TURN server.
                "gateway__media__reachedBy": ["callers"],
                "edge__network": "service",
            },
            "NetworkPolicy",
        ),
        ({"tls": {"insecure": True, "certManager": {"enabled": False}}}, "Deployment"),
    ],
)
def test_other_choices_are_valid_too(sets: dict[str, object], kind: str) -> None:
    found = documents("everything", **sets)
    assert kind in {document["kind"] for document in found}
    for document in found:
        check(json.dumps(document), KUBERNETES[-1])


@pytest.mark.parametrize("case", CASES)
def test_nothing_stands_twice(case: str) -> None:
    found = [
        (each["apiVersion"], each["kind"], each["metadata"]["namespace"], each["metadata"]["name"])
        for each in documents(case)
        if each["kind"] != "Namespace"
    ]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("case", CASES)
def test_both_majors_of_helm_say_the_same(case: str) -> None:
    first, *others = (text(case, major=major) for major in MAJORS)
    for other in others:
        assert (read(first)) == (read(other))


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize("case", CASES)
def test_the_chart_passes_helms_own_lint(case: str, major: int) -> None:
    files = [f"--values={path}" for path in CASES[case]]
    assert "0 chart(s) failed" in helm.run(major, "lint", "--strict", str(CHART), *files)


@pytest.mark.parametrize("case", CASES)
def test_a_second_rendering_changes_nothing(case: str) -> None:
    # Nothing is made by chance, so that an upgrade with the same values restarts nothing.
    again = helm.render(CHART, values=CASES[case], upgrade=True)
    assert (read(again)) == (read(text(case)))


@pytest.mark.parametrize("case", CASES)
def test_names_are_short_enough(case: str) -> None:
    for document in documents(case):
        assert len(document["metadata"]["name"]) <= 63, title(document)
