"""The demo tenant, put there by the public API as any integrator would."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from services.launcher.api import Api, Problem, Refused

FOLDER = Path(__file__).resolve().parent
DAY_MS = 86_400_000
PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a person needs to try it."""

    tenant: str
    """What to type when signing in."""
    number: str
    """What to dial."""
    passwords: dict[str, str]
    """By username."""

    @property
    def people(self) -> dict[str, str]:
        """What each of them does, by username."""
        return {user["username"]: ", ".join(user["roles"]) for user in story()["users"]}


def story() -> dict[str, Any]:
    """Who and what the demo tenant has."""
    told: dict[str, Any] = json.loads((FOLDER / "seed.json").read_text())
    return told


async def seed(
    address: str,
    *,
    bootstrap: Path,
    keep: Path,
    tell: Callable[[str], None],
    authority: Path | None = None,
) -> Seeded:
    """Makes the demo tenant, or finds it made; safe to repeat. Refused.

    `authority` vouches for the address. `bootstrap` is where portal wrote the platform
    administrator's password, `keep` is a file that only this user can read, where the demo users'
    passwords stay.
    """
    told = story()
    passwords = _passwords(keep, [user["username"] for user in told["users"]])
    async with Api(address, authority=authority) as platform:
        root = _read(bootstrap)
        await platform.sign_in(root["tenant"], root["username"], root["password"])
        administrator = _administrator(told)
        made = await platform.try_post(
            "/v1/tenants",
            {
                "tenant": told["tenant"],
                "admin_username": administrator["username"],
                "admin_password": passwords[administrator["username"]],
            },
        )
        if isinstance(made, Problem) and made.code != "tenant-exists":
            raise Refused(f"POST /v1/tenants: {made.status} {made.code}: {made.detail}")
        tell("tenant demo" if not isinstance(made, Problem) else "tenant demo (was there)")
    async with Api(address, authority=authority) as api:
        await api.sign_in(
            told["tenant"]["name"],
            administrator["username"],
            passwords[administrator["username"]],
        )
        await _seed_routing(api, told, passwords, tell)
        await _seed_rules(api, told)
        await _seed_customers(api, told)
        tell(f"{len(told['customers'])} customers with {len(told['contacts'])} past contacts")
        await _seed_flow(api, told)
        tell(f"{told['number']} → flow main-menu")
    return Seeded(told["tenant"]["name"], told["number"], passwords)


async def _seed_routing(
    api: Api, told: dict[str, Any], passwords: dict[str, str], tell: Callable[[str], None]
) -> None:
    for queue in told["queues"]:
        await api.put(f"/v1/queues/{queue['queue_id']}", queue)
    tell("queues " + ", ".join(queue["queue_id"] for queue in told["queues"]))
    there = {user["username"]: user for user in (await api.get("/v1/users"))["users"]}
    for user in told["users"]:
        known = there.get(user["username"]) or await api.post(
            "/v1/users",
            {
                "user": {key: user[key] for key in ("username", "display_name", "roles")},
                "password": passwords[user["username"]],
            },
        )
        if "agent" in user["roles"]:
            await _seed_agent(api, known["user_id"], user)
    tell("users " + ", ".join(f"{u['username']} ({u['roles'][0]})" for u in told["users"]))


async def _seed_agent(api: Api, agent_id: str, user: dict[str, Any]) -> None:
    await api.put(
        f"/v1/agents/{agent_id}",
        {
            "agent_id": agent_id,
            "name": user["display_name"],
            "endpoint": "webrtc:",
            "skills": [{"name": n, "level": level} for n, level in user["skills"].items()],
            "queues": [{"queue_id": queue} for queue in user["queues"]],
        },
    )


async def _seed_rules(api: Api, told: dict[str, Any]) -> None:
    for disposition in told["dispositions"]:
        await api.put(f"/v1/dispositions/{disposition['code']}", disposition | {"active": True})
    for threshold in told["thresholds"]:
        await api.put(f"/v1/thresholds/{threshold['threshold_id']}", threshold | {"active": True})


async def _seed_customers(api: Api, told: dict[str, Any]) -> None:
    for customer in told["customers"]:
        await api.put(f"/v1/customers/{customer['customer_id']}", customer)
    now_ms = time.time_ns() // 1_000_000
    for past in told["contacts"]:
        began_ms = now_ms - past["days_ago"] * DAY_MS
        contact = {key: value for key, value in past.items() if key != "days_ago"}
        contact |= {
            "channel": "voice",
            "direction": "inbound",
            "to": told["number"],
            "started_at_ms": began_ms,
            "ended_at_ms": began_ms + past["wait_ms"] + past["talk_ms"],
        }
        await api.put(f"/v1/contacts/{past['contact_id']}", contact)


async def _seed_flow(api: Api, told: dict[str, Any]) -> None:
    definition = (FOLDER / "main-menu.json").read_text()
    await api.post("/v1/flows/main-menu/versions", {"definition_json": definition})
    await api.post("/v1/flows/main-menu:publish", {})
    number = quote(told["number"], safe="")
    await api.put(f"/v1/numbers/{number}", {"number": told["number"], "flow_id": "main-menu"})


def _administrator(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(user for user in told["users"] if "administrator" in user["roles"])
    return found


def _read(path: Path) -> dict[str, str]:
    said: dict[str, str] = json.loads(path.read_text())
    return said


def _passwords(keep: Path, usernames: list[str]) -> dict[str, str]:
    """The users' passwords: those kept, or new ones."""
    try:
        kept = _read(keep)
    except (OSError, ValueError):
        kept = {}
    passwords = {
        name: kept.get(name) or secrets.token_urlsafe(PASSWORD_BYTES) for name in usernames
    }
    temporary = keep.with_suffix(".new")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(passwords))
    temporary.replace(keep)
    return passwords
