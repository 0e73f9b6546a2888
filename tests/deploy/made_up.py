"""Made-up series on which each alert fires."""

from __future__ import annotations

from tests.deploy.queries import Series

POINTS = 60
G, S = "carillon_gateway_", "carillon_"


def still(metric: str, value: float, **labels: str) -> Series:
    """A value that stays as it is."""
    return Series(metric, labels, (value,) * POINTS)


def grows(metric: str, by: float, **labels: str) -> Series:
    """A counter that grows at each step."""
    return Series(metric, labels, tuple(by * each for each in range(POINTS)))


def buckets(metric: str, counts: dict[str, float], **labels: str) -> tuple[Series, ...]:
    """A histogram that grows by these counts at each step."""
    total = max(counts.values())
    return (
        *(grows(f"{metric}_bucket", count, le=le, **labels) for le, count in counts.items()),
        grows(f"{metric}_count", total, **labels),
    )


SICK: dict[str, tuple[Series, ...]] = {
    "NoGatewayTakesCalls": (still(f"{G}draining", 1, instance="a"),),
    "GatewaysNearlyFull": (still(f"{G}calls", 450), still(f"{G}calls_limit", 500)),
    "CallsFailHere": (
        grows(f"{G}calls_ended_total", 1, **{"class": "server_error"}),
        grows(f"{G}calls_ended_total", 9, **{"class": "success"}),
    ),
    "CallsFailAtCarrier": (
        grows(f"{G}calls_ended_total", 1, **{"class": "carrier_error"}),
        grows(f"{G}calls_ended_total", 9, **{"class": "success"}),
    ),
    "CallsWithoutInterpreter": (still(f"{G}calls_detached", 2),),
    "PromptsNotSpoken": (grows(f"{S}ivr_prompts_failed_total", 1),),
    "SoundIsPoor": buckets(f"{G}leg_score", {"3.6": 1, "+Inf": 5}, kind="sip"),
    "NoSoundComes": (
        still(f"{G}legs", 6, instance="a", kind="sip"),
        still(f"{G}rtp_packets_received_total", 900, instance="a"),
    ),
    "FramesSkipped": (grows(f"{G}frames_skipped_total", 40, instance="a"),),
    "BrowsersLost": (grows(f"{G}browsers_lost_total", 2),),
    "RoutingStandsStill": (still(f"{S}acd_oldest_matchable_seconds", 9),),
    "JournalAway": (still(f"{S}acd_journal_away", 1),),
    "RoutingSlow": buckets(
        f"{S}rpc_seconds", {"0.1": 90, "1.0": 100, "+Inf": 100}, service="carillon.acd.v1.Acd"
    ),
    "CommandsWait": (still(f"{S}acd_commands_waiting", 2_000),),
    "FactsLost": (grows(f"{G}facts_dropped_total", 1),),
    "FactsUnwritten": (still(f"{G}facts_unwritten", 5_000),),
    "BusAway": (
        still(f"{G}facts_age_seconds", 0),
        still(f"{S}crm_outbox_age_seconds", 90),
    ),
    "GroupsBehind": (still(f"{S}recording_feed_behind_events", 9_000),),
    "FeedStuck": (still(f"{S}ivr_feed_waiting", 1),),
    "EventsPassedOver": (grows(f"{S}analytics_events_passed_over_total", 1),),
    "NobodyJudgesThresholds": (still(f"{S}analytics_alarms_judging", 0),),
    "RecordingsNotAsTheyShouldBe": (still(f"{S}recording_differences", 1),),
    "RecordingFails": (grows(f"{G}recordings_without_key_total", 1),),
    "RecordingsNotTaken": (still(f"{G}spool_age_seconds", 300),),
    "SegmentsRefused": (grows(f"{G}segments_refused_total", 1),),
    "StoredSegmentsDamaged": (grows(f"{S}recording_damaged_segments_total", 1),),
    "RequestsFailInside": (
        grows(f"{S}rpc_requests_total", 1, service="x", method="y", status="INTERNAL"),
    ),
    "RequestsUnavailable": (
        grows(f"{S}rpc_requests_total", 1, service="x", method="y", status="UNAVAILABLE"),
        grows(f"{S}rpc_requests_total", 5, service="x", method="y", status="OK"),
    ),
    "CallersNotLookedUp": (grows(f"{S}ivr_breaker_refused_total", 1, to="crm"),),
    "PortalFails": (grows(f"{S}portal_http_requests_total", 1, status="5xx"),),
    "AuditLost": (grows(f"{S}portal_audit_lost_total", 1),),
    "DatabasePoolFull": (
        still(f"{S}database_connections", 8, instance="a", schema="acd", state="busy"),
        still(f"{S}database_connections", 0, instance="a", schema="acd", state="idle"),
        still(f"{S}database_connections_limit", 8, instance="a", schema="acd"),
    ),
    "ProcessBlocked": (still(f"{S}process_delay_seconds", 1, instance="a"),),
}
"""By the alert's name."""

WELL: tuple[Series, ...] = (
    still(f"{G}draining", 1, instance="old"),
    still(f"{G}draining", 0, instance="new"),
    still(f"{G}calls", 300),
    still(f"{G}calls_limit", 500),
    still(f"{G}calls_detached", 0),
    grows(f"{G}calls_ended_total", 1_000, **{"class": "success"}),
    grows(f"{G}calls_ended_total", 1, **{"class": "server_error"}),
    grows(f"{G}calls_ended_total", 2, **{"class": "carrier_error"}),
    *buckets(f"{G}leg_score", {"3.6": 1, "+Inf": 100}, kind="sip"),
    still(f"{G}legs", 6, instance="a", kind="sip"),
    grows(f"{G}rtp_packets_received_total", 9_000, instance="a"),
    still(f"{S}acd_oldest_matchable_seconds", 0),
    *buckets(
        f"{S}rpc_seconds", {"0.1": 995, "1.0": 1_000, "+Inf": 1_000}, service="carillon.acd.v1.Acd"
    ),
    still(f"{G}facts_age_seconds", 0.2),
    still(f"{S}crm_outbox_age_seconds", 0),
    still(f"{S}analytics_alarms_judging", 1),
    still(f"{S}analytics_alarms_judging", 0, instance="b"),
    still(f"{G}spool_age_seconds", 2),
    grows(f"{S}rpc_requests_total", 500, service="x", method="y", status="OK"),
    grows(f"{S}rpc_requests_total", 1, service="x", method="y", status="UNAVAILABLE"),
    grows(f"{S}rpc_requests_total", 20, service="x", method="y", status="NOT_FOUND"),
    still(f"{S}database_connections", 4, instance="a", schema="acd", state="busy"),
    still(f"{S}database_connections_limit", 8, instance="a", schema="acd"),
    still(f"{S}process_delay_seconds", 0.002, instance="a"),
)
"""An installation that nobody need be woken for."""
