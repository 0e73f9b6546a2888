"""REST as its users meet it: what they get, what they are refused, and how that is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protos.acd.v1 import acd_pb2, state_pb2
from services.chassis.database import DatabaseUnavailable
from services.chassis.errors import CarillonError, Kind
from services.portal import edge, rest, strangers
from tests.unit.portal_edges.stage import Stage, problem

PUT_QUEUE = "/carillon.acd.v1.Acd/PutQueue"
SECRET = "correct horse battery staple"  # a test's own


def refusal(named: Kind, code_: str, words: str = "as told") -> CarillonError:
    class Told(CarillonError):
        code = code_
        kind = named

    return Told(words)


async def test_a_message_comes_and_goes_by_its_names_in_the_proto(stage: Stage) -> None:
    stage.backend.answers[PUT_QUEUE] = state_pb2.QueueView(
        queue_id="sales", waiting=3, agents=[state_pb2.ConditionCount(condition="ready", agents=2)]
    )
    body = {"name": "Sales", "max_wait_ms": "60000", "max_waiting": 5}
    answer = await stage.ask("PUT", "/v1/queues/sales", json=body)
    assert answer.status_code == 200
    (call,) = stage.backend.calls
    queue = call.request.queue
    assert (queue.queue_id, queue.name, queue.max_wait_ms) == ("sales", "Sales", 60_000)
    told = answer.json()
    assert (told["queue_id"], told["waiting"], told["open"]) == ("sales", "3", False)
    assert told["agents"] == [{"condition": "ready", "agents": "2"}]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


async def test_a_list_is_asked_for_by_its_query(stage: Stage) -> None:
    path = "/v1/recordings?page.size=5&attributes=a=1&attributes=b=2&from_ms=12&agent_id=ben"
    await stage.ask("GET", path)
    (call,) = stage.backend.calls
    asked = call.request
    assert (asked.page.size, list(asked.attributes)) == (5, ["a=1", "b=2"])
    assert (asked.from_ms, asked.agent_id) == (12, "ben")


async def test_one_rpc_may_have_two_paths(stage: Stage) -> None:
    await stage.ask("GET", "/v1/customers/c1/contacts")
    await stage.ask("GET", "/v1/numbers/%2B40211234567/contacts?page.size=3")
    first, second = (call.request for call in stage.backend.calls)
    assert (first.customer_id, first.number) == ("c1", "")
    assert (second.customer_id, second.number) == ("", "+40211234567")


async def test_head_answers_as_get_without_a_body(stage: Stage) -> None:
    answer = await stage.ask("HEAD", "/v1/queues")
    assert answer.status_code == 200


REFUSED: dict[str, tuple[str, str, dict[str, Any], int, str, str]] = {
    "a field that there is not": (
        "PUT",
        "/v1/queues/q",
        {"json": {"nme": "x"}},
        400,
        "bad-request",
        "queue.nme",
    ),
    "camel case": (
        "PUT",
        "/v1/queues/q",
        {"json": {"maxWaitMs": 1}},
        400,
        "bad-request",
        "queue.maxWaitMs",
    ),
    "the wrong type": (
        "PUT",
        "/v1/queues/q",
        {"json": {"name": 3}},
        400,
        "bad-request",
        "queue.name",
    ),
    "a number as text where it is small": (
        "POST",
        "/v1/entries/e:change-priority",
        {"json": {"priority": "3"}},
        400,
        "bad-request",
        "priority",
    ),
    "null": ("PUT", "/v1/queues/q", {"json": {"name": None}}, 400, "bad-request", "queue.name"),
    "another name than the path's": (
        "PUT",
        "/v1/queues/q",
        {"json": {"queue_id": "p"}},
        400,
        "bad-request",
        "queue.queue_id",
    ),
    "a query parameter that there is not": (
        "GET",
        "/v1/queues?page.sise=3",
        {},
        400,
        "bad-request",
        "page.sise",
    ),
    "a query parameter twice": (
        "GET",
        "/v1/queues?page.size=3&page.size=4",
        {},
        400,
        "bad-request",
        "page.size",
    ),
    "a query beside a whole body": (
        "POST",
        "/v1/entries/e:change-priority?priority=3",
        {"json": {}},
        400,
        "bad-request",
        "priority",
    ),
    "text for a number in the query": (
        "GET",
        "/v1/queues?page.size=many",
        {},
        400,
        "bad-request",
        "page.size",
    ),
    "a query that is not UTF-8": ("GET", "/v1/customers?search=%FF", {}, 400, "bad-request", ""),
    "a path that is not UTF-8": ("GET", "/v1/customers/%FF", {}, 400, "bad-request", "customer_id"),
    "no body where one must be": ("PUT", "/v1/queues/q", {}, 400, "bad-request", "queue"),
    "a body where none may be": (
        "DELETE",
        "/v1/queues/q",
        {"json": {"a": 1}},
        400,
        "bad-request",
        "",
    ),
    "no JSON": (
        "PUT",
        "/v1/queues/q",
        {"content": b"{", "headers": {"content-type": "application/json"}},
        400,
        "bad-request",
        "",
    ),
    "another media type": (
        "PUT",
        "/v1/queues/q",
        {"content": b"<q/>", "headers": {"content-type": "text/xml"}},
        415,
        "not-json",
        "",
    ),
    "no such path": ("GET", "/v1/nothing", {}, 404, "no-such-path", ""),
    "an RPC that is not for outside": (
        "POST",
        "/v1/agents/a:report-link",
        {"json": {}},
        404,
        "no-such-path",
        "",
    ),
    "another method": ("PATCH", "/v1/queues/q", {"json": {}}, 405, "method-not-allowed", ""),
    "too much": (
        "PUT",
        "/v1/queues/q",
        {
            "content": b" " * (rest.MAX_BODY_BYTES + 1),
            "headers": {"content-type": "application/json"},
        },
        413,
        "too-large",
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_can_not_be_read_is_refused_with_the_fields_name(
    stage: Stage, name: str
) -> None:
    verb, path, more, status, code, field = REFUSED[name]
    answer = await stage.ask(verb, path, **more)
    told = problem(answer)
    assert (told["status"], told["code"], told.get("field", "")) == (status, code, field)
    assert not stage.backend.calls


async def test_a_method_that_is_not_there_names_those_that_are(stage: Stage) -> None:
    answer = await stage.ask("PATCH", "/v1/queues/q")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PUT"


@pytest.mark.parametrize(
    ("named", "status"),
    [
        (Kind.INVALID, 400),
        (Kind.UNAUTHENTICATED, 401),
        (Kind.DENIED, 403),
        (Kind.NOT_FOUND, 404),
        (Kind.CONFLICT, 409),
        (Kind.PRECONDITION, 409),
        (Kind.ABORTED, 409),
        (Kind.EXHAUSTED, 429),
        (Kind.UNAVAILABLE, 503),
        (Kind.DEADLINE, 504),
    ],
)
async def test_a_services_named_error_keeps_its_name(
    stage: Stage, named: Kind, status: int
) -> None:
    stage.backend.answers[PUT_QUEUE] = refusal(named, "as-it-is-called", "in words")
    answer = await stage.ask("PUT", "/v1/queues/q", json={})
    told = problem(answer)
    assert (told["status"], told["code"]) == (status, "as-it-is-called")
    if status != 503:
        assert told["detail"] == "in words"
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_of_our_own_faults_nothing_is_told(stage: Stage) -> None:
    stage.backend.answers[PUT_QUEUE] = refusal(Kind.INTERNAL, "very-secret", "the password is")
    answer = await stage.ask("PUT", "/v1/queues/q", json={})
    assert (problem(answer)["code"], problem(answer)["detail"]) == ("internal", "internal error")


async def test_a_fault_at_the_edge_itself_is_told_as_one(stage: Stage) -> None:
    async def broken(bearer: str) -> Any:
        raise ZeroDivisionError(bearer)

    stage.people.authenticate = broken  # type: ignore[method-assign]  # put in its place
    answer = await stage.ask("GET", "/v1/queues", token="secret-token")
    assert (problem(answer)["code"], answer.status_code) == ("internal", 500)
    assert "secret-token" not in answer.text
    await stage.ask("PUT", "/v1/queues/q", json={})
    assert [entry.outcome for entry in stage.people.entries] == ["internal"]


async def test_a_service_that_is_away_is_503_with_when_to_ask_again(stage: Stage) -> None:
    stage.exchange.kill("crm")
    answer = await stage.ask("GET", "/v1/customers")
    told = problem(answer)
    assert (told["status"], told["code"]) == (503, "unavailable")
    assert "crm" not in told["detail"]
    assert answer.headers["retry-after"] == "1"


async def test_credentials(stage: Stage) -> None:
    stage.people.expired.add("old")
    for token, code in (("wrong", "not-authenticated"), ("old", "token-expired")):
        answer = await stage.ask("GET", "/v1/queues", token=token)
        assert problem(answer)["code"] == code
        assert answer.headers["www-authenticate"].startswith("Bearer")
    expired = await stage.ask("GET", "/v1/queues", token="old")
    assert 'error="invalid_token"' in expired.headers["www-authenticate"]
    for header in ("Basic YTpi", "Bearer", "administrator", ""):
        answer = await stage.ask("GET", "/v1/queues", token="", headers={"authorization": header})
        assert answer.status_code == 401
    twice = [("authorization", "Bearer administrator"), ("authorization", "Bearer agent")]
    assert (await stage.http.get("/v1/queues", headers=twice)).status_code == 401
    lower = await stage.ask(
        "GET", "/v1/queues", token="", headers={"authorization": "bearer administrator"}
    )
    assert lower.status_code == 200


async def test_people_can_not_be_told_apart_while_their_database_is_away(stage: Stage) -> None:
    stage.people.failure = DatabaseUnavailable("OSError: nobody at 10.1.2.3:5432")
    answer = await stage.ask("GET", "/v1/queues")
    assert (answer.status_code, problem(answer)["code"]) == (503, "database-unavailable")
    assert "10.1.2.3" not in answer.text


async def test_the_tenant_is_that_of_the_credentials_whatever_a_request_brings(
    stage: Stage,
) -> None:
    brought = {"carillon-tenant": "demo", "carillon-user": "root", "x-tenant": "demo"}
    await stage.ask("GET", "/v1/queues/sales", token="elsewhere", headers=brought)
    (call,) = stage.backend.calls
    assert (call.tenant, call.metadata["carillon-user"]) == ("other", "elsewhere")
    assert call.metadata["carillon-user-name-bin"] == b"Elsewhere"


async def test_only_portal_learns_of_sessions_and_addresses(stage: Stage) -> None:
    await stage.ask("GET", "/v1/me", token="agent")
    await stage.ask("GET", "/v1/queues", token="agent")
    own, other = (call.metadata for call in stage.backend.calls)
    assert (own["carillon-session"], own["carillon-address"]) == ("session-of-agent", "192.0.2.7")
    assert "carillon-session" not in other
    assert "carillon-address" not in other


async def test_an_agent_names_only_themselves(stage: Stage) -> None:
    body = {"presence": "ready"}
    own = await stage.ask("POST", "/v1/agents/agent:set-presence", token="agent", json=body)
    assert own.status_code == 200
    other = await stage.ask("POST", "/v1/agents/ben:set-presence", token="agent", json=body)
    assert (other.status_code, problem(other)["code"]) == (403, "not-your-own")
    both = await stage.ask("POST", "/v1/agents/ben:set-presence", token="both", json=body)
    assert both.status_code == 200
    assert [entry.outcome for entry in stage.people.entries] == ["ok", "not-your-own", "ok"]


async def test_what_changes_something_is_on_the_trail_without_secrets(stage: Stage) -> None:
    body = {"user": {"username": "ada", "roles": ["agent"]}, "password": SECRET}
    await stage.ask("POST", "/v1/users", json=body)
    await stage.ask("GET", "/v1/users")
    await stage.ask("POST", "/v1/flows:check", json={"definition_json": "{}"})
    await stage.ask("GET", "/v1/recordings/r1:verify")
    await stage.ask("PUT", "/v1/queues/sales", json={"name": "x" * 5_000})
    await stage.ask("POST", "/v1/users:import", json={"rows": [], "dry_run": True})
    made, verified, put, tried = stage.people.entries
    assert (made.action, made.subject) == ("carillon.portal.v1.Portal/CreateUser", "user ada")
    assert json.loads(made.detail)["password"] == "(not kept)"
    assert SECRET not in made.detail
    assert (verified.subject, verified.outcome) == ("recording r1", "ok")
    assert (put.subject, len(put.detail) < 4_096) == ("queue sales", True)
    assert tried.subject == "dry run"


async def test_what_is_large_is_told_by_its_size_on_the_trail(stage: Stage) -> None:
    attributes = {f"name-{place}": "x" * 150 for place in range(40)}
    await stage.ask("PUT", "/v1/customers/c1", json={"attributes": attributes})
    (entry,) = stage.people.entries
    assert json.loads(entry.detail)["too_long_bytes"] > 4_096


async def test_what_people_write_themselves_is_written_once(stage: Stage) -> None:
    await stage.ask("POST", "/v1/sessions", token="", json={"username": "a", "password": SECRET})
    await stage.ask("POST", "/v1/me:change-password", token="agent", json={"old_password": "a"})
    assert not stage.people.entries
    await stage.ask("POST", "/v1/me:change-password", token="", json={})
    (entry,) = stage.people.entries
    assert (entry.who, entry.outcome) == ("", "not-authenticated")


async def test_a_flood_of_nobodies_does_not_flood_the_trail(stage: Stage) -> None:
    for _ in range(strangers.MAX_ENTRIES_PER_S + 10):
        await stage.ask("GET", "/v1/queues", token="")
    assert len(stage.people.entries) == strangers.MAX_ENTRIES_PER_S
    stage.clock.at_ms += 1_000
    await stage.ask("GET", "/v1/queues", token="")
    assert len(stage.people.entries) == strangers.MAX_ENTRIES_PER_S + 1


async def test_one_user_has_only_so_many_requests_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "MAX_AT_ONCE", 0)
    answer = await stage.ask("GET", "/v1/queues")
    assert (answer.status_code, problem(answer)["code"]) == (429, "too-many-requests")
    assert answer.headers["retry-after"] == "1"
    anonymous = await stage.ask("POST", "/v1/sessions", token="", json={})
    assert anonymous.status_code == 200


async def test_pages_that_are_no_rpc(stage: Stage) -> None:
    for path, words in (("/", "Carillon"), ("/docs", "First steps"), ("/healthz", "ok")):
        answer = await stage.ask("GET", path, token="")
        assert answer.status_code == 200
        assert words in answer.text
        assert answer.headers["x-frame-options"] == "DENY"
        assert (await stage.ask("HEAD", path, token="")).status_code == 200
    assert (await stage.ask("GET", "/readyz", token="")).json() == {"status": "ready"}
    stage.unready = "leaving"
    answer = await stage.ask("GET", "/readyz", token="")
    assert (answer.status_code, answer.json()) == (503, {"status": "leaving"})


async def test_pages_are_only_read(stage: Stage) -> None:
    answer = await stage.ask("POST", "/docs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert problem(answer)["code"] == "method-not-allowed"


async def test_a_path_with_what_no_path_has_is_still_answered(stage: Stage) -> None:
    answer = await stage.ask("GET", "/v1/queues/a%0D%0Ab")
    assert answer.status_code == 200
    assert stage.backend.calls[-1].request.queue_id == "a\r\nb"
    assert problem(await stage.ask("GET", "/v1/%0D%0A"))["code"] == "no-such-path"


async def test_nothing_of_an_unknown_field_that_a_service_says_is_lost(stage: Stage) -> None:
    view = state_pb2.AgentView(agent_id="ada", why_not="signed_out")
    stage.backend.answers["/carillon.acd.v1.Acd/ListAgents"] = acd_pb2.ListAgentsResponse(
        agents=[view]
    )
    told = (await stage.ask("GET", "/v1/agents")).json()
    (agent,) = told["agents"]
    assert (agent["why_not"], agent["routable"]) == ("signed_out", False)
    assert "routable_at_ms" not in agent
