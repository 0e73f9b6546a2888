"""Hashes, and how many are computed at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from services.chassis.settings import load
from services.portal.model.errors import SignInBusy
from services.portal.passwords import InlinePasswords, Passwords, ThreadedPasswords
from services.portal.settings import PortalSettings

PASSWORD = "correct horse battery"


@pytest.fixture(params=["inline", "threads"])
async def passwords(request: pytest.FixtureRequest) -> AsyncIterator[Passwords]:
    made: Passwords = (
        InlinePasswords()
        if request.param == "inline"
        else ThreadedPasswords(memory_kib=8, passes=1, workers=2)
    )
    yield made
    await made.close()


async def test_only_the_right_password_is_right(passwords: Passwords) -> None:
    known = await passwords.hash(PASSWORD)
    assert known.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert PASSWORD not in known
    assert await passwords.verify(known, PASSWORD)
    assert not await passwords.verify(known, PASSWORD + "x")
    assert await passwords.hash(PASSWORD) != known, "each has a salt of its own"


async def test_without_a_hash_no_password_is_right(passwords: Passwords) -> None:
    for password in (PASSWORD, "", "nobody has this password"):
        assert not await passwords.verify(None, password)


async def test_a_damaged_hash_is_never_right(passwords: Passwords) -> None:
    for damaged in ("", "$argon2id$", "x" * 100):
        assert not await passwords.verify(damaged, PASSWORD)


async def test_a_password_is_the_same_from_every_keyboard(passwords: Passwords) -> None:
    known = await passwords.hash("u\u0308berlange Worte")
    assert await passwords.verify(known, "\u00fcberlange Worte")


async def test_a_hash_of_other_parameters_is_outdated(passwords: Passwords) -> None:
    assert not passwords.outdated(await passwords.hash(PASSWORD))
    assert passwords.outdated(await InlinePasswords(passes=2).hash(PASSWORD))


async def test_too_many_at_once_are_refused_and_those_in_time_are_not() -> None:
    passwords = ThreadedPasswords(memory_kib=8, passes=1, workers=1, max_waiting=2)
    known = await passwords.hash(PASSWORD)
    answers = await asyncio.gather(
        *(passwords.verify(known, PASSWORD) for _ in range(5)), return_exceptions=True
    )
    assert [each for each in answers if each is True] == [True] * 3
    assert [type(each) for each in answers if each is not True] == [SignInBusy] * 2
    assert await passwords.verify(known, PASSWORD)
    await passwords.close()


async def test_a_hash_is_computed_beside_the_loop() -> None:
    passwords = ThreadedPasswords(memory_kib=8, passes=1, workers=1)
    # Those of other tests may still be there, by the same names.
    before = set(threading.enumerate())
    await passwords.hash(PASSWORD)
    fresh = set(threading.enumerate()) - before
    assert any(thread.name.startswith("passwords") for thread in fresh)
    await passwords.close()


def test_what_a_hash_costs_is_worth_it_by_default() -> None:
    # OWASP's least for Argon2id: 19 MiB and 2 passes.
    settings = load(PortalSettings)
    assert settings.password_memory_kib >= 19_456
    assert settings.password_passes >= 2
    assert settings.bind == "127.0.0.1"
