"""What a tenant's contacts can have been about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from protos.portal.v1 import portal_pb2
from services.portal.core.dispositions import (
    MAX_DISPOSITIONS,
    MAX_POSITION,
    MAX_QUEUES,
    check_disposition,
    check_given,
    in_order,
    offered,
)
from services.portal.model.dispositions import Disposition
from services.portal.model.errors import BadDisposition, NoSuchDisposition
from tests.unit.portal_people.stage import Stage, refused

SOLD = Disposition("sold", "Sold", ("sales",), 2, active=True)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SOLD, code=""),
        replace(SOLD, code="Sold"),
        replace(SOLD, code="a" * 65),
        replace(SOLD, label=" "),
        replace(SOLD, label="x" * 101),
        replace(SOLD, label="a\nb"),
        replace(SOLD, queue_ids=("a", "a")),
        replace(SOLD, queue_ids=("",)),
        replace(SOLD, queue_ids=("a\0",)),
        replace(SOLD, queue_ids=tuple(map(str, range(MAX_QUEUES + 1)))),
        replace(SOLD, position=MAX_POSITION + 1),
    ],
)
def test_a_disposition_that_is_none_is_refused(wrong: Disposition) -> None:
    check_disposition(SOLD)
    with pytest.raises(BadDisposition):
        check_disposition(wrong)


def test_a_queue_offers_its_own_and_those_of_all_queues_in_their_order() -> None:
    anywhere = Disposition("other", "Other", (), 2, active=True)
    first = Disposition("spam", "Spam", (), -1, active=True)
    gone = Disposition("gone", "Gone", (), 0, active=False)
    everything = [SOLD, anywhere, first, gone]
    assert offered(everything, "sales") == [first, anywhere, SOLD]
    assert offered(everything, "service") == [first, anywhere]
    assert in_order(everything) == [first, gone, anywhere, SOLD]


def test_where_nothing_is_offered_anything_may_be_given() -> None:
    check_given([], "anything")
    check_given(["sold"], "sold")
    check_given(["sold"], "")
    with pytest.raises(NoSuchDisposition):
        check_given(["sold"], "anything")


async def put(stage: Stage, tenant: str = "acme", **parts: Any) -> portal_pb2.Disposition:
    wanted = portal_pb2.Disposition(active=True, **{"label": "Label", **parts})
    request = portal_pb2.PutDispositionRequest(disposition=wanted)
    return await stage.portal.PutDisposition(request, metadata=await stage.root(tenant))


async def codes(stage: Stage, tenant: str = "acme", queue_id: str = "") -> list[str]:
    request = portal_pb2.ListDispositionsRequest(queue_id=queue_id)
    metadata = (("carillon-tenant", str(stage.tenants[tenant])),)
    answer = await stage.portal.ListDispositions(request, metadata=metadata)
    return [each.code for each in answer.dispositions]


async def test_dispositions_are_put_listed_and_removed(stage: Stage) -> None:
    made = await put(stage, code="sold", label="Sold", queue_ids=["sales"], position=1)
    assert (made.code, made.label, list(made.queue_ids)) == ("sold", "Sold", ["sales"])
    await put(stage, code="late", position=-3)
    assert await codes(stage) == ["late", "sold"]
    assert await codes(stage, queue_id="service") == ["late"]
    assert await codes(stage, "other") == []
    await put(stage, code="late", position=9)
    assert await codes(stage, queue_id="sales") == ["sold", "late"]
    remove = portal_pb2.RemoveDispositionRequest(code="sold")
    error = await refused(
        stage.portal.RemoveDisposition(remove, metadata=await stage.root("other"))
    )
    assert error.code == "no-such-disposition"
    await stage.portal.RemoveDisposition(remove, metadata=await stage.root())
    assert await codes(stage) == ["late"]
    for code in ("sold", "a\0b"):
        remove = portal_pb2.RemoveDispositionRequest(code=code)
        call = stage.portal.RemoveDisposition(remove, metadata=await stage.root())
        assert (await refused(call)).code == "no-such-disposition"


async def test_a_tenant_has_only_so_many_dispositions(stage: Stage) -> None:
    for number in range(MAX_DISPOSITIONS):
        code = f"c{number}"
        disposition = Disposition(code, code, (), 0, active=True)
        await stage.store.put_disposition(stage.tenants["acme"], disposition, most=MAX_DISPOSITIONS)
    assert (await refused(put(stage, code="more"))).code == "too-many-dispositions"
    assert (await refused(put(stage, code="No"))).code == "bad-disposition"
