"""REST of a whole installation under whatever its own description allows, and what it does not.

Nothing that is sent may be answered by a fault (5xx), and every answer is as described.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from services.chassis.postgres.server import PostgresServer
from services.portal.access import Registry
from tests.stage.installation import Installation
from tests.stage.tenants import PASSWORD, platform, tenant_of

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]
EXAMPLES = 3
"""Of each operation, for each of what is described and what is not."""
SEED = 20_261_122
LEFT_OUT = {
    # It would end the session that asks.
    "Portal_EndSession",
}
SOUNDS = ("Recording_Audio", "Library_PromptAudio", "Library_PutPromptAudio")
"""What the description has and no proto binds."""
BY_THE_PLATFORM = {
    "Portal_CreateTenant",
    "Portal_ListTenants",
    "Portal_SetCaps",
    "Portal_ListTenantHealth",
}


@schemathesis.serializer("audio/wav")
def as_sound(_context: Any, value: Any) -> bytes:
    """What is sent where a sound is wanted: anything."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@dataclass(frozen=True, slots=True)
class Target:
    """A running installation, and who asks it."""

    address: str
    everything: str
    """The token of somebody with every role that a tenant has."""
    platform: str
    """That of the platform's administrator."""
    schema: OpenApiSchema
    """What it says of itself."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Target]:
    async with AsyncExitStack() as stack:
        carillon = await stack.enter_async_context(
            Installation(var=tmp_path_factory.mktemp("fuzz"), postgres=postgres_server)
        )
        root = await stack.enter_async_context(platform(carillon))
        tenant = await stack.enter_async_context(
            tenant_of(carillon, "fuzzed", number="+12025550199")
        )
        await tenant.person("everything", "agent", "supervisor", "administrator")
        session = await tenant.session("everything")
        await tenant.admin.put(
            "/v1/customers/carol", {"name": "Carol", "numbers": ["+12025550147"]}
        )
        async with httpx.AsyncClient(base_url=carillon.portal) as http:
            document = (await http.get("/openapi.json")).json()
        schema = schemathesis.openapi.from_dict(document)
        yield Target(carillon.portal, session.token, root.token, schema)


def operations() -> list[str]:
    """Every operation, by the name that its description has."""
    names = []
    for exposed in Registry():
        service = exposed.method.containing_service.name
        for place, _ in enumerate(exposed.bindings):
            suffix = f"_{place + 1}" if place else ""
            names.append(f"{service}_{exposed.method.name}{suffix}")
    return [name for name in (*names, *SOUNDS) if name not in LEFT_OUT]


@pytest.mark.parametrize("name", operations())
async def test_an_operation_answers_as_described(target: Target, name: str) -> None:
    operation = target.schema.find_operation_by_id(name)
    token = target.platform if name in BY_THE_PLATFORM else target.everything

    def fuzz(mode: GenerationMode) -> Callable[[], None]:
        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            case.call_and_validate(
                base_url=target.address,
                headers={"Authorization": f"Bearer {token}"},
                checks=CHECKS,
                timeout=30,
            )

        made: Callable[[], None] = check
        return made

    await asyncio.to_thread(fuzz(GenerationMode.POSITIVE))
    await asyncio.to_thread(fuzz(GenerationMode.NEGATIVE))


async def test_wrong_passwords_are_refused_however_they_look(target: Target) -> None:
    async with httpx.AsyncClient(base_url=target.address) as http:
        for password in ("", "wrong", PASSWORD[:-1], PASSWORD + "\u0301", "x" * 10_000):
            body = {"tenant": "fuzzed", "username": "nobody", "password": password}
            answer = await http.post("/v1/sessions", json=body)
            assert answer.status_code in {400, 401, 429}
            assert answer.headers["content-type"] == "application/problem+json"
