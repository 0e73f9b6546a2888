"""Grafana's dashboards as code: described here, written to the chart's files.

`python -m deploy.observability.dashboards` writes `deploy/helm/carillon/files/dashboards/*.json`.
A test reads every query and asks whether the code shows such a metric with such labels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.observability.pages import PAGES, Page, Panel

FOLDER = Path(__file__).resolve().parents[1] / "helm" / "carillon" / "files" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${source}"}
COLUMNS = 24
"""Grafana's grid."""
WIDE, HIGH, ROW_HIGH = 8, 8, 1
SCHEMA = 39


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel is on the page."""

    x: int
    """Columns from the left."""
    y: int
    """Lines from the top."""


def dashboard(page: Page) -> dict[str, object]:
    """A page as Grafana reads it."""
    return {
        "uid": f"carillon-{page.name}",
        "title": f"Carillon: {page.title}",
        "description": page.about,
        "tags": ["carillon"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "source",
                    "label": "Source",
                    "type": "datasource",
                    "query": "prometheus",
                    "refresh": 1,
                }
            ]
        },
        "panels": list(_panels(page)),
    }


def _panels(page: Page) -> Iterator[dict[str, object]]:
    number, line = 0, 0
    for title, panels in page.rows.items():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": line, "w": COLUMNS, "h": ROW_HIGH},
        }
        line += ROW_HIGH
        for index, panel in enumerate(panels):
            number += 1
            place = Place(x=index % 3 * WIDE, y=line + index // 3 * HIGH)
            yield _panel(panel, number, place)
        line += -(-len(panels) // 3) * HIGH


def _panel(panel: Panel, number: int, place: Place) -> dict[str, object]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": {"x": place.x, "y": place.y, "w": WIDE, "h": HIGH},
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "custom": {"showPoints": "never"}},
            "overrides": [],
        },
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": list(_targets(panel.queries)),
    }


def _targets(queries: Mapping[str, str]) -> Iterator[dict[str, object]]:
    for index, (legend, query) in enumerate(queries.items()):
        yield {
            "refId": chr(ord("A") + index),
            "datasource": SOURCE,
            "expr": query,
            "legendFormat": legend,
        }


def written() -> dict[str, str]:
    """Every file's name and text."""
    return {
        f"{page.name}.json": json.dumps(dashboard(page), indent=2, ensure_ascii=False) + "\n"
        for page in PAGES
    }


def main() -> None:
    """Writes the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in written().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
