"""Every metric is named by the rule, and described to whoever runs Carillon."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.core import Metric

from media_gateway.edge.main import build as edge
from media_gateway.edge.settings import EdgeSettings
from media_gateway.main import build as gateway
from media_gateway.settings import GatewaySettings
from services.acd.main import build as acd
from services.analytics.main import build as analytics
from services.analytics.settings import AnalyticsSettings
from services.chassis.bus import MemoryBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.metrics import Metrics
from services.chassis.outbox import OutboxPublisher
from services.chassis.settings import ChassisSettings, Settings
from services.chassis.settings_cluster import ClusterSettings
from services.chassis.settings_parts import KafkaSettings, S3Settings
from services.crm.main import build as crm
from services.ivr.main import build as ivr
from services.ivr.settings import IvrSettings
from services.portal.main import build as portal
from services.portal.settings import PortalSettings
from services.recording.main import build as recording
from services.recording.settings import RecordingSettings
from tests.house.tree import ROOT
from tests.unit.telemetry.local import started

BUILDERS = {
    "acd": acd,
    "analytics": analytics,
    "crm": crm,
    "edge": edge,
    "gateway": gateway,
    "ivr": ivr,
    "portal": portal,
    "recording": recording,
}
SETTINGS: tuple[type[Settings], ...] = (
    ChassisSettings,
    ClusterSettings,
    KafkaSettings,
    S3Settings,
    AnalyticsSettings,
    EdgeSettings,
    GatewaySettings,
    IvrSettings,
    PortalSettings,
    RecordingSettings,
)
OUTBOXES = ("crm", "portal", "recording")
NAME = re.compile(r"carillon_[a-z]+(_[a-z]+)+")
ROW = re.compile(r"\| `(carillon_[a-z_]+)`")
OPERATIONS = ROOT / "docs" / "operations.md"
EVERY_PROCESS = {
    "carillon_rpc_requests_total",
    "carillon_rpc_seconds",
    "carillon_process_tasks",
    "carillon_process_delay_seconds",
    "carillon_process_clock_seconds",
}
WITH_A_DATABASE = {"carillon_database_connections", "carillon_database_connections_limit"}
ON_KAFKA = {
    "carillon_bus_away",
    "carillon_bus_lag_events",
    "carillon_bus_publish_failures_total",
    "carillon_bus_published_total",
    "carillon_bus_rebalances_total",
}
ON_S3 = {
    "carillon_storage_cache_bytes",
    "carillon_storage_cache_reads_total",
    "carillon_storage_failures_total",
    "carillon_storage_retries_total",
    "carillon_storage_seconds",
    "carillon_storage_waiting",
}
FROM_THE_FIRST_ON = {
    "carillon_acd_queue_contacts_total",
    "carillon_acd_queue_oldest_seconds",
    "carillon_acd_queue_waiting",
    "carillon_gateway_tenant_calls",
    "carillon_gateway_tenant_calls_ended_total",
    "carillon_gateway_calls_ended_total",
    "carillon_portal_http_requests_total",
    "carillon_recording_closed_total",
}
"""Not shown while there is nothing to count."""


async def families_of(service: str, folder: Path) -> dict[str, Metric]:
    """What a service that has just started shows, by full name."""
    async with started(BUILDERS[service], folder) as running:
        found = list(running.metrics.registry.collect())
    if service in OUTBOXES:
        address = DatabaseAddress("127.0.0.1", 1, "none", {"carillon_bus": ""})
        nowhere = Database(address, schema="bus")
        publisher = OutboxPublisher(database=nowhere, bus=MemoryBus())
        metrics = Metrics()
        metrics.add(lambda: publisher.readings(service))
        found += metrics.registry.collect()
    ends = {"counter": "_total"}
    return {each.name + ends.get(each.type, ""): each for each in found}


def described() -> set[str]:
    """The names in the tables of metrics."""
    return set(ROW.findall(OPERATIONS.read_text()))


@pytest.mark.parametrize("service", sorted(BUILDERS))
async def test_a_services_metrics_are_named_by_the_rule_and_described(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting in ("PORTAL_HTTP", "PORTAL_GRPC", "GATEWAY_SIP"):
        monkeypatch.setenv(f"CARILLON_{setting}_PORT", "0")
    monkeypatch.setenv("CARILLON_PORTAL_PASSWORD_MEMORY_KIB", "64")
    monkeypatch.setenv("CARILLON_EDGE_HOST", "127.0.0.1")
    monkeypatch.setenv("CARILLON_EDGE_DIR", str(tmp_path))
    families = await families_of(service, tmp_path)
    for name in EVERY_PROCESS:
        families.pop(name)
    for name, family in families.items():
        assert NAME.fullmatch(name), name
        assert name.startswith(f"carillon_{service}_"), name
        assert name.endswith("_total") == (family.type == "counter"), name
        assert family.documentation.endswith("."), name
    prefix = f"carillon_{service}_"
    shown = {name for name in {*families, *FROM_THE_FIRST_ON} if name.startswith(prefix)}
    assert {name for name in described() if name.startswith(prefix)} == shown


def test_nothing_is_described_that_nobody_shows() -> None:
    services = tuple(f"carillon_{service}_" for service in BUILDERS)
    assert {name for name in described() if not name.startswith(services)} == (
        EVERY_PROCESS | WITH_A_DATABASE | ON_KAFKA | ON_S3
    )


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_is_described_with_its_default(settings: type[Settings]) -> None:
    rows = dict(re.findall(r"\| `(CARILLON_[A-Z0-9_]+)` \| (.*?) \|", OPERATIONS.read_text()))
    prefix = settings.model_config["env_prefix"]
    for name, field in settings.model_fields.items():
        default = rows[f"{prefix}{name}".upper()]
        if isinstance(field.default, bool):
            assert default == f"`{str(field.default).lower()}`", name
        elif isinstance(field.default, int | float):
            assert default == f"`{field.default:.10g}`", name


def test_no_setting_is_described_that_is_none() -> None:
    known = {
        f"{settings.model_config['env_prefix']}{name}".upper()
        for settings in SETTINGS
        for name in settings.model_fields
    }
    told = set(re.findall(r"\| `(CARILLON_[A-Z0-9_]+)` \|", OPERATIONS.read_text()))
    assert told == known
