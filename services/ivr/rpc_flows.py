"""The face towards administrators: flows with their versions, and numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from grpc import aio

from protos.common.v1 import common_pb2
from protos.ivr.v1 import ivr_pb2
from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.paging import BadPage, page_size
from services.chassis.rpc import tenant_id
from services.ivr.core.joining import uses_of
from services.ivr.core.limits import MAX_PROBLEMS
from services.ivr.destinations import Destinations
from services.ivr.flows import Flows
from services.ivr.model.errors import BadFlow
from services.ivr.session import Parts
from services.ivr.store import FLOW_ID, LOCAL_TRUNK, NUMBER, TRUNK, FlowStore, StoredNumber
from services.ivr.wire import flow_message, number_message, problem_message

log = get_logger("ivr.flows")

MAX_TOKEN_CHARS = 9

Context = aio.ServicerContext[Any, Any]


class InvalidName(CarillonError):
    """A flow's id, a number or a trunk is not of its form."""

    code: ClassVar[str] = "invalid-name"
    kind: ClassVar[Kind] = Kind.INVALID


class FlowCalls:
    """The half of the face that administrators call."""

    _store: FlowStore
    _flows: Flows
    _destinations: Destinations
    _parts: Parts

    async def PutFlow(
        self, request: ivr_pb2.PutFlowRequest, _context: Context
    ) -> ivr_pb2.FlowVersion:
        """Checks a flow and stores it as a new version."""
        tenant = tenant_id()
        flow_id = _flow_id(request.flow_id)
        flow = await self._flows.check(request.definition_json)
        stored = await self._store.put_flow(
            tenant,
            flow_id,
            request.definition_json,
            self._parts.clock.now_ms(),
            name=flow.name,
        )
        log.info("flow stored", tenant=tenant, flow=flow_id, version=stored.version)
        return flow_message(stored)

    async def CheckFlow(
        self, request: ivr_pb2.CheckFlowRequest, _context: Context
    ) -> ivr_pb2.CheckFlowResponse:
        """Checks a flow, also for what it names of the library, and stores nothing."""
        tenant = tenant_id()
        try:
            flow = await self._flows.check(request.definition_json)
            problems = await self._flows.find_missing(tenant, flow)
        except BadFlow as error:
            problems = error.problems
        return ivr_pb2.CheckFlowResponse(
            problems=[problem_message(problem) for problem in problems[:MAX_PROBLEMS]]
        )

    async def PublishFlow(
        self, request: ivr_pb2.PublishFlowRequest, _context: Context
    ) -> ivr_pb2.FlowVersion:
        """Makes a version the one that new calls get, once its prompts are spoken."""
        tenant = tenant_id()
        flow_id = _flow_id(request.flow_id)
        wanted = (
            await self._store.get_flow(tenant, flow_id, request.version)
            if request.version
            else await self._store.newest_flow(tenant, flow_id)
        )
        # What was stored under older rules or with another voice is checked by today's.
        flow = await self._flows.check(wanted.definition_json)
        missing = await self._flows.find_missing(tenant, flow)
        if missing:
            raise BadFlow(missing[:MAX_PROBLEMS])
        await self._flows.warm(flow, self._parts.settings.warm_limit_s)
        stored = await self._store.publish_flow(tenant, flow_id, wanted.version, uses_of(flow))
        self._destinations.flow_changed(tenant, flow_id)
        log.info("flow published", tenant=tenant, flow=flow_id, version=stored.version)
        return flow_message(stored)

    async def GetFlow(
        self, request: ivr_pb2.GetFlowRequest, _context: Context
    ) -> ivr_pb2.FlowVersion:
        """One version with its definition."""
        return flow_message(
            await self._store.get_flow(tenant_id(), _flow_id(request.flow_id), request.version)
        )

    async def ListFlows(
        self, request: ivr_pb2.ListFlowsRequest, _context: Context
    ) -> ivr_pb2.ListFlowsResponse:
        """The newest version of every flow and which one calls get, without definitions."""
        size = page_size(request.page)
        rows = await self._store.list_flows(tenant_id(), request.page.token, size + 1)
        token = rows[size - 1].flow_id if len(rows) > size else ""
        return ivr_pb2.ListFlowsResponse(
            flows=[flow_message(flow) for flow in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )

    async def ListFlowVersions(
        self, request: ivr_pb2.ListFlowVersionsRequest, _context: Context
    ) -> ivr_pb2.ListFlowVersionsResponse:
        """The versions of a flow, newest first, without definitions."""
        size = page_size(request.page)
        before = _version_in(request.page.token)
        flow_id = _flow_id(request.flow_id)
        rows = await self._store.list_versions(tenant_id(), flow_id, before, size + 1)
        token = str(rows[size - 1].version) if len(rows) > size else ""
        return ivr_pb2.ListFlowVersionsResponse(
            versions=[flow_message(flow) for flow in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )

    async def RemoveFlow(
        self, request: ivr_pb2.RemoveFlowRequest, _context: Context
    ) -> ivr_pb2.RemoveFlowResponse:
        """Forgets a flow to which no number leads."""
        tenant = tenant_id()
        await self._store.remove_flow(tenant, _flow_id(request.flow_id))
        log.info("flow removed", tenant=tenant, flow=request.flow_id)
        return ivr_pb2.RemoveFlowResponse()

    async def PutNumber(
        self, request: ivr_pb2.PutNumberRequest, _context: Context
    ) -> ivr_pb2.Number:
        """Points a number at a flow."""
        tenant = tenant_id()
        number = StoredNumber(
            number=request.number.number,
            trunk=request.number.trunk or LOCAL_TRUNK,
            flow_id=_flow_id(request.number.flow_id),
        )
        if not NUMBER.fullmatch(number.number):
            raise InvalidName("a number is E.164 with its plus sign, or 2 to 15 digits")
        if not TRUNK.fullmatch(number.trunk):
            raise InvalidName("a trunk is 1 to 64 letters, digits, dots, dashes or underscores")
        stored = await self._store.put_number(tenant, number)
        self._destinations.number_changed(number.trunk, number.number)
        log.info("number put", tenant=tenant, trunk=number.trunk, flow=number.flow_id)
        return number_message(stored)

    async def RemoveNumber(
        self, request: ivr_pb2.RemoveNumberRequest, _context: Context
    ) -> ivr_pb2.RemoveNumberResponse:
        """Takes a number out of service."""
        trunk = request.trunk or LOCAL_TRUNK
        await self._store.remove_number(tenant_id(), trunk, request.number)
        self._destinations.number_changed(trunk, request.number)
        return ivr_pb2.RemoveNumberResponse()

    async def ListNumbers(
        self, request: ivr_pb2.ListNumbersRequest, _context: Context
    ) -> ivr_pb2.ListNumbersResponse:
        """The tenant's numbers in order."""
        size = page_size(request.page)
        number, _, trunk = request.page.token.partition(" ")
        rows = await self._store.list_numbers(tenant_id(), (number, trunk), size + 1)
        last = rows[size - 1] if len(rows) > size else None
        token = f"{last.number} {last.trunk}" if last is not None else ""
        return ivr_pb2.ListNumbersResponse(
            numbers=[number_message(row) for row in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )


def _version_in(token: str) -> int:
    """The version that a page ended with; 0: there was no page before."""
    if not token:
        return 0
    if token.isascii() and token.isdecimal() and len(token) <= MAX_TOKEN_CHARS:
        return int(token)
    raise BadPage("the token is not one of this list")


def _flow_id(text: str) -> str:
    if FLOW_ID.fullmatch(text):
        return text
    raise InvalidName("a flow's id is 1 to 64 lower-case letters, digits and dashes")
