"""From calls and agents to pods: sums and divisions, nothing else."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Final

from services.launcher.sizing.model import BadDemand, Cell, Demand, Figures, Service, Size

SERVICES: Final = ("acd", "ivr", "recording", "crm", "analytics", "portal")
BY_TOPIC: Final = ("analytics", "crm")
"""Their work comes from topics: more processes than partitions have nothing to do."""
POOL: Final = 8
"""Connections of one process."""
COPIES: Final = 3
RETAINED_S: Final = 168 * 3_600
OUTAGE_S: Final = 3_600
CALLS_PER_EDGE: Final = 5_000
MAX_EDGES: Final = 16
MIB: Final = 1024**2
GIB: Final = 1024**3
TIB: Final = 1024**4


def size(demand: Demand, figures: Figures) -> Size:
    """So many installations, and what each needs; BadDemand for what none could carry."""
    cells = max(ceil(demand.calls / figures.cell_calls), ceil(demand.agents / figures.cell_agents))
    largest = demand.largest * cells
    if cells > 1 and largest > 1:
        raise BadDemand(
            f"largest: {cells} installations are needed, and a tenant lives in one. Say how large"
            f" the largest is: at most {100 / cells:.0f}% of all calls"
        )
    one = replace(
        demand,
        calls=ceil(demand.calls / cells),
        agents=ceil(demand.agents / cells),
        largest=min(1.0, largest),
    )
    return Size(cells, _cell(one, figures))


def _cell(demand: Demand, figures: Figures) -> Cell:
    """One installation."""
    gateway_cores = _gateway_cores(demand, figures)
    processes = max(1, ceil(gateway_cores / figures.load))
    calls = ceil(demand.calls / processes)
    busy_nodes = ceil(processes / demand.cores)
    services = {name: _service(name, demand, figures) for name in SERVICES}
    per_day = demand.calls_per_s * 3_600 * demand.hours
    talks = demand.talking * demand.recorded
    events_per_s = demand.calls_per_s * figures.events
    rows = per_day * figures.row_bytes
    stored = talks * figures.recorded_bytes_per_s
    return Cell(
        demand=demand,
        gateway_cores=gateway_cores,
        processes=processes,
        calls_per_process=calls,
        nodes=busy_nodes + demand.spare,
        services=services,
        edges=min(MAX_EDGES, 1 + max(1, ceil(demand.calls / CALLS_PER_EDGE))),
        node_mbit_per_s=_mbit_per_s(demand, figures) / busy_nodes,
        trunk_mbit_per_s=demand.calls * figures.voice_bits_per_s / 1e6,
        gateway_mib=figures.gateway_mib + calls * figures.gateway_call_kib / 1024,
        spool_gib=stored / processes * OUTAGE_S / GIB,
        connections=sum(service.replicas for service in services.values()) * POOL,
        commits_per_s=demand.calls_per_s * figures.commits + talks * figures.segments_per_s,
        rows_gib_per_day=rows / GIB,
        rows_gib=rows * demand.days / GIB,
        events_per_s=events_per_s,
        broker_gib=events_per_s * _mean(demand) * figures.event_bytes * COPIES * RETAINED_S / GIB,
        segments_per_s=talks * figures.segments_per_s,
        recordings_tib=stored * 3_600 * demand.hours * demand.days / TIB,
        notes=tuple(_notes(demand, figures, services)),
    )


def _mean(demand: Demand) -> float:
    """The whole day's mean load, as a share of the busiest minutes'."""
    return demand.hours / 24


def _gateway_cores(demand: Demand, figures: Figures) -> float:
    talk_ms = (
        demand.browsers * figures.gateway_browser_ms
        + (1 - demand.browsers) * figures.gateway_phone_ms
    ) * (1 + demand.recorded * (figures.recorded_factor - 1))
    busy_ms = (
        demand.talking * talk_ms
        + (demand.calls - demand.talking) * figures.gateway_waiting_ms
        + demand.calls_per_s * figures.gateway_call_ms
    )
    return busy_ms / 1_000 / demand.speed


def _service(name: str, demand: Demand, figures: Figures) -> Service:
    busy_ms = demand.calls_per_s * figures.service_call_ms[
        name
    ] + demand.agents * figures.agent_second_ms.get(name, 0.0)
    least = 1
    if name == "recording":
        busy_ms += demand.talking * demand.recorded * figures.recording_minute_ms / 60
    if name == "portal":
        least = ceil(demand.agents / figures.pages)
    cores = busy_ms / 1_000 / demand.speed
    replicas = max(least, ceil(cores / figures.load)) + demand.spare
    if name in BY_TOPIC:
        replicas = min(replicas, figures.members)
    return Service(cores, replicas)


def _mbit_per_s(demand: Demand, figures: Figures) -> float:
    """Through all gateways, one way: what they send is what they receive."""
    callers = demand.calls * figures.voice_bits_per_s
    agents = demand.talking * (
        demand.browsers * figures.browser_bits_per_s
        + (1 - demand.browsers) * figures.voice_bits_per_s
    )
    return (callers + agents) / 1e6


def _notes(demand: Demand, figures: Figures, services: dict[str, Service]) -> list[str]:
    notes = []
    largest = demand.calls_per_s * demand.largest
    limit = figures.tenant_calls_per_s * demand.speed
    if largest > limit:
        notes.append(
            f"The largest tenant has {largest:.0f} calls a second, and the one process that decides"
            f" for a tenant carries {limit:.0f} at the planned load: make it two tenants."
        )
    notes += [
        f"{name} would need more than the {figures.members} processes that can share a topic:"
        " spread the tenants over more installations."
        for name in BY_TOPIC
        if services[name].cores > figures.members * figures.load
    ]
    if demand.spare == 0:
        notes.append("Nothing is spare: a node or a replica that is away is noticed.")
    return notes
