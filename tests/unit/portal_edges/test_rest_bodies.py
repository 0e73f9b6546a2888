"""Bodies: whose are read, how much of them, how long they are waited for, and what is large."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from services.portal import edge, rest
from tests.unit.portal_edges.stage import Stage, problem


async def test_a_body_that_says_no_length_is_cut_off_at_the_limit(stage: Stage) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 65_536

    headers = {"content-type": "application/json"}
    answer = await stage.ask("PUT", "/v1/queues/q", content=endless(), headers=headers)
    assert problem(answer)["code"] == "too-large"
    assert sent <= rest.MAX_BODY_BYTES // 65_536 + 2


async def test_nobodys_body_is_read_before_they_are_known(stage: Stage) -> None:
    sent = 0

    async def body() -> Any:
        nonlocal sent
        sent += 1
        yield b"{}"

    headers = {"content-type": "application/json"}
    for token, status in (("", 401), ("wrong", 401), ("agent", 403)):
        answer = await stage.ask(
            "PUT", "/v1/queues/q", token=token, content=body(), headers=headers
        )
        assert answer.status_code == status
    assert sent == 0
    assert (
        await stage.ask("PUT", "/v1/queues/q", content=body(), headers=headers)
    ).status_code == 200


async def test_who_needs_no_credentials_sends_little(stage: Stage) -> None:
    credentials = {"username": "a", "password": "x" * rest.MAX_STRANGERS_BODY_BYTES}
    answer = await stage.ask("POST", "/v1/sessions", token="", json=credentials)
    assert problem(answer)["code"] == "too-large"


async def test_strangers_who_send_slowly_take_nobodys_place(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "MAX_ANONYMOUS_AT_ONCE", 1)
    begun = asyncio.Event()

    async def slow() -> Any:
        begun.set()
        yield b"{"
        await asyncio.Event().wait()

    headers = {"content-type": "application/json"}
    first = asyncio.ensure_future(
        stage.ask("POST", "/v1/sessions", token="", content=slow(), headers=headers)
    )
    async with asyncio.timeout(5):
        await begun.wait()
    second = await stage.ask("POST", "/v1/sessions", token="", json={})
    assert second.status_code == 200
    first.cancel()


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "BODY_LIMIT_S", 0.01)

    async def never() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    answer = await stage.ask("PUT", "/v1/queues/q", content=never())
    assert problem(answer)["status"] == 408


async def test_what_is_large_comes_and_goes_whole_and_others_are_answered_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[int] = []
    loop, as_json = asyncio.get_running_loop(), rest.as_json

    async def other() -> None:
        others.append((await stage.ask("GET", "/v1/queues")).status_code)

    def slow(message: Any) -> bytes:
        if message.ByteSize() > rest.LARGE_BYTES:
            # On the loop this would wait for itself.
            asyncio.run_coroutine_threadsafe(other(), loop).result(5)
        return as_json(message)

    monkeypatch.setattr(rest, "as_json", slow)
    names = [f"name-{place:06}" for place in range(10_000)]
    stage.backend.answers["/carillon.crm.v1.Crm/PutCustomer"] = lambda request: request.customer
    answer = await stage.ask("PUT", "/v1/customers/c1", json={"numbers": names})
    assert answer.json()["numbers"] == names
    assert others == [200]
    (entry,) = stage.people.entries
    assert json.loads(entry.detail)["too_long_bytes"] > rest.LARGE_BYTES
