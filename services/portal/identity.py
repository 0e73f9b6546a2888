"""Who asks, what is written down of it, and whether it was asked before.

Three words travel beside a request that portal makes for somebody, on top of what
`services.chassis.request` knows: make them with `caller_metadata`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from services.chassis.clock import Clock
from services.chassis.database import DatabaseUnavailable
from services.chassis.errors import CarillonError
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.request import Metadata, on_behalf
from services.portal.audit_trail import AuditTrail
from services.portal.core.replaying import MAX_BODY_BYTES, check_key, judge
from services.portal.core.scrubbing import scrubbed, word
from services.portal.model.errors import NotAuthenticated, TenantSuspended, TokenExpired
from services.portal.model.people import PLATFORM_TENANT, Principal, Tenant
from services.portal.model.sessions import Holder, KeyHolder, TokenKind
from services.portal.model.trail import Answer, AnswerKey, AuditEntry, Replay, ReplayState
from services.portal.store import PortalStore
from services.portal.tokens import ACCESS_PREFIX, is_token, key_id_of, same, sha256

__all__ = [
    "ADDRESS_KEY",
    "SESSION_KEY",
    "Identity",
    "Principal",
    "Replay",
    "ReplayState",
    "caller_metadata",
]

log = get_logger("portal.identity")

SESSION_KEY = "carillon-session"
"""The session in which somebody asks; absent for an API key."""
ADDRESS_KEY = "carillon-address"
"""The network address from which somebody asks."""
FRESH_MS = 5_000
"""How old an answer from memory may be: a revocation elsewhere is honoured within it."""
STALE_MS = 60_000
"""How old it may be while the database is away: nothing can be revoked there meanwhile."""
RETRY_MS = 1_000
"""How soon a database that was away is asked again; until then nobody waits for it."""
SEEN_EVERY_MS = 60_000
"""How exact `last seen` is."""
MAX_CACHED = 10_000


def caller_metadata(*, principal: Principal | None, address: str) -> Metadata:
    """Metadata of a request to portal's own RPCs, for somebody or, signing in, for nobody yet."""
    pairs: list[tuple[str, str | bytes]] = [(ADDRESS_KEY, word(address))] if address else []
    if principal is not None:
        pairs += on_behalf(
            tenant_id=principal.tenant_id, user_id=principal.id, user_name=principal.name
        )
        if principal.session_id:
            pairs.append((SESSION_KEY, principal.session_id))
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    """Who."""
    until_ms: int
    """When the token or key ends by itself; 0: never."""
    read_at_ms: int
    """When the store said so."""
    again_at_ms: int
    """When the store is asked again."""


class Identity:
    """Tells who asks, keeps the audit trail, and answers repeated requests as before."""

    def __init__(
        self, *, store: PortalStore, clock: Clock, new_id: Callable[[], str], trail: AuditTrail
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._trail = trail
        self._known: dict[bytes, _Known] = {}
        self._changes = 0

    # ---- who ----

    async def authenticate(self, bearer: str) -> Principal:
        """Whom a token or API key belongs to; NotAuthenticated, TokenExpired, TenantSuspended."""
        is_key = key_id_of(bearer) is not None
        if not is_key and not is_token(bearer, ACCESS_PREFIX):
            raise NotAuthenticated("the credentials are not valid")
        digest, now_ms = sha256(bearer), self._clock.now_ms()
        known = self._known.get(digest)
        if known is None or now_ms >= known.again_at_ms:
            known = await self._read(bearer, digest, known, now_ms)
        if known.until_ms and now_ms >= known.until_ms:
            raise _ended(known.principal.kind)
        return known.principal

    def forget(self, name: str) -> None:
        """Believes nothing from memory of a user, API key, session or tenant with this id."""
        self._changes += 1
        self._known = {
            digest: known
            for digest, known in self._known.items()
            if name
            not in {known.principal.id, known.principal.session_id, known.principal.tenant_id}
        }

    async def _read(self, bearer: str, digest: bytes, known: _Known | None, now_ms: int) -> _Known:
        changes = self._changes
        try:
            found = await (
                self._read_key(bearer, digest, now_ms)
                if key_id_of(bearer)
                else self._read_token(digest, now_ms)
            )
        except DatabaseUnavailable:
            if known is None or now_ms - known.read_at_ms >= STALE_MS:
                raise
            found = replace(known, again_at_ms=now_ms + RETRY_MS)
        except (NotAuthenticated, TokenExpired, TenantSuspended):
            self._known.pop(digest, None)
            raise
        # What was read before a revocation must not be believed after it.
        if changes == self._changes:
            self._keep(digest, found)
        return found

    def _keep(self, digest: bytes, found: _Known) -> None:
        self._known.pop(digest, None)
        if len(self._known) >= MAX_CACHED:
            self._known.pop(next(iter(self._known)))
        self._known[digest] = found

    async def _read_token(self, digest: bytes, now_ms: int) -> _Known:
        holder = await self._store.holder_of(digest)
        if holder is None or holder.token.kind is not TokenKind.ACCESS:
            raise NotAuthenticated("the credentials are not valid")
        # Before the session, which has ended with the suspension: they are told why.
        check_not_suspended(holder.tenant)
        if holder.session.ended_at_ms or not holder.user.active:
            raise NotAuthenticated("the credentials are not valid")
        if now_ms >= holder.token.expires_at_ms:
            raise _ended("user")
        if now_ms - holder.user.last_seen_at_ms >= SEEN_EVERY_MS:
            await self._store.touch_user(holder.tenant.tenant_id, holder.user.user_id, now_ms)
        return _known(user_principal(holder), holder.token.expires_at_ms, now_ms)

    async def _read_key(self, bearer: str, digest: bytes, now_ms: int) -> _Known:
        holder = await self._store.key_holder(key_id_of(bearer) or "")
        # The comparison is made for an unknown key, too: the time tells nothing.
        right = same(digest, holder.key.sha256 if holder is not None else b"\0" * 32)
        if holder is None or not right or not holder.key.works(now_ms):
            raise NotAuthenticated("the credentials are not valid")
        check_not_suspended(holder.tenant)
        if now_ms - holder.key.last_used_at_ms >= SEEN_EVERY_MS:
            await self._store.touch_key(holder.tenant.tenant_id, holder.key.key_id, now_ms)
        return _known(key_principal(holder), holder.key.expires_at_ms, now_ms)

    # ---- what was done ----

    async def audit(
        self,
        *,
        principal: Principal | None,
        tenant_id: TenantId | None = None,
        action: str,
        subject: str = "",
        outcome: str,
        address: str,
        detail_json: str = "",
    ) -> None:
        """Writes down what somebody did or was refused; never raises, never waits.

        Of somebody known it goes to their own tenant's trail, of nobody to that of `tenant_id`,
        or without one to the platform's. Portal's anonymous RPCs and `ChangePassword` write their
        own entries (`sign-in`, refusals of `refresh-session`, `change-password`): write none for
        those.
        """
        try:
            tenant = principal.tenant_id if principal else tenant_id or PLATFORM_TENANT
            entry = AuditEntry(
                audit_id=self._new_id(),
                at_ms=self._clock.now_ms(),
                actor_id=principal.id if principal else "",
                actor_name=word(principal.name) if principal else "",
                actor_kind=principal.kind if principal else "anonymous",
                action=word(action),
                subject=word(subject),
                outcome=word(outcome),
                address=word(address),
                detail_json=scrubbed(detail_json),
            )
            self._trail.add(tenant, entry)
        except Exception as error:  # a request must not fail for its own record
            log.error("audit entry could not be made", action=action, exc_info=error)

    # ---- what was asked before ----

    async def replay(
        self, *, tenant_id: TenantId, principal_id: str, key: str, request_hash: str
    ) -> Replay:
        """What to do with a request that names an Idempotency-Key: see `Replay`.

        NEW reserves the key for a minute. BadIdempotencyKey; KeyReused when the key came with
        another request within 24 hours.
        """
        check_key(key)
        name, now_ms = AnswerKey(principal_id, key), self._clock.now_ms()
        taken_by = await self._store.reserve_answer(tenant_id, name, request_hash, now_ms)
        return judge(taken_by, request_hash)

    async def remember(
        self,
        *,
        tenant_id: TenantId,
        principal_id: str,
        key: str,
        request_hash: str,
        status: int,
        content_type: str = "application/json",
        body: bytes,
    ) -> None:
        """Keeps the answer of a NEW request for 24 hours; never raises.

        An answer above 1 MiB is not kept. Call `abandon` instead for one that asking again could
        change (5xx).
        """
        if len(body) > MAX_BODY_BYTES:
            await self.abandon(
                tenant_id=tenant_id, principal_id=principal_id, key=key, request_hash=request_hash
            )
            return
        answer = Answer(request_hash, self._clock.now_ms(), status, content_type, body)
        try:
            await self._store.keep_answer(tenant_id, AnswerKey(principal_id, key), answer)
        except CarillonError as error:
            log.warning("answer not kept", tenant=tenant_id, reason=error.code)

    async def abandon(
        self, *, tenant_id: TenantId, principal_id: str, key: str, request_hash: str
    ) -> None:
        """Frees the key of a NEW request that got no answer worth keeping; never raises."""
        try:
            await self._store.drop_answer(tenant_id, AnswerKey(principal_id, key), request_hash)
        except CarillonError as error:
            log.warning("idempotency key not freed", tenant=tenant_id, reason=error.code)


def check_not_suspended(tenant: Tenant) -> None:
    """TenantSuspended when nobody of the tenant may come in."""
    if tenant.caps.suspended:
        raise TenantSuspended(f"{tenant.display_name} is suspended: ask whoever runs this platform")


def user_principal(holder: Holder) -> Principal:
    """The user who holds a token."""
    return Principal(
        id=holder.user.user_id,
        name=holder.user.display_name,
        roles=frozenset(holder.user.roles),
        tenant_id=holder.tenant.tenant_id,
        tenant_name=holder.tenant.name,
        kind="user",
        session_id=holder.session.session_id,
        time_zone=holder.tenant.time_zone,
    )


def key_principal(holder: KeyHolder) -> Principal:
    """The program that holds an API key."""
    return Principal(
        id=holder.key.key_id,
        name=holder.key.name,
        roles=frozenset(holder.key.roles),
        tenant_id=holder.tenant.tenant_id,
        tenant_name=holder.tenant.name,
        kind="api-key",
        session_id="",
        time_zone=holder.tenant.time_zone,
    )


def _known(principal: Principal, until_ms: int, now_ms: int) -> _Known:
    return _Known(principal, until_ms, read_at_ms=now_ms, again_at_ms=now_ms + FRESH_MS)


def _ended(kind: Literal["user", "api-key"]) -> CarillonError:
    if kind == "user":
        return TokenExpired("the access token has expired: refresh the session")
    return NotAuthenticated("the credentials are not valid")
