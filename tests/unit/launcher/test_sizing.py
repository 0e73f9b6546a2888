"""From calls and agents to pods: sums that can be done by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from services.__main__ import app
from services.launcher.sizing.command import share
from services.launcher.sizing.core import size
from services.launcher.sizing.model import BadDemand, Demand, Figures
from services.launcher.sizing.values import in_yaml, values

ROUND = Figures(
    load=0.5,
    gateway_call_ms=10.0,
    gateway_phone_ms=2.0,
    gateway_browser_ms=4.0,
    gateway_waiting_ms=1.0,
    recorded_factor=1.5,
    service_call_ms={
        "acd": 10.0,
        "ivr": 20.0,
        "recording": 0.0,
        "crm": 0.0,
        "analytics": 100.0,
        "portal": 0.0,
    },
    agent_second_ms={"portal": 1.0},
    recording_minute_ms=60.0,
    tenant_calls_per_s=20.0,
    pages=500,
    members=8,
    gateway_mib=100.0,
    gateway_call_kib=1_024.0,
    service_mib=100.0,
    events=10.0,
    event_bytes=1_000,
    row_bytes=10_000,
    commits=5.0,
    recorded_bytes_per_s=10_000,
    segments_per_s=2.0,
    voice_bits_per_s=100_000,
    browser_bits_per_s=100_000,
    cell_calls=10_000,
    cell_agents=10_000,
)
"""Numbers that a reader can multiply."""
THOUSAND = Demand(calls=1_000, agents=900, waiting=0.2, minutes=1_000 / 600, cores=4)
"""800 talk, 200 wait, ten begin in a second."""


def test_gateways_carry_talk_music_and_what_begins() -> None:
    cell = size(THOUSAND, ROUND).cell
    # 800 at 4 ms and half more for recording, 200 at 1 ms, 10 a second at 10 ms.
    assert cell.gateway_cores == pytest.approx(4.8 + 0.2 + 0.1)
    assert cell.processes == 11  # at half a core each
    assert cell.calls_per_process == 91
    assert cell.nodes == 3 + 1
    assert cell.gateway_mib == pytest.approx(191)


def test_what_is_not_recorded_and_phones_are_cheaper() -> None:
    bare = replace(THOUSAND, recorded=0.0, browsers=0.0)
    assert size(bare, ROUND).cell.gateway_cores == pytest.approx(1.6 + 0.2 + 0.1)
    half = replace(bare, browsers=0.5)
    assert size(half, ROUND).cell.gateway_cores == pytest.approx(2.4 + 0.2 + 0.1)
    assert size(bare, ROUND).cell.recordings_tib == 0


def test_a_faster_core_carries_more() -> None:
    slow, fast = (size(replace(THOUSAND, speed=speed), ROUND).cell for speed in (1.0, 2.0))
    assert fast.gateway_cores == pytest.approx(slow.gateway_cores / 2)
    assert fast.services["ivr"].cores == pytest.approx(slow.services["ivr"].cores / 2)


def test_services_have_a_spare_replica() -> None:
    services = size(THOUSAND, ROUND).cell.services
    assert services["acd"].cores == pytest.approx(0.1)
    assert services["acd"].replicas == 2
    assert services["recording"].cores == pytest.approx(0.8)  # 800 recorded, a second in a minute
    assert services["recording"].replicas == 3
    assert services["portal"].cores == pytest.approx(0.9)
    assert services["portal"].replicas == 3
    unsafe = size(replace(THOUSAND, spare=0), ROUND).cell
    assert unsafe.services["acd"].replicas == 1
    assert any("Nothing is spare" in note for note in unsafe.notes)


def test_portal_has_a_process_for_so_many_pages() -> None:
    cell = size(replace(THOUSAND, agents=5_000), replace(ROUND, agent_second_ms={})).cell
    assert cell.services["portal"].replicas == 10 + 1


def test_more_processes_than_partitions_are_of_no_use() -> None:
    busy = size(replace(THOUSAND, minutes=0.2), ROUND).cell
    assert busy.services["analytics"].cores > ROUND.members * ROUND.load
    assert busy.services["analytics"].replicas == ROUND.members
    assert any(note.startswith("analytics would need more") for note in busy.notes)


def test_one_process_decides_for_a_tenant() -> None:
    assert not size(THOUSAND, ROUND).cell.notes
    [note] = size(replace(THOUSAND, minutes=1_000 / 60 / 30), ROUND).cell.notes[:1]
    assert "30 calls a second" in note
    assert "carries 20" in note
    spread = replace(THOUSAND, minutes=1_000 / 60 / 30, largest=0.5)
    assert not any("largest" in note for note in size(spread, ROUND).cell.notes)


def test_disks_grow_by_what_a_day_brings() -> None:
    cell = size(replace(THOUSAND, hours=10, days=100), ROUND).cell
    assert cell.rows_gib_per_day == pytest.approx(10 * 36_000 * 10_000 / 1024**3)
    assert cell.rows_gib == pytest.approx(100 * cell.rows_gib_per_day)
    assert cell.recordings_tib == pytest.approx(800 * 10_000 * 36_000 * 100 / 1024**4)
    week = 10 * 10 * 10 / 24 * 1_000 * 3 * 168 * 3_600
    assert cell.broker_gib == pytest.approx(week / 1024**3)
    assert cell.segments_per_s == pytest.approx(1_600)
    assert cell.commits_per_s == pytest.approx(50 + 1_600)
    assert cell.spool_gib == pytest.approx(800 * 10_000 / 11 * 3_600 / 1024**3)


def test_bandwidth_is_of_callers_and_agents() -> None:
    cell = size(THOUSAND, ROUND).cell
    assert cell.trunk_mbit_per_s == pytest.approx(100)
    assert cell.node_mbit_per_s == pytest.approx(180 / 3)


def test_nobody_talks_with_nobody() -> None:
    assert replace(THOUSAND, agents=10).talking == 10


def test_beyond_one_installation_tenants_are_spread() -> None:
    many = replace(THOUSAND, calls=50_000, agents=30_000, largest=0.1)
    found = size(many, ROUND)
    assert found.cells == 5
    assert (found.cell.demand.calls, found.cell.demand.agents) == (10_000, 6_000)
    assert found.cell.demand.largest == pytest.approx(0.5)
    with pytest.raises(BadDemand, match=r"5 installations are needed.*at most 20%"):
        size(replace(many, largest=0.3), ROUND)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("calls", 0),
        ("calls", 1_000_001),
        ("agents", 0),
        ("recorded", 1.1),
        ("waiting", -0.1),
        ("minutes", 0),
        ("minutes", math.nan),
        ("hours", 25),
        ("days", -1),
        ("largest", 0),
        ("spare", 11),
        ("cores", 65),
        ("speed", math.inf),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, given: float) -> None:
    with pytest.raises(BadDemand, match=f"^{name}: "):
        replace(THOUSAND, **{name: given})  # type: ignore[arg-type]  # what is given is wrong


@pytest.mark.parametrize("said", ["100", "0.5", "many%", "-1%", "", "1e2%"])
def test_a_share_has_its_sign(said: str) -> None:
    with pytest.raises(BadDemand, match=r"recorded: .* write it as 60%"):
        share("recorded", said)


def test_ports_lie_beside_the_nodes_own() -> None:
    low = values(size(THOUSAND, ROUND))["gateway"]["media"]
    assert low == {"portFirst": 20_000, "portsPerProcess": 500}
    many = replace(THOUSAND, calls=10_000, agents=9_000, cores=48)
    high = values(size(many, ROUND))["gateway"]["media"]
    assert high["portFirst"] == 32_768
    cheap = replace(ROUND, gateway_browser_ms=0.4, gateway_waiting_ms=0.1)
    dense = size(many, cheap)
    with pytest.raises(BadDemand, match=r"cores: \d+ gateways of .* at most \d+ fit"):
        values(dense)


def test_the_command_is_in_the_values() -> None:
    text = in_yaml(size(THOUSAND, ROUND), "carillon size …")
    assert text.startswith("# carillon size …\n# One installation.\n")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["size", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_it_is_told_as_a_table() -> None:
    status, told, _ = run("--calls", "2000", "--agents", "1500", "--recorded", "100%")
    assert status == 0
    assert told.startswith("One installation\n")
    for word in ("Gateway nodes", "PostgreSQL", "Kafka", "S3", "1,500 talking"):
        assert word in told


def test_it_is_told_to_programs() -> None:
    status, told, _ = run("--calls", "50000", "--agents", "50000", "--largest", "3%", "--json")
    assert status == 0
    assert json.loads(told)["cells"] == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--calls", "0", "--agents", "1"), "bad-demand: calls: 0 is not between"),
        (("--calls", "1", "--agents", "1", "--recorded", "1"), "bad-demand: recorded: '1' is no"),
        (("--calls", "1", "--agents", "1", "--values", "--json"), "bad-demand: values: --values"),
    ],
)
def test_bad_input_is_refused_in_words(arguments: tuple[str, ...], said: str) -> None:
    status, _, complaint = run(*arguments)
    assert status == 1
    assert complaint.startswith(said)
