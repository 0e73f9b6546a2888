"""The one way in: who asks, whether they may, once only, and on the audit trail.

REST and gRPC both come through here with an RPC's request, and nothing reaches a service that
was not authenticated, permitted and stamped with its tenant here.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
)
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from google.protobuf.message import Message
from grpc import aio

from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.log import concerns
from services.chassis.request import OWN_KEY, Metadata, on_behalf
from services.chassis.tasks import Tasks
from services.portal import edge_words
from services.portal.access import Exposed
from services.portal.core.permission import NotAllowed, named_agent, own_agent
from services.portal.figures import Figures
from services.portal.identity import caller_metadata
from services.portal.model.errors import NotAuthenticated, TokenExpired
from services.portal.model.people import PLATFORM_TENANT, Principal
from services.portal.model.trail import OK, Replay, ReplayState
from services.portal.problem import problem_of
from services.portal.strangers import Strangers

T = TypeVar("T")

ANSWER_LIMIT_S = 30.0
"""How long a service may take for one answer: speaking a new flow's texts is the slowest."""
STREAM_LIMIT_S = 24 * 3_600.0
"""How long one stream may last; whoever reads it asks again."""
MAX_AT_ONCE = 64
"""Requests in progress of one user or key; streams count."""
MAX_ANONYMOUS_AT_ONCE = 64
"""Requests in progress of all who are nobody yet."""
RIGHTS_CHECK_S = 10.0
"""How often it is asked whether whoever reads a stream still may."""

PORTAL = "portal"
_WRITES_ITS_OWN = frozenset({"carillon.portal.v1.Portal/ChangePassword"})
"""RPCs that are on the trail by their own word, beside the anonymous ones."""
_LONGER_S = {
    "carillon.portal.v1.Portal/ImportUsers": 180.0,
    "carillon.recording.v1.Recording/VerifyRecording": 180.0,
}
"""How long those may take that do much at once: 500 passwords are hashed two at a time, and all
that was recorded of hours is read and hashed."""
_REFUSALS = frozenset({401, 403, 404})
"""404, because what is another tenant's is not found."""
_KEPT_TYPE = "application/x-protobuf"


class TooManyRequests(CarillonError):
    """More requests at once than one user or key may have."""

    code: ClassVar[str] = "too-many-requests"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class StillInProgress(CarillonError):
    """The same request, by its Idempotency-Key, is being answered already."""

    code: ClassVar[str] = "in-progress"
    kind: ClassVar[Kind] = Kind.CONFLICT


class Identities(Protocol):
    """What the edges need to know of people; `identity.Identity` knows it."""

    async def authenticate(self, bearer: str) -> Principal:
        """Who shows this token or key; NotAuthenticated, TokenExpired."""

    async def audit(
        self,
        *,
        principal: Principal | None,
        tenant_id: TenantId,
        action: str,
        subject: str,
        outcome: str,
        address: str,
        detail_json: str,
    ) -> None:
        """Writes to the audit trail."""

    async def replay(
        self, *, tenant_id: TenantId, principal_id: str, key: str, request_hash: str
    ) -> Replay:
        """Whether this was asked before; KeyReused, BadIdempotencyKey."""

    async def remember(
        self,
        *,
        tenant_id: TenantId,
        principal_id: str,
        key: str,
        request_hash: str,
        status: int,
        content_type: str,
        body: bytes,
    ) -> None:
        """Keeps the answer for a key."""

    async def abandon(
        self, *, tenant_id: TenantId, principal_id: str, key: str, request_hash: str
    ) -> None:
        """Gives a key back: nothing was answered that is to be kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request from outside."""

    exposed: Exposed
    """Which RPC."""
    bearer: str
    """The token or key that was shown; empty: none was."""
    address: str
    """Where from."""
    read: Callable[[], Awaitable[Message]]
    """Its message; called once it is known that they may ask. May raise a named error, Refused."""
    idempotency_key: str | None = None
    """None: none was given."""
    timeout_s: float = ANSWER_LIMIT_S
    """How long to wait for the answer."""
    outlives_token: bool = False
    """True: a stream goes on when its token ends by itself, but not when it is revoked."""

    @property
    def is_kept(self) -> bool:
        """Whether its answer is kept for its key, so that it is done once."""
        exposed = self.exposed
        if self.idempotency_key is None or not exposed.changes:
            return False
        return not (exposed.rule.anonymous or exposed.rule.never_replayed)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a service answered."""

    body: bytes
    """The message."""
    replayed: bool = False
    """True: it was answered before, and kept."""


@dataclass(slots=True)
class _Visit:
    """What is known so far of whoever asks, for the audit trail."""

    asked: Asked
    principal: Principal | None = None
    message: Message | None = None
    own_agent_id: str = ""
    metadata: Metadata = field(default=())
    forwarded: bool = False


class Edge:
    """Takes requests in."""

    def __init__(
        self,
        *,
        people: Identities,
        dial: Callable[[str], aio.Channel],
        clock: Clock,
        figures: Figures | None = None,
    ) -> None:
        """`figures` counts what is refused and replayed."""
        self._people = people
        self._dial = dial
        self._clock = clock
        self._at_once: Counter[str] = Counter()
        self._figures = figures or Figures()
        self._strangers = Strangers(clock=clock)
        self._tasks = Tasks()

    async def close(self) -> None:
        """Ends what still goes on for those who have left."""
        await self._tasks.close()

    async def ask(self, asked: Asked) -> Answered:
        """One answer; a CarillonError, AioRpcError or Refused says why there is none."""
        if not asked.is_kept:
            return await self._ask(asked)
        # Whoever leaves in the middle will ask again by the same key: so it goes on without them,
        # and its answer is there then.
        done: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._tasks.start(self._ask_for(asked, done), f"{asked.exposed.action} by its key")
        return await asyncio.shield(done)

    async def stream(self, asked: Asked) -> AsyncGenerator[bytes, None]:
        """Any number of answers, as they come."""
        visit = _Visit(asked)
        async with self._on_trail(visit, successes=False), self._admitted(visit):
            call = self._method("unary_stream", asked.exposed)(
                _data(visit), metadata=visit.metadata, timeout=asked.timeout_s
            )
            begun = False
            async with self._while_allowed(visit, call):
                async for answer in call:
                    # Whoever leaves in the middle has had something all the same.
                    if not begun and asked.exposed.is_audited:
                        await self._audit(visit, OK)
                    begun = True
                    yield answer

    async def bring(self, asked: Asked, more: Callable[[], Iterable[Message]]) -> bytes:
        """One answer to many messages: the request, and `more` once it was read."""
        visit = _Visit(asked)
        async with self._on_trail(visit), self._admitted(visit):
            visit.forwarded = True

            async def messages() -> AsyncGenerator[bytes, None]:
                yield _data(visit)
                for message in more():
                    yield message.SerializeToString()

            call = self._method("stream_unary", asked.exposed)
            answer: bytes = await call(messages(), metadata=visit.metadata, timeout=asked.timeout_s)
            return answer

    async def _ask(self, asked: Asked) -> Answered:
        visit = _Visit(asked)
        async with self._on_trail(visit), self._admitted(visit):
            return await self._once(visit)

    async def _ask_for(self, asked: Asked, done: asyncio.Future[Answered]) -> None:
        try:
            done.set_result(await self._ask(asked))
        except asyncio.CancelledError:
            done.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # handed to whoever asks, if they still do
            done.set_exception(error)
            done.exception()  # or the loop would complain that nobody has looked at it

    @contextlib.asynccontextmanager
    async def _while_allowed(self, visit: _Visit, call: Any) -> AsyncIterator[None]:
        """Ends the call once they leave, or may not read on."""
        lost: list[CarillonError] = []
        watch = self._tasks.start(self._watch_rights(visit, call, lost), "rights of a reader")
        try:
            yield
        except asyncio.CancelledError:
            if lost:
                raise lost[0] from None
            raise
        finally:
            watch.cancel()
            call.cancel()

    async def _watch_rights(self, visit: _Visit, call: Any, lost: list[CarillonError]) -> None:
        own_agent_id = visit.own_agent_id
        while not lost:
            await asyncio.sleep(RIGHTS_CHECK_S)
            try:
                if await self._identify(visit) != own_agent_id:
                    raise NotAllowed("the roles have changed; ask again")
            except CarillonError as error:
                if not _is_borne(error, visit.asked):
                    lost.append(error)
        call.cancel()

    async def _authenticate(self, bearer: str) -> Principal:
        if not bearer:
            raise NotAuthenticated("send Authorization: Bearer with an access token or an API key")
        return await self._people.authenticate(bearer)

    @contextlib.asynccontextmanager
    async def _admitted(self, visit: _Visit) -> AsyncIterator[None]:
        visit.own_agent_id = await self._identify(visit)
        if visit.principal is None:
            # All strangers share their places: who sends slowly must not take one meanwhile.
            visit.message = await visit.asked.read()
        with self._counted(visit.principal.id if visit.principal else ""):
            if visit.message is None:
                visit.message = await visit.asked.read()
            name = visit.asked.exposed.rule.own_agent_field
            if name and visit.own_agent_id:
                named = getattr(visit.message, name)
                own = named_agent(named=named, own_agent_id=visit.own_agent_id)
                setattr(visit.message, name, own)
            visit.metadata = _metadata(visit)
            yield

    async def _identify(self, visit: _Visit) -> str:
        """Finds out who asks; whose things alone they may see, or empty."""
        rule = visit.asked.exposed.rule
        if rule.anonymous:
            return ""
        visit.principal = await self._authenticate(visit.asked.bearer)
        concerns((visit.principal.tenant_id, ""))
        return own_agent(rule, roles=visit.principal.roles, user_id=visit.principal.id)

    @contextlib.contextmanager
    def _counted(self, who: str) -> Iterator[None]:
        if self._at_once[who] >= (MAX_AT_ONCE if who else MAX_ANONYMOUS_AT_ONCE):
            self._figures.busy += 1
            raise TooManyRequests("too many requests at once; wait for answers")
        self._at_once[who] += 1
        try:
            yield
        finally:
            self._at_once[who] -= 1
            if not self._at_once[who]:
                del self._at_once[who]

    async def _once(self, visit: _Visit) -> Answered:
        """Asks the service, unless the same was asked before."""
        principal = visit.principal
        if principal is None or not visit.asked.is_kept:
            return Answered(await self._forward(visit))
        whose: dict[str, Any] = {
            "tenant_id": principal.tenant_id,
            "principal_id": principal.id,
            "key": visit.asked.idempotency_key,
            "request_hash": _hash(visit),
        }
        replay = await self._people.replay(**whose)
        if replay.state is ReplayState.STORED:
            self._figures.replayed += 1
            return Answered(replay.body, replayed=True)
        if replay.state is ReplayState.IN_PROGRESS:
            raise StillInProgress("the first request with this key is not answered yet")
        try:
            body = await self._forward(visit)
        except BaseException:
            # A named error has changed nothing: asked again, it is decided again.
            await self._people.abandon(**whose)
            raise
        await self._people.remember(**whose, status=200, content_type=_KEPT_TYPE, body=body)
        return Answered(body)

    async def _forward(self, visit: _Visit) -> bytes:
        call = self._method("unary_unary", visit.asked.exposed)
        visit.forwarded = True
        # Whose patience ends sooner may ask again by the key; what is done by it is done whole.
        limit_s = ANSWER_LIMIT_S if visit.asked.is_kept else visit.asked.timeout_s
        limit_s = max(limit_s, _LONGER_S.get(visit.asked.exposed.action, 0.0))
        answer: bytes = await call(_data(visit), metadata=visit.metadata, timeout=limit_s)
        return answer

    def _method(self, arity: str, exposed: Exposed) -> Any:
        channel = self._dial(exposed.target)
        return getattr(channel, arity)(
            exposed.path, request_serializer=_same, response_deserializer=_same
        )

    @contextlib.asynccontextmanager
    async def _on_trail(self, visit: _Visit, *, successes: bool = True) -> AsyncIterator[None]:
        exposed = visit.asked.exposed
        try:
            yield
        except Exception as error:
            problem = problem_of(error)
            if exposed.is_audited or problem.status in _REFUSALS:
                await self._audit(visit, problem.code)
            raise
        except asyncio.CancelledError:
            if exposed.is_audited:
                await self._audit(visit, "cancelled")
            raise
        if successes and exposed.is_audited:
            await self._audit(visit, OK)

    async def _audit(self, visit: _Visit, outcome: str) -> None:
        exposed, principal, message = visit.asked.exposed, visit.principal, visit.message
        if exposed.rule.anonymous or (visit.forwarded and exposed.action in _WRITES_ITS_OWN):
            return
        if principal is None and not self._strangers.may_be_written():
            return
        await self._people.audit(
            principal=principal,
            # Whoever is nobody yet is nobody's: the platform's administrators see them.
            tenant_id=principal.tenant_id if principal else PLATFORM_TENANT,
            action=exposed.action,
            subject=edge_words.subject(exposed, message) if message is not None else "",
            outcome=outcome,
            address=visit.asked.address,
            detail_json=edge_words.detail(message) if message is not None else "{}",
        )


def _is_borne(error: CarillonError, asked: Asked) -> bool:
    """Whether a stream goes on: a database that is away ends nobody's."""
    if isinstance(error, TokenExpired):
        return asked.outlives_token
    return error.kind is Kind.UNAVAILABLE


def _data(visit: _Visit) -> bytes:
    assert visit.message is not None, "a request is read before it is sent on"
    # The same request gives the same bytes, or an Idempotency-Key would mistake it for another.
    return visit.message.SerializeToString(deterministic=True)


def _same(data: T) -> T:
    return data


def _hash(visit: _Visit) -> str:
    return hashlib.sha256(visit.asked.exposed.path.encode() + b"\n" + _data(visit)).hexdigest()


def _metadata(visit: _Visit) -> Metadata:
    """Whose request it is. Only portal itself learns of sessions and addresses."""
    principal, own_agent_id = visit.principal, visit.own_agent_id
    if visit.asked.exposed.target == PORTAL:
        pairs = caller_metadata(principal=principal, address=visit.asked.address)
        return (*pairs, *(((OWN_KEY, own_agent_id),) if own_agent_id else ()))
    assert principal is not None, "only portal has anonymous RPCs"
    return on_behalf(
        tenant_id=principal.tenant_id,
        user_id=principal.id,
        user_name=principal.name,
        own_agent_id=own_agent_id,
    )
