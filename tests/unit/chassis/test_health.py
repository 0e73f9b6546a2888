"""What a process tells kubelets and load balancers by HTTP, beside its metrics."""

from __future__ import annotations

import asyncio
import threading

import httpx

from services.chassis.health import Health, State
from services.chassis.metrics import Metrics

HOST = "127.0.0.1"


async def asked(port: int, path: str) -> tuple[int, str]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{HOST}:{port}{path}")
    return answer.status_code, answer.text


async def test_a_process_tells_what_it_does() -> None:
    busy = False
    health = Health(lambda: busy)
    port = Metrics().serve(host=HOST, port=0, health=health)
    assert await asked(port, "/readyz") == (503, "starting\n")
    assert await asked(port, "/healthz") == (200, "ok\n"), "it need not be started again"
    health.serves()
    assert await asked(port, "/readyz") == (200, "ok\n")
    busy = True
    assert await asked(port, "/readyz") == (429, "loaded\n")
    assert await asked(port, "/healthz") == (200, "ok\n")
    health.leaves()
    assert await asked(port, "/readyz") == (503, "leaving\n"), "whether it is loaded or not"
    status, text = await asked(port, "/metrics")
    assert status == 200
    assert "carillon_process_tasks" in text


async def test_metrics_alone_tell_that_the_process_starts() -> None:
    assert Health().state is State.STARTING
    assert await asked(Metrics().serve(host=HOST, port=0), "/readyz") == (503, "starting\n")


def test_a_loop_that_stands_still_is_told() -> None:
    health, go_on = Health(), threading.Event()
    loop = asyncio.new_event_loop()
    health.watch(loop)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert health.answer("/healthz") == ("200 OK", "ok")
    loop.call_soon_threadsafe(go_on.wait)
    assert health.answer("/healthz") == ("503 Service Unavailable", "stuck")
    go_on.set()
    assert health.answer("/healthz") == ("200 OK", "ok")
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert health.answer("/healthz") == ("503 Service Unavailable", "stuck"), "it has ended"
    assert health.answer("/metrics") is None
