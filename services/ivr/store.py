"""Where flows, numbers and the index of spoken prompts are kept: the port, and one in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.ivr.model.library import Uses
from services.ivr.store_library import MemoryLibraryStore

NOTHING = Uses()
MAX_VERSIONS = 10_000
"""Of one flow."""
LOCAL_TRUNK = "local"
NUMBER = re.compile(r"\+[1-9][0-9]{1,14}|[0-9*#]{2,15}")
FLOW_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
TRUNK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class NoSuchFlow(CarillonError):
    """There is no such flow, version, or published version."""

    code: ClassVar[str] = "no-such-flow"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class NoSuchNumber(CarillonError):
    """Nothing is behind this number on this trunk."""

    code: ClassVar[str] = "no-such-number"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class NumberTaken(CarillonError):
    """The number on this trunk is another tenant's."""

    code: ClassVar[str] = "number-taken"
    kind: ClassVar[Kind] = Kind.CONFLICT


class FlowInUse(CarillonError):
    """A number leads to the flow."""

    code: ClassVar[str] = "flow-in-use"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class TooManyVersions(CarillonError):
    """The flow has all the versions that it can have."""

    code: ClassVar[str] = "too-many-versions"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


@dataclass(frozen=True, slots=True)
class StoredFlow:
    """One immutable version of a flow."""

    flow_id: str
    """Which."""
    version: int
    """From 1."""
    definition_json: str
    """The flow; empty in lists."""
    created_at_ms: int
    """UTC milliseconds."""
    published: bool
    """Whether new calls get it."""
    name: str = ""
    """What people call it; in lists of flows as the published version says, else the newest."""
    published_version: int = 0
    """In lists of flows: the version that new calls get; 0: none."""


@dataclass(frozen=True, slots=True)
class StoredNumber:
    """A number and where it leads."""

    number: str
    """E.164 with its plus sign, or a short service number."""
    trunk: str
    """Where it arrives."""
    flow_id: str
    """What answers."""


@dataclass(frozen=True, slots=True)
class Route:
    """Whose a number is, and what answers it."""

    tenant_id: TenantId
    """The tenant."""
    flow_id: str
    """The flow."""


class FlowStore(Protocol):
    """What ivr keeps. Every method but `resolve_number` sees one tenant alone."""

    async def put_flow(
        self,
        tenant_id: TenantId,
        flow_id: str,
        definition_json: str,
        now_ms: int,
        *,
        name: str = "",
    ) -> StoredFlow:
        """Keeps a new version; the newest again when it is the same text."""

    async def publish_flow(
        self, tenant_id: TenantId, flow_id: str, version: int, uses: Uses = NOTHING
    ) -> StoredFlow:
        """Makes a version (0: the newest) the one that new calls get; NoSuchFlow.

        `uses` is what that version names of the library, which is kept from being removed from
        now on; NoSuchPrompt, NoSuchCalendar.
        """

    async def get_flow(self, tenant_id: TenantId, flow_id: str, version: int) -> StoredFlow:
        """A version (0: the published one) with its definition; NoSuchFlow."""

    async def newest_flow(self, tenant_id: TenantId, flow_id: str) -> StoredFlow:
        """The newest version with its definition; NoSuchFlow."""

    async def published_version(self, tenant_id: TenantId, flow_id: str) -> int:
        """The version that new calls get; NoSuchFlow."""

    async def list_flows(self, tenant_id: TenantId, after: str, size: int) -> list[StoredFlow]:
        """The newest version of each flow whose id comes after, in order, without definitions."""

    async def list_versions(
        self, tenant_id: TenantId, flow_id: str, before: int, size: int
    ) -> list[StoredFlow]:
        """The versions below `before` (0: all), newest first, without definitions; NoSuchFlow."""

    async def remove_flow(self, tenant_id: TenantId, flow_id: str) -> None:
        """Forgets a flow and its versions; NoSuchFlow, FlowInUse.

        A flow that is made again by the same id goes on counting: no version is ever another.
        """

    async def put_number(self, tenant_id: TenantId, number: StoredNumber) -> StoredNumber:
        """Points a number at a flow; NumberTaken, or NoSuchFlow when it has none published."""

    async def remove_number(self, tenant_id: TenantId, trunk: str, number: str) -> None:
        """Takes a number out of service; NoSuchNumber."""

    async def list_numbers(
        self, tenant_id: TenantId, after: tuple[str, str], size: int
    ) -> list[StoredNumber]:
        """The tenant's numbers after (number, trunk), in that order."""

    async def resolve_number(self, trunk: str, number: str) -> Route:
        """Whose a number is, before any tenant is known; NoSuchNumber."""

    async def prompt(self, key: str) -> str:
        """The blob of a prompt that was spoken before; empty when it was not."""

    async def keep_prompt(self, key: str, sha256: str) -> None:
        """Remembers the blob of a prompt."""


class MemoryFlowStore:
    """Flows for tests and simulation: gone with the process."""

    def __init__(self) -> None:
        self.library = MemoryLibraryStore()
        """What its flows name."""
        self._flows: dict[tuple[str, str], list[StoredFlow]] = {}
        self._published: dict[tuple[str, str], int] = {}
        self._removed: dict[tuple[str, str], int] = {}
        """How many versions there were of flows that were removed."""
        self._numbers: dict[tuple[str, str], tuple[TenantId, StoredNumber]] = {}
        self._prompts: dict[str, str] = {}

    async def put_flow(
        self,
        tenant_id: TenantId,
        flow_id: str,
        definition_json: str,
        now_ms: int,
        *,
        name: str = "",
    ) -> StoredFlow:
        """See `FlowStore.put_flow`."""
        versions = self._flows.setdefault((tenant_id, flow_id), [])
        if versions and versions[-1].definition_json == definition_json:
            return self._shown(tenant_id, versions[-1])
        newest = versions[-1].version if versions else self._removed.get((tenant_id, flow_id), 0)
        if newest >= MAX_VERSIONS:
            raise TooManyVersions(flow_id)
        new = StoredFlow(flow_id, newest + 1, definition_json, now_ms, published=False, name=name)
        versions.append(new)
        return new

    async def publish_flow(
        self, tenant_id: TenantId, flow_id: str, version: int, uses: Uses = NOTHING
    ) -> StoredFlow:
        """See `FlowStore.publish_flow`."""
        flow = await (
            self.get_flow(tenant_id, flow_id, version)
            if version
            else self.newest_flow(tenant_id, flow_id)
        )
        self.library.use(tenant_id, flow_id, uses)
        self._published[tenant_id, flow_id] = flow.version
        return replace(flow, published=True)

    async def get_flow(self, tenant_id: TenantId, flow_id: str, version: int) -> StoredFlow:
        """See `FlowStore.get_flow`."""
        wanted = version or self._published.get((tenant_id, flow_id), 0)
        for flow in self._flows.get((tenant_id, flow_id), []):
            if flow.version == wanted:
                return self._shown(tenant_id, flow)
        raise NoSuchFlow(told(flow_id, version))

    async def newest_flow(self, tenant_id: TenantId, flow_id: str) -> StoredFlow:
        """See `FlowStore.newest_flow`."""
        versions = self._flows.get((tenant_id, flow_id), [])
        if not versions:
            raise NoSuchFlow(flow_id)
        return self._shown(tenant_id, versions[-1])

    async def published_version(self, tenant_id: TenantId, flow_id: str) -> int:
        """See `FlowStore.published_version`."""
        return (await self.get_flow(tenant_id, flow_id, 0)).version

    async def list_flows(self, tenant_id: TenantId, after: str, size: int) -> list[StoredFlow]:
        """See `FlowStore.list_flows`."""
        ids = sorted(flow for owner, flow in self._flows if owner == tenant_id and flow > after)
        return [self._listed(tenant_id, flow_id) for flow_id in ids[:size]]

    async def list_versions(
        self, tenant_id: TenantId, flow_id: str, before: int, size: int
    ) -> list[StoredFlow]:
        """See `FlowStore.list_versions`."""
        versions = self._flows.get((tenant_id, flow_id), [])
        if not versions:
            raise NoSuchFlow(flow_id)
        return [
            replace(self._shown(tenant_id, flow), definition_json="")
            for flow in reversed(versions)
            if not before or flow.version < before
        ][:size]

    async def remove_flow(self, tenant_id: TenantId, flow_id: str) -> None:
        """See `FlowStore.remove_flow`."""
        newest = await self.newest_flow(tenant_id, flow_id)
        for owner, number in self._numbers.values():
            if owner == tenant_id and number.flow_id == flow_id:
                raise FlowInUse(f"{number.number} leads to {flow_id}")
        self._removed[tenant_id, flow_id] = newest.version
        self._published.pop((tenant_id, flow_id), None)
        self.library.use(tenant_id, flow_id, NOTHING)
        del self._flows[tenant_id, flow_id]

    async def put_number(self, tenant_id: TenantId, number: StoredNumber) -> StoredNumber:
        """See `FlowStore.put_number`."""
        await self.get_flow(tenant_id, number.flow_id, 0)
        owner, _ = self._numbers.get((number.number, number.trunk), (tenant_id, number))
        if owner != tenant_id:
            raise NumberTaken(f"{number.number} on {number.trunk}")
        self._numbers[number.number, number.trunk] = (tenant_id, number)
        return number

    async def remove_number(self, tenant_id: TenantId, trunk: str, number: str) -> None:
        """See `FlowStore.remove_number`."""
        owner, _ = self._numbers.get((number, trunk), (None, None))
        if owner != tenant_id:
            raise NoSuchNumber(f"{number} on {trunk}")
        del self._numbers[number, trunk]

    async def list_numbers(
        self, tenant_id: TenantId, after: tuple[str, str], size: int
    ) -> list[StoredNumber]:
        """See `FlowStore.list_numbers`."""
        rows = sorted(
            (key, number)
            for key, (owner, number) in self._numbers.items()
            if owner == tenant_id and key > after
        )
        return [number for _, number in rows[:size]]

    async def resolve_number(self, trunk: str, number: str) -> Route:
        """See `FlowStore.resolve_number`."""
        if (number, trunk) not in self._numbers:
            raise NoSuchNumber(f"{number} on {trunk}")
        tenant_id, found = self._numbers[number, trunk]
        return Route(tenant_id, found.flow_id)

    async def prompt(self, key: str) -> str:
        """See `FlowStore.prompt`."""
        return self._prompts.get(key, "")

    async def keep_prompt(self, key: str, sha256: str) -> None:
        """See `FlowStore.keep_prompt`."""
        self._prompts[key] = sha256

    def _listed(self, tenant_id: TenantId, flow_id: str) -> StoredFlow:
        versions = self._flows[tenant_id, flow_id]
        published = self._published.get((tenant_id, flow_id), 0)
        named = next((flow for flow in versions if flow.version == published), versions[-1])
        return replace(
            self._shown(tenant_id, versions[-1]),
            definition_json="",
            name=named.name,
            published_version=published,
        )

    def _shown(self, tenant_id: TenantId, flow: StoredFlow) -> StoredFlow:
        published = self._published.get((tenant_id, flow.flow_id)) == flow.version
        return replace(flow, published=published)


def told(flow_id: str, version: int) -> str:
    """A flow's version in words, for an error."""
    return f"{flow_id} version {version}" if version else f"{flow_id} has no published version"
