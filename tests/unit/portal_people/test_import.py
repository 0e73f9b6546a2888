"""People come in a table: what is wrong is told row by row, and the others are created."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos.acd.v1 import config_pb2, state_pb2
from protos.portal.v1 import portal_pb2
from services.chassis.errors import Kind
from services.portal.core.importing import MAX_QUEUES, MAX_ROWS, MAX_SKILLS
from services.portal.core.password_making import RANDOM_BITS, made_password
from services.portal.core.password_rules import check_password
from services.portal.model.importing import Row
from services.portal.model.people import PLATFORM_TENANT
from services.portal.people_import import Importer
from tests.unit.portal_people.others import Named
from tests.unit.portal_people.stage import OTHER_PASSWORD, Stage, refused
from tests.unit.portal_people.test_caps import capped


async def imported(
    stage: Stage, *rows: portal_pb2.ImportRow, dry_run: bool = False, tenant: str = "acme"
) -> portal_pb2.ImportUsersResponse:
    request = portal_pb2.ImportUsersRequest(rows=rows, dry_run=dry_run)
    return await stage.portal.ImportUsers(request, metadata=await stage.root(tenant))


def row(username: str, **parts: Any) -> portal_pb2.ImportRow:
    return portal_pb2.ImportRow(username=username, **parts)


def faults(answer: portal_pb2.ImportUsersResponse) -> list[list[tuple[str, str]]]:
    return [[(each.field, each.code) for each in result.faults] for result in answer.results]


def opened(stage: Stage, *queue_ids: str) -> None:
    house = stage.others.house(stage.tenants["acme"])
    house.queues = [state_pb2.QueueView(queue_id=each) for each in queue_ids]


async def test_agents_come_with_their_skills_and_queues(stage: Stage) -> None:
    opened(stage, "sales", "service")
    answer = await imported(
        stage,
        row(
            "ann",
            display_name="Ann B",
            email="ann@acme.test",
            password=OTHER_PASSWORD,
            skills={"german": 7, "english": 10},
            queue_ids=["service", "sales"],
        ),
        row("sam", roles=["supervisor"]),
    )
    assert answer.created == 2
    ann, sam = answer.results
    assert (ann.row, sam.row, ann.password) == (1, 2, "")
    await stage.sign_in("ann", password=OTHER_PASSWORD)
    session = await stage.sign_in("sam", password=sam.password)
    assert list(session.me.roles) == ["supervisor"]
    (agent,) = stage.others.house(stage.tenants["acme"]).agents.values()
    assert agent == config_pb2.AgentConfig(
        agent_id=ann.user_id,
        name="Ann B",
        endpoint="webrtc:",
        skills=[
            config_pb2.SkillLevel(name="english", level=10),
            config_pb2.SkillLevel(name="german", level=7),
        ],
        queues=[
            config_pb2.QueueMembership(queue_id="service"),
            config_pb2.QueueMembership(queue_id="sales"),
        ],
        capacities=[config_pb2.Capacity(channel="voice", limit=1)],
    )
    assert (await stage.told())[-2:] == ["UserPut", "UserPut"]


async def test_a_dry_run_tells_the_faults_and_creates_nobody(stage: Stage) -> None:
    opened(stage, "sales")
    await stage.create_user("Ann")
    rows = (
        row("fine"),
        row("ann"),
        row("no spaces", display_name="a\nb", email="nobody"),
        row("twice"),
        row("TWICE"),
        row("weak", password="password1234"),
        row("own", password="12345acme6789"),
        row("boss", roles=["king"]),
        row("high", roles=["platform"]),
        row("sam", roles=["supervisor"], skills={"german": 1}),
        row("bob", skills={"german": 11}, queue_ids=["sales", "gone"]),
        row("eva", skills={"": 3}),
        row("dup", queue_ids=["sales", "sales"]),
        row("many", skills={str(each): 1 for each in range(MAX_SKILLS + 1)}),
        row("much", queue_ids=map(str, range(MAX_QUEUES + 1))),
        row("a\0b"),
    )
    answer = await imported(stage, *rows, dry_run=True)
    found = faults(answer)
    assert found[:14] == [
        [],
        [("username", "username-taken")],
        [("username", "bad-username"), ("display_name", "bad-name"), ("email", "bad-email")],
        [("username", "username-twice")],
        [("username", "username-twice")],
        [("password", "weak-password")],
        [("password", "weak-password")],
        [("roles", "bad-roles")],
        [("roles", "bad-roles"), ("roles", "platform-only")],
        [("roles", "not-an-agent")],
        [("skills", "bad-level"), ("queue_ids", "no-such-queue")],
        [("skills", "bad-skill")],
        [("queue_ids", "bad-queues")],
        [("skills", "too-many-skills")],
    ]
    assert ("queue_ids", "bad-queues") in found[14]
    assert ("username", "bad-username") in found[15]
    assert all(each.message for result in answer.results for each in result.faults)
    assert answer.created == 0
    assert not any(each.user_id or each.password for each in answer.results)
    assert (await refused(stage.sign_in("fine"))).code == "wrong-credentials"


async def test_rows_that_are_wrong_do_not_keep_the_others(stage: Stage) -> None:
    answer = await imported(stage, row("ann"), row("no spaces"), row("ben"))
    assert faults(answer) == [[], [("username", "bad-username")], []]
    assert [bool(each.user_id) for each in answer.results] == [True, False, True]
    assert answer.created == 2
    again = await imported(stage, row("ANN"))
    assert faults(again) == [[("username", "username-taken")]]


async def test_passwords_that_are_made_are_told_once_and_each_is_another(stage: Stage) -> None:
    answer = await imported(stage, *(row(f"user-{number}") for number in range(5)))
    made = {each.password for each in answer.results}
    assert len(made) == 5
    for each in answer.results:
        await stage.sign_in(f"user-{each.row - 1}", password=each.password)
    trail = str(await stage.audit())
    assert not any(word in trail for word in made)


async def test_an_import_stops_at_the_cap(stage: Stage) -> None:
    await capped(stage, max_users=3)
    answer = await imported(stage, row("ann"), row("-no-"[1:3] + " "), row("ben"), row("cyn"))
    assert faults(answer) == [
        [],
        [("username", "bad-username")],
        [],
        [("username", "too-many-users")],
    ]
    assert answer.created == 2
    full = await imported(stage, row("dan"), dry_run=True)
    assert faults(full) == [[("username", "too-many-users")]]


async def test_who_is_refused_as_an_agent_is_a_user_all_the_same(stage: Stage) -> None:
    stage.others.refusal = Named("invalid-configuration", Kind.INVALID)
    answer = await imported(stage, row("ann", password=OTHER_PASSWORD))
    assert faults(answer) == [[("queue_ids", "agent-refused")]]
    assert answer.created == 1
    assert answer.results[0].user_id
    await stage.sign_in("ann", password=OTHER_PASSWORD)


async def test_queues_that_can_not_be_asked_for_are_no_fault_of_the_rows(stage: Stage) -> None:
    stage.others.refusal = Named("unavailable", Kind.UNAVAILABLE)
    error = await refused(imported(stage, row("ann", queue_ids=["sales"])))
    assert error.code == "routing-away"
    assert (await refused(stage.sign_in("ann"))).code == "wrong-credentials"


async def test_somebody_may_come_first_between_the_look_and_the_creation(stage: Stage) -> None:
    tenant = await stage.store.get_tenant(stage.tenants["acme"])
    importer = Importer(parts=stage.parts, tenant=tenant)
    rows = [Row("ann", "", "", ("supervisor",), "", {}, ()), Row("ben", "", "", (), "", {}, ())]
    known = await importer.check(rows, asking=frozenset())
    assert known == [(), ()]
    await stage.create_user("ann")
    ann, ben = await importer.create([rows[0]], known[:1]), rows[1]
    assert [each.code for each in ann[0].faults] == ["user-exists"]
    assert not ann[0].user_id
    await capped(stage, max_users=2)
    (late,) = await importer.create([ben], [()])
    assert [each.code for each in late.faults] == ["too-many-users"]


@pytest.mark.parametrize("rows", [0, MAX_ROWS + 1])
async def test_an_import_has_rows_and_not_too_many(stage: Stage, rows: int) -> None:
    call = imported(stage, *(row(f"u{number}") for number in range(rows)))
    assert (await refused(call)).code == "bad-import"


async def test_the_role_platform_is_given_by_who_has_it(stage: Stage) -> None:
    metadata = (("carillon-tenant", str(PLATFORM_TENANT)),)
    request = portal_pb2.ImportUsersRequest(rows=[row("x", roles=["platform"])], dry_run=True)
    assert (await refused(stage.portal.ImportUsers(request, metadata=metadata))).code in {
        "not-authenticated",
        "no-such-tenant",
    }


@given(st.integers(0, 2**RANDOM_BITS - 1))
def test_a_made_password_is_good_enough_and_can_be_spoken(bits: int) -> None:
    made = made_password(bits)
    assert [len(word) for word in made.split("-")] == [5] * 5
    assert made.replace("-", "").isalpha()
    if len(set(made)) >= 5 and len(set(made.split("-"))) > 1:
        check_password(made)


def test_different_bits_make_different_passwords() -> None:
    assert len({made_password(bits << 40) for bits in range(1_000)}) == 1_000
