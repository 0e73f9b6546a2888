"""What may become of a user."""

from __future__ import annotations

from dataclasses import replace

from services.portal.model.errors import BadUser, LastAdministrator
from services.portal.model.people import Account, User


def replaced(account: Account, wanted: User, other_administrators: int) -> Account:
    """The account with the name, e-mail, roles and leave to sign in that are wanted.

    LastAdministrator when nobody could administer the tenant any more; BadUser when another
    username is wanted: what people sign in with stays.
    """
    present = account.user
    if wanted.username not in {"", present.username}:
        raise BadUser("username: it stays as it is")
    user = replace(
        present,
        display_name=wanted.display_name,
        email=wanted.email,
        roles=wanted.roles,
        active=wanted.active,
    )
    if present.is_administrator and not user.is_administrator and not other_administrators:
        raise LastAdministrator("the last administrator stays one: make another one first")
    return replace(account, user=user)
