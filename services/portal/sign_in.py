"""Signing in, going on, and signing out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from services.chassis.clock import Clock
from services.chassis.errors import CarillonError
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.portal.core.checking import MAX_TENANT_NAME, MAX_USERNAME
from services.portal.core.lockout import (
    ADDRESS_LIMIT,
    NAME_LIMIT,
    counted,
    locked_for_ms,
    opened,
    place_of,
    uncounted,
)
from services.portal.core.password_rules import MAX_CHARS
from services.portal.core.sessions import ACCESS_MS, MAX_SESSIONS, refresh_expires_at_ms
from services.portal.identity import Identity, check_not_suspended, user_principal
from services.portal.model.errors import (
    LockedOut,
    NotAuthenticated,
    SignInBusy,
    TenantSuspended,
    TokenExpired,
    TokenReused,
    TooManyAttempts,
    WrongCredentials,
)
from services.portal.model.people import Account, Principal, Tenant
from services.portal.model.sessions import Holder, Session, Tally, Token, TokenKind, Verdict
from services.portal.model.trail import OK
from services.portal.passwords import Passwords
from services.portal.store import PortalStore
from services.portal.tokens import (
    ACCESS_PREFIX,
    REFRESH_PREFIX,
    RandomBits,
    is_token,
    new_token,
    sha256,
)

log = get_logger("portal.sign-in")

MAX_OF_ONE_NAME = 32
"""Sign-ins of one user at once; a further one is refused."""
_NOBODY = TenantId("-")
"""A tenant that cannot be: its accounts are looked for where there is no tenant."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A session with its tokens in the open: told once, to whoever signed in."""

    principal: Principal
    """Who signed in."""
    access_token: str = field(repr=False)
    """For every request."""
    access_for_ms: int
    """How long it is good for."""
    refresh_token: str = field(repr=False)
    """For the next pair."""
    refresh_for_ms: int
    """How long it is good for."""


class SignIn:
    """Begins, renews and ends sessions, and counts wrong passwords."""

    def __init__(
        self,
        *,
        store: PortalStore,
        identity: Identity,
        passwords: Passwords,
        clock: Clock,
        new_id: Callable[[], str],
        random_bits: RandomBits,
    ) -> None:
        self._store = store
        self._identity = identity
        self._passwords = passwords
        self._clock = clock
        self._new_id = new_id
        self._random_bits = random_bits
        self._turns = _Turns()

    async def sign_in(
        self, *, tenant_name: str, username: str, password: str, address: str
    ) -> Granted:
        """Begins a session; WrongCredentials, LockedOut, TooManyAttempts, SignInBusy.

        TenantSuspended, told only to somebody with the right password.
        The same is looked up, counted and computed whether tenant and user exist or not.
        """
        tenant: Tenant | None = None
        account: Account | None = None
        try:
            if not _are_of_form(tenant_name, username, password):
                raise WrongCredentials("tenant, username or password are wrong")
            name = name_key(tenant_name, username)
            tenant = await self._store.tenant_named(tenant_name.lower())
            tenant_id = tenant.tenant_id if tenant else _NOBODY
            async with self._turns.of(name):
                account = await self._store.account_named(tenant_id, username)
                known = account.password_hash if account and account.user.active else None
                await self.check_password(known, password, name=name, address=address)
                # Without a hash no password is right, and without a tenant there is no account.
                assert tenant is not None
                assert account is not None
                check_not_suspended(tenant)
                granted = await self._begin(tenant, account)
                # Within the turn: whoever comes next is to be compared with the new hash.
                await self._renew_hash(tenant.tenant_id, account, password)
        except CarillonError as error:
            # What was typed for a name may be a password: only a name that exists is told.
            await self._identity.audit(
                principal=None,
                tenant_id=tenant.tenant_id if tenant else None,
                action="sign-in",
                subject=f"user {account.user.username}" if account else "an unknown user",
                outcome=error.code,
                address=address,
            )
            raise
        await self._identity.audit(
            principal=granted.principal,
            action="sign-in",
            subject=f"user {account.user.username}",
            outcome=OK,
            address=address,
        )
        return granted

    async def check_password(
        self, known: str | None, password: str, *, name: str, address: str
    ) -> None:
        """Counts the attempt, checks it, and forgets the count when it was right.

        Counted before it is checked, so that many at once cannot be more than may be wrong.
        WrongCredentials, LockedOut, TooManyAttempts, SignInBusy.
        """
        if len(password) > MAX_CHARS:
            # Nobody's, and bringing a megabyte of accents into order would take minutes.
            raise WrongCredentials("tenant, username or password are wrong")
        now_ms, place = self._clock.now_ms(), address_key(address)
        there = await self._store.tallies([place])
        wait_ms = locked_for_ms(there.get(place, Tally()), now_ms)
        if wait_ms:
            raise TooManyAttempts(f"too many wrong passwords: {_come_back(wait_ms)}")
        await self._store.change_tally(name, lambda tally: _attempted(tally, now_ms))
        try:
            right = await self._passwords.verify(known, password)
        except SignInBusy:
            # What nobody looked at was not wrong: a flood must not lock out those it keeps waiting.
            await self._store.change_tally(name, lambda tally: uncounted(tally, now_ms))
            raise
        if not right:
            await self._store.change_tally(
                place, lambda tally: counted(opened(tally, now_ms), ADDRESS_LIMIT, now_ms)
            )
            raise WrongCredentials("tenant, username or password are wrong")
        await self.unlock(name)

    async def unlock(self, name: str) -> None:
        """Forgets the wrong passwords of a name."""
        await self._store.change_tally(name, lambda _: Tally())

    async def refresh(self, refresh_token: str, *, address: str) -> Granted:
        """Changes a refresh token for a new pair; NotAuthenticated, TokenExpired, TokenReused.

        TenantSuspended.
        """
        holder = (
            await self._store.holder_of(sha256(refresh_token))
            if is_token(refresh_token, REFRESH_PREFIX)
            else None
        )
        try:
            return await self._renewed(holder, refresh_token)
        except (NotAuthenticated, TokenExpired, TokenReused, TenantSuspended) as error:
            await self._identity.audit(
                principal=None,
                tenant_id=holder.tenant.tenant_id if holder else None,
                action="refresh-session",
                subject=f"user {holder.user.username}" if holder else "an unknown token",
                outcome=error.code,
                address=address,
            )
            raise

    async def end(self, tenant_id: TenantId, session_id: str) -> None:
        """Ends one session with all its tokens."""
        await self._store.end_session(tenant_id, session_id, self._clock.now_ms())
        self._identity.forget(session_id)

    async def set_password(
        self,
        tenant_id: TenantId,
        user_id: str,
        password: str,
        *,
        but: str = "",
        instead_of: str = "",
    ) -> None:
        """Another password, which has been checked; all sessions `but` one end.

        WrongCredentials when the password whose hash is `instead_of` is not the present one.
        """
        fresh = await self._passwords.hash(password)
        now_ms = self._clock.now_ms()
        await self._store.set_password(
            tenant_id, user_id, fresh, now_ms, but=but, instead_of=instead_of
        )
        self._identity.forget(user_id)

    async def _renewed(self, holder: Holder | None, refresh_token: str) -> Granted:
        if holder is None:
            raise NotAuthenticated("the refresh token is not valid")
        check_not_suspended(holder.tenant)
        if not holder.user.active:
            raise NotAuthenticated("the refresh token is not valid")
        now_ms = self._clock.now_ms()
        granted, tokens = self._pair(holder, now_ms)
        verdict = await self._store.renew(
            holder.tenant.tenant_id, sha256(refresh_token), tokens, now_ms
        )
        if verdict is Verdict.GRANTED:
            return granted
        if verdict is Verdict.REUSED:
            self._identity.forget(holder.session.session_id)
        raise _refused(verdict)

    async def _begin(self, tenant: Tenant, account: Account) -> Granted:
        now_ms = self._clock.now_ms()
        session = Session(self._new_id(), account.user.user_id, now_ms)
        token = Token(b"", TokenKind.REFRESH, session.session_id, 0)
        granted, tokens = self._pair(Holder(tenant, account.user, session, token), now_ms)
        begun = await self._store.add_session(
            tenant.tenant_id,
            session,
            tokens,
            password_hash=account.password_hash,
            most=MAX_SESSIONS,
        )
        if not begun:
            raise WrongCredentials("tenant, username or password are wrong")
        await self._store.touch_user(tenant.tenant_id, account.user.user_id, now_ms)
        return granted

    async def _renew_hash(self, tenant_id: TenantId, account: Account, password: str) -> None:
        if not self._passwords.outdated(account.password_hash):
            return

        def change(now: Account, _others: int) -> Account:
            # A password that was changed meanwhile stays.
            same = now.password_hash == account.password_hash
            return replace(now, password_hash=fresh) if same else now

        try:
            fresh = await self._passwords.hash(password)
            await self._store.change_account(
                tenant_id, account.user.user_id, change, lambda _user: (), self._clock.now_ms()
            )
        except CarillonError as error:
            # They are in already: it is done the next time they type it.
            log.warning("password not hashed anew", tenant=tenant_id, reason=error.code)

    def _pair(self, holder: Holder, now_ms: int) -> tuple[Granted, tuple[Token, Token]]:
        session = holder.session
        access = new_token(ACCESS_PREFIX, self._random_bits)
        refresh = new_token(REFRESH_PREFIX, self._random_bits)
        until_ms = refresh_expires_at_ms(session, now_ms)
        access_until_ms = min(now_ms + ACCESS_MS, until_ms)
        granted = Granted(
            principal=user_principal(holder),
            access_token=access,
            access_for_ms=access_until_ms - now_ms,
            refresh_token=refresh,
            refresh_for_ms=until_ms - now_ms,
        )
        return granted, (
            Token(sha256(access), TokenKind.ACCESS, session.session_id, access_until_ms),
            Token(sha256(refresh), TokenKind.REFRESH, session.session_id, until_ms),
        )


def name_key(tenant_name: str, username: str) -> str:
    """What the wrong passwords of one name are counted under; the name cannot be read from it."""
    return _key("name", tenant_name.lower(), username.lower())


def address_key(address: str) -> str:
    """What the wrong passwords from one place are counted under."""
    return _key("address", place_of(address))


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _are_of_form(tenant_name: str, username: str, password: str) -> bool:
    """Whether they could belong to somebody."""
    return (
        0 < len(tenant_name) <= MAX_TENANT_NAME
        and 0 < len(username) <= MAX_USERNAME
        and 0 < len(password) <= MAX_CHARS
        and "\0" not in tenant_name + username
    )


def _refused(verdict: Verdict) -> CarillonError:
    match verdict:
        case Verdict.REUSED:
            return TokenReused("the refresh token was used before: the session has ended")
        case Verdict.EXPIRED:
            return TokenExpired("the refresh token has expired: sign in")
        case _:
            return NotAuthenticated("the refresh token is not valid")


def _attempted(tally: Tally, now_ms: int) -> Tally:
    present = opened(tally, now_ms)
    wait_ms = locked_for_ms(present, now_ms)
    if wait_ms:
        raise LockedOut(f"too many wrong passwords: {_come_back(wait_ms)}")
    return counted(present, NAME_LIMIT, now_ms)


def _come_back(wait_ms: int) -> str:
    return f"come back in {-(-wait_ms // 1_000)} seconds"


class _Turns:
    """Lets one at a time check the password of one name: whoever is right is never locked out."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """The turn of a name; SignInBusy when too many wait for theirs."""
        lock, waiting = self._locks.get(name, (asyncio.Lock(), 0))
        if waiting >= MAX_OF_ONE_NAME:
            raise SignInBusy("too many sign-ins of one user: try again in a moment")
        self._locks[name] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(name)
            if waiting > 1:
                self._locks[name] = lock, waiting - 1
