"""The first administrator, and people put together."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import pytest

from protos.portal.v1 import portal_pb2, portal_pb2_grpc
from services.chassis.bus import MemoryBus
from services.chassis.ids import RANDOM_BITS, uuid7
from services.chassis.settings import load
from services.chassis.simulated import SimulatedWorld, simulate
from services.portal import people
from services.portal.bootstrap import FILE, Bootstrap, read_first_administrator
from services.portal.core.lockout import WINDOW_MS
from services.portal.identity import caller_metadata
from services.portal.model.people import PLATFORM_TENANT, Account, Role, Tenant, User
from services.portal.model.sessions import Tally
from services.portal.people import build_people, sweep_for_ever
from services.portal.settings import PortalSettings
from services.portal.store import PeopleStore
from services.portal.store_memory import MemoryPortalStore
from services.portal.wire_people import Envelopes
from tests.unit.portal_people.stage import CountedPasswords, FlakyStore, HandClock

_dice = random.Random(7)


def bootstrap(
    store: PeopleStore,
    path: Path,
    password: str = "",
    passwords: CountedPasswords | None = None,
) -> Bootstrap:
    clock = HandClock()

    def new_id() -> str:
        return uuid7(clock.now_ms(), _dice.getrandbits(RANDOM_BITS))

    return Bootstrap(
        store=store,
        passwords=passwords or CountedPasswords(),
        envelopes=Envelopes(new_id=new_id),
        clock=clock,
        new_id=new_id,
        random_bits=_dice.getrandbits,
        path=path,
        password=password,
    )


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def is_password(store: PeopleStore, password: str) -> bool:
    account = await store.account_named(PLATFORM_TENANT, "root")
    assert account is not None
    assert account.user.roles == frozenset({Role.ADMINISTRATOR, Role.PLATFORM})
    return await CountedPasswords().verify(account.password_hash, password)


async def test_the_first_administrator_is_made_once(tmp_path: Path) -> None:
    store, path = MemoryPortalStore(), tmp_path / FILE
    await bootstrap(store, path).run()
    known = read_first_administrator(path)
    assert known is not None
    assert (known.tenant, known.username, len(known.password)) == ("platform", "root", 43)
    assert known.password not in repr(known)
    assert path.stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == [FILE]
    assert await is_password(store, known.password)
    await bootstrap(store, path).run()
    assert read_first_administrator(path) == known
    assert await is_password(store, known.password)


async def test_a_password_is_not_lost_by_a_crash_before_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, path = FlakyStore(MemoryBus()), tmp_path / FILE
    passwords = CountedPasswords()
    hashing = passwords.hash

    async def crash(password: str) -> str:
        await hashing(password)
        raise RuntimeError("killed")

    monkeypatch.setattr(passwords, "hash", crash)
    with pytest.raises(RuntimeError):
        await bootstrap(store, path, passwords=passwords).run()
    written = read_first_administrator(path)
    assert written is not None
    await bootstrap(store, path).run()
    assert read_first_administrator(path) == written
    assert await is_password(store, written.password)


async def test_a_given_password_is_written_nowhere(tmp_path: Path) -> None:
    store = MemoryPortalStore()
    await bootstrap(store, tmp_path / FILE, "given by the operator").run()
    assert await is_password(store, "given by the operator")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("given", ["short", "x" * 300, "administrator"])
def test_a_given_password_that_lets_anybody_in_or_nobody_is_refused_at_the_start(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARILLON_PORTAL_BOOTSTRAP_PASSWORD", given)
    with pytest.raises(SystemExit):
        load(PortalSettings)
    told = capsys.readouterr().err
    assert "CARILLON_PORTAL_BOOTSTRAP_PASSWORD" in told
    assert given not in told.replace("CARILLON_PORTAL_BOOTSTRAP_PASSWORD", "")


@pytest.mark.parametrize("given", ["", "given by the operator"])
def test_a_given_password_may_be_a_good_one_or_none(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_PORTAL_BOOTSTRAP_PASSWORD", given)
    password = load(PortalSettings).bootstrap_password
    assert (password.get_secret_value() if password else "") == given


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"tenant": 1}'])
def test_a_file_that_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    assert read_first_administrator(path) is None
    path.write_text(text)
    assert read_first_administrator(path) is None


class LateStore(MemoryPortalStore):
    """Another replica makes the platform's tenant at the same moment."""

    is_made = False

    async def tenant_named(self, name: str) -> Tenant | None:
        found = await super().tenant_named(name)
        if found is None and not self.is_made:
            self.is_made = True
            tenant = Tenant(PLATFORM_TENANT, "platform", "Platform", "UTC", "", 1)
            user = User(
                "u",
                "root",
                "root",
                "",
                frozenset({Role.ADMINISTRATOR}),
                active=True,
                created_at_ms=1,
            )
            await super().add_tenant(tenant, Account(user, "theirs"), [])
        return found


@pytest.mark.parametrize("given", ["", "given by the operator"])
async def test_the_replica_that_was_first_has_the_password_that_holds(
    tmp_path: Path, given: str
) -> None:
    await bootstrap(LateStore(), tmp_path / FILE, given).run()
    assert names_in(tmp_path) == []


# ---- put together ----


def test_people_live_in_a_simulated_world(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> str:
        made = build_people(world, load(PortalSettings))
        await made.start()
        world.exchange.serve("portal", made.faces())
        portal = portal_pb2_grpc.PortalStub(world.dial("portal"))
        known = read_first_administrator(world.var_dir / FILE)
        assert known is not None
        request = portal_pb2.SignInRequest(
            tenant=known.tenant, username=known.username, password=known.password
        )
        session = await portal.SignIn(request)
        principal = await made.identity.authenticate(session.access_token)
        # Hours later, swept several times, the session goes on.
        await asyncio.sleep(3_600)
        refresh = portal_pb2.RefreshSessionRequest(refresh_token=session.refresh_token)
        assert (await portal.RefreshSession(refresh)).me == session.me
        metadata = caller_metadata(principal=principal, address="")
        await portal.ListTenants(portal_pb2.ListTenantsRequest(), metadata=metadata)
        await made.stop()
        listed = await portal.ListAudit(portal_pb2.ListAuditRequest(), metadata=metadata)
        return json.dumps([each.action for each in listed.entries])

    assert simulate(story, seed=7, folder=tmp_path) == '["sign-in"]'


def test_a_database_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> bool:
        store = FlakyStore(MemoryBus())
        parts = build_people(world, load(PortalSettings))
        made = people.People(
            parts=parts._parts,
            trail=parts.trail,
            bootstrap=bootstrap(store, world.var_dir / FILE),
            publisher=None,
        )
        store.is_away = True
        await made.start()
        await asyncio.sleep(3)
        store.is_away = False
        await asyncio.sleep(3)
        await made.stop()
        return await store.tenant_named(PLATFORM_TENANT) is not None

    assert simulate(story, seed=7, folder=tmp_path)


def test_what_has_run_out_is_swept_each_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: SimulatedWorld) -> list[dict[str, Tally]]:
        store = FlakyStore(MemoryBus())
        tally = Tally((world.clock.now_ms(),))
        await store.change_tally("k", lambda _: tally)
        sweeping = asyncio.ensure_future(sweep_for_ever(store, world.clock))
        store.is_away = True
        await asyncio.sleep(90)
        store.is_away = False
        sweep = store.sweep

        async def fail(_now_ms: int) -> int:
            raise ValueError("a mistake")

        monkeypatch.setattr(store, "sweep", fail)
        await asyncio.sleep(90)
        monkeypatch.setattr(store, "sweep", sweep)
        seen = []
        for wait_s in (60.0, WINDOW_MS / 1_000):
            await asyncio.sleep(wait_s)
            seen.append(await store.tallies(["k"]))
        sweeping.cancel()
        await asyncio.wait((sweeping,))
        return seen

    before, after = simulate(story, seed=7, folder=tmp_path)
    assert list(before) == ["k"]
    assert after == {}
