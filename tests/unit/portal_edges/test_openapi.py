"""The description of the API says what REST does."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import schemathesis
from schemathesis.core.result import Ok

from protos.acd.v1 import state_pb2
from services.portal import openapi
from services.portal.openapi_comments import comments, read_comments
from services.portal.openapi_page import page
from tests.unit.portal_edges.stage import REGISTRY, Stage

DOCUMENT: dict[str, Any] = openapi.document(REGISTRY, comments())
OPERATIONS = {
    operation["operationId"]: operation
    for verbs in DOCUMENT["paths"].values()
    for operation in verbs.values()
}


def test_schemathesis_understands_it() -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    operations = list(schema.get_all_operations())
    assert all(isinstance(operation, Ok) for operation in operations)
    assert "{queue_id}" in "".join(DOCUMENT["paths"])
    bindings = sum(len(exposed.bindings) for exposed in REGISTRY)
    assert len(operations) == bindings + 3  # and the sounds of recordings and prompts


def test_every_reference_leads_somewhere() -> None:
    def references(tree: Any) -> set[str]:
        if isinstance(tree, dict):
            found = {tree["$ref"]} if isinstance(tree.get("$ref"), str) else set()
            return found.union(*(references(inner) for inner in tree.values()))
        if isinstance(tree, list):
            return set[str]().union(*(references(inner) for inner in tree))
        return set()

    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]
        assert place


def test_every_message_has_words_and_every_operation_a_summary() -> None:
    for name, operation in OPERATIONS.items():
        assert operation["summary"], name
        assert operation["description"], name
    described = [
        name
        for name, schema in DOCUMENT["components"]["schemas"].items()
        if "description" in schema
    ]
    assert len(described) > 50
    queue = OPERATIONS["Acd_PutQueue"]
    assert queue["summary"] == "Creates a queue or replaces its settings"
    assert "Needs one of the roles: administrator." in queue["description"]
    assert OPERATIONS["Portal_ListUsers"]["summary"] == "List users"
    assert "only with one's own id" in OPERATIONS["Acd_GetAgent"]["description"]


def test_what_the_path_says_is_not_in_the_body() -> None:
    operation = OPERATIONS["Acd_PutQueue"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert "queue_id" not in body["properties"]
    assert [each["name"] for each in operation["parameters"]] == [
        "queue_id",
        "Idempotency-Key",
    ]
    names = {each["name"] for each in OPERATIONS["Recording_ListRecordings"]["parameters"]}
    assert {"page.size", "page.token", "attributes", "agent_id"} <= names


def test_credentials_are_asked_for_where_they_are_needed() -> None:
    assert OPERATIONS["Portal_SignIn"]["security"] == []
    assert "security" not in OPERATIONS["Portal_GetMe"]
    assert DOCUMENT["security"] == [{"bearer": []}]


async def test_answers_are_as_described(stage: Stage) -> None:
    stage.backend.answers["/carillon.acd.v1.Acd/GetAgent"] = state_pb2.AgentView(
        agent_id="ada",
        work=[state_pb2.ReservationRow(reservation_id="e.1", deadline_ms=5)],
        routable_at_ms=7,
    )
    told = (await stage.ask("GET", "/v1/agents/ada")).json()
    schema = OPERATIONS["Acd_GetAgent"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(told, {**schema, "components": DOCUMENT["components"]})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**told, "more": 1}, {**schema, "components": DOCUMENT["components"]})


async def test_it_is_served(stage: Stage) -> None:
    told = (await stage.ask("GET", "/openapi.json", token="")).json()
    assert told == json.loads(json.dumps(DOCUMENT))


def test_the_page_has_every_operation_and_nothing_from_elsewhere() -> None:
    html = page(DOCUMENT)
    for name in OPERATIONS:
        assert f'id="{name}"' in html
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert "curl -s -X PUT" in html


def test_comments_are_those_above_what_they_are_about() -> None:
    found = read_comments(
        """
// Of the file.
syntax = "proto3";

package a.v1;

// What it does.
// In two lines.
//
// And a paragraph.
service S {
  // Asks.
  rpc Ask(Q) returns (A) {
    option (x) = {
      get: "/a"
    };
  }
  rpc Silent(Q) returns (A);
  // Follows.
  rpc Follow(Q) returns (stream A);
}

// A message.
message Q {
  // Inner.
  message I {
    // Deep.
    string deep = 1;
  }
  // One.
  repeated I one = 1;
  oneof body {
    // Two.
    map<string, string> two = 2 [deprecated = true];
  }
  string three = 3;
}

// None.
message N {}

// Kinds.
enum K {
  // Zero.
  K_ZERO = 0;
}
""".splitlines()
    )
    assert found == {
        "a.v1.S": "What it does. In two lines.\n\nAnd a paragraph.",
        "a.v1.S.Ask": "Asks.",
        "a.v1.S.Follow": "Follows.",
        "a.v1.Q": "A message.",
        "a.v1.Q.I": "Inner.",
        "a.v1.Q.I.deep": "Deep.",
        "a.v1.Q.one": "One.",
        "a.v1.Q.two": "Two.",
        "a.v1.N": "None.",
        "a.v1.K": "Kinds.",
        "a.v1.K.K_ZERO": "Zero.",
    }
