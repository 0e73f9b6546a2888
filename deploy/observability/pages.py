"""What the dashboards show: pages of rows of panels, each with its queries by legend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EACH_FEED = ("analytics", "crm", "ivr", "recording")
EACH_OUTBOX = ("crm", "portal", "recording")


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram."""

    title: str
    """Short."""
    about: str
    """What to see in it."""
    unit: str
    """Grafana's name of it: `short`, `s`, `percentunit`, `bytes`, `ops`."""
    queries: Mapping[str, str]
    """Legend → PromQL."""


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard."""

    name: str
    """Of its file."""
    title: str
    """For people."""
    about: str
    """Who looks at it, and why."""
    rows: Mapping[str, tuple[Panel, ...]]
    """Title → panels."""


def _share(metric: str, bound: str) -> str:
    """The share of legs of each kind that were at most this."""
    return (
        f'sum by (kind) (rate({metric}_bucket{{le="{bound}"}}[$__rate_interval]))'
        f" / sum by (kind) (rate({metric}_count[$__rate_interval]))"
    )


def _quantile(part: str, metric: str, by: str) -> str:
    """A quantile of a histogram."""
    rates = f"rate({metric}_bucket[$__rate_interval])"
    return f"histogram_quantile({part}, sum by (le, {by}) ({rates}))"


CALLS = Page(
    name="calls",
    title="calls",
    about="Whether people reach people: look here first.",
    rows={
        "Calls": (
            Panel(
                "Calls in progress",
                "Against what the gateways take.",
                "short",
                {
                    "in progress": "sum(carillon_gateway_calls)",
                    "limit": "sum(carillon_gateway_calls_limit)",
                    "without interpreter": "sum(carillon_gateway_calls_detached)",
                },
            ),
            Panel(
                "Calls ended, by whom it is laid to",
                "Only success and caller_error are nobody's fault here.",
                "ops",
                {
                    "{{class}}": "sum by (class)"
                    " (rate(carillon_gateway_calls_ended_total[$__rate_interval]))"
                },
            ),
            Panel(
                "Calls of the busiest tenants",
                "The ten with the most.",
                "short",
                {"{{tenant}}": "topk(10, sum by (tenant) (carillon_gateway_tenant_calls))"},
            ),
        ),
        "Queues": (
            Panel(
                "Waiting",
                "The ten longest queues.",
                "short",
                {
                    "{{tenant}} {{queue}}": "topk(10, sum by (tenant, queue)"
                    " (carillon_acd_queue_waiting))"
                },
            ),
            Panel(
                "First in line has waited",
                "The ten that wait longest.",
                "s",
                {
                    "{{tenant}} {{queue}}": "topk(10, max by (tenant, queue)"
                    " (carillon_acd_queue_oldest_seconds))"
                },
            ),
            Panel(
                "Offered, answered, abandoned",
                "Over all tenants.",
                "ops",
                {
                    "{{outcome}}": "sum by (outcome)"
                    " (rate(carillon_acd_queue_contacts_total[$__rate_interval]))"
                },
            ),
        ),
        "Agents": (
            Panel(
                "Agents by state",
                "Many that turn unreachable at once: the network, or portal.",
                "short",
                {"{{state}}": "sum by (state) (carillon_acd_agents)"},
            ),
            Panel(
                "Browsers",
                "Pages and softphones that are connected, and connections lost in calls.",
                "short",
                {
                    "pages": "sum(carillon_portal_pages)",
                    "softphones": "sum(carillon_portal_softphones)",
                    "lost in calls, 5 minutes": "sum(increase("
                    "carillon_gateway_browsers_lost_total[5m]))",
                },
            ),
            Panel(
                "Oldest pair that could be matched",
                "Anything but 0: routing stands still.",
                "s",
                {"oldest": "max(carillon_acd_oldest_matchable_seconds)"},
            ),
        ),
    },
)

MEDIA = Page(
    name="media",
    title="media and recordings",
    about="How calls sound, and whether what is said is kept.",
    rows={
        "Sound": (
            Panel(
                "Legs that sound poor",
                "The share whose estimated opinion is at most 3.6.",
                "percentunit",
                {"{{kind}}": _share("carillon_gateway_leg_score", "3.6")},
            ),
            Panel(
                "Legs without loss worth hearing",
                "The share that lost at most one packet in a hundred.",
                "percentunit",
                {"{{kind}}": _share("carillon_gateway_leg_loss_ratio", "0.01")},
            ),
            Panel(
                "Jitter",
                "The median and the worst twentieth.",
                "s",
                {
                    "{{kind}} p50": _quantile("0.5", "carillon_gateway_leg_jitter_seconds", "kind"),
                    "{{kind}} p95": _quantile(
                        "0.95", "carillon_gateway_leg_jitter_seconds", "kind"
                    ),
                },
            ),
            Panel(
                "Round trip",
                "As RTCP told it.",
                "s",
                {
                    "{{kind}} p95": _quantile(
                        "0.95", "carillon_gateway_leg_round_trip_seconds", "kind"
                    )
                },
            ),
            Panel(
                "Gaps",
                "Pieces missing, and the longest of the worst twentieth of legs.",
                "short",
                {
                    "{{kind}} gaps a second": "sum by (kind)"
                    " (rate(carillon_gateway_leg_gaps_total[$__rate_interval]))",
                    "{{kind}} longest, p95, seconds": _quantile(
                        "0.95", "carillon_gateway_leg_longest_gap_seconds", "kind"
                    ),
                },
            ),
            Panel(
                "Packets",
                "Received and sent; those of strangers; frames that came too late to be sent.",
                "ops",
                {
                    "received": "sum(rate(carillon_gateway_rtp_packets_received_total"
                    "[$__rate_interval]))",
                    "sent": "sum(rate(carillon_gateway_rtp_packets_sent_total[$__rate_interval]))",
                    "from strangers": "sum(rate(carillon_gateway_packets_from_strangers_total"
                    "[$__rate_interval]))",
                    "frames skipped": "sum(rate(carillon_gateway_frames_skipped_total"
                    "[$__rate_interval]))",
                },
            ),
        ),
        "Recordings": (
            Panel(
                "Being recorded, waiting",
                "What waits for long means that recording is away.",
                "short",
                {
                    "being recorded": "sum(carillon_gateway_recordings)",
                    "with something to hand over": "sum(carillon_gateway_recordings_waiting)",
                    "hashes computed": "sum(carillon_recording_closing)",
                },
            ),
            Panel(
                "Spool",
                "Bytes on the gateways' disks.",
                "bytes",
                {"{{instance}}": "sum by (instance) (carillon_gateway_spool_bytes)"},
            ),
            Panel(
                "Spool's age",
                "Above two minutes somebody is woken.",
                "s",
                {"{{instance}}": "max by (instance) (carillon_gateway_spool_age_seconds)"},
            ),
            Panel(
                "Segments",
                "Handed over, made durable, refused.",
                "ops",
                {
                    "handed over": "sum(rate(carillon_gateway_segments_shipped_total"
                    "[$__rate_interval]))",
                    "durable": "sum(rate(carillon_recording_segments_total[$__rate_interval]))",
                    "refused": "sum(rate(carillon_gateway_segments_refused_total"
                    "[$__rate_interval]))",
                },
            ),
            Panel(
                "Not as it should be",
                "Each is somebody's work.",
                "short",
                {
                    "differences": "max(carillon_recording_differences)",
                    "damaged segments": "sum(increase("
                    "carillon_recording_damaged_segments_total[1h]))",
                    "failed": "sum(increase(carillon_gateway_recordings_failed_total[1h]))",
                    "without a key": "sum(increase("
                    "carillon_gateway_recordings_without_key_total[1h]))",
                },
            ),
            Panel(
                "Bytes stored",
                "For the size of the store; see docs/capacity.md.",
                "Bps",
                {"stored": "sum(rate(carillon_recording_segment_bytes_total[$__rate_interval]))"},
            ),
        ),
    },
)

INSIDE = Page(
    name="inside",
    title="services, bus and database",
    about="Why: requests, what waits, and what every process needs.",
    rows={
        "Requests": (
            Panel(
                "Requests",
                "By service.",
                "reqps",
                {
                    "{{service}}": "sum by (service)"
                    " (rate(carillon_rpc_requests_total[$__rate_interval]))"
                },
            ),
            Panel(
                "Errors of ours",
                "INTERNAL is a fault; UNAVAILABLE says that something is away.",
                "reqps",
                {
                    "{{service}} {{status}}": "sum by (service, status)"
                    ' (rate(carillon_rpc_requests_total{status=~"INTERNAL|UNAVAILABLE|UNKNOWN"}'
                    "[$__rate_interval]))"
                },
            ),
            Panel(
                "Time to an answer, p99",
                "Streams excepted.",
                "s",
                {"{{service}}": _quantile("0.99", "carillon_rpc_seconds", "service")},
            ),
            Panel(
                "The portal's answers",
                "By class of their status.",
                "reqps",
                {
                    "{{status}}": "sum by (status)"
                    " (rate(carillon_portal_http_requests_total[$__rate_interval]))"
                },
            ),
            Panel(
                "Routing",
                "Commands that wait; group commits; requests that went on to another replica.",
                "short",
                {
                    "waiting": "sum(carillon_acd_commands_waiting)",
                    "commits a second": "sum(rate(carillon_acd_commits_total[$__rate_interval]))",
                    "forwarded a second": "sum(rate(carillon_acd_forwarded_total"
                    "[$__rate_interval]))",
                    "journals away": "sum(carillon_acd_journal_away)",
                },
            ),
            Panel(
                "Flows",
                "Calls that are interpreted, and prompts that could not be spoken in time.",
                "short",
                {
                    "sessions": "sum(carillon_ivr_sessions)",
                    "prompts failed, 5 minutes": "sum(increase("
                    "carillon_ivr_prompts_failed_total[5m]))",
                    "look-ups failed, 5 minutes": "sum(increase("
                    "carillon_ivr_look_ups_failed_total[5m]))",
                    "look-ups not made, 5 minutes": "sum(increase("
                    "carillon_ivr_breaker_refused_total[5m]))",
                },
            ),
        ),
        "What waits": (
            Panel(
                "Groups behind",
                "Events that a group has not done.",
                "short",
                {name: f"max(carillon_{name}_feed_behind_events)" for name in EACH_FEED},
            ),
            Panel(
                "Age of what is not on the bus",
                "Above a minute somebody is woken.",
                "s",
                {
                    "routing": "max(carillon_acd_publishing_age_seconds)",
                    "facts of calls": "max(carillon_gateway_facts_age_seconds)",
                    **{name: f"max(carillon_{name}_outbox_age_seconds)" for name in EACH_OUTBOX},
                },
            ),
            Panel(
                "Age of events when they were done",
                "How fresh figures and histories are.",
                "s",
                {name: f"max(carillon_{name}_feed_age_seconds)" for name in EACH_FEED},
            ),
        ),
        "Processes": (
            Panel(
                "Connections to the database that work",
                "As a share of those that there may be.",
                "percentunit",
                {
                    "{{instance}} {{schema}}": "sum by (instance, schema)"
                    ' (carillon_database_connections{state="busy"})'
                    " / sum by (instance, schema) (carillon_database_connections_limit)"
                },
            ),
            Panel(
                "Tasks",
                "Growth without end is a leak.",
                "short",
                {"{{instance}}": "sum by (instance) (carillon_process_tasks)"},
            ),
            Panel(
                "Delay",
                "How long a process let the question for metrics wait.",
                "s",
                {"{{instance}}": "max by (instance) (carillon_process_delay_seconds)"},
            ),
        ),
    },
)

PAGES = (CALLS, MEDIA, INSIDE)
