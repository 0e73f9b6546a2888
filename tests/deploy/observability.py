"""What is committed to watch Carillon with: dashboards and alerts, and every query in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.deploy.queries import Named, named, parse
from tests.house.tree import ROOT

FILES = ROOT / "deploy" / "helm" / "carillon" / "files"
SCRAPED = {"instance", "job", "namespace", "pod"}
"""Labels that Prometheus adds to everything that it reads."""
OF_HISTOGRAMS = ("_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule."""

    name: str
    query: str
    for_s: int
    severity: str
    annotations: Mapping[str, str]


def alerts() -> list[Alert]:
    """Every rule of every group."""
    read: dict[str, Any] = yaml.safe_load((FILES / "alerts.yaml").read_text())
    return [
        Alert(
            name=rule["alert"],
            query=rule["expr"],
            for_s=60 * int(str(rule.get("for", "0m")).removesuffix("m")),
            severity=rule["labels"]["severity"],
            annotations=rule["annotations"],
        )
        for group in read["groups"]
        for rule in group["rules"]
    ]


def queries() -> Iterator[tuple[str, str]]:
    """Where it is, and the query: of all alerts and all panels."""
    for alert in alerts():
        yield alert.name, alert.query
    for path in sorted((FILES / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                yield f"{path.name}: {panel['title']}", target["expr"]


def unknown(shown: Mapping[str, frozenset[str]]) -> list[str]:
    """What queries ask for that is not among the metrics and labels that are shown."""
    found = []
    for where, query in queries():
        for asked in named(parse(query)):
            labels = _labels(asked, shown)
            if labels is None:
                found.append(f"{where}: there is no {asked.metric}")
            elif not asked.labels <= labels | SCRAPED:
                missing = sorted(asked.labels - labels - SCRAPED)
                found.append(f"{where}: {asked.metric} has no {', '.join(missing)}")
    return found


def _labels(asked: Named, shown: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    if asked.metric in shown:
        return shown[asked.metric]
    for end in OF_HISTOGRAMS:
        whole = asked.metric.removesuffix(end)
        if whole != asked.metric and whole in shown:
            return shown[whole] | {"le"}
    return None
