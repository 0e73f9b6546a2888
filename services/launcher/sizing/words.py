"""A size as a table, and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TypeAlias

from services.launcher.sizing.model import Figures, Size

Row: TypeAlias = tuple[str, str, str]


def in_words(size: Size, figures: Figures) -> str:
    """For a terminal."""
    cell, demand = size.cell, size.cell.demand
    slots = min(demand.cores, cell.processes)
    growth = f"{cell.rows_gib_per_day:.1f} GiB a day for {demand.days} days"
    load = f"{figures.load:.0%}"
    rows: list[Row] = [
        ("Calls", f"{demand.calls:,}", f"{demand.talking:,} talking, {demand.calls_per_s:.1f}/s"),
        ("Agents", f"{demand.agents:,}", f"{demand.browsers:.0%} in browsers"),
        ("", "", ""),
        (
            "Gateway nodes",
            f"{cell.nodes}",
            f"{slots} processes each, a core for each; {demand.spare} may be away",
        ),
        (
            "  calls of a process",
            f"{cell.calls_per_process}",
            f"{cell.processes} processes at {load} of a core; {cell.gateway_mib:.0f} MiB",
        ),
        ("  through a node", f"{cell.node_mbit_per_s:.0f} Mbit/s", "each way, spare nodes away"),
        ("  spool of a process", f"{cell.spool_gib:.1f} GiB", "for an hour without storage"),
        ("Edges", f"{cell.edges}", f"trunks: {cell.trunk_mbit_per_s:.0f} Mbit/s each way"),
        *(
            (
                name,
                f"{service.replicas}",
                f"{service.cores:.2f} cores busy, {figures.service_mib:.0f} MiB each",
            )
            for name, service in cell.services.items()
        ),
        ("", "", ""),
        (
            "PostgreSQL",
            f"{cell.rows_gib:,.0f} GiB",
            f"{growth}; {cell.commits_per_s:,.0f} commits/s; {cell.connections} connections",
        ),
        (
            "Kafka",
            f"{cell.broker_gib:,.0f} GiB",
            f"{cell.events_per_s:,.0f} events/s; three copies for a week",
        ),
        (
            "S3",
            f"{cell.recordings_tib:,.2f} TiB",
            f"after {demand.days} days; {cell.segments_per_s:,.0f} objects written a second",
        ),
    ]
    installations = "One installation" if size.cells == 1 else f"{size.cells} installations, each:"
    notes = [f"! {note}" for note in cell.notes]
    return "\n".join([installations, *_columns(rows), *notes]) + "\n"


def in_json(size: Size) -> str:
    """For programs."""
    return json.dumps(asdict(size), indent=2) + "\n"


def _columns(rows: Sequence[Row]) -> list[str]:
    first = max(len(row[0]) for row in rows)
    second = max(len(row[1]) for row in rows)
    return [f"{a:<{first}}  {b:>{second}}  {c}".rstrip() for a, b, c in rows]
