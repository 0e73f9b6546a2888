"""The part of the face about users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from protos.common.v1 import common_pb2
from protos.portal.v1 import portal_pb2
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.paging import page_size
from services.chassis.rpc import tenant_id
from services.portal.core.changing import check_rank, check_removal, replaced
from services.portal.core.checking import check_user, read_roles, roles_in
from services.portal.core.lockout import locked_for_ms
from services.portal.core.password_rules import check_password
from services.portal.model.errors import BadQuery, BadUser, NotYourself, UserExists
from services.portal.model.people import Account, User, UserQuery
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_asked import (
    Context,
    asking,
    ranks_of_asking,
    searched,
    user_id_of,
)
from services.portal.sign_in import name_key
from services.portal.wire_people import user_message

log = get_logger("portal.people")


class UserCalls:
    """Users of one tenant."""

    _parts: PeopleParts

    async def CreateUser(
        self, request: portal_pb2.CreateUserRequest, _context: Context
    ) -> portal_pb2.User:
        """Creates a user who may sign in from now on."""
        parts, now_ms = self._parts, self._parts.clock.now_ms()
        tenant = await parts.store.get_tenant(tenant_id())
        wanted = replace(_user_of(request.user), active=True, created_at_ms=now_ms)
        user = replace(
            wanted,
            user_id=parts.new_id(),
            display_name=wanted.display_name or wanted.username,
        )
        check_user(user, tenant_id=tenant.tenant_id)
        check_rank(await ranks_of_asking(parts), user.roles)
        check_password(request.password, names=(user.username, tenant.name))
        if await parts.store.account_named(tenant.tenant_id, user.username) is not None:
            raise UserExists(user.username)
        account = Account(user, await parts.passwords.hash(request.password))
        event = parts.envelopes.user_put(tenant.tenant_id, user, now_ms)
        await parts.store.add_user(tenant.tenant_id, account, (event,))
        log.info("user created", tenant=tenant.tenant_id, user=user.user_id)
        return (await self._told(tenant.tenant_id, [user]))[0]

    async def GetUser(
        self, request: portal_pb2.GetUserRequest, _context: Context
    ) -> portal_pb2.User:
        """One user."""
        account = await self._parts.store.get_account(tenant_id(), user_id_of(request.user_id))
        return (await self._told(tenant_id(), [account.user]))[0]

    async def ListUsers(
        self, request: portal_pb2.ListUsersRequest, _context: Context
    ) -> portal_pb2.ListUsersResponse:
        """Users by username, in any case of its letters."""
        size = page_size(request.page)
        if request.role and request.role not in roles_in(tenant_id()):
            raise BadQuery(f"role: one of {', '.join(sorted(roles_in(tenant_id())))}, or nothing")
        query = UserQuery(
            search=searched(request.search),
            role=request.role,
            after=searched(request.page.token),
            size=size + 1,
        )
        users = await self._parts.store.list_users(tenant_id(), query)
        token = users[size - 1].username.lower() if len(users) > size else ""
        return portal_pb2.ListUsersResponse(
            users=await self._told(tenant_id(), users[:size]),
            page=common_pb2.PageResponse(next_token=token),
        )

    async def UpdateUser(
        self, request: portal_pb2.UpdateUserRequest, _context: Context
    ) -> portal_pb2.User:
        """Replaces name, e-mail, roles and whether the user may sign in."""
        parts, tenant, now_ms = self._parts, tenant_id(), self._parts.clock.now_ms()
        wanted, asking = _user_of(request.user), await ranks_of_asking(parts)

        def change(account: Account, others: int) -> Account:
            check_rank(asking, account.user.roles)
            changed = replaced(account, wanted, others)
            check_user(changed.user, tenant_id=tenant)
            check_rank(asking, changed.user.roles)
            return changed

        user_id = user_id_of(request.user.user_id)
        changed = await parts.store.change_account(
            tenant,
            user_id,
            change,
            lambda user: (parts.envelopes.user_put(tenant, user, now_ms),),
            now_ms,
        )
        parts.identity.forget(user_id)
        log.info("user changed", tenant=tenant, user=user_id)
        return (await self._told(tenant, [changed.user]))[0]

    async def RemoveUser(
        self, request: portal_pb2.RemoveUserRequest, _context: Context
    ) -> portal_pb2.RemoveUserResponse:
        """Takes a user away: from routing first, where a contact may be with them."""
        parts, tenant, now_ms = self._parts, tenant_id(), self._parts.clock.now_ms()
        user_id, asker = user_id_of(request.user_id), await asking(parts)
        ranks = await ranks_of_asking(parts)
        if user_id == asker.id:
            raise NotYourself("somebody else has to take you away")

        def check(account: Account, others: int) -> None:
            check_rank(ranks, account.user.roles)
            check_removal(account, others)

        def unchanged(account: Account, others: int) -> Account:
            check(account, others)
            return account

        # Before routing is asked: who has to stay, stays an agent, too.
        await parts.store.change_account(tenant, user_id, unchanged, lambda _user: (), now_ms)
        await parts.agents.remove(user_id)
        event = parts.envelopes.user_removed(tenant, user_id, now_ms)
        await parts.store.remove_user(tenant, user_id, check, (event,))
        parts.identity.forget(user_id)
        log.info("user removed", tenant=tenant, user=user_id)
        return portal_pb2.RemoveUserResponse()

    async def SetPassword(
        self, request: portal_pb2.SetPasswordRequest, _context: Context
    ) -> portal_pb2.User:
        """Gives a user a new password, unlocks them, and ends their sessions."""
        tenant = await self._parts.store.get_tenant(tenant_id())
        user_id = user_id_of(request.user_id)
        user = (await self._parts.store.get_account(tenant.tenant_id, user_id)).user
        check_rank(await ranks_of_asking(self._parts), user.roles)
        check_password(request.password, names=(user.username, tenant.name))
        await self._parts.sign_in.set_password(tenant.tenant_id, user_id, request.password)
        await self._parts.sign_in.unlock(name_key(tenant.name, user.username))
        log.info("password set", tenant=tenant.tenant_id, user=user_id)
        return user_message(user, locked_until_ms=0)

    async def _told(self, tenant: TenantId, users: Sequence[User]) -> list[portal_pb2.User]:
        """Users with their locks, which are kept apart."""
        name = (await self._parts.store.get_tenant(tenant)).name
        keys = [name_key(name, user.username) for user in users]
        tallies = await self._parts.store.tallies(keys)
        now_ms = self._parts.clock.now_ms()
        return [
            user_message(
                user,
                locked_until_ms=tallies[key].locked_until_ms
                if key in tallies and locked_for_ms(tallies[key], now_ms)
                else 0,
            )
            for key, user in zip(keys, users, strict=True)
        ]


def _user_of(message: portal_pb2.User) -> User:
    roles = read_roles(message.roles)
    if roles is None:
        raise BadUser("roles: one of them does not exist")
    return User(
        user_id=message.user_id,
        username=message.username,
        display_name=message.display_name,
        email=message.email,
        roles=roles,
        active=message.active,
        created_at_ms=0,
    )
