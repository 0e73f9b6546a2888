"""The chart's pods as a cluster would make them: names lead to open ports, probes ask those."""

from __future__ import annotations

import pytest

from tests.deploy.chart import CASES, documents
from tests.stage.kubelet import pods_of, probes_of


@pytest.mark.parametrize("case", CASES)
def test_every_pod_but_the_hooks_is_named_by_a_service_and_probed(case: str) -> None:
    pods = pods_of(documents(case))
    assert {pod.component for pod in pods} >= {"acd", "gateway", "portal", "migrations"}
    for pod in pods:
        asked = {(probe.container, probe.kind) for probe in probes_of(pod)}
        if pod.component == "migrations":
            assert not pod.hosts
            assert not asked
        else:
            assert pod.hosts
            assert len(asked) == 3 * len(pod.containers)


def test_pods_of_a_statefulset_have_names_and_claims_of_their_own() -> None:
    pods = [pod for pod in pods_of(documents("small")) if pod.component == "gateway"]
    names = [pod.name for pod in pods]
    assert len(set(names)) == len(names) > 1
    for pod in pods:
        (claim,) = pod.claims
        assert claim["metadata"]["name"] == f"spool-{pod.name}"
        assert any(host.startswith(f"{pod.name}.") for host in pod.hosts)
