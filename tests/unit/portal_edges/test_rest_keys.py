"""Requests with an Idempotency-Key: done once, however often they are sent."""

from __future__ import annotations

import asyncio
from typing import Any

from protos.crm.v1 import crm_pb2
from services.chassis.errors import Kind
from tests.unit.portal_edges.stage import Stage, problem
from tests.unit.portal_edges.test_rest import PUT_QUEUE, refusal


async def test_a_request_with_a_key_is_done_once(stage: Stage) -> None:
    stage.backend.answers["/carillon.crm.v1.Crm/CreateCustomer"] = crm_pb2.Customer(
        customer_id="c1"
    )
    key = {"idempotency-key": "once"}
    first = await stage.ask("POST", "/v1/customers", json={"name": "Ada"}, headers=key)
    again = await stage.ask("POST", "/v1/customers", json={"name": "Ada"}, headers=key)
    assert first.json() == again.json()
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert "idempotency-replayed" not in first.headers
    assert len(stage.backend.calls) == 1
    other = await stage.ask("POST", "/v1/customers", json={"name": "Bob"}, headers=key)
    assert problem(other)["code"] == "idempotency-key-reused"
    # Somebody else's key of the same name is another key.
    await stage.ask("POST", "/v1/customers", token="both", json={"name": "Ada"}, headers=key)
    assert len(stage.backend.calls) == 2


async def test_what_was_refused_may_be_asked_again_by_the_same_key(stage: Stage) -> None:
    stage.backend.answers[PUT_QUEUE] = refusal(Kind.PRECONDITION, "not-yet")
    key = {"idempotency-key": "once"}
    first = await stage.ask("PUT", "/v1/queues/q", json={}, headers=key)
    assert first.status_code == 409
    del stage.backend.answers[PUT_QUEUE]
    again = await stage.ask("PUT", "/v1/queues/q", json={}, headers=key)
    assert again.status_code == 200
    assert "idempotency-replayed" not in again.headers


async def test_the_second_of_two_at_once_is_told_to_wait(stage: Stage) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()
    key = {"idempotency-key": "once"}

    async def slow(*_: Any) -> Any:
        begun.set()
        await gate.wait()

    replay = stage.people.replay

    async def held(**asked: Any) -> Any:
        answer = await replay(**asked)
        if not begun.is_set():
            await slow()
        return answer

    stage.people.replay = held  # type: ignore[method-assign]  # put in its place
    first = asyncio.ensure_future(stage.ask("PUT", "/v1/queues/q", json={}, headers=key))
    await begun.wait()
    second = await stage.ask("PUT", "/v1/queues/q", json={}, headers=key)
    assert (second.status_code, problem(second)["code"]) == (409, "in-progress")
    gate.set()
    assert (await first).status_code == 200


async def test_answers_with_secrets_are_kept_for_no_key(stage: Stage) -> None:
    key = {"idempotency-key": "once"}
    for _ in range(2):
        await stage.ask("POST", "/v1/api-keys", json={"name": "ci"}, headers=key)
    assert len(stage.backend.calls) == 2
    assert not stage.people.kept


async def test_a_key_that_is_empty_is_no_key_and_not_none(stage: Stage) -> None:
    answer = await stage.ask("PUT", "/v1/queues/q", json={}, headers={"idempotency-key": ""})
    assert problem(answer)["code"] == "bad-idempotency-key"
    assert not stage.backend.calls


async def test_reading_needs_no_key(stage: Stage) -> None:
    for _ in range(2):
        await stage.ask("GET", "/v1/queues", headers={"idempotency-key": "once"})
    assert len(stage.backend.calls) == 2
