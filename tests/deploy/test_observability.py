"""Dashboards and alerts ask only for what is shown, and alerts fire when they should."""

from __future__ import annotations

import re

import pytest

from deploy.observability.dashboards import FOLDER, written
from tests.deploy.made_up import SICK, WELL
from tests.deploy.observability import alerts, unknown
from tests.deploy.queries import Series, firing
from tests.house.tree import ROOT

DOCS = ROOT / "docs"
ROW = re.compile(r"\| `(carillon_[a-z_]+)` \| ([a-z, ]*) ?\|")
ALERTS = {alert.name: alert for alert in alerts()}


def described() -> dict[str, frozenset[str]]:
    """Metrics and their labels, as docs/operations.md has them; another test keeps it true."""
    rows = ROW.findall((DOCS / "operations.md").read_text())
    return {name: frozenset(filter(None, map(str.strip, to.split(",")))) for name, to in rows}


def test_dashboards_are_what_their_description_makes_of_them() -> None:
    there = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    assert there == written(), "run `python -m deploy.observability.dashboards`"


def test_every_query_asks_for_what_is_described() -> None:
    assert unknown(described()) == []


def test_every_alert_has_a_runbook_and_no_runbook_is_of_none() -> None:
    headings = re.findall(r"^## (\w+)$", (DOCS / "runbooks.md").read_text(), re.MULTILINE)
    assert headings == [alert.name for alert in alerts()]


def test_every_alert_says_how_urgent_it_is_and_what_happens() -> None:
    for alert in alerts():
        assert alert.severity in {"page", "ticket"}, alert.name
        assert alert.annotations["summary"].endswith((".", ").", "it.")), alert.name


def test_every_alert_is_tried() -> None:
    assert SICK.keys() == ALERTS.keys()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_fires_on_what_it_is_for(name: str) -> None:
    alert = ALERTS[name]
    assert firing(alert.query, alert.for_s, SICK[name]) is not None


@pytest.mark.parametrize("name", ALERTS)
def test_no_alert_fires_while_all_is_well(name: str) -> None:
    alert = ALERTS[name]
    assert firing(alert.query, alert.for_s, WELL) is None


def test_an_alert_fires_when_no_gateway_is_there_at_all() -> None:
    alert = ALERTS["NoGatewayTakesCalls"]
    other = Series("carillon_acd_shards", {}, (1.0,) * 20)
    assert firing(alert.query, alert.for_s, (other,)) is not None


def test_an_alert_waits_for_as_long_as_it_says() -> None:
    alert = ALERTS["CallsWithoutInterpreter"]
    for points, fires in ((2, False), (3, True)):
        blip = (0.0,) * 5 + (1.0,) * points + (0.0,) * 5
        series = (Series("carillon_gateway_calls_detached", {}, blip),)
        assert (firing(alert.query, alert.for_s, series) is not None) == fires


def test_a_counter_that_began_again_has_not_shrunk() -> None:
    values = (5.0, 6.0, 0.0, 1.0) + (1.0,) * 10
    series = (Series("carillon_portal_audit_lost_total", {}, values),)
    assert firing("increase(carillon_portal_audit_lost_total[10m]) == 2", 0, series) is not None
