"""A size as values of the Helm chart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, Final

from services.launcher.sizing.core import POOL
from services.launcher.sizing.model import BadDemand, Size

LAST_PORT: Final = 65_535
NODE_PORTS: Final = (30_000, 32_767)
"""Kubernetes' own (NodePort)."""
LOW, HIGH = 20_000, 32_768
"""Where the ports for audio begin: below the nodes' own where they fit, else above."""
PORTS_PER_CALL: Final = 5
"""Two legs of two ports each, and a quarter more for agents who are rung."""
LEAST_SPOOL_GIB: Final = 10


def values(size: Size) -> dict[str, Any]:
    """For one of the cells; BadDemand when a node has not enough ports."""
    cell, demand = size.cell, size.cell.demand
    ports = _round_up(cell.calls_per_process * PORTS_PER_CALL, 100)
    slots = min(demand.cores, cell.processes)
    first = LOW if LOW + slots * ports <= NODE_PORTS[0] else HIGH
    if first + slots * ports - 1 > LAST_PORT:
        most = (LAST_PORT + 1 - HIGH) // ports
        raise BadDemand(
            f"cores: {slots} gateways of {cell.calls_per_process} calls on one node need more ports"
            f" than it has; at most {most} fit"
        )
    return {
        "database": {"poolSize": POOL},
        "services": {
            name: {
                "replicas": service.replicas,
                "resources": {"requests": {"cpu": _millicores(service.cores / service.replicas)}},
            }
            for name, service in cell.services.items()
        },
        "gateway": {
            "network": "host",
            "replicas": cell.nodes,
            "processesPerNode": slots,
            "maxCalls": cell.calls_per_process,
            "media": {"portFirst": first, "portsPerProcess": ports},
            "resources": {
                "requests": {"cpu": "1", "memory": f"{_round_up(cell.gateway_mib, 64)}Mi"},
                "limits": {"memory": f"{_round_up(3 * cell.gateway_mib, 64)}Mi"},
            },
            "spool": {"size": f"{max(LEAST_SPOOL_GIB, ceil(2 * cell.spool_gib))}Gi"},
        },
        "edge": {"enabled": True, "replicas": cell.edges},
    }


def in_yaml(size: Size, command: str) -> str:
    """For a file; `command` is what it was made by."""
    lines = [
        f"# {command}",
        f"# For one of {size.cells} installations." if size.cells > 1 else "# One installation.",
        "# Docs: capacity.md. Give it beside your own values: helm install … -f this -f mine.yaml",
        *_block(values(size), 0),
    ]
    return "\n".join(lines) + "\n"


def _block(mapping: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield f"{'  ' * depth}{key}:"
            yield from _block(value, depth + 1)
        else:
            # JSON's scalars are YAML's.
            yield f"{'  ' * depth}{key}: {json.dumps(value)}"


def _round_up(number: float, step: int) -> int:
    return ceil(number / step) * step


def _millicores(cores: float) -> str:
    """What is asked for: a tenth of a core at least."""
    return f"{max(100, _round_up(1_000 * cores, 50))}m"
