"""What a tenant lets its agents do at their desks, and what they may say contacts were about.

What can not be asked for now holds as it was last known: an agent who has to leave a card number
out of a recording, or to end a contact, does not wait for a service that is away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from grpc import aio

from protos.portal.v1 import portal_pb2, portal_pb2_grpc
from protos.recording.v1 import recording_pb2, recording_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.request import TENANT_KEY
from services.portal.core.dispositions import check_given

if TYPE_CHECKING:  # the stubs know these names, the generated modules do not
    from protos.portal.v1.portal_pb2_grpc import PortalAsyncStub
    from protos.recording.v1.recording_pb2_grpc import RecordingAsyncStub

log = get_logger("portal.desk")

K = TypeVar("K")
V = TypeVar("V")

FRESH_MS = 10_000
"""How old what a desk shows may be; what is decided upon is asked for anew."""
MAX_KEPT = 10_000
ASK_LIMIT_S = 0.5


class PausingNotAllowed(CarillonError):
    """The tenant's policy lets agents pause no recording."""

    code: ClassVar[str] = "pausing-not-allowed"
    kind: ClassVar[Kind] = Kind.DENIED


@dataclass(frozen=True, slots=True)
class _Known(Generic[V]):
    value: V
    """What was told."""
    at_ms: int
    """When."""


class _Memory(Generic[K, V]):
    """What was last told of each; the oldest is forgotten beyond a limit."""

    def __init__(self) -> None:
        self._known: dict[K, _Known[V]] = {}

    def get(self, key: K) -> _Known[V] | None:
        return self._known.get(key)

    def put(self, key: K, value: V, *, now_ms: int) -> V:
        self._known.pop(key, None)
        if len(self._known) >= MAX_KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[key] = _Known(value, now_ms)
        return value


class DeskPolicy:
    """Asks portal itself and recording on behalf of a desk."""

    def __init__(self, *, dial: Callable[[str], aio.Channel], clock: Clock) -> None:
        self._dial = dial
        self._clock = clock
        self._pausing: _Memory[TenantId, bool] = _Memory()
        self._codes: _Memory[tuple[TenantId, str], tuple[str, ...]] = _Memory()

    async def check_may_pause(self, tenant_id: TenantId) -> None:
        """PausingNotAllowed."""
        stub: RecordingAsyncStub = recording_pb2_grpc.RecordingStub(self._dial("recording"))
        try:
            policy = await stub.GetPolicy(
                recording_pb2.GetPolicyRequest(),
                metadata=_whose(tenant_id),
                timeout=ASK_LIMIT_S,
            )
        except aio.AioRpcError as error:
            log.warning("the policy can not be asked for", tenant=tenant_id, why=error.details())
            known = self._pausing.get(tenant_id)
            may = known.value if known is not None else True
        else:
            now_ms = self._clock.now_ms()
            may = self._pausing.put(tenant_id, policy.agents_may_pause, now_ms=now_ms)
        if not may:
            raise PausingNotAllowed("agents do not pause recordings here: ask a supervisor")

    async def check_disposition(self, tenant_id: TenantId, queue_id: str, code: str) -> None:
        """NoSuchDisposition when the queue offers some, and this is none of them."""
        if code:
            check_given(await self._read(tenant_id, queue_id), code)

    async def dispositions(
        self, tenant_id: TenantId, queue_ids: Iterable[str]
    ) -> dict[str, tuple[str, ...]]:
        """The codes that each queue offers, in their order; none: any may be given."""
        found = {}
        for queue_id in set(queue_ids):
            known = self._codes.get((tenant_id, queue_id))
            fresh = known is not None and self._clock.now_ms() - known.at_ms < FRESH_MS
            found[queue_id] = (
                known.value
                if known is not None and fresh
                else await self._read(tenant_id, queue_id)
            )
        return found

    async def _read(self, tenant_id: TenantId, queue_id: str) -> tuple[str, ...]:
        stub: PortalAsyncStub = portal_pb2_grpc.PortalStub(self._dial("portal"))
        key = tenant_id, queue_id
        try:
            answer = await stub.ListDispositions(
                portal_pb2.ListDispositionsRequest(queue_id=queue_id),
                metadata=_whose(tenant_id),
                timeout=ASK_LIMIT_S,
            )
        except aio.AioRpcError as error:
            log.warning("dispositions can not be read", tenant=tenant_id, why=error.details())
            known = self._codes.get(key)
            return known.value if known is not None else ()
        codes = tuple(each.code for each in answer.dispositions)
        return self._codes.put(key, codes, now_ms=self._clock.now_ms())


def _whose(tenant_id: TenantId) -> tuple[tuple[str, str], ...]:
    return ((TENANT_KEY, str(tenant_id)),)
