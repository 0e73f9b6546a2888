from __future__ import annotations

import asyncio
import re

import pytest

from services.chassis import request
from services.chassis.errors import Kind
from services.chassis.ids import CallId, TenantId
from services.chassis.request import MAX_ID_CHARS, MissingTenant, PlatformRefused, RequestContext
from services.chassis.trace import trace_id

CALL = "01930b5e-7c00-7abc-8def-0123456789ab"


async def entered(*pairs: tuple[str, str | bytes]) -> RequestContext:
    """What a request with this metadata is, in a task and so in a context of its own."""

    async def enter() -> RequestContext:
        assert request.enter(pairs) == request.present()
        return request.present()

    return await asyncio.create_task(enter())


async def test_it_is_what_its_metadata_say() -> None:
    both = await entered(("carillon-tenant", "t"), ("carillon-call", CALL), ("other", "x"))
    assert both == RequestContext(tenant_id=TenantId("t"), call_id=CallId(CALL))
    assert await entered() == RequestContext()


@pytest.mark.parametrize("value", ["", "x" * (MAX_ID_CHARS + 1), b"bytes"])
async def test_what_cannot_be_an_id_is_as_if_not_said(value: str | bytes) -> None:
    assert await entered(("carillon-tenant", value), ("carillon-call", value)) == RequestContext()


async def test_outside_of_any_request_there_is_no_tenant() -> None:
    assert request.present() == RequestContext()
    for ask in (request.tenant_id, request.tenant_scope):
        with pytest.raises(MissingTenant, match="carillon-tenant") as caught:
            ask()
        assert caught.value.kind is Kind.UNAUTHENTICATED


async def test_the_platform_is_a_scope_and_no_tenant() -> None:
    async def ask() -> None:
        request.enter([("carillon-tenant", request.PLATFORM)])
        assert request.tenant_scope() == request.PLATFORM
        with pytest.raises(PlatformRefused):
            request.tenant_id()

    await asyncio.create_task(ask())


async def test_what_one_task_enters_another_does_not_see() -> None:
    await entered(("carillon-tenant", "t"))
    assert request.present() == RequestContext()


async def test_an_outgoing_request_carries_the_present_one_on() -> None:
    async def ask() -> request.Metadata:
        request.enter([("carillon-tenant", "t"), ("carillon-call", CALL)])
        assert dict(request.metadata(tenant_id="other"))["carillon-tenant"] == "other"
        return request.metadata()

    told = dict(await asyncio.create_task(ask()))
    assert told["carillon-tenant"] == "t"
    assert told["carillon-call"] == CALL
    # W3C Trace Context: version, trace id, parent id, flags.
    parent = str(told["traceparent"])
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", parent)
    assert parent.split("-")[1] == trace_id(CALL)


def test_without_anything_to_say_there_are_no_metadata() -> None:
    assert request.metadata() == ()
    assert request.metadata(tenant_id="t") == (("carillon-tenant", "t"),)


async def test_who_asks_is_carried_on_whatever_their_name_is() -> None:
    said = request.on_behalf(
        tenant_id="t", user_id="u1", user_name="Zoë 王", own_agent_id="u1", call_id=CALL
    )

    async def ask() -> request.Metadata:
        context = request.enter(said)
        assert (context.user_id, context.user_name) == ("u1", "Zoë 王")
        assert (context.tenant_id, context.own_agent_id, context.call_id) == ("t", "u1", CALL)
        return request.metadata()

    assert sorted(await asyncio.create_task(ask())) == sorted(said)
