"""The platform sees what is going on in each tenant, and what is wrong, whoever answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protos.acd.v1 import state_pb2
from protos.analytics.v1 import analytics_pb2
from protos.portal.v1 import portal_pb2
from services.chassis.errors import Kind
from services.chassis.ids import TenantId
from services.portal.core.health import LONG_WAIT_MS, judged
from services.portal.model.health import Floor, Vitals, Waiting
from services.portal.model.people import PLATFORM_TENANT, Caps, Headcount, Tenant
from services.portal.people_health import AT_ONCE
from services.portal.rpc_people_health import MAX_TENANTS
from tests.unit.portal_people.others import Named
from tests.unit.portal_people.stage import Stage, refused
from tests.unit.portal_people.test_caps import PLATFORM, capped

TENANT = Tenant(TenantId("t"), "acme", "Acme", "UTC", "", 1, "", Caps(max_users=10, max_calls=10))
FINE = Vitals(
    tenant=TENANT,
    people=Headcount(5, 1),
    waiting=Waiting(2, 1_000),
    floor=Floor(3, 1, 9, 8, 1),
    calls=3,
    has_number=True,
)


@pytest.mark.parametrize(
    ("vitals", "reasons"),
    [
        (replace(FINE, floor=Floor(3, 0, 9, 8, 1)), ("nobody-ready",)),
        (replace(FINE, waiting=Waiting(1, LONG_WAIT_MS + 1)), ("long-wait",)),
        (replace(FINE, calls=9), ("near-call-cap",)),
        (replace(FINE, calls=10), ("at-call-cap",)),
        (replace(FINE, people=Headcount(9, 1)), ("near-user-cap",)),
        (replace(FINE, has_number=False), ("no-number",)),
        (replace(FINE, people=Headcount(5, 0)), ("no-administrator",)),
        (replace(FINE, tenant=replace(TENANT, caps=Caps(suspended=True))), ("suspended",)),
        (
            replace(FINE, floor=None, waiting=Waiting(1, LONG_WAIT_MS + 1), has_number=False),
            ("long-wait", "no-number"),
        ),
    ],
)
def test_what_asks_for_attention_is_said_by_name(vitals: Vitals, reasons: tuple[str, ...]) -> None:
    assert judged(vitals) == ("attention", reasons)


def test_all_is_well_unless_something_is_unknown() -> None:
    assert judged(FINE) == ("well", ())
    nobody = Waiting(0, 0)
    assert judged(replace(FINE, waiting=nobody, floor=Floor(0, 0, 0, 0, 0))) == ("well", ())
    for unknown in (
        replace(FINE, waiting=None),
        replace(FINE, floor=None),
        replace(FINE, calls=None),
        replace(FINE, has_number=None),
    ):
        assert judged(unknown) == ("unknown", ())
    uncapped = replace(FINE, tenant=replace(TENANT, caps=Caps()), calls=999)
    assert judged(replace(uncapped, people=Headcount(999, 1))) == ("well", ())


def test_the_platform_itself_needs_no_number() -> None:
    platform = replace(TENANT, tenant_id=PLATFORM_TENANT)
    assert judged(replace(FINE, tenant=platform, has_number=False)) == ("well", ())


async def health(stage: Stage, size: int = 0) -> list[portal_pb2.TenantHealth]:
    request = portal_pb2.ListTenantHealthRequest()
    request.page.size = size
    return list((await stage.portal.ListTenantHealth(request, metadata=PLATFORM)).tenants)


async def test_each_tenant_is_shown_with_what_the_services_know(stage: Stage) -> None:
    await capped(stage, max_calls=2)
    await stage.create_user("ann")
    house = stage.others.house(stage.tenants["acme"])
    house.queues = [
        state_pb2.QueueView(queue_id="a", waiting=2, longest_wait_ms=4_000),
        state_pb2.QueueView(queue_id="b", waiting=1, longest_wait_ms=LONG_WAIT_MS + 1),
    ]
    house.calls, house.numbers = 2, 0
    row = house.live.rows.add(queue_id="")
    for state, agents in (("ready", 0), ("talking", 2), ("break", 1), ("signed_out", 7)):
        row.agents.add(state=state, agents=agents)
    for kpi, value in (("offered", 12.0), ("answered", 9.0), ("abandoned", 1.0)):
        row.today.add(kpi=kpi, value=value)
    row.today.add(kpi="asa")
    acme, other = await health(stage)
    assert (acme.tenant.name, acme.users, acme.agents_signed_in, acme.waiting) == ("acme", 2, 3, 3)
    assert (acme.calls, acme.offered_today, acme.answered_today, acme.abandoned_today) == (
        2,
        12,
        9,
        1,
    )
    assert (acme.state, list(acme.reasons)) == (
        "attention",
        ["nobody-ready", "long-wait", "at-call-cap", "no-number"],
    )
    assert (other.tenant.name, other.state, other.waiting) == ("other", "well", 0)


async def test_services_that_are_away_leave_a_tenant_unknown(stage: Stage) -> None:
    stage.others.refusal = Named("away", Kind.UNAVAILABLE)
    assert [each.state for each in await health(stage)] == ["unknown", "unknown"]


async def test_a_service_that_does_not_answer_is_not_waited_for_and_few_are_asked_at_once(
    stage: Stage,
) -> None:
    for number in range(AT_ONCE + 2):
        await stage.create_tenant(f"more-{number}")
    stage.others.house(stage.tenants["acme"]).live = analytics_pb2.Live(
        rows=[analytics_pb2.LiveRow(agents=[analytics_pb2.AgentsInState(state="ready", agents=1)])]
    )
    stage.others.stuck = {"ListQueues"}
    shown = await health(stage)
    assert {each.state for each in shown} == {"unknown"}
    assert shown[0].agents_signed_in == 1
    assert stage.others.most_at_once == AT_ONCE
    assert stage.others.at_once == 0


async def test_tenants_come_by_the_page_and_not_too_many(stage: Stage) -> None:
    request = portal_pb2.ListTenantHealthRequest()
    request.page.size = 1
    answer = await stage.portal.ListTenantHealth(request, metadata=PLATFORM)
    assert [each.tenant.name for each in answer.tenants] == ["acme"]
    request.page.token = answer.page.next_token
    request.page.size = MAX_TENANTS + 1
    answer = await stage.portal.ListTenantHealth(request, metadata=PLATFORM)
    assert [each.tenant.name for each in answer.tenants] == ["other"]
    assert not answer.page.next_token


async def test_only_the_platform_looks_at_all_tenants(stage: Stage) -> None:
    request = portal_pb2.ListTenantHealthRequest()
    call = stage.portal.ListTenantHealth(request, metadata=await stage.root())
    assert (await refused(call)).code == "platform-only"
