"""What is decided about people, without a store or a clock."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import CarillonError
from services.chassis.ids import TenantId
from services.portal.core.changing import check_rank, replaced
from services.portal.core.checking import check_api_key, check_tenant, check_user, read_roles
from services.portal.core.lockout import (
    LOCK_MS,
    NAME_LIMIT,
    WINDOW_MS,
    counted,
    forget_at_ms,
    locked_for_ms,
    opened,
    place_of,
    uncounted,
)
from services.portal.core.password_rules import check_password, normalised
from services.portal.core.replaying import (
    KEEP_MS,
    TAKE_OVER_MS,
    check_key,
    is_free,
    judge,
)
from services.portal.core.scrubbing import HIDDEN, MAX_DETAIL_BYTES, scrubbed, word
from services.portal.core.sessions import (
    REFRESH_MS,
    SESSION_MS,
    judge_refresh,
    refresh_expires_at_ms,
)
from services.portal.model import errors
from services.portal.model.errors import (
    BadApiKey,
    BadIdempotencyKey,
    BadTenant,
    BadUser,
    KeyReused,
    LastAdministrator,
    PlatformOnly,
    WeakPassword,
)
from services.portal.model.people import PLATFORM_TENANT, RULING, Account, Role, Tenant, User
from services.portal.model.sessions import Session, Tally, Token, TokenKind, Verdict
from services.portal.model.trail import Answer, Replay, ReplayState

ACME = TenantId("t-acme")
ZONES = frozenset({"UTC", "Europe/Bucharest"})
TENANT = Tenant(ACME, "acme", "Acme AG", "Europe/Bucharest", "RO", 7)
USER = User(
    "u-1",
    "ana",
    "Ana Ü",
    "ana@example.com",
    frozenset({Role.ADMINISTRATOR}),
    active=True,
    created_at_ms=7,
)


# ---- lock-out ----


@given(st.lists(st.integers(0, 3 * WINDOW_MS), max_size=30))
def test_a_tally_is_locked_exactly_when_five_are_within_the_window(gaps: list[int]) -> None:
    tally, now_ms, tried = Tally(), 1_000, list[int]()
    for gap in gaps:
        now_ms += gap
        tally = opened(tally, now_ms)
        if not tally.failed_at_ms:
            tried.clear()
        if locked_for_ms(tally, now_ms):
            continue
        tally = counted(tally, NAME_LIMIT, now_ms)
        tried.append(now_ms)
        recent = [at_ms for at_ms in tried if at_ms > now_ms - WINDOW_MS]
        assert tally.failed_at_ms == tuple(recent)
        assert locked_for_ms(tally, now_ms) == (LOCK_MS if len(recent) >= NAME_LIMIT else 0)


def test_a_lock_opens_when_its_time_has_come() -> None:
    locked = Tally((1, 2), locked_until_ms=100)
    assert opened(locked, 99) == locked
    assert opened(locked, 100) == Tally()
    assert (locked_for_ms(locked, 99), locked_for_ms(locked, 100)) == (1, 0)


def test_an_attempt_that_was_not_looked_at_leaves_no_trace() -> None:
    before = Tally(tuple(range(NAME_LIMIT - 1)))
    locked = counted(before, NAME_LIMIT, 9)
    assert locked_for_ms(locked, 9)
    assert uncounted(locked, 9) == before
    assert uncounted(Tally((9, 9)), 9) == Tally((9,))
    # Somebody has opened the lock meanwhile.
    assert uncounted(Tally(), 9) == Tally()


def test_a_tally_is_forgotten_after_its_last_wrong_password_and_its_lock() -> None:
    assert forget_at_ms(Tally()) == WINDOW_MS
    assert forget_at_ms(Tally((1, 5))) == 5 + WINDOW_MS
    assert forget_at_ms(Tally((1, 5), 10 * WINDOW_MS)) == 10 * WINDOW_MS


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::7", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_caller_has_a_place_however_many_addresses(address: str, place: str) -> None:
    assert place_of(address) == place


# ---- sessions ----


@pytest.mark.parametrize(
    ("change", "ended_at_ms", "now_ms", "verdict"),
    [
        ({}, 0, 99, Verdict.GRANTED),
        ({}, 0, 100, Verdict.EXPIRED),
        ({}, 50, 60, Verdict.REFUSED),
        ({"used_at_ms": 50}, 0, 60, Verdict.REUSED),
        ({"used_at_ms": 50}, 0, 100, Verdict.REUSED),
        ({"used_at_ms": 50}, 55, 60, Verdict.REFUSED),
        ({"kind": TokenKind.ACCESS}, 0, 60, Verdict.REFUSED),
    ],
)
def test_what_becomes_of_a_refresh_token(
    change: dict[str, Any], ended_at_ms: int, now_ms: int, verdict: Verdict
) -> None:
    token = replace(Token(b"", TokenKind.REFRESH, "s-1", 100), **change)
    assert judge_refresh(token, Session("s-1", "u-1", 1, ended_at_ms), now_ms) is verdict


def test_a_session_cannot_be_refreshed_for_ever() -> None:
    session = Session("s-1", "u-1", 1_000)
    assert refresh_expires_at_ms(session, 2_000) == 2_000 + REFRESH_MS
    assert refresh_expires_at_ms(session, SESSION_MS) == 1_000 + SESSION_MS


# ---- repeated requests ----


@pytest.mark.parametrize("key", ["a", "x" * 255, "order-7/~!"])
def test_a_key_is_visible_ascii(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "a\n", "ä", "a\0"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(BadIdempotencyKey):
        check_key(key)


def test_a_key_is_free_when_unknown_old_or_left_by_the_dead() -> None:
    reserved, done = Answer("hash", 1_000), Answer("hash", 1_000, 200, "", b"{}")
    assert is_free(None, "hash", 1_000)
    assert not is_free(reserved, "hash", 1_000)
    assert is_free(reserved, "hash", 1_000 + TAKE_OVER_MS)
    assert not is_free(reserved, "else", 1_000 + TAKE_OVER_MS)
    assert not is_free(done, "hash", 1_000 + TAKE_OVER_MS)
    assert is_free(done, "else", 1_000 + KEEP_MS)


def test_what_is_to_be_done_with_a_request() -> None:
    assert judge(None, "hash") == Replay(ReplayState.NEW)
    assert judge(Answer("hash", 1), "hash") == Replay(ReplayState.IN_PROGRESS)
    done = Answer("hash", 1, 201, "text/plain", b"x")
    assert judge(done, "hash") == Replay(ReplayState.STORED, 201, "text/plain", b"x")
    with pytest.raises(KeyReused):
        judge(done, "else")


# ---- what the trail may hold ----


def test_secrets_are_hidden_wherever_they_are() -> None:
    detail = {
        "user": {"username": "ana", "password": "p"},
        "list": [{"new_password": "p", "n": 1}],
        "refreshToken": ["p", "p"],
        "apiKey": "p",
        "keys": "shown",
        "clientSecret": {"a": "p"},
        "authorization": None,
    }
    assert json.loads(scrubbed(json.dumps(detail))) == {
        "user": {"username": "ana", "password": HIDDEN},
        "list": [{"new_password": HIDDEN, "n": 1}],
        "refreshToken": HIDDEN,
        "apiKey": HIDDEN,
        "keys": "shown",
        "clientSecret": HIDDEN,
        "authorization": HIDDEN,
    }


@pytest.mark.parametrize("detail", ["{", "not json", json.dumps("x" * 5_000), "[" * 100_000])
def test_what_does_not_fit_is_told_by_its_size(detail: str) -> None:
    assert json.loads(scrubbed(detail)) == {"omitted_bytes": len(detail)}


def test_no_detail_is_no_detail() -> None:
    assert scrubbed("") == ""


def test_what_is_nested_too_deep_is_hidden() -> None:
    assert HIDDEN in scrubbed("[" * 30 + "1" + "]" * 30)


@given(st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x, max_size=4)))
def test_an_entry_is_always_short_text_that_a_store_takes(detail: object) -> None:
    told = scrubbed(json.dumps(detail))
    assert len(told.encode()) <= MAX_DETAIL_BYTES
    assert "\0" not in told


@given(st.text(st.characters()))
def test_a_word_is_always_short_text_that_a_store_takes(text: str) -> None:
    told = word(text)
    assert len(told) <= 300
    assert "\0" not in told
    told.encode()


# ---- passwords ----


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "Tr0ub4dor&3-extra",
        "ünïcode-länge!",
        "x1y2z3x4y5z6",
        "ж" * 6 + "яблоко",
    ],
)
def test_a_long_and_uncommon_password_is_good(password: str) -> None:
    check_password(password, names=("ana", "acme"))


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "e\u0301a\u0301o\u0301u\u0301i\u0301n\u0303",  # six letters, whatever keyboard
        "x" * 257,
        "password\0password1",
        "aaaaaaaaaaaa",
        "abababababab",
        "abcabcabcabc",
        "abcdeabcdeabcdeabcdeabcde",
        "123456789012",
        "987654321098",
        "abcdefghijklm",
        "qwertyuiopasdf",
        "password1234",
        "Password1234!",
        "P@ssw0rd12345",
        "PasswordPassword",
        "welcome123456",
        "administrator",
        "1234administrator!",
        "ana.popescu@example.com",
        "Ana.Popescu@Example.com2026",
        "contact-centre-2026",
    ],
)
def test_a_short_common_or_patterned_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_password(password, names=("ana.popescu@example.com", "contact-centre", ""))


def test_a_password_is_the_same_from_every_keyboard() -> None:
    assert normalised("u\u0308") == normalised("\u00fc")


# ---- form ----


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"name": "a"},
        {"name": "a" * 40},
        {"name": "acme-2-b"},
        {"region": ""},
        {"time_zone": "UTC"},
        {"display_name": "x" * 200},
    ],
)
def test_a_tenant_of_good_form(change: dict[str, Any]) -> None:
    check_tenant(replace(TENANT, **change), zones=ZONES)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "Acme"},
        {"name": "a" * 41},
        {"name": "-a"},
        {"name": "a-"},
        {"name": "a--b"},
        {"name": "a b"},
        {"name": "acme\n"},
        {"display_name": ""},
        {"display_name": "  "},
        {"display_name": "x" * 201},
        {"display_name": "a\0b"},
        {"time_zone": ""},
        {"time_zone": "Mars/Olympus"},
        {"region": "ro"},
        {"region": "ROU"},
    ],
)
def test_a_tenant_of_bad_form(change: dict[str, Any]) -> None:
    with pytest.raises(BadTenant):
        check_tenant(replace(TENANT, **change), zones=ZONES)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"username": "A.b_c-d@example.com"},
        {"username": "x" * 100},
        {"email": ""},
        {"roles": frozenset({Role.AGENT, Role.SUPERVISOR})},
    ],
)
def test_a_user_of_good_form(change: dict[str, Any]) -> None:
    check_user(replace(USER, **change), tenant_id=ACME)


@pytest.mark.parametrize(
    "change",
    [
        {"username": ""},
        {"username": "x" * 101},
        {"username": "a b"},
        {"username": "ä"},
        {"username": "ana\n"},
        {"display_name": ""},
        {"display_name": "x" * 201},
        {"email": "nobody"},
        {"email": "a@b c"},
        {"email": "a@\x01"},
        {"email": "a@" + "b" * 254},
        {"roles": frozenset()},
        {"roles": frozenset({Role.PLATFORM})},
        {"roles": frozenset({Role.ADMINISTRATOR, Role.PLATFORM})},
    ],
)
def test_a_user_of_bad_form(change: dict[str, Any]) -> None:
    with pytest.raises(BadUser):
        check_user(replace(USER, **change), tenant_id=ACME)


def test_the_platform_has_no_agents() -> None:
    both = frozenset({Role.ADMINISTRATOR, Role.PLATFORM})
    check_user(replace(USER, roles=both), tenant_id=PLATFORM_TENANT)
    with pytest.raises(BadUser):
        check_user(replace(USER, roles=frozenset({Role.AGENT})), tenant_id=PLATFORM_TENANT)


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"expires_at_ms": 101}, True),
        ({"expires_at_ms": 100}, False),
        ({"expires_at_ms": -1}, False),
        ({"name": ""}, False),
        ({"name": "x" * 201}, False),
        ({"roles": frozenset()}, False),
        ({"roles": frozenset({Role.PLATFORM})}, False),
    ],
)
def test_the_form_of_an_api_key(change: dict[str, Any], is_good: object) -> None:
    parts: dict[str, Any] = {
        "name": "crm",
        "roles": frozenset({Role.AGENT}),
        "expires_at_ms": 0,
        "tenant_id": ACME,
        "now_ms": 100,
    }
    try:
        check_api_key(**(parts | change))
    except BadApiKey:
        assert not is_good
    else:
        assert is_good


def test_roles_are_read_from_words() -> None:
    assert read_roles(["agent", "supervisor", "agent"]) == frozenset({Role.AGENT, Role.SUPERVISOR})
    assert read_roles([]) == frozenset()
    assert read_roles(["agent", "king"]) is None


# ---- changes ----

ACCOUNT = Account(USER, "hash")
NO_LONGER = [{"roles": frozenset({Role.AGENT})}, {"active": False}]


def test_only_name_email_roles_and_leave_to_sign_in_are_taken_over() -> None:
    wanted = User(
        "u-9",
        "",
        "Ana B",
        "b@example.com",
        frozenset({Role.ADMINISTRATOR, Role.AGENT}),
        active=True,
        created_at_ms=99,
        last_seen_at_ms=99,
    )
    changed = replaced(ACCOUNT, wanted, 0)
    assert changed.password_hash == "hash"
    assert changed.user == replace(
        USER, display_name="Ana B", email="b@example.com", roles=wanted.roles
    )


@pytest.mark.parametrize("change", NO_LONGER)
def test_the_last_administrator_stays_one(change: dict[str, Any]) -> None:
    wanted = replace(USER, **change)
    with pytest.raises(LastAdministrator):
        replaced(ACCOUNT, wanted, 0)
    assert not replaced(ACCOUNT, wanted, 1).user.ruling


@pytest.mark.parametrize("left", [{Role.ADMINISTRATOR}, {Role.PLATFORM}])
def test_the_last_who_rules_in_two_ways_loses_neither(left: set[Role]) -> None:
    both = replace(ACCOUNT, user=replace(USER, roles=RULING))
    with pytest.raises(LastAdministrator):
        replaced(both, replace(USER, roles=frozenset(left)), 0)
    assert replaced(both, replace(USER, roles=frozenset(left)), 1).user.ruling == left


def test_the_role_platform_is_the_business_of_who_has_it() -> None:
    check_rank(frozenset({"platform"}), RULING)
    with pytest.raises(PlatformOnly):
        check_rank(frozenset({"administrator"}), RULING)
    check_rank(frozenset(), frozenset({Role.ADMINISTRATOR}))


@pytest.mark.parametrize("change", NO_LONGER)
def test_who_is_none_may_go_on_being_none(change: dict[str, Any]) -> None:
    agent = replace(ACCOUNT, user=replace(USER, **change))
    assert replaced(agent, agent.user, 0) == agent


def test_a_username_stays() -> None:
    with pytest.raises(BadUser):
        replaced(ACCOUNT, replace(USER, username="another"), 1)


def test_secrets_are_not_shown_where_people_are_logged() -> None:
    token = Token(b"secret", TokenKind.ACCESS, "s-1", 1)
    told = repr((ACCOUNT, token, Answer("hash", 1, 200, "", b"secret")))
    assert "secret" not in told
    assert "'hash'" not in repr(ACCOUNT)


def test_every_error_has_a_code_of_its_own() -> None:
    named = [each for each in vars(errors).values() if isinstance(each, type)]
    codes = [each.code for each in named if issubclass(each, CarillonError)]
    assert len(set(codes)) == len(codes) > 20
