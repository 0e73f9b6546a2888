"""The half of the face about sessions and oneself."""

from __future__ import annotations

from protos.portal.v1 import portal_pb2
from services.chassis.errors import CarillonError
from services.chassis.log import get_logger
from services.chassis.rpc import tenant_id
from services.portal.core.password_rules import check_password
from services.portal.model.errors import UsersOnly
from services.portal.model.trail import OK
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_asked import Context, address_of, asking, session_of
from services.portal.sign_in import Granted, name_key
from services.portal.wire_people import me_message, user_message

log = get_logger("portal.people")


class SessionCalls:
    """Signing in and out, and one's own account."""

    _parts: PeopleParts

    async def SignIn(
        self, request: portal_pb2.SignInRequest, context: Context
    ) -> portal_pb2.Session:
        """Begins a session."""
        granted = await self._parts.sign_in.sign_in(
            tenant_name=request.tenant,
            username=request.username,
            password=request.password,
            address=address_of(context),
        )
        log.info("signed in", tenant=granted.principal.tenant_id, user=granted.principal.id)
        return _session_message(granted)

    async def RefreshSession(
        self, request: portal_pb2.RefreshSessionRequest, context: Context
    ) -> portal_pb2.Session:
        """Changes the refresh token for a new pair."""
        granted = await self._parts.sign_in.refresh(
            request.refresh_token, address=address_of(context)
        )
        return _session_message(granted)

    async def EndSession(
        self, _request: portal_pb2.EndSessionRequest, context: Context
    ) -> portal_pb2.EndSessionResponse:
        """Signs out; UsersOnly for an API key, which has no session."""
        session_id = session_of(context)
        if not session_id:
            raise UsersOnly("an API key has no session to end: revoke it")
        await self._parts.sign_in.end(tenant_id(), session_id)
        return portal_pb2.EndSessionResponse()

    async def GetMe(self, _request: portal_pb2.GetMeRequest, _context: Context) -> portal_pb2.Me:
        """Who asks."""
        return me_message(await asking(self._parts))

    async def ChangePassword(
        self, request: portal_pb2.ChangePasswordRequest, context: Context
    ) -> portal_pb2.User:
        """Changes one's own password and ends one's other sessions."""
        principal = await asking(self._parts)
        parts, address = self._parts, address_of(context)
        subject, outcome = "", "failed"
        try:
            if principal.kind == "api-key":
                raise UsersOnly("an API key has no password")
            account = await parts.store.get_account(principal.tenant_id, principal.id)
            username = account.user.username
            subject = f"user {username}"
            check_password(request.new_password, names=(username, principal.tenant_name))
            await parts.sign_in.check_password(
                account.password_hash,
                request.old_password,
                name=name_key(principal.tenant_name, username),
                address=address,
            )
            await parts.sign_in.set_password(
                principal.tenant_id,
                principal.id,
                request.new_password,
                but=session_of(context),
                instead_of=account.password_hash,
            )
            outcome = OK
        except CarillonError as error:
            outcome = error.code
            raise
        finally:
            await parts.identity.audit(
                principal=principal,
                action="change-password",
                subject=subject,
                outcome=outcome,
                address=address,
            )
        return user_message(account.user, locked_until_ms=0)


def _session_message(granted: Granted) -> portal_pb2.Session:
    return portal_pb2.Session(
        access_token=granted.access_token,
        expires_in_s=granted.access_for_ms // 1_000,
        refresh_token=granted.refresh_token,
        refresh_expires_in_s=granted.refresh_for_ms // 1_000,
        me=me_message(granted.principal),
    )
