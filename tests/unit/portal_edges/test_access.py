"""What is for outside, as the protos say it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.portal.access import FILES, Exposed
from services.portal.core.permission import ROLES
from services.portal.rest_paths import Found, OtherVerbs, Paths
from tests.unit.portal_edges.stage import REGISTRY


def ids(exposed: Exposed) -> str:
    return exposed.action


def test_only_rpcs_with_the_access_option_exist_outside() -> None:
    assert REGISTRY.find("/carillon.acd.v1.Acd/PutQueue") is not None
    for inner in (
        "/carillon.acd.v1.Acd/Enqueue",
        "/carillon.acd.v1.Acd/ReportCalls",
        "/carillon.acd.v1.Acd/ReportLink",
        "/carillon.ivr.v1.Ivr/Handle",
        "/carillon.gateway.v1.Gateway/Drain",
        "/carillon.gateway.v1.Gateway/Hold",
        "/carillon.recording.v1.Recording/PutSegment",
        "/carillon.recording.v1.Recording/ReadAudio",
    ):
        assert REGISTRY.find(inner) is None, inner
    everything = sum(
        len(service.methods) for _, file in FILES for service in file.services_by_name.values()
    )
    assert 70 < len(list(REGISTRY)) < everything


@pytest.mark.parametrize("exposed", list(REGISTRY), ids=ids)
def test_every_exposed_rpc_has_a_rule_that_means_something(exposed: Exposed) -> None:
    rule = exposed.rule
    assert rule.roles <= set(ROLES)
    assert not (rule.anonymous and rule.roles)
    # What anybody may do who is signed in is portal's own: about themselves.
    if not rule.roles:
        assert exposed.target == "portal"
    fields = exposed.method.input_type.fields_by_name
    if rule.own_agent_field:
        assert "agent" in rule.roles
        assert rule.own_agent_field in fields
    # Whoever can not be reached by HTTP streams.
    assert exposed.bindings or exposed.streams


@pytest.mark.parametrize("exposed", list(REGISTRY), ids=ids)
def test_every_path_leads_to_its_rpc_and_no_other(exposed: Exposed) -> None:
    paths = Paths(REGISTRY)
    for binding in exposed.bindings:
        filled = binding.template
        for place, field in enumerate(binding.path_fields):
            filled = filled.replace(f"{{{field}}}", f"value-{place}")
        found = paths.find(binding.verb, filled)
        assert isinstance(found, Found)
        assert (found.exposed.action, found.binding) == (exposed.action, binding)
        values = [f"value-{place}" for place in range(len(binding.path_fields))]
        assert list(found.values.values()) == values


def test_two_rpcs_can_not_have_one_path() -> None:
    queue = REGISTRY.find("/carillon.acd.v1.Acd/GetQueue")
    agent = REGISTRY.find("/carillon.acd.v1.Acd/GetAgent")
    assert queue is not None
    assert agent is not None
    with pytest.raises(ValueError, match="claimed twice"):
        Paths([queue, replace(agent, bindings=queue.bindings)])


def test_paths_are_told_apart_by_slash_and_colon() -> None:
    paths = Paths(REGISTRY)

    def action(verb: str, path: str) -> str:
        found = paths.find(verb, path)
        assert isinstance(found, Found)
        return found.exposed.method.name

    assert action("GET", "/v1/entries/e1") == "GetEntry"
    assert action("GET", "/v1/entries/e1:explain") == "Explain"
    assert action("GET", "/v1/customers:look-up") == "LookUp"
    assert action("HEAD", "/v1/queues") == "ListQueues"
    assert paths.find("GET", "/v1/entries/") is None
    assert paths.find("GET", "/v1/entries/e1/") is None
    assert paths.find("GET", "/v1/entries/e1:else") is None
    found = paths.find("GET", "/v1/customers/a%3Ab%2Fc")
    assert isinstance(found, Found)
    assert found.values == {"customer_id": "a:b/c"}
    other = paths.find("PATCH", "/v1/queues/sales")
    assert other == OtherVerbs(("DELETE", "GET", "HEAD", "PUT"))
