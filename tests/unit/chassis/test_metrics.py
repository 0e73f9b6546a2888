from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2
from structlog.testing import capture_logs

from services.chassis.lifecycle import Running, Telemetry
from services.chassis.metrics import Metrics, MetricsPortTaken, Places, Reading, Spread
from services.chassis.rpc import Face, open_channel
from services.chassis.world import local_world
from tests.unit.chassis.echo import Echo, face


async def scrape(port: int) -> str:
    def read() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text: bytes = answer.read()
        return text.decode()

    return await asyncio.to_thread(read)


async def test_requests_are_counted_by_method_and_status() -> None:
    metrics = Metrics()
    metrics.answered("/carillon.acd.v1.Acd/Accept", "OK", 0.004)
    metrics.answered("/carillon.acd.v1.Acd/Accept", "NOT_FOUND", 0.002)
    metrics.answered("/carillon.acd.v1.Acd/Enqueue", "OK", None)
    text = await scrape(metrics.serve(host="127.0.0.1", port=0))
    labels = 'service="carillon.acd.v1.Acd"'
    assert f'carillon_rpc_requests_total{{method="Accept",{labels},status="OK"}} 1.0' in text
    assert f'carillon_rpc_requests_total{{method="Accept",{labels},status="NOT_FOUND"}} 1.0' in text
    assert f'carillon_rpc_seconds_count{{method="Accept",{labels}}} 2.0' in text
    assert f'carillon_rpc_seconds_count{{method="Enqueue",{labels}}}' not in text


async def test_values_that_are_spread_are_a_histogram() -> None:
    spread = Spread((0.01, 0.1))
    for value in (0.005, 0.01, 0.05, 3.0):
        spread.see(value)
    metrics = Metrics()
    metrics.add(lambda: [spread.reading("carillon_x_seconds", "How long.", (("kind", "sip"),))])
    text = await scrape(metrics.serve(host="127.0.0.1", port=0))
    assert "# TYPE carillon_x_seconds histogram" in text
    for bound, count in (("0.01", 2.0), ("0.1", 3.0), ("+Inf", 4.0)):
        assert f'carillon_x_seconds_bucket{{kind="sip",le="{bound}"}} {count}' in text
    assert 'carillon_x_seconds_count{kind="sip"} 4.0' in text
    assert 'carillon_x_seconds_sum{kind="sip"} 3.065' in text
    assert len(spread) == 4


def test_a_labels_values_are_bounded_whoever_comes() -> None:
    places = Places(2)
    named = [places.of(name) for name in ("a", "b", "c", "a", "d", "b")]
    assert named == ["a", "b", Places.REST, "a", Places.REST, "b"]


async def test_every_process_shows_its_tasks() -> None:
    metrics = Metrics()
    text = await scrape(metrics.serve(host="127.0.0.1", port=0))
    (tasks,) = [line for line in text.splitlines() if line.startswith("carillon_process_tasks ")]
    assert float(tasks.split()[1]) >= 2, "this test and the question"


async def test_a_service_is_read_at_every_scrape_and_on_its_own_loop() -> None:
    metrics = Metrics()
    loop = asyncio.get_running_loop()
    waiting = {"sales": 2, "support": 0}
    loops = []

    def source() -> list[Reading]:
        loops.append(asyncio.get_running_loop())
        return [
            Reading("carillon_acd_contacts_waiting", "Contacts waiting.", n, (("queue", q),))
            for q, n in waiting.items()
        ] + [Reading("carillon_acd_commits_total", "Group commits.", 7, kind="counter")]

    metrics.add(source)
    port = metrics.serve(host="127.0.0.1", port=0)
    assert 'carillon_acd_contacts_waiting{queue="sales"} 2.0' in await scrape(port)
    waiting["sales"] = 5
    text = await scrape(port)
    assert 'carillon_acd_contacts_waiting{queue="sales"} 5.0' in text
    assert "carillon_acd_commits_total 7.0" in text
    assert set(loops) == {loop}


def test_a_service_that_cannot_be_read_hides_no_other() -> None:
    def broken() -> list[Reading]:
        raise ZeroDivisionError

    metrics = Metrics()
    metrics.add(broken)
    metrics.add(lambda: [Reading("carillon_acd_shards", "Shards.", 3)])
    with capture_logs() as lines:
        assert metrics.registry.get_sample_value("carillon_acd_shards") == 3
    assert [line["event"] for line in lines] == ["readings failed"]


async def test_a_port_that_is_taken_is_said() -> None:
    port = Metrics().serve(host="127.0.0.1", port=0)
    with pytest.raises(MetricsPortTaken, match="CARILLON_METRICS_PORT"):
        Metrics().serve(host="127.0.0.1", port=port)


class Service:
    name = "echo"

    def faces(self) -> list[Face]:
        return [face(Echo())]

    async def start(self) -> None: ...
    async def drain(self) -> None: ...
    async def stop(self) -> None: ...

    def readings(self) -> list[Reading]:
        return [Reading("carillon_echo_up", "Whether it is up.", 1)]


async def test_a_running_process_counts_what_its_services_answer(tmp_path: Path) -> None:
    world = local_world(var_dir=tmp_path)
    running = Running([Service()], world, Telemetry(metrics_port=0))
    await running.start()
    channel = open_channel(world.run_dir / "echo.sock")
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    await check(health_pb2.HealthCheckRequest())
    assert running.metrics.registry.get_sample_value(
        "carillon_rpc_requests_total",
        {"service": "grpc.health.v1.Health", "method": "Check", "status": "OK"},
    )
    assert running.metrics.registry.get_sample_value("carillon_echo_up") == 1
    await channel.close()
    await running.stop()
