"""The portal's pages in Chromium: the first load, the floor under load, a reload in mid-call.

A whole installation in one process, as `make up` runs it, with PostgreSQL and the gateway; the
browser, the agents' changes and the caller are in other processes of the same machine.

- First load: a browser that has kept the session and nothing else opens the desk. Bytes are those
  of the files, compressed as served. Usable: a click on "Go ready" would do something. The
  reference is an empty page of the same portal.
- Floor: 500 agents change once a second each, through routing, the journal and the portal's feed.
  The reference is an empty page that the same Chromium draws while they do. Then the page alone:
  the same changes, all 500 a second, out of the browser itself, while the services rest.
- Seen: from sending the API's request that changes an agent to the changed text on the floor. The
  reference is when the feed's message is in the page.
- Reload: from the reload of the desk in mid-call to the caller's tone out of the new connection.

    python -m tests.bench.bench_pages [--parts loads floor reloads] [--json] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.floor_page import HEAR, SEE, Crowd, Frames, frames, replay
from tests.browser import AgentPage, Person
from tests.browser.loading import DESK_LIMIT, Load, load
from tests.e2e.journeys import agent, person
from tests.e2e.whole import NUMBER, Whole
from tests.stage.installation import Installation
from tests.stage.tenants import tenant_of
from tests.stage.watching import Agents, Facts

PARTS = ("loads", "floor", "reloads")
LOADS = 9
RELOADS = 3
CHANGES = 50
"""That are looked for on the floor, one at a time."""
PAUSE_S = 0.05
USABLE_LIMIT_MS = 1_500
FRAMES_WANTED = 50
SEEN_LIMIT_MS = 200
RELOAD_LIMIT_MS = 2_000
CALLER_HZ, AGENT_HZ = 440.0, 660.0
WATCHED = "Person 007"


async def measure_loads(stage: Whole, folder: Path) -> dict[str, Any]:
    """The desk from nothing, again and again."""
    await stage.tenant.agent("ada")
    ada = await person(stage, "ada", folder)
    await AgentPage(ada).open_desk()
    address = f"{ada.address}/desk"
    empty_ms, loads = [], list[Load]()
    for _ in range(LOADS):
        empty_ms.append(await empty_page(ada))
        loads.append(await load(ada.context, address, "Go ready"))
    usable = sorted(each.usable_ms for each in loads)
    one = loads[0]
    return {
        "first_load_bytes": one.first,
        "fetched_afterwards_bytes": one.later,
        "first_load_kb": round(one.first_bytes / 1_000, 1),
        "first_load_over_limit": round(one.first_bytes / DESK_LIMIT, 2),
        "usable_ms_median": round(statistics.median(usable)),
        "usable_ms_worst": round(usable[-1]),
        "usable_over_limit": round(usable[-1] / USABLE_LIMIT_MS, 2),
        "empty_page_ms_median": round(statistics.median(empty_ms), 1),
        "usable_over_empty_page": round(statistics.median(usable) / statistics.median(empty_ms), 1),
    }


async def empty_page(someone: Person) -> float:
    """How long the portal's smallest page takes, in ms."""
    page = await someone.context.new_page()
    try:
        await page.goto(f"{someone.address}/healthz")
        took: float = await page.evaluate(
            "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
        )
        return took
    finally:
        await page.close()


async def measure_floor(
    stage: Whole, folder: Path, *, agents: int, seconds: float
) -> dict[str, Any]:
    """Frames while everybody changes, and how soon one change is seen."""
    crowd = Crowd(stage, agents)
    await crowd.come()
    await stage.tenant.person("sara", "supervisor")
    sara = await person(stage, "sara", folder)
    await sara.page.add_init_script(HEAR)
    await open_floor(sara)
    empty = await sara.context.new_page()
    await empty.goto(f"{sara.address}/healthz")
    async with crowd.changing():
        idle = await frames(empty, seconds / 2)
        await empty.close()
        rate, busy = await watched(sara, seconds)
        seen_busy = await measure_seen(stage, sara, CHANGES // 2)
    seen = await measure_seen(stage, sara, CHANGES)
    await open_floor(sara)
    await replay(sara.page, seconds)
    rate_alone, alone = await watched(sara, seconds - 1)
    return {
        "agents": agents,
        "changes_per_s_told_to_the_page_alone": round(rate_alone),
        "frames_per_s_page_alone": round(alone.per_s, 1),
        "frames_over_wanted_page_alone": round(alone.per_s / FRAMES_WANTED, 2),
        "changes_per_s_in_the_page": round(rate),
        "frames_per_s": round(busy.per_s, 1),
        "frames_per_s_empty_page": round(idle.per_s, 1),
        "frames_over_empty_page": round(busy.per_s / idle.per_s, 2),
        "frames_over_wanted": round(busy.per_s / FRAMES_WANTED, 2),
        "slow_frames_percent": round(busy.slow_share * 100, 1),
        "slow_frames_percent_empty_page": round(idle.slow_share * 100, 1),
        "longest_frame_ms": round(busy.longest_ms),
        **{f"change_{name}": value for name, value in seen.items()},
        **{f"change_while_all_change_{name}": value for name, value in seen_busy.items()},
    }


async def open_floor(someone: Person) -> None:
    await someone.open("/floor")
    await someone.page.locator("#agents [data-place]").first.wait_for()


async def watched(someone: Person, seconds: float) -> tuple[float, Frames]:
    """Changes that reach the page each second, and what it draws meanwhile."""
    heard, started = await changes_heard(someone), time.monotonic()
    drawn = await frames(someone.page, seconds)
    return (await changes_heard(someone) - heard) / (time.monotonic() - started), drawn


async def changes_heard(someone: Person) -> int:
    heard: int = await someone.page.evaluate("window.carillonHeard.agents")
    return heard


async def measure_seen(stage: Whole, someone: Person, count: int) -> dict[str, float]:
    """One agent's changes, from sending the request to the text on the floor; ms."""
    await someone.page.locator("#agents [data-search]").fill(WATCHED)
    path = f"/v1/agents/{WATCHED.replace('Person ', 'crowd-')}:set-presence"
    seen_ms, heard_ms, answered_ms = [], [], []
    for turn in range(count):
        word, presence = ("Break", "break") if turn % 2 == 0 else ("Ready", "ready")
        seeing = asyncio.ensure_future(someone.page.evaluate(SEE, word))
        await asyncio.sleep(PAUSE_S)
        sent = time.time() * 1_000
        await stage.tenant.admin.post(path, {"presence": presence})
        answered_ms.append(time.time() * 1_000 - sent)
        seen, heard = await seeing
        seen_ms.append(seen - sent)
        heard_ms.append(heard - sent)
    p95_ms = statistics.quantiles(seen_ms, n=20)[-1]
    return {
        "answered_ms_median": round(statistics.median(answered_ms)),
        "heard_ms_median": round(statistics.median(heard_ms)),
        "seen_ms_median": round(statistics.median(seen_ms)),
        "seen_ms_p95": round(p95_ms),
        "seen_over_heard": round(statistics.median(seen_ms) / statistics.median(heard_ms), 2),
        "seen_p95_over_limit": round(p95_ms / SEEN_LIMIT_MS, 2),
    }


async def measure_reloads(stage: Whole, folder: Path) -> dict[str, Any]:
    """A desk in mid-call is loaded anew, again and again."""
    desk = await agent(stage, "berta", folder, tone_hz=AGENT_HZ)
    call = await stage.in_queue()
    await desk.accept()
    call.play_tone(CALLER_HZ)
    await desk.person.hears_tone(CALLER_HZ, 8)
    took_ms = []
    for _ in range(RELOADS):
        started = time.monotonic()
        await desk.page.reload(wait_until="commit")
        await desk.person.hears_tone(CALLER_HZ, 10)
        took_ms.append((time.monotonic() - started) * 1_000)
        await call.hears_tone(AGENT_HZ, 8)
    await call.hangup()
    return {
        "reload_to_audio_ms_median": round(statistics.median(took_ms)),
        "reload_to_audio_ms_worst": round(max(took_ms)),
        "reload_over_limit": round(max(took_ms) / RELOAD_LIMIT_MS, 2),
    }


async def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """The parts that were asked for, one after another on one installation."""
    figures: dict[str, Any] = {}
    parts: dict[str, Callable[[Whole, Path], Awaitable[dict[str, Any]]]] = {
        "loads": measure_loads,
        "floor": partial(measure_floor, agents=asked.agents, seconds=asked.seconds),
        "reloads": measure_reloads,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            Installation(var=folder) as carillon,
            tenant_of(carillon, "acme", number=NUMBER) as tenant,
        ):
            for part in asked.parts:
                async with AsyncExitStack() as stack:
                    # Nobody looks on but the browser: what is measured has the machine.
                    stage = Whole(carillon, tenant, Facts(), Agents(), stack)
                    found = await parts[part](stage, folder)
                if not asked.json:
                    tell(found)
                figures |= found
    return figures


def tell(figures: dict[str, Any]) -> None:
    """Writes what a part found, as soon as it is there."""
    for name, value in figures.items():
        sys.stdout.write(f"{name.replace('_', ' '):<46} {value}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--agents", type=int, default=500, choices=range(50, 2_001))
    parser.add_argument("--seconds", type=int, default=20, choices=range(2, 61))
    asked = parser.parse_args()
    figures = asyncio.run(measure(asked))
    if asked.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
