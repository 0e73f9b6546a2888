"""What may become of a user, and by whom."""

from __future__ import annotations

from dataclasses import replace

from services.portal.model.errors import BadUser, LastAdministrator, PlatformOnly
from services.portal.model.people import Account, Role, User


def check_rank(asking: frozenset[str], touched: frozenset[Role]) -> None:
    """PlatformOnly when somebody without the role `platform` gives it, or changes who has it.

    `asking` are the roles of whoever asks, `touched` those that are given or changed. An
    administrator could make themselves the platform's otherwise, or take over whoever is.
    """
    if Role.PLATFORM in touched and Role.PLATFORM not in asking:
        raise PlatformOnly("only who has the role platform gives it, or changes who has it")


def replaced(account: Account, wanted: User, others: int) -> Account:
    """The account with the name, e-mail, roles and leave to sign in that are wanted.

    `others` rule with at least the roles that this one rules with. LastAdministrator when there
    are none and this one would lose any; BadUser when another username is wanted: what people
    sign in with stays.
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
    if not present.ruling <= user.ruling and not others:
        raise LastAdministrator("the last administrator stays one: make another one first")
    return replace(account, user=user)
